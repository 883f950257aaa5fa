/// The grammar of numbers, and their digits as an integer and a power of ten.
///
///     number  := [+-]? ( digits [ . digits* ] | . digits ) ( [eE] [+-]? digits )?
///     special := [+-]? ( nan | inf | infinity )       in any case
#pragma once

#include <cstdint>

#include "formats/core/number_exact.hpp"
#include "formats/core/number_tables.hpp"
#include "formats/core/platform.hpp"

namespace penstock::number {

/// As many decimal digits as always fit 64 bits.
inline constexpr int significand_digits_max = 19;

/// What the grammar sees in a text: `significand * 10^exponent`, if it is a number of at most
/// significand_digits_max digits (of more, `significand` holds the value modulo 2^64: see leading_digits).
struct Scan {
  std::uint64_t significand;
  std::int64_t exponent;     ///< power of ten of the last digit
  std::int64_t digits;       ///< zeros in front count too; 0: not a number
  char const* mantissa;      ///< after the sign
  char const* mantissa_end;  ///< before the exponent
  bool is_negative;
  bool is_integer;  ///< neither point nor exponent

  PENSTOCK_HD bool is_number() const { return digits != 0; }
};

/// Eight characters, the first in the lowest byte, become digit values; what is no digit becomes 10 or more.
PENSTOCK_HD_HOT std::uint64_t digit_values(std::uint64_t text) { return text ^ 0x3030303030303030u; }
/// The highest bit of each byte that is 10 or more. Right up to the first byte above 0x89, which is marked
/// but may mark its right neighbour as well: callers reject the text then anyway.
PENSTOCK_HD_HOT std::uint64_t non_digits(std::uint64_t values) {
  return ((values + 0x7676767676767676u) | values) & 0x8080808080808080u;
}
/// The number that eight digit values spell: neighbours are joined to pairs, pairs to fours, fours to eight.
PENSTOCK_HD_HOT std::uint64_t join_8_digits(std::uint64_t values) {
  constexpr std::uint64_t pairs = 0x000000ff000000ffu;
  values = values * 10 + (values >> 8);
  return ((values & pairs) * (100 + (1000000ull << 32)) + (values >> 16 & pairs) * (1 + (10000ull << 32))) >> 32;
}

/// The 1 to 8 characters of [begin, end) moved to the high bytes, zeros below; reads nothing else.
PENSTOCK_HD_HOT std::uint64_t load_right_aligned(char const* begin, char const* end) {
  int const length = static_cast<int>(end - begin);
  int const empty_bits = 64 - 8 * length;
  if (length >= 4)
    return static_cast<std::uint64_t>(load_4_bytes(end - 4)) << 32 | static_cast<std::uint64_t>(load_4_bytes(begin))
                                                                         << empty_bits;
  auto const byte = [](char c) { return static_cast<std::uint64_t>(static_cast<unsigned char>(c)); };
  return byte(end[-1]) << 56 | byte(begin[length / 2]) << (empty_bits + 8 * (length / 2)) | byte(*begin) << empty_bits;
}

/// Digits with at most one point, 1 to 8 characters, without a branch on their number or place:
///
///     text         1 2 . 5          as loaded:  _ _ _ _ 1 2 . 5
///     the point's byte is closed from the left: 0 0 0 0 0 1 2 5      significand 125, exponent -1
///
/// No digits in the result: something else, which the general scan may understand.
PENSTOCK_HD_HOT Scan scan_short(char const* begin, char const* end, bool is_negative) {
  int const length = static_cast<int>(end - begin);
  std::uint64_t const zeros = 0x3030303030303030u << (64 - 8 * length);
  std::uint64_t const values = load_right_aligned(begin, end) ^ zeros;
  std::uint64_t const other = non_digits(values);  // one bit at most, or we are not here for long
  std::uint64_t const low_bit = other >> 7;
  bool const is_point = (other & (other - 1)) == 0 && (values & (low_bit * 255)) == low_bit * ('.' ^ '0');
  int const points = other != 0 ? 1 : 0;
  std::uint64_t const left = values & (low_bit - 1);
  std::uint64_t const right = values & ~((other << 1) - 1);
  std::uint64_t const significand = join_8_digits(right | left << 8 * points);
  int const fraction = (leading_zeros(other | 1) >> 3) & -points;
  return {significand, -fraction, is_point ? length - points : 0, begin, end, is_negative, points == 0};
}

PENSTOCK_HD_HOT bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

/// A place in a text, and a number read so far.
template <class T>
struct Step {
  char const* at;
  T value;
};

/// Appends one character, which is a digit.
PENSTOCK_HD_HOT Step<std::uint64_t> scan_digit(Step<std::uint64_t> step) {
  return {step.at + 1, step.value * 10 + static_cast<std::uint64_t>(*step.at - '0')};
}

/// Appends a run of digits to `value` (modulo 2^64); stands where the run ends.
PENSTOCK_HD_HOT Step<std::uint64_t> scan_digits(Step<std::uint64_t> step, char const* end) {
  while (end - step.at >= 8) {
    std::uint64_t const values = digit_values(load_8_bytes(step.at));
    if (non_digits(values) != 0) break;
    step = {step.at + 8, step.value * 100000000u + join_8_digits(values)};
  }
  while (step.at != end && is_digit(*step.at)) step = scan_digit(step);
  return step;
}

/// Reads the exponent behind an 'e'; `at` is null if there is none. Its size saturates at 10^17, beyond what any
/// number of digits in memory can make up for.
PENSTOCK_HD_HOT Step<std::int64_t> scan_exponent(char const* p, char const* end) {
  if (p == end) return {nullptr, 0};
  bool const is_negative = *p == '-';
  p += static_cast<int>(is_negative) | static_cast<int>(*p == '+');
  if (p == end || !is_digit(*p)) return {nullptr, 0};
  std::int64_t value = *p++ - '0';
  for (; p != end && is_digit(*p); ++p) value = value < 10000000000000000 ? value * 10 + (*p - '0') : value;
  std::int64_t const ones = -static_cast<std::int64_t>(is_negative);  // a branch would be mispredicted half the time
  return {p, (value ^ ones) - ones};
}

/// Any number, from behind the sign.
PENSTOCK_HD_HOT Scan scan_general(char const* begin, char const* end, bool is_negative) {
  // One digit and a point, as %e prints: not worth eight bytes at once.
  bool const is_scientific = end - begin > 1 && begin[1] == '.' && is_digit(*begin);
  Step<std::uint64_t> step = is_scientific ? scan_digit({begin, 0}) : scan_digits({begin, 0}, end);
  std::int64_t digits = step.at - begin;
  std::int64_t fraction = 0;
  bool const has_point = step.at != end && *step.at == '.';
  if (has_point) {
    char const* const first = step.at + 1;
    step = scan_digits({first, step.value}, end);
    fraction = step.at - first;
    digits += fraction;
  }
  Step<std::int64_t> exponent = {step.at, 0};
  if (step.at != end && (*step.at == 'e' || *step.at == 'E')) exponent = scan_exponent(step.at + 1, end);
  bool const is_integer = !has_point && step.at == end;
  if (exponent.at != end) digits = 0;
  return {step.value, exponent.value - fraction, digits, begin, step.at, is_negative, is_integer};
}

/// Behind the sign, if there is one; the text is not empty.
struct Unsigned {
  char const* begin;
  bool is_negative;
};
PENSTOCK_HD_HOT Unsigned without_sign(char const* begin) {
  bool const is_negative = *begin == '-';
  return {begin + (static_cast<int>(is_negative) | static_cast<int>(*begin == '+')), is_negative};
}

/// The first significand_digits_max digits that count: the number lies in
/// [significand, significand + 1] * 10^exponent, at the lower end unless `is_truncated`.
struct LeadingDigits {
  std::uint64_t significand = 0;
  std::int64_t exponent = 0;
  std::int64_t point = 0;  ///< the number is 0.d1 d2 d3 ... * 10^point
  bool is_truncated = false;
  Digits digits;  ///< from d1
};

/// Goes through the digits of a scanned number again, one by one: for those that have too many.
PENSTOCK_HD_COLD inline LeadingDigits leading_digits(Scan const& scan) {
  char const* p = scan.mantissa;
  while (p != scan.mantissa_end && (*p == '0' || *p == '.')) ++p;
  LeadingDigits lead;
  lead.digits = {p, scan.mantissa_end};
  std::int64_t count = 0;
  for (; p != scan.mantissa_end; ++p) {
    if (*p == '.') continue;
    if (count < significand_digits_max)
      lead.significand = lead.significand * 10 + static_cast<std::uint64_t>(*p - '0');
    else
      lead.is_truncated |= *p != '0';
    ++count;
  }
  lead.point = scan.exponent + count;
  lead.exponent = lead.point - (count < significand_digits_max ? count : significand_digits_max);
  return lead;
}

/// nan, inf or infinity, from behind the sign, in any case: its length, or 0 for anything else.
PENSTOCK_HD_COLD inline int special_length(char const* begin, char const* end) {
  auto const is_word = [&](char const* word, int length) {
    if (end - begin != length) return false;
    for (int i = 0; i < length; ++i)
      if (static_cast<char>(begin[i] | 0x20) != word[i]) return false;
    return true;
  };
  if (is_word("nan", 3) || is_word("inf", 3)) return 3;
  return is_word("infinity", 8) ? 8 : 0;
}

}  // namespace penstock::number
