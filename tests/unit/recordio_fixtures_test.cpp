// Records that other people's tests use: the XGBoost container's. They are not part of the repository.
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "formats/core/block.hpp"
#include "formats/recordio/decoder.hpp"
#include "formats/recordio/format.hpp"
#include "formats/recordio/framing.hpp"
#include "tests/support/format_run.hpp"

#ifndef PENSTOCK_SHARED_DATA_DIR
#define PENSTOCK_SHARED_DATA_DIR ""
#endif

namespace {

using namespace penstock::recordio;

class RecordioFixtures : public testing::Test {
 protected:
  void SetUp() override {
    if (folder_.empty()) GTEST_SKIP() << "no folder of shared data (PENSTOCK_SHARED_DATA)";
  }

  /// The decoded records of a file that must be sound from the first byte to the last. The views are into
  /// `bytes_` and are valid until the next call.
  std::vector<RecordResult> records_of(std::string const& name) {
    std::ifstream file(folder_ + "/recordio/" + name, std::ios::binary);
    EXPECT_TRUE(file) << name;
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
    FrameCursor cursor({reinterpret_cast<std::byte const*>(bytes_.data()), bytes_.size()});
    std::vector<RecordResult> records;
    RecordDecoder decoder;
    Frame frame = cursor.next();
    for (; frame.status == FrameStatus::ok; frame = cursor.next()) records.push_back(decoder.decode(frame.payload));
    EXPECT_EQ(frame.status, FrameStatus::end) << name;
    return records;
  }

  /// The rows of a file without faults.
  penstock::testing::FormatRun run_of(std::string const& name) {
    std::ifstream file(folder_ + "/recordio/" + name, std::ios::binary);
    EXPECT_TRUE(file) << name;
    std::vector<std::string> const shards = {{std::istreambuf_iterator<char>(file), {}}};
    penstock::testing::RunSizes const sizes;
    auto const scouted =
        penstock::testing::scout<Format, penstock::Portable>({}, {1 << 16, true, true}, shards, sizes);
    EXPECT_TRUE(scouted.plan) << name;
    if (!scouted.plan) return {};
    auto const run = penstock::testing::run_format<Format, penstock::Portable>(*scouted.plan, shards, 1 << 16, sizes);
    EXPECT_TRUE(run.faults.empty()) << name;
    return run;
  }

  std::string folder_ = PENSTOCK_SHARED_DATA_DIR;
  std::string bytes_;
};

TEST_F(RecordioFixtures, DenseInt32) {
  auto const records = records_of("train.pb");
  ASSERT_EQ(records.size(), 5u);
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSERT_EQ(records[i].status, RecordStatus::ok);
    std::vector<std::int32_t> features(5), label(1);
    ASSERT_TRUE(records[i].record.features.copy_to(std::span<std::int32_t>(features)));
    ASSERT_TRUE(records[i].record.label.copy_to(std::span<std::int32_t>(label)));
    bool const is_last = i == 4;
    EXPECT_EQ(features,
              (is_last ? std::vector<std::int32_t>{0, 1, 0, 0, 0} : std::vector<std::int32_t>{1, 0, 0, 0, 0}));
    EXPECT_EQ(label, std::vector<std::int32_t>{is_last ? 1 : 0});
  }
}

TEST_F(RecordioFixtures, ShapeOnlyRowIsSparse) {
  auto const records = records_of("single_feature_label.pb");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].status, RecordStatus::sparse);
  EXPECT_EQ(records[0].record.features.kind, TensorKind::float64);
  EXPECT_EQ(records[0].record.features.shape_product, 1u);
  std::vector<double> label(1, -1);
  EXPECT_TRUE(records[0].record.label.copy_to(std::span<double>(label)));
  EXPECT_EQ(label[0], 0);
}

TEST_F(RecordioFixtures, SparseRowsAreNamed) {
  struct Case {
    char const* name;
    std::size_t records;
  };
  for (auto const& [name, count] :
       {Case{"sparse_edge_cases_dense_as_sparse.pbr", 3}, Case{"sparse_edge_cases_diagonal.pbr", 3},
        Case{"sparse_edge_cases_rectangular_sparse.pbr", 4}, Case{"sparse_edge_cases_single_value_bot_right.pbr", 3},
        Case{"sparse_edge_cases_single_value_center.pbr", 3}, Case{"sparse_train.pb", 5}}) {
    auto const records = records_of(name);
    EXPECT_EQ(records.size(), count) << name;
    for (RecordResult const& result : records) EXPECT_EQ(result.status, RecordStatus::sparse) << name;
  }
}

/// Values that libprotobuf 3.21 gives for these files.
TEST_F(RecordioFixtures, SparseRowsHaveThePairsThatLibprotobufSees) {
  using Pairs = std::vector<std::int64_t>;
  struct Case {
    char const* name;
    std::size_t width;
    std::vector<Pairs> indices;  ///< by row; every value is 1
  };
  Case const cases[] = {
      {"sparse_edge_cases_dense_as_sparse.pbr", 3, {{0, 1, 2}, {0, 1, 2}, {0, 1, 2}}},
      {"sparse_edge_cases_diagonal.pbr", 3, {{0}, {1}, {2}}},
      {"sparse_edge_cases_rectangular_sparse.pbr", 3, {{0}, {0}, {0}, {0}}},
      {"sparse_edge_cases_single_value_bot_right.pbr", 3, {{}, {}, {2}}},
      {"sparse_edge_cases_single_value_center.pbr", 3, {{}, {1}, {}}},
      {"sparse_train.pb", 5, {{0}, {0}, {0}, {0}, {1}}},
  };
  for (Case const& expected : cases) {
    auto const run = run_of(expected.name);
    EXPECT_TRUE(run.layout.is_sparse) << expected.name;
    EXPECT_EQ(run.layout.feature_dtype, penstock::DType::int32) << expected.name;
    EXPECT_EQ(run.layout.features, expected.width) << expected.name;
    EXPECT_EQ(run.layout.labels, 1u) << expected.name;
    ASSERT_EQ(run.rows.size(), expected.indices.size()) << expected.name;
    for (std::size_t row = 0; row < run.rows.size(); ++row) {
      EXPECT_EQ(run.rows[row].indices, expected.indices[row]) << expected.name;
      EXPECT_EQ(run.rows[row].values, std::vector<std::uint64_t>(expected.indices[row].size(), 1)) << expected.name;
    }
  }
}

TEST_F(RecordioFixtures, LabelsThatLibprotobufSees) {
  using Labels = std::vector<std::uint64_t>;
  auto const labels_of = [](penstock::testing::FormatRun const& run) {
    Labels labels;
    for (auto const& row : run.rows) labels.insert(labels.end(), row.labels.begin(), row.labels.end());
    return labels;
  };
  EXPECT_EQ(labels_of(run_of("train.pb")), (Labels{0, 0, 0, 0, 1}));
  EXPECT_EQ(labels_of(run_of("sparse_train.pb")), (Labels{0, 0, 0, 0, 1}));
  EXPECT_EQ(labels_of(run_of("single_feature_label.pb")), (Labels{0}));
  Labels const ones(3, 0x3ff0000000000000);
  EXPECT_EQ(labels_of(run_of("sparse_edge_cases_diagonal.pbr")), ones);
}

}  // namespace
