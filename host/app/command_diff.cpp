#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/app/batch_diff.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/commands.hpp"
#include "host/app/json.hpp"
#include "host/app/layout_text.hpp"
#include "host/app/options_values.hpp"
#include "host/app/replay.hpp"
#include "host/app/viewing.hpp"
#include "host/pipeline/column_list.hpp"
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

/// Names of features as --columns takes them.
std::string columns_list(std::vector<std::string> const& names) {
  std::string list;
  for (std::string const& name : names) list += (list.empty() ? "" : ",") + list_item(name);
  return list;
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

/// Headers match by name, as they do among the inputs of a conversion: where the second file has the columns of the
/// first in another order, they are read in the order of the first.
std::unique_ptr<BatchReader> open_like(BatchReader const& first, Side const& side, ReadOptions const& options) {
  std::vector<std::string> const wanted = first.names(Role::feature);
  if (side.kind != InputKind::csv || wanted.empty() || !options.csv.columns.empty())
    return open_batches(side.files, side.kind, options);
  Replay replay(side.files);
  std::unique_ptr<CsvPlan> plan = plan_csv(replay.files(), options.csv);
  std::vector<std::string> const found = plan->names(Role::feature);
  if (plan->has_header() && found != wanted && sorted(found) == sorted(wanted)) {
    CsvOptions csv = options.csv;
    csv.columns = columns_list(wanted);
    plan = plan_csv(replay.files(), csv);
  }
  replay.settle();
  return std::make_unique<CsvBatchReader>(std::move(plan), options.stream);
}

/// Opens binary sides first: their element type is what a text side is to be read as.
void open_sides(Side& a, Side& b, ReadOptions options, bool has_dtype) {
  Side& first = a.kind == InputKind::csv && b.kind != InputKind::csv ? b : a;
  Side& second = &first == &a ? b : a;
  first.reader = open_batches(first.files, first.kind, options);
  bool const is_binary = first.kind != InputKind::csv;
  if (is_binary && !has_dtype && first.reader->layout().features != 0)
    options.csv.dtype = first.reader->layout().feature_dtype;
  second.reader = open_like(*first.reader, second, options);
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

/// What may have been forgotten, where roles or types differ: an option that would make the sides comparable.
std::string layout_hint(Side const& a, Side const& b, DiffOptions const& options) {
  BatchLayout const& left = a.reader->layout();
  BatchLayout const& right = b.reader->layout();
  bool const has_csv = a.kind == InputKind::csv || b.kind == InputKind::csv;
  bool const has_npy = a.kind == InputKind::npy || b.kind == InputKind::npy;
  auto const is_missing = [&](Role role) { return (left.columns(role) == 0) != (right.columns(role) == 0); };
  for (Role role : {Role::label, Role::weight, Role::qid}) {
    if (options.features_only || !is_missing(role)) continue;
    Side const& without = left.columns(role) == 0 ? a : b;
    if (has_npy) return ".npy holds the features only: --features-only compares nothing else";
    if (without.kind == InputKind::csv)
      return "--" + std::string(name_of(role)) + " names the " + std::string(name_of(role)) + " of " + without.argument;
  }
  bool const has_same_features = left.features == right.features && left.features != 0;
  if (has_same_features && left.feature_dtype != right.feature_dtype) {
    std::string const type(name_of(a.kind == InputKind::csv ? right.feature_dtype : left.feature_dtype));
    return has_csv ? "--dtype " + type + " reads the text as what the other side is"
                   : "the types differ: convert one of them again with the other's --dtype";
  }
  return "";
}

std::string result_text(DiffResult const& result, Side const& a, Side const& b, DiffOptions const& options) {
  if (result.is_same())
    return "same  " + records_text(result.records_a) + ", " + layout_text(a.reader->layout()) + "\n";
  std::string text = "different  " + a.argument + " | " + b.argument + "\n";
  for (std::string const& line : result.layout) text += "  " + line + "\n";
  std::string const hint = result.layout.empty() ? "" : layout_hint(a, b, options);
  if (!hint.empty()) text += "  (" + hint + ")\n";
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
    out.write(result_text(result, a, b, diff));
  out.finish();
  return static_cast<int>(result.is_same() ? ExitCode::ok : ExitCode::data);
}

}  // namespace penstock::app
