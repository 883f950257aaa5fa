// The schema of an input that was read.

#include "host/app/command_schema.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include "formats/libsvm/format.hpp"
#include "host/app/command_schema_options.hpp"
#include "host/app/options_values.hpp"
#include "host/pipeline/column_list.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "host/pipeline/format_plan.hpp"

namespace penstock::app {
namespace {

/// As --delimiter, --quote, --escape and --comment take it.
std::string byte_option(char byte) {
  constexpr std::pair<char, std::string_view> words[] = {
      {'\0', "none"}, {'\t', "tab"},   {',', "comma"},   {';', "semicolon"},  {'|', "pipe"},
      {' ', "space"}, {'"', "double"}, {'\'', "single"}, {'\\', "backslash"}, {'#', "hash"}};
  for (auto const& [known, word] : words)
    if (byte == known) return std::string(word);
  return {byte};
}

/// As --null takes them.
std::string null_option(std::vector<std::string> const& nulls) {
  std::string list;
  for (std::size_t i = 0; i < nulls.size(); ++i) {
    bool const is_plain = nulls[i].find_first_of(",\"") == std::string::npos;
    list += (i == 0 ? "" : ",") + (is_plain ? nulls[i] : list_item(nulls[i]));
  }
  return list;
}

/// As --label, --weight and --qid take them.
std::string column_option(CsvPlan const& plan, Role role) {
  std::string list;
  for (std::string const& name : plan.names(role)) {
    list += list.empty() ? "" : ",";
    list += plan.has_header() ? list_item(name) : name;
  }
  return list;
}

/// What CSV was read with; nothing if the option is at a default that means that there is nothing of it.
std::optional<std::string> csv_option(std::string_view name, CsvPlan const& plan, Arguments const& arguments) {
  csv::Dialect const& dialect = plan.dialect();
  auto const columns = [&](Role role) {
    std::string list = column_option(plan, role);
    return list.empty() ? std::nullopt : std::optional<std::string>(std::move(list));
  };
  if (name == "label") return columns(Role::label);
  if (name == "weight") return columns(Role::weight);
  if (name == "qid") return columns(Role::qid);
  if (name == "delimiter") return byte_option(dialect.delimiter);
  if (name == "quote") return byte_option(dialect.quote);
  if (name == "escape") return byte_option(dialect.escape);
  if (name == "comment") return byte_option(dialect.comment);
  if (name == "quotes") return dialect.strict_quotes ? "strict" : "lenient";
  if (name == "header") return plan.has_header() ? "yes" : "no";
  if (name == "null") return null_option(csv_options(arguments).nulls);
  if (name == "inf" || name == "overflow") return arguments.value_or(name, "error");
  return std::nullopt;
}

/// What libsvm text did not say in one place.
std::optional<std::string> libsvm_option(std::string_view name, SchemaSource const& source) {
  using Plan = FormatPlan<libsvm::Format>;
  auto const* const plan = dynamic_cast<Plan const*>(source.plan);
  if (plan == nullptr) return std::nullopt;
  if (name == "index-base") return std::to_string(plan->decode_plan().items.base);
  if (name == "num-features" && source.layout.features != 0) return std::to_string(source.layout.features);
  return std::nullopt;
}

/// What a plan found out by itself: the keys that became columns.
std::optional<std::string> found_option(std::string_view name, SchemaSource const& source) {
  if (source.plan == nullptr) return std::nullopt;
  for (auto& [option, value] : source.plan->found_options()) {
    if (option == name) return value;
  }
  return std::nullopt;
}

std::optional<std::string> option_of(OptionWords const& option, SchemaSource const& source) {
  if (is_of_this_input(option.name)) return std::nullopt;
  if (option.name == "dtype") return std::string(name_of(source.layout.feature_dtype));
  auto const* const csv = dynamic_cast<CsvPlan const*>(source.plan);
  auto value = csv != nullptr ? csv_option(option.name, *csv, source.arguments) : libsvm_option(option.name, source);
  if (!value && csv == nullptr) value = found_option(option.name, source);
  if (value || (csv != nullptr && names_columns(option.name))) return value;
  if (is_flag(option.name))
    return source.arguments.has(option.name) ? std::optional<std::string>("true") : std::nullopt;
  return source.arguments.value(option.name);
}

void add_columns(Schema& schema, CsvPlan const& plan) {
  for (CsvColumn const& column : plan.columns()) schema.columns.push_back({column.name, column.role});
  schema.features = plan.names(Role::feature);
}

}  // namespace

Schema schema_of(SchemaSource const& source) {
  Schema schema;
  schema.format = source.format.name();
  schema.layout = source.layout;
  if (auto const* const csv = dynamic_cast<CsvPlan const*>(source.plan)) add_columns(schema, *csv);
  for (OptionWords const& option : source.format.read_options()) {
    if (std::optional<std::string> value = option_of(option, source))
      schema.options.emplace_back(option.name, std::move(*value));
  }
  return schema;
}

}  // namespace penstock::app
