/// Decoders of vectors, objects and Object2Vec on a device beside the CPU's: values bit for bit, faults in order,
/// counts.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "cuda/formats/json.hpp"
#include "formats/jsonl/format.hpp"
#include "formats/object2vec/format.hpp"
#include "formats/objects/format.hpp"
#include "tests/kernels/decoder_comparison.hpp"
#include "tests/support/format_run.hpp"

namespace penstock::testing::json_records {

template <class F>
struct Decoding;
template <>
struct Decoding<jsonl::Format> : DeviceDecoder<jsonl::Format, cuda::make_jsonl_decoder> {
  using DeviceDecoder::DeviceDecoder;
};
template <>
struct Decoding<objects::Format> : DeviceDecoder<objects::Format, cuda::make_objects_decoder> {
  using DeviceDecoder::DeviceDecoder;
};
template <>
struct Decoding<object2vec::Format> : DeviceDecoder<object2vec::Format, cuda::make_object2vec_decoder> {
  using DeviceDecoder::DeviceDecoder;
};

template <class F>
std::string compare(typename F::Plan const& plan, std::vector<std::string> const& shards, std::size_t record_max,
                    RunSizes const& sizes) {
  return compare_decoders<F, Decoding<F>>(plan, shards, record_max, sizes);
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
