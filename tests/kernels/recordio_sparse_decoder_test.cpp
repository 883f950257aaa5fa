// Sparse records: what the device makes of them is what the CPU's decoder makes of them, or it leaves the chunk to the
// CPU.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/recordio/format.hpp"
#include "tests/kernels/recordio_comparison.hpp"
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

TEST(RecordioSparseDecoder, SparseRows) {
  for (DType const dtype : {DType::float32, DType::float64}) {
    for (auto const empty : {recordio::EmptySparse::shape, recordio::EmptySparse::zero, recordio::EmptySparse::nan}) {
      for (std::size_t const labels : {0u, 1u, 3u}) {
        recordio::Plan plan = sparse_plan(dtype, 1000, labels);
        if (labels == 3) plan.layout.label_dtype = DType::float64;
        RecordRows const rows(plan.layout, 150, 90, labels);
        expect_on_device(plan, rows.frames({empty, recordio::Escape::none}));
        EXPECT_EQ(device.rounds, 1u);
      }
    }
  }
}

TEST(RecordioSparseDecoder, KeysOfEveryLength) {
  for (unsigned bits = 1; bits <= 62; ++bits) {
    recordio::Plan const plan = sparse_plan(DType::float32, std::uint64_t{1} << bits, 1);
    expect_on_device(plan, RecordRows(plan.layout, 20, 40, bits).frames());
  }
}

TEST(RecordioSparseDecoder, SparseWindows) {
  recordio::Plan const plan = sparse_plan(DType::float32, 300, 1);
  std::string const bytes = RecordRows(plan.layout, 400, 20, 1).frames();
  for (std::size_t const rows : {1u, 7u, 399u, 400u, 4000u}) {
    for (std::size_t const pairs : {20u, 21u, 100u, 30000u}) {
      RunSizes sizes = roomy();
      sizes.capacity.rows = rows;
      sizes.capacity.pairs = pairs;
      expect_on_device(plan, bytes, sizes);
      EXPECT_GE(device.rounds, (400 + rows - 1) / rows);
    }
  }
  RunSizes sizes = roomy();
  sizes.capacity.pairs = 15;
  expect_on_host(plan, bytes, sizes);  // a record is larger than a round
}

TEST(RecordioSparseDecoder, FramesOfManySizes) {
  recordio::Plan const plan = sparse_plan(DType::float32, 1 << 20, 1);
  std::string bytes;
  for (std::size_t const pairs : {0u, 1u, 3000u, 2u, 700u, 0u, 5000u, 40u})
    bytes += RecordRows(plan.layout, 3, pairs, pairs).frames();
  expect_on_device(plan, bytes);
  RunSizes sizes = roomy();
  sizes.buffer_bytes = 5000;
  EXPECT_EQ(compare(plan, {bytes, bytes}, sizes), "");
  EXPECT_EQ(device.host_chunks, 0u);
}

/// A sparse record of the float32 bits that `words` lists, which stand at a multiple of four in the file if there are
/// between 32 and 4,000 of them.
std::string sparse_frame(std::vector<std::uint64_t> const& words, std::uint64_t width) {
  wire::Record record;
  record.features.resize(1);
  record.features[0].values = words;
  for (std::size_t i = 0; i < words.size(); ++i) record.features[0].keys.push_back(i);
  record.features[0].shape = {width};
  record.labels = {dense_tensor(1, 3)};
  return wire::frame(payload(record));
}

/// What looks like a frame in a record's values and leads to the next frame, to the end, or nowhere.
TEST(RecordioSparseDecoder, HeadersInValues) {
  recordio::Plan const plan = sparse_plan(DType::float32, 2000, 1);
  constexpr std::uint64_t magic = 0xced7230a;
  wire::Random random(1);
  for (int round = 0; round < 60; ++round) {
    std::string bytes;
    for (std::size_t i = 0; i < 12; ++i) {
      std::size_t const count = 36 + random.below(40);
      std::vector<std::uint64_t> words(count, 0x3f800000);
      std::size_t const size = sparse_frame(words, 2000).size();
      for (std::size_t fakes = random.below(12); fakes > 0; --fakes) {
        std::size_t const at = random.below(count - 1);
        std::size_t const place = 8 + 20 + 4 * at;  // a prefix of 20 bytes
        words[at] = magic;
        words[at + 1] = random.one_in(2) ? size - place - 8 : random.below(2 * size);
      }
      bytes += sparse_frame(words, 2000);
      ASSERT_EQ(bytes.size() % 4, 0u);
    }
    expect_on_device(plan, bytes);
  }
}

/// Frames whose values are all frames: a chain beside the chain, which comes together with it at the end.
TEST(RecordioSparseDecoder, ChainsBesideTheChain) {
  recordio::Plan const plan = sparse_plan(DType::float32, 2000, 1);
  for (std::size_t const length : {0u, 4u, 8u, 12u}) {
    std::vector<std::uint64_t> words;
    while (words.size() < 1500) {
      words.push_back(0xced7230a);
      words.push_back(length);
      words.resize(words.size() + length / 4, 0);
    }
    std::string const frame = sparse_frame(words, 2000);
    expect_on_device(plan, frame + frame + sparse_frame({1, 2, 3}, 2000) + frame);
  }
}

TEST(RecordioSparseDecoder, ShapesThatAreNotRequired) {
  recordio::Plan plan = sparse_plan(DType::float32, 0, 1);
  plan.requires_shape = false;
  wire::Record record;
  record.features.resize(1);
  record.labels = {dense_tensor(1, 3)};
  wire::Tensor& features = record.features[0];
  std::string const blank = wire::frame(payload(record));
  features.shape = {7};
  std::string const shape_alone = wire::frame(payload(record));
  features.values = {1, 2, 3};
  features.keys = {0, 5, 6};
  std::string const bounded = wire::frame(payload(record));
  features.shape.clear();
  features.keys = {0, 5, 0x7ffffffffffffffe};
  std::string const open = wire::frame(payload(record));
  features.shape = {2, 3, 1, 4};
  features.keys = {0, 5, 23};
  std::string const matrix = wire::frame(payload(record));
  expect_on_device(plan, blank + shape_alone + bounded + open + matrix + blank);
  features.keys = {0, 5, 24};
  expect_on_host(plan, blank + wire::frame(payload(record)));
  features.shape = {std::uint64_t{1} << 32, std::uint64_t{1} << 32, 3};
  expect_on_host(plan, wire::frame(payload(record)));
  features.shape = {std::uint64_t{1} << 40, std::uint64_t{1} << 40, 0};
  expect_on_host(plan, wire::frame(payload(record)));
  features.shape.clear();
  features.keys = {0, 5, 0x7fffffffffffffff};
  expect_on_host(plan, open + wire::frame(payload(record)));
  plan.layout.features = 7;
  expect_on_device(plan, blank + shape_alone + bounded);
  expect_on_host(plan, open);
}

TEST(RecordioSparseDecoder, KeysThatTheCpuPutsInOrder) {
  recordio::Plan plan = sparse_plan(DType::float32, 100, 0);
  wire::Record record;
  record.features.resize(1);
  record.features[0].shape = {100};
  std::string const good = RecordRows(plan.layout, 30, 9, 1).frames();
  std::vector<std::vector<std::uint64_t>> const lists = {{2, 1},
                                                         {1, 1},
                                                         {0, 0},
                                                         {99, 100},
                                                         {100},
                                                         {~std::uint64_t{0}, 5},
                                                         {5, ~std::uint64_t{0}},
                                                         {0, 1, 2, 3, 4, 5, 6, 5},
                                                         {1, 2, std::uint64_t{1} << 63}};
  for (auto const duplicates : {recordio::Duplicates::fault, recordio::Duplicates::last, recordio::Duplicates::sum}) {
    plan.duplicates = duplicates;
    for (auto const& keys : lists) {
      record.features[0].keys = keys;
      record.features[0].values.assign(keys.size(), 0x3f800000);
      expect_on_host(plan, good + wire::frame(payload(record)) + good);
    }
    std::vector<std::uint64_t> keys(70);
    for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = i;
    record.features[0].values.assign(keys.size(), 0x3f800000);
    for (std::size_t const at : {1u, 31u, 32u, 33u, 63u, 64u, 69u}) {  // where 32 bytes end
      record.features[0].keys = keys;
      record.features[0].keys[at] = at - 1;
      expect_on_host(plan, good + wire::frame(payload(record)) + good);
    }
    record.features[0].keys = keys;
    expect_on_device(plan, good + wire::frame(payload(record)) + good);
  }
}

/// Keys in more bytes than they need, up to ten, and more.
TEST(RecordioSparseDecoder, OverlongKeys) {
  recordio::Plan const plan = sparse_plan(DType::float32, 100000, 0);
  for (std::size_t extra = 0; extra <= 9; ++extra) {
    std::string keys;
    for (std::uint64_t key = 0; key < 40; ++key) keys += wire::varint(key * key * 60, extra);
    std::string const lists = wire::message(1, std::string(160, 'v')) + wire::message(2, keys) +
                              wire::message(3, wire::varint(100000, extra));
    std::string const entry = wire::message(1, "values") + wire::message(2, wire::message(2, lists));
    expect_on_device(plan, wire::frame(wire::message(1, entry)));
  }
  for (std::string const& keys : {std::string(10, '\x80') + '\0' + '\1', '\1' + std::string(10, '\x80') + '\0',
                                  '\1' + std::string(40, '\x80') + '\0', '\1' + std::string(9, '\x80')}) {
    std::string const lists =
        wire::message(1, "vvvvwwww") + wire::message(2, keys) + wire::message(3, wire::varint(100000));
    std::string const entry = wire::message(1, "values") + wire::message(2, wire::message(2, lists));
    expect_on_host(plan, wire::frame(wire::message(1, entry)));
  }
}

TEST(RecordioSparseDecoder, ListsThatDoNotFitTogether) {
  recordio::Plan const plan = sparse_plan(DType::float32, 9, 1);
  wire::Record record;
  record.features = {{"values", 2, {1, 2}, {3, 4}, {9}}};
  record.labels = {dense_tensor(1, 2)};
  wire::Record const good = record;
  auto const expect = [&](bool is_on_device) {
    std::string const frame = wire::frame(payload(good));
    (is_on_device ? expect_on_device : expect_on_host)(plan, frame + wire::frame(payload(record)) + frame, roomy());
    record = good;
  };
  expect(true);
  record.labels[0].shape = {1};
  expect(true);
  record.labels[0].shape = {2};
  expect(false);
  record.labels[0].keys = {0};
  expect(false);
  record.features[0].values.clear();
  expect(false);
  record.features[0].keys.clear();
  expect(false);
  record.features[0].keys = {3};
  expect(false);
  record.features[0].values = {1};
  expect(false);
  record.features[0].shape.clear();
  expect(false);
  record.features[0].shape = {8};
  expect(false);
  record.features[0].shape = {3, 1, 3};
  expect(true);
}

/// Every byte of a record changed in every way that a bit can.
TEST(RecordioSparseDecoder, OneBitOfASparseChunkChanged) {
  recordio::Plan const plan = sparse_plan(DType::float32, 200, 1);
  std::string const good = RecordRows(plan.layout, 3, 2, 1).frames();
  std::string const middle = sparse_frame({5, 6}, 200);
  std::size_t on_device = 0;
  for (std::size_t at = 0; at < middle.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string other = middle;
      other[at] ^= static_cast<char>(1 << bit);
      ASSERT_EQ(compare(plan, {good + other + good}, roomy()), "") << "bit " << bit << " of byte " << at;
      on_device += device.chunks;
    }
  }
  EXPECT_GT(on_device, 8u * 12);
  EXPECT_LT(on_device, 8u * 16);
}

}  // namespace
}  // namespace penstock
