// The device's quick way from a field to float32, against number::parse.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>

#include "cuda/kernels/number.cuh"
#include "formats/core/number.hpp"

namespace penstock {
namespace {

enum class Answer { none, right, wrong };

/// Fields in text whose bytes around them are the worst that can stand there.
class Fields {
 public:
  explicit Fields(std::uint64_t seed) : random_(seed) {}

  Answer ask(std::string const& field) {
    static constexpr char around[] = "0123456789.e-+E,\"\n\x80\xff";
    std::string text(64, ' ');
    for (char& c : text) c = around[random_() % (sizeof around - 1)];
    std::size_t const begin = text.size() + random_() % 4;  // every alignment
    text.resize(begin, '9');
    text += field;
    for (int i = 0; i < 64; ++i) text += around[random_() % (sizeof around - 1)];
    float value = 0;
    if (!cuda::fast_float32(text.data() + begin, text.data() + begin + field.size(), value)) return Answer::none;
    auto const parsed = number::parse<float>(field.data(), field.data() + field.size());
    bool const is_settled = parsed.status == number::Status::ok && !parsed.is_inexact_integer;
    return is_settled && bit_cast<std::uint32_t>(parsed.value) == bit_cast<std::uint32_t>(value) ? Answer::right
                                                                                                 : Answer::wrong;
  }
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

 private:
  std::mt19937_64 random_;
};

std::string printed(char const* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// All of `make`'s fields right, and at least `answered` of 1000 answered at all.
template <class Make>
void check(std::uint64_t seed, unsigned answered, Make make) {
  Fields fields(seed);
  unsigned found = 0;
  constexpr unsigned cases = 20000;
  for (unsigned i = 0; i < cases; ++i) {
    std::string const field = make(fields);
    Answer const answer = fields.ask(field);
    ASSERT_NE(answer, Answer::wrong) << "`" << field << "`";
    found += answer == Answer::right ? 1 : 0;
  }
  EXPECT_GE(found, answered * (cases / 1000));
}

float any_float(Fields& fields) {
  auto const bits = static_cast<std::uint32_t>(fields.below(std::uint64_t{1} << 32));
  float const value = bit_cast<float>(bits);
  return (bits >> 23 & 255) == 255 ? 1.5f : value;
}

TEST(DeviceNumber, FloatsAsTheyArePrinted) {
  for (char const* const format : {"%.9g", "%.6g", "%.18e", "%.17g", "%.3e", "%+.8E"}) {
    SCOPED_TRACE(format);
    check(1, 600, [&](Fields& f) { return printed(format, static_cast<double>(any_float(f))); });
  }
}

TEST(DeviceNumber, DecimalsOfEveryLength) {
  check(2, 600, [](Fields& f) {
    std::string field = f.below(3) == 0 ? "-" : f.below(9) == 0 ? "+" : "";
    std::size_t const digits = 1 + f.below(19), point = f.below(digits + 4);
    for (std::size_t i = 0; i < digits; ++i) {
      if (i == point) field += '.';
      field += static_cast<char>('0' + f.below(10));
    }
    if (f.below(4) == 0) field += (f.below(2) == 0 ? "e" : "E-") + std::to_string(f.below(45));
    return field;
  });
}

/// 25 bits of which the last is set lie halfway between two floats; a digit more or less decides.
TEST(DeviceNumber, HalfwayPoints) {
  check(3, 0, [](Fields& f) {
    std::uint64_t const odd = (std::uint64_t{1} << 24) + 2 * f.below(std::uint64_t{1} << 23) + 1;
    std::string field = std::to_string(odd << f.below(20));
    if (f.below(2) == 0) field += f.below(2) == 0 ? ".0" : ".0001";
    if (f.below(3) == 0) field += "e-3";
    return field;
  });
}

TEST(DeviceNumber, IntegersThatFloat32CannotHoldHaveNoAnswer) {
  Fields fields(4);
  EXPECT_EQ(fields.ask("16777216"), Answer::right);
  EXPECT_EQ(fields.ask("16777217"), Answer::none);
  EXPECT_EQ(fields.ask("16777218"), Answer::right);
  EXPECT_EQ(fields.ask("-16777219"), Answer::none);
  EXPECT_EQ(fields.ask("16777217.0"), Answer::none);  // halfway
  EXPECT_EQ(fields.ask("123456789.0"), Answer::right);
  EXPECT_EQ(fields.ask("123456789"), Answer::none);
  check(5, 100, [](Fields& f) { return std::to_string(f.below(std::uint64_t{1} << (1 + f.below(62)))); });
}

TEST(DeviceNumber, ZerosKeepTheirSign) {
  for (char const* const field : {"0", "-0", "0.0", "-0.000000", "-.0", "0e5", "-0e-30", "+00.", "0000000000000"}) {
    EXPECT_EQ(Fields(6).ask(field), Answer::right) << field;
  }
}

TEST(DeviceNumber, WhatIsNoPlainNumberHasNoAnswer) {
  for (char const* const field : {"",
                                  "-",
                                  "+",
                                  ".",
                                  "-.",
                                  "e",
                                  "e5",
                                  "-e5",
                                  ".e5",
                                  "1e",
                                  "1e+",
                                  "1e-",
                                  "1.5e",
                                  "1..5",
                                  "1.2.3",
                                  "1e5e5",
                                  "--1",
                                  "1-",
                                  "+-1",
                                  "1e5.",
                                  "1e1.5",
                                  " 1",
                                  "1 ",
                                  "NA",
                                  "nan",
                                  "inf",
                                  "0x1F",
                                  "1_000",
                                  "5f",
                                  "1e99999",
                                  "1e+9999",
                                  "\x80",
                                  "1\xff",
                                  "\xb1",
                                  "1,5",
                                  "1\"",
                                  "12345678901234567890123456789012345678901234567890",
                                  "1e39",
                                  "3.5e38",
                                  "1e-46"}) {
    EXPECT_EQ(Fields(7).ask(field), Answer::none) << field;
  }
}

/// Anything that the grammar of numbers is written in, and more.
TEST(DeviceNumber, NoiseIsRightOrHasNoAnswer) {
  check(8, 20, [](Fields& f) {
    static constexpr char bytes[] = "0123456789012345678901234567890123456789..eE+--, \"n\x2f\x3a\x89\xb0\xff";
    std::string field;
    for (std::uint64_t i = f.below(14); i > 0; --i) field += bytes[f.below(sizeof bytes - 1)];
    return field;
  });
}

TEST(DeviceNumber, OneByteOfANumberChanged) {
  check(9, 20, [](Fields& f) {
    std::string field = printed(f.below(2) == 0 ? "%.9g" : "%.18e", static_cast<double>(any_float(f)));
    field[f.below(field.size())] = static_cast<char>(f.below(256));
    return field;
  });
}

}  // namespace
}  // namespace penstock
