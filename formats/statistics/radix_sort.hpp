/// Floating-point values in ascending order, eleven of their bits at a time: no branch depends on the values, so that a
/// tile of a thousand takes the same time whatever their order was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "formats/core/platform.hpp"

namespace penstock::statistics {

namespace detail {

inline std::uint32_t ordered_bits(float value) {
  auto const bits = bit_cast<std::uint32_t>(value);
  return bits ^ ((0u - (bits >> 31)) | 0x80000000u);
}
inline std::uint64_t ordered_bits(double value) {
  auto const bits = bit_cast<std::uint64_t>(value);
  return bits ^ ((std::uint64_t{0} - (bits >> 63)) | std::uint64_t{1} << 63);
}

}  // namespace detail

/// Sorts `count` values, none of them NaN or -0. `scratch` has room for as many. Count: a type for numbers up to
/// `count`.
template <class Count, class T>
void radix_sort(T* values, T* scratch, std::size_t count) {
  constexpr std::size_t digit_bits = 11;  // three digits for float, six for double; their counts stay in the L1 cache
  constexpr std::size_t digits = (8 * sizeof(T) + digit_bits - 1) / digit_bits, radix = std::size_t{1} << digit_bits;
  Count counts[digits][radix] = {};
  for (std::size_t i = 0; i < count; ++i) {
    auto const key = detail::ordered_bits(values[i]);
    for (std::size_t d = 0; d < digits; ++d) ++counts[d][(key >> (d * digit_bits)) % radix];
  }
  T* from = values;
  T* to = scratch;
  for (std::size_t d = 0; d < digits; ++d) {
    auto const digit = [d](T value) { return (detail::ordered_bits(value) >> (d * digit_bits)) % radix; };
    if (count == 0 || counts[d][digit(from[0])] == count) continue;  // all the same
    Count next = 0;
    for (Count& begin : counts[d]) {
      Count const size = begin;
      begin = next;
      next = static_cast<Count>(next + size);
    }
    for (std::size_t i = 0; i < count; ++i) to[counts[d][digit(from[i])]++] = from[i];
    std::swap(from, to);
  }
  if (from == values) return;
  for (std::size_t i = 0; i < count; ++i) values[i] = from[i];
}

}  // namespace penstock::statistics
