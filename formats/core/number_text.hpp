/// Numbers to text: the shortest that reads back as the same value.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

#include "formats/core/number_layout.hpp"
#include "formats/core/number_shortest.hpp"
#include "penstock/dtype.hpp"

namespace penstock {

/// Longest text of one number: "-1.1754944e-38", "-2.2250738585072014e-308" and the lowest integers, with at most nine
/// or seventeen significant digits for the floating-point types.
constexpr std::size_t number_bytes_max(DType type) {
  switch (type) {
    case DType::float32: return std::string_view("-1.23456789e-38").size();
    case DType::float64: return std::string_view("-1.2345678901234567e-308").size();
    case DType::int32: return std::string_view("-2147483648").size();
    case DType::int64: return std::string_view("-9223372036854775808").size();
  }
  return 0;
}

/// The functions below write to `into`, which has room for number_bytes_max(), and return what follows the text.

inline char* put_text(char* into, std::string_view text) { return std::copy(text.begin(), text.end(), into); }

template <class T>
char* put_integer(char* into, T value) {
  return std::to_chars(into, into + number_bytes_max(dtype_of<T>), value).ptr;
}

/// `value` is finite and positive. From 10^7 on fixed notation is the integer itself, with digits beyond the shortest.
inline char* put_positive(char* into, float value) {
  number::Decimal decimal;
  if (!number::has_few_digits(value, decimal)) decimal = number::shortest_decimal(value);
  number::NineDigits const digits = number::digits_of(decimal);
  if (digits.exponent >= 7 && is_fixed(digits)) return put_integer(into, static_cast<std::int64_t>(value));
  return number::put_decimal(into, digits);
}
inline char* put_positive(char* into, double value) {
  number::Decimal decimal;
  if (number::has_few_digits(value, decimal)) return number::put_decimal(into, number::digits_of(decimal));
  return std::to_chars(into, into + number_bytes_max(DType::float64) - 1, value).ptr;
}

/// The text of std::to_chars(first, last, value), in less time. Whole numbers below 100,000 are integers there (from
/// then on exponents can be shorter), and in most data there are many.
template <class T>
char* put_finite(char* into, T value) {
  *into = '-';
  into += std::signbit(value) ? 1 : 0;
  value = std::abs(value);
  if (value < T{100000}) {
    auto const whole = static_cast<std::int32_t>(value);
    if (static_cast<T>(whole) == value) return put_integer(into, whole);
  }
  return put_positive(into, value);
}

/// Any value; a NaN of any bits becomes `nan`, infinities `inf` and `-inf`.
template <class T>
char* put_number(char* into, T value, std::string_view nan) {
  if constexpr (std::is_floating_point_v<T>) {
    if (value != value) return put_text(into, nan);
    if (value > std::numeric_limits<T>::max()) return put_text(into, "inf");
    if (value < std::numeric_limits<T>::lowest()) return put_text(into, "-inf");
    return put_finite(into, value);
  } else {
    return put_integer(into, value);
  }
}

}  // namespace penstock
