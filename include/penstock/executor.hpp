/// Executors: the engines that turn chunks into batches and encoded bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"
#include "penstock/fault.hpp"

namespace penstock {

/// Counts over one round; sums over rounds do not depend on how the input was cut.
struct RoundCounts {
  std::uint64_t missing_cells = 0;     ///< cells that became missing values in accepted records
  std::uint64_t inexact_integers = 0;  ///< integers that their floating-point tensor cannot hold exactly
  std::uint64_t lines = 0;             ///< physical line ends (of RecordIO: frames) that the round has passed
  std::uint64_t other_entries = 0;  ///< accepted records with entries that no tensor takes (RecordIO: other map keys)
};

/// What one call of a decoder did.
struct Decoded {
  std::size_t rows = 0;     ///< that were accepted
  bool ends_chunk = false;  ///< all of the chunk has been seen
  /// The next record alone is larger than the capacity, and no row and no fault came before it: nothing was done. A
  /// call with a capacity that holds `needed` goes on.
  bool is_stuck = false;
  BatchCapacity needed = {};
};

class DeviceRows;

/// A part of what a chunk became: at most `rows_max` rows, and what the encoder made of them. The memory
/// behind the views belongs to the round (engines derive from it) and is written again by the next
/// Lane::next() that is given the same round.
struct Round {
  virtual ~Round() = default;

  Batch batch;                         ///< the accepted records, in their order
  FaultLog faults;                     ///< of records that were rejected or repaired, in their order
  RoundCounts counts;                  ///< of what the round has passed
  std::span<std::byte const> encoded;  ///< whole frames or lines, in row order; empty without an encoder
  bool ends_chunk = false;
  DeviceRows* device_rows = nullptr;  ///< given: they have the features, of which `batch` has the shape alone
  /// Nothing was done: the next record needs more memory than the round has, and one round at a time may take more. A
  /// call of Lane::next() with `has_turn` does so, until the round is trimmed.
  bool wants_turn = false;
  bool has_turn = false;
  /// Gives back what was taken beyond the memory that the round was made with.
  virtual void trim() {}
  /// Takes the memory that `batch` and `device_rows` lie in out of the round: it stays as it is while the result lives,
  /// and the round goes on with other memory. Null: this round cannot do without it.
  [[nodiscard]] virtual std::shared_ptr<void const> lease() { return nullptr; }
};

/// Bytes from rows. One object serves one lane.
class Encoder {
 public:
  virtual ~Encoder() = default;
  /// An upper bound of the bytes that any batch of this capacity can become: windows are sized from it. It is linear:
  /// the bound of a sum of capacities is the sum of the bounds.
  [[nodiscard]] virtual std::size_t bytes_max(BatchCapacity const& capacity) const = 0;
  /// Encodes all rows of `batch` to `into`, which has room for bytes_max(capacity_of(batch)); returns the bytes
  /// written. The bytes of a row never depend on the other rows.
  virtual std::size_t encode(Batch const& batch, std::byte* into) = 0;
};

/// Memory that text is staged in; a device engine pins it. At least text_padding bytes lie readable on
/// either side of `data`.
class HostBuffer {
 public:
  virtual ~HostBuffer() = default;
  [[nodiscard]] virtual char* data() = 0;
  [[nodiscard]] virtual std::size_t size_bytes() const = 0;
};

/// One slot's trip through an engine: begin() with a chunk, next() until the chunk is used up.
class Lane {
 public:
  virtual ~Lane() = default;
  /// Starts on `chunk`, whose text must stay valid until the last of its rounds was handed back.
  virtual void begin(Chunk const& chunk) = 0;
  /// Fills a round of this lane. `round.ends_chunk` is true on the chunk's last round (there is at least one).
  virtual void next(Round& round) = 0;
  /// Takes memory for one round; a lane with two rounds fills one while the other is being written out.
  [[nodiscard]] virtual std::unique_ptr<Round> make_round() = 0;
};

/// An engine.
class Executor {
 public:
  virtual ~Executor() = default;
  /// `cpu` or `cuda:0`.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Memory from which its lanes take text best. Throws std::bad_alloc, or DeviceError of a device.
  [[nodiscard]] virtual std::unique_ptr<HostBuffer> host_buffer(std::size_t size_bytes) = 0;
};

}  // namespace penstock
