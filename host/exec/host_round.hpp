/// Rounds of the CPU engine.
#pragma once

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

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

  [[nodiscard]] std::size_t size_bytes() const {
    std::size_t const shaped_bytes = BatchBuffer::size_bytes(shaped, shaped_capacity);
    std::size_t const normalized_bytes = BatchBuffer::size_bytes(normalized, normalized_capacity);
    return BatchBuffer::size_bytes(decoded, decoded_capacity) + normalized_bytes + shaped_bytes + window_bytes;
  }
};

/// A round in host memory. For one record that is larger than what it was made for it takes more, until it is trimmed.
struct HostRound final : Round {
  /// `executor`: whose memory the usual buffers are; null: ordinary memory.
  HostRound(RoundMemory const& memory, std::size_t faults_max, Executor* executor = nullptr)
      : fault_memory(faults_max), usual_(memory, executor) {}

  /// The memory in use.
  struct Buffers {
    explicit Buffers(RoundMemory const& memory, Executor* executor = nullptr)
        : rows_memory(executor == nullptr ? nullptr : executor->host_buffer(decoded_bytes(memory))),
          normalized_memory(executor == nullptr || normalized_bytes(memory) == 0
                                ? nullptr
                                : executor->host_buffer(normalized_bytes(memory))),
          window_memory(executor == nullptr ? nullptr : executor->host_buffer(memory.window_bytes)),
          decoded(memory.decoded, memory.decoded_capacity, bytes_of(rows_memory.get())),
          normalized(memory.normalized, memory.normalized_capacity, bytes_of(normalized_memory.get())),
          shaped(memory.shaped, memory.shaped_capacity),
          own_window(executor == nullptr ? std::make_unique_for_overwrite<std::byte[]>(memory.window_bytes) : nullptr),
          window(executor == nullptr ? own_window.get() : bytes_of(window_memory.get())) {}
    std::unique_ptr<HostBuffer> rows_memory;
    std::unique_ptr<HostBuffer> normalized_memory;  ///< where there is a normaliser
    std::unique_ptr<HostBuffer> window_memory;
    BatchBuffer decoded;
    BatchBuffer normalized;
    BatchBuffer shaped;
    std::unique_ptr<std::byte[]> own_window;
    std::byte* window;

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
  [[nodiscard]] Buffers& buffers() { return grown_ ? *grown_ : usual_; }
  void grow(RoundMemory const& memory) { grown_ = std::make_unique<Buffers>(memory); }
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
  std::unique_ptr<DeviceRows> rows_on_device;  ///< where the lane leaves features on its device

 private:
  Buffers usual_;
  std::unique_ptr<Buffers> grown_;
};

}  // namespace penstock
