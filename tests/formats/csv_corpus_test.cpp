// Golden inputs with expected results: formats/csv/corpus, under schedules and instruction sets that must not matter.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/corpus_expectation.hpp"
#include "tests/support/corpus_run.hpp"

namespace penstock {
namespace {

using corpus::Expectation;
using corpus::Outcome;
using corpus::Schedule;

std::string const folder = std::string(PENSTOCK_SOURCE_DIR) + "/formats/csv/corpus/";

/// Slots that nearly every record reaches beyond, slots of an odd size, and what a user gets.
constexpr Schedule schedules[] = {{64, 3, false}, {64, 1, true}, {97, 2, true},
                                  {97, 8, false}, {0, 1, false}, {0, 2, true}};

std::string name_of(Schedule const& s) {
  return "slots of " + std::to_string(s.slot_bytes) + ", " + std::to_string(s.threads) + " threads" +
         (s.is_portable ? ", portable" : "");
}

/// `pass/NAME` and `fail/NAME` of all files with this suffix, in order.
std::vector<std::string> names_of(std::string_view suffix) {
  std::vector<std::string> names;
  for (std::string const kind : {"pass/", "fail/"}) {
    for (auto const& entry : std::filesystem::directory_iterator(folder + kind)) {
      if (entry.path().extension() == suffix) names.push_back(kind + entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_fail(std::string const& name) { return name.starts_with("fail/"); }
std::string text_path(std::string const& name) { return folder + name + ".csv"; }
Expectation expectation_of(std::string const& name) { return corpus::read_expectation(folder + name + ".expect"); }

Outcome run(std::string const& name, Expectation const& expectation, Schedule const& schedule) {
  FaultPolicy const policy = is_fail(name) ? FaultPolicy::skip : FaultPolicy::fail;
  return corpus::run(text_path(name), expectation.options, policy, schedule);
}

/// A place in a text, by looking at every byte before it. LF, CR and CR LF end lines.
struct Place {
  std::uint64_t line = 1, column = 1;
  bool operator==(Place const&) const = default;
};
Place place_of(std::string_view text, std::size_t offset) {
  Place place;
  for (std::size_t i = 0; i < offset; ++i) {
    bool const is_second_half = text[i] == '\n' && i > 0 && text[i - 1] == '\r';
    bool const is_end = text[i] == '\n' || text[i] == '\r';
    place.line += is_end && !is_second_half ? 1 : 0;
    place.column = is_end ? 1 : place.column + 1;
  }
  return place;
}

class CsvCorpus : public ::testing::TestWithParam<std::string> {};

TEST_P(CsvCorpus, BecomesWhatIsExpected) {
  Expectation const expectation = expectation_of(GetParam());
  EXPECT_EQ(is_fail(GetParam()), !expectation.faults.empty() || expectation.error_code.has_value())
      << "it is in the wrong folder";
  for (Schedule const& schedule : schedules) {
    EXPECT_EQ(corpus::difference(expectation, run(GetParam(), expectation, schedule)), "") << name_of(schedule);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, CsvCorpus, ::testing::ValuesIn(names_of(".expect")), [](auto const& of) {
  std::string name = of.param;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});
/// What a report says about its place is so: by its byte, the file has that cell there, on that line.
void expect_true_place(FaultReport const& report, std::string_view text) {
  // An open quote may stand on a later line than the one that is rejected; the line is the reject's then.
  auto const line_end = std::min(text.find_first_of("\r\n", report.record_offset_bytes), text.size());
  bool const is_later = report.code == FaultCode::unterminated_quote && report.offset_bytes > line_end;
  Place const place = place_of(text, is_later ? report.record_offset_bytes : report.offset_bytes);
  EXPECT_EQ(place, (Place{report.line, report.line_column})) << summary_of(report);
  if (is_later) return;
  EXPECT_EQ(text.substr(report.offset_bytes, report.cell.size()), report.cell) << summary_of(report);
}

/// A reject is what stands in the file, to a line end. Behind a lone escape at the end of the file stands the line end
/// that it takes.
void expect_true_bytes(corpus::Rejected const& rejected, std::string const& text) {
  std::string const ended = text + "\n\n";
  std::uint64_t const begin = rejected.report.record_offset_bytes, end = begin + rejected.raw.size();
  ASSERT_LT(end, ended.size());
  EXPECT_EQ(ended.substr(begin, rejected.raw.size()), rejected.raw);
  EXPECT_TRUE(ended[end] == '\n' || ended[end] == '\r') << rejected.raw;
}

TEST(CsvCorpusFaults, PointIntoTheFile) {
  for (std::string const& name : names_of(".expect")) {
    SCOPED_TRACE(name);
    std::string const text = corpus::read_whole(text_path(name));
    for (Schedule const& schedule : schedules) {
      Outcome const outcome = run(name, expectation_of(name), schedule);
      for (FaultReport const& report : outcome.repairs) expect_true_place(report, text);
      for (corpus::Rejected const& rejected : outcome.rejects) {
        expect_true_place(rejected.report, text);
        expect_true_bytes(rejected, text);
      }
    }
  }
}

/// Without --on-error the first fault ends the run, and the message says where.
TEST(CsvCorpusFaults, TheFirstOneEndsTheRunByDefault) {
  std::size_t files = 0;
  for (std::string const& name : names_of(".expect")) {
    Expectation const expectation = expectation_of(name);
    if (expectation.faults.empty() || expectation.faults.front().starts_with("repair")) continue;
    ++files;
    std::vector<std::string> const words = corpus::shell_words(expectation.faults.front());
    std::string const place = text_path(name) + ":" + words[2] + ":" + words[3] + ":";
    for (Schedule const& schedule : schedules) {
      Outcome const outcome = corpus::run(text_path(name), expectation.options, FaultPolicy::fail, schedule);
      EXPECT_EQ(outcome.error_code, static_cast<int>(ExitCode::data)) << name;
      EXPECT_EQ(outcome.error_message.substr(0, place.size()), place) << outcome.error_message;
      EXPECT_EQ(outcome.rejects.size(), 1u) << name;
    }
  }
  EXPECT_GT(files, 0u);
}

/// All expectations that differ from `right` in one thing.
std::vector<Expectation> alterations_of(Expectation const& right) {
  std::vector<Expectation> altered;
  for (std::size_t i = 0; i < right.rows.size(); ++i) {
    std::string const value = corpus::shell_words(right.rows[i].text).front();
    altered.push_back(right);
    altered.back().rows[i].text.replace(0, value.size(), "77");
    altered.push_back(right);
    altered.back().rows.erase(altered.back().rows.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (std::size_t i = 0; i < right.faults.size(); ++i) {
    for (std::size_t at = 0; at <= right.faults[i].size(); ++at) {
      if (at < right.faults[i].size() && right.faults[i][at] != ' ') continue;
      altered.push_back(right);
      altered.back().faults[i].insert(at, "0");  // another word, another number
    }
  }
  for (auto const member : {&Expectation::missing, &Expectation::inexact}) {
    altered.push_back(right);
    altered.back().*member += 1;
  }
  altered.push_back(right);
  altered.back().error_code = right.error_code.value_or(0) + 1;
  return altered;
}

/// Nothing in an expectation is idle: with any one thing altered, the comparison sees a difference.
TEST(CsvCorpusExpectations, EveryAlterationIsNoticed) {
  for (std::string const& name : names_of(".expect")) {
    Expectation const right = expectation_of(name);
    Outcome const outcome = run(name, right, schedules[0]);
    std::vector<Expectation> const altered = alterations_of(right);
    for (std::size_t i = 0; i < altered.size(); ++i) {
      EXPECT_NE(corpus::difference(altered[i], outcome), "") << name << ", alteration " << i;
    }
  }
}

TEST(CsvCorpusExpectations, EveryFileHasOne) {
  EXPECT_EQ(names_of(".csv"), names_of(".expect"));
  EXPECT_FALSE(names_of(".csv").empty());
}

}  // namespace
}  // namespace penstock
