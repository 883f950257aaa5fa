/// One pass over training data, and what comes of it: `penstock fit`, and the first pass of `convert --normalize NAME`.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/app/cli_output.hpp"
#include "host/app/file_formats.hpp"
#include "host/app/normalize_spec.hpp"
#include "host/app/normalizer_file.hpp"
#include "host/app/options.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/record_stream.hpp"

namespace penstock::app {

struct FitOptions {
  std::vector<SpecItem> items;
  bool is_exact = false;                ///< quantiles of all values, whatever memory they take
  bool wants_classes = false;           ///< labels are class names, also if they are numbers
  std::optional<std::string> positive;  ///< this class is 1, all others are 0

  [[nodiscard]] bool needs_quantiles() const {
    return std::ranges::any_of(items, [](SpecItem const& item) { return item.spec.needs_quantiles(); });
  }
};

struct Fit {
  NormalizerFile file;
  std::vector<std::string> notes;  ///< for people, one line each
};

/// Reads all of the inputs. Throws ConfigurationError for columns and transforms that do not go together, DataError for
/// data from which nothing can be fitted, and what reading throws.
[[nodiscard]] Fit fit_normalizer(std::vector<InputFile> const& inputs, FileFormat const& format,
                                 Arguments const& arguments, StreamOptions const& stream, FitOptions const& options,
                                 Console& console);

/// --exact, --classes and --positive.
[[nodiscard]] FitOptions fit_options(Arguments const& arguments, std::string_view spec);

/// What a column of numbers becomes. `quantile` is asked only if the transform needs it. Throws DataError if the values
/// do not allow it.
struct NumberFacts {
  std::string name;
  statistics::Summary summary;
  std::function<double(double share)> quantile;
};
[[nodiscard]] FittedColumn fit_number(NumberFacts const& facts, TransformSpec const& spec);

}  // namespace penstock::app
