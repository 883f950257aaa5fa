/// Records that are not plain: each is read by one thread, by the format's general text. It is read twice: how many
/// values its lists have is not known before, and they lie one behind the other among the chunk's values, where the
/// record's own stops are: every value has one behind it.
///
///     stops of the record     [ 0.5 , null ] , [ [ 1 , 2 ] ]
///     its values              0.5 NaN 1 2
#pragma once

#include <cstdint>

#include "cuda/kernels/json_tiles.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/core/line_ends.hpp"
#include "formats/deepar/plan.hpp"
#include "formats/deepar/record.hpp"
#include "formats/json/number_list.hpp"
#include "formats/json/places.hpp"

namespace penstock::cuda::json {

struct CareWork {
  ChunkText text;
  RowTable rows;
  RowValues out;
  std::uint32_t const* marked = nullptr;  ///< records that are not plain, ascending
  std::uint32_t marked_count = 0;
  RecordOutcome* outcomes = nullptr;  ///< of those
  Totals* totals = nullptr;
};

/// Which records are marked, for select().
struct IsMarked {
  std::uint32_t const* marks;
  PENSTOCK_HD bool operator()(std::uint32_t row) const { return (marks[row / 32] >> row % 32 & 1u) != 0; }
};

namespace detail {

/// A record that one thread may read.
class CareReader {
 public:
  __device__ CareReader(CareWork const& work, penstock::deepar::Plan const& plan, std::uint32_t row)
      : work_(work), plan_(plan), row_(row), content_(work.text.data + work.rows.begins[row]) {}

  /// False: the chunk is for the CPU.
  __device__ bool read(RecordOutcome& result) {
    work_.out.lists[row_] = {};
    if (work_.rows.begins[row_ + 1] - work_.rows.begins[row_] > care_bytes_max) return false;
    penstock::json::Places places = dense_places();
    penstock::json::Outcome outcome = read_to(places);
    if (outcome.is_fault) return report(outcome, result);
    std::uint32_t const first = work_.rows.stops[row_], room = work_.rows.stops[row_ + 1] - first;
    std::size_t const targets = outcome.taken.list_values[0], features = outcome.taken.list_values[1];
    if (targets + features > room) return false;  // never: each value has a stop
    put_list(places, 0, first, targets);
    put_list(places, 1, first + static_cast<std::uint32_t>(targets), features);
    outcome = read_to(places);
    result.is_fault = false;
    result.inexact_integers = outcome.inexact_integers;
    std::uint32_t const behind_target = first + static_cast<std::uint32_t>(targets);
    work_.out.lists[row_] = {first, behind_target, behind_target, behind_target + static_cast<std::uint32_t>(features)};
    return true;
  }

 private:
  /// Places for what has its own in every row; values of lists are counted.
  __device__ penstock::json::Places dense_places() const {
    penstock::json::Places places;
    places.used.rows = row_;
    places.batch.start.data = reinterpret_cast<std::byte*>(work_.out.start);
    places.batch.cat.data = reinterpret_cast<std::byte*>(work_.out.cat);
    return places;
  }
  /// A list that is counted has offsets (which nobody reads), or there would be no places.
  __device__ void put_list(penstock::json::Places& places, std::size_t list, std::uint32_t first,
                           std::size_t count) const {
    places.batch.lists[list].values = reinterpret_cast<std::byte*>(work_.out.values + first);
    places.batch.lists[list].offsets = work_.out.start;
    places.capacity.list_values[list] = count;
  }
  __device__ penstock::json::Outcome read_to(penstock::json::Places const& places) const {
    penstock::json::OneByOne numbers;
    return penstock::deepar::Record<penstock::json::OneByOne>(plan_, places, numbers).read(content_);
  }

  __device__ std::uint32_t offset_of(char const* at) const { return static_cast<std::uint32_t>(at - work_.text.data); }

  __device__ bool report(penstock::json::Outcome const& outcome, RecordOutcome& result) const {
    char const* begin = content_;
    char const* const text_begin = work_.text.data + work_.text.mark_bytes;
    while (begin > text_begin && penstock::json::is_space(begin[-1])) {
      --begin;
      if (static_cast<std::uint32_t>(content_ - begin) > care_bytes_max) return false;
    }
    char const* end = outcome.cell_end;
    while (!ends_line(*end)) ++end;
    result.is_fault = true;
    result.fault = {};
    result.fault.code = outcome.code;
    result.fault.record_begin = offset_of(begin);
    result.fault.record_end = offset_of(end);
    result.fault.cell_begin = offset_of(outcome.cell_begin);
    result.fault.cell_end = offset_of(outcome.cell_end);
    result.fault.column = outcome.detail;
    return true;
  }

  CareWork const& work_;
  penstock::deepar::Plan const& plan_;
  std::uint32_t row_;
  char const* content_;
};

}  // namespace detail

inline constexpr unsigned care_threads = 64;

/// A thread reads a marked record, byte by byte, twice: its outcome, and its row's values. A record that is too long
/// for it refuses the chunk. Launch: 64 threads for 64 marked records. Shared: none. Work: some 40 operations a byte.
static __global__ void PENSTOCK_BOUNDS(care_threads, 4) care_kernel(CareWork work, penstock::deepar::Plan plan) {
  std::uint32_t const i = blockIdx.x * care_threads + threadIdx.x;
  if (i >= work.marked_count) return;
  RecordOutcome result;
  if (!detail::CareReader(work, plan, work.marked[i]).read(result)) atomic_or(work.totals->is_refused, 1u);
  work.outcomes[i] = result;
}

inline void care(Stream& stream, CareWork const& work, penstock::deepar::Plan const& plan) {
  launch("json_care", stream, {blocks_for(work.marked_count, care_threads), care_threads}, care_kernel, work, plan);
}

}  // namespace penstock::cuda::json
