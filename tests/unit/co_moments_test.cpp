// Correlations and sparse columns: against loops in long double, and the same bits for parts of any size.

#include "formats/statistics/co_moments.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "formats/statistics/sparse_columns.hpp"

namespace penstock::statistics {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

CoMoments co_moments_of(std::vector<double> const& values, std::size_t columns) {
  CoMoments moments(columns);
  std::size_t const rows = values.size() / columns;
  for (std::size_t begin = 0; begin < rows; begin += tile_rows)
    moments.add_tile(values.data() + begin * columns, std::min(tile_rows, rows - begin));
  return moments;
}

/// Columns that depend on each other, far from 0, with some values missing.
std::vector<double> random_rows(std::size_t rows, std::size_t columns, double missing_share) {
  std::mt19937_64 random(rows);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  std::vector<double> values;
  for (std::size_t i = 0; i < rows; ++i) {
    double const common = normal(random);
    for (std::size_t c = 0; c < columns; ++c) {
      double const x = 1e4 + common * static_cast<double>(c) * (c % 2 == 0 ? 1 : -1) + normal(random);
      values.push_back(uniform(random) < missing_share ? (c % 2 == 0 ? missing : HUGE_VAL) : x);
    }
  }
  return values;
}

/// Two passes over rows without missing values.
std::vector<long double> slow_co_moments(std::vector<double> const& values, std::size_t columns, std::uint64_t& rows) {
  std::vector<long double> means(columns), products(columns * columns);
  rows = 0;
  auto const each_row = [&](auto const& call) {
    for (std::size_t i = 0; i < values.size(); i += columns) {
      double const* const row = values.data() + i;
      if (std::all_of(row, row + columns, [](double x) { return std::isfinite(x); })) call(row);
    }
  };
  each_row([&](double const* row) {
    ++rows;
    for (std::size_t c = 0; c < columns; ++c) means[c] += row[c];
  });
  for (long double& mean : means) mean /= static_cast<long double>(rows);
  each_row([&](double const* row) {
    for (std::size_t a = 0; a < columns; ++a)
      for (std::size_t b = 0; b < columns; ++b) products[a * columns + b] += (row[a] - means[a]) * (row[b] - means[b]);
  });
  return products;
}

TEST(CoMoments, AgreeWithTwoPassesInLongDouble) {
  for (std::size_t const columns : {1u, 2u, 7u}) {
    for (std::size_t const rows : {2u, 1023u, 1024u, 5000u}) {
      std::vector<double> const values = random_rows(rows, columns, rows < 10 ? 0 : 0.02);
      CoMoments const found = co_moments_of(values, columns);
      std::uint64_t complete = 0;
      std::vector<long double> const wanted = slow_co_moments(values, columns, complete);
      ASSERT_EQ(found.rows(), complete);
      for (std::size_t a = 0; a < columns; ++a) {
        for (std::size_t b = 0; b < columns; ++b) {
          auto const scale = static_cast<double>(sqrtl(wanted[a * columns + a] * wanted[b * columns + b]));
          EXPECT_NEAR(found.co_moment(a, b), static_cast<double>(wanted[a * columns + b]), 1e-11 * scale);
          EXPECT_NEAR(*found.correlation(a, b), static_cast<double>(wanted[a * columns + b]) / scale, 1e-11);
          EXPECT_EQ(found.correlation(a, b), found.correlation(b, a));
        }
      }
    }
  }
}

/// The association is the one that is written down: sums of 32, halves, tiles in order.
TEST(CoMoments, TheAssociation) {
  std::vector<double> const values = random_rows(2500, 2, 0.01);
  double means[2] = {}, product = 0, rows = 0;
  for (std::size_t begin = 0; begin < 2500; begin += 1024) {
    std::size_t const end = std::min<std::size_t>(begin + 1024, 2500);
    double count = 0;
    auto const folded = [&](auto const& term) {
      double sums[32] = {};
      count = 0;
      for (std::size_t i = begin; i < end; ++i) {
        if (!std::isfinite(values[2 * i]) || !std::isfinite(values[2 * i + 1])) continue;
        sums[(i - begin) % 32] += term(values[2 * i], values[2 * i + 1]);
        ++count;
      }
      for (int half = 16; half != 0; half /= 2)
        for (int i = 0; i < half; ++i) sums[i] += sums[i + half];
      return sums[0];
    };
    double const a = folded([](double x, double) { return x; }) / count;
    double const b = folded([](double, double y) { return y; }) / count;
    double const inside = folded([&](double x, double y) { return (x - a) * (y - b); });
    double const share = count / (rows + count);
    if (rows == 0) {
      product = inside;
      means[0] = a, means[1] = b;
    } else {
      product += inside + (b - means[1]) * (a - means[0]) * (rows * share);
      means[0] += (a - means[0]) * share, means[1] += (b - means[1]) * share;
    }
    rows += count;
  }
  CoMoments const found = co_moments_of(values, 2);
  EXPECT_EQ(found.co_moment(0, 1), product);
  EXPECT_EQ(found.mean(0), means[0]);
  EXPECT_EQ(found.mean(1), means[1]);
}

TEST(CoMoments, ColumnsOfOneValueHaveNoCorrelation) {
  CoMoments const found = co_moments_of({1, 5, 2, 5, 3, 5}, 2);
  EXPECT_EQ(found.correlation(0, 1), std::nullopt);
  EXPECT_EQ(found.correlation(1, 1), std::nullopt);
  EXPECT_EQ(found.correlation(0, 0), 1);
  EXPECT_EQ(co_moments_of({1, -2, 2, -4, 3, -6}, 2).correlation(0, 1), -1);
  EXPECT_EQ(co_moments_of({1e-160, 1, 2e-160, 2}, 2).correlation(0, 1), 1);  // whose squares are near the least number
  EXPECT_EQ(co_moments_of({1, missing, missing, 2}, 2).rows(), 0u);
  EXPECT_EQ(co_moments_of({1, missing, missing, 2}, 2).correlation(0, 1), std::nullopt);
}

TEST(SparseColumns, AgreeWithTwoPassesInLongDouble) {
  std::mt19937_64 random(4);
  std::vector<std::int64_t> indices;
  std::vector<float> values;
  for (int i = 0; i < 20000; ++i) {
    indices.push_back(static_cast<std::int64_t>(std::min(random() % 50, random() % 50)));
    float const odd[] = {0.0f, -0.0f, NAN, HUGE_VALF, -HUGE_VALF, 1.0f, 2.0f};
    values.push_back(random() % 4 == 0 ? odd[random() % 7] : static_cast<float>(random() % 100000) * 0.125f - 3000.0f);
  }
  SparseColumns columns(40), parts(40);
  columns.add(indices.data(), values.data(), indices.size());
  for (std::size_t begin = 0; begin < indices.size();) {
    std::size_t const size = std::min<std::size_t>(random() % 700, indices.size() - begin);
    parts.add(indices.data() + begin, values.data() + begin, size);
    begin += size;
  }
  EXPECT_TRUE(
      std::equal(columns.columns().begin(), columns.columns().end(), parts.columns().begin(), parts.columns().end()));
  ASSERT_EQ(columns.columns().size(), 40u);
  std::uint64_t beyond = 0;
  for (std::int64_t const index : indices) beyond += index >= 40 ? 1 : 0;
  EXPECT_EQ(columns.pairs_beyond(), beyond);
  for (std::int64_t c = 0; c < 40; ++c) {
    Summary const& found = columns.columns()[static_cast<std::size_t>(c)];
    std::vector<double> finite;
    std::uint64_t is_missing = 0, infinite = 0, zeros = 0;
    for (std::size_t i = 0; i < indices.size(); ++i) {
      if (indices[i] != c) continue;
      is_missing += std::isnan(values[i]) ? 1 : 0;
      infinite += std::isinf(values[i]) ? 1 : 0;
      zeros += values[i] == 0 ? 1 : 0;
      if (std::isfinite(values[i])) finite.push_back(values[i]);
    }
    long double sum = 0, m2 = 0;
    for (double const x : finite) sum += x;
    long double const mean = sum / static_cast<long double>(finite.size());
    for (double const x : finite) m2 += (x - mean) * (x - mean);
    EXPECT_EQ(found.missing, is_missing);
    EXPECT_EQ(found.infinite, infinite);
    EXPECT_EQ(found.zeros, zeros);
    ASSERT_EQ(found.moments.count, finite.size());
    EXPECT_EQ(found.least, *std::min_element(finite.begin(), finite.end()));
    EXPECT_EQ(found.greatest, *std::max_element(finite.begin(), finite.end()));
    EXPECT_NEAR(found.moments.mean, static_cast<double>(mean), 1e-8);
    EXPECT_NEAR(found.moments.m2 / static_cast<double>(m2), 1, 1e-12);
  }
}

}  // namespace
}  // namespace penstock::statistics
