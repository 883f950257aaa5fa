/// Faults of DeepAR lines in words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/deepar/plan.hpp"
#include "formats/deepar/record.hpp"
#include "formats/json/lines.hpp"
#include "formats/json/words.hpp"
#include "penstock/fault.hpp"

namespace penstock::deepar {

namespace detail {

inline std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

inline std::string first_record(Plan const& plan) {
  return "the first record (line " + std::to_string(plan.first_line) + ")";
}

inline std::string_view name_of(Key key) {
  constexpr std::string_view names[] = {"start", "target", "cat", "dynamic_feat", ""};
  return names[static_cast<std::size_t>(key)];
}

inline bool begins_with(std::string_view text, std::string_view begin) { return text.substr(0, begin.size()) == begin; }

/// Values of target, or 0.
inline std::size_t count_target(std::string_view record) {
  std::string const text = std::string(record) + "\n       ";
  std::size_t count = 0;
  json::for_each_member(json::skip_space(text.data()), true, true, [&](json::String key, char const* value) {
    if (key_of(key) == Key::target) count = json::count_elements(text, static_cast<std::size_t>(value - text.data()));
  });
  return count;
}

inline void say_lengths(Fault const& fault, Plan const& plan, std::string_view record, FaultWords& words) {
  std::size_t const count = json::count_elements(record, fault.cell_begin - fault.record_begin);
  if (begins_with(words.subject, "target")) {
    words.expected = "a time series has at least one value";
  } else if (begins_with(words.subject, "cat") || begins_with(words.subject, "feat_static_cat")) {
    words.expected = first_record(plan) + " has " +
                     (plan.layout.cats == 0 ? "no cat" : counted(plan.layout.cats, "value")) + ", this one " +
                     std::to_string(count);
  } else if (words.subject.find('[') == std::string::npos) {
    std::size_t const lists = plan.dynamic_feats();
    words.expected = first_record(plan) + " has " + (lists == 0 ? "no dynamic_feat" : counted(lists, "list")) +
                     ", this one " + std::to_string(count);
  } else {
    std::size_t const target = count_target(record);
    words.expected = "target has " + counted(target, "value");
    if (plan.prediction_length != 0)
      words.expected += " and --prediction-length " + std::to_string(plan.prediction_length);
    words.expected += ", this list " + std::to_string(count);
    if (count > target) words.remedy = "--prediction-length N if lists are N longer, as for inference";
  }
}

}  // namespace detail

inline FaultWords words_of(Fault const& fault, Plan const& plan, std::string_view record) {
  FaultWords words = json::common_words(fault, record);
  switch (fault.code) {
    case FaultCode::missing_key: {
      auto const key = static_cast<Key>(fault.column);
      bool const is_always = key == Key::start || key == Key::target;
      words.subject = detail::name_of(key);
      words.expected = is_always ? "a record has start and target"
                                 : detail::first_record(plan) + " has it, and then all records have";
      words.found = "the object's end";
      break;
    }
    case FaultCode::length_mismatch: detail::say_lengths(fault, plan, record, words); break;
    case FaultCode::missing_value: words.expected = "a value is missing: only target may lack values"; break;
    case FaultCode::out_of_range:
      if (fault.column == static_cast<std::uint32_t>(json::Wanted::integer))
        words.expected = "categories count from 0 to 2147483647";
      break;
    default: break;
  }
  return words;
}

}  // namespace penstock::deepar
