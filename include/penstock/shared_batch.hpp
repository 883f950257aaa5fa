/// Batches that keep the memory which they lie in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "penstock/batch.hpp"

namespace penstock {

/// Where the records of a batch come from. Records are numbered from 0 in the order in which the epoch reads the files,
/// without those that were rejected: Shuffle::window reads them in another order each epoch, all else as they are
/// named.
struct Provenance {
  std::string file;                ///< of the first row's record
  std::uint64_t first_record = 0;  ///< the lowest number of a record in the batch
  std::uint64_t last_record = 0;   ///< the highest; of a batch in file order all between are in it too
  std::uint64_t rejected = 0;  ///< records rejected so far: before the batch, in the order in which records are read
};

/// Tensors of a batch that lie in memory of a CUDA device, and when they are complete. The stream that fills them may
/// still be at work: whoever reads them in another stream makes that one wait first.
class DeviceTensors {
 public:
  virtual ~DeviceTensors() = default;
  /// CUDA's number of the device.
  [[nodiscard]] virtual int device() const = 0;
  /// Makes `stream`, a cudaStream_t (1: the legacy default stream, 2: the per-thread one), wait until they are
  /// complete. The host does not wait.
  virtual void make_stream_wait(std::uintptr_t stream) const = 0;
  /// Waits on the host.
  virtual void wait() const = 0;
  /// Work on them was queued in `stream`, which lives as long as they do: their memory is not used again before that is
  /// done.
  virtual void used_in(std::uintptr_t stream) const = 0;
};

/// Rows with the memory that they lie in: valid, and not written to by anybody else, as long as `memory` or a copy of
/// it lives. The elements may be changed; `indptr` and offsets of rows begin with 0.
struct SharedBatch {
  Batch rows;  ///< the view; where `on_device` is given, its dense tensors point to memory of that device
  std::shared_ptr<void const> memory;  ///< copied freely, and let go of by any thread
  /// Given: all tensors lie on a device. Null: everything is in host memory.
  std::shared_ptr<DeviceTensors const> on_device;
  std::size_t valid_rows = 0;  ///< the rest, at the end, is padding: copies of the epoch's last record
  std::uint64_t epoch = 0;     ///< from 0; of a Pipeline always 0
  std::uint64_t step = 0;      ///< of its rank in the epoch, from 0
  Provenance provenance;
};

}  // namespace penstock
