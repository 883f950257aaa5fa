/// Faults of Object2Vec lines in words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/json/words.hpp"
#include "formats/object2vec/plan.hpp"
#include "penstock/fault.hpp"

namespace penstock::object2vec {

inline FaultWords words_of(Fault const& fault, Plan const& plan, std::string_view record) {
  constexpr std::string_view names[] = {"in0", "in1", "label", ""};
  std::string const first = "the first record (line " + std::to_string(plan.first_line) + ")";
  FaultWords words = json::common_words(fault, record);
  switch (fault.code) {
    case FaultCode::missing_key:
      words.subject = names[fault.column & 3u];
      words.expected = fault.column == 2 ? first + " has it, and then all records have" : "a record has in0 and in1";
      words.found = "the object's end";
      break;
    case FaultCode::label_mismatch: words.expected = first + " has no label"; break;
    case FaultCode::length_mismatch: words.expected = "a list has at least one token"; break;
    case FaultCode::out_of_range:
      if (fault.column != static_cast<std::uint32_t>(json::Wanted::integer)) break;
      words.expected = "tokens count from 0 to " + std::to_string(plan.token_max);
      words.remedy = "--vocab-size with the number of tokens";
      break;
    default: break;
  }
  return words;
}

}  // namespace penstock::object2vec
