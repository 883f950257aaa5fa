#include "formats/core/number.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>

namespace {

using penstock::number::Parsed;
using penstock::number::Status;

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T>
Bits<T> bits_of(T value) {
  return std::bit_cast<Bits<T>>(value);
}

/// Parses from a heap block of exactly the text's size, so that a sanitizer sees any access beside it.
template <class T>
Parsed<T> parse(std::string_view text) {
  std::unique_ptr<char[]> const block(new char[text.size()]);
  std::copy(text.begin(), text.end(), block.get());
  return penstock::number::parse<T>(block.get(), block.get() + text.size());
}

/// What the standard library makes of a number (infinity for one that is too large).
template <class T>
T expected_value(std::string const& text) {
  char const* const begin = text.c_str() + (text[0] == '+' ? 1 : 0);
  T value = 0;
  auto const result = std::from_chars(begin, text.c_str() + text.size(), value);
  EXPECT_EQ(result.ptr, text.c_str() + text.size()) << text;
  if (result.ec == std::errc{}) return value;
  if constexpr (sizeof(T) == 4)
    return std::strtof(begin, nullptr);
  else
    return std::strtod(begin, nullptr);
}

template <class T>
bool agrees(std::string const& text) {
  T const expected = expected_value<T>(text);
  bool const is_finite = expected - expected == 0;
  Parsed<T> const parsed = parse<T>(text);
  bool const same =
      bits_of(parsed.value) == bits_of(expected) && parsed.status == (is_finite ? Status::ok : Status::out_of_range);
  EXPECT_TRUE(same) << text << ": " << std::hexfloat << parsed.value << " instead of " << expected << ", status "
                    << static_cast<int>(parsed.status);
  return same;
}

bool both_agree(std::string const& text) { return agrees<float>(text) && agrees<double>(text); }

template <class T>
std::string printed(char const* format, T value, int digits = 0) {
  char text[1200];
  int const size = digits == 0 ? std::snprintf(text, sizeof text, format, value)
                               : std::snprintf(text, sizeof text, format, digits, value);
  return std::string(text, static_cast<std::size_t>(size));
}

struct FloatCase {
  char const* text;
  std::uint32_t bits;
};

TEST(Number, float32_rule_vectors) {
  FloatCase const cases[] = {
      {"-0", 0x80000000},
      {"0.1", 0x3dcccccd},
      {"0.3", 0x3e99999a},
      {"1.1", 0x3f8ccccd},
      {"1.00000017881393432617187499", 0x3f800001},
      {"1.00000017881393432617187500", 0x3f800002},
      {"1.00000005960464477539062500", 0x3f800000},
      {"1.00000005960464477539062501", 0x3f800001},
      {"7.038531e-26", 0x15ae43fd},
      {"16777217", 0x4b800000},
      {"16777219", 0x4b800002},
      {"123456789", 0x4ceb79a3},
      {"-1804698880", 0xced7230a},
      {"-1804698881", 0xced7230a},
      {"3.4028235e38", 0x7f7fffff},
      {"3.4028235677973366e38", 0x7f7fffff},
      {"1.17549435e-38", 0x00800000},
      {"1.4e-45", 0x00000001},
      {"7.0064923216240853e-46", 0x00000000},
      {"7.0064923216240854e-46", 0x00000001},
      {"1e-400", 0x00000000},
      {"-1e-400", 0x80000000},
      {"1e23", 0x65a96816},
      {"9.9999994e-1", 0x3f7fffff},
      {"0.99999997", 0x3f7fffff},
      {"0.99999998", 0x3f800000},
      {"0.869", 0x3f5e76c9},
      {"-0.635", 0xbf228f5c},
      {".5", 0x3f000000},
      {"5.", 0x40a00000},
      {"+7", 0x40e00000},
      {"1E5", 0x47c35000},
      {"1e+5", 0x47c35000},
      {"1e05", 0x47c35000},
      {"00012.50", 0x41480000},
      {"8.692932128906250000e-01", 0x3f5e8a00},
  };
  for (FloatCase const& c : cases) {
    EXPECT_EQ(bits_of(parse<float>(c.text).value), c.bits) << c.text;
    EXPECT_EQ(parse<float>(c.text).status, Status::ok) << c.text;
  }
}

TEST(Number, too_large_is_infinite_and_says_so) {
  for (char const* text :
       {"3.4028236e38", "1e39", "1e400", "1e99999999999", "340282356779733661637539395458142568448"}) {
    EXPECT_EQ(parse<float>(text).status, Status::out_of_range) << text;
    EXPECT_EQ(bits_of(parse<float>(text).value), 0x7f800000u) << text;
    std::string const negative = std::string("-") + text;
    EXPECT_EQ(bits_of(parse<float>(negative).value), 0xff800000u) << text;
  }
  EXPECT_EQ(parse<double>("1e39").status, Status::ok);
  EXPECT_EQ(parse<double>("-1e309").status, Status::out_of_range);
  EXPECT_EQ(bits_of(parse<double>("-1e309").value), 0xfff0000000000000u);
}

TEST(Number, spelled_nan_and_infinity) {
  for (char const* text : {"nan", "NaN", "NAN", "-nan", "+nAn"}) {
    EXPECT_EQ(parse<float>(text).status, Status::nan) << text;
    EXPECT_EQ(bits_of(parse<float>(text).value), 0x7fc00000u) << text;
    EXPECT_EQ(bits_of(parse<double>(text).value), 0x7ff8000000000000u) << text;
    EXPECT_EQ(parse<std::int32_t>(text).status, Status::nan) << text;
  }
  for (char const* text : {"inf", "Infinity", "+INF", "+iNFINITy"}) {
    EXPECT_EQ(parse<float>(text).status, Status::infinite) << text;
    EXPECT_EQ(bits_of(parse<float>(text).value), 0x7f800000u) << text;
    EXPECT_EQ(parse<std::int64_t>(text).status, Status::infinite) << text;
  }
  EXPECT_EQ(bits_of(parse<float>("-inf").value), 0xff800000u);
  EXPECT_EQ(bits_of(parse<double>("-INFINITY").value), 0xfff0000000000000u);
}

TEST(Number, what_is_not_a_number) {
  for (char const* text : {"",
                           "+",
                           "-",
                           ".",
                           "+.",
                           "e5",
                           ".e5",
                           "1e",
                           "1e+",
                           "1E-",
                           "1d5",
                           "5f",
                           "1_000",
                           "1,000",
                           "0x10",
                           "0x1p3",
                           " 1",
                           "1 ",
                           "\t1",
                           "1\n",
                           "--1",
                           "+-1",
                           "1..2",
                           "1.2.3",
                           "1e5.",
                           "1e5e5",
                           "nan(abc)",
                           "na",
                           "nano",
                           "infi",
                           "infinit",
                           "infinityy",
                           "n",
                           "i",
                           "1-",
                           "1+1",
                           "12345678x",
                           "123456789012345678x",
                           "\xb0",
                           "1\xff",
                           "1\xb9",
                           "\x10\x11",
                           "1:5",
                           "1/5",
                           "12.3456\x80",
                           "0.123456789012345678\xae"}) {
    EXPECT_EQ(parse<float>(text).status, Status::malformed) << text;
    EXPECT_EQ(bits_of(parse<float>(text).value), 0x7fc00000u) << text;
    EXPECT_EQ(bits_of(parse<double>(text).value), 0x7ff8000000000000u) << text;
    EXPECT_EQ(parse<std::int32_t>(text).status, Status::malformed) << text;
    EXPECT_EQ(parse<std::int64_t>(text).status, Status::malformed) << text;
  }
  EXPECT_EQ(parse<float>(std::string_view("1\0", 2)).status, Status::malformed);
}

std::string shared_data_folder() {
  if (char const* folder = std::getenv("PENSTOCK_SHARED_DATA")) return folder;
#if defined(PENSTOCK_SHARED_DATA_DIR)
  return PENSTOCK_SHARED_DATA_DIR;
#else
  return "../shared/data";
#endif
}

/// Lines "f16 f32 f64 text", the bits in hexadecimal.
void check_file(std::string const& name) {
  std::string const path = shared_data_folder() + "/numbers/" + name;
  std::ifstream file(path);
  if (!file) GTEST_SKIP() << "no test data at " << path << " (set PENSTOCK_SHARED_DATA)";
  std::string half;
  std::string text;
  std::string float_bits;
  std::string double_bits;
  std::size_t lines = 0;
  for (; file >> half >> float_bits >> double_bits >> text; ++lines) {
    ASSERT_EQ(bits_of(parse<float>(text).value), std::stoul(float_bits, nullptr, 16)) << text;
    ASSERT_EQ(bits_of(parse<double>(text).value), std::stoull(double_bits, nullptr, 16)) << text;
  }
  EXPECT_GT(lines, 1000u);
}
TEST(NumberFiles, freetype) { check_file("freetype-2-7.txt"); }
TEST(NumberFiles, fast_float) { check_file("lemire-fast-float.txt"); }

TEST(Number, printed_float_bit_patterns) {
  std::mt19937 random(1);
  for (int i = 0; i < 30000; ++i) {
    auto const value = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
    if (value - value != 0) continue;
    for (char const* format : {"%.9g", "%.6g", "%.18e", "%.17g", "%.25g"})
      ASSERT_TRUE(both_agree(printed(format, value)));
  }
}

TEST(Number, printed_double_bit_patterns) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20000; ++i) {
    auto const value = std::bit_cast<double>(random());
    if (value - value != 0) continue;
    for (char const* format : {"%.17g", "%.15g", "%.19e", "%.22e"}) ASSERT_TRUE(both_agree(printed(format, value)));
  }
}

TEST(Number, digits_with_any_exponent) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 60000; ++i) {
    std::string const digits = std::to_string(random() >> random() % 64);
    int const range = i % 2 == 0 ? 70 : 400;
    int const exponent = static_cast<int>(random() % static_cast<unsigned>(2 * range)) - range;
    ASSERT_TRUE(both_agree(digits + "e" + std::to_string(exponent)));
    std::string with_point = digits;
    ASSERT_TRUE(both_agree(with_point.insert(random() % (digits.size() + 1), ".")));
  }
}

/// `text` with the last digit of its mantissa changed by `step`, if it stays a digit.
std::string nudged(std::string text, int step) {
  char& last = text[text.find('e') - 1];
  last = static_cast<char>(std::clamp(last + step, static_cast<int>('0'), static_cast<int>('9')));
  return text;
}

TEST(Number, around_halfway_between_floats) {
  std::mt19937 random(4);
  for (int i = 0; i < 20000; ++i) {
    std::uint32_t const low = static_cast<std::uint32_t>(random()) % 0x7f7fffffu >> (i % 8 == 0 ? 8 : 0);
    double const halfway =
        (static_cast<double>(std::bit_cast<float>(low)) + static_cast<double>(std::bit_cast<float>(low + 1))) / 2;
    std::string const text = printed("%.*e", halfway, 15 + static_cast<int>(random() % (i % 2 == 0 ? 5 : 180)));
    for (int step : {-1, 0, 1}) ASSERT_TRUE(both_agree(nudged(text, step)));
  }
}

TEST(Number, around_halfway_between_doubles) {
  if constexpr (std::numeric_limits<long double>::digits < 54) GTEST_SKIP() << "long double cannot hold the points";
  std::mt19937_64 random(5);
  for (int i = 0; i < 4000; ++i) {
    std::uint64_t const low = random() % 0x7fefffffffffffffu >> (i % 8 == 0 ? 12 : 0);
    long double const halfway = (static_cast<long double>(std::bit_cast<double>(low)) +
                                 static_cast<long double>(std::bit_cast<double>(low + 1))) /
                                2;
    std::string const text = printed("%.*Le", halfway, 15 + static_cast<int>(random() % (i % 2 == 0 ? 8 : 780)));
    for (int step : {-1, 0, 1}) ASSERT_TRUE(both_agree(nudged(text, step)));
  }
}

TEST(Number, ties_of_whole_numbers) {
  std::mt19937_64 random(6);
  for (int i = 0; i < 20000; ++i) {
    std::uint64_t const tie = (1u << 24 | random() % (1u << 24)) * 2 + 1;
    ASSERT_TRUE(both_agree(std::to_string(tie << random() % 39)));
    double const large = static_cast<double>(tie) * std::bit_cast<double>((1023 + random() % 100) << 52);
    std::string const text = printed("%.0f", large);
    ASSERT_TRUE(both_agree(text));
    ASSERT_TRUE(both_agree(text + ".000"));
    ASSERT_TRUE(both_agree(text + ".0000000000000000000000001"));
  }
}

TEST(Number, ties_with_the_most_fives) {
  using penstock::number::round_decimal;
  for (std::uint64_t const m : {0u, 1u, 2u, 3u}) {  // halfway behind mantissa 2^23 + m: to even
    std::uint64_t const tie = (1u << 24) + 2 * m + 1;
    std::uint64_t const five_17 = 762939453125;
    float const below = static_cast<float>((1u << 23) + m) * 0x1p-16f;
    float const above = static_cast<float>((1u << 23) + m + 1) * 0x1p-16f;
    EXPECT_EQ(round_decimal<float>(tie * five_17, -17), bits_of(m % 2 == 0 ? below : above)) << m;
    EXPECT_EQ(round_decimal<float>(tie * five_17 - 1, -17), bits_of(below)) << m;
    EXPECT_EQ(round_decimal<float>(tie * five_17 + 1, -17), bits_of(above)) << m;
  }
  for (char const* text : {"3e10", "5629499534213120625e-4", "5629499534213120624e-4", "5629499534213121875e-4"})
    ASSERT_TRUE(both_agree(text));
}

TEST(Number, long_texts_and_extreme_exponents) {
  std::string const zeros(400, '0');
  std::string const many(5000, '7');
  for (std::string const& text : {"0." + zeros + "1",
                                  "0." + zeros + "1e401",
                                  "1" + zeros + zeros + "e-800",
                                  "1" + zeros + "e-400",
                                  zeros + "1.5",
                                  zeros + zeros + "." + zeros,
                                  many,
                                  "0." + many,
                                  many + "e-4999",
                                  many + "e-5044",
                                  many + "e-5310",
                                  many + "." + many + "e-5000",
                                  std::string("1e-99999999999"),
                                  std::string("0e99999999999"),
                                  std::string("-0e-99999999999"),
                                  "0." + zeros + "e99999",
                                  std::string("1e0000000000000000000000000001"),
                                  std::string("1e-99999999999999999999999999999999999999"),
                                  "9" + many + "e-5000",
                                  "1." + zeros + "1",
                                  std::string("1") + "e-0",
                                  std::string("123456789012345678901234567890"),
                                  "16777217." + zeros + "1"})
    ASSERT_TRUE(both_agree(text));
  EXPECT_EQ(parse<float>("1e99999999999999999999999999999999").status, Status::out_of_range);
  EXPECT_EQ(parse<double>("1e99999999999999999999999999999999").status, Status::out_of_range);
}

TEST(Number, integers_inexact_in_float32) {
  for (char const* text : {"16777217", "-16777219", "+123456789", "16777217000000000000000000", "100000000000000000000",
                           "00000000000000000000016777217", "1267650600228229401496703205377", "9007199254740993"})
    EXPECT_TRUE(parse<float>(text).is_inexact_integer) << text;
  for (char const* text :
       {"0", "-0", "16777216", "-16777215", "16777218", "16777217.", "16777217e0", "1e20", "nan", "",
        "00000000000000000000016777216", "1267650600228229401496703205376", "10000000000",
        "00000000000000000000000000000", "9007199254740992", "340282356779733661637539395458142568448", "16777217x"})
    EXPECT_FALSE(parse<float>(text).is_inexact_integer) << text;
}

TEST(Number, integers_inexact_in_float64) {
  for (char const* text : {"9007199254740993", "-9007199254740993", "9223372036854775807", "123456789012345678901",
                           "0000000000000000000009007199254740993"})
    EXPECT_TRUE(parse<double>(text).is_inexact_integer) << text;
  for (char const* text :
       {"0", "16777217", "9007199254740992", "9007199254740994", "9007199254740993.", "9223372036854775808",
        "100000000000000000000", "-0000000000000000000009007199254740992", "1e99", "inf"})
    EXPECT_FALSE(parse<double>(text).is_inexact_integer) << text;
}

TEST(Number, inexact_integers_are_those_that_do_not_convert_back) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 50000; ++i) {
    std::uint64_t const value = random() >> random() % 64;
    bool const is_held = value == 0 || static_cast<int>(std::bit_width(value)) - std::countr_zero(value) <= 24;
    ASSERT_EQ(parse<float>(std::to_string(value)).is_inexact_integer, !is_held) << value;
  }
}

template <class T>
void check_integer(std::string const& text, T value, Status status) {
  Parsed<T> const parsed = parse<T>(text);
  EXPECT_EQ(parsed.value, value) << text;
  EXPECT_EQ(parsed.status, status) << text;
  EXPECT_FALSE(parsed.is_inexact_integer) << text;
}

TEST(Number, integers) {
  constexpr auto least32 = std::numeric_limits<std::int32_t>::min();
  constexpr auto most32 = std::numeric_limits<std::int32_t>::max();
  constexpr auto least64 = std::numeric_limits<std::int64_t>::min();
  constexpr auto most64 = std::numeric_limits<std::int64_t>::max();
  std::string const zeros(40, '0');
  check_integer<std::int32_t>("-0", 0, Status::ok);
  check_integer<std::int32_t>("+0007", 7, Status::ok);
  check_integer<std::int32_t>("2147483647", most32, Status::ok);
  check_integer<std::int32_t>("2147483648", most32, Status::out_of_range);
  check_integer<std::int32_t>("-2147483648", least32, Status::ok);
  check_integer<std::int32_t>("-2147483649", least32, Status::out_of_range);
  check_integer<std::int32_t>("-" + zeros + "2147483648", least32, Status::ok);
  check_integer<std::int32_t>("4294967296", most32, Status::out_of_range);
  check_integer<std::int64_t>("9223372036854775807", most64, Status::ok);
  check_integer<std::int64_t>("9223372036854775808", most64, Status::out_of_range);
  check_integer<std::int64_t>("-9223372036854775808", least64, Status::ok);
  check_integer<std::int64_t>("-9223372036854775809", least64, Status::out_of_range);
  check_integer<std::int64_t>("18446744073709551617", most64, Status::out_of_range);
  check_integer<std::int64_t>("-1" + zeros, least64, Status::out_of_range);
  check_integer<std::int64_t>("+" + zeros + "9223372036854775807", most64, Status::ok);
  check_integer<std::int64_t>(zeros, 0, Status::ok);
  for (char const* text : {"1.0", "1.", ".5", "1e5", "1E0", "123456789012345678901234567890.5", "1e400"}) {
    check_integer<std::int32_t>(text, 0, Status::not_an_integer);
    check_integer<std::int64_t>(text, 0, Status::not_an_integer);
  }
}

TEST(Number, random_integers) {
  std::mt19937_64 random(8);
  for (int i = 0; i < 100000; ++i) {
    auto const value = static_cast<std::int64_t>(random()) >> random() % 64;
    std::string const text = std::to_string(value);
    Parsed<std::int64_t> const wide = parse<std::int64_t>(text);
    ASSERT_TRUE(wide.status == Status::ok && wide.value == value) << text;
    Parsed<std::int32_t> const narrow = parse<std::int32_t>(text);
    bool const fits = value >= -2147483648 && value <= 2147483647;
    ASSERT_EQ(narrow.status, fits ? Status::ok : Status::out_of_range) << text;
    ASSERT_EQ(narrow.value, std::clamp<std::int64_t>(value, -2147483648, 2147483647)) << text;
  }
}

/// The grammar as a table: state and class of a character give the next state.
bool is_number(std::string_view text) {
  //                     digit sign point  e   other
  int const next[8][5] = {{2, 1, 3, -1, -1},     // 0 start
                          {2, -1, 3, -1, -1},    // 1 behind the sign
                          {2, -1, 4, 5, -1},     // 2 digits
                          {4, -1, -1, -1, -1},   // 3 a point without digits before it
                          {4, -1, -1, 5, -1},    // 4 a point and digits before or behind it
                          {7, 6, -1, -1, -1},    // 5 behind e
                          {7, -1, -1, -1, -1},   // 6 behind its sign
                          {7, -1, -1, -1, -1}};  // 7 its digits
  int state = 0;
  for (char const c : text) {
    bool const is_digit = c >= '0' && c <= '9';
    int const kind = is_digit ? 0 : c == '+' || c == '-' ? 1 : c == '.' ? 2 : c == 'e' || c == 'E' ? 3 : 4;
    state = next[state][kind];
    if (state < 0) return false;
  }
  return state == 2 || state == 4 || state == 7;
}

TEST(Number, random_strings_against_the_grammar) {
  std::mt19937 random(9);
  std::string_view const alphabet = "0123456789012345678901234567890123456789......eeeEE---+++ x\xb5";
  int numbers = 0;
  for (int i = 0; i < 300000; ++i) {
    std::string text;
    for (std::size_t n = random() % (i % 3 == 0 ? 28 : 10); n > 0; --n) text += alphabet[random() % alphabet.size()];
    bool const expected = is_number(text);
    numbers += expected ? 1 : 0;
    ASSERT_EQ(parse<float>(text).status != Status::malformed, expected) << text;
    ASSERT_EQ(parse<double>(text).status != Status::malformed, expected) << text;
    Status const integer = parse<std::int64_t>(text).status;
    ASSERT_EQ(integer != Status::malformed, expected) << text;
    bool const has_mark = text.find_first_of(".eE") != std::string::npos;
    ASSERT_EQ(integer == Status::not_an_integer, expected && has_mark) << text;
    ASSERT_TRUE(!expected || both_agree(text));
  }
  EXPECT_GT(numbers, 10000);
}

}  // namespace
