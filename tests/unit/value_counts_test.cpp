// Distinct and frequent values: against std::map and std::set, and the standard error that is written down.

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include "formats/statistics/distinct.hpp"
#include "formats/statistics/frequent.hpp"

namespace penstock::statistics {
namespace {

TEST(DistinctSketch, OfFewValues) {
  DistinctSketch sketch;
  EXPECT_EQ(sketch.estimate(), 0u);
  for (int repeat = 0; repeat < 100; ++repeat) sketch.add(1.5);
  EXPECT_EQ(sketch.estimate(), 1u);
  sketch.add(0.0);
  sketch.add(-0.0);
  EXPECT_EQ(sketch.estimate(), 2u);
  for (int i = 1; i <= 98; ++i) sketch.add(1.5 + i);
  EXPECT_NEAR(static_cast<double>(sketch.estimate()), 100, 1);
}

/// Relative errors over different sets of values have the deviation that is written down (0.81%, and what so few sets
/// leave to chance) and no bias.
TEST(DistinctSketch, HasTheStandardErrorWrittenDown) {
  for (std::size_t const count : {1000u, 20000u, 40000u, 60000u, 200000u, 1000000u}) {
    int const sets = count > 500000 ? 20 : 60;
    double squares = 0, sum = 0;
    for (int set = 0; set < sets; ++set) {
      DistinctSketch sketch;
      for (std::size_t i = 0; i < count; ++i) sketch.add(static_cast<double>(i) + 1e7 * set);
      double const error = static_cast<double>(sketch.estimate()) / static_cast<double>(count) - 1;
      squares += error * error;
      sum += error;
    }
    EXPECT_LT(std::sqrt(squares / sets), 0.0081 * 1.35) << count;
    EXPECT_LT(std::abs(sum / sets), 0.0081 * 3.5 / std::sqrt(sets)) << count;
  }
}

TEST(DistinctSketch, NeitherOrderNorPartsMatter) {
  DistinctSketch all, reverse, first, second;
  for (int i = 0; i < 50000; ++i) {
    all.add(i);
    reverse.add(49999 - i);
    (i % 3 == 0 ? first : second).add(i);
  }
  second.add(0);
  first.merge(second);
  EXPECT_EQ(all, reverse);
  EXPECT_EQ(all, first);
}

std::vector<ValueCount> slow_most_frequent(std::vector<double> const& values, std::size_t count) {
  std::map<double, std::uint64_t> counts;
  for (double const x : values) ++counts[x];
  std::multimap<std::uint64_t, double, std::greater<>> by_count;  // of equal counts in the order that they come in
  for (auto const& [value, times] : counts) by_count.emplace(times, value);
  std::vector<ValueCount> found;
  for (auto const& [times, value] : by_count)
    if (found.size() < count) found.push_back({value, times});
  return found;
}

TEST(ValueCounts, AgreeWithAMap) {
  std::mt19937_64 random(2);
  for (std::size_t const different : {1u, 2u, 7u, 300u, 5000u}) {
    std::vector<double> values;
    for (int i = 0; i < 20000; ++i) {
      auto const x = static_cast<double>(std::min(random() % different, random() % different));
      values.push_back(random() % 2 == 0 ? -x / 8 : x);  // -0 among them
    }
    values.push_back(std::numeric_limits<double>::infinity());
    values.push_back(std::numeric_limits<double>::denorm_min());
    ValueCounts counts, first, second;
    for (double const x : values) counts.add(x);
    for (std::size_t i = 0; i < values.size(); ++i) (i % 3 == 0 ? first : second).add(values[i]);
    first.merge(second);
    for (std::size_t const count : {0u, 1u, 10u, 100000u}) {
      std::vector<ValueCount> const wanted = slow_most_frequent(values, count);
      EXPECT_EQ(counts.most_frequent(count), wanted);
      EXPECT_EQ(first.most_frequent(count), wanted);
    }
    EXPECT_EQ(counts.distinct(), slow_most_frequent(values, 100000).size());
    EXPECT_TRUE(counts.is_exact());
  }
}

TEST(ValueCounts, ZeroHasOneSign) {
  ValueCounts counts;
  counts.add(-0.0);
  counts.add(0.0);
  ASSERT_EQ(counts.most_frequent(5).size(), 1u);
  EXPECT_FALSE(std::signbit(counts.most_frequent(5)[0].value));
  EXPECT_EQ(counts.most_frequent(5)[0].count, 2u);
}

TEST(ValueCounts, BeyondTheLimit) {
  ValueCounts counts(1000), first(1000), second(1000);
  DistinctSketch sketch;
  for (int i = 0; i < 1000; ++i) counts.add(i), counts.add(i), sketch.add(i);
  EXPECT_TRUE(counts.is_exact());
  EXPECT_EQ(counts.distinct(), 1000u);
  EXPECT_EQ(counts.most_frequent(1), (std::vector<ValueCount>{{0, 2}}));
  counts.add(-1);
  sketch.add(-1);
  EXPECT_FALSE(counts.is_exact());
  EXPECT_TRUE(counts.most_frequent(1).empty());
  EXPECT_EQ(counts.distinct(), sketch.estimate());
  for (int i = 1000; i < 70000; ++i) counts.add(i), sketch.add(i);
  EXPECT_EQ(counts.distinct(), sketch.estimate());
  // Parts that are within the limit, and together beyond it; and one that is beyond it alone.
  for (int i = 0; i < 600; ++i) first.add(i), second.add(i + 600);
  first.merge(second);
  EXPECT_FALSE(first.is_exact());
  second.merge(counts);
  EXPECT_EQ(second.distinct(), counts.distinct());
}

}  // namespace
}  // namespace penstock::statistics
