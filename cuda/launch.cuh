/// The only place where kernels are launched.
#pragma once

#include <cstddef>

#include "cuda/exec/check.hpp"
#include "cuda/exec/span.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/vocabulary.cuh"

namespace penstock::cuda {

/// Blocks of a grid, and threads of each (whole warps).
struct Grid {
  unsigned blocks = 0;
  unsigned threads = 0;
};

/// As many blocks as `items` need of `items_per_block`.
constexpr unsigned blocks_for(std::size_t items, std::size_t items_per_block) {
  return static_cast<unsigned>((items + items_per_block - 1) / items_per_block);
}

/// Enqueues a kernel; does not wait. An empty grid does nothing. `name` outlives the program: it is the kernel's in
/// traces, profilers and errors. Arguments are converted to the kernel's own types.
template <class... Parameters, class... Arguments>
void launch(char const* name, Stream& stream, Grid grid, void (*kernel)(Parameters...), Arguments... arguments) {
  if (grid.blocks == 0) return;
  DeviceSpan const span(stream, name);
#if defined(PENSTOCK_SIMT)
  ::simt::launch<Parameters...>(name, grid.blocks, grid.threads, kernel, static_cast<Parameters>(arguments)...);
#else
  kernel<<<grid.blocks, grid.threads, 0, stream.get()>>>(static_cast<Parameters>(arguments)...);
#endif
  check(cudaGetLastError(), name);
}

}  // namespace penstock::cuda
