/// Stands in for CUDA's header where kernels are built to run on the CPU: device words, vector types, and the part of
/// the runtime's interface that the engine uses, all with CUDA's names and signatures. README.md says how to use it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_size = 1, unsigned y_size = 1, unsigned z_size = 1) : x(x_size), y(y_size), z(z_size) {}
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(16) ulonglong2 {
  unsigned long long x, y;
};
constexpr uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
constexpr uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

/// Of the kernel thread that runs now on this host thread.
extern constinit thread_local uint3 threadIdx;
extern constinit thread_local uint3 blockIdx;
extern constinit thread_local dim3 blockDim;
extern constinit thread_local dim3 gridDim;
inline constexpr int warpSize = 32;

#include "tests/support/simt/runtime_api.hpp"
#include "tests/support/simt/shared.hpp"
#include "tests/support/simt/simt.hpp"
#include "tests/support/simt/warp.hpp"

// The words of threads that meet. Who calls them is found out by their last two parameters, which nobody passes.

inline void __syncthreads(char const* file = __builtin_FILE(), int line = __builtin_LINE()) {
  simt::detail::meet_block({file, static_cast<unsigned>(line)});
}
inline void __syncwarp(unsigned mask = ~0u, char const* file = __builtin_FILE(), int line = __builtin_LINE()) {
  simt::detail::meet_warp_in_order(mask, {file, static_cast<unsigned>(line)});
}
/// All threads of a kernel run on one host thread, which sees its own writes: there is nothing to do.
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}

template <class T>
auto __shfl_sync(unsigned mask, T&& value, int lane, int width = 32, char const* file = __builtin_FILE(),
                 int line = __builtin_LINE()) {
  unsigned const mine = simt::detail::lane_now(), last = static_cast<unsigned>(width) - 1;
  return simt::detail::exchange(mask, simt::detail::plain(static_cast<T&&>(value)),
                                (mine & ~last) | (static_cast<unsigned>(lane) & last), "__shfl_sync",
                                {file, static_cast<unsigned>(line)});
}
template <class T>
auto __shfl_up_sync(unsigned mask, T&& value, unsigned delta, int width = 32, char const* file = __builtin_FILE(),
                    int line = __builtin_LINE()) {
  unsigned const mine = simt::detail::lane_now(), place = mine & (static_cast<unsigned>(width) - 1);
  return simt::detail::exchange(mask, simt::detail::plain(static_cast<T&&>(value)),
                                place >= delta ? mine - delta : mine, "__shfl_up_sync",
                                {file, static_cast<unsigned>(line)});
}
template <class T>
auto __shfl_down_sync(unsigned mask, T&& value, unsigned delta, int width = 32, char const* file = __builtin_FILE(),
                      int line = __builtin_LINE()) {
  unsigned const size = static_cast<unsigned>(width), mine = simt::detail::lane_now(), place = mine & (size - 1);
  return simt::detail::exchange(mask, simt::detail::plain(static_cast<T&&>(value)),
                                delta < size - place ? mine + delta : mine, "__shfl_down_sync",
                                {file, static_cast<unsigned>(line)});
}
template <class T>
auto __shfl_xor_sync(unsigned mask, T&& value, int bits, int width = 32, char const* file = __builtin_FILE(),
                     int line = __builtin_LINE()) {
  unsigned const size = static_cast<unsigned>(width), mine = simt::detail::lane_now();
  unsigned const other = mine ^ static_cast<unsigned>(bits);
  return simt::detail::exchange(mask, simt::detail::plain(static_cast<T&&>(value)),
                                other / size <= mine / size ? other : mine, "__shfl_xor_sync",
                                {file, static_cast<unsigned>(line)});
}
inline unsigned __ballot_sync(unsigned mask, int predicate, char const* file = __builtin_FILE(),
                              int line = __builtin_LINE()) {
  return simt::detail::ballot(mask, predicate != 0, "__ballot_sync", {file, static_cast<unsigned>(line)});
}
inline int __any_sync(unsigned mask, int predicate, char const* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return simt::detail::ballot(mask, predicate != 0, "__any_sync", {file, static_cast<unsigned>(line)}) != 0;
}
inline int __all_sync(unsigned mask, int predicate, char const* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return simt::detail::ballot(mask, predicate != 0, "__all_sync", {file, static_cast<unsigned>(line)}) == mask;
}
inline unsigned __activemask() = delete;  // what it returns depends on the schedule

// Bits.

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(x)); }
