// Quantiles: exact ones against sorted values, those of the tree against a slow tree of the same definition, and ranks.

#include "formats/statistics/quantiles.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "formats/statistics/radix_sort.hpp"

namespace penstock::statistics {
namespace {

constexpr double some_quantiles[] = {0, 0.001, 0.01, 0.05, 0.25, 1.0 / 3, 0.5, 0.75, 0.95, 0.99, 0.9999, 1};

template <class T, class U>
BasicQuantiles<T> quantiles_of(std::vector<U> const& values, std::size_t exact_values = exact_values_default) {
  BasicQuantiles<T> quantiles(exact_values);
  for (std::size_t begin = 0; begin < values.size(); begin += tile_rows)
    quantiles.add_tile(values.data() + begin, std::min(tile_rows, values.size() - begin), 1);
  quantiles.finish();
  return quantiles;
}

std::vector<double> finite_in_order(std::vector<float> const& values) {
  std::vector<double> finite;
  for (float const x : values)
    if (std::isfinite(x)) finite.push_back(x);
  std::sort(finite.begin(), finite.end());
  return finite;
}

/// Values of which `share` are finite.
std::vector<float> random_floats(std::uint64_t seed, std::size_t count, double share) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform;
  std::vector<float> values(count);
  for (float& value : values) {
    value = static_cast<float>(std::normal_distribution<double>(-2, 3)(random));
    if (random() % 16 == 0) value = std::round(value);
    if (uniform(random) >= share)
      value = random() % 2 == 0 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  }
  return values;
}

/// The definition in the header, with a node for every place and every value.
struct SlowNode {
  unsigned exponent = 0;
  std::vector<double> values;

  void drop(std::uint64_t level, std::uint64_t index) {
    std::vector<double> stay;
    for (std::size_t i = mixed_bits(index * 64 + level) >> exponent & 1; i < values.size(); i += 2)
      stay.push_back(values[i]);
    values = stay;
    ++exponent;
  }
};

SlowNode slow_node(std::vector<float> const& values, std::uint64_t level, std::uint64_t index) {
  SlowNode node;
  if (level == 0) {
    auto const begin = static_cast<std::ptrdiff_t>(index * 1024);
    node.values = finite_in_order({values.begin() + begin, values.begin() + begin + 1024});
    return node;
  }
  SlowNode left = slow_node(values, level - 1, 2 * index), right = slow_node(values, level - 1, 2 * index + 1);
  if (left.values.empty()) return right;
  if (right.values.empty()) return left;
  while (left.exponent < right.exponent) left.drop(level - 1, 2 * index);
  while (right.exponent < left.exponent) right.drop(level - 1, 2 * index + 1);
  node.exponent = left.exponent;
  node.values = left.values;
  node.values.insert(node.values.end(), right.values.begin(), right.values.end());
  std::sort(node.values.begin(), node.values.end());
  if (node.values.size() > 1024) node.drop(level, index);
  return node;
}

/// Of a whole number of tiles: the nodes that have no sibling, and from them the quantile.
double slow_quantile(std::vector<float> const& values, double q) {
  std::vector<double> const all = finite_in_order(values);
  if (all.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (q == 0) return all.front();
  if (q == 1) return all.back();
  std::vector<double> standing;
  std::uint64_t tile = 0;
  for (std::uint64_t level = 63; level-- != 0;) {
    if ((values.size() / 1024 >> level & 1) == 0) continue;
    SlowNode const node = slow_node(values, level, tile >> level);
    for (double const x : node.values) standing.insert(standing.end(), std::size_t{1} << node.exponent, x);
    tile += std::uint64_t{1} << level;
  }
  std::sort(standing.begin(), standing.end());
  auto const position = static_cast<std::size_t>(static_cast<double>(all.size() - 1) * q);
  return position < standing.size() ? standing[position] : all.back();
}

/// How far from `q` the ranks of `x` are, as a share of all values.
double rank_error(std::vector<double> const& in_order, double x, double q) {
  auto const n = static_cast<double>(in_order.size() - 1);
  auto const first = static_cast<double>(std::lower_bound(in_order.begin(), in_order.end(), x) - in_order.begin());
  auto const last = static_cast<double>(std::upper_bound(in_order.begin(), in_order.end(), x) - in_order.begin() - 1);
  return std::max({first / n - q, q - last / n, 0.0});
}

TEST(RadixSort, OrdersAsComparingDoes) {
  std::mt19937_64 random(1);
  for (std::size_t const count : {0u, 1u, 2u, 3u, 255u, 1024u, 5000u}) {
    std::vector<float> floats(count), float_scratch(count);
    std::vector<double> doubles(count), double_scratch(count);
    for (std::size_t i = 0; i < count; ++i) {
      floats[i] =
          static_cast<float>(std::ldexp(static_cast<double>(random() % 4096) - 2048, static_cast<int>(i % 200) - 130)) +
          0.0f;
      doubles[i] = std::ldexp(static_cast<double>(random() % 4096) - 2048, static_cast<int>(i % 2000) - 1050) + 0.0;
    }
    std::vector<float> sorted_floats = floats;
    std::vector<double> sorted_doubles = doubles;
    std::sort(sorted_floats.begin(), sorted_floats.end());
    std::sort(sorted_doubles.begin(), sorted_doubles.end());
    radix_sort<std::uint16_t>(floats.data(), float_scratch.data(), count);
    radix_sort<std::uint32_t>(doubles.data(), double_scratch.data(), count);
    EXPECT_EQ(floats, sorted_floats);
    EXPECT_EQ(doubles, sorted_doubles);
  }
}

TEST(Quantiles, OfFewValuesAreExact) {
  std::vector<double> const values = {7, 1, 3, 10};
  BasicQuantiles<double> const quantiles = quantiles_of<double>(values);
  EXPECT_TRUE(quantiles.is_exact());
  EXPECT_EQ(quantiles.count(), 4u);
  EXPECT_EQ(quantiles.quantile(0), 1);
  EXPECT_EQ(quantiles.quantile(0.5), 5);     // half way from 3 to 7
  EXPECT_EQ(quantiles.quantile(0.25), 2.5);  // position 0.75
  EXPECT_EQ(quantiles.quantile(1), 10);
  EXPECT_EQ(quantiles_of<double>(std::vector<double>{-0.0}).quantile(0.5), 0);
  EXPECT_FALSE(std::signbit(quantiles_of<double>(std::vector<double>{-0.0}).quantile(0.5)));
  EXPECT_EQ(quantiles_of<double>(std::vector<std::int64_t>{5, 6, 7}).quantile(0.5), 6);
  double const huge = std::numeric_limits<double>::max();
  EXPECT_EQ(quantiles_of<double>(std::vector<double>{-huge, huge}).quantile(0.5), 0);
}

TEST(Quantiles, OfNoValues) {
  EXPECT_TRUE(std::isnan(quantiles_of<double>(std::vector<double>{}).quantile(0.5)));
  std::vector<double> const missing(3000, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(quantiles_of<double>(missing).count(), 0u);
  EXPECT_TRUE(std::isnan(quantiles_of<double>(missing, 0).quantile(0.5)));
}

TEST(Quantiles, AreExactAtTheLimitAndOnRequest) {
  std::vector<float> values = random_floats(3, 65536, 1);
  EXPECT_TRUE(quantiles_of<float>(values).is_exact());
  values.push_back(1);
  EXPECT_FALSE(quantiles_of<float>(values).is_exact());
  BasicQuantiles<float> const exact = quantiles_of<float>(values, exact_values_all);
  std::vector<double> const in_order = finite_in_order(values);
  ASSERT_TRUE(exact.is_exact());
  for (double const q : some_quantiles) {
    double const position = q * 65536;
    auto const below = static_cast<std::size_t>(position);
    long double const a = in_order[below], b = in_order[std::min<std::size_t>(below + 1, 65536)];
    EXPECT_DOUBLE_EQ(exact.quantile(q), static_cast<double>(a + (b - a) * (position - static_cast<double>(below))));
  }
}

TEST(Quantiles, TheTreeIsTheOneWrittenDown) {
  for (double const share : {1.0, 0.9, 0.3, 0.01, 0.001}) {
    std::vector<float> values = random_floats(11, 1024 * 45, share);
    std::fill(values.begin() + 5000, values.begin() + 15000, std::numeric_limits<float>::quiet_NaN());
    BasicQuantiles<float> const quantiles = quantiles_of<float>(values, 0);
    for (double const q : some_quantiles)
      EXPECT_EQ(quantiles.quantile(q), slow_quantile(values, q)) << share << " " << q;
  }
}

TEST(Quantiles, WhenValuesStopBeingKeptDoesNotMatter) {
  for (double const share : {1.0, 0.2, 0.003}) {
    std::vector<float> const values = random_floats(12, 70001, share);
    BasicQuantiles<float> const wanted = quantiles_of<float>(values, 0);
    for (std::size_t const exact_values : {1u, 100u, 1024u, 5000u}) {
      BasicQuantiles<float> const found = quantiles_of<float>(values, exact_values);
      if (found.is_exact()) continue;
      for (double const q : some_quantiles)
        EXPECT_EQ(found.quantile(q), wanted.quantile(q)) << exact_values << " " << q;
    }
  }
}

TEST(Quantiles, OfFloatsAreThoseOfTheSameDoubles) {
  std::vector<float> const values = random_floats(13, 200000, 0.7);
  BasicQuantiles<float> const floats = quantiles_of<float>(values);
  BasicQuantiles<double> const doubles = quantiles_of<double>(std::vector<double>(values.begin(), values.end()));
  for (double const q : some_quantiles) EXPECT_EQ(floats.quantile(q), doubles.quantile(q)) << q;
}

TEST(Quantiles, RanksAreWithinWhatIsWrittenDown) {
  constexpr std::size_t tiles = 1000;
  for (int kind = 0; kind < 4; ++kind) {
    std::vector<float> values = random_floats(20, tiles * 1024, kind == 3 ? 0.1 : 1);
    if (kind == 1) std::sort(values.begin(), values.end());
    if (kind == 2) std::sort(values.begin(), values.end(), std::greater<>());
    BasicQuantiles<float> const quantiles = quantiles_of<float>(values);
    ASSERT_FALSE(quantiles.is_exact());
    std::vector<double> const in_order = finite_in_order(values);
    double squares = 0;
    for (int i = 0; i <= 1000; ++i) {
      double const error = rank_error(in_order, quantiles.quantile(i / 1000.0), i / 1000.0);
      EXPECT_LE(error, 9 / 2048.0) << kind << " " << i;
      squares += error * error;
    }
    EXPECT_LE(std::sqrt(squares / 1001), 1.5 / 1448) << kind;
  }
}

}  // namespace
}  // namespace penstock::statistics
