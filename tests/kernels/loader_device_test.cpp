// Batches of loaders in memory of a device: the CPU's, for whoever makes their stream wait; and memory that is not
// written again while work on it is queued.

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/exec/make_executor.hpp"
#include "host/loader/placement.hpp"
#include "penstock/loader.hpp"
#include "tests/support/loader_on_device.hpp"
#include "tests/support/scratch_folder.hpp"

namespace penstock {
namespace {

using testing::Consumer;
using testing::csv_text;
using testing::device_options;
using testing::load_on_cpu;
using testing::load_on_device;
using testing::LoadedRows;
using testing::ScratchFolder;

TEST(LoaderDevice, BatchesAreThoseOfTheCpu) {
  ScratchFolder const folder;
  std::string const path = folder.put("a.csv", csv_text(1500));
  for (Shuffle const shuffle : {Shuffle::none, Shuffle::window, Shuffle::exact})
    for (Remainder const remainder : {Remainder::keep, Remainder::pad}) {
      LoaderOptions options = device_options(path, "cpu");
      options.shuffle = shuffle;
      options.remainder = remainder;
      Loader loader(options);
      std::vector<LoadedRows> const expected = testing::load(loader);
      options.device = "cuda";
      EXPECT_EQ(load_on_device(options), expected) << name_of(shuffle) << " " << name_of(remainder);
    }
}

struct Case {
  char const* name;
  std::string text;
  std::function<void(LoaderOptions&)> change;
};

/// Columns of text that is longer than a slot, in the middle of a file.
std::string text_with_a_long_record() {
  std::string text = csv_text(200);
  std::string const zeros(5000, '0');
  return text + "1." + zeros + ",2,3,1\n" + csv_text(200).substr(text.find('\n') + 1);
}

std::string libsvm_text(int rows) {
  std::string text;
  for (int i = 0; i < rows; ++i) text += "1 1:" + std::to_string(i) + (i % 3 == 0 ? " 4:2.5\n" : "\n");
  return text;
}

/// Features that stay on the device, and those that come to the host first: of rounds with faults that may end the
/// epoch, reshaped, of records that the CPU decodes.
TEST(LoaderDevice, WhateverBecomesOfTheFeatures) {
  Case const cases[] = {{"normalised", csv_text(700), [](LoaderOptions& o) { o.normalize = "standardize; b=log1p"; }},
                        {"float64", csv_text(700),
                         [](LoaderOptions& o) {
                           o.more.push_back({"dtype", "float64"});
                         }},
                        {"repaired", csv_text(700), [](LoaderOptions& o) { o.on_error = "null"; }},
                        {"with at most 5 errors", csv_text(250),
                         [](LoaderOptions& o) {
                           o.more.push_back({"max-errors", "5"});
                         }},
                        {"of one column", csv_text(300), [](LoaderOptions& o) { o.columns = "b"; }},
                        {"with weights", csv_text(300), [](LoaderOptions& o) { o.weight = "c", o.on_error = "skip"; }},
                        {"longer than a slot", text_with_a_long_record(), [](LoaderOptions&) {}},
                        {"made dense", libsvm_text(500), [](LoaderOptions& o) {
                           o.label = "", o.features = "dense", o.format = "libsvm";
                           o.more.push_back({"absent", "zero"});
                         }}};
  ScratchFolder const folder;
  for (Case const& each : cases)
    for (Shuffle const shuffle : {Shuffle::none, Shuffle::window, Shuffle::exact}) {
      LoaderOptions options = device_options(folder.put("data", each.text), "cuda");
      options.shuffle = shuffle;
      each.change(options);
      std::vector<LoadedRows> const expected = load_on_cpu(options);
      ASSERT_GT(expected.size(), 2u) << each.name;
      EXPECT_EQ(load_on_device(options), expected) << each.name << " " << name_of(shuffle);
    }
}

TEST(LoaderDevice, RanksAndSlotsDoNotShow) {
  ScratchFolder const folder;
  std::string const path = folder.put("a.csv", csv_text(900));
  for (char const* const slot_size : {"1024", "20000"})
    for (unsigned const rank : {0u, 1u}) {
      LoaderOptions options = device_options(path, "cuda");
      options.world_size = 2;
      options.rank = rank;
      options.shuffle = Shuffle::window;
      options.more = {{"slot-size", slot_size}};
      EXPECT_EQ(load_on_device(options), load_on_cpu(options)) << slot_size << " " << rank;
    }
}

TEST(LoaderDevice, SparseBatchesStayOnTheHost) {
  ScratchFolder const folder;
  LoaderOptions options = device_options(folder.put("a.libsvm", libsvm_text(200)), "cuda");
  options.label = "";
  Loader on_device(options);
  EXPECT_EQ(testing::load(on_device), load_on_cpu(options));
}

TEST(LoaderDevice, BatchesOutliveTheirLoader) {
  ScratchFolder const folder;
  LoaderOptions const options = device_options(folder.put("a.csv", csv_text(300)), "cuda");
  Consumer const consumer;  // its stream lives as long as batches that were used in it
  std::vector<SharedBatch> held;
  {
    Loader loader(options);
    for (SharedBatch batch; loader.next(batch);) held.push_back(batch);
  }
  LoaderOptions on_cpu = options;
  on_cpu.device = "cpu";
  Loader loader(on_cpu);
  std::vector<LoadedRows> const expected = testing::load(loader);
  ASSERT_EQ(held.size(), expected.size());
  for (std::size_t i = 0; i < held.size(); ++i) {
    BatchBuffer const memory(loader.layout(), options.batch_size);
    SharedBatch copy;
    consumer.take(held[i], memory, copy);
    consumer.wait();
    EXPECT_EQ(testing::loaded(copy), expected[i]);
    held[i].on_device->wait();
    EXPECT_EQ(held[i].on_device->device(), 0);
  }
}

/// Rows of one number, in pinned memory of the device.
struct PinnedRows {
  explicit PinnedRows(std::shared_ptr<Device> const& device, float number) {
    std::shared_ptr<HostBuffer> const buffer = device->host_buffer(rows * sizeof(float));
    auto* const values = reinterpret_cast<float*>(buffer->data());
    std::fill_n(values, rows, number);
    batch.rows.features = {reinterpret_cast<std::byte*>(values), DType::float32, rows, 1};
    batch.rows.set_rows(rows);
    batch.memory = buffer;
    memory = buffer;
  }
  static constexpr std::size_t rows = 1000;
  SharedBatch batch;
  std::weak_ptr<void const> memory;
};

std::shared_ptr<Device> cuda_device() {
  DeviceWish wish;
  wish.name = "cuda";
  return choose_device(wish).device;
}

BatchLayout one_feature() {
  BatchLayout layout;
  layout.features = 1;
  return layout;
}

/// Nobody has waited for the upload but the consumer's stream. Its source is kept until it was read.
TEST(BatchUpload, AStreamWaitsForIt) {
  std::shared_ptr<Device> const device = cuda_device();
  Consumer const consumer;
  BatchBuffer const memory(one_feature(), PinnedRows::rows);
  auto const uploader = make_uploader(device);
  PinnedRows source(device, 3);
  auto* const values = source.batch.rows.features.as<float>();
  std::shared_ptr<void const> kept = source.batch.memory;
  SharedBatch const uploaded = uploader->upload(source.batch, {});
  source.batch = {};
  SharedBatch copy;
  consumer.take(uploaded, memory, copy);
  consumer.wait();
  std::fill_n(values, PinnedRows::rows, 5.0F);  // the emulator finds out if nobody has waited for the copy from here
  kept = nullptr;
  EXPECT_FALSE(source.memory.expired());
  for (std::size_t i = 0; i < PinnedRows::rows; ++i) ASSERT_EQ(copy.rows.features.as<float>()[i], 3.0F) << i;
  (void)uploader->upload(PinnedRows(device, 4).batch, {});
  EXPECT_TRUE(source.memory.expired());
}

/// A batch that was given up while a consumer's work on it waits: the next one, in the same memory, comes behind that.
TEST(BatchUpload, MemoryIsWrittenAgainBehindWhatWasQueued) {
  std::shared_ptr<Device> const device = cuda_device();
  Consumer const consumer;
  std::unique_ptr<HostBuffer> const pinned = device->host_buffer(std::size_t{1} << 13);
  BatchBuffer const memory(one_feature(), BatchCapacity{PinnedRows::rows, 0, 0, 0, 0, {}},
                           reinterpret_cast<std::byte*>(pinned->data()));
  auto const uploader = make_uploader(device);
  SharedBatch first = uploader->upload(PinnedRows(device, 3).batch, {});
  std::byte const* const place = first.rows.features.data;
  SharedBatch copy;
  consumer.take(first, memory, copy);
  first = {};
  SharedBatch const second = uploader->upload(PinnedRows(device, 4).batch, {});
  ASSERT_EQ(second.rows.features.data, place);
  second.on_device->wait();  // and so for the consumer's copy
  for (std::size_t i = 0; i < PinnedRows::rows; ++i) ASSERT_EQ(copy.rows.features.as<float>()[i], 3.0F) << i;
}

/// A piece of rows of one number whose features are on the device.
RowPiece placed_piece(Placement& placement, std::shared_ptr<Device> const& device, float number) {
  PinnedRows rows(device, number);
  RowPiece piece{rows.batch.rows, rows.batch.memory};
  placement.place(piece);
  EXPECT_NE(piece.features_on_device, nullptr);
  EXPECT_EQ(piece.rows.features.data, nullptr);
  return piece;
}

/// Rows of several pieces, in any order. The pieces are given up before the host has waited for anything.
TEST(Placement, GathersRowsAndKeepsPiecesUntilTheyAreRead) {
  std::shared_ptr<Device> const device = cuda_device();
  Consumer const consumer;
  BatchBuffer const memory(one_feature(), PinnedRows::rows);
  Placement placement(one_feature(), device);
  auto pieces = std::make_unique<std::vector<RowPiece>>();
  for (int i = 0; i < 3; ++i) pieces->push_back(placed_piece(placement, device, static_cast<float>(i)));
  std::vector<std::weak_ptr<void const>> kept;
  for (RowPiece const& piece : *pieces) kept.push_back(piece.memory);
  RowRun const runs[] = {{&pieces->at(2), 5, 3}, {&pieces->at(0), 999, 1}, {&pieces->at(2), 0, 1}};
  SharedBatch const batch = placement.assemble(runs);
  pieces.reset();
  EXPECT_FALSE(kept[0].expired());
  EXPECT_TRUE(kept[1].expired());
  EXPECT_FALSE(kept[2].expired());
  ASSERT_EQ(batch.rows.rows, 5u);
  ASSERT_EQ(batch.rows.features.columns, 1u);
  SharedBatch copy;
  consumer.take(batch, memory, copy);
  consumer.wait();
  float const* const values = copy.rows.features.as<float>();
  EXPECT_EQ(std::vector<float>(values, values + 5), (std::vector<float>{2, 2, 2, 0, 2}));
  (void)placed_piece(placement, device, 4);  // looks what has been read
  EXPECT_TRUE(kept[0].expired());
  EXPECT_TRUE(kept[2].expired());
}

}  // namespace
}  // namespace penstock
