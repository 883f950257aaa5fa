// What the columns of an input hold, in numbers.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/commands.hpp"
#include "host/app/fault_lines.hpp"
#include "host/app/input_statistics.hpp"
#include "host/app/options_values.hpp"
#include "host/app/statistics_report.hpp"
#include "host/app/text_columns.hpp"
#include "host/app/viewing.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

std::unique_ptr<BatchReader> open_input(std::vector<InputFile> const& files, FileFormat const& format,
                                        ReadOptions const& options) {
  if (!format.is("csv")) {
    ReadOptions with_texts = options;
    with_texts.finds_texts = true;
    return open_batches(files, format, with_texts);
  }
  return open_csv_view(files, options, TextUse::keep).reader;
}

/// What there is to find out, and no more: quantiles and different values are what costs.
StatisticsQuestion question_of(Arguments const& arguments, std::vector<Statistic> const& wanted) {
  StatisticsQuestion question;
  question.details = details_for(wanted);
  question.details.is_exact = arguments.has("exact");
  question.only = arguments.value("column");
  question.wants_correlations = arguments.has("correlations");
  if (question.only && question.wants_correlations)
    throw ConfigurationError("--correlations are of all columns and not of --column", "--columns chooses features.");
  return question;
}

/// Features and labels, in this order, as correlations are.
std::vector<std::string> correlated_names(std::vector<NamedColumn> const& columns) {
  std::vector<std::string> names;
  for (std::string_view const role : {name_of(Role::feature), name_of(Role::label)})
    for (NamedColumn const& column : columns)
      if (column.role == role) names.push_back(column.name);
  return names;
}

}  // namespace

int run_stats(Arguments const& arguments) {
  Console console(arguments);
  FaultLines faults(console);
  std::optional<std::string> const named = arguments.value("statistic");
  StatisticsReport report;
  report.wanted = named || arguments.has("json") ? statistics_named(named) : statistics_of_table();
  report.has_frequent_values = !named;
  StatisticsQuestion question = question_of(arguments, report.wanted);
  ReadOptions const options = read_options(arguments);
  question.threads = options.stream.threads;
  std::vector<InputFile> const files = expand_inputs(arguments.inputs());
  FileFormat const& format = common_format(files, options.format);
  check_format_options(arguments, {&format}, nullptr);
  std::unique_ptr<BatchReader> const reader = open_input(files, format, options);
  auto* const planned = dynamic_cast<PlannedReader*>(reader.get());
  if (planned != nullptr)
    planned->stream().on_reject = [&](FaultReport const* fault, std::string_view, bool, bool) {
      if (fault != nullptr) faults.show(*fault);
    };
  InputStatistics statistics(*reader, question);
  for (Batch batch; reader->next(batch);) statistics.add(batch);
  faults.finish(planned == nullptr ? 0 : planned->stream().counts().rejected);

  report.columns = statistics.finish();
  report.rows = statistics.rows();
  report.correlations = statistics.correlations();
  if (report.correlations != nullptr) report.correlated = correlated_names(report.columns);
  for (std::string const& note : statistics.notes()) console.say(note);
  bool const is_bare = named && question.only && report.wanted.size() == 1;
  StandardOutput out;
  out.write(is_bare                 ? bare_value(report.wanted[0], report.columns[0].statistics)
            : arguments.has("json") ? json_line(report)
                                    : table_text(report));
  out.finish();
  return 0;
}

}  // namespace penstock::app
