/// Columns of text: kept as they are, or read by their rules. For the CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "formats/core/number.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/number.hpp"
#include "formats/json/places.hpp"
#include "formats/normalize/text_rule.hpp"
#include "formats/objects/plan.hpp"
#include "penstock/batch.hpp"

namespace penstock::objects {

/// The bytes that a valid string spells: its own, where it has no escapes, else those in `memory`, which holds
/// text_bytes_max. Nothing if there are more, or as many as `memory` holds if `is_cut`.
inline std::optional<std::string_view> spelled(json::String string, char* memory, bool is_cut) {
  std::string_view const written(string.begin, static_cast<std::size_t>(string.end - string.begin));
  if (written.find('\\') == std::string_view::npos) {
    if (written.size() > text_bytes_max && !is_cut) return std::nullopt;
    return written.substr(0, text_bytes_max);
  }
  std::size_t size = 0;
  json::StringReader reader(string);
  for (int byte = reader.next(); byte >= 0; byte = reader.next()) {
    if (size == text_bytes_max && !is_cut) return std::nullopt;
    if (size == text_bytes_max) break;
    memory[size++] = static_cast<char>(byte);
  }
  return std::string_view(memory, size);
}

/// The texts of the row that is read.
class RowTexts {
 public:
  RowTexts(Rules const& rules, json::Places const& places, json::Outcome& outcome)
      : rules_(rules), places_(places), outcome_(outcome) {}

  /// False: the column's rule does not know the text, or it is too long for one.
  bool read(std::uint32_t place, json::String string) {
    char memory[text_bytes_max];
    std::optional<std::string_view> const text = spelled(string, memory, rules_.texts.cuts);
    if (!text) return false;
    if (is_missing(*text)) {
      set_missing(place);
      return true;
    }
    if (rules_.texts.rules == nullptr) {
      keep(place, *text);
      return true;
    }
    normalize::TextValue const value = normalize::read_text(rules_.texts.rules[place], text->data(), text->size());
    if (value.kind == normalize::TextValue::value) category(place) = value.number;
    if (value.kind == normalize::TextValue::missing) set_missing(place);
    return value.kind != normalize::TextValue::fault;
  }

  void set_missing(std::uint32_t place) {
    if (rules_.texts.rules == nullptr)
      cell(place) = {missing_text, 0};
    else
      category(place) = json::missing_value<double>();
    ++outcome_.missing;
  }

 private:
  /// As is_null() has it of the string, but few texts are as long as a null spelling.
  [[nodiscard]] bool is_missing(std::string_view text) const {
    Tables const& tables = rules_.tables;
    for (std::uint32_t i = 0; i < tables.null_count; ++i) {
      if (text == std::string_view(tables.nulls[i].begin, tables.nulls[i].bytes)) return true;
    }
    bool const may_be_nan = tables.nan_is_null && (text.size() == 3 || text.size() == 4);
    return may_be_nan &&
           number::parse_special<float>(text.data(), text.data() + text.size()).status == number::Status::nan;
  }

  /// A text for which there is no room is counted only.
  void keep(std::uint32_t place, std::string_view text) {
    std::size_t const begin = places_.used.text_bytes + outcome_.taken.text_bytes;
    outcome_.taken.text_bytes += text.size();
    if (begin + text.size() > places_.capacity.text_bytes) return;
    cell(place) = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(text.size())};
    std::memcpy(places_.batch.texts.bytes + begin, text.data(), text.size());
  }

  [[nodiscard]] TextCell& cell(std::uint32_t place) const {
    TextCells const& texts = places_.batch.texts;
    return texts.cells[places_.used.rows * texts.columns + place];
  }
  [[nodiscard]] double& category(std::uint32_t place) const {
    Dense const& categories = places_.batch.categories;
    return categories.as<double>()[places_.used.rows * categories.columns + place];
  }

  Rules const& rules_;
  json::Places const& places_;
  json::Outcome& outcome_;
};

}  // namespace penstock::objects
