#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/core/reshape.hpp"
#include "host/app/batch_diff.hpp"
#include "host/app/batch_diff_layout.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/commands.hpp"
#include "host/app/json.hpp"
#include "host/app/layout_text.hpp"
#include "host/app/options_values.hpp"
#include "host/app/replay.hpp"
#include "host/app/viewing.hpp"
#include "host/pipeline/column_list.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// One of the two sides.
struct Side {
  std::string argument;
  std::vector<InputFile> files;
  FileFormat const* format = nullptr;
  std::unique_ptr<BatchReader> reader;
  /// The option that would say what is otherwise taken from the data was not given.
  bool is_width_guessed = false;
  bool is_base_guessed = false;

  [[nodiscard]] BatchLayout const& layout() const { return reader->layout(); }
};

bool is_text(Side const& side) { return side.format->info().is_text; }

bool knows(FileFormat const& format, std::string_view option) {
  for (OptionWords const& words : format.read_options()) {
    if (words.name == option) return true;
  }
  return false;
}

/// Of text: binary records that know the option have shapes, or say that their width is not known.
bool is_guessed(Side const& side, Arguments const& arguments, std::string_view option) {
  return is_text(side) && knows(*side.format, option) && !arguments.value(option);
}

Side side_of(std::string const& argument, ReadOptions const& options) {
  Side side;
  side.argument = argument;
  side.files = expand_inputs({argument});
  side.format = &common_format(side.files, options.format);
  side.is_width_guessed = is_guessed(side, options.arguments, "num-features");
  side.is_base_guessed = is_guessed(side, options.arguments, "index-base");
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
  if (!side.format->is("csv") || wanted.empty() || options.arguments.value("columns"))
    return open_batches(side.files, *side.format, options);
  Replay replay(side.files);
  CsvOptions csv = csv_options(options.arguments);
  std::unique_ptr<CsvPlan> plan = plan_csv(replay.files(), csv);
  std::vector<std::string> const found = plan->names(Role::feature);
  if (plan->has_header() && found != wanted && sorted(found) == sorted(wanted)) {
    csv.columns = columns_list(wanted);
    plan = plan_csv(replay.files(), csv);
  }
  replay.settle();
  return std::make_unique<PlannedReader>(std::move(plan), options.stream);
}

/// A side is read as what the other one, of a binary format, is: element type, lists of labels.
void read_like(Arguments& arguments, BatchLayout const& binary, FileFormat const& format) {
  bool const has_features = form_of(binary, Role::feature) != RoleForm::none;
  if (has_features && knows(format, "dtype")) arguments.set_default("dtype", name_of(binary.feature_dtype));
  if (binary.labels_vary && knows(format, "multilabel")) arguments.set_default("multilabel", "true");
}

/// How much a side says about itself: arrays everything, text the least.
int reticence(Side const& side) { return side.format->is_array() ? 0 : is_text(side) ? 2 : 1; }

/// Opens the side first that says more about itself.
void open_sides(Side& a, Side& b, ReadOptions options) {
  Side& first = reticence(b) < reticence(a) ? b : a;
  Side& second = &first == &a ? b : a;
  first.reader = open_batches(first.files, *first.format, options);
  if (!is_text(first)) read_like(options.arguments, first.layout(), *second.format);
  second.reader = open_like(*first.reader, second, options);
}

/// Integers have no missing value that what is absent could be the same as.
void check_absent(Side const& a, Side const& b, DiffOptions const& options) {
  RoleForm const form_a = form_of(a.layout(), Role::feature);
  RoleForm const form_b = form_of(b.layout(), Role::feature);
  bool const is_mixed = form_a != form_b && form_a != RoleForm::none && form_b != RoleForm::none;
  if (!options.absent || !is_mixed) return;
  if (auto const problem = unsupported_reshape(a.layout().feature_dtype, *options.absent))
    throw ConfigurationError("--absent missing: " + problem->message, "--absent zero");
}

std::string records_text(std::uint64_t records) {
  return format_count(records) + (records == 1 ? " record" : " records");
}

/// A value and its bits, as far as there are any.
std::string element_text(std::string const& value, std::string const& bits) {
  return bits.empty() ? value : value + " (" + bits + ")";
}

/// "target[3]"; of several lists a record "dynamic_feat[1][3]".
std::string list_place(ValueDifference const& each) {
  std::string const part = each.list == ListRole::dynamic_feat ? "[" + std::to_string(each.part) + "]" : "";
  return std::string(name_of(each.list)) + part + "[" + std::to_string(each.column) + "]";
}

std::string place_text(ValueDifference const& each, std::vector<std::string> const& names) {
  if (!each.text.empty()) return std::string(each.text);
  return each.list != ListRole::none ? list_place(each) : column_word(each.role, each.column, names);
}

std::string difference_line(ValueDifference const& each, Side const& a, Side const& b) {
  std::vector<std::string> names = a.reader->names(each.role);
  if (names.empty()) names = b.reader->names(each.role);
  return "  record " + format_count(each.record) + ", " + place_text(each, names) + ": " +
         element_text(each.a, each.a_bits) + " | " + element_text(each.b, each.b_bits) + "\n";
}

/// Where only one side has a role.
std::string role_hint(Side const& a, Side const& b, Role role) {
  bool const has_a = form_of(a.layout(), role) != RoleForm::none;
  bool const has_b = form_of(b.layout(), role) != RoleForm::none;
  if (has_a == has_b) return "";
  if (a.format->is("npy") || b.format->is("npy"))
    return ".npy holds the features only: --features-only compares nothing else";
  Side const& without = has_a ? b : a;
  std::string const name(name_of(role));
  return without.format->is("csv") ? "--" + name + " names the " + name + " of " + without.argument : "";
}

/// Where both have features, but not the same number of them, in another form, or of another type.
std::string feature_hint(Side const& a, Side const& b, DiffOptions const& options) {
  BatchLayout const& left = a.layout();
  BatchLayout const& right = b.layout();
  RoleForm const form_a = form_of(left, Role::feature);
  RoleForm const form_b = form_of(right, Role::feature);
  if (form_a == RoleForm::none || form_b == RoleForm::none) return "";
  if (form_a != form_b && !options.absent)
    return "--absent zero or --absent missing says what a feature that a sparse record does not list is the same as";
  Side const& narrower = left.features < right.features ? a : b;
  if (left.features != right.features && narrower.is_width_guessed && narrower.layout().features != 0)
    return "--num-features " + std::to_string(std::max(left.features, right.features)) +
           ", if the last features just do not occur in " + narrower.argument;
  bool const has_same_features = left.features == right.features || form_a == RoleForm::sparse;
  if (!has_same_features || left.feature_dtype == right.feature_dtype) return "";
  std::string const type(name_of(is_text(a) ? right.feature_dtype : left.feature_dtype));
  return is_text(a) || is_text(b) ? "--dtype " + type + " reads the text as what the other side is"
                                  : "the types differ: convert one of them again with the other's --dtype";
}

/// What may have been forgotten, where parts of the layout differ: options that would make the sides comparable.
std::vector<std::string> layout_hints(DiffResult const& result, Side const& a, Side const& b,
                                      DiffOptions const& options) {
  std::vector<std::string> hints;
  if (result.layout.empty()) return hints;
  auto const add = [&hints](std::string hint) {
    if (!hint.empty()) hints.push_back(std::move(hint));
  };
  for (Role role : {Role::label, Role::weight, Role::qid}) {
    if (!options.features_only && hints.empty()) add(role_hint(a, b, role));
  }
  add(feature_hint(a, b, options));
  bool const has_same_texts =
      a.layout().has_uid == b.layout().has_uid && a.layout().has_metadata == b.layout().has_metadata;
  if (!options.features_only && !has_same_texts && hints.empty())
    add("--features-only compares nothing but the features");
  return hints;
}

/// What was taken from the data, which may be why features differ.
std::string assumed_text(Side const& side) {
  if (!side.is_base_guessed) return "";
  std::string text;
  for (std::string const& note : side.reader->notes()) text += "  (" + side.argument + ": " + note + ")\n";
  return text;
}

bool has_feature_difference(DiffResult const& result) {
  auto const is_feature = [](ValueDifference const& each) { return each.role == Role::feature; };
  auto const names_features = [](std::string const& line) { return line.starts_with(name_of(Role::feature)); };
  return std::any_of(result.values.begin(), result.values.end(), is_feature) ||
         std::any_of(result.layout.begin(), result.layout.end(), names_features);
}

/// Of two numbers of features, one of which may not be known, the larger one is.
std::string same_text(DiffResult const& result, Side const& a, Side const& b) {
  BatchLayout const& layout = a.layout().features < b.layout().features ? b.layout() : a.layout();
  return "same  " + records_text(result.records_a) + ", " + layout_text(layout) + "\n";
}

std::string result_text(DiffResult const& result, Side const& a, Side const& b, DiffOptions const& options) {
  if (result.is_same()) return same_text(result, a, b);
  std::string text = "different  " + a.argument + " | " + b.argument + "\n";
  for (std::string const& line : result.layout) text += "  " + line + "\n";
  for (std::string const& hint : layout_hints(result, a, b, options)) text += "  (" + hint + ")\n";
  if (result.records_a != result.records_b)
    text += "  " + records_text(result.records_a) + " | " + format_count(result.records_b) + "\n";
  for (ValueDifference const& each : result.values) text += difference_line(each, a, b);
  if (result.values_different != 0)
    text += "  " + format_count(result.values_different) + (result.values_different == 1 ? " value" : " values") +
            " in " + records_text(result.records_different) + "\n";
  return has_feature_difference(result) ? text + assumed_text(a) + assumed_text(b) : text;
}

/// A value that is absent, and bits that are not there, are null.
void add_element(Json& json, std::string const& side, std::string const& value, std::string const& bits) {
  bool const is_absent = bits.empty() && value == absent_word;
  json.member(side, is_absent ? std::nullopt : std::optional(value));
  json.member(side + "_bits", bits.empty() ? std::nullopt : std::optional(bits));
}

void add_difference(Json& json, ValueDifference const& each) {
  bool const is_text = !each.text.empty();
  bool const is_of_list = each.list != ListRole::none;
  std::string_view const word = is_of_list ? name_of(each.list) : role_word(each.role);
  json.begin_object().member("record", each.record).member("role", is_text ? each.text : word);
  if (is_of_list) json.member("part", std::uint64_t{each.part});
  json.member("column", is_text ? std::nullopt : std::optional(std::uint64_t{each.column}));
  add_element(json, "a", each.a, each.a_bits);
  add_element(json, "b", each.b, each.b_bits);
  json.end_object();
}

std::string result_json(DiffResult const& result, Side const& a, Side const& b, DiffOptions const& options) {
  Json json;
  json.begin_object().member("schema_version", 1).member("command", "diff");
  json.member("a", a.argument).member("b", b.argument).member("same", result.is_same());
  json.member("records_a", result.records_a).member("records_b", result.records_b);
  for (auto const& [name, side] : {std::pair("layout_a", &a), std::pair("layout_b", &b)}) {
    json.key(name).begin_object();
    add_layout(json, side->layout());
    json.end_object();
  }
  json.list("layout", result.layout).list("hints", layout_hints(result, a, b, options));
  json.member("values_different", result.values_different).member("records_different", result.records_different);
  json.key("values").begin_array();
  for (ValueDifference const& each : result.values) add_difference(json, each);
  return json.end_array().end_object().line();
}

DiffOptions diff_options(Arguments const& arguments) {
  DiffOptions options;
  options.ulps_max = count_of(arguments, "ulp").value_or(0);
  options.features_only = arguments.has("features-only");
  constexpr std::pair<std::string_view, Absent> meanings[] = {{"zero", Absent::zero}, {"missing", Absent::missing}};
  options.absent = choice_of(arguments, "absent", meanings);
  return options;
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
  DiffOptions diff = diff_options(arguments);
  Side a = side_of(arguments.inputs()[0], options);
  Side b = side_of(arguments.inputs()[1], options);
  check_format_options(arguments, {a.format, b.format}, nullptr);
  open_sides(a, b, options);
  check_absent(a, b, diff);
  diff.is_width_guessed_a = a.is_width_guessed;
  diff.is_width_guessed_b = b.is_width_guessed;
  DiffResult const result = compare(*a.reader, *b.reader, diff);
  StandardOutput out;
  if (arguments.has("json"))
    out.write(result_json(result, a, b, diff));
  else if (!console.is_quiet())
    out.write(result_text(result, a, b, diff));
  out.finish();
  return static_cast<int>(result.is_same() ? ExitCode::ok : ExitCode::data);
}

}  // namespace penstock::app
