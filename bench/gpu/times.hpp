/// Clocks: the device's own of kernels, the wall's, and the processor time of this process.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "penstock/trace.hpp"

namespace penstock::bench {

using Clock = std::chrono::steady_clock;
[[nodiscard]] inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}
/// Of all threads so far, in user and system mode.
[[nodiscard]] double processor_seconds();

/// What kernels took on the device. Copies are told from kernels by their names, which are words apart by blanks.
class KernelTimes final : public Trace {
 public:
  struct Kernel {
    double seconds = 0;
    std::size_t launches = 0;
  };
  void span(std::string_view name, unsigned track, Clock::time_point begin, Clock::time_point end,
            bool is_remote) override;
  void clear();

  [[nodiscard]] std::map<std::string, Kernel> const& kernels() const { return kernels_; }
  /// Of all kernels together.
  [[nodiscard]] double seconds() const;
  [[nodiscard]] std::size_t launches() const;

 private:
  std::mutex mutex_;
  std::map<std::string, Kernel> kernels_;
};

}  // namespace penstock::bench
