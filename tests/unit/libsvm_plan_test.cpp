#include "formats/libsvm/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/libsvm/format.hpp"
#include "tests/support/format_run.hpp"

namespace penstock {
namespace {

using libsvm::Duplicates;
using libsvm::pairs_max;
using Libsvm = libsvm::Format;

/// How many different indices fit in a record of `size` bytes, with a label of one byte and the shortest values: all
/// those of one digit come first, then those of two.
std::size_t different_indices(std::size_t size, std::size_t bytes_around) {
  std::size_t left = size - 1, count = 0, of_digits = 10;
  for (std::size_t digits = 1;; ++digits) {
    std::size_t const bytes = digits + bytes_around;
    std::size_t const fit = std::min(of_digits, left / bytes);
    count += fit;
    left -= fit * bytes;
    if (fit < of_digits) return count;
    of_digits = digits == 1 ? 90 : of_digits * 10;
  }
}

TEST(LibsvmPlan, DifferentIndicesNeverReachTheMostPairs) {
  for (std::size_t size = 64; size <= std::size_t{16} << 20; size += 1 + size / 500) {
    EXPECT_LE(different_indices(size, 3), pairs_max(size, {})) << size;
    EXPECT_LE(different_indices(size, 1), pairs_max(size, {.is_dmlc = true})) << size << ", bare";
    EXPECT_LE(different_indices(size, 5), pairs_max(size, {.is_libfm = true})) << size << ", libfm";
  }
  std::size_t const gib = std::size_t{1} << 30;
  EXPECT_LE(different_indices(gib, 3), pairs_max(gib, {}));
  EXPECT_LE(different_indices(gib, 1), pairs_max(gib, {.is_dmlc = true}));
}

TEST(LibsvmPlan, TheMostPairsAreWhatMemoryIsTakenFor) {
  libsvm::Plan plan;
  EXPECT_EQ(Libsvm::record_capacity(plan, std::size_t{16} << 20),
            (BatchCapacity{1, (std::size_t{16} << 20) / 7, 0, 0, 0}));
  EXPECT_EQ(Libsvm::record_capacity(plan, 64).pairs, 16u);
  plan.layout.labels_vary = true;
  EXPECT_EQ(Libsvm::record_capacity(plan, 63).labels, 64u);
}

TEST(LibsvmPlan, MorePairsAreAFault) {
  libsvm::Plan plan;
  plan.duplicates = Duplicates::last;
  plan.pairs_max = 3;
  std::string const text = "1 1:1 1:2 1:3\n0 1:1 1:2 1:3 1:4 x\n";
  testing::RunSizes sizes;
  for (std::size_t const pairs : {1u, 2u, 3u, 4u, 100u}) {
    sizes.capacity = {10, pairs, 0, 0, 0};
    auto const run = testing::run_format<Libsvm, Portable>(plan, text, 64, sizes);
    ASSERT_EQ(run.rows.size(), 1u);
    EXPECT_EQ(run.rows[0].values.size(), 1u);
    ASSERT_EQ(run.faults.size(), 1u);
    EXPECT_EQ(run.faults[0].code, FaultCode::too_many_pairs);
    EXPECT_EQ(run.faults[0].cell_begin, 28u);
    EXPECT_EQ(run.faults[0].column, 4u);
  }
}

/// The longest record: all of its indices, backwards, so that it is sorted too.
TEST(LibsvmPlan, OneHugeRecord) {
  std::size_t const pairs = 150000;
  std::string text = "1";
  for (std::size_t i = pairs; i > 0; --i) text += " " + std::to_string(i * 8) + ":1";
  std::size_t const record_max = text.size();
  libsvm::Plan plan;
  plan.pairs_max = pairs_max(record_max, {});
  testing::RunSizes sizes;
  sizes.buffer_bytes = 1 << 16;
  auto const run = testing::run_format<Libsvm, Portable>(plan, text + "\n0 1:1\n", record_max, sizes);
  EXPECT_TRUE(run.faults.empty());
  ASSERT_EQ(run.rows.size(), 2u);
  ASSERT_EQ(run.rows[0].indices.size(), pairs);
  EXPECT_EQ(run.rows[0].indices.front(), 8);
  EXPECT_EQ(run.rows[0].indices.back(), 8 * static_cast<std::int64_t>(pairs));
}

// --- words ---------------------------------------------------------------------------------------------------------

/// The words about the first fault of `text`, whose records are like `plan` says.
std::string words_about(libsvm::Plan const& plan, std::string const& text) {
  auto const run = testing::run_format<Libsvm, Portable>(plan, text, 1000, {});
  if (run.faults.empty()) return "no fault";
  testing::RunFault const& found = run.faults.front();
  Fault fault;
  fault.code = found.code;
  fault.column = found.column;
  fault.record_begin = 0;
  fault.record_end = static_cast<std::uint32_t>(found.record.size());
  fault.cell_begin = static_cast<std::uint32_t>(found.cell_begin - found.record_begin);
  fault.cell_end = static_cast<std::uint32_t>(found.cell_end - found.record_begin);
  FaultWords const words = Libsvm::words_of(fault, plan, found.record);
  return words.subject + "|" + words.expected + "|" + words.found + "|" + words.remedy;
}

TEST(LibsvmWords, SayWhichPartAndWhatHelps) {
  libsvm::Plan plan;
  EXPECT_EQ(words_about(plan, "1 1:1 17:abc\n"), "pair 2 (index 17)|||");
  EXPECT_EQ(words_about(plan, "1 17:\n"), "pair 1 (index 17)||nothing|");
  EXPECT_EQ(words_about(plan, "1 1:2:3\n"), "pair 1 (index 1)|||--libfm reads field:index:value");
  EXPECT_EQ(words_about(plan, "1 5\n"), "pair 1|||--compat dmlc reads bare indices and blanks around the colon");
  EXPECT_EQ(words_about(plan, "x 1:1\n"), "label|||");
  EXPECT_EQ(words_about(plan, ":3\n"), "label|a record begins with its label||");
  EXPECT_EQ(words_about(plan, "1,2 1:1\n"), "label|||--multilabel reads lists of labels; --from csv if this is CSV");
  EXPECT_EQ(words_about(plan, "1:2 1:1\n"),
            "weight|||if its first word is a pair, the label is missing; else mend the first record, which decides");
  EXPECT_EQ(words_about(plan, "1 qid:2 1:1\n"), "query id|||the first record decides: mend that one or this one");
  EXPECT_EQ(words_about(plan, "1 2:1 2:2\n"), "pair 2|||--duplicates last or --duplicates sum");
  EXPECT_EQ(words_about(plan, "1 2:1e99\n"), "pair 1 (index 2)|||--overflow inf, or --dtype float64");
  plan.items.base = 1;
  plan.items.columns = plan.layout.features = 9;
  EXPECT_EQ(words_about(plan, "1 0:1\n"), "pair 1|||--index-base 0 if indices count from 0");
  EXPECT_EQ(words_about(plan, "1 10:1\n"),
            "pair 1|indices go to 9 (features: 9)||--num-features with the number of columns");
  plan.layout.has_qid = plan.layout.has_weight = true;
  EXPECT_EQ(words_about(plan, "1:x qid:1 1:1\n"), "weight|||");
  EXPECT_EQ(words_about(plan, "1:1 qid:x 1:1\n"), "query id|||");
  EXPECT_EQ(words_about(plan, "1:1 qid:1 1:1 2:x\n"), "pair 2 (index 2)|||");
  EXPECT_EQ(words_about(plan, "1:1 qid:99999999999999999999\n"), "query id|||");
  plan = {};
  plan.layout.feature_dtype = DType::int32;
  EXPECT_EQ(words_about(plan, "1 2:1.5\n"), "pair 1 (index 2)|||--dtype float32 or float64");
  plan.items.syntax.is_dmlc = true;
  EXPECT_EQ(words_about(plan, "1 2:1 3\n"),
            "pair 2|pairs with a value and indices without one are mixed in one record||");
}

}  // namespace
}  // namespace penstock
