#include "host/app/text_columns.hpp"

#include <exception>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "host/app/options_values.hpp"
#include "host/app/replay.hpp"
#include "host/pipeline/column_list.hpp"
#include "host/pipeline/csv_head.hpp"
#include "host/pipeline/csv_header.hpp"
#include "host/pipeline/csv_rules.hpp"
#include "host/pipeline/csv_sniff.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// The records near the start of a file, sampled as the planner does it.
SampledRecords sample_of(CsvHead& head, CsvOptions const& options, CsvRules& rules) {
  LeadingLines lines(rules.dialect(), options.delimiter.has_value());
  while (std::size_t const passed = lines.pass(head.text())) head.drop(passed);
  if (!options.delimiter)
    rules.set_delimiter(guess_delimiter(head.text(), rules.dialect(), options.record_max).delimiter);
  SampledRecords sample;
  do {
    sample = sample_records(head.text(), rules.dialect(), options.record_max);
  } while (sample.whole.size() < 2 && head.grow(options.record_max + head_bytes));
  return sample;
}

bool has_header(std::span<SampledRecord const> records, CsvOptions const& options, CsvRules const& rules) {
  if (options.header != HeaderMode::automatic) return options.header == HeaderMode::yes;
  return guess_header(records, rules.cells()) == HeaderGuess::yes;
}

std::vector<std::string> names_of(HeaderRecord const& first, bool is_header) {
  if (is_header) return header_names(first);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < first.record.cells.size(); ++i) names.push_back(std::to_string(i));
  return names;
}

/// By column: whether the options give it a role, or leave it out already.
std::vector<bool> columns_with_roles(ColumnNames const& names, CsvOptions const& options) {
  std::vector<bool> has_role(names.size());
  std::pair<std::string_view, std::string const&> const lists[] = {
      {"--label", options.label}, {"--weight", options.weight}, {"--qid", options.qid}, {"--ignore", options.ignore}};
  for (auto const& [option, list] : lists) {
    for (std::size_t const column : names.resolve(list, option)) has_role[column] = true;
  }
  return has_role;
}

/// Columns of text are ignored, or kept as texts.
CsvOptions with_texts(std::vector<std::size_t> const& columns, CsvOptions options, TextUse use) {
  options.cuts_texts = true;
  std::string& list = use == TextUse::ignore ? options.ignore : options.texts;
  for (std::size_t const column : columns) list += (list.empty() ? "#" : ",#") + std::to_string(column);
  return options;
}

}  // namespace

std::vector<std::size_t> text_columns(std::vector<InputFile> const& files, CsvOptions const& options) {
  for (InputFile const& file : files) {
    CsvRules rules(options);
    CsvHead head(file);
    SampledRecords const sample = sample_of(head, options, rules);
    std::span<SampledRecord const> const records = sample.whole;
    if (records.empty()) continue;
    bool const is_header = has_header(records, options, rules);
    ColumnNames const names(names_of({records.front(), rules.cells(), head.name()}, is_header), is_header, head.name());
    std::vector<bool> const has_role = columns_with_roles(names, options);
    auto const sampled = sample_columns(records.subspan(is_header ? 1 : 0), names.size(), rules.cells());
    std::vector<std::size_t> texts;
    for (std::size_t i = 0; i < sampled.size(); ++i) {
      if (sampled[i].is_text() && !has_role[i]) texts.push_back(i);
    }
    return texts;
  }
  return {};
}

std::optional<CsvHeading> csv_heading(std::vector<InputFile> const& files, CsvOptions const& options) {
  for (InputFile const& file : files) {
    CsvRules rules(options);
    CsvHead head(file);
    SampledRecords const sample = sample_of(head, options, rules);
    if (sample.whole.empty()) continue;
    bool const is_header = has_header(sample.whole, options, rules);
    if (is_header && sample.begins_with_reject) return std::nullopt;
    return CsvHeading{names_of({sample.whole.front(), rules.cells(), head.name()}, is_header), is_header, head.name()};
  }
  return std::nullopt;
}

CsvView open_csv_view(std::vector<InputFile> const& files, ReadOptions const& options, TextUse use) {
  Replay replay(files);
  CsvOptions const csv = csv_options(options.arguments);
  std::unique_ptr<CsvPlan> plan;
  std::vector<std::size_t> texts;
  try {
    plan = plan_csv(replay.files(), csv);
  } catch (ConfigurationError const&) {
    if (!csv.columns.empty()) throw;
    texts = text_columns(replay.files(), csv);
    if (texts.empty()) throw;
    try {
      plan = plan_csv(replay.files(), with_texts(texts, csv, use));
    } catch (ConfigurationError const&) {
      // There is more that is wrong: the first error is about the options as they were given.
    }
    if (plan == nullptr) throw;
  }
  replay.settle();
  CsvPlan const* const planned = plan.get();
  return {std::make_unique<PlannedReader>(std::move(plan), options.stream), planned, std::move(texts)};
}

std::string CsvView::ignore_list() const {
  std::string list;
  bool const is_named = plan->has_header();
  for (std::size_t const column : text_columns) {
    std::string const item = is_named ? list_item(plan->columns()[column].name) : "#" + std::to_string(column);
    list += (list.empty() ? "" : ",") + item;
  }
  return list.empty() ? list : shell_word(list);
}

}  // namespace penstock::app
