/// From the texts of a column, counted, to its vocabulary, and to the classes of a label.
#pragma once

#include <string>
#include <vector>

#include "host/app/category_counts.hpp"
#include "host/app/normalize_spec.hpp"
#include "host/app/normalizer_fit.hpp"

namespace penstock::app {

/// The most frequent texts first, as many as the transform takes. Throws DataError if there are none, or more than the
/// transform allows.
[[nodiscard]] std::vector<std::string> vocabulary_of(std::string const& name, TransformSpec const& spec,
                                                     CategoryCounts const& counts, std::vector<std::string>& notes);

/// "setosa=0,versicolor=1"; with --positive that class is 1 and all others are 0. Throws DataError for values that are
/// hardly classes, and for a positive class that there is not.
[[nodiscard]] std::string label_map_of(std::string const& label, CategoryCounts const& counts,
                                       FitOptions const& options, std::vector<std::string>& notes);

}  // namespace penstock::app
