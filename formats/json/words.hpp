/// Faults of JSON lines in words: which key, what was expected.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/core/format.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/number.hpp"
#include "penstock/fault.hpp"

namespace penstock::json {

/// Keys are shown up to here.
inline constexpr std::size_t key_shown_max = 40;

namespace detail {

struct Level {
  bool is_object = false;
  bool has_key = false;
  std::string key = {};
  std::size_t index = 0;
};

inline std::string path_text(std::vector<Level> const& levels) {
  std::string path;
  for (Level const& level : levels) {
    if (!level.is_object) {
      path += "[" + std::to_string(level.index) + "]";
    } else if (level.has_key) {
      path += (path.empty() ? "" : ".") + level.key;
    }
  }
  return path;
}

}  // namespace detail

/// The keys and list places that lead to the value at `offset`: `target[1]`, `a.b[2]`; empty at the record's own level.
/// Up to there the record is JSON.
inline std::string path_of(std::string_view record, std::size_t offset) {
  std::string const text = std::string(record.substr(0, offset)) + "\n       ";
  char const* at = text.data();
  char const* const end = at + std::min(offset, record.size());
  std::vector<detail::Level> levels;
  while (at < end) {
    switch (*at) {
      case '{': levels.push_back({.is_object = true}); break;
      case '[': levels.push_back({}); break;
      case '}':
      case ']':
        if (!levels.empty()) levels.pop_back();
        break;
      case ',':
        if (!levels.empty()) ++levels.back().index, levels.back().has_key = false;
        break;
      case '"': {
        Found const found = skip_string(at + 1);
        if (found.is_error()) return detail::path_text(levels);
        bool const is_key = !levels.empty() && levels.back().is_object && !levels.back().has_key;
        if (is_key) {
          auto const bytes = static_cast<std::size_t>(found.at - at - 2);
          levels.back().key.assign(at + 1, std::min(bytes, key_shown_max));
          if (bytes > key_shown_max) levels.back().key += "...";
          levels.back().has_key = true;
        }
        at = found.at;
        continue;
      }
      default: break;
    }
    ++at;
  }
  return detail::path_text(levels);
}

/// What is wrong, of text that is no JSON.
inline std::string_view words_of(Error error) {
  switch (error) {
    case Error::expected_object: return "expected an object: a record is a line {\"key\": value, ...}";
    case Error::expected_key: return "expected a key in double quotes";
    case Error::expected_colon: return "expected ':' behind the key";
    case Error::expected_value: return "expected a value";
    case Error::expected_comma: return "expected ',' or '}' behind the value";
    case Error::expected_bracket: return "expected ',' or ']' behind the value";
    case Error::text_behind: return "text stands behind the object: a line holds one";
    case Error::truncated: return "the line ends inside the object";
    case Error::trailing_comma: return "a comma stands before the closing bracket";
    case Error::leading_zero: return "a number has no zeros in front";
    case Error::bare_point: return "a number has digits on both sides of its point";
    case Error::plus_sign: return "a number has no plus sign";
    case Error::bad_number: return "expected a number as JSON has them";
    case Error::lenient_word: return "NaN and Infinity are no JSON";
    case Error::bad_word: return "expected a value (words are true, false and null)";
    case Error::single_quote: return "strings have double quotes";
    case Error::control: return "a control character stands inside a string: \\u00XX spells it";
    case Error::bad_escape: return "no escape of JSON";
    case Error::lone_surrogate: return "half of a surrogate pair";
    case Error::bad_utf8: return "bytes that are no UTF-8";
    case Error::too_deep: return "objects and lists are nested more than 64 deep";
    case Error::none: break;
  }
  return "not a JSON object";
}

inline std::string_view words_of(Wanted wanted) {
  switch (wanted) {
    case Wanted::number: return "expected a number";
    case Wanted::integer: return "expected an integer";
    case Wanted::number_or_list: return "expected a number or a list of numbers";
    case Wanted::list_of_numbers: return "expected a list of numbers";
    case Wanted::list_of_integers: return "expected a list of integers";
    case Wanted::list_of_lists: return "expected a list of lists of numbers";
    case Wanted::text: return "expected a string";
    case Wanted::object: return "expected an object";
  }
  return "";
}

/// Elements of the list at `at` of a line that is JSON up to the list's end; 0 if there is no list.
inline std::size_t count_elements(char const* at) {
  if (*at != '[') return 0;
  at = skip_space(at + 1);
  if (*at == ']') return 0;
  for (std::size_t count = 1;; ++count) {
    Found const end = skip_value(at, 1, true);
    if (end.is_error()) return count;
    Next const next = read_next(end.at, ']');
    if (next.after != After::more) return count;
    at = next.place.at;
  }
}

/// The same of a record whose line end is not at hand.
inline std::size_t count_elements(std::string_view record, std::size_t offset) {
  std::string const text = std::string(record.substr(std::min(offset, record.size()))) + "\n       ";
  return count_elements(text.data());
}

/// What all kinds of records say alike. `record` is the record's bytes, or what there is of them.
inline FaultWords common_words(Fault const& fault, std::string_view record) {
  std::size_t const offset = fault.cell_begin - fault.record_begin;
  FaultWords words;
  words.subject = fault.code == FaultCode::record_too_long ? std::string() : path_of(record, offset);
  switch (fault.code) {
    case FaultCode::malformed_json:
    case FaultCode::nested_too_deep: {
      auto const error = static_cast<Error>(fault.column);
      words.expected = words_of(error);
      if (error == Error::truncated) words.found = "the line's end";
      if (error == Error::lenient_word) words.remedy = "--lenient reads NaN, Infinity and -Infinity";
      break;
    }
    case FaultCode::wrong_type: words.expected = words_of(static_cast<Wanted>(fault.column)); break;
    case FaultCode::unknown_key: words.remedy = "--unknown-keys ignore"; break;
    default: break;
  }
  return words;
}

}  // namespace penstock::json
