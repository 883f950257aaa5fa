// Reports against a second opinion: which records are at fault says the reference decoder, and where they stand in the
// file is counted here, from the file's first byte on.

#include "host/pipeline/fault_report.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/io/source.hpp"
#include "host/pipeline/record_stream.hpp"
#include "tests/support/csv_plans.hpp"
#include "tests/support/dirty_csv.hpp"
#include "tests/support/gzip_bytes.hpp"
#include "tests/support/reference_csv.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/stream_record.hpp"

namespace penstock {
namespace {

using reference::Complaint;
using reference::Outcome;
using testing::DirtyFile;
using testing::DirtyInput;
using testing::plan_files;
using testing::Random;
using testing::record_stream;
using testing::ScratchFolder;
using testing::shown_place;
using testing::shown_raw;
using testing::StreamRecord;
using testing::ToldFault;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t inputs = 60;
#else
constexpr std::uint64_t inputs = 400;
#endif

// --- the second opinion -----------------------------------------------------------------------------------------

constexpr std::size_t excerpt_max = 1024;  // as fault_report.hpp says
constexpr std::string_view line_ends = "\r\n";

/// Where the field that begins at `at` ends: at a delimiter, a line end, or the end of the text.
std::size_t field_end(std::string_view text, std::size_t at, csv::Dialect const& d) {
  enum { start, plain, quoted, closed } place = start;
  for (; at < text.size(); ++at) {
    char const c = text[at];
    bool const is_blank = d.trim && (c == ' ' || c == '\t');
    if (place != quoted && (c == d.delimiter || c == '\r' || c == '\n')) return at;
    if (d.escape != 0 && c == d.escape) {
      bool const ends_line = at + 1 < text.size() && line_ends.find(text[at + 1]) != std::string_view::npos;
      if (place == quoted || !ends_line) ++at;
      if (place != quoted) place = plain;
    } else if (place == quoted) {
      if (c == d.quote) place = closed;
    } else if (d.quote != 0 && c == d.quote) {
      place = place == plain ? plain : quoted;
    } else if (place != start || !is_blank) {
      place = plain;
    }
  }
  return text.size();
}

std::size_t record_end(std::string_view text, std::size_t at, csv::Dialect const& d) {
  for (at = field_end(text, at, d); at < text.size() && text[at] == d.delimiter;) at = field_end(text, at + 1, d);
  return at;
}

/// LF, CR, and CR LF as one.
std::uint64_t count_lines(std::string_view text) {
  std::uint64_t lines = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    lines += text[i] == '\r' || (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'));
  return lines;
}

class SecondOpinion {
 public:
  explicit SecondOpinion(DirtyInput const& input) : input_(input) {
    CsvOptions const& o = input.options;
    dialect_ = {*o.delimiter, o.quote, o.escape, o.comment, o.trim, o.strict_quotes};
    for (std::size_t i = 0; i < input.files.size(); ++i) add_file(i);
  }

  std::vector<ToldFault> faults;
  std::vector<std::string> rows;

 private:
  void add_file(std::size_t shard) {
    DirtyFile const& file = input_.files[shard];
    CsvOptions const& o = input_.options;
    reference::Rules rules;
    rules.dialect = dialect_;
    rules.record_max = o.record_max;
    rules.non_finite = o.non_finite;
    rules.overflow = o.overflow;
    rules.repairs_cells = o.on_error == FaultPolicy::null;
    if (!o.label_map.empty()) rules.labels = {{"x", 1.0f}, {"a b", 2.0f}, {"0", 7.0f}};
    for (std::size_t const column : file.order) rules.roles.push_back(input_.roles[column]);
    std::string_view const text = std::string_view(file.text).substr(std::min(file.text.size(), file.records_begin));
    for (Outcome const& outcome : reference::Decoder(rules, text).decode()) {
      ++records_;
      for (Complaint const& complaint : outcome.complaints) faults.push_back(explain(shard, complaint));
      if (outcome.is_accepted) rows.push_back(row_of(file, outcome));
    }
  }

  /// The cells of a record, which come in the file's order, in the order of the tensors.
  std::string row_of(DirtyFile const& file, Outcome const& outcome) const {
    std::string row;
    for (Role const role : tensor_roles) {
      for (std::size_t column = 0; column < input_.roles.size(); ++column) {
        std::size_t cell = 0;
        for (std::size_t i = 0; file.order[i] != column; ++i)
          cell += input_.roles[file.order[i]] != Role::ignore ? 1 : 0;
        if (input_.roles[column] == role) row += outcome.cells[cell];
      }
    }
    return row;
  }

  ToldFault explain(std::size_t shard, Complaint const& complaint) const {
    DirtyFile const& file = input_.files[shard];
    std::string_view const text = file.text;
    std::size_t const record = file.records_begin + complaint.record_begin,
                      cell = file.records_begin + complaint.cell_begin;
    bool const is_line =
        complaint.code == FaultCode::unterminated_quote || complaint.code == FaultCode::record_too_long;
    std::size_t const line_end = std::min(text.find_first_of(line_ends, record), text.size());
    bool const is_on_later_line = is_line && cell > line_end;
    std::size_t const place = is_on_later_line ? record : cell;
    ToldFault fault;
    FaultReport& r = fault.report;
    r.code = complaint.code;
    r.is_repaired = complaint.is_repaired;
    r.file = file.path;
    r.shard = static_cast<std::uint32_t>(shard);
    r.record = records_;
    r.line = 1 + count_lines(text.substr(0, place));
    std::size_t const mark = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
    std::size_t const line = std::max(mark, place == 0 ? 0 : text.find_last_of(line_ends, place - 1) + 1);
    r.line_column = place - line + 1;
    r.offset_bytes = cell;
    r.record_offset_bytes = record;
    r.column = complaint.column;
    if (complaint.column < file.names.size()) r.column_name = file.names[complaint.column];
    r.role = complaint.column < file.order.size() ? input_.roles[file.order[complaint.column]] : Role::ignore;
    std::size_t const end = is_on_later_line ? place : cell_end(complaint.code, text, place);
    r.cell = text.substr(place, std::min(end - place, excerpt_max));
    std::size_t const first = std::max(line, place - std::min(place, excerpt_max));
    std::size_t const last = std::min({text.find_first_of(line_ends, place), text.size(),
                                       place + r.cell.size() + excerpt_max, record + input_.options.record_max});
    r.line_text = text.substr(first, last - first);
    r.caret_begin = place - first;
    r.caret_end = std::min(r.caret_begin + r.cell.size(), r.line_text.size());
    fault.is_whole = true;
    if (!r.is_repaired)
      fault.raw = text.substr(record, (is_line ? line_end : record_end(text, record, dialect_)) - record);
    return fault;
  }

  std::size_t cell_end(FaultCode code, std::string_view text, std::size_t place) const {
    if (code == FaultCode::too_few_fields || code == FaultCode::record_too_long) return place;
    if (code == FaultCode::unterminated_quote || code == FaultCode::stray_quote) return place + 1;
    return field_end(text, place, dialect_);
  }

  DirtyInput const& input_;
  csv::Dialect dialect_;
  std::uint64_t records_ = 0;
};

StreamOptions options_for(DirtyInput const& input, Random& random) {
  static constexpr std::size_t slots[] = {64, 100, 256, 1000, 5000, 1 << 20};
  StreamOptions options;
  options.memory_bytes = std::size_t{8} << 30;
  options.record_max = input.options.record_max;
  options.on_error = input.options.on_error;
  options.slot_bytes = random.one_of(slots);
  options.threads = 1 + static_cast<unsigned>(random.below(4));
  return options;
}

void expect_second_opinion(SecondOpinion const& expected, StreamRecord const& found) {
  for (std::size_t i = 0; i < std::min(expected.faults.size(), found.faults.size()); ++i) {
    ASSERT_EQ(shown_place(expected.faults[i].report) + shown_raw(expected.faults[i]),
              shown_place(found.faults[i].report) + shown_raw(found.faults[i]))
        << "fault " << i;
  }
  EXPECT_EQ(expected.faults.size(), found.faults.size());
  EXPECT_EQ(expected.rows, found.rows);
}

TEST(FaultReports, EqualTheSecondOpinion) {
  std::vector<std::size_t> seen(fault_codes);
  constexpr std::size_t csv_codes = static_cast<std::size_t>(FaultCode::record_too_long) + 1;
  for (std::uint64_t seed = 1; seed <= inputs && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ScratchFolder const folder;
    DirtyInput input =
        testing::DirtyGenerator(seed, {.on_error = FaultPolicy::quarantine, .float32_only = true}).input();
    auto const plan = input.plan(folder);
    Random random(seed);
    StreamRecord const found = record_stream(*plan, options_for(input, random));
    expect_second_opinion(SecondOpinion(input), found);
    for (ToldFault const& fault : found.faults) ++seen[static_cast<std::size_t>(fault.report.code)];
  }
  for (std::size_t code = 0; code < csv_codes; ++code) {
    EXPECT_GE(seen[code], inputs / 40) << name_of(static_cast<FaultCode>(code)) << ": too few to mean something";
  }
}

/// With policy null a stream ends at a fault that is none of a cell; what comes before is compared.
TEST(FaultReports, OfRepairedCellsEqualTheSecondOpinion) {
  std::size_t repaired = 0;
  for (std::uint64_t seed = 1; seed <= inputs && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ScratchFolder const folder;
    DirtyInput input = testing::DirtyGenerator(seed, {.on_error = FaultPolicy::null, .float32_only = true}).input();
    auto const plan = input.plan(folder);
    Random random(seed);
    StreamRecord const found = record_stream(*plan, options_for(input, random));
    SecondOpinion expected(input);
    auto const end = std::find_if(expected.faults.begin(), expected.faults.end(),
                                  [](auto const& f) { return !f.report.is_repaired; });
    if (end != expected.faults.end()) {
      expected.rows.resize(end->report.record - 1);
      expected.faults.erase(end + 1, expected.faults.end());
    }
    expect_second_opinion(expected, found);
    repaired += found.counts.repaired_cells;
  }
  EXPECT_GE(repaired, inputs / 2);
}

// --- by hand ----------------------------------------------------------------------------------------------------

/// All reports of these files, read in small slots.
std::vector<FaultReport> reports_of(std::vector<std::string> const& paths, CsvOptions const& csv = {},
                                    std::size_t slot_bytes = 64) {
  auto const plan = plan_files(paths, csv);
  StreamOptions options;
  options.memory_bytes = std::size_t{8} << 30;
  options.slot_bytes = slot_bytes;
  options.threads = 2;
  options.on_error = FaultPolicy::skip;
  options.record_max = csv.record_max;
  std::vector<FaultReport> reports;
  for (ToldFault const& fault : record_stream(*plan, options).faults) reports.push_back(fault.report);
  return reports;
}

TEST(FaultReport, NamesThePlaceInEveryFile) {
  ScratchFolder const folder;
  std::string const a = folder.put("a.csv", "\"first\nname\",b\r\n1,2\r\n3,4O\r\n"),
                    b = folder.put("b.csv", "b,\"first\nname\"\nx,1\n");
  auto const reports = reports_of({a, b});
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(summary_of(reports[0]), a + ":4:3: column \"b\" (#1): expected a number, found \"4O\"");
  EXPECT_EQ(reports[0].record, 2u);
  EXPECT_EQ(reports[0].offset_bytes, 23u);
  EXPECT_EQ(reports[0].record_offset_bytes, 21u);
  EXPECT_EQ(summary_of(reports[1]), b + ":3:1: column \"b\" (#0): expected a number, found \"x\"");
  EXPECT_EQ(reports[1].record, 3u);
  EXPECT_EQ(reports[1].shard, 1u);
}

TEST(FaultReport, SaysItInFiveLines) {
  ScratchFolder const folder;
  std::string const a = folder.put("a.csv", "age,height\n41,1.72\n42,tall\n");
  auto const reports = reports_of({a});
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(describe(reports[0]),
            a + ":3:4: column \"height\" (#1): expected a number, found \"tall\" (byte 22, record 2)\n"
                "    42,tall\n"
                "       ^~~~\n"
                "  --null lists the spellings of missing values; --ignore leaves a column out; "
                "--trim removes blanks around cells");
  EXPECT_EQ(policy_hint(reports[0]),
            "--on-error skip or quarantine goes on without such records, --on-error null without such cells");
}

TEST(FaultReport, CountsLinesInsideQuotes) {
  ScratchFolder const folder;
  auto const reports = reports_of({folder.put("a.csv", "1,t,2\n3,\"two\r\nthree\rfour\n\",x\n4,,5\n,,y")},
                                  {.header = HeaderMode::no, .ignore = "1"});
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].line, 5u);
  EXPECT_EQ(reports[0].line_column, 3u);
  EXPECT_EQ(reports[0].line_text, "\",x");
  EXPECT_EQ(reports[1].line, 7u);
  EXPECT_EQ(reports[1].line_text, ",,y");
}

TEST(FaultReport, AByteOrderMarkIsNoColumnButCountsAsBytes) {
  ScratchFolder const folder;
  auto const reports = reports_of({folder.put("a.csv", "\xef\xbb\xbfx,1\r2,y\r3,4")}, {.header = HeaderMode::no});
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].line_column, 1u);
  EXPECT_EQ(reports[0].offset_bytes, 3u);
  EXPECT_EQ(reports[1].line, 2u);
  EXPECT_EQ(reports[1].offset_bytes, 9u);
}

TEST(FaultReport, BytesOfCompressedFilesAreCountedDecompressed) {
  if (gzip_library().empty()) GTEST_SKIP() << "this build has no gzip support";
  ScratchFolder const folder;
  std::string text;
  for (int i = 0; i < 30000; ++i) text += "1,22\n";
  text += "1,z\n";
  for (std::size_t const slot : {1000u, 1u << 20}) {
    auto const reports =
        reports_of({folder.put("a.csv.gz", testing::gzip_bytes(text))}, {.header = HeaderMode::no}, slot);
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_EQ(reports[0].offset_bytes, 30000u * 5 + 2);
    EXPECT_EQ(reports[0].line, 30001u);
    EXPECT_EQ(reports[0].record, 30001u);
  }
}

TEST(FaultReport, LongCellsAndLinesAreCutToAKibibyte) {
  ScratchFolder const folder;
  std::string const before(3000, '1'), cell(2000, 'z'), after(3000, '2');
  auto const reports = reports_of({folder.put("a.csv", "1,1,1\n" + before + "," + cell + "," + after + "\n")},
                                  {.header = HeaderMode::no, .ignore = "0"});
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].cell, cell.substr(0, 1024));
  EXPECT_EQ(reports[0].line_text, before.substr(0, 1023) + "," + cell + "," + after.substr(0, 47));
  EXPECT_EQ(reports[0].caret_begin, 1024u);
  EXPECT_EQ(reports[0].caret_end, 2048u);
  EXPECT_EQ(reports[0].line_column, 3002u);
}

TEST(FaultReport, ALoneEscapeAtTheEndOfAFileIsOnItsLastLine) {
  ScratchFolder const folder;
  auto const reports =
      reports_of({folder.put("a.csv", "t,2\n3\\")}, {.escape = '\\', .header = HeaderMode::no, .ignore = "0"});
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].code, FaultCode::too_few_fields);
  EXPECT_EQ(reports[0].line, 2u);
  EXPECT_EQ(reports[0].line_column, 3u);
  EXPECT_EQ(reports[0].offset_bytes, 6u);
  EXPECT_EQ(reports[0].line_text, "3\\");
  EXPECT_EQ(reports[0].caret_begin, 2u);
}

/// The quote's byte is told; the place that is shown is the start of the line that was rejected.
TEST(FaultReport, AQuoteOnALaterLineIsToldByItsByte) {
  ScratchFolder const folder;
  std::string const text = "1,1\n\"a\nb\",2,\"open\n3,4\n";
  for (std::size_t const slot : {64u, 1000u}) {
    auto const reports = reports_of({folder.put("a.csv", "1,1\n" + text)}, {.header = HeaderMode::no}, slot);
    ASSERT_EQ(reports.size(), 2u);
    EXPECT_EQ(reports[0].code, FaultCode::unterminated_quote);
    EXPECT_EQ(reports[0].offset_bytes, 4u + text.find("\"open"));
    EXPECT_EQ(reports[0].line, 3u);
    EXPECT_EQ(reports[0].line_text, "\"a");
    EXPECT_EQ(reports[0].cell, "");
    EXPECT_EQ(reports[0].caret_begin, 0u);
    EXPECT_EQ(reports[1].line, 4u);
    EXPECT_EQ(reports[1].line_text, "b\",2,\"open");
  }
}

}  // namespace
}  // namespace penstock
