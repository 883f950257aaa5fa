/// All fuzz targets: one for each format of formats/formats.hpp, and those beside formats.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::fuzz {

struct Target {
  std::string name;
  void (*run)(std::string_view input);  ///< throws std::exception for what must not be; sanitizers end the process
  std::vector<std::string> corpora;     ///< folders of files, as paths from the root
};

/// For test names.
void PrintTo(Target const& target, std::ostream* out);

[[nodiscard]] std::vector<Target> const& targets();
/// Null if there is none.
[[nodiscard]] Target const* target_named(std::string_view name);

}  // namespace penstock::fuzz
