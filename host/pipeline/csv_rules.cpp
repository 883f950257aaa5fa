#include "host/pipeline/csv_rules.hpp"

#include "penstock/error.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace penstock {
namespace {

struct SpecialByte {
  std::string_view name;
  char byte;
};

void require_distinct(std::array<SpecialByte, 4> const& special) {
  for (std::size_t i = 0; i < special.size(); ++i) {
    if (special[i].byte == 0) continue;  // none
    for (std::size_t j = 0; j < i; ++j) {
      if (special[i].byte != special[j].byte) continue;
      throw ConfigurationError("the " + std::string(special[j].name) + " and the " + std::string(special[i].name) +
                               " are the same byte: " + byte_word(special[i].byte));
    }
  }
}

/// Bytes of numbers: with one of them as a special byte `1.5e-3` would no longer be a number.
bool is_of_numbers(char byte) { return std::string_view("0123456789.+-eE").find(byte) != std::string_view::npos; }

void require_sense(CsvOptions const& options) {
  if (options.delimiter == '\0') throw ConfigurationError("the delimiter cannot be the byte NUL");
  std::array<SpecialByte, 4> const special = {{{"delimiter", options.delimiter.value_or('\0')},
                                               {"quote", options.quote},
                                               {"escape byte", options.escape},
                                               {"comment byte", options.comment}}};
  for (SpecialByte const& one : special) {
    std::string const name(one.name);
    if (csv::is_line_end(one.byte)) throw ConfigurationError("the " + name + " cannot be a line end");
    if (is_of_numbers(one.byte)) {
      throw ConfigurationError("the " + name + " cannot be " + byte_word(one.byte) + ": numbers are made of it",
                               "Digits, '.', '+', '-', 'e' and 'E' are read as parts of numbers.");
    }
    bool const is_trimmed = options.trim && csv::is_blank(one.byte) && one.name != "delimiter";
    if (is_trimmed) throw ConfigurationError("the " + name + " cannot be a blank where blanks are trimmed");
  }
  require_distinct(special);
  if (options.record_max < record_bytes_min || options.record_max > record_bytes_max) {
    throw ConfigurationError("the longest record cannot be " + std::to_string(options.record_max) + " bytes",
                             "Between 64 bytes and 1 GiB are possible.");
  }
  if (!options.label_map.empty() && options.label.empty()) {
    throw ConfigurationError("--label-map needs --label", "Name the column that holds the class names.");
  }
}

bool is_plain_nan(std::string_view text) {
  return text.size() == 3 && csv::is_spelled_nan({text.data(), text.data() + text.size()});
}

}  // namespace

CsvRules::CsvRules(CsvOptions const& options) : nulls_(options.nulls) {
  require_sense(options);
  label_map_ = parse_label_map(options.label_map);
  cells_.dialect = {options.delimiter.value_or(','),
                    options.quote,
                    options.escape,
                    options.comment,
                    options.trim,
                    options.strict_quotes};
  cells_.nan_is_null = std::erase_if(nulls_, is_plain_nan) > 0;
  for (std::string const& null : nulls_) null_bytes_.push_back({null.data(), null.data() + null.size()});
  cells_.nulls = null_bytes_;
  cells_.labels = label_map_.entries;
  cells_.non_finite = options.non_finite;
  cells_.overflow = options.overflow;
}

std::string byte_word(char byte) {
  switch (byte) {
    case ',': return "comma";
    case '\t': return "tab";
    case ';': return "semicolon";
    case '|': return "vertical bar";
    case ' ': return "space";
    default: return shown(std::string_view(&byte, 1));
  }
}

}  // namespace penstock
