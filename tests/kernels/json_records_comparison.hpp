/// Decoders of vectors, objects and Object2Vec on a device beside the CPU's: values bit for bit, faults in order,
/// counts.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/formats/json_records.hpp"
#include "formats/jsonl/format.hpp"
#include "formats/object2vec/format.hpp"
#include "formats/objects/format.hpp"
#include "tests/support/format_run.hpp"

namespace penstock::testing::json_records {

using cuda::DecoderLimits;

/// What decoders of the formats below are made with, and what they did.
struct Device {
  DecoderLimits limits;
  std::size_t chunks = 0;       ///< that were decoded on the device
  std::size_t host_chunks = 0;  ///< that it left to the CPU
  std::size_t rounds = 0;
};
inline Device device;

inline std::unique_ptr<cuda::ChunkDecoder> make(jsonl::Plan const& plan, cuda::Stream& stream) {
  return cuda::make_jsonl_decoder(plan, device.limits, stream);
}
inline std::unique_ptr<cuda::ChunkDecoder> make(objects::Plan const& plan, cuda::Stream& stream) {
  return cuda::make_objects_decoder(plan, device.limits, stream);
}
inline std::unique_ptr<cuda::ChunkDecoder> make(object2vec::Plan const& plan, cuda::Stream& stream) {
  return cuda::make_object2vec_decoder(plan, device.limits, stream);
}

/// A decoder that leaves to the device what that takes, with rows copied out.
template <class F>
class DeviceDecoder {
 public:
  explicit DeviceDecoder(typename F::Plan const& plan) : plan_(plan), host_(plan), decoder_(make(plan, stream_)) {}

  void begin(Chunk const& chunk) {
    chunk_ = chunk;
    is_on_device_ = decoder_->begin(chunk);
    is_first_ = true;
    if (!is_on_device_) to_host();
  }

  Decoded next(Batch const& batch, BatchCapacity const& capacity, FaultLog& faults, RoundCounts& counts) {
    if (is_on_device_) {
      Batch rows;
      Decoded decoded;
      if (decoder_->next(rows, faults, counts, decoded)) {
        if (is_first_) ++device.chunks;
        is_first_ = false;
        ++device.rounds;
        promise(!decoded.is_stuck && decoded.rows == rows.rows, "a device is stuck");
        copy_out(rows, batch);
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
      promise(tensor.columns == plan_.layout.columns(role) && tensor.dtype == plan_.layout.dtype(role),
              "another layout");
      if (tensor.columns != 0) copy(to.tensor(role).data, tensor.data, from.rows * tensor.row_bytes());
    }
    promise((from.csr.indptr != nullptr) == plan_.layout.is_sparse, "pairs, or none");
    if (plan_.layout.is_sparse) copy_pairs(from.csr, to.csr, from.rows);
    std::array<std::size_t, lists_max> const values = decoder_->list_values();
    for (std::size_t i = 0; i < lists_max; ++i) {
      Ragged const& list = from.lists[i];
      bool const is_there = plan_.layout.lists[i].role != ListRole::none;
      promise((list.offsets != nullptr) == is_there, "another layout of lists");
      if (!is_there) continue;
      copy(to.lists[i].offsets, list.offsets, from.rows + 1);
      copy(to.lists[i].values, list.values, values[i] * size_bytes(list.dtype));
      promise(static_cast<std::size_t>(to.lists[i].offsets[from.rows]) == values[i], "list_values() are others");
    }
  }
  void copy_pairs(Csr const& from, Csr const& to, std::size_t rows) {
    promise(from.dtype == plan_.layout.feature_dtype && from.columns == plan_.layout.features,
            "another layout of pairs");
    std::size_t const pairs = decoder_->pairs();
    copy(to.indptr, from.indptr, rows + 1);
    copy(to.indices, from.indices, pairs);
    copy(to.values, from.values, pairs * size_bytes(from.dtype));
    promise(static_cast<std::size_t>(to.indptr[rows]) == pairs, "pairs() is not the number of pairs");
  }

  typename F::Plan plan_;
  typename F::template Decoder<Portable> host_;
  cuda::Stream stream_;
  std::unique_ptr<cuda::ChunkDecoder> decoder_;
  Chunk chunk_;
  bool is_on_device_ = false, is_first_ = false;
};

template <class F>
struct OnDevice : F {
  template <class Isa>
  using Decoder = DeviceDecoder<F>;
};

/// Runs both decoders over the shards; empty, or how they differ.
template <class F>
std::string compare(typename F::Plan const& plan, std::vector<std::string> const& shards, std::size_t record_max,
                    RunSizes const& sizes) {
  device = {};
  device.limits = {std::max<std::size_t>(sizes.buffer_bytes, 1 << 17), sizes.capacity, sizes.faults_max};
  FormatRun const expected = run_format<F, Portable>(plan, shards, record_max, sizes);
  FormatRun const found = run_format<OnDevice<F>, Portable>(plan, shards, record_max, sizes);
  return difference(expected, found);
}

inline RunSizes roomy() {
  RunSizes sizes;
  sizes.buffer_bytes = 1 << 16;
  sizes.capacity = {2048, 1 << 15, 1 << 12, 0, 0, {1 << 15, 1 << 15}};
  sizes.faults_max = 500;
  return sizes;
}

/// On the device; both decoders agree.
template <class F>
void expect_same(typename F::Plan const& plan, std::string const& text, RunSizes const& sizes = roomy()) {
  EXPECT_EQ(compare<F>(plan, {text}, 1 << 16, sizes), "") << printable(text);
  EXPECT_GT(device.chunks, 0u);
  EXPECT_EQ(device.host_chunks, 0u) << printable(text);
}

inline constexpr DType dtypes[] = {DType::float32, DType::float64, DType::int32, DType::int64};

inline jsonl::Plan vectors(bool is_sparse, std::size_t features, std::size_t labels, DType dtype = DType::float32) {
  jsonl::Plan plan;
  plan.layout.is_sparse = is_sparse;
  plan.layout.features = features;
  plan.layout.labels = labels;
  plan.layout.feature_dtype = dtype;
  return plan;
}

inline objects::Plan columns(std::string const& list, std::string const& label = "") {
  objects::Options options;
  options.columns = list;
  options.label = label;
  return objects::Scout(options, {1 << 16, true, true}).plan();
}

inline object2vec::Plan tokens(std::size_t labels) {
  object2vec::Plan plan;
  plan.layout.labels = labels;
  return plan;
}

}  // namespace penstock::testing::json_records
