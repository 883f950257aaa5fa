// A normaliser's program in device memory beside formats/normalize/rows.hpp: every kind, type and width, bit for bit.

#include "cuda/exec/normalizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "cuda/exec/upload.hpp"
#include "formats/core/platform.hpp"
#include "formats/normalize/rows.hpp"
#if defined(PENSTOCK_SIMT)
#include "tests/support/simt/simt.hpp"
#endif

namespace penstock {
namespace {

using normalize::Kind;
using normalize::Parameters;
using normalize::Program;
using normalize::Run;

constexpr std::size_t category_columns = 2;  // numbers of words, and times in seconds
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Random {
  explicit Random(std::uint64_t seed) : engine(seed) {}
  std::uint32_t below(std::size_t n) { return static_cast<std::uint32_t>(engine() % n); }
  std::mt19937_64 engine;
};

/// Values that kinds treat apart, and numbers of all sizes.
double any_value(Random& random) {
  static double const special[] = {0.0,
                                   -0.0,
                                   1.0,
                                   -1.0,
                                   -1.5,
                                   2.0,
                                   3.0,
                                   nan,
                                   -nan,
                                   1e-310,
                                   1e300,
                                   -4.2e38,
                                   3.4e+38,
                                   1.40130e-45,
                                   710.0,
                                   std::numeric_limits<double>::infinity(),
                                   -std::numeric_limits<double>::infinity()};
  if (random.below(3) == 0) return special[random.below(std::size(special))];
  double const size = std::ldexp(1.0, static_cast<int>(random.below(60)) - 40);
  return (static_cast<double>(random.below(1u << 30)) - (1 << 29)) / (1 << 20) * size;
}

template <class T>
T feature_of(Random& random) {
  if constexpr (std::is_floating_point_v<T>) {
    if constexpr (sizeof(T) == 4)
      if (random.below(40) == 0) return bit_cast<T>(std::uint32_t{0xffa12345});  // a NaN of others
    return static_cast<T>(any_value(random));
  } else {
    std::uint64_t const bits = random.engine();
    return static_cast<T>(random.below(2) == 0 ? static_cast<std::int64_t>(bits) : static_cast<std::int64_t>(bits % 7));
  }
}

/// Owns what its program points to.
struct RandomProgram {
  std::vector<Run> runs;
  std::vector<Parameters> parameters;
  std::vector<double> edges;

  [[nodiscard]] Program view() const {
    return {runs.data(), static_cast<std::uint32_t>(runs.size()), static_cast<std::uint32_t>(parameters.size()),
            parameters.data(), edges.data()};
  }

  /// Runs of one kind until there are `columns` columns. Time parts take times: no other number has any.
  void fill(Random& random, std::size_t features, std::size_t columns, bool is_affine) {
    while (parameters.size() < columns) {
      Kind const kind = is_affine ? Kind::affine : static_cast<Kind>(random.below(9));
      Run run;
      run.kind = kind;
      run.to = static_cast<std::uint32_t>(parameters.size());
      run.takes_one = kind == Kind::one_hot || kind == Kind::part || random.below(4) == 0;
      run.takes_category = kind == Kind::part || (!is_affine && run.takes_one && random.below(2) == 0);
      std::size_t const given = run.takes_category ? category_columns : features;
      run.from = kind == Kind::part ? 1 : run.takes_category ? 0 : random.below(given);
      std::size_t const room = run.takes_one ? columns : given - run.from;
      run.count = 1 + random.below(std::min({room, columns - parameters.size(), std::size_t{9}}));
      runs.push_back(run);
      for (std::uint32_t c = 0; c < run.count; ++c) parameters.push_back(column_of(random, kind));
    }
  }

 private:
  Parameters column_of(Random& random, Kind kind) {
    Parameters column;
    column.a = kind == Kind::part ? random.below(8) : kind == Kind::power ? 0.25 * random.below(9) : any_value(random);
    column.b = any_value(random);
    column.fill = random.below(2) == 0 ? nan : kind == Kind::part ? 86399.0 : any_value(random);
    column.edges_begin = static_cast<std::uint32_t>(edges.size());
    for (std::uint32_t i = kind == Kind::bucket ? random.below(6) : 0; i > 0; --i) {
      double const edge = any_value(random);
      edges.push_back(edge == edge ? edge : 0.5);
    }
    column.edges_end = static_cast<std::uint32_t>(edges.size());
    std::sort(edges.begin() + column.edges_begin, edges.end());
    return column;
  }
};

template <class T>
struct Rows {
  std::vector<T> features;
  std::vector<double> categories;

  Rows(Random& random, std::size_t rows, std::size_t columns) : features(rows * columns) {
    std::generate(features.begin(), features.end(), [&] { return feature_of<T>(random); });
    for (std::size_t row = 0; row < rows; ++row) {
      categories.push_back(random.below(4) == 0 ? nan : random.below(12));
      categories.push_back(random.below(4) == 0 ? nan : (static_cast<double>(random.below(1u << 31)) - 1e9) * 4.25);
    }
  }
};

template <class T>
Batch batch_of(T* features, double* categories, DType dtype, std::size_t rows, std::size_t columns) {
  Batch batch;
  batch.features = {reinterpret_cast<std::byte*>(features), dtype, rows, columns};
  batch.categories = {reinterpret_cast<std::byte*>(categories), DType::float64, rows, category_columns};
  batch.set_rows(rows);
  return batch;
}

template <class T>
void check(DType dtype, std::size_t rows, std::size_t features, std::size_t columns, bool is_affine,
           std::uint64_t seed) {
  Random random(seed);
  RandomProgram owner;
  owner.fill(random, features, columns, is_affine);
  Program const program = owner.view();
  Rows<T> given(random, rows, features);
  DType const out = normalize::normalized_dtype(dtype);
  std::vector<std::byte> expected(rows * columns * size_bytes(out));
  normalize::apply_rows(program, batch_of(given.features.data(), given.categories.data(), dtype, rows, features),
                        {expected.data(), out, rows, columns});

  cuda::Stream stream;
  auto const features_there = cuda::uploaded<T>(stream, given.features, "features");
  auto const categories_there = cuda::uploaded<double>(stream, given.categories, "categories");
  cuda::DeviceNormalizer normalizer(stream, program, dtype, rows + 3);
  Batch const made = normalizer.apply(batch_of(features_there.get(), categories_there.get(), dtype, rows, features));
  ASSERT_EQ(made.rows, rows);
  ASSERT_EQ(made.features.columns, columns);
  ASSERT_EQ(made.features.dtype, out);
  EXPECT_EQ(made.categories.columns, 0u);
  cuda::MappedArray<std::byte> const found(expected.size(), "what was found");
  stream.copy(found.get(), made.features.data, expected.size(), "copy out");
  stream.wait();
  std::size_t const element = size_bytes(out);
  for (std::size_t i = 0; i < rows * columns; ++i) {
    ASSERT_EQ(std::memcmp(found.get() + i * element, expected.data() + i * element, element), 0)
        << name_of(dtype) << ", row " << i / columns << " of " << rows << ", column " << i % columns << " of "
        << columns;
  }
}

void check_all_types(std::size_t rows, std::size_t features, std::size_t columns, bool is_affine, std::uint64_t seed) {
  check<float>(DType::float32, rows, features, columns, is_affine, seed);
  check<double>(DType::float64, rows, features, columns, is_affine, seed);
  check<std::int32_t>(DType::int32, rows, features, columns, is_affine, seed);
  check<std::int64_t>(DType::int64, rows, features, columns, is_affine, seed);
}

TEST(DeviceNormalizer, EveryWidthAndType) {
  for (std::size_t columns = 1; columns <= 70; ++columns) {
    std::size_t const features = 1 + columns * 2 / 3;
    for (std::size_t const rows : {std::size_t{1}, std::size_t{31}, 100 + columns}) {
      check_all_types(rows, features, columns, false, columns * 1000 + rows);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

/// The kernel that does nothing else.
TEST(DeviceNormalizer, AffineColumns) {
  for (std::size_t const columns : {1u, 2u, 28u, 32u, 33u, 257u}) {
    for (std::size_t const rows : {std::size_t{1}, std::size_t{8}, std::size_t{255}, std::size_t{2049}}) {
      check_all_types(rows, columns, columns, true, columns * 1000 + rows);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(DeviceNormalizer, NoRows) { check_all_types(0, 3, 5, false, 1); }

/// The padding of the last block, and rows that fewer than eight threads share.
TEST(DeviceNormalizer, ManyPrograms) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    check_all_types(1 + random.below(700), 1 + random.below(20), 1 + random.below(40), false, seed);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

#if defined(PENSTOCK_SIMT)
TEST(DeviceNormalizer, WhateverTheSchedule) {
  for (char const* const schedule : {"reverse", "random:3"}) {
    simt::set_schedule(schedule);
    check_all_types(300, 9, 13, false, 77);
  }
  simt::set_schedule("forward");
}
#endif

}  // namespace
}  // namespace penstock
