/// Numbers from text: correctly rounded (to nearest, ties to even) straight from the decimal digits, however
/// many there are, the same bits on every engine. No library function takes part, so neither does a locale.
///
/// Accepted is what number_scan.hpp spells out, and the whole text must be it: no blanks, no hexadecimal, no
/// `1_000`, `1e`, `1d5` or `5f`.
#pragma once

#include <cstdint>
#include <type_traits>

#include "formats/core/number_exact.hpp"
#include "formats/core/number_round.hpp"
#include "formats/core/number_scan.hpp"
#include "formats/core/platform.hpp"

namespace penstock::number {

/// What a text is. `out_of_range` is a number too large for the type; numbers too small for a floating-point
/// type are `ok` and become subnormal or zero, with their sign.
enum class Status : std::uint8_t { ok, malformed, out_of_range, nan, infinite, not_an_integer };

/// A value and how it came about. Unless `ok`, `value` is: for floating-point types the infinity with the text's
/// sign for out_of_range and infinite, else the quiet NaN without payload or sign; for integers the limit on
/// the text's side for out_of_range, else 0.
template <class T>
struct Parsed {
  T value;
  Status status;
  /// float only: a text without point and exponent whose value is `ok` but not held exactly.
  bool is_inexact_integer;
};

template <class T>
PENSTOCK_HD_COLD Parsed<T> parse_special(char const* begin, char const* end) {
  bool const is_negative = begin != end && *begin == '-';
  if (begin != end && (*begin == '-' || *begin == '+')) ++begin;
  int const length = special_length(begin, end);
  Status status = Status::malformed;
  if (length != 0) status = (*begin | 0x20) == 'n' ? Status::nan : Status::infinite;
  if constexpr (std::is_floating_point_v<T>) {
    using Bits = typename FloatFormat<T>::Bits;
    constexpr int bits = FloatFormat<T>::mantissa_bits;
    constexpr Bits quiet_nan = infinity_bits<T> | Bits{1} << (bits - 1);
    Bits const infinity = infinity_bits<T> | static_cast<Bits>(is_negative) << (8 * sizeof(Bits) - 1);
    return {bit_cast<T>(status == Status::infinite ? infinity : quiet_nan), status, false};
  } else {
    return {0, status, false};
  }
}

template <class T>
PENSTOCK_HD_HOT Parsed<T> with_sign(typename FloatFormat<T>::Bits bits, bool is_negative, bool is_inexact_integer) {
  Status const status = bits < infinity_bits<T> ? Status::ok : Status::out_of_range;
  bits |= static_cast<typename FloatFormat<T>::Bits>(is_negative) << (8 * sizeof(bits) - 1);
  return {bit_cast<T>(bits), status, is_inexact_integer};
}

/// Whether T, a floating-point type, cannot hold the integer `significand`, of which `bits` is the nearest. (19 digits:
/// the nearest converts back.)
template <class T>
PENSTOCK_HD_HOT bool is_inexact(std::uint64_t significand, typename FloatFormat<T>::Bits bits) {
  constexpr std::uint64_t exact_max = sizeof(T) == 4 ? std::uint64_t{1} << 24 : std::uint64_t{1} << 53;
  return significand > exact_max && static_cast<std::uint64_t>(bit_cast<T>(bits)) != significand;
}
/// The same for more digits than a significand holds.
template <class T>
PENSTOCK_HD bool is_inexact(LeadingDigits const& lead, typename FloatFormat<T>::Bits bits) {
  return bits != 0 && bits < infinity_bits<T> &&
         compare<FloatFormat<T>::exact_words>(lead.digits, static_cast<int>(lead.point), binary_of<T>(bits, false)) !=
             0;
}

/// The largest magnitude of the integer type T with this sign.
template <class T>
PENSTOCK_HD_HOT std::uint64_t integer_limit(bool is_negative) {
  return (std::uint64_t{1} << (8 * sizeof(T) - 1)) - (is_negative ? 0 : 1);
}
template <class T>
PENSTOCK_HD_HOT Parsed<T> integer_of(std::uint64_t magnitude, bool is_too_large, bool is_negative) {
  magnitude = is_too_large ? integer_limit<T>(is_negative) : magnitude;
  T const value = static_cast<T>(is_negative ? 0 - magnitude : magnitude);
  return {value, is_too_large ? Status::out_of_range : Status::ok, false};
}

/// Numbers with more digits than a significand holds. Scans again, so that the caller's scan never needs an
/// address and stays in registers.
template <class T>
PENSTOCK_HD_COLD Parsed<T> parse_long(char const* begin, char const* end) {
  Unsigned const text = without_sign(begin);
  Scan const scan = scan_general(text.begin, end, text.is_negative);
  LeadingDigits const lead = leading_digits(scan);
  if constexpr (std::is_floating_point_v<T>) {
    auto const bits = round_digits<T>(lead);
    return with_sign<T>(bits, text.is_negative, scan.is_integer && is_inexact<T>(lead, bits));
  } else {
    bool const is_too_large =  // zeros in front may have made it so long
        lead.point > significand_digits_max || lead.significand > integer_limit<T>(text.is_negative);
    return integer_of<T>(lead.significand, is_too_large, text.is_negative);
  }
}

template <class T>
PENSTOCK_HD_HOT Parsed<T> value_of(Scan scan) {
  if constexpr (std::is_floating_point_v<T>) {
    T value;
    auto const bits = round_in_double(scan.significand, scan.exponent, value)
                          ? bit_cast<typename FloatFormat<T>::Bits>(value)
                          : round_decimal<T>(scan.significand, scan.exponent);
    return with_sign<T>(bits, scan.is_negative, scan.is_integer && is_inexact<T>(scan.significand, bits));
  } else {
    if (!scan.is_integer) return {0, Status::not_an_integer, false};
    bool const is_too_large = scan.significand > integer_limit<T>(scan.is_negative);
    return integer_of<T>(scan.significand, is_too_large, scan.is_negative);
  }
}

namespace detail {
template <class T, bool takes_long>
PENSTOCK_HD_HOT Parsed<T> parse(char const* begin, char const* end) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, std::int32_t> ||
                std::is_same_v<T, std::int64_t>);
  if (begin == end) return parse_special<T>(begin, end);
  Unsigned const text = without_sign(begin);
  if (static_cast<std::uint64_t>(end - text.begin) - 1 < 8) {
    Scan const scan = scan_short(text.begin, end, text.is_negative);
    if (scan.is_number()) return value_of<T>(scan);
  }
  Scan const scan = scan_general(text.begin, end, text.is_negative);
  if (!scan.is_number()) return parse_special<T>(begin, end);
  if (scan.digits <= significand_digits_max) return value_of<T>(scan);
  if (std::is_integral_v<T> && !scan.is_integer) return {0, Status::not_an_integer, false};
  if constexpr (takes_long) return parse_long<T>(begin, end);
  return {0, Status::malformed, false};
}
}  // namespace detail

/// All of [begin, end) as one number of type T: float, double, std::int32_t or std::int64_t. Reads nothing
/// outside, allocates nothing, and takes time linear in the length.
template <class T>
PENSTOCK_HD Parsed<T> parse(char const* begin, char const* end) {
  return detail::parse<T, true>(begin, end);
}

/// The same for kernels that cannot afford the stack of parse_long(): a number of more than significand_digits_max
/// digits may be `malformed` here, and whoever wants to know takes parse().
template <class T>
PENSTOCK_HD Parsed<T> parse_short(char const* begin, char const* end) {
  return detail::parse<T, false>(begin, end);
}

}  // namespace penstock::number
