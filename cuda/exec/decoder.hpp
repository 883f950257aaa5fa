/// What a format gives to the CUDA engine: a decoder from chunks to rows in device memory, and an encoder from such
/// rows to bytes in device memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "cuda/exec/stream.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"
#include "penstock/executor.hpp"
#include "penstock/fault.hpp"

namespace penstock::cuda {

/// What a decoder takes its memory for, once, when it is made.
struct DecoderLimits {
  std::size_t text_bytes = 0;  ///< of the largest chunk
  BatchCapacity rows;          ///< of a round: at most this comes out of one call of next()
  std::size_t faults = 0;      ///< in a round
};

/// Chunks to rows. What comes out of all rounds of a chunk together is, bit for bit, what the format's CPU decoder
/// makes of it: rows, faults in their order, counts. One object serves one lane and one stream.
class ChunkDecoder {
 public:
  virtual ~ChunkDecoder() = default;
  /// Enqueues the copy of the chunk to the device and the passes that need no answer from the host; does not wait. The
  /// chunk's text is pinned and stays as it is until the last round. False: this chunk is for the CPU (it holds
  /// rejects, is longer than the limits, or what it says is rare), and nothing was done.
  [[nodiscard]] virtual bool begin(Chunk const& chunk) = 0;
  /// Makes the next rows. `rows` views them in device memory, valid until the next call, in the plan's layout with
  /// csr.indptr[0] == 0 and all other first offsets 0; the stream has been waited for. `faults` has room for
  /// DecoderLimits::faults. `counts` is added to. Decoded::rows == rows.rows; is_stuck as formats/core/format.hpp says.
  /// False: what is left of the chunk is for the CPU, which begins again with the whole chunk; only the first call for
  /// a chunk may say so.
  [[nodiscard]] virtual bool next(Batch& rows, FaultLog& faults, RoundCounts& counts, Decoded& decoded) = 0;
  /// Pairs in the rows of the last round, where they are sparse: the host must know what to copy.
  [[nodiscard]] virtual std::size_t pairs() const { return 0; }
  /// Values in the lists of those rows, for the same reason.
  [[nodiscard]] virtual std::array<std::size_t, lists_max> list_values() const { return {}; }
  /// Device bytes that it holds.
  [[nodiscard]] virtual std::size_t device_bytes() const = 0;
};

/// Rows in device memory to bytes in device memory: those that the format's CPU writer makes.
class RowEncoder {
 public:
  virtual ~RowEncoder() = default;
  /// Device memory that it holds for the bytes.
  [[nodiscard]] virtual std::size_t device_bytes() const = 0;
  /// Encodes all rows of `batch`, which lies in device memory and is no larger than the capacity that it was made with.
  /// Waits until the size is known, not for the bytes: those are there for what is enqueued on the stream behind it.
  struct Encoded {
    std::byte const* data = nullptr;  ///< in device memory
    std::size_t size_bytes = 0;
  };
  [[nodiscard]] virtual Encoded encode(Batch const& batch) = 0;
};

}  // namespace penstock::cuda
