/// Where a conversion writes, and whether that can work: everything that is known before the first record.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/app/options.hpp"
#include "host/io/inputs.hpp"
#include "host/io/output.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "penstock/executor.hpp"

namespace penstock::app {

struct Target {
  OutputOptions output;  ///< layout and CSV header are known when fit() has run
  bool is_stdout = false;
  bool wants_header = false;  ///< --output-header
  bool quarantines = false;
  std::string rejects_prefix;  ///< with `quarantines`: where rejects go
  std::vector<std::string> warnings;
};
[[nodiscard]] std::string_view name_of(OutputFormat format);

/// What the options say. Throws ConfigurationError, also for binary output to a terminal.
[[nodiscard]] Target target_of(Arguments const& arguments);

/// Throws ConfigurationError if a file that will be written is an input too, and SinkError if one exists and may not
/// be replaced, is a folder, or has no folder that can be written to.
void check_files(Target const& target, std::vector<InputFile> const& inputs);

/// Takes the layout from the plan. Throws ConfigurationError if the format cannot hold it; what it silently leaves out
/// becomes a warning.
void fit(Target& target, CsvPlan const& plan);

/// Makes the encoder of the target's format; empty for formats that take tensors.
[[nodiscard]] std::function<std::unique_ptr<Encoder>()> encoder_maker(Target const& target);

/// Every file that the target writes, the main one first; rejects are not among them.
[[nodiscard]] std::vector<std::string> output_paths(Target const& target);

}  // namespace penstock::app
