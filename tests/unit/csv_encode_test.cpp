#include "formats/csv/encode.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

using penstock::Batch;
using penstock::BatchBuffer;
using penstock::BatchLayout;
using penstock::DType;
using penstock::csv::header_line;
using penstock::csv::RowEncoder;

constexpr float missing = std::bit_cast<float>(penstock::missing_float32_bits);
constexpr float infinity = std::numeric_limits<float>::infinity();

std::string text_of(BatchLayout const& layout, Batch const& batch, char delimiter = ',') {
  EXPECT_EQ(RowEncoder::unsupported(layout, delimiter), std::nullopt);
  RowEncoder encoder(layout, delimiter);
  // A heap block of exactly the size that was asked for, so that a sanitizer sees a byte too many.
  std::vector<std::byte> bytes(batch.rows * encoder.row_bytes_max());
  std::size_t const size = encoder.encode(batch, bytes.data());
  EXPECT_LE(size, bytes.size());
  return {reinterpret_cast<char const*>(bytes.data()), size};
}

/// One row of features of type T, nothing else.
template <class T>
std::string row_of(std::vector<T> const& values, char delimiter = ',') {
  BatchLayout const layout{.feature_dtype = penstock::dtype_of<T>, .features = values.size()};
  BatchBuffer buffer(layout, 1);
  Batch const batch = buffer.view(1);
  std::copy(values.begin(), values.end(), batch.features.as<T>());
  return text_of(layout, batch, delimiter);
}

TEST(CsvEncode, ColumnsComeLabelsWeightQidFeatures) {
  BatchLayout const layout{.features = 2, .labels = 2, .has_weight = true, .has_qid = true};
  BatchBuffer buffer(layout, 2);
  Batch const batch = buffer.view(2);
  for (int i = 0; i < 4; ++i) {
    batch.label.as<float>()[i] = static_cast<float>(i);
    batch.features.as<float>()[i] = static_cast<float>(i) + 0.5f;
  }
  batch.weight.as<float>()[0] = 0.25f;
  batch.weight.as<float>()[1] = 4;
  batch.qid.as<std::int64_t>()[0] = 7;
  batch.qid.as<std::int64_t>()[1] = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(text_of(layout, batch), "0,1,0.25,7,0.5,1.5\n2,3,4,-9223372036854775808,2.5,3.5\n");
}

TEST(CsvEncode, FloatsAreTheShortestTextThatRoundTrips) {
  EXPECT_EQ(row_of<float>({0.1f, 1.0f, -0.0f, 16777216.0f, 1e10f, -1.1754944e-38f}),
            "0.1,1,-0,16777216,1e+10,-1.1754944e-38\n");
  EXPECT_EQ(row_of<float>({std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::max()}),
            "1e-45,3.4028235e+38\n");
  EXPECT_EQ(row_of<double>({0.1, -2.2250738585072014e-308, 1.0 / 3}),
            "0.1,-2.2250738585072014e-308,0.3333333333333333\n");
}

TEST(CsvEncode, MissingIsEmptyAndInfinityIsSpelled) {
  EXPECT_EQ(row_of<float>({missing, 1, missing}), ",1,\n");
  EXPECT_EQ(row_of<float>({missing, missing}), ",\n");
  EXPECT_EQ(row_of<float>({infinity, -infinity, -missing}), "inf,-inf,\n");
  double const wide = std::bit_cast<double>(penstock::missing_float64_bits);
  EXPECT_EQ(row_of<double>({wide, HUGE_VAL, -HUGE_VAL}), ",inf,-inf\n");
}

TEST(CsvEncode, IntegersArePlain) {
  EXPECT_EQ(row_of<std::int32_t>({0, -1, 2147483647, std::numeric_limits<std::int32_t>::min()}),
            "0,-1,2147483647,-2147483648\n");
  EXPECT_EQ(row_of<std::int64_t>({9223372036854775807}), "9223372036854775807\n");
}

TEST(CsvEncode, NoLineIsBlank) {
  EXPECT_EQ(row_of<float>({missing}), "\"\"\n");
  BatchLayout const only_label{.labels = 1};
  BatchBuffer buffer(only_label, 3);
  Batch const batch = buffer.view(3);
  batch.label.as<float>()[0] = missing;
  batch.label.as<float>()[1] = 2;
  batch.label.as<float>()[2] = missing;
  EXPECT_EQ(text_of(only_label, batch), "\"\"\n2\n\"\"\n");
}

TEST(CsvEncode, NoRowsAreNoBytes) {
  BatchLayout const layout{.features = 3};
  BatchBuffer buffer(layout, 1);
  EXPECT_EQ(text_of(layout, buffer.view(0)), "");
}

TEST(CsvEncode, DelimiterIsOneByteThatNumbersDoNotHave) {
  EXPECT_EQ(row_of<float>({1.5f, missing, -infinity}, ';'), "1.5;;-inf\n");
  EXPECT_EQ(row_of<float>({1, 2}, '\t'), "1\t2\n");
  BatchLayout const layout{.features = 1};
  for (char c : std::string("+-.0123456789efin\"\r\n") + '\0')
    EXPECT_TRUE(RowEncoder::unsupported(layout, c)) << int{c};
  for (char c : std::string(",;\t |:x")) EXPECT_FALSE(RowEncoder::unsupported(layout, c)) << c;
}

TEST(CsvEncode, RowsNeedAColumn) { EXPECT_TRUE(RowEncoder::unsupported(BatchLayout{})); }

TEST(CsvEncode, WholeNumbersAreWrittenAsTheLibraryWritesThem) {
  std::vector<float> values;
  for (int i = -100100; i <= 100100; i += 1 + (std::abs(i) < 99000 ? 12 : 0)) values.push_back(static_cast<float>(i));
  std::string expected;
  char text[32];
  for (float value : values) expected.append(text, std::to_chars(text, text + 32, value).ptr) += ',';
  expected.back() = '\n';
  EXPECT_EQ(row_of(values), expected);
}

/// Random bit patterns: every text fits its bound and reads back as the same bits.
template <class T, class Bits>
void expect_round_trip(unsigned seed) {
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20000; ++i) {
    T const value = std::bit_cast<T>(static_cast<Bits>(random()));
    if (!std::isfinite(value)) continue;
    std::string const text = row_of<T>({value});
    T back{};
    auto const result = std::from_chars(text.data(), text.data() + text.size(), back);
    ASSERT_EQ(*result.ptr, '\n') << text;
    ASSERT_EQ(std::bit_cast<Bits>(back), std::bit_cast<Bits>(value)) << text;
  }
}

TEST(CsvEncode, RandomFloat32RoundTrips) { expect_round_trip<float, std::uint32_t>(1); }
TEST(CsvEncode, RandomFloat64RoundTrips) { expect_round_trip<double, std::uint64_t>(2); }

TEST(CsvHeader, QuotesWhatNeedsThem) {
  EXPECT_EQ(header_line(std::vector<std::string>{"label", "petal width", "x"}), "label,petal width,x\n");
  EXPECT_EQ(header_line(std::vector<std::string>{"a,b", "say \"hi\"", "two\nlines", "cr\r"}),
            "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\"cr\r\"\n");
  EXPECT_EQ(header_line(std::vector<std::string>{" a", "b\t", ""}), "\" a\",\"b\t\",\"\"\n");
  EXPECT_EQ(header_line(std::vector<std::string>{"a;b", "a,b"}, ';'), "\"a;b\";a,b\n");
  EXPECT_EQ(header_line(std::vector<std::string>{""}), "\"\"\n");
}

}  // namespace
