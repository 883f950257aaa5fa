// Loaders on a device that has no room, or whose calls fail: in the emulator.

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/error.hpp"
#include "tests/support/loader_on_device.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/simt/simt.hpp"

namespace penstock {
namespace {

using testing::csv_text;
using testing::device_options;
using testing::load_on_cpu;
using testing::load_on_device;
using testing::LoadedRows;
using testing::ScratchFolder;

/// Restores the emulated device's memory.
struct DeviceOf {
  explicit DeviceOf(std::size_t size_bytes) { simt::set_device_memory(size_bytes); }
  ~DeviceOf() { simt::set_device_memory(std::size_t{8} << 30); }
};

TEST(LoaderDeviceLimits, ADeviceThatIsFullIsLeftAlone) {
  ScratchFolder const folder;
  for (Shuffle const shuffle : {Shuffle::none, Shuffle::exact}) {
    LoaderOptions options = device_options(folder.put("a.csv", csv_text(500)), "auto");
    options.shuffle = shuffle;
    std::vector<LoadedRows> const expected = load_on_cpu(options);
    DeviceOf const memory(std::size_t{4} << 10);
    Loader loader(options);
    EXPECT_EQ(testing::load(loader), expected) << name_of(shuffle);
    EXPECT_NE(loader.notes().back().find("no device: cuda:0"), std::string::npos) << loader.notes().back();
    EXPECT_NE(loader.notes().back().find("has no room"), std::string::npos) << loader.notes().back();
    options.device = "cuda";
    Loader wanted(options);
    SharedBatch batch;
    EXPECT_THROW((void)wanted.next(batch), DeviceMemoryError) << name_of(shuffle);
  }
}

TEST(LoaderDeviceLimits, SmallerSlotsOnASmallDevice) {
  ScratchFolder const folder;
  for (Shuffle const shuffle : {Shuffle::none, Shuffle::exact}) {
    LoaderOptions options = device_options(folder.put("a.csv", csv_text(500)), "cuda");
    options.shuffle = shuffle;
    options.more = {};
    std::vector<LoadedRows> const expected = load_on_cpu(options);
    DeviceOf const memory(std::size_t{64} << 20);
    EXPECT_EQ(load_on_device(options), expected) << name_of(shuffle);
  }
}

/// Each call of the runtime in turn: the loader says which it was, and everything is given back.
TEST(LoaderDeviceLimits, AnyCallMayFail) {
  ScratchFolder const folder;
  for (Shuffle const shuffle : {Shuffle::window, Shuffle::exact}) {
    LoaderOptions options = device_options(folder.put("a.csv", csv_text(250)), "cuda");
    options.shuffle = shuffle;
    options.threads = 1;
    std::vector<LoadedRows> const expected = load_on_cpu(options);
    std::uint64_t const before = simt::calls();
    {
      Loader loader(options);
      for (SharedBatch batch; loader.next(batch);) batch.on_device->wait();
    }
    std::uint64_t const calls = simt::calls() - before;
    std::size_t const memory = simt::live_allocations(), handles = simt::live_handles();
    unsigned failures = 0;
    for (std::uint64_t n = 1; n <= calls; n += 5) {
      simt::fail_call(n, cudaErrorLaunchFailure);
      std::size_t batches = 0;
      try {
        Loader loader(options);
        for (SharedBatch batch; loader.next(batch); ++batches) batch.on_device->wait();
      } catch (DeviceError const& error) {
        ++failures;
        EXPECT_NE(std::string(error.what()).find("CUDA"), std::string::npos) << error.what();
      }
      std::string const call = "call " + std::to_string(n) + ", " + simt::failed_call();
      simt::fail_no_call();
      EXPECT_LE(batches, expected.size()) << call;
      EXPECT_EQ(simt::live_allocations(), memory) << call;
      EXPECT_EQ(simt::live_handles(), handles) << call;
    }
    EXPECT_GT(failures, 20u);
  }
}

}  // namespace
}  // namespace penstock
