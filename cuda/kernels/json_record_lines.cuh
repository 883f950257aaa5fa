/// Where the records of a chunk begin: lines that are not blank. Text is looked at byte by byte, twice: to count, then
/// to list.
#pragma once

#include <cstdint>

#include "cuda/kernels/json_records.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/core/line_ends.hpp"
#include "formats/json/grammar.hpp"

namespace penstock::cuda::json {

struct RecordLinesWork {
  ChunkText text;
  std::uint32_t* tiles = nullptr;   ///< records of each tile, then those before; one more than there are tiles
  std::uint32_t* begins = nullptr;  ///< of records; one more than there are
  RecordTotals* totals = nullptr;
  std::uint32_t rows_max = 0;
};

namespace detail {

/// What a thread finds in its 32 bytes.
struct LineCell {
  std::uint32_t begins = 0;  ///< a bit a byte: a record's line begins there
  std::uint32_t lines = 0;   ///< physical line ends
  bool is_refused = false;   ///< more blanks than a thread should pass
};

/// Whether a line begins at `at`, and is not blank.
__device__ inline bool begins_record(ChunkText const& text, std::uint32_t at, LineCell& cell) {
  bool const is_begin = at == text.mark_bytes || (at > text.mark_bytes && ends_line(text.data[at - 1]));
  if (!is_begin) return false;
  std::uint32_t content = at;
  while (penstock::json::is_space(text.data[content])) {
    if (++content - at <= care_bytes_max) continue;
    cell.is_refused = true;
    return false;
  }
  return !ends_line(text.data[content]);
}

__device__ inline LineCell read_lines(ChunkText const& text, std::uint32_t at) {
  LineCell cell;
  for (std::uint32_t i = 0; i < 32 && at + i < text.size; ++i) {
    if (begins_record(text, at + i, cell)) cell.begins |= 1u << i;
    bool const is_end = ends_line(text.data[at + i]) && is_new_line(text.data, at + i, text.follows_cr);
    cell.lines += is_end ? 1 : 0;
  }
  return cell;
}

}  // namespace detail

inline constexpr unsigned lines_threads = 256;

/// A thread takes 32 bytes, a warp a tile. Launch: 256 threads for 8 tiles. Shared: none. Barriers: none. Work: about
/// 10 operations a byte; 1 byte read, 4 written a tile.
static __global__ void PENSTOCK_BOUNDS(lines_threads, 6) count_record_lines_kernel(RecordLinesWork work) {
  std::uint32_t const thread = blockIdx.x * lines_threads + threadIdx.x;
  detail::LineCell const cell = detail::read_lines(work.text, thread * 32);
  std::uint32_t const records = warp_sum(count_bits(cell.begins));
  std::uint32_t const lines = warp_sum(cell.lines);
  if (cell.is_refused) atomic_or(work.totals->is_refused, 1u);
  std::uint32_t const tile = thread / warp_lanes, tiles = blocks_for(work.text.size, lines_tile_bytes);
  if (lane_of_thread() != 0 || tile > tiles) return;
  work.tiles[tile] = records;  // none behind the last tile
  if (lines != 0) atomic_add(work.totals->lines, lines);
}

/// The same threads write where records begin. Launch: as above. Shared: none. Barriers: none. Work: as above; 4 bytes
/// written a record.
static __global__ void PENSTOCK_BOUNDS(lines_threads, 6) list_record_lines_kernel(RecordLinesWork work) {
  std::uint32_t const thread = blockIdx.x * lines_threads + threadIdx.x;
  std::uint32_t const tile = thread / warp_lanes, tiles = blocks_for(work.text.size, lines_tile_bytes);
  std::uint32_t const rows = work.tiles[tiles];
  if (thread == 0) {
    work.totals->rows = rows;
    if (rows > work.rows_max) atomic_or(work.totals->is_refused, 1u);
  }
  if (rows > work.rows_max || tile >= tiles) return;
  detail::LineCell const cell = detail::read_lines(work.text, thread * 32);
  std::uint32_t const count = count_bits(cell.begins);
  std::uint32_t row = work.tiles[tile] + warp_inclusive_sum(count) - count;
  for (std::uint32_t begins = cell.begins; begins != 0; begins &= begins - 1, ++row)
    work.begins[row] = thread * 32 + lowest_bit(begins);
  if (thread == 0) work.begins[rows] = work.text.size;
}

/// Finds a chunk's records and totals, which are zeros before. Not for an empty text.
template <class Backend>
void find_records(Stream& stream, Backend& backend, RecordLinesWork const& work) {
  unsigned const tiles = blocks_for(work.text.size, lines_tile_bytes);
  Grid const grid{blocks_for(tiles + 1, lines_threads / warp_lanes), lines_threads};  // one tile behind the last
  launch("json_count_lines", stream, grid, count_record_lines_kernel, work);
  backend.exclusive_sum(work.tiles, work.tiles, tiles + std::size_t{1});
  launch("json_list_lines", stream, grid, list_record_lines_kernel, work);
}

}  // namespace penstock::cuda::json
