#include "host/app/word_rows.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "formats/core/number_text.hpp"
#include "formats/core/restrict.hpp"
#include "formats/csv/encode.hpp"
#include "formats/normalize/calendar_text.hpp"
#include "host/app/value_text.hpp"
#include "host/pipeline/column_list.hpp"
#include "host/pipeline/csv_roles.hpp"

namespace penstock::app {
namespace {

using Code = WordColumn::Code;

constexpr char delimiter = ',';
constexpr std::string_view missing_alone = "\"\"";  ///< where an empty line would be no record

/// A word as a cell: quoted as names in headers are, and where it begins with something else than a letter or a digit
/// or holds control bytes: a file may begin with it, or its line be taken for a comment.
std::string cell_of(std::string const& word) {
  std::string cell = csv::header_line({&word, 1}, delimiter);
  cell.pop_back();
  if (word.empty() || cell.front() == '"') return cell;
  auto const is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  bool const has_control = std::ranges::any_of(word, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  return is_plain(word.front()) && !has_control ? cell : '"' + cell + '"';
}

std::vector<std::string> cells_of(std::vector<std::string> const& words) {
  std::vector<std::string> cells;
  for (std::string const& word : words) cells.push_back(cell_of(word));
  return cells;
}

/// Columns of text whose numbers stay: their names are those of the features.
void add_numbers(std::vector<std::string> const& names, std::uint32_t from, std::vector<WordColumn>& columns) {
  for (std::string const& name : names) columns.push_back({.name = name, .from = from++});
}

/// Where in the parts of a time its seconds since 1970 are; parts that are not there are past the end.
std::size_t epoch_part(TransformSpec const& spec) {
  auto const is_epoch = [](auto const& part) { return !part.has_value(); };
  return static_cast<std::size_t>(std::ranges::find_if(spec.parts, is_epoch) - spec.parts.begin());
}

WordColumn word_column(FittedColumn const& column, std::uint32_t from) {
  TransformSpec const& spec = column.spec;
  WordColumn words;
  words.name = column.name;
  words.code = spec.transform == Transform::one_hot ? Code::one_hot : Code::place;
  words.from = from;
  words.count = static_cast<std::uint32_t>(column.outputs());
  words.words =
      spec.transform == Transform::boolean ? std::vector<std::string>{"false", "true"} : cells_of(column.vocabulary);
  words.has_other = spec.needs_vocabulary() && spec.unknown == normalize::Unknown::other;
  if (spec.transform != Transform::time) return words;
  words.code = Code::time;
  words.from += static_cast<std::uint32_t>(epoch_part(spec));
  words.count = 1;
  words.words.clear();
  words.time_format = spec.time_format;
  return words;
}

// --- reading codes ---------------------------------------------------------------------------------------------------

/// What a cell says: a text, nothing, or nothing that can be told.
struct Word {
  enum Kind : std::uint8_t { text, missing, bad } kind = missing;
  std::string_view cell = {};
};

/// Features are float32 or float64 behind a normaliser.
double feature_of(Batch const& rows, std::size_t row, std::size_t column) {
  std::size_t const index = row * rows.features.columns + column;
  return rows.features.dtype == DType::float64 ? rows.features.as<double>()[index]
                                               : static_cast<double>(rows.features.as<float>()[index]);
}

Word word_at(WordColumn const& column, std::size_t place) {
  if (place >= column.words.size()) return {Word::missing};
  return {Word::text, column.words[place]};
}

Word read_place(WordColumn const& column, double code) {
  if (std::isnan(code)) return {Word::missing};
  bool const is_place = code >= 0 && code < static_cast<double>(column.places()) && code == std::floor(code);
  return is_place ? word_at(column, static_cast<std::size_t>(code)) : Word{Word::bad};
}

Word read_one_hot(WordColumn const& column, Batch const& rows, std::size_t row) {
  std::optional<std::size_t> place;
  for (std::size_t i = 0; i < column.count; ++i) {
    double const value = feature_of(rows, row, column.from + i);
    if (value == 0) continue;
    if (value != 1 || place) return {Word::bad};
    place = i;
  }
  return place ? word_at(column, *place) : Word{Word::missing};
}

/// `memory` holds the text that is made.
Word read_time(WordColumn const& column, double seconds, std::string& memory) {
  if (std::isnan(seconds)) return {Word::missing};
  std::optional<std::string> text = normalize::instant_text(seconds, column.time_format);
  if (!text) return {Word::bad};
  memory = std::move(*text);
  return {Word::text, memory};
}

/// Of a column that is no number.
Word read_word(WordColumn const& column, Batch const& rows, std::size_t row, std::string& memory) {
  if (column.code == Code::one_hot) return read_one_hot(column, rows, row);
  double const code = feature_of(rows, row, column.from);
  return column.code == Code::time ? read_time(column, code, memory) : read_place(column, code);
}

Word read_class(std::vector<std::pair<double, std::string>> const& classes, double number) {
  if (std::isnan(number)) return {Word::missing};
  auto const found = std::ranges::lower_bound(classes, number, {}, &std::pair<double, std::string>::first);
  if (found == classes.end() || found->first != number) return {Word::bad};
  return {Word::text, found->second};
}

double label_of(Batch const& rows, std::size_t row, std::size_t column) {
  Dense const& label = rows.label;
  std::size_t const index = row * label.columns + column;
  switch (label.dtype) {
    case DType::float64: return label.as<double>()[index];
    case DType::int32: return label.as<std::int32_t>()[index];
    case DType::int64: return static_cast<double>(label.as<std::int64_t>()[index]);
    default: return label.as<float>()[index];
  }
}

// --- what is wrong ---------------------------------------------------------------------------------------------------

std::string expected_of(WordColumn const& column) {
  switch (column.code) {
    case Code::one_hot: return "expected 0 in all of its columns, or 1 in one of them";
    case Code::time:
      return "expected a time in seconds that format=" + std::string(name_of(column.time_format)) + " has a text for";
    default: break;
  }
  if (column.places() == 0) return "expected no value, for there are no words";
  return "expected a whole number from 0 to " + std::to_string(column.places() - 1);
}

/// The values that are no code; of many the first ones that are not 0.
std::string found_in(WordColumn const& column, Batch const& rows, std::size_t row) {
  std::size_t const first = row * rows.features.columns + column.from;
  if (column.code != Code::one_hot) return value_text(rows.features, first);
  std::string found;
  std::size_t listed = 0;
  constexpr std::size_t listed_max = 3;
  for (std::size_t i = 0; i < column.count && listed < listed_max; ++i) {
    if (feature_of(rows, row, column.from + i) == 0) continue;
    std::string const word = i < column.words.size() ? shown(column.words[i]) : "(other)";
    found += (listed++ == 0 ? "" : ", ") + value_text(rows.features, first + i) + " for " + word;
  }
  return found;
}

constexpr std::string_view numbers_hint =
    "It is not what convert --normalize made. Outputs other than CSV keep numbers.";

}  // namespace

bool has_words_back(FittedColumn const& column, DType dtype) {
  TransformSpec const& spec = column.spec;
  if (spec.transform == Transform::time) return dtype == DType::float64 && epoch_part(spec) != spec.parts.size();
  return spec.needs_vocabulary() || spec.transform == Transform::boolean;
}

WordRows::WordRows(NormalizerFile const& file, LoadedSchema const& schema) {
  std::uint32_t from = 0;
  for (FittedColumn const& column : file.columns) {
    bool const is_text = column.spec.takes_text();
    if (is_text && has_words_back(column, file.dtype))
      columns_.push_back(word_column(column, from));
    else
      add_numbers(inverse_names(column), from, columns_);
    from += is_text ? static_cast<std::uint32_t>(column.outputs()) : 1;
  }
  take_classes(schema);
}

void WordRows::take_classes(LoadedSchema const& schema) {
  for (SchemaColumn const& column : schema.schema.columns)
    if (schema.has_header() && column.role == Role::label) label_name_ = column.name;
  std::string const* const option = schema.option("label-map");
  if (option == nullptr) return;
  LabelMap const map = parse_label_map(*option);
  for (std::size_t i = 0; i < map.names.size(); ++i) classes_.emplace_back(map.entries[i].value, cell_of(map.names[i]));
  std::ranges::sort(classes_);
  has_ambiguous_classes_ = std::ranges::adjacent_find(classes_, {}, &Classes::value_type::first) != classes_.end();
  if (has_ambiguous_classes_) classes_.clear();
}

bool WordRows::is_any() const {
  auto const is_word = [](WordColumn const& column) { return column.code != Code::number; };
  return !classes_.empty() || std::ranges::any_of(columns_, is_word);
}

bool WordRows::has_times() const {
  return std::ranges::any_of(columns_, [](WordColumn const& column) { return column.code == Code::time; });
}

std::vector<std::string> WordRows::names() const {
  std::vector<std::string> names;
  for (WordColumn const& column : columns_) names.push_back(column.name);
  return names;
}

std::vector<std::string> WordRows::notes() const {
  std::vector<std::string> notes;
  for (WordColumn const& column : columns_)
    if (column.has_other) notes.push_back(shown(column.name) + ": words that were in no vocabulary are missing");
  if (has_ambiguous_classes_) notes.push_back("the label stays as it is: several classes have the same number");
  return notes;
}

std::optional<RowProblem> WordRows::problem_of(Batch const& rows, std::size_t row) const {
  std::string memory;
  for (std::size_t i = 0; i < rows.label.columns && !classes_.empty(); ++i) {
    if (read_class(classes_, label_of(rows, row, i)).kind != Word::bad) continue;
    return RowProblem{
        row, "label: expected the number of a class, found " + value_text(rows.label, row * rows.label.columns + i),
        "--drop label leaves it out. Outputs other than CSV keep numbers."};
  }
  for (WordColumn const& column : columns_) {
    if (column.code == Code::number || read_word(column, rows, row, memory).kind != Word::bad) continue;
    return RowProblem{
        row, "column " + shown(column.name) + ": " + expected_of(column) + ", found " + found_in(column, rows, row),
        std::string(numbers_hint)};
  }
  return std::nullopt;
}

std::optional<RowProblem> WordRows::problem(Batch const& rows) const {
  for (std::size_t row = 0; row < rows.rows; ++row)
    if (auto problem = problem_of(rows, row)) return problem;
  return std::nullopt;
}

// --- lines -----------------------------------------------------------------------------------------------------------

namespace {

/// A missing value is an empty cell.
char* put_number_of(char* into, Dense const& tensor, std::size_t index) {
  switch (tensor.dtype) {
    case DType::float32: return put_number(into, tensor.as<float>()[index], "");
    case DType::float64: return put_number(into, tensor.as<double>()[index], "");
    case DType::int32: return put_number(into, tensor.as<std::int32_t>()[index], "");
    case DType::int64: return put_number(into, tensor.as<std::int64_t>()[index], "");
  }
  return into;
}

std::size_t longest(std::vector<std::string> const& cells) {
  std::size_t most = 0;
  for (std::string const& cell : cells) most = std::max(most, cell.size());
  return most;
}

std::size_t cell_bytes_max(WordColumn const& column, DType features) {
  if (column.code == Code::number) return number_bytes_max(features);
  return column.code == Code::time ? normalize::instant_text_max : longest(column.words);
}

}  // namespace

WordEncoder::WordEncoder(std::shared_ptr<WordRows const> words, BatchLayout const& layout)
    : words_(std::move(words)), layout_(layout) {
  std::size_t columns = words_->columns_.size();
  row_bytes_max_ = missing_alone.size();
  for (WordColumn const& column : words_->columns_) row_bytes_max_ += cell_bytes_max(column, layout.feature_dtype) + 1;
  for (Role const role : csv::column_order) {
    if (role == Role::feature) continue;
    std::size_t cell = number_bytes_max(layout.dtype(role));
    if (role == Role::label)
      for (auto const& each : words_->classes_) cell = std::max(cell, each.second.size());
    row_bytes_max_ += layout.columns(role) * (cell + 1);
    columns += layout.columns(role);
  }
  has_one_column_ = columns == 1;
}

char* WordEncoder::put_role(char* into, Batch const& rows, Role role, std::size_t row) const {
  Dense const& tensor = rows.tensor(role);
  bool const are_classes = role == Role::label && !words_->classes_.empty();
  for (std::size_t i = 0; i < tensor.columns; ++i) {
    into = are_classes ? put_text(into, read_class(words_->classes_, label_of(rows, row, i)).cell)
                       : put_number_of(into, tensor, row * tensor.columns + i);
    *into++ = delimiter;
  }
  return into;
}

/// All cells of the row, each with a delimiter behind it.
char* WordEncoder::put_row(char* into, Batch const& rows, std::size_t row) {
  for (Role const role : csv::column_order)
    if (role != Role::feature) into = put_role(into, rows, role, row);
  for (WordColumn const& column : words_->columns_) {
    into = column.code == Code::number ? put_number_of(into, rows.features, row * rows.features.columns + column.from)
                                       : put_text(into, read_word(column, rows, row, time_).cell);
    *into++ = delimiter;
  }
  return into;
}

std::size_t WordEncoder::encode(Batch const& rows, std::byte* into) {
  Batch const batch = restricted(rows, layout_);
  auto* const begin = reinterpret_cast<char*>(into);
  char* at = begin;
  for (std::size_t row = 0; row < batch.rows; ++row) {
    char* const line = at;
    at = put_row(at, batch, row) - 1;  // the delimiter behind the last cell gives way to the line end
    if (has_one_column_ && at == line) at = put_text(at, missing_alone);
    *at++ = '\n';
  }
  return static_cast<std::size_t>(at - begin);
}

}  // namespace penstock::app
