/// How many values are missing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/launch.cuh"
#include "penstock/dtype.hpp"

namespace penstock::cuda {

inline constexpr unsigned missing_threads = 256;
inline constexpr unsigned missing_values_per_thread = 16;

/// A thread looks at every 256th of its block's 4,096 values. Bits: `count` words, of floats or doubles.
/// Launch: a block for 4,096 values. Shared: none. Work: 3 operations a value; an atomic for a warp that found any.
template <class Bits>
__global__ void PENSTOCK_BOUNDS(missing_threads, 6)
    count_missing_kernel(Bits const* values, std::size_t count, Bits infinity, std::uint64_t* missing) {
  constexpr Bits without_sign = static_cast<Bits>(~Bits{0}) >> 1;
  std::size_t const begin = std::size_t{blockIdx.x} * missing_threads * missing_values_per_thread + threadIdx.x;
  std::uint32_t found = 0;
  for (unsigned k = 0; k < missing_values_per_thread; ++k) {
    std::size_t const i = begin + std::size_t{k} * missing_threads;
    if (i < count) found += (load_cached(values + i) & without_sign) > infinity ? 1 : 0;
  }
  std::uint32_t const sum = warp_sum(found);
  if (sum != 0 && lane_of_thread() == 0) atomic_add(*missing, std::uint64_t{sum});
}

/// Adds the number of NaNs among `count` values in device memory to `*missing`; enqueues. Integers are never missing.
inline void count_missing(Stream& stream, std::byte const* values, std::size_t count, DType dtype,
                          std::uint64_t* missing) {
  Grid const grid{blocks_for(count, missing_threads * missing_values_per_thread), missing_threads};
  if (dtype == DType::float32)
    launch("count_missing", stream, grid, count_missing_kernel<std::uint32_t>,
           reinterpret_cast<std::uint32_t const*>(values), count, 0x7f800000u, missing);
  if (dtype == DType::float64)
    launch("count_missing", stream, grid, count_missing_kernel<std::uint64_t>,
           reinterpret_cast<std::uint64_t const*>(values), count, std::uint64_t{0x7ff0000000000000u}, missing);
}

}  // namespace penstock::cuda
