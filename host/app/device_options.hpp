/// The engine that a command runs on, and what it says about it.
#pragma once

#include <string>

#include "host/app/options.hpp"
#include "host/exec/make_executor.hpp"
#include "host/pipeline/record_stream.hpp"

namespace penstock::app {

/// What --device, --device-priority and --device-wait ask for. Throws DeviceError for a device that was asked for by
/// name and cannot be used. `trace` may be null.
[[nodiscard]] DeviceChoice device_of(Arguments const& arguments, Trace* trace);

/// What --device-cut says.
[[nodiscard]] bool cuts_on_device(Arguments const& arguments);

/// `cpu (avx2)` or `cuda:0 (NVIDIA H200, 139 GiB)`.
[[nodiscard]] std::string engine_name(Device const* device);
/// The same, with threads or lanes.
[[nodiscard]] std::string engine_words(Device const* device, StreamSizes const& sizes);

}  // namespace penstock::app
