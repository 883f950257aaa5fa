/// What the verbs that look at inputs have in common.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "host/app/options.hpp"

namespace penstock::app {

/// The reading options of `head`, `inspect` and `diff`.
[[nodiscard]] ReadOptions read_options(Arguments const& arguments);

/// "features" or, of several columns, "features[3] (petal_width)".
[[nodiscard]] std::string column_word(Role role, std::size_t column, std::vector<std::string> const& names);

}  // namespace penstock::app
