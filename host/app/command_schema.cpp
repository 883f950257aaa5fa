#include "host/app/command_schema.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "host/app/batch_reader.hpp"
#include "host/app/command_schema_options.hpp"
#include "host/app/options_values.hpp"
#include "host/app/replay.hpp"
#include "host/app/schema_match.hpp"
#include "host/app/text_columns.hpp"
#include "host/pipeline/column_list.hpp"
#include "host/pipeline/input_head.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// The options whose columns the schema knows; the features come first.
constexpr std::pair<std::string_view, Role> role_options[] = {{"columns", Role::feature},
                                                              {"texts", Role::category},
                                                              {"label", Role::label},
                                                              {"weight", Role::weight},
                                                              {"qid", Role::qid}};

/// Columns of the schema that have `role`, in the tensor's order. Throws SchemaError where the schema contradicts
/// itself.
std::vector<std::size_t> columns_with(Role role, LoadedSchema const& loaded) {
  Schema const& schema = loaded.schema;
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < schema.columns.size(); ++i)
    if (schema.columns[i].role == role) columns.push_back(i);
  if (role != Role::feature || schema.features.empty()) return columns;
  std::unordered_map<std::string_view, std::size_t> place_of;
  for (std::size_t const i : columns) place_of.emplace(schema.columns[i].name, i);
  if (place_of.size() != columns.size()) throw SchemaError(loaded.path + ": two features have the same name");
  columns.clear();
  for (std::string const& name : schema.features) {
    auto const found = place_of.extract(name);
    if (found.empty())
      throw SchemaError(loaded.path + ": $.features: " + shown(name) +
                        " is not a feature of $.columns, or there twice");
    columns.push_back(found.mapped());
  }
  return columns;
}

/// As columns_with(), in the order of the option that gave several columns the role.
std::vector<std::size_t> ordered_columns(std::string_view option, Role role, LoadedSchema const& loaded) {
  std::vector<std::size_t> const columns = columns_with(role, loaded);
  std::string const* const list = loaded.option(option);
  if (list == nullptr || role == Role::feature) return columns;
  std::vector<std::string> names;
  for (SchemaColumn const& column : loaded.schema.columns) names.push_back(column.name);
  std::vector<std::size_t> const listed = ColumnNames(std::move(names), loaded.has_header(), loaded.path)
                                              .resolve(*list, "$.options." + std::string(option));
  std::vector<std::size_t> ascending = listed;
  std::sort(ascending.begin(), ascending.end());
  if (ascending != columns)
    throw SchemaError(loaded.path + ": $.options." + std::string(option) +
                      " does not name the columns of that role in $.columns");
  return listed;
}

/// "#3,#0": a list of columns by place.
std::string list_of(std::vector<std::size_t> const& places) {
  std::string list;
  for (std::size_t const place : places) list += (list.empty() ? "#" : ",#") + std::to_string(place);
  return list;
}

/// Columns of an input in the roles that the schema gave them.
class ColumnFit {
 public:
  ColumnFit(LoadedSchema const& loaded, CsvHeading const& heading, ColumnMatch const& match)
      : loaded_(loaded), match_(match), names_(heading.names, heading.has_header, heading.file) {}

  /// Sets the options, or throws ConfigurationError where the user's mean something else.
  void apply(Arguments& arguments) const {
    std::vector<bool> is_used(names_.size());
    for (auto const& [option, role] : role_options) {
      std::vector<std::size_t> const places = places_of(option, role);
      for (std::size_t const place : places) is_used[place] = true;
      std::optional<std::string> const given = arguments.value(option);
      if (given && names_.resolve(*given, "--" + std::string(option)) != places)
        throw_conflict(option, *given, word_of(option, places), loaded_.path);
      if (!places.empty()) arguments.set_default(option, list_of(places));
    }
    std::string const* const label_map = loaded_.option("label-map");
    if (label_map != nullptr && arguments.value("label")) arguments.set_default("label-map", *label_map);
    check_ignored(arguments, is_used);
    if (!arguments.value("columns")) ignore_rest(arguments, is_used);
  }

 private:
  void check_ignored(Arguments const& arguments, std::vector<bool> const& is_used) const {
    std::optional<std::string> const ignored = arguments.value("ignore");
    if (!ignored) return;
    for (std::size_t const column : names_.resolve(*ignored, "--ignore")) {
      if (is_used[column]) throw_conflict("ignore", *ignored, names_.word_for(column) + " is used", loaded_.path);
    }
  }
  /// Of a normaliser all of whose columns are texts: without --columns every other column would be a feature.
  static void ignore_rest(Arguments& arguments, std::vector<bool> const& is_used) {
    std::vector<std::size_t> rest;
    for (std::size_t column = 0; column < is_used.size(); ++column)
      if (!is_used[column]) rest.push_back(column);
    Arguments::Given given = arguments.given();
    std::erase_if(given, [](auto const& each) { return each.first == "ignore"; });
    if (!rest.empty()) given.emplace_back("ignore", list_of(rest));
    arguments = Arguments(arguments.verb(), std::move(given), arguments.inputs());
  }
  /// In the input; columns that it may lack are left out.
  [[nodiscard]] std::vector<std::size_t> places_of(std::string_view option, Role role) const {
    std::vector<std::size_t> places;
    for (std::size_t const column : ordered_columns(option, role, loaded_))
      if (match_.places[column]) places.push_back(*match_.places[column]);
    return places;
  }
  [[nodiscard]] std::string word_of(std::string_view option, std::vector<std::size_t> const& places) const {
    if (places.empty()) return "no --" + std::string(option);
    std::string text = names_.word_for(places.front());
    if (places.size() > 1) text += " and " + std::to_string(places.size() - 1) + " more in their order";
    return text;
  }

  LoadedSchema const& loaded_;
  ColumnMatch const& match_;
  ColumnNames names_;
};

constexpr std::string_view unlabeled_hint =
    "--unlabeled accepts inputs without the labels, weights, query ids and base margins of the schema.";

}  // namespace

class SchemaGuide::GuidedFormat final : public FileFormat {
 public:
  GuidedFormat(LoadedSchema loaded, bool may_lack_roles, Console& console)
      : loaded_(std::move(loaded)), may_lack_roles_(may_lack_roles), console_(console) {}

  /// The format that is guided from now on.
  void choose(FileFormat const& format) { inner_ = &format; }
  [[nodiscard]] LoadedSchema const& loaded() const { return loaded_; }

  [[nodiscard]] FormatInfo const& info() const override { return inner_->info(); }
  [[nodiscard]] bool bears_mark(std::string_view head) const override { return inner_->bears_mark(head); }
  [[nodiscard]] bool is_planned() const override { return inner_->is_planned(); }
  [[nodiscard]] bool is_array() const override { return inner_->is_array(); }
  [[nodiscard]] std::vector<OptionWords> read_options() const override { return inner_->read_options(); }

  [[nodiscard]] std::unique_ptr<InputPlan> plan(std::vector<InputFile> const& files, Arguments const& given,
                                                PlanRequest const& request) const override {
    Arguments arguments = given;
    apply_options(loaded_, *inner_, arguments);
    Replay replay(files);
    bool const has_columns = loaded_.guides_columns(*inner_);
    bool const is_matched = !has_columns || match(replay.files(), arguments);
    std::unique_ptr<InputPlan> plan = plan_width(replay.files(), arguments, request);
    replay.settle();
    std::string const name = name_of(files.front());
    if (!is_matched)
      throw SchemaError(name + ": no record near its start ends, so that its columns could be compared with those of " +
                        loaded_.path);
    check(plan->layout(), name);
    return plan;
  }
  [[nodiscard]] std::unique_ptr<BatchReader> open(InputFile const& file) const override {
    std::unique_ptr<BatchReader> reader = inner_->open(file);
    check(reader->layout(), name_of(file));
    return reader;
  }

 private:
  /// Sets the columns' options; false if there is nothing to match.
  bool match(std::vector<InputFile> const& files, Arguments& arguments) const {
    CsvOptions look = csv_options(arguments);
    look.label_map.clear();  // it needs labels
    std::optional<CsvHeading> const heading = csv_heading(files, look);
    if (!heading) return false;
    ColumnMatch const found = match_columns(loaded_.schema, heading->names, {heading->has_header, may_lack_roles_});
    if (!found.is_acceptable) throw_mismatch(found, *heading);
    ColumnFit(loaded_, *heading, found).apply(arguments);
    std::string const note = without_order(found, heading->file);
    if (!note.empty()) console_.say(note);
    return true;
  }

  /// What differs besides the order of the columns, which does not matter.
  static std::string without_order(ColumnMatch match, std::string const& file) {
    match.moved.clear();
    return describe(match, file);
  }

  [[noreturn]] void throw_mismatch(ColumnMatch const& found, CsvHeading const& heading) const {
    bool const would_do =
        !may_lack_roles_ && match_columns(loaded_.schema, heading.names, {heading.has_header, true}).is_acceptable;
    throw SchemaError(heading.file + ": its columns are not those of the schema " + loaded_.path + "\n" +
                          without_order(found, heading.file),
                      would_do ? std::string(unlabeled_hint) : "");
  }

  /// Where the input does not say how many sparse features there are, the schema does.
  [[nodiscard]] std::unique_ptr<InputPlan> plan_width(std::vector<InputFile> const& files, Arguments& arguments,
                                                      PlanRequest const& request) const {
    PlanRequest first = request;
    first.needs_width = false;
    std::unique_ptr<InputPlan> plan = inner_->plan(files, arguments, first);
    if (!plan->layout().is_sparse || plan->layout().features != 0) return plan;
    std::size_t const width = loaded_.schema.layout.features;
    if (width != 0) arguments.set_default("num-features", std::to_string(width));
    return width != 0 || request.needs_width ? inner_->plan(files, arguments, request) : std::move(plan);
  }

  void check(BatchLayout layout, std::string const& name) const {
    layout.has_uid = loaded_.schema.layout.has_uid;
    layout.has_metadata = loaded_.schema.layout.has_metadata;
    std::vector<std::string> const differences = match_layout(loaded_.schema, layout, {true, may_lack_roles_});
    if (differences.empty()) return;
    std::string text = name + ": is not what the schema " + loaded_.path + " says";
    for (std::string const& each : differences) text += (&each == &differences.front() ? ": " : "; ") + each;
    bool const would_do = match_layout(loaded_.schema, layout, {true, true}).empty();
    throw SchemaError(text, would_do ? std::string(unlabeled_hint) : "");
  }

  LoadedSchema loaded_;
  bool may_lack_roles_;
  Console& console_;
  FileFormat const* inner_ = nullptr;
};

SchemaGuide::SchemaGuide(Arguments const& arguments, Console& console) {
  std::optional<std::string> const path = arguments.value("schema");
  bool const may_lack_roles = arguments.has("unlabeled");
  if (!path && may_lack_roles)
    throw ConfigurationError("--unlabeled says what an input may lack of a schema, and there is none",
                             "--schema FILE names one.");
  if (path) guided_ = std::make_unique<GuidedFormat>(load_schema(*path), may_lack_roles, console);
}

SchemaGuide::SchemaGuide(LoadedSchema loaded, bool may_lack_roles, Console& console)
    : guided_(std::make_unique<GuidedFormat>(std::move(loaded), may_lack_roles, console)) {}

SchemaGuide::~SchemaGuide() = default;

FileFormat const& SchemaGuide::format_of(std::vector<InputFile> const& files, FileFormat const* wanted) {
  FileFormat const* format = &common_format(files, wanted);
  if (guided_ == nullptr) return *format;
  auto const is_named = [](InputFile const& file) { return !file.is_stdin && has_known_suffix(file.path); };
  FileFormat const& expected = *format_named(guided_->loaded().schema.format);
  bool const is_guess = wanted == nullptr && format->is("csv") && std::none_of(files.begin(), files.end(), is_named);
  if (is_guess && expected.info().is_text) format = &expected;
  guided_->choose(*format);
  return *guided_;
}

}  // namespace penstock::app
