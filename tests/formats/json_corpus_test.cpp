// Every file of the corpora of DeepAR, vectors and Object2Vec becomes what stands beside it, whatever buffers, rounds
// and instruction set. The format of NAME.expect: formats/json/README.md.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "formats/deepar/format.hpp"
#include "formats/jsonl/format.hpp"
#include "formats/object2vec/format.hpp"
#include "host/exec/avx2.hpp"
#include "tests/support/format_run.hpp"

namespace penstock {
namespace {

using testing::FormatRun;
using testing::RunRow;
using testing::RunSizes;

template <class F>
struct Case {
  std::string name;
  std::string bytes;
  typename F::Options options;
  std::size_t record_max = 1 << 16;
  bool is_read_twice = true;
  std::vector<std::string> rows;    ///< as they stand behind the word `row`
  std::vector<std::string> faults;  ///< whole lines
  std::vector<std::string> words;   ///< what each fault is called, as far as it is said
  std::uint64_t missing = 0;
  std::uint64_t inexact = 0;
  std::string problem;  ///< words of it
};

std::string read_whole(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string rest_of(std::istringstream& words) {
  std::string rest;
  std::getline(words >> std::ws, rest);
  return rest;
}

template <class F>
void read_options(typename F::Options& options, std::istringstream& words) {
  std::string name, value;
  while (words >> name) {
    auto const is_name = [&](auto const& option) { return option.name == name.substr(2); };
    auto const option = std::find_if(std::begin(F::options), std::end(F::options), is_name);
    if (option == std::end(F::options)) throw std::runtime_error("no option " + name);
    value = "true";
    if (!option->argument.empty()) words >> value;
    if (!option->set(options, value)) throw std::runtime_error("no option " + name + " " + value);
  }
}

template <class F>
Case<F> read_case(std::filesystem::path const& path) {
  Case<F> out;
  out.name = path.string();
  out.bytes = read_whole(path);
  std::istringstream file(read_whole(std::filesystem::path(path).replace_extension(".expect")));
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "options")
      read_options<F>(out.options, words);
    else if (word == "record_max")
      words >> out.record_max;
    else if (word == "once")
      out.is_read_twice = false;
    else if (word == "row")
      out.rows.push_back(rest_of(words));
    else if (word == "fault")
      out.faults.push_back(line);
    else if (word == "words")
      out.words.push_back(rest_of(words));
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
  T value{};
  auto const read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size())
    throw std::runtime_error("no value: " + std::string(text));
  return std::bit_cast<Bits>(value);
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

/// Names of tensors, each with its values: `start 0 target 4.3 missing cat 1`, `features 1 2 label 0`, `pairs 3:0.5`.
RunRow row_of_text(std::string const& text, BatchLayout const& layout) {
  RunRow row;
  std::istringstream words(text);
  std::string word, part;
  while (words >> word) {
    if (std::isalpha(static_cast<unsigned char>(word[0])) != 0 && word != "missing" && word != "inf") {
      part = word;
    } else if (part == "features") {
      row.features.push_back(bits_of(word, layout.feature_dtype));
    } else if (part == "label") {
      row.labels.push_back(bits_of<float>(word));
    } else if (part == "start") {
      row.start = bits_of<std::int64_t>(word);
    } else if (part == "cat") {
      row.cat.push_back(bits_of<std::int32_t>(word));
    } else if (part == "pairs") {
      std::size_t const colon = word.find(':');
      row.indices.push_back(std::stoll(word.substr(0, colon)));
      row.values.push_back(bits_of(word.substr(colon + 1), layout.feature_dtype));
    } else {
      std::size_t list = 0;
      while (list < lists_max && name_of(layout.lists[list].role) != part) ++list;
      if (list == lists_max) throw std::runtime_error("what is " + part + " " + word);
      row.lists[list].push_back(bits_of(word, layout.lists[list].dtype));
    }
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
    case record_too_long: return "record_too_long";
    case missing_label: return "missing_label";
    case bad_index: return "bad_index";
    case index_out_of_range: return "index_out_of_range";
    case duplicate_index: return "duplicate_index";
    case missing_features: return "missing_features";
    case density_mismatch: return "density_mismatch";
    case width_mismatch: return "width_mismatch";
    case label_mismatch: return "label_mismatch";
    case shape_mismatch: return "shape_mismatch";
    case keys_mismatch: return "keys_mismatch";
    case malformed_json: return "malformed_json";
    case nested_too_deep: return "nested_too_deep";
    case duplicate_key: return "duplicate_key";
    case missing_key: return "missing_key";
    case unknown_key: return "unknown_key";
    case wrong_type: return "wrong_type";
    case length_mismatch: return "length_mismatch";
    case bad_time: return "bad_time";
    default: return "another code";
  }
}

/// `fault RECORD LINE COLUMN BYTE CODE` for each, in order.
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
         << " " << fault.cell_begin << " " << code_name(fault.code);
    lines.push_back(text.str());
  }
  return lines;
}

/// `SUBJECT: EXPECTED` of each fault.
template <class F>
std::vector<std::string> fault_words(FormatRun const& run, typename F::Plan const& plan) {
  std::vector<std::string> lines;
  for (testing::RunFault const& found : run.faults) {
    Fault fault;
    fault.code = found.code;
    fault.column = found.column;
    fault.cell_begin = static_cast<std::uint32_t>(found.cell_begin - found.record_begin);
    fault.cell_end = static_cast<std::uint32_t>(found.cell_end - found.record_begin);
    fault.record_end = static_cast<std::uint32_t>(found.record.size());
    FaultWords const words = F::words_of(fault, plan, found.record);
    lines.push_back(words.subject + ": " + words.expected);
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

template <class F, class Isa>
testing::Scouted<F> scout(Case<F> const& c, RunSizes const& sizes) {
  return testing::scout<F, Isa>(c.options, {c.record_max, c.is_read_twice, true}, {c.bytes}, sizes);
}

template <class F>
void check_run(Case<F> const& c, typename F::Plan const& plan, FormatRun const& run) {
  ASSERT_EQ(run.rows.size(), c.rows.size());
  for (std::size_t i = 0; i < c.rows.size(); ++i) {
    EXPECT_EQ(testing::words(row_of_text(c.rows[i], plan.layout)), testing::words(run.rows[i])) << "row " << i + 1;
  }
  EXPECT_EQ(fault_lines(run, c.bytes), c.faults);
  if (!c.words.empty()) {
    EXPECT_EQ(fault_words<F>(run, plan), c.words);
  }
  EXPECT_EQ(run.counts.missing_cells, c.missing);
  EXPECT_EQ(run.counts.inexact_integers, c.inexact);
}

/// All buffers from 1 to 80 bytes, and some of several hundred; tiny rounds and large ones.
std::vector<RunSizes> all_sizes() {
  std::vector<RunSizes> all;
  auto const add = [&](std::size_t bytes) {
    RunSizes sizes;
    sizes.buffer_bytes = bytes;
    if (bytes % 3 == 0) sizes.capacity = {1, 1, 1, 0, 0, {1, 1}};
    if (bytes % 3 == 1) sizes.capacity = {3, 4, 2, 0, 0, {5, 4}};
    sizes.faults_max = 1 + bytes % 2;
    sizes.rejects_max = 1 + bytes % 3;
    sizes.poison = "\n 1]\"\r,"[bytes % 7];
    all.push_back(sizes);
  };
  for (std::size_t bytes = 1; bytes <= 80; ++bytes) add(bytes);
  for (std::size_t const bytes : {127u, 128u, 129u, 500u, 8192u, 20000u}) add(bytes);
  return all;
}

template <class F, class Isa>
void check_all_sizes(Case<F> const& c) {
  RunSizes const usual;
  auto const scouted = scout<F, Isa>(c, usual);
  if (!c.problem.empty()) {
    ASSERT_EQ(scouted.problems.size(), 1u);
    EXPECT_NE(scouted.problems[0].message.find(c.problem), std::string::npos) << scouted.problems[0].message;
    return;
  }
  ASSERT_TRUE(scouted.plan.has_value()) << (scouted.problems.empty() ? "" : scouted.problems[0].message);
  FormatRun const run = testing::run_format<F, Isa>(*scouted.plan, c.bytes, c.record_max, usual);
  check_run<F>(c, *scouted.plan, run);
  for (RunSizes const& sizes : all_sizes()) {
    auto const again = scout<F, Isa>(c, sizes);
    ASSERT_TRUE(again.plan.has_value());
    ASSERT_EQ(again.notes, scouted.notes);
    FormatRun const found = testing::run_format<F, Isa>(*again.plan, c.bytes, c.record_max, sizes);
    ASSERT_EQ(difference(run, found), "") << name_of(sizes);
  }
}

template <class F>
void check_folder(std::string const& folder, bool has_faults) {
  std::filesystem::path const path =
      std::filesystem::path(PENSTOCK_SOURCE_DIR) / "formats" / F::info.name / "corpus" / folder;
  std::vector<std::filesystem::path> files;
  for (auto const& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  EXPECT_GT(files.size(), 1u);
  for (auto const& file : files) {
    SCOPED_TRACE(file.string());
    Case<F> const c = read_case<F>(file);
    EXPECT_EQ(!c.faults.empty() || !c.problem.empty(), has_faults) << "it belongs in the other folder";
    check_all_sizes<F, Portable>(c);
#if defined(__x86_64__)
    if (has_avx2()) check_all_sizes<F, Avx2>(c);
#endif
  }
}

TEST(JsonCorpus, DeeparPass) { check_folder<deepar::Format>("pass", false); }
TEST(JsonCorpus, DeeparFail) { check_folder<deepar::Format>("fail", true); }
TEST(JsonCorpus, VectorsPass) { check_folder<jsonl::Format>("pass", false); }
TEST(JsonCorpus, VectorsFail) { check_folder<jsonl::Format>("fail", true); }
TEST(JsonCorpus, Object2VecPass) { check_folder<object2vec::Format>("pass", false); }
TEST(JsonCorpus, Object2VecFail) { check_folder<object2vec::Format>("fail", true); }

}  // namespace
}  // namespace penstock
