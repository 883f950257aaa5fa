/// Plain records to a round's rows: what is kept goes one behind the other.
#pragma once

#include <cstdint>

#include "cuda/kernels/json_records.cuh"
#include "cuda/kernels/json_records.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "penstock/batch.hpp"

namespace penstock::cuda::json {

// --- rows ------------------------------------------------------------------------------------------------------------

namespace detail {

template <class T>
__device__ void copy_row(Dense const& to, std::uint32_t rank, T const* from, std::uint32_t row) {
  if (to.data == nullptr || from == nullptr) return;
  auto const columns = static_cast<std::uint32_t>(to.columns);
  T* const into = reinterpret_cast<T*>(to.data) + std::size_t{rank} * columns;
  for (std::uint32_t i = 0; i < columns; ++i) into[i] = from[std::size_t{row} * columns + i];
}

}  // namespace detail

/// A thread takes a record of the round, and one more: where rows' lists begin, their records, and what plain ones have
/// in every row. Launch: 256 threads for 256 of the round's records and one. Shared: none. Barriers: none. Work: some
/// 20 bytes read and written a record, and its label, start and cat.
static __global__ void PENSTOCK_BOUNDS(count_threads, 6)
    gather_rows_kernel(RecordsWork work, RecordRound round, RecordPlaces to) {
  std::uint32_t const row = round.begin + blockIdx.x * count_threads + threadIdx.x;
  if (row > round.end) return;
  RecordRound const before = detail::round_of(work, round.begin, row);
  bool const is_row = row < round.end && work.table.ranks[row + 1] != work.table.ranks[row];
  if (!is_row && row != round.end) return;
  for (std::uint32_t i = 0; i < work.lists; ++i) to.offsets[i][before.rows] = before.lists.of[i];
  if (!is_row) return;
  to.records[before.rows] = row;
  if (detail::is_marked(work, row)) return;
  detail::copy_row<float>(to.batch.label, before.rows, work.in.labels, row);
  detail::copy_row<std::int64_t>(to.batch.start, before.rows, work.in.start, row);
  detail::copy_row<std::int32_t>(to.batch.cat, before.rows, work.in.cat, row);
}

// --- values ----------------------------------------------------------------------------------------------------------

inline constexpr unsigned gather_threads = 256;
inline constexpr unsigned gather_steps = 8;

/// A list of a round, or the features of its rows.
struct Gathering {
  std::uint32_t list = 0;            ///< of a record; in front of its elements stand `places`
  std::uint32_t columns = 0;         ///< of dense rows; 0: a list
  std::uint32_t count = 0;           ///< elements
  std::uint32_t* values = nullptr;   ///< float32 or int32
  std::int64_t* indices = nullptr;   ///< of pairs: from the second list, which has no places of its own
  std::uint64_t* missing = nullptr;  ///< those among plain records' are added; null: there are none
};

namespace detail {

__device__ inline bool is_nan_float32(std::uint32_t bits) { return (bits & 0x7fffffffu) > 0x7f800000u; }

/// A round's element: where it lies among the chunk's values, if its record is plain.
struct Source {
  std::uint32_t row = 0;
  std::uint32_t element = 0;  ///< of the record's list
};

/// The last record of [low, high] before which no more than `place` elements lie.
__device__ inline std::uint32_t record_of_place(std::uint32_t const* places, std::uint32_t low, std::uint32_t high,
                                                std::uint32_t place) {
  while (low < high) {
    std::uint32_t const middle = high - (high - low) / 2;
    if (places[middle] <= place)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

/// Of element i of a list. `row` is the record of an element before, or the round's first.
__device__ inline Source source_in_list(RecordsWork const& work, RecordRound const& round, Gathering const& of,
                                        std::uint32_t row, std::uint32_t i) {
  std::uint32_t const* const places = work.table.places[of.list];
  std::uint32_t const place = places[round.begin] + i;
  for (int step = 0; step < 4 && places[row + 1] <= place; ++step) ++row;
  if (places[row + 1] <= place) row = record_of_place(places, row + 1, round.end - 1, place);
  return {row, place - places[row]};
}

/// Where element `element` of a plain record's list lies among the chunk's values.
__device__ inline std::uint32_t value_of(RecordsWork const& work, RowLists const& lists, Gathering const& of,
                                         std::uint32_t element) {
  std::uint32_t const begin = lists.of[of.list].begin;
  if (of.list == 0 || work.parts == 1) return begin + element;
  std::uint32_t const length = plain_count(work, lists, of.list) / work.parts;
  return begin + element + element / length * stops_between;
}

}  // namespace detail

/// A thread takes every 32nd of its warp's 256 elements; those of plain records go to their places, and the missing
/// ones among them are added up. Launch: a block for 2,048 elements. Shared: none. Barriers: none. Work: 4 bytes read
/// and 4 written an element, or 8 and 12 a pair, about 20 operations.
static __global__ void PENSTOCK_BOUNDS(gather_threads, 6)
    gather_values_kernel(RecordsWork work, RecordRound round, Gathering of, std::uint32_t const* records) {
  std::uint32_t const warp = blockIdx.x * (gather_threads / warp_lanes) + warp_of_thread();
  std::uint32_t i = warp * warp_lanes * gather_steps + lane_of_thread(), found = 0;
  std::uint32_t row = round.begin;
  for (unsigned k = 0; k < gather_steps; ++k, i += warp_lanes) {
    if (i >= of.count) break;
    detail::Source source;
    if (of.columns != 0)
      source = {records[i / of.columns], i % of.columns};
    else
      source = detail::source_in_list(work, round, of, row, i);
    row = source.row;
    if (detail::is_marked(work, row)) continue;
    RowLists const lists = work.in.lists[row];
    std::uint32_t const bits = work.in.values[detail::value_of(work, lists, of, source.element)];
    of.values[i] = bits;
    if (of.indices != nullptr) of.indices[i] = work.in.values[lists.of[1].begin + source.element];
    found += detail::is_nan_float32(bits) ? 1 : 0;
  }
  if (of.missing == nullptr) return;
  found = warp_sum(found);
  if (found != 0 && lane_of_thread() == 0) atomic_add(*of.missing, std::uint64_t{found});
}

/// Makes a round's rows of plain records, and where the lists of all begin.
inline void gather_rows(Stream& stream, RecordsWork const& work, RecordRound const& round, RecordPlaces const& to) {
  std::size_t const records = std::size_t{round.end} - round.begin + 1;
  launch("json_gather_rows", stream, {blocks_for(records, count_threads), count_threads}, gather_rows_kernel, work,
         round, to);
}
/// Behind gather_rows().
inline void gather_values(Stream& stream, RecordsWork const& work, RecordRound const& round, Gathering const& of,
                          RecordPlaces const& to) {
  constexpr unsigned values = gather_threads * gather_steps;
  launch("json_gather_values", stream, {blocks_for(of.count, values), gather_threads}, gather_values_kernel, work,
         round, of, to.records);
}

}  // namespace penstock::cuda::json
