/// The reader: bytes of shards into slots, cut into chunks of whole records.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "host/pipeline/pipeline.hpp"
#include "host/ring/ring.hpp"

namespace penstock {

/// What the reader needs of the pipeline. Each call may block; null or false: the pipeline stops.
struct SlotExchange {
  std::function<Slot*(bool is_long)> take;
  std::function<void(Slot*)> give_back;
  std::function<bool(Slot*)> publish;
};

/// Reads shard after shard; runs on one thread. A slot holds the carry of the one before and fresh bytes;
/// `slot == whole + carry`. A record that fills a slot goes on in a long slot.
class Reader {
 public:
  Reader(std::vector<Shard> shards, std::unique_ptr<Cutter> cutter, SlotExchange exchange, Trace* trace = nullptr)
      : shards_(std::move(shards)), cutter_(std::move(cutter)), exchange_(std::move(exchange)), trace_(trace) {}

  /// Returns when all shards are read or the pipeline stops; throws what sources throw, after publishing
  /// every whole record read before.
  void run();
  [[nodiscard]] std::uint64_t stored_bytes_read() const { return stored_bytes_.load(std::memory_order_relaxed); }

 private:
  bool read_shard(Shard const& shard);
  bool fill_and_publish();
  Slot* take_with_carry(bool is_long);
  void read_until_full(Slot& slot);
  Cut cut_slot(Slot& slot);
  bool publish(Slot& slot, Cut const& cut);

  std::vector<Shard> shards_;
  std::unique_ptr<Cutter> cutter_;
  SlotExchange exchange_;
  Trace* trace_;
  std::atomic<std::uint64_t> stored_bytes_ = 0;

  std::unique_ptr<Source> source_;
  std::uint64_t stored_before_ = 0;  ///< of the shards that are finished
  std::uint32_t shard_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t offset_ = 0;  ///< in the shard, of the carry's first byte
  std::string_view carry_;    ///< lies in the slot that was published last
  std::size_t size_ = 0;      ///< bytes in the slot that is being filled
  bool is_shard_end_ = false;
  std::exception_ptr source_error_;  ///< thrown once everything that was read before it is published
  bool follows_cr_ = false;
};

}  // namespace penstock
