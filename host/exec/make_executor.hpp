/// The one seam that knows whether this build has a CUDA engine.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/batch_uploader.hpp"
#include "penstock/device.hpp"
#include "penstock/trace.hpp"

namespace penstock {

/// Which device is wanted: `auto`, `cpu`, `cuda` or `cuda:N`.
struct DeviceWish {
  std::string name = "auto";
  bool is_low_priority = false;  ///< kernels of others on the device do not wait behind ours
  bool polls = false;            ///< less latency, for a core of the host a lane
  Trace* trace = nullptr;
};

/// What became of it.
struct DeviceChoice {
  std::shared_ptr<Device> device;  ///< null: the CPU
  std::string reason;              ///< why it is the CPU, where `auto` found no device: `no NVIDIA driver is installed`
};

/// Whether `name` is a device's name at all.
[[nodiscard]] bool is_device_name(std::string_view name);
/// Throws DeviceError, which says why, if a device that was asked for by name cannot be used.
[[nodiscard]] DeviceChoice choose_device(DeviceWish const& wish);
/// What there is, a line for each device, or why there is none.
[[nodiscard]] std::vector<std::string> describe_devices();

/// Puts batches together on `device`, which it keeps.
[[nodiscard]] std::unique_ptr<BatchUploader> make_uploader(std::shared_ptr<Device> device);

/// A worker of `device` for a format that has kernels (Format::has_device). `plan` must outlive it.
template <class Format>
std::unique_ptr<DeviceWorker> make_device_worker(Device& device, typename Format::Plan const& plan,
                                                 WorkerOptions const& options);

/// A cutter on `device`, for formats that have kernels for it. What it does not do itself `host` does, which cuts the
/// same.
template <class Format>
std::unique_ptr<Cutter> make_device_cutter(Device& device, typename Format::Plan const& plan,
                                           std::unique_ptr<Cutter> host, CutterOptions const& options);

}  // namespace penstock
