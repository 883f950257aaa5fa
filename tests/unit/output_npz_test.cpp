// Arrays of sparse features and of labels whose number varies.

#include "formats/dense/npy.hpp"
#include "formats/dense/zip.hpp"
#include "host/io/output.hpp"
#include "penstock/error.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {
namespace {

std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// A pipe: what was written cannot be replaced.
class PipeSink final : public Sink {
 public:
  explicit PipeSink(std::string& content) : content_(content) {}
  void write(std::span<std::byte const> bytes) override {
    content_.append(reinterpret_cast<char const*>(bytes.data()), bytes.size());
  }
  void commit() override {}

 private:
  std::string& content_;
};

struct Row {
  std::vector<std::int64_t> indices;
  std::vector<float> labels;
};

/// CSR features of float32 whose values are 1, 2, 3 and so on, and ragged labels, both from an offset on that is not 0.
class Rows {
 public:
  Rows(BatchLayout const& layout, std::vector<Row> const& rows) : rows_(rows.size()) {
    BatchCapacity capacity{rows.size(), lead, lead, 0, 0};
    for (Row const& row : rows) capacity.pairs += row.indices.size(), capacity.labels += row.labels.size();
    buffer_ = BatchBuffer(layout, capacity);
    Batch const batch = buffer_.view(rows_);
    for (std::int64_t* offsets : {batch.csr.indptr, batch.labels.offsets})
      if (offsets != nullptr) offsets[0] = lead;
    for (std::size_t i = 0; i < rows.size(); ++i) put(batch, i, rows[i]);
  }
  [[nodiscard]] Batch batch() const { return buffer_.view(rows_); }

 private:
  static constexpr std::size_t lead = 2;

  static void put(Batch const& batch, std::size_t i, Row const& row) {
    if (batch.csr.indptr != nullptr) {
      auto k = static_cast<std::size_t>(batch.csr.indptr[i]);
      for (std::int64_t index : row.indices) {
        batch.csr.indices[k] = index;
        batch.csr.values_as<float>()[k] = static_cast<float>(k - lead + 1);
        ++k;
      }
      batch.csr.indptr[i + 1] = static_cast<std::int64_t>(k);
    }
    if (batch.labels.offsets != nullptr) {
      auto k = static_cast<std::size_t>(batch.labels.offsets[i]);
      for (float label : row.labels) batch.labels.as<float>()[k++] = label;
      batch.labels.offsets[i + 1] = static_cast<std::int64_t>(k);
    }
    if (batch.label.columns == 1) batch.label.as<float>()[i] = static_cast<float>(i);
    if (batch.qid.columns == 1) batch.qid.as<std::int64_t>()[i] = static_cast<std::int64_t>(i / 2);
  }

  BatchBuffer buffer_;
  std::size_t rows_;
};

BatchLayout sparse_layout(std::size_t columns) {
  BatchLayout layout;
  layout.is_sparse = true;
  layout.features = columns;
  return layout;
}

void write_rounds(Output& output, Batch const& batch, std::size_t rows_a_round) {
  Round empty;
  output.write(empty);
  for (std::size_t row = 0; row < batch.rows; row += rows_a_round) {
    Round round;
    round.batch = batch.rows_from(row, std::min(rows_a_round, batch.rows - row));
    output.write(round);
  }
  output.finish();
}

/// The archive that the rows become.
std::string archive_of(BatchLayout const& layout, std::vector<Row> const& rows, std::size_t rows_a_round,
                       bool is_pipe = false) {
  testing::ScratchFolder const folder;
  Rows const batch(layout, rows);
  OutputOptions options;
  options.path = folder.at("x.npz");
  options.kind = OutputKind::npz;
  options.layout = layout;
  std::string piped;
  OutputFiles files;
  if (is_pipe) files.open = [&](std::string const&, SinkOptions const&) { return std::make_unique<PipeSink>(piped); };
  write_rounds(*make_output(options, files), batch.batch(), rows_a_round);
  return is_pipe ? piped : folder.get("x.npz");
}

std::vector<std::string> names_in(std::string const& archive) {
  std::vector<std::string> names;
  zip::Entries entries(bytes_of(archive));
  for (zip::Entry entry; entries.next(entry);) names.emplace_back(entry.name);
  EXPECT_EQ(entries.status(), zip::Status::ok);
  return names;
}

std::string_view member_of(std::string const& archive, std::string_view name) {
  zip::Entry entry;
  EXPECT_EQ(zip::find(bytes_of(archive), name, entry), zip::Status::ok) << name;
  EXPECT_TRUE(zip::has_intact_data(bytes_of(archive), entry)) << name;
  return std::string_view(archive).substr(entry.data_offset_bytes, entry.stored_bytes);
}

/// The elements of a vector, which must have the type of T.
template <class T>
std::vector<T> vector_of(std::string const& archive, std::string_view name) {
  std::string_view const file = member_of(archive, name);
  npy::Parsed const parsed = npy::parse_header(bytes_of(file));
  EXPECT_EQ(parsed.status, npy::Status::ok) << name;
  EXPECT_EQ(parsed.array.dtype, dtype_of<T>) << name;
  EXPECT_EQ(parsed.array.dimensions, 1u) << name;
  std::string_view const data = file.substr(parsed.data_offset_bytes);
  EXPECT_EQ(data.size(), parsed.array.data_bytes()) << name;
  std::vector<T> values(data.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), data.data(), data.size());
  return values;
}

std::vector<Row> some_rows() { return {{{0, 3}, {}}, {{}, {1, 2}}, {{1, 2, 4}, {3}}, {{}, {}}}; }

using Integers = std::vector<std::int32_t>;
using LongIntegers = std::vector<std::int64_t>;
using Floats = std::vector<float>;

TEST(OutputNpzSparse, HoldsWhatScipyAsksFor) {
  BatchLayout layout = sparse_layout(5);
  layout.labels = 1;
  layout.has_qid = true;
  std::string const archive = archive_of(layout, some_rows(), 10);
  EXPECT_EQ(names_in(archive), (std::vector<std::string>{"data.npy", "indices.npy", "indptr.npy", "format.npy",
                                                         "shape.npy", "label.npy", "qid.npy"}));
  EXPECT_EQ(vector_of<float>(archive, "data.npy"), (Floats{1, 2, 3, 4, 5}));
  EXPECT_EQ(vector_of<std::int32_t>(archive, "indices.npy"), (Integers{0, 3, 1, 2, 4}));
  EXPECT_EQ(vector_of<std::int32_t>(archive, "indptr.npy"), (Integers{0, 2, 2, 5, 5}));
  EXPECT_EQ(vector_of<std::int64_t>(archive, "shape.npy"), (LongIntegers{4, 5}));
  EXPECT_EQ(npy::parse_text(bytes_of(member_of(archive, "format.npy"))), "csr");
  EXPECT_EQ(vector_of<float>(archive, "label.npy"), (Floats{0, 1, 2, 3}));
  EXPECT_EQ(vector_of<std::int64_t>(archive, "qid.npy"), (LongIntegers{0, 0, 1, 1}));
}

TEST(OutputNpzSparse, NoRowsAndEmptyRows) {
  for (bool is_pipe : {false, true}) {
    std::string archive = archive_of(sparse_layout(5), {}, 1, is_pipe);
    EXPECT_EQ(vector_of<std::int32_t>(archive, "indptr.npy"), Integers{0});
    EXPECT_TRUE(vector_of<float>(archive, "data.npy").empty());
    EXPECT_EQ(vector_of<std::int64_t>(archive, "shape.npy"), (LongIntegers{0, 5}));
    archive = archive_of(sparse_layout(0), {{}, {}}, 1, is_pipe);
    EXPECT_EQ(vector_of<std::int32_t>(archive, "indptr.npy"), (Integers{0, 0, 0}));
    EXPECT_EQ(vector_of<std::int64_t>(archive, "shape.npy"), (LongIntegers{2, 0}));
  }
}

TEST(OutputNpzSparse, UnknownColumnsAreCounted) {
  std::string const archive = archive_of(sparse_layout(0), some_rows(), 2);
  EXPECT_EQ(vector_of<std::int64_t>(archive, "shape.npy"), (LongIntegers{4, 5}));
}

TEST(OutputNpzSparse, IntegersAreWideWhereTheColumnsAskForIt) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  std::string archive = archive_of(sparse_layout(static_cast<std::size_t>(most)), {{{0, most - 1}, {}}}, 1);
  EXPECT_EQ(vector_of<std::int32_t>(archive, "indices.npy"), (Integers{0, most - 1}));
  archive = archive_of(sparse_layout(static_cast<std::size_t>(most) + 1), {{{0, most}, {}}}, 1);
  EXPECT_EQ(vector_of<std::int64_t>(archive, "indices.npy"), (LongIntegers{0, most}));
  EXPECT_EQ(vector_of<std::int64_t>(archive, "indptr.npy"), (LongIntegers{0, 2}));
  archive = archive_of(sparse_layout(static_cast<std::size_t>(most) + 1), {}, 1);
  EXPECT_EQ(vector_of<std::int64_t>(archive, "indptr.npy"), LongIntegers{0});
}

/// Enough rows that what waits is on disk, and read back in several pieces; the last index is too large for int32.
TEST(OutputNpzSparse, WhatWasNarrowIsWidenedWhenALaterIndexAsksForIt) {
  constexpr std::size_t count = 700'001;
  constexpr std::int64_t large = std::int64_t{1} << 40;
  std::vector<Row> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i].indices = {static_cast<std::int64_t>(i)};
  rows.back().indices.push_back(large);
  std::string const archive = archive_of(sparse_layout(0), rows, 100'000);
  std::vector<std::int64_t> const indices = vector_of<std::int64_t>(archive, "indices.npy");
  std::vector<std::int64_t> const indptr = vector_of<std::int64_t>(archive, "indptr.npy");
  ASSERT_EQ(indices.size(), count + 1);
  ASSERT_EQ(indptr.size(), count + 1);
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(indices[i], static_cast<std::int64_t>(i));
    ASSERT_EQ(indptr[i], static_cast<std::int64_t>(i));
  }
  EXPECT_EQ(indices.back(), large);
  EXPECT_EQ(vector_of<std::int64_t>(archive, "shape.npy"), (LongIntegers{count, large + 1}));
}

TEST(OutputNpzSparse, BytesDependOnTheRowsAlone) {
  std::vector<Row> rows;
  for (int i = 0; i < 25; ++i)
    for (Row const& row : some_rows()) rows.push_back(row);
  std::vector<Row> wide = rows;
  wide[70].indices = {1, std::int64_t{1} << 33};
  BatchLayout layout = sparse_layout(0);
  layout.labels_vary = true;
  for (auto const& each : {rows, wide}) {
    std::string const whole = archive_of(layout, each, 100);
    for (std::size_t rows_a_round : {1u, 7u, 100u}) {
      for (bool is_pipe : {false, true}) EXPECT_EQ(archive_of(layout, each, rows_a_round, is_pipe), whole);
    }
  }
}

TEST(OutputNpzSparse, ABatchOfAnotherLayoutIsADefect) {
  auto const exit_code = [](BatchLayout const& layout, BatchLayout const& of_rows) {
    testing::ScratchFolder const folder;
    OutputOptions options;
    options.path = folder.at("x.npz");
    options.kind = OutputKind::npz;
    options.layout = layout;
    Rows const rows(of_rows, some_rows());
    try {
      write_rounds(*make_output(options), rows.batch(), 10);
    } catch (Error const& error) {
      EXPECT_EQ(folder.count(), 0u);
      return error.exit_code();
    }
    return ExitCode::ok;
  };
  EXPECT_EQ(exit_code(sparse_layout(5), sparse_layout(0)), ExitCode::ok);
  EXPECT_EQ(exit_code(sparse_layout(4), sparse_layout(5)), ExitCode::internal) << "an index beyond the columns";
  BatchLayout dense;
  dense.features = 5;
  EXPECT_EQ(exit_code(sparse_layout(5), dense), ExitCode::internal);
  BatchLayout doubles = sparse_layout(5);
  doubles.feature_dtype = DType::float64;
  EXPECT_EQ(exit_code(doubles, sparse_layout(5)), ExitCode::internal);
  BatchLayout ragged = sparse_layout(5);
  ragged.labels_vary = true;
  EXPECT_EQ(exit_code(ragged, sparse_layout(5)), ExitCode::internal);
}

TEST(OutputNpzRagged, LabelsAreValuesAndOffsets) {
  BatchLayout layout = sparse_layout(5);
  layout.labels_vary = true;
  for (std::size_t rows_a_round : {1u, 3u}) {
    std::string const archive = archive_of(layout, some_rows(), rows_a_round);
    EXPECT_EQ(vector_of<float>(archive, "label_values.npy"), (Floats{1, 2, 3}));
    EXPECT_EQ(vector_of<std::int64_t>(archive, "label_offsets.npy"), (LongIntegers{0, 0, 2, 3, 3}));
  }
}

TEST(OutputNpzRagged, BesideDenseFeatures) {
  BatchLayout layout;
  layout.features = 0;
  layout.labels_vary = true;
  std::string const archive = archive_of(layout, some_rows(), 3);
  EXPECT_EQ(names_in(archive), (std::vector<std::string>{"features.npy", "label_values.npy", "label_offsets.npy"}));
  EXPECT_EQ(vector_of<std::int64_t>(archive, "label_offsets.npy"), (LongIntegers{0, 0, 2, 3, 3}));
  EXPECT_EQ(vector_of<std::int64_t>(archive_of(layout, {}, 3), "label_offsets.npy"), LongIntegers{0});
}

}  // namespace
}  // namespace penstock
