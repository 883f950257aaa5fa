// Calls of the CUDA runtime: streams, events, memory.
#include <cuda_runtime.h>

#include <string>

#include "cuda/exec/check.hpp"
#include "cuda/exec/memory.hpp"
#include "cuda/exec/nvtx.hpp"
#include "cuda/exec/span.hpp"
#include "cuda/exec/stream.hpp"

namespace penstock::cuda {
namespace {

/// A call that ends on the first parenthesis of the source text: `cudaMalloc`.
std::string short_name(std::string const& call) { return call.substr(0, call.find('(')); }

std::string hint_of(cudaError_t code) {
  switch (code) {
    case cudaErrorMemoryAllocation:
      return "a smaller --slot-size or -j, a lower --memory, or another device with --device cuda:N";
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver: return "--device cpu does the same work without a GPU";
    default: return "--device cpu gives the same results; nvidia-smi and the system log tell more about the device";
  }
}

/// The driver's word for it is enough here: what fails in a destructor has failed before.
void ignore(cudaError_t) {}

std::string megabytes(std::size_t bytes) { return std::to_string((bytes + (1u << 20) - 1) >> 20) + " MiB"; }

}  // namespace

void throw_error(cudaError_t code, std::string const& call) {
  ignore(cudaGetLastError());  // nobody else shall be blamed for it
  std::string const message =
      "CUDA: " + short_name(call) + " failed: " + cudaGetErrorString(code) + " (" + cudaGetErrorName(code) + ")";
  if (code == cudaErrorMemoryAllocation) throw DeviceMemoryError(message, hint_of(code));
  throw DeviceError(message, hint_of(code));
}

// --- memory --------------------------------------------------------------------------------------------------------

namespace detail {

void* take_device(std::size_t size_bytes, char const* what) {
  if (size_bytes == 0) return nullptr;
  void* memory = nullptr;
  cudaError_t const code = cudaMalloc(&memory, size_bytes);
  if (code == cudaSuccess) return memory;
  ignore(cudaGetLastError());
  throw_error(code, "cudaMalloc of " + megabytes(size_bytes) + " for " + what);
}
void give_device(void* memory) noexcept {
  if (memory != nullptr) ignore(cudaFree(memory));
}

void* take_mapped(std::size_t size_bytes, char const* what) {
  if (size_bytes == 0) return nullptr;
  void* memory = nullptr;
  cudaError_t const code = cudaHostAlloc(&memory, size_bytes, cudaHostAllocMapped | cudaHostAllocPortable);
  if (code == cudaSuccess) return memory;
  ignore(cudaGetLastError());
  throw_error(code, "cudaHostAlloc of " + megabytes(size_bytes) + " for " + what);
}
void give_mapped(void* memory) noexcept {
  if (memory != nullptr) ignore(cudaFreeHost(memory));
}

}  // namespace detail

// --- streams -------------------------------------------------------------------------------------------------------

Stream::Stream(StreamOptions const& options) : options_(options) {
  int least = 0, greatest = 0;
  PENSTOCK_CUDA_CHECK(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  int const priority = options.is_low_priority ? least : greatest;
  PENSTOCK_CUDA_CHECK(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking, priority));
  unsigned const flags = cudaEventDisableTiming | (options.polls ? 0u : cudaEventBlockingSync);
  cudaError_t const code = cudaEventCreateWithFlags(&done_, flags);
  if (code == cudaSuccess) return;
  ignore(cudaStreamDestroy(stream_));  // no destructor runs behind a constructor that throws
  throw_error(code, "cudaEventCreateWithFlags");
}

Stream::~Stream() {
  ignore(cudaStreamSynchronize(stream_));
  for (Timed const& timed : timed_) {
    ignore(cudaEventDestroy(timed.begin));
    ignore(cudaEventDestroy(timed.end));
  }
  for (cudaEvent_t event : free_events_) ignore(cudaEventDestroy(event));
  if (start_ != nullptr) ignore(cudaEventDestroy(start_));
  ignore(cudaEventDestroy(done_));
  ignore(cudaStreamDestroy(stream_));
}

void Stream::copy(void* to, void const* from, std::size_t size_bytes, char const* name) {
  if (size_bytes == 0) return;
  DeviceSpan const span(*this, name);
  PENSTOCK_CUDA_CHECK(cudaMemcpyAsync(to, from, size_bytes, cudaMemcpyDefault, stream_));
}

void Stream::fill(void* to, int byte, std::size_t size_bytes) {
  if (size_bytes == 0) return;
  PENSTOCK_CUDA_CHECK(cudaMemsetAsync(to, byte, size_bytes, stream_));
}

void Stream::wait() {
  TraceSpan const span(options_.trace, "wait for the device", options_.track);
  PENSTOCK_CUDA_CHECK(cudaEventRecord(done_, stream_));
  PENSTOCK_CUDA_CHECK(cudaEventSynchronize(done_));
  hand_over_times();
}

// --- times ---------------------------------------------------------------------------------------------------------

cudaEvent_t Stream::take_event() {
  if (!free_events_.empty()) {
    cudaEvent_t const event = free_events_.back();
    free_events_.pop_back();
    return event;
  }
  cudaEvent_t event = nullptr;
  PENSTOCK_CUDA_CHECK(cudaEventCreateWithFlags(&event, cudaEventDefault));
  return event;
}

/// Pairs a time of the device with one of the host.
void Stream::start_clock() {
  start_ = take_event();
  PENSTOCK_CUDA_CHECK(cudaEventRecord(start_, stream_));
  PENSTOCK_CUDA_CHECK(cudaEventSynchronize(start_));
  started_ = Trace::Clock::now();
}

void Stream::hand_over_times() {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  for (Timed const& timed : timed_) {
    float begin = 0, end = 0;
    PENSTOCK_CUDA_CHECK(cudaEventElapsedTime(&begin, start_, timed.begin));
    PENSTOCK_CUDA_CHECK(cudaEventElapsedTime(&end, start_, timed.end));
    auto const at = [&](float time) {
      return started_ + std::chrono::duration_cast<Trace::Clock::duration>(Milliseconds(static_cast<double>(time)));
    };
    options_.trace->span(timed.name, first_device_track + options_.track, at(begin), at(end), true);
    free_events_.push_back(timed.begin);
    free_events_.push_back(timed.end);
  }
  timed_.clear();
}

DeviceSpan::DeviceSpan(Stream& stream, char const* name) : stream_(stream), name_(name) {
  push_range(name);
  StreamOptions const& options = stream.options();
  if (!options.is_timed || options.trace == nullptr) return;
  if (stream.start_ == nullptr) stream.start_clock();
  begin_ = stream.take_event();
  end_ = stream.take_event();
  PENSTOCK_CUDA_CHECK(cudaEventRecord(begin_, stream.get()));
}

DeviceSpan::~DeviceSpan() {
  pop_range();
  if (begin_ == nullptr) return;
  if (cudaEventRecord(end_, stream_.get()) == cudaSuccess) {
    stream_.timed_.push_back({name_, begin_, end_});
  } else {  // what failed shows again in whatever comes next
    stream_.free_events_.push_back(begin_);
    stream_.free_events_.push_back(end_);
  }
}

}  // namespace penstock::cuda
