/// Slots of text memory on their way round: free -> filled by the reader -> decoded by a lane -> taken by the sequencer
/// -> free.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "penstock/chunk.hpp"
#include "penstock/executor.hpp"

namespace penstock {

/// One slot: memory, the chunk in it, and the rounds that a lane has made of it so far.
struct Slot {
  std::unique_ptr<HostBuffer> buffer;
  Chunk chunk;
  std::vector<Reject> rejects;  ///< memory for the cutter; chunk.rejects is a part of it
  std::deque<Round*> rounds;    ///< finished and not yet taken, in order
  bool is_long = false;         ///< holds a record of the greatest length

  [[nodiscard]] char* data() { return buffer->data(); }
  [[nodiscard]] std::size_t size_bytes() const { return buffer->size_bytes(); }
};

/// A fixed set of slots with a list of the free ones. Not thread-safe: the pipeline's lock guards it. The memory of
/// long slots is taken when the first long record comes.
class Ring {
 public:
  /// The rejects that one chunk can hold; a chunk with more is cut short, and its carry copied once more. So long
  /// slots, whose carry may be the length of a record, hold many: 1,024 are about 52 KiB, 16,384 about 832 KiB.
  static constexpr std::size_t rejects_max = 1024;
  static constexpr std::size_t long_rejects_max = 16384;
  /// The carry of one long slot moves to the other.
  static constexpr std::size_t long_slots = 2;

  Ring(Executor& executor, std::size_t slots, std::size_t slot_bytes, std::size_t long_slot_bytes)
      : executor_(executor), long_slot_bytes_(long_slot_bytes), slots_(slots + long_slots) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      Slot& slot = slots_[i];
      slot.is_long = i >= slots;
      if (!slot.is_long) take_memory(slot, slot_bytes, rejects_max);
      list(slot.is_long).push_back(&slot);
    }
  }

  /// A free slot, or null.
  Slot* take(bool is_long) {
    auto& free = list(is_long);
    if (free.empty()) return nullptr;
    Slot* const slot = free.back();
    free.pop_back();
    if (slot->buffer == nullptr) take_memory(*slot, long_slot_bytes_, long_rejects_max);
    return slot;
  }
  void give_back(Slot* slot) { list(slot->is_long).push_back(slot); }

 private:
  void take_memory(Slot& slot, std::size_t size_bytes, std::size_t rejects) {
    slot.buffer = executor_.host_buffer(size_bytes);
    slot.rejects.resize(rejects);
  }
  std::vector<Slot*>& list(bool is_long) { return is_long ? free_long_ : free_; }

  Executor& executor_;
  std::size_t long_slot_bytes_;
  std::vector<Slot> slots_;
  std::vector<Slot*> free_;
  std::vector<Slot*> free_long_;
};

}  // namespace penstock
