// What a normaliser does to rows: each kind against what its words say in the plainest C++, and whole rows, sparse ones
// among them, against one element at a time.

#include "formats/normalize/program.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "formats/normalize/rows.hpp"
#include "host/exec/normalizer.hpp"

namespace penstock {
namespace {

using normalize::Kind;
using normalize::Parameters;
using normalize::Program;
using normalize::Run;

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Values at which things change.
std::vector<double> const corners = {0.0,  -0.0, 1.0,      -1.0,      0.5,    -0.999, 2.0,   7.0,   -3.5,
                                     1e10, 1e-9, infinity, -infinity, 1e-310, 1e300,  -1e30, 100.0, nan_value};

std::uint64_t bits_of(double x) { return std::bit_cast<std::uint64_t>(x); }

double apply(Kind kind, Parameters const& parameters, double x, std::vector<double> const& edges = {},
             std::uint32_t number = 0) {
  return normalize::value_of(kind, number, parameters, edges.data(), x);
}

TEST(NormalizeProgram, AffineIsADifferenceAndAProduct) {
  for (double const a : {0.0, 1.5, -1e10}) {
    for (double const b : {1.0, -2.0, 1e-3, 1e20}) {
      for (double const x : corners) {
        if (std::isnan(x)) continue;
        double const difference = x - a;
        EXPECT_EQ(bits_of(apply(Kind::affine, {a, b, nan_value, 0, 0}, x)), bits_of(difference * b)) << x;
      }
    }
  }
  EXPECT_TRUE(std::signbit(apply(Kind::affine, {0, 1, nan_value, 0, 0}, -0.0)));
}

TEST(NormalizeProgram, LogarithmsAndTheWayBack) {
  Parameters const none{0, 1, nan_value, 0, 0};
  for (double const x : corners) {
    double const y = apply(Kind::log1p, none, x);
    if (std::isnan(x) || x <= -1) {
      EXPECT_EQ(bits_of(y), missing_float64_bits) << x;
      continue;
    }
    double const expected = std::log1p(x);
    if (std::isinf(x))
      EXPECT_EQ(y, x);
    else
      EXPECT_LE(std::abs(y - expected), 1e-15 * std::abs(expected)) << x;
  }
  for (double const y : {0.0, 1.0, -1.0, 20.0, -700.0}) {
    double const expected = std::expm1(y);
    EXPECT_NEAR(apply(Kind::expm1, none, y), expected, 1e-15 * (1 + std::abs(expected))) << y;
  }
  EXPECT_EQ(apply(Kind::expm1, none, 0.0), 0.0);
}

TEST(NormalizeProgram, PowersKeepTheSign) {
  for (double const exponent : {0.5, 1.0, 2.0, 3.0, 0.2}) {
    for (double const x : corners) {
      if (std::isnan(x)) continue;
      double const y = apply(Kind::power, {exponent, 1, nan_value, 0, 0}, x);
      double const expected = std::copysign(std::pow(std::abs(x), exponent), x);
      if (std::isinf(expected))
        EXPECT_EQ(y, expected) << x << " " << exponent;
      else
        EXPECT_LE(std::abs(y - expected), 1e-15 * std::abs(expected)) << x << " " << exponent;
    }
  }
}

TEST(NormalizeProgram, Clips) {
  for (double const x : corners) {
    if (std::isnan(x)) continue;
    double expected = x;
    if (x < -1) expected = -1;
    if (x > 7) expected = 7;
    EXPECT_EQ(bits_of(apply(Kind::clip, {-1, 7, nan_value, 0, 0}, x)), bits_of(expected)) << x;
  }
}

TEST(NormalizeProgram, BucketsCountTheEdgesThatAreNotAbove) {
  std::vector<double> const edges = {99, -3.5, 0, 1, 1e10, 99};  // those of other columns on either side
  for (std::uint32_t end = 1; end <= 5; ++end) {
    for (double const x : corners) {
      if (std::isnan(x)) continue;
      double expected = 0;
      for (std::uint32_t i = 1; i < end; ++i) expected += edges[i] <= x ? 1 : 0;
      EXPECT_EQ(apply(Kind::bucket, {0, 1, nan_value, 1, end}, x, edges), expected) << x << ", " << end - 1 << " edges";
    }
  }
}

TEST(NormalizeProgram, IndicatorsAndOneHot) {
  for (double const x : corners) {
    EXPECT_EQ(apply(Kind::indicator, {0, 1, 5.0, 0, 0}, x), std::isnan(x) ? 1.0 : 0.0);
    for (std::uint32_t number : {0u, 1u, 2u, 7u})
      EXPECT_EQ(apply(Kind::one_hot, {0, 1, 1.0, 0, 0}, x, {}, number), x == number ? 1.0 : 0.0) << x;
  }
}

TEST(NormalizeProgram, PartsOfTimes) {
  auto const part = [](normalize::CalendarPart which, double x) {
    return apply(Kind::part, {static_cast<double>(which), 1, nan_value, 0, 0}, x);
  };
  using enum normalize::CalendarPart;
  double const leap_day = 1709251199.75;  // 2024-02-29 23:59:59.75, a Thursday
  EXPECT_EQ(part(year, leap_day), 2024);
  EXPECT_EQ(part(month, leap_day), 2);
  EXPECT_EQ(part(day, leap_day), 29);
  EXPECT_EQ(part(hour, leap_day), 23);
  EXPECT_EQ(part(minute, leap_day), 59);
  EXPECT_EQ(part(second, leap_day), 59);
  EXPECT_EQ(part(weekday, leap_day), 3);
  EXPECT_EQ(part(day_of_year, leap_day), 60);
  // A fraction of a second before 1970 belongs to the second before.
  EXPECT_EQ(part(second, -0.25), 59);
  EXPECT_EQ(part(year, -0.25), 1969);
  EXPECT_EQ(part(second, 0.0), 0);
  EXPECT_EQ(part(year, -1.0), 1969);
  EXPECT_EQ(part(second, -60.0), 0);
}

TEST(NormalizeProgram, MissingValuesAreFilledOrStayMissing) {
  std::vector<double> const edges = {1, 2, 3};
  double const odd_nan = std::bit_cast<double>(std::uint64_t{0xfff0000000000123});
  for (Kind const kind : {Kind::affine, Kind::log1p, Kind::expm1, Kind::power, Kind::clip, Kind::bucket, Kind::part}) {
    Parameters parameters{2, 3, nan_value, 0, 3};
    for (double const x : {nan_value, -nan_value, odd_nan})
      EXPECT_EQ(bits_of(apply(kind, parameters, x, edges)), missing_float64_bits);
    double const of_two = apply(kind, parameters, 2.5, edges);
    parameters.fill = 2.5;
    EXPECT_EQ(bits_of(apply(kind, parameters, odd_nan, edges)), bits_of(of_two));
  }
}

TEST(NormalizeProgram, ResultsAreRoundedOnce) {
  EXPECT_EQ(std::bit_cast<std::uint32_t>(normalize::rounded<float>(nan_value)), missing_float32_bits);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(normalize::rounded<float>(-nan_value)), missing_float32_bits);
  EXPECT_EQ(bits_of(normalize::rounded<double>(-nan_value)), missing_float64_bits);
  EXPECT_EQ(normalize::rounded<float>(16777217.0), 16777216.0f);
  EXPECT_EQ(normalize::rounded<float>(16777219.0), 16777220.0f);
  EXPECT_EQ(normalize::rounded<float>(1e300), std::numeric_limits<float>::infinity());
  EXPECT_EQ(normalize::rounded<double>(0.1), 0.1);
}

// --- rows ------------------------------------------------------------------------------------------------------------

std::uint32_t below(std::mt19937_64& random, std::uint32_t end) { return static_cast<std::uint32_t>(random() % end); }

/// A program that has every kind, runs of several columns among them, and texts.
Normalizer::Parts all_kinds(std::mt19937_64& random, std::uint32_t features, std::uint32_t categories) {
  Normalizer::Parts parts;
  parts.features = features;
  parts.edges = {-5, -1, 0, 0.5, 1, 3, 4, 1e10};
  auto const column = [&] { return static_cast<std::uint32_t>(parts.parameters.size()); };
  auto const parameters = [&](bool is_filled) {
    double const a = static_cast<double>(random() % 9) / 4, b = a + static_cast<double>(random() % 5);
    parts.parameters.push_back({a, b, is_filled ? 1.25 : nan_value, 2, 6});
  };
  for (Kind const kind : {Kind::affine, Kind::log1p, Kind::expm1, Kind::power, Kind::clip, Kind::bucket,
                          Kind::indicator, Kind::affine, Kind::part}) {
    bool const is_of_texts = kind == Kind::part;  // of times, which are read from texts
    std::uint32_t const given = is_of_texts ? categories : features, count = 1 + below(random, given);
    std::uint32_t const from = below(random, given - count + 1);
    parts.runs.push_back({kind, is_of_texts, false, from, column(), count});
    for (std::uint32_t c = 0; c < count; ++c) parameters(c % 2 == 0);
    if (kind == Kind::part)
      for (std::uint32_t c = 0; c < count; ++c) parts.parameters[parts.parameters.size() - 1 - c].a = c % 8;
  }
  for (std::uint32_t text = 0; text < categories; ++text) {
    std::uint32_t const count = 1 + below(random, 6);
    bool const is_one_hot = text % 2 == 0;
    parts.runs.push_back({is_one_hot ? Kind::one_hot : Kind::affine, true, true, text, column(), count});
    for (std::uint32_t c = 0; c < count; ++c) parameters(!is_one_hot);
  }
  parts.runs.push_back({Kind::affine, false, true, 0, column(), 3});
  for (int c = 0; c < 3; ++c) parameters(true);
  parts.runs.push_back({Kind::one_hot, false, true, 0, column(), 4});
  for (int c = 0; c < 4; ++c) parameters(false);
  parts.runs.push_back({Kind::affine, true, false, 0, column(), categories});
  for (std::uint32_t c = 0; c < categories; ++c) parameters(true);
  return parts;
}

/// One element of a row, as the words of program.hpp say.
template <class U, class T>
U element(Program const& program, std::uint32_t column, T const* features, double const* categories) {
  std::uint32_t r = 0;
  while (column >= program.runs[r].to + program.runs[r].count) ++r;
  Run const& run = program.runs[r];
  std::uint32_t const number = column - run.to;
  std::uint32_t const from = run.takes_one ? run.from : run.from + number;
  double const x = run.takes_category ? categories[from] : static_cast<double>(features[from]);
  double const y = normalize::value_of(run.kind, number, program.parameters[column], program.edges, x);
  if (!std::isnan(y)) return static_cast<U>(y);
  if constexpr (sizeof(U) == 4)
    return std::bit_cast<U>(missing_float32_bits);
  else
    return std::bit_cast<U>(missing_float64_bits);
}

template <class T>
T random_value(std::mt19937_64& random) {
  if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<std::int64_t>(random()) >> (random() % 62));
  if (random() % 2 == 0) return static_cast<T>(corners[random() % corners.size()]);
  return static_cast<T>(static_cast<double>(static_cast<std::int64_t>(random() % 4000) - 2000) / 64);
}

template <class T, class U>
void expect_rows(DType dtype, std::size_t rows) {
  std::mt19937_64 random(rows);
  for (int i = 0; i < 20; ++i) {
    std::uint32_t const features = 1 + below(random, 12), categories = 1 + below(random, 4);
    Normalizer const normalizer(all_kinds(random, features, categories));
    Program const& program = normalizer.program();
    BatchLayout layout;
    layout.feature_dtype = dtype;
    layout.features = features;
    layout.categories = categories;
    layout.labels = 1;
    BatchBuffer const in(layout, rows + 1);
    Batch const batch = in.view(rows);
    for (std::size_t k = 0; k < rows * features; ++k) batch.features.as<T>()[k] = random_value<T>(random);
    for (std::size_t k = 0; k < rows * categories; ++k)
      batch.categories.as<double>()[k] = random() % 5 == 0 ? nan_value : static_cast<double>(random() % 8);
    BatchLayout const out_layout = normalizer.layout_of(layout);
    EXPECT_EQ(out_layout.features, program.columns);
    EXPECT_EQ(out_layout.categories, 0u);
    EXPECT_EQ(out_layout.feature_dtype == DType::float64, sizeof(U) == 8);
    BatchBuffer const out(out_layout, rows + 1);
    std::memset(out.view(rows + 1).features.data, 0x77, (rows + 1) * program.columns * sizeof(U));
    Batch const found = normalizer.apply(batch, out.view(rows));
    EXPECT_EQ(found.rows, rows);
    EXPECT_EQ(found.label.data, batch.label.data);
    EXPECT_EQ(found.categories.columns, 0u);
    U const* values = found.features.as<U>();
    for (std::size_t row = 0; row < rows; ++row) {
      T const* const given = batch.features.as<T>() + row * features;
      double const* const texts = batch.categories.as<double>() + row * categories;
      for (std::uint32_t column = 0; column < program.columns; ++column, ++values) {
        U const expected = element<U, T>(program, column, given, texts);
        ASSERT_EQ(std::memcmp(values, &expected, sizeof(U)), 0)
            << "row " << row << ", column " << column << ": " << *values << ", expected " << expected;
      }
    }
    EXPECT_EQ(*reinterpret_cast<unsigned char const*>(values), 0x77) << "a row too many was written";
  }
}

TEST(NormalizeProgram, RowsAreTheirElements) {
  for (std::size_t const rows : {0, 1, 3, 50}) {
    expect_rows<float, float>(DType::float32, rows);
    expect_rows<double, double>(DType::float64, rows);
    expect_rows<std::int32_t, float>(DType::int32, rows);
    expect_rows<std::int64_t, float>(DType::int64, rows);
  }
}

/// Sparse rows, whole or from the middle of a matrix, whose pairs begin anywhere.
TEST(NormalizeProgram, SparseRowsAreTheirElements) {
  std::mt19937_64 random(21);
  constexpr std::uint32_t features = 9;
  Normalizer::Parts parts;
  parts.features = features;
  parts.runs = {{Kind::affine, false, false, 0, 0, 4},
                {Kind::power, false, false, 4, 4, 2},
                {Kind::log1p, false, false, 6, 6, 1},
                {Kind::affine, false, false, 7, 7, 2}};
  for (std::uint32_t c = 0; c < features; ++c)
    parts.parameters.push_back({c == 4 || c == 5 ? 0.5 : 0.0, 1.0 / (1 + c), nan_value, 0, 0});
  Normalizer const normalizer(std::move(parts));
  BatchLayout layout;
  layout.features = features;
  layout.is_sparse = true;
  constexpr std::size_t rows = 40;
  BatchBuffer const in(layout, {rows, rows * features, 0, 0, 0, {}});
  Batch const whole = in.view(rows);
  std::size_t pairs = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::uint32_t c = 0; c < features; ++c) {
      if (random() % 3 != 0) continue;
      whole.csr.indices[pairs] = c;
      whole.csr.values_as<float>()[pairs++] = random_value<float>(random);
    }
    whole.csr.indptr[row + 1] = static_cast<std::int64_t>(pairs);
  }
  for (std::size_t const first : {0, 1, 17, 39}) {
    for (std::size_t const count : {std::size_t{1}, rows - first}) {
      Batch const part = whole.rows_from(first, count);
      BatchBuffer const out(normalizer.layout_of(layout), capacity_of(part));
      Batch const found = normalizer.apply(part, out.view(count));
      ASSERT_EQ(found.csr.rows, count);
      EXPECT_EQ(found.csr.columns, features);
      for (std::size_t row = 0; row < count; ++row) {
        Extent const given = part.csr.row(row), made = found.csr.row(row);
        ASSERT_EQ(made.size(), given.size());
        for (std::size_t k = 0; k < given.size(); ++k) {
          ASSERT_EQ(found.csr.indices[made.begin + k], part.csr.indices[given.begin + k]);
          std::vector<float> dense(features);
          auto const column = static_cast<std::uint32_t>(part.csr.indices[given.begin + k]);
          dense[column] = part.csr.values_as<float>()[given.begin + k];
          float const expected = element<float, float>(normalizer.program(), column, dense.data(), nullptr);
          ASSERT_EQ(std::memcmp(found.csr.values_as<float>() + made.begin + k, &expected, sizeof expected), 0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace penstock
