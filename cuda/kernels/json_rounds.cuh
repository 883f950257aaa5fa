/// Records of a chunk to rounds of rows: what is kept goes one behind the other.
///
///     records         0    1    2    3         record 1 is at fault
///     kept            1    0    1    1         ranks      0    1    1    2    3     sums of what comes before
///     target values   2    0    1    3         places[0]  0    2    2    3    6
#pragma once

#include <cstdint>

#include "cuda/kernels/json_tiles.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "penstock/batch.hpp"
#include "penstock/dtype.hpp"

namespace penstock::cuda::json {

/// Numbers of rows and values: one of each record, then the sum of those before it; one more than there are records.
struct RowSums {
  std::uint32_t* ranks = nullptr;
  std::uint32_t* places[lists_max] = {};
};

/// What a round holds at most.
struct RoundLimits {
  std::uint32_t rows = 0;
  std::uint32_t values[lists_max] = {};
  std::uint32_t faults = 0;
};

struct RoundsWork {
  RowValues in;
  RowSums sums;
  RoundLimits limits;
  std::uint32_t rows = 0;      ///< records of the chunk
  std::uint32_t features = 0;  ///< lists of dynamic_feat
  std::uint32_t cats = 0;
  Totals* totals = nullptr;
  std::uint32_t const* marked = nullptr;
  std::uint32_t marked_count = 0;
  RecordOutcome const* outcomes = nullptr;
};

/// Records [begin, end) of the chunk, as a round.
struct RoundPlan {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t rows = 0;
  std::uint32_t values[lists_max] = {};
  std::uint32_t faults = 0;
  std::uint32_t is_refused = 0;        ///< the chunk is for the CPU
  std::uint64_t inexact_integers = 0;  ///< added to
  std::uint64_t missing = 0;           ///< the same
};

/// Where a round's rows go; what the layout lacks is null.
struct RoundArrays {
  std::int64_t* start = nullptr;
  std::int32_t* cat = nullptr;
  std::int64_t* offsets[lists_max] = {};
  float* values[lists_max] = {};
};

namespace detail {

/// Values between two elements of places without any, between lists of dynamic_feat: their closing, comma, and opening
/// are three stops, of which the first has a value.
inline constexpr std::uint32_t stops_between = 2;

__device__ inline bool is_marked(RowValues const& in, std::uint32_t row) {
  return (in.marks[row / 32] >> row % 32 & 1u) != 0;
}
/// Places without values in a record's extent of dynamic_feat, between each two of its lists.
__device__ inline std::uint32_t gap_of(RoundsWork const& work, std::uint32_t row) {
  return is_marked(work.in, row) ? 0 : stops_between;
}

}  // namespace detail

// --- counting --------------------------------------------------------------------------------------------------------

inline constexpr unsigned rows_threads = 256;

/// A thread takes a record, and one more: numbers that are sums later. A record of more values than a round holds
/// refuses the chunk. Launch: 256 threads for 256 of rows + 1. Shared: none. Work: 20 bytes read, 12 written a record.
static __global__ void PENSTOCK_BOUNDS(rows_threads, 6) count_rows_kernel(RoundsWork work) {
  std::uint32_t const row = blockIdx.x * rows_threads + threadIdx.x;
  if (row > work.rows) return;
  RowLists lists;
  if (row < work.rows) lists = work.in.lists[row];
  std::uint32_t const targets = lists.target_end - lists.target_begin;
  std::uint32_t features = lists.features_end - lists.features_begin;
  if (features != 0) features -= detail::gap_of(work, row) * (work.features - 1);
  work.sums.ranks[row] = targets != 0 ? 1 : 0;
  work.sums.places[0][row] = targets;
  if (work.features != 0) work.sums.places[1][row] = features;
  if (targets > work.limits.values[0] || features > work.limits.values[1]) atomic_or(work.totals->is_refused, 1u);
}

inline void count_rows(Stream& stream, RoundsWork const& work) {
  launch("json_count_rows", stream, {blocks_for(work.rows + std::size_t{1}, rows_threads), rows_threads},
         count_rows_kernel, work);
}

// --- planning --------------------------------------------------------------------------------------------------------

namespace detail {

__device__ inline RoundPlan plan_of(RoundsWork const& work, std::uint32_t begin, std::uint32_t end) {
  RowSums const& sums = work.sums;
  RoundPlan plan;
  plan.begin = begin;
  plan.end = end;
  plan.rows = sums.ranks[end] - sums.ranks[begin];
  plan.values[0] = sums.places[0][end] - sums.places[0][begin];
  if (work.features != 0) plan.values[1] = sums.places[1][end] - sums.places[1][begin];
  plan.faults = end - begin - plan.rows;
  return plan;
}

__device__ inline bool fits(RoundPlan const& plan, RoundLimits const& limits) {
  return plan.rows <= limits.rows && plan.values[0] <= limits.values[0] && plan.values[1] <= limits.values[1] &&
         plan.faults <= limits.faults;
}

}  // namespace detail

/// One thread finds out how many records from `begin` on a round holds. Launch: one block of a warp. Shared: none.
/// Work: 20 steps.
static __global__ void PENSTOCK_BOUNDS(warp_lanes, 1)
    plan_round_kernel(RoundsWork work, std::uint32_t begin, RoundPlan* plan) {
  if (threadIdx.x != 0) return;
  std::uint32_t low = begin, high = work.rows;  // low fits
  while (low < high) {
    std::uint32_t const middle = high - (high - low) / 2;
    if (detail::fits(detail::plan_of(work, begin, middle), work.limits))
      low = middle;
    else
      high = middle - 1;
  }
  *plan = detail::plan_of(work, begin, low);
  plan->is_refused = work.totals->is_refused;
}

inline constexpr unsigned emission_threads = 128;

/// A thread takes a marked record of the chunk: if it is one of the round's, its fault goes to its place in `faults`,
/// or its inexact integers are added. Launch: 128 threads for 128 marked records. Shared: none.
static __global__ void PENSTOCK_BOUNDS(emission_threads, 4)
    emission_kernel(RoundsWork work, RoundPlan* plan, Fault* faults) {
  std::uint32_t const i = blockIdx.x * emission_threads + threadIdx.x;
  if (i >= work.marked_count || plan->is_refused != 0) return;
  std::uint32_t const row = work.marked[i], begin = plan->begin;
  if (row < begin || row >= plan->end) return;
  RecordOutcome const& outcome = work.outcomes[i];
  if (outcome.is_fault) {
    std::uint32_t const rows_before = work.sums.ranks[row] - work.sums.ranks[begin];
    Fault fault = outcome.fault;
    fault.rows_before = rows_before;
    faults[row - begin - rows_before] = fault;
  } else if (outcome.inexact_integers != 0) {
    atomic_add(plan->inexact_integers, std::uint64_t{outcome.inexact_integers});
  }
}

/// Finds out what a round that begins with record `begin` takes, and its faults.
inline void plan_round(Stream& stream, RoundsWork const& work, std::uint32_t begin, RoundPlan* plan, Fault* faults) {
  launch("json_plan_round", stream, {1, warp_lanes}, plan_round_kernel, work, begin, plan);
  launch("json_emission", stream, {blocks_for(work.marked_count, emission_threads), emission_threads}, emission_kernel,
         work, plan, faults);
}

// --- gathering -------------------------------------------------------------------------------------------------------

/// A thread takes a record of the round, and one more: start, cat and offsets of those that are kept. Launch: 256
/// threads for 256 of the round's records and one. Shared: none. Work: 30 bytes read and written a record, 8 a
/// category.
static __global__ void PENSTOCK_BOUNDS(rows_threads, 6)
    gather_rows_kernel(RoundsWork work, RoundPlan plan, RoundArrays to) {
  std::uint32_t const row = plan.begin + blockIdx.x * rows_threads + threadIdx.x;
  if (row > plan.end) return;
  RowSums const& sums = work.sums;
  bool const is_row = row < plan.end && sums.ranks[row + 1] != sums.ranks[row];
  if (!is_row && row != plan.end) return;
  std::uint32_t const rank = sums.ranks[row] - sums.ranks[plan.begin];
  to.offsets[0][rank] = sums.places[0][row] - sums.places[0][plan.begin];
  if (to.offsets[1] != nullptr) to.offsets[1][rank] = sums.places[1][row] - sums.places[1][plan.begin];
  if (!is_row) return;
  to.start[rank] = work.in.start[row];
  for (std::uint32_t i = 0; i < work.cats; ++i)
    to.cat[std::size_t{rank} * work.cats + i] = work.in.cat[std::size_t{row} * work.cats + i];
}

inline constexpr unsigned gather_threads = 256;
inline constexpr unsigned gather_steps = 8;

namespace detail {

/// The record of a value, by its place in the chunk's list.
__device__ inline std::uint32_t row_of_place(std::uint32_t const* places, RoundPlan const& plan, std::uint32_t place) {
  std::uint32_t low = plan.begin, high = plan.end - 1;
  while (low < high) {
    std::uint32_t const middle = high - (high - low) / 2;
    if (places[middle] <= place)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

/// Where the value at `place` of the chunk's list lies among the chunk's values.
template <int list>
__device__ inline std::uint32_t source_of(RoundsWork const& work, std::uint32_t row, std::uint32_t place) {
  RowLists const& lists = work.in.lists[row];
  std::uint32_t const first = work.sums.places[list][row], i = place - first;
  if constexpr (list == 0) {
    return lists.target_begin + i;
  } else {
    if (work.features == 1) return lists.features_begin + i;
    std::uint32_t const length = (work.sums.places[list][row + 1] - first) / work.features;
    return lists.features_begin + i + i / length * gap_of(work, row);
  }
}

}  // namespace detail

/// A thread takes every 32nd of its warp's 256 values of a list; the missing ones among a target's are added up.
/// Launch: a block for 2,048 values. Shared: none. Work: 4 bytes read and 4 written a value, about 20 operations.
template <int list>
__global__ void PENSTOCK_BOUNDS(gather_threads, 6)
    gather_values_kernel(RoundsWork work, RoundPlan plan, RoundArrays to, std::uint64_t* missing) {
  std::uint32_t const count = plan.values[list];
  std::uint32_t const* const places = work.sums.places[list];
  std::uint32_t const warp = blockIdx.x * (gather_threads / warp_lanes) + warp_of_thread();
  std::uint32_t i = warp * warp_lanes * gather_steps + lane_of_thread(), found = 0;
  std::uint32_t const base = places[plan.begin];
  std::uint32_t row = 0;
  if (i < count) row = detail::row_of_place(places, plan, base + i);
  for (unsigned k = 0; k < gather_steps; ++k, i += warp_lanes) {
    if (i >= count) break;
    while (places[row + 1] <= base + i) ++row;
    float const value = work.in.values[detail::source_of<list>(work, row, base + i)];
    to.values[list][i] = value;
    found += (bit_cast<std::uint32_t>(value) & 0x7fffffffu) > 0x7f800000u ? 1 : 0;
  }
  if constexpr (list == 0) {
    found = warp_sum(found);
    if (found != 0 && lane_of_thread() == 0) atomic_add(*missing, std::uint64_t{found});
  }
}

/// Makes a round's rows. `plan` is `*on_device` as the host has read it; missing values are added there.
inline void gather(Stream& stream, RoundsWork const& work, RoundPlan const& plan, RoundPlan* on_device,
                   RoundArrays const& to) {
  std::size_t const records = std::size_t{plan.end} - plan.begin + 1;
  constexpr unsigned values = gather_threads * gather_steps;
  launch("json_gather_rows", stream, {blocks_for(records, rows_threads), rows_threads}, gather_rows_kernel, work, plan,
         to);
  launch("json_gather_values", stream, {blocks_for(plan.values[0], values), gather_threads}, gather_values_kernel<0>,
         work, plan, to, &on_device->missing);
  launch("json_gather_values", stream, {blocks_for(plan.values[1], values), gather_threads}, gather_values_kernel<1>,
         work, plan, to, &on_device->missing);
}

}  // namespace penstock::cuda::json
