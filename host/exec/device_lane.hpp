/// Lanes of an engine with memory of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "host/exec/lane_options.hpp"
#include "penstock/chunk.hpp"
#include "penstock/device.hpp"
#include "penstock/executor.hpp"

namespace penstock {

/// Hands chunks to a device and takes rounds back. Chunks that are for the CPU go to a lane of it, which gives the same
/// rounds.
class DeviceLane final : public Lane {
 public:
  /// `lane` decodes on the CPU and is made with the same options. `leaves_features`: see leaves_features_of().
  DeviceLane(std::unique_ptr<Lane> lane, std::unique_ptr<DeviceWorker> worker, LaneOptions const& options,
             bool leaves_features = false);

  void begin(Chunk const& chunk) override;
  void next(Round& round) override;
  std::unique_ptr<Round> make_round() override;

 private:
  [[nodiscard]] std::unique_ptr<Round> made_round();
  /// False: the chunk is for the CPU.
  bool next_on_device(Round& round);

  LaneOptions options_;  ///< keeps the device
  std::unique_ptr<Lane> lane_;
  std::unique_ptr<DeviceWorker> worker_;
  bool leaves_features_;
  std::vector<std::unique_ptr<Round>> rounds_;  ///< that nobody has asked for yet
  std::unique_ptr<Encoder> encoder_;            ///< of what the device does not encode
  Chunk chunk_;
  bool is_on_device_ = false;
  bool is_first_ = true;  ///< round of the chunk
};

/// Whether a lane with these options leaves features that are decoded to this layout on the device.
[[nodiscard]] bool leaves_features_of(LaneOptions const& options, BatchLayout const& decoded);

/// What a worker of a lane with these options is made with. `decoded` is the layout of what is decoded; `encoder` may
/// be null.
[[nodiscard]] WorkerOptions worker_options(LaneOptions const& options, BatchLayout const& decoded,
                                           Encoder const* encoder, bool counts_missing);

}  // namespace penstock
