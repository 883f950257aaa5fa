/// Tests of whole streams run on every engine: compiled for the emulator they have a device too.
#pragma once

#include <memory>

#include "host/exec/make_executor.hpp"
#include "penstock/device.hpp"

namespace penstock::testing {

#if defined(PENSTOCK_SIMT)
inline constexpr bool has_test_device = true;
#else
inline constexpr bool has_test_device = false;
#endif

/// The emulated device, in programs that have one; else none.
inline std::shared_ptr<Device> test_device() {
  if (!has_test_device) return nullptr;
  DeviceWish wish;
  wish.name = "cuda";
  return choose_device(wish).device;
}

}  // namespace penstock::testing
