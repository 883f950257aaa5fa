/// What both ways to find the structure of CSV share: their memory, what is known about a tile before anybody knows how
/// it is entered, and how the block that arrives last turns that into the tiles' entries.
///
///     tile     0          1          2              entries  0: row 0, column 0
///     text     a,b LF c   ,d LF LF   e,f                     1: row 1, column 0
///     summary  1 row,     1 row,     0 rows,                 2: row 2, column 0
///              0 fields   0 fields   1 field        exit     : row 2, column 1
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/kernels/csv_tiles.hpp"
#include "cuda/vocabulary.cuh"

namespace penstock::cuda::csv {

// --- summaries -----------------------------------------------------------------------------------------------------

/// A stretch of at most 16 KiB of text, for one way to enter it: fields behind the last record end (bits 0 to 14), rows
/// (bits 15 to 28; a row is two bytes or more, but the first), and three flags.
using Summary = std::uint32_t;
inline constexpr Summary tail_of_summary = 0x7fffu;
inline constexpr unsigned rows_shift = 15;
inline constexpr Summary counts_of_summary = 0x1fffffffu;
inline constexpr Summary has_record_end = 1u << 29;
inline constexpr Summary has_violation = 1u << 30;
inline constexpr Summary has_odd_quotes = 1u << 31;
static_assert(large_tile_bytes <= tail_of_summary && large_tile_bytes / 2 + 1 < 1u << (29 - rows_shift));

/// Of two stretches, one behind the other.
PENSTOCK_HD constexpr Summary then(Summary a, Summary b) {
  Summary const kept = (b & has_record_end) != 0 ? a & ~tail_of_summary : a;
  Summary const flags = ((a | b) & (has_record_end | has_violation)) | ((a ^ b) & has_odd_quotes);
  return ((kept & counts_of_summary) + (b & counts_of_summary)) | flags;
}

/// What the passes find out about every tile.
struct TileStates {
  Summary* summaries = nullptr;    ///< two a tile: entered outside quotes, and inside
  std::uint32_t* lines = nullptr;  ///< physical line ends of a tile
};

/// Everything that the kernels of both paths read and write.
struct StructureWork {
  ChunkText text;
  Entry const* entry = nullptr;  ///< of the chunk, in device memory; null: at a record's start, no row before it
  Masks masks;
  TileStates tiles;
  Entry* entries = nullptr;
  Structure* result = nullptr;
  unsigned* arrived = nullptr;
};

__device__ inline Entry chunk_entry(StructureWork const& work) {
  Entry entry;
  if (work.entry != nullptr) entry = *work.entry;
  return entry;
}

// --- entries of tiles ----------------------------------------------------------------------------------------------

inline constexpr unsigned tile_warps = tile_threads / warp_lanes;

/// Rows and fields of any number of tiles.
struct TileRun {
  std::uint32_t rows = 0;
  std::uint32_t tail = 0;   ///< fields behind the last record end
  std::uint32_t flags = 0;  ///< has_record_end, has_violation
};

PENSTOCK_HD constexpr TileRun then(TileRun a, TileRun b) {
  return {a.rows + b.rows, (b.flags & has_record_end) != 0 ? b.tail : a.tail + b.tail, a.flags | b.flags};
}
PENSTOCK_HD constexpr TileRun run_of(Summary summary) {
  return {(summary & counts_of_summary) >> rows_shift, summary & tail_of_summary,
          summary & (has_record_end | has_violation)};
}

__device__ inline TileRun from_lane_below(TileRun run, unsigned distance) {
  return {__shfl_up_sync(all_lanes, run.rows, distance), __shfl_up_sync(all_lanes, run.tail, distance),
          __shfl_up_sync(all_lanes, run.flags, distance)};
}

/// The block's threads share the tiles out: each takes neighbours, in order.
struct TileRange {
  unsigned begin = 0;
  unsigned end = 0;
};
__device__ inline TileRange tiles_of_thread() {
  unsigned const tiles = gridDim.x, each = (tiles + blockDim.x - 1) / blockDim.x;
  unsigned const begin = threadIdx.x * each < tiles ? threadIdx.x * each : tiles;
  return {begin, begin + each < tiles ? begin + each : tiles};
}

/// How many of the block's threads before this one said yes, and of all; modulo 2.
struct Parity {
  std::uint32_t before = 0;
  std::uint32_t total = 0;
};
__device__ inline Parity parity_of_block(bool is_odd) {
  PENSTOCK_SHARED(std::uint32_t, odd_in_warp, tile_warps);
  std::uint32_t const odd = __ballot_sync(all_lanes, is_odd);
  if (lane_of_thread() == 0) odd_in_warp[warp_of_thread()] = count_bits(odd);
  __syncthreads();
  Parity parity{count_bits(odd & lanes_below()), 0};
  for (unsigned w = 0; w < blockDim.x / warp_lanes; ++w) {
    if (w == warp_of_thread()) parity.before += parity.total;
    parity.total += odd_in_warp[w];
  }
  return {parity.before & 1, parity.total & 1};
}

/// The runs of the block's threads before this one, one behind the other, and of all.
struct RunScan {
  TileRun before;
  TileRun total;
};
__device__ inline RunScan scan_of_block(TileRun run) {
  PENSTOCK_SHARED(std::uint32_t, rows_of_warp, tile_warps);
  PENSTOCK_SHARED(std::uint32_t, tail_of_warp, tile_warps);
  PENSTOCK_SHARED(std::uint32_t, flags_of_warp, tile_warps);
  unsigned const lane = lane_of_thread(), warp = warp_of_thread();
  for (unsigned d = 1; d < warp_lanes; d *= 2) {
    TileRun const below = from_lane_below(run, d);
    if (lane >= d) run = then(below, run);
  }
  if (lane == warp_lanes - 1) {
    rows_of_warp[warp] = run.rows;
    tail_of_warp[warp] = run.tail;
    flags_of_warp[warp] = run.flags;
  }
  TileRun own = from_lane_below(run, 1);
  if (lane == 0) own = {};
  __syncthreads();
  RunScan scan;
  for (unsigned w = 0; w < blockDim.x / warp_lanes; ++w) {
    if (w == warp) scan.before = scan.total;
    scan.total = then(scan.total, {rows_of_warp[w], tail_of_warp[w], flags_of_warp[w]});
  }
  scan.before = then(scan.before, own);
  return scan;
}

/// The sum over the block's threads, for thread 0.
__device__ inline std::uint32_t sum_of_block(std::uint32_t x) {
  PENSTOCK_SHARED(std::uint32_t, sum_of_warp, tile_warps);
  std::uint32_t const sum = warp_sum(x);
  if (lane_of_thread() == 0) sum_of_warp[warp_of_thread()] = sum;
  __syncthreads();
  std::uint32_t total = 0;
  if (threadIdx.x == 0)
    for (unsigned w = 0; w < blockDim.x / warp_lanes; ++w) total += sum_of_warp[w];
  return total;
}

/// Called by all threads of the block that arrived last. Writes the entry of every tile of the grid; thread 0 gets what
/// holds for the chunk, `exit.state` excepted. Parities come first, so that rows and columns are added up for one of
/// the two ways to enter a tile.
__device__ inline Structure enter_tiles(TileStates const& tiles, Entry const& start, Entry* entries) {
  TileRange const mine = tiles_of_thread();
  std::uint32_t odd = 0, lines = 0;
  for (unsigned t = mine.begin; t < mine.end; ++t) {
    odd ^= load_fresh(tiles.summaries + 2 * t) & has_odd_quotes;
    lines += load_fresh(tiles.lines + t);
  }
  Parity const parity = parity_of_block(odd != 0);
  std::uint32_t const is_inside = start.is_inside ^ parity.before;
  TileRun run;
  std::uint32_t inside = is_inside;
  for (unsigned t = mine.begin; t < mine.end; ++t) {
    Summary const summary = load_fresh(tiles.summaries + 2 * t + inside);
    run = then(run, run_of(summary));
    inside ^= summary / has_odd_quotes;
  }
  RunScan const scan = scan_of_block(run);
  TileRun const begin{start.row, start.column, 0};
  run = then(begin, scan.before);
  inside = is_inside;
  for (unsigned t = mine.begin; t < mine.end; ++t) {
    entries[t] = {run.rows, run.tail, inside, 0};
    Summary const summary = load_fresh(tiles.summaries + 2 * t + inside);
    run = then(run, run_of(summary));
    inside ^= summary / has_odd_quotes;
  }
  TileRun const end = then(begin, scan.total);
  Structure structure;
  structure.exit = {end.rows, end.tail, start.is_inside ^ parity.total, 0};
  structure.lines = sum_of_block(lines);
  structure.is_violated = (end.flags & has_violation) != 0 ? 1 : 0;
  return structure;
}

// --- memory --------------------------------------------------------------------------------------------------------

/// Device memory of both paths, for chunks of at most `text_bytes_max`. Serves one chunk at a time: the next one's
/// passes write over it.
class StructureMemory {
 public:
  /// `has_quote`: the dialect has one, so that Masks::inside is needed. Enqueues on `stream`, which all passes must
  /// use.
  StructureMemory(Stream& stream, std::size_t text_bytes_max, bool has_quote)
      : text_bytes_max_(text_bytes_max),
        tiles_(text_bytes_max / small_tile_bytes + 2),
        outside_(mask_words(), "the mask of field ends"),
        inside_(has_quote ? mask_words() : 0, "the mask of field ends inside quotes"),
        line_ends_(mask_words(), "the mask of line ends"),
        summaries_(2 * tiles_, "summaries of tiles"),
        lines_(tiles_, "line ends of tiles"),
        entries_(tiles_, "entries of tiles"),
        vectors_(tiles_, "the automaton's way over tiles"),
        vectors_before_(mask_words() / 2, "the automaton's way in tiles"),
        places_(tiles_, "the automaton's states in front of tiles"),
        arrived_(1, "a counter of blocks") {
    stream.fill(arrived_.get(), 0, arrived_.size_bytes());
  }

  [[nodiscard]] std::size_t text_bytes_max() const { return text_bytes_max_; }
  [[nodiscard]] Masks masks() const { return {outside_.get(), inside_.get(), line_ends_.get()}; }
  /// One a tile, then undefined.
  [[nodiscard]] Entry* entries() const { return entries_.get(); }
  /// Of the automaton path: see AutomatonWork.
  [[nodiscard]] std::uint64_t* vectors() const { return vectors_.get(); }
  [[nodiscard]] std::uint64_t* vectors_before() const { return vectors_before_.get(); }
  [[nodiscard]] std::uint32_t* places() const { return places_.get(); }
  [[nodiscard]] StructureWork work(ChunkText text, Entry const* chunk_entry, Structure* result) const {
    return {text, chunk_entry, masks(), {summaries_.get(), lines_.get()}, entries_.get(), result, arrived_.get()};
  }
  [[nodiscard]] std::size_t device_bytes() const {
    return outside_.size_bytes() + inside_.size_bytes() + line_ends_.size_bytes() + summaries_.size_bytes() +
           lines_.size_bytes() + entries_.size_bytes() + vectors_.size_bytes() + vectors_before_.size_bytes() +
           places_.size_bytes() + arrived_.size_bytes();
  }

 private:
  /// Whole tiles of either size, at least one.
  [[nodiscard]] std::size_t mask_words() const {
    return (text_bytes_max_ / large_tile_bytes + 1) * (large_tile_bytes / 32);
  }

  std::size_t text_bytes_max_;
  std::size_t tiles_;  ///< of the small size, and one more
  DeviceArray<std::uint32_t> outside_, inside_, line_ends_;
  DeviceArray<Summary> summaries_;
  DeviceArray<std::uint32_t> lines_;
  DeviceArray<Entry> entries_;
  DeviceArray<std::uint64_t> vectors_, vectors_before_;
  DeviceArray<std::uint32_t> places_;
  DeviceArray<unsigned> arrived_;
};

/// Blocks that find the structure of a text: one for an empty one, so that there is a result.
constexpr unsigned tiles_of(std::size_t text_bytes, unsigned tile_bytes) {
  return text_bytes == 0 ? 1 : static_cast<unsigned>((text_bytes + tile_bytes - 1) / tile_bytes);
}

}  // namespace penstock::cuda::csv
