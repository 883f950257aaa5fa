// The emulated runtime: memory that is watched, calls that fail when they shall, a machine without a device.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "cuda/exec/backend.cuh"
#include "cuda/exec/memory.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "tests/support/simt/sanitizers.hpp"
#include "tests/support/simt/simt.hpp"

namespace penstock {
namespace {

using cuda::DeviceArray;
using cuda::MappedArray;
using cuda::Stream;

class SimtRuntime : public testing::Test {
 protected:
  ~SimtRuntime() override { simt::fail_no_call(); }
};
using SimtRuntimeDeathTest = SimtRuntime;

__global__ void store_kernel(std::uint8_t* out, int first, std::uint8_t value) {
  out[first + static_cast<int>(threadIdx.x)] = value;
}

// --- memory --------------------------------------------------------------------------------------------------------

#if defined(SIMT_ASAN)
TEST_F(SimtRuntimeDeathTest, AByteBesideAnAllocationIsSeen) {
  DeviceArray<std::uint8_t> const out(32, "out");
  simt::launch("store", 1, 32, store_kernel, out.get(), 0, std::uint8_t{1});
  EXPECT_DEATH(simt::launch("store", 1, 32, store_kernel, out.get(), 1, std::uint8_t{1}), "AddressSanitizer");
  EXPECT_DEATH(simt::launch("store", 1, 32, store_kernel, out.get(), -1, std::uint8_t{1}), "AddressSanitizer");
}
#else
TEST_F(SimtRuntime, AByteBesideAnAllocationIsSeen) {
  for (int const first : {0, 1, -1}) {
    auto* const array = new DeviceArray<std::uint8_t>(32, "out");
    simt::Reports reports;
    simt::launch("store", 1, 32, store_kernel, array->get(), first, std::uint8_t{1});
    EXPECT_EQ(reports.count(simt::Kind::memory), first == 0 ? 0u : 1u) << first << ": " << reports.text();
    EXPECT_EQ(reports.text().find("store") != std::string::npos, first != 0) << reports.text();
    reports.clear();
    delete array;
    EXPECT_EQ(reports.count(), 0u) << "said once: " << reports.text();
  }
}
#endif

TEST_F(SimtRuntime, NewMemoryIsFullOfGarbage) {
  Stream stream;
  DeviceArray<std::uint8_t> const array(100, "array");
  std::vector<std::uint8_t> host(100);
  stream.copy(host.data(), array.get(), 100, "copy out");
  stream.wait();
  EXPECT_EQ(host, std::vector<std::uint8_t>(100, 0xcd));
}

TEST_F(SimtRuntime, CopiesAndFillsOverTheEndAreReported) {
  DeviceArray<std::uint8_t> const array(64, "array");
  std::vector<std::uint8_t> host(65);
  simt::Reports reports;
  EXPECT_EQ(cudaMemcpy(array.get(), host.data(), 64, cudaMemcpyHostToDevice), cudaSuccess);
  EXPECT_EQ(reports.count(), 0u);
  EXPECT_EQ(cudaMemcpy(array.get(), host.data(), 65, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(host.data(), array.get() + 60, 5, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemset(array.get() + 1, 0, 64), cudaErrorInvalidValue);
  EXPECT_EQ(reports.count(simt::Kind::memory), 3u) << reports.text();
}

TEST_F(SimtRuntime, WhatIsFreedTwiceIsReported) {
  void* memory = nullptr;
  ASSERT_EQ(cudaMalloc(&memory, 10), cudaSuccess);
  simt::Reports reports;
  EXPECT_EQ(cudaFreeHost(memory), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
  EXPECT_EQ(cudaFree(memory), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(nullptr), cudaSuccess);
  EXPECT_EQ(reports.count(simt::Kind::misuse), 2u) << reports.text();
}

TEST_F(SimtRuntime, WhatLivesIsCounted) {
  std::size_t const allocations = simt::live_allocations(), handles = simt::live_handles();
  {
    Stream stream;
    DeviceArray<int> const array(3, "array");
    MappedArray<int> const mapped(3, "mapped");
    EXPECT_EQ(simt::live_allocations(), allocations + 2);
    EXPECT_GT(simt::live_handles(), handles);
  }
  EXPECT_EQ(simt::live_allocations(), allocations);
  EXPECT_EQ(simt::live_handles(), handles);
}

TEST_F(SimtRuntime, TheDevicesMemoryHasAnEnd) {
  std::size_t free_bytes = 0, total_bytes = 0;
  simt::set_device_memory(1000);
  void *first = nullptr, *second = nullptr;
  EXPECT_EQ(cudaMalloc(&first, 600), cudaSuccess);
  EXPECT_EQ(cudaMalloc(&second, 401), cudaErrorMemoryAllocation);
  EXPECT_EQ(second, nullptr);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess) << "no error of the context";
  EXPECT_EQ(cudaMemGetInfo(&free_bytes, &total_bytes), cudaSuccess);
  EXPECT_EQ(free_bytes, 400u);
  EXPECT_EQ(total_bytes, 1000u);
  EXPECT_EQ(cudaFree(first), cudaSuccess);
  simt::set_device_memory(std::size_t{8} << 30);
}

TEST_F(SimtRuntime, RegisteredMemory) {
  std::vector<char> memory(100);
  EXPECT_EQ(cudaHostUnregister(memory.data()), cudaErrorHostMemoryNotRegistered);
  EXPECT_EQ(cudaHostRegister(memory.data(), 50, cudaHostRegisterDefault), cudaSuccess);
  EXPECT_EQ(cudaHostRegister(memory.data() + 49, 10, cudaHostRegisterDefault), cudaErrorHostMemoryAlreadyRegistered);
  EXPECT_EQ(cudaHostRegister(memory.data() + 50, 50, cudaHostRegisterDefault), cudaSuccess);
  char* device = nullptr;
  EXPECT_EQ(cudaHostGetDevicePointer(&device, memory.data() + 7, 0), cudaSuccess);
  EXPECT_EQ(device, memory.data() + 7);
  EXPECT_EQ(cudaHostUnregister(memory.data()), cudaSuccess);
  EXPECT_EQ(cudaHostUnregister(memory.data() + 50), cudaSuccess);
  EXPECT_EQ(cudaHostGetDevicePointer(&device, memory.data(), 0), cudaErrorInvalidValue);
}

#if defined(SIMT_ASAN)
TEST_F(SimtRuntimeDeathTest, TheHostHasNoBusinessInDeviceMemory) {
  DeviceArray<std::uint8_t> const array(32, "array");
  EXPECT_DEATH(array.get()[0] = 1, "AddressSanitizer: use-after-poison");
  simt::DeviceAccess const access;
  array.get()[31] = 1;
  EXPECT_EQ(array.get()[31], 1);
}
#endif

// --- streams and events --------------------------------------------------------------------------------------------

TEST_F(SimtRuntime, EventsHaveTimes) {
  cudaEvent_t begin = nullptr, end = nullptr, untimed = nullptr;
  float milliseconds = -1;
  ASSERT_EQ(cudaEventCreate(&begin), cudaSuccess);
  ASSERT_EQ(cudaEventCreate(&end), cudaSuccess);
  ASSERT_EQ(cudaEventCreateWithFlags(&untimed, cudaEventDisableTiming), cudaSuccess);
  EXPECT_EQ(cudaEventRecord(begin), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, begin, end), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventRecord(end), cudaSuccess);
  EXPECT_EQ(cudaEventRecord(untimed), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, begin, end), cudaSuccess);
  EXPECT_GE(milliseconds, 0.0f);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, begin, untimed), cudaErrorInvalidResourceHandle);
  for (cudaEvent_t event : {begin, end, untimed}) EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
}

TEST_F(SimtRuntime, WhatIsCopiedToPinnedMemoryIsThereWhenOneHasWaited) {
  Stream stream, other;
  DeviceArray<std::uint8_t> const array(4, "array");
  MappedArray<std::uint8_t> const first(4, "first"), second(4, "second");
  stream.fill(array.get(), 1, 4);
  stream.copy(first.get(), array.get(), 4, "copy out");
  stream.fill(array.get(), 2, 4);
  EXPECT_EQ(first[0], 0xcd) << "nobody has waited";
  other.wait();
  EXPECT_EQ(first[0], 0xcd) << "for another stream";

  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(event, stream.get()), cudaSuccess);
  stream.copy(second.get(), array.get(), 4, "copy out");
  ASSERT_EQ(cudaStreamWaitEvent(other.get(), event, 0), cudaSuccess);
  EXPECT_EQ(first[0], 0xcd);
  other.wait();
  EXPECT_EQ(first[3], 1) << "when it was copied";
  EXPECT_EQ(second[0], 0xcd) << "behind the event";
  stream.wait();
  EXPECT_EQ(second[3], 2);
  EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
}

TEST_F(SimtRuntime, WhatIsCopiedFromPinnedMemoryMustStay) {
  Stream stream;
  DeviceArray<std::uint8_t> const array(100, "array");
  MappedArray<std::uint8_t> const host(100, "host");
  simt::Reports const reports;
  std::memset(host.get(), 0, 100);
  stream.copy(array.get(), host.get(), 100, "copy in");
  stream.wait();
  host[99] = 1;
  EXPECT_EQ(reports.count(), 0u) << reports.text();
  stream.copy(array.get(), host.get(), 100, "copy in");
  host[99] = 2;
  EXPECT_EQ(reports.count(), 0u);
  stream.wait();
  EXPECT_EQ(reports.count(simt::Kind::memory), 1u) << reports.text();
}

TEST_F(SimtRuntime, CopiesAreDoneWithBeforeTheirMemoryGoes) {
  Stream stream;
  DeviceArray<std::uint8_t> const array(4, "array");
  std::vector<std::uint8_t> registered(4);
  ASSERT_EQ(cudaHostRegister(registered.data(), 4, cudaHostRegisterDefault), cudaSuccess);
  stream.fill(array.get(), 3, 4);
  stream.copy(registered.data(), array.get(), 4, "copy out");
  { stream.copy(MappedArray<std::uint8_t>(4, "short").get(), array.get(), 4, "copy out"); }
  EXPECT_EQ(registered[0], 0xcd);
  ASSERT_EQ(cudaHostUnregister(registered.data()), cudaSuccess);
  EXPECT_EQ(registered[0], 3);
  stream.wait();
}

struct IsOdd {
  bool operator()(std::uint32_t i) const { return i % 2 == 1; }
};

TEST_F(SimtRuntime, TheBackendsVerbs) {
  Stream stream;
  cuda::Backend backend(stream, 5);
  DeviceArray<std::uint32_t> const values(5, "values"), chosen(5, "chosen"), found(1, "found");
  std::vector<std::uint32_t> host = {3, 1, 4, 1, 5};
  stream.copy(values.get(), host.data(), values.size_bytes(), "copy in");
  backend.exclusive_sum<std::uint32_t>(values.get(), values.get(), 5);
  stream.copy(host.data(), values.get(), values.size_bytes(), "copy out");
  stream.wait();
  EXPECT_EQ(host, (std::vector<std::uint32_t>{0, 3, 4, 8, 9}));
  backend.select(5, IsOdd{}, chosen.get(), found.get());
  std::uint32_t count = 0;
  stream.copy(host.data(), chosen.get(), 2 * sizeof(std::uint32_t), "copy out");
  stream.copy(&count, found.get(), sizeof count, "copy out");
  stream.wait();
  EXPECT_EQ(count, 2u);
  EXPECT_EQ(host[0], 1u);
  EXPECT_EQ(host[1], 3u);
  EXPECT_GT(backend.device_bytes(), 0u);
}

// --- faults --------------------------------------------------------------------------------------------------------

/// What the tests make fail: returns the name of the error that came out, or "".
std::string small_job() {
  try {
    Stream stream;
    DeviceArray<std::uint8_t> const out(32, "out");
    MappedArray<std::uint8_t> const host(32, "host");
    cuda::launch("store", stream, {1, 32}, store_kernel, out.get(), 0, 9);
    stream.copy(host.get(), out.get(), 32, "copy out");
    stream.wait();
    EXPECT_EQ(host[31], 9);
    return "";
  } catch (DeviceError const& error) {
    return error.what();
  }
}

TEST_F(SimtRuntime, EachCallCanFail) {
  std::uint64_t const before = simt::calls();
  ASSERT_EQ(small_job(), "");
  std::uint64_t const calls = simt::calls() - before;
  EXPECT_GE(calls, 8u);
  std::size_t const allocations = simt::live_allocations(), handles = simt::live_handles();
  for (cudaError_t const error : {cudaErrorMemoryAllocation, cudaErrorLaunchFailure, cudaErrorDevicesUnavailable}) {
    for (std::uint64_t n = 1; n <= calls; ++n) {
      simt::fail_call(n, error);
      bool const is_told = small_job().find(cudaGetErrorName(error)) != std::string::npos;
      EXPECT_NE(is_told, n == calls) << simt::failed_call();  // the last one is a destructor's
      simt::fail_no_call();
      EXPECT_EQ(simt::live_allocations(), allocations) << n;
      EXPECT_EQ(simt::live_handles(), handles) << n;
    }
    simt::fail_call(calls + 1, error);
    EXPECT_EQ(small_job(), "");
    simt::fail_no_call();
  }
}

TEST_F(SimtRuntime, ALaunchThatFailsRunsNothing) {
  DeviceArray<std::uint8_t> const out(32, "out");
  simt::fail_call(1, cudaErrorInvalidConfiguration);
  simt::launch("store", 1, 32, store_kernel, out.get(), 0, std::uint8_t{9});
  EXPECT_EQ(simt::failed_call(), "store");
  EXPECT_EQ(cudaPeekAtLastError(), cudaErrorInvalidConfiguration);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidConfiguration);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  std::uint8_t byte = 0;
  EXPECT_EQ(cudaMemcpy(&byte, out.get(), 1, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(byte, 0xcd);
}

TEST_F(SimtRuntime, LaunchesThatCudaRefuses) {
  simt::launch("store", 0, 32, store_kernel, static_cast<std::uint8_t*>(nullptr), 0, std::uint8_t{9});
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidConfiguration);
  simt::launch("store", 1, 1056, store_kernel, static_cast<std::uint8_t*>(nullptr), 0, std::uint8_t{9});
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidConfiguration);
}

TEST_F(SimtRuntime, SomeErrorsStick) {
  void* memory = nullptr;
  ASSERT_EQ(cudaMalloc(&memory, 10), cudaSuccess);
  simt::fail_call(2, cudaErrorLaunchFailure);
  EXPECT_EQ(cudaMemset(memory, 0, 10), cudaSuccess);
  EXPECT_EQ(cudaMemset(memory, 0, 10), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaMemset(memory, 0, 10), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaStreamQuery(nullptr), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaFree(memory), cudaSuccess) << "what is given back is given back";
  simt::fail_no_call();
  EXPECT_EQ(cudaStreamQuery(nullptr), cudaSuccess);
}

// --- devices and the environment -----------------------------------------------------------------------------------

TEST_F(SimtRuntime, ADeviceSaysWhatItIs) {
  int count = 0;
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  EXPECT_EQ(count, 1);
  cudaDeviceProp properties;
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  EXPECT_STREQ(properties.name, "Emulated device 0");
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 1), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaSetDevice(1), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
  EXPECT_STREQ(cudaGetErrorName(cudaErrorNoDevice), "cudaErrorNoDevice");
  EXPECT_STREQ(cudaGetErrorString(cudaErrorNoDevice), "no CUDA-capable device is detected");
}

/// The environment is read once, so each of these runs in a new process; its exit status says whether all was right.
#define EXPECT_IN_NEW_PROCESS(name, value, is_right) \
  GTEST_FLAG_SET(death_test_style, "threadsafe");    \
  EXPECT_EXIT(                                       \
      {                                              \
        setenv(name, value, 1);                      \
        std::_Exit((is_right) ? 0 : 1);              \
      },                                             \
      testing::ExitedWithCode(0), "")

TEST(SimtEnvironmentDeathTest, NoDevice) {
  int count = 9;
  EXPECT_IN_NEW_PROCESS(
      "PENSTOCK_SIMT_DEVICES", "0",
      cudaGetDeviceCount(&count) == cudaErrorNoDevice && count == 0 && cudaSetDevice(0) == cudaErrorNoDevice);
}

TEST(SimtEnvironmentDeathTest, ACallThatFails) {
  EXPECT_IN_NEW_PROCESS("PENSTOCK_SIMT_FAIL", "2:cudaErrorDevicesUnavailable",
                        cudaStreamQuery(nullptr) == cudaSuccess &&
                            cudaStreamQuery(nullptr) == cudaErrorDevicesUnavailable &&
                            cudaStreamQuery(nullptr) == cudaSuccess);
  EXPECT_IN_NEW_PROCESS("PENSTOCK_SIMT_FAIL", "1", cudaStreamQuery(nullptr) == cudaErrorUnknown);
}

}  // namespace
}  // namespace penstock
