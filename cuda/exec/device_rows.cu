// Features of a round that stay in device memory.
#include "cuda/exec/device_rows.hpp"

#include <cstring>

#include "cuda/exec/engine_stream.hpp"
#include "cuda/exec/tile_summaries.hpp"
#include "penstock/error.hpp"

namespace penstock::cuda {

using statistics::Summary;
using statistics::tile_rows;

FeatureRows::FeatureRows(Engine& engine, std::size_t rows_max, std::size_t row_bytes, bool are_read_here)
    : row_bytes_(row_bytes), rows_(rows_max * row_bytes, "rows that stay on the device") {
  if (are_read_here) reading_ = std::make_unique<Reading>(engine, rows_max, row_bytes / sizeof(float));
}

FeatureRows::Reading::Reading(Engine& its_engine, std::size_t rows_max, std::size_t columns)
    : engine(its_engine),
      stream((engine.use(), stream_options(engine, engine.take_track()))),
      summaries(rows_max / tile_rows * columns, "summaries of rows"),
      summaries_here(summaries.size(), "summaries of rows"),
      rows_here(tile_rows * columns * sizeof(float), "rows of a tile") {}

FeatureRows::Reading::~Reading() { (void)cudaStreamSynchronize(stream.get()); }

FeatureRows::Reading& FeatureRows::reading() {
  if (reading_ == nullptr) throw Error(ExitCode::internal, "rows that only a device reads were asked for by the host");
  return *reading_;
}

void FeatureRows::take(Stream& stream, Dense const& rows) {
  stream.copy(rows_.get(), rows.data, rows.rows * rows.row_bytes(), "keep rows");
}

void FeatureRows::summarize(std::size_t first, std::size_t tiles, Summary* summaries) {
  if (tiles == 0) return;
  Reading& here = reading();
  here.engine.use();
  std::size_t const columns = row_bytes_ / sizeof(float);
  summarize_tiles(here.stream, {rows_.get() + first * row_bytes_, DType::float32, tiles * tile_rows, columns},
                  here.summaries.get());
  std::size_t const bytes = tiles * columns * sizeof(Summary);
  here.stream.copy(here.summaries_here.get(), here.summaries.get(), bytes, "copy out");
  here.stream.wait();
  std::memcpy(static_cast<void*>(summaries), here.summaries_here.get(), bytes);
}

void FeatureRows::copy(std::size_t first, std::size_t rows, std::byte* to) {
  if (rows == 0) return;
  Reading& here = reading();
  here.engine.use();
  std::size_t const bytes = rows * row_bytes_;
  here.stream.copy(here.rows_here.get(), rows_.get() + first * row_bytes_, bytes, "copy out");
  here.stream.wait();
  std::memcpy(to, here.rows_here.get(), bytes);
}

}  // namespace penstock::cuda
