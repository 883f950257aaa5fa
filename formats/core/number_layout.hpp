/// Decimals laid out as std::to_chars(first, last, value) does it: in fixed or in scientific notation, whichever is
/// shorter, and fixed if both are as long. What is written may go beyond the text's end, by less than the longest text.
#pragma once

#include <cstdint>
#include <cstring>

#include "formats/core/number_shortest.hpp"
#include "formats/core/platform.hpp"

namespace penstock::number {

/// Nine digits as characters.
struct NineDigits {
  std::uint64_t eight;  ///< the first in the lowest byte
  char ninth;
  int count;     ///< without zeros at the end
  int exponent;  ///< of the first
};

/// The eight digits of `value`, below 10^8, the first in the lowest byte. The value is split in halves, quarters and
/// digits, all pieces at once: n / 100 is n * 10486 >> 20 for n < 10^4, and n / 10 is n * 103 >> 10 for n < 100.
inline std::uint64_t eight_digits(std::uint32_t value) {
  std::uint64_t const halves = value / 10000 | std::uint64_t{value % 10000} << 32;
  std::uint64_t const hundreds = halves * 10486 >> 20 & 0x0000007f0000007fu;
  std::uint64_t const quarters = hundreds | (halves - hundreds * 100) << 16;
  std::uint64_t const tens = quarters * 103 >> 10 & 0x000f000f000f000fu;
  return (tens | (quarters - tens * 10) << 8) | 0x3030303030303030u;
}

inline NineDigits digits_of(Decimal decimal) {
  std::uint64_t const eight = eight_digits(decimal.digits / 10);
  std::uint32_t const ninth = decimal.digits % 10;
  int const zeros = leading_zeros(eight ^ 0x3030303030303030u) >> 3;  // the first digit is none
  return {eight, static_cast<char>('0' + ninth), ninth != 0 ? 9 : 8 - zeros, decimal.exponent};
}

/// `0.000ddd`, `ddd.ddd` or `ddd000` is not longer than `d.dde-00`.
inline bool is_fixed(NineDigits const& digits) {
  int const point = digits.count > 1 ? 1 : 0;
  return digits.exponent >= -3 - point && digits.exponent <= digits.count + 3 + point;
}

namespace detail {

inline void store_8_bytes(char* into, std::uint64_t bytes) { std::memcpy(into, &bytes, sizeof bytes); }

/// Exponents from 0 to 6, three stores. Of 123.456789:
///
///     at            0  1  2  3  4  5  6  7  8  9
///     the ninth                                9
///     all, at 1        1  2  3  4  5  6  7  8
///     with a point  1  2  3  .  4  5  6  7
inline char* put_from_one(char* into, NineDigits const& digits) {
  int const whole_bits = 8 * (digits.exponent + 1);
  std::uint64_t const whole = digits.eight & ((std::uint64_t{1} << whole_bits) - 1);
  into[9] = digits.ninth;
  store_8_bytes(into + 1, digits.eight);
  store_8_bytes(into, whole | std::uint64_t{'.'} << whole_bits | (digits.eight ^ whole) << 8);
  int const whole_bytes = digits.exponent + 1;
  return into + (digits.count > whole_bytes ? digits.count + 1 : whole_bytes);
}

/// Exponents from -4 to -1.
inline char* put_below_one(char* into, NineDigits const& digits) {
  std::memcpy(into, "0.000000", 8);
  into += 1 - digits.exponent;
  store_8_bytes(into, digits.eight);
  into[8] = digits.ninth;
  return into + digits.count;
}

/// Exponents of two digits.
inline char* put_scientific(char* into, NineDigits const& digits) {
  store_8_bytes(into + 1, digits.eight);
  into[0] = static_cast<char>(digits.eight);
  into[1] = '.';
  into[9] = digits.ninth;
  into += digits.count > 1 ? digits.count + 1 : 1;
  int const size = digits.exponent < 0 ? -digits.exponent : digits.exponent;
  into[0] = 'e';
  into[1] = digits.exponent < 0 ? '-' : '+';
  into[2] = static_cast<char>('0' + size / 10);
  into[3] = static_cast<char>('0' + size % 10);
  return into + 4;
}

}  // namespace detail

/// An exponent from 7 on is written only where is_fixed() is false: in fixed notation such a number shows all its
/// digits, not the shortest.
inline char* put_decimal(char* into, NineDigits const& digits) {
  if (!is_fixed(digits)) return detail::put_scientific(into, digits);
  return digits.exponent < 0 ? detail::put_below_one(into, digits) : detail::put_from_one(into, digits);
}

}  // namespace penstock::number
