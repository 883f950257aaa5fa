/// Loaders whose batches lie on a device, and consumers of them.
#pragma once

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "penstock/loader.hpp"
#include "tests/support/loader_run.hpp"

namespace penstock::testing {

/// A label and three features, some of them missing, with records that are bad.
inline std::string csv_text(int rows) {
  std::string text = "a,b,c,y\n";
  for (int i = 0; i < rows; ++i) {
    text += std::to_string(i) + "," + std::to_string(i % 13) + ".25," + (i % 5 == 0 ? "" : "7") + "," +
            std::to_string(i % 2) + "\n";
    if (i % 100 == 50) text += "1,bad,2,0\n";
  }
  return text;
}

inline LoaderOptions device_options(std::string const& path, char const* device) {
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
inline std::vector<LoadedRows> load_on_device(LoaderOptions const& options) {
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
  for (SharedBatch const& copy : copies) rows.push_back(loaded(copy));
  return rows;
}

inline std::vector<LoadedRows> load_on_cpu(LoaderOptions options) {
  options.device = "cpu";
  Loader loader(options);
  return load(loader);
}

}  // namespace penstock::testing
