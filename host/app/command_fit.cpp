// From training data to a normaliser file.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/commands.hpp"
#include "host/app/device_options.hpp"
#include "host/app/normalizer_fit.hpp"
#include "host/app/options_values.hpp"
#include "host/app/viewing.hpp"
#include "host/io/sink.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {

int run_fit(Arguments const& arguments) {
  Console console(arguments);
  std::optional<std::string> const path = arguments.value("output");
  if (!path) throw ConfigurationError("fit: no output is named", "-o FILE, for example -o normalizer.json");
  FitOptions const options = fit_options(arguments, arguments.value_or("normalize", "standardize"));
  ReadOptions const reading = read_options(arguments);
  std::vector<InputFile> const inputs = expand_inputs(arguments.inputs());
  FileFormat const& format = common_format(inputs, reading.format);
  check_format_options(arguments, {&format}, nullptr);
  // A file that may not be replaced is told before the pass.
  std::unique_ptr<Sink> const sink = open_sink(*path, {.overwrite = arguments.has("force")});
  Fit fit = fit_normalizer(inputs, format, arguments, reading.stream, options, console);
  std::string const text = to_json(fit.file);
  sink->write(std::as_bytes(std::span(text)));
  sink->commit();
  for (std::string const& note : fit.notes) console.say(note);
  std::size_t const outputs = output_names(fit.file).size();
  console.say("fitted to " + format_count(fit.file.records) + " records: " + format_count(fit.file.columns.size()) +
              (fit.file.columns.size() == 1 ? " column" : " columns") + " -> " + format_count(outputs) +
              (outputs == 1 ? " feature" : " features"));
  return 0;
}

}  // namespace penstock::app
