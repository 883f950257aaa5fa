/// The shapes of synthetic libsvm and RecordIO-protobuf.
#include "host/app/synth.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/recordio/decode.hpp"
#include "formats/recordio/framing.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::app {
namespace {

std::vector<std::string_view> parts_of(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t const end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

TEST(SynthSparse, LibsvmLinesHaveALabelAndAHundredAscendingPairs) {
  std::string const text = synthesize_block("libsvm", 1, 0);
  std::size_t const rows = synth_kind("libsvm").block_rows;
  std::size_t ones = 0, pair_bytes = 0, highest = 0;
  double sum = 0;
  for (std::string_view const line : parts_of(std::string_view(text).substr(0, text.size() - 1), '\n')) {
    std::vector<std::string_view> const tokens = parts_of(line, ' ');
    ASSERT_EQ(tokens.size(), 101u);
    EXPECT_TRUE(tokens[0] == "0" || tokens[0] == "1") << tokens[0];
    ones += tokens[0] == "1";
    std::size_t before = 0;
    for (std::size_t i = 1; i < tokens.size(); ++i) {
      std::size_t index = 0;
      auto const colon = std::from_chars(tokens[i].begin(), tokens[i].end(), index).ptr;
      EXPECT_GT(index, before) << line;
      EXPECT_NE(tokens[i][0], '0');
      before = index;
      ASSERT_EQ(tokens[i].end() - colon, 9) << tokens[i];
      ASSERT_EQ(std::string(colon, 3), ":0.");
      double value = 0;
      EXPECT_EQ(std::from_chars(colon + 1, tokens[i].end(), value).ptr, tokens[i].end());
      sum += value;
      pair_bytes += tokens[i].size() + 1;
    }
    highest = std::max(highest, before);
  }
  auto const pairs = 100 * static_cast<double>(rows);
  EXPECT_NEAR(static_cast<double>(ones) / static_cast<double>(rows), 0.5, 0.1);
  EXPECT_NEAR(static_cast<double>(pair_bytes) / pairs, 13.9, 0.1);
  EXPECT_NEAR(sum / pairs, 0.5, 0.01);
  EXPECT_LE(highest, 1'000'000u);
  EXPECT_GT(highest, 990'000u);
}

/// The payloads of whole frames; a frame that is none is a failure.
std::vector<std::span<std::byte const>> payloads_of(std::string const& bytes) {
  std::vector<std::span<std::byte const>> payloads;
  recordio::FrameCursor cursor(std::as_bytes(std::span(bytes.data(), bytes.size())));
  for (;;) {
    recordio::Frame const frame = cursor.next();
    if (frame.status != recordio::FrameStatus::ok) {
      EXPECT_EQ(frame.status, recordio::FrameStatus::end);
      return payloads;
    }
    payloads.push_back(frame.payload);
  }
}

std::vector<float> values_of(recordio::TensorView const& tensor) {
  std::vector<float> values(tensor.count);
  EXPECT_TRUE(tensor.copy_to(std::span(values)));
  return values;
}

TEST(SynthSparse, DenseFramesAreRecords) {
  std::string const bytes = synthesize_block("recordio", 1, 0);
  auto const payloads = payloads_of(bytes);
  ASSERT_EQ(payloads.size(), synth_kind("recordio").block_rows);
  EXPECT_EQ(bytes.size(), 156 * payloads.size());
  double sum = 0, square = 0, informed[2] = {}, records[2] = {};
  for (auto const payload : payloads) {
    recordio::RecordResult const result = recordio::decode_record(payload);
    ASSERT_EQ(result.status, recordio::RecordStatus::ok);
    std::vector<float> const features = values_of(result.record.features), label = values_of(result.record.label);
    ASSERT_EQ(features.size(), 28u);
    ASSERT_EQ(label.size(), 1u);
    ASSERT_TRUE(label[0] == 0 || label[0] == 1);
    for (float f : features) ASSERT_TRUE(f >= -2 && f < 2.5f) << f;
    sum += features[0];
    square += features[0] * features[0];
    informed[label[0] == 1] += features[27];
    records[label[0] == 1] += 1;
  }
  auto const count = static_cast<double>(payloads.size());
  EXPECT_NEAR(sum / count, 0, 0.05);
  EXPECT_NEAR(square / count, 2.0 / 3, 0.05);
  EXPECT_NEAR(records[1] / count, 0.5, 0.05);
  EXPECT_NEAR(informed[0] / records[0] - informed[1] / records[1], 0.5, 0.1) << "there is something to learn";
}

/// A sparse record in canonical bytes, written down field by field.
struct SparseReader {
  std::span<std::byte const> rest;

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      auto const byte = static_cast<std::uint64_t>(rest[0]);
      rest = rest.subspan(1);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
  /// The tag, and the length behind it.
  std::uint64_t open(std::uint64_t tag) {
    EXPECT_EQ(varint(), tag);
    return varint();
  }
  std::string text(std::size_t size) {
    std::string const bytes(reinterpret_cast<char const*>(rest.data()), size);
    rest = rest.subspan(size);
    return bytes;
  }
  float number() {
    std::uint32_t const word = recordio::get_word(rest.data());
    rest = rest.subspan(4);
    return std::bit_cast<float>(word);
  }
};

struct SparseRecord {
  std::vector<float> values;
  std::vector<std::uint64_t> keys;
  std::uint64_t columns = 0;
  float label = 0;
};

SparseRecord read_sparse(std::span<std::byte const> payload) {
  SparseRecord record;
  SparseReader reader{payload};
  std::uint64_t const entry = reader.open(0x0a);
  std::size_t const behind_entry = reader.rest.size() - entry;
  EXPECT_EQ(reader.open(0x0a), 6u);
  EXPECT_EQ(reader.text(6), "values");
  for (char const* message : {"Value", "Float32Tensor"}) {
    std::uint64_t const size = reader.open(0x12);
    EXPECT_EQ(size, reader.rest.size() - behind_entry) << message;
  }
  for (std::uint64_t bytes = reader.open(0x0a); bytes > 0; bytes -= 4) record.values.push_back(reader.number());
  std::uint64_t const keys = reader.open(0x12);
  for (std::size_t const end = reader.rest.size() - keys; reader.rest.size() > end;)
    record.keys.push_back(reader.varint());
  EXPECT_EQ(reader.open(0x1a), 3u);
  record.columns = reader.varint();
  EXPECT_EQ(reader.rest.size(), behind_entry);
  EXPECT_EQ(reader.text(16), std::string("\x12\x12\x0a\x06values\x12\x08\x12\x06\x0a\x04"));
  record.label = reader.number();
  EXPECT_TRUE(reader.rest.empty());
  return record;
}

TEST(SynthSparse, SparseFramesAreCanonicalRecords) {
  std::string const bytes = synthesize_block("recordio-sparse", 1, 0);
  auto const payloads = payloads_of(bytes);
  ASSERT_EQ(payloads.size(), synth_kind("recordio-sparse").block_rows);
  std::size_t ones = 0, short_keys = 0;
  std::uint64_t highest = 0;
  for (auto const payload : payloads) {
    ASSERT_EQ(recordio::decode_record(payload).status, recordio::RecordStatus::sparse);
    SparseRecord const record = read_sparse(payload);
    ASSERT_EQ(record.values.size(), 39u);
    ASSERT_EQ(record.keys.size(), 39u);
    EXPECT_EQ(record.columns, 1'000'000u);
    EXPECT_TRUE(record.label == 0 || record.label == 1);
    for (std::size_t i = 1; i < record.keys.size(); ++i) EXPECT_LT(record.keys[i - 1], record.keys[i]);
    EXPECT_LT(record.keys.back(), record.columns);
    for (std::size_t i = 0; i < record.values.size(); ++i) {
      EXPECT_TRUE(i < 13 || record.values[i] == 1) << record.values[i];
      ones += i < 13 && record.values[i] == 1;
    }
    short_keys += record.keys[0] < 16384;
    highest = std::max(highest, record.keys.back());
  }
  EXPECT_LT(ones, 10u) << "13 values are real";
  EXPECT_GT(short_keys, payloads.size() / 2);
  EXPECT_LT(short_keys, payloads.size());
  EXPECT_GT(highest, 999'000u);
  EXPECT_NEAR(static_cast<double>(bytes.size()) / static_cast<double>(payloads.size()), 328, 4);
}

}  // namespace
}  // namespace penstock::app
