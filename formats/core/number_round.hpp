/// `significand * 10^exponent` rounded to the nearest floating-point number, ties to even.
///
/// Three tiers, each correct by itself or saying that it cannot decide:
///   1. one multiplication in double: nearly every field;
///   2. 128 bits of the product with a power of five (Eisel and Lemire): any significand of 64 bits. That it
///      never needs a further tier is the theorem of Mushtak and Lemire, "Fast number parsing without fallback";
///   3. for more digits than 64 bits hold: tier 2 below and above, and if they differ, exact comparison
///      with the point halfway between (number_exact.hpp).
#pragma once

#include <cstdint>

#include "formats/core/number_scan.hpp"
#include "formats/core/number_tables.hpp"
#include "formats/core/platform.hpp"

namespace penstock::number {

/// Binary formats (IEEE 754 binary32 and binary64).
template <class T>
struct FloatFormat;
template <>
struct FloatFormat<float> {
  using Bits = std::uint32_t;
  static constexpr int mantissa_bits = 23;
  static constexpr int bias = 127;
  static constexpr int exponent_min = power_float32_exponent_min;  ///< of ten: below, every significand gives 0
  static constexpr int exponent_max = power_float32_exponent_max;  ///< above, every significand gives infinity
  static constexpr int tie_exponent_min = -17;  ///< 5^17 < 2^64 / 2^24: more fives do not divide a tie's significand
  static constexpr int tie_exponent_max = 10;   ///< 5^10 < 2^25: a tie has at most 25 bits
  static constexpr int exact_words = 2;         ///< see compare()
};
template <>
struct FloatFormat<double> {
  using Bits = std::uint64_t;
  static constexpr int mantissa_bits = 52;
  static constexpr int bias = 1023;
  static constexpr int exponent_min = power_exponent_min;
  static constexpr int exponent_max = power_exponent_max;
  static constexpr int tie_exponent_min = -4;
  static constexpr int tie_exponent_max = 23;
  static constexpr int exact_words = 13;
};
template <class T>
inline constexpr typename FloatFormat<T>::Bits infinity_bits =
    static_cast<typename FloatFormat<T>::Bits>(2 * FloatFormat<T>::bias + 1) << FloatFormat<T>::mantissa_bits;

/// Whether a double that is within 2^-47 of the true value (relative; 64 units of its last place at most) surely
/// narrows to the float nearest to that value: it is further than this from every halfway point, which
/// has just the highest of the 29 bits below a float's set, and it is neither subnormal nor in the highest
/// binade of float32 (double exponents 897 to 1149 of 897 to 1150).
PENSTOCK_HD_HOT bool narrows_safely(double value) {
  auto const bits = bit_cast<std::uint64_t>(value);
  std::uint32_t const below = static_cast<std::uint32_t>(bits) & 0x1fffffffu;
  return below - 0x0fffffc0u > 0x80u && (static_cast<std::uint32_t>(bits >> 52) & 0x7ffu) - 897u < 253u;
}

/// Tier 1. False: not decided. The double is off by three roundings at most (significand, power, product).
PENSTOCK_HD_HOT bool round_in_double(std::uint64_t significand, std::int64_t exponent, float& value) {
  constexpr int first = power_float32_exponent_min;
  if (static_cast<std::uint64_t>(exponent - first) > power_float32_exponent_max - first) return false;
  // In halves, because the conversion of an unsigned 64-bit integer branches on its highest bit.
  double const upper = static_cast<double>(static_cast<std::int64_t>(significand >> 32)) * 0x1p32;
  double const lower = static_cast<double>(static_cast<std::int64_t>(significand & 0xffffffffu));
  double const product = (upper + lower) * power_of_ten(static_cast<int>(exponent));
  value = static_cast<float>(product);
  return narrows_safely(product) || significand == 0;
}
/// The same for double: significand and power are exact (10^22 is the last such), so one rounding is the right one.
PENSTOCK_HD_HOT bool round_in_double(std::uint64_t significand, std::int64_t exponent, double& value) {
  if (significand >> 53 != 0 || static_cast<std::uint64_t>(exponent + 22) > 44) return false;
  auto const exact = static_cast<double>(significand);
  value = exponent < 0 ? exact / power_of_ten(static_cast<int>(-exponent))
                       : exact * power_of_ten(static_cast<int>(exponent));
  return true;
}

/// The 128 bits of significand * 5^exponent, the significand's leading bit being set.
struct Product {
  std::uint64_t high;
  std::uint64_t low;
};
PENSTOCK_HD inline Product multiply_by_power_of_five(std::uint64_t significand, int exponent) {
  Power const power = power_of_five(exponent);
  std::uint64_t const carry = multiply_high(significand, power.low);
  std::uint64_t const low = significand * power.high + carry;
  return {multiply_high(significand, power.high) + (low < carry ? 1 : 0), low};
}

/// Tier 2: the bits of the nearest T, infinity if that is too large. Never undecided.
template <class T>
PENSTOCK_HD_COLD typename FloatFormat<T>::Bits round_decimal(std::uint64_t significand, std::int64_t exponent_of_ten) {
  using Format = FloatFormat<T>;
  using Bits = typename Format::Bits;
  if (significand == 0 || exponent_of_ten < Format::exponent_min) return 0;
  if (exponent_of_ten > Format::exponent_max) return infinity_bits<T>;
  int const ten = static_cast<int>(exponent_of_ten);
  int const zeros = leading_zeros(significand);
  Product const product = multiply_by_power_of_five(significand << zeros, ten);
  int const upper = static_cast<int>(product.high >> 63);
  int const cut = upper + 64 - Format::mantissa_bits - 3;
  std::uint64_t mantissa = product.high >> cut;  // with one bit more, which decides about rounding
  // 217706 / 2^16 is log2(10), close enough for the floor to be right over the table's range.
  int exponent = (217706 * ten >> 16) + 63 + upper - zeros + Format::bias;
  if (exponent <= 0) {  // subnormal; no tie has so few digits
    if (exponent <= -63) return 0;
    mantissa >>= 1 - exponent;
    return static_cast<Bits>((mantissa + (mantissa & 1)) >> 1);  // may carry into the smallest normal number
  }
  bool const is_tie = product.low <= 1 && (mantissa & 3) == 1 && mantissa << cut == product.high &&
                      ten >= Format::tie_exponent_min && ten <= Format::tie_exponent_max;
  mantissa = (mantissa + (is_tie ? 0 : mantissa & 1)) >> 1;
  // The leading bit adds one to the exponent, and so does a carry out of the mantissa.
  std::uint64_t const bits = (static_cast<std::uint64_t>(exponent - 1) << Format::mantissa_bits) + mantissa;
  return bits < infinity_bits<T> ? static_cast<Bits>(bits) : infinity_bits<T>;
}

/// The number that `bits` stand for; or with `half` the point halfway between it and the next larger one.
template <class T>
PENSTOCK_HD inline Binary binary_of(typename FloatFormat<T>::Bits bits, bool half) {
  using Format = FloatFormat<T>;
  auto const biased = static_cast<int>(bits >> Format::mantissa_bits);
  std::uint64_t const fraction = bits & ((std::uint64_t{1} << Format::mantissa_bits) - 1);
  std::uint64_t const mantissa = biased == 0 ? fraction : fraction | std::uint64_t{1} << Format::mantissa_bits;
  int const exponent = (biased == 0 ? 1 : biased) - Format::bias - Format::mantissa_bits;
  return half ? Binary{2 * mantissa + 1, exponent - 1} : Binary{mantissa, exponent};
}

/// Tier 3: any number of digits. The bits of the nearest T, infinity if that is too large.
template <class T>
PENSTOCK_HD_COLD typename FloatFormat<T>::Bits round_digits(LeadingDigits const& lead) {
  auto const below = round_decimal<T>(lead.significand, lead.exponent);
  if (!lead.is_truncated) return below;
  auto const above = round_decimal<T>(lead.significand + 1, lead.exponent);
  if (below == above) return below;
  int const order =
      compare<FloatFormat<T>::exact_words>(lead.digits, static_cast<int>(lead.point), binary_of<T>(below, true));
  return order < 0 || (order == 0 && (below & 1) == 0) ? below : above;
}

}  // namespace penstock::number
