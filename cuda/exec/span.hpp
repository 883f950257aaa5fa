/// Spans of device work: an NVTX range around what enqueues it, and, where a trace wants them, the times that it took
/// on the device.
#pragma once

#include "cuda/exec/stream.hpp"

namespace penstock::cuda {

/// Around one thing that is enqueued; `name` outlives the program.
class DeviceSpan {
 public:
  DeviceSpan(Stream& stream, char const* name);
  ~DeviceSpan();
  DeviceSpan(DeviceSpan const&) = delete;
  DeviceSpan& operator=(DeviceSpan const&) = delete;

 private:
  Stream& stream_;
  char const* name_;
  cudaEvent_t begin_ = nullptr;
  cudaEvent_t end_ = nullptr;
};

}  // namespace penstock::cuda
