/// Columns that hold text, where an input is only looked at.
#pragma once

#include <string>

#include "host/io/inputs.hpp"
#include "host/pipeline/csv_plan.hpp"

namespace penstock::app {

/// The columns whose cells near the start of `file`, a regular file, are text throughout, as a list that --ignore takes
/// ("#3,#5"); empty if there are none. Throws what looking at the file throws.
[[nodiscard]] std::string text_columns(InputFile const& file, CsvOptions const& options);

}  // namespace penstock::app
