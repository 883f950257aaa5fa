// What the device makes of RecordIO-protobuf is what the CPU's decoder makes of it, or it leaves the chunk to the CPU.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/recordio/format.hpp"
#include "tests/kernels/recordio_comparison.hpp"
#include "tests/support/dirty_records.hpp"
#include "tests/support/recordio_rows.hpp"

namespace penstock {
namespace {

namespace wire = testing::wire;
using testing::compare;
using testing::dense_plan;
using testing::dense_tensor;
using testing::device;
using testing::expect_on_device;
using testing::expect_on_host;
using testing::payload;
using testing::RecordRows;
using testing::roomy;
using testing::RunSizes;
using testing::sparse_plan;

// --- dense -----------------------------------------------------------------------------------------------------------

TEST(RecordioDecoder, DenseRows) {
  for (DType const dtype : {DType::float32, DType::float64}) {
    for (std::size_t const features : {1u, 2u, 28u, 29u, 30u, 31u, 784u}) {
      for (std::size_t const labels : {0u, 1u, 3u}) {
        SCOPED_TRACE(std::to_string(features) + " features, " + std::to_string(labels) + " labels");
        recordio::Plan plan = dense_plan(dtype, features, labels);
        plan.layout.label_dtype = (features + labels) % 2 == 0 ? DType::float32 : DType::float64;
        RecordRows const rows(plan.layout, features > 100 ? 9 : 100, 0, features + labels);
        expect_on_device(plan, rows.frames());
        EXPECT_EQ(device.rounds, 1u);
      }
    }
  }
}

TEST(RecordioDecoder, DenseWindows) {
  recordio::Plan const plan = dense_plan(DType::float32, 5, 1);
  std::string const bytes = RecordRows(plan.layout, 500, 0, 1).frames();
  for (std::size_t const rows : {1u, 7u, 499u, 500u, 501u}) {
    RunSizes sizes = roomy();
    sizes.capacity.rows = rows;
    expect_on_device(plan, bytes, sizes);
    EXPECT_EQ(device.rounds, (500 + rows - 1) / rows);
    std::string other = bytes;
    other[other.size() - 12] ^= 1;  // in front of the last label
    expect_on_host(plan, other, sizes);
  }
}

TEST(RecordioDecoder, DenseRowsInManyChunks) {
  recordio::Plan const plan = dense_plan(DType::float32, 3, 1);
  std::string const bytes = RecordRows(plan.layout, 300, 0, 1).frames();
  RunSizes sizes = roomy();
  sizes.buffer_bytes = 1000;
  EXPECT_EQ(compare(plan, {bytes, bytes, "", bytes}, sizes), "");
  EXPECT_EQ(device.host_chunks, 0u);
  EXPECT_GT(device.chunks, 30u);
}

/// Every byte outside of the values counts, those of the padding excepted.
TEST(RecordioDecoder, OneByteOfADenseChunkChanged) {
  recordio::Plan const plan = dense_plan(DType::float64, 2, 1);
  std::string const bytes = RecordRows(plan.layout, 9, 0, 1).frames();
  std::size_t const frame = bytes.size() / 9;
  std::size_t on_device = 0;
  for (std::size_t at = 3 * frame; at < 4 * frame; ++at) {
    std::string other = bytes;
    other[at] ^= 1;
    ASSERT_EQ(compare(plan, {other}, roomy()), "") << at;
    on_device += device.chunks;
  }
  std::size_t const padding = (4 - recordio::record_layout(16, 4).payload() % 4) % 4;
  EXPECT_EQ(on_device, 16 + 4 + padding);
}

TEST(RecordioDecoder, DenseRecordsOfAnyFormThatAreAlike) {
  recordio::Plan plan = dense_plan(DType::float32, 4, 1);
  wire::Random random(5);
  std::size_t on_device = 0;
  for (std::uint64_t form = 0; form < 200; ++form) {
    std::string bytes;
    for (std::uint64_t i = 0; i < 5; ++i) {
      wire::Random same(form);
      wire::Record record;
      record.features = {dense_tensor(4, random.bits())};
      record.labels = {dense_tensor(1, random.bits())};
      if (form % 3 == 0) record.features.push_back(dense_tensor(2, 7)), record.features.back().key = "others";
      bytes += wire::frame(wire::Writer(same, 8).payload(record));
    }
    ASSERT_EQ(compare(plan, {bytes}, roomy()), "") << form;
    on_device += device.chunks;
  }
  EXPECT_GT(on_device, 50u);
  EXPECT_LT(on_device, 200u);
}

TEST(RecordioDecoder, OtherEntriesOfDenseRecordsAreCounted) {
  recordio::Plan const plan = dense_plan(DType::float32, 4, 0);
  std::string bytes;
  for (std::uint64_t i = 0; i < 50; ++i) {
    wire::Record record;
    record.features = {dense_tensor(9, 1), dense_tensor(4, i)};
    record.features.front().key = "others";
    bytes += wire::frame(payload(record));
  }
  RunSizes sizes = roomy();
  sizes.capacity.rows = 20;
  expect_on_device(plan, bytes, sizes);
}

// --- both ------------------------------------------------------------------------------------------------------------

TEST(RecordioDecoder, OtherKeysOfEntries) {
  for (bool const is_sparse : {false, true}) {
    recordio::Plan plan = is_sparse ? sparse_plan(DType::float32, 2, 1) : dense_plan(DType::float32, 2, 1);
    for (std::string const key : {"", "v", "valuez", "a key of more than a few bytes"}) {
      plan.features_key = key;
      plan.label_key = key + "!";
      wire::Record record;
      record.features = {dense_tensor(2, 1)};
      record.labels = {dense_tensor(1, 2)};
      record.features[0].key = key;
      record.labels[0].key = key + "!";
      if (is_sparse) record.features[0].keys = {0, 1};
      if (is_sparse) record.features[0].shape = {2};
      std::string const frame = wire::frame(payload(record));
      expect_on_device(plan, frame + frame);
      record.labels[0].key = key;
      expect_on_host(plan, frame + wire::frame(payload(record)));
    }
  }
}

TEST(RecordioDecoder, PaddingThatIsCutOff) {
  for (bool const is_sparse : {false, true}) {
    recordio::Plan plan = is_sparse ? sparse_plan(DType::float32, 90, 1) : dense_plan(DType::float32, 30, 1);
    plan.padding = recordio::Padding::lenient;
    for (std::size_t rows = 1; rows < 6; ++rows) {
      RecordRows const all(plan.layout, rows, 9, rows);
      std::string const bytes = all.frames();
      for (std::size_t cut = 0; cut <= 4; ++cut) {
        ASSERT_EQ(compare(plan, {bytes.substr(0, bytes.size() - cut)}, roomy()), "");
        if (device.chunks == 0) {
          EXPECT_GT(cut, 0u);
        }
      }
    }
    wire::Record record;
    record.features = {dense_tensor(30, 1)};
    if (is_sparse) record.features[0] = {"values", 2, {1}, {3}, {90}};
    record.labels = {dense_tensor(1, 2)};
    std::size_t const size = payload(record).size();
    std::string const frame = wire::frame(payload(record));
    ASSERT_GT(frame.size(), size + 8);
    expect_on_device(plan, (frame + frame).substr(0, frame.size() + size + 8));
  }
}

TEST(RecordioDecoder, WhatIsLeftToTheCpu) {
  for (bool const is_sparse : {false, true}) {
    recordio::Plan const plan = is_sparse ? sparse_plan(DType::float32, 9, 1) : dense_plan(DType::float32, 9, 1);
    std::string const good = RecordRows(plan.layout, 20, 9, 1).frames();
    wire::Random random(1);
    wire::Record record;
    record.features = {dense_tensor(9, 1)};
    record.labels = {dense_tensor(1, 2)};
    if (is_sparse) record.features[0] = {"values", 2, {1}, {3}, {9}};
    std::string const whole = payload(record);
    expect_on_host(plan, good + wire::split_anywhere(whole, random, 4) + good);
    expect_on_host(plan, wire::split_anywhere(whole, random, 4) + good);
    expect_on_host(plan, good + wire::frame("") + good);
    expect_on_host(plan, good + wire::frame(whole + wire::message(4, "{}")) + good);
    expect_on_host(plan, good + wire::frame(whole) + "damage");
    expect_on_host(plan, good + wire::frame(wire::message(2, "") + whole));
    for (std::uint64_t const member : {3u, 7u, 9u}) {
      wire::Record other = record;
      other.labels[0].member = member;
      expect_on_host(plan, good + wire::frame(payload(other)) + good);
      other = record;
      other.features[0].member = member;
      expect_on_host(plan, good + wire::frame(payload(other)) + good);
    }
    wire::Record other = record;
    other.labels[0].values.push_back(1);
    expect_on_host(plan, good + wire::frame(payload(other)) + good);
    other = record;
    other.labels.clear();
    expect_on_host(plan, good + wire::frame(payload(other)) + good);
    other = record;
    other.features.clear();
    expect_on_host(plan, good + wire::frame(payload(other)) + good);
    other = record;
    other.features[0].values.push_back(1);
    expect_on_host(plan, good + wire::frame(payload(other)) + good);
  }
}

TEST(RecordioDecoder, PlansThatAreLeftToTheCpu) {
  std::string const bytes = RecordRows(dense_plan(DType::float32, 3, 1).layout, 9, 0, 1).frames();
  recordio::Plan plan = dense_plan(DType::int32, 3, 1);
  expect_on_host(plan, bytes);
  plan = sparse_plan(DType::float32, 3, 1);
  plan.layout.label_dtype = DType::int32;
  expect_on_host(plan, bytes);
  plan = dense_plan(DType::float32, 3, 0);
  plan.layout.labels_vary = true;
  expect_on_host(plan, bytes);
  plan.layout.labels_vary = false;
  plan.layout.has_uid = true;
  expect_on_host(plan, bytes);
}

TEST(RecordioDecoder, EverythingThatCanGoWrong) {
  std::size_t chunks = 0, host_chunks = 0;
  wire::Random random(20251128);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    testing::RecordWishes wishes;
    wishes.is_clean = seed % 3 == 0;
    auto const files = testing::generate_files<recordio::Format>(seed, wishes);
    RunSizes sizes = roomy();
    sizes.buffer_bytes = 1 + random.below(random.one_in(2) ? 300 : 6000);
    sizes.capacity.rows = 1 + random.below(30);
    sizes.capacity.pairs = 1 + random.below(100);
    recordio::Plan plan;
    plan.padding = files.options.padding;
    plan.join = files.options.join;
    plan.duplicates = files.options.duplicates;
    recordio::Scout scout(files.options, {files.record_max, true, false});
    for (std::string const& file : files.files) {
      testing::PaddedText text(file, 'x');
      Chunk chunk;
      chunk.text = text.text();
      std::vector<Reject> rejects(64);
      recordio::RecordCutter cutter(plan, files.record_max);
      cutter.restart();
      Cut const cut = cutter.cut(text.data(), static_cast<std::uint32_t>(file.size()), true, rejects);
      chunk.text.size = cut.whole;
      chunk.rejects = std::span<Reject const>(rejects).first(cut.rejects);
      if (scout.look(chunk)) break;
    }
    if (!scout.problem().empty()) continue;
    plan = scout.plan();
    ASSERT_EQ(compare(plan, files.files, sizes, files.record_max), "") << "seed " << seed << ", " << name_of(sizes);
    chunks += device.chunks;
    host_chunks += device.host_chunks;
  }
  EXPECT_GT(chunks, 200u);
  EXPECT_GT(host_chunks, 200u);
}

}  // namespace
}  // namespace penstock
