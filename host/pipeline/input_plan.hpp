/// What the runtime has to know about an input, whatever its format: the outcome of looking at it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/core/format.hpp"
#include "host/exec/engine.hpp"
#include "host/exec/lane_options.hpp"
#include "host/pipeline/pipeline.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"
#include "penstock/fault.hpp"

namespace penstock {

struct FaultReport;

/// Counts the physical units (lines, frames) of a chunk, on demand and only forwards.
class PlaceFinder {
 public:
  virtual ~PlaceFinder() = default;
  virtual void begin(Chunk const& chunk, std::uint64_t first_unit) = 0;
  /// Goes on to `offset`, which never decreases within a chunk.
  virtual void advance(std::uint32_t offset) = 0;
  [[nodiscard]] virtual std::uint64_t unit() const = 0;        ///< 1-based, in the shard
  [[nodiscard]] virtual std::uint32_t unit_begin() const = 0;  ///< offset in the chunk
};

/// Sees all rows of an input, in order: formats/core/format.hpp, WatchExample.
class InputWatch {
 public:
  virtual ~InputWatch() = default;
  virtual void see(Batch const& rows) = 0;
  [[nodiscard]] virtual std::vector<Problem> problem() const = 0;
};

/// A plan owns everything that its lanes point to; keep it as long as any lane made from it.
class InputPlan {
 public:
  virtual ~InputPlan() = default;
  [[nodiscard]] virtual FormatInfo const& format() const = 0;
  [[nodiscard]] virtual BatchLayout const& layout() const = 0;
  /// Names of a role's columns in the tensor's order; numbers in digits where the format has none.
  [[nodiscard]] virtual std::vector<std::string> names(Role role) const = 0;
  [[nodiscard]] virtual bool has_names() const { return false; }
  /// Whether records of two shards are decoded in the same way, so that they may stand in one chunk.
  [[nodiscard]] virtual bool decodes_alike(std::size_t /*shard*/, std::size_t /*other*/) const { return true; }
  /// 1-based number of the line (frame) on which a shard's records begin.
  [[nodiscard]] virtual std::uint64_t first_line(std::size_t shard) const = 0;
  /// What stands before a shard's records in its file, line end included: a header of names; empty without one.
  [[nodiscard]] virtual std::string header_text(std::size_t) const { return {}; }
  /// Shards in order, to be given to one ChunkPipeline. Inputs that can be read only once (stdin, FIFOs) allow one
  /// call.
  [[nodiscard]] virtual std::vector<Shard> shards() = 0;
  /// What was assumed, in words, one line each: `delimiter: tab (sniffed)`, `index base: 1`, ...
  [[nodiscard]] virtual std::vector<std::string> const& notes() const = 0;
  /// What was found out and decides what records mean, as options: who reads a part of the input has to give them.
  [[nodiscard]] virtual std::vector<std::pair<std::string, std::string>> found_options() const { return {}; }
  /// Query ids must not descend from one accepted record to the next.
  [[nodiscard]] virtual bool checks_qid_order() const { return false; }

  [[nodiscard]] virtual std::unique_ptr<Cutter> make_cutter(InstructionSet isa, std::size_t record_max) const = 0;
  /// A cutter that cuts as make_cutter()'s does, on a device; null where the format has none, or none for such sizes,
  /// or gains nothing by it. Throws DeviceMemoryError if there is no room.
  [[nodiscard]] virtual std::unique_ptr<Cutter> make_device_cutter(Device&, CutterOptions const&) const {
    return nullptr;
  }
  [[nodiscard]] virtual std::unique_ptr<Lane> make_lane(InstructionSet isa, LaneOptions const& options) const = 0;
  [[nodiscard]] virtual std::unique_ptr<PlaceFinder> make_place_finder() const = 0;
  /// Null where records say nothing together.
  [[nodiscard]] virtual std::unique_ptr<InputWatch> make_watch() const { return nullptr; }
  /// The most that one record of `record_max` bytes can become.
  [[nodiscard]] virtual BatchCapacity record_capacity(std::size_t record_max) const = 0;
  /// Faults that one record can make at most.
  [[nodiscard]] virtual std::size_t fault_room() const { return 1; }
  /// What a decoder takes when it is made.
  [[nodiscard]] virtual std::size_t decoder_bytes() const { return std::size_t{64} << 10; }
  /// Adds the words, the column's name and role to a report that knows its places.
  virtual void explain(Fault const& fault, Chunk const& chunk, FaultReport& report) const = 0;
};

}  // namespace penstock
