// Same bytes, same batch: whatever buffers, capacities, room for faults and instruction set, rows and faults of dirty
// text are those of the slow reference reader.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "formats/libsvm/format.hpp"
#include "host/exec/avx2.hpp"
#include "tests/support/format_run.hpp"
#include "tests/support/reference_libsvm.hpp"

namespace penstock {
namespace {

using libsvm::Duplicates;
using libsvm::Overflow;
using testing::FormatRun;
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

/// Text that is nearly right.
class DirtyText {
 public:
  DirtyText(std::uint64_t seed, libsvm::Plan const& plan) : random_(seed), plan_(plan) {}

  std::string shard() {
    std::string text = one_in(6) ? "\xef\xbb\xbf" : "";
    for (std::size_t lines = below(14); lines > 0; --lines) text += line() + line_end();
    if (one_in(2)) text += line();
    return text;
  }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <std::size_t n>
  std::string one_of(std::string_view const (&list)[n]) {
    return std::string(list[below(n)]);
  }

  std::string line_end() { return one_of({"\n", "\n", "\n", "\r\n", "\r", "\n\n", "\r\r\n"}); }
  std::string blank() { return one_in(6) ? one_of({"\t", "  ", " \t "}) : " "; }

  std::string value() {
    if (one_in(12)) {
      return one_of({"nan",
                     "-NaN",
                     "inf",
                     "-Infinity",
                     "abc",
                     "",
                     "1e39",
                     "-1e400",
                     "1:2",
                     "5f",
                     "0x1",
                     "1_0",
                     "16777217",
                     "2147483648",
                     "9223372036854775807",
                     "-9223372036854775809",
                     "1e",
                     ".",
                     "\xc3\xa9",
                     "3.5.1",
                     "1.00000017881393432617187499",
                     "0.000000000000000000000000000000000000000000001401298464324817"});
    }
    if (one_in(3)) return std::to_string(below(2000));
    return std::to_string(static_cast<double>(below(2000000)) / 1000.0 - 1000);
  }

  std::string index() {
    if (one_in(25)) {
      return one_of({"", "-1", "+3", "1.5", "abc", "00000000007", "123456789", "9223372036854775806",
                     "9223372036854775807", "99999999999999999999", "q", "qid"});
    }
    return std::to_string(one_in(3) ? below(6) : below(60));
  }

  std::string pair() {
    if (one_in(40)) return one_of({"qid:3", "qid:", ":", "::", "1::2", "x", ",", "1,2"});
    bool const is_libfm = plan_.items.syntax.is_libfm ? !one_in(15) : one_in(60);
    std::string const field = is_libfm ? index() + ":" : "";
    if (one_in(plan_.items.syntax.is_dmlc ? 4 : 40)) return field + index();
    std::string const colon = one_in(plan_.items.syntax.is_dmlc ? 4 : 60) ? one_of({" :", ": ", " : ", "\t:"}) : ":";
    return field + index() + colon + value();
  }

  std::string number() { return one_in(8) ? value() : std::to_string(below(3)); }

  std::string head() {
    std::string text = number();
    if (plan_.layout.labels_vary ? one_in(2) : one_in(30)) text += "," + number();
    if (plan_.layout.labels_vary && one_in(3)) text += "," + number() + "," + number();
    if (one_in(30)) text = one_of({"", ",", "qid:1", "#"});
    if (plan_.layout.has_weight ? !one_in(20) : one_in(30)) text += ":" + number();
    if (plan_.layout.has_qid ? !one_in(20) : one_in(30))
      text += blank() + "qid:" + (one_in(10) ? value() : std::to_string(below(100)));
    return text;
  }

  std::string line() {
    if (one_in(15)) return one_of({"", " ", "\t \t", "# all", " # of it", std::string_view("\0 1:1", 5), "\x80\xff"});
    std::string text = one_in(10) ? blank() : "";
    text += head();
    bool const is_sorted = one_in(3);
    std::size_t index = 0;
    for (std::size_t pairs = one_in(10) ? below(60) : below(7); pairs > 0; --pairs) {
      index += 1 + below(4);
      text += blank() + (is_sorted ? std::to_string(index) + ":" + value() : pair());
    }
    if (one_in(8)) text += blank();
    if (one_in(10)) text += one_of({"#", "# 1:2", "#5:6 qid:1"});
    return text;
  }

  std::mt19937_64 random_;
  libsvm::Plan plan_;
};

/// A plan of any kind, and the record's limit.
libsvm::Plan random_plan(std::mt19937_64& random, std::size_t& record_max) {
  auto const below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  libsvm::Plan plan;
  constexpr std::array dtypes = {DType::float32, DType::float32, DType::float64, DType::int32, DType::int64};
  constexpr std::array limits = {64, 100, 300, 1 << 16, 1 << 16, 1 << 16};
  constexpr std::array policies = {Duplicates::fault, Duplicates::last, Duplicates::sum};
  record_max = static_cast<std::size_t>(limits[below(limits.size())]);
  plan.layout.feature_dtype = dtypes[below(dtypes.size())];
  plan.layout.has_weight = below(4) == 0;
  plan.layout.has_qid = below(4) == 0;
  plan.layout.labels_vary = below(4) == 0;
  plan.layout.labels = plan.layout.labels_vary ? 0 : 1;
  plan.items.syntax = {below(3) == 0, below(4) == 0};
  plan.items.overflow = below(3) == 0 ? Overflow::infinity : Overflow::fault;
  plan.items.base = below(2);
  plan.duplicates = policies[below(policies.size())];
  plan.pairs_max = below(4) == 0 ? 1 + below(8) : libsvm::pairs_max(record_max, plan.items.syntax);
  if (below(3) == 0) plan.layout.features = plan.items.columns = 40 + below(30);
  if (below(6) == 0) plan.layout.features = 40 + below(30);
  return plan;
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
