/// Summaries of tiles of rows, column by column: formats/statistics/moments.hpp, in its association.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/launch.cuh"
#include "formats/core/platform.hpp"
#include "formats/statistics/moments.hpp"

namespace penstock::cuda {

/// Of a block: as many threads as a column has sums for each of so many columns.
inline constexpr unsigned moments_columns = 32;
inline constexpr unsigned moments_threads = statistics::tile_sums * moments_columns;
inline constexpr unsigned moments_values = statistics::tile_rows / statistics::tile_sums;  ///< of a thread
static_assert(statistics::tile_sums == warp_lanes);

/// Dense rows in device memory.
struct MomentsJob {
  float const* values;
  std::size_t rows;
  std::uint32_t columns;
  std::uint32_t parts;  ///< blocks that share the columns of a tile
  std::uint32_t width;  ///< columns of a block, the last of a tile may have fewer
  statistics::Summary* summaries;
};

/// Adds halves: 16, 8, 4, 2, 1. Every lane gets the result, for a sum of two is the same from either side.
__device__ inline double folded(double sum) {
  for (unsigned half = warp_lanes / 2; half != 0; half /= 2)
    sum += __shfl_xor_sync(all_lanes, sum, static_cast<int>(half));
  return sum;
}
__device__ inline float folded_least(float x) {
  for (unsigned half = warp_lanes / 2; half != 0; half /= 2) {
    float const other = __shfl_xor_sync(all_lanes, x, static_cast<int>(half));
    x = other < x ? other : x;
  }
  return x;
}

/// x - x is 0 but for NaN and infinities.
__device__ inline bool is_finite(float x) { return x - x == 0.0f; }

/// A thread adds up one of the 32 sums of a column, of 32 values that it keeps for the second pass: the tile is read
/// once. Neighbours in a warp are neighbours in a row, so that narrow rows are read in one piece and wide ones in
/// stretches of up to 128 bytes. Then a warp takes a column: its lanes are the 32 sums, which it folds. Launch: 32
/// threads for each column of a part, a block for each part of a tile. Shared: two doubles, two words and two floats
/// for each sum, 33.7 KiB. Work: some 20 operations a value, of which 6 in float64.
__global__ void PENSTOCK_BOUNDS(moments_threads, 1) summarize_tiles_kernel(MomentsJob job) {
  constexpr unsigned pitch = moments_columns + 1;  // lanes of a warp read in different banks
  PENSTOCK_SHARED(double, sums, statistics::tile_sums* pitch);
  PENSTOCK_SHARED(double, cube_sums, statistics::tile_sums* pitch);
  PENSTOCK_SHARED(std::uint32_t, counts,
                  statistics::tile_sums * pitch);  // finite values, and from bit 16 infinite ones
  PENSTOCK_SHARED(std::uint32_t, zero_counts, statistics::tile_sums * pitch);
  PENSTOCK_SHARED(float, least_values, statistics::tile_sums* pitch);
  PENSTOCK_SHARED(float, greatest_values, statistics::tile_sums* pitch);
  PENSTOCK_SHARED(double, means, moments_columns);

  std::size_t const tile = blockIdx.x / job.parts;
  std::uint32_t const first_column = blockIdx.x % job.parts * job.width;
  std::uint32_t const rest = job.columns - first_column, width = rest < job.width ? rest : job.width;
  std::size_t const rows_left = job.rows - tile * statistics::tile_rows;
  std::uint32_t const rows = rows_left < statistics::tile_rows ? static_cast<std::uint32_t>(rows_left)
                                                               : static_cast<std::uint32_t>(statistics::tile_rows);
  std::uint32_t const number = threadIdx.x / job.width, column = threadIdx.x - number * job.width;
  std::uint32_t const place = number * pitch + column;

  // Rows that are not there are NaN, which is in no sum.
  float values[moments_values];
  float const* from = job.values + (tile * statistics::tile_rows + number) * job.columns + first_column + column;
  for (unsigned k = 0; k < moments_values; ++k) {
    bool const is_there = column < width && k * statistics::tile_sums + number < rows;
    values[k] = is_there ? load_cached(from) + 0.0f : bit_cast<float>(std::uint32_t{0x7fc00000});  // 0 for -0
    from += statistics::tile_sums * job.columns;
  }

  double sum = 0;
  std::uint32_t count = 0, zeros = 0;
  float least = bit_cast<float>(std::uint32_t{0x7f800000}), greatest = -least;  // infinite
  for (unsigned k = 0; k < moments_values; ++k) {
    float const x = values[k];
    bool const finite = is_finite(x);
    count += finite ? 1u : x == x ? 1u << 16 : 0u;
    zeros += x == 0.0f ? 1u : 0u;
    least = finite && x < least ? x : least;
    greatest = finite && x > greatest ? x : greatest;
    sum += finite ? static_cast<double>(x) : 0.0;
  }
  sums[place] = sum;
  counts[place] = count;
  zero_counts[place] = zeros;
  least_values[place] = least;
  greatest_values[place] = greatest;
  __syncthreads();

  // Warp number w has column w.
  unsigned const mine = warp_of_thread(), lane_place = lane_of_thread() * pitch + mine;
  statistics::Summary* const to = job.summaries + tile * job.columns + first_column + mine;
  if (mine < width) {
    double const lane_sum = sums[lane_place];
    std::uint32_t const lane_count = counts[lane_place], lane_zeros = zero_counts[lane_place];
    float const lane_least = least_values[lane_place], lane_greatest = greatest_values[lane_place];
    double const total = folded(lane_sum);
    std::uint32_t const finite = warp_sum(lane_count & 0xffffu);
    std::uint32_t const infinite = warp_sum(lane_count >> 16), column_zeros = warp_sum(lane_zeros);
    float const tile_least = folded_least(lane_least), tile_greatest = -folded_least(-lane_greatest);
    double const mean = finite == 0 ? 0.0 : total / finite;
    if (lane_of_thread() == 0) {
      means[mine] = mean;
      statistics::Summary summary;
      summary.missing = rows - finite - infinite;
      summary.infinite = infinite;
      summary.zeros = column_zeros;
      if (finite != 0) summary.least = static_cast<double>(tile_least);
      if (finite != 0) summary.greatest = static_cast<double>(tile_greatest);
      summary.moments.count = finite;
      summary.moments.mean = mean;
      *to = summary;
    }
  }
  __syncthreads();

  double squares = 0, cubes = 0;
  double mean = 0;
  if (column < width) mean = means[column];
  for (unsigned k = 0; k < moments_values; ++k) {
    double const d = is_finite(values[k]) ? static_cast<double>(values[k]) - mean : 0.0;
    double const square = d * d;
    squares += square;
    cubes += square * d;
  }
  sums[place] = squares;
  cube_sums[place] = cubes;
  __syncthreads();

  if (mine >= width) return;
  double const lane_squares = sums[lane_place], lane_cubes = cube_sums[lane_place];
  double const m2 = folded(lane_squares), m3 = folded(lane_cubes);
  if (lane_of_thread() != 0) return;
  to->moments.m2 = m2;
  to->moments.m3 = m3;
}

/// Enqueues. Of a matrix of `rows` x `columns` in device memory: `summaries`, there too, gets those of all columns of
/// the first 1,024 rows, then those of the next, and so on; the last tile may have fewer rows.
inline void summarize_tiles(Stream& stream, float const* values, std::size_t rows, std::size_t columns,
                            statistics::Summary* summaries) {
  if (rows == 0 || columns == 0) return;
  MomentsJob job;
  job.values = values;
  job.rows = rows;
  job.columns = static_cast<std::uint32_t>(columns);
  job.parts = (job.columns + moments_columns - 1) / moments_columns;
  job.width = (job.columns + job.parts - 1) / job.parts;  // parts are alike
  job.summaries = summaries;
  Grid const grid{blocks_for(rows, statistics::tile_rows) * job.parts,
                  static_cast<unsigned>(statistics::tile_sums) * job.width};
  launch("summarize_tiles", stream, grid, summarize_tiles_kernel, job);
}

}  // namespace penstock::cuda
