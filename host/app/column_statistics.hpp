/// Statistics of the columns of an input's rows: the same bits whatever batches the rows come in
/// (formats/statistics/moments.hpp says how).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "formats/statistics/moments.hpp"
#include "host/exec/engine.hpp"
#include "penstock/batch.hpp"
#include "penstock/tensor.hpp"

namespace penstock::app {

/// Of a tensor of any element type. Integers are taken as float64. Memory: 96 bytes a column, and the rows of one tile.
class TensorStatistics {
 public:
  /// Rows of `columns` elements of the type.
  TensorStatistics(DType dtype, std::size_t columns);

  /// The next rows; tensor.columns and tensor.dtype are as they were.
  void add(Dense const& tensor);
  /// When there are no more rows: of each column. Once.
  [[nodiscard]] std::span<statistics::Summary const> finish();
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

 private:
  void add_tile(std::byte const* values, std::size_t rows);

  InstructionSet isa_ = best_instruction_set();
  DType dtype_;
  std::size_t columns_;
  std::uint64_t rows_ = 0;
  std::vector<std::byte> carry_;  ///< rows of a tile that has not ended
  std::size_t carried_ = 0;       ///< rows
  std::vector<statistics::Summary> tile_;
  std::vector<statistics::Summary> all_;
};

/// Square root of the mean square distance from the mean (divided by n, as scalers do); 0 of no values.
[[nodiscard]] double standard_deviation(statistics::Moments const& moments);
/// The mean cube of the distance from the mean in standard deviations; 0 of values that are all the same.
[[nodiscard]] double skewness(statistics::Moments const& moments);

}  // namespace penstock::app
