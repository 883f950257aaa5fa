#include "bench/gpu/times.hpp"

#include <sys/resource.h>

namespace penstock::bench {
namespace {

double seconds_of(timeval time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); }

bool is_copy(std::string_view name) { return name.find(' ') != name.npos || name == "window"; }

}  // namespace

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

void KernelTimes::span(std::string_view name, unsigned, Clock::time_point begin, Clock::time_point end,
                       bool is_remote) {
  if (!is_remote || is_copy(name)) return;
  std::lock_guard const lock(mutex_);
  Kernel& kernel = kernels_[std::string(name)];
  kernel.seconds += std::chrono::duration<double>(end - begin).count();
  ++kernel.launches;
}

void KernelTimes::clear() { kernels_.clear(); }

double KernelTimes::seconds() const {
  double sum = 0;
  for (auto const& [name, kernel] : kernels_) sum += kernel.seconds;
  return sum;
}

std::size_t KernelTimes::launches() const {
  std::size_t sum = 0;
  for (auto const& [name, kernel] : kernels_) sum += kernel.launches;
  return sum;
}

}  // namespace penstock::bench
