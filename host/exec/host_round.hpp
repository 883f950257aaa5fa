/// Rounds of the CPU engine.
#pragma once

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <sys/types.h>
#include <unistd.h>

#include "penstock/batch.hpp"
#include "penstock/device.hpp"
#include "penstock/executor.hpp"
#include "penstock/fault.hpp"

namespace penstock {

/// What a round's memory must hold: rows as they are decoded, the features that a normaliser makes of them, and those
/// in their other form, sparse or dense; the last two only where there is such a thing.
struct RoundMemory {
  BatchLayout decoded;
  BatchLayout normalized;
  BatchLayout shaped;
  BatchCapacity decoded_capacity;
  BatchCapacity normalized_capacity;
  BatchCapacity shaped_capacity;
  std::size_t window_bytes = 0;

  bool operator==(RoundMemory const&) const = default;
  [[nodiscard]] std::size_t size_bytes() const {
    std::size_t const shaped_bytes = BatchBuffer::size_bytes(shaped, shaped_capacity);
    std::size_t const normalized_bytes = BatchBuffer::size_bytes(normalized, normalized_capacity);
    return BatchBuffer::size_bytes(decoded, decoded_capacity) + normalized_bytes + shaped_bytes + window_bytes;
  }
};

/// The memory of a round.
struct RoundBuffers {
  /// `executor`: whose memory they are; null: ordinary memory.
  explicit RoundBuffers(RoundMemory const& sizes, Executor* executor = nullptr)
      : memory(sizes),
        rows_memory(executor == nullptr ? nullptr : executor->host_buffer(decoded_bytes(memory))),
        normalized_memory(executor == nullptr || normalized_bytes(memory) == 0
                              ? nullptr
                              : executor->host_buffer(normalized_bytes(memory))),
        window_memory(executor == nullptr ? nullptr : executor->host_buffer(memory.window_bytes)),
        decoded(memory.decoded, memory.decoded_capacity, bytes_of(rows_memory.get())),
        normalized(memory.normalized, memory.normalized_capacity, bytes_of(normalized_memory.get())),
        shaped(memory.shaped, memory.shaped_capacity),
        own_window(executor == nullptr ? std::make_unique_for_overwrite<std::byte[]>(memory.window_bytes) : nullptr),
        window(executor == nullptr ? own_window.get() : bytes_of(window_memory.get())) {}
  RoundMemory memory;
  std::unique_ptr<HostBuffer> rows_memory;
  std::unique_ptr<HostBuffer> normalized_memory;  ///< where there is a normaliser
  std::unique_ptr<HostBuffer> window_memory;
  BatchBuffer decoded;
  BatchBuffer normalized;
  BatchBuffer shaped;
  std::unique_ptr<std::byte[]> own_window;
  std::byte* window;
  std::unique_ptr<DeviceRows> features;  ///< where a lane leaves features on its device

 private:
  static std::size_t decoded_bytes(RoundMemory const& memory) {
    return BatchBuffer::size_bytes(memory.decoded, memory.decoded_capacity);
  }
  static std::size_t normalized_bytes(RoundMemory const& memory) {
    return BatchBuffer::size_bytes(memory.normalized, memory.normalized_capacity);
  }
  static std::byte* bytes_of(HostBuffer* buffer) {
    return buffer == nullptr ? nullptr : reinterpret_cast<std::byte*>(buffer->data());
  }
};

/// Memory of rounds that is lent to whoever takes their batches, and comes back when it is no longer used. Thread-safe.
class RoundPool : public std::enable_shared_from_this<RoundPool> {
 public:
  /// `executor`: whose memory it is; null: ordinary memory.
  explicit RoundPool(std::shared_ptr<Executor> executor = nullptr) : executor_(std::move(executor)) {}

  /// Memory of these sizes: what came back, if there is any that fits, else new.
  [[nodiscard]] std::unique_ptr<RoundBuffers> take(RoundMemory const& memory) {
    {
      std::lock_guard const lock(mutex_);
      while (!free_.empty()) {
        std::unique_ptr<RoundBuffers> buffers = std::move(free_.back());
        free_.pop_back();
        if (buffers->memory == memory) return buffers;
      }
    }
    return std::make_unique<RoundBuffers>(memory, executor_.get());
  }
  /// Of memory that a greedy borrower brings back at once most is given up. In a child of fork() the lock may be that
  /// of a thread which is not there, and a device cannot be spoken to.
  void give_back(std::unique_ptr<RoundBuffers> buffers) {
    if (process_ != ::getpid()) {
      if (executor_ != nullptr) static_cast<void>(buffers.release());
      return;
    }
    std::lock_guard const lock(mutex_);
    if (free_.size() < free_max) free_.push_back(std::move(buffers));
  }
  /// It comes back when the result and its copies are gone.
  [[nodiscard]] std::shared_ptr<RoundBuffers const> lend(std::unique_ptr<RoundBuffers> buffers) {
    auto const come_back = [pool = shared_from_this()](RoundBuffers* lent) {
      pool->give_back(std::unique_ptr<RoundBuffers>(lent));
    };
    return {buffers.release(), come_back};
  }

 private:
  static constexpr std::size_t free_max = 32;

  std::shared_ptr<Executor> executor_;
  pid_t process_ = ::getpid();
  std::mutex mutex_;
  std::vector<std::unique_ptr<RoundBuffers>> free_;
};

/// A round in host memory. For one record that is larger than what it was made for it takes more, until it is trimmed.
struct HostRound final : Round {
  using Buffers = RoundBuffers;

  /// `executor`: whose memory the usual buffers are; null: ordinary memory. `pool`: given, they come from there.
  HostRound(RoundMemory const& memory, std::size_t faults_max, Executor* executor = nullptr,
            std::shared_ptr<RoundPool> pool = nullptr)
      : fault_memory(faults_max),
        pool_(std::move(pool)),
        usual_(pool_ != nullptr ? pool_->take(memory) : std::make_unique<Buffers>(memory, executor)) {}
  ~HostRound() override {
    if (pool_ != nullptr) pool_->give_back(std::move(usual_));
  }

  /// The memory in use.
  [[nodiscard]] Buffers& buffers() { return grown_ ? *grown_ : *usual_; }
  void grow(RoundMemory const& memory) { grown_ = std::make_unique<Buffers>(memory); }

  /// The round's memory has features on a device from now on, which `make` makes. It may be called as long as the round
  /// is used.
  void keep_features(std::function<std::unique_ptr<DeviceRows>()> make) {
    make_features_ = std::move(make);
    add_features(*usual_);
  }
  /// Null: they are in `buffers()`.
  [[nodiscard]] DeviceRows* features() const { return grown_ ? nullptr : usual_->features.get(); }

  [[nodiscard]] std::shared_ptr<void const> lease() override {
    if (grown_ != nullptr) return std::shared_ptr<Buffers const>(std::move(grown_));
    if (pool_ == nullptr) return nullptr;
    std::unique_ptr<Buffers> other = pool_->take(usual_->memory);
    add_features(*other);
    std::swap(usual_, other);
    return pool_->lend(std::move(other));
  }

  /// Gives the memory back to the system: the allocator would keep it, in an arena for each lane.
  void trim() override {
    if (grown_ == nullptr) return;
    grown_.reset();
#if defined(__GLIBC__)
    ::malloc_trim(0);
#endif
  }

  std::vector<Fault> fault_memory;
  std::vector<std::uint32_t> record_begins;

 private:
  /// Memory that comes back to a pool has them already.
  void add_features(Buffers& buffers) const {
    if (make_features_ && buffers.features == nullptr) buffers.features = make_features_();
  }

  std::function<std::unique_ptr<DeviceRows>()> make_features_;  ///< empty: all features come to the host
  std::shared_ptr<RoundPool> pool_;
  std::unique_ptr<Buffers> usual_;
  std::unique_ptr<Buffers> grown_;
};

}  // namespace penstock
