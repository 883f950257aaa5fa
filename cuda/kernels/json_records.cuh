/// Records of JSON lines to rounds: what becomes of each, and, of those that are not plain, their rows and faults. One
/// thread reads such a record, byte by byte, by the format's general text: to know what becomes of it and how many
/// elements its lists have, and again to write them where its round has places for them.
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

/// Which records are marked, for select().
struct IsMarked {
  std::uint32_t const* marks;
  PENSTOCK_HD bool operator()(std::uint32_t row) const { return (marks[row / 32] >> row % 32 & 1u) != 0; }
};

namespace detail {

/// Values between two elements of places without any, between lists of dynamic_feat: their closing, comma, and opening
/// are three stops, of which the first has a value.
inline constexpr std::uint32_t stops_between = 2;

__device__ inline bool is_marked(RecordsWork const& work, std::uint32_t row) { return IsMarked{work.in.marks}(row); }

/// How many elements a plain record's list has.
__device__ inline std::uint32_t plain_count(RecordsWork const& work, RowLists const& lists, std::uint32_t list) {
  std::uint32_t const places = lists.of[list].size();
  return list == 1 && places != 0 ? places - stops_between * (work.parts - 1) : places;
}

}  // namespace detail

// --- counting --------------------------------------------------------------------------------------------------------

inline constexpr unsigned count_threads = 256;

/// A thread takes a record, and one more: of plain ones, that they are rows and how many elements they have. One of
/// more than a round holds refuses the chunk. Launch: 256 threads for 256 of rows + 1. Shared: none. Barriers: none.
/// Work: 16 bytes read, up to 20 written a record.
static __global__ void PENSTOCK_BOUNDS(count_threads, 6) count_records_kernel(RecordsWork work) {
  std::uint32_t const row = blockIdx.x * count_threads + threadIdx.x;
  if (row > work.rows) return;
  bool const is_plain = row < work.rows && !detail::is_marked(work, row);
  RowLists lists;
  if (is_plain && work.lists != 0) lists = work.in.lists[row];
  work.table.ranks[row] = static_cast<std::uint32_t>(is_plain ? Verdict::row : Verdict::fault);
  bool is_refused = false;
  for (std::uint32_t i = 0; i < work.lists; ++i) {
    std::uint32_t const count = detail::plain_count(work, lists, i);
    work.table.places[i][row] = count;
    work.table.spare_places[i][row] = 0;
    is_refused = is_refused || count > work.limits.lists.of[i];
  }
  if (is_refused) atomic_or(work.totals->is_refused, 1u);
}

inline void count_records(Stream& stream, RecordsWork const& work) {
  launch("json_count_records", stream, {blocks_for(work.rows + std::size_t{1}, count_threads), count_threads},
         count_records_kernel, work);
}

// --- reading what is not plain ---------------------------------------------------------------------------------------

inline constexpr unsigned records_threads = 64;

namespace detail {

__device__ inline char const* content_of(RecordsWork const& work, std::uint32_t row) {
  return work.text.data + work.begins.begins[row];
}

/// The first byte of the record's line. Null: there are more blanks before the record than a thread should pass.
__device__ inline char const* line_begin(RecordsWork const& work, std::uint32_t row) {
  char const* const content = content_of(work, row);
  char const* const text_begin = work.text.data + work.text.mark_bytes;
  char const* at = content;
  while (at > text_begin && penstock::json::is_space(at[-1])) {
    --at;
    if (content - at > static_cast<std::ptrdiff_t>(care_bytes_max)) return nullptr;
  }
  return at;
}

/// Places for what has its own in every row of the chunk; elements of lists are counted.
__device__ inline Places counting_places(RecordsWork const& work, std::uint32_t row) {
  Places places;
  places.used.rows = row;
  places.batch.start.data = reinterpret_cast<std::byte*>(work.in.start);
  places.batch.cat.data = reinterpret_cast<std::byte*>(work.in.cat);
  return places;
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

/// What becomes of a record, and whether the chunk is for the CPU.
__device__ inline bool put_verdict(RecordsWork const& work, std::uint32_t row, bool is_fault,
                                   ListCounts const& counts) {
  work.table.ranks[row] = static_cast<std::uint32_t>(is_fault ? Verdict::fault : Verdict::row);
  bool is_refused = is_fault && line_begin(work, row) == nullptr;
  for (std::uint32_t i = 0; i < work.lists && !is_fault; ++i) {
    work.table.places[i][row] = counts.of[i];
    is_refused = is_refused || counts.of[i] > work.limits.lists.of[i];
  }
  return is_refused;
}

}  // namespace detail

/// A thread reads a marked record, byte by byte: what becomes of it, or, if that is undecided, how many elements it
/// has. A record that is too long refuses the chunk. Launch: 64 threads for 64 marked records. Shared: none. Barriers:
/// none. Work: some 40 operations a byte; 12 bytes written a record.
template <class Reader>
__global__ void PENSTOCK_BOUNDS(records_threads, 4) read_records_kernel(RecordsWork work, Reader reader) {
  std::uint32_t const i = blockIdx.x * records_threads + threadIdx.x;
  if (i >= work.marked_count) return;
  std::uint32_t const row = work.marked[i];
  bool is_refused = work.begins.begins[row + 1] - work.begins.begins[row] > care_bytes_max;
  if (!is_refused) {
    Outcome const outcome = reader.count(detail::content_of(work, row), detail::counting_places(work, row));
    ListCounts const counts = reader.lists_of(outcome.taken);
    if (outcome.lacks_room) {
      work.table.ranks[row] = static_cast<std::uint32_t>(Verdict::undecided);
      for (std::uint32_t k = 0; k < work.lists; ++k) work.table.spare_places[k][row] = counts.of[k];
      is_refused = work.lists == 0;  // never
    } else {
      is_refused = detail::put_verdict(work, row, outcome.is_fault, counts);
    }
  }
  if (is_refused) atomic_or(work.totals->is_refused, 1u);
}

/// A thread reads a record that is undecided, with places for its lists. One of more elements than a round holds
/// refuses the chunk. Launch: as above. Shared: none. Barriers: none. Work: as above; 20 bytes read and 12 written a
/// record, and its lists.
template <class Reader>
__global__ void PENSTOCK_BOUNDS(records_threads, 4) decide_records_kernel(RecordsWork work, Reader reader) {
  std::uint32_t const i = blockIdx.x * records_threads + threadIdx.x;
  if (i >= work.marked_count) return;
  std::uint32_t const row = work.marked[i];
  if (work.table.ranks[row] != static_cast<std::uint32_t>(Verdict::undecided)) return;
  Outcome const outcome = detail::read_to_spare(work, reader, row);
  bool const is_refused = detail::put_verdict(work, row, outcome.is_fault, reader.lists_of(outcome.taken));
  if (is_refused || outcome.lacks_room)  // which it never does: there is room for what was counted
    atomic_or(work.totals->is_refused, 1u);
}

template <class Reader>
void read_records(Stream& stream, RecordsWork const& work, Reader const& reader) {
  Grid const grid{blocks_for(work.marked_count, records_threads), records_threads};
  launch("json_read_records", stream, grid, read_records_kernel<Reader>, work, reader);
}
/// Only where records may be undecided, when `spare_places` are sums.
template <class Reader>
void decide_records(Stream& stream, RecordsWork const& work, Reader const& reader) {
  Grid const grid{blocks_for(work.marked_count, records_threads), records_threads};
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

// --- writing what is not plain ---------------------------------------------------------------------------------------

namespace detail {

/// The record is read again; it is at fault.
template <class Reader>
__device__ Fault fault_of(RecordsWork const& work, Reader const& reader, std::uint32_t row) {
  Outcome outcome = reader.count(content_of(work, row), counting_places(work, row));
  if (outcome.lacks_room) outcome = read_to_spare(work, reader, row);
  char const* const text = work.text.data;
  char const* end = outcome.cell_end;
  while (!ends_line(*end)) ++end;
  Fault fault;
  fault.code = outcome.code;
  fault.record_begin = static_cast<std::uint32_t>(line_begin(work, row) - text);
  fault.record_end = static_cast<std::uint32_t>(end - text);
  fault.cell_begin = static_cast<std::uint32_t>(outcome.cell_begin - text);
  fault.cell_end = static_cast<std::uint32_t>(outcome.cell_end - text);
  fault.column = outcome.detail;
  return fault;
}

}  // namespace detail

/// A thread takes a marked record of the chunk: one of the round is read again, and its row or its fault written.
/// Launch: 64 threads for 64 marked records. Shared: none. Barriers: none. Work: some 40 operations a byte of text; the
/// row written.
template <class Reader>
__global__ void PENSTOCK_BOUNDS(records_threads, 4)
    write_records_kernel(RecordsWork work, RecordRound round, RecordPlaces to, Reader reader, RecordRound* on_device) {
  std::uint32_t const i = blockIdx.x * records_threads + threadIdx.x;
  std::uint32_t const row = i < work.marked_count ? work.marked[i] : round.end;
  std::uint32_t missing = 0, inexact = 0;
  if (row >= round.begin && row < round.end) {
    RecordRound const before = detail::round_of(work, round.begin, row);
    if (work.table.ranks[row + 1] != work.table.ranks[row]) {
      Places places;
      places.batch = to.batch;
      places.used.rows = before.rows;
      reader.put_used(places, before.lists, detail::round_of(work, row, row + 1).lists);
      Outcome const outcome = reader.read(detail::content_of(work, row), places);
      missing = outcome.missing;
      inexact = outcome.inexact_integers;
    } else {
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

/// Writes rows and faults of a round's marked records. `round` is `*on_device` as the host has read it; counts are
/// added there.
template <class Reader>
void write_records(Stream& stream, RecordsWork const& work, RecordRound const& round, RecordPlaces const& to,
                   Reader const& reader, RecordRound* on_device) {
  Grid const grid{blocks_for(work.marked_count, records_threads), records_threads};
  launch("json_write_records", stream, grid, write_records_kernel<Reader>, work, round, to, reader, on_device);
}

}  // namespace penstock::cuda::json
