/// Lines of libsvm text to rows of CSR.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "formats/core/block.hpp"
#include "formats/core/line_ends.hpp"
#include "formats/libsvm/grammar.hpp"
#include "formats/libsvm/order.hpp"
#include "formats/libsvm/plain.hpp"
#include "formats/libsvm/plan.hpp"
#include "formats/libsvm/scan.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"
#include "penstock/executor.hpp"
#include "penstock/fault.hpp"

namespace penstock::libsvm {

/// Decodes chunks in rounds, straight into the batch's memory. Two stages that take turns: the first lists where
/// separators (blanks, colons, comments, line ends) stand in the next piece of text; the second takes what lies between
/// them. What is not as plain as `index:value` is read byte by byte from the text itself, after which the list is
/// caught up with: it makes things fast and decides nothing.
template <class Isa>
class Decoder {
 public:
  explicit Decoder(Plan const& plan) : plan_(plan) {}

  void begin(Chunk const& chunk) {
    chunk_ = chunk;
    text_ = chunk.text.data;
    next_reject_ = 0;
    begin_segment(0);
  }

  Decoded next(Batch const& batch, BatchCapacity const& capacity, FaultLog& faults, RoundCounts& counts) {
    batch_ = batch;
    capacity_ = capacity;
    faults_ = &faults;
    counts_ = {};
    counts_.lines = std::exchange(lines_before_, 0);
    rows_ = pairs_ = labels_ = 0;
    batch_.csr.indptr[0] = 0;
    if (batch_.labels.offsets != nullptr) batch_.labels.offsets[0] = 0;
    Stop const stop = with_value_type([&](auto value) { return decode<decltype(value)>(); });
    if (stop == Stop::stuck) {
      lines_before_ = counts_.lines;  // blank lines that were passed: nothing shall have been done
      return {0, false, true, needed_};
    }
    counts.missing_cells += counts_.missing_cells;
    counts.inexact_integers += counts_.inexact_integers;
    counts.lines += counts_.lines;
    return {rows_, stop == Stop::chunk_end, false, {}};
  }

 private:
  enum class Phase : std::uint8_t { line_start, items, rest_of_line };
  enum class Stop : std::uint8_t { no, list_end, chunk_end, full, stuck };

  template <class Use>
  Stop with_value_type(Use use) {
    switch (plan_.layout.feature_dtype) {
      case DType::float32: return use(float{});
      case DType::float64: return use(double{});
      case DType::int32: return use(std::int32_t{});
      case DType::int64: return use(std::int64_t{});
    }
    return Stop::chunk_end;
  }

  template <class T>
  Stop decode() {
    for (;;) {
      Stop const stop = convert<T>();
      if (stop != Stop::list_end) return stop;
      if (separators_.scanned() < segment_end_) {
        separators_.scan(text_, segment_end_);
      } else if (next_reject_ == chunk_.rejects.size()) {
        return Stop::chunk_end;
      } else if (faults_->room() == 0) {
        return Stop::full;
      } else {
        pass_reject();
      }
    }
  }

  // --- stretches of text -------------------------------------------------------------------------------------------

  /// Text between rejects, which begins and ends where lines do.
  void begin_segment(std::uint32_t at) {
    at_ = at;
    separators_.restart(at);
    phase_ = Phase::line_start;
    has_pending_ = false;
    segment_end_ = next_reject_ < chunk_.rejects.size() ? chunk_.rejects[next_reject_].begin
                                                        : static_cast<std::uint32_t>(chunk_.text.size);
  }

  /// Reports the reject that ends the segment and goes on behind it.
  void pass_reject() {
    Reject const& reject = chunk_.rejects[next_reject_++];
    if (!reject.is_continued) {
      Fault fault = reject.fault;
      fault.rows_before = static_cast<std::uint32_t>(rows_);
      faults_->report(fault);
    }
    if (reject.resume > reject.end) counts_.lines += is_new_line(text_, reject.end, chunk_.follows_cr) ? 1 : 0;
    begin_segment(reject.resume);
  }

  // --- lines ---------------------------------------------------------------------------------------------------------

  /// Converts what the list has in full.
  template <class T>
  Stop convert() {
    for (;;) {
      Stop stop = Stop::no;
      switch (phase_) {
        case Phase::line_start: stop = begin_line<T>(); break;
        case Phase::items: stop = take_items<T>(); break;
        case Phase::rest_of_line: stop = end_line(); break;
      }
      if (stop != Stop::no) return stop;
    }
  }

  template <class T>
  Stop begin_line() {
    if (at_ == segment_end_) return Stop::list_end;
    record_begin_ = at_ + (at_ == 0 ? mark_bytes(chunk_) : 0);
    char const* const content = skip_blanks(text_ + record_begin_);
    if (ends_content(*content)) {
      at_ = offset_of(content);
      phase_ = Phase::rest_of_line;
      return Stop::no;
    }
    if (rows_ == capacity_.rows || faults_->room() == 0) return Stop::full;
    return begin_record<T>(content);
  }

  /// The line's content was read, or need not be.
  Stop end_line() {
    separators_.catch_up(at_);
    while (separators_.size() != 0) {
      std::uint32_t const end = separators_.front();
      separators_.drop(1);
      if (!ends_line(text_[end])) continue;
      if (has_pending_) {
        pending_.record_end = end;
        faults_->report(pending_);
        has_pending_ = false;
      }
      counts_.lines += is_new_line(text_, end, chunk_.follows_cr) ? 1 : 0;
      at_ = end + 1;
      phase_ = Phase::line_start;
      return Stop::no;
    }
    at_ = separators_.scanned();
    return Stop::list_end;
  }

  [[nodiscard]] std::uint32_t offset_of(char const* at) const { return static_cast<std::uint32_t>(at - text_); }

  // --- records -------------------------------------------------------------------------------------------------------

  template <class T>
  Stop begin_record(char const* content) {
    record_pairs_ = pairs_;
    record_labels_ = labels_;
    record_counts_ = {};
    last_index_ = -1;
    is_ascending_ = true;
    is_bare_ = has_qid_ = false;
    at_ = offset_of(content);
    separators_.catch_up(at_);
    if (!take_plain_label()) {
      Head const head = read_head(content);
      if (plan_.layout.labels_vary && count_labels(head.label) > capacity_.labels - labels_) return retreat();
      at_ = offset_of(head.end);
      if (!take_head<T>(head)) return Stop::no;
    }
    items_begin_ = at_;
    phase_ = Phase::items;
    return Stop::no;
  }

  /// Nothing but a label, and a blank behind it. False: nothing was done.
  bool take_plain_label() {
    BatchLayout const& layout = plan_.layout;
    if (layout.labels_vary || layout.has_weight || layout.has_qid || separators_.size() == 0) return false;
    std::uint32_t const end = separators_.front();
    float& label = batch_.label.template as<float>()[rows_];
    if (!is_blank(text_[end]) || !fast_float32(Isa{}, text_ + at_, end - at_, label)) return false;
    at_ = end;
    return true;
  }

  /// Stores what the head says. False: it is at fault.
  template <class T>
  bool take_head(Head const& head) {
    if (lacks_label(head)) return refuse<T>(FaultCode::missing_label, head.word, 0);
    if (!take_labels<T>(head.label) || !take_weight<T>(head)) return false;
    if (!head.qid.is_there()) return true;
    if (!plan_.layout.has_qid) return refuse<T>(FaultCode::unexpected_qid, {head.qid.begin - 4, head.qid.end}, 1);
    Meaning<std::int64_t> const qid = read_qid(head.qid);
    if (qid.is_fault) return refuse<T>(qid.code, qid.cell, 1);
    batch_.qid.template as<std::int64_t>()[rows_] = qid.value;
    has_qid_ = true;
    return true;
  }

  template <class T>
  bool take_labels(Bytes text) {
    if (!plan_.layout.labels_vary) {
      if (find(text.begin, text.end, ',') != text.end) return refuse<T>(FaultCode::several_labels, text, 0);
      return take_finite<T>(text, batch_.label.template as<float>()[rows_]);
    }
    float* const labels = batch_.labels.template as<float>();
    for (char const* at = text.begin;; ++at) {
      char const* const end = find(at, text.end, ',');
      if (!take_finite<T>({at, end}, labels[labels_])) return false;
      ++labels_;
      if (end == text.end) return true;
      at = end;
    }
  }

  template <class T>
  bool take_weight(Head const& head) {
    bool const has_weight = plan_.layout.has_weight;
    if (!head.weight.is_there())
      return !has_weight || refuse<T>(FaultCode::missing_weight, {head.label.end, head.label.end}, 0);
    if (!has_weight) return refuse<T>(FaultCode::unexpected_weight, head.weight, 0);
    return take_finite<T>(head.weight, batch_.weight.template as<float>()[rows_]);
  }

  template <class T>
  bool take_finite(Bytes text, float& into) {
    Meaning<float> const number = read_finite(text);
    if (number.is_fault) return refuse<T>(number.code, number.cell, 0);
    record_counts_.inexact_integers += number.is_inexact_integer ? 1 : 0;
    into = number.value;
    return true;
  }

  // --- items ---------------------------------------------------------------------------------------------------------

  /// Items up to the content's end, or the list's.
  template <class T>
  Stop take_items() {
    bool const may_be_plain = !plan_.items.syntax.is_libfm && !is_bare_;
    while (may_be_plain && take_plain_pairs<T>()) continue;
    separators_.catch_up(at_);
    if (separators_.size() == 0) return Stop::list_end;
    std::uint32_t const separator = separators_.front();
    char const byte = text_[separator];
    if (separator == at_ && is_blank(byte)) {
      ++at_;
      separators_.drop(1);
      return Stop::no;
    }
    if (separator == at_ && ends_content(byte)) return finish_record<T>();
    bool const is_cut = byte == ':' && separators_.size() < 2 && separators_.scanned() < segment_end_;
    return is_cut ? Stop::list_end : take_item<T>();
  }

  /// One turn of pairs that are plain and fit. True: the next may be so too.
  template <class T>
  bool take_plain_pairs() {
    std::int64_t* const indices = batch_.csr.indices + pairs_;
    PlainPairs<Isa> const plain = {text_, separators_, at_};
    std::size_t const room = std::min(turn_pairs, pairs_limit() - pairs_);
    std::size_t const count =
        plain.take_values(batch_.csr.template values_as<T>() + pairs_, plain.take_indices(plan_.items, indices, room));
    if (count == 0) return false;
    for (std::size_t i = 0; i < count; ++i) {
      is_ascending_ &= indices[i] > last_index_;
      last_index_ = indices[i];
    }
    pairs_ += count;
    std::uint32_t const end = separators_.begin()[2 * count - 1];
    std::uint32_t const blank = is_blank(text_[end]) ? 1 : 0;
    at_ = end + blank;
    separators_.drop(static_cast<std::uint32_t>(2 * count) - 1 + blank);
    return count == turn_pairs;
  }

  /// Any item.
  template <class T>
  [[gnu::noinline]] Stop take_item() {
    char const* const at = text_ + at_;
    std::size_t const items = pairs_ - record_pairs_;
    if (begins_with_qid(at)) {
      bool const is_in_place = items == 0 && !has_qid_ && !plan_.layout.has_qid;
      return fail<T>(is_in_place ? FaultCode::unexpected_qid : FaultCode::misplaced_qid, {at, word_end(at)});
    }
    Item const item = read_item(at, plan_.items.syntax);
    if (items == plan_.pairs_max) return fail<T>(FaultCode::too_many_pairs, item.all);
    if (pairs_ == capacity_.pairs) return retreat();
    Meaning<std::uint64_t> const index = item_index(item, plan_.items);
    if (index.is_fault) return fail<T>(index.code, index.cell);
    if (items == 0) is_bare_ = !item.value.is_there();
    if (is_bare_ == item.value.is_there()) return fail<T>(FaultCode::missing_separator, item.all);
    Meaning<T> const value = item_value<T>(item, plan_.items);
    if (value.is_fault) return fail<T>(value.code, value.cell);
    record_counts_.missing_cells += value.is_missing ? 1 : 0;
    record_counts_.inexact_integers += value.is_inexact_integer ? 1 : 0;
    store(static_cast<std::int64_t>(index.value), value.value);
    at_ = offset_of(item.all.end);
    return Stop::no;
  }

  template <class T>
  void store(std::int64_t index, T value) {
    batch_.csr.indices[pairs_] = index;
    batch_.csr.template values_as<T>()[pairs_++] = value;
    is_ascending_ &= index > last_index_;
    last_index_ = index;
  }

  /// One past the last place in the batch that this record may fill.
  [[nodiscard]] std::size_t pairs_limit() const {
    return record_pairs_ + std::min(capacity_.pairs - record_pairs_, plan_.pairs_max);
  }

  // --- ends of records -----------------------------------------------------------------------------------------------

  /// at_ stands at the content's end.
  template <class T>
  Stop finish_record() {
    char const* const end = text_ + at_;
    if (plan_.layout.has_qid && !has_qid_) return fail<T>(FaultCode::missing_qid, {end, end});
    if (!is_ascending_ && !order<T>()) return Stop::no;
    if (is_beyond_width()) return fail<T>(FaultCode::index_out_of_range, {end, end});
    if (batch_.record_begins != nullptr) batch_.record_begins[rows_] = record_begin_;
    ++rows_;
    batch_.csr.indptr[rows_] = static_cast<std::int64_t>(pairs_);
    if (batch_.labels.offsets != nullptr) batch_.labels.offsets[rows_] = static_cast<std::int64_t>(labels_);
    counts_.missing_cells += record_counts_.missing_cells;
    counts_.inexact_integers += record_counts_.inexact_integers;
    phase_ = Phase::rest_of_line;
    return end_line();
  }

  /// A number of features that was given is checked with every index. One that was found out is the largest index of
  /// all accepted records, so only an input that has changed since can be beyond it; records that are at fault anyway
  /// may.
  [[nodiscard]] bool is_beyond_width() const {
    std::size_t const columns = plan_.layout.features;
    return columns != 0 && pairs_ != record_pairs_ &&
           static_cast<std::size_t>(batch_.csr.indices[pairs_ - 1]) >= columns;
  }

  /// Puts the record's pairs in order. False: they are at fault.
  template <class T>
  bool order() {
    Pairs<T> const pairs = {text_, batch_.csr.indices + record_pairs_,
                            batch_.csr.template values_as<T>() + record_pairs_, pairs_ - record_pairs_};
    Ordered const ordered = order_pairs<SortOnStack>(pairs, text_ + items_begin_, plan_.items, plan_.duplicates);
    pairs_ = record_pairs_ + ordered.count;
    is_ascending_ = true;
    if (!ordered.is_fault) return true;
    Item const item = read_item(text_ + ordered.item, plan_.items.syntax);
    bool const is_duplicate = ordered.code == FaultCode::duplicate_index;
    reject(ordered.code, is_duplicate ? item.index : item.value, column_of(ordered.item));
    return false;
  }

  /// How many items come before the one at `offset`, the label and the query id counted.
  [[nodiscard]] std::uint32_t column_of(std::uint32_t offset) const {
    std::uint32_t column = has_qid_ ? 2 : 1;
    for (char const* at = skip_blanks(text_ + items_begin_); offset_of(at) < offset; ++column) {
      at = skip_blanks(read_item(at, plan_.items.syntax).all.end);
    }
    return column;
  }

  /// A fault in the items: one of the pairs before it, if there is any, comes first.
  template <class T>
  Stop fail(FaultCode code, Bytes cell) {
    auto const items = static_cast<std::uint32_t>(pairs_ - record_pairs_);
    std::uint32_t const column = items + (has_qid_ ? 2 : 1);
    if (is_ascending_ || order<T>()) reject(code, cell, column);
    return Stop::no;
  }

  /// A fault in the head. False, for the caller to return.
  template <class T>
  bool refuse(FaultCode code, Bytes cell, std::uint32_t column) {
    reject(code, cell, column);
    return false;
  }

  /// The record leaves no trace; the fault is reported when its end is seen.
  void reject(FaultCode code, Bytes cell, std::uint32_t column) {
    pending_ = {};
    pending_.code = code;
    pending_.record_begin = record_begin_;
    pending_.cell_begin = offset_of(cell.begin);
    pending_.cell_end = offset_of(cell.end);
    pending_.column = column;
    pending_.rows_before = static_cast<std::uint32_t>(rows_);
    has_pending_ = true;
    pairs_ = record_pairs_;
    labels_ = record_labels_;
    phase_ = Phase::rest_of_line;
  }

  /// The batch is too small for what is left of the record: it is begun again in the next round.
  Stop retreat() {
    pairs_ = record_pairs_;
    labels_ = record_labels_;
    at_ = record_begin_;
    separators_.restart(at_);
    phase_ = Phase::line_start;
    if (rows_ > 0 || faults_->size() > 0) return Stop::full;
    needed_ = needs_of_record();
    return Stop::stuck;
  }

  /// A record's items and labels, counted in its bytes: it cannot become more.
  [[nodiscard]] BatchCapacity needs_of_record() const {
    Head const head = read_head(skip_blanks(text_ + record_begin_));
    std::size_t items = 0;
    for (char const* at = skip_blanks(head.end); !ends_content(*at) && items < plan_.pairs_max; ++items) {
      at = skip_blanks(read_item(at, plan_.items.syntax).all.end);
    }
    return {1, items, plan_.layout.labels_vary ? count_labels(head.label) : 0, 0, 0};
  }

  Plan plan_;
  Chunk chunk_;
  char const* text_ = nullptr;
  std::size_t next_reject_ = 0;
  std::uint32_t segment_end_ = 0;

  Separators<Isa> separators_;
  std::uint32_t at_ = 0;  ///< everything before it was taken
  Phase phase_ = Phase::line_start;

  // The record that is being read.
  std::uint32_t record_begin_ = 0;
  std::uint32_t items_begin_ = 0;
  std::size_t record_pairs_ = 0;  ///< pairs_ where it began
  std::size_t record_labels_ = 0;
  std::int64_t last_index_ = -1;
  bool is_ascending_ = true;
  bool is_bare_ = false;  ///< its first item has no value
  bool has_qid_ = false;
  RoundCounts record_counts_;
  Fault pending_;
  bool has_pending_ = false;

  // The round.
  Batch batch_;
  BatchCapacity capacity_;
  FaultLog* faults_ = nullptr;
  RoundCounts counts_;
  BatchCapacity needed_;
  std::uint64_t lines_before_ = 0;  ///< passed by a call that was stuck
  std::size_t rows_ = 0;
  std::size_t pairs_ = 0;
  std::size_t labels_ = 0;
};

}  // namespace penstock::libsvm
