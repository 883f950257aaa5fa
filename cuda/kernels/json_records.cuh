/// Records of JSON lines to rows, one thread a record, by the formats' general texts: read to know what becomes of them
/// and how many elements their lists have, read again to write them where their round has places for them.
#pragma once

#include <cstdint>

#include "cuda/kernels/json_record_readers.cuh"
#include "cuda/kernels/json_records.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/core/line_ends.hpp"
#include "formats/json/grammar.hpp"
#include "penstock/batch.hpp"
#include "penstock/fault.hpp"

namespace penstock::cuda::json {

inline constexpr unsigned records_threads = 64;

namespace detail {

__device__ inline char const* content_of(RecordsWork const& work, std::uint32_t row) {
  return penstock::json::skip_space(work.text.data + work.table.begins[row]);
}

/// The record's lists among the spare ones: how many elements they have, and which come before.
struct SpareExtent {
  ListCounts first;
  ListCounts count;
};
__device__ inline SpareExtent spare_extent(RecordsWork const& work, std::uint32_t row) {
  SpareExtent extent;
  for (std::uint32_t i = 0; i < work.lists; ++i) {
    std::uint32_t const* const places = work.table.spare_places[i];
    extent.first.of[i] = places[row];
    extent.count.of[i] = places[row + 1] - places[row];
  }
  return extent;
}

template <class Reader>
__device__ Outcome read_to_spare(RecordsWork const& work, Reader const& reader, std::uint32_t row) {
  Places places;
  SpareExtent const extent = spare_extent(work, row);
  reader.put_spare(places, work.spare, extent.first, extent.count);
  return reader.read(content_of(work, row), places);
}

}  // namespace detail

// --- reading ---------------------------------------------------------------------------------------------------------

/// A thread reads a record, byte by byte, and one more thread ends the sums: verdicts, and how many elements undecided
/// records have. A record that is too long refuses the chunk. Launch: 64 threads for 64 of rows + 1. Shared: none.
/// Barriers: none. Work: some 40 operations a byte; 12 bytes written a record.
template <class Reader>
__global__ void PENSTOCK_BOUNDS(records_threads, 4) read_records_kernel(RecordsWork work, Reader reader) {
  std::uint32_t const row = blockIdx.x * records_threads + threadIdx.x;
  if (row > work.rows) return;
  Verdict verdict = Verdict::fault;
  ListCounts counts;
  bool is_refused = false;
  if (row < work.rows) {
    is_refused = work.table.begins[row + 1] - work.table.begins[row] > care_bytes_max;
    if (!is_refused) {
      Outcome const outcome = reader.count(detail::content_of(work, row));
      if (!outcome.is_fault) verdict = Verdict::row;
      if (outcome.lacks_room) {
        verdict = Verdict::undecided;
        counts = reader.lists_of(outcome.taken);
        is_refused = work.lists == 0;  // never
      }
    }
  }
  if (is_refused) atomic_or(work.totals->is_refused, 1u);
  work.table.ranks[row] = static_cast<std::uint32_t>(verdict);
  for (std::uint32_t i = 0; i < work.lists; ++i) work.table.spare_places[i][row] = counts.of[i];
}

/// A thread reads a record that is undecided, with places for its lists, and one more thread ends the sums: what
/// becomes of all records, and how many elements rows have. One of more than a round holds refuses the chunk. Launch:
/// as above. Shared: none. Barriers: none. Work: as above; 20 bytes read and 12 written a record, and its lists.
template <class Reader>
__global__ void PENSTOCK_BOUNDS(records_threads, 4) decide_records_kernel(RecordsWork work, Reader reader) {
  std::uint32_t const row = blockIdx.x * records_threads + threadIdx.x;
  if (row > work.rows) return;
  std::uint32_t is_row = row < work.rows ? work.table.ranks[row] : 0;
  ListCounts counts;
  bool is_refused = false;
  if (is_row == static_cast<std::uint32_t>(Verdict::undecided)) {
    Outcome const outcome = detail::read_to_spare(work, reader, row);
    is_row = outcome.is_fault ? 0 : 1;
    is_refused = outcome.lacks_room;  // never: there is room for what was counted
    if (!outcome.is_fault) counts = reader.lists_of(outcome.taken);
  }
  work.table.ranks[row] = is_row;
  for (std::uint32_t i = 0; i < work.lists; ++i) {
    work.table.places[i][row] = counts.of[i];
    is_refused = is_refused || counts.of[i] > work.limits.lists.of[i];
  }
  if (is_refused) atomic_or(work.totals->is_refused, 1u);
}

template <class Reader>
void read_records(Stream& stream, RecordsWork const& work, Reader const& reader) {
  Grid const grid{blocks_for(work.rows + std::size_t{1}, records_threads), records_threads};
  launch("json_read_records", stream, grid, read_records_kernel<Reader>, work, reader);
}
/// Only for records with lists, when `spare_places` are sums.
template <class Reader>
void decide_records(Stream& stream, RecordsWork const& work, Reader const& reader) {
  Grid const grid{blocks_for(work.rows + std::size_t{1}, records_threads), records_threads};
  launch("json_decide_records", stream, grid, decide_records_kernel<Reader>, work, reader);
}

// --- planning --------------------------------------------------------------------------------------------------------

namespace detail {

__device__ inline RecordRound round_of(RecordsWork const& work, std::uint32_t begin, std::uint32_t end) {
  RecordTable const& table = work.table;
  RecordRound round;
  round.begin = begin;
  round.end = end;
  round.rows = table.ranks[end] - table.ranks[begin];
  for (std::uint32_t i = 0; i < work.lists; ++i) round.lists.of[i] = table.places[i][end] - table.places[i][begin];
  round.faults = end - begin - round.rows;
  return round;
}

__device__ inline bool fits(RecordRound const& round, RecordLimits const& limits) {
  bool fits = round.rows <= limits.rows && round.faults <= limits.faults;
  for (std::size_t i = 0; i < lists_max; ++i) fits = fits && round.lists.of[i] <= limits.lists.of[i];
  return fits;
}

}  // namespace detail

/// One thread finds out how many records from `begin` on a round holds. Launch: one block of a warp. Shared: none.
/// Barriers: none. Work: 20 steps.
static __global__ void PENSTOCK_BOUNDS(warp_lanes, 1)
    plan_records_kernel(RecordsWork work, std::uint32_t begin, RecordRound* round) {
  if (threadIdx.x != 0) return;
  std::uint32_t low = begin, high = work.rows;  // low fits
  while (low < high) {
    std::uint32_t const middle = high - (high - low) / 2;
    if (detail::fits(detail::round_of(work, begin, middle), work.limits))
      low = middle;
    else
      high = middle - 1;
  }
  *round = detail::round_of(work, begin, low);
  round->is_refused = work.totals->is_refused;
}

/// Finds out what a round that begins with record `begin` takes.
inline void plan_records(Stream& stream, RecordsWork const& work, std::uint32_t begin, RecordRound* round) {
  launch("json_plan_records", stream, {1, warp_lanes}, plan_records_kernel, work, begin, round);
}

// --- writing ---------------------------------------------------------------------------------------------------------

/// Where a round's rows and faults go; what the layout lacks is null.
struct RecordPlaces {
  Batch batch;
  std::int64_t* offsets[lists_max] = {};
  Fault* faults = nullptr;
};

namespace detail {

/// The record is read again; it is at fault.
template <class Reader>
__device__ Fault fault_of(RecordsWork const& work, Reader const& reader, std::uint32_t row) {
  Outcome outcome = reader.count(content_of(work, row));
  if (outcome.lacks_room) outcome = read_to_spare(work, reader, row);
  char const* const text = work.text.data;
  char const* end = outcome.cell_end;
  while (!ends_line(*end)) ++end;
  Fault fault;
  fault.code = outcome.code;
  fault.record_begin = work.table.begins[row];
  fault.record_end = static_cast<std::uint32_t>(end - text);
  fault.cell_begin = static_cast<std::uint32_t>(outcome.cell_begin - text);
  fault.cell_end = static_cast<std::uint32_t>(outcome.cell_end - text);
  fault.column = outcome.detail;
  return fault;
}

}  // namespace detail

/// A thread reads a record of the round again and writes its row, or its fault; one more thread writes the last
/// offsets. Launch: 64 threads for 64 of the round's records and one. Shared: none. Barriers: none. Work: some 40
/// operations a byte of text; the row written.
template <class Reader>
__global__ void PENSTOCK_BOUNDS(records_threads, 4)
    write_records_kernel(RecordsWork work, RecordRound round, RecordPlaces to, Reader reader, RecordRound* on_device) {
  std::uint32_t const row = round.begin + blockIdx.x * records_threads + threadIdx.x;
  std::uint32_t missing = 0, inexact = 0;
  if (row <= round.end) {
    RecordRound const before = detail::round_of(work, round.begin, row);
    bool const is_row = row < round.end && work.table.ranks[row + 1] != work.table.ranks[row];
    for (std::uint32_t i = 0; i < work.lists && (is_row || row == round.end); ++i)
      to.offsets[i][before.rows] = before.lists.of[i];
    if (is_row) {
      Places places;
      places.batch = to.batch;
      places.used.rows = before.rows;
      reader.put_used(places, before.lists, detail::round_of(work, row, row + 1).lists);
      Outcome const outcome = reader.read(detail::content_of(work, row), places);
      missing = outcome.missing;
      inexact = outcome.inexact_integers;
    } else if (row < round.end) {
      Fault fault = detail::fault_of(work, reader, row);
      fault.rows_before = before.rows;
      to.faults[before.faults] = fault;
    }
  }
  missing = warp_sum(missing);
  inexact = warp_sum(inexact);
  if (lane_of_thread() != 0) return;
  if (missing != 0) atomic_add(on_device->missing, std::uint64_t{missing});
  if (inexact != 0) atomic_add(on_device->inexact_integers, std::uint64_t{inexact});
}

/// Makes a round's rows and faults. `round` is `*on_device` as the host has read it; counts are added there.
template <class Reader>
void write_records(Stream& stream, RecordsWork const& work, RecordRound const& round, RecordPlaces const& to,
                   Reader const& reader, RecordRound* on_device) {
  Grid const grid{blocks_for(std::size_t{round.end} - round.begin + 1, records_threads), records_threads};
  launch("json_write_records", stream, grid, write_records_kernel<Reader>, work, round, to, reader, on_device);
}

}  // namespace penstock::cuda::json
