#include <algorithm>
#include <string>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "host/app/cli_output.hpp"
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

/// The order of columns on a line: what is to be learned comes first.
constexpr Role shown_order[] = {Role::label, Role::weight, Role::qid, Role::feature};

/// Width on the terminal of text that escape_for_display() made: one column a code point.
std::size_t columns_of(std::string const& text) {
  auto const begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
}

/// Right-aligned columns.
class Table {
 public:
  explicit Table(std::vector<std::string> titles) { add(std::move(titles)); }

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
        line.append((i == 0 ? 0 : 2) + widths_[i] - columns_of(row[i]), ' ');
        line += row[i];
      }
      out.write(line + "\n");
    }
    rows_.clear();
  }

 private:
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
};

std::vector<std::string> titles_of(BatchReader const& reader) {
  std::vector<std::string> titles{"record"};
  for (Role role : shown_order) {
    std::vector<std::string> const names = reader.names(role);
    for (std::size_t i = 0; i < reader.layout().columns(role); ++i) {
      std::string const number = role == Role::feature ? "f" + std::to_string(i) : std::string(name_of(role));
      bool const is_named = i < names.size() && role == Role::feature;
      titles.push_back(is_named ? escape_for_display(names[i], name_columns_max) : number);
    }
  }
  return titles;
}

std::vector<std::string> cells_of(Batch const& batch, std::size_t row, std::uint64_t record) {
  std::vector<std::string> cells{format_count(record)};
  for (Role role : shown_order) {
    Dense const& tensor = batch.tensor(role);
    for (std::size_t i = 0; i < tensor.columns; ++i) cells.push_back(value_text(tensor, row * tensor.columns + i));
  }
  return cells;
}

std::string record_json(Batch const& batch, std::size_t row) {
  Json json;
  json.begin_object();
  for (Role role : tensor_roles) {
    Dense const& tensor = batch.tensor(role);
    if (tensor.columns == 0) continue;
    json.key(name_of(role)).begin_array();
    for (std::size_t i = 0; i < tensor.columns; ++i) add_value(json, tensor, row * tensor.columns + i);
    json.end_array();
  }
  return json.end_object().line();
}

void print_json(BatchReader& reader, StandardOutput& out) {
  for (Batch batch; reader.next(batch);) {
    for (std::size_t row = 0; row < batch.rows; ++row) out.write(record_json(batch, row));
  }
}

void print_table(BatchReader& reader, StandardOutput& out, std::uint64_t skipped) {
  Table table(titles_of(reader));
  std::uint64_t record = skipped;
  try {
    for (Batch batch; reader.next(batch);) {
      for (std::size_t row = 0; row < batch.rows; ++row) {
        table.add(cells_of(batch, row, ++record));
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

std::unique_ptr<BatchReader> open(std::vector<InputFile> const& files, ReadOptions const& options, Console& console) {
  InputKind const kind = common_kind(files, options.kind);
  if (kind != InputKind::csv) return open_batches(files, kind, options);
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
  auto const reader = open(files, options, console);
  StandardOutput out;
  print(*reader, out, arguments.has("json"), options.stream.skip);
  for (std::string const& note : reader->notes()) console.say(note);
  return 0;
}

}  // namespace penstock::app
