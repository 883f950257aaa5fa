#include "host/app/column_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

#include "formats/statistics/tile.hpp"
#include "host/exec/tile_summary.hpp"
#include "penstock/dtype.hpp"

namespace penstock::app {

using statistics::tile_rows;

std::size_t exact_values_max(std::size_t columns) {
  std::size_t const all_columns = std::size_t{1} << 24;
  return std::clamp(all_columns / std::max<std::size_t>(columns, 1), tile_rows, statistics::exact_values_default);
}

std::size_t counted_values_max(std::size_t columns) {
  std::size_t const all_columns = std::size_t{1} << 22;
  return std::clamp(all_columns / std::max<std::size_t>(columns, 1), tile_rows, statistics::counted_values_default);
}

TensorStatistics::TensorStatistics(DType dtype, std::size_t columns, ColumnDetails details,
                                   std::optional<std::size_t> only)
    : dtype_(dtype),
      columns_(columns),
      first_(only.value_or(0)),
      carry_(tile_rows * columns * size_bytes(dtype)),
      tile_(only ? 1 : columns),
      all_(tile_.size()),
      quantile_columns_(std::move(details.quantile_columns)) {
  std::size_t const exact_values = details.is_exact ? statistics::exact_values_all : exact_values_max(columns);
  std::size_t const quantiles = details.quantiles ? all_.size() : 0;
  if (dtype == DType::float32)
    quantiles_.emplace<1>(quantiles, statistics::BasicQuantiles<float>(exact_values));
  else
    quantiles_.emplace<0>(quantiles, statistics::BasicQuantiles<double>(exact_values));
  if (details.values) values_.assign(all_.size(), statistics::ValueCounts(counted_values_max(columns)));
}

void TensorStatistics::add(Dense const& tensor) {
  std::size_t const row_bytes = columns_ * size_bytes(dtype_);
  std::byte const* from = tensor.data;
  std::size_t left = tensor.rows;
  rows_ += left;
  if (row_bytes == 0) return;
  auto const carry = [&](std::size_t rows) {
    std::memcpy(carry_.data() + carried_ * row_bytes, from, rows * row_bytes);
    from += rows * row_bytes;
    left -= rows;
    carried_ += rows;
  };
  if (carried_ != 0) carry(std::min(left, tile_rows - carried_));
  if (carried_ == tile_rows) tiles_.push_back({carry_.data(), tile_rows});
  for (; left >= tile_rows; left -= tile_rows, from += tile_rows * row_bytes) tiles_.push_back({from, tile_rows});
  if (!tiles_.empty()) add_tiles();
  if (left != 0) carry(left);
}

/// Rows at both ends, which belong to tiles with rows of other batches, come over the link; of all between them
/// summaries.
void TensorStatistics::add(Dense const& tensor, DeviceRows& rows) {
  std::size_t const row_bytes = columns_ * size_bytes(dtype_);
  std::size_t at = 0;
  rows_ += tensor.rows;
  auto const carry = [&](std::size_t count) {
    rows.copy(at, count, carry_.data() + carried_ * row_bytes);
    at += count;
    carried_ += count;
  };
  if (carried_ != 0) carry(std::min(tensor.rows, tile_rows - carried_));
  if (carried_ == tile_rows) {
    tiles_.push_back({carry_.data(), tile_rows});
    add_tiles();
  }
  if (at == tensor.rows) return;
  std::size_t const tiles = (tensor.rows - at) / tile_rows;
  device_tiles_.resize(tiles * columns_);
  rows.summarize(at, tiles, device_tiles_.data());
  for (std::size_t i = 0; i < device_tiles_.size(); ++i)
    all_[i % columns_] = statistics::merged(all_[i % columns_], device_tiles_[i]);
  at += tiles * tile_rows;
  carry(tensor.rows - at);
}

std::span<statistics::Summary const> TensorStatistics::finish() {
  if (carried_ != 0) tiles_.push_back({carry_.data(), carried_});
  add_tiles();
  std::visit(
      [](auto& columns) {
        for (auto& quantiles : columns) quantiles.finish();
      },
      quantiles_);
  return all_;
}

namespace {

/// Columns that are summed up together: their sums lie side by side in memory.
constexpr std::size_t block_columns = 32;

std::size_t blocks_of(std::size_t columns) { return (columns + block_columns - 1) / block_columns; }

}  // namespace

/// Empties tiles_, and the carry if it is one of them. Parts: summaries of blocks of columns, then details of each.
void TensorStatistics::add_tiles() {
  bool const has_quantiles = std::visit([](auto const& columns) { return !columns.empty(); }, quantiles_);
  std::size_t const parts = blocks_of(all_.size()) + (has_quantiles || !values_.empty() ? all_.size() : 0);
  auto const task = [this](std::size_t part) { add_part(part); };
  if (team_ != nullptr)
    team_->run(parts, task);
  else
    for (std::size_t part = 0; part < parts; ++part) task(part);
  if (!tiles_.empty() && tiles_[0].values == carry_.data()) carried_ = 0;
  tiles_.clear();
}

void TensorStatistics::add_part(std::size_t part) {
  auto const add = [&]<class T>() {
    std::size_t const blocks = blocks_of(all_.size());
    if (part < blocks) return summarize_block<T>(part);
    add_details<T>(part - blocks);
  };
  switch (dtype_) {
    case DType::float64: return add.template operator()<double>();
    case DType::int32: return add.template operator()<std::int32_t>();
    case DType::int64: return add.template operator()<std::int64_t>();
    default: return add.template operator()<float>();
  }
}

template <class T>
void TensorStatistics::summarize_block(std::size_t block) {
  std::size_t const begin = block * block_columns, end = std::min(begin + block_columns, all_.size());
  for (Tile const& tile : tiles_) {
    T const* const values = reinterpret_cast<T const*>(tile.values) + first_ + begin;
    if constexpr (std::is_same_v<T, float>)
      penstock::summarize_tile(isa_, values, tile.rows, columns_, end - begin, tile_.data() + begin);
    else
      statistics::summarize_tile(values, tile.rows, columns_, end - begin, tile_.data() + begin);
    for (std::size_t i = begin; i < end; ++i) all_[i] = statistics::merged(all_[i], tile_[i]);
  }
}

template <class T>
void TensorStatistics::add_details(std::size_t column) {
  using Kept = std::conditional_t<std::is_same_v<T, float>, float, double>;
  auto& quantiles = std::get<QuantilesOfColumns<Kept>>(quantiles_);
  for (Tile const& tile : tiles_) {
    T const* at = reinterpret_cast<T const*>(tile.values) + first_ + column;
    if (!quantiles.empty() && has_quantiles_of(column)) quantiles[column].add_tile(at, tile.rows, columns_);
    if (values_.empty()) continue;
    for (std::size_t i = 0; i < tile.rows; ++i, at += columns_) {
      auto const x = static_cast<double>(*at);
      if (x - x == 0) values_[column].add(x);
    }
  }
}

double TensorStatistics::quantile(std::size_t i, double share) const {
  return std::visit([&](auto const& columns) { return columns[i].quantile(share); }, quantiles_);
}

bool TensorStatistics::has_exact_quantiles() const {
  return std::visit(
      [](auto const& columns) {
        return std::all_of(columns.begin(), columns.end(), [](auto const& each) { return each.is_exact(); });
      },
      quantiles_);
}

QuantileStatistics TensorStatistics::quantiles_of(std::size_t i) const {
  return std::visit(
      [i](auto const& columns) {
        QuantileStatistics found;
        found.is_exact = columns[i].is_exact();
        for (std::size_t k = 0; k < named_quantiles.size(); ++k)
          found.values[k] = columns[i].quantile(named_quantiles[k].q);
        return found;
      },
      quantiles_);
}

ColumnStatistics TensorStatistics::column(std::size_t i) const {
  ColumnStatistics column;
  column.summary = all_[i];
  bool const has_quantiles = std::visit([](auto const& columns) { return !columns.empty(); }, quantiles_);
  if (has_quantiles && column.summary.moments.count != 0) column.quantiles = quantiles_of(i);
  if (!values_.empty()) {
    std::uint64_t const distinct = std::min(values_[i].distinct(), column.summary.moments.count);
    column.values = {distinct, values_[i].is_exact(), values_[i].most_frequent(frequent_values_max)};
  }
  return column;
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
