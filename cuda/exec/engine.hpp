/// The CUDA engine's door: what host/exec/make_executor and benchmarks see of it. No CUDA header is needed to read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "penstock/batch_uploader.hpp"
#include "penstock/device.hpp"
#include "penstock/trace.hpp"

namespace penstock::csv {
struct DecodePlan;
}
namespace penstock::deepar {
struct Plan;
}
namespace penstock::jsonl {
struct Plan;
}
namespace penstock::libsvm {
struct Plan;
}
namespace penstock::object2vec {
struct Plan;
}
namespace penstock::objects {
struct Plan;
}
namespace penstock::recordio {
struct Plan;
}

namespace penstock::cuda {

struct DeviceFacts {
  int number = 0;
  std::string name;
  int major = 0, minor = 0;  ///< compute capability
  int multiprocessors = 0;
  std::size_t memory_bytes = 0;
  int numa_node = -1;  ///< -1: not known
};

/// The devices that this build can use, or why there are none.
struct Survey {
  std::vector<DeviceFacts> devices;
  std::string problem;
  std::string driver;  ///< the newest CUDA version that the driver knows: `13.0`; empty without one
};
/// Never throws; a machine without a driver is an answer too.
[[nodiscard]] Survey survey_devices();

/// The oldest compute capability that kernels are written for.
inline constexpr int capability_min = 75;

struct EngineOptions {
  bool is_low_priority = false;  ///< kernels of others on the device go first
  bool polls = false;            ///< lanes spin while they wait: less latency, a core of the host each
  Trace* trace = nullptr;        ///< gets every span, the device's own times included
};

/// One device.
class Engine final : public Device {
 public:
  /// Throws DeviceError if the device cannot be used.
  Engine(DeviceFacts const& facts, EngineOptions const& options);
  ~Engine() override;

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::string description() const override;
  [[nodiscard]] std::unique_ptr<HostBuffer> host_buffer(std::size_t size_bytes) override;
  [[nodiscard]] Trace* trace() const override;
  [[nodiscard]] unsigned lanes() const override { return 3; }
  [[nodiscard]] std::size_t slot_bytes() const override { return std::size_t{16} << 20; }

  [[nodiscard]] DeviceFacts const& facts() const { return facts_; }
  [[nodiscard]] EngineOptions const& options() const { return options_; }
  /// Makes the device the calling thread's.
  void use() const;
  /// Another line of the trace.
  [[nodiscard]] unsigned take_track() { return tracks_++; }
  /// Spans of the host, as NVTX ranges and for the trace.
  class HostTrace;

 private:
  void prove();

  DeviceFacts facts_;
  EngineOptions options_;
  std::string name_;
  std::unique_ptr<HostTrace> host_trace_;
  std::atomic<unsigned> tracks_ = 0;
};

/// What a lane has on the device for each format that has kernels. Plans must outlive workers. Throw DeviceMemoryError
/// if there is no room, DeviceError for whatever else fails.
[[nodiscard]] std::unique_ptr<DeviceWorker> make_worker(Engine& engine, csv::DecodePlan const& plan,
                                                        WorkerOptions const& options);
[[nodiscard]] std::unique_ptr<DeviceWorker> make_worker(Engine& engine, deepar::Plan const& plan,
                                                        WorkerOptions const& options);
[[nodiscard]] std::unique_ptr<DeviceWorker> make_worker(Engine& engine, jsonl::Plan const& plan,
                                                        WorkerOptions const& options);
[[nodiscard]] std::unique_ptr<DeviceWorker> make_worker(Engine& engine, libsvm::Plan const& plan,
                                                        WorkerOptions const& options);
[[nodiscard]] std::unique_ptr<DeviceWorker> make_worker(Engine& engine, object2vec::Plan const& plan,
                                                        WorkerOptions const& options);
[[nodiscard]] std::unique_ptr<DeviceWorker> make_worker(Engine& engine, objects::Plan const& plan,
                                                        WorkerOptions const& options);
[[nodiscard]] std::unique_ptr<DeviceWorker> make_worker(Engine& engine, recordio::Plan const& plan,
                                                        WorkerOptions const& options);

/// Puts batches together on the device.
[[nodiscard]] std::unique_ptr<BatchUploader> make_uploader(std::shared_ptr<Engine> engine);

/// A cutter of CSV on the device: csv_cutter.cu. `plan` need not outlive it.
[[nodiscard]] std::unique_ptr<Cutter> make_cutter(Engine& engine, csv::DecodePlan const& plan,
                                                  std::unique_ptr<Cutter> host, CutterOptions const& options);

}  // namespace penstock::cuda
