// Same bytes, same batch: whatever buffers, capacities, room for faults and instruction set, rows and faults of dirty
// text are those of the slow reference reader.

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "formats/libsvm/format.hpp"
#include "host/exec/avx2.hpp"
#include "tests/support/dirty_libsvm.hpp"
#include "tests/support/format_run.hpp"
#include "tests/support/reference_libsvm.hpp"

namespace penstock {
namespace {

using libsvm::Duplicates;
using testing::DirtyText;
using testing::FormatRun;
using testing::random_plan;
using testing::RunSizes;

bool has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

FormatRun decode(libsvm::Plan const& plan, std::vector<std::string> const& shards, std::size_t record_max,
                 RunSizes const& sizes, bool is_portable) {
#if defined(__x86_64__)
  if (!is_portable) return testing::run_format<libsvm::Format, Avx2>(plan, shards, record_max, sizes);
#endif
  (void)is_portable;
  return testing::run_format<libsvm::Format, Portable>(plan, shards, record_max, sizes);
}

RunSizes random_sizes(std::mt19937_64& random) {
  auto const up_to = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(1, n)(random); };
  RunSizes sizes;
  sizes.buffer_bytes = up_to(4) == 1 ? up_to(2000) : up_to(130);
  sizes.rejects_max = up_to(4);
  sizes.capacity = {up_to(5), up_to(3) == 1 ? up_to(200) : up_to(9), up_to(6), 0, 0};
  sizes.faults_max = up_to(3);
  constexpr std::string_view poisons = "\n\r 1:#,\xef";
  sizes.poison = poisons[up_to(poisons.size()) - 1];
  return sizes;
}

TEST(LibsvmLaw1, DirtyTextIsWhatTheReferenceSays) {
  std::mt19937_64 random(20251121);
  std::size_t rows = 0;
  std::map<FaultCode, std::size_t> faults;
  for (int round = 0; round < 1500; ++round) {
    std::size_t record_max = 0;
    libsvm::Plan const plan = random_plan(random, record_max);
    DirtyText text(random(), plan);
    std::vector<std::string> const shards = {text.shard(), text.shard()};
    FormatRun const expected = reference::read_libsvm(plan, shards, record_max);
    rows += expected.rows.size();
    for (testing::RunFault const& fault : expected.faults) ++faults[fault.code];
    for (int i = 0; i < 4; ++i) {
      RunSizes const sizes = random_sizes(random);
      bool const is_portable = i < 2 || !has_avx2();
      FormatRun const found = decode(plan, shards, record_max, sizes, is_portable);
      ASSERT_EQ(difference(expected, found), "")
          << "round " << round << ", " << name_of(sizes) << (is_portable ? ", portable\n" : ", AVX2\n")
          << testing::printable(shards[0]) << "\n"
          << testing::printable(shards[1]);
    }
  }
  EXPECT_GT(rows, 3000u) << "the text is too dirty to test rows";
  using enum FaultCode;
  for (FaultCode const code :
       {not_a_number, not_an_integer, out_of_range, non_finite, record_too_long, missing_label, several_labels,
        bad_index, index_below_base, index_out_of_range, duplicate_index, missing_separator, misplaced_qid,
        unexpected_weight, missing_weight, unexpected_qid, missing_qid, too_many_pairs}) {
    EXPECT_GT(faults[code], 5u) << "code " << static_cast<int>(code) << " is not tested";
  }
}

TEST(LibsvmLaw1, EveryBufferSize) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 6; ++round) {
    std::size_t record_max = 0;
    libsvm::Plan const plan = random_plan(random, record_max);
    DirtyText text(random(), plan);
    std::vector<std::string> const shards = {text.shard()};
    FormatRun const expected = reference::read_libsvm(plan, shards, record_max);
    for (std::size_t bytes = 1; bytes <= 160; ++bytes) {
      RunSizes sizes = random_sizes(random);
      sizes.buffer_bytes = bytes;
      FormatRun const found = decode(plan, shards, record_max, sizes, bytes % 2 == 0 || !has_avx2());
      ASSERT_EQ(difference(expected, found), "") << name_of(sizes) << "\n" << testing::printable(shards[0]);
    }
  }
}

/// Records over several of the decoder's pieces of text.
TEST(LibsvmLaw1, LongRecords) {
  std::mt19937_64 random(11);
  for (auto const duplicates : {Duplicates::fault, Duplicates::last, Duplicates::sum}) {
    libsvm::Plan plan;
    plan.duplicates = duplicates;
    std::string text;
    for (int record = 0; record < 6; ++record) {
      text += "1";
      for (std::uint64_t i = 0; i < 3000; ++i) {
        std::uint64_t const index =
            record % 2 == 0 ? 3 * i : (duplicates == Duplicates::fault ? (i * 7919) % 3001 : random() % 2000);
        text += " " + std::to_string(index) + ":" + std::to_string(random() % 1000) + ".5";
        if (record == 4 && i == 2500) text += " x:1";
      }
      text += record == 5 ? "" : "\n";
    }
    std::size_t const record_max = std::size_t{1} << 20;
    FormatRun const expected = reference::read_libsvm(plan, {text}, record_max);
    EXPECT_EQ(expected.rows.size(), 5u);
    for (bool const is_portable : {true, !has_avx2()}) {
      RunSizes sizes;
      sizes.buffer_bytes = 5000;
      sizes.capacity = {100, is_portable ? 7000u : 10u, 0, 0, 0};
      FormatRun const found = decode(plan, {text}, record_max, sizes, is_portable);
      ASSERT_EQ(difference(expected, found), "");
    }
  }
}

}  // namespace
}  // namespace penstock
