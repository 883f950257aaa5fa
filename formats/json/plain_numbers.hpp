/// Lists of numbers on the CPU, 64 bytes of text at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "formats/core/block.hpp"
#include "formats/core/platform.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/number.hpp"
#include "formats/json/number_list.hpp"

namespace penstock::json {

/// Numbers between commas, with at most one blank in front, null and "NaN". Decides nothing: what it leaves, and why,
/// is for read_number().
template <class Isa>
class PlainNumbers {
 public:
  /// Text ends at `end`, where lines do; up to 63 bytes more are read.
  void begin(char const* end) { text_end_ = end; }

  /// From an element's first byte on, or a blank before it; at most `room` elements.
  Taken take(char const* at, float* out, std::size_t room, NumberRules const& rules) {
    Taken taken = {at};
    for (;;) {
      list_separators(taken.at);
      if (count_ == 0) return taken;
      char const* const base = taken.at;
      for (std::size_t i = 0; i < count_; ++i) {
        char const* const end = base + positions_[i];
        char const* const begin = taken.at + (*taken.at == ' ' ? 1 : 0);
        if (taken.count == room) return taken;
        if (!is_plain(begin, end, out[taken.count])) [[unlikely]] {
          if (!rules.takes_missing || !spells_missing(begin, end)) return taken;
          out[taken.count] = missing_value<float>();
          ++taken.missing;
        }
        ++taken.count;
        taken.at = end + 1;
        taken.is_end = *end == ']';
        if (taken.is_end) return taken;
      }
    }
  }

  /// The same for a caller who has no room and wants to know how many there are.
  Taken pass(char const* at, NumberRules const& rules) { return take(at, unwanted_, unwanted_max, rules); }

  /// Whether [begin, end) is a number as JSON has them, and plain; only that no point stands before an exponent is left
  /// to the caller to know. fast_float32 takes some that are none: +1, .5, 1., 01, 1.e5.
  [[gnu::always_inline]] static bool is_decimal(char const* begin, char const* end, float& value) {
    if (end == begin) return false;
    char const* const first = begin + (*begin == '-' ? 1 : 0);
    bool const is_strict = is_digit(*first) & is_digit(end[-1]) & !(*first == '0' && is_digit(first[1]));
    return is_strict && fast_float32(Isa{}, begin, static_cast<std::uint32_t>(end - begin), value);
  }

 private:
  static constexpr std::size_t piece_bytes = 1024;
  static constexpr std::size_t unwanted_max = 256;

  /// Where commas and closing brackets stand in the piece of text at `base`, up to the block with the first bracket.
  [[gnu::always_inline]] void list_separators(char const* base) {
    count_ = 0;
    has_exponents_ = false;
    std::uint64_t exponents = 0;
    auto const size = std::min<std::size_t>(static_cast<std::size_t>(text_end_ - base), piece_bytes);
    for (std::size_t at = 0; at < size; at += block_bytes) {
      char const* const block = base + at;
      std::uint64_t const closing = block_equal(Isa{}, block, ']');
      std::uint64_t const live = size - at >= block_bytes ? ~std::uint64_t{0} : (std::uint64_t{1} << (size - at)) - 1;
      exponents |= block_equal(Isa{}, block, 'e') | block_equal(Isa{}, block, 'E');
      append(at, (block_equal(Isa{}, block, ',') | closing) & live);
      if (closing != 0) break;
    }
    has_exponents_ = exponents != 0;
  }

  /// Positions are written several at a time without asking; what is too much is written over.
  [[gnu::always_inline]] void append(std::size_t at, std::uint64_t mask) {
    std::uint16_t* out = positions_ + count_;
    count_ += static_cast<std::size_t>(std::popcount(mask));
    std::uint16_t* const last = positions_ + count_;
    auto const write = [&](unsigned positions) {
      for (unsigned i = 0; i < positions; ++i) {
        *out++ = static_cast<std::uint16_t>(at + static_cast<unsigned>(std::countr_zero(mask)));
        mask &= mask - 1;
      }
    };
    write(12);
    while (out < last) write(8);
  }

  /// Whether [begin, end) is a plain number.
  [[gnu::always_inline]] bool is_plain(char const* begin, char const* end, float& value) const {
    return is_decimal(begin, end, value) && (!has_exponents_ || has_strict_mantissa(begin, end));
  }

  /// Of a number that is otherwise valid: that no point stands before the exponent.
  static bool has_strict_mantissa(char const* begin, char const* end) {
    char const* at = end - 1;
    while (at > begin && is_digit(*at)) --at;
    if (at > begin && (*at == '+' || *at == '-')) --at;
    return (*at | 0x20) != 'e' || is_digit(at[-1]);
  }

  static bool spells_missing(char const* begin, char const* end) {
    constexpr std::uint32_t null_word = 0x6c6c756e;        // null
    constexpr std::uint32_t quoted_nan_word = 0x6e616e22;  // "nan
    std::uint32_t const word = load_4_bytes(begin);
    if (end - begin == 4) return word == null_word;
    return end - begin == 5 && (word | 0x20202000u) == quoted_nan_word && begin[4] == '"';
  }

  char const* text_end_ = nullptr;
  std::size_t count_ = 0;
  bool has_exponents_ = false;
  std::uint16_t positions_[piece_bytes + block_bytes + 12];
  float unwanted_[unwanted_max];
};

}  // namespace penstock::json
