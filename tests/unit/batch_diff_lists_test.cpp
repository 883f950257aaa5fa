// Comparing time series and lists of tokens value by value, whatever the sizes of batches.

#include "host/app/batch_diff.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {
namespace {

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

struct Series {
  std::vector<float> target = {};
  std::vector<float> dynamic_feat = {};  ///< of two lists
  std::int64_t start = 0;
  std::vector<std::int32_t> cat = {0, 0};
};

BatchLayout series_layout() {
  BatchLayout layout;
  layout.has_start = true;
  layout.cats = 2;
  layout.lists = {ListLayout{ListRole::target}, ListLayout{ListRole::dynamic_feat, DType::float32, 2}};
  return layout;
}

/// Series from memory, `batch_rows` at a time; views begin behind a series that is left out.
class SeriesReader final : public BatchReader {
 public:
  SeriesReader(BatchLayout const& layout, std::vector<Series> series, std::size_t batch_rows)
      : layout_(layout), series_(std::move(series)), batch_rows_(batch_rows) {}

  [[nodiscard]] BatchLayout const& layout() const override { return layout_; }
  bool next(Batch& batch) override {
    std::size_t const count = std::min(batch_rows_, series_.size() - at_);
    if (count == 0) return false;
    std::vector<Series> part{Series{{9, 9}, {9, 9}}};
    for (std::size_t i = 0; i < count; ++i) part.push_back(series_[at_ + i]);
    at_ += count;
    batch = fill(part).rows_from(1, count);
    return true;
  }

 private:
  Batch fill(std::vector<Series> const& series) {
    BatchCapacity capacity;
    capacity.rows = series.size();
    for (Series const& each : series) {
      capacity.list_values[0] += each.target.size();
      capacity.list_values[1] += each.dynamic_feat.size();
    }
    buffer_ = BatchBuffer(layout_, capacity);
    Batch const batch = buffer_.view(series.size());
    for (std::size_t row = 0; row < series.size(); ++row) {
      batch.start.as<std::int64_t>()[row] = series[row].start;
      std::copy_n(series[row].cat.begin(), layout_.cats, batch.cat.as<std::int32_t>() + row * layout_.cats);
      put(batch.lists[0], row, series[row].target);
      if (batch.lists[1].offsets != nullptr) put(batch.lists[1], row, series[row].dynamic_feat);
    }
    return batch;
  }

  static void put(Ragged const& list, std::size_t row, std::vector<float> const& values) {
    std::copy(values.begin(), values.end(), list.as<float>() + list.offsets[row]);
    list.offsets[row + 1] = list.offsets[row] + static_cast<std::int64_t>(values.size());
  }

  BatchLayout layout_;
  std::vector<Series> series_;
  std::size_t batch_rows_;
  std::size_t at_ = 0;
  BatchBuffer buffer_;
};

DiffResult diff(std::vector<Series> const& a, std::vector<Series> const& b, DiffOptions const& options = {}) {
  SeriesReader left(series_layout(), a, 3);
  SeriesReader right(series_layout(), b, 2);
  return compare(left, right, options);
}

using Lines = std::vector<std::string>;

/// "record tensor[part][column] a|b" of each listed value.
Lines lines(DiffResult const& result) {
  Lines all;
  for (ValueDifference const& each : result.values) {
    std::string place = std::string(each.text);
    if (each.list != ListRole::none) place = std::string(name_of(each.list)) + "[" + std::to_string(each.part) + "]";
    if (place.empty()) place = std::string(name_of(each.role));
    if (each.text.empty()) place += "[" + std::to_string(each.column) + "]";
    all.push_back(std::to_string(each.record) + " " + place + " " + each.a + "|" + each.b);
  }
  return all;
}

TEST(BatchDiffSeries, TheSame) {
  std::vector<Series> const series = {{{1, missing}, {1, 2, 3, 4}}, {{2}, {5, 6}}, {{}, {}}, {{3}, {7, 8}}};
  DiffResult const result = diff(series, series);
  EXPECT_TRUE(result.is_same());
  EXPECT_EQ(result.records_a, 4u);
}

TEST(BatchDiffSeries, ValuesByPlace) {
  DiffResult const result =
      diff({{{1, 2}, {1, 2, 3, 4}}, {{3}, {5, 6}}}, {{{1, missing}, {1, 2, 3, 5}}, {{4}, {5, 6}}});
  EXPECT_EQ(lines(result), (Lines{"1 target[0][1] 2|NaN", "1 dynamic_feat[1][1] 4|5", "2 target[0][0] 3|4"}));
  EXPECT_EQ(result.records_different, 2u);
  EXPECT_EQ(result.values[1].a_bits, "0x40800000");
  DiffOptions loose;
  loose.ulps_max = std::uint64_t{1} << 24;
  EXPECT_EQ(lines(diff({{{1, 2}, {1, 2}}}, {{{1, 3}, {1, 2}}}, loose)), Lines{});
}

TEST(BatchDiffSeries, LengthsAreADifferenceOfTheirOwn) {
  EXPECT_EQ(lines(diff({{{1, 2, 3}, {1, 2, 3, 4}}}, {{{1, 2}, {1, 3}}})),
            (Lines{"1 target 3 values|2 values", "1 dynamic_feat 2 x 2 values|2 x 1 value"}));
  EXPECT_EQ(lines(diff({{{}, {1, 2}}}, {{{7}, {1, 2}}})), Lines{"1 target 0 values|1 value"});
  // The same bytes in other rows.
  EXPECT_EQ(diff({{{1}, {1, 2}}, {{1, 1}, {1, 2}}}, {{{1, 1}, {1, 2}}, {{1}, {1, 2}}}).values_different, 2u);
}

TEST(BatchDiffSeries, StartAndCategories) {
  EXPECT_EQ(lines(diff({{{1}, {1, 2}, 86400, {0, 1}}}, {{{1}, {1, 2}, -1, {0, 3}}})),
            (Lines{"1 start[0] 1970-01-02 00:00:00|1969-12-31 23:59:59", "1 cat[1] 1|3"}));
}

TEST(BatchDiffSeries, Layouts) {
  auto const layouts = [](BatchLayout const& other) {
    SeriesReader a(series_layout(), {}, 1);
    SeriesReader b(other, {}, 1);
    return compare(a, b, {}).layout;
  };
  BatchLayout other = series_layout();
  other.has_start = false;
  other.lists[1].parts = 3;
  EXPECT_EQ(layouts(other), (Lines{"start: 1 | none", "dynamic_feat: 2 a record | 3 a record"}));
  other = series_layout();
  other.lists[1] = {};
  other.lists[0].dtype = DType::float64;
  EXPECT_EQ(layouts(other), (Lines{"target: float32 | float64", "dynamic_feat: lists | none"}));
  DiffOptions features;
  features.features_only = true;
  SeriesReader a(series_layout(), {}, 1);
  SeriesReader b(BatchLayout{}, {}, 1);
  EXPECT_TRUE(compare(a, b, features).is_same());
}

}  // namespace
}  // namespace penstock::app
