/// The few words that differ between a host and a device compiler. Everything in formats/ that may run on
/// either side is written with them; each has a portable meaning, which is what the tests run.
#pragma once

#include <bit>
#include <cstdint>

/// Marks a function for host and device (nothing for a host compiler). PENSTOCK_HD_HOT is also inlined
/// whatever the compiler thinks of its size, and PENSTOCK_HD_COLD never, to keep hot callers small. PENSTOCK_HD_CALL is
/// not inlined on a device, where large functions that many call make kernels large; a host decides by itself.
#if defined(__CUDACC__)
#define PENSTOCK_HD __host__ __device__
#define PENSTOCK_HD_HOT __host__ __device__ __forceinline__
#define PENSTOCK_HD_COLD __host__ __device__ __noinline__
#define PENSTOCK_HD_CALL __host__ __device__ __noinline__
#else
#define PENSTOCK_HD
#define PENSTOCK_HD_HOT [[gnu::always_inline]] inline
#define PENSTOCK_HD_COLD [[gnu::noinline]]
#define PENSTOCK_HD_CALL
#endif

#if !defined(__CUDA_ARCH__) && !defined(__SIZEOF_INT128__)
#error "a 64-bit target is needed"
#endif

namespace penstock {

static_assert(std::endian::native == std::endian::little, "text is read in words whose first byte is the lowest");

/// The bits of `from` as a `To` of the same size. (Not std::bit_cast: no std:: function in device code.)
template <class To, class From>
PENSTOCK_HD constexpr To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, from);
}

/// Upper half of the 128-bit product.
PENSTOCK_HD inline std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
#if defined(__CUDA_ARCH__)
  return __umul64hi(a, b);
#else
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * b >> 64);
#endif
}

/// Number of zero bits above the highest one bit; `value` is not 0.
PENSTOCK_HD inline int leading_zeros(std::uint64_t value) {
#if defined(__CUDA_ARCH__)
  return __clzll(static_cast<long long>(value));
#else
  return __builtin_clzll(value);
#endif
}

/// Number of zero bits below the lowest one bit; `value` is not 0.
PENSTOCK_HD inline int trailing_zeros(std::uint64_t value) {
#if defined(__CUDA_ARCH__)
  return __ffsll(static_cast<long long>(value)) - 1;
#else
  return __builtin_ctzll(value);
#endif
}

/// Unaligned little-endian loads: the byte at `from` becomes the lowest of the result.
PENSTOCK_HD inline std::uint64_t load_8_bytes(char const* from) {
#if defined(__CUDA_ARCH__)
  std::uint64_t bytes = 0;
  for (int i = 0; i < 8; ++i) bytes |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  return bytes;
#else
  std::uint64_t bytes;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return bytes;
#endif
}
PENSTOCK_HD inline std::uint32_t load_4_bytes(char const* from) {
#if defined(__CUDA_ARCH__)
  std::uint32_t bytes = 0;
  for (int i = 0; i < 4; ++i) bytes |= static_cast<std::uint32_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  return bytes;
#else
  std::uint32_t bytes;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return bytes;
#endif
}

}  // namespace penstock
