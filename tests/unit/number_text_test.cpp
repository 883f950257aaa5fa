#include "formats/core/number_text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <type_traits>

namespace {

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// The text of put_finite(), written to a block of exactly the promised room, so that a sanitizer sees a byte beyond.
template <class T>
std::string text_of(T value) {
  std::size_t const room = penstock::number_bytes_max(penstock::dtype_of<T>);
  std::unique_ptr<char[]> const block(new char[room]);
  return {block.get(), penstock::put_finite(block.get(), value)};
}

template <class T>
std::string library_text_of(T value) {
  std::array<char, 64> text;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

template <class T>
void expect_library_text(T value) {
  if (!std::isfinite(value)) return;
  ASSERT_EQ(text_of(value), library_text_of(value)) << std::bit_cast<Bits<T>>(value);
  ASSERT_EQ(text_of(-value), library_text_of(-value)) << std::bit_cast<Bits<T>>(value);
}

/// `value` and its neighbours.
template <class T>
void expect_library_text_around(T value) {
  auto const bits = std::bit_cast<Bits<T>>(value);
  for (int step = -5; step <= 5; ++step) {
    if (step < 0 && bits < static_cast<Bits<T>>(-step)) continue;
    expect_library_text(std::bit_cast<T>(static_cast<Bits<T>>(bits + static_cast<Bits<T>>(step))));
  }
}

template <class T>
T value_of(std::string const& text) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

template <class T>
class NumberText : public testing::Test {};
using FloatTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(NumberText, FloatTypes);

TYPED_TEST(NumberText, ZerosAndLimits) {
  using Limits = std::numeric_limits<TypeParam>;
  EXPECT_EQ(text_of(TypeParam{0}), "0");
  EXPECT_EQ(text_of(-TypeParam{0}), "-0");
  for (TypeParam const value : {Limits::denorm_min(), Limits::min(), Limits::max(), Limits::epsilon()})
    expect_library_text_around(value);
}

TYPED_TEST(NumberText, PowersOfTenAndOfTwo) {
  using Limits = std::numeric_limits<TypeParam>;
  for (int i = Limits::min_exponent10 - Limits::digits10 - 2; i <= Limits::max_exponent10; ++i) {
    for (char const* const digits : {"1", "1.5", "9.99999", "9.999999", "9.99999999"})
      expect_library_text_around(value_of<TypeParam>(digits + ("e" + std::to_string(i))));
  }
  for (int i = Limits::min_exponent - Limits::digits; i < Limits::max_exponent; ++i)
    expect_library_text_around(std::ldexp(TypeParam{1}, i));
}

/// Where fixed and scientific notation change places, and where integers stop being exact.
TYPED_TEST(NumberText, Boundaries) {
  for (double const value : {0.0001,      0.00012,      0.001,        99999.0,    99999.5,        100000.0,
                             120000.0,    123456.0,     999999.0,     1e6,        1.2e6,          8388608.0,
                             8388607.5,   9999999.0,    1e7,          12345678.0, 16777216.0,     33554432.0,
                             123456789.0, 1234567936.0, 4294967296.0, 1e12,       123456790528.0, 9007199254740992.0})
    expect_library_text_around(static_cast<TypeParam>(value));
  for (int value = 16776216; value < 16778216; ++value) expect_library_text(static_cast<TypeParam>(value));
}

/// Decimals of one to nine digits at all scales, as the nearest number.
TYPED_TEST(NumberText, RandomDecimals) {
  std::mt19937_64 random(11);
  for (int exponent = -50; exponent <= 40; ++exponent) {
    std::uint64_t limit = 10;
    for (int digits = 1; digits <= 9; ++digits, limit *= 10) {
      for (int i = 0; i < 150; ++i)
        expect_library_text(value_of<TypeParam>(std::to_string(random() % limit) + "e" + std::to_string(exponent)));
    }
  }
}

/// Where most data are.
TYPED_TEST(NumberText, RandomNumbersNearOne) {
  std::mt19937_64 random(12);
  std::uniform_real_distribution<double> exponents(-5, 9);
  for (int i = 0; i < 100000; ++i) expect_library_text(static_cast<TypeParam>(std::pow(10.0, exponents(random))));
}

TYPED_TEST(NumberText, RandomBits) {
  std::mt19937_64 random(13);
  for (int i = 0; i < 200000; ++i) {
    auto const bits = static_cast<Bits<TypeParam>>(random()) & ~Bits<TypeParam>{0} >> 1;
    expect_library_text(std::bit_cast<TypeParam>(bits));
  }
}

/// The nearest decimals of six and of nine digits, and what is just beside them.
TYPED_TEST(NumberText, NeighboursOfShortDecimals) {
  std::mt19937_64 random(14);
  for (int i = 0; i < 20000; ++i) {
    int const places = static_cast<int>(random() % 10);
    std::uint64_t const digits = random() % (i % 2 == 0 ? 1000000 : 1000000000);
    expect_library_text_around(value_of<TypeParam>(std::to_string(digits) + "e-" + std::to_string(places)));
  }
}

}  // namespace
