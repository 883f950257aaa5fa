// Comparing two streams of batches: dense, sparse, lists and texts, whatever the sizes of batches.

#include "host/app/batch_diff.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

using Pairs = std::map<std::int64_t, double>;

/// A record; what the layout does not have is not looked at.
struct Record {
  Pairs pairs = {};                ///< of a sparse layout
  std::vector<double> cells = {};  ///< of a dense one
  std::vector<double> labels = {1};
  double weight = 1;
  std::int64_t qid = 1;
  double base_margin = 0;
  std::string uid = {}, metadata = {};
};
using Records = std::vector<Record>;

void put(std::byte* data, DType dtype, std::size_t index, double value) {
  auto const write = [&](auto number) { std::memcpy(data + index * sizeof number, &number, sizeof number); };
  switch (dtype) {
    case DType::float32: return write(static_cast<float>(value));
    case DType::float64: return write(value);
    case DType::int32: return write(static_cast<std::int32_t>(value));
    case DType::int64: return write(static_cast<std::int64_t>(value));
  }
}

/// Records from memory, `batch_rows` at a time, each batch of its own memory. Views begin in its middle, as they do
/// where rows were left out.
class RecordReader final : public BatchReader {
 public:
  RecordReader(BatchLayout const& layout, Records records, std::size_t batch_rows, std::vector<std::string> names = {})
      : layout_(layout), records_(std::move(records)), batch_rows_(batch_rows), names_(std::move(names)) {}

  [[nodiscard]] BatchLayout const& layout() const override { return layout_; }
  [[nodiscard]] std::vector<std::string> names(Role role) const override {
    return role == Role::feature ? names_ : std::vector<std::string>{};
  }
  bool next(Batch& batch) override {
    std::size_t const count = std::min(batch_rows_, records_.size() - at_);
    if (count == 0) return false;
    Records part{Record{{{0, 7}}, std::vector<double>(layout_.features, 7), {7, 7}, 7, 7, 7, "left", "out"}};
    part.insert(part.end(), records_.begin() + at(at_), records_.begin() + at(at_ + count));
    at_ += count;
    batch = fill(part).rows_from(1, count);
    return true;
  }

 private:
  static std::ptrdiff_t at(std::size_t index) { return static_cast<std::ptrdiff_t>(index); }

  Batch fill(Records const& records) {
    BatchCapacity capacity{records.size(), 0, 0, 0, 0};
    for (Record const& record : records) {
      capacity.pairs += record.pairs.size();
      capacity.labels += record.labels.size();
      capacity.uid_bytes += record.uid.size();
      capacity.metadata_bytes += record.metadata.size();
    }
    buffer_ = BatchBuffer(layout_, capacity);
    Batch const batch = buffer_.view(records.size());
    for (std::size_t row = 0; row < records.size(); ++row) fill_row(batch, row, records[row]);
    return batch;
  }

  void fill_row(Batch const& batch, std::size_t row, Record const& record) {
    if (layout_.is_sparse) {
      auto k = static_cast<std::size_t>(batch.csr.indptr[row]);
      for (auto const& [index, value] : record.pairs) {
        batch.csr.indices[k] = index;
        put(batch.csr.values, batch.csr.dtype, k++, value);
      }
      batch.csr.indptr[row + 1] = at(k);
    } else {
      fill_cells(batch.features, row, record.cells);
    }
    if (layout_.labels_vary) {
      auto k = static_cast<std::size_t>(batch.labels.offsets[row]);
      for (double const label : record.labels) put(batch.labels.values, batch.labels.dtype, k++, label);
      batch.labels.offsets[row + 1] = at(k);
    } else {
      fill_cells(batch.label, row, record.labels);
    }
    fill_cells(batch.weight, row, {record.weight});
    fill_cells(batch.qid, row, {static_cast<double>(record.qid)});
    fill_cells(batch.base_margin, row, {record.base_margin});
    if (layout_.has_uid) fill_text(batch.uid, row, record.uid);
    if (layout_.has_metadata) fill_text(batch.metadata, row, record.metadata);
  }

  static void fill_cells(Dense const& tensor, std::size_t row, std::vector<double> const& cells) {
    for (std::size_t i = 0; i < tensor.columns; ++i)
      put(tensor.data, tensor.dtype, row * tensor.columns + i, cells.at(i));
  }

  static void fill_text(Texts const& texts, std::size_t row, std::string const& text) {
    std::memcpy(texts.bytes + texts.offsets[row], text.data(), text.size());
    texts.offsets[row + 1] = texts.offsets[row] + at(text.size());
  }

  BatchLayout layout_;
  Records records_;
  std::size_t batch_rows_;
  std::vector<std::string> names_;
  std::size_t at_ = 0;
  BatchBuffer buffer_;
};

BatchLayout sparse(std::size_t columns, DType dtype = DType::float32) {
  return {.feature_dtype = dtype, .features = columns, .labels = 1, .is_sparse = true};
}

BatchLayout dense(std::size_t columns, DType dtype = DType::float32) {
  return {.feature_dtype = dtype, .features = columns, .labels = 1};
}

struct Side {
  BatchLayout layout;
  Records records;
};

DiffResult diff(Side const& a, Side const& b, DiffOptions const& options = {}, std::size_t rows_a = 3,
                std::size_t rows_b = 2) {
  RecordReader left(a.layout, a.records, rows_a);
  RecordReader right(b.layout, b.records, rows_b);
  return compare(left, right, options);
}

/// "record role[column] a|b" of each listed value.
std::vector<std::string> lines(DiffResult const& result) {
  std::vector<std::string> all;
  for (ValueDifference const& each : result.values) {
    std::string const place = each.text.empty()
                                  ? std::string(name_of(each.role)) + "[" + std::to_string(each.column) + "]"
                                  : std::string(each.text);
    all.push_back(std::to_string(each.record) + " " + place + " " + each.a + "|" + each.b);
  }
  return all;
}

using Lines = std::vector<std::string>;

DiffOptions with_absent(Absent absent) {
  DiffOptions options;
  options.absent = absent;
  return options;
}

TEST(BatchDiffSparse, TheSame) {
  Side const side{sparse(5), {{{{0, 1}, {4, 2}}}, {}, {{{2, -0.0}}}, {{{1, missing}}}, {{{0, 0}}}}};
  DiffResult const result = diff(side, side);
  EXPECT_TRUE(result.is_same());
  EXPECT_EQ(result.records_a, 5u);
  EXPECT_EQ(result.records_b, 5u);
}

TEST(BatchDiffSparse, PairsOfOneSideAndOtherValues) {
  Side const a{sparse(9), {{{{0, 1}, {4, 2}, {8, 3}}}, {}, {{{2, 1}}}, {{{5, 1}}}}};
  Side const b{sparse(9), {{{{0, 1}, {5, 2}, {8, 4}}}, {}, {}, {{{5, 1}}}}};
  DiffResult const result = diff(a, b);
  EXPECT_EQ(lines(result),
            (Lines{"1 features[4] 2|absent", "1 features[5] absent|2", "1 features[8] 3|4", "3 features[2] 1|absent"}));
  EXPECT_EQ(result.values_different, 4u);
  EXPECT_EQ(result.records_different, 2u);
  EXPECT_EQ(result.values[0].a_bits, "0x40000000");
  EXPECT_EQ(result.values[0].b_bits, "");
  EXPECT_TRUE(result.layout.empty());
}

TEST(BatchDiffSparse, TheSameBytesInOtherRowsAreDifferent) {
  Side const a{sparse(3), {{{{0, 1}, {1, 1}}}, {{{2, 1}}}}};
  Side const b{sparse(3), {{{{0, 1}}}, {{{1, 1}, {2, 1}}}}};
  EXPECT_EQ(lines(diff(a, b)), (Lines{"1 features[1] 1|absent", "2 features[1] absent|1"}));
}

TEST(BatchDiffSparse, ZeroIsNotMinusZeroAndAnyNanIsAnyOther) {
  double const other_nan = std::bit_cast<double>(std::uint64_t{0xfff8000020000000u});
  Side const a{sparse(2), {{{{0, 0.0}}}, {{{1, missing}}}}};
  Side const b{sparse(2), {{{{0, -0.0}}}, {{{1, other_nan}}}}};
  EXPECT_EQ(lines(diff(a, b)), (Lines{"1 features[0] 0|-0"}));
  DiffOptions loose;
  loose.ulps_max = 1;
  EXPECT_TRUE(diff(a, b, loose).is_same());
}

TEST(BatchDiffSparse, EveryElementType) {
  for (DType const dtype : {DType::float32, DType::float64, DType::int32, DType::int64}) {
    Side const a{sparse(9, dtype), {{{{0, 1}, {7, 5}}}}};
    Side const b{sparse(9, dtype), {{{{0, 1}, {7, 6}, {8, 1}}}}};
    EXPECT_TRUE(diff(a, a).is_same());
    EXPECT_EQ(lines(diff(a, b)), (Lines{"1 features[7] 5|6", "1 features[8] absent|1"}));
  }
  DiffResult const types = diff({sparse(2), {{}}}, {sparse(2, DType::float64), {{}}});
  EXPECT_EQ(types.layout, (Lines{"features: float32 | float64"}));
}

TEST(BatchDiffSparse, IndicesBeyond32Bits) {
  std::int64_t const far = std::int64_t{1} << 62;
  Side const a{sparse(0), {{{{1, 1}, {far, 1}}}}};
  Side const b{sparse(0), {{{{1, 1}, {far + 1, 1}}}}};
  EXPECT_EQ(lines(diff(a, b)),
            (Lines{"1 features[4611686018427387904] 1|absent", "1 features[4611686018427387905] absent|1"}));
}

TEST(BatchDiffWidth, UnknownIsEqualToAnything) {
  EXPECT_TRUE(diff({sparse(0), {{}}}, {sparse(7), {{}}}).is_same());
  EXPECT_TRUE(diff({sparse(7), {{}}}, {sparse(0), {{}}}).is_same());
  EXPECT_EQ(diff({sparse(6), {{}}}, {sparse(7), {{}}}).layout, (Lines{"features: 6 | 7"}));
  EXPECT_EQ(diff({sparse(0), {{}}}, {dense(0), {{}}}).layout, (Lines{"features: sparse | none"}));
}

TEST(BatchDiffWidth, GuessesYieldToWhatIsKnown) {
  Side const six{sparse(6), {{}}};
  Side const seven{sparse(7), {{}}};
  for (auto const& [guessed_a, guessed_b, is_same] :
       {std::tuple(true, false, true), {false, true, false}, {true, true, false}}) {
    DiffOptions options;
    options.is_width_guessed_a = guessed_a;
    options.is_width_guessed_b = guessed_b;
    EXPECT_EQ(diff(six, seven, options).is_same(), is_same);
    std::swap(options.is_width_guessed_a, options.is_width_guessed_b);
    EXPECT_EQ(diff(seven, six, options).is_same(), is_same);
  }
}

TEST(BatchDiffAbsent, ExplicitAndAbsentAreTheSameUnderItsMeaning) {
  Side const a{sparse(4), {{{{0, 0}, {1, missing}, {2, -0.0}, {3, 1}}}}};
  Side const b{sparse(4), {{{{3, 1}}}}};
  EXPECT_EQ(lines(diff(a, b)),
            (Lines{"1 features[0] 0|absent", "1 features[1] NaN|absent", "1 features[2] -0|absent"}));
  EXPECT_EQ(lines(diff(a, b, with_absent(Absent::zero))),
            (Lines{"1 features[1] NaN|absent", "1 features[2] -0|absent"}));
  EXPECT_EQ(lines(diff(b, a, with_absent(Absent::missing))),
            (Lines{"1 features[0] absent|0", "1 features[2] absent|-0"}));
}

TEST(BatchDiffAbsent, UlpsCountFromWhatAbsenceMeans) {
  Side const a{sparse(1), {{{{0, std::numeric_limits<float>::denorm_min()}}}}};
  Side const b{sparse(1), {{}}};
  DiffOptions options = with_absent(Absent::zero);
  EXPECT_FALSE(diff(a, b, options).is_same());
  options.ulps_max = 1;
  EXPECT_TRUE(diff(a, b, options).is_same());
}

TEST(BatchDiffAbsent, IntegersAreNeverMissing) {
  Side const a{sparse(2, DType::int32), {{{{0, 0}, {1, 5}}}}};
  Side const b{sparse(2, DType::int32), {{{{1, 5}}}}};
  EXPECT_EQ(lines(diff(a, b, with_absent(Absent::missing))), (Lines{"1 features[0] 0|absent"}));
  EXPECT_TRUE(diff(a, b, with_absent(Absent::zero)).is_same());
}

TEST(BatchDiffAbsent, SparseWithDense) {
  Side const pairs{sparse(3), {{{{1, 5}}}, {{{0, 0}, {2, missing}}}}};
  Side const zeros{dense(3), {{{}, {0, 5, 0}}, {{}, {0, 0, missing}}}};
  Side const nans{dense(3), {{{}, {missing, 5, missing}}, {{}, {0, missing, missing}}}};
  EXPECT_EQ(diff(pairs, zeros).layout, (Lines{"features: 3 sparse | 3 dense"}));
  EXPECT_EQ(diff(pairs, zeros).values_different, 0u);
  EXPECT_TRUE(diff(pairs, zeros, with_absent(Absent::zero)).is_same());
  EXPECT_TRUE(diff(nans, pairs, with_absent(Absent::missing)).is_same());
  EXPECT_EQ(lines(diff(pairs, zeros, with_absent(Absent::missing))),
            (Lines{"1 features[0] absent|0", "1 features[2] absent|0", "2 features[1] absent|0"}));
}

TEST(BatchDiffAbsent, WidthsOfSparseWithDense) {
  Side const row{dense(3), {{{}, {0, 0, 0}}}};
  DiffOptions const zero = with_absent(Absent::zero);
  EXPECT_TRUE(diff({sparse(0), {{}}}, row, zero).is_same());
  EXPECT_EQ(lines(diff({sparse(0), {{{{3, 1}}}}}, row, zero)), (Lines{"1 features[3] 1|absent"}));
  EXPECT_EQ(diff({sparse(4), {{}}}, row, zero).layout, (Lines{"features: 4 sparse | 3 dense"}));
  DiffOptions guessed = zero;
  guessed.is_width_guessed_a = true;
  EXPECT_TRUE(diff({sparse(2), {{}}}, row, guessed).is_same());
  EXPECT_FALSE(diff({sparse(4), {{}}}, row, guessed).is_same());
}

TEST(BatchDiffDense, WhatAbsenceMeansPlaysNoPart) {
  Side const a{dense(2), {{{}, {0, 1}}}};
  Side const b{dense(2), {{{}, {missing, 1}}}};
  for (Absent const absent : {Absent::zero, Absent::missing})
    EXPECT_EQ(lines(diff(a, b, with_absent(absent))), (Lines{"1 features[0] 0|NaN"}));
}

BatchLayout with_lists(BatchLayout layout) {
  layout.labels = 0;
  layout.labels_vary = true;
  return layout;
}

TEST(BatchDiffLabels, ListsByPlace) {
  Side const a{with_lists(sparse(1)), {{{}, {}, {1, 2}}, {{}, {}, {}}, {{}, {}, {3}}}};
  Side const b{with_lists(sparse(1)), {{{}, {}, {1}}, {{}, {}, {9}}, {{}, {}, {4}}}};
  EXPECT_TRUE(diff(a, a).is_same());
  EXPECT_EQ(lines(diff(a, b)), (Lines{"1 label[1] 2|absent", "2 label[0] absent|9", "3 label[0] 3|4"}));
  // A label is never taken for what is absent.
  EXPECT_EQ(diff({a.layout, {{{}, {}, {0}}}}, {a.layout, {{{}, {}, {}}}}, with_absent(Absent::zero)).values_different,
            1u);
}

TEST(BatchDiffLabels, ListsWithColumns) {
  BatchLayout two = sparse(1);
  two.labels = 2;
  Side const columns{two, {{{}, {}, {1, 2}}, {{}, {}, {3, 4}}}};
  EXPECT_TRUE(diff(columns, {with_lists(sparse(1)), columns.records}).is_same());
  Side const shorter{with_lists(sparse(1)), {{{}, {}, {1, 2}}, {{}, {}, {3}}}};
  EXPECT_EQ(lines(diff(columns, shorter)), (Lines{"2 label[1] 4|absent"}));
  BatchLayout none = sparse(1);
  none.labels = 0;
  EXPECT_EQ(diff({none, {{}}}, {with_lists(sparse(1)), {{}}}).layout, (Lines{"label: none | lists"}));
  EXPECT_EQ(diff({none, {{}}}, {sparse(1), {{}}}).layout, (Lines{"label: none | 1"}));
}

TEST(BatchDiffRoles, WeightsQueriesMarginsAndTexts) {
  BatchLayout layout = sparse(1);
  layout.has_weight = layout.has_qid = layout.has_base_margin = layout.has_uid = layout.has_metadata = true;
  Record record;
  record.uid = "a\n";
  record.metadata = "{}";
  Records others(3, record);
  others[0].weight = 2;
  others[0].qid = 5;
  others[1].base_margin = 0.5;
  others[1].uid = "b";
  others[2].metadata = "";
  Side const a{layout, Records(3, record)};
  EXPECT_TRUE(diff(a, a).is_same());
  DiffResult const result = diff(a, {layout, others});
  EXPECT_EQ(lines(result), (Lines{"1 weight[0] 1|2", "1 qid[0] 1|5", "2 base_margin[0] 0|0.5", "2 uid \"a\\n\"|\"b\"",
                                  "3 metadata \"{}\"|\"\""}));
  EXPECT_EQ(result.records_different, 3u);
  DiffOptions features;
  features.features_only = true;
  EXPECT_TRUE(diff(a, {layout, others}, features).is_same());
  EXPECT_TRUE(diff(a, {sparse(1), others}, features).is_same());
  EXPECT_EQ(diff(a, {sparse(1), Records(3)}).layout,
            (Lines{"weight: 1 | none", "qid: 1 | none", "base_margin: 1 | none", "uid: only the first has it",
                   "metadata: only the first has it"}));
}

TEST(BatchDiffRoles, TextsOfTheSameBytesInOtherRows) {
  BatchLayout layout = sparse(1);
  layout.has_uid = true;
  Side const a{layout, {{{}, {}, {1}, 1, 1, 0, "ab", ""}, {{}, {}, {1}, 1, 1, 0, "c", ""}}};
  Side const b{layout, {{{}, {}, {1}, 1, 1, 0, "a", ""}, {{}, {}, {1}, 1, 1, 0, "bc", ""}}};
  EXPECT_EQ(diff(a, b).values_different, 2u);
}

TEST(BatchDiffRoles, NamesOfFeatures) {
  RecordReader named(dense(2), {}, 1, {"a", "b"});
  RecordReader others(dense(2), {}, 1, {"b", "c"});
  RecordReader unnamed(sparse(2), {}, 1);
  EXPECT_EQ(compare(named, others, {}).layout,
            (Lines{"features: only the first has \"a\"", "features: only the second has \"c\""}));
  EXPECT_TRUE(compare(named, unnamed, with_absent(Absent::zero)).is_same());
}

TEST(BatchDiffLists, AreCutAndCounted) {
  Records ones(30, Record{{{0, 1}, {1, 1}}});
  DiffResult const result = diff({sparse(2), ones}, {sparse(2), Records(40)});
  EXPECT_EQ(result.values.size(), 10u);
  EXPECT_EQ(result.values_different, 60u);
  EXPECT_EQ(result.records_different, 30u);
  EXPECT_EQ(result.records_a, 30u);
  EXPECT_EQ(result.records_b, 40u);
}

/// What compare() says, the slow way: every column of every record.
Lines slow_lines(Records const& a, Records const& b, std::optional<Absent> absent) {
  Lines all;
  auto const text = [](std::optional<double> value) -> std::string {
    if (!value) return "absent";
    if (std::isnan(*value)) return "NaN";
    return *value == 0 && std::signbit(*value) ? "-0" : std::to_string(static_cast<int>(*value));
  };
  auto const at = [](Record const& record, std::int64_t column) -> std::optional<double> {
    if (!record.cells.empty()) return record.cells[static_cast<std::size_t>(column)];
    auto const found = record.pairs.find(column);
    return found == record.pairs.end() ? std::nullopt : std::optional(found->second);
  };
  auto const meaning = [&](std::optional<double> value) -> std::optional<double> {
    if (value || !absent) return value;
    return *absent == Absent::zero ? 0.0 : missing;
  };
  for (std::size_t row = 0; row < a.size(); ++row) {
    for (std::int64_t column = 0; column < 8; ++column) {
      auto const x = at(a[row], column), y = at(b[row], column);
      if (text(meaning(x)) != text(meaning(y)))
        all.push_back(std::to_string(row + 1) + " features[" + std::to_string(column) + "] " + text(x) + "|" + text(y));
    }
  }
  return all;
}

constexpr double some_values[] = {0, 0, -0.0, 1, 2, missing};

Record random_record(std::mt19937& random, bool is_dense) {
  Record record;
  for (std::int64_t column = 0; column < 8; ++column) {
    double const value = some_values[random() % std::size(some_values)];
    if (is_dense)
      record.cells.push_back(value);
    else if (random() % 2 == 0)
      record.pairs[column] = value;
  }
  return record;
}

/// The other side of a record: mostly the same, sometimes with another value in one column.
Record mutated(std::mt19937& random, Record record) {
  auto const column = random() % 8;
  if (random() % 2 == 0) return record;
  if (!record.cells.empty())
    record.cells[column] = some_values[random() % std::size(some_values)];
  else if (record.pairs.erase(static_cast<std::int64_t>(column)) == 0)
    record.pairs[static_cast<std::int64_t>(column)] = some_values[random() % std::size(some_values)];
  return record;
}

TEST(BatchDiffRandom, AgreesWithTheSlowWayWhateverTheBatches) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    bool const is_dense_a = random() % 3 == 0, is_dense_b = random() % 3 == 0;
    std::optional<Absent> absent;
    if (is_dense_a != is_dense_b || random() % 2 == 0) absent = random() % 2 == 0 ? Absent::zero : Absent::missing;
    Side a{is_dense_a ? dense(8) : sparse(8), {}}, b{is_dense_b ? dense(8) : sparse(8), {}};
    for (std::size_t records = random() % 12; records > 0; --records) {
      a.records.push_back(random_record(random, is_dense_a));
      b.records.push_back(is_dense_a == is_dense_b ? mutated(random, a.records.back())
                                                   : random_record(random, is_dense_b));
    }
    DiffOptions options;
    options.absent = absent;
    options.listed_max = 1000;
    Lines const expected = slow_lines(a.records, b.records, absent);
    DiffResult const result = diff(a, b, options, 1 + random() % 5, 1 + random() % 5);
    ASSERT_EQ(lines(result), expected) << "round " << round;
    ASSERT_EQ(result.values_different, expected.size());
    ASSERT_EQ(result.is_same(), expected.empty());
  }
}

}  // namespace
}  // namespace penstock::app
