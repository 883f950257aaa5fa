/// The words of formats/core/block.hpp in AVX2. Only functions and templates that name the tag may live in a unit
/// compiled for it: the linker must never take such code for a shared function's one copy (tests/architecture checks
/// the objects).
#pragma once

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstdint>

#include "formats/core/block.hpp"
#include "host/exec/number_avx2.hpp"

namespace penstock {

/// The tag of AVX2 with BMI1 and BMI2: every x86-64 server since 2015.
struct Avx2 {};

PENSTOCK_AVX2 static inline std::uint64_t block_equal(Avx2, char const* block, char byte) {
  __m256i const pattern = _mm256_set1_epi8(byte);
  __m256i const low = _mm256_loadu_si256(reinterpret_cast<__m256i const*>(block));
  __m256i const high = _mm256_loadu_si256(reinterpret_cast<__m256i const*>(block + 32));
  auto const mask = [&](__m256i x) PENSTOCK_AVX2 {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, pattern)));
  };
  return mask(low) | std::uint64_t{mask(high)} << 32;
}

PENSTOCK_AVX2 static inline std::uint64_t block_equal(Avx2 tag, char const* block, BlockNeedle needle) {
  return needle.present == 0 ? 0 : block_equal(tag, block, needle.byte);
}

PENSTOCK_AVX2 static inline bool fast_float32(Avx2, char const* begin, std::uint32_t length, float& value) {
  return avx2::fast_float32(begin, length, value);
}

PENSTOCK_AVX2 static inline bool plain_json_float32(Avx2, char const* begin, char const* end, float& value) {
  return avx2::plain_json_float32(begin, end, value);
}

}  // namespace penstock

#endif
