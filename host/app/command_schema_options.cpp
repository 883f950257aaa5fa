#include "host/app/command_schema_options.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "host/app/options_values.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

bool has_option(FileFormat const& format, std::string_view name) {
  std::vector<OptionWords> const options = format.read_options();
  return std::any_of(options.begin(), options.end(), [name](OptionWords const& option) { return option.name == name; });
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether two values of an option say the same: a byte may have a name, and lists of missing values any order.
bool means_same(Arguments const& arguments, std::string_view name, std::string const& a, std::string const& b) {
  if (a == b) return true;
  if (!is_one_of(name, {"delimiter", "quote", "escape", "comment", "null"})) return false;
  auto const parsed = [&](std::string const& value) {
    CsvOptions options = csv_options(Arguments(arguments.verb(), {{std::string(name), value}}, {}));
    std::sort(options.nulls.begin(), options.nulls.end());
    return options;
  };
  CsvOptions const x = parsed(a), y = parsed(b);
  return x.delimiter == y.delimiter && x.quote == y.quote && x.escape == y.escape && x.comment == y.comment &&
         x.nulls == y.nulls;
}

/// An option at its default is not in a schema: another value would read something else.
void refuse_others(LoadedSchema const& loaded, FileFormat const& format, Arguments const& arguments) {
  for (auto const& [name, value] : arguments.given()) {
    bool const is_free = names_columns(name) || is_of_this_input(name) || !has_option(format, name);
    bool const is_off = is_flag(name) && !arguments.has(name);
    if (is_free || is_off || loaded.option(name) != nullptr) continue;
    throw_conflict(name, value, "nothing of it", loaded.path);
  }
}

void require_index_base(LoadedSchema const& loaded, FileFormat const& format, Arguments const& arguments) {
  if (!format.is("libsvm") || arguments.value_or("index-base", "auto") != "auto") return;
  throw ConfigurationError(
      "the schema " + loaded.path + " does not say whether indices of libsvm count from 0 or from 1",
      "--index-base 0 or --index-base 1");
}

}  // namespace

std::string const* LoadedSchema::option(std::string_view name) const {
  for (auto const& option : schema.options)
    if (option.first == name) return &option.second;
  return nullptr;
}

bool LoadedSchema::has_header() const {
  for (std::size_t i = 0; i < schema.columns.size(); ++i)
    if (schema.columns[i].name != std::to_string(i)) return true;
  std::string const* const header = option("header");
  return header != nullptr && *header == "yes";
}

bool LoadedSchema::guides_columns(FileFormat const& format) const {
  return format.is("csv") && schema.format == "csv" && !schema.columns.empty();
}

LoadedSchema load_schema(std::string const& path) {
  LoadedSchema loaded{path == "-" ? "<stdin>" : path, read_schema(path)};
  FileFormat const* const format = format_named(loaded.schema.format);
  if (format == nullptr || !(format->is_planned() || format->is_array()))
    throw SchemaError(loaded.path + ": $.format: no format that is read is called '" +
                          escape_for_display(loaded.schema.format, 40) + "'",
                      "Formats are " + names_of_read_formats() + ".");
  for (auto const& option : loaded.schema.options) {
    if (has_option(*format, option.first)) continue;
    throw SchemaError(loaded.path + ": $.options: " + std::string(format->info().title) + " has no option '" +
                      escape_for_display(option.first, 40) + "'");
  }
  for (SchemaColumn const& column : loaded.schema.columns)
    if (column.role == Role::base_margin && format->is("csv"))
      throw SchemaError(loaded.path + ": $.columns: columns of CSV cannot be base margins");
  return loaded;
}

void apply_options(LoadedSchema const& loaded, FileFormat const& format, Arguments& arguments) {
  bool const has_columns = loaded.guides_columns(format);
  if (format.is(loaded.schema.format)) refuse_others(loaded, format, arguments);
  for (auto const& [name, value] : loaded.schema.options) {
    if (!has_option(format, name) || (has_columns && names_columns(name))) continue;
    std::optional<std::string> const given = arguments.value(name);
    if (given && !means_same(arguments, name, *given, value)) throw_conflict(name, *given, value, loaded.path);
    bool const waits_for_label = has_columns && name == "label-map";
    if (!waits_for_label) arguments.set_default(name, value);
  }
  if (has_option(format, "dtype")) arguments.set_default("dtype", name_of(loaded.schema.layout.feature_dtype));
  require_index_base(loaded, format, arguments);
}

void throw_conflict(std::string_view name, std::string_view given, std::string const& wanted, std::string const& path) {
  throw ConfigurationError(
      "--" + std::string(name) + " \"" + std::string(given) + "\": the schema " + path + " says " + wanted,
      "Leave the option out, or make another schema with penstock inspect --save-schema.");
}

bool has_known_suffix(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  return format_of_suffix(path) != nullptr;
}

bool is_flag(std::string_view option) {
  std::span<OptionSpec const> const table = option_table();
  return std::any_of(table.begin(), table.end(), [option](OptionSpec const& spec) {
    return spec.name == option && spec.argument.empty() && (spec.verbs & inspect_verb) != 0;
  });
}

bool is_of_this_input(std::string_view option) { return is_one_of(option, {"padding", "join"}); }

bool names_columns(std::string_view option) {
  return is_one_of(option, {"columns", "label", "weight", "qid", "ignore"});
}

}  // namespace penstock::app
