#include "formats/recordio/encode.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace penstock;
using recordio::DenseEncoder;
using Memory = std::vector<std::byte>;

Memory hex(std::string const& text) {
  Memory bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += text[i] == ' ' ? 1 : 2)
    if (text[i] != ' ') bytes.push_back(static_cast<std::byte>(std::strtoul(text.substr(i, 2).c_str(), nullptr, 16)));
  return bytes;
}

/// Encodes into a heap block of exactly the size that was asked for, so that a sanitizer sees a byte too many.
Memory encoded(BatchLayout const& layout, Batch const& batch) {
  EXPECT_EQ(DenseEncoder::unsupported(layout), std::nullopt);
  DenseEncoder encoder(layout);
  Memory bytes(batch.rows * encoder.row_bytes_max(), std::byte{0xee});
  bytes.resize(encoder.encode(batch, bytes.data()));
  return bytes;
}

/// The frame of one row of features of type F with labels of type L.
template <class F, class L = float>
Memory frame_of(std::vector<F> const& features, std::vector<L> const& labels = {}) {
  BatchLayout const layout{
      .feature_dtype = dtype_of<F>, .features = features.size(), .labels = labels.size(), .label_dtype = dtype_of<L>};
  BatchBuffer buffer(layout, 1);
  Batch const batch = buffer.view(1);
  std::copy(features.begin(), features.end(), batch.features.as<F>());
  std::copy(labels.begin(), labels.end(), batch.label.as<L>());
  return encoded(layout, batch);
}

TEST(RecordioEncode, WorkedRecords) {
  EXPECT_EQ(frame_of<float>({1.0f, 2.0f, -0.5f}, {1.0f}),
            hex("0a 23 d7 ce 30 00 00 00 0a 1a 0a 06 76 61 6c 75 65 73 12 10 12 0e 0a 0c 00 00 80 3f 00 00 00 40 00 00 "
                "00 bf 12 12 0a 06 76 61 6c 75 65 73 12 08 12 06 0a 04 00 00 80 3f"));
  EXPECT_EQ(frame_of<float>({1.5f}),
            hex("0a 23 d7 ce 14 00 00 00 0a 12 0a 06 76 61 6c 75 65 73 12 08 12 06 0a 04 00 00 c0 3f"));
  EXPECT_EQ((frame_of<double, double>({0.1}, {2.0})),
            hex("0a 23 d7 ce 30 00 00 00 0a 16 0a 06 76 61 6c 75 65 73 12 0c 1a 0a 0a 08 9a 99 99 99 99 99 b9 3f 12 16 "
                "0a 06 76 61 6c 75 65 73 12 0c 1a 0a 0a 08 00 00 00 00 00 00 00 40"));
  EXPECT_EQ((frame_of<std::int32_t, std::int32_t>({-1, 300}, {5})),
            hex("0a 23 d7 ce 2d 00 00 00 0a 1a 0a 06 76 61 6c 75 65 73 12 10 3a 0e 0a 0c ff ff ff ff ff ff ff ff ff 01 "
                "ac 02 12 0f 0a 06 76 61 6c 75 65 73 12 05 3a 03 0a 01 05 00 00 00"));
  EXPECT_EQ(frame_of<float>({1, 0}, {0, 2}),
            hex("0a 23 d7 ce 30 00 00 00 0a 16 0a 06 76 61 6c 75 65 73 12 0c 12 0a 0a 08 00 00 80 3f 00 00 00 00 12 16 "
                "0a 06 76 61 6c 75 65 73 12 0c 12 0a 0a 08 00 00 00 00 00 00 00 40"));
}

TEST(RecordioEncode, NanAndInfinityAreCarriedAsBits) {
  float const nan = std::bit_cast<float>(missing_float32_bits);
  float const infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(frame_of<float>({nan, infinity, -infinity}),
            hex("0a 23 d7 ce 1c 00 00 00 0a 1a 0a 06 76 61 6c 75 65 73 12 10 12 0e 0a 0c 00 00 c0 7f 00 00 80 7f 00 00 "
                "80 ff"));
}

TEST(RecordioEncode, TheMagicAsAValueIsNotEscaped) {
  EXPECT_EQ(frame_of<float>({1.0f, -1804698880.0f, 0.5f}),
            hex("0a 23 d7 ce 1c 00 00 00 0a 1a 0a 06 76 61 6c 75 65 73 12 10 12 0e 0a 0c 00 00 80 3f 0a 23 d7 ce 00 00 "
                "00 3f"));
}

TEST(RecordioEncode, FloatLabelsStandBesideOtherFeatures) {
  EXPECT_EQ((frame_of<std::int32_t>({7}, {1.0f})),
            hex("0a 23 d7 ce 25 00 00 00 0a 0f 0a 06 76 61 6c 75 65 73 12 05 3a 03 0a 01 07 12 12 0a 06 76 61 6c 75 65 "
                "73 12 08 12 06 0a 04 00 00 80 3f 00 00 00"));
  EXPECT_EQ((frame_of<double>({2.0}, {1.0f})),
            hex("0a 23 d7 ce 2c 00 00 00 0a 16 0a 06 76 61 6c 75 65 73 12 0c 1a 0a 0a 08 00 00 00 00 00 00 00 40 12 12 "
                "0a 06 76 61 6c 75 65 73 12 08 12 06 0a 04 00 00 80 3f"));
}

TEST(RecordioEncode, RolesWithoutColumnsHaveNoMap) {
  EXPECT_EQ(frame_of<float>({}, {1.0f}),
            hex("0a 23 d7 ce 14 00 00 00 12 12 0a 06 76 61 6c 75 65 73 12 08 12 06 0a 04 00 00 80 3f"));
  EXPECT_EQ(frame_of<float>({}), hex("0a 23 d7 ce 00 00 00 00"));
}

TEST(RecordioEncode, WeightAndQidAreNotCarried) {
  BatchLayout const plain{.features = 1, .labels = 1};
  BatchLayout const rich{.features = 1, .labels = 1, .has_weight = true, .has_qid = true};
  BatchBuffer buffer(rich, 1);
  Batch const batch = buffer.view(1);
  batch.features.as<float>()[0] = 3;
  batch.label.as<float>()[0] = 4;
  batch.weight.as<float>()[0] = 5;
  batch.qid.as<std::int64_t>()[0] = 6;
  EXPECT_EQ(encoded(rich, batch), encoded(plain, batch));
}

TEST(RecordioEncode, RowsAreIndependent) {
  for (DType dtype : {DType::float32, DType::float64, DType::int32}) {
    BatchLayout const layout{.feature_dtype = dtype, .features = 5, .labels = 2};
    BatchBuffer buffer(layout, 7);
    Batch const batch = buffer.view(7);
    for (std::size_t i = 0; i < 7 * layout.row_bytes(Role::feature); ++i)
      batch.features.data[i] = static_cast<std::byte>(i * 37);
    for (std::size_t i = 0; i < 14; ++i) batch.label.as<float>()[i] = static_cast<float>(i);
    Memory joined;
    for (std::size_t row = 0; row < 7; ++row) {
      Memory const one = encoded(layout, batch.rows_from(row, 1));
      joined.insert(joined.end(), one.begin(), one.end());
    }
    EXPECT_EQ(encoded(layout, batch), joined);
    EXPECT_TRUE(encoded(layout, batch.rows_from(3, 0)).empty());
  }
}

TEST(RecordioEncode, Int32VarintsAtTheirBorders) {
  std::vector<std::int32_t> values;
  for (int bit : {7, 14, 21, 28}) values.insert(values.end(), {(1 << bit) - 1, 1 << bit});
  values.insert(values.end(), {0, std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min()});
  Memory const expected = hex(
      "0a 36 0a 06 76 61 6c 75 65 73 12 2c 3a 2a 0a 28 7f 80 01 ff 7f 80 80 01 ff ff 7f 80 80 80 01 ff ff ff 7f 80 80 "
      "80 80 01 00 ff ff ff ff 07 80 80 80 80 f8 ff ff ff ff 01");
  Memory const frame = frame_of(values);
  EXPECT_EQ(Memory(frame.begin() + 8, frame.end()), expected) << frame.size();
  for (std::int32_t value : values)
    EXPECT_EQ(recordio::int32_varint_bytes(value), recordio::varint_bytes(recordio::varint_of(value))) << value;
}

struct PrefixCase {
  std::uint64_t values;
  std::uint64_t prefix_bytes;
};

TEST(RecordioLayout, PrefixSizesOfFloat32) {
  for (auto const& [n, bytes] : {PrefixCase{1, 16},
                                 {28, 16},
                                 {29, 17},
                                 {30, 17},
                                 {31, 18},
                                 {32, 20},
                                 {4091, 20},
                                 {4092, 21},
                                 {4094, 21},
                                 {4095, 22},
                                 {4096, 24},
                                 {524282, 24},
                                 {524283, 25},
                                 {524285, 25},
                                 {524286, 26},
                                 {524287, 27},
                                 {524288, 28},
                                 {1000000, 28}}) {
    EXPECT_EQ(recordio::entry_layout(4 * n).prefix, bytes) << n;
  }
}

TEST(RecordioLayout, PrefixSizesOfFloat64) {
  for (auto const& [n, bytes] : {PrefixCase{1, 16},
                                 {14, 16},
                                 {15, 17},
                                 {16, 20},
                                 {2045, 20},
                                 {2046, 21},
                                 {2047, 21},
                                 {2048, 24},
                                 {262141, 24},
                                 {262142, 25},
                                 {262143, 26},
                                 {262144, 28}}) {
    EXPECT_EQ(recordio::entry_layout(8 * n).prefix, bytes) << n;
  }
}

TEST(RecordioLayout, PrefixIsAsLongAsItsSizeSays) {
  for (std::uint64_t n : {1u, 28u, 29u, 31u, 32u, 4091u, 4092u, 4095u, 4096u, 524282u, 524283u, 524286u, 524287u}) {
    Memory bytes(recordio::prefix_bytes_max);
    auto const layout = recordio::entry_layout(4 * n);
    std::byte* const end = recordio::put_entry_prefix(bytes.data(), {recordio::features_field, DType::float32}, layout);
    EXPECT_EQ(static_cast<std::uint64_t>(end - bytes.data()), layout.prefix) << n;
  }
}

TEST(RecordioLayout, FrameSizesOfKnownWidths) {
  struct Case {
    std::size_t features;
    std::uint64_t payload_bytes;
    std::uint64_t frame_bytes;
  };
  for (auto const& [features, payload_bytes, frame_bytes] :
       {Case{28, 148, 156}, {784, 3176, 3184}, {1000000, 4000048, 4000056}}) {
    BatchLayout const layout{.features = features, .labels = 1};
    EXPECT_EQ(recordio::record_layout_max(layout).payload(), payload_bytes);
    EXPECT_EQ(DenseEncoder(layout).row_bytes_max(), frame_bytes);
  }
}

TEST(RecordioEncode, LongPrefixesAreWritten) {
  for (std::size_t n : {524282u, 524283u, 524288u}) {
    std::vector<float> values(n, 1.0f);
    values.back() = 2.0f;
    Memory const frame = frame_of<float>(values, {3.0f});
    auto const layout = recordio::record_layout(4 * n, 4);
    ASSERT_EQ(frame.size(), layout.frame());
    EXPECT_EQ(recordio::get_word(frame.data() + 4), layout.payload());
    std::size_t const first = 8 + layout.features.prefix;
    EXPECT_EQ(recordio::get_word(frame.data() + first), std::bit_cast<std::uint32_t>(1.0f));
    EXPECT_EQ(recordio::get_word(frame.data() + first + 4 * (n - 1)), std::bit_cast<std::uint32_t>(2.0f));
    EXPECT_EQ(frame[first + 4 * n], std::byte{0x12});
  }
}

TEST(RecordioEncode, UnsupportedLayoutsSayWhy) {
  auto const reason = [](BatchLayout const& layout) { return DenseEncoder::unsupported(layout).value_or(""); };
  EXPECT_NE(reason({.feature_dtype = DType::int64, .features = 1}).find("int64 features"), std::string::npos);
  EXPECT_NE(reason({.features = 1, .labels = 1, .label_dtype = DType::int64}).find("int64 label"), std::string::npos);
  EXPECT_EQ(reason({.feature_dtype = DType::int64, .labels = 1}), "");
  std::size_t const float_max = ((std::size_t{1} << 29) - 1 - recordio::prefix_bytes_max) / 4;
  EXPECT_EQ(reason({.features = float_max}), "");
  EXPECT_NE(reason({.features = float_max + 1}).find("512 MiB"), std::string::npos);
  EXPECT_NE(reason({.features = float_max, .labels = 1}).find("512 MiB"), std::string::npos);
  EXPECT_NE(reason({.feature_dtype = DType::int32, .features = 53687088}).find("512 MiB"), std::string::npos);
  EXPECT_EQ(reason({.feature_dtype = DType::int32, .features = 53687087}), "");
  EXPECT_NE(reason({.features = std::numeric_limits<std::size_t>::max()}).find("512 MiB"), std::string::npos);
}

}  // namespace
