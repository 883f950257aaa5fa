#include "host/app/statistics_report.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <span>
#include <utility>

#include "host/app/json.hpp"
#include "host/app/options_values.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

using Column = ColumnStatistics;
using Found = std::optional<double>;

Found count(std::uint64_t number) { return static_cast<double>(number); }

/// Of numbers, which texts are none.
Found number_count(Column const& c, std::uint64_t number) { return c.is_text ? std::nullopt : count(number); }

/// Without finite values there is none.
Found of_values(Column const& c, double value) {
  return c.is_text || c.summary.moments.count == 0 ? std::nullopt : std::optional(value);
}

template <std::size_t i>
Found quantile(Column const& c) {
  return c.quantiles ? std::optional(c.quantiles->values[i]) : std::nullopt;
}

constexpr Statistic statistic_table[] = {
    {"count", [](Column const& c) { return count(c.summary.moments.count); }, true},
    {"missing", [](Column const& c) { return count(c.summary.missing); }, true},
    {"infinite", [](Column const& c) { return number_count(c, c.summary.infinite); }, true},
    {"zeros", [](Column const& c) { return number_count(c, c.summary.zeros); }, true},
    {"distinct", [](Column const& c) { return c.values ? count(c.values->distinct) : std::nullopt; }, true},
    {"min", [](Column const& c) { return of_values(c, c.summary.least); }},
    {named_quantiles[0].name, quantile<0>},
    {named_quantiles[1].name, quantile<1>},
    {named_quantiles[2].name, quantile<2>},
    {named_quantiles[3].name, quantile<3>},
    {named_quantiles[4].name, quantile<4>},
    {named_quantiles[5].name, quantile<5>},
    {named_quantiles[6].name, quantile<6>},
    {"max", [](Column const& c) { return of_values(c, c.summary.greatest); }},
    {"mean", [](Column const& c) { return of_values(c, c.summary.moments.mean); }},
    {"std", [](Column const& c) { return of_values(c, standard_deviation(c.summary.moments)); }},
    {"skewness", [](Column const& c) { return of_values(c, skewness(c.summary.moments)); }},
};

/// With names of up to 20 characters and counts of up to 99,999,999 they fit into 120 columns.
constexpr std::string_view table_names[] = {"count",  "missing", "zeros", "distinct", "min",
                                            "median", "max",     "mean",  "std"};

Statistic const* find_statistic(std::string_view name) {
  auto const* const found = std::find_if(std::begin(statistic_table), std::end(statistic_table),
                                         [name](Statistic const& statistic) { return statistic.name == name; });
  return found == std::end(statistic_table) ? nullptr : found;
}

std::string significant(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

/// What is not exact has a ~ before it.
std::string cell(Statistic const& statistic, Column const& column) {
  Found const value = statistic.of(column);
  if (!value) return "-";
  ColumnDetails const details = details_for({statistic});
  bool const is_about =
      (details.values && !column.values->is_exact) || (details.quantiles && !column.quantiles->is_exact);
  return (is_about ? "~" : "") +
         (statistic.is_count ? format_count(static_cast<std::uint64_t>(*value)) : significant(*value));
}

/// Lines of cells: the first of each to the left, the others to the right of what is as wide as its widest cell.
std::string aligned(std::vector<std::vector<std::string>> const& lines) {
  std::vector<std::size_t> widths(lines[0].size());
  for (auto const& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string text;
  for (auto const& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      std::string const gap(widths[i] - line[i].size(), ' ');
      text += i == 0 ? line[i] + gap : "  " + gap + line[i];
    }
    text += '\n';
  }
  return text;
}

constexpr std::size_t sparse_lines_max = 100;

std::string columns_text(StatisticsReport const& report) {
  std::vector<std::vector<std::string>> lines(1, {"column"});
  for (Statistic const& statistic : report.wanted) lines[0].emplace_back(statistic.name);
  std::size_t sparse = 0;
  for (NamedColumn const& column : report.columns) {
    if (column.is_sparse && ++sparse > sparse_lines_max) continue;
    std::vector<std::string> line = {escape_for_display(column.name, 40)};
    for (Statistic const& statistic : report.wanted) line.push_back(cell(statistic, column.statistics));
    lines.push_back(std::move(line));
  }
  std::string text = aligned(lines);
  if (sparse > sparse_lines_max)
    text += "(and " + format_count(sparse - sparse_lines_max) + " sparse columns more: --json has all)\n";
  return text;
}

// --- frequent values -------------------------------------------------------------------------------------------------

bool is_label(NamedColumn const& column) { return column.role == "label"; }

/// Of any column, as people read them.
std::vector<std::pair<std::string, std::uint64_t>> frequent_of(ValueStatistics const& values) {
  std::vector<std::pair<std::string, std::uint64_t>> frequent;
  for (statistics::ValueCount const& value : values.most_frequent)
    frequent.emplace_back(significant(value.value), value.count);
  for (auto const& [text, count] : values.texts) frequent.emplace_back(escape_for_display(text, 24), count);
  return frequent;
}

/// "label: 0 (53.0 %, 5,300), 1 (47.0 %, 4,700)"
std::string balance_text(NamedColumn const& column) {
  ValueStatistics const& values = *column.statistics.values;
  std::string const name = escape_for_display(column.name, 40) + ": ";
  if (!values.is_exact) return name + "about " + format_count(values.distinct) + " different values\n";
  std::string text;
  auto const frequent = frequent_of(values);
  for (auto const& [value, count] : frequent)
    text += (text.empty() ? "" : ", ") + value + " (" + format_percent(count, column.statistics.summary.moments.count) +
            ", " + format_count(count) + ")";
  if (text.empty()) return "";
  if (values.distinct > frequent.size())
    text += " and " + format_count(values.distinct - frequent.size()) + " values more";
  return name + text + "\n";
}

void write_frequent(Json& json, Column const& column) {
  if (!column.values) return;
  json.member("distinct_is_exact", column.values->is_exact);
  json.key("most_frequent");
  if (!column.values->is_exact) {
    json.null();
    return;
  }
  json.begin_array();
  auto const add = [&](auto const& value, std::uint64_t count) {
    double const share = static_cast<double>(count) / static_cast<double>(column.summary.moments.count);
    json.begin_object().member("value", value).member("count", count).member("share", share).end_object();
  };
  for (statistics::ValueCount const& value : column.values->most_frequent) add(value.value, value.count);
  for (auto const& [text, count] : column.values->texts) add(text, count);
  json.end_array();
}

// --- correlations ----------------------------------------------------------------------------------------------------

constexpr std::size_t matrix_columns_max = 12;
constexpr std::size_t pairs_max = 40;

std::string two_digits(std::optional<double> r) {
  if (!r) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", *r > -0.005 && *r < 0.005 ? 0.0 : *r);  // no -0.00
  return text;
}

std::string matrix_text(StatisticsReport const& report) {
  std::vector<std::vector<std::string>> lines(1, {"correlation"});
  for (std::string const& name : report.correlated) lines[0].push_back(escape_for_display(name, 12));
  for (std::size_t a = 0; a < report.correlated.size(); ++a) {
    std::vector<std::string> line = {escape_for_display(report.correlated[a], 20)};
    for (std::size_t b = 0; b < report.correlated.size(); ++b)
      line.push_back(two_digits(report.correlations->correlation(a, b)));
    lines.push_back(std::move(line));
  }
  return aligned(lines);
}

/// Of many columns the pairs that vary together most.
std::string pairs_text(StatisticsReport const& report) {
  struct Pair {
    std::size_t a, b;
    double r;
  };
  std::vector<Pair> pairs;
  for (std::size_t a = 0; a < report.correlated.size(); ++a)
    for (std::size_t b = 0; b < a; ++b)
      if (auto const r = report.correlations->correlation(a, b)) pairs.push_back({b, a, *r});
  std::stable_sort(pairs.begin(), pairs.end(), [](Pair const& x, Pair const& y) { return x.r * x.r > y.r * y.r; });
  std::size_t const shown = std::min(pairs.size(), pairs_max);
  std::vector<std::vector<std::string>> lines(1, {"correlation", "with", "r"});
  for (Pair const& pair : std::span(pairs).first(shown))
    lines.push_back({escape_for_display(report.correlated[pair.a], 40),
                     escape_for_display(report.correlated[pair.b], 40), two_digits(pair.r)});
  std::string text = aligned(lines);
  if (shown < pairs.size()) text += "(and " + format_count(pairs.size() - shown) + " pairs more: --json has all)\n";
  return text;
}

std::string correlations_text(StatisticsReport const& report) {
  std::string const rows = format_count(report.correlations->rows()) + " of " + format_count(report.rows);
  return "\nCorrelations over " + rows + " rows in which none of the values is missing:\n" +
         (report.correlated.size() <= matrix_columns_max ? matrix_text(report) : pairs_text(report));
}

void write_correlations(Json& json, StatisticsReport const& report) {
  json.key("correlations").begin_object().member("rows", report.correlations->rows());
  json.list("columns", report.correlated);
  json.key("matrix").begin_array();
  for (std::size_t a = 0; a < report.correlated.size(); ++a) {
    json.begin_array();
    for (std::size_t b = 0; b < report.correlated.size(); ++b) json.value(report.correlations->correlation(a, b));
    json.end_array();
  }
  json.end_array().end_object();
}

void write_value(Json& json, Statistic const& statistic, Column const& column) {
  Found const value = statistic.of(column);
  if (value && statistic.is_count)
    json.value(static_cast<std::uint64_t>(*value));
  else
    json.value(value);
}

}  // namespace

std::vector<Statistic> statistics_named(std::optional<std::string> const& list) {
  if (!list) return {std::begin(statistic_table), std::end(statistic_table)};
  std::vector<Statistic> wanted;
  for (std::string const& name : csv_items("statistic", *list)) {
    Statistic const* const found = find_statistic(name);
    if (found != nullptr) {
      auto const is_same = [&name](Statistic const& other) { return other.name == name; };
      if (std::none_of(wanted.begin(), wanted.end(), is_same)) wanted.push_back(*found);
      continue;
    }
    std::string known;
    for (Statistic const& statistic : statistic_table)
      known += (known.empty() ? "" : ", ") + std::string(statistic.name);
    throw ConfigurationError("--statistic '" + escape_for_display(name, 40) + "' is none", "Known are " + known + ".");
  }
  return wanted;
}

std::vector<Statistic> statistics_of_table() {
  std::vector<Statistic> wanted;
  for (std::string_view const name : table_names) wanted.push_back(*find_statistic(name));
  return wanted;
}

ColumnDetails details_for(std::vector<Statistic> const& wanted) {
  ColumnDetails details;
  for (Statistic const& statistic : wanted) {
    details.values = details.values || statistic.name == "distinct";
    for (NamedQuantile const& quantile : named_quantiles)
      details.quantiles = details.quantiles || statistic.name == quantile.name;
  }
  return details;
}

std::string bare_value(Statistic const& statistic, ColumnStatistics const& column) {
  Json json;
  write_value(json, statistic, column);
  return json.line();
}

std::string table_text(StatisticsReport const& report) {
  std::string text = columns_text(report);
  if (report.has_frequent_values) {
    std::string balance;
    for (NamedColumn const& column : report.columns)
      if ((is_label(column) || column.statistics.is_text) && column.statistics.values) balance += balance_text(column);
    if (!balance.empty()) text += "\n" + balance;
  }
  if (report.correlations != nullptr) text += correlations_text(report);
  return text;
}

std::string json_line(StatisticsReport const& report) {
  Json json;
  json.begin_object().member("rows", report.rows);
  json.key("columns").begin_array();
  for (NamedColumn const& column : report.columns) {
    json.begin_object().member("name", column.name).member("role", column.role);
    for (Statistic const& statistic : report.wanted)
      write_value(json.key(statistic.name), statistic, column.statistics);
    if (report.has_frequent_values) {
      if (column.statistics.quantiles) json.member("quantiles_are_exact", column.statistics.quantiles->is_exact);
      write_frequent(json, column.statistics);
    }
    json.end_object();
  }
  json.end_array();
  if (report.correlations != nullptr) write_correlations(json, report);
  json.end_object();
  return json.line();
}

}  // namespace penstock::app
