// Logarithms, exponentials and powers: their bits, and how far they are from long double.

#include "formats/normalize/elementary.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace penstock {
namespace {

using normalize::exp_of;
using normalize::log1p_of;
using normalize::natural_log;
using normalize::pow_of;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double least = std::numeric_limits<double>::denorm_min();
constexpr double greatest = std::numeric_limits<double>::max();
constexpr int arguments = 100'000;

std::uint64_t bits_of(double x) { return bit_cast<std::uint64_t>(x); }

/// Every compiler, instruction set and engine gives these.
TEST(Elementary, BitsOfLogarithms) {
  struct Case {
    double x;
    std::uint64_t log, log1p;
  };
  constexpr Case cases[] = {
      {0x0.0000000000001p-1022, 0xc0874385446d71c3, 0x0000000000000001},
      {0x0.0180000000000p-1022, 0xc0864c49fefb1953, 0x0000180000000000},
      {1e-300, 0xc085963447f87fb5, 0x01a56e1fc2f8f359},
      {1e-10, 0xc037069e2aa2aa5b, 0x3ddb7cdfd9d1d693},
      {0.1, 0xc0026bb1bbb55515, 0x3fb8663f793c46c7},
      {0.5, 0xbfe62e42fefa39ef, 0x3fd9f323ecbf984c},
      {0.7071067811865475, 0xbfd62e42fefa39f1, 0x3fe11d14e1fcb72f},
      {0.7, 0xbfd6d3c324e13f50, 0x3fe0fae81914a991},
      {0.99999, 0xbee4f8bc681df714, 0x3fe62e38829dbdaf},
      {1.0000001, 0x3e7ad7f2847b6492, 0x3fe62e4319d22c7f},
      {1.5, 0x3fd9f323ecbf984c, 0x3fed5240f0e0e078},
      {2.0, 0x3fe62e42fefa39ef, 0x3ff193ea7aad030a},
      {2.718281828459045, 0x3ff0000000000000, 0x3ff5031eafefb049},
      {3.3, 0x3ff31a4e7240c777, 0x3ff7567cb4bf2df7},
      {10.0, 0x40026bb1bbb55516, 0x40032ee3b77f374c},
      {1234.5, 0x401c79436f818745, 0x401c7a17b2ab89e4},
      {10000000000.0, 0x4037069e2aa2aa5b, 0x4037069e2aa3184e},
      {1e+100, 0x406cc845b54b54f2, 0x406cc845b54b54f2},
      {1.7976931348623157e+308, 0x40862e42fefa39ef, 0x40862e42fefa39ef},
  };
  for (Case const& c : cases) {
    EXPECT_EQ(bits_of(natural_log(c.x)), c.log) << c.x;
    EXPECT_EQ(bits_of(log1p_of(c.x)), c.log1p) << c.x;
  }
}

TEST(Elementary, BitsOfExponentials) {
  struct Case {
    double x;
    std::uint64_t exp;
  };
  constexpr Case cases[] = {
      {-745.0, 0x0000000000000001}, {-709.0, 0x0008bfe55de02338}, {-100.25, 0x36e4acd31e167ebb},
      {-1.0, 0x3fd78b56362cef38},   {-0.3, 0x3fe7b4c869c37c05},   {-1e-08, 0x3feffffffaa19c48},
      {1e-17, 0x3ff0000000000000},  {0.25, 0x3ff48b5e3c3e8186},   {0.34657, 0x3ff6a099138a089d},
      {0.5, 0x3ffa61298e1e069c},    {1.0, 0x4005bf0a8b145769},    {2.5, 0x40285d6fd931e0bb},
      {10.0, 0x40d5829dcf950560},   {88.7, 0x47ef4705bbffae5c},   {300.125, 0x5affc0ed35ef0037},
      {709.5, 0x7fe81e9b4b52d0c9},
  };
  for (Case const& c : cases) EXPECT_EQ(bits_of(exp_of(c.x)), c.exp) << c.x;
}

TEST(Elementary, BitsOfPowers) {
  struct Case {
    double x, y;
    std::uint64_t power;
  };
  constexpr Case cases[] = {
      {2.0, 0.5, 0x3ff6a09e667f3bcd},
      {10.0, 2.0, 0x4059000000000000},
      {10.0, -3.0, 0x3f50624dd2f1a9fc},
      {0.1, 10.0, 0x3ddb7cdfd9d7bdbf},
      {0.7, 2000.5, 0x00001830c3960e13},
      {1.0000001, 1000000000.0, 0x48f349445c228792},
      {3.0, 0.3333333333333333, 0x3ff7137449123ef6},
      {0x0.012688b70e62bp-1022, 0.1, 0x398039d66589686c},
      {1e+300, 1.02, 0x7f76c8e5ca239078},
      {0.999, -12345.678, 0x410c3ee6e4598bf3},
      {1.224744871391589, 17.5, 0x40415e6649840ffd},
      {0x0.0000000000001p-1022, 0.998, 0x0000000000000004},
      {123.456, -7.25, 0x3cc8ba54295b1992},
      {5.0, -460.0, 0x000000000000003c},
  };
  for (Case const& c : cases) EXPECT_EQ(bits_of(pow_of(c.x, c.y)), c.power) << c.x << " to the power of " << c.y;
}

/// Of random bits, so that all magnitudes are as likely.
double positive(std::mt19937_64& random) { return bit_cast<double>(random() % 0x7fefffffffffffff + 1); }

double uniform(std::mt19937_64& random, double from, double to) {
  return std::uniform_real_distribution<double>(from, to)(random);
}

/// Few arguments may hide what a contracted product changes; one number for the bits of a hundred thousand does not.
class Bits {
 public:
  void add(double x) { hash_ = (hash_ ^ bits_of(x)) * 0x9e3779b97f4a7c15 + (hash_ >> 29); }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  std::uint64_t hash_ = 0;
};

TEST(Elementary, BitsOfManyArguments) {
  std::mt19937_64 random(6);
  auto const unit = [&random] { return static_cast<double>(random() >> 11) * 0x1p-53; };  // exact, below 1
  Bits logs, log1ps, exps, powers;
  for (int i = 0; i < arguments; ++i) {
    double const x = unit() * 4, any = positive(random), exponent = unit() * 8 - 4;
    logs.add(natural_log(x));
    logs.add(natural_log(any));
    log1ps.add(log1p_of(x - 0.75));
    log1ps.add(log1p_of(any));
    exps.add(exp_of(exponent));
    exps.add(exp_of(exponent * 180));
    powers.add(pow_of(x, exponent * 32));
    powers.add(pow_of(any, exponent / 4));
  }
  EXPECT_EQ(logs.hash(), 0x56dab4c672a85a26u);
  EXPECT_EQ(log1ps.hash(), 0xcf047787264ffe71u);
  EXPECT_EQ(exps.hash(), 0xcb0e15a78d9a0ad5u);
  EXPECT_EQ(powers.hash(), 0x3c846fd033881cc1u);
}

/// How far `found` is from `wanted`, in what a unit in the last place of the latter is worth in float64.
double ulps(double found, long double wanted) {
  int exponent = 0;
  std::frexp(wanted, &exponent);
  long double const ulp = std::ldexp(1.0L, std::max(exponent - 53, -1074));
  return static_cast<double>(std::abs(static_cast<long double>(found) - wanted) / ulp);
}

TEST(Elementary, LogarithmsAreNear) {
  std::mt19937_64 random(1);
  for (int i = 0; i < arguments; ++i) {
    double const any = positive(random), near = uniform(random, 0.25, 4), small = uniform(random, -0.999, 3);
    ASSERT_LT(ulps(natural_log(any), std::log(static_cast<long double>(any))), 0.9) << any;
    ASSERT_LT(ulps(natural_log(near), std::log(static_cast<long double>(near))), 0.9) << near;
    ASSERT_LT(ulps(log1p_of(any), std::log1p(static_cast<long double>(any))), 0.9) << any;
    ASSERT_LT(ulps(log1p_of(small), std::log1p(static_cast<long double>(small))), 0.9) << small;
  }
}

TEST(Elementary, ExponentialsAreNear) {
  std::mt19937_64 random(2);
  for (int i = 0; i < arguments; ++i) {
    double const any = uniform(random, -708, 709.78), near = uniform(random, -1, 1), tiny = uniform(random, -745, -708);
    ASSERT_LT(ulps(exp_of(any), std::exp(static_cast<long double>(any))), 0.65) << any;
    ASSERT_LT(ulps(exp_of(near), std::exp(static_cast<long double>(near))), 0.65) << near;
    ASSERT_LT(ulps(exp_of(tiny), std::exp(static_cast<long double>(tiny))), 0.85) << tiny;
  }
}

TEST(Elementary, PowersAreNear) {
  std::mt19937_64 random(3);
  for (int i = 0; i < arguments; ++i) {
    double const x = i % 2 == 0 ? positive(random) : uniform(random, 0.6, 1.6);
    double const y = uniform(random, -1, 1) * 708 / std::abs(std::log(x));  // the result may be anywhere in range
    double const middle = uniform(random, 0, 100), power = uniform(random, -5, 5);
    ASSERT_LT(ulps(pow_of(x, y), std::pow(static_cast<long double>(x), static_cast<long double>(y))), 0.7)
        << x << " to the power of " << y;
    ASSERT_LT(ulps(pow_of(middle, power), std::pow(static_cast<long double>(middle), static_cast<long double>(power))),
              0.7)
        << middle << " to the power of " << power;
  }
}

TEST(Elementary, OneArgumentSpecials) {
  std::uint64_t const missing = bits_of(nan);
  EXPECT_EQ(natural_log(0.0), -infinity);
  EXPECT_EQ(natural_log(-0.0), -infinity);
  EXPECT_EQ(bits_of(natural_log(1)), bits_of(0.0));
  EXPECT_EQ(natural_log(infinity), infinity);
  EXPECT_EQ(log1p_of(-1), -infinity);
  EXPECT_EQ(log1p_of(infinity), infinity);
  EXPECT_EQ(exp_of(0), 1);
  EXPECT_EQ(exp_of(-0.0), 1);
  EXPECT_EQ(exp_of(infinity), infinity);
  EXPECT_EQ(bits_of(exp_of(-infinity)), bits_of(0.0));
  EXPECT_EQ(exp_of(709.782712893384), 0x1.fffffffffff2ap+1023);  // the last that is finite
  EXPECT_EQ(exp_of(std::nextafter(709.782712893384, 1000.0)), infinity);
  EXPECT_EQ(exp_of(-745.1332191019411), least);
  EXPECT_EQ(bits_of(exp_of(-745.1332191019412)), bits_of(0.0));
  for (double const x : {nan, -nan, -infinity, -2.0}) {
    EXPECT_EQ(bits_of(natural_log(x)), missing);
    EXPECT_EQ(bits_of(log1p_of(x)), missing);
  }
  EXPECT_EQ(bits_of(exp_of(-nan)), missing);
}

TEST(Elementary, SpecialPowers) {
  for (double const x : {0.0, -0.0, least, 0.5, 1.0, 2.0, greatest, infinity, nan}) EXPECT_EQ(pow_of(x, 0), 1) << x;
  for (double const y : {-infinity, -greatest, -1.0, 0.0, least, 3.0, greatest, infinity, nan})
    EXPECT_EQ(pow_of(1, y), 1) << y;
  for (double const y : {least, 0.3, 1.0, 1e30, infinity}) {
    EXPECT_EQ(bits_of(pow_of(0.0, y)), bits_of(0.0)) << y;
    EXPECT_EQ(pow_of(-0.0, -y), infinity) << y;
    EXPECT_EQ(pow_of(infinity, y), infinity) << y;
    EXPECT_EQ(bits_of(pow_of(infinity, -y)), bits_of(0.0)) << y;
  }
  for (double const y : {0x1.8p64, greatest, infinity}) {
    for (double const x : {least, 0.1, 1 - 0x1p-53}) {
      EXPECT_EQ(bits_of(pow_of(x, y)), bits_of(0.0)) << x;
      EXPECT_EQ(pow_of(x, -y), infinity) << x;
    }
    for (double const x : {1 + 0x1p-52, 7.0, greatest}) {
      EXPECT_EQ(pow_of(x, y), infinity) << x;
      EXPECT_EQ(bits_of(pow_of(x, -y)), bits_of(0.0)) << x;
    }
  }
  EXPECT_EQ(pow_of(2, 1024), infinity);
  EXPECT_EQ(pow_of(2, -1074), least);
  EXPECT_EQ(bits_of(pow_of(2, -1076)), bits_of(0.0));
  EXPECT_EQ(pow_of(0.7, least), 1);
  for (double const x : {-1.0, -infinity, nan}) EXPECT_EQ(bits_of(pow_of(x, 2)), bits_of(nan));
  EXPECT_EQ(bits_of(pow_of(2, -nan)), bits_of(nan));
}

TEST(Elementary, SmallArguments) {
  for (double x = 0x1.fp-55; x != 0; x /= 3) {
    EXPECT_EQ(log1p_of(x), x);
    EXPECT_EQ(log1p_of(-x), -x);
    EXPECT_EQ(exp_of(x), 1);
  }
  EXPECT_EQ(bits_of(log1p_of(-0.0)), bits_of(-0.0));
  for (double x = 0x1p-30; x > 0x1p-50; x /= 2) EXPECT_NEAR(log1p_of(x), x - x * x / 2, x * 0x1p-53);
}

TEST(Elementary, OneUndoesTheOther) {
  std::mt19937_64 random(4);
  for (int i = 0; i < arguments; ++i) {
    double const x = uniform(random, 0.01, 100);
    ASSERT_NEAR(exp_of(natural_log(x)), x, x * 0x1p-50);
    ASSERT_NEAR(natural_log(exp_of(x)), x, x * 0x1p-52 + 0x1p-52);
    ASSERT_NEAR(log1p_of(x), natural_log(1 + x), 0x1p-51 * (1 + log1p_of(x)));
    ASSERT_NEAR(pow_of(pow_of(x, 3), 1.0 / 3), x, x * 0x1p-51);
  }
}

/// Powers that float64 holds are exact, and so are first powers of everything.
TEST(Elementary, ExactPowers) {
  std::mt19937_64 random(5);
  for (int i = 0; i < arguments; ++i) {
    double const x = positive(random);
    ASSERT_EQ(pow_of(x, 1), x);
  }
  for (int base = 2; base <= 100; ++base) {
    double power = base;
    for (int n = 1; power < 0x1p53; ++n, power *= base) EXPECT_EQ(pow_of(base, n), power) << base << ' ' << n;
  }
  for (int k = -1074; k < 1024; ++k) EXPECT_EQ(pow_of(2, k), std::ldexp(1.0, k)) << k;
}

/// Ascending arguments, at the places where the reduction changes among others, give results that never descend by more
/// than what both are off by.
TEST(Elementary, Ascending) {
  for (double const start : {0x1.6a09e667f3bcdp-1, 0x1.6a09e667f3bcdp+0, 0x1.bb67ae8584caap-1, 0x1.3988e1409212ep+0,
                             0x1.a8p-2, 0x1.2p-2, 0.34657359027997264, 1.0, 2.0, 0x1p-54, 0x1p-1022}) {
    double x = start;
    for (int i = 0; i < 100; ++i) x = std::nextafter(x, 0.0);
    for (int i = 0; i < 200; ++i) {
      double const next = std::nextafter(x, infinity);
      auto const ulp = [](double y) { return std::nextafter(std::abs(y), infinity) - std::abs(y); };
      EXPECT_GE(natural_log(next) - natural_log(x), -ulp(natural_log(x))) << x;
      EXPECT_GE(log1p_of(next) - log1p_of(x), -ulp(log1p_of(x))) << x;
      EXPECT_GE(exp_of(next) - exp_of(x), -ulp(exp_of(x))) << x;
      EXPECT_GE(pow_of(next, 2.5) - pow_of(x, 2.5), -ulp(pow_of(x, 2.5))) << x;
      x = next;
    }
  }
}

}  // namespace
}  // namespace penstock
