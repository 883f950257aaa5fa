/// Rows from many places, one behind the other.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/launch.cuh"

namespace penstock::cuda {

inline constexpr unsigned gather_rows_threads = 256;
inline constexpr unsigned gather_rows_per_block = gather_rows_threads / warp_lanes;

/// A warp copies a row of `words` words: row i of `to` becomes the one at from[i].
/// Launch: a block for 8 rows. Shared: none. Work: a load and a store a word.
static __global__ void PENSTOCK_BOUNDS(gather_rows_threads, 6)
    gather_rows_kernel(std::uint32_t const* const* from, std::size_t rows, std::uint32_t words, std::uint32_t* to) {
  std::size_t const row = std::size_t{blockIdx.x} * gather_rows_per_block + warp_of_thread();
  if (row >= rows) return;
  std::uint32_t const* const source = from[row];
  std::uint32_t* const target = to + row * words;
  for (std::uint32_t word = lane_of_thread(); word < words; word += warp_lanes)
    target[word] = load_cached(source + word);
}

/// Enqueues. Addresses and rows of whole words are in device memory.
inline void gather_rows(Stream& stream, std::byte const* const* from, std::size_t rows, std::size_t row_bytes,
                        std::byte* to) {
  Grid const grid{blocks_for(rows, gather_rows_per_block), gather_rows_threads};
  launch("gather_rows", stream, grid, gather_rows_kernel, reinterpret_cast<std::uint32_t const* const*>(from), rows,
         row_bytes / sizeof(std::uint32_t), reinterpret_cast<std::uint32_t*>(to));
}

}  // namespace penstock::cuda
