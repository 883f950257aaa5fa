/// Cells of columns of text to numbers, by a normaliser's rules. Conversion has left where each of them stands at the
/// place of its number.
///
///     row     0             1             2 (marked)       conversion
///     place   [1,6) [9,12)  [15,15) ...   whatever
///     place   4.0   1.0     NaN     ...   whatever         this: words, flags
#pragma once

#include <cstdint>

#include "cuda/kernels/csv_convert.cuh"
#include "cuda/kernels/csv_targets.cuh"
#include "cuda/launch.cuh"

namespace penstock::cuda::csv {

struct TextsJob {
  ChunkText text;
  Structure const* structure = nullptr;  ///< of the chunk; mapped memory
  Window window;
  std::uint64_t* places = nullptr;  ///< of row 0 of the window
  std::uint32_t columns = 0;
  Table const* table = nullptr;
  Marks marks;
  Tally* tally = nullptr;
  Report* report = nullptr;
  unsigned* arrived = nullptr;
};

/// The texts of a row that is not marked. What is at fault, or has to be rewritten, marks it.
__device__ inline std::uint32_t read_texts_of_row(TextsJob const& job, std::uint32_t row) {
  std::uint32_t missing = 0;
  std::uint64_t* const places = job.places + std::uint64_t{row} * job.columns;
  for (std::uint32_t c = 0; c < job.columns; ++c) {
    TextPlace const place = text_place(places[c]);
    if (place.begin > place.end || place.end > job.text.size) return 0;  // of a structure that is violated
    Bytes const cell{job.text.data + place.begin, job.text.data + place.end};
    Bytes text;
    Cell<double> read{0, CellKind::fault, {}, false};
    if (penstock::csv::is_plain_text(cell, job.table->rules.dialect, text))
      read = read_category(text, true, text.begin, *job.table, c);
    if (read.kind == CellKind::fault) {
      mark_row(job.marks, job.tally, row, place.end);
      return 0;
    }
    missing += read.kind == CellKind::missing ? 1 : 0;
    places[c] = bit_cast<std::uint64_t>(read.value);
  }
  return missing;
}

/// A thread reads the texts of a row. They are short, and those of neighbours lie close together, so that their bytes
/// are in the cache; a slot of a vocabulary is at a place that nobody knows before, and more threads, not more lanes
/// for a text, have more of those on their way. Launch: a thread for a row of the window, in blocks of whole warps.
/// Shared: a number and a flag. Barriers: 1, and 2 to arrive. Work: two products of 64 bits for eight bytes, 16 bytes
/// for each slot that is looked at, and eight for each eight bytes behind a word's first eight.
static __global__ void PENSTOCK_BOUNDS(256, 4) read_texts_kernel(TextsJob job) {
  PENSTOCK_SHARED(std::uint32_t, rows_of_chunk, 1);
  PENSTOCK_SHARED(bool, is_last, 1);
  if (threadIdx.x == 0) rows_of_chunk[0] = job.structure->exit.row;
  __syncthreads();
  std::uint32_t const row = blockIdx.x * blockDim.x + threadIdx.x;
  bool const is_there = row < job.window.rows && row + job.window.first < rows_of_chunk[0];
  bool const is_marked = is_there && (load_relaxed(job.marks.rows + row / 32) >> row % 32 & 1) != 0;
  std::uint32_t const missing = warp_sum(is_there && !is_marked ? read_texts_of_row(job, row) : 0);
  if (lane_of_thread() == 0 && missing != 0) atomic_add(job.tally->missing, std::uint64_t{missing});
  if (last_block_to_arrive(job.arrived, is_last) && threadIdx.x == 0) report_tally(job.tally, job.report);
}

/// Enqueues, behind a conversion that did not report: the window's texts, and a Report of both.
inline void read_texts(Stream& stream, TextsJob const& job) {
  launch("read_texts", stream, {blocks_for(job.window.rows, 256), 256}, read_texts_kernel, job);
}

}  // namespace penstock::cuda::csv
