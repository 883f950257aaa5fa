/// Rows of libsvm text that are not plain: each is read again, byte by byte, after which rejected rows and joined pairs
/// are taken out of what the rest of the window became.
///
///     rows      0    1    2    3        marked    1    2
///     kept      1    0    1    1        ranks     0    1    1    2   3     sums of what comes before
///     pairs     2    0    1    3        places    0    2    2    3   6
#pragma once

#include <cstdint>

#include "cuda/kernels/libsvm_tiles.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/libsvm/plan.hpp"
#include "formats/libsvm/record.hpp"

namespace penstock::cuda::libsvm {

using penstock::libsvm::RecordOutcome;

/// Rows of the window that are looked at together: all, unless too many are marked.
struct Piece {
  std::uint32_t begin = 0;  ///< in the window
  std::uint32_t rows = 0;
  std::uint32_t marked = 0;  ///< of them
};

/// What is known about a piece. Rows count from its first one.
struct CareMemory {
  std::uint32_t const* marked = nullptr;  ///< the window's rows that are marked; from the piece's first on
  RecordOutcome* outcomes = nullptr;      ///< of marked rows
  std::uint32_t* ranks = nullptr;         ///< whether a row is kept, then how many before it are; one more than rows
  std::uint32_t* places = nullptr;        ///< how many pairs it has, then those of all before it; one more
  std::uint32_t* faulty = nullptr;        ///< which outcomes are faults
  std::uint32_t* found = nullptr;         ///< how many they are
  RoundCounts* counts = nullptr;          ///< of accepted marked rows
};

struct CareWork {
  char const* text = nullptr;
  RowTable rows;
  RowArrays out;
  Piece piece;
  CareMemory memory;
};

/// Which rows are marked, for select().
struct IsMarked {
  std::uint32_t const* marks;
  PENSTOCK_HD bool operator()(std::uint32_t row) const { return (marks[row / 32] >> row % 32 & 1u) != 0; }
};
/// Which outcomes are faults.
struct IsFault {
  RecordOutcome const* outcomes;
  PENSTOCK_HD bool operator()(std::uint32_t i) const { return outcomes[i].is_fault; }
};

// --- reading ---------------------------------------------------------------------------------------------------------

inline constexpr unsigned keep_threads = 256;

/// A thread takes a row of the piece, and one more: all are kept, with all their items. The counts begin at 0.
/// Launch: 256 threads for 256 of rows + 1. Shared: none. Work: 8 bytes read and 8 written a row.
static __global__ void PENSTOCK_BOUNDS(keep_threads, 6) keep_all_kernel(CareWork work) {
  std::uint32_t const i = blockIdx.x * keep_threads + threadIdx.x;
  if (i == 0) *work.memory.counts = {};
  if (i > work.piece.rows) return;
  bool const is_row = i < work.piece.rows;
  std::uint32_t const* const items = work.rows.items + work.piece.begin + i;
  work.memory.ranks[i] = is_row ? 1 : 0;
  work.memory.places[i] = is_row ? items[1] - items[0] : 0;
}

inline constexpr unsigned care_threads = 64;

/// A thread reads a marked row's record, byte by byte: its outcome, and the row, in its own place among the window's.
/// Launch: 64 threads for 64 marked rows. Shared: none. Work: some 20 operations a byte; sorting what does not ascend.
template <class T>
__global__ void PENSTOCK_BOUNDS(care_threads, 4) care_kernel(CareWork work, penstock::libsvm::Plan plan) {
  std::uint32_t const i = blockIdx.x * care_threads + threadIdx.x;
  std::uint32_t missing = 0, inexact = 0;
  if (i < work.piece.marked) {
    std::uint32_t const row = work.memory.marked[i];
    std::uint32_t const first_pair = work.rows.items[row] - work.rows.items[0];
    penstock::libsvm::RowPlaces<T> places;
    places.indices = work.out.indices + first_pair;
    places.values = static_cast<T*>(work.out.values) + first_pair;
    places.label = work.out.label + row;
    if (work.out.weight != nullptr) places.weight = work.out.weight + row;
    if (work.out.qid != nullptr) places.qid = work.out.qid + row;
    penstock::libsvm::RecordReader<T> reader(plan, work.text, places);
    RecordOutcome const outcome = reader.read(work.rows.begins[row]);
    work.memory.outcomes[i] = outcome;
    std::uint32_t const to = row - work.piece.begin;
    work.memory.ranks[to] = outcome.is_fault ? 0 : 1;
    work.memory.places[to] = outcome.is_fault ? 0 : outcome.pairs;
    if (!outcome.is_fault) {
      missing = outcome.missing_cells;
      inexact = outcome.inexact_integers;
    }
  }
  missing = warp_sum(missing);
  inexact = warp_sum(inexact);
  if (lane_of_thread() != 0) return;
  if (missing != 0) atomic_add(work.memory.counts->missing_cells, std::uint64_t{missing});
  if (inexact != 0) atomic_add(work.memory.counts->inexact_integers, std::uint64_t{inexact});
}

/// Reads a piece's marked rows. Ranks and places are numbers, not sums yet.
template <class T>
void care(Stream& stream, CareWork const& work, penstock::libsvm::Plan const& plan) {
  launch("libsvm_keep", stream, {blocks_for(work.piece.rows + 1, keep_threads), keep_threads}, keep_all_kernel, work);
  launch("libsvm_care", stream, {blocks_for(work.piece.marked, care_threads), care_threads}, care_kernel<T>, work,
         plan);
}

// --- rounds of a piece -------------------------------------------------------------------------------------------

/// Where in a piece a round begins.
struct RoundBegin {
  std::uint32_t row = 0;
  std::uint32_t fault = 0;  ///< faults before it
};

/// What a round takes of a piece: as many rows as there is room for their faults.
struct Emission {
  std::uint32_t end = 0;  ///< the first row behind it, in the piece
  std::uint32_t rows = 0;
  std::uint32_t pairs = 0;
  std::uint32_t faults = 0;
  RoundCounts counts;  ///< of the whole piece
};

/// Where the host reads what a round takes.
struct EmissionReport {
  Emission* emission = nullptr;
  Fault* faults = nullptr;
  std::uint32_t faults_max = 0;
};

inline constexpr unsigned emission_threads = 128;

/// A thread takes a fault of the round. Launch: 128 threads for 128 of faults_max. Shared: none.
static __global__ void PENSTOCK_BOUNDS(emission_threads, 4)
    emission_kernel(CareWork work, RoundBegin begin, EmissionReport report) {
  CareMemory const& memory = work.memory;
  std::uint32_t const i = blockIdx.x * emission_threads + threadIdx.x;
  std::uint32_t const left = *memory.found - begin.fault, first_rank = memory.ranks[begin.row];
  std::uint32_t const faults = left < report.faults_max ? left : report.faults_max;
  if (i < faults) {
    std::uint32_t const which = memory.faulty[begin.fault + i];
    Fault fault = memory.outcomes[which].fault;
    fault.rows_before = memory.ranks[memory.marked[which] - work.piece.begin] - first_rank;
    report.faults[i] = fault;
  }
  if (i != 0) return;
  Emission emission;
  emission.end = work.piece.rows;
  if (faults < left) emission.end = memory.marked[memory.faulty[begin.fault + faults]] - work.piece.begin;
  emission.rows = memory.ranks[emission.end] - first_rank;
  emission.pairs = memory.places[emission.end] - memory.places[begin.row];
  emission.faults = faults;
  emission.counts = *memory.counts;
  *report.emission = emission;
}

/// Finds out what a round that begins at `begin` takes. Ranks and places are sums.
inline void plan_round(Stream& stream, CareWork const& work, RoundBegin begin, EmissionReport const& report) {
  launch("libsvm_emission", stream, {blocks_for(report.faults_max, emission_threads), emission_threads},
         emission_kernel, work, begin, report);
}

inline constexpr unsigned gather_threads = 256;

/// A warp takes a row of the piece, from `begin` to `end`: if it is kept, everything of it goes to its place in `to`.
/// Launch: 256 threads for 8 rows. Shared: none. Work: 12 to 16 bytes read and written a pair.
template <class T>
__global__ void PENSTOCK_BOUNDS(gather_threads, 4)
    gather_kernel(CareWork work, RowArrays to, std::uint32_t begin, std::uint32_t end) {
  std::uint32_t const row = begin + blockIdx.x * (gather_threads / warp_lanes) + warp_of_thread();
  if (row >= end) return;
  std::uint32_t const* const ranks = work.memory.ranks;
  std::uint32_t const* const places = work.memory.places;
  std::uint32_t const rank = ranks[row] - ranks[begin], place = places[row] - places[begin];
  std::uint32_t const pairs = places[row + 1] - places[row], from_row = work.piece.begin + row;
  unsigned const lane = lane_of_thread();
  if (row + 1 == end && lane == 0) to.indptr[ranks[end] - ranks[begin]] = places[end] - places[begin];
  if (ranks[row + 1] == ranks[row]) return;
  if (lane == 0) {
    to.indptr[rank] = place;
    to.begins[rank] = work.rows.begins[from_row];
    to.label[rank] = work.out.label[from_row];
    if (to.weight != nullptr) to.weight[rank] = work.out.weight[from_row];
    if (to.qid != nullptr) to.qid[rank] = work.out.qid[from_row];
  }
  std::uint32_t const from = work.rows.items[from_row] - work.rows.items[0];
  T const* const values = static_cast<T const*>(work.out.values) + from;
  for (std::uint32_t k = lane; k < pairs; k += warp_lanes) {
    to.indices[place + k] = work.out.indices[from + k];
    static_cast<T*>(to.values)[place + k] = values[k];
  }
}

/// Rows [begin, end) of a piece that are kept, one behind the other. Not for no rows.
template <class T>
void gather(Stream& stream, CareWork const& work, RowArrays const& to, std::uint32_t begin, std::uint32_t end) {
  launch("libsvm_gather", stream, {blocks_for(end - begin, gather_threads / warp_lanes), gather_threads},
         gather_kernel<T>, work, to, begin, end);
}

}  // namespace penstock::cuda::libsvm
