#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "host/app/batch_summary.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/commands.hpp"
#include "host/app/json.hpp"
#include "host/app/layout_text.hpp"
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
  std::unique_ptr<BatchReader> reader;
  CsvBatchReader* csv = nullptr;         ///< the reader, if it reads CSV
  std::string text_columns;              ///< that were left out, as a list of indices
  std::vector<std::uint64_t> rejecting;  ///< CSV: rejected records by the column of the fault
  std::optional<BatchSummary> summary;
};

/// Text columns are no reason to refuse: they are left out and named.
void open_csv(Inspection& inspection, ReadOptions options) {
  InputFile const& first = inspection.files.front();
  bool const can_retry = options.csv.columns.empty() && first.is_regular && !first.is_stdin;
  try {
    inspection.reader = std::make_unique<CsvBatchReader>(inspection.files, options.csv, options.stream);
  } catch (ConfigurationError const&) {
    if (can_retry) inspection.text_columns = text_columns(first, options.csv);
    if (inspection.text_columns.empty()) throw;
  }
  if (inspection.reader == nullptr) {
    options.csv.ignore += (options.csv.ignore.empty() ? "" : ",") + inspection.text_columns;
    inspection.reader = std::make_unique<CsvBatchReader>(inspection.files, options.csv, options.stream);
  }
  inspection.csv = static_cast<CsvBatchReader*>(inspection.reader.get());
  inspection.rejecting.resize(inspection.csv->plan().columns().size());
  inspection.csv->stream().on_reject = [&inspection](FaultReport const* report, std::string_view, bool, bool) {
    if (report != nullptr && report->column < inspection.rejecting.size()) ++inspection.rejecting[report->column];
  };
}

void count_rows(Inspection& inspection) {
  inspection.summary.emplace(inspection.reader->layout());
  for (Batch batch; inspection.reader->next(batch);) inspection.summary->add(batch);
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
  BatchLayout const& layout = inspection.reader->layout();
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

std::string columns_text(Inspection const& inspection) {
  std::string text = "  columns\n";
  std::size_t feature = 0;
  auto const& columns = inspection.csv->plan().columns();
  std::vector<std::string> const features = inspection.csv->plan().names(Role::feature);
  for (std::size_t i = 0; i < std::min(columns.size(), listed_max); ++i) {
    std::string line = "    #" + padded(std::to_string(i), 5) + padded(std::string(role_word(columns[i].role)), 9) +
                       (inspection.csv->plan().has_header() ? escape_for_display(columns[i].name, 60) : "");
    auto const place = std::find(features.begin(), features.end(), columns[i].name);
    feature = static_cast<std::size_t>(place - features.begin());
    bool const is_feature = columns[i].role == Role::feature && place != features.end();
    if (is_feature && inspection.summary->missing()[feature] != 0)
      line += "  " + format_count(inspection.summary->missing()[feature]) + " missing";
    if (inspection.rejecting[i] != 0) line += "  rejects " + format_count(inspection.rejecting[i]) + " records";
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  if (columns.size() > listed_max) text += "    ... and " + format_count(columns.size() - listed_max) + " more\n";
  return text;
}

std::string inspection_text(Inspection const& inspection) {
  std::string text = inputs_text(inspection.files);
  text += "  format    " + std::string(name_of(inspection.kind));
  if (inspection.csv != nullptr) text += ", " + dialect_text(inspection.csv->plan());
  text += "\n  records   " + format_count(inspection.summary->rows()) + "\n";
  if (inspection.csv != nullptr && inspection.csv->stream().counts().rejected != 0)
    text += "  rejected  " + format_count(inspection.csv->stream().counts().rejected) + " (as with --on-error skip)\n";
  text += tensors_text(inspection);
  text += "  missing   " + format_count(inspection.summary->missing_cells()) +
          (inspection.summary->missing_cells() == 1 ? " cell\n" : " cells\n");
  if (!inspection.text_columns.empty())
    text += "  text      columns " + inspection.text_columns + " are text and were left out (--ignore)\n";
  for (std::string const& note : inspection.reader->notes()) text += "  note      " + note + "\n";
  if (inspection.csv != nullptr) text += columns_text(inspection);
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

std::string inspection_json(Inspection const& inspection) {
  Json json;
  json.begin_object().member("schema_version", 1).member("command", "inspect");
  json.key("inputs").begin_array();
  for (InputFile const& file : inspection.files) json.value(file.path);
  json.end_array();
  json.member("format", name_of(inspection.kind)).member("records", inspection.summary->rows());
  json.member("missing_cells", inspection.summary->missing_cells());
  add_layout(json, inspection.reader->layout());
  add_labels(json, *inspection.summary);
  json.list("missing", inspection.summary->missing());
  json.list("notes", inspection.reader->notes());
  if (inspection.csv != nullptr) {
    json.member("rejected", inspection.csv->stream().counts().rejected);
    json.list("rejecting", inspection.rejecting).member("text_columns", inspection.text_columns);
    add_dialect(json, inspection.csv->plan());
    add_columns(json, inspection.csv->plan().columns());
  }
  return json.end_object().line();
}

}  // namespace

int run_inspect(Arguments const& arguments) {
  ReadOptions options = read_options(arguments);
  // What is to be known about an input is also how many of its records are bad.
  if (!arguments.value("on-error")) options.csv.on_error = options.stream.on_error = FaultPolicy::skip;
  std::vector<InputFile> const files = expand_inputs(arguments.inputs());
  Inspection inspection{files, common_kind(files, options.kind), nullptr, nullptr, {}, {}, {}};
  if (inspection.kind == InputKind::csv)
    open_csv(inspection, options);
  else
    inspection.reader = open_batches(files, inspection.kind, options);
  count_rows(inspection);
  StandardOutput out;
  out.write(arguments.has("json") ? inspection_json(inspection) : inspection_text(inspection));
  out.finish();
  return 0;
}

}  // namespace penstock::app
