/// A tile of rows to a summary of each of its columns; moments.hpp says in which association.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/statistics/moments.hpp"

namespace penstock::statistics {

namespace detail {

/// Columns whose sums lie close together.
inline constexpr std::size_t block_columns = 32;

/// Sums of a block of columns: sums[i][c] of column c.
struct BlockSums {
  double sums[tile_sums][block_columns] = {};

  /// Adds halves; sums[0] has the result.
  void fold() {
    for (std::size_t half = tile_sums / 2; half != 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) {
        for (std::size_t c = 0; c < block_columns; ++c) sums[i][c] += sums[i + half][c];
      }
    }
  }
};

/// What is counted of a block of columns.
struct BlockCounts {
  std::uint32_t finite[block_columns] = {};
  std::uint32_t missing[block_columns] = {};
  std::uint32_t zeros[block_columns] = {};
  double least[block_columns];
  double greatest[block_columns];

  BlockCounts() {
    for (std::size_t c = 0; c < block_columns; ++c) {
      least[c] = __builtin_inf();
      greatest[c] = -__builtin_inf();
    }
  }
};

/// x - x is 0 but for NaN and infinities. (A sum is the same with 0.0 added to it: it begins with 0.0, so that it is
/// never -0.)
inline bool is_finite(double x) { return x - x == 0.0; }

template <class T>
void count_block(T const* values, std::size_t rows, std::size_t stride, std::size_t columns, BlockCounts& counts,
                 BlockSums& sums) {
  for (std::size_t i = 0; i < rows; ++i, values += stride) {
    double* const into = sums.sums[i % tile_sums];
    for (std::size_t c = 0; c < columns; ++c) {
      double const x = static_cast<double>(values[c]) + 0.0;  // 0 for -0
      bool const finite = is_finite(x);
      counts.finite[c] += finite ? 1 : 0;
      counts.missing[c] += x != x ? 1 : 0;
      counts.zeros[c] += x == 0.0 ? 1 : 0;
      counts.least[c] = finite && x < counts.least[c] ? x : counts.least[c];
      counts.greatest[c] = finite && x > counts.greatest[c] ? x : counts.greatest[c];
      into[c] += finite ? x : 0.0;
    }
  }
  sums.fold();
}

template <class T>
void centre_block(T const* values, std::size_t rows, std::size_t stride, std::size_t columns, double const* means,
                  BlockSums& squares, BlockSums& cubes) {
  for (std::size_t i = 0; i < rows; ++i, values += stride) {
    double* const into2 = squares.sums[i % tile_sums];
    double* const into3 = cubes.sums[i % tile_sums];
    for (std::size_t c = 0; c < columns; ++c) {
      double const x = static_cast<double>(values[c]) + 0.0;
      double const d = is_finite(x) ? x - means[c] : 0.0;
      double const square = d * d;
      into2[c] += square;
      into3[c] += square * d;
    }
  }
  squares.fold();
  cubes.fold();
}

}  // namespace detail

/// Of up to tile_rows rows, each `stride` values after the one before: a summary of each column. Only the last tile of
/// an input has fewer rows. T: float, double, or an integer, of which all values are taken as double.
template <class T>
void summarize_tile(T const* values, std::size_t rows, std::size_t stride, std::size_t columns, Summary* summaries) {
  for (std::size_t begin = 0; begin < columns; begin += detail::block_columns) {
    std::size_t const width = columns - begin < detail::block_columns ? columns - begin : detail::block_columns;
    detail::BlockCounts counts;
    detail::BlockSums sums, squares, cubes;
    detail::count_block(values + begin, rows, stride, width, counts, sums);
    double means[detail::block_columns] = {};
    for (std::size_t c = 0; c < width; ++c)
      if (counts.finite[c] != 0) means[c] = sums.sums[0][c] / counts.finite[c];
    detail::centre_block(values + begin, rows, stride, width, means, squares, cubes);
    for (std::size_t c = 0; c < width; ++c) {
      Summary& summary = summaries[begin + c];
      summary = {};
      summary.missing = counts.missing[c];
      summary.infinite = rows - counts.finite[c] - counts.missing[c];
      summary.zeros = counts.zeros[c];
      if (counts.finite[c] == 0) continue;
      summary.least = counts.least[c];
      summary.greatest = counts.greatest[c];
      summary.moments = {counts.finite[c], means[c], squares.sums[0][c], cubes.sums[0][c]};
    }
  }
}

}  // namespace penstock::statistics
