/// Rows of any batches as tiles of the whole input: 1,024 consecutive rows each, but for the last one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "formats/statistics/moments.hpp"
#include "penstock/dtype.hpp"
#include "penstock/tensor.hpp"

namespace penstock::app {

/// Rows of a tile that has not ended are copied and wait.
class TileRows {
 public:
  TileRows(DType dtype, std::size_t columns)
      : row_bytes_(columns * size_bytes(dtype)), carry_(statistics::tile_rows * row_bytes_) {}

  /// Calls take(rows, count) for each tile that is complete; the tensor is of the type and width given above.
  template <class Take>
  void add(Dense const& tensor, Take take) {
    constexpr std::size_t tile = statistics::tile_rows;
    std::byte const* from = tensor.data;
    std::size_t left = row_bytes_ == 0 ? 0 : tensor.rows;
    while (left != 0) {
      if (carried_ == 0 && left >= tile) {
        take(from, tile);
        from += tile * row_bytes_;
        left -= tile;
        continue;
      }
      std::size_t const taken = std::min(left, tile - carried_);
      std::memcpy(carry_.data() + carried_ * row_bytes_, from, taken * row_bytes_);
      from += taken * row_bytes_;
      left -= taken;
      carried_ += taken;
      if (carried_ != tile) continue;
      take(carry_.data(), tile);
      carried_ = 0;
    }
  }
  /// The same for the last tile, if there is one.
  template <class Take>
  void finish(Take take) {
    if (carried_ != 0) take(carry_.data(), carried_);
    carried_ = 0;
  }

 private:
  std::size_t row_bytes_;
  std::vector<std::byte> carry_;
  std::size_t carried_ = 0;  ///< rows
};

}  // namespace penstock::app
