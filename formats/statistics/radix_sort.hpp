/// Floating-point values in ascending order, a byte of their bits at a time: no branch depends on the values, so that a
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
  return bits ^ ((bits >> 31) != 0 ? 0xffffffffu : 0x80000000u);
}
inline std::uint64_t ordered_bits(double value) {
  auto const bits = bit_cast<std::uint64_t>(value);
  return bits ^ ((bits >> 63) != 0 ? ~std::uint64_t{0} : std::uint64_t{1} << 63);
}

}  // namespace detail

/// Sorts `count` values, none of them NaN or -0. `scratch` has room for as many.
template <class T>
void radix_sort(T* values, T* scratch, std::size_t count) {
  constexpr std::size_t digits = sizeof(T);
  std::size_t counts[digits][256] = {};
  for (std::size_t i = 0; i < count; ++i) {
    auto const key = detail::ordered_bits(values[i]);
    for (std::size_t d = 0; d < digits; ++d) ++counts[d][key >> (8 * d) & 0xff];
  }
  T* from = values;
  T* to = scratch;
  for (std::size_t d = 0; d < digits; ++d) {
    if (count == 0 || counts[d][detail::ordered_bits(from[0]) >> (8 * d) & 0xff] == count) continue;  // all the same
    std::size_t next = 0;
    for (std::size_t& begin : counts[d]) next += std::exchange(begin, next);
    for (std::size_t i = 0; i < count; ++i) to[counts[d][detail::ordered_bits(from[i]) >> (8 * d) & 0xff]++] = from[i];
    std::swap(from, to);
  }
  if (from == values) return;
  for (std::size_t i = 0; i < count; ++i) values[i] = from[i];
}

}  // namespace penstock::statistics
