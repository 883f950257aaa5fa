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

using testing::Consumer;
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
    std::string const why = loader.notes().back();
    EXPECT_NE(why.find("no device: cuda:0"), std::string::npos) << why;
    EXPECT_NE(why.find("no lane could be made there"), std::string::npos) << why;
    options.device = "cuda";
    Loader wanted(options);
    SharedBatch batch;
    EXPECT_THROW((void)wanted.next(batch), DeviceMemoryError) << name_of(shuffle);
  }
}

/// Room for lanes, and then none, or only some, for batches: they are the CPU's wherever they lie.
TEST(LoaderDeviceLimits, ADeviceThatFillsUpIsLeftAlone) {
  ScratchFolder const folder;
  Consumer const consumer;
  unsigned on_device = 0, on_host = 0, moved = 0;
  for (Shuffle const shuffle : {Shuffle::none, Shuffle::window, Shuffle::exact}) {
    LoaderOptions options = device_options(folder.put("a.csv", csv_text(1000)), "auto");
    options.shuffle = shuffle;
    options.more = {{"slot-size", "2048"}};
    std::vector<LoadedRows> const expected = load_on_cpu(options);
    for (std::size_t bytes = std::size_t{16} << 10; bytes < std::size_t{4} << 20; bytes += bytes / 8) {
      DeviceOf const memory(bytes);
      Loader loader(options);
      std::vector<LoadedRows> found;
      unsigned here = 0;  // of its batches on the device
      bool has_moved = false;
      for (SharedBatch batch; loader.next(batch);) {
        if (batch.on_device == nullptr) {
          has_moved |= here > 0;
          ++on_host;
          found.push_back(testing::loaded(batch));
          continue;
        }
        ++here;
        BatchBuffer const copy(loader.layout(), options.batch_size);
        SharedBatch copied;
        consumer.take(batch, copy, copied);
        consumer.wait();
        found.push_back(testing::loaded(copied));
      }
      EXPECT_EQ(found, expected) << name_of(shuffle) << " " << bytes;
      on_device += here;
      moved += has_moved ? 1 : 0;
    }
  }
  EXPECT_GT(on_device, 100u);
  EXPECT_GT(on_host, 100u);
  EXPECT_GT(moved, 0u);
}

/// Nothing of the device is kept once it was left, whatever there was room for.
TEST(LoaderDeviceLimits, ADeviceThatWasLeftIsEmpty) {
  ScratchFolder const folder;
  LoaderOptions options = device_options(folder.put("a.csv", csv_text(500)), "auto");
  (void)load_on_cpu(options);
  unsigned left = 0;
  for (Shuffle const shuffle : {Shuffle::none, Shuffle::exact})
    for (std::size_t bytes = std::size_t{16} << 10; bytes < std::size_t{1} << 20; bytes += bytes / 16) {
      options.shuffle = shuffle;
      DeviceOf const memory(bytes);
      std::size_t const before = simt::live_allocations();
      Loader loader(options);
      SharedBatch batch;
      ASSERT_TRUE(loader.next(batch));
      if (batch.on_device != nullptr) continue;
      ++left;
      EXPECT_EQ(simt::live_allocations(), before) << bytes;
    }
  EXPECT_GT(left, 20u);
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
