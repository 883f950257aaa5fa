/// RecordIO-protobuf decoded on the device beside the CPU's decoder, and plans and records for it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/formats/recordio.hpp"
#include "formats/core/block.hpp"
#include "formats/recordio/format.hpp"
#include "tests/support/format_run.hpp"
#include "tests/support/recordio_rows.hpp"
#include "tests/support/wire_recordio.hpp"

namespace penstock::testing {

/// What decoders of the format below are made with, and what they did.
struct RecordioDevice {
  cuda::DecoderLimits limits;
  std::size_t chunks = 0;       ///< that were decoded on the device
  std::size_t host_chunks = 0;  ///< that it left to the CPU
  std::size_t rounds = 0;
};
inline RecordioDevice device;

/// A decoder that leaves to the device what that takes, with rows copied out.
class RecordioDeviceDecoder {
 public:
  explicit RecordioDeviceDecoder(recordio::Plan const& plan)
      : plan_(plan), host_(plan), decoder_(cuda::make_recordio_decoder(plan, device.limits, stream_)) {}

  void begin(Chunk const& chunk) {
    chunk_ = chunk;
    is_on_device_ = decoder_->begin(chunk);
    is_first_ = true;
    begins_end_ = 0;
    if (!is_on_device_) to_host();
  }

  Decoded next(Batch const& batch, BatchCapacity const& capacity, FaultLog& faults, RoundCounts& counts) {
    if (is_on_device_) {
      Batch rows;
      Decoded decoded;
      if (decoder_->next(rows, faults, counts, decoded)) {
        device.chunks += is_first_ ? 1 : 0;
        is_first_ = false;
        ++device.rounds;
        promise(!decoded.is_stuck && decoded.rows == rows.rows, "a device is stuck");
        copy_out(rows, batch);
        check_record_begins(rows);
        return decoded;
      }
      promise(is_first_, "a device gives up behind its first round");
      to_host();
    }
    return host_.next(batch, capacity, faults, counts);
  }

 private:
  void to_host() {
    is_on_device_ = false;
    ++device.host_chunks;
    host_.begin(chunk_);
  }

  template <class T>
  void copy(T* to, void const* from, std::size_t count) {
    if (count == 0) return;
    cuda::MappedArray<T> pinned(count, "a copy");
    stream_.copy(pinned.get(), from, count * sizeof(T), "copy out");
    stream_.wait();
    std::memcpy(to, pinned.get(), count * sizeof(T));
  }

  void copy_out(Batch const& from, Batch const& to) {
    for (Role const role : tensor_roles) {
      Dense const& tensor = from.tensor(role);
      promise(tensor.columns == plan_.layout.columns(role), "another layout");
      promise(tensor.columns == 0 || tensor.dtype == plan_.layout.dtype(role), "another type");
      if (tensor.columns != 0) copy(to.tensor(role).data, tensor.data, from.rows * tensor.row_bytes());
    }
    promise((from.csr.indptr != nullptr) == plan_.layout.is_sparse, "pairs, or none");
    if (from.csr.indptr == nullptr) return;
    promise(from.csr.dtype == plan_.layout.feature_dtype && from.csr.columns == plan_.layout.features,
            "another layout of pairs");
    std::size_t const pairs = decoder_->pairs();
    copy(to.csr.indptr, from.csr.indptr, from.rows + 1);
    copy(to.csr.indices, from.csr.indices, pairs);
    copy(to.csr.values, from.csr.values, pairs * size_bytes(from.csr.dtype));
    promise(static_cast<std::size_t>(to.csr.indptr[from.rows]) == pairs, "pairs() is not the number of pairs");
  }

  /// One behind the other from the chunk's first byte on: a chunk with faults is not for the device.
  void check_record_begins(Batch const& rows) {
    std::vector<std::uint32_t> begins(rows.rows);
    copy(begins.data(), rows.record_begins, rows.rows);
    for (std::uint32_t const begin : begins) {
      promise(begin == begins_end_, "a record begins elsewhere");
      auto const* const frame = reinterpret_cast<std::byte const*>(chunk_.text.data) + begin;
      begins_end_ += recordio::frame_bytes(recordio::get_word(frame + 4));
    }
  }

  recordio::Plan plan_;
  recordio::RowDecoder host_;
  cuda::Stream stream_;
  std::unique_ptr<cuda::ChunkDecoder> decoder_;
  Chunk chunk_;
  bool is_on_device_ = false, is_first_ = false;
  std::size_t begins_end_ = 0;
};

struct RecordioDeviceFormat : recordio::Format {
  template <class>
  using Decoder = RecordioDeviceDecoder;
};

inline constexpr std::size_t record_max = 1 << 16;

/// Runs both decoders over the files; empty, or how they differ.
inline std::string compare(recordio::Plan const& plan, std::vector<std::string> const& files, RunSizes const& sizes,
                           std::size_t record_bytes_max = record_max) {
  device = {};
  device.limits = {std::max<std::size_t>(sizes.buffer_bytes, 1 << 18), sizes.capacity, sizes.faults_max};
  FormatRun const expected = run_format<recordio::Format, Portable>(plan, files, record_bytes_max, sizes);
  FormatRun const found = run_format<RecordioDeviceFormat, Portable>(plan, files, record_bytes_max, sizes);
  return difference(expected, found);
}

inline RunSizes roomy() {
  RunSizes sizes;
  sizes.buffer_bytes = 1 << 18;
  sizes.capacity = {4096, std::size_t{1} << 15, 64, 4096, 4096};
  sizes.faults_max = 1000;
  return sizes;
}

/// Both agree, and all is done on the device.
inline void expect_on_device(recordio::Plan const& plan, std::string const& bytes, RunSizes const& sizes = roomy()) {
  EXPECT_EQ(compare(plan, {bytes}, sizes), "");
  EXPECT_EQ(device.host_chunks, 0u);
  EXPECT_EQ(device.chunks > 0, !bytes.empty());
}

/// Both agree, and the device did nothing.
inline void expect_on_host(recordio::Plan const& plan, std::string const& bytes, RunSizes const& sizes = roomy()) {
  EXPECT_EQ(compare(plan, {bytes}, sizes), "");
  EXPECT_EQ(device.chunks, 0u);
  EXPECT_EQ(device.host_chunks, 1u);
}

inline recordio::Plan dense_plan(DType dtype, std::size_t features, std::size_t labels) {
  recordio::Plan plan;
  plan.layout.feature_dtype = dtype;
  plan.layout.features = features;
  plan.layout.labels = labels;
  return plan;
}

inline recordio::Plan sparse_plan(DType dtype, std::size_t features, std::size_t labels) {
  recordio::Plan plan = dense_plan(dtype, features, labels);
  plan.layout.is_sparse = true;
  plan.requires_shape = true;
  return plan;
}

inline wire::Tensor dense_tensor(std::size_t count, std::uint64_t seed) {
  wire::Random random(seed);
  wire::Tensor tensor;
  for (std::size_t i = 0; i < count; ++i) tensor.values.push_back(record_value(random, DType::float32));
  return tensor;
}

inline std::string payload(wire::Record const& record) {
  wire::Random random(1);
  return wire::Writer(random, 0).payload(record);
}

}  // namespace penstock::testing
