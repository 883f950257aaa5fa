/// Where the whole records of a buffer end. Rules: formats/csv/README.md, "Records that do not end".
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "formats/csv/plan.hpp"
#include "formats/csv/scan.hpp"
#include "penstock/chunk.hpp"

namespace penstock::csv {

/// Cuts a shard's bytes, buffer by buffer, into whole records. Each buffer begins with the carry of the one
/// before; what was scanned is not scanned again. A record that does not end within the limit, or within
/// the shard, is rejected up to its first line end.
template <class Isa>
class RecordCutter final : public Cutter {
 public:
  /// `record_max`: the most bytes of a record, 64 or more.
  RecordCutter(Dialect const& dialect, std::size_t record_max)
      : dialect_(dialect), classes_(dialect), scanner_(dialect), record_max_(record_max) {}
  RecordCutter(DecodePlan const& plan, std::size_t record_max) : RecordCutter(plan.rules.dialect, record_max) {}

  void restart() override {
    is_discarding_ = false;
    known_ = {};
    begin_record(0);
  }

  Cut cut(char* buffer, std::uint32_t size, bool is_shard_end, std::span<Reject> rejects) override {
    buffer_ = buffer;
    size_ = size;
    rejects_ = rejects;
    cut_ = {};
    record_begin_ = 0;
    if (is_discarding_) go_on_discarding(is_shard_end);
    while (record_begin_ < size_ && has_room()) {
      if (scanned_ < size_) scan();
      if (is_overlong_) {
        reject_record(record_begin_ + static_cast<std::uint32_t>(record_max_), is_shard_end);
      } else if (scanned_ == size_) {
        if (record_begin_ == size_ || !is_shard_end) break;
        end_shard();
      }
    }
    cut_.whole = record_begin_;
    shift(std::min(record_begin_, size_));
    return cut_;
  }

 private:
  /// What an earlier rejected scan says about text that is scanned again. A line that starts inside a record starts
  /// inside quotes, so whoever stands at a line's start in (begin, end) and has not ended its record comes to `end` in
  /// `end_state`. Without it, lines that each open a quote would each be scanned up to the limit.
  struct KnownText {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t quote = 0;  ///< the quote that is open at `end`
    State end_state = State::quoted;
  };

  /// A byte-by-byte walk from a record's start.
  struct Walk {
    State state = State::record_start;
    std::uint32_t at = 0;
    std::uint32_t quote = 0;  ///< the last opening quote
    bool ended_record = false;
  };

  [[nodiscard]] bool has_room() const { return cut_.rejects < rejects_.size(); }

  void begin_record(std::uint32_t at) {
    record_begin_ = scanned_ = at;
    is_overlong_ = false;
    scanner_.restart(State::record_start, false);
  }

  /// After a cut the carry moves to the front of the next buffer.
  void shift(std::uint32_t whole) {
    auto const moved = [whole](std::uint32_t at) { return at - std::min(whole, at); };
    scanned_ = moved(scanned_);
    known_.begin = moved(known_.begin);
    known_.end = moved(known_.end);
    known_.quote = moved(known_.quote);
  }

  // --- finding record ends -----------------------------------------------------------------------------------------

  void scan() {
    if (record_begin_ < known_.end && scanned_ == record_begin_) return walk_known_text();
    if (skip_unquoted_records()) return;
    scan_blocks();
  }

  void scan_blocks() {
    while (scanned_ < size_) {
      unsigned const size = std::min<std::uint32_t>(size_ - scanned_, block_bytes);
      std::uint64_t const ends = scanner_.next(buffer_ + scanned_, size).records;
      if (ends != 0) {
        std::uint32_t const first = scanned_ + static_cast<unsigned>(std::countr_zero(ends));
        is_overlong_ = first - record_begin_ > record_max_;
        if (is_overlong_) return;
        record_begin_ = scanned_ + 64 - static_cast<unsigned>(std::countl_zero(ends));
      }
      scanned_ += size;
      is_overlong_ = scanned_ - record_begin_ > record_max_;
      if (is_overlong_) return;
    }
  }

  /// Outside quotes, text without quotes and escapes needs no automaton: records end where lines end. False:
  /// nothing was skipped.
  bool skip_unquoted_records() {
    bool const is_inside = scanned_ > record_begin_ && scanner_.state() == State::quoted;
    if (is_inside || dialect_.escape != 0 || size_ - record_begin_ > record_max_) return false;
    char const* const begin = buffer_ + scanned_;
    char const* end = buffer_ + size_;
    if (dialect_.quote != 0) {
      void const* const quote = std::memchr(begin, dialect_.quote, size_ - scanned_);
      if (quote != nullptr) end = static_cast<char const*>(quote);
    }
    while (end > begin && !is_line_end(end[-1])) --end;
    if (end == begin) return false;
    begin_record(static_cast<std::uint32_t>(end - buffer_));
    return true;
  }

  /// One record that begins in known text: to its end, or to the end of the known text.
  void walk_known_text() {
    Walk const walk = walk_record(known_.end);
    if (walk.ended_record) return begin_record(walk.at + 1);
    scanned_ = walk.at;
    scanner_.restart(walk.state, false);
  }

  Walk walk_record(std::uint32_t limit) const {
    Walk walk;
    walk.at = walk.quote = record_begin_;
    while (walk.at < limit) {
      bool const is_line_start = walk.at > record_begin_ && is_line_end(buffer_[walk.at - 1]);
      if (is_line_start && pass_known_text(walk)) continue;
      Class const byte_class = classes_[buffer_[walk.at]];
      Step const s = step(walk.state, byte_class);
      walk.ended_record = s.ends_field && byte_class == Class::line_end;
      if (walk.ended_record) return walk;
      if (s.next == State::quoted && walk.state <= State::field_start) walk.quote = walk.at;
      walk.state = s.next;
      ++walk.at;
    }
    return walk;
  }

  /// True: the rest of the known text was passed in one step.
  bool pass_known_text(Walk& walk) const {
    if (walk.at <= known_.begin || walk.at >= known_.end) return false;
    if (known_.quote >= walk.at) walk.quote = known_.quote;
    walk.state = known_.end_state;
    walk.at = known_.end;
    return true;
  }

  // --- records that do not end -----------------------------------------------------------------------------------

  /// The record has not ended at `limit`: its first line is rejected and the next line begins a record.
  void reject_record(std::uint32_t limit, bool is_shard_end) {
    Walk const walk = walk_record(limit);
    std::uint32_t line_end = record_begin_;
    while (line_end < size_ && !is_line_end(buffer_[line_end])) ++line_end;
    Reject reject;
    reject.begin = record_begin_;
    reject.end = line_end;
    reject.resume = std::min(line_end + 1, size_);
    reject.continues = line_end == size_ && !is_shard_end;
    reject.fault = fault_of(walk, line_end);
    rejects_[cut_.rejects++] = reject;
    known_ = {record_begin_, limit, walk.quote, walk.state};
    is_discarding_ = reject.continues;
    begin_record(reject.resume);
  }

  [[nodiscard]] Fault fault_of(Walk const& walk, std::uint32_t line_end) const {
    bool const is_quoted = walk.state == State::quoted || walk.state == State::escaped_quoted;
    Fault fault;
    fault.code = is_quoted ? FaultCode::unterminated_quote : FaultCode::record_too_long;
    fault.record_begin = record_begin_;
    fault.record_end = line_end;
    fault.cell_begin = is_quoted ? walk.quote : record_begin_;
    fault.cell_end = is_quoted ? walk.quote + 1 : record_begin_;
    State state = State::record_start;
    for (std::uint32_t at = record_begin_; at < std::min(line_end, fault.cell_begin); ++at) {
      Step const s = step(state, classes_[buffer_[at]]);
      fault.column += s.ends_field ? 1 : 0;
      state = s.next;
    }
    return fault;
  }

  /// A line longer than the buffer goes on here; what is left of it is passed over.
  void go_on_discarding(bool is_shard_end) {
    Reject reject;
    while (reject.end < size_ && !is_line_end(buffer_[reject.end])) ++reject.end;
    reject.resume = std::min(reject.end + 1, size_);
    reject.is_continued = true;
    reject.continues = is_discarding_ = reject.end == size_ && !is_shard_end;
    rejects_[cut_.rejects++] = reject;
    begin_record(reject.resume);
  }

  /// The shard ends inside a record: it ends here, unless a quote is open.
  void end_shard() {
    State const state = scanner_.state();
    if (state == State::quoted || state == State::escaped_quoted) return reject_record(size_, true);
    cut_.has_added_line_end = true;
    buffer_[size_] = '\n';
    record_begin_ = size_ + 1;
  }

  Dialect dialect_;
  ByteClasses classes_;
  BlockScanner<Isa> scanner_;
  std::size_t record_max_;

  char* buffer_ = nullptr;
  std::uint32_t size_ = 0;
  std::span<Reject> rejects_;
  Cut cut_;
  std::uint32_t record_begin_ = 0;  ///< of the first record that has not ended
  std::uint32_t scanned_ = 0;       ///< the scanner has seen the text before it
  bool is_overlong_ = false;        ///< that record is longer than the limit
  bool is_discarding_ = false;      ///< the buffer begins inside a rejected line
  KnownText known_;
};

}  // namespace penstock::csv
