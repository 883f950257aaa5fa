// Features of a round that stay in device memory.
#include "cuda/exec/device_rows.hpp"

#include <cstring>

#include "cuda/exec/engine_stream.hpp"
#include "cuda/exec/tile_summaries.hpp"

namespace penstock::cuda {

using statistics::Summary;
using statistics::tile_rows;

FeatureRows::FeatureRows(Engine& engine, std::size_t rows_max, std::size_t columns)
    : engine_(engine),
      columns_(columns),
      stream_((engine.use(), stream_options(engine, engine.take_track()))),
      rows_(rows_max * columns, "rows that stay on the device"),
      summaries_(rows_max / tile_rows * columns, "summaries of rows"),
      summaries_here_(summaries_.size(), "summaries of rows"),
      rows_here_(tile_rows * columns, "rows of a tile") {}

FeatureRows::~FeatureRows() { (void)cudaStreamSynchronize(stream_.get()); }

void FeatureRows::take(Stream& stream, Dense const& rows) {
  stream.copy(rows_.get(), rows.data, rows.rows * rows.row_bytes(), "keep rows");
}

void FeatureRows::summarize(std::size_t first, std::size_t tiles, Summary* summaries) {
  if (tiles == 0) return;
  engine_.use();
  auto* const data = reinterpret_cast<std::byte*>(rows_.get() + first * columns_);
  summarize_tiles(stream_, {data, DType::float32, tiles * tile_rows, columns_}, summaries_.get());
  std::size_t const bytes = tiles * columns_ * sizeof(Summary);
  stream_.copy(summaries_here_.get(), summaries_.get(), bytes, "copy out");
  stream_.wait();
  std::memcpy(static_cast<void*>(summaries), summaries_here_.get(), bytes);
}

void FeatureRows::copy(std::size_t first, std::size_t rows, std::byte* to) {
  if (rows == 0) return;
  engine_.use();
  std::size_t const bytes = rows * columns_ * sizeof(float);
  stream_.copy(rows_here_.get(), rows_.get() + first * columns_, bytes, "copy out");
  stream_.wait();
  std::memcpy(to, rows_here_.get(), bytes);
}

}  // namespace penstock::cuda
