/// The way of batches to a device's memory.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "penstock/shared_batch.hpp"
#include "penstock/tensor.hpp"

namespace penstock {

/// Rows of features, one behind the other, in memory of a device. Plain views: somebody else keeps the memory.
struct FeatureRun {
  std::byte const* data = nullptr;  ///< the first row
  std::size_t rows = 0;
};

/// Features that were brought to a device.
struct FeaturesOnDevice {
  std::byte const* data = nullptr;
  std::shared_ptr<void const> memory;  ///< goes before the device, on any thread
};

/// Puts batches together in memory of a device: dense tensors alone. Everything is queued in one stream of the
/// uploader's, and nothing waits for it; copies are quick from the device's pinned memory, and keep their sources until
/// they are done. One thread at a time uses it; what it has made may outlive it, and be given up on any thread. Throws
/// DeviceMemoryError if there is no room.
class BatchUploader {
 public:
  virtual ~BatchUploader() = default;
  /// The same batch on the device. `features`: given, its features are the rows of these runs, as many as the batch
  /// has, which are complete; of those in `batch` the shape alone counts then. `batch.memory` keeps all that is read.
  [[nodiscard]] virtual SharedBatch upload(SharedBatch const& batch, std::span<FeatureRun const> features) = 0;
  /// A copy of features that are in host memory, for runs of later calls of upload(). `memory` keeps them.
  [[nodiscard]] virtual FeaturesOnDevice put(Dense const& features, std::shared_ptr<void const> memory) = 0;
};

}  // namespace penstock
