/// float32 from plain decimal fields: what number::parse<float> gives, or no answer.
///
/// Text is read in words that end where the field ends, so that every digit's place follows from the end:
///
///     text        - 1 2 . 5        words, masked    0 0 0 0  1 2 . 5
///     the point's byte is closed from the left      0 0 0 0  0 1 2 5      = 125 * 10^-1
///
/// One product in double decides about rounding nearly always (formats/core/number_round.hpp, tier 1).
#pragma once

#include <cstdint>

#include "cuda/vocabulary.cuh"
#include "formats/core/number_round.hpp"
#include "formats/core/number_tables.hpp"

namespace penstock::cuda {

/// Text of which that many bytes may be read on either side, in words of four bytes.
inline constexpr unsigned plain_float32_reach = 32;

/// `words` words of text that end where a field ends; the last one is of its last four bytes.
template <unsigned words>
struct TextWords {
  std::uint32_t at[words];
};

template <unsigned words>
__device__ inline TextWords<words> load_field(char const* end) {
  auto const first = reinterpret_cast<std::uintptr_t>(end) - 4 * words;
  auto const* const aligned = reinterpret_cast<std::uint32_t const*>(first & ~std::uintptr_t{3});
  unsigned const shift = 8 * static_cast<unsigned>(first & 3);
  TextWords<words> field;
  std::uint32_t low = load_cached(aligned);
  for (unsigned i = 0; i < words; ++i) {
    std::uint32_t const high = load_cached(aligned + i + 1);
    field.at[i] = funnel_right(low, high, shift);
    low = high;
  }
  return field;
}

/// The number that four digit values spell, the first in the lowest byte.
PENSTOCK_HD inline std::uint32_t join_4_digits(std::uint32_t values) {
  return dot4(values, 0x010a6400u, (values & 0xffu) * 1000u);
}
PENSTOCK_HD inline std::uint32_t join_8_digits(std::uint32_t high, std::uint32_t low) {
  return join_4_digits(high) * 10000u + join_4_digits(low);
}

/// The highest bit of each byte that is 10 or more (with number::non_digits' proviso).
PENSTOCK_HD inline std::uint32_t non_digit_bytes(std::uint32_t values) {
  return ((values + 0x76767676u) | values) & 0x80808080u;
}

/// A mantissa's digits.
struct Mantissa {
  std::uint64_t significand = 0;
  unsigned fraction = 0;  ///< digits behind the point
  bool has_point = false;
  bool is_plain = false;  ///< digits, one at least, with at most one point; no more than a significand holds
};

/// Of words that hold digit values: the number that they spell. False: it has more than 19 digits.
template <unsigned words>
PENSTOCK_HD bool join_digits(TextWords<words> const& x, std::uint64_t& significand) {
  static_assert(words == 2 || words == 3 || words == 4 || words == 6);
  if constexpr (words == 2) significand = join_8_digits(x.at[0], x.at[1]);
  if constexpr (words == 3)
    significand = std::uint64_t{join_4_digits(x.at[0])} * 100000000u + join_8_digits(x.at[1], x.at[2]);
  if constexpr (words == 4)
    significand = std::uint64_t{join_8_digits(x.at[0], x.at[1])} * 100000000u + join_8_digits(x.at[2], x.at[3]);
  if constexpr (words == 6) {
    std::uint32_t const top = join_8_digits(x.at[0], x.at[1]);
    significand = (std::uint64_t{top} * 100000000u + join_8_digits(x.at[2], x.at[3])) * 100000000u +
                  join_8_digits(x.at[4], x.at[5]);
    return top < 1000;
  }
  return true;
}

/// The last `length` bytes of 4 * words in front of `end`; length <= 4 * words.
template <unsigned words>
__device__ inline Mantissa read_mantissa(char const* end, int length) {
  TextWords<words> x = load_field<words>(end);
  int const unused = 4 * static_cast<int>(words) - length;
  std::uint32_t marks = 0;  // a bit a byte that is no digit, the first byte of a word lowest, the last word lowest
  std::uint32_t other = 0;  // not 0: one that is no point either
  for (unsigned i = 0; i < words; ++i) {
    x.at[i] = (x.at[i] ^ 0x30303030u) & bytes_from(unused - 4 * static_cast<int>(i));
    std::uint32_t const non_digits = non_digit_bytes(x.at[i]) >> 7;
    other |= (x.at[i] ^ 0x01010101u * ('.' ^ '0')) & (non_digits * 255u);
    marks = dot4(non_digits, 0x08040201u, marks << 4);
  }
  Mantissa mantissa;
  mantissa.has_point = marks != 0;
  if ((other | (marks & (marks - 1))) != 0 || length <= (marks != 0 ? 1 : 0)) return mantissa;
  if (marks != 0) {
    int const bit = static_cast<int>(highest_bit(marks));
    int const point = 4 * (static_cast<int>(words) - 1 - bit / 4) + bit % 4;
    mantissa.fraction = 4 * words - 1 - static_cast<unsigned>(point);
    std::uint32_t before = 0;
    for (unsigned i = 0; i < words; ++i) {
      std::uint32_t const kept = bytes_from(point + 1 - 4 * static_cast<int>(i));
      std::uint32_t const moved = byte_perm(before, x.at[i], 0x6543);
      before = x.at[i];
      x.at[i] = (x.at[i] & kept) | (moved & ~kept);
    }
  }
  mantissa.is_plain = join_digits<words>(x, mantissa.significand);
  return mantissa;
}

/// What stands behind a mantissa.
struct Exponent {
  int bytes = 0;  ///< from the 'e' on; 0: there is none
  int value = 0;
  bool is_plain = true;  ///< nothing, or 'e', a sign or none, digits: four bytes at most behind the 'e'
};

/// Of the last `length` bytes in front of `end`. Only the last five bytes are looked at: an 'e' further in front is for
/// read_mantissa to refuse.
__device__ inline Exponent read_exponent(char const* end, int length) {
  TextWords<2> const x = load_field<2>(end);
  std::uint32_t const lower = 0x20202020u, e = 0x65656565u;
  std::uint32_t const near = equal_bytes(x.at[1] | lower, e) & bytes_from(4 - length);
  bool const is_far = near == 0 && length > 4 && (x.at[0] >> 24 | 0x20u) == 'e';
  Exponent exponent;
  if (near == 0 && !is_far) return exponent;
  int const digits = is_far ? 4 : 3 - static_cast<int>(highest_bit(near)) / 8;  // and the sign
  exponent.bytes = digits + 1;
  std::uint32_t const first = digits == 0 ? 0u : x.at[1] >> (8 * (4 - digits)) & 255u;
  int const sign = first == '-' || first == '+' ? 1 : 0;
  std::uint32_t const values = (x.at[1] ^ 0x30303030u) & bytes_from(4 - digits + sign);
  exponent.is_plain = digits > sign && non_digit_bytes(values) == 0;
  int const magnitude = static_cast<int>(join_4_digits(values));
  exponent.value = first == '-' ? -magnitude : magnitude;
  return exponent;
}

/// [-+]?digits with at most one point, 4 * words bytes at most behind the sign; if `has_exponent`, an exponent may
/// follow. False: number::parse<float> decides. True: it would give the same bits, with status ok and no inexact
/// integer. Reads up to plain_float32_reach bytes in front of `end` and 4 behind it, whatever they hold.
template <unsigned words, bool has_exponent>
__device__ inline bool plain_float32(char const* begin, char const* end, float& value) {
  if (begin == end) return false;
  char const sign = load_cached(begin);
  int length = static_cast<int>(end - begin) - (sign == '-' || sign == '+' ? 1 : 0);
  Exponent exponent;
  if constexpr (has_exponent) {
    exponent = read_exponent(end, length);
    length -= exponent.bytes;
    end -= exponent.bytes;
  }
  if (length > 4 * static_cast<int>(words)) return false;
  Mantissa const mantissa = read_mantissa<words>(end, length);
  if (!mantissa.is_plain || !exponent.is_plain) return false;
  int const power = exponent.value - static_cast<int>(mantissa.fraction);
  if (power < number::power_float32_exponent_min || power > number::power_float32_exponent_max) return false;
  double const significand = words == 2 ? static_cast<double>(static_cast<std::uint32_t>(mantissa.significand))
                                        : static_cast<double>(mantissa.significand);
  double const product = significand * number::power_of_ten(power);
  auto const magnitude = static_cast<float>(product);
  bool const is_integer = !mantissa.has_point && exponent.bytes == 0;
  bool const is_exact = !is_integer || mantissa.significand <= std::uint64_t{1} << 24 ||
                        static_cast<std::uint64_t>(magnitude) == mantissa.significand;
  value = bit_cast<float>(bit_cast<std::uint32_t>(magnitude) | (sign == '-' ? 0x80000000u : 0u));
  return is_exact && (number::narrows_safely(product) || mantissa.significand == 0);
}

/// The bytes of a field, its sign included, up to which plain_float32<words, false> has something to say.
constexpr unsigned plain_bytes_max(unsigned words) { return 4 * words + 1; }

/// Any field: the way of its own length, and the long one where that has no answer. See plain_float32.
__device__ inline bool fast_float32(char const* begin, char const* end, float& value) {
  auto const length = static_cast<std::uint64_t>(end - begin);
  if (length <= plain_bytes_max(2) && plain_float32<2, false>(begin, end, value)) return true;
  if (length > plain_bytes_max(2) && length <= plain_bytes_max(3) && plain_float32<3, false>(begin, end, value))
    return true;
  if (length > plain_bytes_max(3) && length <= plain_bytes_max(4) && plain_float32<4, false>(begin, end, value))
    return true;
  return length <= plain_float32_reach && plain_float32<6, true>(begin, end, value);
}

}  // namespace penstock::cuda
