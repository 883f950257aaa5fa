/// The walk over a chunk's stops, one lane each, in the order of the text.
///
///     text      [ 1 . 5 , _ 2 ] , [ 3 , 4 ]
///     stops     1 . . . 1 . . 1 1 1 . 1 . 1        a warp lists those of a KiB; then its lanes take 32 at a time
#pragma once

#include <cstdint>

#include "cuda/kernels/json_tiles.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"

namespace penstock::cuda::json {

struct StopsWork {
  Masks masks;
  TileEntry const* entries = nullptr;
  Totals const* totals = nullptr;
  std::uint32_t text_bytes = 0;
};

/// What a lane takes.
struct Stop {
  bool is_live = false;      ///< otherwise the lane has none
  std::uint32_t row = 0;     ///< its record
  std::uint32_t number = 0;  ///< in the chunk
  std::uint32_t at = 0;      ///< its byte
  std::uint32_t last = 0;    ///< the byte of the stop before it, if that is asked for
};

/// There is no stop, or none near.
inline constexpr std::uint32_t no_stop = ~std::uint32_t{0};
/// Bytes in front of a stop in which the one before is looked for, at least.
inline constexpr std::uint32_t near_stop_bytes = 4096;

/// How a block shares out a tile: a warp takes one or two KiB, one after the other.
template <unsigned tile_bytes>
struct StopsShape {
  static constexpr unsigned threads = tile_bytes == large_tile_bytes ? 256 : 128;
  static constexpr unsigned warps = threads / warp_lanes;
  static constexpr unsigned parts = tile_bytes / warps / 1024;
  static constexpr unsigned list = 1024;  ///< stops that 1 KiB has at most
};

namespace detail {

/// Stops of a warp's KiB to places `first` and on of the list; how many there are.
template <class List>
__device__ inline std::uint32_t list_stops(List& list, unsigned first, std::uint32_t stops) {
  std::uint32_t const count = count_bits(stops), inclusive = warp_inclusive_sum(count);
  std::uint32_t at = first + inclusive - count;
  for (; stops != 0; stops &= stops - 1)
    list[at++] = static_cast<std::uint16_t>(lane_of_thread() * 32 + lowest_bit(stops));
  return __shfl_sync(all_lanes, inclusive, 31);
}

/// The records of a warp's KiB, whose heads lanes hold 32 bytes of each.
struct KibRows {
  std::uint32_t heads = 0;
  std::uint32_t before = 0;  ///< records that have begun before the lane's bytes

  /// The record of a byte of the KiB. All lanes ask.
  __device__ std::uint32_t at(std::uint32_t place) const {
    auto const lane = static_cast<int>(place / 32);
    std::uint32_t const bits = __shfl_sync(all_lanes, heads, lane), rows = __shfl_sync(all_lanes, before, lane);
    return rows + count_bits(bits & ~0u >> (31 - place % 32)) - 1;
  }
};

/// The last stop in front of word `word` of the mask, if it is near.
__device__ inline std::uint32_t last_stop_before(Masks const& masks, std::uint32_t word) {
  std::uint32_t const end = word < near_stop_bytes / 32 ? 0 : word - near_stop_bytes / 32;
  while (word > end) {
    std::uint32_t const stops = load_cached(masks.stops + --word);
    if (stops != 0) return word * 32 + highest_bit(stops);
  }
  return no_stop;
}

}  // namespace detail

/// A lane takes a stop of its warp's KiB, in the order of a list that the warp makes of the mask; `taker` knows what to
/// do with it. Launch: a block a tile, 256 threads for 16 KiB or 128 for 4 KiB. Shared: 2 KiB a warp and 32 bytes.
/// Work: 1/4 byte of masks read a byte of text; what the taker does for a stop.
template <class Taker, unsigned tile_bytes>
__global__ void PENSTOCK_BOUNDS(StopsShape<tile_bytes>::threads, 4) stops_kernel(StopsWork work, Taker taker) {
  using Shape = StopsShape<tile_bytes>;
  PENSTOCK_SHARED(std::uint16_t, list, Shape::warps * Shape::list);
  PENSTOCK_SHARED(std::uint32_t, counts, Shape::warps);
  if (work.totals->is_refused != 0) return;
  unsigned const lane = lane_of_thread(), warp = warp_of_thread();
  TileEntry const entry = work.entries[blockIdx.x];
  std::uint32_t const first_word = (blockIdx.x * tile_bytes + warp * Shape::parts * 1024) / 32;
  std::uint32_t count = 0;
  for (unsigned k = 0; k < Shape::parts; ++k) {
    std::uint32_t const stops = load_cached(work.masks.stops + first_word + 32 * k + lane);
    count += count_bits(stops) | count_bits(load_cached(work.masks.heads + first_word + 32 * k + lane)) << 16;
  }
  count = warp_sum(count);
  if (lane == 0) counts[warp] = count;
  __syncthreads();
  std::uint32_t before = 0;
  for (unsigned w = 0; w < warp; ++w) before += counts[w];
  std::uint32_t row = entry.row + (before >> 16), stop = entry.stop + (before & 0xffffu), last = no_stop;
  for (unsigned k = 0; k < Shape::parts; ++k) {
    std::uint32_t const word = first_word + 32 * k;
    detail::KibRows rows{load_cached(work.masks.heads + word + lane), 0};
    std::uint32_t const heads = count_bits(rows.heads), heads_inclusive = warp_inclusive_sum(heads);
    rows.before = row + heads_inclusive - heads;
    std::uint32_t const stops =
        detail::list_stops(list, warp * Shape::list, load_cached(work.masks.stops + word + lane));
    __syncwarp();
    if constexpr (Taker::needs_last_stop) {
      if (k == 0) last = detail::last_stop_before(work.masks, word);
    }
    for (std::uint32_t i = 0; i < stops; i += warp_lanes) {
      bool const is_live = i + lane < stops;
      std::uint32_t place = 0;
      if (is_live) place = list[warp * Shape::list + i + lane];
      Stop taken{is_live, rows.at(place), stop + i + lane, word * 32 + place, no_stop};
      if constexpr (Taker::needs_last_stop) {
        taken.last = __shfl_up_sync(all_lanes, taken.at, 1);
        if (lane == 0) taken.last = last;
        std::uint32_t const live = stops - i < warp_lanes ? stops - i : warp_lanes;
        last = __shfl_sync(all_lanes, taken.at, static_cast<int>(live - 1));
      }
      taker.take(taken);
    }
    __syncwarp();
    row += __shfl_sync(all_lanes, heads_inclusive, 31);
    stop += stops;
  }
}

/// Of a chunk that is not refused. Takers are named by `name`.
template <class Taker>
void take_stops(char const* name, Stream& stream, StopsWork const& work, Taker const& taker) {
  unsigned const tile = tile_bytes_for(work.text_bytes);
  unsigned const blocks = blocks_for(work.text_bytes, tile);
  if (tile == large_tile_bytes)
    launch(name, stream, {blocks, StopsShape<large_tile_bytes>::threads}, stops_kernel<Taker, large_tile_bytes>, work,
           taker);
  else
    launch(name, stream, {blocks, StopsShape<small_tile_bytes>::threads}, stops_kernel<Taker, small_tile_bytes>, work,
           taker);
}

}  // namespace penstock::cuda::json
