#include "host/pipeline/csv_header.hpp"

#include "penstock/error.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace penstock {
namespace {

constexpr std::size_t listed_max = 8;  // a line or two

/// The texts of the header's cells, whatever they are.
std::vector<std::string> cell_texts(HeaderRecord const& header) {
  std::vector<std::string> texts;
  texts.reserve(header.record.cells.size());
  for (std::string_view cell : header.record.cells) {
    std::optional<std::string> text = unquoted(cell, header.rules.dialect);
    if (!text) {
      throw SchemaError(header.file + ": the name of column " + std::to_string(texts.size()) + " is longer than " +
                        std::to_string(csv::rewritten_cell_max) + " bytes");
    }
    texts.push_back(*std::move(text));
  }
  return texts;
}

void require_readable(HeaderRecord const& header) {
  if (header.rules.dialect.strict_quotes && header.record.has_stray_quote) {
    throw SchemaError(header.file + ": a quote stands in a wrong place of the header",
                      "Quotes are strict; without --quotes strict such a quote is text.");
  }
  if (header.record.cells.size() > columns_max) {
    throw SchemaError(header.file + ": " + std::to_string(header.record.cells.size()) + " columns, at most " +
                      std::to_string(columns_max) + " are possible");
  }
}

[[noreturn]] void throw_twice(std::string const& file, std::string const& name, std::size_t first, std::size_t second) {
  std::string const where = " (columns " + std::to_string(first) + " and " + std::to_string(second) + ")";
  throw SchemaError(file + ": two columns are named " + shown(name) + where,
                    "Rename one of them in the header, or drop the header and say --header no.");
}

/// A cell of a record that should be a header, but is a number and no name.
std::optional<std::string> first_number(HeaderRecord const& header, ColumnNames const& expected) {
  for (std::string_view cell : header.record.cells) {
    if (guess_cell(cell, header.rules) != CellGuess::number) continue;
    std::optional<std::string> text = unquoted(cell, header.rules.dialect);
    if (text && !expected.find(*text)) return text;
  }
  return std::nullopt;
}

/// What may be meant by names that are too many, as far as names are missing that are like them.
std::string hint_for(std::vector<std::string> const& missing, std::vector<std::string> const& extra,
                     std::size_t fields) {
  if (fields == 1 && missing.size() > 1) return "Its first record is one field: is its delimiter another one?";
  std::string hint;
  for (std::size_t i = 0; i < std::min(extra.size(), listed_max); ++i) {
    std::string const near = nearest_name(extra[i], missing);
    if (near.empty()) continue;
    hint += (hint.empty() ? "" : " ") + shown(extra[i]) + " may be meant for " + shown(near) + ".";
  }
  return hint;
}

[[noreturn]] void throw_mismatch(HeaderRecord const& header, ColumnNames const& expected, std::string_view first_file,
                                 std::vector<std::string> const& texts) {
  if (std::optional<std::string> const number = first_number(header, expected)) {
    throw SchemaError(header.file + ": has no header like that of " + std::string(first_file) +
                          ": its first record holds the number " + shown(*number),
                      "Every file begins with a header of its own, or none does.");
  }
  std::vector<bool> is_there(expected.size());
  std::vector<std::string> missing, extra;
  for (std::string const& text : texts) {
    auto const column = expected.find(text);
    if (column) is_there[*column] = true;
    if (!column) extra.push_back(text);
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!is_there[i]) missing.push_back(expected.name(i));
  }
  std::string words = header.file + ": its columns are not those of " + std::string(first_file) + ": ";
  if (!missing.empty()) words += "missing " + shown_list(missing, listed_max);
  if (!missing.empty() && !extra.empty()) words += "; ";
  if (!extra.empty()) words += "extra " + shown_list(extra, listed_max);
  throw SchemaError(words, hint_for(missing, extra, texts.size()));
}

}  // namespace

std::vector<std::string> header_names(HeaderRecord const& header) {
  require_readable(header);
  std::vector<std::string> names = cell_texts(header);
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto const [place, is_new] = places.emplace(names[i], i);
    if (!is_new) throw_twice(header.file, names[i], place->second, i);
  }
  return names;
}

std::vector<std::size_t> match_header(HeaderRecord const& header, ColumnNames const& expected,
                                      std::string_view first_file) {
  require_readable(header);
  std::vector<std::string> const texts = cell_texts(header);
  std::vector<std::size_t> matches;
  std::vector<std::optional<std::size_t>> place_of(expected.size());
  bool is_known = true;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto const column = expected.find(texts[i]);
    is_known = is_known && column.has_value();
    if (!column) continue;
    if (place_of[*column]) throw_twice(header.file, texts[i], *place_of[*column], i);
    place_of[*column] = i;
    matches.push_back(*column);
  }
  if (!is_known || matches.size() != expected.size()) throw_mismatch(header, expected, first_file, texts);
  return matches;
}

}  // namespace penstock
