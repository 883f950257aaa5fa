/// Bytes through a format's cutter and decoder on one thread, with sizes as odd as a test wants them, and everything
/// that comes out in a form that does not depend on those sizes: two runs of the same bytes compare equal, or Law 1 is
/// broken.
///
/// Memory is taken exactly: text has text_padding bytes on either side and not one more, tensors as much as the
/// capacity says; so AddressSanitizer sees every byte too many. What the decoder leaves of its promises is a
/// std::logic_error.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/core/format.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"
#include "penstock/executor.hpp"
#include "penstock/fault.hpp"
#include "tests/support/format_run_memory.hpp"
#include "tests/support/format_run_outcome.hpp"

namespace penstock::testing {

/// Drives one cutter and one decoder over shards, the way a reader and a lane do.
template <class F, class Isa>
class FormatRunner {
 public:
  using Plan = typename F::Plan;

  FormatRunner(Plan const& plan, std::size_t record_max, RunSizes const& sizes)
      : plan_(plan), record_max_(record_max), sizes_(sizes), cutter_(plan, record_max), decoder_(plan) {
    run_.layout = plan.layout;
  }

  /// Called with the rows of every round, for scouts.
  void (*see)(void* whom, Batch const& rows) = nullptr;
  void* whom = nullptr;

  void shard(std::string_view bytes) {
    cutter_.restart();
    bytes_ = bytes;
    begin_ = end_ = 0;
    bool follows_cr = false;
    do {
      Cut const cut = cut_buffer();
      std::string_view const whole(buffer_->data(), cut.whole);
      if (cut.whole > 0 || cut.rejects > 0) decode(whole, cut, follows_cr);
      if (!whole.empty()) follows_cr = whole.back() == '\r';
      begin_ += std::min<std::size_t>(cut.whole, end_ - begin_);
    } while (begin_ < bytes_.size() || !was_shard_end_);
    promise(open_ == none, "the last reject of a shard goes on in no chunk");
    ++shard_;
  }

  [[nodiscard]] FormatRun take() { return std::move(run_); }

 private:
  static constexpr std::size_t none = ~std::size_t{0};

  /// A buffer from begin_ on, as large as needed, with all that the cutter has seen already. Whether the shard has ended
  /// is known one read later than its last byte.
  Cut cut_buffer() {
    std::size_t size = std::max(sizes_.buffer_bytes, end_ - begin_);
    for (;;) {
      end_ = std::min(bytes_.size(), begin_ + size);
      was_shard_end_ = end_ - begin_ < size;
      buffer_ = std::make_unique<PaddedText>(bytes_.substr(begin_, end_ - begin_), sizes_.poison);
      rejects_.assign(sizes_.rejects_max, Reject{});
      Cut const cut = cutter_.cut(buffer_->data(), static_cast<std::uint32_t>(end_ - begin_), was_shard_end_, rejects_);
      promise(cut.rejects <= rejects_.size(), "more rejects than there is memory");
      promise(cut.whole <= end_ - begin_ + (cut.has_added_line_end ? 1 : 0), "a cut beyond the buffer");
      promise(was_shard_end_ || !cut.has_added_line_end, "a line end is added before the shard's end");
      if (cut.whole > 0 || (was_shard_end_ && cut.rejects > 0)) return cut;
      if (was_shard_end_) {
        promise(begin_ == end_, "bytes are left over at the shard's end");
        return cut;
      }
      promise(size < 4 * (record_max_ + sizes_.buffer_bytes) + 1024, "a record fits no buffer and was not rejected");
      size *= 2;
    }
  }

  void decode(std::string_view whole, Cut const& cut, bool follows_cr) {
    PaddedText text(whole, static_cast<char>(~sizes_.poison));
    Chunk chunk;
    chunk.text = text.text();
    chunk.stamp = {shard_, begin_, sequence_++};
    chunk.rejects = std::span<Reject const>(rejects_).first(cut.rejects);
    chunk.follows_cr = follows_cr;
    chunk.has_added_line_end = cut.has_added_line_end;
    std::size_t const first_fault = run_.faults.size();
    decoder_.begin(chunk);
    bool is_done = false;
    while (!is_done) is_done = decode_round(chunk, sizes_.capacity);
    join_rejects(chunk, first_fault);
  }

  /// True: the chunk is used up.
  bool decode_round(Chunk const& chunk, BatchCapacity const& capacity) {
    ExactBatch const memory(plan_.layout, capacity, sizes_.poison);
    std::vector<Fault> fault_memory(sizes_.faults_max);
    FaultLog faults(fault_memory);
    RoundCounts counts;
    Decoded const decoded = decoder_.next(memory.view(capacity.rows), capacity, faults, counts);
    if (decoded.is_stuck) {
      promise(decoded.rows == 0 && faults.size() == 0 && !decoded.ends_chunk, "a stuck decoder has done something");
      promise(!capacity.holds(decoded.needed), "a decoder is stuck though it has what it needs");
      promise(F::record_capacity(plan_, record_max_).holds(decoded.needed), "a record needs more than a record can");
      promise(words(counts) == words(RoundCounts{}), "a stuck decoder has counted something");
      return decode_round(chunk, larger(capacity, decoded.needed));
    }
    Batch const rows = memory.view(decoded.rows);
    check_rows(rows, capacity);
    promise(decoded.rows > 0 || faults.size() > 0 || decoded.ends_chunk, "a round without progress");
    take_faults(chunk, faults);
    for (std::size_t row = 0; row < decoded.rows; ++row) run_.rows.push_back(row_of(rows, row));
    count(counts);
    if (see != nullptr) see(whom, rows);
    return decoded.ends_chunk;
  }

  static BatchCapacity larger(BatchCapacity const& a, BatchCapacity const& b) {
    BatchCapacity larger = {std::max(a.rows, b.rows),
                            std::max(a.pairs, b.pairs),
                            std::max(a.labels, b.labels),
                            std::max(a.uid_bytes, b.uid_bytes),
                            std::max(a.metadata_bytes, b.metadata_bytes),
                            {},
                            std::max(a.text_bytes, b.text_bytes)};
    for (std::size_t i = 0; i < lists_max; ++i) larger.list_values[i] = std::max(a.list_values[i], b.list_values[i]);
    return larger;
  }

  void take_faults(Chunk const& chunk, FaultLog const& faults) {
    for (Fault const& fault : faults.faults()) {
      promise(fault.record_begin <= fault.record_end && fault.record_end <= chunk.text.size,
              "a fault beyond its chunk");
      promise(fault.cell_begin <= fault.cell_end, "a cell ends before it begins");
      RunFault out;
      out.code = fault.code;
      out.is_repaired = fault.is_repaired;
      out.shard = shard_;
      out.record_begin = begin_ + fault.record_begin;
      out.cell_begin = begin_ + fault.cell_begin;
      out.cell_end = begin_ + fault.cell_end;
      out.column = fault.column;
      out.rows_before = run_.rows.size() + fault.rows_before;
      out.record.assign(chunk.text.data + fault.record_begin, fault.record_end - fault.record_begin);
      run_.faults.push_back(out);
    }
  }

  /// Rejects of the chunk were reported once each, where they begin; pieces of those that began earlier are appended.
  void join_rejects(Chunk const& chunk, std::size_t first_fault) {
    for (Reject const& reject : chunk.rejects) {
      promise(reject.begin <= reject.end && reject.end <= reject.resume && reject.resume <= chunk.text.size,
              "a reject beyond its chunk");
      promise(reject.is_continued == (open_ != none), "pieces of a reject that do not follow each other");
      std::string_view const piece(chunk.text.data + reject.begin, reject.end - reject.begin);
      if (reject.is_continued) {
        run_.faults[open_].record += piece;
      } else {
        std::size_t found = first_fault;
        while (found < run_.faults.size() &&
               (run_.faults[found].is_repaired || run_.faults[found].record_begin != begin_ + reject.begin))
          ++found;
        promise(found < run_.faults.size(), "a reject without its fault");
        run_.faults[found].record = piece;
        open_ = found;
        first_fault = found + 1;
      }
      if (!reject.continues) open_ = none;
    }
  }

  void count(RoundCounts const& counts) {
    run_.counts.missing_cells += counts.missing_cells;
    run_.counts.inexact_integers += counts.inexact_integers;
    run_.counts.lines += counts.lines;
    run_.counts.other_entries += counts.other_entries;
  }

  Plan plan_;
  std::size_t record_max_;
  RunSizes sizes_;
  typename F::template Cutter<Isa> cutter_;
  typename F::template Decoder<Isa> decoder_;
  FormatRun run_;

  std::uint32_t shard_ = 0;
  std::uint64_t sequence_ = 0;
  std::string_view bytes_;
  std::size_t begin_ = 0;  ///< of the buffer, in the shard
  std::size_t end_ = 0;
  bool was_shard_end_ = false;
  std::unique_ptr<PaddedText> buffer_;
  std::vector<Reject> rejects_;
  std::size_t open_ = none;  ///< the fault whose line goes on in the next chunk
};

/// The shards one after the other, with a plan that was made before.
template <class F, class Isa>
FormatRun run_format(typename F::Plan const& plan, std::vector<std::string> const& shards, std::size_t record_max,
                     RunSizes const& sizes) {
  FormatRunner<F, Isa> runner(plan, record_max, sizes);
  for (std::string const& bytes : shards) runner.shard(bytes);
  return runner.take();
}
template <class F, class Isa>
FormatRun run_format(typename F::Plan const& plan, std::string const& bytes, std::size_t record_max,
                     RunSizes const& sizes) {
  return run_format<F, Isa>(plan, std::vector<std::string>{bytes}, record_max, sizes);
}

/// What a scout made of shards.
template <class F>
struct Scouted {
  std::vector<Problem> problems;
  std::optional<typename F::Plan> plan;  ///< absent if there is a problem
  std::vector<std::string> notes;
  bool was_surveyed = false;
};

/// Shows chunks to a scout until it has seen the first record.
template <class F, class Isa>
void look_at(typename F::Scout& scout, std::vector<std::string> const& shards, std::size_t record_max,
             RunSizes const& sizes) {
  typename F::template Cutter<Isa> cutter(scout.survey_plan(), record_max);
  std::uint32_t shard = 0;
  for (std::string const& bytes : shards) {
    cutter.restart();
    std::size_t begin = 0, size = sizes.buffer_bytes;
    bool is_end = false, follows_cr = false;
    while (!is_end || begin < bytes.size()) {
      std::string_view const part = std::string_view(bytes).substr(begin, size);
      is_end = part.size() < size;
      PaddedText buffer(part, sizes.poison);
      std::vector<Reject> rejects(sizes.rejects_max);
      Cut const cut = cutter.cut(buffer.data(), static_cast<std::uint32_t>(part.size()), is_end, rejects);
      bool const has_chunk = cut.whole > 0 || (is_end && cut.rejects > 0);
      if (!has_chunk && is_end) break;
      if (!has_chunk) size *= 2;
      if (!has_chunk) continue;
      PaddedText text({buffer.data(), cut.whole}, sizes.poison);
      Chunk chunk;
      chunk.text = text.text();
      chunk.stamp = {shard, begin, begin};
      chunk.rejects = std::span<Reject const>(rejects).first(cut.rejects);
      chunk.follows_cr = follows_cr;
      chunk.has_added_line_end = cut.has_added_line_end;
      if (scout.look(chunk)) return;
      if (cut.whole > 0) follows_cr = text.data()[cut.whole - 1] == '\r';
      begin += std::min<std::size_t>(cut.whole, part.size());
      size = sizes.buffer_bytes;
    }
    ++shard;
  }
}

/// A scout's whole life, in the order that formats/core/format.hpp gives.
template <class F, class Isa>
Scouted<F> scout(typename F::Options const& options, ScoutContext const& context,
                 std::vector<std::string> const& shards, RunSizes const& sizes) {
  typename F::Scout scout(options, context);
  Scouted<F> out;
  look_at<F, Isa>(scout, shards, context.record_max, sizes);
  out.problems = scout.problem();
  if (!out.problems.empty()) return out;
  if (scout.wants_survey()) {
    out.was_surveyed = true;
    FormatRunner<F, Isa> runner(scout.survey_plan(), context.record_max, sizes);
    runner.whom = &scout;
    runner.see = [](void* whom, Batch const& rows) { static_cast<typename F::Scout*>(whom)->see(rows); };
    for (std::string const& bytes : shards) runner.shard(bytes);
    out.problems = scout.problem();
    if (!out.problems.empty()) return out;
  }
  out.plan = scout.plan();
  out.notes = scout.notes();
  return out;
}

}  // namespace penstock::testing
