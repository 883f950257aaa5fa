/// One record, byte by byte, by itself: for engines that come to records out of turn, once they know where one begins
/// and that it is not plain. Says and stores what the decoder (formats/libsvm/decode.hpp) does, of layouts with one
/// label.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/platform.hpp"
#include "formats/libsvm/grammar.hpp"
#include "formats/libsvm/order.hpp"
#include "formats/libsvm/plan.hpp"
#include "penstock/fault.hpp"

namespace penstock::libsvm {

/// Where a record's row goes. Pairs have room for all its words but the first.
template <class T>
struct RowPlaces {
  std::int64_t* indices = nullptr;
  T* values = nullptr;
  float* label = nullptr;
  float* weight = nullptr;      ///< null where the layout has none
  std::int64_t* qid = nullptr;  ///< the same
};

/// What became of a record. Of one at fault nothing but the fault counts; Fault::rows_before is left 0.
struct RecordOutcome {
  Fault fault;
  bool is_fault = false;
  std::uint32_t pairs = 0;
  std::uint32_t missing_cells = 0;
  std::uint32_t inexact_integers = 0;
};

template <class T>
class RecordReader {
 public:
  PENSTOCK_HD RecordReader(Plan const& plan, char const* text, RowPlaces<T> const& places)
      : plan_(plan), text_(text), places_(places) {}

  /// The record of the line that begins at `begin`, which has one.
  PENSTOCK_HD RecordOutcome read(std::uint32_t begin) {
    outcome_.fault.record_begin = begin;
    Head const head = read_head(skip_blanks(text_ + begin));
    if (take_head(head)) {
      items_ = head.end;
      char const* const end = take_items();
      if (end != nullptr) finish(end);
    }
    if (outcome_.is_fault) find_end(head.word.begin);
    return outcome_;
  }

 private:
  // --- the head ------------------------------------------------------------------------------------------------------

  PENSTOCK_HD bool take_head(Head const& head) {
    if (lacks_label(head)) return reject(FaultCode::missing_label, head.word, 0);
    if (find(head.label.begin, head.label.end, ',') != head.label.end)
      return reject(FaultCode::several_labels, head.label, 0);
    return take_finite(head.label, places_.label) && take_weight(head) && take_qid(head.qid);
  }

  PENSTOCK_HD bool take_weight(Head const& head) {
    bool const has_weight = plan_.layout.has_weight;
    if (!head.weight.is_there())
      return !has_weight || reject(FaultCode::missing_weight, {head.label.end, head.label.end}, 0);
    if (!has_weight) return reject(FaultCode::unexpected_weight, head.weight, 0);
    return take_finite(head.weight, places_.weight);
  }

  PENSTOCK_HD bool take_qid(Bytes text) {
    if (!text.is_there()) return true;
    if (!plan_.layout.has_qid) return reject(FaultCode::unexpected_qid, {text.begin - 4, text.end}, 1);
    Meaning<std::int64_t> const qid = read_qid(text);
    if (qid.is_fault) return reject(qid.code, qid.cell, 1);
    *places_.qid = qid.value;
    has_qid_ = true;
    return true;
  }

  PENSTOCK_HD bool take_finite(Bytes text, float* into) {
    Meaning<float> const number = read_finite(text);
    if (number.is_fault) return reject(number.code, number.cell, 0);
    outcome_.inexact_integers += number.is_inexact_integer ? 1 : 0;
    *into = number.value;
    return true;
  }

  // --- items ---------------------------------------------------------------------------------------------------------

  /// Where the record's content ends; null: it is at fault.
  PENSTOCK_HD char const* take_items() {
    for (char const* at = skip_blanks(items_);; at = skip_blanks(at)) {
      if (ends_content(*at)) return at;
      at = take_item(at);
      if (at == nullptr) return nullptr;
    }
  }

  /// Behind the item at `at`; null: it is at fault.
  PENSTOCK_HD char const* take_item(char const* at) {
    if (begins_with_qid(at)) return fail(FaultCode::misplaced_qid, {at, word_end(at)});
    Item const item = read_item(at, plan_.items.syntax);
    if (count_ == plan_.pairs_max) return fail(FaultCode::too_many_pairs, item.all);
    Meaning<std::uint64_t> const index = item_index(item, plan_.items);
    if (index.is_fault) return fail(index.code, index.cell);
    if (count_ == 0) is_bare_ = !item.value.is_there();
    if (is_bare_ == item.value.is_there()) return fail(FaultCode::missing_separator, item.all);
    Meaning<T> const value = item_value<T>(item, plan_.items);
    if (value.is_fault) return fail(value.code, value.cell);
    outcome_.missing_cells += value.is_missing ? 1 : 0;
    outcome_.inexact_integers += value.is_inexact_integer ? 1 : 0;
    store(static_cast<std::int64_t>(index.value), value.value);
    return item.all.end;
  }

  PENSTOCK_HD void store(std::int64_t index, T value) {
    places_.indices[count_] = index;
    places_.values[count_++] = value;
    is_ascending_ = is_ascending_ && index > last_index_;
    last_index_ = index;
  }

  // --- the end -------------------------------------------------------------------------------------------------------

  PENSTOCK_HD void finish(char const* end) {
    if (plan_.layout.has_qid && !has_qid_) {
      fail(FaultCode::missing_qid, {end, end});
      return;
    }
    if (!is_ascending_ && !order()) return;
    std::size_t const columns = plan_.layout.features;
    bool const is_beyond =
        columns != 0 && count_ != 0 && static_cast<std::size_t>(places_.indices[count_ - 1]) >= columns;
    if (is_beyond) fail(FaultCode::index_out_of_range, {end, end});
    outcome_.pairs = static_cast<std::uint32_t>(count_);
  }

  /// Puts the pairs in order. False: they are at fault.
  PENSTOCK_HD bool order() {
    Pairs<T> const pairs = {text_, places_.indices, places_.values, count_};
    Ordered const ordered = order_pairs<SortInPlace>(pairs, items_, plan_.items, plan_.duplicates);
    count_ = ordered.count;
    is_ascending_ = true;
    if (!ordered.is_fault) return true;
    Item const item = read_item(text_ + ordered.item, plan_.items.syntax);
    bool const is_duplicate = ordered.code == FaultCode::duplicate_index;
    return reject(ordered.code, is_duplicate ? item.index : item.value, column_of(ordered.item));
  }

  /// How many items come before the one at `offset`, the label and the query id counted.
  PENSTOCK_HD std::uint32_t column_of(std::uint32_t offset) const {
    std::uint32_t column = first_column();
    for (char const* at = skip_blanks(items_); offset_of(at) < offset; ++column) {
      at = skip_blanks(read_item(at, plan_.items.syntax).all.end);
    }
    return column;
  }

  /// A fault in the items: one of the pairs before it, if there is any, comes first. Null, for the caller to return.
  PENSTOCK_HD char const* fail(FaultCode code, Bytes cell) {
    std::uint32_t const column = static_cast<std::uint32_t>(count_) + first_column();
    if (is_ascending_ || order()) reject(code, cell, column);
    return nullptr;
  }

  /// False, for the caller to return.
  PENSTOCK_HD bool reject(FaultCode code, Bytes cell, std::uint32_t column) {
    outcome_.is_fault = true;
    outcome_.fault.code = code;
    outcome_.fault.cell_begin = offset_of(cell.begin);
    outcome_.fault.cell_end = offset_of(cell.end);
    outcome_.fault.column = column;
    return false;
  }

  PENSTOCK_HD void find_end(char const* at) {
    while (!ends_line(*at)) ++at;
    outcome_.fault.record_end = offset_of(at);
  }

  PENSTOCK_HD std::uint32_t first_column() const { return has_qid_ ? 2 : 1; }
  PENSTOCK_HD std::uint32_t offset_of(char const* at) const { return static_cast<std::uint32_t>(at - text_); }

  Plan const& plan_;
  char const* text_;
  RowPlaces<T> places_;
  RecordOutcome outcome_;
  char const* items_ = nullptr;  ///< behind the head
  std::size_t count_ = 0;        ///< of pairs so far
  std::int64_t last_index_ = -1;
  bool is_ascending_ = true;
  bool is_bare_ = false;  ///< the first item has no value
  bool has_qid_ = false;
};

}  // namespace penstock::libsvm
