// Summaries of columns while features stay on a device: those of the same input on the CPU, bit for bit.

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "host/app/column_statistics.hpp"
#include "host/exec/device_lane.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/test_device.hpp"

namespace penstock {
namespace {

using statistics::Summary;

/// A label and three features, some missing, with records that are bad.
std::string csv_text(int rows) {
  std::string text;
  for (int i = 0; i < rows; ++i) {
    text += std::to_string(i % 2) + "," + std::to_string(i * i % 1009) + "." + std::to_string(i % 10) + "," +
            (i % 7 == 3 ? "" : std::to_string(i - 4000)) + ",-" + std::to_string(i % 3) + "e-3\n";
    if (i % 1000 == 500) text += "1,2,oops,4\n";
  }
  return text;
}

struct Fitted {
  std::vector<Summary> summaries;
  std::vector<float> labels;
  std::uint64_t rows = 0;
  std::uint64_t batches_on_device = 0;
  std::uint64_t rows_on_device = 0;
  std::string message;  ///< of the error that ended it
};

class FitOnDevice : public ::testing::Test {
 protected:
  FitOnDevice() {
    options_.on_error = FaultPolicy::skip;
    options_.is_device_required = true;
    options_.leaves_features = true;
    options_.memory_bytes = std::size_t{1} << 30;
  }

  /// False at the end, also where it is an error.
  static bool next(app::PlannedReader& reader, Batch& batch, Fitted& fitted) {
    try {
      return reader.next(batch);
    } catch (Error const& error) {
      fitted.message = error.what();
      return false;
    }
  }

  Fitted fit(std::string const& text, bool on_device) {
    CsvOptions read;
    read.label = "0";
    read.on_error = options_.on_error;
    read.dtype = dtype_;
    StreamOptions options = options_;
    if (on_device) options.device = testing::test_device();
    app::PlannedReader reader(plan_csv(expand_inputs({folder_.put("in.csv", text)}), read), options);
    app::TensorStatistics columns(dtype_, 3);
    Fitted fitted;
    for (Batch batch; next(reader, batch, fitted);) {
      fitted.rows += batch.rows;
      for (std::size_t i = 0; i < batch.rows; ++i) fitted.labels.push_back(batch.label.as<float>()[i]);
      if (DeviceRows* const rows = reader.device_rows(); rows != nullptr) {
        ++fitted.batches_on_device;
        fitted.rows_on_device += batch.rows;
        EXPECT_EQ(batch.features.data, nullptr);
        columns.add(batch.features, *rows);
      } else {
        columns.add(batch.features);
      }
    }
    auto const found = columns.finish();
    fitted.summaries.assign(found.begin(), found.end());
    return fitted;
  }

  testing::ScratchFolder folder_;
  StreamOptions options_;
  DType dtype_ = DType::float32;
};

/// Rounds of fewer rows than a tile, of a few tiles, and of the whole input; tiles that lie in several rounds, and a
/// last one that is short.
TEST_F(FitOnDevice, SummariesAreThoseOfTheCpu) {
  for (int const rows : {1, 1023, 1024, 5000}) {
    std::string const text = csv_text(rows);
    for (std::size_t const slot_bytes : {2000, 30'000, 70'000, 1 << 20}) {
      for (unsigned const threads : {1u, 3u}) {
        options_.slot_bytes = slot_bytes;
        options_.threads = threads;
        Fitted const expected = fit(text, false), found = fit(text, true);
        ASSERT_EQ(found.rows, static_cast<std::uint64_t>(rows));
        EXPECT_EQ(found.summaries, expected.summaries) << rows << " rows, " << slot_bytes;
        EXPECT_EQ(found.labels, expected.labels);
        EXPECT_EQ(found.rows_on_device, found.rows);
        EXPECT_EQ(expected.batches_on_device, 0u);
        EXPECT_GE(found.batches_on_device, text.size() / slot_bytes);
      }
    }
  }
}

/// The rows in front of the record that ends the stream are handed out, a part of their round.
TEST_F(FitOnDevice, ABadRecordEndsIt) {
  std::string const text = csv_text(3000);
  for (bool const tolerates : {false, true}) {
    options_.on_error = tolerates ? FaultPolicy::skip : FaultPolicy::fail;
    if (tolerates) options_.max_errors = 1;
    for (std::size_t const slot_bytes : {3000, 1 << 20}) {
      options_.slot_bytes = slot_bytes;
      Fitted const expected = fit(text, false), found = fit(text, true);
      EXPECT_EQ(found.summaries, expected.summaries);
      EXPECT_EQ(found.rows, tolerates ? 1501u : 501u);
      EXPECT_NE(found.message, "");
      EXPECT_EQ(found.message, expected.message);
      EXPECT_EQ(found.rows_on_device > 0, slot_bytes == 3000);
    }
  }
}

/// Chunks that are for the CPU, among others.
TEST_F(FitOnDevice, SomeChunksAreForTheCpu) {
  std::string text = csv_text(2000);
  text += "1,2,3," + std::string(100'000, '4') + "\n" + csv_text(2000);
  options_.slot_bytes = 10'000;
  options_.threads = 2;
  Fitted const expected = fit(text, false), found = fit(text, true);
  EXPECT_EQ(found.summaries, expected.summaries);
  EXPECT_GT(found.rows_on_device, 0u);
  EXPECT_LT(found.rows_on_device, found.rows);
}

TEST_F(FitOnDevice, OthersCopyTheirFeaturesOut) {
  options_.slot_bytes = 10'000;
  std::string const text = csv_text(3000);
  dtype_ = DType::float64;
  EXPECT_EQ(fit(text, true).batches_on_device, 0u);
  dtype_ = DType::float32;
  EXPECT_GT(fit(text, true).batches_on_device, 0u);
  options_.limit = 2500;
  Fitted const limited = fit(text, true);
  EXPECT_EQ(limited.batches_on_device, 0u);
  EXPECT_EQ(limited.summaries, fit(text, false).summaries);
}

TEST(LeavesFeatures, OnlyOfDenseFloat32RowsThatNobodyElseNeeds) {
  BatchLayout layout;
  layout.features = 3;
  LaneOptions options;
  EXPECT_FALSE(leaves_features_of(options, layout));
  options.leaves_features = true;
  EXPECT_TRUE(leaves_features_of(options, layout));
  BatchLayout sparse = layout;
  sparse.is_sparse = true;
  EXPECT_FALSE(leaves_features_of(options, sparse));
  options.shaping.reshape = Absent::zero;
  EXPECT_FALSE(leaves_features_of(options, layout));
  options.shaping = {};
  options.make_encoder = [] { return nullptr; };
  EXPECT_FALSE(leaves_features_of(options, layout));
}

TEST(LeavesFeatures, OfAnyDenseRowsThatAreLent) {
  BatchLayout layout;
  layout.features = 3;
  layout.feature_dtype = DType::float64;
  LaneOptions options;
  options.leaves_features = true;
  EXPECT_FALSE(leaves_features_of(options, layout));
  options.pool = std::make_shared<RoundPool>();
  EXPECT_TRUE(leaves_features_of(options, layout));
  options.shaping.reshape = Absent::zero;
  EXPECT_FALSE(leaves_features_of(options, layout));
  options.shaping = {};
  layout.is_sparse = true;
  EXPECT_FALSE(leaves_features_of(options, layout));
  layout = {};
  layout.labels = 1;
  EXPECT_FALSE(leaves_features_of(options, layout));
}

/// Rows of a stream that lends its memory: on the device, and as they were when the stream is over.
TEST_F(FitOnDevice, LentFeaturesStayAsTheyAre) {
  std::string const path = folder_.put("in.csv", csv_text(4000));
  CsvOptions read;
  read.label = "0";
  read.on_error = options_.on_error;
  std::unique_ptr<InputPlan> const plan = plan_csv(expand_inputs({path}), read);
  options_.slot_bytes = 3000;
  std::vector<float> expected;
  {
    RecordStream stream(*plan, options_);
    while (Round const* const round = stream.next()) {
      auto const* const values = round->batch.features.as<float>();
      expected.insert(expected.end(), values, values + round->batch.rows * 3);
    }
  }
  struct Lent {
    std::shared_ptr<void const> memory;
    std::byte const* features = nullptr;
    std::size_t rows = 0;
  };
  std::vector<Lent> lent;
  {
    StreamOptions options = options_;
    options.device = testing::test_device();
    options.pool = std::make_shared<RoundPool>(options.device);
    RecordStream stream(*plan, options);
    while (Round const* const round = stream.next()) {
      ASSERT_NE(round->device_rows, nullptr);
      std::byte const* const features = round->device_rows->data();
      std::size_t const rows = round->batch.rows;
      lent.push_back({stream.lease(), features, rows});
    }
  }
  ASSERT_GT(lent.size(), 10u);
  std::vector<float> found;
  for (Lent const& each : lent) {
    std::size_t const before = found.size();
    found.resize(before + each.rows * 3);
    ASSERT_EQ(cudaMemcpy(found.data() + before, each.features, each.rows * 3 * sizeof(float), cudaMemcpyDefault),
              cudaSuccess);
  }
  ASSERT_EQ(found.size(), expected.size());
  EXPECT_EQ(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)), 0);
}

}  // namespace
}  // namespace penstock
