/// Words of libsvm text that are plain: digits, a colon, a number. Everything else is for formats/libsvm/record.hpp.
///
///     text    1 2 : 0 . 5 _          from a word's first byte on, the first two stops
///     stops   . . 1 . . . 1          are its colon and its end
#pragma once

#include <cstdint>
#include <type_traits>

#include "cuda/kernels/libsvm_tiles.hpp"
#include "cuda/kernels/number.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/core/number.hpp"
#include "formats/libsvm/grammar.hpp"

namespace penstock::cuda::libsvm {

/// A chunk's text and where words and their parts end in it.
struct WordText {
  char const* data = nullptr;
  std::uint32_t const* stops = nullptr;

  __device__ char at(std::uint32_t offset) const { return load_cached(data + offset); }
  /// How far the first stop from `offset` on is; 32: farther than 31 bytes.
  __device__ std::uint32_t stop_distance(std::uint32_t offset) const {
    std::uint32_t const* const word = stops + offset / 32;
    std::uint32_t const bits = funnel_right(load_cached(word), load_cached(word + 1), offset % 32);
    return bits == 0 ? 32 : lowest_bit(bits);
  }
};

/// How long row i of a table is for one thread: its items, or the bytes of its line and what follows up to the next
/// row's, 64 for an item.
__device__ inline std::uint32_t length_of_row(RowTable const& rows, std::uint32_t i) {
  std::uint32_t const items = rows.items[i + 1] - rows.items[i], bytes = rows.begins[i + 1] - rows.begins[i];
  return items > bytes / 64 ? items : bytes / 64;
}

/// What plain items are.
struct ItemRules {
  std::uint64_t base = 0;
  std::uint64_t indices_end = 0;  ///< counted from 0; indices are below
  bool is_libfm = false;
};

// --- integers --------------------------------------------------------------------------------------------------------

/// The `length` digits in front of `end`, 4 * words at most. False: none, more, or other bytes.
template <unsigned words>
__device__ inline bool plain_digits(char const* end, std::uint32_t length, std::uint64_t& number) {
  static_assert(words == 2 || words == 4);
  if (length - 1 >= 4 * words) return false;
  auto x = load_field<words>(end);
  int const unused = static_cast<int>(4 * words - length);
  std::uint32_t others = 0;
  for (unsigned i = 0; i < words; ++i) {
    x.at[i] = (x.at[i] ^ 0x30303030u) & bytes_from(unused - 4 * static_cast<int>(i));
    others |= non_digit_bytes(x.at[i]);
  }
  (void)join_digits<words>(x, number);
  return others == 0;
}
inline constexpr std::uint32_t plain_digits_max = 16;

// --- numbers ---------------------------------------------------------------------------------------------------------

/// What number::parse<T> gives where it is simply a number, or no answer: with more digits than a significand holds,
/// too.
template <class T>
__device__ inline bool plain_number(char const* begin, char const* end, T& value) {
  number::Unsigned const text = number::without_sign(begin);
  number::Scan const scan = number::scan_general(text.begin, end, text.is_negative);
  if (!scan.is_number() || scan.digits > number::significand_digits_max) return false;
  number::Parsed<T> const parsed = number::value_of<T>(scan);
  value = parsed.value;
  return parsed.status == number::Status::ok && !parsed.is_inexact_integer;
}

/// The values of a warp's items, of up to 31 bytes. Lanes without one have an empty text. False: no answer.
template <class T>
__device__ inline bool plain_values(char const* begin, char const* end, T& value) {
  if constexpr (std::is_same_v<T, float>) {
    std::uint32_t const longest = warp_max(static_cast<std::uint32_t>(end - begin));
    bool is_plain = false;
    if (longest <= plain_bytes_max(2))
      is_plain = plain_float32<2, false>(begin, end, value);
    else if (longest <= plain_bytes_max(3))
      is_plain = plain_float32<3, false>(begin, end, value);
    if (!is_plain && begin != end) is_plain = plain_float32<6, true>(begin, end, value);
    return is_plain;
  } else {
    return begin != end && plain_number(begin, end, value);
  }
}

// --- items -----------------------------------------------------------------------------------------------------------

/// A plain item as bytes.
struct ItemSpan {
  std::uint32_t colon = 0;   ///< behind the index
  std::uint32_t digits = 0;  ///< of the index; 0: not plain
  std::uint32_t length = 0;  ///< of the value
};

__device__ inline ItemSpan plain_span(WordText const& text, bool is_libfm, std::uint32_t at) {
  if (is_libfm) {
    std::uint32_t const length = text.stop_distance(at);
    std::uint64_t field = 0;
    if (!plain_digits<4>(text.data + at + length, length, field) || text.at(at + length) != ':') return {};
    at += length + 1;
  }
  std::uint32_t const digits = text.stop_distance(at);
  if (digits - 1 >= plain_digits_max || text.at(at + digits) != ':') return {};
  std::uint32_t const value = at + digits + 1, length = text.stop_distance(value);
  if (length - 1 >= 31 || text.at(value + length) == ':') return {};
  return {at + digits, digits, length};
}

/// The index of a plain item. False: it is none, or out of range.
template <unsigned words>
__device__ inline bool plain_index(WordText const& text, ItemRules const& rules, ItemSpan const& span,
                                   std::int64_t& index) {
  std::uint64_t number = 0;
  bool const is_number = plain_digits<words>(text.data + span.colon, span.digits, number);
  number -= rules.base;
  index = static_cast<std::int64_t>(number);
  return is_number && number < rules.indices_end;
}

}  // namespace penstock::cuda::libsvm
