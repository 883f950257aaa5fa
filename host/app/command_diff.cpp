#include <string>
#include <vector>

#include "host/app/batch_diff.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/commands.hpp"
#include "host/app/json.hpp"
#include "host/app/layout_text.hpp"
#include "host/app/options_values.hpp"
#include "host/app/viewing.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// One of the two sides.
struct Side {
  std::string argument;
  std::vector<InputFile> files;
  InputKind kind = InputKind::csv;
  std::unique_ptr<BatchReader> reader;
};

Side side_of(std::string const& argument, ReadOptions const& options) {
  Side side{argument, expand_inputs({argument}), InputKind::csv, nullptr};
  side.kind = common_kind(side.files, options.kind);
  return side;
}

/// Opens binary sides first: their element type is what a text side is to be read as.
void open_sides(Side& a, Side& b, ReadOptions options, bool has_dtype) {
  Side& first = a.kind == InputKind::csv && b.kind != InputKind::csv ? b : a;
  Side& second = &first == &a ? b : a;
  first.reader = open_batches(first.files, first.kind, options);
  bool const is_binary = first.kind != InputKind::csv;
  if (is_binary && !has_dtype && first.reader->layout().features != 0)
    options.csv.dtype = first.reader->layout().feature_dtype;
  second.reader = open_batches(second.files, second.kind, options);
}

std::string records_text(std::uint64_t records) {
  return format_count(records) + (records == 1 ? " record" : " records");
}

std::string difference_line(ValueDifference const& each, Side const& a, Side const& b) {
  std::vector<std::string> names = a.reader->names(each.role);
  if (names.empty()) names = b.reader->names(each.role);
  return "  record " + format_count(each.record) + ", " + column_word(each.role, each.column, names) + ": " + each.a +
         " (" + each.a_bits + ") | " + each.b + " (" + each.b_bits + ")\n";
}

std::string result_text(DiffResult const& result, Side const& a, Side const& b) {
  if (result.is_same())
    return "same  " + records_text(result.records_a) + ", " + layout_text(a.reader->layout()) + "\n";
  std::string text = "different  " + a.argument + " | " + b.argument + "\n";
  for (std::string const& line : result.layout) text += "  " + line + "\n";
  bool const has_npy = a.kind == InputKind::npy || b.kind == InputKind::npy;
  if (has_npy && !result.layout.empty())
    text += "  (.npy holds the features only: --features-only compares nothing else)\n";
  if (result.records_a != result.records_b)
    text += "  " + records_text(result.records_a) + " | " + format_count(result.records_b) + "\n";
  for (ValueDifference const& each : result.values) text += difference_line(each, a, b);
  if (result.values_different == 0) return text;
  return text + "  " + format_count(result.values_different) + (result.values_different == 1 ? " value" : " values") +
         " in " + records_text(result.records_different) + "\n";
}

std::string result_json(DiffResult const& result, Side const& a, Side const& b) {
  Json json;
  json.begin_object().member("schema_version", 1).member("command", "diff");
  json.member("a", a.argument).member("b", b.argument).member("same", result.is_same());
  json.member("records_a", result.records_a).member("records_b", result.records_b);
  json.list("layout", result.layout);
  json.member("values_different", result.values_different).member("records_different", result.records_different);
  json.key("values").begin_array();
  for (ValueDifference const& each : result.values) {
    json.begin_object().member("record", each.record).member("role", role_word(each.role));
    json.member("column", std::uint64_t{each.column}).member("a", each.a).member("b", each.b);
    json.member("a_bits", each.a_bits).member("b_bits", each.b_bits).end_object();
  }
  return json.end_array().end_object().line();
}

}  // namespace

int run_diff(Arguments const& arguments) {
  if (arguments.inputs().size() != 2)
    throw ConfigurationError("diff compares two inputs, not " + std::to_string(arguments.inputs().size()),
                             "A folder or a pattern in quotes is one input.");
  if (arguments.inputs()[0] == "-" && arguments.inputs()[1] == "-")
    throw ConfigurationError("standard input (-) is named twice; it can be read only once");
  ReadOptions const options = read_options(arguments);
  Console console(arguments);
  DiffOptions diff;
  diff.ulps_max = count_of(arguments, "ulp").value_or(0);
  diff.features_only = arguments.has("features-only");
  Side a = side_of(arguments.inputs()[0], options);
  Side b = side_of(arguments.inputs()[1], options);
  open_sides(a, b, options, arguments.value("dtype").has_value());
  DiffResult const result = compare(*a.reader, *b.reader, diff);
  StandardOutput out;
  if (arguments.has("json"))
    out.write(result_json(result, a, b));
  else if (!console.is_quiet())
    out.write(result_text(result, a, b));
  out.finish();
  return static_cast<int>(result.is_same() ? ExitCode::ok : ExitCode::data);
}

}  // namespace penstock::app
