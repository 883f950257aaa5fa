/// Faults of objects in words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/json/words.hpp"
#include "formats/normalize/text_words.hpp"
#include "formats/objects/plan.hpp"
#include "formats/objects/texts.hpp"
#include "penstock/batch.hpp"
#include "penstock/dtype.hpp"
#include "penstock/fault.hpp"

namespace penstock::objects {

namespace detail {

/// The column that a fault is about, if it is about one.
inline Column const* column_of(Fault const& fault, Plan const& plan) {
  switch (fault.code) {
    case FaultCode::malformed_json:
    case FaultCode::nested_too_deep:
    case FaultCode::duplicate_key:
    case FaultCode::unknown_key:
    case FaultCode::record_too_long: return nullptr;
    default: break;
  }
  return fault.column < plan.rules.tables.column_count ? plan.rules.tables.columns + fault.column : nullptr;
}

inline std::string_view noun_of(Role role) {
  switch (role) {
    case Role::label: return "a label";
    case Role::weight: return "a weight";
    case Role::qid: return "a query id";
    case Role::category: return "a text";
    default: return "a feature";
  }
}

inline bool is_string(Fault const& fault, std::string_view record) {
  std::size_t const at = fault.cell_begin - fault.record_begin;
  return at < record.size() && record[at] == '"';
}

inline void say_type(Fault const& fault, Column const& column, std::string_view record, FaultWords& words) {
  bool const is_text = is_string(fault, record);
  words.expected = column.role == Role::qid        ? "expected an integer"
                   : column.role == Role::category ? "expected a string, a number, true or false"
                                                   : "expected a number";
  if (column.role == Role::label && is_text) words.remedy = "--label-map names the numbers of texts";
  if (column.role == Role::feature)
    words.remedy = is_text ? "--null lists strings that count as missing" : "a path goes on to a number: a.b or a[0]";
}

inline void say_missing(Column const& column, Plan const& plan, FaultWords& words) {
  bool const is_feature = column.role == Role::feature;
  words.expected =
      is_feature ? "an integer column has no missing values" : std::string(noun_of(column.role)) + " cannot be missing";
  if (is_feature && !is_floating(plan.layout.feature_dtype)) words.remedy = "--dtype float32 or float64";
}

/// Whether a cell is a text that is too long for any rule.
inline bool is_long_text(Fault const& fault, std::string_view record) {
  std::size_t const begin = fault.cell_begin - fault.record_begin, end = fault.cell_end - fault.record_begin;
  if (end > record.size() || end - begin <= text_bytes_max) return false;
  if (!is_string(fault, record)) return true;
  char memory[text_bytes_max];
  return !spelled({record.data() + begin + 1, record.data() + end - 1}, memory, false);
}

inline void say_text(Column const& column, Plan const& plan, FaultWords& words) {
  normalize::TextRule const* const rules = plan.rules.texts.rules;
  if (rules == nullptr) return;
  words.expected = normalize::expected_text(rules[column.place].reading);
  words.remedy = normalize::text_remedy(rules[column.place].reading);
}

}  // namespace detail

/// `record` is the record's bytes, or what there is of them.
inline FaultWords words_of(Fault const& fault, Plan const& plan, std::string_view record) {
  Column const* const column = detail::column_of(fault, plan);
  Fault common = fault;
  if (fault.code == FaultCode::wrong_type) common.column = 0;
  FaultWords words = json::common_words(common, record);
  bool const is_key = fault.code == FaultCode::duplicate_key || fault.code == FaultCode::unknown_key;
  if (is_key) words.subject = json::path_of(record, fault.cell_end - fault.record_begin);
  if (fault.code == FaultCode::duplicate_key) words.expected = "the key stands twice in its object, and is asked for";
  if (column == nullptr) return words;
  words.subject = plan.store->names[fault.column];
  bool const is_float = is_floating(plan.layout.feature_dtype);
  bool const is_feature = column->role == Role::feature;
  bool const is_absent = fault.cell_end == fault.cell_begin + 1 &&
                         fault.cell_begin - fault.record_begin < record.size() &&
                         record[fault.cell_begin - fault.record_begin] == '}';
  switch (fault.code) {
    case FaultCode::wrong_type: detail::say_type(fault, *column, record, words); break;
    case FaultCode::missing_key:
      words.expected = "the key is missing";
      words.remedy = "--missing-keys missing";
      break;
    case FaultCode::missing_value: detail::say_missing(*column, plan, words); break;
    case FaultCode::unmapped_label: words.remedy = "--label-map lists the texts"; break;
    case FaultCode::unknown_text:
      detail::say_text(*column, plan, words);
      if (detail::is_long_text(fault, record)) words.expected = "a text has at most 4,096 bytes", words.remedy = {};
      break;
    case FaultCode::non_finite:
      if (is_feature) words.remedy = is_float ? "--inf pass" : "--dtype float32 or float64, and --inf pass";
      break;
    case FaultCode::not_an_integer:
      if (is_feature) words.remedy = "--dtype float32 or float64";
      break;
    case FaultCode::out_of_range:
      if (is_feature) words.remedy = is_float ? "--overflow inf, or --dtype float64" : "a wider --dtype";
      break;
    default: break;
  }
  if (is_absent) words.found = "the object's end";
  return words;
}

}  // namespace penstock::objects
