/// The structure of JSON lines: records, and the commas and brackets outside strings. The text is read twice: first to
/// count, not knowing how tiles are entered, then, knowing it, to list.
///
/// A tile is entered inside a string or not, and in a line that is blank so far or not: two automata of two states
/// each, both of which a line end brings to a known one. Strings of JSON hold no line ends, so a quote that nothing
/// closes spoils its own line only, which is at fault.
#pragma once

#include <cstdint>

#include "cuda/kernels/json_bytes.cuh"
#include "cuda/kernels/json_tiles.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"

namespace penstock::cuda::json {

/// A stretch of text that is entered in one of two ways: outside a string and behind something else than blanks (0), or
/// inside one and behind nothing but blanks (1).
struct Passage {
  std::uint32_t stops = 0;
  std::uint32_t brackets = 0;
  std::uint32_t rows = 0;
  std::uint32_t exits = 0;  ///< bit 0: it ends inside a string; bit 1: fresh
};

struct TileStates {
  Passage* passages = nullptr;     ///< two a tile
  std::uint32_t* lines = nullptr;  ///< physical line ends; the highest bit: refused
};
inline constexpr std::uint32_t refused_bit = 0x80000000u;

struct StructureWork {
  ChunkText text;
  TileStates tiles;
  TileEntry* entries = nullptr;
  Masks masks;
  RowTable rows;
  Bracket* brackets = nullptr;  ///< null: nobody asks for them
  Totals* totals = nullptr;
  Limits limits;
};

/// 32 bytes a thread.
template <unsigned tile_bytes>
struct TileShape {
  static constexpr unsigned threads = tile_bytes / 32;
  static constexpr unsigned warps = threads / warp_lanes;
};

namespace detail {

/// A warp's text in words that its block shares.
struct WarpCounts {
  std::uint32_t outside = 0;  ///< stops, and brackets above, if it is entered outside strings
  std::uint32_t inside = 0;   ///< the same if inside one
  std::uint32_t rows = 0;     ///< if it is not entered fresh; lines above
  std::uint32_t flags = 0;    ///< see below
};
inline constexpr std::uint32_t has_line_end = 1, ends_odd = 2, ends_fresh = 4, has_content = 8, has_front_content = 16,
                               is_refused_text = 32;

/// The states behind a stretch with these flags.
PENSTOCK_HD inline bool inside_behind(std::uint32_t flags, bool is_inside) {
  bool const is_odd = (flags & ends_odd) != 0;
  return (flags & has_line_end) != 0 ? is_odd : is_odd != is_inside;
}
PENSTOCK_HD inline bool fresh_behind(std::uint32_t flags, bool is_fresh) {
  return (flags & has_line_end) != 0 ? (flags & ends_fresh) != 0 : is_fresh && (flags & has_content) == 0;
}

/// Of a warp's bytes. All lanes get the same.
__device__ inline std::uint32_t flags_of(Bytes const& bytes, WarpText const& warp) {
  bool is_fresh = false;
  (void)first_starts(bytes.line_ends, bytes.contents, is_fresh);
  std::uint32_t flags = (warp.parities.restart != 0 ? has_line_end : 0u) | (is_fresh ? ends_fresh : 0u);
  if (warp.parities.behind(~0u, false)) flags |= ends_odd;
  if (__any_sync(all_lanes, bytes.contents != 0) != 0) flags |= has_content;
  if (__any_sync(all_lanes, (bytes.contents & bytes.front) != 0) != 0) flags |= has_front_content;
  return flags | (warp.is_refused ? is_refused_text : 0u);
}

__device__ inline WarpCounts count_bytes(Bytes const& bytes, WarpText const& warp) {
  bool is_fresh = false;
  std::uint32_t const heads = first_starts(bytes.line_ends, bytes.contents, is_fresh);
  auto const count = [&](std::uint32_t inside) {
    std::uint32_t const brackets = count_bits(bytes.brackets & ~inside);
    return warp_sum((brackets + count_bits(bytes.commas & ~inside)) | brackets << 16);
  };
  WarpCounts counts;
  counts.outside = count(bytes.inside);
  counts.inside = count(bytes.inside ^ bytes.front);
  counts.rows = warp_sum(count_bits(heads) | bytes.lines << 16);
  counts.flags = flags_of(bytes, warp);
  return counts;
}

}  // namespace detail

// --- counting --------------------------------------------------------------------------------------------------------

/// A thread takes 32 bytes; two of a block join what its warps have counted. Text: size bytes, tiles filled up; two
/// passages and a count of lines a tile. Launch: a block a tile, a thread for 32 bytes. Shared: 256 bytes at most.
/// Work: about 12 operations a byte; 1 byte read.
template <unsigned tile_bytes>
__global__ void PENSTOCK_BOUNDS(TileShape<tile_bytes>::threads, 1024 / TileShape<tile_bytes>::threads)
    count_kernel(StructureWork work) {
  constexpr unsigned warps = TileShape<tile_bytes>::warps;
  PENSTOCK_SHARED(std::uint32_t, shared, warps * 4);
  unsigned const warp = warp_of_thread();
  WarpText text;
  Bytes const bytes = read_bytes(work.text, blockIdx.x * tile_bytes + threadIdx.x * 32, text);
  detail::WarpCounts const counts = detail::count_bytes(bytes, text);
  if (lane_of_thread() == 0) {
    shared[4 * warp] = counts.outside;
    shared[4 * warp + 1] = counts.inside;
    shared[4 * warp + 2] = counts.rows;
    shared[4 * warp + 3] = counts.flags;
  }
  __syncthreads();
  if (threadIdx.x >= 2) return;
  bool is_inside = threadIdx.x == 1, is_fresh = is_inside;
  Passage tile;
  std::uint32_t lines = 0, refused = 0;
  for (unsigned w = 0; w < warps; ++w) {
    std::uint32_t const stops = shared[4 * w + (is_inside ? 1 : 0)], rows = shared[4 * w + 2];
    std::uint32_t const flags = shared[4 * w + 3];
    tile.stops += stops & 0xffffu;
    tile.brackets += stops >> 16;
    tile.rows += (rows & 0xffffu) + (is_fresh && (flags & detail::has_front_content) != 0 ? 1 : 0);
    lines += rows >> 16;
    if ((flags & detail::is_refused_text) != 0) refused = refused_bit;
    is_inside = detail::inside_behind(flags, is_inside);
    is_fresh = detail::fresh_behind(flags, is_fresh);
  }
  tile.exits = (is_inside ? 1u : 0u) | (is_fresh ? 2u : 0u);
  work.tiles.passages[2 * blockIdx.x + threadIdx.x] = tile;
  if (threadIdx.x == 0) work.tiles.lines[blockIdx.x] = lines | refused;
}

// --- tile entries ----------------------------------------------------------------------------------------------------

/// Where a stretch of tiles leads: bits 0 and 1 whether it ends inside a string, entered outside and inside one, bits 2
/// and 3 the same for fresh lines.
using ExitMap = std::uint32_t;
inline constexpr ExitMap same_exits = 2u | 2u << 2;
PENSTOCK_HD constexpr std::uint32_t inside_of(ExitMap map, std::uint32_t is_inside) { return map >> is_inside & 1u; }
PENSTOCK_HD constexpr std::uint32_t fresh_of(ExitMap map, std::uint32_t is_fresh) { return map >> (2 + is_fresh) & 1u; }
PENSTOCK_HD constexpr ExitMap then(ExitMap a, ExitMap b) {
  return inside_of(b, inside_of(a, 0)) | inside_of(b, inside_of(a, 1)) << 1 | fresh_of(b, fresh_of(a, 0)) << 2 |
         fresh_of(b, fresh_of(a, 1)) << 3;
}
PENSTOCK_HD constexpr ExitMap exits_of(Passage const& a, Passage const& b) {
  return (a.exits & 1u) | (b.exits & 1u) << 1 | (a.exits & 2u) << 1 | (b.exits & 2u) << 2;
}

namespace detail {

/// What comes before a place, in two words that add up.
struct Sums {
  std::uint64_t rows_and_stops = 0;      ///< rows above
  std::uint64_t brackets_and_lines = 0;  ///< brackets above
};

/// Adds a tile that is entered so; moves to what it is left in.
PENSTOCK_HD inline void pass_tile(TileStates const& tiles, unsigned tile, Sums& sums, TileEntry& at) {
  Passage const of_inside = tiles.passages[2 * tile + (at.is_inside ? 1 : 0)];
  Passage const of_fresh = tiles.passages[2 * tile + (at.is_fresh ? 1 : 0)];
  sums.rows_and_stops += std::uint64_t{of_fresh.rows} << 32 | of_inside.stops;
  sums.brackets_and_lines += std::uint64_t{of_inside.brackets} << 32 | (tiles.lines[tile] & ~refused_bit);
  at.is_inside = (of_inside.exits & 1u) != 0;
  at.is_fresh = (of_fresh.exits & 2u) != 0;
}

}  // namespace detail

inline constexpr unsigned enter_threads = 256;

/// A thread takes a run of tiles: first to know how it is entered, then what comes before. Two passages a tile become
/// an entry a tile and the totals. Launch: one block. Shared: 200 bytes. Work: 150 bytes read or written a tile.
static __global__ void PENSTOCK_BOUNDS(enter_threads, 1) enter_kernel(StructureWork work, unsigned tiles) {
  constexpr unsigned warps = enter_threads / warp_lanes;
  PENSTOCK_SHARED(std::uint32_t, maps, warps);
  PENSTOCK_SHARED(std::uint64_t, sums, warps * 2);
  unsigned const lane = lane_of_thread(), warp = warp_of_thread();
  unsigned const run = (tiles + enter_threads - 1) / enter_threads;
  unsigned const begin = threadIdx.x * run < tiles ? threadIdx.x * run : tiles;
  unsigned const end = begin + run < tiles ? begin + run : tiles;

  ExitMap map = same_exits;
  std::uint32_t refused = 0;
  for (unsigned tile = begin; tile < end; ++tile) {
    map = then(map, exits_of(work.tiles.passages[2 * tile], work.tiles.passages[2 * tile + 1]));
    refused |= work.tiles.lines[tile] & refused_bit;
  }
  refused = warp_or(refused);
  for (unsigned d = 1; d < warp_lanes; d *= 2) {
    ExitMap const below = __shfl_up_sync(all_lanes, map, d);
    if (lane >= d) map = then(below, map);
  }
  ExitMap before = __shfl_up_sync(all_lanes, map, 1);
  if (lane == 0) before = same_exits;
  if (lane == 31) maps[warp] = map | refused;
  __syncthreads();
  ExitMap all_before = same_exits;
  for (unsigned w = 0; w < warp; ++w) all_before = then(all_before, maps[w]);
  all_before = then(all_before, before);
  TileEntry entry;
  entry.is_inside = inside_of(all_before, 0) != 0;
  entry.is_fresh = fresh_of(all_before, 1) != 0;

  detail::Sums sum;
  TileEntry at = entry;
  for (unsigned tile = begin; tile < end; ++tile) detail::pass_tile(work.tiles, tile, sum, at);
  detail::Sums base{warp_inclusive_sum(sum.rows_and_stops), warp_inclusive_sum(sum.brackets_and_lines)};
  if (lane == 31) {
    sums[2 * warp] = base.rows_and_stops;
    sums[2 * warp + 1] = base.brackets_and_lines;
  }
  __syncthreads();
  base = {base.rows_and_stops - sum.rows_and_stops, base.brackets_and_lines - sum.brackets_and_lines};
  for (unsigned w = 0; w < warp; ++w) {
    base.rows_and_stops += sums[2 * w];
    base.brackets_and_lines += sums[2 * w + 1];
  }
  at = entry;
  for (unsigned tile = begin; tile < end; ++tile) {
    at.row = static_cast<std::uint32_t>(base.rows_and_stops >> 32);
    at.stop = static_cast<std::uint32_t>(base.rows_and_stops);
    at.bracket = static_cast<std::uint32_t>(base.brackets_and_lines >> 32);
    work.entries[tile] = at;
    detail::pass_tile(work.tiles, tile, base, at);
  }
  if (threadIdx.x != enter_threads - 1) return;
  for (unsigned w = 0; w < warps; ++w) refused |= maps[w] & refused_bit;
  Totals totals;
  totals.rows = static_cast<std::uint32_t>(base.rows_and_stops >> 32);
  totals.stops = static_cast<std::uint32_t>(base.rows_and_stops);
  totals.brackets = static_cast<std::uint32_t>(base.brackets_and_lines >> 32);
  totals.lines = static_cast<std::uint32_t>(base.brackets_and_lines);
  bool const fits =
      totals.rows <= work.limits.rows && totals.stops <= work.limits.stops && totals.brackets <= work.limits.brackets;
  totals.is_refused = refused != 0 || !fits ? 1 : 0;
  *work.totals = totals;
}

// --- listing ---------------------------------------------------------------------------------------------------------

namespace detail {

/// Of a thread's 32 bytes, or of what comes before them: rows, stops, brackets, 16 bits each.
PENSTOCK_HD constexpr std::uint64_t packed_counts(std::uint32_t rows, std::uint32_t stops, std::uint32_t brackets) {
  return std::uint64_t{brackets} << 32 | stops << 16 | rows;
}

/// Writes what a thread's 32 bytes hold. `entry` is for its first byte.
__device__ inline void list_bytes(StructureWork const& work, std::uint32_t at, TileEntry const& entry,
                                  std::uint32_t brackets) {
  std::uint32_t const stops = work.masks.stops[at / 32];
  std::uint32_t row = entry.row;
  for (std::uint32_t heads = work.masks.heads[at / 32]; heads != 0; heads &= heads - 1, ++row) {
    std::uint32_t const below = before_first(heads);
    work.rows.begins[row] = at + lowest_bit(heads);
    work.rows.stops[row] = entry.stop + count_bits(stops & below);
    work.rows.brackets[row] = entry.bracket + count_bits(brackets & below);
  }
  if (work.brackets == nullptr) return;
  std::uint32_t bracket = entry.bracket;
  for (; brackets != 0; brackets &= brackets - 1, ++bracket)
    work.brackets[bracket] = {at + lowest_bit(brackets), entry.stop + count_bits(stops & before_first(brackets))};
}

}  // namespace detail

/// A thread takes 32 bytes. Text and entries; masks: a word a thread; the row table, and all brackets. Launch: a block
/// a tile, a thread for 32 bytes. Shared: 192 bytes at most. Work: about 12 operations a byte; 1 byte read and 1/4
/// written a byte, 12 bytes written a row and 8 a bracket.
template <unsigned tile_bytes>
__global__ void PENSTOCK_BOUNDS(TileShape<tile_bytes>::threads, 1024 / TileShape<tile_bytes>::threads)
    list_kernel(StructureWork work) {
  constexpr unsigned warps = TileShape<tile_bytes>::warps;
  PENSTOCK_SHARED(std::uint32_t, flags, warps);
  PENSTOCK_SHARED(std::uint64_t, counts, warps);
  Totals const totals = *work.totals;
  if (totals.is_refused != 0) return;
  unsigned const warp = warp_of_thread();
  std::uint32_t const mine = blockIdx.x * tile_bytes + threadIdx.x * 32;
  WarpText text;
  Bytes const bytes = read_bytes(work.text, mine, text);
  std::uint32_t const warp_flags = detail::flags_of(bytes, text);
  if (lane_of_thread() == 0) flags[warp] = warp_flags;
  __syncthreads();
  TileEntry entry = work.entries[blockIdx.x];
  for (unsigned w = 0; w < warp; ++w) {
    std::uint32_t const before = flags[w];
    entry.is_inside = detail::inside_behind(before, entry.is_inside);
    entry.is_fresh = detail::fresh_behind(before, entry.is_fresh);
  }
  std::uint32_t const inside = bytes.inside ^ (entry.is_inside ? bytes.front : 0u);
  std::uint32_t const brackets = bytes.brackets & ~inside, stops = brackets | (bytes.commas & ~inside);
  std::uint32_t const heads = first_starts(bytes.line_ends, bytes.contents, entry.is_fresh);
  work.masks.stops[mine / 32] = stops;
  work.masks.heads[mine / 32] = heads;

  std::uint64_t const count = detail::packed_counts(count_bits(heads), count_bits(stops), count_bits(brackets));
  std::uint64_t before = warp_inclusive_sum(count);
  if (lane_of_thread() == 31) counts[warp] = before;
  before -= count;
  __syncthreads();
  for (unsigned w = 0; w < warp; ++w) before += counts[w];
  entry.row += static_cast<std::uint32_t>(before & 0xffffu);
  entry.stop += static_cast<std::uint32_t>(before >> 16 & 0xffffu);
  entry.bracket += static_cast<std::uint32_t>(before >> 32);
  detail::list_bytes(work, mine, entry, brackets);

  if (blockIdx.x != 0 || threadIdx.x != 0) return;
  work.rows.begins[totals.rows] = work.text.size;
  work.rows.stops[totals.rows] = totals.stops;
  work.rows.brackets[totals.rows] = totals.brackets;
}

namespace detail {

template <unsigned tile_bytes>
void find_structure(Stream& stream, StructureWork const& work) {
  Grid const grid{blocks_for(work.text.size, tile_bytes), TileShape<tile_bytes>::threads};
  launch("json_count", stream, grid, count_kernel<tile_bytes>, work);
  launch("json_enter", stream, {1, enter_threads}, enter_kernel, work, grid.blocks);
  launch("json_list", stream, grid, list_kernel<tile_bytes>, work);
}

}  // namespace detail

/// Finds a chunk's totals, and unless they refuse it, its masks, entries, rows and brackets. Not for an empty text.
inline void find_structure(Stream& stream, StructureWork const& work) {
  if (tile_bytes_for(work.text.size) == large_tile_bytes)
    detail::find_structure<large_tile_bytes>(stream, work);
  else
    detail::find_structure<small_tile_bytes>(stream, work);
}

}  // namespace penstock::cuda::json
