/// The digits of the shortest decimal that reads back as the same number, and of several the nearest to it: those of
/// std::to_chars(first, last, value).
///
/// **Any float32**, after R. Giulietti, "The Schubfach way to render doubles" (2020). What reads back as the value lies
/// between `lower` and `upper`, halfway to its neighbours (themselves included if the significand is even, since ties
/// go to even). With 10^k at most their distance and 10^(k+1) more, a multiple of 10^k lies between them, and at most
/// one of 10^(k+1): that one if there is one, else the nearest of 10^k. (Below a power of two the neighbour is near, so
/// that the nearest multiple may lie beyond `lower`: then it is the next one.) All are fourths of 10^k, the last bit
/// set if anything was cut off.
///
/// **Few digits**, which is what most numbers have that came from text. Six significant digits survive the way through
/// float32 and back, fifteen that through double; so no two decimals of six digits are the same float32. If one of them
/// reads back as the value, no other does, and the shortest, being one of six digits once zeros are put behind it, is
/// that one. For double it is nine here. Whether it reads back, a division tells: digits and power are exact in double,
/// so the quotient is rounded once. Narrowed to float32 it is still right: halfway between two float32 is m / 2^s with
/// m < 2^25, and digits / 10^j with j <= 10 is that or differs from it by 1 / (m * 5^j) of it or more, over 2^-49.
///
/// All 2^32 bit patterns of float32 were compared with std::to_chars; tests/unit/number_text_test.cpp compares some.
#pragma once

#include <cstdint>
#include <type_traits>

#include "formats/core/number_round.hpp"
#include "formats/core/number_tables.hpp"
#include "formats/core/platform.hpp"

namespace penstock::number {

/// d.dddddddd * 10^exponent.
struct Decimal {
  std::uint32_t digits;  ///< nine, the first of which is not 0
  int exponent;
};

namespace detail {

/// significand * 2^exponent.
struct Binary32 {
  std::uint32_t significand;
  int exponent;
  bool is_power;  ///< of two, and not the lowest normal one: the neighbour below is half as far as the one above
};

inline Binary32 binary_of(float value) {
  using Format = FloatFormat<float>;
  constexpr int exponent_of_one = Format::bias + Format::mantissa_bits;
  constexpr std::uint32_t hidden = 1u << Format::mantissa_bits;
  auto const bits = bit_cast<std::uint32_t>(value);
  auto const exponent = static_cast<int>(bits >> Format::mantissa_bits);
  std::uint32_t const fraction = bits & (hidden - 1);
  if (exponent == 0) return {fraction, 1 - exponent_of_one, false};
  return {fraction | hidden, exponent - exponent_of_one, fraction == 0 && exponent > 1};
}

/// floor(log10(2^exponent)), or of 3/4 of it for the narrower gap around a power of two; |exponent| <= 1500.
inline int log10_of_gap(Binary32 binary) { return (binary.exponent * 1262611 - (binary.is_power ? 524031 : 0)) >> 22; }
/// floor(log2(10^exponent)); |exponent| <= 1233.
inline int log2_of_power_of_ten(int exponent) { return (exponent * 1741647) >> 19; }

/// The upper 32 bits of the product of 96, the last one set if any below is. `power` is up to one too large, which
/// adds less than 2 to the next 32 bits.
inline std::uint32_t scaled(std::uint64_t power, std::uint32_t fourths) {
  auto const upper = static_cast<std::uint32_t>(multiply_high(power, fourths));
  return upper | (power * fourths >> 33 != 0 ? 1u : 0u);
}

/// `value` is not 0.
inline int digits_in(std::uint32_t value) {
  int const least = (64 - leading_zeros(value)) * 1233 >> 12;  // log10(2) is nearly 1233 / 4096
  return least + (value >= small_power_of_ten(least) ? 1 : 0);
}

/// digits * 10^exponent, `digits` being from 1 to 10^9 - 1.
inline Decimal left_aligned(std::uint32_t digits, int exponent) {
  int const zeros = 9 - digits_in(digits);
  return {static_cast<std::uint32_t>(digits * small_power_of_ten(zeros)), exponent + 8 - zeros};
}

}  // namespace detail

/// `value` is finite and positive.
inline Decimal shortest_decimal(float value) {
  detail::Binary32 const binary = detail::binary_of(value);
  int const exponent = detail::log10_of_gap(binary);
  int const shift = binary.exponent + detail::log2_of_power_of_ten(-exponent) + 1;
  std::uint64_t const power = power_of_five(-exponent).high + 1;
  std::uint32_t const middle = 4 * binary.significand;
  std::uint32_t const is_odd = binary.significand & 1;
  std::uint32_t const lower = detail::scaled(power, (middle - (binary.is_power ? 1 : 2)) << shift) + is_odd;
  std::uint32_t const upper = detail::scaled(power, (middle + 2) << shift) - is_odd;
  std::uint32_t const fourths = detail::scaled(power, middle << shift);

  std::uint32_t const tens = fourths / 40;
  bool const is_below = lower <= 40 * tens;
  bool const is_above = 40 * tens + 40 <= upper;
  bool const has_tens = is_below != is_above && fourths >= 40;
  std::uint32_t const ones = fourths / 4;
  bool const is_next = fourths % 4 + ones % 2 > 2 || 4 * ones < lower;  // of two that are as near the even one
  std::uint32_t const digits = has_tens ? tens + (is_above ? 1 : 0) : ones + (is_next ? 1 : 0);
  return detail::left_aligned(digits, exponent + (has_tens ? 1 : 0));
}

/// False: there are more digits, or the value is far from 1. It is finite and not negative.
template <class T>
bool has_few_digits(T value, Decimal& decimal) {
  constexpr int digits_max = std::is_same_v<T, float> ? 6 : 9;
  constexpr std::int32_t limit = std::is_same_v<T, float> ? 1000000 : 1000000000;
  if (!(value >= T(0.0001) && value < T(1000000))) return false;
  using Format = FloatFormat<T>;
  int const binary = static_cast<int>(bit_cast<typename Format::Bits>(value) >> Format::mantissa_bits) - Format::bias;
  int const least = binary * 1233 >> 12;  // floor(log10(2^binary)) for these
  int const exponent = least + (value >= power_of_ten(least + 1) ? 1 : 0);
  double const power = power_of_ten(digits_max - 1 - exponent);
  auto const digits = static_cast<std::int32_t>(value * power + 0.5);
  decimal = {static_cast<std::uint32_t>(digits) * (1000000000 / limit), exponent};
  return digits < limit && static_cast<T>(digits / power) == value;
}

}  // namespace penstock::number
