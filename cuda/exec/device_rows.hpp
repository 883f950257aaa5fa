/// Features of a round that stay in device memory.
#pragma once

#include <cstddef>

#include "cuda/exec/engine.hpp"
#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "formats/statistics/moments.hpp"
#include "penstock/device.hpp"
#include "penstock/tensor.hpp"

namespace penstock::cuda {

/// A float32 matrix. Takes its memory when it is made.
class FeatureRows final : public DeviceRows {
 public:
  FeatureRows(Engine& engine, std::size_t rows_max, std::size_t columns);
  ~FeatureRows() override;
  FeatureRows(FeatureRows const&) = delete;
  FeatureRows& operator=(FeatureRows const&) = delete;

  /// Enqueues on a lane's stream: rows in device memory become these.
  void take(Stream& stream, Dense const& rows);

  void summarize(std::size_t first, std::size_t tiles, statistics::Summary* summaries) override;
  void copy(std::size_t first, std::size_t rows, std::byte* to) override;

 private:
  Engine& engine_;
  std::size_t columns_;
  Stream stream_;  ///< of whoever asks
  DeviceArray<float> rows_;
  DeviceArray<statistics::Summary> summaries_;
  MappedArray<statistics::Summary> summaries_here_;
  MappedArray<float> rows_here_;  ///< of a tile
};

}  // namespace penstock::cuda
