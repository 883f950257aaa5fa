/// Calls of the CUDA runtime, checked in one place.
#pragma once

#include <cuda_runtime.h>

#include <string>

#include "penstock/error.hpp"

namespace penstock::cuda {

/// Throws what a call said: a DeviceMemoryError or another DeviceError, which names the call: `cudaMalloc of 16 MiB`.
[[noreturn]] void throw_error(cudaError_t code, std::string const& call);

inline void check(cudaError_t code, char const* call) {
  if (code != cudaSuccess) throw_error(code, call);
}

}  // namespace penstock::cuda

/// Runs a call of the CUDA runtime; throws DeviceError, which names it, if it fails.
#define PENSTOCK_CUDA_CHECK(call) ::penstock::cuda::check((call), #call)
