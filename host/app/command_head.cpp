#include <algorithm>
#include <string>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/command_schema.hpp"
#include "host/app/commands.hpp"
#include "host/app/json.hpp"
#include "host/app/options_values.hpp"
#include "host/app/text_columns.hpp"
#include "host/app/value_text.hpp"
#include "host/app/viewing.hpp"
#include "host/io/sink.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

constexpr std::uint64_t records_default = 10;

/// Rows are aligned with each other in pages, so that memory stays bounded however many are asked for.
constexpr std::size_t page_rows = 1000;
/// A name that is wider is cut: one long name must not push all numbers apart.
constexpr std::size_t name_columns_max = 16;
/// Of a row's pairs or labels so many are shown: a dozen pairs fill a line.
constexpr std::size_t elements_shown_max = 12;
/// Of a uid or metadata: a UUID just fits.
constexpr std::size_t text_columns_max = 36;

/// Of a list so many values are shown if there are more than that, and so many of a row's lists.
constexpr std::size_t list_values_max = 5;
constexpr std::size_t list_values_shown = 3;
constexpr std::size_t parts_shown_max = 2;

/// The order of columns on a line: what is to be learned comes first.
constexpr Role shown_order[] = {Role::label, Role::weight, Role::qid, Role::base_margin};

/// The values of rows of different lengths, as a vector.
Dense elements_of(Csr const& csr) { return {csr.values, csr.dtype, 0, 1}; }
Dense elements_of(Ragged const& ragged) { return {ragged.values, ragged.dtype, 0, 1}; }

/// Width on the terminal of text that escape_for_display() made: one column a code point.
std::size_t columns_of(std::string const& text) {
  auto const begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
}

/// Right-aligned columns; the last ones, of pairs and lists, are aligned to the left.
class Table {
 public:
  Table(std::vector<std::string> titles, std::size_t left_columns) : left_columns_(left_columns) {
    add(std::move(titles));
  }

  void add(std::vector<std::string> cells) {
    widths_.resize(std::max(widths_.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], columns_of(cells[i]));
    rows_.push_back(std::move(cells));
  }
  [[nodiscard]] std::size_t rows() const { return rows_.size(); }

  /// Writes what was added since the last call. Columns never become narrower.
  void flush(StandardOutput& out) {
    for (auto const& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) {
        bool const is_left = i + left_columns_ >= row.size();
        bool const is_last = i + 1 == row.size();
        std::size_t const blanks = widths_[i] - columns_of(row[i]);
        line.append((i == 0 ? 0 : 2) + (is_left ? 0 : blanks), ' ');
        line += row[i];
        line.append(is_left && !is_last ? blanks : 0, ' ');
      }
      out.write(line + "\n");
    }
    rows_.clear();
  }

 private:
  std::size_t left_columns_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
};

void add_feature_titles(std::vector<std::string>& titles, BatchReader const& reader) {
  if (reader.layout().is_sparse) {
    titles.emplace_back("column:value (columns from 0)");
    return;
  }
  std::vector<std::string> const names = reader.names(Role::feature);
  for (std::size_t i = 0; i < reader.layout().features; ++i)
    titles.push_back(i < names.size() ? escape_for_display(names[i], name_columns_max) : "f" + std::to_string(i));
}

std::vector<std::string> titles_of(BatchReader const& reader) {
  BatchLayout const& layout = reader.layout();
  std::vector<std::string> titles{"record"};
  if (layout.labels_vary) titles.emplace_back("labels");
  for (Role role : shown_order) titles.insert(titles.end(), layout.columns(role), std::string(name_of(role)));
  if (layout.has_start) titles.emplace_back("start");
  if (layout.cats != 0) titles.emplace_back("cat");
  if (layout.has_uid) titles.emplace_back("uid");
  if (layout.has_metadata) titles.emplace_back("metadata");
  add_feature_titles(titles, reader);
  for (ListLayout const& list : layout.lists) {
    if (list.role != ListRole::none) titles.emplace_back(name_of(list.role));
  }
  return titles;
}

/// Pairs and lists. Where there are both, only the lists.
std::size_t left_columns(BatchLayout const& layout) {
  auto const is_there = [](ListLayout const& list) { return list.role != ListRole::none; };
  if (!layout.has_lists()) return layout.is_sparse ? 1 : 0;
  return static_cast<std::size_t>(std::count_if(layout.lists.begin(), layout.lists.end(), is_there));
}

/// The first of `elements`, as `text` says them, with `between` between them, and how many more there are.
template <class Text>
std::string first_of(Extent elements, std::string_view between, Text text) {
  std::size_t const shown = std::min(elements.size(), elements_shown_max);
  std::string line;
  for (std::size_t i = 0; i < shown; ++i) line += (i == 0 ? "" : std::string(between)) + text(elements.begin + i);
  if (shown < elements.size()) line += " ... (+" + format_count(elements.size() - shown) + ")";
  return line.empty() ? "-" : line;
}

std::string pairs_text(Csr const& csr, std::size_t row) {
  Dense const values = elements_of(csr);
  return first_of(csr.row(row), " ",
                  [&](std::size_t i) { return std::to_string(csr.indices[i]) + ":" + value_text(values, i); });
}

std::string labels_text(Ragged const& labels, std::size_t row) {
  Dense const values = elements_of(labels);
  return first_of(labels.row(row), ",", [&](std::size_t i) { return value_text(values, i); });
}

/// "[4.3, missing, 5.1, ... 7991 values]".
std::string list_text(Dense const& values, Extent elements) {
  std::size_t const shown = elements.size() <= list_values_max ? elements.size() : list_values_shown;
  std::string line;
  for (std::size_t i = 0; i < shown; ++i) {
    std::string const text = value_text(values, elements.begin + i);
    line += (i == 0 ? "" : ", ") + (text == "NaN" ? std::string("missing") : text);
  }
  if (shown < elements.size()) line += ", ... " + std::to_string(elements.size()) + " values";
  return "[" + line + "]";
}

/// One of the lists of one length that `elements` are.
Extent part_of(Extent elements, std::size_t part, std::size_t parts) {
  std::size_t const length = elements.size() / parts;
  return {elements.begin + part * length, elements.begin + (part + 1) * length};
}

/// A list, or lists in brackets.
std::string list_text(ListLayout const& layout, Ragged const& list, std::size_t row) {
  Dense const values = elements_of(list);
  if (layout.role != ListRole::dynamic_feat) return list_text(values, list.row(row));
  std::string text;
  for (std::size_t part = 0; part < std::min(layout.parts, parts_shown_max); ++part)
    text += (part == 0 ? "" : ", ") + list_text(values, part_of(list.row(row), part, layout.parts));
  if (layout.parts > parts_shown_max) text += ", ... " + std::to_string(layout.parts) + " lists";
  return "[" + text + "]";
}

void add_dense(std::vector<std::string>& cells, Dense const& tensor, std::size_t row) {
  for (std::size_t i = 0; i < tensor.columns; ++i) cells.push_back(value_text(tensor, row * tensor.columns + i));
}

std::vector<std::string> cells_of(BatchLayout const& layout, Batch const& batch, std::size_t row,
                                  std::uint64_t record) {
  std::vector<std::string> cells{format_count(record)};
  if (batch.labels.offsets != nullptr) cells.push_back(labels_text(batch.labels, row));
  for (Role role : shown_order) add_dense(cells, batch.tensor(role), row);
  if (layout.has_start) cells.push_back(time_text(batch.start.as<std::int64_t>()[row]));
  if (layout.cats != 0) cells.push_back(list_text(batch.cat, {row * layout.cats, (row + 1) * layout.cats}));
  for (Texts const& texts : {batch.uid, batch.metadata})
    if (texts.offsets != nullptr) cells.push_back(escape_for_display(texts.row(row), text_columns_max));
  if (batch.csr.indptr != nullptr)
    cells.push_back(pairs_text(batch.csr, row));
  else
    add_dense(cells, batch.features, row);
  for (std::size_t i = 0; i < lists_max; ++i) {
    if (batch.lists[i].offsets != nullptr) cells.push_back(list_text(layout.lists[i], batch.lists[i], row));
  }
  return cells;
}

void add_values(Json& json, Dense const& values, Extent elements) {
  json.begin_array();
  for (std::size_t i = elements.begin; i < elements.end; ++i) add_value(json, values, i);
  json.end_array();
}

void add_values(Json& json, std::string_view name, Dense const& values, Extent elements) {
  json.key(name);
  add_values(json, values, elements);
}

/// A list, or a list of lists.
void add_list(Json& json, ListLayout const& layout, Ragged const& list, std::size_t row) {
  Dense const values = elements_of(list);
  if (layout.role != ListRole::dynamic_feat) return add_values(json, name_of(layout.role), values, list.row(row));
  json.key(name_of(layout.role)).begin_array();
  for (std::size_t part = 0; part < layout.parts; ++part)
    add_values(json, values, part_of(list.row(row), part, layout.parts));
  json.end_array();
}

void add_pairs(Json& json, Csr const& csr, std::size_t row) {
  Extent const pairs = csr.row(row);
  json.key("indices").begin_array();
  for (std::size_t i = pairs.begin; i < pairs.end; ++i) json.value(csr.indices[i]);
  json.end_array();
  add_values(json, "values", elements_of(csr), pairs);
}

std::string record_json(BatchLayout const& layout, Batch const& batch, std::size_t row) {
  Json json;
  json.begin_object();
  if (batch.csr.indptr != nullptr) add_pairs(json, batch.csr, row);
  for (Role role : tensor_roles) {
    Dense const& tensor = batch.tensor(role);
    if (role == Role::label && batch.labels.offsets != nullptr)
      add_values(json, name_of(role), elements_of(batch.labels), batch.labels.row(row));
    if (tensor.columns == 0) continue;
    if (role == Role::start)
      json.member(name_of(role), time_text(tensor.as<std::int64_t>()[row]));
    else
      add_values(json, name_of(role), tensor, {row * tensor.columns, (row + 1) * tensor.columns});
  }
  for (std::size_t i = 0; i < lists_max; ++i) {
    if (batch.lists[i].offsets != nullptr) add_list(json, layout.lists[i], batch.lists[i], row);
  }
  if (batch.uid.offsets != nullptr) json.member("uid", batch.uid.row(row));
  if (batch.metadata.offsets != nullptr) json.member("metadata", batch.metadata.row(row));
  return json.end_object().line();
}

void print_json(BatchReader& reader, StandardOutput& out) {
  for (Batch batch; reader.next(batch);) {
    for (std::size_t row = 0; row < batch.rows; ++row) out.write(record_json(reader.layout(), batch, row));
  }
}

void print_table(BatchReader& reader, StandardOutput& out, std::uint64_t skipped) {
  Table table(titles_of(reader), left_columns(reader.layout()));
  std::uint64_t record = skipped;
  try {
    for (Batch batch; reader.next(batch);) {
      for (std::size_t row = 0; row < batch.rows; ++row) {
        table.add(cells_of(reader.layout(), batch, row, ++record));
        if (table.rows() >= page_rows) table.flush(out);
      }
    }
  } catch (Error const&) {
    if (record != skipped) table.flush(out);
    throw;
  }
  table.flush(out);
}

/// What comes before an error is shown too.
void print(BatchReader& reader, StandardOutput& out, bool is_json, std::uint64_t skipped) {
  try {
    if (is_json)
      print_json(reader, out);
    else
      print_table(reader, out, skipped);
  } catch (ClosedPipeError const&) {
    throw;
  } catch (Error const&) {
    out.finish();
    throw;
  }
  out.finish();
}

/// Columns of text are no reason to refuse CSV, unless a schema says what is what.
std::unique_ptr<BatchReader> open(std::vector<InputFile> const& files, ReadOptions const& options, SchemaGuide& schema,
                                  Console& console) {
  FileFormat const& format = schema.format_of(files, options.format);
  check_format_options(options.arguments, {&format}, nullptr);
  if (!format.is("csv") || schema.has_schema()) return open_batches(files, format, options);
  CsvView view = open_csv_view(files, options);
  if (!view.text_columns.empty()) console.say("columns of text are left out: --ignore " + view.ignore_list());
  return std::move(view.reader);
}

}  // namespace

int run_head(Arguments const& arguments) {
  Console console(arguments);
  ReadOptions options = read_options(arguments);
  options.stream.limit = count_of(arguments, "records").value_or(records_default);
  std::vector<InputFile> const files = expand_inputs(arguments.inputs());
  SchemaGuide schema(arguments, console);
  auto const reader = open(files, options, schema, console);
  StandardOutput out;
  print(*reader, out, arguments.has("json"), options.stream.skip);
  for (std::string const& note : reader->notes()) console.say(note);
  return 0;
}

}  // namespace penstock::app
