// Texts in device memory to numbers, beside normalize::read_text(): the same bits, and the same refused.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "cuda/exec/text_reader.hpp"
#include "cuda/exec/upload.hpp"
#include "formats/core/platform.hpp"
#include "formats/normalize/text_rule.hpp"
#include "host/exec/normalizer.hpp"
#include "penstock/dtype.hpp"

namespace penstock {
namespace {

using normalize::Reading;
using normalize::TextRule;
using normalize::TextValue;
using normalize::Unknown;
using normalize::Vocabulary;

/// Rows of texts, one behind the other.
struct Texts {
  std::vector<TextCell> cells;
  std::string bytes;

  void add(std::string_view text) {
    cells.push_back({static_cast<std::uint32_t>(bytes.size()), static_cast<std::uint32_t>(text.size())});
    bytes += text;
  }
  void add_missing() { cells.push_back({missing_text, 0}); }
  [[nodiscard]] std::string_view at(std::size_t i) const {
    return std::string_view(bytes).substr(cells[i].begin, cells[i].size);
  }
};

struct Read {
  std::vector<double> numbers;
  std::vector<std::uint8_t> faults;
};

/// What the device makes of `column` of `columns`; elsewhere there is what was there before.
Read on_device(TextRule const& rule, Texts const& texts, std::size_t column, std::size_t columns) {
  cuda::Stream stream;
  std::size_t const count = texts.cells.size();
  auto const cells = cuda::uploaded<TextCell>(stream, texts.cells, "cells");
  auto const bytes = cuda::uploaded<char>(stream, texts.bytes, "bytes");
  cuda::DeviceArray<double> const numbers(count, "numbers");
  cuda::DeviceArray<std::uint8_t> const faults(count, "faults");
  stream.fill(numbers.get(), 0x11, numbers.size_bytes());
  stream.fill(faults.get(), 0x11, faults.size_bytes());
  cuda::DeviceTextReader reader(stream, rule);
  reader.read({cells.get(), bytes.get(), count / columns, columns}, column, numbers.get(), faults.get());
  cuda::MappedArray<double> const found_numbers(count, "numbers");
  cuda::MappedArray<std::uint8_t> const found_faults(count, "faults");
  stream.copy(found_numbers.get(), numbers.get(), numbers.size_bytes(), "copy out");
  stream.copy(found_faults.get(), faults.get(), faults.size_bytes(), "copy out");
  stream.wait();
  return {{found_numbers.get(), found_numbers.get() + count}, {found_faults.get(), found_faults.get() + count}};
}

/// `least` of the texts, at least, become numbers.
void check(TextRule const& rule, Texts const& texts, std::size_t column, std::size_t columns, std::size_t least) {
  Read const found = on_device(rule, texts, column, columns);
  std::size_t values = 0;
  for (std::size_t i = 0; i < texts.cells.size(); ++i) {
    std::uint64_t const bits = bit_cast<std::uint64_t>(found.numbers[i]);
    if (i % columns != column) {
      ASSERT_EQ(bits, 0x1111111111111111u) << "a text of another column";
      ASSERT_EQ(found.faults[i], 0x11);
      continue;
    }
    bool const is_missing = texts.cells[i].begin == missing_text;
    std::string_view const text = is_missing ? std::string_view{} : texts.at(i);
    TextValue const expected =
        is_missing ? TextValue{TextValue::missing, 0} : normalize::read_text(rule, text.data(), text.size());
    bool const is_value = expected.kind == TextValue::value;
    values += is_value ? 1 : 0;
    ASSERT_EQ(bits, is_value ? bit_cast<std::uint64_t>(expected.number) : missing_float64_bits)
        << "`" << text << "`: " << found.numbers[i] << " and not " << expected.number;
    ASSERT_EQ(found.faults[i], expected.kind == TextValue::fault ? 1 : 0) << "`" << text << "`";
  }
  EXPECT_GE(values, least);
}

/// Any bytes, of any length, often of few different ones.
std::string any_text(std::mt19937_64& random) {
  std::size_t const size = random() % 12 == 0 ? random() % 3000 : random() % 20;
  std::string text(size, '\0');
  unsigned const different = random() % 2 == 0 ? 2 : 256;
  for (char& byte : text) byte = static_cast<char>(random() % different);
  return text;
}

std::vector<std::string> any_vocabulary(std::mt19937_64& random, std::size_t count) {
  std::vector<std::string> words;
  while (words.size() < count) {
    std::string word = any_text(random);
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(std::move(word));
  }
  return words;
}

/// Words, words with a byte changed, added or taken away, and others.
Texts texts_around(std::mt19937_64& random, std::vector<std::string> const& words, std::size_t count) {
  Texts texts;
  while (texts.cells.size() < count) {
    std::string text = words.empty() ? "" : words[random() % words.size()];
    switch (random() % 8) {
      case 0: text += 'x'; break;
      case 1: text = text.substr(0, text.size() - std::min<std::size_t>(1, text.size())); break;
      case 2:
        if (!text.empty()) text[random() % text.size()] ^= 1;
        break;
      case 3: text = any_text(random); break;
      case 4: texts.add_missing(); continue;
      default: break;
    }
    texts.add(text);
  }
  return texts;
}

TEST(DeviceTexts, RandomVocabularies) {
  std::mt19937_64 random(1);
  for (std::size_t const words : {0u, 1u, 2u, 3u, 17u, 255u, 1000u}) {
    std::vector<std::string> const vocabulary = any_vocabulary(random, words);
    VocabularyTable const table(vocabulary);
    for (Unknown const unknown : {Unknown::fault, Unknown::ignore, Unknown::other}) {
      TextRule rule;
      rule.vocabulary = table.view();
      rule.unknown = unknown;
      Texts const texts = texts_around(random, vocabulary, 900);
      for (std::size_t column = 0; column < 3; ++column) check(rule, texts, column, 3, words == 0 ? 0 : 80);
      check(rule, texts, 0, 1, words == 0 ? 0 : 300);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

/// Two entries of one size, in slots that follow each other, with the same tag: bytes decide. And a full turn: the
/// search goes on behind the last slot with the first.
TEST(DeviceTexts, EntriesThatLookAlike) {
  std::string const word = "abcdefghij", other = "abcdefghix", third = "abcdefgh";
  auto const hash = [](std::string const& text) { return normalize::hash_of(text.data(), text.size()); };
  std::vector<Vocabulary::Slot> slots(8);
  std::size_t at = hash(word) & 7;
  for (std::uint32_t const entry : {1u, 2u, 0u, 3u}) {  // all with the tag of `word`
    slots[at] = {entry, static_cast<std::uint32_t>(hash(word) >> 32)};
    at = (at + 1) & 7;
  }
  std::string const bytes = word + other + third;
  std::vector<std::uint64_t> const begins = {0, 10, 20, 28, 28};
  TextRule rule;
  rule.vocabulary = {slots.data(), 7, 4, begins.data(), bytes.data()};
  Texts texts;
  texts.add(word);
  EXPECT_EQ(on_device(rule, texts, 0, 1).numbers[0], 0.0);
  for (std::string const& text : {other, third, std::string(), std::string("nowhere")}) texts.add(text);
  check(rule, texts, 0, 1, 1);
}

TEST(DeviceTexts, HashesBooleansAndTimes) {
  std::mt19937_64 random(3);
  std::vector<std::string> const words = {"true",
                                          "False",
                                          "YES",
                                          "no",
                                          "t",
                                          "F",
                                          "y",
                                          "N",
                                          "on",
                                          "oFF",
                                          "1",
                                          "0",
                                          "2",
                                          "",
                                          "truex",
                                          "2024-02-29",
                                          "2024-02-29T23:59:59.5Z",
                                          "2024/02/29 23:59+05:30",
                                          "2023-02-29",
                                          "2/29/2024 7:05",
                                          "29.2.2024",
                                          "1709251199",
                                          "-1",
                                          "1709251199500",
                                          "9999-12-31",
                                          "0001-01-01",
                                          "10000-01-01"};
  Texts const texts = texts_around(random, words, 3000);
  for (unsigned const bits : {1u, 10u, 30u}) {
    TextRule rule;
    rule.reading = Reading::hash;
    rule.hash_bits = static_cast<std::uint8_t>(bits);
    check(rule, texts, 0, 1, 2000);
  }
  TextRule rule;
  rule.reading = Reading::boolean;
  check(rule, texts, 0, 1, 300);
  rule.reading = Reading::time;
  for (std::size_t format = 0; format < std::size(normalize::time_format_names); ++format) {
    rule.time_format = static_cast<normalize::TimeFormat>(format);
    check(rule, texts, 0, 1, 30);
  }
}

TEST(DeviceTexts, NoTexts) {
  TextRule rule;
  rule.reading = Reading::boolean;
  EXPECT_TRUE(on_device(rule, {}, 0, 1).numbers.empty());
}

}  // namespace
}  // namespace penstock
