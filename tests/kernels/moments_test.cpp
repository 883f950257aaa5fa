// Summaries of tiles in device memory beside statistics::summarize_tile(): the same bits.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "cuda/exec/tile_summaries.hpp"
#include "cuda/exec/upload.hpp"
#include "formats/core/platform.hpp"
#include "formats/statistics/tile.hpp"
#if defined(PENSTOCK_SIMT)
#include "tests/support/simt/simt.hpp"
#endif

namespace penstock {
namespace {

using statistics::Summary;
using statistics::tile_rows;

std::vector<Summary> on_device(std::vector<float> const& values, std::size_t columns) {
  std::size_t const rows = values.size() / columns, tiles = (rows + tile_rows - 1) / tile_rows;
  cuda::Stream stream;
  auto const there = cuda::uploaded<float>(stream, values, "values");
  cuda::DeviceArray<Summary> const summaries(tiles * columns, "summaries");
  Dense const matrix{reinterpret_cast<std::byte*>(there.get()), DType::float32, rows, columns};
  cuda::summarize_tiles(stream, matrix, summaries.get());
  cuda::MappedArray<Summary> const found(tiles * columns, "summaries");
  stream.copy(found.get(), summaries.get(), summaries.size_bytes(), "copy out");
  stream.wait();
  return {found.get(), found.get() + tiles * columns};
}

void check(std::vector<float> const& values, std::size_t columns) {
  std::size_t const rows = values.size() / columns;
  std::vector<Summary> const found = on_device(values, columns);
  std::vector<Summary> expected(columns);
  for (std::size_t tile = 0; tile * tile_rows < rows; ++tile) {
    std::size_t const count = std::min(tile_rows, rows - tile * tile_rows);
    statistics::summarize_tile(values.data() + tile * tile_rows * columns, count, columns, columns, expected.data());
    for (std::size_t c = 0; c < columns; ++c) {
      Summary const& one = found[tile * columns + c];
      ASSERT_EQ(std::memcmp(&one, &expected[c], sizeof one), 0)
          << "tile " << tile << " of " << rows << " rows, column " << c << " of " << columns << ": " << one.missing
          << " missing, " << one.infinite << " infinite, " << one.zeros << " zeros, " << one.moments.count
          << " finite, mean " << one.moments.mean << " and not " << expected[c].moments.mean << ", m2 "
          << one.moments.m2 << " and not " << expected[c].moments.m2;
    }
  }
}

/// Columns of several sorts: of all sizes, of one sign, of few values, and of nothing but missing or infinite ones.
std::vector<float> any_values(std::size_t rows, std::size_t columns, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  constexpr float inf = std::numeric_limits<float>::infinity();
  std::vector<float> values;
  for (std::size_t i = 0; i < rows * columns; ++i) {
    std::uint64_t const bits = random(), sort = (i % columns + seed) % 7;
    float const any = bit_cast<float>(static_cast<std::uint32_t>(bits));
    float const spread = static_cast<float>(bits >> 40) / 1024.0f;
    float value = sort == 0 ? any : sort == 1 ? spread : sort == 2 ? spread - 8192.0f : 1.0f + spread * 1e-6f;
    if (sort == 3 && bits % 3 != 0) value = bits % 2 == 0 ? -0.0f : 0.0f;
    if (sort == 4 && bits % 11 < 3) value = bits % 11 == 0 ? inf : bits % 11 == 1 ? -inf : std::nanf("");
    if (sort == 5) value = bits % 2 == 0 ? -inf : bit_cast<float>(std::uint32_t{0xffc00001});
    values.push_back(value);
  }
  return values;
}

TEST(DeviceMoments, EveryWidthAndShortTiles) {
  for (std::size_t columns = 1; columns <= 40; ++columns) {
    for (std::size_t const rows : {std::size_t{1}, std::size_t{33}, tile_rows, tile_rows + 1, 2 * tile_rows + 517}) {
      check(any_values(rows, columns, columns + rows), columns);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(DeviceMoments, WideRows) {
  for (std::size_t const columns : {64u, 65u, 97u, 1000u}) check(any_values(tile_rows + 40, columns, columns), columns);
}

/// Sums in another order give other bits: what the others compare is not the same whatever is added first.
TEST(DeviceMoments, OrderMatters) {
  std::vector<float> values;
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < tile_rows; ++i)  // from 2^-28 to 2^28
    values.push_back(bit_cast<float>(static_cast<std::uint32_t>((99 + random() % 56) << 23 | random() % (1u << 23))));
  Summary const before = on_device(values, 1).front();
  std::shuffle(values.begin(), values.end(), random);
  Summary const after = on_device(values, 1).front();
  EXPECT_EQ(before.moments.count, after.moments.count);
  EXPECT_NE(std::memcmp(&before.moments, &after.moments, sizeof before.moments), 0);
}

TEST(DeviceMoments, NoRows) { EXPECT_TRUE(on_device({}, 3).empty()); }

#if defined(PENSTOCK_SIMT)
TEST(DeviceMoments, WhateverTheSchedule) {
  for (char const* const schedule : {"reverse", "random:3", "random:4"}) {
    simt::set_schedule(schedule);
    check(any_values(tile_rows + 99, 35, 8), 35);
  }
  simt::set_schedule("forward");
}
#endif

}  // namespace
}  // namespace penstock
