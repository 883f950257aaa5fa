// Every file of formats/objects/corpus becomes what stands beside it, whatever buffers, rounds and instruction set. The
// format of NAME.expect: formats/objects/corpus/README.md.

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

#include "formats/objects/format.hpp"
#include "host/exec/avx2.hpp"
#include "tests/support/format_run.hpp"

namespace penstock {
namespace {

using Objects = objects::Format;
using testing::FormatRun;
using testing::RunRow;
using testing::RunSizes;

struct Case {
  std::string name;
  std::string bytes;
  objects::Options options;
  std::size_t record_max = 1 << 16;
  bool is_read_twice = true;
  std::optional<std::string> names;  ///< of the features, with blanks between
  std::vector<std::string> rows;     ///< as they stand behind the word `row`
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

void set_option(objects::Options& options, std::string const& name, std::string const& value) {
  for (auto const& option : Objects::options) {
    if (option.name == name && option.set(options, value)) return;
  }
  throw std::runtime_error("no option --" + name + " " + value);
}

void read_options(objects::Options& options, std::istringstream& words) {
  std::string name, value;
  while (words >> name) {
    auto const is_name = [&](auto const& option) { return option.name == name.substr(2); };
    auto const option = std::find_if(std::begin(Objects::options), std::end(Objects::options), is_name);
    bool const is_flag = option != std::end(Objects::options) && option->argument.empty();
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
    else if (word == "names")
      out.names = rest_of(words);
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

/// `FEATURES [label L...] [weight W] [qid Q]`
RunRow row_of_text(std::string const& text, DType type) {
  RunRow row;
  std::istringstream words(text);
  std::string word, part;
  while (words >> word) {
    if (word == "label" || word == "weight" || word == "qid")
      part = word;
    else if (part.empty())
      row.features.push_back(bits_of(word, type));
    else if (part == "label")
      row.labels.push_back(bits_of<float>(word));
    else if (part == "weight")
      row.weight = bits_of<float>(word);
    else
      row.qid = bits_of<std::int64_t>(word);
  }
  return row;
}

// --- faults --------------------------------------------------------------------------------------------------------

std::string_view code_name(FaultCode code) {
  using enum FaultCode;
  switch (code) {
    case not_an_integer: return "not_an_integer";
    case out_of_range: return "out_of_range";
    case non_finite: return "non_finite";
    case missing_value: return "missing_value";
    case unmapped_label: return "unmapped_label";
    case record_too_long: return "record_too_long";
    case malformed_json: return "malformed_json";
    case nested_too_deep: return "nested_too_deep";
    case duplicate_key: return "duplicate_key";
    case missing_key: return "missing_key";
    case unknown_key: return "unknown_key";
    case wrong_type: return "wrong_type";
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
testing::Scouted<Objects> scout(Case const& c, RunSizes const& sizes) {
  return testing::scout<Objects, Isa>(c.options, {c.record_max, c.is_read_twice, false}, {c.bytes}, sizes);
}

std::string joined(std::vector<std::string> const& words) {
  std::string text;
  for (std::string const& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
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
    if (bytes % 3 == 0) sizes.capacity = {1, 0, 0, 0, 1, {}};
    if (bytes % 3 == 1) sizes.capacity = {3, 0, 0, 0, 20, {}};
    sizes.faults_max = 1 + bytes % 2;
    sizes.rejects_max = 1 + bytes % 3;
    sizes.poison = "\n 1:\"\r"[bytes % 6];
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
  std::string const names = joined(Objects::names(*scouted.plan, Role::feature));
  EXPECT_EQ(names, c.names.value_or(names));
  FormatRun const run = testing::run_format<Objects, Isa>(*scouted.plan, c.bytes, c.record_max, usual);
  check_rows(c, run);
  for (RunSizes const& sizes : all_sizes()) {
    auto const again = scout<Isa>(c, sizes);
    ASSERT_TRUE(again.plan.has_value());
    ASSERT_EQ(again.notes, scouted.notes);
    FormatRun const found = testing::run_format<Objects, Isa>(*again.plan, c.bytes, c.record_max, sizes);
    ASSERT_EQ(difference(run, found), "") << name_of(sizes);
  }
}

void check_folder(std::string const& folder, bool has_faults) {
  std::filesystem::path const path = std::filesystem::path(PENSTOCK_SOURCE_DIR) / "formats/objects/corpus" / folder;
  std::vector<std::filesystem::path> files;
  for (auto const& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  EXPECT_GT(files.size(), 35u);
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

TEST(ObjectsCorpus, Pass) { check_folder("pass", false); }
TEST(ObjectsCorpus, Fail) { check_folder("fail", true); }

// --- real files ----------------------------------------------------------------------------------------------------

struct RealFile {
  std::string name;
  std::string columns;
  DType dtype;
  std::size_t rows;
  std::size_t features;
  std::uint64_t missing;
};

class ObjectsRealFile : public ::testing::TestWithParam<RealFile> {};

TEST_P(ObjectsRealFile, IsReadWithoutFaults) {
  RealFile const& expected = GetParam();
  std::filesystem::path const folder = PENSTOCK_SHARED_DATA_DIR;
  if (folder.empty() || !std::filesystem::exists(folder / "jsonl"))
    GTEST_SKIP() << "the folder of real data (../shared/data) is not here";
  Case c;
  c.bytes = read_whole(folder / "jsonl" / expected.name);
  c.options.columns = expected.columns;
  c.options.dtype = expected.dtype;
  RunSizes sizes;
  sizes.buffer_bytes = 100000;
  sizes.capacity = {5000, 0, 0, 0, 10000, {}};
  auto const scouted = scout<Portable>(c, sizes);
  ASSERT_TRUE(scouted.plan.has_value()) << (scouted.problems.empty() ? "" : scouted.problems[0].message);
  EXPECT_EQ(scouted.plan->layout.features, expected.features);
  FormatRun const run = testing::run_format<Objects, Portable>(*scouted.plan, c.bytes, c.record_max, sizes);
  EXPECT_EQ(run.rows.size(), expected.rows);
  EXPECT_TRUE(run.faults.empty()) << testing::words(run.faults.front());
  EXPECT_EQ(run.counts.missing_cells, expected.missing);
#if defined(__x86_64__)
  if (!has_avx2()) return;
  sizes.buffer_bytes = 7777;
  FormatRun const found = testing::run_format<Objects, Avx2>(*scouted.plan, c.bytes, c.record_max, sizes);
  EXPECT_EQ(difference(run, found), "");
#endif
}

INSTANTIATE_TEST_SUITE_P(Files, ObjectsRealFile,
                         ::testing::Values(RealFile{"boston311-100.jsonl", "latitude,longitude", DType::float32, 100, 2,
                                                    0},
                                           RealFile{"boston311-100.jsonl", "case_enquiry_id", DType::int64, 100, 1, 0},
                                           RealFile{"boston311-100.jsonl", "", DType::float32, 100, 4, 100}),
                         [](auto const& file) { return "Case" + std::to_string(file.index); });

}  // namespace
}  // namespace penstock
