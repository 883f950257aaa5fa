#include "host/app/command_convert_report.hpp"

#include "host/app/device_options.hpp"
#include "host/app/json.hpp"
#include "host/app/layout_text.hpp"
#include "host/text/text_format.hpp"

namespace penstock::app {
namespace {

std::string shown_path(std::string const& path) { return path == "-" ? "<stdout>" : path; }

std::string input_line(InputFile const& input) {
  std::string line = "  input     " + (input.is_stdin ? "<stdin>" : input.path);
  if (input.is_regular) line += " (" + format_bytes(input.size_bytes) + ")";
  return line + "\n";
}

void add_inputs(Json& json, std::vector<InputFile> const& inputs) {
  json.key("inputs").begin_array();
  for (InputFile const& input : inputs) {
    json.begin_object().member("path", input.path);
    json.key("stored_bytes");
    if (input.is_regular)
      json.value(input.size_bytes);
    else
      json.null();
    json.end_object();
  }
  json.end_array();
}

/// Members that plan and summary share.
void add_common(Json& json, Conversion const& conversion) {
  json.member("schema_version", 1).member("command", "convert");
  add_inputs(json, conversion.inputs);
  json.member("input_format", conversion.input_format.name);
  json.member("format", conversion.target.format->name());
  add_layout(json, conversion.target.output.layout);
  json.list("assumed", conversion.notes);
}

void add_sizes(Json& json, StreamSizes const& sizes) {
  json.key("memory").begin_object();
  json.member("total_bytes", std::uint64_t{sizes.total_bytes}).member("slot_bytes", std::uint64_t{sizes.slot_bytes});
  json.member("slots", std::uint64_t{sizes.slots}).member("threads", sizes.lanes);
  json.member("rows_a_round", std::uint64_t{sizes.round.rows}).end_object();
}

/// Below that, starting and ending take most of the time.
constexpr double rate_seconds_min = 0.05;

/// A share to the nearest tenth of a percent; neither none nor all is said of what is near it.
std::string rounded_percent(std::uint64_t part, std::uint64_t whole) {
  double const tenths = 1000.0 * static_cast<double>(part) / static_cast<double>(whole);
  auto const rounded = static_cast<std::uint64_t>(tenths + 0.5);
  bool const is_between = rounded >= 10 && rounded < 1000;  // below one percent two digits are shown
  return is_between ? format_percent(rounded, 1000) : format_percent(part, whole);
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return format_count(count) + " " + std::string(count == 1 ? one : many);
}

/// Of records without features: what they have instead.
std::string width_text(BatchLayout const& layout) {
  if (layout.features != 0 || !layout.has_lists()) return counted(layout.features, "feature", "features");
  std::string text;
  for (ListLayout const& list : layout.lists)
    if (list.role != ListRole::none) text += (text.empty() ? "" : " and ") + std::string(name_of(list.role));
  return text;
}

/// Where integers may have lost their last digits, and what holds them.
std::string rounding_of(BatchLayout const& layout) {
  std::string const roles = "label and weight hold integers up to 2^24 exactly";
  if (layout.feature_dtype == DType::float32)
    return "float32 features, " + roles + "; --dtype float64 holds features up to 2^53, int64 all";
  if (layout.feature_dtype == DType::float64)
    return "float64 features hold integers up to 2^53 exactly, " + roles + "; --dtype int64 holds features";
  return roles;
}

/// Few rejected records may be most of the input: behind a broken frame nothing can be read.
std::string bytes_note(Outcome const& outcome) {
  StreamCounts const& counts = outcome.counts;
  if (outcome.is_part || counts.text_bytes == 0) return "";
  double const bytes = static_cast<double>(counts.rejected_bytes) / static_cast<double>(counts.text_bytes);
  double const records = static_cast<double>(counts.rejected) / static_cast<double>(counts.rejected + counts.records);
  if (bytes < 0.01 || bytes < 4 * records) return "";
  return ", which is " + rounded_percent(counts.rejected_bytes, counts.text_bytes) + " of the bytes (" +
         format_bytes(counts.rejected_bytes) + ")";
}

std::string engine_text(DeviceChoice const& engine, StreamSizes const& sizes) {
  std::string const why = engine.reason.empty() ? "" : ", because " + engine.reason;
  return "  engine    " + engine_words(engine.device.get(), sizes) + why + "\n  memory    " +
         format_bytes(sizes.total_bytes) + " (" + std::to_string(sizes.slots) + " slots of " +
         format_bytes(sizes.slot_bytes) + ")\n";
}

void add_engine(Json& json, DeviceChoice const& engine) {
  Device const* const device = engine.device.get();
  json.key("engine").begin_object().member("name", engine_name(device)).key("reason");
  if (engine.reason.empty())
    json.null();
  else
    json.value(engine.reason);
  if (device != nullptr)
    json.member("device_chunks", device->device_chunks()).member("host_chunks", device->host_chunks());
  json.end_object();
}

}  // namespace

std::vector<std::string> warnings_of(Conversion const& conversion, StreamCounts const& counts) {
  std::vector<std::string> warnings = conversion.target.warnings;
  if (counts.inexact_integers > 0)
    warnings.push_back(counted(counts.inexact_integers, "integer was", "integers were") +
                       " rounded: " + rounding_of(conversion.target.output.layout));
  bool const has_nans = counts.missing_cells > 0 && conversion.target.format->lists_pairs();
  if (has_nans)
    warnings.push_back(counted(counts.missing_cells, "missing value is", "missing values are") +
                       " written as nan, which XGBoost's text loader does not read; --absent missing leaves them out");
  if (counts.other_entries > 0)
    warnings.push_back(counted(counts.other_entries, "record has", "records have") +
                       " entries under other keys, which are left out");
  return warnings;
}

std::string plan_text(Conversion const& conversion) {
  std::string text = "plan\n";
  for (InputFile const& input : conversion.inputs) text += input_line(input);
  if (conversion.csv != nullptr) text += "  dialect   " + dialect_text(*conversion.csv) + "\n";
  for (std::string const& note : conversion.notes) text += "  assumed   " + note + "\n";
  text += "  tensors   " + layout_text(conversion.target.output.layout) + "\n";
  for (std::string const& path : output_paths(conversion.target))
    text += "  output    " + shown_path(path) + " (" + std::string(conversion.target.format->name()) + ")\n";
  if (conversion.target.quarantines)
    text += "  rejects   " + conversion.target.rejects_prefix + ".rejects" +
            std::string(conversion.input_format.suffixes.front()) + " and .jsonl, if there are any\n";
  if (conversion.sizes) text += engine_text(conversion.engine, *conversion.sizes);
  for (std::string const& warning : conversion.target.warnings) text += "  warning   " + warning + "\n";
  return text + "nothing was written\n";
}

std::string plan_json(Conversion const& conversion) {
  Json json;
  json.begin_object();
  add_common(json, conversion);
  json.member("dry_run", true);
  if (conversion.csv != nullptr) {
    add_dialect(json, *conversion.csv);
    add_columns(json, conversion.csv->columns());
  }
  json.list("outputs", output_paths(conversion.target));
  if (conversion.sizes) add_sizes(json, *conversion.sizes);
  add_engine(json, conversion.engine);
  json.list("warnings", conversion.target.warnings);
  return json.end_object().line();
}

std::string summary_text(Conversion const& conversion, Outcome const& outcome) {
  StreamCounts const& counts = outcome.counts;
  std::string text = "ok  " + counted(counts.records, "record", "records") + ", " +
                     width_text(conversion.target.output.layout) + " -> " + shown_path(conversion.target.output.path) +
                     " (" + format_bytes(outcome.output_bytes) + "), " + format_duration(outcome.seconds);
  if (!outcome.is_part && outcome.seconds >= rate_seconds_min && counts.text_bytes > 0)
    text += ", " + format_rate(static_cast<double>(counts.text_bytes) / outcome.seconds);
  bool const has_lists = conversion.target.output.layout.has_lists();
  if (counts.missing_cells > 0)
    text += "\n    " + counted(counts.missing_cells, has_lists ? "missing value" : "missing cell",
                               has_lists ? "missing values" : "missing cells");
  if (counts.repaired_cells > 0)
    text +=
        "\n    " + counted(counts.repaired_cells, "bad cell was", "bad cells were") + " made missing (--on-error null)";
  if (counts.rejected > 0)
    text += "\n    " + counted(counts.rejected, "record was", "records were") + " rejected (" +
            rounded_percent(counts.rejected, counts.rejected + counts.records) + ")" + bytes_note(outcome);
  for (std::string const& path : outcome.reject_paths) text += "\n    rejects in " + path;
  if (!outcome.reject_paths.empty() && !conversion.found.empty()) {
    text += "\n    convert the mended rejects with";
    for (auto const& [name, value] : conversion.found) text += " --" + name + " " + value;
  }
  return text;
}

std::string summary_json(Conversion const& conversion, Outcome const& outcome) {
  StreamCounts const& counts = outcome.counts;
  Json json;
  json.begin_object();
  add_common(json, conversion);
  json.member("records", counts.records).member("rejected", counts.rejected);
  json.member("rejected_bytes", counts.rejected_bytes);
  json.member("repaired_cells", counts.repaired_cells).member("missing_cells", counts.missing_cells);
  json.member("inexact_integers", counts.inexact_integers);
  json.key("text_bytes");
  if (outcome.is_part)
    json.null();  // how much was read ahead depends on sizes and threads
  else
    json.value(counts.text_bytes);
  json.member("output_bytes", outcome.output_bytes).member("seconds", outcome.seconds);
  add_engine(json, conversion.engine);
  json.list("outputs", output_paths(conversion.target)).list("rejects", outcome.reject_paths);
  json.list("warnings", outcome.warnings);
  return json.end_object().line();
}

}  // namespace penstock::app
