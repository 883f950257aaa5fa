/// What a column of text takes, in words for people.
#pragma once

#include <string_view>

#include "formats/normalize/text_rule.hpp"

namespace penstock::normalize {

/// What was expected where a rule cannot read a text.
constexpr std::string_view expected_text(Reading reading) {
  switch (reading) {
    case Reading::boolean: return "expected true or false, yes or no, on or off, 1 or 0";
    case Reading::time: return "expected a date, or a date and a time";
    default: return "this text is not in the column's vocabulary";
  }
}

/// The options that take such texts.
constexpr std::string_view text_remedy(Reading reading) {
  if (reading != Reading::vocabulary) return "--null lists the spellings of missing values";
  return "--normalize with (unknown=ignore) or (unknown=other) behind the column's transform takes unknown words; "
         "--null lists the spellings of missing values";
}

}  // namespace penstock::normalize
