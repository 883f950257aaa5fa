// Batches of loaders in memory of a device: the CPU's, for whoever makes their stream wait; and memory that is not
// written again while work on it is queued.

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/exec/make_executor.hpp"
#include "penstock/loader.hpp"
#include "tests/support/loader_run.hpp"
#include "tests/support/scratch_folder.hpp"

namespace penstock {
namespace {

using testing::LoadedRows;
using testing::ScratchFolder;

std::string csv_text(int rows) {
  std::string text = "a,b,c,y\n";
  for (int i = 0; i < rows; ++i) {
    text += std::to_string(i) + "," + std::to_string(i % 13) + ".25," + (i % 5 == 0 ? "" : "7") + "," +
            std::to_string(i % 2) + "\n";
    if (i % 100 == 50) text += "1,bad,2,0\n";
  }
  return text;
}

LoaderOptions options_for(std::string const& path, char const* device) {
  LoaderOptions options;
  options.paths = {path};
  options.label = "y";
  options.on_error = "skip";
  options.device = device;
  options.batch_size = 64;
  options.window = 500;
  options.index = "none";
  options.memory_bytes = std::size_t{1} << 30;
  options.more = {{"slot-size", "4096"}};
  return options;
}

/// A consumer's stream, which copies batches to the host in its own time.
class Consumer {
 public:
  Consumer() { EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess); }
  ~Consumer() { EXPECT_EQ(cudaStreamDestroy(stream_), cudaSuccess); }
  Consumer(Consumer const&) = delete;
  Consumer& operator=(Consumer const&) = delete;

  [[nodiscard]] std::uintptr_t stream() const { return reinterpret_cast<std::uintptr_t>(stream_); }
  void wait() const { EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess); }

  /// Queues the copy of all tensors; valid behind wait(). `into` lives until then.
  void take(SharedBatch const& batch, BatchBuffer const& into, SharedBatch& copy) const {
    batch.on_device->make_stream_wait(stream());
    batch.on_device->used_in(stream());
    copy = batch;
    copy.rows = into.view(batch.rows.rows);
    for (Role const role : tensor_roles) {
      Dense const& from = batch.rows.tensor(role);
      if (from.columns == 0) continue;
      EXPECT_EQ(cudaMemcpyAsync(copy.rows.tensor(role).data, from.data, batch.rows.rows * from.row_bytes(),
                                cudaMemcpyDefault, stream_),
                cudaSuccess);
    }
    copy.memory = nullptr;
    copy.on_device = nullptr;
  }

 private:
  cudaStream_t stream_ = nullptr;
};

/// Batches are dropped at once: what was queued with them has to see them all the same.
std::vector<LoadedRows> load_on_device(LoaderOptions const& options) {
  Consumer const consumer;
  Loader loader(options);
  std::vector<BatchBuffer> memory;
  std::vector<SharedBatch> copies;
  for (SharedBatch batch; loader.next(batch);) {
    EXPECT_NE(batch.on_device, nullptr);
    memory.emplace_back(loader.layout(), options.batch_size);
    consumer.take(batch, memory.back(), copies.emplace_back());
    batch = {};
  }
  consumer.wait();
  std::vector<LoadedRows> rows;
  for (SharedBatch const& copy : copies) rows.push_back(testing::loaded(copy));
  return rows;
}

TEST(LoaderDevice, BatchesAreThoseOfTheCpu) {
  ScratchFolder const folder;
  std::string const path = folder.put("a.csv", csv_text(1500));
  for (Shuffle const shuffle : {Shuffle::none, Shuffle::window, Shuffle::exact})
    for (Remainder const remainder : {Remainder::keep, Remainder::pad}) {
      LoaderOptions options = options_for(path, "cpu");
      options.shuffle = shuffle;
      options.remainder = remainder;
      Loader loader(options);
      std::vector<LoadedRows> const expected = testing::load(loader);
      options.device = "cuda";
      EXPECT_EQ(load_on_device(options), expected) << name_of(shuffle) << " " << name_of(remainder);
    }
}

TEST(LoaderDevice, SparseBatchesStayOnTheHost) {
  ScratchFolder const folder;
  std::string text;
  for (int i = 0; i < 200; ++i) text += "1 1:" + std::to_string(i) + (i % 3 == 0 ? " 4:2.5\n" : "\n");
  LoaderOptions options = options_for(folder.put("a.libsvm", text), "cuda");
  options.label = "";
  Loader on_device(options);
  options.device = "cpu";
  Loader on_cpu(options);
  EXPECT_EQ(testing::load(on_device), testing::load(on_cpu));
}

TEST(LoaderDevice, BatchesOutliveTheirLoader) {
  ScratchFolder const folder;
  LoaderOptions const options = options_for(folder.put("a.csv", csv_text(300)), "cuda");
  Consumer const consumer;  // its stream lives as long as batches that were used in it
  std::vector<SharedBatch> held;
  {
    Loader loader(options);
    for (SharedBatch batch; loader.next(batch);) held.push_back(batch);
  }
  LoaderOptions on_cpu = options;
  on_cpu.device = "cpu";
  Loader loader(on_cpu);
  std::vector<LoadedRows> const expected = testing::load(loader);
  ASSERT_EQ(held.size(), expected.size());
  for (std::size_t i = 0; i < held.size(); ++i) {
    BatchBuffer const memory(loader.layout(), options.batch_size);
    SharedBatch copy;
    consumer.take(held[i], memory, copy);
    consumer.wait();
    EXPECT_EQ(testing::loaded(copy), expected[i]);
    held[i].on_device->wait();
    EXPECT_EQ(held[i].on_device->device(), 0);
  }
}

/// Rows of one number, in pinned memory of the device.
struct PinnedRows {
  explicit PinnedRows(std::shared_ptr<Device> const& device, float number) {
    std::shared_ptr<HostBuffer> const buffer = device->host_buffer(rows * sizeof(float));
    auto* const values = reinterpret_cast<float*>(buffer->data());
    std::fill_n(values, rows, number);
    batch.rows.features = {reinterpret_cast<std::byte*>(values), DType::float32, rows, 1};
    batch.rows.set_rows(rows);
    batch.memory = buffer;
    memory = buffer;
  }
  static constexpr std::size_t rows = 1000;
  SharedBatch batch;
  std::weak_ptr<void const> memory;
};

std::shared_ptr<Device> cuda_device() {
  DeviceWish wish;
  wish.name = "cuda";
  return choose_device(wish).device;
}

BatchLayout one_feature() {
  BatchLayout layout;
  layout.features = 1;
  return layout;
}

/// Nobody has waited for the upload but the consumer's stream. Its source is kept until it was read.
TEST(BatchUpload, AStreamWaitsForIt) {
  std::shared_ptr<Device> const device = cuda_device();
  Consumer const consumer;
  BatchBuffer const memory(one_feature(), PinnedRows::rows);
  auto const uploader = make_uploader(device);
  PinnedRows source(device, 3);
  auto* const values = source.batch.rows.features.as<float>();
  std::shared_ptr<void const> kept = source.batch.memory;
  SharedBatch const uploaded = uploader->upload(source.batch);
  source.batch = {};
  SharedBatch copy;
  consumer.take(uploaded, memory, copy);
  consumer.wait();
  std::fill_n(values, PinnedRows::rows, 5.0F);  // the emulator finds out if nobody has waited for the copy from here
  kept = nullptr;
  EXPECT_FALSE(source.memory.expired());
  for (std::size_t i = 0; i < PinnedRows::rows; ++i) ASSERT_EQ(copy.rows.features.as<float>()[i], 3.0F) << i;
  (void)uploader->upload(PinnedRows(device, 4).batch);
  EXPECT_TRUE(source.memory.expired());
}

/// A batch that was given up while a consumer's work on it waits: the next one, in the same memory, comes behind that.
TEST(BatchUpload, MemoryIsWrittenAgainBehindWhatWasQueued) {
  std::shared_ptr<Device> const device = cuda_device();
  Consumer const consumer;
  std::unique_ptr<HostBuffer> const pinned = device->host_buffer(std::size_t{1} << 13);
  BatchBuffer const memory(one_feature(), BatchCapacity{PinnedRows::rows, 0, 0, 0, 0, {}},
                           reinterpret_cast<std::byte*>(pinned->data()));
  auto const uploader = make_uploader(device);
  SharedBatch first = uploader->upload(PinnedRows(device, 3).batch);
  std::byte const* const place = first.rows.features.data;
  SharedBatch copy;
  consumer.take(first, memory, copy);
  first = {};
  SharedBatch const second = uploader->upload(PinnedRows(device, 4).batch);
  ASSERT_EQ(second.rows.features.data, place);
  second.on_device->wait();  // and so for the consumer's copy
  for (std::size_t i = 0; i < PinnedRows::rows; ++i) ASSERT_EQ(copy.rows.features.as<float>()[i], 3.0F) << i;
}

}  // namespace
}  // namespace penstock
