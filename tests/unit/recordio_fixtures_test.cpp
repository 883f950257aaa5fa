// Records that other people's tests use: the XGBoost container's. They are not part of the repository.
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "formats/recordio/decoder.hpp"
#include "formats/recordio/framing.hpp"

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

}  // namespace
