/// Faults of libsvm text in words.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/libsvm/grammar.hpp"
#include "formats/libsvm/plan.hpp"
#include "penstock/fault.hpp"

namespace penstock::libsvm {

namespace detail {

/// The fault's cell, as far as `record` goes; words get long and messages do not.
inline std::string_view cell_of(Fault const& fault, std::string_view record) {
  std::size_t const begin = std::min<std::size_t>(fault.cell_begin - fault.record_begin, record.size());
  std::size_t const end = std::min<std::size_t>(fault.cell_end - fault.record_begin, record.size());
  return record.substr(begin, end - begin);
}

/// `3` in `3:abc`, where `cell` is the value.
inline std::string_view index_before(std::string_view record, std::size_t cell) {
  if (cell == 0 || cell > record.size() || record[cell - 1] != ':') return {};
  std::size_t begin = cell - 1;
  while (begin > 0 && record[begin - 1] >= '0' && record[begin - 1] <= '9') --begin;
  return record.substr(begin, cell - 1 - begin);
}

/// Items are counted from 1, as people do; a query id is none.
inline std::string pair_subject(Fault const& fault, Plan const& plan, std::string_view record) {
  std::string subject = "pair " + std::to_string(fault.column - (plan.layout.has_qid ? 1 : 0));
  std::string_view const index = index_before(record, fault.cell_begin - fault.record_begin);
  constexpr std::size_t shown_max = 20;
  if (!index.empty() && index.size() <= shown_max) subject += " (index " + std::string(index) + ")";
  return subject;
}

inline bool is_about_qid(Fault const& fault, Plan const& plan) {
  using enum FaultCode;
  bool const is_qid_code = fault.code == misplaced_qid || fault.code == unexpected_qid || fault.code == missing_qid;
  return is_qid_code || (fault.column == 1 && plan.layout.has_qid);
}

inline std::string subject_of(Fault const& fault, Plan const& plan, std::string_view record) {
  if (fault.code == FaultCode::record_too_long) return {};
  if (is_about_qid(fault, plan)) return "query id";
  if (fault.column != 0) return pair_subject(fault, plan, record);
  bool const is_weight_code = fault.code == FaultCode::missing_weight || fault.code == FaultCode::unexpected_weight;
  std::size_t const cell = fault.cell_begin - fault.record_begin;
  bool const is_behind_colon = cell > 0 && cell <= record.size() && record[cell - 1] == ':';
  return is_weight_code || is_behind_colon ? "weight" : "label";
}

inline std::string remedy_of(Fault const& fault, Plan const& plan, std::string_view cell) {
  bool const has_colon = cell.find(':') != std::string_view::npos;
  switch (fault.code) {
    case FaultCode::several_labels: return "--multilabel reads lists of labels; --from csv if this is CSV";
    case FaultCode::index_below_base: return "--index-base 0 if indices count from 0";
    case FaultCode::index_out_of_range: return "--num-features with the number of columns";
    case FaultCode::unexpected_weight:
      return "if its first word is a pair, the label is missing; else mend the first record, which decides";
    case FaultCode::missing_weight:
    case FaultCode::missing_qid:
    case FaultCode::unexpected_qid: return "the first record decides: mend that one or this one";
    case FaultCode::qid_out_of_order: return "--qid-order any takes query ids in any order";
    case FaultCode::duplicate_index: return "--duplicates last or --duplicates sum";
    case FaultCode::missing_separator:
      if (plan.items.syntax.is_libfm || plan.items.syntax.is_dmlc) return {};
      return "--compat dmlc reads bare indices and blanks around the colon";
    case FaultCode::not_a_number:
      return has_colon && fault.column != 0 && !plan.items.syntax.is_libfm ? "--libfm reads field:index:value" : "";
    case FaultCode::not_an_integer:
    case FaultCode::non_finite:
      return fault.column != 0 && !is_floating(plan.layout.feature_dtype) ? "--dtype float32 or float64" : "";
    case FaultCode::out_of_range:
      if (is_about_qid(fault, plan) || fault.column == 0) return {};
      return is_floating(plan.layout.feature_dtype) ? "--overflow inf, or --dtype float64" : "a wider --dtype";
    default: return {};
  }
}

inline std::string expected_of(Fault const& fault, Plan const& plan) {
  switch (fault.code) {
    case FaultCode::missing_label: return "a record begins with its label";
    case FaultCode::qid_out_of_order: return "lower than that of the record before";
    case FaultCode::index_out_of_range:
      return "indices go to " + std::to_string(plan.layout.features - 1 + plan.items.base) +
             " (features: " + std::to_string(plan.layout.features) + ")";
    case FaultCode::missing_separator:
      if (plan.items.syntax.is_libfm) return "expected field:index:value without blanks";
      return plan.items.syntax.is_dmlc ? "pairs with a value and indices without one are mixed in one record" : "";
    case FaultCode::too_many_pairs:
      return "a record has at most " + std::to_string(plan.pairs_max) + " pairs, more than different indices can make";
    default: return {};
  }
}

}  // namespace detail

/// `record` is the record's bytes, or what there is of them.
inline FaultWords words_of(Fault const& fault, Plan const& plan, std::string_view record) {
  std::string_view const cell = detail::cell_of(fault, record);
  FaultWords words;
  words.subject = detail::subject_of(fault, plan, record);
  words.expected = detail::expected_of(fault, plan);
  bool const is_empty_number = fault.code == FaultCode::not_a_number && fault.cell_begin == fault.cell_end;
  if (is_empty_number) words.found = "nothing";
  words.remedy = detail::remedy_of(fault, plan, cell);
  return words;
}

}  // namespace penstock::libsvm
