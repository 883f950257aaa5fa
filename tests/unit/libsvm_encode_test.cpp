#include "formats/libsvm/encode.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "formats/libsvm/format.hpp"
#include "tests/support/format_run.hpp"

namespace penstock {
namespace {

using libsvm::WriteOptions;
using libsvm::Writer;
using Libsvm = libsvm::Format;
using testing::FormatRun;
using testing::RunSizes;

constexpr float missing = std::bit_cast<float>(missing_float32_bits);
constexpr float infinity = std::numeric_limits<float>::infinity();

/// Into a block of exactly the size that was asked for, so that a sanitizer sees a byte too many.
std::string text_of(BatchLayout const& layout, Batch const& batch, int base) {
  WriteOptions const options{base};
  EXPECT_FALSE(Writer::unsupported(layout, options).has_value());
  Writer writer(layout, options);
  std::vector<std::byte> bytes(writer.bytes_max(capacity_of(batch)));
  std::size_t const size = writer.encode(batch, bytes.data());
  EXPECT_LE(size, bytes.size());
  return {reinterpret_cast<char const*>(bytes.data()), size};
}

struct SparseRow {
  std::vector<float> labels;
  std::vector<std::int64_t> indices;
  std::vector<float> values;
};

/// Rows in memory of exactly their size.
BatchBuffer rows_of(BatchLayout const& layout, std::vector<SparseRow> const& rows) {
  BatchCapacity capacity{rows.size(), 0, 0, 0, 0};
  for (SparseRow const& row : rows) {
    capacity.pairs += row.indices.size();
    capacity.labels += row.labels.size();
  }
  BatchBuffer buffer(layout, capacity);
  Batch const batch = buffer.view(rows.size());
  std::size_t pairs = 0, labels = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t k = 0; k < rows[i].labels.size(); ++k) {
      if (layout.labels_vary)
        batch.labels.as<float>()[labels++] = rows[i].labels[k];
      else
        batch.label.as<float>()[i * layout.labels + k] = rows[i].labels[k];
    }
    if (layout.labels_vary) batch.labels.offsets[i + 1] = static_cast<std::int64_t>(labels);
    for (std::size_t k = 0; k < rows[i].indices.size(); ++k, ++pairs) {
      batch.csr.indices[pairs] = rows[i].indices[k];
      batch.csr.values_as<float>()[pairs] = rows[i].values[k];
    }
    batch.csr.indptr[i + 1] = static_cast<std::int64_t>(pairs);
  }
  return buffer;
}

TEST(LibsvmEncode, SparseRows) {
  BatchLayout const layout{.features = 10, .labels = 1, .is_sparse = true};
  BatchBuffer const buffer =
      rows_of(layout, {{{1}, {0, 3, 9}, {0.1f, -2, 1e30f}}, {{-1}, {}, {}}, {{0.5f}, {4}, {missing}}});
  EXPECT_EQ(text_of(layout, buffer.view(3), 1), "1 1:0.1 4:-2 10:1e+30\n-1\n0.5 5:nan\n");
  EXPECT_EQ(text_of(layout, buffer.view(3), 0), "1 0:0.1 3:-2 9:1e+30\n-1\n0.5 4:nan\n");
}

TEST(LibsvmEncode, RowsInTheMiddleOfABatch) {
  BatchLayout const layout{.features = 10, .labels = 1, .is_sparse = true};
  BatchBuffer const buffer = rows_of(layout, {{{1}, {0, 3}, {1, 2}}, {{2}, {5}, {3}}, {{3}, {6, 7}, {4, -0.0f}}});
  EXPECT_EQ(text_of(layout, buffer.view(3).rows_from(1, 2), 1), "2 6:3\n3 7:4 8:-0\n");
  EXPECT_EQ(text_of(layout, buffer.view(0), 1), "");
}

TEST(LibsvmEncode, DenseRowsWithEveryCell) {
  BatchLayout const layout{.features = 4, .labels = 2, .has_weight = true, .has_qid = true};
  BatchBuffer const buffer(layout, 1);
  Batch const batch = buffer.view(1);
  std::vector<float> const features = {0, missing, infinity, -1.5f};
  std::copy(features.begin(), features.end(), batch.features.as<float>());
  batch.label.as<float>()[0] = 3;
  batch.label.as<float>()[1] = 4;
  *batch.weight.as<float>() = 0.25f;
  *batch.qid.as<std::int64_t>() = 12;
  EXPECT_EQ(text_of(layout, batch, 1), "3,4:0.25 qid:12 1:0 2:nan 3:inf 4:-1.5\n");
}

TEST(LibsvmEncode, ListsOfLabels) {
  BatchLayout const layout{.is_sparse = true, .labels_vary = true};
  BatchBuffer const buffer = rows_of(layout, {{{1, 2, 3}, {0}, {1}}, {{7}, {}, {}}, {{}, {1}, {2}}});
  EXPECT_EQ(text_of(layout, buffer.view(3), 0), "1,2,3 0:1\n7\nnan 1:2\n");
}

TEST(LibsvmEncode, WidestTextsFitTheBound) {
  for (DType const type : {DType::float32, DType::float64, DType::int32, DType::int64}) {
    BatchLayout const layout{.feature_dtype = type,
                             .labels = 1,
                             .has_weight = true,
                             .has_qid = true,
                             .label_dtype = DType::float64,
                             .is_sparse = true};
    BatchBuffer const buffer(layout, BatchCapacity{1, 2, 0, 0, 0});
    Batch const batch = buffer.view(1);
    *batch.label.as<double>() = -2.2250738585072014e-308;
    *batch.weight.as<float>() = -1.17549435e-38f;
    *batch.qid.as<std::int64_t>() = std::numeric_limits<std::int64_t>::min();
    batch.csr.indptr[1] = 2;
    for (int i = 0; i < 2; ++i) {
      batch.csr.indices[i] = std::numeric_limits<std::int64_t>::max() - 2 + i;
      if (type == DType::float32) batch.csr.values_as<float>()[i] = -1.17549435e-38f;
      if (type == DType::float64) batch.csr.values_as<double>()[i] = -2.2250738585072014e-308;
      if (type == DType::int32) batch.csr.values_as<std::int32_t>()[i] = std::numeric_limits<std::int32_t>::min();
      if (type == DType::int64) batch.csr.values_as<std::int64_t>()[i] = std::numeric_limits<std::int64_t>::min();
    }
    EXPECT_NE(text_of(layout, batch, 1).find(" qid:-9223372036854775808 9223372036854775806:"), std::string::npos);
  }
}

TEST(LibsvmEncode, TheBoundIsLinear) {
  BatchLayout const layout{.has_weight = true, .is_sparse = true, .labels_vary = true};
  Writer const writer(layout, {});
  BatchCapacity const a{1, 5, 2, 0, 0}, b{3, 0, 9, 0, 0}, sum{4, 5, 11, 0, 0};
  EXPECT_EQ(writer.bytes_max(a) + writer.bytes_max(b), writer.bytes_max(sum));
}

TEST(LibsvmEncode, WhatHasNoPlaceInALineIsRefused) {
  BatchLayout layout{.features = 3};
  EXPECT_TRUE(Writer::unsupported(layout, {}).has_value()) << "no label";
  layout.labels = 1;
  EXPECT_FALSE(Writer::unsupported(layout, {}).has_value());
  layout.has_uid = true;
  EXPECT_TRUE(Writer::unsupported(layout, {}).has_value());
  layout.has_uid = false;
  layout.has_base_margin = true;
  EXPECT_TRUE(Writer::unsupported(layout, {}).has_value());
  layout.has_base_margin = false;
  layout.is_sparse = true;
  layout.features = (std::size_t{1} << 63) - 1;
  EXPECT_TRUE(Writer::unsupported(layout, {1}).has_value());
  EXPECT_FALSE(Writer::unsupported(layout, {0}).has_value());
}

/// What is written is read back, bit for bit.
TEST(LibsvmEncode, RoundTrip) {
  std::mt19937_64 random(3);
  BatchLayout const layout{.features = 1000, .labels = 1, .is_sparse = true};
  std::vector<SparseRow> rows;
  for (int i = 0; i < 300; ++i) {
    SparseRow row{{static_cast<float>(random() % 7) - 3}, {}, {}};
    for (std::int64_t index = 0; index < 1000; index += 1 + static_cast<std::int64_t>(random() % 300)) {
      auto const value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
      row.indices.push_back(index);
      row.values.push_back(value != value ? missing : value);
    }
    rows.push_back(row);
  }
  BatchBuffer const buffer = rows_of(layout, rows);
  Batch const batch = buffer.view(rows.size());
  for (int const base : {0, 1}) {
    libsvm::Plan plan;
    plan.layout = layout;
    plan.items.base = static_cast<std::uint64_t>(base);
    plan.items.columns = 1000;
    FormatRun const run =
        testing::run_format<Libsvm, Portable>(plan, text_of(layout, batch, base), 1 << 20, RunSizes{});
    EXPECT_TRUE(run.faults.empty());
    ASSERT_EQ(run.rows.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(run.rows[i], testing::row_of(batch, i));
  }
}

}  // namespace
}  // namespace penstock
