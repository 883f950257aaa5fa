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

/// Whole numbers below 100,000 are written as integers, which is what std::to_chars gives for them (from there on
/// exponents can be shorter), in less time. -0 is not one.
template <class T>
char* put_finite(char* into, T value) {
  if (value > T{-100000} && value < T{100000}) {
    auto const whole = static_cast<std::int32_t>(value);
    bool const is_same = static_cast<T>(whole) == value && !(whole == 0 && std::signbit(value));
    if (is_same) return put_integer(into, whole);
  }
  return std::to_chars(into, into + number_bytes_max(dtype_of<T>), value).ptr;
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
