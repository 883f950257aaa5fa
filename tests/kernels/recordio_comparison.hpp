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

#include "cuda/formats/recordio.hpp"
#include "formats/recordio/format.hpp"
#include "tests/kernels/decoder_comparison.hpp"
#include "tests/support/format_run.hpp"
#include "tests/support/recordio_rows.hpp"
#include "tests/support/wire_recordio.hpp"

namespace penstock::testing {

/// Looks at where rows begin, too.
class RecordioDecoder : public DeviceDecoder<recordio::Format, cuda::make_recordio_decoder> {
  using Base = DeviceDecoder<recordio::Format, cuda::make_recordio_decoder>;

 public:
  using Base::Base;

  void begin(Chunk const& chunk) {
    Base::begin(chunk);
    begins_end_ = 0;
  }

  Decoded next(Batch const& batch, BatchCapacity const& capacity, FaultLog& faults, RoundCounts& counts) {
    Decoded const decoded = Base::next(batch, capacity, faults, counts);
    if (is_on_device()) check_record_begins();
    return decoded;
  }

 private:
  /// One behind the other from the chunk's first byte on: a chunk with faults is not for the device.
  void check_record_begins() {
    std::vector<std::uint32_t> begins(rows().rows);
    copy(begins.data(), rows().record_begins, rows().rows);
    for (std::uint32_t const begin : begins) {
      promise(begin == begins_end_, "a record begins elsewhere");
      auto const* const frame = reinterpret_cast<std::byte const*>(chunk().text.data) + begin;
      begins_end_ += recordio::frame_bytes(recordio::get_word(frame + 4));
    }
  }

  std::size_t begins_end_ = 0;
};

inline constexpr std::size_t record_max = 1 << 16;

/// Runs both decoders over the files; empty, or how they differ.
inline std::string compare(recordio::Plan const& plan, std::vector<std::string> const& files, RunSizes const& sizes,
                           std::size_t record_bytes_max = record_max) {
  return compare_decoders<recordio::Format, RecordioDecoder>(plan, files, record_bytes_max, sizes, 1 << 18);
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
