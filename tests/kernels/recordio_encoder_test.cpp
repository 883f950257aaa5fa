// Frames that the device writes are those that the CPU writes, byte for byte.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/formats/recordio.hpp"
#include "formats/recordio/write_rows.hpp"
#include "tests/support/recordio_rows.hpp"

namespace penstock {
namespace {

using recordio::EmptySparse;
using recordio::WriteOptions;
using testing::RecordRows;

/// A copy of rows in device memory, every tensor an allocation of its own.
class DeviceRows {
 public:
  DeviceRows(cuda::Stream& stream, Batch const& rows) : stream_(stream), batch_(rows) {
    for (Role const role : {Role::feature, Role::label}) {
      Dense& tensor = batch_.tensor(role);
      tensor.data = copy(role == Role::feature ? features_ : label_, tensor.data, rows.rows * tensor.row_bytes());
    }
    if (rows.csr.indptr != nullptr) copy_pairs(rows);
    stream_.wait();
  }
  [[nodiscard]] Batch const& batch() const { return batch_; }

 private:
  using Memory = cuda::DeviceArray<std::byte>;

  std::byte* copy(Memory& memory, void const* from, std::size_t size_bytes) {
    memory = Memory(size_bytes, "rows");
    stream_.copy(memory.get(), from, size_bytes, "copy in");
    return memory.get();
  }

  void copy_pairs(Batch const& rows) {
    auto const end = static_cast<std::size_t>(rows.csr.indptr[rows.rows]);
    batch_.csr.indices = reinterpret_cast<std::int64_t*>(copy(indices_, rows.csr.indices, end * sizeof(std::int64_t)));
    batch_.csr.values = copy(values_, rows.csr.values, end * size_bytes(rows.csr.dtype));
    batch_.csr.indptr =
        reinterpret_cast<std::int64_t*>(copy(indptr_, rows.csr.indptr, (rows.rows + 1) * sizeof(std::int64_t)));
  }

  cuda::Stream& stream_;
  Batch batch_;
  Memory features_, label_, indptr_, indices_, values_;
};

std::string encode(cuda::RowEncoder& encoder, cuda::Stream& stream, Batch const& rows) {
  DeviceRows const on_device(stream, rows);
  cuda::RowEncoder::Encoded const encoded = encoder.encode(on_device.batch());
  cuda::MappedArray<char> bytes(encoded.size_bytes + 1, "a copy");
  stream.copy(bytes.get(), encoded.data, encoded.size_bytes, "copy out");
  stream.wait();
  return {bytes.get(), encoded.size_bytes};
}

/// Where they first differ, in words; empty if nowhere.
std::string difference(std::string const& expected, std::string const& found) {
  std::size_t at = 0;
  while (at < expected.size() && at < found.size() && expected[at] == found[at]) ++at;
  if (at == expected.size() && at == found.size()) return {};
  return "byte " + std::to_string(at) + " of " + std::to_string(expected.size()) + " and " +
         std::to_string(found.size());
}

/// All rows at once, and some of them from the middle.
void expect_same(BatchLayout const& layout, RecordRows const& rows, WriteOptions const& options = {}) {
  cuda::Stream stream;
  auto const encoder = cuda::make_recordio_encoder(layout, options, rows.capacity(), stream);
  ASSERT_NE(encoder, nullptr);
  Batch const batch = rows.batch();
  EXPECT_EQ(difference(rows.frames(options), encode(*encoder, stream, batch)), "");
  for (std::size_t const first : {std::size_t{0}, batch.rows / 3, batch.rows}) {
    Batch const part = batch.rows_from(first, (batch.rows - first + 1) / 2);
    EXPECT_EQ(difference(rows.frames(part, options), encode(*encoder, stream, part)), "") << "from row " << first;
  }
  EXPECT_GT(encoder->device_bytes(), rows.frames(options).size() - 1);
}

TEST(RecordioEncoder, DenseRows) {
  for (DType const dtype : {DType::float32, DType::float64}) {
    for (std::size_t const features : {0u, 1u, 2u, 3u, 27u, 28u, 29u, 31u, 32u, 33u, 784u}) {
      for (std::size_t const labels : {0u, 1u, 3u}) {
        SCOPED_TRACE(std::to_string(features) + " features, " + std::to_string(labels) + " labels");
        BatchLayout layout;
        layout.feature_dtype = dtype;
        layout.features = features;
        layout.labels = labels;
        layout.label_dtype = (features + labels) % 2 == 0 ? DType::float32 : DType::float64;
        std::size_t const rows = features > 100 ? 7 : 45;
        expect_same(layout, RecordRows(layout, rows, 0, features + labels));
      }
    }
  }
}

/// More than one block, and prefixes of other lengths.
TEST(RecordioEncoder, ManyRowsAndLongRows) {
  BatchLayout layout;
  layout.features = 5;
  layout.labels = 1;
  expect_same(layout, RecordRows(layout, 1000, 0, 1));
  layout.features = 5000;
  expect_same(layout, RecordRows(layout, 3, 0, 2));
  layout.labels = 600;
  layout.label_dtype = DType::float64;
  expect_same(layout, RecordRows(layout, 3, 0, 3));
}

BatchLayout sparse_layout(DType dtype, std::size_t features, std::size_t labels) {
  BatchLayout layout;
  layout.is_sparse = true;
  layout.feature_dtype = dtype;
  layout.features = features;
  layout.labels = labels;
  layout.label_dtype = labels == 3 ? DType::float64 : DType::float32;
  return layout;
}

TEST(RecordioEncoder, SparseRows) {
  for (DType const dtype : {DType::float32, DType::float64}) {
    for (EmptySparse const empty : {EmptySparse::shape, EmptySparse::zero, EmptySparse::nan}) {
      for (std::size_t const labels : {0u, 1u, 3u}) {
        BatchLayout const layout = sparse_layout(dtype, 1000 + labels, labels);
        expect_same(layout, RecordRows(layout, 70, 90, labels), {empty, recordio::Escape::none});
      }
    }
  }
}

TEST(RecordioEncoder, KeysOfEveryLength) {
  for (unsigned bits = 1; bits <= 63; ++bits) {
    BatchLayout const layout = sparse_layout(DType::float32, (std::uint64_t{1} << bits) - 1, 1);
    expect_same(layout, RecordRows(layout, 9, 40, bits), {EmptySparse::zero, recordio::Escape::none});
  }
}

TEST(RecordioEncoder, LongSparseRows) {
  BatchLayout const layout = sparse_layout(DType::float32, std::size_t{1} << 40, 1);
  expect_same(layout, RecordRows(layout, 4, 5000, 1));
  BatchLayout const narrow = sparse_layout(DType::float64, 100000, 0);
  expect_same(narrow, RecordRows(narrow, 4, 5000, 2));
}

TEST(RecordioEncoder, WhatTheCpuWrites) {
  cuda::Stream stream;
  BatchCapacity const capacity{4, 16, 16, 16, 16};
  auto const is_encoded = [&](BatchLayout const& layout, WriteOptions const& options = {}) {
    return cuda::make_recordio_encoder(layout, options, capacity, stream) != nullptr;
  };
  BatchLayout dense;
  dense.features = 3;
  dense.labels = 1;
  EXPECT_TRUE(is_encoded(dense));
  EXPECT_FALSE(is_encoded(dense, {EmptySparse::shape, recordio::Escape::dmlc}));
  for (DType const dtype : {DType::int32, DType::int64}) {
    BatchLayout other = dense;
    other.feature_dtype = dtype;
    EXPECT_FALSE(is_encoded(other));
    other = dense;
    other.label_dtype = dtype;
    EXPECT_FALSE(is_encoded(other));
    other.labels = 0;
    EXPECT_TRUE(is_encoded(other));
  }
  BatchLayout other = dense;
  other.has_uid = true;
  EXPECT_FALSE(is_encoded(other));
  other = dense;
  other.has_metadata = true;
  EXPECT_FALSE(is_encoded(other));
  other = dense;
  other.labels = 0;
  other.labels_vary = true;
  EXPECT_FALSE(is_encoded(other));
  other = dense;
  other.has_weight = other.has_qid = true;  // a record has no place for them
  EXPECT_TRUE(is_encoded(other));
}

}  // namespace
}  // namespace penstock
