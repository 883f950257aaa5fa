// What the device makes of libsvm text is what the CPU's decoder makes of it: values bit for bit, faults in order,
// counts.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "cuda/formats/libsvm.hpp"
#include "formats/libsvm/format.hpp"
#include "tests/kernels/decoder_comparison.hpp"
#include "tests/support/dirty_libsvm.hpp"
#include "tests/support/format_run.hpp"

namespace penstock {
namespace {

using testing::device;
using testing::promise;
using testing::RunSizes;

/// Looks at where rows begin, too.
class LibsvmDecoder : public testing::DeviceDecoder<libsvm::Format, cuda::make_libsvm_decoder> {
  using Base = testing::DeviceDecoder<libsvm::Format, cuda::make_libsvm_decoder>;

 public:
  using Base::Base;

  void begin(Chunk const& chunk) {
    Base::begin(chunk);
    list_record_begins();
    rows_ = 0;
  }

  Decoded next(Batch const& batch, BatchCapacity const& capacity, FaultLog& faults, RoundCounts& counts) {
    Decoded const decoded = Base::next(batch, capacity, faults, counts);
    if (is_on_device()) check_record_begins();
    return decoded;
  }

 private:
  /// Where the CPU says that the records of the chunk's rows begin.
  void list_record_begins() {
    begins_.clear();
    if (!plan().checks_qid_order || !plan().layout.has_qid) return;
    BatchCapacity const capacity{chunk().text.size + 1, chunk().text.size + 1, chunk().text.size + 1, 0, 0};
    testing::ExactBatch const memory(plan().layout, capacity, 'x');
    std::vector<std::uint32_t> begins(capacity.rows);
    std::vector<Fault> fault_memory(capacity.rows);
    FaultLog faults(fault_memory);
    RoundCounts counts;
    Batch batch = memory.view(capacity.rows);
    batch.record_begins = begins.data();
    libsvm::Decoder<Portable> decoder(plan());
    decoder.begin(chunk());
    Decoded const decoded = decoder.next(batch, capacity, faults, counts);
    promise(decoded.ends_chunk, "a round for a whole chunk is too small");
    begins_.assign(begins.begin(), begins.begin() + static_cast<std::ptrdiff_t>(decoded.rows));
  }

  void check_record_begins() {
    bool const are_wanted = plan().checks_qid_order && plan().layout.has_qid;
    promise((rows().record_begins != nullptr) == are_wanted, "record begins, or none");
    if (!are_wanted) return;
    std::vector<std::uint32_t> begins(rows().rows);
    copy(begins.data(), rows().record_begins, rows().rows);
    for (std::uint32_t const begin : begins) promise(begin == begins_.at(rows_++), "a record begins elsewhere");
  }

  std::vector<std::uint32_t> begins_;
  std::size_t rows_ = 0;
};

std::string compare(libsvm::Plan const& plan, std::vector<std::string> const& shards, std::size_t record_max,
                    RunSizes const& sizes) {
  return testing::compare_decoders<libsvm::Format, LibsvmDecoder>(plan, shards, record_max, sizes);
}

constexpr std::size_t large_tiles_from = std::size_t{4} << 20;

RunSizes roomy() {
  RunSizes sizes;
  sizes.buffer_bytes = 1 << 16;
  sizes.capacity = {std::size_t{1} << 15, std::size_t{1} << 15, 0, 0, 0};
  sizes.faults_max = 1000;
  return sizes;
}

/// On the device, in so many rounds; both decoders agree.
void expect_same(libsvm::Plan const& plan, std::string const& text, RunSizes const& sizes = roomy()) {
  EXPECT_EQ(compare(plan, {text}, 1 << 16, sizes), "") << testing::printable(text);
  EXPECT_GT(device.chunks, 0u);
  EXPECT_EQ(device.host_chunks, 0u) << testing::printable(text);
}

std::string plain_text(std::size_t records, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text;
  for (std::size_t i = 0; i < records; ++i) {
    text += std::to_string(random() % 2);
    std::uint64_t index = 0;
    for (std::uint64_t pairs = random() % 12; pairs > 0; --pairs) {
      index += 1 + random() % 500;
      text +=
          " " + std::to_string(index) + ":" + std::to_string(random() % 1000) + "." + std::to_string(random() % 1000);
    }
    text += "\n";
  }
  return text;
}

TEST(LibsvmDecoder, PlainText) {
  expect_same({}, plain_text(500, 1));
  EXPECT_EQ(device.rounds, 1u);
}

TEST(LibsvmDecoder, NothingAtAll) {
  expect_same({}, "\n");
  expect_same({}, "# 1:2\n\r\n \t \r");
  expect_same({}, "\xef\xbb\xbf\n");
}

TEST(LibsvmDecoder, LineEndsBlanksAndComments) {
  expect_same({}, "1 1:2\r\n0 1:3\r-1 2:4\n\n\r\n\r\r 1\t1:5  2:6 # 3:7\n#1\n 0#1:2\r\n1 1:2#\n\t#\n1 \n");
  expect_same({}, "\xef\xbb\xbf 1 1:2\n");
  expect_same({}, "\xef\xbb\xbf# 1 1:2\n\xef\xbb\xbf 1 1:2\n");
  std::string text;
  for (int i = 0; i < 700; ++i) {
    text += std::to_string(i % 3) + " " + std::to_string(i + 1) + ":0.5";
    text += i % 5 == 0 ? " # " + std::string(static_cast<std::size_t>(i % 90), 'q') + "1:2 3:4" : "";
    text += i % 7 == 0 ? "\r\n" : i % 7 == 1 ? "\r" : "\n\n";
  }
  expect_same({}, text);
}

/// Comments, blanks and words over several tiles, and the edges of tiles in each of them.
TEST(LibsvmDecoder, LinesLongerThanTiles) {
  for (std::size_t const shift : {0u, 1u, 2u, 5u, 31u, 32u, 1000u}) {
    std::string text(shift, ' ');
    text += "1 1:2 #" + std::string(9000, 'x') + " 5:6\n1";
    for (int i = 1; i <= 900; ++i) text += " " + std::to_string(i) + ":" + std::to_string(i) + ".5";
    text += "\n" + std::string(10000, ' ') + "0 3:4 " + std::string(9000, '\t') + "7:8\n" + std::string(5000, '\n') +
            "1 " + std::string(5000, '#') + "\n0 2:2\n";
    text += "0 1:" + std::string(5000, '0') + "1\n" + std::string(5000, '1') + "\n1 " + std::string(5000, '1') + ":1\n";
    expect_same({}, text);
  }
}

/// Tiles of 16 KiB, which chunks from 4 MiB on have.
TEST(LibsvmDecoder, LargeTiles) {
  std::string text = plain_text(3000, 4);
  text += "1 4:x\n0 2:1 1:2 # 5:5\n1 1:nan\r\n";
  std::size_t const size = text.size();
  while (text.size() < large_tiles_from) text += text.substr(0, size);
  RunSizes sizes = roomy();
  sizes.buffer_bytes = std::size_t{1} << 23;
  sizes.capacity = {25000, 150000, 0, 0, 0};
  EXPECT_EQ(compare({}, {text}, 1 << 16, sizes), "");
  EXPECT_EQ(device.chunks, 1u);
  EXPECT_GT(device.rounds, 1u);
}

TEST(LibsvmDecoder, WeightsAndQueryIds) {
  libsvm::Plan plan;
  plan.layout.has_weight = plan.layout.has_qid = true;
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += (i % 9 == 0 ? " 1:0." : "0:2.") + std::to_string(i) + (i % 4 == 0 ? "\tqid:" : "  qid:") +
            std::to_string(i / 3) + " 1:0.25 4:7\n";
  expect_same(plan, text);
  EXPECT_EQ(device.rounds, 1u);
  expect_same(plan,
              "1:2 qid:9223372036854775807 1:2\n1:2 qid:00000000000000000001 1:2\n1:2 qid:-1\n1:2 qid:\n1:2 qid:1:2\n");
  expect_same(plan,
              "1 qid:1 1:1\n1:2 1:1\n1:2 1:1 qid:1\n1:2 qid:1 qid:1\n1:2 q:1 qid:1\n1:2:3 qid:1\nqid:1\n:1 qid:1\n");
  plan.checks_qid_order = false;
  expect_same(plan, text);
  plan.layout.has_weight = plan.layout.has_qid = false;
  expect_same(plan, text);
  expect_same(plan, "1 qid:1 1:1\nqid 1:1\nq\n1 q\n1 1:1 qid:1\n1 1:1 q:1\n1,2 1:1\n, 1:1\n");
}

TEST(LibsvmDecoder, FaultsEndRounds) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += i % 3 == 0 ? "1 2:x\n" : i % 50 == 1 ? "0 5:1 3:2 4:nan\n" : "1 1:2 3:4\n";
  for (std::size_t const faults : {1u, 2u, 7u, 1000u}) {
    RunSizes sizes = roomy();
    sizes.faults_max = faults;
    expect_same({}, text, sizes);
    if (faults == 1) {
      EXPECT_GT(device.rounds, 130u);
    }
  }
}

TEST(LibsvmDecoder, WindowsOfFewRowsAndPairs) {
  std::string const text = plain_text(150, 2);
  for (std::size_t const rows : {1u, 7u, 100u}) {
    RunSizes sizes = roomy();
    sizes.capacity.rows = rows;
    expect_same({}, text, sizes);
    EXPECT_EQ(device.rounds, (150 + rows - 1) / rows);
    sizes.capacity.pairs = 11;
    expect_same({}, text, sizes);
    EXPECT_GT(device.rounds, 70u);
  }
}

TEST(LibsvmDecoder, RecordsThatAreLargerThanARound) {
  RunSizes sizes = roomy();
  sizes.capacity.pairs = 10;
  EXPECT_EQ(compare({}, {plain_text(300, 2)}, 1 << 16, sizes), "");
  EXPECT_EQ(device.chunks, 0u);
  EXPECT_EQ(device.host_chunks, 1u);
}

TEST(LibsvmDecoder, WhatIsLeftToTheCpu) {
  std::string const text = plain_text(30, 3);
  libsvm::Plan plan;
  EXPECT_EQ(compare(plan, {text + std::string(300, '1') + "\n" + text}, 200, roomy()), "");
  EXPECT_EQ(device.host_chunks, 1u) << "a chunk with rejects";
  plan.layout.labels_vary = true;
  plan.layout.labels = 0;
  RunSizes sizes = roomy();
  sizes.capacity.labels = 100;
  EXPECT_EQ(compare(plan, {text}, 1 << 16, sizes), "");
  EXPECT_EQ(device.host_chunks, 1u) << "lists of labels";
  std::string long_record = "1";
  for (int i = 2000; i > 0; --i) long_record += " " + std::to_string(i) + ":1";
  EXPECT_EQ(compare({}, {text + long_record + "\n"}, 1 << 16, roomy()), "");
  EXPECT_EQ(device.host_chunks, 1u) << "a long record that does not ascend";
}

/// Whether the device takes a text in windows of so few rows; the results are the same either way.
bool is_taken(std::string const& text, std::size_t rows_max) {
  RunSizes sizes = roomy();
  sizes.buffer_bytes = std::size_t{1} << 19;
  sizes.capacity.rows = rows_max;
  EXPECT_EQ(compare({}, {text}, sizes.buffer_bytes, sizes), "");
  EXPECT_EQ(device.chunks + device.host_chunks, 1u);
  return device.chunks == 1;
}

/// In whatever window: they are looked for before the first is given out.
TEST(LibsvmDecoder, LongMarkedRecordsAreForTheCpu) {
  auto const ascending = [](int pairs) {
    std::string text = "1";
    for (int i = 1; i <= pairs; ++i) text += " " + std::to_string(i) + ":1";
    return text;
  };
  std::string const few = "1 1:2\n0 2:x\n1 3:4\n", comment(std::size_t{66} << 10, 'c');
  for (std::size_t const rows_max : {2u, 3u, 6u, 100u}) {
    SCOPED_TRACE(rows_max);
    for (std::string const& before : {std::string(), few, few + few}) {
      EXPECT_TRUE(is_taken(before + ascending(1023) + " 1:3\n" + few, rows_max));
      EXPECT_FALSE(is_taken(before + ascending(1024) + " 1:3\n" + few, rows_max));
      EXPECT_TRUE(is_taken(before + ascending(2000) + "\n" + few, rows_max));
      EXPECT_FALSE(is_taken(before + "1 1:x #" + comment + "\n" + few, rows_max));
      EXPECT_TRUE(is_taken(before + "1 1:2 #" + comment + "\n" + few, rows_max));
    }
  }
}

TEST(LibsvmDecoder, Indices) {
  std::string text = "1 1:1 9:1 10:1 99999999:1 100000000:1 9999999999999999:1 9223372036854775806:1\n";
  for (char const* index : {"0", "1", "00000000000000000000001", "12345678901234567", "9223372036854775807", "+1", "-1",
                            "1.0", "", "1e3", "99999999999999999999", "\xff"})
    text += std::string("1 1:1\n1 ") + index + ":2\n1 1:5 " + index + ":2 7:8\n";
  for (std::uint64_t const base : {0u, 1u}) {
    for (std::size_t const features : {0u, 8u}) {
      libsvm::Plan plan;
      plan.items.base = base;
      plan.layout.features = features;
      expect_same(plan, text);
      if (features != 0) plan.items.columns = features;
      expect_same(plan, text);
    }
  }
}

TEST(LibsvmDecoder, Values) {
  std::string text;
  for (char const* value : {"1",
                            "-2.5",
                            "+3",
                            "1e3",
                            "1E-5",
                            ".5",
                            "5.",
                            "nan",
                            "-NaN",
                            "inf",
                            "-Infinity",
                            "1e39",
                            "-1e39",
                            "16777217",
                            "16777216",
                            "1e-46",
                            "1e-40",
                            "3.4028236e38",
                            "123456789012345678901234567890",
                            "0.1234567890123456789012345",
                            "2147483648",
                            "-2147483648",
                            "9223372036854775808",
                            "",
                            "-",
                            "1:2",
                            "0x1",
                            "1_0",
                            "0",
                            "-0",
                            "1e",
                            "e5",
                            "1.00000017881393432617187499",
                            "-1.2345678901234567e-308",
                            "0.000000000000000000000000000000000000001401298464"})
    text += std::string("1 1:") + value + "\n0 1:1 2:" + value + " 3:4\n" + value + " 1:1\n";
  for (DType const dtype : {DType::float32, DType::float64, DType::int32, DType::int64}) {
    for (auto const overflow : {libsvm::Overflow::fault, libsvm::Overflow::infinity}) {
      libsvm::Plan plan;
      plan.layout.feature_dtype = dtype;
      plan.items.overflow = overflow;
      expect_same(plan, text);
    }
  }
}

TEST(LibsvmDecoder, OrderAndDuplicates) {
  std::mt19937_64 random(5);
  std::string text;
  for (int i = 0; i < 120; ++i) {
    text += "1";
    for (std::uint64_t pairs = random() % 40; pairs > 0; --pairs)
      text +=
          " " + std::to_string(1 + random() % 60) + ":" + (random() % 9 == 0 ? "3e38" : std::to_string(random() % 9));
    text += i % 10 == 0 ? " x\n" : "\n";
  }
  for (DType const dtype : {DType::float32, DType::float64, DType::int32, DType::int64}) {
    for (auto const duplicates : {libsvm::Duplicates::fault, libsvm::Duplicates::last, libsvm::Duplicates::sum}) {
      libsvm::Plan plan;
      plan.layout.feature_dtype = dtype;
      plan.duplicates = duplicates;
      expect_same(plan, text);
    }
  }
}

TEST(LibsvmDecoder, OtherDialects) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "1 3:1:0.5 4:2:7\n0 5:6 7\n0 5 : 6 7: 8 9 :1\n1 1 2 3\n1 : 2\n2 1:1:1:1\n";
  for (bool const is_dmlc : {false, true}) {
    for (bool const is_libfm : {false, true}) {
      libsvm::Plan plan;
      plan.items.syntax = {is_dmlc, is_libfm};
      expect_same(plan, text);
    }
  }
}

TEST(LibsvmDecoder, TooManyPairs) {
  libsvm::Plan plan;
  for (std::size_t const pairs_max : {1u, 3u, 5u}) {
    plan.pairs_max = pairs_max;
    expect_same(plan, plain_text(100, 9));
  }
}

TEST(LibsvmDecoder, DirtyText) {
  std::mt19937_64 random(20251128);
  std::size_t chunks = 0, rounds = 0;
  for (int round = 0; round < 150; ++round) {
    std::size_t record_max = 0;
    libsvm::Plan plan = testing::random_plan(random, record_max);
    plan.layout.labels_vary = false;
    plan.layout.labels = 1;
    plan.checks_qid_order = round % 3 != 0;
    testing::DirtyText dirty(random(), plan);
    std::string text;
    for (std::size_t size = random() % 4 == 0 ? 15000 : random() % 4000; text.size() <= size;)
      text += dirty.shard() + "\n";
    RunSizes sizes = roomy();
    sizes.buffer_bytes = random() % 2 == 0 ? 1 + random() % 6000 : 1 << 16;
    sizes.capacity.rows = 1 + random() % (random() % 2 == 0 ? 10 : 2000);
    sizes.capacity.pairs = 1 + random() % (random() % 2 == 0 ? 100 : 20000);
    sizes.faults_max = 1 + random() % (random() % 2 == 0 ? 5 : 1000);
    ASSERT_EQ(compare(plan, {text}, 1 << 16, sizes), "") << "round " << round << ", " << name_of(sizes) << "\n" << text;
    chunks += device.chunks;
    rounds += device.rounds;
  }
  EXPECT_GT(chunks, 150u);
  EXPECT_GT(rounds, 1000u);
}

}  // namespace
}  // namespace penstock
