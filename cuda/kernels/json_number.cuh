/// Numbers as JSON has them, of what cuda/kernels/number.cuh takes for numbers.
#pragma once

#include <cstdint>

#include "cuda/kernels/number.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/json/grammar.hpp"

namespace penstock::cuda::json {

/// Digits of an integer that is plain.
inline constexpr int plain_integer_max = 9;

namespace detail {

/// Of what fast_float32() takes for a number: whether JSON does too, up to what may stand behind a mantissa.
__device__ inline bool is_strict(char const* begin, char const* end) {
  using penstock::json::is_digit;
  char const* const first = begin + (load_cached(begin) == '-' ? 1 : 0);
  bool const has_zeros = load_cached(first) == '0' && is_digit(load_cached(first + 1));
  return is_digit(load_cached(first)) && is_digit(load_cached(end - 1)) && !has_zeros;
}
/// The same of one with an exponent, or none.
__device__ inline bool has_strict_mantissa(char const* begin, char const* end) {
  Exponent const exponent = read_exponent(end, static_cast<int>(end - begin));
  return penstock::json::is_digit(load_cached(end - exponent.bytes - 1));
}

/// A number of few bytes: what json::read_number<float> gives for it, or no answer (false).
__device__ inline bool plain_number(char const* begin, char const* end, float& value) {
  return begin != end && fast_float32(begin, end, value) && is_strict(begin, end) && has_strict_mantissa(begin, end);
}

}  // namespace detail

}  // namespace penstock::cuda::json
