// Same bytes, same batch: whatever buffers, capacities, room for faults and instruction set, dirty JSON lines become
// the rows that RapidJSON's documents say, and the same faults.

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "formats/deepar/format.hpp"
#include "formats/jsonl/format.hpp"
#include "host/exec/avx2.hpp"
#include "tests/support/dirty_json.hpp"
#include "tests/support/format_run.hpp"
#include "tests/support/reference_json.hpp"

namespace penstock {
namespace {

using testing::DirtyLines;
using testing::FormatRun;
using testing::RunRow;
using testing::RunSizes;

bool has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

template <class F>
FormatRun decode(typename F::Plan const& plan, std::string const& text, RunSizes const& sizes, bool is_portable) {
  constexpr std::size_t record_max = std::size_t{1} << 20;
#if defined(__x86_64__)
  if (!is_portable) return testing::run_format<F, Avx2>(plan, text, record_max, sizes);
#endif
  (void)is_portable;
  return testing::run_format<F, Portable>(plan, text, record_max, sizes);
}

RunSizes random_sizes(std::mt19937_64& random) {
  auto const up_to = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(1, n)(random); };
  RunSizes sizes;
  sizes.buffer_bytes = up_to(4) == 1 ? up_to(5000) : up_to(300);
  sizes.rejects_max = up_to(4);
  sizes.capacity = {up_to(5), up_to(9), up_to(6), 0, 0, {up_to(3) == 1 ? up_to(200) : up_to(9), up_to(40)}};
  sizes.faults_max = up_to(3);
  constexpr std::string_view poisons = "\n\r ]\",:\xef";
  sizes.poison = poisons[up_to(poisons.size()) - 1];
  return sizes;
}

struct Lines {
  std::string text;
  std::vector<std::string> lines;  ///< those that are not blank

  void add(DirtyLines& dirty, std::string const& line) {
    text += dirty.blank() + line + (dirty.one_in(5) ? "\r\n" : dirty.one_in(20) ? "\r" : "\n");
    if (dirty.one_in(15)) text += dirty.blank() + "\n";
    if (line.find_first_not_of(" \t") != std::string::npos) lines.push_back(line);
  }
};

template <class F, class Expect>
void check(typename F::Plan const& plan, Lines const& lines, std::mt19937_64& random, Expect expect,
           std::map<FaultCode, std::size_t>& codes, std::size_t& rows) {
  FormatRun const run = decode<F>(plan, lines.text, RunSizes{}, true);
  ASSERT_EQ(run.rows.size() + run.faults.size(), lines.lines.size()) << testing::printable(lines.text);
  std::size_t row = 0, fault = 0;
  for (std::string const& line : lines.lines) {
    std::optional<RunRow> const expected = expect(line);
    bool const is_fault = fault < run.faults.size() && run.faults[fault].rows_before == row;
    ASSERT_EQ(expected.has_value(), !is_fault) << testing::printable(line) << "\n"
                                               << (is_fault ? testing::words(run.faults[fault]) : "");
    if (is_fault) {
      ++codes[run.faults[fault].code];
      ++fault;
    } else {
      ASSERT_EQ(testing::words(*expected), testing::words(run.rows[row])) << testing::printable(line);
      ++row;
    }
  }
  rows += row;
  for (int i = 0; i < 4; ++i) {
    RunSizes const sizes = random_sizes(random);
    bool const is_portable = i < 2 || !has_avx2();
    FormatRun const found = decode<F>(plan, lines.text, sizes, is_portable);
    ASSERT_EQ(difference(run, found), "")
        << name_of(sizes) << (is_portable ? ", portable\n" : ", AVX2\n") << testing::printable(lines.text);
  }
}

TEST(JsonLaw1, TimeSeries) {
  std::mt19937_64 random(20261128);
  std::map<FaultCode, std::size_t> codes;
  std::size_t rows = 0;
  for (int round = 0; round < 600; ++round) {
    DirtyLines dirty(random());
    deepar::Plan plan;
    plan.layout.cats = dirty.below(3);
    if (dirty.one_in(2)) plan.layout.lists[1] = {ListRole::dynamic_feat, DType::float32, 1 + dirty.below(2)};
    plan.prediction_length = dirty.one_in(4) ? 2 : 0;
    Lines lines;
    for (std::size_t i = 0; i < 1 + dirty.below(12); ++i) lines.add(dirty, dirty.deepar(plan));
    check<deepar::Format>(
        plan, lines, random, [&](std::string const& line) { return reference::deepar_row(plan, line); }, codes, rows);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(rows, 600u) << "the text is too dirty to test rows";
  using enum FaultCode;
  for (FaultCode const code : {malformed_json, duplicate_key, missing_key, wrong_type, length_mismatch, bad_time,
                               out_of_range, non_finite, missing_value, not_an_integer})
    EXPECT_GT(codes[code], 2u) << "code " << static_cast<int>(code) << " is not tested";
}

TEST(JsonLaw1, Vectors) {
  std::mt19937_64 random(7);
  std::map<FaultCode, std::size_t> codes;
  std::size_t rows = 0;
  for (int round = 0; round < 600; ++round) {
    DirtyLines dirty(random());
    jsonl::Plan plan;
    plan.layout.is_sparse = dirty.one_in(2);
    plan.layout.features = plan.layout.is_sparse ? (dirty.one_in(2) ? 0 : 40) : 1 + dirty.below(30);
    plan.layout.labels_vary = dirty.one_in(4);
    if (!plan.layout.labels_vary) plan.layout.labels = dirty.below(3);
    Lines lines;
    for (std::size_t i = 0; i < 1 + dirty.below(12); ++i) lines.add(dirty, dirty.vector(plan));
    check<jsonl::Format>(
        plan, lines, random, [&](std::string const& line) { return reference::vector_row(plan, line); }, codes, rows);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(rows, 600u) << "the text is too dirty to test rows";
  using enum FaultCode;
  for (FaultCode const code :
       {malformed_json, duplicate_key, wrong_type, width_mismatch, density_mismatch, shape_mismatch, keys_mismatch,
        duplicate_index, missing_label, label_mismatch, missing_features, index_out_of_range})
    EXPECT_GT(codes[code], 2u) << "code " << static_cast<int>(code) << " is not tested";
}

/// Strings with escapes, many times as long as a buffer, and lists of thousands of values around them.
TEST(JsonLaw1, LongStringsAndListsAcrossBorders) {
  std::mt19937_64 random(3);
  deepar::Plan const plan;
  Lines lines;
  for (std::size_t record = 0; record < 6; ++record) {
    std::string note, values;
    constexpr std::string_view pieces[] = {"\\\"",     "\\\\", "plain text ", "\\ud83d\\ude00",
                                           "\xc3\xa4", "]},{", "\\u000a"};
    for (int i = 0; i < 2000; ++i) note += pieces[random() % std::size(pieces)];
    for (int i = 0; i < 3000; ++i) values += (i == 0 ? "" : ", ") + std::to_string(random() % 100000) + ".25";
    if (record == 4) note += "\\q";
    std::string const line =
        "{\"note\":\"" + note + "\",\"start\":\"2009-11-01\",\"target\":[" + values + (record == 5 ? ",]}" : "]}");
    lines.text += line + "\n";
    lines.lines.push_back(line);
  }
  FormatRun const run = decode<deepar::Format>(plan, lines.text, RunSizes{}, true);
  ASSERT_EQ(run.rows.size(), 4u);
  ASSERT_EQ(run.faults.size(), 2u);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(testing::words(run.rows[i]), testing::words(*reference::deepar_row(plan, lines.lines[i])));
  for (std::size_t const bytes : {1u, 63u, 64u, 65u, 4095u, 4096u, 50000u, 200000u}) {
    for (bool const is_portable : {true, !has_avx2()}) {
      RunSizes sizes = random_sizes(random);
      sizes.buffer_bytes = bytes;
      FormatRun const found = decode<deepar::Format>(plan, lines.text, sizes, is_portable);
      ASSERT_EQ(difference(run, found), "") << name_of(sizes);
    }
  }
}

}  // namespace
}  // namespace penstock
