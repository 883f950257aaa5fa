/// The device vocabulary: all the words that kernels may use. CUDA's own are threadIdx, blockIdx, blockDim, gridDim,
/// __syncthreads, __syncwarp, __shfl_sync, __shfl_up_sync, __shfl_down_sync, __shfl_xor_sync, __ballot_sync,
/// __any_sync,
/// __all_sync and __threadfence; the rest is below, each with its portable meaning beside it. tests/architecture checks
/// that kernels use no others, and tests/support/simt runs these on the CPU.
///
/// Warp-wide words need all 32 lanes: no lane may have returned. Blocks are one-dimensional, of whole warps.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "formats/core/platform.hpp"

/// PENSTOCK_SHARED(T, name, count): an array in the block's shared memory. The emulator gives each block a fresh one
/// that knows what was written and who may read it, so only `name[i]` and passing `name` on by reference are allowed;
/// there are no pointers into it.
#if defined(PENSTOCK_SIMT)
#define PENSTOCK_SHARED(T, name, count) auto& name = ::simt::shared<T, count>(__FILE__, __LINE__)
#else
#define PENSTOCK_SHARED(T, name, count) __shared__ T name[count]
#endif

/// PENSTOCK_BOUNDS(threads, blocks): the largest block, and how many of them an SM shall hold at least, or as many as
/// it has threads for: 1024 before compute capability 8.0, 1536 on the smaller ones since.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define PENSTOCK_SM_THREADS 1024
#else
#define PENSTOCK_SM_THREADS 1536
#endif
#define PENSTOCK_BOUNDS(threads, blocks) \
  __launch_bounds__(threads, (threads) * (blocks) > PENSTOCK_SM_THREADS ? PENSTOCK_SM_THREADS / (threads) : (blocks))

namespace penstock::cuda {

inline constexpr unsigned warp_lanes = 32;
inline constexpr unsigned all_lanes = 0xffffffffu;

__device__ inline unsigned lane_of_thread() { return threadIdx.x % warp_lanes; }
__device__ inline unsigned warp_of_thread() { return threadIdx.x / warp_lanes; }
/// The lanes below this one, as bits.
__device__ inline std::uint32_t lanes_below() { return (1u << lane_of_thread()) - 1; }

// --- bits ----------------------------------------------------------------------------------------------------------

PENSTOCK_HD inline unsigned count_bits(std::uint32_t x) {
#if defined(__CUDA_ARCH__)
  return static_cast<unsigned>(__popc(x));
#else
  return static_cast<unsigned>(__builtin_popcount(x));
#endif
}
PENSTOCK_HD inline unsigned count_bits(std::uint64_t x) {
#if defined(__CUDA_ARCH__)
  return static_cast<unsigned>(__popcll(x));
#else
  return static_cast<unsigned>(__builtin_popcountll(x));
#endif
}
/// The place of the lowest one bit; x is not 0.
PENSTOCK_HD inline unsigned lowest_bit(std::uint32_t x) {
#if defined(__CUDA_ARCH__)
  return static_cast<unsigned>(__ffs(static_cast<int>(x))) - 1;
#else
  return static_cast<unsigned>(__builtin_ctz(x));
#endif
}
/// The place of the highest one bit; x is not 0.
PENSTOCK_HD inline unsigned highest_bit(std::uint32_t x) {
#if defined(__CUDA_ARCH__)
  return 31u - static_cast<unsigned>(__clz(static_cast<int>(x)));
#else
  return 31u - static_cast<unsigned>(__builtin_clz(x));
#endif
}
/// Bits 0 to 31 of (high:low) >> bits, for bits from 0 to 31.
PENSTOCK_HD inline std::uint32_t funnel_right(std::uint32_t low, std::uint32_t high, unsigned bits) {
#if defined(__CUDA_ARCH__)
  return __funnelshift_r(low, high, bits);
#else
  return static_cast<std::uint32_t>((std::uint64_t{high} << 32 | low) >> (bits & 31));
#endif
}
/// A mask that keeps bytes n to 3 of a word; all of them for n <= 0, none from 4 on.
PENSTOCK_HD inline std::uint32_t bytes_from(int n) {
  n = n < 0 ? 0 : n > 4 ? 4 : n;
#if defined(__CUDA_ARCH__)
  return __funnelshift_lc(0u, ~0u, 8u * static_cast<unsigned>(n));
#else
  return n == 4 ? 0u : ~0u << (8 * n);
#endif
}
/// c plus the sum of the products of bytes.
PENSTOCK_HD inline std::uint32_t dot4(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 610
  return __dp4a(a, b, c);
#else
  for (int i = 0; i < 4; ++i) c += (a >> 8 * i & 255u) * (b >> 8 * i & 255u);
  return c;
#endif
}
/// Four bytes of (b:a), chosen by the nibbles of `selector` (0 to 7).
PENSTOCK_HD inline std::uint32_t byte_perm(std::uint32_t a, std::uint32_t b, std::uint32_t selector) {
#if defined(__CUDA_ARCH__)
  return __byte_perm(a, b, selector);
#else
  std::uint64_t const bytes = std::uint64_t{b} << 32 | a;
  std::uint32_t result = 0;
  for (int i = 0; i < 4; ++i)
    result |= static_cast<std::uint32_t>(bytes >> 8 * (selector >> 4 * i & 7) & 255u) << 8 * i;
  return result;
#endif
}
/// The highest bit of every byte of x that equals the byte that `pattern` repeats; other bits are 0.
PENSTOCK_HD inline std::uint32_t equal_bytes(std::uint32_t x, std::uint32_t pattern) {
  std::uint32_t const different = x ^ pattern;
  return ~(((different & 0x7f7f7f7fu) + 0x7f7f7f7fu) | different) & 0x80808080u;
}

// --- memory --------------------------------------------------------------------------------------------------------

/// Sixteen bytes from an address that is a multiple of 16.
__device__ inline uint4 load_16(uint4 const* from) {
#if defined(__CUDA_ARCH__)
  return __ldg(from);
#else
  return *from;
#endif
}
/// What no thread of this grid writes.
template <class T>
__device__ inline T load_cached(T const* from) {
#if defined(__CUDA_ARCH__)
  return __ldg(from);
#else
  return *from;
#endif
}
/// What other blocks of this grid may have written before they arrived (see last_block_to_arrive).
template <class T>
__device__ inline T load_fresh(T const* from) {
#if defined(__CUDA_ARCH__)
  return __ldcg(from);
#else
  return *from;
#endif
}
/// What other threads of this grid may write at the same time, where any order will do.
template <class T>
__device__ inline T load_relaxed(T const* from) {
#if defined(__CUDA_ARCH__)
  return *static_cast<T const volatile*>(from);
#else
  return __atomic_load_n(from, __ATOMIC_RELAXED);
#endif
}
template <class T>
__device__ inline void store_relaxed(T* to, T value) {
#if defined(__CUDA_ARCH__)
  *static_cast<T volatile*>(to) = value;
#else
  __atomic_store_n(to, value, __ATOMIC_RELAXED);
#endif
}

#if defined(__CUDACC__)
template <class T>
__device__ inline T atomic_add(T& at, T value) {
  if constexpr (sizeof(T) == 8)
    return static_cast<T>(
        atomicAdd(reinterpret_cast<unsigned long long*>(&at), static_cast<unsigned long long>(value)));
  else
    return atomicAdd(&at, value);
}
template <class T>
__device__ inline T atomic_or(T& at, T value) {
  return atomicOr(&at, value);
}
template <class T>
__device__ inline T atomic_min(T& at, T value) {
  return atomicMin(&at, value);
}
template <class T>
__device__ inline T atomic_max(T& at, T value) {
  return atomicMax(&at, value);
}
#else
using ::simt::atomic_add;  // of global memory and of elements of shared arrays
using ::simt::atomic_max;
using ::simt::atomic_min;
using ::simt::atomic_or;
#endif

// --- warps ---------------------------------------------------------------------------------------------------------

__device__ inline std::uint32_t warp_sum(std::uint32_t x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  return __reduce_add_sync(all_lanes, x);
#else
  for (unsigned d = 16; d > 0; d /= 2) x += __shfl_xor_sync(all_lanes, x, static_cast<int>(d));
  return x;
#endif
}
__device__ inline std::int32_t warp_max(std::int32_t x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  return __reduce_max_sync(all_lanes, x);
#else
  for (unsigned d = 16; d > 0; d /= 2) {
    std::int32_t const other = __shfl_xor_sync(all_lanes, x, static_cast<int>(d));
    x = other > x ? other : x;
  }
  return x;
#endif
}
__device__ inline std::uint32_t warp_max(std::uint32_t x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  return __reduce_max_sync(all_lanes, x);
#else
  for (unsigned d = 16; d > 0; d /= 2) {
    std::uint32_t const other = __shfl_xor_sync(all_lanes, x, static_cast<int>(d));
    x = other > x ? other : x;
  }
  return x;
#endif
}
__device__ inline std::uint32_t warp_or(std::uint32_t x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  return __reduce_or_sync(all_lanes, x);
#else
  for (unsigned d = 16; d > 0; d /= 2) x |= __shfl_xor_sync(all_lanes, x, static_cast<int>(d));
  return x;
#endif
}
/// The sum of x over this lane and those below it.
template <class T>
__device__ inline T warp_inclusive_sum(T x) {
  for (unsigned d = 1; d < warp_lanes; d *= 2) {
    T const below = __shfl_up_sync(all_lanes, x, d);
    if (lane_of_thread() >= d) x += below;
  }
  return x;
}

// --- blocks --------------------------------------------------------------------------------------------------------

/// Called by all threads of every block when what they have to say is written: true in the one block that arrives last,
/// which may then read it all with load_fresh(). Nobody waits. `arrived` is 0 before the launch and again after it;
/// `flag` is a shared array of one bool.
template <class Flag>
__device__ inline bool last_block_to_arrive(unsigned* arrived, Flag& flag) {
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) flag[0] = atomic_add(*arrived, 1u) == gridDim.x - 1;
  __syncthreads();
  bool const is_last = flag[0];
  if (!is_last) return false;
  __threadfence();
  if (threadIdx.x == 0) *arrived = 0;
  return true;
}

}  // namespace penstock::cuda
