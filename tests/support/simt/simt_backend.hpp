/// The verbs of cuda/exec/backend.cuh, one item after another.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/span.hpp"
#include "cuda/exec/stream.hpp"
#include "tests/support/simt/simt.hpp"

namespace simt {

class SimtBackend {
 public:
  SimtBackend(penstock::cuda::Stream& stream, std::size_t items_max)
      : stream_(stream), items_max_(items_max), scratch_(items_max, "scratch for sums and selections") {}

  /// out[i] = in[0] + ... + in[i - 1]; in and out may be the same.
  template <class T>
  void exclusive_sum(T const* in, T* out, std::size_t count) {
    begin("exclusive_sum", count);
    DeviceAccess const access;
    T sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      T const next = static_cast<T>(sum + in[i]);
      out[i] = sum;
      sum = next;
    }
  }
  /// The numbers i of [0, count) for which keep(i), ascending, to `out`; how many they are to `*found`.
  template <class Keep>
  void select(std::size_t count, Keep keep, std::uint32_t* out, std::uint32_t* found) {
    begin("select", count);
    DeviceAccess const access;
    std::uint32_t kept = 0;
    for (std::size_t i = 0; i < count; ++i)
      if (keep(static_cast<std::uint32_t>(i))) out[kept++] = static_cast<std::uint32_t>(i);
    *found = kept;
  }
  [[nodiscard]] std::size_t device_bytes() const { return scratch_.size_bytes(); }

 private:
  void begin(char const* name, std::size_t count) {
    penstock::cuda::DeviceSpan const span(stream_, name);
    if (count > items_max_) report(Kind::misuse, std::string(name) + " of more items than the backend was made for");
    detail::as_launch(name);
    penstock::cuda::check(cudaGetLastError(), name);
  }
  penstock::cuda::Stream& stream_;
  std::size_t items_max_;
  penstock::cuda::DeviceArray<unsigned char> scratch_;
};

}  // namespace simt
