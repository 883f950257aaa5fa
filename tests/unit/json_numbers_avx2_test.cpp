#include "host/exec/json_numbers_avx2.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "formats/core/block.hpp"
#include "formats/core/number.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/plain_check.hpp"
#include "tests/support/avx2_test.hpp"

namespace {

using penstock::block_equal;
using penstock::Portable;
using Random = std::mt19937_64;

/// The separators of a block that end what is no plain number, by the grammar, one element after the other.
std::uint64_t odd_by_grammar(std::string const& block, std::uint64_t separators) {
  std::uint64_t odd = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    if ((separators >> i & 1) == 0) continue;
    std::string const element = block.substr(begin, i - begin) + "\n       ";
    char const* const first = element.data() + (element[0] == ' ' ? 1 : 0);
    bool const begins = penstock::json::is_digit(*first) || *first == '-';
    penstock::json::Found const end =
        begins ? penstock::json::skip_number(first) : penstock::json::Found{first, penstock::json::Error::bad_number};
    bool const is_plain =
        !end.is_error() && end.at == element.data() + (i - begin) && element.find_first_of("eE") == std::string::npos;
    if (!is_plain) odd |= std::uint64_t{1} << i;
    begin = i + 1;
  }
  return odd;
}

std::uint64_t odd_by_masks(std::string const& block, std::uint64_t separators) {
  std::uint64_t digits = 0;
  for (char digit = '0'; digit <= '9'; ++digit) digits |= block_equal(Portable{}, block.data(), digit);
  auto const equal = [&](char byte) { return block_equal(Portable{}, block.data(), byte); };
  return penstock::json::odd_numbers({digits, equal('0'), equal('.'), equal('-'), equal(' ')}, separators);
}

TEST(JsonPlainCheck, AgreesWithTheGrammar) {
  constexpr std::string_view alphabet = "0011955..--, ,,]e\n";
  Random random(1);
  for (int round = 0; round < 50'000; ++round) {
    std::string block;
    while (block.size() < 64) block += alphabet[random() % (round % 2 == 0 ? 13 : alphabet.size())];
    std::uint64_t const separators =
        block_equal(Portable{}, block.data(), ',') | block_equal(Portable{}, block.data(), ']');
    ASSERT_EQ(odd_by_masks(block, separators), odd_by_grammar(block, separators)) << block;
  }
}

/// Mostly plain numbers, a few of which one byte is changed.
TEST(JsonPlainCheck, AgreesWithTheGrammarOnNumbers) {
  constexpr std::string_view changes = "0.- ,]e+N";
  Random random(2);
  for (int round = 0; round < 50'000; ++round) {
    std::string block;
    while (block.size() < 64) {
      if (random() % 2 == 0) block += ' ';
      if (random() % 2 == 0) block += '-';
      block += std::to_string(random() % 1000);
      if (random() % 2 == 0) block += '.' + std::to_string(random() % 10000);
      block += ',';
    }
    block.resize(64);
    for (std::uint64_t i = random() % 3; i > 0; --i) block[random() % 64] = changes[random() % changes.size()];
    std::uint64_t const separators =
        block_equal(Portable{}, block.data(), ',') | block_equal(Portable{}, block.data(), ']');
    ASSERT_EQ(odd_by_masks(block, separators), odd_by_grammar(block, separators)) << block;
  }
}

#if defined(__x86_64__)

class JsonNumbersAvx2 : public penstock::testing::Avx2Test {};

/// How many of the numbers a run takes, having checked their bits.
std::size_t run_of(std::vector<std::string> const& numbers, std::string_view around) {
  std::string text(around);
  std::vector<std::uint16_t> ends;
  for (std::string const& number : numbers) {
    text += number + ',';
    ends.push_back(static_cast<std::uint16_t>(text.size() - 1 - around.size()));
  }
  text += around;
  for (int i = 0; i < 3; ++i) ends.push_back(static_cast<std::uint16_t>(ends.back() + 1));
  std::vector<float> values(numbers.size() + 3);
  std::size_t const taken =
      penstock::avx2::plain_json_run(text.data() + around.size(), 0, ends.data(), numbers.size(), values.data());
  for (std::size_t i = 0; i < taken; ++i) {
    char const* const begin = numbers[i].data() + (numbers[i][0] == ' ' ? 1 : 0);
    auto const expected = penstock::number::parse<float>(begin, numbers[i].data() + numbers[i].size());
    EXPECT_EQ(std::bit_cast<std::uint32_t>(values[i]), std::bit_cast<std::uint32_t>(expected.value)) << numbers[i];
    EXPECT_TRUE(expected.status == penstock::number::Status::ok && !expected.is_inexact_integer) << numbers[i];
  }
  return taken;
}

std::size_t run_of(std::vector<std::string> const& numbers) {
  std::size_t const taken = run_of(numbers, "                ");
  for (std::string_view const around : {"................", "----------------", "9999999999999999"})
    EXPECT_EQ(run_of(numbers, around), taken);
  return taken;
}

std::string digits(Random& random, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += static_cast<char>('0' + random() % 10);
  return text;
}

TEST_F(JsonNumbersAvx2, ReadsAsTheParserDoes) {
  Random random(3);
  std::size_t all = 0, taken = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::vector<std::string> numbers(1 + random() % 9);
    for (std::string& number : numbers) {
      number = random() % 2 == 0 ? " " : "";
      if (random() % 2 == 0) number += '-';
      number += std::to_string(random() % (random() % 2 == 0 ? 10 : 100'000));
      if (random() % 4 != 0) number += '.' + digits(random, 1 + random() % 7);
    }
    all += numbers.size();
    taken += run_of(numbers);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(taken, all - all / 1000);
}

TEST_F(JsonNumbersAvx2, TakesTheEndsOfItsRange) {
  std::vector<std::string> const numbers = {"0",         "-0", "0.0",      " -0.0000000001",  "16777216",
                                            "-16777216", "1",  " 9999999", "0.1234567890123", "16777215.0"};
  EXPECT_EQ(run_of(numbers), numbers.size());
}

TEST_F(JsonNumbersAvx2, LeavesWhatIsHardToRound) {
  EXPECT_EQ(run_of({"1", "2", "3", "16777217"}), 0u);          // float32 does not hold it
  EXPECT_EQ(run_of({"1", "2", "3", "4", "8388608.5"}), 4u);    // halfway
  EXPECT_EQ(run_of({"1", "2", "8388609.5"}), 0u);              // halfway, in a rest
  EXPECT_EQ(run_of({"1", "2", "3", "1234567890.12345"}), 0u);  // 16 bytes
  EXPECT_EQ(run_of({"1", "2", "3"}), 3u);
}

#endif

}  // namespace
