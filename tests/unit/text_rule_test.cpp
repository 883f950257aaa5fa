// Texts to numbers: vocabularies against std::map, hashes that may never change, words for true and false.

#include "formats/normalize/text_rule.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/exec/normalizer.hpp"

namespace penstock {
namespace {

using normalize::Reading;
using normalize::TextRule;
using normalize::TextValue;
using normalize::Unknown;
using normalize::Vocabulary;

std::uint64_t hash_of(std::string_view text) { return normalize::hash_of(text.data(), text.size()); }

std::uint32_t find(Vocabulary const& vocabulary, std::string_view text) {
  return vocabulary.find(normalize::head_of(text.data(), text.size()), text.data(), text.size());
}

TextValue read(TextRule const& rule, std::string_view text) {
  return normalize::read_text(rule, text.data(), text.size());
}

/// Empty, of one byte, with a long beginning that many share, and of any bytes.
std::string random_text(std::mt19937_64& random) {
  std::string text;
  switch (random() % 4) {
    case 0: break;
    case 1: text = "the same long beginning of many texts "; break;
    case 2: text = std::string(random() % 3, '\0'); break;
    default:
      for (std::size_t i = random() % 30; i > 0; --i) text += static_cast<char>(random());
  }
  return text + std::to_string(random() % 200'000);
}

/// Texts of one hash are told apart by their bytes; such are hard to find, so slots are made that look like theirs.
TEST(Vocabulary, ComparesAllBytesOfHeads) {
  std::string const text = "ab";
  std::uint64_t const hash = hash_of(text);
  auto const find_beside = [&](std::string const& head, std::size_t size) {
    Vocabulary::Slot slots[2];
    slots[hash & 1] = {normalize::head_of(head.data(), head.size()), Vocabulary::tag_of(hash, size), 7};
    Vocabulary words;
    words.slots = slots;
    words.mask = 1;
    return find(words, text);
  };
  EXPECT_EQ(find_beside("ab", 2), 7u);
  for (auto const* const head : {"xb", "ax", "a", "abc", ""}) EXPECT_EQ(find_beside(head, 2), Vocabulary::none) << head;
  for (std::size_t const size : {0, 1, 3, 8, 9, 18}) EXPECT_EQ(find_beside("ab", size), Vocabulary::none) << size;
}

TEST(Vocabulary, ComparesAllBytesBehindHeads) {
  VocabularyTable const table({"", "abc", "abcdefgh", "abcdefghij", "abcdefghijklmnop", "abcdefghijklmnopq"});
  normalize::Vocabulary const words = table.view();
  ASSERT_EQ(words.rest_words, 2u + 2u + 3u);
  std::vector<std::string> const texts = {
      "abcdefghij",  "abcdefghijklmnop", "abcdefghijklmnopq", "abcdefghi",         "abcdefghix",       "abcdefghxj",
      "abcdefghijk", "abcdefghijklmnox", "abcdefghxjklmnop",  "abcdefghijklmnopx", "abcdefghijklmnoxq"};
  for (std::string const& text : texts) {
    auto const goes_on = [&](std::size_t at) {
      return Vocabulary::goes_on(words.rests + at, text.data(), text.size());
    };
    EXPECT_EQ(goes_on(0), text == "abcdefghij") << text;
    EXPECT_EQ(goes_on(2), text == "abcdefghijklmnop") << text;
    EXPECT_EQ(goes_on(4), text == "abcdefghijklmnopq") << text;
  }
}

TEST(TextRule, AVocabularyFindsWhatAMapFinds) {
  std::mt19937_64 random(12);
  std::map<std::string, std::uint32_t> expected = {{"", 0}, {std::string(1, '\0'), 1}, {std::string(2, '\0'), 2}};
  std::vector<std::string> entries = {"", std::string(1, '\0'), std::string(2, '\0')};
  while (entries.size() < 50'000) {
    std::string const text = random_text(random);
    if (expected.emplace(text, static_cast<std::uint32_t>(entries.size())).second) entries.push_back(text);
  }
  VocabularyTable const table(entries);
  Vocabulary const vocabulary = table.view();
  EXPECT_EQ(vocabulary.entries, entries.size());
  EXPECT_GE(vocabulary.mask + 1, 2 * entries.size());
  std::size_t known = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string const text = random_text(random);
    auto const found = expected.find(text);
    known += found != expected.end() ? 1 : 0;
    ASSERT_EQ(find(vocabulary, text), found == expected.end() ? Vocabulary::none : found->second) << text;
  }
  EXPECT_GT(known, 1000u);
  for (auto const& [text, number] : expected) ASSERT_EQ(find(vocabulary, text), number) << text;
}

TEST(TextRule, VocabulariesOfFewEntries) {
  VocabularyTable const none(std::vector<std::string>{});
  EXPECT_EQ(find(none.view(), ""), Vocabulary::none);
  EXPECT_EQ(find(none.view(), "a"), Vocabulary::none);
  VocabularyTable table({"only"});
  VocabularyTable const moved = std::move(table);
  EXPECT_EQ(find(moved.view(), "only"), 0u);
  for (auto const* const other : {"", "onl", "only ", "Only"}) EXPECT_EQ(find(moved.view(), other), Vocabulary::none);
}

/// From another implementation of what text_rule.hpp says, in Python's integers.
TEST(TextRule, HashesNeverChange) {
  EXPECT_EQ(hash_of(""), 0xd1dc8b3416f9bbfdu);
  EXPECT_EQ(hash_of("a"), 0xab5aacaa766ade83u);
  EXPECT_EQ(hash_of("Paris"), 0x172c1e9a7ea8c9f7u);
  EXPECT_EQ(hash_of("12345678"), 0x29dba2d410a09496u);
  EXPECT_EQ(hash_of("a longer text of some words"), 0x91ff6c1f87245207u);
  EXPECT_EQ(hash_of(std::string_view("\xff\x00", 2)), 0xec9cfa6e76fc448du);
}

TEST(TextRule, BytesBehindATextAreNotRead) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::string const text(size, 'q');
    std::string const one = text + "behind it", other = text + "what else";
    EXPECT_EQ(normalize::hash_of(one.data(), size), normalize::hash_of(other.data(), size));
    std::vector<char> const exact(text.begin(), text.end());  // its end is the end of its memory
    EXPECT_EQ(normalize::hash_of(exact.data(), size), normalize::hash_of(one.data(), size));
  }
}

TEST(TextRule, TextsThatDifferLittleHaveOtherHashes) {
  std::set<std::uint64_t> hashes;
  for (std::size_t zeros = 0; zeros < 64; ++zeros) hashes.insert(hash_of(std::string(zeros, '\0')));
  for (int i = 0; i < 100'000; ++i) hashes.insert(hash_of("user" + std::to_string(i)));
  EXPECT_EQ(hashes.size(), 100'064u);
}

TEST(TextRule, BucketsAreTheUpperBitsOfTheHash) {
  for (unsigned const bits : {1u, 10u, 24u}) {
    TextRule rule;
    rule.reading = Reading::hash;
    rule.hash_bits = static_cast<std::uint8_t>(bits);
    std::vector<int> counts(16);
    for (int i = 0; i < 16'000; ++i) {
      std::string const text = "word " + std::to_string(i);
      TextValue const value = read(rule, text);
      ASSERT_EQ(value.kind, TextValue::value);
      ASSERT_EQ(value.number, static_cast<double>(hash_of(text) >> (64 - bits)));
      ++counts[hash_of(text) >> 60];
    }
    // Sixteen buckets of 1,000 on average, with a standard deviation of 31.
    for (int const count : counts) EXPECT_NEAR(count, 1000, 200);
  }
}

TEST(TextRule, UnknownWords) {
  VocabularyTable const table({"a", "b"});
  TextRule rule;
  rule.vocabulary = table.view();
  EXPECT_EQ(read(rule, "b").number, 1.0);
  EXPECT_EQ(read(rule, "c").kind, TextValue::fault);
  rule.unknown = Unknown::ignore;
  EXPECT_EQ(read(rule, "c").kind, TextValue::missing);
  rule.unknown = Unknown::other;
  EXPECT_EQ(read(rule, "c").kind, TextValue::value);
  EXPECT_EQ(read(rule, "c").number, 2.0);
  EXPECT_EQ(read(rule, "a").number, 0.0);
}

TEST(TextRule, TrueAndFalse) {
  TextRule rule;
  rule.reading = Reading::boolean;
  for (auto const* const word : {"true", "yes", "t", "y", "on", "1", "TRUE", "Yes", "oN", "T"}) {
    EXPECT_EQ(read(rule, word).kind, TextValue::value) << word;
    EXPECT_EQ(read(rule, word).number, 1.0) << word;
  }
  for (auto const* const word : {"false", "no", "f", "n", "off", "0", "False", "NO", "OFF"}) {
    EXPECT_EQ(read(rule, word).kind, TextValue::value) << word;
    EXPECT_EQ(read(rule, word).number, 0.0) << word;
  }
  for (auto const* const word :
       {"", " yes", "yes ", "2", "truth", "tru", "of", "1.0", "ye\x13", "ja", "\x11", "O", "q"})
    EXPECT_EQ(read(rule, word).kind, TextValue::fault) << word;
}

TEST(TextRule, Times) {
  TextRule rule;
  rule.reading = Reading::time;
  EXPECT_EQ(read(rule, "2024-02-29").number, 1709164800.0);
  EXPECT_EQ(read(rule, "1969-12-31 23:59:59.5").number, -0.5);
  EXPECT_EQ(read(rule, "2023-02-29").kind, TextValue::fault);
  EXPECT_EQ(read(rule, "2/29/2024").kind, TextValue::fault);
  rule.time_format = normalize::TimeFormat::us;
  EXPECT_EQ(read(rule, "2/29/2024").number, 1709164800.0);
}

}  // namespace
}  // namespace penstock
