// Errors of the emulated runtime, calls that fail when they shall, and devices.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>

#include "tests/support/simt/device.hpp"
#include "tests/support/simt/runtime_api.hpp"
#include "tests/support/simt/simt.hpp"

namespace {

struct ErrorText {
  cudaError_t error;
  char const* name;
  char const* text;
  bool sticks = false;  ///< the context is lost: all later calls fail
};
#define SIMT_ERROR(name, ...) \
  { name, #name, __VA_ARGS__ }
constexpr ErrorText error_texts[] = {
    SIMT_ERROR(cudaSuccess, "no error"),
    SIMT_ERROR(cudaErrorInvalidValue, "invalid argument"),
    SIMT_ERROR(cudaErrorMemoryAllocation, "out of memory"),
    SIMT_ERROR(cudaErrorInitializationError, "initialization error"),
    SIMT_ERROR(cudaErrorCudartUnloading, "driver shutting down"),
    SIMT_ERROR(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    SIMT_ERROR(cudaErrorInvalidHostPointer, "invalid host pointer"),
    SIMT_ERROR(cudaErrorInvalidDevicePointer, "invalid device pointer"),
    SIMT_ERROR(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy"),
    SIMT_ERROR(cudaErrorStubLibrary, "CUDA driver is a stub library"),
    SIMT_ERROR(cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version"),
    SIMT_ERROR(cudaErrorDevicesUnavailable, "CUDA-capable device(s) is/are busy or unavailable"),
    SIMT_ERROR(cudaErrorInvalidDeviceFunction, "invalid device function"),
    SIMT_ERROR(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    SIMT_ERROR(cudaErrorInvalidDevice, "invalid device ordinal"),
    SIMT_ERROR(cudaErrorStartupFailure, "startup failure in cuda runtime"),
    SIMT_ERROR(cudaErrorDeviceUninitialized, "invalid device context"),
    SIMT_ERROR(cudaErrorNoKernelImageForDevice, "no kernel image is available for execution on the device"),
    SIMT_ERROR(cudaErrorECCUncorrectable, "uncorrectable ECC error encountered", true),
    SIMT_ERROR(cudaErrorUnsupportedPtxVersion, "the provided PTX was compiled with an unsupported toolchain."),
    SIMT_ERROR(cudaErrorOperatingSystem, "OS call failed or operation not supported on this OS"),
    SIMT_ERROR(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    SIMT_ERROR(cudaErrorNotReady, "device not ready"),
    SIMT_ERROR(cudaErrorIllegalAddress, "an illegal memory access was encountered", true),
    SIMT_ERROR(cudaErrorLaunchOutOfResources, "too many resources requested for launch"),
    SIMT_ERROR(cudaErrorLaunchTimeout, "the launch timed out and was terminated", true),
    SIMT_ERROR(cudaErrorContextIsDestroyed, "context is destroyed", true),
    SIMT_ERROR(cudaErrorAssert, "device-side assert triggered", true),
    SIMT_ERROR(cudaErrorHostMemoryAlreadyRegistered, "part or all of the requested memory range is already mapped"),
    SIMT_ERROR(cudaErrorHostMemoryNotRegistered, "pointer does not correspond to a registered memory region"),
    SIMT_ERROR(cudaErrorHardwareStackError, "hardware stack error", true),
    SIMT_ERROR(cudaErrorIllegalInstruction, "an illegal instruction was encountered", true),
    SIMT_ERROR(cudaErrorMisalignedAddress, "misaligned address", true),
    SIMT_ERROR(cudaErrorInvalidAddressSpace, "operation not supported on global/shared address space", true),
    SIMT_ERROR(cudaErrorInvalidPc, "invalid program counter", true),
    SIMT_ERROR(cudaErrorLaunchFailure, "unspecified launch failure", true),
    SIMT_ERROR(cudaErrorNotPermitted, "operation not permitted"),
    SIMT_ERROR(cudaErrorNotSupported, "operation not supported"),
    SIMT_ERROR(cudaErrorSystemNotReady, "system not yet initialized"),
    SIMT_ERROR(cudaErrorSystemDriverMismatch, "system has unsupported display driver / cuda driver combination"),
    SIMT_ERROR(cudaErrorUnknown, "unknown error", true),
};
#undef SIMT_ERROR

ErrorText const* text_of(cudaError_t error) {
  for (ErrorText const& text : error_texts)
    if (text.error == error) return &text;
  return nullptr;
}

[[noreturn]] void refuse(char const* variable, std::string_view value) {
  std::fprintf(stderr, "simt: %s=%.*s makes no sense\n", variable, static_cast<int>(value.size()), value.data());
  std::abort();
}

/// A number at the start of `text`, which it is taken from.
std::uint64_t take_number(std::string_view& text, char const* variable) {
  std::uint64_t number = 0;
  auto const [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) refuse(variable, text);
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return number;
}

/// Counts calls, and makes one of them fail.
struct Calls {
  std::mutex mutex;
  std::uint64_t count = 0;
  std::uint64_t failing = 0;  ///< 0: none
  cudaError_t error = cudaSuccess;
  cudaError_t stuck = cudaSuccess;
  std::string failed;
  int devices = 1;
  Calls();
};

Calls::Calls() {
  if (char const* const text = std::getenv("PENSTOCK_SIMT_DEVICES")) {
    std::string_view rest = text;
    devices = static_cast<int>(take_number(rest, "PENSTOCK_SIMT_DEVICES"));
  }
  char const* const text = std::getenv("PENSTOCK_SIMT_FAIL");
  if (text == nullptr) return;
  std::string_view rest = text;
  failing = take_number(rest, "PENSTOCK_SIMT_FAIL");
  error = cudaErrorUnknown;
  if (rest.empty()) return;
  for (ErrorText const& known : error_texts)
    if (rest.substr(1) == known.name) {
      error = known.error;
      return;
    }
  refuse("PENSTOCK_SIMT_FAIL", text);
}

Calls& calls_state() {
  static Calls calls;
  return calls;
}

thread_local cudaError_t last = cudaSuccess;
thread_local int current_device = 0;

bool is_device(int device) { return device >= 0 && device < calls_state().devices; }

}  // namespace

namespace simt {

void fail_call(std::uint64_t n, cudaError_t error) {
  Calls& it = calls_state();
  std::scoped_lock const lock(it.mutex);
  it.failing = it.count + n;
  it.error = error;
  it.failed.clear();
}
void fail_no_call() {
  Calls& it = calls_state();
  std::scoped_lock const lock(it.mutex);
  it.failing = 0;
  it.stuck = cudaSuccess;
  last = cudaSuccess;
}
std::uint64_t calls() {
  std::scoped_lock const lock(calls_state().mutex);
  return calls_state().count;
}
std::string failed_call() {
  std::scoped_lock const lock(calls_state().mutex);
  return calls_state().failed;
}

namespace detail {

bool begin_call(char const* name) {
  Calls& it = calls_state();
  std::scoped_lock const lock(it.mutex);
  ++it.count;
  cudaError_t error = it.stuck;
  if (it.count == it.failing) {
    error = it.error;
    it.failed = name;
    ErrorText const* const text = text_of(error);
    if (text != nullptr && text->sticks) it.stuck = error;
  }
  if (error == cudaSuccess) return true;
  last = error;
  return false;
}

cudaError_t end_call(char const*, cudaError_t error) {
  if (error == cudaSuccess) return error;
  ErrorText const* const text = text_of(error);
  if (text != nullptr && text->sticks) {
    std::scoped_lock const lock(calls_state().mutex);
    calls_state().stuck = error;
  }
  last = error;
  return error;
}

cudaError_t last_error() {
  std::scoped_lock const lock(calls_state().mutex);
  return calls_state().stuck != cudaSuccess ? calls_state().stuck : last;
}
void forget_error() { last = cudaSuccess; }

}  // namespace detail
}  // namespace simt

using simt::detail::begin_call;
using simt::detail::end_call;
using simt::detail::last_error;

// --- errors --------------------------------------------------------------------------------------------------------

cudaError_t cudaPeekAtLastError() { return last_error(); }
cudaError_t cudaGetLastError() {
  cudaError_t const error = last_error();
  simt::detail::forget_error();
  return error;
}
char const* cudaGetErrorName(cudaError_t error) {
  ErrorText const* const text = text_of(error);
  return text == nullptr ? "unrecognized error code" : text->name;
}
char const* cudaGetErrorString(cudaError_t error) {
  ErrorText const* const text = text_of(error);
  return text == nullptr ? "unrecognized error code" : text->text;
}

// --- devices -------------------------------------------------------------------------------------------------------

cudaError_t cudaGetDeviceCount(int* count) {
  if (!begin_call("cudaGetDeviceCount")) return last_error();
  *count = calls_state().devices;
  return *count > 0 ? cudaSuccess : end_call("cudaGetDeviceCount", cudaErrorNoDevice);
}
cudaError_t cudaSetDevice(int device) {
  if (!begin_call("cudaSetDevice")) return last_error();
  if (calls_state().devices == 0) return end_call("cudaSetDevice", cudaErrorNoDevice);
  if (!is_device(device)) return end_call("cudaSetDevice", cudaErrorInvalidDevice);
  current_device = device;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  if (!begin_call("cudaGetDevice")) return last_error();
  *device = current_device;
  return cudaSuccess;
}
cudaError_t cudaSetDeviceFlags(unsigned) { return begin_call("cudaSetDeviceFlags") ? cudaSuccess : last_error(); }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (!begin_call("cudaGetDeviceProperties")) return last_error();
  if (!is_device(device)) return end_call("cudaGetDeviceProperties", cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "Emulated device %d", device);
  properties->totalGlobalMem = std::size_t{8} << 30;
  properties->sharedMemPerBlock = std::size_t{48} << 10;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  properties->major = 7;
  properties->minor = 5;
  properties->multiProcessorCount = 4;
  properties->canMapHostMemory = properties->unifiedAddressing = properties->hostRegisterSupported = 1;
  properties->pciBusID = device + 1;
  properties->asyncEngineCount = 2;
  properties->l2CacheSize = 4 << 20;
  properties->maxThreadsPerMultiProcessor = 1024;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp properties;
  cudaError_t const error = cudaGetDeviceProperties(&properties, device);
  if (error != cudaSuccess) return error;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock: *value = properties.maxThreadsPerBlock; break;
    case cudaDevAttrMultiProcessorCount: *value = properties.multiProcessorCount; break;
    case cudaDevAttrCanMapHostMemory: *value = properties.canMapHostMemory; break;
    case cudaDevAttrPciBusId: *value = properties.pciBusID; break;
    case cudaDevAttrL2CacheSize: *value = properties.l2CacheSize; break;
    case cudaDevAttrAsyncEngineCount: *value = properties.asyncEngineCount; break;
    case cudaDevAttrComputeCapabilityMajor: *value = properties.major; break;
    case cudaDevAttrComputeCapabilityMinor: *value = properties.minor; break;
    default: return end_call("cudaDeviceGetAttribute", cudaErrorInvalidValue);
  }
  return cudaSuccess;
}
cudaError_t cudaDeviceGetPCIBusId(char* id, int size_bytes, int device) {
  if (!begin_call("cudaDeviceGetPCIBusId")) return last_error();
  if (!is_device(device)) return end_call("cudaDeviceGetPCIBusId", cudaErrorInvalidDevice);
  std::snprintf(id, static_cast<std::size_t>(size_bytes), "0000:%02X:00.0", static_cast<unsigned>(device) + 1);
  return cudaSuccess;
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  if (!begin_call("cudaDeviceGetStreamPriorityRange")) return last_error();
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = calls_state().devices > 0 ? 13000 : 0;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
