// Golden inputs with expected results: formats/recordio/corpus, with buffers and rounds that must not matter.
// What the lines of NAME.expect mean: formats/recordio/corpus/README.md.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/core/block.hpp"
#include "formats/recordio/format.hpp"
#include "tests/support/corpus_expectation.hpp"
#include "tests/support/format_run.hpp"

namespace {

using namespace penstock;
using namespace penstock::testing;
using recordio::Format;

std::string const folder = std::string(PENSTOCK_SOURCE_DIR) + "/formats/recordio/corpus/";

constexpr std::pair<std::string_view, FaultCode> code_names[] = {
    {"record_too_long", FaultCode::record_too_long},
    {"out_of_range", FaultCode::out_of_range},
    {"index_out_of_range", FaultCode::index_out_of_range},
    {"duplicate_index", FaultCode::duplicate_index},
    {"bad_magic", FaultCode::bad_magic},
    {"reserved_flag", FaultCode::reserved_flag},
    {"truncated_frame", FaultCode::truncated_frame},
    {"missing_padding", FaultCode::missing_padding},
    {"bad_part_sequence", FaultCode::bad_part_sequence},
    {"malformed_record", FaultCode::malformed_record},
    {"bytes_value", FaultCode::bytes_value},
    {"missing_features", FaultCode::missing_features},
    {"tensor_type_mismatch", FaultCode::tensor_type_mismatch},
    {"density_mismatch", FaultCode::density_mismatch},
    {"width_mismatch", FaultCode::width_mismatch},
    {"label_mismatch", FaultCode::label_mismatch},
    {"shape_mismatch", FaultCode::shape_mismatch},
    {"missing_shape", FaultCode::missing_shape},
    {"keys_mismatch", FaultCode::keys_mismatch},
    {"unexpected_text", FaultCode::unexpected_text},
};

/// One case: the bytes, what was asked for, and the lines that are expected.
struct Case {
  std::string bytes;
  std::size_t record_max = 65536;
  recordio::Options options;
  ScoutContext context;
  std::string layout, problem, note;
  std::vector<std::string> rows, faults;
  std::uint64_t others = 0;
  std::uint64_t frames = 0;  ///< 0: not said
};

/// Hex digits and blanks; `#` begins a comment that goes to the line's end.
std::string bytes_of(std::string const& text) {
  std::istringstream lines(text);
  std::string bytes;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    for (std::string word; words >> word;) bytes += static_cast<char>(corpus::number_from<unsigned>(word, 16));
  }
  return bytes;
}

void take_options(std::vector<std::string> const& words, recordio::Options& options) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto const* const option = std::find_if(std::begin(Format::options), std::end(Format::options),
                                            [&](auto const& o) { return "--" + std::string(o.name) == words[i]; });
    if (option == std::end(Format::options)) throw std::runtime_error("unknown option: " + words[i]);
    bool const is_flag = option->argument.empty();
    if (!is_flag && i + 1 == words.size()) throw std::runtime_error("no value: " + words[i]);
    if (!option->set(options, is_flag ? "true" : words[++i])) throw std::runtime_error("bad value: " + words[i]);
  }
}

void take_context(std::vector<std::string> const& words, ScoutContext& context) {
  for (std::string const& word : words) {
    if (word == "once")
      context.is_read_twice = false;
    else if (word == "needs_width")
      context.needs_width = true;
    else
      throw std::runtime_error("unknown context: " + word);
  }
}

void take_line(std::string const& line, Case& out) {
  std::size_t const blank = line.find(' ');
  std::string const word = line.substr(0, blank);
  std::string const rest = blank == line.npos ? "" : line.substr(blank + 1);
  if (word == "#" || word.empty()) return;
  if (word == "options")
    take_options(corpus::shell_words(rest), out.options);
  else if (word == "context")
    take_context(corpus::shell_words(rest), out.context);
  else if (word == "record_max")
    out.record_max = corpus::number_from<std::size_t>(rest);
  else if (word == "layout")
    out.layout = rest;
  else if (word == "row")
    out.rows.push_back(rest);
  else if (word == "fault")
    out.faults.push_back(rest);
  else if (word == "others")
    out.others = corpus::number_from<std::uint64_t>(rest);
  else if (word == "frames")
    out.frames = corpus::number_from<std::uint64_t>(rest);
  else if (word == "problem")
    out.problem = rest;
  else if (word == "note")
    out.note = rest;
  else
    throw std::runtime_error("unknown word: " + word);
}

Case case_of(std::string const& name) {
  Case out;
  out.context.is_read_twice = true;
  out.bytes = bytes_of(corpus::read_whole(folder + name + ".hex"));
  std::istringstream text(corpus::read_whole(folder + name + ".expect"));
  for (std::string line; std::getline(text, line);) take_line(line, out);
  out.context.record_max = out.record_max;
  return out;
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (std::string const kind : {"pass/", "fail/"})
    for (auto const& entry : std::filesystem::directory_iterator(folder + kind))
      if (entry.path().extension() == ".hex") names.push_back(kind + entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

// --- what came out, in the words of the expectation ------------------------------------------------------------------

std::string words_of_layout(BatchLayout const& layout) {
  std::string words = layout.is_sparse ? "sparse " : "dense ";
  words += std::string(name_of(layout.feature_dtype)) + " " + std::to_string(layout.features);
  words += " label " + std::string(name_of(layout.label_dtype)) + " ";
  words += layout.labels_vary ? "varies" : std::to_string(layout.labels);
  return words + (layout.has_uid ? " uid" : "") + (layout.has_metadata ? " metadata" : "");
}

std::uint64_t bits_of_word(std::string const& word, DType type) {
  return corpus::number_from<std::uint64_t>(corpus::canonical_value(word, type), 16);
}

/// `1 2 label 0 uid a` or `3:1 7:2 label 0`.
RunRow row_of_words(std::string const& text, BatchLayout const& layout) {
  RunRow row;
  std::vector<std::string> const words = corpus::shell_words(text);
  bool is_label = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::size_t const colon = words[i].find(':');
    if (words[i] == "label") {
      is_label = true;
    } else if (words[i] == "uid") {
      row.uid = words.at(++i);
    } else if (words[i] == "metadata") {
      row.metadata = words.at(++i);
    } else if (is_label) {
      row.labels.push_back(bits_of_word(words[i], layout.label_dtype));
    } else if (colon != std::string::npos) {
      row.indices.push_back(corpus::number_from<std::int64_t>(words[i].substr(0, colon)));
      row.values.push_back(bits_of_word(words[i].substr(colon + 1), layout.feature_dtype));
    } else {
      row.features.push_back(bits_of_word(words[i], layout.feature_dtype));
    }
  }
  return row;
}

std::string words_of_fault(RunFault const& fault) {
  constexpr std::string_view parts[] = {"frame", "features", "label", "uid", "metadata"};
  std::string name = std::to_string(static_cast<int>(fault.code));
  for (auto const& [text, code] : code_names)
    if (code == fault.code) name = text;
  for (std::uint64_t const number : {fault.record_begin, fault.cell_begin, fault.cell_end})
    name += " " + std::to_string(number);
  return name + " " + std::string(parts[fault.column]);
}

void expect_run(Case const& expected, FormatRun const& run, std::string const& name) {
  EXPECT_EQ(words_of_layout(run.layout), expected.layout) << name;
  std::vector<std::string> faults;
  for (RunFault const& fault : run.faults) faults.push_back(words_of_fault(fault));
  EXPECT_EQ(faults, expected.faults) << name;
  std::vector<RunRow> rows;
  for (std::string const& row : expected.rows) rows.push_back(row_of_words(row, run.layout));
  EXPECT_EQ(list_difference("row", rows, run.rows), "") << name;
  EXPECT_EQ(run.counts.other_entries, expected.others) << name;
  if (expected.frames != 0) {
    EXPECT_EQ(run.counts.lines, expected.frames) << name;
  }
}

std::vector<RunSizes> sizes() {
  std::vector<RunSizes> all;
  for (std::size_t const buffer : {1u, 2u, 3u, 5u, 7u, 8u, 9u, 13u, 16u, 27u, 64u, 97u, 4096u}) {
    RunSizes sizes;
    sizes.buffer_bytes = buffer;
    all.push_back(sizes);
    sizes.rejects_max = 1;
    sizes.capacity = {1, 0, 0, 0, 0};
    sizes.faults_max = 1;
    sizes.poison = '\x0a';
    all.push_back(sizes);
  }
  return all;
}

TEST(RecordioCorpus, EveryCaseWithBuffersOfEverySize) {
  for (std::string const& name : case_names()) {
    Case const expected = case_of(name);
    for (RunSizes const& size : sizes()) {
      auto const scouted = scout<Format, Portable>(expected.options, expected.context, {expected.bytes}, size);
      ASSERT_EQ(scouted.plan.has_value(), expected.problem.empty()) << name;
      if (!scouted.plan) {
        EXPECT_NE(scouted.problems.at(0).message.find(expected.problem), std::string::npos)
            << name << ": " << scouted.problems[0].message;
        continue;
      }
      std::string notes;
      for (std::string const& note : scouted.notes) notes += note + "\n";
      EXPECT_NE(notes.find(expected.note), std::string::npos) << name << ": " << notes;
      FormatRun const run = run_format<Format, Portable>(*scouted.plan, expected.bytes, expected.record_max, size);
      expect_run(expected, run, name + ", " + name_of(size));
    }
  }
}

TEST(RecordioCorpus, CasesThatFailDo) {
  std::size_t cases = 0;
  for (std::string const& name : case_names()) {
    Case const expected = case_of(name);
    bool const fails = !expected.problem.empty() || !expected.faults.empty();
    EXPECT_EQ(fails, name.starts_with("fail/")) << name;
    ++cases;
  }
  EXPECT_GT(cases, 100u);
}

}  // namespace
