/// Plain pairs, `digits:number` with a blank or the line's end behind, in two loops of so few steps a pair that a
/// processor works at several pairs at once: indices first, then values. In one loop they are a tenth slower, for want
/// of registers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "formats/core/block.hpp"
#include "formats/core/number.hpp"
#include "formats/libsvm/grammar.hpp"
#include "formats/libsvm/scan.hpp"

namespace penstock::libsvm {

/// So many pairs a turn: a value that is not plain costs the indices of one turn.
inline constexpr std::size_t turn_pairs = 16;

/// Pairs between separators 2i and 2i + 1 (the colon, and what follows the value); the first begins at `at`.
template <class Isa>
struct PlainPairs {
  char const* text;
  Separators<Isa> const& separators;
  std::uint32_t at;

  /// Stores the 0-based indices of the next pairs, as many as there is room for; how many they are. All but the last
  /// have a blank behind them.
  [[gnu::always_inline]] std::size_t take_indices(ItemRules const& rules, std::int64_t* indices,
                                                  std::size_t room) const {
    std::uint64_t const base = rules.base, columns = rules.columns;
    std::uint32_t const* const ends = separators.begin();
    std::size_t const count = std::min<std::size_t>(room, separators.size() / 2);
    std::uint32_t begin = at;
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t const colon = ends[2 * i], end = ends[2 * i + 1];
      if (text[colon] != ':' || text[end] == ':') return i;
      std::uint64_t const index = short_index(text + colon, colon - begin) - base;
      if (index >= columns) return i;
      indices[i] = static_cast<std::int64_t>(index);
      if (!is_blank(text[end])) return i + 1;
      begin = end + 1;
    }
    return count;
  }

  /// Stores the values of the next `count` pairs up to the first that is not plain; how many they are.
  template <class T>
  [[gnu::always_inline]] std::size_t take_values(T* values, std::size_t count) const {
    std::uint32_t const* const ends = separators.begin();
    std::size_t i = 0;
    while (i < count && take_value({text + ends[2 * i] + 1, text + ends[2 * i + 1]}, values[i])) ++i;
    return i;
  }

 private:
  /// Most values. False: the byte-wise way decides.
  template <class T>
  [[gnu::always_inline]] static bool take_value(Bytes value, T& into) {
    if constexpr (std::is_same_v<T, float>) {
      return fast_float32(Isa{}, value.begin, value.size(), into);
    } else {
      auto const parsed = number::parse<T>(value.begin, value.end);
      into = parsed.value;
      return parsed.status == number::Status::ok && !parsed.is_inexact_integer;
    }
  }
};

}  // namespace penstock::libsvm
