/// Where batches are put together: in host memory, or, dense ones, in that of a device.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "host/loader/assemble.hpp"
#include "penstock/batch_uploader.hpp"
#include "penstock/device.hpp"

namespace penstock {

/// One thread's.
class Placement {
 public:
  /// `layout`: of the batches. `device`: given, dense ones lie there.
  Placement(BatchLayout const& layout, std::shared_ptr<Device> device);

  /// Brings a piece to where batches are made of it.
  void place(RowPiece& piece);
  /// As penstock::assemble(), of pieces that were placed.
  [[nodiscard]] SharedBatch assemble(std::span<RowRun const> runs);

 private:
  BatchLayout layout_;
  BatchLayout host_layout_;  ///< of what the host has of a batch that is put together
  std::unique_ptr<BatchUploader> uploader_;
  std::vector<FeatureRun> features_;
};

/// Whether streams for such batches leave features on a device, which Placement expects there.
[[nodiscard]] bool are_features_left(BatchLayout const& layout);

}  // namespace penstock
