// Every file of formats/libsvm/corpus becomes what stands beside it, whatever buffers, rounds and instruction set. The
// format of NAME.expect: formats/libsvm/corpus/README.md.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "formats/libsvm/format.hpp"
#include "host/exec/avx2.hpp"
#include "tests/support/format_run.hpp"

namespace penstock {
namespace {

using Libsvm = libsvm::Format;
using testing::FormatRun;
using testing::RunRow;
using testing::RunSizes;

struct Case {
  std::string name;
  std::string bytes;
  libsvm::Options options;
  std::size_t record_max = 1 << 16;
  bool is_read_twice = true;
  std::uint64_t width = 0;
  std::vector<std::string> rows;  ///< as they stand behind the word `row`
  std::vector<std::string> faults;
  std::uint64_t missing = 0;
  std::uint64_t inexact = 0;
  std::string problem;  ///< words of it
};

std::string read_whole(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

void set_option(libsvm::Options& options, std::string const& name, std::string const& value) {
  for (auto const& option : Libsvm::options) {
    if (option.name == name && option.set(options, value)) return;
  }
  throw std::runtime_error("no option --" + name + " " + value);
}

void read_options(libsvm::Options& options, std::istringstream& words) {
  std::string name, value;
  while (words >> name) {
    auto const is_name = [&](auto const& option) { return option.name == name.substr(2); };
    auto const option = std::find_if(std::begin(Libsvm::options), std::end(Libsvm::options), is_name);
    bool const is_flag = option != std::end(Libsvm::options) && option->argument.empty();
    if (is_flag)
      value = "true";
    else
      words >> value;
    set_option(options, name.substr(2), value);
  }
}

std::string rest_of(std::istringstream& words) {
  std::string rest;
  std::getline(words >> std::ws, rest);
  return rest;
}

Case read_case(std::filesystem::path const& path) {
  Case out;
  out.name = path.string();
  out.bytes = read_whole(path);
  std::istringstream file(read_whole(std::filesystem::path(path).replace_extension(".expect")));
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "options")
      read_options(out.options, words);
    else if (word == "record_max")
      words >> out.record_max;
    else if (word == "once")
      out.is_read_twice = false;
    else if (word == "width")
      words >> out.width;
    else if (word == "row")
      out.rows.push_back(rest_of(words));
    else if (word == "fault")
      out.faults.push_back(line);
    else if (word == "missing")
      words >> out.missing;
    else if (word == "inexact")
      words >> out.inexact;
    else if (word == "problem")
      out.problem = rest_of(words);
    else if (word != "#")
      throw std::runtime_error(out.name + ": what is " + line);
  }
  return out;
}

// --- rows ----------------------------------------------------------------------------------------------------------

template <class T>
std::uint64_t bits_of(std::string_view text) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  if (text == "missing") return sizeof(T) == 4 ? missing_float32_bits : missing_float64_bits;
  Bits bits{};
  T value{};
  std::from_chars_result read{};
  if (text.starts_with("0x")) {
    read = std::from_chars(text.data() + 2, text.data() + text.size(), bits, 16);
  } else {
    read = std::from_chars(text.data(), text.data() + text.size(), value);
    bits = std::bit_cast<Bits>(value);
  }
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size())
    throw std::runtime_error("no value: " + std::string(text));
  return bits;
}

std::uint64_t bits_of(std::string_view text, DType type) {
  switch (type) {
    case DType::float32: return bits_of<float>(text);
    case DType::float64: return bits_of<double>(text);
    case DType::int32: return bits_of<std::int32_t>(text);
    case DType::int64: return bits_of<std::int64_t>(text);
  }
  return 0;
}

/// `LABELS [weight W] [qid Q] pairs INDEX:VALUE ...`
RunRow row_of_text(std::string const& text, DType type) {
  RunRow row;
  std::istringstream words(text);
  std::string word, part = "label";
  while (words >> word) {
    if (word == "weight" || word == "qid" || word == "pairs") {
      part = word;
    } else if (part == "label") {
      row.labels.push_back(bits_of<float>(word));
    } else if (part == "weight") {
      row.weight = bits_of<float>(word);
    } else if (part == "qid") {
      row.qid = bits_of<std::int64_t>(word);
    } else {
      std::size_t const colon = word.find(':');
      row.indices.push_back(std::stoll(word.substr(0, colon)));
      row.values.push_back(bits_of(word.substr(colon + 1), type));
    }
  }
  return row;
}

// --- faults --------------------------------------------------------------------------------------------------------

std::string_view code_name(FaultCode code) {
  using enum FaultCode;
  switch (code) {
    case not_a_number: return "not_a_number";
    case not_an_integer: return "not_an_integer";
    case out_of_range: return "out_of_range";
    case non_finite: return "non_finite";
    case record_too_long: return "record_too_long";
    case missing_label: return "missing_label";
    case several_labels: return "several_labels";
    case bad_index: return "bad_index";
    case index_below_base: return "index_below_base";
    case index_out_of_range: return "index_out_of_range";
    case duplicate_index: return "duplicate_index";
    case missing_separator: return "missing_separator";
    case misplaced_qid: return "misplaced_qid";
    case unexpected_weight: return "unexpected_weight";
    case missing_weight: return "missing_weight";
    case unexpected_qid: return "unexpected_qid";
    case missing_qid: return "missing_qid";
    case too_many_pairs: return "too_many_pairs";
    default: return "another code";
  }
}

/// `fault RECORD LINE COLUMN BYTE ITEM CODE` for each, in order.
std::vector<std::string> fault_lines(FormatRun const& run, std::string_view bytes) {
  std::vector<std::string> lines;
  for (testing::RunFault const& fault : run.faults) {
    std::uint64_t line = 1, line_begin = 0;
    for (std::uint64_t i = 0; i < fault.cell_begin; ++i) {
      bool const is_crlf = bytes[i] == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n';
      if (is_crlf || (bytes[i] != '\n' && bytes[i] != '\r')) continue;
      ++line;
      line_begin = i + 1;
    }
    std::ostringstream text;
    text << "fault " << fault.rows_before + lines.size() + 1 << " " << line << " " << fault.cell_begin - line_begin + 1
         << " " << fault.cell_begin << " " << fault.column << " " << code_name(fault.code);
    lines.push_back(text.str());
  }
  return lines;
}

// --- the test ------------------------------------------------------------------------------------------------------

bool has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

template <class Isa>
testing::Scouted<Libsvm> scout(Case const& c, RunSizes const& sizes) {
  return testing::scout<Libsvm, Isa>(c.options, {c.record_max, c.is_read_twice, true}, {c.bytes}, sizes);
}

void check_rows(Case const& c, FormatRun const& run) {
  ASSERT_EQ(run.rows.size(), c.rows.size());
  for (std::size_t i = 0; i < c.rows.size(); ++i) {
    EXPECT_EQ(testing::words(row_of_text(c.rows[i], c.options.dtype)), testing::words(run.rows[i])) << "row " << i + 1;
  }
  EXPECT_EQ(fault_lines(run, c.bytes), c.faults);
  EXPECT_EQ(run.counts.missing_cells, c.missing);
  EXPECT_EQ(run.counts.inexact_integers, c.inexact);
}

/// All buffers from 1 to 80 bytes, and some of several hundred; tiny rounds and large ones.
std::vector<RunSizes> all_sizes() {
  std::vector<RunSizes> all;
  auto const add = [&](std::size_t bytes) {
    RunSizes sizes;
    sizes.buffer_bytes = bytes;
    if (bytes % 3 == 0) sizes.capacity = {1, 1, 1, 0, 0};
    if (bytes % 3 == 1) sizes.capacity = {3, 4, 2, 0, 0};
    sizes.faults_max = 1 + bytes % 2;
    sizes.rejects_max = 1 + bytes % 3;
    sizes.poison = "\n 1:#\r"[bytes % 6];
    all.push_back(sizes);
  };
  for (std::size_t bytes = 1; bytes <= 80; ++bytes) add(bytes);
  for (std::size_t const bytes : {127u, 128u, 129u, 500u, 8192u, 20000u}) add(bytes);
  return all;
}

template <class Isa>
void check_all_sizes(Case const& c) {
  RunSizes const usual;
  auto const scouted = scout<Isa>(c, usual);
  if (!c.problem.empty()) {
    ASSERT_EQ(scouted.problems.size(), 1u);
    EXPECT_NE(scouted.problems[0].message.find(c.problem), std::string::npos) << scouted.problems[0].message;
    return;
  }
  ASSERT_TRUE(scouted.plan.has_value()) << (scouted.problems.empty() ? "" : scouted.problems[0].message);
  EXPECT_EQ(scouted.plan->layout.features, c.width);
  FormatRun const run = testing::run_format<Libsvm, Isa>(*scouted.plan, c.bytes, c.record_max, usual);
  check_rows(c, run);
  for (RunSizes const& sizes : all_sizes()) {
    auto const again = scout<Isa>(c, sizes);
    ASSERT_TRUE(again.plan.has_value());
    ASSERT_EQ(again.notes, scouted.notes);
    FormatRun const found = testing::run_format<Libsvm, Isa>(*again.plan, c.bytes, c.record_max, sizes);
    ASSERT_EQ(difference(run, found), "") << name_of(sizes);
  }
}

void check_folder(std::string const& folder, bool has_faults) {
  std::filesystem::path const path = std::filesystem::path(PENSTOCK_SOURCE_DIR) / "formats/libsvm/corpus" / folder;
  std::vector<std::filesystem::path> files;
  for (auto const& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() == ".libsvm") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  EXPECT_GT(files.size(), 20u);
  for (auto const& file : files) {
    SCOPED_TRACE(file.string());
    Case const c = read_case(file);
    EXPECT_EQ(!c.faults.empty() || !c.problem.empty(), has_faults) << "it belongs in the other folder";
    check_all_sizes<Portable>(c);
#if defined(__x86_64__)
    if (has_avx2()) check_all_sizes<Avx2>(c);
#endif
  }
}

TEST(LibsvmCorpus, Pass) { check_folder("pass", false); }
TEST(LibsvmCorpus, Fail) { check_folder("fail", true); }

// --- real files ----------------------------------------------------------------------------------------------------

struct RealFile {
  std::string name;
  std::size_t rows;
  std::size_t pairs;
  std::uint64_t base;
  std::uint64_t width;
};

class LibsvmRealFile : public ::testing::TestWithParam<RealFile> {};

TEST_P(LibsvmRealFile, IsReadWithoutFaults) {
  RealFile const& expected = GetParam();
  std::filesystem::path const folder = PENSTOCK_SHARED_DATA_DIR;
  if (folder.empty() || !std::filesystem::exists(folder / "libsvm"))
    GTEST_SKIP() << "the folder of real data (../shared/data) is not here";
  Case c;
  c.bytes = read_whole(folder / "libsvm" / expected.name);
  RunSizes sizes;
  sizes.buffer_bytes = 100000;
  sizes.capacity = {5000, 100000, 0, 0, 0};
  auto const scouted = scout<Portable>(c, sizes);
  ASSERT_TRUE(scouted.plan.has_value());
  EXPECT_EQ(scouted.plan->items.base, expected.base);
  EXPECT_EQ(scouted.plan->layout.features, expected.width);
  FormatRun const run = testing::run_format<Libsvm, Portable>(*scouted.plan, c.bytes, c.record_max, sizes);
  EXPECT_EQ(run.rows.size(), expected.rows);
  EXPECT_TRUE(run.faults.empty()) << testing::words(run.faults.front());
  std::size_t pairs = 0;
  for (RunRow const& row : run.rows) pairs += row.indices.size();
  EXPECT_EQ(pairs, expected.pairs);
  EXPECT_EQ(pairs, static_cast<std::size_t>(std::count(c.bytes.begin(), c.bytes.end(), ':')));
#if defined(__x86_64__)
  if (!has_avx2()) return;
  sizes.buffer_bytes = 7777;
  FormatRun const found = testing::run_format<Libsvm, Avx2>(*scouted.plan, c.bytes, c.record_max, sizes);
  EXPECT_EQ(difference(run, found), "");
#endif
}

INSTANTIATE_TEST_SUITE_P(Files, LibsvmRealFile,
                         ::testing::Values(RealFile{"agaricus.train.libsvm", 6513, 143286, 1, 126},
                                           RealFile{"agaricus.test.libsvm", 1611, 35442, 1, 126},
                                           RealFile{"rank.train.libsvm", 3005, 284736, 1, 300},
                                           RealFile{"abalone.train_0.libsvm", 1461, 11688, 1, 8}),
                         [](auto const& file) {
                           std::string name = file.param.name;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace penstock
