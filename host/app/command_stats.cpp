// What the columns of an input hold, in numbers.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/column_statistics.hpp"
#include "host/app/commands.hpp"
#include "host/app/fault_lines.hpp"
#include "host/app/json.hpp"
#include "host/app/options_values.hpp"
#include "host/app/text_columns.hpp"
#include "host/app/value_text.hpp"
#include "host/app/viewing.hpp"
#include "host/text/suggest.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

using statistics::Summary;

/// A number that is known of every column.
struct Statistic {
  std::string_view name;
  double (*of)(Summary const& summary);
  bool is_count = false;
  bool needs_values = false;  ///< without finite values there is none
};

double number(std::uint64_t count) { return static_cast<double>(count); }

constexpr Statistic statistic_table[] = {
    {"count", [](Summary const& s) { return number(s.moments.count); }, true},
    {"missing", [](Summary const& s) { return number(s.missing); }, true},
    {"infinite", [](Summary const& s) { return number(s.infinite); }, true},
    {"zeros", [](Summary const& s) { return number(s.zeros); }, true},
    {"min", [](Summary const& s) { return s.least; }, false, true},
    {"max", [](Summary const& s) { return s.greatest; }, false, true},
    {"mean", [](Summary const& s) { return s.moments.mean; }, false, true},
    {"std", [](Summary const& s) { return standard_deviation(s.moments); }, false, true},
    {"skewness", [](Summary const& s) { return skewness(s.moments); }, false, true},
};

std::optional<double> value_of(Statistic const& statistic, Summary const& summary) {
  if (statistic.needs_values && summary.moments.count == 0) return std::nullopt;
  return statistic.of(summary);
}

/// A column of the report.
struct NamedColumn {
  Role role;
  std::string name;  ///< the column's own, or features[3]
  Summary summary;
};

/// The tensors of an input, as its rows come in.
class InputStatistics {
 public:
  explicit InputStatistics(BatchReader const& reader) {
    BatchLayout const& layout = reader.layout();
    for (Role const role : {Role::feature, Role::label, Role::weight, Role::base_margin})
      if (layout.columns(role) != 0)
        tensors_.push_back({role, reader.names(role), {layout.dtype(role), layout.columns(role)}});
  }

  void add(Batch const& batch) {
    rows_ += batch.rows;
    for (Tensor& tensor : tensors_) tensor.statistics.add(batch.tensor(tensor.role));
  }

  [[nodiscard]] std::vector<NamedColumn> finish() {
    std::vector<NamedColumn> columns;
    for (Tensor& tensor : tensors_) {
      std::span<Summary const> const summaries = tensor.statistics.finish();
      for (std::size_t i = 0; i < summaries.size(); ++i) {
        bool const is_named = i < tensor.names.size() && !tensor.names[i].empty();
        std::string place(name_of(tensor.role));
        if (summaries.size() > 1 || tensor.role == Role::feature) place += "[" + std::to_string(i) + "]";
        columns.push_back({tensor.role, is_named ? tensor.names[i] : place, summaries[i]});
      }
    }
    return columns;
  }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

 private:
  struct Tensor {
    Role role;
    std::vector<std::string> names;
    TensorStatistics statistics;
  };

  std::vector<Tensor> tensors_;
  std::uint64_t rows_ = 0;
};

// --- what is said ----------------------------------------------------------------------------------------------------

/// Six significant digits are enough to look at; programs take --json.
std::string cell(Statistic const& statistic, Summary const& summary) {
  std::optional<double> const value = value_of(statistic, summary);
  if (!value) return "-";
  if (statistic.is_count) return format_count(static_cast<std::uint64_t>(*value));
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", *value);
  return text;
}

std::string table(std::vector<NamedColumn> const& columns, std::span<Statistic const> wanted) {
  std::vector<std::vector<std::string>> lines(1, {"column"});
  for (Statistic const& statistic : wanted) lines[0].emplace_back(statistic.name);
  for (NamedColumn const& column : columns) {
    std::vector<std::string> line = {escape_for_display(column.name, 40)};
    for (Statistic const& statistic : wanted) line.push_back(cell(statistic, column.summary));
    lines.push_back(std::move(line));
  }
  std::vector<std::size_t> widths(lines[0].size());
  for (auto const& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string text;
  for (auto const& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      std::string const gap(widths[i] - line[i].size(), ' ');
      text += i == 0 ? line[i] + gap : "  " + gap + line[i];
    }
    text += '\n';
  }
  return text;
}

std::string json_line(std::vector<NamedColumn> const& columns, std::span<Statistic const> wanted, std::uint64_t rows) {
  Json json;
  json.begin_object().member("rows", rows);
  json.key("columns").begin_array();
  for (NamedColumn const& column : columns) {
    json.begin_object().member("name", column.name).member("role", name_of(column.role));
    for (Statistic const& statistic : wanted) {
      std::optional<double> const value = value_of(statistic, column.summary);
      if (statistic.is_count)
        json.member(statistic.name, static_cast<std::uint64_t>(*value));
      else
        json.member(statistic.name, value);
    }
    json.end_object();
  }
  json.end_array().end_object();
  return json.line();
}

/// One number and nothing else.
std::string bare(Statistic const& statistic, Summary const& summary) {
  std::optional<double> const value = value_of(statistic, summary);
  Json json;
  if (statistic.is_count)
    json.value(static_cast<std::uint64_t>(*value));
  else
    json.value(value);
  return json.line();
}

// --- what is asked for -----------------------------------------------------------------------------------------------

std::span<Statistic const> wanted_statistics(Arguments const& arguments) {
  std::optional<std::string> const wanted = arguments.value("statistic");
  if (!wanted) return statistic_table;
  std::string known;
  for (Statistic const& statistic : statistic_table) {
    if (statistic.name == *wanted) return {&statistic, 1};
    known += (known.empty() ? "" : ", ") + std::string(statistic.name);
  }
  throw ConfigurationError("--statistic '" + escape_for_display(*wanted, 40) + "' is none", "Known are " + known + ".");
}

std::vector<NamedColumn> wanted_columns(Arguments const& arguments, std::vector<NamedColumn> columns) {
  std::optional<std::string> const wanted = arguments.value("column");
  if (!wanted) return columns;
  std::vector<std::string> names;
  for (NamedColumn const& column : columns) {
    if (column.name == *wanted) return {column};
    names.push_back(column.name);
  }
  std::optional<std::string> const near = nearest(*wanted, names);
  throw ConfigurationError(
      "--column '" + escape_for_display(*wanted, 40) + "' is no column with statistics",
      near ? "Did you mean " + escape_for_display(*near, 40) + "?" : "penstock stats without --column lists them.");
}

/// What is left out, in a line each.
void say_what_is_left_out(Console& console, BatchLayout const& layout) {
  if (layout.is_sparse)
    console.say("sparse features have no statistics here: convert --features dense makes them dense");
  if (layout.has_lists()) console.say("lists have no statistics here");
}

std::unique_ptr<BatchReader> open_input(std::vector<InputFile> const& files, FileFormat const& format,
                                        ReadOptions const& options, Console& console) {
  if (!format.is("csv")) return open_batches(files, format, options);
  CsvView view = open_csv_view(files, options);
  if (!view.text_columns.empty()) console.say("columns of text have no statistics here: " + view.ignore_list());
  return std::move(view.reader);
}

}  // namespace

int run_stats(Arguments const& arguments) {
  Console console(arguments);
  FaultLines faults(console);
  std::span<Statistic const> const wanted = wanted_statistics(arguments);
  ReadOptions const options = read_options(arguments);
  std::vector<InputFile> const files = expand_inputs(arguments.inputs());
  FileFormat const& format = common_format(files, options.format);
  check_format_options(arguments, {&format}, nullptr);
  std::unique_ptr<BatchReader> const reader = open_input(files, format, options, console);
  auto* const planned = dynamic_cast<PlannedReader*>(reader.get());
  if (planned != nullptr)
    planned->stream().on_reject = [&](FaultReport const* report, std::string_view, bool, bool) {
      if (report != nullptr) faults.show(*report);
    };
  say_what_is_left_out(console, reader->layout());
  InputStatistics statistics(*reader);
  for (Batch batch; reader->next(batch);) statistics.add(batch);
  faults.finish(planned == nullptr ? 0 : planned->stream().counts().rejected);

  std::vector<NamedColumn> const columns = wanted_columns(arguments, statistics.finish());
  bool const is_bare = arguments.value("statistic") && arguments.value("column");
  StandardOutput out;
  out.write(is_bare                 ? bare(wanted[0], columns[0].summary)
            : arguments.has("json") ? json_line(columns, wanted, statistics.rows())
                                    : table(columns, wanted));
  out.finish();
  return 0;
}

}  // namespace penstock::app
