/// Where the frames of a chunk begin. Frames are found by following headers from the chunk's first byte, never by
/// searching the magic; but all places where a frame could begin are found in parallel, and then it is seen whether
/// each of them leads to the next. If not (a payload holds what looks like a header), the chain from the first one is
/// followed by doubling jumps.
///
///     candidates   0    1         2      3         4         a magic, flag 0, a length that stays in the chunk
///     text         [hdr ....... ][hdr .. hdr ... ][hdr ..]
///     jumps        1              2 -> 4 3 -> dead 4 -> end  the candidate at the frame's end
///     marked       0    1         2                4         frames, in order
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/kernels/recordio_bytes.cuh"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/recordio/framing.hpp"

namespace penstock::cuda::recordio {

inline constexpr unsigned frame_threads = 256;
/// A tile of text in words and in words of the mask.
inline constexpr unsigned frame_tile_words = 2048;
inline constexpr unsigned frame_tile_masks = frame_tile_words / 32;

/// Places of frames, ascending, in device memory.
struct FrameList {
  std::uint32_t* places = nullptr;
  std::uint32_t* count = nullptr;  ///< may be more than places_max: then only places_max are listed
  std::uint32_t places_max = 0;
};

/// Memory for the candidates of one chunk.
struct CandidateMemory {
  std::uint32_t* masks = nullptr;  ///< bit i of word w: a candidate at word 32 w + i of the text; whole tiles
  std::uint32_t* bases = nullptr;  ///< candidates in front of each tile
  unsigned* arrived = nullptr;     ///< see last_block_to_arrive()
};

/// The most that is known about a frame from its header: its payload.
struct Payload {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  [[nodiscard]] PENSTOCK_HD std::uint32_t size() const { return end - begin; }
};

/// Of the candidate at `place`.
__device__ inline Payload payload_at(FrameText text, std::uint32_t place) {
  std::uint32_t const begin = place + static_cast<std::uint32_t>(penstock::recordio::header_bytes);
  return {begin, begin + load_cached(text.words + place / 4 + 1)};
}

/// Where the frame of a payload ends, with its padding as far as it is there.
__device__ inline std::uint32_t frame_end(FrameText text, Payload payload) {
  std::uint32_t const end = payload.end + (0 - payload.size()) % 4;
  return end < text.size ? end : text.size;
}

namespace detail {

__device__ inline bool is_candidate(FrameText text, std::uint32_t word) {
  constexpr auto header = static_cast<std::uint32_t>(penstock::recordio::header_bytes);
  if (text.size < header || word > (text.size - header) / 4) return false;
  if (load_cached(text.words + word) != penstock::recordio::magic) return false;
  std::uint32_t const length = load_cached(text.words + word + 1);
  return length < penstock::recordio::payload_limit_bytes && length <= text.size - header - 4 * word;
}

/// Makes sums before each tile of `counts`; `*total`: of all. By the block that arrived last.
template <class Sums>
__device__ inline void sum_tiles(std::uint32_t* counts, unsigned tiles, std::uint32_t* total, Sums& sums) {
  std::uint32_t before = 0;
  for (unsigned first = 0; first < tiles; first += frame_threads) {
    unsigned const tile = first + threadIdx.x;
    std::uint32_t const count = tile < tiles ? load_fresh(counts + tile) : 0;
    std::uint32_t const up_to = warp_inclusive_sum(count);
    if (lane_of_thread() == warp_lanes - 1) sums[warp_of_thread()] = up_to;
    __syncthreads();
    std::uint32_t at = before + up_to - count;
    for (unsigned w = 0; w < frame_threads / warp_lanes; ++w) {
      std::uint32_t const sum = sums[w];
      at += w < warp_of_thread() ? sum : 0;
      before += sum;
    }
    if (tile < tiles) counts[tile] = at;
    __syncthreads();
  }
  if (threadIdx.x == 0) *total = before;
}

}  // namespace detail

/// A thread looks at every 256th of its tile's 2,048 words; the block that arrives last sums up the tiles.
/// Masks and bases get whole tiles, `*total` the number of candidates.
/// Launch: a block for a tile of 8 KiB. Shared: 33 bytes.
/// Work: 10 operations for 4 bytes.
static __global__ void PENSTOCK_BOUNDS(frame_threads, 6)
    candidates_kernel(FrameText text, CandidateMemory memory, std::uint32_t* total) {
  PENSTOCK_SHARED(std::uint32_t, sums, frame_threads / warp_lanes);
  PENSTOCK_SHARED(bool, is_last, 1);
  std::uint32_t found = 0;
  for (unsigned i = 0; i < frame_tile_words / frame_threads; ++i) {
    std::uint32_t const word = blockIdx.x * frame_tile_words + i * frame_threads + threadIdx.x;
    std::uint32_t const mask = __ballot_sync(all_lanes, detail::is_candidate(text, word));
    if (lane_of_thread() == 0) memory.masks[word / 32] = mask;
    found += count_bits(mask);
  }
  if (lane_of_thread() == 0) sums[warp_of_thread()] = found;
  __syncthreads();
  if (threadIdx.x == 0) {
    std::uint32_t sum = 0;
    for (unsigned w = 0; w < frame_threads / warp_lanes; ++w) sum += sums[w];
    memory.bases[blockIdx.x] = sum;
  }
  if (last_block_to_arrive(memory.arrived, is_last)) detail::sum_tiles(memory.bases, gridDim.x, total, sums);
}

/// A lane lists the bits of two words of the mask, a warp those of a tile.
/// places[i] gets candidate i, for all i below places_max.
/// Launch: a block for 8 tiles. Shared: none. Work: 10 operations a candidate, 60 a tile and lane.
static __global__ void PENSTOCK_BOUNDS(frame_threads, 6)
    list_candidates_kernel(CandidateMemory memory, unsigned tiles, FrameList list) {
  unsigned const tile = blockIdx.x * (frame_threads / warp_lanes) + warp_of_thread();
  bool const is_live = tile < tiles;
  std::uint32_t const first = tile * frame_tile_masks + 2 * lane_of_thread();
  std::uint32_t const low = is_live ? load_cached(memory.masks + first) : 0;
  std::uint32_t const high = is_live ? load_cached(memory.masks + first + 1) : 0;
  std::uint64_t bits = std::uint64_t{high} << 32 | low;
  std::uint32_t const count = count_bits(bits);
  std::uint32_t at = warp_inclusive_sum(count) - count + (is_live ? load_cached(memory.bases + tile) : 0);
  for (; bits != 0 && at < list.places_max; bits &= bits - 1, ++at)
    list.places[at] = 4 * (32 * first + static_cast<std::uint32_t>(trailing_zeros(bits)));
}

/// Lists all candidates of the text.
inline void list_candidates(Stream& stream, FrameText text, CandidateMemory const& memory, FrameList const& list) {
  unsigned const tiles = blocks_for(text.size, 4 * frame_tile_words);
  launch("recordio_candidates", stream, {tiles, frame_threads}, candidates_kernel, text, memory, list.count);
  launch("recordio_list_candidates", stream, {blocks_for(tiles, frame_threads / warp_lanes), frame_threads},
         list_candidates_kernel, memory, tiles, list);
}

// --- the chain among candidates ------------------------------------------------------------------------------------

/// From each of `count` candidates to the one that its frame leads to. Behind the candidates are two more elements,
/// which lead to themselves: `count` stands for the text's end, `count + 1` for a place where no candidate is.
struct Jumps {
  std::uint32_t* from = nullptr;
  std::uint32_t* doubled = nullptr;  ///< written by a round
  std::uint32_t* marks = nullptr;    ///< 1: the chain from the first candidate comes here
  std::uint32_t count = 0;
};

namespace detail {

/// The candidate at `place`, or count + 1.
__device__ inline std::uint32_t candidate_at(std::uint32_t const* places, std::uint32_t count, std::uint32_t place) {
  std::uint32_t low = 0, high = count;
  while (low < high) {
    std::uint32_t const middle = low + (high - low) / 2;
    if (load_cached(places + middle) < place)
      low = middle + 1;
    else
      high = middle;
  }
  return low < count && load_cached(places + low) == place ? low : count + 1;
}

}  // namespace detail

/// A thread finds the candidate behind one candidate's frame. Writes count + 2 jumps and marks.
/// Launch: a thread a jump. Shared: none. Work: a binary search among candidates.
static __global__ void PENSTOCK_BOUNDS(frame_threads, 6)
    first_jumps_kernel(FrameText text, std::uint32_t const* places, Jumps jumps) {
  std::uint32_t const i = blockIdx.x * frame_threads + threadIdx.x;
  if (i >= jumps.count + 2) return;
  std::uint32_t to = i;
  if (i < jumps.count) {
    std::uint32_t const end = frame_end(text, payload_at(text, load_cached(places + i)));
    to = end == text.size ? jumps.count : detail::candidate_at(places, jumps.count, end);
  }
  jumps.from[i] = to;
  jumps.marks[i] = i == 0 ? 1 : 0;
}

/// A thread marks where a marked element leads, and doubles its jump. That an element that is marked in this very round
/// may already mark another does no harm: the chain comes there too. Launch: a thread a jump. Shared: none. Work: two
/// loads anywhere.
static __global__ void PENSTOCK_BOUNDS(frame_threads, 6) double_jumps_kernel(Jumps jumps) {
  std::uint32_t const i = blockIdx.x * frame_threads + threadIdx.x;
  if (i >= jumps.count + 2) return;
  std::uint32_t const to = load_cached(jumps.from + i);
  if (load_relaxed(jumps.marks + i) != 0) store_relaxed(jumps.marks + to, 1u);
  jumps.doubled[i] = load_cached(jumps.from + to);
}

/// Marks the candidates that the chain from the first one passes, and one of the two elements behind them.
inline void mark_chain(Stream& stream, FrameText text, std::uint32_t const* places, Jumps jumps) {
  Grid const grid{blocks_for(std::size_t{jumps.count} + 2, frame_threads), frame_threads};
  launch("recordio_first_jumps", stream, grid, first_jumps_kernel, text, places, jumps);
  // Behind round k everything less than 2^k jumps away is marked.
  for (std::uint64_t reach = 1; reach < std::uint64_t{jumps.count} + 1; reach *= 2) {
    launch("recordio_double_jumps", stream, grid, double_jumps_kernel, jumps);
    std::uint32_t* const from = jumps.from;
    jumps.from = jumps.doubled;
    jumps.doubled = from;
  }
}

/// Whether the chain passes candidate i.
struct IsMarked {
  std::uint32_t const* marks;
  PENSTOCK_HD bool operator()(std::uint32_t i) const { return marks[i] != 0; }
};

/// A thread takes over the place of one candidate.
/// to[i] = places[chosen[i]]. Launch: a thread an element. Shared: none. Work: two loads.
static __global__ void PENSTOCK_BOUNDS(frame_threads, 6)
    gather_kernel(std::uint32_t const* places, std::uint32_t const* chosen, std::uint32_t count, std::uint32_t* to) {
  std::uint32_t const i = blockIdx.x * frame_threads + threadIdx.x;
  if (i < count) to[i] = load_cached(places + load_cached(chosen + i));
}

inline void gather(Stream& stream, std::uint32_t const* places, std::uint32_t const* chosen, std::uint32_t count,
                   std::uint32_t* to) {
  launch("recordio_gather", stream, {blocks_for(count, frame_threads), frame_threads}, gather_kernel, places, chosen,
         count, to);
}

}  // namespace penstock::cuda::recordio
