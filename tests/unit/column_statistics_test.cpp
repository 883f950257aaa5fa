// Statistics of columns: against obvious loops in long double, and the same bits for batches of any size.

#include "host/app/column_statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "formats/statistics/tile.hpp"

namespace penstock {
namespace {

using app::TensorStatistics;
using statistics::Moments;
using statistics::Summary;

template <class T>
Dense tensor_of(std::vector<T>& values, std::size_t columns, DType dtype) {
  return {reinterpret_cast<std::byte*>(values.data()), dtype, values.size() / columns, columns};
}

template <class T>
std::vector<Summary> summaries(std::vector<T> values, std::size_t columns, DType dtype, std::size_t batch_rows) {
  TensorStatistics statistics(dtype, columns);
  Dense const all = tensor_of(values, columns, dtype);
  for (std::size_t begin = 0; begin < all.rows; begin += batch_rows) {
    Dense part = all;
    part.data += begin * columns * sizeof(T);
    part.rows = std::min(batch_rows, all.rows - begin);
    statistics.add(part);
  }
  EXPECT_EQ(statistics.rows(), all.rows);
  auto const found = statistics.finish();
  return {found.begin(), found.end()};
}

/// Two passes over one column.
template <class T>
Summary slow_summary(std::vector<T> const& values, std::size_t columns, std::size_t column) {
  Summary summary;
  long double sum = 0, m2 = 0, m3 = 0;
  std::vector<long double> finite;
  for (std::size_t i = column; i < values.size(); i += columns) {
    auto const x = static_cast<double>(values[i]);
    summary.missing += std::isnan(x) ? 1 : 0;
    summary.infinite += std::isinf(x) ? 1 : 0;
    summary.zeros += x == 0 ? 1 : 0;
    if (std::isfinite(x)) finite.push_back(x);
  }
  summary.moments.count = finite.size();
  if (finite.empty()) return summary;
  summary.least = static_cast<double>(*std::min_element(finite.begin(), finite.end()));
  summary.greatest = static_cast<double>(*std::max_element(finite.begin(), finite.end()));
  for (long double const x : finite) sum += x;
  long double const mean = sum / static_cast<long double>(finite.size());
  for (long double const x : finite) m2 += (x - mean) * (x - mean), m3 += (x - mean) * (x - mean) * (x - mean);
  summary.moments.mean = static_cast<double>(mean);
  summary.moments.m2 = static_cast<double>(m2);
  summary.moments.m3 = static_cast<double>(m3);
  return summary;
}

void expect_near(Summary const& found, Summary const& wanted) {
  EXPECT_EQ(found.missing, wanted.missing);
  EXPECT_EQ(found.infinite, wanted.infinite);
  EXPECT_EQ(found.zeros, wanted.zeros);
  EXPECT_EQ(found.least, wanted.least);
  EXPECT_EQ(found.greatest, wanted.greatest);
  ASSERT_EQ(found.moments.count, wanted.moments.count);
  if (wanted.moments.count == 0) return;
  // Relative to the column's scale: what its values are, and how far they lie apart.
  double const scale = std::max(std::abs(wanted.least), std::abs(wanted.greatest));
  auto const n = static_cast<double>(wanted.moments.count);
  EXPECT_NEAR(found.moments.mean, wanted.moments.mean, 1e-12 * scale);
  EXPECT_NEAR(found.moments.m2 / n, wanted.moments.m2 / n, 1e-12 * scale * scale);
  EXPECT_NEAR(found.moments.m3 / n, wanted.moments.m3 / n, 1e-12 * scale * scale * scale);
}

std::vector<float> random_floats(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  std::vector<float> values(count);
  constexpr float odd[] = {0.0f,
                           -0.0f,
                           std::numeric_limits<float>::infinity(),
                           -std::numeric_limits<float>::infinity(),
                           std::numeric_limits<float>::quiet_NaN(),
                           1e30f,
                           1e-40f};
  for (float& value : values) {
    value = static_cast<float>(std::normal_distribution<double>(100, 3)(random));
    if (random() % 20 == 0) value = odd[random() % 5];
    if (random() % 2000 == 0) value = odd[5 + random() % 2];
  }
  return values;
}

TEST(ColumnStatistics, AgreeWithTwoPassesInLongDouble) {
  for (std::size_t const columns : {1u, 3u, 32u, 33u, 70u}) {
    for (std::size_t const rows : {0u, 1u, 31u, 1023u, 1024u, 1025u, 5000u}) {
      std::vector<float> const values = random_floats(rows + columns, rows * columns);
      std::vector<Summary> const found = summaries(values, columns, DType::float32, 700);
      ASSERT_EQ(found.size(), columns);
      for (std::size_t c = 0; c < columns; ++c) expect_near(found[c], slow_summary(values, columns, c));
    }
  }
}

TEST(ColumnStatistics, OtherTypes) {
  std::mt19937_64 random(5);
  std::vector<double> doubles(3000);
  std::vector<std::int32_t> ints(3000);
  std::vector<std::int64_t> longs(3000);
  for (double& x : doubles) x = static_cast<double>(random()) * 1e-3;
  for (std::int32_t& x : ints) x = static_cast<std::int32_t>(random());
  for (std::int64_t& x : longs) x = static_cast<std::int64_t>(random() >> 12);
  expect_near(summaries(doubles, 2, DType::float64, 100)[1], slow_summary(doubles, 2, 1));
  expect_near(summaries(ints, 2, DType::int32, 100)[1], slow_summary(ints, 2, 1));
  expect_near(summaries(longs, 2, DType::int64, 100)[1], slow_summary(longs, 2, 1));
}

TEST(ColumnStatistics, TheSameBitsForBatchesOfAnySize) {
  std::vector<float> const values = random_floats(9, 5 * 4321);
  std::vector<Summary> const wanted = summaries(values, 5, DType::float32, 4321);
  for (std::size_t const rows : {1u, 7u, 1000u, 1024u, 1025u, 2048u, 3000u})
    EXPECT_EQ(summaries(values, 5, DType::float32, rows), wanted) << rows;
}

/// The association is the one that is written down: sums of 32, halves, tiles in order.
TEST(ColumnStatistics, TheAssociation) {
  std::vector<float> const values = random_floats(10, 2500);
  Moments wanted;
  for (std::size_t begin = 0; begin < values.size(); begin += 1024) {
    std::size_t const end = std::min<std::size_t>(begin + 1024, values.size());
    auto const folded = [&](auto const& term) {
      double sums[32] = {};
      for (std::size_t i = begin; i < end; ++i)
        if (std::isfinite(values[i])) sums[(i - begin) % 32] += term(static_cast<double>(values[i]));
      for (int half = 16; half != 0; half /= 2)
        for (int i = 0; i < half; ++i) sums[i] += sums[i + half];
      return sums[0];
    };
    Moments tile;
    for (std::size_t i = begin; i < end; ++i) tile.count += std::isfinite(values[i]) ? 1 : 0;
    tile.mean = folded([](double x) { return x; }) / static_cast<double>(tile.count);
    tile.m2 = folded([&](double x) { return (x - tile.mean) * (x - tile.mean); });
    tile.m3 = folded([&](double x) { return (x - tile.mean) * (x - tile.mean) * (x - tile.mean); });
    wanted = statistics::merged(wanted, tile);
  }
  EXPECT_EQ(summaries(values, 1, DType::float32, 100)[0].moments, wanted);
}

TEST(ColumnStatistics, ConstantAndEmptyColumns) {
  Summary const constant = summaries(std::vector<float>(3000, 0.1f), 1, DType::float32, 100)[0];
  EXPECT_EQ(constant.moments.mean, static_cast<double>(0.1f));
  EXPECT_EQ(constant.moments.m2, 0);
  EXPECT_EQ(app::standard_deviation(constant.moments), 0);
  EXPECT_EQ(app::skewness(constant.moments), 0);
  Summary const missing =
      summaries(std::vector<float>(3000, std::numeric_limits<float>::quiet_NaN()), 1, DType::float32, 100)[0];
  EXPECT_EQ(missing.missing, 3000u);
  EXPECT_EQ(missing.moments, Moments{});
  EXPECT_EQ(app::standard_deviation(missing.moments), 0);
}

TEST(ColumnStatistics, DetailsAreTheSameForBatchesOfAnySize) {
  std::vector<float> values = random_floats(11, 3 * 90000);
  for (std::size_t i = 2; i < values.size(); i += 3) values[i] = static_cast<float>(i % 7);
  Dense const all = tensor_of(values, 3, DType::float32);
  app::TaskTeam team(3);
  auto const details = [&](std::size_t batch_rows, std::optional<std::size_t> only) {
    TensorStatistics statistics(DType::float32, 3, {.quantiles = true, .values = true}, only);
    if (batch_rows % 2 != 0) statistics.share_work(team);
    for (std::size_t begin = 0; begin < all.rows; begin += batch_rows) {
      Dense part = all;
      part.data += begin * 3 * sizeof(float);
      part.rows = std::min(batch_rows, all.rows - begin);
      statistics.add(part);
    }
    std::vector<app::ColumnStatistics> columns;
    std::size_t const count = statistics.finish().size();
    for (std::size_t i = 0; i < count; ++i) columns.push_back(statistics.column(i));
    return columns;
  };
  std::vector<app::ColumnStatistics> const wanted = details(90000, std::nullopt);
  ASSERT_EQ(wanted.size(), 3u);
  EXPECT_FALSE(wanted[0].quantiles->is_exact);
  EXPECT_FALSE(wanted[0].values->is_exact);
  EXPECT_TRUE(wanted[2].values->is_exact);
  EXPECT_EQ(wanted[2].values->most_frequent.size(), 7u);
  EXPECT_EQ(wanted[2].quantiles->values[3], 3);
  auto const expect_same = [](app::ColumnStatistics const& a, app::ColumnStatistics const& b) {
    EXPECT_EQ(a.summary, b.summary);
    EXPECT_EQ(a.quantiles->values, b.quantiles->values);
    EXPECT_EQ(a.values->distinct, b.values->distinct);
    EXPECT_EQ(a.values->most_frequent, b.values->most_frequent);
  };
  for (std::size_t const rows : {1u, 1000u, 1025u, 50000u}) {
    std::vector<app::ColumnStatistics> const found = details(rows, std::nullopt);
    for (std::size_t i = 0; i < 3; ++i) expect_same(found[i], wanted[i]);
  }
  for (std::size_t i = 0; i < 3; ++i) expect_same(details(777, i).at(0), wanted[i]);
}

TEST(ColumnStatistics, DetailsOfManyColumnsKeepLess) {
  EXPECT_EQ(app::exact_values_max(1), 65536u);
  EXPECT_EQ(app::exact_values_max(256), 65536u);
  EXPECT_EQ(app::exact_values_max(2048), 8192u);
  EXPECT_EQ(app::exact_values_max(1000000), 1024u);
  EXPECT_EQ(app::counted_values_max(64), 65536u);
  EXPECT_EQ(app::counted_values_max(2048), 2048u);
  EXPECT_EQ(app::counted_values_max(1000000), 1024u);
}

}  // namespace
}  // namespace penstock
