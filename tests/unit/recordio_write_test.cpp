// Rows of every layout to records: bytes by hand, bounds, and back again.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "formats/core/block.hpp"
#include "formats/recordio/format.hpp"
#include "tests/support/format_run.hpp"

namespace {

using namespace penstock;
using namespace penstock::recordio;
using penstock::testing::RunRow;
using penstock::testing::RunSizes;
using Memory = std::vector<std::byte>;

std::string hex(std::string const& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += text[i] == ' ' ? 1 : 2)
    if (text[i] != ' ') bytes += static_cast<char>(std::strtoul(text.substr(i, 2).c_str(), nullptr, 16));
  return bytes;
}

/// Rows that are put together value by value.
class Rows {
 public:
  Rows(BatchLayout const& layout, BatchCapacity const& capacity) : layout_(layout), buffer_(layout, capacity) {}

  template <class T>
  Rows& pairs(std::vector<std::pair<std::int64_t, T>> const& pairs) {
    Csr const& csr = view_().csr;
    auto at = static_cast<std::size_t>(csr.indptr[rows_]);
    for (auto const& [index, value] : pairs) {
      csr.indices[at] = index;
      csr.values_as<T>()[at++] = value;
    }
    csr.indptr[rows_ + 1] = static_cast<std::int64_t>(at);
    return *this;
  }
  Rows& features(std::vector<float> const& values) {
    std::copy(values.begin(), values.end(), view_().features.as<float>() + rows_ * layout_.features);
    return *this;
  }
  Rows& labels(std::vector<float> const& values) {
    if (!layout_.labels_vary) {
      std::copy(values.begin(), values.end(), view_().label.as<float>() + rows_ * layout_.labels);
      return *this;
    }
    Ragged const& labels = view_().labels;
    std::copy(values.begin(), values.end(), labels.as<float>() + labels.offsets[rows_]);
    labels.offsets[rows_ + 1] = labels.offsets[rows_] + static_cast<std::int64_t>(values.size());
    return *this;
  }
  Rows& texts(std::string const& uid, std::string const& metadata) {
    if (layout_.has_uid) text(view_().uid, uid);
    if (layout_.has_metadata) text(view_().metadata, metadata);
    return *this;
  }
  void next() { ++rows_; }
  [[nodiscard]] Batch batch() const { return buffer_.view(rows_); }

 private:
  [[nodiscard]] Batch view_() const { return buffer_.view(buffer_.rows_max()); }
  void text(Texts const& texts, std::string const& what) const {
    if (!what.empty()) std::memcpy(texts.bytes + texts.offsets[rows_], what.data(), what.size());
    texts.offsets[rows_ + 1] = texts.offsets[rows_] + static_cast<std::int64_t>(what.size());
  }
  BatchLayout layout_;
  BatchBuffer buffer_;
  std::size_t rows_ = 0;
};

/// Encodes into a block of exactly the bytes that were promised to be enough.
std::string written(BatchLayout const& layout, Batch const& batch, WriteOptions const& options = {}) {
  EXPECT_FALSE(unsupported(layout, capacity_of(batch), options).has_value());
  Writer writer(layout, options);
  Memory bytes(writer.bytes_max(capacity_of(batch)));
  std::size_t const size = writer.encode(batch, bytes.data());
  EXPECT_LE(size, bytes.size());
  return {reinterpret_cast<char const*>(bytes.data()), size};
}

BatchLayout sparse_layout(std::size_t width, std::size_t labels) {
  BatchLayout layout;
  layout.is_sparse = true;
  layout.features = width;
  layout.labels = labels;
  return layout;
}

TEST(RecordioWrite, SparseRows) {
  Rows rows(sparse_layout(1000, 1), {2, 2, 0, 0, 0});
  rows.pairs<float>({{1, 3.5f}, {300, -1.0f}}).labels({0}).next();
  rows.pairs<float>({}).labels({1}).next();
  EXPECT_EQ(
      written(sparse_layout(1000, 1), rows.batch()),
      hex("0a 23 d7 ce 35 00 00 00 0a 1f 0a 06 76 61 6c 75 65 73 12 15 12 13 0a 08 00 00 60 40 00 00 80 bf 12 03 01 "
          "ac 02 1a 02 e8 07 12 12 0a 06 76 61 6c 75 65 73 12 08 12 06 0a 04 00 00 00 00 00 00 00") +
          hex("0a 23 d7 ce 26 00 00 00 0a 10 0a 06 76 61 6c 75 65 73 12 06 12 04 1a 02 e8 07 12 12 0a 06 76 61 6c "
              "75 65 73 12 08 12 06 0a 04 00 00 80 3f 00 00"));
}

TEST(RecordioWrite, EmptySparseRows) {
  Rows rows(sparse_layout(1000, 0), {1, 0, 0, 0, 0});
  rows.pairs<float>({}).next();
  auto const with = [&](EmptySparse empty) {
    return written(sparse_layout(1000, 0), rows.batch(), {empty, Escape::none});
  };
  EXPECT_EQ(with(EmptySparse::shape),
            hex("0a 23 d7 ce 12 00 00 00 0a 10 0a 06 76 61 6c 75 65 73 12 06 12 04 1a 02 e8 07 00 00"));
  EXPECT_EQ(with(EmptySparse::zero),
            hex("0a 23 d7 ce 1b 00 00 00 0a 19 0a 06 76 61 6c 75 65 73 12 0f 12 0d 0a 04 00 00 00 00 "
                "12 01 00 1a 02 e8 07 00"));
  EXPECT_EQ(with(EmptySparse::nan),
            hex("0a 23 d7 ce 1b 00 00 00 0a 19 0a 06 76 61 6c 75 65 73 12 0f 12 0d 0a 04 00 00 c0 7f "
                "12 01 00 1a 02 e8 07 00"));
  BatchLayout wide = sparse_layout(1000, 0);
  wide.feature_dtype = DType::float64;
  Rows wides(wide, {1, 0, 0, 0, 0});
  wides.pairs<double>({}).next();
  EXPECT_EQ(written(wide, wides.batch(), {EmptySparse::nan, Escape::none}),
            hex("0a 23 d7 ce 1f 00 00 00 0a 1d 0a 06 76 61 6c 75 65 73 12 13 1a 11 0a 08 00 00 00 00 00 00 f8 7f "
                "12 01 00 1a 02 e8 07 00"));
}

TEST(RecordioWrite, Int32Pairs) {
  BatchLayout layout = sparse_layout(5, 0);
  layout.feature_dtype = DType::int32;
  Rows rows(layout, {1, 2, 0, 0, 0});
  rows.pairs<std::int32_t>({{0, -1}, {4, 300}}).next();
  EXPECT_EQ(
      written(layout, rows.batch()),
      hex("0a 23 d7 ce 23 00 00 00 0a 21 0a 06 76 61 6c 75 65 73 12 17 3a 15 0a 0c ff ff ff ff ff ff ff ff ff 01 ac 02 "
          "12 02 00 04 1a 01 05 00"));
}

TEST(RecordioWrite, TextsAndListsOfLabels) {
  BatchLayout layout;
  layout.features = 1;
  layout.labels_vary = layout.has_uid = layout.has_metadata = true;
  Rows rows(layout, {2, 0, 2, 2, 2});
  rows.features({1}).labels({}).texts("a1", "{}").next();
  rows.features({2}).labels({0, 2}).texts("", "").next();
  EXPECT_EQ(
      written(layout, rows.batch()),
      hex("0a 23 d7 ce 1c 00 00 00 0a 12 0a 06 76 61 6c 75 65 73 12 08 12 06 0a 04 00 00 80 3f 1a 02 61 31 22 02 7b "
          "7d") +
          hex("0a 23 d7 ce 2c 00 00 00 0a 12 0a 06 76 61 6c 75 65 73 12 08 12 06 0a 04 00 00 00 40 12 16 0a 06 76 61 "
              "6c 75 65 73 12 0c 12 0a 0a 08 00 00 00 00 00 00 00 40"));
}

TEST(RecordioWrite, RowsInTheMiddleOfABatch) {
  BatchLayout layout = sparse_layout(70000, 1);
  layout.has_uid = true;
  Rows rows(layout, {3, 4, 0, 3, 0});
  rows.pairs<float>({{5, 1.0f}, {69999, 2.0f}}).labels({1}).texts("a", "").next();
  rows.pairs<float>({{128, 3.0f}, {16384, 4.0f}}).labels({0}).texts("b", "").next();
  rows.pairs<float>({}).labels({1}).texts("c", "").next();
  std::string apart;
  for (std::size_t row = 0; row < 3; ++row) apart += written(layout, rows.batch().rows_from(row, 1));
  EXPECT_EQ(written(layout, rows.batch()), apart);
}

// The first vectors are those of dmlc's own writer.
TEST(RecordioWrite, SplitsAtAlignedMagics) {
  std::pair<char const*, char const*> const vectors[] = {
      {"", "0a 23 d7 ce 00 00 00 00"},
      {"61 62 63", "0a 23 d7 ce 03 00 00 00 61 62 63 00"},
      {"0a 23 d7 ce", "0a 23 d7 ce 00 00 00 20 0a 23 d7 ce 00 00 00 60"},
      {"0a 23 d7 ce 61 62", "0a 23 d7 ce 00 00 00 20 0a 23 d7 ce 02 00 00 60 61 62 00 00"},
      {"61 62 63 64 0a 23 d7 ce", "0a 23 d7 ce 04 00 00 20 61 62 63 64 0a 23 d7 ce 00 00 00 60"},
      {"0a 23 d7 ce 0a 23 d7 ce", "0a 23 d7 ce 00 00 00 20 0a 23 d7 ce 00 00 00 40 0a 23 d7 ce 00 00 00 60"},
      {"61 0a 23 d7 ce", "0a 23 d7 ce 05 00 00 00 61 0a 23 d7 ce 00 00 00"},
      {"61 62 63 64 0a 23 d7 ce 65", "0a 23 d7 ce 04 00 00 20 61 62 63 64 0a 23 d7 ce 01 00 00 60 65 00 00 00"},
  };
  for (auto const& [payload_text, framed_text] : vectors) {
    std::string const payload = hex(payload_text);
    Memory bytes(escaped_bytes_max(frame_bytes(payload.size())));
    std::byte* end = put_header(bytes.data(), static_cast<std::uint32_t>(payload.size()));
    if (!payload.empty()) std::memcpy(end, payload.data(), payload.size());
    end = penstock::recordio::detail::put_pad(split_at_magics(bytes.data(), payload.size()), payload.size());
    std::string const framed(reinterpret_cast<char const*>(bytes.data()), static_cast<std::size_t>(end - bytes.data()));
    EXPECT_EQ(framed, hex(framed_text)) << payload_text;
    Joiner joiner;
    Bytes const frames(bytes.data(), end);
    RecordFrames const record = frames_at(frames);
    Bytes const joined = record.is_split ? joiner.join(frames, true) : record.payload;
    EXPECT_EQ(std::string(reinterpret_cast<char const*>(joined.data()), joined.size()), payload) << payload_text;
    EXPECT_EQ(record.size_bytes, framed.size());
  }
}

TEST(RecordioWrite, EscapesOnlyWhenAsked) {
  BatchLayout layout;
  layout.features = 3;
  Rows rows(layout, {1, 0, 0, 0, 0});
  rows.features({1.0f, -1804698880.0f, 0.5f}).next();
  EXPECT_EQ(written(layout, rows.batch()), hex("0a 23 d7 ce 1c 00 00 00 0a 1a 0a 06 76 61 6c 75 65 73 12 10 12 0e 0a "
                                               "0c 00 00 80 3f 0a 23 d7 ce 00 00 00 3f"));
  EXPECT_EQ(
      written(layout, rows.batch(), {EmptySparse::shape, Escape::dmlc}),
      hex("0a 23 d7 ce 14 00 00 20 0a 1a 0a 06 76 61 6c 75 65 73 12 10 12 0e 0a 0c 00 00 80 3f 0a 23 d7 ce 04 00 00 60 "
          "00 00 00 3f"));
}

// --- random rows -----------------------------------------------------------------------------------------------------

using Random = std::mt19937_64;
std::size_t below(Random& random, std::size_t limit) { return static_cast<std::size_t>(random() % limit); }

BatchLayout random_layout(Random& random) {
  constexpr DType types[] = {DType::float32, DType::float64, DType::int32};
  constexpr std::size_t widths[] = {1, 2, 127, 128, 129, 16384, 16385, 2097153, 268435457, std::size_t{1} << 40};
  BatchLayout layout;
  layout.is_sparse = below(random, 3) != 0;
  layout.features = layout.is_sparse ? widths[below(random, 10)] : 1 + below(random, 9);
  layout.feature_dtype = types[below(random, 3)];
  layout.label_dtype = types[below(random, 3)];
  layout.labels_vary = below(random, 3) == 0;
  layout.labels = layout.labels_vary ? 0 : below(random, 3);
  layout.has_uid = below(random, 3) == 0;
  layout.has_metadata = below(random, 3) == 0;
  return layout;
}

void fill(Random& random, std::byte* values, DType type, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t bits = below(random, 3) == 0 ? magic : random();
    if (type == DType::int32) bits = static_cast<std::uint32_t>(static_cast<std::int32_t>(bits) >> below(random, 32));
    std::memcpy(values + i * size_bytes(type), &bits, size_bytes(type));
  }
}

void fill_offsets(Random& random, std::int64_t* offsets, std::size_t rows, std::size_t most) {
  for (std::size_t row = 0; row < rows; ++row)
    offsets[row + 1] = offsets[row] + static_cast<std::int64_t>(below(random, most + 1));
}

void fill(Random& random, BatchLayout const& layout, Batch const& batch) {
  for (Role const role : {Role::feature, Role::label})
    fill(random, batch.tensor(role).data, layout.dtype(role), batch.rows * layout.columns(role));
  if (layout.labels_vary) {
    fill_offsets(random, batch.labels.offsets, batch.rows, 3);
    fill(random, batch.labels.values, layout.label_dtype, static_cast<std::size_t>(batch.labels.offsets[batch.rows]));
  }
  for (Texts const& texts : {batch.uid, batch.metadata}) {
    if (texts.offsets == nullptr) continue;
    fill_offsets(random, texts.offsets, batch.rows, 5);
    for (std::int64_t i = 0; i < texts.offsets[batch.rows]; ++i) texts.bytes[i] = static_cast<char>(random());
  }
  if (!layout.is_sparse) return;
  fill_offsets(random, batch.csr.indptr, batch.rows, std::min<std::size_t>(layout.features, 8));
  for (std::size_t row = 0; row < batch.rows; ++row) {
    Extent const pairs = batch.csr.row(row);
    std::size_t const stride = pairs.size() == 0 ? 1 : layout.features / pairs.size();
    for (std::size_t i = pairs.begin; i < pairs.end; ++i)
      batch.csr.indices[i] = static_cast<std::int64_t>((i - pairs.begin) * stride + below(random, stride));
  }
  fill(random, batch.csr.values, layout.feature_dtype, batch.csr.pairs().end);
}

TEST(RecordioWrite, RandomRowsComeBack) {
  Random random(11);
  for (int round = 0; round < 300; ++round) {
    BatchLayout const layout = random_layout(random);
    std::size_t const rows = 1 + below(random, 6);
    BatchBuffer const buffer(layout, {rows, 8 * rows, 3 * rows, 5 * rows, 5 * rows});
    Batch const batch = buffer.view(rows);
    fill(random, layout, batch);
    WriteOptions const options{EmptySparse::shape, below(random, 2) == 0 ? Escape::dmlc : Escape::none};
    std::string const bytes = written(layout, batch, options);
    Plan plan;
    plan.layout = layout;
    plan.requires_shape = layout.is_sparse;
    auto const run = penstock::testing::run_format<Format, Portable>(plan, bytes, 1 << 20, RunSizes{});
    ASSERT_TRUE(run.faults.empty()) << round;
    ASSERT_EQ(run.rows.size(), rows);
    for (std::size_t row = 0; row < rows; ++row)
      ASSERT_EQ(penstock::testing::words(run.rows[row]),
                penstock::testing::words(penstock::testing::row_of(batch, row)))
          << round;
  }
}

TEST(RecordioWrite, BoundsAreLinear) {
  Random random(12);
  for (int round = 0; round < 50; ++round) {
    BatchLayout const layout = random_layout(random);
    Writer const writer(layout, {});
    BatchCapacity const a{2, 3, 4, 5, 6}, b{7, 11, 13, 17, 19}, sum{9, 14, 17, 22, 25};
    EXPECT_EQ(writer.bytes_max(a) + writer.bytes_max(b), writer.bytes_max(sum));
  }
}

TEST(RecordioWrite, SaysWhatCannotBeWritten) {
  auto const why = [](BatchLayout const& layout, BatchCapacity const& record, WriteOptions const& options = {}) {
    auto const problem = unsupported(layout, record, options);
    return problem ? problem->message : "";
  };
  BatchCapacity const small{1, 10, 10, 10, 10};
  EXPECT_EQ(why(sparse_layout(10, 1), small), "");
  EXPECT_NE(why(sparse_layout(0, 1), small).find("how many features"), std::string::npos);
  EXPECT_NE(why(sparse_layout(10, 1), {1, 200000000, 0, 0, 0}).find("512 MiB"), std::string::npos);
  EXPECT_NE(why(sparse_layout(10, 1), {1, ~std::size_t{0}, 0, 0, 0}).find("512 MiB"), std::string::npos);
  EXPECT_EQ(why(sparse_layout(10, 1), {1, 100000000, 0, 0, 0}), "");
  BatchLayout integers = sparse_layout(10, 1);
  integers.feature_dtype = DType::int32;
  EXPECT_EQ(why(integers, small, {EmptySparse::zero, Escape::none}), "");
  EXPECT_NE(why(integers, small, {EmptySparse::nan, Escape::none}).find("NaN"), std::string::npos);
  integers.feature_dtype = DType::int64;
  EXPECT_NE(why(integers, small).find("int64 features"), std::string::npos);
  BatchLayout wide;
  wide.features = std::size_t{1} << 28;
  EXPECT_NE(why(wide, small).find("512 MiB"), std::string::npos);
  wide.features = 1;
  wide.has_metadata = true;
  EXPECT_NE(why(wide, {1, 0, 0, 0, 600000000}).find("512 MiB"), std::string::npos);
}

}  // namespace
