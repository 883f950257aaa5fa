/// Lines of JSON to rows: what all kinds of records share. A kind is a Reader, which reads one record:
///
///     Reader(Plan)
///     void begin(char const* text_end)
///     Outcome read(char const* at, Places const&)      `at` stands at the record's first byte that is no blank
///
/// and writes the values, but no offsets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "formats/core/line_ends.hpp"
#include "formats/core/lines.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/places.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"
#include "penstock/executor.hpp"
#include "penstock/fault.hpp"

namespace penstock::json {

constexpr BatchCapacity sum(BatchCapacity const& a, BatchCapacity const& b) {
  BatchCapacity sum = {a.rows + b.rows,
                       a.pairs + b.pairs,
                       a.labels + b.labels,
                       a.uid_bytes + b.uid_bytes,
                       a.metadata_bytes + b.metadata_bytes,
                       a.list_values,
                       a.text_bytes + b.text_bytes};
  for (std::size_t i = 0; i < lists_max; ++i) sum.list_values[i] += b.list_values[i];
  return sum;
}

/// Writes where the rows behind row `at` begin, when `used` is taken.
inline void end_row(Batch const& batch, std::size_t at, BatchCapacity const& used) {
  auto const put = [at](std::int64_t* offsets, std::size_t value) {
    if (offsets != nullptr) offsets[at] = static_cast<std::int64_t>(value);
  };
  put(batch.csr.indptr, used.pairs);
  put(batch.labels.offsets, used.labels);
  put(batch.uid.offsets, used.uid_bytes);
  put(batch.metadata.offsets, used.metadata_bytes);
  for (std::size_t i = 0; i < lists_max; ++i) put(batch.lists[i].offsets, used.list_values[i]);
}

template <class Isa, class Reader>
class LineDecoder {
 public:
  template <class Plan>
  explicit LineDecoder(Plan const& plan) : reader_(plan) {}

  void begin(Chunk const& chunk) {
    chunk_ = chunk;
    text_ = chunk.text.data;
    reader_.begin(text_ + chunk.text.size);
    next_reject_ = 0;
    at_ = 0;
    find_segment();
  }

  Decoded next(Batch const& batch, BatchCapacity const& capacity, FaultLog& faults, RoundCounts& counts) {
    places_ = {batch, {}, capacity};
    end_row(batch, 0, {});
    RoundCounts round;
    round.lines = std::exchange(lines_before_, 0);
    for (;;) {
      if (at_ == segment_end_) {
        if (next_reject_ == chunk_.rejects.size()) break;
        if (faults.room() == 0) return finish(round, counts, false);
        pass_reject(faults, round);
        continue;
      }
      std::uint32_t const begin = at_ + (at_ == 0 ? mark_bytes(chunk_) : 0);
      char const* const content = skip_space(text_ + begin);
      if (ends_line(*content)) {
        end_line(offset_of(content), round);
        continue;
      }
      if (places_.used.rows == capacity.rows || faults.room() == 0) return finish(round, counts, false);
      Outcome const outcome = reader_.read(content, places_);
      if (outcome.is_fault && !outcome.lacks_room) {
        end_line(report(outcome, begin, faults), round);
      } else if (BatchCapacity const used = sum(places_.used, outcome.taken); capacity.holds(used)) {
        if (batch.record_begins != nullptr) batch.record_begins[places_.used.rows] = begin;
        places_.used = used;
        end_row(batch, used.rows, used);
        round.missing_cells += outcome.missing;
        round.inexact_integers += outcome.inexact_integers;
        end_line(offset_of(outcome.end), round);
      } else if (places_.used.rows > 0 || faults.size() > 0) {
        return finish(round, counts, false);
      } else {
        lines_before_ = round.lines;  // blank lines that were passed: nothing shall have been done
        return {0, false, true, outcome.taken};
      }
    }
    return finish(round, counts, true);
  }

 private:
  [[nodiscard]] std::uint32_t offset_of(char const* at) const { return static_cast<std::uint32_t>(at - text_); }

  /// Text up to the next reject, or the chunk's end.
  void find_segment() {
    segment_end_ = next_reject_ < chunk_.rejects.size() ? chunk_.rejects[next_reject_].begin
                                                        : static_cast<std::uint32_t>(chunk_.text.size);
  }

  void pass_reject(FaultLog& faults, RoundCounts& round) {
    Reject const& reject = chunk_.rejects[next_reject_++];
    if (!reject.is_continued) {
      Fault fault = reject.fault;
      fault.rows_before = static_cast<std::uint32_t>(places_.used.rows);
      faults.report(fault);
    }
    if (reject.resume > reject.end) round.lines += is_new_line(text_, reject.end, chunk_.follows_cr) ? 1 : 0;
    at_ = reject.resume;
    find_segment();
  }

  void end_line(std::uint32_t end, RoundCounts& round) {
    round.lines += is_new_line(text_, end, chunk_.follows_cr) ? 1 : 0;
    at_ = end + 1;
  }

  /// Where the line ends.
  std::uint32_t report(Outcome const& outcome, std::uint32_t begin, FaultLog& faults) {
    Fault fault;
    fault.code = outcome.code;
    fault.record_begin = begin;
    fault.cell_begin = offset_of(outcome.cell_begin);
    fault.cell_end = offset_of(outcome.cell_end);
    fault.record_end = first_line_end<Isa>(text_, fault.cell_end, segment_end_);
    fault.column = outcome.detail;
    fault.rows_before = static_cast<std::uint32_t>(places_.used.rows);
    faults.report(fault);
    return fault.record_end;
  }

  Decoded finish(RoundCounts const& round, RoundCounts& counts, bool ends_chunk) {
    counts.missing_cells += round.missing_cells;
    counts.inexact_integers += round.inexact_integers;
    counts.lines += round.lines;
    return {places_.used.rows, ends_chunk, false, {}};
  }

  Reader reader_;
  Chunk chunk_;
  char const* text_ = nullptr;
  std::size_t next_reject_ = 0;
  std::uint32_t segment_end_ = 0;
  std::uint32_t at_ = 0;  ///< a line's begin
  Places places_;
  std::uint64_t lines_before_ = 0;  ///< passed by a call that was stuck
};

}  // namespace penstock::json
