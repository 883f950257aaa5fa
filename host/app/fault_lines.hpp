/// The first faults of a run, one line each.
#pragma once

#include <cstdint>

#include "host/app/cli_output.hpp"
#include "host/pipeline/fault_report.hpp"

namespace penstock::app {

/// Shows the first faults of a run; the rest is counted.
class FaultLines {
 public:
  /// A handful tells what is wrong and leaves the summary on the screen.
  static constexpr std::uint64_t shown_max = 5;

  explicit FaultLines(Console& console) : console_(console) {}

  /// False if nothing more will be shown.
  bool show(FaultReport const& report);
  /// Says how many of `faults` were not shown.
  void finish(std::uint64_t faults) const;

 private:
  Console& console_;
  std::uint64_t shown_ = 0;
};

}  // namespace penstock::app
