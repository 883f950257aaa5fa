/// Streams with owners.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/exec/check.hpp"
#include "penstock/trace.hpp"

namespace penstock::cuda {

/// How a stream stands beside others on the same device, and how the host waits for it.
struct StreamOptions {
  bool is_low_priority = false;  ///< the lowest priority, as streams have by default; else the highest
  bool polls = false;            ///< wait() spins: some microseconds sooner, for a core of the host
  bool is_timed = false;         ///< the device's own times of everything go to the trace
  Trace* trace = nullptr;
  unsigned track = 0;  ///< of the host's thread in the trace; the stream's own is first_device_track + track
};

/// Work in order. Everything that is enqueued here keeps its memory until wait() says that it is done. One thread at a
/// time uses it.
class Stream {
 public:
  explicit Stream(StreamOptions const& options = {});
  ~Stream();
  Stream(Stream const&) = delete;
  Stream& operator=(Stream const&) = delete;

  [[nodiscard]] cudaStream_t get() const { return stream_; }
  [[nodiscard]] StreamOptions const& options() const { return options_; }

  /// Enqueues; does not wait. `from` and `to` are device or pinned memory. `name` ("copy in") outlives the program.
  void copy(void* to, void const* from, std::size_t size_bytes, char const* name);
  /// Enqueues; does not wait. `to` is device memory.
  void fill(void* to, int byte, std::size_t size_bytes);
  /// Until everything that was enqueued is done: asleep, unless options say otherwise. Throws what failed in it.
  void wait();

 private:
  friend class DeviceSpan;
  /// Work whose times are not known yet.
  struct Timed {
    char const* name;
    cudaEvent_t begin;
    cudaEvent_t end;
  };
  [[nodiscard]] cudaEvent_t take_event();
  void start_clock();
  void hand_over_times();

  StreamOptions options_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t done_ = nullptr;
  cudaEvent_t start_ = nullptr;  ///< at started_
  Trace::Clock::time_point started_;
  std::vector<Timed> timed_;
  std::vector<cudaEvent_t> free_events_;
};

}  // namespace penstock::cuda
