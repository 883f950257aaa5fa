// Streams and events of the emulated runtime. Kernels, fills and copies within the device are done when they are
// enqueued. What copies do to the host's pinned memory is put off until somebody waits: a host that reads too early
// reads garbage, and one that writes too early over what a copy reads is found out.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "tests/support/simt/device.hpp"
#include "tests/support/simt/runtime_api.hpp"
#include "tests/support/simt/simt.hpp"

namespace {

constexpr int garbage_byte = 0xcd;

struct Queue;

/// What is left to do of something that was enqueued.
struct Item {
  std::uint64_t number = 0;  ///< in its queue, from 1 on
  // A copy to the host:
  unsigned char* to = nullptr;
  std::vector<unsigned char> bytes;
  // A copy from the host:
  unsigned char const* from = nullptr;
  std::size_t size_bytes = 0;
  std::uint64_t sum = 0;
  // A wait for another stream:
  std::shared_ptr<Queue> other;
  std::uint64_t other_number = 0;

  [[nodiscard]] bool touches(unsigned char const* memory, std::size_t memory_bytes) const {
    auto const overlaps = [&](unsigned char const* begin, std::size_t size) {
      return begin != nullptr && begin < memory + memory_bytes && memory < begin + size;
    };
    return overlaps(to, bytes.size()) || overlaps(from, size_bytes);
  }
};

struct Queue {
  std::uint64_t enqueued = 0;
  std::deque<Item> items;
};

/// One lock for all of them: waits reach from one into another.
struct Queues {
  std::mutex mutex;
  std::set<Queue*> all;
  std::atomic<std::size_t> handles{0};
};
Queues& queues() {
  static auto& it = *new Queues;  // outlives whatever is destroyed late
  return it;
}

std::shared_ptr<Queue> new_queue() {
  auto const remove = [](Queue* queue) {
    queues().all.erase(queue);
    delete queue;
  };
  std::shared_ptr<Queue> queue(new Queue, remove);
  queues().all.insert(queue.get());
  return queue;
}

std::uint64_t sum_of(unsigned char const* bytes, std::size_t size_bytes) {
  std::uint64_t sum = size_bytes;
  for (std::size_t i = 0; i < size_bytes; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + i, size_bytes - i < 8 ? size_bytes - i : 8);
    sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
    sum ^= sum >> 29;
  }
  return sum;
}

void settle(Queue& queue, std::uint64_t number);

void settle(Item const& item) {
  if (item.to != nullptr) std::memcpy(item.to, item.bytes.data(), item.bytes.size());
  if (item.from != nullptr && sum_of(item.from, item.size_bytes) != item.sum)
    simt::report(simt::Kind::memory, "the host's memory was written while a copy from it was under way");
  if (item.other != nullptr) settle(*item.other, item.other_number);
}
/// All of it up to this item. The lock is held.
void settle(Queue& queue, std::uint64_t number) {
  while (!queue.items.empty() && queue.items.front().number <= number) {
    Item const item = std::move(queue.items.front());
    queue.items.pop_front();
    settle(item);
  }
}

void enqueue(Queue& queue, Item item) {
  item.number = ++queue.enqueued;
  queue.items.push_back(std::move(item));
}

}  // namespace

struct CUstream_st {
  unsigned flags = 0;
  int priority = 0;
  std::shared_ptr<Queue> queue;
};
struct CUevent_st {
  using Clock = std::chrono::steady_clock;
  unsigned flags = 0;
  std::shared_ptr<Queue> queue;  ///< null: not recorded yet
  std::uint64_t number = 0;
  Clock::time_point recorded;
};

namespace {
/// The lock is held.
Queue& queue_of(cudaStream_t stream) {
  static auto& of_null = *new std::shared_ptr<Queue>(new_queue());
  return stream == nullptr ? *of_null : *stream->queue;
}
std::shared_ptr<Queue> shared_queue_of(cudaStream_t stream) {
  return stream == nullptr ? std::shared_ptr<Queue>(std::shared_ptr<Queue>(), &queue_of(nullptr)) : stream->queue;
}
}  // namespace

namespace simt {

std::size_t live_handles() { return queues().handles; }

namespace detail {

void copy_in_stream(void* to, void const* from, std::size_t size_bytes, cudaStream_t stream) {
  std::scoped_lock const lock(queues().mutex);
  Item item;
  if (is_pinned(from)) {
    item.from = static_cast<unsigned char const*>(from);
    item.size_bytes = size_bytes;
    item.sum = sum_of(item.from, size_bytes);
  }
  if (is_pinned(to)) {
    item.to = static_cast<unsigned char*>(to);
    auto const* const begin = static_cast<unsigned char const*>(from);
    item.bytes.assign(begin, begin + size_bytes);
    std::memset(to, garbage_byte, size_bytes);
  } else {
    std::memmove(to, from, size_bytes);
  }
  if (item.from != nullptr || item.to != nullptr) enqueue(queue_of(stream), std::move(item));
}

void settle_memory(void const* memory, std::size_t size_bytes) {
  std::scoped_lock const lock(queues().mutex);
  for (Queue* queue : queues().all)
    for (Item& item : queue->items) {
      if (!item.touches(static_cast<unsigned char const*>(memory), size_bytes)) continue;
      settle(std::exchange(item, Item{item.number, nullptr, {}, nullptr, 0, 0, nullptr, 0}));
    }
}

}  // namespace detail
}  // namespace simt

using simt::detail::begin_call;
using simt::detail::end_call;
using simt::detail::last_error;

// --- streams -------------------------------------------------------------------------------------------------------

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  if (!begin_call("cudaStreamCreateWithPriority")) return last_error();
  std::scoped_lock const lock(queues().mutex);
  *stream = new CUstream_st{flags, priority, new_queue()};
  ++queues().handles;
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return cudaStreamCreateWithPriority(stream, flags, 0);
}
/// What was enqueued is still done.
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (stream == nullptr) return end_call("cudaStreamDestroy", cudaErrorInvalidResourceHandle);
  std::scoped_lock const lock(queues().mutex);
  settle(*stream->queue, stream->queue->enqueued);
  delete stream;
  --queues().handles;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (!begin_call("cudaStreamSynchronize")) return last_error();
  std::scoped_lock const lock(queues().mutex);
  settle(queue_of(stream), queue_of(stream).enqueued);
  return cudaSuccess;
}
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (!begin_call("cudaStreamQuery")) return last_error();
  std::scoped_lock const lock(queues().mutex);
  settle(queue_of(stream), queue_of(stream).enqueued);
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (!begin_call("cudaStreamWaitEvent")) return last_error();
  if (event == nullptr) return end_call("cudaStreamWaitEvent", cudaErrorInvalidResourceHandle);
  std::scoped_lock const lock(queues().mutex);
  if (event->queue == nullptr || event->queue.get() == &queue_of(stream)) return cudaSuccess;
  Item item;
  item.other = event->queue;
  item.other_number = event->number;
  enqueue(queue_of(stream), std::move(item));
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  if (!begin_call("cudaDeviceSynchronize")) return last_error();
  std::scoped_lock const lock(queues().mutex);
  for (Queue* queue : queues().all) settle(*queue, queue->enqueued);
  return cudaSuccess;
}

// --- events --------------------------------------------------------------------------------------------------------

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  if (!begin_call("cudaEventCreateWithFlags")) return last_error();
  *event = new CUevent_st{flags, nullptr, 0, {}};
  ++queues().handles;
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (event == nullptr) return end_call("cudaEventDestroy", cudaErrorInvalidResourceHandle);
  std::scoped_lock const lock(queues().mutex);
  delete event;
  --queues().handles;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (!begin_call("cudaEventRecord")) return last_error();
  if (event == nullptr) return end_call("cudaEventRecord", cudaErrorInvalidResourceHandle);
  std::scoped_lock const lock(queues().mutex);
  event->queue = shared_queue_of(stream);
  event->number = event->queue->enqueued;
  event->recorded = CUevent_st::Clock::now();
  return cudaSuccess;
}

namespace {
cudaError_t wait_for(cudaEvent_t event, char const* call) {
  if (!begin_call(call)) return last_error();
  if (event == nullptr) return end_call(call, cudaErrorInvalidResourceHandle);
  std::scoped_lock const lock(queues().mutex);
  if (event->queue != nullptr) settle(*event->queue, event->number);
  return cudaSuccess;
}
}  // namespace

cudaError_t cudaEventSynchronize(cudaEvent_t event) { return wait_for(event, "cudaEventSynchronize"); }
cudaError_t cudaEventQuery(cudaEvent_t event) { return wait_for(event, "cudaEventQuery"); }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  if (!begin_call("cudaEventElapsedTime")) return last_error();
  auto const has_time = [](cudaEvent_t event) {
    return event != nullptr && event->queue != nullptr && (event->flags & cudaEventDisableTiming) == 0;
  };
  if (!has_time(begin) || !has_time(end)) return end_call("cudaEventElapsedTime", cudaErrorInvalidResourceHandle);
  *milliseconds = std::chrono::duration<float, std::milli>(end->recorded - begin->recorded).count();
  return cudaSuccess;
}
