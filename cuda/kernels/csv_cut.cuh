/// Where the last record of a text ends, once the structure passes have found its fields.
#pragma once

#include <cstdint>

#include "cuda/kernels/csv_fields.cuh"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"

namespace penstock::cuda::csv {

/// Looks back from the text's end, 1 KiB a step: `*end` is the offset behind the last record end, or 0 if there is
/// none. Launch: one warp. Shared: nothing. Barriers: none. Work: reads 2 bits for each byte behind that end; one step
/// at least.
__global__ void PENSTOCK_BOUNDS(warp_lanes, 1)
    find_last_record_end_kernel(Tiles tiles, std::uint32_t text_bytes, std::uint32_t* end) {
  unsigned const lane = lane_of_thread();
  for (std::uint32_t words = text_bytes / 32 + (text_bytes % 32 != 0 ? 1 : 0); words > 0;) {
    std::uint32_t const first = words > warp_lanes ? words - warp_lanes : 0;
    std::uint32_t const ends = first + lane < words ? record_ends(tiles, first + lane) : 0;
    std::uint32_t const lanes = __ballot_sync(all_lanes, ends != 0);
    if (lanes != 0) {
      if (lane == highest_bit(lanes)) *end = 32 * (first + lane) + highest_bit(ends) + 1;
      return;
    }
    words = first;
  }
  if (lane == 0) *end = 0;
}

/// Enqueues. `*end` is device or mapped memory.
inline void find_last_record_end(Stream& stream, Tiles const& tiles, std::uint32_t text_bytes, std::uint32_t* end) {
  launch("find_last_record_end", stream, {1, warp_lanes}, find_last_record_end_kernel, tiles, text_bytes, end);
}

}  // namespace penstock::cuda::csv
