/// Measuring what a test takes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>

namespace penstock::testing {

/// How far the resident memory of this process rises above where it was when this was made. Linux counts it.
class PeakMemory {
 public:
  PeakMemory() {
    std::ofstream clear("/proc/self/clear_refs");
    clear << "5" << std::flush;  // proc(5): the peak becomes what is resident now
    is_known_ = clear.good();
    before_ = read("VmRSS:");
  }
  [[nodiscard]] bool is_known() const { return is_known_; }
  [[nodiscard]] std::size_t growth_bytes() const { return read("VmHWM:") - std::min(before_, read("VmHWM:")); }

 private:
  static std::size_t read(std::string_view name) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
      std::size_t kibibytes = 0;
      if (word == name && status >> kibibytes) return kibibytes << 10;
    }
    return 0;
  }

  bool is_known_ = false;
  std::size_t before_ = 0;
};

}  // namespace penstock::testing
