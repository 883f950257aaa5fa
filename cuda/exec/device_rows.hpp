/// Features of a round that stay in device memory.
#pragma once

#include <cstddef>
#include <memory>

#include "cuda/exec/engine.hpp"
#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "formats/statistics/moments.hpp"
#include "penstock/device.hpp"
#include "penstock/tensor.hpp"

namespace penstock::cuda {

/// A matrix. Takes its memory when it is made.
class FeatureRows final : public DeviceRows {
 public:
  /// `are_read_here`: the host reads them, and they are float32.
  FeatureRows(Engine& engine, std::size_t rows_max, std::size_t row_bytes, bool are_read_here);

  /// Enqueues on a lane's stream: rows in device memory become these.
  void take(Stream& stream, Dense const& rows);

  [[nodiscard]] std::byte const* data() const override { return rows_.get(); }
  void summarize(std::size_t first, std::size_t tiles, statistics::Summary* summaries) override;
  void copy(std::size_t first, std::size_t rows, std::byte* to) override;

 private:
  /// What the host reads them with.
  struct Reading {
    Reading(Engine& engine, std::size_t rows_max, std::size_t columns);
    ~Reading();
    Reading(Reading const&) = delete;
    Reading& operator=(Reading const&) = delete;

    Engine& engine;
    Stream stream;  ///< of whoever asks
    DeviceArray<statistics::Summary> summaries;
    MappedArray<statistics::Summary> summaries_here;
    MappedArray<std::byte> rows_here;  ///< of a tile
  };
  [[nodiscard]] Reading& reading();

  std::size_t row_bytes_;
  DeviceArray<std::byte> rows_;
  std::unique_ptr<Reading> reading_;  ///< null: they are read on the device alone
};

}  // namespace penstock::cuda
