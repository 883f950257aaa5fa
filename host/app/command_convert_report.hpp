/// What `convert` says before (--dry-run) and after a run, as text and as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/app/command_convert_target.hpp"
#include "host/exec/make_executor.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "host/pipeline/record_stream.hpp"

namespace penstock::app {

/// What was asked for, put together.
struct Conversion {
  std::vector<InputFile> const& inputs;
  FormatInfo const& input_format;
  CsvPlan const* csv;  ///< null: the input is not CSV
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, std::string>> found;  ///< InputPlan::found_options()
  Target const& target;
  std::optional<StreamSizes> sizes;  ///< not given: arrays are read, which takes a few MiB
  DeviceChoice engine;
};

/// What happened.
struct Outcome {
  StreamCounts counts;
  std::uint64_t output_bytes = 0;  ///< of the main file, or of what went to a pipe
  std::vector<std::string> reject_paths;
  std::vector<std::string> warnings;
  bool is_part = false;  ///< the run ended before its input (--limit)
  double seconds = 0;
};

/// Warnings that the layout, the format and the counts give rise to.
[[nodiscard]] std::vector<std::string> warnings_of(Conversion const& conversion, StreamCounts const& counts);

[[nodiscard]] std::string plan_text(Conversion const& conversion);
[[nodiscard]] std::string plan_json(Conversion const& conversion);
/// `ok  7,000 records, 28 features -> higgs.rec (1.0 MiB), 90 ms, 24.0 MB/s`, then a line for each thing worth knowing.
/// Without a rate where it would say nothing: for a moment's work, and if not all text that was read was used.
/// Without the last line end.
[[nodiscard]] std::string summary_text(Conversion const& conversion, Outcome const& outcome);
[[nodiscard]] std::string summary_json(Conversion const& conversion, Outcome const& outcome);

}  // namespace penstock::app
