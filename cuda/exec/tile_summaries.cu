// Statistics of rows in device memory.
#include "cuda/exec/tile_summaries.hpp"

#include "cuda/kernels/moments.cuh"

namespace penstock::cuda {

void summarize_tiles(Stream& stream, Dense const& values, statistics::Summary* summaries) {
  summarize_tiles(stream, values.as<float>(), values.rows, values.columns, summaries);
}

}  // namespace penstock::cuda
