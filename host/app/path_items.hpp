/// Items of --normalize for JSON objects, whose columns are paths.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/app/normalize_spec.hpp"
#include "host/app/options.hpp"

namespace penstock::app {

struct PathItems {
  std::vector<SpecItem> others;                ///< of numbers
  std::map<std::string, TransformSpec> texts;  ///< by path, spelled as plans spell it
  std::string text_list = {};  ///< these paths in the order of the items, as the option `texts` takes them
};

/// Throws ConfigurationError for columns of text that are no paths, or are named twice.
[[nodiscard]] PathItems path_items(std::vector<SpecItem> const& items);

/// The arguments of a pass in which these columns are texts.
[[nodiscard]] Arguments with_texts(Arguments const& arguments, PathItems const& items);

/// The items with lists of paths turned into lists of names, where all paths are among `names`; `"a b".c` is a path
/// and, as a name in a list, `"""a b"".c"`.
[[nodiscard]] std::vector<SpecItem> listed_items(std::vector<SpecItem> items, std::vector<std::string> const& names);

}  // namespace penstock::app
