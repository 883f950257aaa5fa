#include "host/exec/number_avx2.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "formats/core/number.hpp"
#include "tests/support/avx2_test.hpp"

#if defined(__x86_64__)

namespace {

using penstock::number::Parsed;
using penstock::number::Status;

constexpr std::size_t margin = 32;  // what fast_float32 may read on either side

class NumberAvx2 : public penstock::testing::Avx2Test {};

/// The bits that the fast way decides on, in a heap block of just the bytes it may read; `around` fills the rest.
std::optional<std::uint32_t> fast_bits(std::string_view text, char around = ',') {
  std::size_t const size = text.size() + 2 * margin;
  std::unique_ptr<char[]> const block(new char[size]);
  std::fill_n(block.get(), size, around);
  std::copy(text.begin(), text.end(), block.get() + margin);
  float value = 0;
  bool const is_decided =
      penstock::avx2::fast_float32(block.get() + margin, static_cast<std::uint32_t>(text.size()), value);
  return is_decided ? std::optional(std::bit_cast<std::uint32_t>(value)) : std::nullopt;
}

/// If the fast way decides, then as number::parse does, whatever surrounds the field. False at a difference.
bool agrees(std::string_view text) {
  Parsed<float> const expected = penstock::number::parse<float>(text.data(), text.data() + text.size());
  std::optional<std::uint32_t> const first = fast_bits(text);
  for (char const around : {'0', '9', '.', 'e', '-', '\xff'})
    if (fast_bits(text, around) != first) {
      ADD_FAILURE() << text << " depends on what surrounds it";
      return false;
    }
  bool const same = !first || (*first == std::bit_cast<std::uint32_t>(expected.value) &&
                               expected.status == Status::ok && !expected.is_inexact_integer);
  EXPECT_TRUE(same) << text << ": " << std::hex << first.value_or(0);
  return same;
}

std::string printed(char const* format, double value) {
  char text[400];
  return std::string(text, static_cast<std::size_t>(std::snprintf(text, sizeof text, format, value)));
}

TEST_F(NumberAvx2, decides_plain_fields) {
  for (std::string const text : {"0",
                                 "-0",
                                 "+0",
                                 "7",
                                 "+7",
                                 "-1",
                                 ".5",
                                 "5.",
                                 "-.5",
                                 "0.1",
                                 "-0.635",
                                 "00012.50",
                                 "16777216",
                                 "12345.67",
                                 "-123456789012345.5",
                                 "123.456789012345",
                                 "0.0000000000000",
                                 "1e5",
                                 "1E5",
                                 "1e+05",
                                 "-1.23457e-05",
                                 "5.e-1",
                                 ".5e10",
                                 "8.692932128906250000e-01",
                                 "-8.692932128906250000e-01",
                                 "+8.692932128906250000e+01",
                                 "0.000000000000000000e+00",
                                 "-0.000000000000000000e+00",
                                 "8.692932128906250000E-01",
                                 "8.692932128906250000e001",
                                 "0.869293212890625000e+00",
                                 "0.12345678901234567890123",
                                 "1.17549435082228751e-35",
                                 "12345678901234567890123456.5e-20",
                                 "-1.2345678901234567e-007"}) {
    Parsed<float> const expected = penstock::number::parse<float>(text.data(), text.data() + text.size());
    std::optional<std::uint32_t> const bits = fast_bits(text);
    ASSERT_TRUE(bits.has_value()) << text;
    EXPECT_EQ(*bits, std::bit_cast<std::uint32_t>(expected.value)) << text;
    EXPECT_TRUE(agrees(text));
  }
}

TEST_F(NumberAvx2, leaves_the_rest_to_the_caller) {
  for (std::string const text : {"",
                                 "+",
                                 "-",
                                 ".",
                                 "-.",
                                 "e5",
                                 "1e",
                                 "1e+",
                                 "1e5.",
                                 "1e5e5",
                                 "1e0000",
                                 "--1",
                                 "1..2",
                                 "1.2.3",
                                 "nan",
                                 "inf",
                                 " 1",
                                 "1 ",
                                 "0x10",
                                 "1_000",
                                 "12a",
                                 "\xb0",
                                 "1\xb5",
                                 "16777217",
                                 "-16777219",
                                 "123456789",
                                 "1234567890123456",
                                 "12345678901234567890",
                                 "1e39",
                                 "1e-45",
                                 "1e-40",
                                 "1.00000017881393432617187",
                                 "1.00000005960464477539062",
                                 "8.6929321289062500x0e-01",
                                 "8.69293212890625000xe-01",
                                 "8.692932128906250000e*01",
                                 "8.692932128906250000e-0x",
                                 "8.692932128906250000x-01",
                                 "8,692932128906250000e-01",
                                 "x.692932128906250000e-01",
                                 "12345678901234567890123456789.012",
                                 "--8.692932128906250000e-01"})
    EXPECT_FALSE(fast_bits(text).has_value()) << text;
}

TEST_F(NumberAvx2, printed_bit_patterns) {
  std::mt19937 random(11);
  std::size_t decided = 0;
  std::size_t total = 0;
  for (int i = 0; i < 20000; ++i) {
    auto const value = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
    if (value - value != 0) continue;
    for (char const* format : {"%.9g", "%.6g", "%.18e", "%.17g", "%.3e"}) {
      std::string const text = printed(format, value);
      ASSERT_TRUE(agrees(text));
      decided += fast_bits(text) ? 1 : 0;
      ++total;
    }
  }
  EXPECT_GT(decided, total / 10 * 9);
}

TEST_F(NumberAvx2, points_anywhere) {
  std::mt19937_64 random(12);
  for (int i = 0; i < 50000; ++i) {
    std::string text = std::to_string(random() >> random() % 64);
    if (i % 2 == 0) text.insert(random() % (text.size() + 1), ".");
    if (i % 3 == 0) text.insert(0, i % 2 == 0 ? "-" : "+");
    if (i % 5 == 0) text += "e" + std::to_string(static_cast<int>(random() % 120) - 60);
    ASSERT_TRUE(agrees(text));
  }
}

TEST_F(NumberAvx2, around_halfway) {
  std::mt19937 random(13);
  for (int i = 0; i < 20000; ++i) {
    auto const low = static_cast<std::uint32_t>((random() % 60 + 97) << 23 | (random() & 0x7fffff));
    double const halfway =
        (static_cast<double>(std::bit_cast<float>(low)) + static_cast<double>(std::bit_cast<float>(low + 1))) / 2;
    for (char const* format : {"%.18e", "%.16e", "%.17g", "%.12g", "%.20f", "%.24e"})
      ASSERT_TRUE(agrees(printed(format, halfway)));
  }
}

TEST_F(NumberAvx2, fixed_shape_with_leading_zeros) {
  std::mt19937_64 random(14);
  for (int i = 0; i < 20000; ++i) {
    std::string digits = std::to_string(random() >> random() % 64);
    digits.insert(0, 20 - digits.size(), '0');
    char exponent[8];
    std::snprintf(exponent, sizeof exponent, "e%+03d", static_cast<int>(random() % 199) - 99);
    ASSERT_TRUE(agrees(digits.substr(1, 1) + "." + digits.substr(2) + exponent));
  }
}

TEST_F(NumberAvx2, random_strings) {
  std::mt19937 random(15);
  std::string_view const alphabet = "01234567890123456789012345678901234567890123456789....eeE--+ x\xb5";
  for (int i = 0; i < 200000; ++i) {
    std::string text;
    for (std::size_t n = random() % (i % 2 == 0 ? 36 : 12); n > 0; --n) text += alphabet[random() % alphabet.size()];
    ASSERT_TRUE(agrees(text));
  }
}

TEST_F(NumberAvx2, one_byte_wrong_anywhere) {
  std::mt19937 random(16);
  for (std::string const valid : {"-8.692932128906250000e-01", "123.4567", "-0.123456789", "1.2345678901e+10"})
    for (std::size_t at = 0; at < valid.size(); ++at)
      for (int c = 0; c < 256; ++c) {
        std::string text = valid;
        text[at] = static_cast<char>(c);
        ASSERT_TRUE(agrees(text));
      }
}

}  // namespace

#else

TEST(NumberAvx2, needs_x86_64) { GTEST_SKIP() << "not an x86-64 build"; }

#endif
