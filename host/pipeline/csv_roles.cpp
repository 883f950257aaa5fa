#include "host/pipeline/csv_roles.hpp"

#include "formats/core/number.hpp"
#include "penstock/error.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <span>
#include <utility>

namespace penstock {
namespace {

/// A handful of lines on a terminal.
constexpr std::size_t listed_max = 20;

std::string_view option_of(Role role, CsvOptions const& options) {
  switch (role) {
    case Role::feature: return options.columns_option;
    case Role::label: return "--label";
    case Role::weight: return "--weight";
    case Role::qid: return "--qid";
    case Role::category: return "--normalize";
    case Role::base_margin:
    case Role::start:
    case Role::cat:
    case Role::ignore: break;
  }
  return "--ignore";
}

/// Gives columns their roles, each at most one.
class RoleTable {
 public:
  RoleTable(ColumnNames const& names, CsvOptions const& options)
      : names_(names), options_(options), is_taken_(names.size()) {
    roles_.columns.resize(names.size());
  }

  void assign(Role role, std::string_view list) {
    std::vector<std::size_t> const columns = names_.resolve(list, option_of(role, options_));
    bool const is_single = role == Role::weight || role == Role::qid;
    if (is_single && columns.size() > 1) {
      throw ConfigurationError(std::string(option_of(role, options_)) + " takes one column, not " +
                               std::to_string(columns.size()));
    }
    for (std::size_t column : columns) take(column, role);
  }

  /// Every column that has no role yet is a feature.
  void assign_rest() {
    auto const rest = std::count(is_taken_.begin(), is_taken_.end(), false);
    roles_.by_role[static_cast<std::size_t>(Role::feature)].reserve(static_cast<std::size_t>(rest));
    for (std::size_t column = 0; column < names_.size(); ++column) {
      if (!is_taken_[column]) take(column, Role::feature);
    }
  }

  ColumnRoles finish(DType dtype) {
    if (roles_.of(Role::feature).empty() && roles_.of(Role::category).empty()) {
      throw ConfigurationError("no column is left to be a feature",
                               "Every column of the input is a label, weight, qid or ignored.");
    }
    roles_.layout.feature_dtype = dtype;
    roles_.layout.features = roles_.of(Role::feature).size();
    roles_.layout.labels = roles_.of(Role::label).size();
    roles_.layout.categories = roles_.of(Role::category).size();
    roles_.layout.has_weight = !roles_.of(Role::weight).empty();
    roles_.layout.has_qid = !roles_.of(Role::qid).empty();
    return std::move(roles_);
  }

 private:
  void take(std::size_t column, Role role) {
    if (is_taken_[column]) {
      throw ConfigurationError(names_.word_for(column) + " is named by two options: " +
                               std::string(option_of(roles_.columns[column].role, options_)) + " and " +
                               std::string(option_of(role, options_)));
    }
    is_taken_[column] = true;
    roles_.columns[column].role = role;
    if (role == Role::ignore) return;
    auto& order = roles_.by_role[static_cast<std::size_t>(role)];
    roles_.columns[column].place = static_cast<std::uint32_t>(order.size());
    order.push_back(static_cast<std::uint32_t>(column));
  }

  ColumnNames const& names_;
  CsvOptions const& options_;
  std::vector<bool> is_taken_;
  ColumnRoles roles_;
};

[[noreturn]] void throw_malformed(ListItem const& item) {
  throw ConfigurationError("--label-map: " + shown(item.text) + " is not NAME=NUMBER",
                           "Write one number for each class name: --label-map setosa=0,versicolor=1");
}

/// Columns that cannot be features.
struct TextColumns {
  ColumnNames const& names;
  std::vector<std::uint32_t> columns;
  NearNumber near_numbers;
};

/// The first text in each of `columns`, in any order.
std::vector<std::string> examples_of(std::span<std::uint32_t const> columns, std::size_t width,
                                     SampledData const& data) {
  std::vector<std::uint32_t> ascending(columns.begin(), columns.end());
  std::sort(ascending.begin(), ascending.end());
  std::vector<std::string> const texts = first_texts(data.records, width, ascending, data.rules);
  std::vector<std::string> examples;
  for (std::uint32_t column : columns) {
    auto const place = std::lower_bound(ascending.begin(), ascending.end(), column) - ascending.begin();
    examples.push_back(texts[static_cast<std::size_t>(place)]);
  }
  return examples;
}

std::string words_for(TextColumns const& texts, SampledData const& data) {
  std::size_t const count = texts.columns.size();
  std::size_t const listed = std::min(count, listed_max);
  std::string words = count == 1 ? "a feature column is" : std::to_string(count) + " feature columns are";
  words += " text, not numbers: ";
  auto const examples = examples_of(std::span(texts.columns).first(listed), texts.names.size(), data);
  for (std::size_t i = 0; i < listed; ++i) {
    words += (i == 0 ? "" : ", ") + texts.names.word_for(texts.columns[i]) + " (such as " + shown(examples[i]) + ")";
  }
  if (count > listed) words += " and " + std::to_string(count - listed) + " more";
  return words;
}

/// The options that leave text columns out or give them another meaning.
std::string remedies_for(TextColumns const& texts, CsvOptions const& options, csv::CellRules const& rules) {
  constexpr std::size_t pasted_max = 1000;  // of usual names still a line that a shell takes
  std::string hint = "Take them out of " + std::string(options.columns_option) + ".";
  if (options.columns.empty() && texts.columns.size() > pasted_max) hint = "Choose the features with --columns.";
  if (options.columns.empty() && texts.columns.size() <= pasted_max) {
    std::string ignore = options.ignore;
    for (std::size_t column : texts.columns) ignore += (ignore.empty() ? "" : ",") + texts.names.item_for(column);
    hint = "Leave them out: --ignore " + shell_word(ignore) + ", or choose the features with --columns.";
  }
  std::string const advice = advice_for(texts.near_numbers, rules.dialect);
  if (!advice.empty()) hint += ' ' + advice;
  return hint +
         " --normalize makes features of texts (COLUMN=one-hot). A class to be predicted is named by --label NAME, "
         "with its classes' numbers in --label-map NAME=0,...";
}

/// What class names are that were meant for numbers.
NearNumber near_numbers_of(std::vector<std::string> const& classes, csv::CellRules const& rules) {
  NearNumber found;
  for (std::string const& name : classes) {
    NearNumber one = near_number(name, rules);
    one.is_padded = one.is_padded && guess_cell(without_blanks(name), rules) == CellGuess::number;
    found |= one;
  }
  return found;
}

[[noreturn]] void throw_text_label(std::string const& word, std::vector<std::string> const& classes,
                                   csv::CellRules const& rules) {
  std::string const message = "the label " + word + " is text, not numbers: " + shown_list(classes, listed_max);
  std::string const advice = advice_for(near_numbers_of(classes, rules), rules.dialect);
  if (!advice.empty()) throw ConfigurationError(message, advice);
  std::string map;
  for (std::size_t i = 0; i < std::min(classes.size(), listed_max); ++i) {
    map += (i == 0 ? "" : ",") + list_item(classes[i]) + "=" + std::to_string(i);
  }
  std::string hint = "Give each class a number: --label-map " + shell_word(map);
  if (classes.size() > listed_max) hint += " and so on for the other " + std::to_string(classes.size() - listed_max);
  throw ConfigurationError(message, hint + ". These are the classes near the start of the input; there may be others.");
}

}  // namespace

ColumnRoles assign_roles(ColumnNames const& names, CsvOptions const& options) {
  RoleTable table(names, options);
  table.assign(Role::label, options.label);
  table.assign(Role::weight, options.weight);
  table.assign(Role::qid, options.qid);
  table.assign(Role::ignore, options.ignore);
  table.assign(Role::category, options.texts);
  table.assign(Role::feature, options.columns);
  if (options.columns.empty()) table.assign_rest();
  return table.finish(options.dtype);
}

LabelMap parse_label_map(std::string_view text) {
  LabelMap map;
  std::set<std::string> known;
  std::vector<float> values;
  for (ListItem const& item : split_list(text, "--label-map")) {
    std::size_t const sign = item.text.rfind('=');
    if (sign == item.text.npos || sign < item.quoted_end) throw_malformed(item);
    std::string_view const value = without_blanks(std::string_view(item.text).substr(sign + 1));
    auto const parsed = number::parse<float>(value.data(), value.data() + value.size());
    std::string_view name = std::string_view(item.text).substr(0, sign);
    if (!item.is_quoted) name = without_blanks(name);
    if (parsed.status != number::Status::ok || (name.empty() && !item.is_quoted)) throw_malformed(item);
    if (!known.emplace(name).second) throw ConfigurationError("--label-map: " + shown(name) + " occurs twice");
    map.names.emplace_back(name);
    values.push_back(parsed.value);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::string const& name = map.names[i];
    map.entries.push_back({{name.data(), name.data() + name.size()}, values[i]});
  }
  return map;
}

void require_numbers(ColumnNames const& names, ColumnRoles const& roles, CsvOptions const& options,
                     SampledData const& data) {
  csv::CellRules rules = data.rules;
  rules.labels = csv::View<csv::LabelName>();
  std::vector<SampledColumn> const sampled = sample_columns(data.records, names.size(), rules);
  auto const is_text = [&](std::size_t column) { return sampled[column].is_text(); };
  std::vector<std::uint32_t> const& labels = roles.of(Role::label);
  auto const label = std::find_if(labels.begin(), labels.end(), is_text);
  if (data.rules.labels.empty() && label != labels.end()) {
    throw_text_label(names.word_for(*label), sample_names(data.records, labels, rules), rules);
  }
  TextColumns texts{names, {}, {}};
  for (std::uint32_t column : roles.of(Role::feature)) {
    if (!is_text(column)) continue;
    texts.columns.push_back(column);
    texts.near_numbers |= sampled[column].near_numbers;
  }
  if (texts.columns.empty()) return;
  throw ConfigurationError(words_for(texts, {data.records, rules}), remedies_for(texts, options, rules));
}

}  // namespace penstock
