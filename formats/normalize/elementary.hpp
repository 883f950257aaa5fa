/// Logarithms, exponentials and powers, with the same bits on every engine: nothing but +, -, *, / and moves of bits in
/// float64, none of which may be contracted (law 1 of docs/ARCHITECTURE.md).
///
/// An argument is reduced (Tang 1989; Muller, Elementary Functions, chapter 11), what is left goes to a polynomial. The
/// polynomials were fitted at Chebyshev points in 200 bits and rounded. Every NaN that comes out is 7ff8000000000000.
/// Of 10 million random arguments of each of 13 kinds the worst results were off by 0.852 (logarithms), 0.628
/// (exponentials) and 0.656 (powers) units in the last place, and 0.768 where they are subnormal (against libquadmath).
///
///     x = 2^k m, sqrt(1/2) <= m < sqrt(2)     log x = k log 2 + log m      log m = 2 atanh((m - 1) / (m + 1))
///     x = k log 2 + r, |r| <= log(2) / 2      exp x = 2^k exp r            pow(x, y) = exp(y log x), of 106 bits
#pragma once

#include <cstdint>

#include "formats/core/platform.hpp"

namespace penstock::normalize {

namespace detail {

/// log 2 in two parts; products of `log2_high` and integers of up to 20 bits are exact.
inline constexpr double log2_high = 0x1.62e42feep-1;
inline constexpr double log2_low = 0x1.a39ef35793c76p-33;
inline constexpr double infinity = __builtin_inf();

PENSTOCK_HD inline double quiet_nan() { return bit_cast<double>(std::uint64_t{0x7ff8000000000000}); }

/// high + low, where low is at most half a unit in the last place of high.
struct Two {
  double high;
  double low;
};

/// a + b; |a| >= |b| or a is 0.
PENSTOCK_HD inline Two add_smaller(double a, double b) {
  double const sum = a + b;
  return {sum, b - (sum - a)};
}

/// a + b (Knuth).
PENSTOCK_HD inline Two add_any(double a, double b) {
  double const sum = a + b;
  double const of_b = sum - a;
  return {sum, (a - (sum - of_b)) + (b - of_b)};
}

/// a * b (Dekker); both below 2^990, and the product no subnormal number.
PENSTOCK_HD inline Two multiply(double a, double b) {
  constexpr double split = 0x1p27 + 1;
  double const a_high = a * split - (a * split - a), a_low = a - a_high;
  double const b_high = b * split - (b * split - b), b_low = b - b_high;
  double const product = a * b;
  return {product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low};
}

/// 2^k; -1022 <= k <= 1023.
PENSTOCK_HD inline double power_of_two(int k) {
  return bit_cast<double>(static_cast<std::uint64_t>(static_cast<std::int64_t>(k) + 1023) << 52);
}

/// 2^exponent * mantissa, sqrt(1/2) <= mantissa < sqrt(2).
struct Scaled {
  double mantissa;
  int exponent;
};

/// Of a positive finite number.
PENSTOCK_HD inline Scaled scaled(double x) {
  int exponent = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    exponent = -54;
  }
  constexpr std::uint64_t upward = 0x3ff0000000000000 - 0x3fe6a09e667f3bcd;  // carries from sqrt(1/2) on
  std::uint64_t const bits = bit_cast<std::uint64_t>(x) + upward;
  exponent += static_cast<int>(bits >> 52) - 1023;
  return {bit_cast<double>((bits & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd), exponent};
}

/// k log 2 + log(1 + f) + rest; sqrt(1/2) <= 1 + f < sqrt(2), and `rest` is small beside an ulp of 1.
PENSTOCK_HD inline double log_of_parts(double k, double f, double rest) {
  double const half_square = 0.5 * f * f;
  double const s = f / (2.0 + f), z = s * s;
  double tail = 0x1.0c0e5610cc638p-3;
  tail = tail * z + 0x1.0fbd8f183b758p-3;
  tail = tail * z + 0x1.3b1c3f2bfadadp-3;
  tail = tail * z + 0x1.745cf8d64fa0dp-3;
  tail = tail * z + 0x1.c71c7201c7f56p-3;
  tail = tail * z + 0x1.24924924768e1p-2;
  tail = tail * z + 0x1.9999999999a39p-2;
  tail = tail * z + 0x1.5555555555555p-1;
  // 2 atanh(s) = f - f^2 / 2 + s (f^2 / 2 + z tail)
  double const small = s * (half_square + z * tail) + (k * log2_low + rest);
  return k * log2_high - ((half_square - small) - f);
}

/// log x of a positive finite number; off by less than 2^-64 of it. 1 + s over 1 - s is what x has beside 2^k or
/// 2^k 3/2, whichever is nearer, so that s^2 < 0.0103.
PENSTOCK_HD inline Two log_in_two(double x) {
  Scaled parts = scaled(x);
  if (parts.mantissa < 0x1.bb67ae8584caap-1) {  // sqrt(3/4)
    parts.mantissa *= 2.0;
    parts.exponent -= 1;
  }
  bool const is_far = parts.mantissa > 0x1.3988e1409212ep+0;  // sqrt(3/2)
  double const centre = is_far ? 1.5 : 1.0, k = parts.exponent;
  // log(3/2) in two parts; the first adds exactly to k log2_high.
  double const whole_high = k * log2_high + (is_far ? 0x1.9f323ecap-2 : 0.0);
  double const whole_low = k * log2_low + (is_far ? 0x1.f984bf2b68d76p-34 : 0.0);
  double const f = parts.mantissa - centre;
  Two const divisor = add_any(centre, parts.mantissa);
  double const s = f / divisor.high;
  Two const taken = multiply(s, divisor.high);
  double const s_low = (((f - taken.high) - taken.low) - s * divisor.low) / divisor.high;
  // 2 atanh(s) = 2 s + (2 / 3) s^3 + s^5 tail(s^2), the first two terms in two parts.
  Two z = multiply(s, s);
  z.low += 2.0 * s * s_low;
  Two cube = multiply(s, z.high);
  cube.low += s * z.low + s_low * z.high;
  Two third = multiply(cube.high, 0x1.5555555555555p-1);
  third.low += cube.high * 0x1.5555555555555p-55 + cube.low * 0x1.5555555555555p-1;
  double tail = 0x1.f19cdb0474ae1p-4;
  tail = tail * z.high + 0x1.10f4971320718p-3;
  tail = tail * z.high + 0x1.3b13e42f52b88p-3;
  tail = tail * z.high + 0x1.745d171714692p-3;
  tail = tail * z.high + 0x1.c71c71c730d83p-3;
  tail = tail * z.high + 0x1.2492492492478p-2;
  tail = tail * z.high + 0x1.999999999999ap-2;
  Two const series = add_smaller(2.0 * s, third.high);
  double const small = series.low + (cube.high * z.high * tail + (third.low + 2.0 * s_low));
  Two const sum = add_smaller(whole_high, series.high);
  return add_smaller(sum.high, sum.low + (small + whole_low));
}

/// exp(x + low); -746 < x < 710, and low is small beside an ulp of x or 1.
PENSTOCK_HD inline double exp_of_two(double x, double low) {
  int const k = static_cast<int>(x * 0x1.71547652b82fep+0 + (x < 0 ? -0.5 : 0.5));
  double const count = k;
  Two const r = add_any(x - count * log2_high, low - count * log2_low);
  double tail = 0x1.1f66da6ee7eeap-29;
  tail = tail * r.high + 0x1.af38a0d2d9620p-26;
  tail = tail * r.high + 0x1.27e4e1f6a6779p-22;
  tail = tail * r.high + 0x1.71de0db21e27fp-19;
  tail = tail * r.high + 0x1.a01a01a47a78fp-16;
  tail = tail * r.high + 0x1.a01a01a7c327ap-13;
  tail = tail * r.high + 0x1.6c16c16c167e2p-10;
  tail = tail * r.high + 0x1.11111111109b4p-7;
  tail = tail * r.high + 0x1.5555555555555p-5;
  tail = tail * r.high + 0x1.5555555555556p-3;
  double const square = r.high * r.high;
  Two const sum = add_smaller(1.0, r.high);
  double const value = sum.high + (sum.low + (square * (0.5 + r.high * tail) + r.low * sum.high));
  int const first = k / 2;  // two steps, because 2^k need not be a normal number
  return value * power_of_two(first) * power_of_two(k - first);
}

}  // namespace detail

/// The natural logarithm. 0: -infinity; below 0: NaN.
PENSTOCK_HD inline double natural_log(double x) {
  if (!(x >= 0)) return detail::quiet_nan();
  if (x == 0) return -detail::infinity;
  if (x == detail::infinity) return x;
  detail::Scaled const parts = detail::scaled(x);
  return detail::log_of_parts(parts.exponent, parts.mantissa - 1.0, 0.0);
}

/// log(1 + x), exact in 1 + x. -1: -infinity; below: NaN.
PENSTOCK_HD inline double log1p_of(double x) {
  if (!(x >= -1)) return detail::quiet_nan();
  if (x == -1) return -detail::infinity;
  if (x == detail::infinity) return x;
  if (x < 0x1p-54 && x > -0x1p-54) return x;
  if (x < 0x1.a8p-2 && x > -0x1.2p-2) return detail::log_of_parts(0.0, x, 0.0);
  detail::Two const sum = detail::add_any(1.0, x);
  detail::Scaled const parts = detail::scaled(sum.high);
  return detail::log_of_parts(parts.exponent, parts.mantissa - 1.0, sum.low / sum.high);
}

PENSTOCK_HD inline double exp_of(double x) {
  if (x != x) return detail::quiet_nan();
  if (x > 0x1.62e42fefa39efp+9) return detail::infinity;
  if (x < -0x1.74910d52d3052p+9) return 0;
  return detail::exp_of_two(x, 0.0);
}

/// x to the power of y. x >= 0 (-0 is 0; below 0: NaN). As IEEE 754 has it, 1 where y is 0 or x is 1, whatever the
/// other.
PENSTOCK_HD inline double pow_of(double x, double y) {
  if (y == 0 || x == 1) return 1;
  if (!(x >= 0) || y != y) return detail::quiet_nan();
  if (x == 0 || x == detail::infinity) return (x == 0) == (y > 0) ? 0.0 : detail::infinity;
  // log x is at least 2^-53, so that these are too large.
  if (y > 0x1p64 || y < -0x1p64) return (x > 1) == (y > 0) ? detail::infinity : 0.0;
  detail::Two const log = detail::log_in_two(x);
  detail::Two const product = detail::multiply(y, log.high);
  if (product.high > 0x1.63p+9) return detail::infinity;
  if (product.high < -0x1.75p+9) return 0;
  return detail::exp_of_two(product.high, product.low + y * log.low);
}

}  // namespace penstock::normalize
