// Texts counted against std::map, and their order.

#include "host/app/category_counts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace penstock::app {
namespace {

using Counts = std::vector<std::pair<std::string, std::uint64_t>>;

Counts expected_of(std::map<std::string, std::uint64_t> const& counts) {
  Counts list(counts.begin(), counts.end());  // in the order of bytes
  std::ranges::stable_sort(list, [](auto const& a, auto const& b) { return a.second > b.second; });
  return list;
}

TEST(CategoryCounts, EqualAMap) {
  std::mt19937_64 random(11);
  for (std::size_t const texts : {1u, 2u, 511u, 512u, 513u, 30000u}) {
    CategoryCounts counts;
    std::map<std::string, std::uint64_t> expected;
    for (std::size_t i = 0; i < 3 * texts; ++i) {
      std::string text(random() % 12, 'p');
      text += std::to_string(random() % texts);
      if (random() % 9 == 0) text.assign(random() % 3, static_cast<char>(random()));
      counts.add(text);
      ++expected[text];
    }
    EXPECT_EQ(counts.size(), expected.size());
    EXPECT_EQ(counts.by_count(), expected_of(expected));
  }
}

TEST(CategoryCounts, FrequentTextsComeFirstThenBytesDecide) {
  CategoryCounts counts;
  for (std::string const text : {"b", "a", "b", "\xff", "", "aa", "B", "a"}) counts.add(text);
  Counts const expected = {{"a", 2}, {"b", 2}, {"", 1}, {"B", 1}, {"aa", 1}, {"\xff", 1}};
  EXPECT_EQ(counts.by_count(), expected);
}

TEST(CategoryCounts, TheOrderInWhichTextsComeDoesNotMatter) {
  std::vector<std::string> texts;
  for (int i = 0; i < 5000; ++i) texts.push_back("w" + std::to_string(i * i % 997));
  CategoryCounts forward, backward;
  for (auto const& text : texts) forward.add(text);
  std::ranges::reverse(texts);
  for (auto const& text : texts) backward.add(text);
  EXPECT_EQ(forward.by_count(), backward.by_count());
  EXPECT_EQ(forward.size(), 499u);
}

TEST(CategoryCounts, BytesOfZeroBelongToATextAndItsMemoryIsCounted) {
  CategoryCounts counts;
  counts.add(std::string(1, '\0'));
  counts.add("");
  counts.add(std::string(2, '\0'));
  EXPECT_EQ(counts.size(), 3u);
  std::size_t const before = counts.memory_bytes();
  for (int i = 0; i < 10000; ++i) counts.add(std::string(100, 'x') + std::to_string(i));
  EXPECT_GE(counts.memory_bytes(), before + 10000 * (100 + 24));
}

}  // namespace
}  // namespace penstock::app
