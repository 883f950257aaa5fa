/// A few conversions whose results are known.
#pragma once

#include <string>
#include <vector>

namespace penstock::app {

struct SelfTestResult {
  std::string name;
  std::string problem;  ///< empty: it went well
  [[nodiscard]] bool is_ok() const { return problem.empty(); }
};

/// Converts a small text to every format in a folder of its own under TMPDIR (removed afterwards), reads it back, and
/// compares bits. Problems are results, not exceptions.
[[nodiscard]] std::vector<SelfTestResult> self_test();

}  // namespace penstock::app
