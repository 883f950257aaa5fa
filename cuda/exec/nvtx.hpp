/// NVTX ranges of the calling thread, where the header was there when this was built. They cost next to nothing while
/// no profiler listens.
#pragma once

#if defined(PENSTOCK_HAS_NVTX)
#include <nvtx3/nvToolsExt.h>
#endif

namespace penstock::cuda {

inline void push_range(char const* name) {
#if defined(PENSTOCK_HAS_NVTX)
  nvtxRangePushA(name);
#else
  (void)name;
#endif
}
inline void pop_range() {
#if defined(PENSTOCK_HAS_NVTX)
  nvtxRangePop();
#endif
}

}  // namespace penstock::cuda
