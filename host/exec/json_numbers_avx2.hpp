/// Four plain numbers of a JSON list at once, to the float32 that number::parse<float> gives.
#pragma once

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "host/exec/number_avx2.hpp"

namespace penstock::avx2 {

/// Bit i says whether byte i of 64 is a digit.
PENSTOCK_AVX2 static inline std::uint64_t block_digits(char const* block) {
  auto const bits = [](__m256i text) PENSTOCK_AVX2 {
    __m256i const values = _mm256_sub_epi8(text, _mm256_set1_epi8('0'));
    __m256i const is_digit = _mm256_cmpeq_epi8(_mm256_min_epu8(values, _mm256_set1_epi8(9)), values);
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(is_digit));
  };
  return bits(load_32(block)) | std::uint64_t{bits(load_32(block + 32))} << 32;
}

namespace detail {

PENSTOCK_AVX2 static inline __m256i load_both_16(void const* lower, void const* upper) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(load_16(lower)), load_16(upper), 1);
}

/// 10^(i - 16).
static constexpr double negative_powers[17] = {1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8,
                                               1e-7,  1e-6,  1e-5,  1e-4,  1e-3,  1e-2,  1e-1,  1e0};

/// The numbers in the two halves, each as four numbers of four digits. See unsigned_float32() on how points are closed:
/// the bytes from the point on are 16 + `first` and 16 + `second`.
PENSTOCK_AVX2 static inline __m256i join_to_fours(__m256i text, std::ptrdiff_t first, std::ptrdiff_t second) {
  __m256i const values = _mm256_subs_epu8(text, _mm256_set1_epi8('0'));  // 0 of all that is no digit
  auto const closing = load_both_16(sliding_mask + first_16 + 16 + first, sliding_mask + first_16 + 16 + second);
  __m256i const closed = _mm256_blendv_epi8(values, _mm256_srli_si256(values, 1), closing);
  return _mm256_madd_epi16(_mm256_maddubs_epi16(closed, _mm256_set1_epi16(0x010a)), _mm256_set1_epi32(0x00010064));
}

/// The numbers that both give, in halves of eight digits, to double; in order, if `lower` is of the first two.
PENSTOCK_AVX2 static inline __m256d join_fours(__m256i lower, __m256i upper) {
  __m256i const eights = _mm256_madd_epi16(_mm256_packus_epi32(lower, upper), _mm256_set1_epi32(0x00012710));
  __m256d const of_first = _mm256_cvtepi32_pd(_mm256_castsi256_si128(eights));
  __m256d const of_second = _mm256_cvtepi32_pd(_mm256_extracti128_si256(eights, 1));
  __m256d const high = _mm256_unpacklo_pd(of_first, of_second);
  return _mm256_add_pd(_mm256_mul_pd(high, _mm256_set1_pd(1e8)), _mm256_unpackhi_pd(of_first, of_second));
}

/// The sign bit where a minus stands in one of four halves.
PENSTOCK_AVX2 static inline __m256d signs_of(__m256i lower, __m256i upper) {
  __m256i const minus = _mm256_set1_epi8('-');
  __m256i const packed = _mm256_packs_epi16(_mm256_cmpeq_epi8(lower, minus), _mm256_cmpeq_epi8(upper, minus));
  __m256i const is_positive = _mm256_cmpeq_epi64(packed, _mm256_setzero_si256());
  return _mm256_andnot_pd(_mm256_castsi256_pd(_mm256_permute4x64_epi64(is_positive, 0xd8)), _mm256_set1_pd(-0.0));
}

/// What narrow() leaves, and a little more; and what may be an integer that float32 does not hold.
PENSTOCK_AVX2 static inline unsigned undecided(__m256d magnitudes) {
  __m256i const bits = _mm256_add_epi64(_mm256_castpd_si256(magnitudes), _mm256_set1_epi64x(0x80));
  __m256i const below = _mm256_and_si256(bits, _mm256_set1_epi64x(0x1fffff00));
  __m256i const is_halfway = _mm256_cmpeq_epi64(below, _mm256_set1_epi64x(0x10000000));
  __m256d const is_large = _mm256_cmp_pd(magnitudes, _mm256_set1_pd(0x1p24), _CMP_GT_OQ);
  return static_cast<unsigned>(_mm256_movemask_pd(_mm256_or_pd(is_large, _mm256_castsi256_pd(is_halfway))));
}

/// Four plain numbers, which end at `text` + ends[0] to ends[3] and begin with the byte at `begin` and one behind each
/// end. Writes all four; bit i of the result says that number i is not decided, as is none if one has over 15 bytes.
PENSTOCK_AVX2 static inline unsigned four_json_float32(char const* text, std::size_t begin, std::uint16_t const* ends,
                                                       float* out) {
  std::size_t const end[4] = {ends[0], ends[1], ends[2], ends[3]};
  std::size_t const bytes[4] = {end[0] - begin, end[1] - end[0] - 1, end[2] - end[1] - 1, end[3] - end[2] - 1};
  if ((bytes[0] | bytes[1] | bytes[2] | bytes[3]) > 15) [[unlikely]]
    return 15;
  auto const two = [&](int i) PENSTOCK_AVX2 {
    auto const* const live = sliding_mask + first_16;
    return _mm256_and_si256(load_both_16(text + end[i] - 16, text + end[i + 1] - 16),
                            load_both_16(live + bytes[i], live + bytes[i + 1]));
  };
  auto const points = [](__m256i both) PENSTOCK_AVX2 {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(both, _mm256_set1_epi8('.'))));
  };
  // Less the bytes before the point of the 16 that end with the number.
  auto const before = [](std::uint32_t point)
                          PENSTOCK_AVX2 { return -static_cast<std::ptrdiff_t>(_tzcnt_u32(point | 0x10000)); };
  __m256i const lower = two(0);
  __m256i const upper = two(2);
  std::uint32_t const lower_points = points(lower);
  std::uint32_t const upper_points = points(upper);
  std::ptrdiff_t const at[4] = {before(lower_points), before(lower_points >> 16), before(upper_points),
                                before(upper_points >> 16)};
  __m256d const significands = join_fours(join_to_fours(lower, at[0], at[1]), join_to_fours(upper, at[2], at[3]));
  __m256d const powers = _mm256_setr_pd(negative_powers[-at[0]], negative_powers[-at[1]], negative_powers[-at[2]],
                                        negative_powers[-at[3]]);
  __m256d const magnitudes = _mm256_mul_pd(significands, powers);
  _mm_storeu_ps(out, _mm256_cvtpd_ps(_mm256_or_pd(magnitudes, signs_of(lower, upper))));
  return undecided(magnitudes);
}

}  // namespace detail

/// Plain numbers (formats/json/plain_check.hpp) to `out`: the first begins at `text` + begin, they end at `text` +
/// ends[0], ends[1], ..., with a byte between one's end and the next. Returns how many it took, before the first four
/// of which one is not decided. Three floats behind the last are written, and three ends read.
PENSTOCK_AVX2 static inline std::size_t plain_json_run(char const* text, std::size_t begin, std::uint16_t const* ends,
                                                       std::size_t count, float* out) {
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    if (detail::four_json_float32(text, begin, ends + i, out + i) != 0) [[unlikely]]
      return i;
    begin = ends[i + 3] + std::size_t{1};
  }
  if (i == count) return count;
  unsigned const rest = (1u << (count - i)) - 1;
  return (detail::four_json_float32(text, begin, ends + i, out + i) & rest) == 0 ? count : i;
}

}  // namespace penstock::avx2

#endif  // __x86_64__
