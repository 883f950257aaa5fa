#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "host/app/batch_summary.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/commands.hpp"
#include "host/app/fault_lines.hpp"
#include "host/app/json.hpp"
#include "host/app/layout_text.hpp"
#include "host/app/reject_summary.hpp"
#include "host/app/text_columns.hpp"
#include "host/app/viewing.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// Columns and inputs that text lists; JSON lists all.
constexpr std::size_t listed_max = 40;

/// An input of any kind, and what its rows hold.
struct Inspection {
  std::vector<InputFile> const& files;
  InputKind kind;
  CsvView view = {};                        ///< the reader, if it reads CSV
  std::unique_ptr<BatchReader> other = {};  ///< the reader, if it does not
  std::vector<std::string> nulls = {};      ///< spellings of a missing value, in force
  std::optional<RejectSummary> rejects = {};
  std::optional<BatchSummary> summary = {};

  [[nodiscard]] BatchReader& reader() const { return view.reader ? *view.reader : *other; }
  [[nodiscard]] CsvPlan const& plan() const { return view.reader->plan(); }
  [[nodiscard]] bool is_csv() const { return view.reader != nullptr; }
};

void open_csv(Inspection& inspection, ReadOptions const& options, FaultLines& faults) {
  inspection.view = open_csv_view(inspection.files, options);
  inspection.nulls = options.csv.nulls;
  inspection.rejects.emplace(inspection.plan());
  inspection.view.reader->stream().on_reject = [&inspection, &faults](FaultReport const* report, std::string_view, bool,
                                                                      bool) {
    if (report == nullptr) return;
    inspection.rejects->add(*report);
    faults.show(*report);
  };
}

void count_rows(Inspection& inspection) {
  inspection.summary.emplace(inspection.reader().layout());
  for (Batch batch; inspection.reader().next(batch);) inspection.summary->add(batch);
}

std::string padded(std::string text, std::size_t width) {
  text.append(width - std::min(width, text.size()), ' ');
  return text;
}

std::string inputs_text(std::vector<InputFile> const& files) {
  std::string text;
  for (std::size_t i = 0; i < std::min(files.size(), listed_max); ++i) {
    text += (files[i].is_stdin ? "<stdin>" : escape_for_display(files[i].path, 1000));
    if (files[i].is_regular) text += " (" + format_bytes(files[i].size_bytes) + ")";
    text += '\n';
  }
  if (files.size() > listed_max) text += "... and " + format_count(files.size() - listed_max) + " more files\n";
  return text;
}

std::string tensors_text(Inspection const& inspection) {
  BatchLayout const& layout = inspection.reader().layout();
  std::string text;
  for (Role role : tensor_roles) {
    std::size_t const columns = layout.columns(role);
    if (columns == 0) continue;
    text += "  " + padded(std::string(name_of(role)), 10) + format_count(inspection.summary->rows()) + " x " +
            format_count(columns) + " " + std::string(name_of(layout.dtype(role)));
    std::vector<LabelSummary> const& labels = inspection.summary->labels();
    if (role == Role::label && columns == 1) text += ": " + labels.front().text();
    text += '\n';
  }
  return text;
}

/// By column of the file: missing cells of the features.
std::vector<std::uint64_t> missing_by_column(Inspection const& inspection) {
  auto const& columns = inspection.plan().columns();
  std::unordered_map<std::string, std::uint64_t> by_name;
  std::vector<std::string> const names = inspection.plan().names(Role::feature);
  for (std::size_t i = 0; i < names.size(); ++i) by_name.emplace(names[i], inspection.summary->missing()[i]);
  std::vector<std::uint64_t> missing(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].role == Role::feature) missing[i] = by_name.at(columns[i].name);
  }
  return missing;
}

std::string bad_cells_text(std::vector<BadCell> const& cells) {
  std::string text;
  for (BadCell const& each : cells)
    text += (text.empty() ? ": \"" : ", \"") + escape_for_display(each.cell, spelling_bytes_max) + "\" (" +
            format_count(each.records) + ")";
  return text;
}

std::string columns_text(Inspection const& inspection) {
  std::string text = "  columns\n";
  auto const& columns = inspection.plan().columns();
  std::vector<std::uint64_t> const missing = missing_by_column(inspection);
  for (std::size_t i = 0; i < std::min(columns.size(), listed_max); ++i) {
    std::string line = "    #" + padded(std::to_string(i), 5) + padded(std::string(role_word(columns[i].role)), 9) +
                       (inspection.plan().has_header() ? escape_for_display(columns[i].name, 60) : "");
    if (missing[i] != 0) line += "  " + format_count(missing[i]) + " missing";
    std::uint64_t const rejecting = inspection.rejects->rejecting(i);
    if (rejecting != 0)
      line += "  rejects " + format_count(rejecting) + (rejecting == 1 ? " record" : " records") +
              bad_cells_text(inspection.rejects->bad_cells(i));
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  if (columns.size() > listed_max) text += "    ... and " + format_count(columns.size() - listed_max) + " more\n";
  return text;
}

/// "3 not a number, 1 too few fields": the name of each kind of fault in words.
std::string kinds_text(RejectSummary const& rejects) {
  std::string text;
  for (std::size_t i = 0; i < fault_codes; ++i) {
    if (rejects.kinds()[i] == 0) continue;
    std::string name(name_of(static_cast<FaultCode>(i)));
    std::replace(name.begin(), name.end(), '_', ' ');
    text += (text.empty() ? "" : ", ") + format_count(rejects.kinds()[i]) + " " + name;
  }
  return text;
}

std::string rejects_text(Inspection const& inspection) {
  std::uint64_t const rejected = inspection.view.reader->stream().counts().rejected;
  if (rejected == 0) return {};
  std::string text =
      "  rejected  " + format_count(rejected) + " (as with --on-error skip): " + kinds_text(*inspection.rejects) + "\n";
  std::string const suggestion = inspection.rejects->suggestion(inspection.nulls);
  return suggestion.empty() ? text : text + "  try       " + suggestion + "\n";
}

std::string inspection_text(Inspection const& inspection) {
  std::string text = inputs_text(inspection.files);
  text += "  format    " + std::string(name_of(inspection.kind));
  if (inspection.is_csv()) text += ", " + dialect_text(inspection.plan());
  text += "\n  records   " + format_count(inspection.summary->rows()) + "\n";
  if (inspection.is_csv()) text += rejects_text(inspection);
  text += tensors_text(inspection);
  text += "  missing   " + format_count(inspection.summary->missing_cells()) +
          (inspection.summary->missing_cells() == 1 ? " cell\n" : " cells\n");
  if (!inspection.view.text_columns.empty())
    text += "  text      columns were left out: --ignore " + inspection.view.ignore_list() + "\n";
  for (std::string const& note : inspection.reader().notes()) text += "  note      " + note + "\n";
  if (inspection.is_csv()) text += columns_text(inspection);
  return text;
}

void add_labels(Json& json, BatchSummary const& summary) {
  json.key("label_values").begin_array();
  for (LabelSummary const& label : summary.labels()) {
    json.begin_object()
        .member("least", label.least)
        .member("greatest", label.greatest)
        .member("missing", label.missing);
    json.key("values").begin_array();
    for (auto const& [value, rows] : label.values)
      json.begin_object().member("value", value).member("records", rows).end_object();
    json.end_array().end_object();
  }
  json.end_array();
}

void add_column(Json& json, Inspection const& inspection, std::size_t i, std::uint64_t missing) {
  CsvColumn const& column = inspection.plan().columns()[i];
  json.begin_object().member("index", std::uint64_t{i}).member("name", column.name);
  json.member("role", role_word(column.role)).member("missing", missing);
  json.member("rejecting", inspection.rejects->rejecting(i)).key("bad_cells").begin_array();
  for (BadCell const& each : inspection.rejects->bad_cells(i))
    json.begin_object().member("cell", each.cell).member("records", each.records).end_object();
  json.end_array().end_object();
}

void add_csv(Json& json, Inspection const& inspection) {
  json.member("rejected", inspection.view.reader->stream().counts().rejected).key("rejected_kinds").begin_object();
  for (std::size_t i = 0; i < fault_codes; ++i) {
    std::uint64_t const records = inspection.rejects->kinds()[i];
    if (records != 0) json.member(name_of(static_cast<FaultCode>(i)), records);
  }
  json.end_object().member("suggestion", inspection.rejects->suggestion(inspection.nulls));
  json.key("text_columns").begin_array();
  for (std::size_t const column : inspection.view.text_columns) json.value(std::uint64_t{column});
  json.end_array();
  add_dialect(json, inspection.plan());
  std::vector<std::uint64_t> const missing = missing_by_column(inspection);
  json.key("columns").begin_array();
  for (std::size_t i = 0; i < missing.size(); ++i) add_column(json, inspection, i, missing[i]);
  json.end_array();
}

std::string inspection_json(Inspection const& inspection) {
  Json json;
  json.begin_object().member("schema_version", 1).member("command", "inspect");
  json.key("inputs").begin_array();
  for (InputFile const& file : inspection.files) json.value(file.path);
  json.end_array();
  json.member("format", name_of(inspection.kind)).member("records", inspection.summary->rows());
  json.member("missing_cells", inspection.summary->missing_cells());
  add_layout(json, inspection.reader().layout());
  add_labels(json, *inspection.summary);
  json.list("missing", inspection.summary->missing());
  json.list("notes", inspection.reader().notes());
  if (inspection.is_csv()) add_csv(json, inspection);
  return json.end_object().line();
}

}  // namespace

int run_inspect(Arguments const& arguments) {
  Console console(arguments);
  FaultLines faults(console);
  ReadOptions options = read_options(arguments);
  // What is to be known about an input is also how many of its records are bad.
  if (!arguments.value("on-error")) options.csv.on_error = options.stream.on_error = FaultPolicy::skip;
  std::vector<InputFile> const files = expand_inputs(arguments.inputs());
  Inspection inspection{files, common_kind(files, options.kind)};
  if (inspection.kind == InputKind::csv)
    open_csv(inspection, options, faults);
  else
    inspection.other = open_batches(files, inspection.kind, options);
  count_rows(inspection);
  if (inspection.is_csv()) faults.finish(inspection.view.reader->stream().counts().rejected);
  StandardOutput out;
  out.write(arguments.has("json") ? inspection_json(inspection) : inspection_text(inspection));
  out.finish();
  return 0;
}

}  // namespace penstock::app
