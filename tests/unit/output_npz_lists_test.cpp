// Arrays of lists: of time series and of tokens.

#include "formats/dense/npy.hpp"
#include "formats/dense/zip.hpp"
#include "host/io/output.hpp"
#include "penstock/error.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {
namespace {

using Floats = std::vector<float>;
using Integers = std::vector<std::int32_t>;
using LongIntegers = std::vector<std::int64_t>;

float missing() { return std::bit_cast<float>(missing_float32_bits); }

/// A series of two dynamic features.
struct Series {
  std::int64_t start;
  Floats target;
  Integers cat;
  Floats dynamic_feat;
};

std::vector<Series> some_series() {
  return {{5, {1, missing(), 3}, {0, 2}, {1, 2, 3, 4, 5, 6}},
          {-7, {missing()}, {1, 0}, {7, 8}},
          {0, {4, 5}, {0, 0}, {1, 2, 3, 4}}};
}

BatchLayout series_layout() {
  BatchLayout layout;
  layout.has_start = true;
  layout.cats = 2;
  layout.lists = {ListLayout{ListRole::target}, ListLayout{ListRole::dynamic_feat, DType::float32, 2}};
  return layout;
}

template <class T>
void put(Ragged const& list, std::size_t row, std::vector<T> const& values) {
  std::copy(values.begin(), values.end(), list.as<T>() + list.offsets[row]);
  list.offsets[row + 1] = list.offsets[row] + static_cast<std::int64_t>(values.size());
}

BatchBuffer buffer_of(std::vector<Series> const& series) {
  BatchCapacity capacity;
  capacity.rows = series.size();
  for (Series const& each : series) {
    capacity.list_values[0] += each.target.size();
    capacity.list_values[1] += each.dynamic_feat.size();
  }
  BatchBuffer buffer(series_layout(), capacity);
  Batch const batch = buffer.view(series.size());
  for (std::size_t row = 0; row < series.size(); ++row) {
    batch.start.as<std::int64_t>()[row] = series[row].start;
    std::copy(series[row].cat.begin(), series[row].cat.end(), batch.cat.as<std::int32_t>() + row * 2);
    put(batch.lists[0], row, series[row].target);
    put(batch.lists[1], row, series[row].dynamic_feat);
  }
  return buffer;
}

/// The archive that the rows become, `rows_a_round` at a time.
std::string archive_of(BatchLayout const& layout, Batch const& batch, std::size_t rows_a_round) {
  testing::ScratchFolder const folder;
  OutputOptions options;
  options.path = folder.at("x.npz");
  options.kind = OutputKind::npz;
  options.layout = layout;
  std::unique_ptr<Output> const output = make_output(options);
  output->write(Round{});
  for (std::size_t row = 0; row < batch.rows; row += rows_a_round) {
    Round round;
    round.batch = batch.rows_from(row, std::min(rows_a_round, batch.rows - row));
    output->write(round);
  }
  output->finish();
  return folder.get("x.npz");
}

std::vector<std::string> names_in(std::string const& archive) {
  std::vector<std::string> names;
  zip::Entries entries(std::as_bytes(std::span(archive)));
  for (zip::Entry entry; entries.next(entry);) names.emplace_back(entry.name);
  EXPECT_EQ(entries.status(), zip::Status::ok);
  return names;
}

std::string_view member_of(std::string const& archive, std::string_view name) {
  zip::Entry entry;
  EXPECT_EQ(zip::find(std::as_bytes(std::span(archive)), name, entry), zip::Status::ok) << name;
  EXPECT_TRUE(zip::has_intact_data(std::as_bytes(std::span(archive)), entry)) << name;
  return std::string_view(archive).substr(entry.data_offset_bytes, entry.stored_bytes);
}

/// The elements of a vector, which must have the type of T.
template <class T>
std::vector<T> vector_of(std::string const& archive, std::string_view name) {
  std::string_view const file = member_of(archive, name);
  npy::Parsed const parsed = npy::parse_header(std::as_bytes(std::span(file)));
  EXPECT_EQ(parsed.status, npy::Status::ok) << name;
  EXPECT_EQ(parsed.array.dtype, dtype_of<T>) << name;
  std::string_view const data = file.substr(parsed.data_offset_bytes);
  EXPECT_EQ(data.size(), parsed.array.data_bytes()) << name;
  std::vector<T> values(data.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), data.data(), data.size());
  return values;
}

TEST(OutputNpzLists, ASeriesIsItsArrays) {
  BatchBuffer const buffer = buffer_of(some_series());
  for (std::size_t rows_a_round : {1u, 2u, 3u}) {
    std::string const archive = archive_of(series_layout(), buffer.view(3), rows_a_round);
    EXPECT_EQ(names_in(archive),
              (std::vector<std::string>{"target.npy", "target_offsets.npy", "target_observed.npy", "dynamic_feat.npy",
                                        "dynamic_feat_offsets.npy", "dynamic_feat_lists.npy", "start.npy", "cat.npy"}));
    Floats const target = vector_of<float>(archive, "target.npy");
    ASSERT_EQ(target.size(), 6u);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(target[1]), missing_float32_bits);
    EXPECT_EQ(target[5], 5);
    EXPECT_EQ(vector_of<std::int64_t>(archive, "target_offsets.npy"), (LongIntegers{0, 3, 4, 6}));
    EXPECT_EQ(vector_of<float>(archive, "dynamic_feat.npy"), (Floats{1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4}));
    EXPECT_EQ(vector_of<std::int64_t>(archive, "dynamic_feat_offsets.npy"), (LongIntegers{0, 6, 8, 12}));
    EXPECT_EQ(vector_of<std::int64_t>(archive, "dynamic_feat_lists.npy"), LongIntegers{2});
    EXPECT_EQ(vector_of<std::int64_t>(archive, "start.npy"), (LongIntegers{5, -7, 0}));
    EXPECT_EQ(vector_of<std::int32_t>(archive, "cat.npy"), (Integers{0, 2, 1, 0, 0, 0}));
  }
}

TEST(OutputNpzLists, WhatIsObservedIsABoolForEachValue) {
  BatchBuffer const buffer = buffer_of(some_series());
  std::string const archive = archive_of(series_layout(), buffer.view(3), 2);
  std::string_view const file = member_of(archive, "target_observed.npy");
  EXPECT_TRUE(file.find("{'descr': '|b1', 'fortran_order': False, 'shape': (6,), }") == 10) << file;
  EXPECT_EQ(file.substr(npy::header_bytes), std::string_view("\1\0\1\0\1\1", 6));
}

TEST(OutputNpzLists, NoRows) {
  std::string const archive = archive_of(series_layout(), BatchBuffer(series_layout(), 1).view(0), 1);
  EXPECT_TRUE(vector_of<float>(archive, "target.npy").empty());
  EXPECT_EQ(vector_of<std::int64_t>(archive, "target_offsets.npy"), LongIntegers{0});
  EXPECT_EQ(member_of(archive, "target_observed.npy").size(), npy::header_bytes);
  EXPECT_EQ(vector_of<std::int64_t>(archive, "dynamic_feat_lists.npy"), LongIntegers{2});
}

TEST(OutputNpzLists, TokensBesideLabels) {
  BatchLayout layout;
  layout.labels = 1;
  layout.lists = {ListLayout{ListRole::in0, DType::int32}, ListLayout{ListRole::in1, DType::int32}};
  BatchCapacity capacity;
  capacity.rows = 2;
  capacity.list_values = {3, 1};
  BatchBuffer const buffer(layout, capacity);
  Batch const batch = buffer.view(2);
  put(batch.lists[0], 0, Integers{1, 2});
  put(batch.lists[0], 1, Integers{3});
  put(batch.lists[1], 0, Integers{});
  put(batch.lists[1], 1, Integers{9});
  std::fill_n(batch.label.as<float>(), 2, 1.0f);
  std::string const archive = archive_of(layout, batch, 1);
  EXPECT_EQ(names_in(archive),
            (std::vector<std::string>{"in0.npy", "in0_offsets.npy", "in1.npy", "in1_offsets.npy", "label.npy"}));
  EXPECT_EQ(vector_of<std::int32_t>(archive, "in0.npy"), (Integers{1, 2, 3}));
  EXPECT_EQ(vector_of<std::int64_t>(archive, "in1_offsets.npy"), (LongIntegers{0, 0, 1}));
}

TEST(OutputNpzLists, BesideFeaturesTheseComeFirst) {
  BatchLayout layout = series_layout();
  layout.features = 1;
  std::string const archive = archive_of(layout, BatchBuffer(layout, 1).view(0), 1);
  EXPECT_EQ(names_in(archive).front(), "features.npy");
}

TEST(OutputNpzLists, ABatchOfAnotherLayoutIsADefect) {
  BatchLayout integers = series_layout();
  integers.lists[0].dtype = DType::int32;
  BatchBuffer const buffer = buffer_of(some_series());
  EXPECT_THROW((void)archive_of(integers, buffer.view(3), 3), Error);
  BatchLayout none;
  none.has_start = true;
  none.cats = 2;
  EXPECT_THROW((void)archive_of(series_layout(), BatchBuffer(none, 1).view(1), 1), Error);
}

TEST(OutputNpzLists, NpyHoldsNone) {
  OutputOptions options;
  options.path = "unused.npy";
  options.kind = OutputKind::npy;
  options.layout = series_layout();
  EXPECT_THROW((void)make_output(options), ConfigurationError);
}

}  // namespace
}  // namespace penstock
