/// Generic verbs over device memory, from CUB: what need not be a kernel of ours.
#pragma once

#if defined(PENSTOCK_SIMT)
#include <simt_backend.hpp>
namespace penstock::cuda {
using Backend = ::simt::SimtBackend;
}
#else

#include <thrust/iterator/counting_iterator.h>
#include <cub/device/device_scan.cuh>
#include <cub/device/device_select.cuh>

#include <cstddef>
#include <cstdint>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/span.hpp"
#include "cuda/exec/stream.hpp"

namespace penstock::cuda {

namespace detail {
struct Everything {
  __host__ __device__ bool operator()(std::uint32_t) const { return true; }
};
}  // namespace detail

/// Verbs that enqueue and do not wait. Takes its memory when it is made, for at most `items_max` items.
class CudaBackend {
 public:
  CudaBackend(Stream& stream, std::size_t items_max);

  /// out[i] = in[0] + ... + in[i - 1]; in and out may be the same.
  template <class T>
  void exclusive_sum(T const* in, T* out, std::size_t count) {
    DeviceSpan const span(stream_, "exclusive_sum");
    std::size_t bytes = scratch_.size();
    check(cub::DeviceScan::ExclusiveSum(scratch_.get(), bytes, in, out, static_cast<int>(count), stream_.get()),
          "cub::DeviceScan::ExclusiveSum");
  }
  /// The numbers i of [0, count) for which keep(i), ascending, to `out`; how many they are to `*found`. `keep` is a
  /// named function object that the device can call.
  template <class Keep>
  void select(std::size_t count, Keep keep, std::uint32_t* out, std::uint32_t* found) {
    DeviceSpan const span(stream_, "select");
    std::size_t bytes = scratch_.size();
    check(cub::DeviceSelect::If(scratch_.get(), bytes, thrust::counting_iterator<std::uint32_t>(0), out, found,
                                static_cast<int>(count), keep, stream_.get()),
          "cub::DeviceSelect::If");
  }
  [[nodiscard]] std::size_t device_bytes() const { return scratch_.size_bytes(); }

 private:
  /// Twice what CUB 3 asks of either verb for as many items, measured in its own queries at the largest element (8
  /// bytes).
  static std::size_t scratch_bytes(std::size_t items) {
    std::size_t scan = 0, select = 0;
    (void)cub::DeviceScan::ExclusiveSum(nullptr, scan, static_cast<std::uint64_t const*>(nullptr),
                                        static_cast<std::uint64_t*>(nullptr), static_cast<int>(items));
    (void)cub::DeviceSelect::If(nullptr, select, thrust::counting_iterator<std::uint32_t>(0),
                                static_cast<std::uint32_t*>(nullptr), static_cast<std::uint32_t*>(nullptr),
                                static_cast<int>(items), detail::Everything{});
    return 2 * (scan > select ? scan : select) + 1024;
  }
  Stream& stream_;
  DeviceArray<unsigned char> scratch_;
};

inline CudaBackend::CudaBackend(Stream& stream, std::size_t items_max)
    : stream_(stream), scratch_(scratch_bytes(items_max), "scratch for sums and selections") {}

using Backend = CudaBackend;

}  // namespace penstock::cuda
#endif
