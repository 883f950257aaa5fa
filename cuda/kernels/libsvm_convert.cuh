/// Items of libsvm text to pairs of CSR, as long as they are plain and ascend; rows in which they do not are marked.
///
///     text     1 _ 3 : 0 . 5 _ 7 : 1 LF 0 _ 2 : 9 LF      list of a warp      0   2   8   12  14
///     heads    1 . . . . . . . . . . .  1 . . . . .       kind                row     .   .   row     .
///     items    . . 1 . . . . . 1 . . .  . . 1 . . .       compared with           -1   3          -1
#pragma once

#include <cstdint>

#include "cuda/kernels/libsvm_words.cuh"
#include "cuda/launch.cuh"

namespace penstock::cuda::libsvm {

struct ConvertWork {
  WordText text;
  Masks masks;
  TileEntry const* entries = nullptr;
  ItemRules rules;
  bool has_qid = false;
  Totals const* totals = nullptr;
  RowTable rows;
  RowArrays out;
  Window* window = nullptr;
  std::uint32_t* marks = nullptr;
  WindowReport* report = nullptr;  ///< written when all is done
  unsigned* arrived = nullptr;
  unsigned first_tile = 0;
};

/// How a block shares out a tile: a warp takes one or two KiB, one after the other.
template <unsigned tile_bytes>
struct ConvertShape {
  static constexpr unsigned threads = tile_bytes == large_tile_bytes ? 256 : 128;
  static constexpr unsigned warps = threads / warp_lanes;
  static constexpr unsigned parts = tile_bytes / warps / 1024;
  static constexpr unsigned list = 512;  ///< words that 1 KiB has at most
};

namespace detail {

/// An element of the list: where the word begins in its KiB, and what it is.
inline constexpr std::uint32_t place_of_word = 0x3ffu;
inline constexpr std::uint32_t is_head_word = 0x400u;
inline constexpr std::uint32_t is_letter_word = 0x800u;  ///< begins with 'q', and is no head

/// What comes before a word in its row, as far as it matters.
struct Previous {
  std::int64_t index = -1;  ///< of the item; -1 where there is none in the row
  bool is_head = false;     ///< it is the row's first word
};

/// Of the first word at or behind the warp's first mask word. All lanes get the same.
__device__ inline Previous previous_of(ConvertWork const& work, std::uint32_t first_word) {
  Previous previous;
  for (std::uint32_t word = first_word; word > 0;) {
    std::uint32_t const count = word < warp_lanes ? word : warp_lanes;
    std::uint32_t const mine = word - count + lane_of_thread();
    bool const is_mine = lane_of_thread() < count;
    std::uint32_t const heads = is_mine ? load_cached(work.masks.heads + mine) : 0;
    std::uint32_t const bits = heads | (is_mine ? load_cached(work.masks.items + mine) : 0);
    std::uint32_t const lanes = __ballot_sync(all_lanes, bits != 0);
    word -= count;
    if (lanes == 0) continue;
    auto const lane = static_cast<int>(highest_bit(lanes));
    std::uint32_t const bit = highest_bit(__shfl_sync(all_lanes, bits, lane));
    std::uint32_t const at = (word + static_cast<std::uint32_t>(lane)) * 32 + bit;
    bool const is_item = (__shfl_sync(all_lanes, heads, lane) >> bit & 1u) == 0;
    previous.is_head = !is_item && (load_cached(work.masks.items + at / 32) >> bit & 1u) == 0;
    ItemSpan const span = is_item ? plain_span(work.text, work.rules.is_libfm, at) : ItemSpan{};
    if (!plain_index<4>(work.text, work.rules, span, previous.index)) previous.index = -1;
    break;
  }
  return previous;
}

/// Lists the words of a warp's KiB from place `first` of the list on; how many they are.
template <class List>
__device__ inline std::uint32_t list_words(List& list, unsigned first, std::uint32_t heads, std::uint32_t items) {
  std::uint32_t words = heads | items;
  std::uint32_t const count = count_bits(words);
  std::uint32_t const inclusive = warp_inclusive_sum(count);
  std::uint32_t at = first + inclusive - count;
  for (; words != 0; words &= words - 1) {
    std::uint32_t const bit = lowest_bit(words);
    bool const is_head = (heads >> bit & 1u) != 0, is_item = (items >> bit & 1u) != 0;
    std::uint32_t const kind = !is_head ? 0u : is_item ? is_letter_word : is_head_word;
    list[at++] = static_cast<std::uint16_t>((lane_of_thread() * 32 + bit) | kind);
  }
  return __shfl_sync(all_lanes, inclusive, 31);
}

/// The rows and items before a warp's words, and what comes right before them.
struct Place {
  std::uint32_t row = 0;
  std::uint32_t item = 0;
  Previous previous;
};

__device__ inline void mark(ConvertWork const& work, Window const& window, std::uint32_t row) {
  std::uint32_t const i = row - work.rows.first_row;
  if (i >= window.rows) return;
  std::uint32_t const bit = 1u << i % 32;
  if ((atomic_or(work.marks[i / 32], bit) & bit) != 0) return;
  atomic_add(work.window->marked, 1u);
  atomic_max(work.window->longest_marked, length_of_row(work.rows, i));
}

/// Up to 32 words of the list, a lane each. `base`: where their KiB begins.
template <class T>
__device__ inline void convert_words(ConvertWork const& work, Window const& window, Place& place, std::uint32_t base,
                                     std::uint32_t word, std::uint32_t count) {
  unsigned const lane = lane_of_thread();
  bool const is_live = lane < count, is_head = is_live && (word & is_head_word) != 0;
  bool const is_letter = is_live && (word & is_letter_word) != 0, is_item = is_live && !is_head && !is_letter;
  std::uint32_t const heads = __ballot_sync(all_lanes, is_head), items = __ballot_sync(all_lanes, is_item);

  ItemSpan span;
  if (is_item) span = plain_span(work.text, work.rules.is_libfm, base + (word & place_of_word));
  std::int64_t index = -1;
  bool is_plain = false;
  if (__any_sync(all_lanes, span.digits > 8) == 0)
    is_plain = plain_index<2>(work.text, work.rules, span, index);
  else
    is_plain = plain_index<4>(work.text, work.rules, span, index);
  if (!is_plain) index = -1;
  T value{};
  char const* const begin = work.text.data + (span.digits == 0 ? 0 : span.colon + 1);
  is_plain = plain_values<T>(begin, begin + span.length, value) && is_plain;

  std::int64_t before = __shfl_up_sync(all_lanes, index, 1);
  bool is_behind_head = lane != 0 && (heads >> (lane - 1) & 1u) != 0;
  if (lane == 0) {
    before = place.previous.index;
    is_behind_head = place.previous.is_head;
  }
  bool const is_odd = (is_item && !(is_plain && index > before)) || (is_letter && !(is_behind_head && work.has_qid));
  if (__any_sync(all_lanes, is_odd) != 0 && is_odd)
    mark(work, window, place.row + count_bits(heads & lanes_below()) - 1);

  std::uint32_t const pair = place.item + count_bits(items & lanes_below()) - window.first_item;
  if (is_item && pair < window.items) {
    work.out.indices[pair] = index;
    static_cast<T*>(work.out.values)[pair] = value;
  }
  place.row += count_bits(heads);
  place.item += count_bits(items);
  auto const last = static_cast<int>(count - 1);
  place.previous = {__shfl_sync(all_lanes, index, last), (heads >> (count - 1) & 1u) != 0};
}

}  // namespace detail

/// A lane takes a word of its warp's KiB, in the order of a list that the warp makes of the masks. Masks heads, items,
/// stops; the window's rows; out: indices and values of its items, marks of its rows. The block that arrives last
/// writes the report. Launch: a block a tile from first_tile on, 256 threads for 16 KiB or 128 for 4 KiB. Shared: 1 KiB
/// a warp and 40 bytes. Work: about 150 operations an item; a byte of text and 3/8 of masks read a byte, 12 bytes
/// written an item.
template <class T, unsigned tile_bytes>
__global__ void PENSTOCK_BOUNDS(ConvertShape<tile_bytes>::threads, 4) convert_kernel(ConvertWork work) {
  using Shape = ConvertShape<tile_bytes>;
  PENSTOCK_SHARED(std::uint16_t, list, Shape::warps * Shape::list);
  PENSTOCK_SHARED(std::uint32_t, counts, Shape::warps);
  PENSTOCK_SHARED(bool, is_last, 1);
  unsigned const tile = work.first_tile + blockIdx.x, lane = lane_of_thread(), warp = warp_of_thread();
  Window const window = *work.window;
  if (tile * tile_bytes < window.end && (tile + 1) * std::uint64_t{tile_bytes} > window.begin) {
    TileEntry const entry = work.entries[tile];
    std::uint32_t const first_word = (tile * tile_bytes + warp * Shape::parts * 1024) / 32;
    std::uint32_t count = 0;
    for (unsigned k = 0; k < Shape::parts; ++k) {
      std::uint32_t const heads = load_cached(work.masks.heads + first_word + 32 * k + lane);
      std::uint32_t const items = load_cached(work.masks.items + first_word + 32 * k + lane);
      count += count_bits(heads & ~items) | count_bits(items & ~heads) << 16;
    }
    count = warp_sum(count);
    if (lane == 0) counts[warp] = count;
    __syncthreads();
    std::uint32_t before = 0;
    for (unsigned w = 0; w < warp; ++w) before += counts[w];
    // A part without words has nothing to compare with the word before, which may be far back.
    detail::Place place{entry.row + (before & 0xffffu), entry.item + (before >> 16), {}};
    if (count != 0) place.previous = detail::previous_of(work, first_word);
    for (unsigned k = 0; k < Shape::parts; ++k) {
      std::uint32_t const at = first_word + 32 * k + lane;
      std::uint32_t const words = detail::list_words(list, warp * Shape::list, load_cached(work.masks.heads + at),
                                                     load_cached(work.masks.items + at));
      __syncwarp();
      for (std::uint32_t i = 0; i < words; i += warp_lanes) {
        std::uint32_t const left = words - i < warp_lanes ? words - i : warp_lanes;
        std::uint32_t word = 0;
        if (lane < left) word = list[warp * Shape::list + i + lane];
        detail::convert_words<T>(work, window, place, (first_word + 32 * k) * 32, word, left);
      }
      __syncwarp();
    }
  }
  if (!last_block_to_arrive(work.arrived, is_last) || threadIdx.x != 0) return;
  WindowReport report{*work.totals, window};
  report.window.marked = load_fresh(&work.window->marked);
  report.window.longest_marked = load_fresh(&work.window->longest_marked);
  *work.report = report;
}

/// Converts the window's items, in the tiles from first_tile on, and reports.
template <class T>
void convert(Stream& stream, ConvertWork const& work, std::uint32_t text_bytes) {
  unsigned const tile = tile_bytes_for(text_bytes);
  unsigned const blocks = blocks_for(text_bytes, tile) - work.first_tile;
  if (tile == large_tile_bytes)
    launch("libsvm_convert", stream, {blocks, ConvertShape<large_tile_bytes>::threads},
           convert_kernel<T, large_tile_bytes>, work);
  else
    launch("libsvm_convert", stream, {blocks, ConvertShape<small_tile_bytes>::threads},
           convert_kernel<T, small_tile_bytes>, work);
}

}  // namespace penstock::cuda::libsvm
