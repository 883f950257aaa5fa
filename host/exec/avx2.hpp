/// The words of formats/core/block.hpp in AVX2. Only functions and templates that name the tag may live in a unit
/// compiled for it: the linker must never take such code for a shared function's one copy (tests/architecture checks
/// the objects).
#pragma once

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstdint>

#include "formats/core/block.hpp"
#include "host/exec/json_numbers_avx2.hpp"
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

PENSTOCK_AVX2 static inline std::uint64_t block_beyond_ascii(Avx2, char const* block) {
  auto const mask = [](__m256i text) PENSTOCK_AVX2 {  // signed, so that the upper half counts as less
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpgt_epi8(_mm256_set1_epi8(' '), text)));
  };
  return mask(avx2::load_32(block)) | std::uint64_t{mask(avx2::load_32(block + 32))} << 32;
}

PENSTOCK_AVX2 static inline bool is_same_masked(Avx2, char const* a, char const* b, char const* mask,
                                                std::size_t bytes) {
  auto const is_same = [&](std::size_t i) PENSTOCK_AVX2 {
    __m256i const different = _mm256_xor_si256(avx2::load_32(a + i), avx2::load_32(b + i));
    return _mm256_testz_si256(different, avx2::load_32(mask + i)) != 0;
  };
  return is_same(0) && (bytes <= 32 || is_same(32));
}

PENSTOCK_AVX2 static inline bool fast_float32(Avx2, char const* begin, std::uint32_t length, float& value) {
  return avx2::fast_float32(begin, length, value);
}

PENSTOCK_AVX2 static inline bool plain_json_float32(Avx2, char const* begin, char const* end, float& value) {
  return avx2::plain_json_float32(begin, end, value);
}

PENSTOCK_AVX2 static inline bool is_plain_json(Avx2, char const* begin, char const* end) {
  return avx2::is_plain_json(begin, end);
}

template <>
inline constexpr bool has_plain_json_run<Avx2> = true;

PENSTOCK_AVX2 static inline std::uint64_t block_digits(Avx2, char const* block) { return avx2::block_digits(block); }

PENSTOCK_AVX2 static inline std::size_t plain_json_run(Avx2, char const* text, std::size_t begin,
                                                       std::uint16_t const* ends, std::size_t count, float* out) {
  return avx2::plain_json_run(text, begin, ends, count, out);
}

}  // namespace penstock

#endif
