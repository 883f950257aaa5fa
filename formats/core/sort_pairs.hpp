/// Pairs of an index and a value put in order in place, without memory, in O(n log n) steps whatever the order was.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/platform.hpp"

namespace penstock {

namespace detail {

template <class T>
PENSTOCK_HD void swap_pairs(std::int64_t* indices, T* values, std::size_t a, std::size_t b) {
  std::int64_t const index = indices[a];
  T const value = values[a];
  indices[a] = indices[b];
  values[a] = values[b];
  indices[b] = index;
  values[b] = value;
}

/// Lets pair `at` sink to its place among the first `count`, of which those below are a heap.
template <class T>
PENSTOCK_HD void sink(std::int64_t* indices, T* values, std::size_t at, std::size_t count) {
  for (;;) {
    std::size_t child = 2 * at + 1;
    if (child >= count) return;
    if (child + 1 < count && indices[child + 1] > indices[child]) ++child;
    if (indices[child] <= indices[at]) return;
    swap_pairs(indices, values, at, child);
    at = child;
  }
}

}  // namespace detail

/// Pairs of one index end up side by side, in any order.
template <class T>
PENSTOCK_HD void sort_pairs(std::int64_t* indices, T* values, std::size_t count) {
  for (std::size_t i = count / 2; i > 0; --i) detail::sink(indices, values, i - 1, count);
  for (std::size_t end = count; end > 1; --end) {
    detail::swap_pairs(indices, values, 0, end - 1);
    detail::sink(indices, values, 0, end - 1);
  }
}

}  // namespace penstock
