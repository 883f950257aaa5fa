#include "host/app/command_inspect.hpp"

#include <unordered_map>
#include <utility>

#include "host/app/cli_output.hpp"
#include "host/app/command_schema.hpp"
#include "host/app/commands.hpp"
#include "host/app/fault_lines.hpp"
#include "host/app/options_values.hpp"
#include "host/app/text_columns.hpp"
#include "host/app/viewing.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// Columns of text are no reason to refuse CSV, unless a schema says what is what.
void open_input(Inspection& inspection, ReadOptions const& options, bool has_schema) {
  if (inspection.format.is("csv") && !has_schema) {
    CsvView view = open_csv_view(inspection.files, options);
    inspection.text_columns = view.text_columns;
    inspection.ignored_text = view.ignore_list();
    inspection.reader = std::move(view.reader);
  } else {
    inspection.reader = open_batches(inspection.files, inspection.format, options);
  }
  inspection.planned = dynamic_cast<PlannedReader*>(inspection.reader.get());
  if (inspection.planned != nullptr) inspection.csv = dynamic_cast<CsvPlan const*>(&inspection.planned->plan());
  if (inspection.csv == nullptr) return;
  inspection.rejects.emplace(*inspection.csv);
  inspection.nulls = csv_options(options.arguments).nulls;
}

void listen(Inspection& inspection, FaultLines& faults) {
  if (inspection.planned == nullptr) return;
  inspection.planned->stream().on_reject = [&](FaultReport const* report, std::string_view, bool, bool) {
    if (report == nullptr) return;
    inspection.kinds.add(*report);
    if (inspection.rejects) inspection.rejects->add(*report);
    faults.show(*report);
  };
}

void count_rows(Inspection& inspection) {
  inspection.summary.emplace(inspection.reader->layout());
  for (Batch batch; inspection.reader->next(batch);) inspection.summary->add(batch);
}

Schema schema_of(Inspection const& inspection, Arguments const& arguments) {
  BatchLayout layout = inspection.reader->layout();
  layout.features = inspection.width();
  InputPlan const* const plan = inspection.planned == nullptr ? nullptr : &inspection.planned->plan();
  return app::schema_of({inspection.format, plan, layout, arguments});
}

/// Writes the schema if one is asked for; true if it went to standard output, in the place of the report.
bool save_schema(Inspection const& inspection, Arguments const& arguments) {
  std::optional<std::string> const path = arguments.value("save-schema");
  if (!path) return false;
  write_schema(*path, schema_of(inspection, arguments), {arguments.has("force")});
  return *path == "-";
}

void check_schema_options(Arguments const& arguments) {
  if (arguments.value("schema") && arguments.value("save-schema"))
    throw ConfigurationError("--save-schema with --schema would write the same schema again",
                             "Leave out one of the two.");
}

}  // namespace

std::vector<std::uint64_t> Inspection::missing_by_column() const {
  std::vector<std::string> const names = csv->names(Role::feature);
  if (summary->missing().size() != names.size()) return {};
  std::unordered_map<std::string_view, std::uint64_t> by_name;
  for (std::size_t i = 0; i < names.size(); ++i) by_name.emplace(names[i], summary->missing()[i]);
  std::vector<std::uint64_t> missing;
  for (CsvColumn const& column : csv->columns())
    missing.push_back(column.role == Role::feature ? by_name.at(column.name) : 0);
  return missing;
}

std::size_t Inspection::width() const {
  BatchLayout const& layout = reader->layout();
  if (!layout.is_sparse || layout.features != 0) return layout.features;
  std::optional<std::int64_t> const greatest = summary->pairs().greatest_column;
  return greatest ? static_cast<std::size_t>(*greatest) + 1 : 0;
}

std::optional<double> Inspection::density() const {
  double const places = static_cast<double>(summary->rows()) * static_cast<double>(width());
  if (places == 0) return std::nullopt;
  return static_cast<double>(summary->pairs().lengths.elements) / places;
}

int run_inspect(Arguments const& given) {
  Console console(given);
  FaultLines faults(console);
  check_schema_options(given);
  // What is to be known about an input is also how many of its records are bad.
  Arguments arguments = given;
  arguments.set_default("on-error", "skip");
  ReadOptions const options = read_options(arguments);
  std::vector<InputFile> const files = expand_inputs(arguments.inputs());
  SchemaGuide schema(arguments, console);
  Inspection inspection{files, schema.format_of(files, options.format)};
  check_format_options(arguments, {&inspection.format}, nullptr);
  open_input(inspection, options, schema.has_schema());
  listen(inspection, faults);
  count_rows(inspection);
  faults.finish(inspection.rejected());
  if (save_schema(inspection, arguments)) return 0;
  StandardOutput out;
  out.write(arguments.has("json") ? inspection_json(inspection) : inspection_text(inspection));
  out.finish();
  return 0;
}

}  // namespace penstock::app
