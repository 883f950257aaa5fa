/// What gpu_bench says: a line of JSON for each figure, as soon as it is measured, so that what was measured is not
/// lost when the program is stopped.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::bench {

struct Figure {
  std::string section;  ///< what was measured: `kernels`
  std::string input;    ///< of what: `higgs`
  std::size_t slot_bytes = 0;
  unsigned lanes = 0;
  std::string unit = "GB/s";
  std::vector<double> runs;                               ///< in the order in which they were made
  std::vector<std::pair<std::string, double>> details{};  ///< whatever else is worth keeping
};

/// `kernels higgs, slots of 16 MiB, 1 lane`
[[nodiscard]] std::string title_of(Figure const& figure);

void print(Figure const& figure);
/// The figure was not measured, for lack of time or since something failed.
void print_left_out(Figure const& figure, std::string_view why);
void print_failed(Figure const& figure, std::string_view why);

}  // namespace penstock::bench
