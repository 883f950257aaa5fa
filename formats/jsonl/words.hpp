/// Faults of vectors in words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/json/words.hpp"
#include "formats/jsonl/plan.hpp"
#include "penstock/fault.hpp"

namespace penstock::jsonl {

inline FaultWords words_of(Fault const& fault, Plan const& plan, std::string_view record) {
  std::string const first = "the first record (line " + std::to_string(plan.first_line) + ")";
  std::size_t const cell = fault.cell_begin - fault.record_begin;
  bool const is_at_end = fault.code == FaultCode::missing_label || fault.code == FaultCode::missing_features;
  FaultWords words = json::common_words(fault, record);
  bool const is_about_keys =
      words.subject.find("keys[") != std::string::npos || words.subject.find("shape") != std::string::npos;
  bool const is_value = !is_about_keys && words.subject.find("label") == std::string::npos;
  bool const is_integer = !is_floating(plan.layout.feature_dtype);
  switch (fault.code) {
    case FaultCode::missing_label: words.expected = first + " has a label, and then all records have"; break;
    case FaultCode::missing_features: words.expected = "a record has features"; break;
    case FaultCode::label_mismatch: {
      std::size_t const labels = plan.layout.labels;
      words.expected = first + " has " +
                       (labels == 0   ? "no label"
                        : labels == 1 ? "one label"
                                      : std::to_string(labels) + " labels");
      words.remedy = "--multilabel reads lists of labels of any length";
      break;
    }
    case FaultCode::width_mismatch:
      words.expected = first + " has " + std::to_string(plan.layout.features) + " features, this one " +
                       std::to_string(json::count_elements(record, cell));
      break;
    case FaultCode::density_mismatch:
      words.expected = plan.layout.is_sparse ? first + " is sparse, with keys; this one is dense"
                                             : first + " is dense; this one is sparse, with keys";
      break;
    case FaultCode::keys_mismatch: words.expected = "keys and values differ in number"; break;
    case FaultCode::shape_mismatch:
      words.expected = plan.layout.features == 0
                           ? "expected a list of one number from 1 on"
                           : "expected [" + std::to_string(plan.layout.features) + "], the number of features";
      break;
    case FaultCode::bad_index: words.expected = "expected an index from 0 to 2^63 - 2"; break;
    case FaultCode::index_out_of_range:
      words.expected = "the index is beyond the shape";
      if (plan.layout.features != 0) words.remedy = "--num-features with the number of columns";
      break;
    case FaultCode::duplicate_index: words.expected = "the index stands twice in this record"; break;
    case FaultCode::out_of_range:
      if (is_value) words.remedy = is_integer ? "a wider --dtype" : "--overflow inf, or --dtype float64";
      break;
    case FaultCode::not_an_integer:
    case FaultCode::missing_value:
    case FaultCode::non_finite:
      if (is_value && is_integer) words.remedy = "--dtype float32 or float64";
      break;
    default: break;
  }
  if (is_at_end) {
    words.subject.clear();
    words.found = "the object's end";
  }
  return words;
}

}  // namespace penstock::jsonl
