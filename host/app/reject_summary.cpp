#include "host/app/reject_summary.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "host/pipeline/column_list.hpp"
#include "host/pipeline/csv_sniff.hpp"

namespace penstock::app {
namespace {

/// Counted for each column, so that a common spelling that comes late is still found.
constexpr std::size_t spellings_counted_max = 32;

/// What spreadsheets, databases and other tools write for a missing value (pandas.read_csv na_values, R, SPSS, UCI
/// data sets, MySQL), in lower case.
constexpr std::string_view null_spellings[] = {"n/a", "#n/a", "#na",  "na",      "nan", "null",    "none",
                                               "nil", "?",    "-",    "--",      ".",   "<na>",    "#n/a n/a",
                                               "\\n", "n.a.", "void", "missing", "nul", "unknown", "(null)"};

bool is_null_spelling(std::string_view cell) {
  std::string lower(cell);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::find(std::begin(null_spellings), std::end(null_spellings), lower) != std::end(null_spellings);
}

/// Faults of one cell; the others are the record's.
bool is_of_cell(FaultCode code) { return code < FaultCode::too_few_fields; }

}  // namespace

void RejectKinds::add(FaultReport const& report) {
  auto const code = static_cast<std::size_t>(report.code);
  if (records_[code]++ == 0) examples_[code] = summary_of(report);
}

std::string RejectKinds::Kind::words() const {
  std::string name(name_of(code));
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::vector<RejectKinds::Kind> RejectKinds::found() const {
  std::vector<Kind> kinds;
  for (std::size_t i = 0; i < fault_codes; ++i) {
    if (records_[i] != 0) kinds.push_back({static_cast<FaultCode>(i), records_[i], examples_[i]});
  }
  return kinds;
}

RejectSummary::RejectSummary(CsvPlan const& plan) : plan_(plan) {
  for (std::size_t i = 0; i < plan.columns().size(); ++i) index_of_.emplace(plan.columns()[i].name, i);
}

std::size_t RejectSummary::column_of(FaultReport const& report) const {
  auto const found = index_of_.find(report.column_name);
  return found == index_of_.end() ? report.column : found->second;
}

void RejectSummary::add(FaultReport const& report) {
  if (!is_of_cell(report.code)) return;
  Column& column = columns_[column_of(report)];
  ++column.records;
  add_cell(column, report);
}

void RejectSummary::add_cell(Column& column, FaultReport const& report) {
  std::string const cell = unquoted(report.cell, plan_.dialect()).value_or(report.cell);
  std::string const spelling = cell.substr(0, spelling_bytes_max);
  auto const known = std::find_if(column.cells.begin(), column.cells.end(),
                                  [&spelling](BadCell const& each) { return each.cell == spelling; });
  if (known != column.cells.end()) {
    ++known->records;
    return;
  }
  if (column.cells.size() == spellings_counted_max) return;
  column.cells.push_back({spelling, 1});
  if (report.code != FaultCode::not_a_number) return;
  std::string_view const inner = without_blanks(cell);
  bool const is_null = is_null_spelling(inner);
  bool const has_blanks = inner.size() != cell.size();
  if (has_blanks && (is_null || guess_cell(inner, plan_.decode_plan().rules) != CellGuess::text)) wants_trim_ = true;
  if (is_null && std::find(nulls_.begin(), nulls_.end(), inner) == nulls_.end()) nulls_.emplace_back(inner);
}

std::uint64_t RejectSummary::rejecting(std::size_t column) const {
  auto const found = columns_.find(column);
  return found == columns_.end() ? 0 : found->second.records;
}

std::vector<BadCell> RejectSummary::bad_cells(std::size_t column) const {
  auto const found = columns_.find(column);
  if (found == columns_.end()) return {};
  std::vector<BadCell> cells = found->second.cells;
  std::stable_sort(cells.begin(), cells.end(), [](auto const& a, auto const& b) { return a.records > b.records; });
  cells.resize(std::min(cells.size(), spellings_told_max));
  return cells;
}

std::string RejectSummary::suggestion(std::vector<std::string> const& nulls) const {
  std::string text = wants_trim_ ? "--trim" : "";
  if (nulls_.empty()) return text;
  std::vector<std::string> all = nulls;
  for (std::string const& each : nulls_) {
    if (std::find(all.begin(), all.end(), each) == all.end()) all.push_back(each);
  }
  std::string list;
  for (std::size_t i = 0; i < all.size(); ++i) {
    list += i == 0 ? "" : ",";
    list += all[i].find_first_of(",\"") == all[i].npos ? all[i] : list_item(all[i]);
  }
  return text + (text.empty() ? "" : " ") + "--null " + shell_word(list);
}

}  // namespace penstock::app
