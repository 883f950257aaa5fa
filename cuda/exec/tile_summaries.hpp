/// Statistics of rows in device memory.
#pragma once

#include "cuda/exec/stream.hpp"
#include "formats/statistics/moments.hpp"
#include "penstock/tensor.hpp"

namespace penstock::cuda {

/// Enqueues. Of a float32 matrix in device memory whose first row begins a tile: `summaries`, there too, gets one for
/// each column of the first 1,024 rows, then of the next, and so on. They are those of statistics::summarize_tile().
void summarize_tiles(Stream& stream, Dense const& values, statistics::Summary* summaries);

}  // namespace penstock::cuda
