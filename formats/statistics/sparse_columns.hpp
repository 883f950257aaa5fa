/// What is stored in each column of a CSR matrix. Of pairs that are not there nothing is said: what they stand for,
/// zero or a missing value, a CSR matrix does not know.
///
/// Values go to their column's sums in the order of the records, one at a time, by the formulas of moments.hpp: the
/// same bits whatever batches the rows come in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "formats/statistics/moments.hpp"

namespace penstock::statistics {

/// Columns from 0 on that have statistics.
inline constexpr std::size_t sparse_columns_max = std::size_t{1} << 20;

/// Memory: 72 bytes for each column up to the last one with a value.
class SparseColumns {
 public:
  explicit SparseColumns(std::size_t columns_max = sparse_columns_max) : columns_max_(columns_max) {}

  /// The next `count` pairs.
  template <class T>
  void add(std::int64_t const* indices, T const* values, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      auto const column = static_cast<std::size_t>(indices[i]);
      if (column >= columns_max_) {
        ++pairs_beyond_;
        continue;
      }
      if (column >= columns_.size()) columns_.resize(column + 1);
      add(columns_[column], static_cast<double>(values[i]) + 0.0);
    }
  }

  /// Of columns 0, 1, ... up to the last one that has values.
  [[nodiscard]] std::span<Summary const> columns() const { return columns_; }
  /// Pairs whose column has no statistics.
  [[nodiscard]] std::uint64_t pairs_beyond() const { return pairs_beyond_; }

 private:
  static void add(Summary& summary, double x) {
    if (x != x) {
      ++summary.missing;
      return;
    }
    if (x - x != 0) {
      ++summary.infinite;
      return;
    }
    Summary one;
    one.zeros = x == 0 ? 1 : 0;
    one.least = one.greatest = x;
    one.moments = {1, x, 0, 0};
    summary = merged(summary, one);
  }

  std::size_t columns_max_;
  std::uint64_t pairs_beyond_ = 0;
  std::vector<Summary> columns_;
};

}  // namespace penstock::statistics
