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
  std::string label = {};      ///< whose classes are to be found, so that it is read as one more text; empty: none
};

/// Throws ConfigurationError for columns of text that are no paths, or are named twice.
[[nodiscard]] PathItems path_items(std::vector<SpecItem> const& items);

/// The one label of --label, as plans spell it. Throws ConfigurationError if there are none or several, or with
/// --label-map, which says already what its classes are.
[[nodiscard]] std::string class_label(Arguments const& arguments);

/// The arguments of a pass in which these columns are texts.
[[nodiscard]] Arguments with_texts(Arguments const& arguments, PathItems const& items);

/// And if there is a label whose classes are to be found, that is the last of them.
[[nodiscard]] Arguments with_label_as_text(Arguments const& arguments, PathItems const& items);

/// The items with lists of paths turned into lists of names, where all paths are among `names`; `"a b".c` is a path
/// and, as a name in a list, `"""a b"".c"`.
[[nodiscard]] std::vector<SpecItem> listed_items(std::vector<SpecItem> items, std::vector<std::string> const& names);

}  // namespace penstock::app
