/// normalize::apply_run of affine columns of float32 with AVX2: the same bits.
#pragma once

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "host/exec/number_avx2.hpp"
#include "penstock/dtype.hpp"

namespace penstock::avx2 {

/// Columns that one operation takes.
static constexpr std::size_t affine_columns = 8;

/// Parameters of neighbouring columns: (x - offsets) * scales, and what is taken for a missing x. Arrays may be read up
/// to the next multiple of affine_columns.
struct AffineColumns {
  double const* offsets;
  double const* scales;
  double const* fills;
};

namespace detail {

PENSTOCK_AVX2 static inline __m128 affine_of_four(__m128 values, AffineColumns columns, std::size_t at) {
  __m256d const given = _mm256_cvtps_pd(values);
  __m256d const is_missing = _mm256_cmp_pd(given, given, _CMP_UNORD_Q);
  __m256d const x = _mm256_blendv_pd(given, _mm256_loadu_pd(columns.fills + at), is_missing);
  __m256d const distance = _mm256_sub_pd(x, _mm256_loadu_pd(columns.offsets + at));
  return _mm256_cvtpd_ps(_mm256_mul_pd(distance, _mm256_loadu_pd(columns.scales + at)));
}

/// Every NaN becomes the missing value.
PENSTOCK_AVX2 static inline __m256 affine_of_eight(__m256 values, AffineColumns columns, std::size_t at) {
  __m128 const lower = affine_of_four(_mm256_castps256_ps128(values), columns, at);
  __m128 const upper = affine_of_four(_mm256_extractf128_ps(values, 1), columns, at + 4);
  __m256 const y = _mm256_set_m128(upper, lower);
  __m256 const missing = _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(missing_float32_bits)));
  return _mm256_blendv_ps(y, missing, _mm256_cmp_ps(y, y, _CMP_UNORD_Q));
}

}  // namespace detail

/// `count` values of a row.
PENSTOCK_AVX2 static inline void apply_affine(AffineColumns columns, std::size_t count, float const* from, float* to) {
  std::size_t at = 0;
  for (; at + affine_columns <= count; at += affine_columns)
    _mm256_storeu_ps(to + at, detail::affine_of_eight(_mm256_loadu_ps(from + at), columns, at));
  if (at == count) return;
  __m256i const left = _mm256_set1_epi32(static_cast<int>(count - at));
  __m256i const mask = _mm256_cmpgt_epi32(left, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  __m256 const values = _mm256_maskload_ps(from + at, mask);
  _mm256_maskstore_ps(to + at, mask, detail::affine_of_eight(values, columns, at));
}

}  // namespace penstock::avx2

#endif
