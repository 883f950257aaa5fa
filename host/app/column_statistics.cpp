#include "host/app/column_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "formats/statistics/tile.hpp"
#include "host/exec/tile_summary.hpp"
#include "penstock/dtype.hpp"

namespace penstock::app {

using statistics::tile_rows;

TensorStatistics::TensorStatistics(DType dtype, std::size_t columns)
    : dtype_(dtype),
      columns_(columns),
      carry_(tile_rows * columns * size_bytes(dtype)),
      tile_(columns),
      all_(columns) {}

void TensorStatistics::add(Dense const& tensor) {
  std::size_t const row_bytes = columns_ * size_bytes(dtype_);
  std::byte const* from = tensor.data;
  std::size_t left = tensor.rows;
  rows_ += left;
  if (row_bytes == 0) return;
  while (left != 0) {
    if (carried_ == 0 && left >= tile_rows) {
      add_tile(from, tile_rows);
      from += tile_rows * row_bytes;
      left -= tile_rows;
      continue;
    }
    std::size_t const taken = std::min(left, tile_rows - carried_);
    std::memcpy(carry_.data() + carried_ * row_bytes, from, taken * row_bytes);
    from += taken * row_bytes;
    left -= taken;
    carried_ += taken;
    if (carried_ != tile_rows) continue;
    add_tile(carry_.data(), tile_rows);
    carried_ = 0;
  }
}

std::span<statistics::Summary const> TensorStatistics::finish() {
  if (carried_ != 0) add_tile(carry_.data(), carried_);
  carried_ = 0;
  return all_;
}

void TensorStatistics::add_tile(std::byte const* values, std::size_t rows) {
  auto const summarize = [&]<class T>(T const* of_type) {
    statistics::summarize_tile(of_type, rows, columns_, columns_, tile_.data());
  };
  switch (dtype_) {
    case DType::float64: summarize(reinterpret_cast<double const*>(values)); break;
    case DType::int32: summarize(reinterpret_cast<std::int32_t const*>(values)); break;
    case DType::int64: summarize(reinterpret_cast<std::int64_t const*>(values)); break;
    default:
      summarize_tile(isa_, reinterpret_cast<float const*>(values), rows, columns_, columns_, tile_.data());
      break;
  }
  for (std::size_t i = 0; i < columns_; ++i) all_[i] = statistics::merged(all_[i], tile_[i]);
}

double standard_deviation(statistics::Moments const& moments) {
  return moments.count == 0 ? 0 : std::sqrt(moments.m2 / static_cast<double>(moments.count));
}

double skewness(statistics::Moments const& moments) {
  double const deviation = standard_deviation(moments);
  if (deviation == 0) return 0;
  return moments.m3 / static_cast<double>(moments.count) / (deviation * deviation * deviation);
}

}  // namespace penstock::app
