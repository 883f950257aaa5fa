/// Rows of libsvm text: which words begin them, where their lines begin, and how many items come before them.
#pragma once

#include <cstdint>

#include "cuda/kernels/libsvm_tiles.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"

namespace penstock::cuda::libsvm {

struct RowsWork {
  ChunkText text;
  Masks masks;
  TileEntry const* entries = nullptr;
  Totals const* totals = nullptr;
  RowTable rows;
  Window* window = nullptr;  ///< emptied
  unsigned first_tile = 0;
};

namespace detail {

/// 64 bits of a mask.
__device__ inline std::uint64_t load_64(std::uint32_t const* mask, std::uint32_t group) {
  return load_cached(reinterpret_cast<std::uint64_t const*>(mask) + group);
}
__device__ inline void store_64(std::uint32_t* mask, std::uint32_t group, std::uint64_t bits) {
  reinterpret_cast<std::uint64_t*>(mask)[group] = bits;
}

/// Behind the last line end before the 64 bytes of `group`.
__device__ inline std::uint32_t line_begin_before(RowsWork const& work, std::uint32_t group) {
  while (group > 0) {
    --group;
    std::uint64_t const ends = load_64(work.masks.line_ends, group) & ~load_64(work.masks.starts, group);
    if (ends != 0) return 64 * group + 64 - static_cast<std::uint32_t>(leading_zeros(ends));
  }
  return work.text.mark_bytes;
}

/// Words in front of the first line end of a tile that begins in a comment are none. `has_end`: a flag a warp.
template <class Flags>
__device__ inline std::uint64_t behind_comment(std::uint64_t line_ends, Flags& has_end) {
  std::uint32_t const lanes = __ballot_sync(all_lanes, line_ends != 0);
  if (lane_of_thread() == 0) has_end[warp_of_thread()] = lanes;
  __syncthreads();
  bool is_behind = (lanes & lanes_below()) != 0;
  for (unsigned w = 0; w < warp_of_thread(); ++w) is_behind = is_behind || has_end[w] != 0u;
  if (is_behind) return ~std::uint64_t{0};
  return line_ends == 0 ? 0 : ~((line_ends & (0 - line_ends)) - 1);
}

/// The first starts behind line ends, of 64 bytes a thread and in a whole block; see libsvm_structure.cuh.
template <class Flags>
__device__ inline std::uint64_t heads_of(std::uint64_t line_ends, std::uint64_t starts, bool is_fresh, Flags& carries) {
  std::uint64_t const ones = ~starts;
  bool const makes = line_ends + ones < ones, passes = starts == 0;
  std::uint32_t const made = __ballot_sync(all_lanes, makes), passed = __ballot_sync(all_lanes, passes);
  std::uint32_t const a = made | passed;
  bool const warp_makes = (std::uint64_t{a} + made) >> 32 != 0;
  if (lane_of_thread() == 0) carries[warp_of_thread()] = (warp_makes ? 1u : 0u) | (a == all_lanes ? 2u : 0u);
  __syncthreads();
  bool carry = is_fresh;
  for (unsigned w = 0; w < warp_of_thread(); ++w) {
    std::uint32_t const before = carries[w];
    carry = (before & 1u) != 0 || (carry && (before & 2u) != 0);
  }
  std::uint32_t const into = (a + made + (carry ? 1u : 0u)) ^ a ^ made;
  std::uint64_t const sum = line_ends + ones + (into >> lane_of_thread() & 1u);
  return sum & starts;
}

/// Writes the table's elements for the heads of 64 bytes. `row`, `item`: what comes before them in the chunk.
__device__ inline void list_rows(RowsWork const& work, std::uint32_t group, std::uint64_t heads, std::uint64_t items,
                                 std::uint64_t line_ends, std::uint32_t row, std::uint32_t item) {
  for (; heads != 0; heads &= heads - 1, ++row) {
    std::uint32_t const i = row - work.rows.first_row;  // huge, where it lies before
    if (i > work.rows.rows_max) continue;
    std::uint64_t const below = (heads & (0 - heads)) - 1;
    std::uint64_t const ends = line_ends & below;
    work.rows.begins[i] =
        ends != 0 ? 64 * group + 64 - static_cast<std::uint32_t>(leading_zeros(ends)) : line_begin_before(work, group);
    work.rows.items[i] = item + count_bits(items & below);
  }
}

}  // namespace detail

/// A thread takes 64 bytes' worth of masks. Masks: starts and line_ends are read, heads and items written; the table
/// gets the rows from first_row on, as many as it holds, and what stands behind the chunk's last one. Launch: a block a
/// tile from first_tile on, 64 bytes a thread. Shared: 96 bytes. Work: about 60 operations for 64 bytes and 20 a row;
/// 1/4 byte read and 1/4 written a byte.
template <unsigned tile_bytes>
__global__ void PENSTOCK_BOUNDS(tile_bytes / 64, 4) rows_kernel(RowsWork work) {
  constexpr unsigned warps = tile_bytes / 64 / warp_lanes;
  PENSTOCK_SHARED(std::uint32_t, ends, warps);
  PENSTOCK_SHARED(std::uint32_t, carries, warps);
  PENSTOCK_SHARED(std::uint32_t, counts, warps);
  unsigned const tile = work.first_tile + blockIdx.x;
  std::uint32_t const group = tile * (tile_bytes / 64) + threadIdx.x;
  TileEntry const entry = work.entries[tile];

  std::uint64_t starts = detail::load_64(work.masks.starts, group);
  std::uint64_t line_ends = detail::load_64(work.masks.line_ends, group);
  std::uint64_t const letters = starts & line_ends;
  line_ends &= ~starts;
  if (entry.phase == Phase::comment) starts &= detail::behind_comment(line_ends, ends);
  std::uint64_t const heads = detail::heads_of(line_ends, starts, entry.phase == Phase::fresh, carries);
  std::uint64_t const others = starts & ~heads, items = others & ~letters;
  detail::store_64(work.masks.heads, group, heads | (others & letters));
  detail::store_64(work.masks.items, group, others);

  std::uint32_t const count = count_bits(heads) | count_bits(items) << 16;
  std::uint32_t before = warp_inclusive_sum(count);
  if (lane_of_thread() == 31) counts[warp_of_thread()] = before;
  before -= count;
  __syncthreads();
  for (unsigned w = 0; w < warp_of_thread(); ++w) before += counts[w];
  detail::list_rows(work, group, heads, items, line_ends, entry.row + (before & 0xffffu), entry.item + (before >> 16));

  if (blockIdx.x == 0 && threadIdx.x == 0) {
    std::uint32_t const behind = work.totals->rows - work.rows.first_row;
    if (behind <= work.rows.rows_max) {
      work.rows.begins[behind] = work.text.size;
      work.rows.items[behind] = work.totals->items;
    }
    *work.window = {};
  }
}

/// Fills heads, items and the table, from the tile on in which the table's first row's line begins.
inline void list_rows(Stream& stream, RowsWork const& work) {
  unsigned const tile = tile_bytes_for(work.text.size);
  unsigned const blocks = blocks_for(work.text.size, tile) - work.first_tile;
  if (tile == large_tile_bytes)
    launch("libsvm_rows", stream, {blocks, large_tile_bytes / 64}, rows_kernel<large_tile_bytes>, work);
  else
    launch("libsvm_rows", stream, {blocks, small_tile_bytes / 64}, rows_kernel<small_tile_bytes>, work);
}

}  // namespace penstock::cuda::libsvm
