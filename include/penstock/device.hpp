/// Devices: engines with memory of their own, to which lanes hand their chunks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"
#include "penstock/executor.hpp"
#include "penstock/fault.hpp"
#include "penstock/trace.hpp"

namespace penstock::normalize {
struct Program;
}
namespace penstock::statistics {
struct Summary;
}

namespace penstock {

/// The features of a round, a matrix, that have been left in memory of a device. One thread at a time uses it, while it
/// has the round.
class DeviceRows {
 public:
  virtual ~DeviceRows() = default;
  /// The first row, in memory of the device. Complete when the round is.
  [[nodiscard]] virtual std::byte const* data() const = 0;
  /// Of float32 rows that the host reads: of `tiles` tiles of statistics::tile_rows rows each, the first of which
  /// begins at row `first`: `summaries` gets one for each column of the first tile, then of the next, and so on: those
  /// of statistics::summarize_tile(). Waits.
  virtual void summarize(std::size_t first, std::size_t tiles, statistics::Summary* summaries) = 0;
  /// Of rows that the host reads: copies at most statistics::tile_rows of them to memory of the host. Waits.
  virtual void copy(std::size_t first, std::size_t rows, std::byte* to) = 0;
};

/// Where a round of a device goes in memory of the host, all of it from Device::host_buffer().
struct DeviceTarget {
  /// Memory of the round's capacity, in the decoder's layout; where the worker normalises, with the features of the
  /// normaliser's.
  Batch rows;
  /// Given: made by the worker. Features go there and not to `rows`, but for rounds with faults that may be handed out
  /// in part (takes_rows_with_faults).
  DeviceRows* features = nullptr;
  bool leaves_features = false;  ///< out: they did
  std::byte* window = nullptr;   ///< for encoded bytes, where the worker encodes
  bool takes_rows = true;        ///< else only encoded bytes are copied out, and `rows` says how many rows there are
  bool takes_rows_with_faults = true;  ///< the same for rounds with faults in them
  std::size_t encoded_bytes = 0;       ///< out
};

/// One lane's part of a device. What it makes of a chunk is what the format's decoder on the CPU makes of it, bit for
/// bit.
class DeviceWorker {
 public:
  virtual ~DeviceWorker() = default;
  /// Enqueues the copy of the chunk's text to the device, and what needs no answer of the host; does not wait. The text
  /// stays as it is until the chunk's last round. False: this chunk is for the CPU; nothing was done.
  [[nodiscard]] virtual bool begin(Chunk const& chunk) = 0;
  /// The chunk's next round, complete when it returns. As a format's decoder does it, but never stuck. False, which
  /// only the first call for a chunk says: the chunk is for the CPU.
  [[nodiscard]] virtual bool next(DeviceTarget& target, FaultLog& faults, RoundCounts& counts, Decoded& decoded) = 0;
  /// Whether rounds come encoded, by the encoder that the worker was made with.
  [[nodiscard]] virtual bool encodes() const = 0;
  /// Whether a normaliser is applied to what rounds have, by the program that the worker was made with.
  [[nodiscard]] virtual bool normalizes() const = 0;
  /// Memory for the features of a round, where they are dense, as they come normalised or not. `are_read_here`: the
  /// host reads them, which float32 ones alone can be. Any thread may call it.
  [[nodiscard]] virtual std::unique_ptr<DeviceRows> make_rows(bool are_read_here) = 0;
  /// How much of the device's memory it has taken.
  [[nodiscard]] virtual std::size_t device_bytes() const = 0;
};

/// What a worker is made with.
struct WorkerOptions {
  std::size_t text_bytes = 0;  ///< of the largest chunk; longer ones are for the CPU
  BatchCapacity capacity;      ///< of a round
  std::size_t faults_max = 0;
  bool counts_missing = true;        ///< the decoder does; else the worker counts the NaNs among the features
  Encoder const* encoder = nullptr;  ///< that rounds shall be encoded as; null: not at all
  /// That dense rows are normalised with before they are encoded; null: not at all. It is copied to the device when the
  /// worker is made. Values are counted as missing before it.
  normalize::Program const* normalizer = nullptr;
};

/// What a cutter that looks at text in memory of a device is made with.
struct CutterOptions {
  std::size_t record_max = 0;  ///< the most bytes of a record
  std::size_t slot_bytes = 0;  ///< of the buffers that arrive() is called for; at most record_max
  std::size_t slots = 0;       ///< how many of those there are
};

/// A device. Its host buffers are pinned, and lie near to it.
class Device : public Executor {
 public:
  /// `cuda:0 (NVIDIA H200, 139 GiB)`
  [[nodiscard]] virtual std::string description() const = 0;
  /// Takes the spans of everything that is done for the device; may be null.
  [[nodiscard]] virtual Trace* trace() const = 0;

  /// Lanes that suit it, and text for each of them.
  [[nodiscard]] virtual unsigned lanes() const = 0;
  [[nodiscard]] virtual std::size_t slot_bytes() const = 0;

  /// Where chunks were decoded, counted by lanes.
  void count_chunk(bool is_on_device) { ++(is_on_device ? device_chunks_ : host_chunks_); }
  [[nodiscard]] std::uint64_t device_chunks() const { return device_chunks_; }
  [[nodiscard]] std::uint64_t host_chunks() const { return host_chunks_; }  ///< that were for the CPU

 private:
  std::atomic<std::uint64_t> device_chunks_ = 0;
  std::atomic<std::uint64_t> host_chunks_ = 0;
};

}  // namespace penstock
