/// Tables of time series in long form (a line for each series, time and value) as time series.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "host/app/options.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/record_stream.hpp"

namespace penstock::app {

/// The step between values of a series: some number of seconds, or of calendar months.
struct Frequency {
  std::int64_t seconds = 0;  ///< 0: `months` counts
  std::int64_t months = 0;
  std::string text;  ///< as it was given
};

/// DeepAR's spelling: an integer, which may be left out, and M, W, D, H or min. Throws ConfigurationError.
[[nodiscard]] Frequency read_frequency(std::string_view text);

/// Which step after `start` the time is; -1: none.
[[nodiscard]] std::int64_t step_of(std::int64_t start, std::int64_t time, Frequency const& frequency);

/// Reads the whole table, whose lines come in any order, and hands out its series in the order in which their first
/// lines come: start, target, and dynamic_feat where --dynamic-feat names columns. Steps without a line are missing
/// values, or, with --gaps error, a DataError. Memory: eight bytes a line, and four for each value, within
/// stream.memory_bytes. Throws what planning and reading CSV throw, and DataError with its place for a cell that is no
/// time, a time that stands twice in a series or is no step from its first one.
[[nodiscard]] std::unique_ptr<BatchReader> open_series(std::vector<InputFile> const& files, Arguments const& arguments,
                                                       StreamOptions const& stream);

}  // namespace penstock::app
