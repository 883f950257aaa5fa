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
#include "penstock/executor.hpp"
#include "penstock/fault.hpp"

namespace penstock {

/// What a round's memory must hold. `shaped` is the layout that `decoded` is turned into, if that is another one.
struct RoundMemory {
  BatchLayout decoded;
  BatchLayout shaped;
  BatchCapacity decoded_capacity;
  BatchCapacity shaped_capacity;
  std::size_t window_bytes = 0;

  [[nodiscard]] std::size_t size_bytes() const {
    std::size_t const shaped_bytes = BatchBuffer::size_bytes(shaped, shaped_capacity);
    return BatchBuffer::size_bytes(decoded, decoded_capacity) + shaped_bytes + window_bytes;
  }
};

/// A round in host memory. For one record that is larger than what it was made for it takes more, until it is trimmed.
struct HostRound final : Round {
  HostRound(RoundMemory const& memory, std::size_t faults_max) : fault_memory(faults_max), usual_(memory) {}

  /// The memory in use.
  struct Buffers {
    explicit Buffers(RoundMemory const& memory)
        : decoded(memory.decoded, memory.decoded_capacity),
          shaped(memory.shaped, memory.shaped_capacity),
          window(std::make_unique_for_overwrite<std::byte[]>(memory.window_bytes)) {}
    BatchBuffer decoded;
    BatchBuffer shaped;
    std::unique_ptr<std::byte[]> window;
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

 private:
  Buffers usual_;
  std::unique_ptr<Buffers> grown_;
};

}  // namespace penstock
