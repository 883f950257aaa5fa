/// statistics::summarize_tile of float32 with AVX2: the same bits.
///
/// 32 rows without gaps are one row of 32 * columns lanes, and lane v is of column v mod columns and of sum v /
/// columns: so all lanes work whatever the number of columns is, and to add halves is to add one half of the lanes to
/// the other.
///
///     rows      a[0] b[0]   a[1] b[1]   ...  a[31] b[31]        lanes of columns a and b: 64 of them, in groups of 8
///               a[32] b[32] a[33] b[33] ...  a[63] b[63]
///
/// Rows that are wider than 8 columns are copied, 16 columns at a time. Rows that the last block of an input's last
/// tile lacks are missing values: a sum is the same with 0.0 added to it.
#pragma once

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "formats/statistics/tile.hpp"
#include "host/exec/number_avx2.hpp"

namespace penstock::avx2 {

namespace detail {

using statistics::tile_rows;
using statistics::tile_sums;

static constexpr std::size_t tile_columns = 16;  ///< at a time, of wide rows: a cache line
static constexpr std::size_t lanes_max = tile_sums * tile_columns;
static constexpr std::size_t columns_in_place = 8;  ///< tiles up to so wide are read where they are: 32 KiB
/// Values between copied blocks, because a stride of 2 KiB has them all in two sets of a first cache. Copies of rows
/// end there, too.
static constexpr std::size_t block_gap = 16;

/// `count` blocks of 32 rows of `columns` values, each `stride` values after the one before.
struct Blocks {
  float const* values;
  std::size_t columns;
  std::size_t count;
  std::size_t stride;
};

struct BlockCopy {
  alignas(64) float values[(tile_rows / tile_sums) * (lanes_max + block_gap)];
};

/// What is added up, lane by lane.
struct TileLanes {
  alignas(32) double sums[lanes_max];
  alignas(32) double squares[lanes_max];
  alignas(32) double cubes[lanes_max];
  alignas(32) double means[lanes_max];
  alignas(32) float least[lanes_max];
  alignas(32) float greatest[lanes_max];
  alignas(32) std::int32_t finite[lanes_max];
  alignas(32) std::int32_t missing[lanes_max];
  alignas(32) std::int32_t zeros[lanes_max];
};

PENSTOCK_AVX2 static inline __m256d lower_doubles(__m256 values) {
  return _mm256_cvtps_pd(_mm256_castps256_ps128(values));
}
PENSTOCK_AVX2 static inline __m256d upper_doubles(__m256 values) {
  return _mm256_cvtps_pd(_mm256_extractf128_ps(values, 1));
}

/// Columns of `rows` rows, without gaps and with rows of missing values up to the block's end.
PENSTOCK_AVX2 static inline Blocks copy_blocks(float const* values, std::size_t rows, std::size_t stride,
                                               std::size_t columns, BlockCopy& copy) {
  Blocks const blocks = {copy.values, columns, (rows + tile_sums - 1) / tile_sums, tile_sums * columns + block_gap};
  __m256i const width = _mm256_set1_epi32(static_cast<int>(columns));
  __m256i const is_lower = _mm256_cmpgt_epi32(width, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  __m256i const is_upper = _mm256_cmpgt_epi32(width, _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15));
  for (std::size_t i = 0; i < blocks.count * tile_sums; ++i) {
    float* const into = copy.values + i / tile_sums * blocks.stride + i % tile_sums * columns;
    __m256 lower = _mm256_set1_ps(__builtin_nanf("")), upper = lower;
    if (i < rows) {
      lower = _mm256_maskload_ps(values + i * stride, is_lower);
      upper = _mm256_maskload_ps(values + i * stride + 8, is_upper);
    }
    _mm256_storeu_ps(into, lower);  // what is beyond the row is written again with the next, or lies in the gap
    _mm256_storeu_ps(into + 8, upper);
  }
  return blocks;
}

PENSTOCK_AVX2 static inline void count_lanes(Blocks blocks, TileLanes& lanes) {
  __m256 const infinity = _mm256_set1_ps(__builtin_inff());
  __m256 const zero = _mm256_setzero_ps();
  for (std::size_t v = 0; v < tile_sums * blocks.columns; v += 8) {
    __m256 least = infinity, greatest = _mm256_sub_ps(zero, infinity);
    __m256i finite = _mm256_setzero_si256(), missing = finite, zeros = finite;
    __m256d lower = _mm256_setzero_pd(), upper = lower;
    float const* at = blocks.values + v;
    for (std::size_t k = 0; k < blocks.count; ++k, at += blocks.stride) {
      __m256 const x = _mm256_add_ps(_mm256_loadu_ps(at), zero);  // 0 for -0
      __m256 const is_finite = _mm256_cmp_ps(_mm256_sub_ps(x, x), zero, _CMP_EQ_OQ);
      finite = _mm256_sub_epi32(finite, _mm256_castps_si256(is_finite));
      missing = _mm256_sub_epi32(missing, _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)));
      zeros = _mm256_sub_epi32(zeros, _mm256_castps_si256(_mm256_cmp_ps(x, zero, _CMP_EQ_OQ)));
      least = _mm256_min_ps(least, _mm256_blendv_ps(infinity, x, is_finite));
      __m256 const kept = _mm256_and_ps(x, is_finite);
      greatest =
          _mm256_max_ps(greatest, _mm256_or_ps(kept, _mm256_andnot_ps(is_finite, _mm256_sub_ps(zero, infinity))));
      lower = _mm256_add_pd(lower, lower_doubles(kept));
      upper = _mm256_add_pd(upper, upper_doubles(kept));
    }
    _mm256_store_pd(lanes.sums + v, lower);
    _mm256_store_pd(lanes.sums + v + 4, upper);
    _mm256_store_ps(lanes.least + v, least);
    _mm256_store_ps(lanes.greatest + v, greatest);
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes.finite + v), finite);
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes.missing + v), missing);
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes.zeros + v), zeros);
  }
}

/// A value's distance from the mean; 0 of what is not finite.
template <bool all_finite>
PENSTOCK_AVX2 static inline __m256d distances(__m256d x, __m256d means) {
  __m256d const distance = _mm256_sub_pd(x, means);
  if constexpr (all_finite) return distance;
  return _mm256_and_pd(distance, _mm256_cmp_pd(_mm256_sub_pd(x, x), _mm256_setzero_pd(), _CMP_EQ_OQ));
}

template <bool all_finite>
PENSTOCK_AVX2 static inline void centre_lanes(Blocks blocks, TileLanes& lanes) {
  for (std::size_t v = 0; v < tile_sums * blocks.columns; v += 8) {
    __m256d const lower_means = _mm256_load_pd(lanes.means + v), upper_means = _mm256_load_pd(lanes.means + v + 4);
    __m256d lower_squares = _mm256_setzero_pd(), upper_squares = lower_squares;
    __m256d lower_cubes = lower_squares, upper_cubes = lower_squares;
    float const* at = blocks.values + v;
    for (std::size_t k = 0; k < blocks.count; ++k, at += blocks.stride) {
      __m256d const lower = distances<all_finite>(_mm256_cvtps_pd(_mm_loadu_ps(at)), lower_means);
      __m256d const upper = distances<all_finite>(_mm256_cvtps_pd(_mm_loadu_ps(at + 4)), upper_means);
      __m256d const lower_square = _mm256_mul_pd(lower, lower), upper_square = _mm256_mul_pd(upper, upper);
      lower_squares = _mm256_add_pd(lower_squares, lower_square);
      upper_squares = _mm256_add_pd(upper_squares, upper_square);
      lower_cubes = _mm256_add_pd(lower_cubes, _mm256_mul_pd(lower_square, lower));
      upper_cubes = _mm256_add_pd(upper_cubes, _mm256_mul_pd(upper_square, upper));
    }
    _mm256_store_pd(lanes.squares + v, lower_squares);
    _mm256_store_pd(lanes.squares + v + 4, upper_squares);
    _mm256_store_pd(lanes.cubes + v, lower_cubes);
    _mm256_store_pd(lanes.cubes + v + 4, upper_cubes);
  }
}

/// Adds one half of the lanes to the other until each column has one: the first `columns` have the result.
PENSTOCK_AVX2 static inline void fold_lanes(double* lanes, std::size_t columns) {
  for (std::size_t half = tile_sums / 2 * columns;; half /= 2) {
    std::size_t v = 0;
    for (; v + 4 <= half; v += 4)
      _mm256_store_pd(lanes + v, _mm256_add_pd(_mm256_load_pd(lanes + v), _mm256_loadu_pd(lanes + v + half)));
    for (; v < half; ++v) lanes[v] += lanes[v + half];
    if (half == columns) return;
  }
}

/// The same of what is counted, and of the least and greatest values.
PENSTOCK_AVX2 static inline void fold_counts(TileLanes& lanes, std::size_t columns) {
  auto const add = [](std::int32_t* counts, std::size_t half) PENSTOCK_AVX2 {
    auto* const into = reinterpret_cast<__m256i*>(counts);
    _mm256_store_si256(into, _mm256_add_epi32(_mm256_load_si256(into), load_32(counts + half)));
  };
  // Eight lanes at a time, also where a half has fewer: what is added behind it, nobody reads.
  for (std::size_t half = tile_sums / 2 * columns;; half /= 2) {
    for (std::size_t v = 0; v < half; v += 8) {
      add(lanes.finite + v, half);
      add(lanes.missing + v, half);
      add(lanes.zeros + v, half);
      float *const least = lanes.least + v, *const greatest = lanes.greatest + v;
      _mm256_store_ps(least, _mm256_min_ps(_mm256_load_ps(least), _mm256_loadu_ps(least + half)));
      _mm256_store_ps(greatest, _mm256_max_ps(_mm256_load_ps(greatest), _mm256_loadu_ps(greatest + half)));
    }
    if (half == columns) return;
  }
}

PENSTOCK_AVX2 static inline void summarize_blocks(Blocks blocks, std::size_t rows, TileLanes& lanes,
                                                  statistics::Summary* summaries) {
  std::size_t const columns = blocks.columns;
  count_lanes(blocks, lanes);
  fold_counts(lanes, columns);
  fold_lanes(lanes.sums, columns);
  bool all_finite = true;
  for (std::size_t c = 0; c < columns; ++c) {
    auto const finite = static_cast<std::size_t>(lanes.finite[c]);
    lanes.means[c] = finite == 0 ? 0.0 : lanes.sums[c] / static_cast<double>(finite);
    all_finite = all_finite && finite == blocks.count * tile_sums;
  }
  for (std::size_t lane = columns; lane < tile_sums * columns; lane *= 2)
    std::memcpy(lanes.means + lane, lanes.means, lane * sizeof(double));
  all_finite ? centre_lanes<true>(blocks, lanes) : centre_lanes<false>(blocks, lanes);
  fold_lanes(lanes.squares, columns);
  fold_lanes(lanes.cubes, columns);
  std::size_t const absent = blocks.count * tile_sums - rows;
  for (std::size_t c = 0; c < columns; ++c) {
    auto const finite = static_cast<std::size_t>(lanes.finite[c]);
    statistics::Summary summary;
    summary.missing = static_cast<std::size_t>(lanes.missing[c]) - absent;
    summary.infinite = rows - finite - summary.missing;
    summary.zeros = static_cast<std::size_t>(lanes.zeros[c]);
    if (finite != 0) {
      summary.least = static_cast<double>(lanes.least[c]);
      summary.greatest = static_cast<double>(lanes.greatest[c]);
      summary.moments = {finite, lanes.means[c], lanes.squares[c], lanes.cubes[c]};
    }
    summaries[c] = summary;
  }
}

}  // namespace detail

/// As statistics::summarize_tile. Needs 94 KiB of stack.
PENSTOCK_AVX2 static inline void summarize_tile(float const* values, std::size_t rows, std::size_t stride,
                                                std::size_t columns, statistics::Summary* summaries) {
  detail::TileLanes lanes;
  if (columns <= detail::columns_in_place && stride == columns && rows % detail::tile_sums == 0 && rows != 0) {
    std::size_t const lane_count = detail::tile_sums * columns;
    detail::summarize_blocks({values, columns, rows / detail::tile_sums, lane_count}, rows, lanes, summaries);
    return;
  }
  detail::BlockCopy copy;
  for (std::size_t begin = 0; begin < columns; begin += detail::tile_columns) {
    std::size_t const left = columns - begin;
    std::size_t const width = left < detail::tile_columns ? left : detail::tile_columns;
    detail::Blocks const blocks = detail::copy_blocks(values + begin, rows, stride, width, copy);
    detail::summarize_blocks(blocks, rows, lanes, summaries + begin);
  }
}

}  // namespace penstock::avx2

#endif  // __x86_64__
