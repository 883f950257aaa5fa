/// The CPU's lane, one text for every format and instruction set. Include it from the units that make lanes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "host/exec/host_round.hpp"
#include "host/exec/lane_options.hpp"
#include "penstock/error.hpp"

namespace penstock {

/// Decoders of such formats count missing cells themselves.
template <class Format>
concept CountsMissing = requires {
  requires Format::counts_missing;
};

template <class Isa, class Format>
class FormatLane final : public Lane {
 public:
  FormatLane(typename Format::Plan const& plan, LaneOptions const& options)
      : decoder_(plan), layout_(plan.layout), options_(options) {
    if (options.make_encoder) encoder_ = options.make_encoder();
  }

  void begin(Chunk const& chunk) override { decoder_.begin(chunk); }

  void next(Round& round) override {
    auto& host = static_cast<HostRound&>(round);
    round.wants_turn = round.ends_chunk = false;
    Decoded decoded = decode(host);
    if (decoded.is_stuck && round.has_turn) {
      grow(host, decoded.needed);
      decoded = decode(host);
      if (decoded.is_stuck) throw Error(ExitCode::internal, "a record does not fit into the memory that it asked for");
    }
    round.wants_turn = decoded.is_stuck;
    if (decoded.is_stuck) return;
    round.ends_chunk = decoded.ends_chunk;
    finish_round(host, decoded.rows, {options_, encoder_.get(), CountsMissing<Format>});
  }

  std::unique_ptr<Round> make_round() override {
    return std::make_unique<HostRound>(memory_for(options_.capacity), options_.faults_max, options_.device.get(),
                                       options_.pool);
  }

 private:
  Decoded decode(HostRound& host) {
    BatchBuffer const& rows = host.buffers().decoded;
    host.faults = FaultLog(host.fault_memory);
    host.counts = {};
    Batch batch = rows.view(rows.rows_max());
    if (options_.keeps_record_begins) {
      host.record_begins.resize(rows.rows_max());
      batch.record_begins = host.record_begins.data();
    }
    return decoder_.next(batch, rows.capacity(), host.faults, host.counts);
  }

  void grow(HostRound& host, BatchCapacity const& needed) {
    RoundMemory const memory = memory_for(needed);
    if (memory.size_bytes() > options_.grown_bytes_max)
      throw DeviceError("a record of " + std::to_string(needed.pairs) + " values and " + std::to_string(needed.labels) +
                            " listed labels needs " + std::to_string(memory.size_bytes()) +
                            " bytes, more than half of --memory",
                        "a larger --memory, or a smaller --max-record-size");
    host.grow(memory);
  }

  [[nodiscard]] RoundMemory memory_for(BatchCapacity const& capacity) const {
    return round_memory(layout_, capacity, options_.shaping, encoder_.get());
  }

  typename Format::template Decoder<Isa> decoder_;
  BatchLayout layout_;
  LaneOptions options_;
  std::unique_ptr<Encoder> encoder_;
};

}  // namespace penstock
