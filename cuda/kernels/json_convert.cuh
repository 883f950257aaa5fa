/// Elements of lists of numbers to float32, one lane each, as long as they are plain; records in which one is not are
/// marked. Which stops end an element of which list, the heads have found out (json_heads.cuh).
///
///     text      [ 1 . 5 , _ 2 ] , [ 3 , 4 ] ]        lists of dynamic_feat
///     stops     1 . . . 1 . . 1 1 1 . 1 . 1 1
///     element           1.5   2 . .   3   4 .        behind a bracket that opens, or a comma with no ']' before it
#pragma once

#include <cstdint>

#include "cuda/kernels/json_tiles.hpp"
#include "cuda/kernels/number.cuh"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/json/grammar.hpp"
#include "formats/json/number.hpp"

namespace penstock::cuda::json {

struct ConvertWork {
  ChunkText text;
  Masks masks;
  TileEntry const* entries = nullptr;
  Totals const* totals = nullptr;
  RowValues out;
};

/// How a block shares out a tile: a warp takes one or two KiB, one after the other.
template <unsigned tile_bytes>
struct ConvertShape {
  static constexpr unsigned threads = tile_bytes == large_tile_bytes ? 256 : 128;
  static constexpr unsigned warps = threads / warp_lanes;
  static constexpr unsigned parts = tile_bytes / warps / 1024;
  static constexpr unsigned list = 1024;  ///< stops that 1 KiB has at most
};

namespace detail {

/// An element as bytes; none: `begin` is `end`.
struct ElementSpan {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool is_element = false;  ///< otherwise the stop stands between two lists
};

/// What ends at the stop at byte `end`, of a list whose head is plain. With more than 31 bytes it is not plain, and
/// none.
__device__ inline ElementSpan element_span(ConvertWork const& work, std::uint32_t end) {
  char const* const text = work.text.data;
  std::uint32_t const word = end / 32;
  std::uint32_t const low = word == 0 ? 0 : load_cached(work.masks.stops + word - 1);
  std::uint32_t const before = funnel_right(low, load_cached(work.masks.stops + word), end % 32);
  ElementSpan span{end, end, true};
  if (before == 0) return span;
  std::uint32_t const stop = end - 32 + highest_bit(before);
  span.is_element = load_cached(text + end) != '[' && load_cached(text + stop) != ']';
  span.begin = stop + 1;
  if (span.begin < end && penstock::json::is_space(load_cached(text + span.begin))) ++span.begin;
  return span;
}

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

/// The elements of a warp's lanes, of up to 31 bytes. Lanes without one have an empty text. False: no answer.
__device__ inline bool plain_value(char const* begin, char const* end, float& value) {
  auto const length = static_cast<std::uint32_t>(end - begin);
  std::uint32_t const longest = warp_max(length);
  bool is_plain = false;
  if (longest <= plain_bytes_max(2))
    is_plain = plain_float32<2, false>(begin, end, value);
  else if (longest <= plain_bytes_max(3))
    is_plain = plain_float32<3, false>(begin, end, value);
  if (is_plain) return is_strict(begin, end);
  if (length == 0 || !plain_float32<6, true>(begin, end, value)) return false;
  return is_strict(begin, end) && has_strict_mantissa(begin, end);
}

__device__ inline bool spells_missing(char const* begin, std::uint32_t length) {
  constexpr std::uint32_t null_word = 0x6c6c756e;        // null
  constexpr std::uint32_t quoted_nan_word = 0x6e616e22;  // "nan
  if (length == 4) return load_4_bytes(begin) == null_word;
  return length == 5 && (load_4_bytes(begin) | 0x20202000u) == quoted_nan_word && load_cached(begin + 4) == '"';
}

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

/// Converts what ends at a lane's stop, number `stop` of the chunk, at byte `at`.
__device__ inline void convert_stop(ConvertWork const& work, bool is_live, std::uint32_t row, std::uint32_t stop,
                                    std::uint32_t at) {
  bool is_target = false;
  if (is_live) {
    uint4 const lists = load_16(reinterpret_cast<uint4 const*>(work.out.lists + row));
    is_target = stop - lists.x < lists.y - lists.x;
    is_live = is_target || stop - lists.z < lists.w - lists.z;
  }
  if (__any_sync(all_lanes, is_live) == 0) return;
  ElementSpan span;
  if (is_live) span = element_span(work, at);
  char const* const begin = work.text.data + span.begin;
  float value = 0;
  bool is_plain = plain_value(begin, work.text.data + span.end, value);
  if (!is_live || !span.is_element) return;
  if (!is_plain && is_target && spells_missing(begin, span.end - span.begin)) {
    value = bit_cast<float>(missing_float32_bits);
    is_plain = true;
  }
  work.out.values[stop] = value;
  if (!is_plain) atomic_or(work.out.marks[row / 32], 1u << row % 32);
}

}  // namespace detail

/// A lane takes a stop of its warp's KiB, in the order of a list that the warp makes of the mask. Masks stops and
/// heads; out: lists are read, values and marks written. Launch: a block a tile, 256 threads for 16 KiB or 128 for 4
/// KiB. Shared: 2 KiB a warp and 32 bytes. Work: about 120 operations an element; a byte of text and 1/4 of masks read
/// a byte, 4 bytes written an element.
template <unsigned tile_bytes>
__global__ void PENSTOCK_BOUNDS(ConvertShape<tile_bytes>::threads, 4) convert_kernel(ConvertWork work) {
  using Shape = ConvertShape<tile_bytes>;
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
  std::uint32_t row = entry.row + (before >> 16), stop = entry.stop + (before & 0xffffu);
  for (unsigned k = 0; k < Shape::parts; ++k) {
    std::uint32_t const word = first_word + 32 * k;
    detail::KibRows rows{load_cached(work.masks.heads + word + lane), 0};
    std::uint32_t const heads = count_bits(rows.heads), heads_inclusive = warp_inclusive_sum(heads);
    rows.before = row + heads_inclusive - heads;
    std::uint32_t const stops =
        detail::list_stops(list, warp * Shape::list, load_cached(work.masks.stops + word + lane));
    __syncwarp();
    for (std::uint32_t i = 0; i < stops; i += warp_lanes) {
      bool const is_live = i + lane < stops;
      std::uint32_t place = 0;
      if (is_live) place = list[warp * Shape::list + i + lane];
      std::uint32_t const row_of_place = rows.at(place);
      detail::convert_stop(work, is_live, row_of_place, stop + i + lane, word * 32 + place);
    }
    __syncwarp();
    row += __shfl_sync(all_lanes, heads_inclusive, 31);
    stop += stops;
  }
}

/// Converts all elements of a chunk that is not refused.
inline void convert(Stream& stream, ConvertWork const& work) {
  unsigned const tile = tile_bytes_for(work.text.size);
  unsigned const blocks = blocks_for(work.text.size, tile);
  if (tile == large_tile_bytes)
    launch("json_convert", stream, {blocks, ConvertShape<large_tile_bytes>::threads}, convert_kernel<large_tile_bytes>,
           work);
  else
    launch("json_convert", stream, {blocks, ConvertShape<small_tile_bytes>::threads}, convert_kernel<small_tile_bytes>,
           work);
}

}  // namespace penstock::cuda::json
