/// float32 from text with AVX2: what number::parse<float> gives, for the fields that are plain, several times as fast.
///
/// Every function carries its own target attribute and internal linkage, so the header can be included by
/// baseline translation units and the linker has nothing to merge: callers check the processor first.
#pragma once

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstdint>

#include "formats/core/number_round.hpp"
#include "formats/core/platform.hpp"

/// What the functions below need, and what callers must have checked (and carry themselves, to be inlined into).
#define PENSTOCK_AVX2 __attribute__((target("avx2,bmi,bmi2")))

namespace penstock::avx2 {

/// Read at `first_32 + n`: a mask of the last n of 32 bytes; at `first_16 + n`, of 16.
alignas(64) static constexpr std::int8_t sliding_mask[64] = {
    0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,   //
    0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,   //
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,  //
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
static constexpr std::uint32_t first_16 = 16;
static constexpr std::uint32_t first_32 = 0;

PENSTOCK_AVX2 static inline __m128i load_16(void const* from) {
  return _mm_loadu_si128(static_cast<__m128i const*>(from));
}
PENSTOCK_AVX2 static inline __m256i load_32(void const* from) {
  return _mm256_loadu_si256(static_cast<__m256i const*>(from));
}

/// One bit a byte: which of the bytes, less '0', are digits.
PENSTOCK_AVX2 static inline std::uint32_t digit_bits(__m128i values) {
  __m128i const is_digit = _mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values);
  return static_cast<std::uint32_t>(_mm_movemask_epi8(is_digit));
}
PENSTOCK_AVX2 static inline std::uint32_t digit_bits(__m256i values) {
  __m256i const is_digit = _mm256_cmpeq_epi8(_mm256_min_epu8(values, _mm256_set1_epi8(9)), values);
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(is_digit));
}
PENSTOCK_AVX2 static inline std::uint32_t equal_bits(__m128i text, char c) {
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8(c))));
}
PENSTOCK_AVX2 static inline std::uint32_t equal_bits(__m256i text, char c) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(text, _mm256_set1_epi8(c))));
}

/// The number that 16 digit values spell, the first being the highest: pairs, fours, eights, then both halves.
PENSTOCK_AVX2 static inline std::int64_t join_16_digits(__m128i values) {
  __m128i const pairs = _mm_maddubs_epi16(values, _mm_set1_epi16(0x010a));
  __m128i const fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00010064));
  __m128i const packed = _mm_packus_epi32(fours, fours);
  auto const eights = static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_madd_epi16(packed, _mm_set1_epi32(0x00012710))));
  return static_cast<std::int64_t>((eights & 0xffffffffu) * 100000000u + (eights >> 32));
}

struct Sign {
  std::uint32_t is_negative;
  std::uint32_t length;  ///< 0 or 1
};
PENSTOCK_AVX2 static inline Sign sign_of(char const* begin) {
  // '+' is 0x2b and '-' 0x2d: in arithmetic, because compilers turn comparisons into a branch, which random signs
  // mispredict (0.82 instead of 1.1 GB/s on short fields, g++ 12).
  std::uint32_t const distance = static_cast<std::uint32_t>(static_cast<unsigned char>(*begin)) - '+';
  std::uint32_t const length = (distance & ~2u) == 0 ? 1u : 0u;
  return {length & (distance >> 1), length};
}

/// A double that is within a few roundings of the true value, and exactly zero only with it.
PENSTOCK_AVX2 static inline bool narrow(double magnitude, Sign sign, float& value) {
  auto const bits = bit_cast<std::uint32_t>(static_cast<float>(magnitude)) | sign.is_negative << 31;
  value = bit_cast<float>(bits);
  return number::narrows_safely(magnitude) || magnitude == 0;
}

PENSTOCK_AVX2 static inline bool has_power_of_ten(int exponent) {
  return static_cast<std::uint32_t>(exponent - number::power_float32_exponent_min) <=
         static_cast<std::uint32_t>(number::power_float32_exponent_max - number::power_float32_exponent_min);
}

/// Digits with at most one point.
struct Digits {
  __m128i values;       ///< the 16 bytes that end with them, less '0'
  std::uint32_t point;  ///< a bit a byte
  bool is_wrong;        ///< other bytes are among them, or points where they do not belong
};

/// The last `rest` (1 to 16) bytes before `end`. `is_json`: a digit stands first and last too.
template <bool is_json>
PENSTOCK_AVX2 static inline Digits digits_before(char const* end, std::uint32_t rest) {
  __m128i const text = load_16(end - 16);
  __m128i const values = _mm_sub_epi8(text, _mm_set1_epi8('0'));
  std::uint32_t const live = 0xffff0000u >> rest & 0xffffu;
  std::uint32_t const digits = digit_bits(values) & live;
  std::uint32_t const point = equal_bits(text, '.') & live;
  std::uint32_t const outer = is_json ? 0x8000u | (live & (0u - live)) : 0u;  // where no point may stand
  bool const is_point_wrong = (point & (point - 1)) != 0 || (is_json ? (point & outer) != 0 : digits == 0);
  return {values, point, (digits | point) != live || is_point_wrong};
}

/// The same to a number. The 16 bytes that end with the field are loaded, so that every digit's place follows from the
/// end; what stands behind the point moves down by one to close it:
///
///     text      - 1 2 . 5        values    0 1 2 . 5        closed    0 1 2 5 0     = 1250 * 10^-2
///     no point: - 1 2 5          values      0 1 2 5        closed      0 1 2 5     =  125 * 10^0
///
/// The power of ten is the point's place less 16 in both cases, so nothing branches on whether there is one.
template <bool is_json>
PENSTOCK_AVX2 static inline bool unsigned_float32(char const* end, std::uint32_t rest, Sign sign, float& value) {
  Digits const digits = digits_before<is_json>(end, rest);
  if (digits.is_wrong) [[unlikely]]
    return false;
  std::uint32_t const behind = 16 - _tzcnt_u32(digits.point | 0x10000u);  // bytes from the point on
  __m128i const live_values = _mm_and_si128(digits.values, load_16(sliding_mask + first_16 + rest));
  __m128i const closed =
      _mm_blendv_epi8(live_values, _mm_srli_si128(live_values, 1), load_16(sliding_mask + first_16 + behind));
  std::int64_t const significand = join_16_digits(closed);
  double const magnitude = static_cast<double>(significand) * number::power_of_ten(-static_cast<int>(behind));
  if (!narrow(magnitude, sign, value)) [[unlikely]]
    return false;
  // An integer that float32 does not hold exactly is to be counted, by the caller's other way. (Below 10^16, so
  // the nearest float converts back.)
  if (magnitude > 0x1p24) [[unlikely]]
    return digits.point != 0 || static_cast<std::int64_t>(static_cast<float>(magnitude)) == significand;
  return true;
}

/// The same with a sign, 1 to 16 bytes in all.
PENSTOCK_AVX2 static inline bool compact_float32(char const* begin, std::uint32_t length, float& value) {
  Sign const sign = sign_of(begin);
  return unsigned_float32<false>(begin + length, length - sign.length, sign, value);
}

/// What most numbers of JSON are: an optional minus sign, no zero in front of digits, a point between digits, no
/// exponent; up to 16 bytes behind the sign. How many those are; 0: there are others, or a zero in front.
PENSTOCK_AVX2 static inline std::uint32_t plain_json_bytes(char const* begin, char const* end, std::uint32_t minus) {
  char const* const first = begin + minus;
  auto const rest = static_cast<std::uint32_t>(end - first);
  bool const has_zero_in_front = *first == '0' && static_cast<unsigned char>(first[1] - '0') < 10;
  return rest > 16 || has_zero_in_front ? 0 : rest;
}

/// False: something else. Reads as fast_float32().
PENSTOCK_AVX2 static inline bool plain_json_float32(char const* begin, char const* end, float& value) {
  std::uint32_t const minus = *begin == '-' ? 1u : 0u;
  std::uint32_t const rest = plain_json_bytes(begin, end, minus);
  return rest != 0 && unsigned_float32<true>(end, rest, {minus, minus}, value);
}

/// The same, without its value.
PENSTOCK_AVX2 static inline bool is_plain_json(char const* begin, char const* end) {
  std::uint32_t const rest = plain_json_bytes(begin, end, *begin == '-' ? 1u : 0u);
  return rest != 0 && !digits_before<true>(end, rest).is_wrong;
}

/// [-+]?d.(18 digits)e[+-]dd, the %.18e of numpy.savetxt: everything is in a known place.
PENSTOCK_AVX2 static inline bool fixed_float32(char const* begin, Sign sign, float& value) {
  char const* const p = begin + sign.length;
  __m128i const values = _mm_sub_epi8(load_16(p + 2), _mm_set1_epi8('0'));
  std::uint64_t const tail = load_8_bytes(p + 16) ^ 0x30302b6530303030u;              // "0000e+00"
  std::uint32_t const exponent_sign = static_cast<std::uint32_t>(tail >> 40) & 0xff;  // 0, or 6 for '-'
  std::uint32_t const first = static_cast<unsigned char>(p[0] - '0');
  // Not a digit, no point, no digit, no 'e', no sign: each is zero in a field of this shape.
  std::uint64_t const wrong = (digit_bits(values) ^ 0xffffu) | (static_cast<unsigned char>(p[1]) ^ '.') |
                              number::non_digits(tail) | (tail & 0xff00000000u) |
                              (exponent_sign * (exponent_sign ^ ('+' ^ '-')));
  auto const written = static_cast<int>((tail >> 48 & 0xff) * 10 + (tail >> 56));
  int const exponent = (exponent_sign != 0 ? -written : written) - 16;
  if (wrong != 0 || first > 9 || !has_power_of_ten(exponent)) [[unlikely]]
    return false;
  // 17 digits. The last two are less than a unit, which is below the double's precision unless the first is 0.
  std::int64_t const significand = static_cast<std::int64_t>(first) * 10000000000000000 + join_16_digits(values);
  std::uint64_t const behind_zero = static_cast<std::uint64_t>(significand) | (tail & 0xffff0000u);
  if (static_cast<std::uint64_t>(significand) < 10000000000000000u && behind_zero != 0) [[unlikely]]
    return false;
  return narrow(static_cast<double>(significand) * number::power_of_ten(exponent), sign, value);
}

/// The exponent of a field, and where its mantissa ends.
struct Exponent {
  char const* mantissa_end;  ///< null: not of the shape e[+-]?d{1,3}
  int value;
};
PENSTOCK_AVX2 static inline Exponent exponent_of(char const* marker, char const* end) {
  char const* p = marker + 1;
  bool const is_negative = *p == '-';
  p += is_negative || *p == '+' ? 1 : 0;
  if (p >= end || end - p > 3) return {nullptr, 0};
  int value = 0;
  for (; p != end; ++p) {
    auto const digit = static_cast<unsigned char>(*p - '0');
    if (digit > 9) return {nullptr, 0};
    value = value * 10 + digit;
  }
  return {marker, is_negative ? -value : value};
}

/// The number that the last `live` of 32 values spell, the last `zeros` (0 or 1) of them taken as 0; two roundings.
PENSTOCK_AVX2 static inline double join_32_digits(__m256i values, std::uint32_t live, std::uint32_t zeros) {
  values = _mm256_and_si256(values, load_32(sliding_mask + first_32 + live));
  values = _mm256_andnot_si256(load_32(sliding_mask + first_32 + zeros), values);
  auto const upper = static_cast<double>(join_16_digits(_mm256_castsi256_si128(values)));
  auto const lower = static_cast<double>(join_16_digits(_mm256_extracti128_si256(values, 1)));
  return upper * 1e16 + lower;
}

/// Any number of up to 32 bytes with a point or an exponent (of up to three digits).
PENSTOCK_AVX2 static inline bool long_float32(char const* begin, std::uint32_t length, float& value) {
  char const* const end = begin + length;
  std::uint32_t const marker = equal_bits(_mm256_or_si256(load_32(end - 32), _mm256_set1_epi8(0x20)), 'e') &
                               static_cast<std::uint32_t>(0xffffffff00000000u >> length);
  Exponent exponent = {end, 0};
  if (marker != 0) exponent = exponent_of(end - 32 + _tzcnt_u32(marker), end);
  Sign const sign = sign_of(begin);
  if (exponent.mantissa_end == nullptr || exponent.mantissa_end <= begin + sign.length) return false;
  auto const rest = static_cast<std::uint32_t>(exponent.mantissa_end - begin) - sign.length;
  __m256i const text = load_32(exponent.mantissa_end - 32);
  __m256i const values = _mm256_sub_epi8(text, _mm256_set1_epi8('0'));
  auto const live = static_cast<std::uint32_t>(0xffffffff00000000u >> rest);
  std::uint32_t const digits = digit_bits(values) & live;
  std::uint32_t const point = equal_bits(text, '.') & live;
  if ((digits | point) != live || (point & (point - 1)) != 0 || digits == 0 || (point | marker) == 0) return false;
  // Closed as in compact_float32, the moved bytes being loaded from one further on.
  std::uint32_t const behind = 32 - _tzcnt_u32(point);
  __m256i const moved = _mm256_sub_epi8(load_32(exponent.mantissa_end - 31), _mm256_set1_epi8('0'));
  __m256i const closed = _mm256_blendv_epi8(values, moved, load_32(sliding_mask + first_32 + behind));
  double const significand = join_32_digits(closed, rest, point != 0 ? 1 : 0);
  int const power = exponent.value - static_cast<int>(behind);
  return has_power_of_ten(power) && narrow(significand * number::power_of_ten(power), sign, value);
}

/// Decides most fields, with the bits that number::parse<float> would give; false means: take that. Not decided are
/// empty fields and those over 32 bytes, whatever is no plain number, integers that float32 cannot hold exactly
/// (the caller counts them), and values next to a halfway point or at the ends of the range.
/// Reads up to 32 bytes before `begin` and 32 after `begin + length`, whatever they hold.
PENSTOCK_AVX2 static inline bool fast_float32(char const* begin, std::uint32_t length, float& value) {
  if (length - 1 < 16) {
    if (compact_float32(begin, length, value)) [[likely]]
      return true;
    return long_float32(begin, length, value);
  }
  if (length - 1 >= 32) return false;
  Sign const sign = sign_of(begin);
  if (length - sign.length == 24 && fixed_float32(begin, sign, value)) [[likely]]
    return true;
  return long_float32(begin, length, value);
}

}  // namespace penstock::avx2

#endif  // __x86_64__
