#include "host/pipeline/csv_sniff.hpp"

#include "tests/support/reference_csv.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using penstock::CellGuess;
using penstock::guess_cell;
using penstock::guess_delimiter;
using penstock::guess_header;
using penstock::HeaderGuess;
using penstock::HeadText;
using penstock::sample_columns;
using penstock::sample_records;
using penstock::SampledCells;
using penstock::SampledColumn;
using penstock::SampledRecord;
using penstock::SampledRecords;
using penstock::csv::Bytes;
using penstock::csv::CellRules;
using penstock::csv::Dialect;
using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t record_max = 1 << 20;

Bytes bytes_of(std::string_view text) { return {text.data(), text.data() + text.size()}; }

std::vector<std::string> texts_of(SampledCells const& cells) {
  std::vector<std::string> texts;
  for (std::string_view cell : cells) texts.emplace_back(cell);
  EXPECT_EQ(texts.size(), cells.size());
  return texts;
}

Rows rows_of(SampledRecords const& sample) {
  Rows rows;
  for (SampledRecord const& record : sample.whole) rows.push_back(texts_of(record.cells));
  return rows;
}

Rows rows_of(std::string_view text, Dialect const& dialect = {}) {
  return rows_of(sample_records({text, true}, dialect, record_max));
}

/// Delimiter of a text that goes on behind `text`.
char delimiter_of(std::string_view text, Dialect const& dialect = {}) {
  return guess_delimiter({text, false}, dialect, record_max).delimiter;
}

/// Rules with the default null spellings.
struct DefaultRules {
  std::vector<Bytes> nulls = {bytes_of(""), bytes_of("NA"), bytes_of("null")};
  CellRules rules{.dialect = {}, .nulls = nulls, .nan_is_null = true, .labels = {}};
};

HeaderGuess header_of(std::string_view text) {
  DefaultRules const with;
  SampledRecords const sample = sample_records({text, true}, {}, record_max);
  return guess_header(sample.whole, with.rules);
}

TEST(CsvSniffRecords, LineEndsQuotesAndBlankLines) {
  EXPECT_EQ(rows_of("a,b\n\n1,2\r\n3,\r4,\"x\ny\"\n"), (Rows{{"a", "b"}, {"1", "2"}, {"3", ""}, {"4", "\"x\ny\""}}));
  EXPECT_EQ(rows_of("a\n  \nb"), (Rows{{"a"}, {"  "}, {"b"}}));
  Dialect const trimming{.trim = true};
  EXPECT_EQ(rows_of("a\n  \nb", trimming), (Rows{{"a"}, {"b"}}));
  EXPECT_EQ(rows_of(""), Rows{});
}

TEST(CsvSniffRecords, NoMoreThanWanted) {
  EXPECT_EQ(rows_of(sample_records({"a\n\nb\nc\n", true}, {}, record_max, 2)), (Rows{{"a"}, {"b"}}));
}

TEST(CsvSniffRecords, CommentsAreLeftOut) {
  Dialect const dialect{.comment = '#'};
  EXPECT_EQ(rows_of("# a, \"b\nx,#y\n#", dialect), (Rows{{"x", "#y"}}));
  SampledRecords const cut = sample_records({"x,y\n# a", false}, dialect, record_max);
  EXPECT_FALSE(cut.cut_off);
}

TEST(CsvSniffRecords, ARecordThatIsCutOffIsSetApart) {
  SampledRecords const sample = sample_records({"a,b\nc,d", false}, {}, record_max);
  EXPECT_EQ(rows_of(sample), (Rows{{"a", "b"}}));
  ASSERT_TRUE(sample.cut_off);
  EXPECT_EQ(texts_of(sample.cut_off->cells), (std::vector<std::string>{"c", "d"}));
  EXPECT_EQ(sample.cut_off->cells.size(), 2u);
}

TEST(CsvSniffRecords, RecordsWithoutAnEndLoseTheirFirstLine) {
  SampledRecords const sample = sample_records({"a,\"b\nc,d\ne,f\n", true}, {}, record_max);
  EXPECT_EQ(rows_of(sample), (Rows{{"c", "d"}, {"e", "f"}}));
  EXPECT_EQ(sample.rejects, 1u);
  EXPECT_TRUE(sample.begins_with_reject);
  ASSERT_TRUE(sample.first_reject);
  EXPECT_TRUE(sample.first_reject->is_quote_open);
  EXPECT_EQ(sample.first_reject->line, "a,\"b");
  EXPECT_EQ(sample.rejects_end, 5u);
  EXPECT_FALSE(sample.ends_in_reject);
}

TEST(CsvSniffRecords, ATextMayEndInsideARejectedLine) {
  SampledRecords const sample = sample_records({"a\n" + std::string(100, 'x'), false}, {}, 64);
  EXPECT_FALSE(sample.begins_with_reject);
  ASSERT_TRUE(sample.first_reject);
  EXPECT_FALSE(sample.first_reject->is_quote_open);
  EXPECT_TRUE(sample.ends_in_reject);
  EXPECT_EQ(sample.rejects_end, 102u);
}

TEST(CsvSniffRecords, LinesThatEachOpenAQuoteAreGivenUp) {
  EXPECT_FALSE(sample_records({"\"a\nb\n", true}, {}, record_max).gave_up);
  // Both from a record's start and from inside quotes this line ends inside quotes.
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "\"x\",\",\n";
  SampledRecords const many = sample_records({text, true}, {}, text.size());
  EXPECT_EQ(rows_of(many), Rows{});
  EXPECT_TRUE(many.gave_up);
  EXPECT_LT(many.rejects, 20u);
}

/// A record of a million cells takes no memory for them, and no more records are kept than the usual look shows.
TEST(CsvSniffRecords, CellsAreNotKept) {
  static_assert(sizeof(SampledRecord) <= 64);
  std::string const commas(std::size_t{1} << 20, ',');
  std::string const text = commas + "\n1\n";
  SampledRecords const sample = sample_records({text, true}, {}, commas.size());
  EXPECT_EQ(sample.whole.at(0).cells.size(), commas.size() + 1);
  auto const& cells = sample.whole.at(0).cells;
  EXPECT_EQ(static_cast<std::size_t>(std::distance(cells.begin(), cells.end())), commas.size() + 1);
  EXPECT_EQ(cells.first(3), (std::vector<std::string>{"", "", ""}));
  std::string lines;
  for (std::size_t i = 0; i < penstock::sampled_max + 10; ++i) lines += "1\n";
  EXPECT_EQ(sample_records({lines, true}, {}, record_max).whole.size(), penstock::sampled_max);
}

// --- lines before the first record
// -------------------------------------------------------------------------------------

/// What is left behind the leading lines of a text that comes in pieces of `piece` bytes.
std::string rest_behind_leading_lines(std::string_view text, std::size_t piece, Dialect const& dialect,
                                      bool is_delimiter_known) {
  penstock::LeadingLines lines(dialect, is_delimiter_known);
  std::size_t at = 0, end = 0;
  while (true) {
    std::size_t const passed = lines.pass({text.substr(at, end - at), end == text.size()});
    at += passed;
    if (passed == 0 && end == text.size()) return std::string(text.substr(at));
    end = std::min(std::max(end, at) + piece, text.size());
  }
}

TEST(CsvSniffLeadingLines, BlankLinesAndCommentsInAnyPieces) {
  struct Case {
    std::string text, rest;
    Dialect dialect;
    bool is_delimiter_known = true;
  };
  Dialect const comments{.comment = '#'}, trims{.comment = '#', .trim = true};
  for (Case const& one :
       {Case{"", "", {}}, Case{"\n\r\n\ra,b\n\n", "a,b\n\n", {}}, Case{"# x\n\n#y,\"\r\n1,#\n", "1,#\n", comments},
        Case{"# x\n1\n", "# x\n1\n", {}}, Case{"# only", "", comments}, Case{"  \n1", "  \n1", comments},
        Case{"  \n \t\n#\n 1", " 1", trims}, Case{"  \n  #x\n", "  #x\n", trims}, Case{" \t ", "", trims},
        Case{" \n\t\n1", "\t\n1", trims, false}, Case{" \n\t\n1", "\t\n1", {.delimiter = '\t', .trim = true}}}) {
    for (std::size_t piece : {1u, 2u, 3u, 100u}) {
      EXPECT_EQ(rest_behind_leading_lines(one.text, piece, one.dialect, one.is_delimiter_known), one.rest)
          << ::testing::PrintToString(one.text) << " in pieces of " << piece;
    }
  }
}

TEST(CsvSniffRecords, TheLongestRecordIsRecordMaxBytes) {
  std::string const longest(64, 'x');
  EXPECT_EQ(rows_of(sample_records({longest + "\ny", true}, {}, 64)), (Rows{{longest}, {"y"}}));
  EXPECT_EQ(rows_of(sample_records({longest + "x\ny", true}, {}, 64)), (Rows{{"y"}}));
  EXPECT_EQ(rows_of(sample_records({longest, true}, {}, 64)), (Rows{{longest}}));
  EXPECT_EQ(sample_records({longest + "x", true}, {}, 64).rejects, 1u);
}

/// What a reader of two ignored columns would say of each record: accepted, or refused and where it begins. Lines that
/// begin a record without an end are left out, and counted.
struct Verdicts {
  std::vector<std::pair<bool, std::uint64_t>> records;
  std::size_t rejects = 0;
  bool operator==(Verdicts const&) const = default;
};

Verdicts reference_verdicts(std::string_view text, Dialect const& dialect, std::size_t longest) {
  penstock::reference::Rules rules;
  rules.dialect = dialect;
  rules.record_max = longest;
  rules.roles = {penstock::Role::ignore, penstock::Role::ignore};
  Verdicts verdicts;
  for (auto const& outcome : penstock::reference::Decoder(rules, text).decode()) {
    if (outcome.is_accepted) {
      verdicts.records.emplace_back(true, 0);
      continue;
    }
    auto const& complaint = outcome.complaints.front();
    bool const is_endless = complaint.code == penstock::FaultCode::unterminated_quote ||
                            complaint.code == penstock::FaultCode::record_too_long;
    if (is_endless) ++verdicts.rejects;
    if (!is_endless) verdicts.records.emplace_back(false, complaint.record_begin);
  }
  return verdicts;
}

Verdicts sampled_verdicts(std::string_view text, Dialect const& dialect, std::size_t longest) {
  SampledRecords const sample = sample_records({text, true}, dialect, longest);
  Verdicts verdicts;
  for (SampledRecord const& record : sample.whole) {
    bool const is_accepted = record.cells.size() == 2;
    verdicts.records.emplace_back(is_accepted, is_accepted ? 0 : record.begin);
  }
  verdicts.rejects = sample.rejects;
  return verdicts;
}

TEST(CsvSniffRecords, AgreeWithTheReferenceDecoder) {
  std::mt19937 random(1);
  std::vector<Dialect> const dialects = {
      {},          {.escape = '\\'}, {.comment = '#'}, {.trim = true}, {.escape = '\\', .comment = '#', .trim = true},
      {.quote = 0}};
  for (int i = 0; i < 20000; ++i) {
    std::string text(random() % 40, ' ');
    for (char& byte : text) byte = "aaa,,\"\"\n\n\r #\\"[random() % 13];
    Dialect const& dialect = dialects[random() % dialects.size()];
    for (std::size_t longest : {4u, 16u, 64u}) {
      ASSERT_EQ(sampled_verdicts(text, dialect, longest), reference_verdicts(text, dialect, longest))
          << ::testing::PrintToString(text) << " in dialect " << &dialect - dialects.data() << ", at most " << longest;
    }
  }
}

TEST(CsvSniffRecords, AnEscapeHidesALineEndInQuotesOnly) {
  SampledRecords const bare = sample_records({"aaa\\\nb\nc\n", true}, {.escape = '\\'}, 4);
  EXPECT_EQ(rows_of(bare), (Rows{{"aaa\\"}, {"b"}, {"c"}}));
  EXPECT_EQ(bare.rejects, 0u);
  SampledRecords const quoted = sample_records({"\"aa\\\nb\nc\n", true}, {.escape = '\\'}, 4);
  EXPECT_EQ(rows_of(quoted), (Rows{{"b"}, {"c"}}));
  EXPECT_EQ(quoted.rejects, 1u);
}

TEST(CsvSniffDelimiter, EachCandidate) {
  EXPECT_EQ(delimiter_of("1,2,3\n4,5,6\n"), ',');
  EXPECT_EQ(delimiter_of("1\t2\t3\n4\t5\t6\n"), '\t');
  EXPECT_EQ(delimiter_of("1;2;3\n4;5;6\n"), ';');
  EXPECT_EQ(delimiter_of("1|2|3\n4|5|6\n"), '|');
}

TEST(CsvSniffDelimiter, ConsistencyBeatsNumberOfFields) {
  EXPECT_EQ(delimiter_of("a;b\n1,5;2,5\n3;4\n"), ';');
  EXPECT_EQ(delimiter_of("id\ttext\n1\tone, two, three\n2\tfour\n"), '\t');
}

TEST(CsvSniffDelimiter, OfConsistentOnesTheMostColumnsWin) {
  EXPECT_EQ(delimiter_of("1,2,x;y\n4,5,z;w\n"), ',');
  EXPECT_EQ(delimiter_of("1,2;3;4;5\n1,2;3;4;5\n"), ';');
}

TEST(CsvSniffDelimiter, DelimitersInQuotesDoNotCount) {
  EXPECT_EQ(delimiter_of("\"a;b;c\",1\n\"d;e;f\",2\n"), ',');
  EXPECT_EQ(delimiter_of("\"a\n,,,\n\";1\n\"b\";2\n"), ';');
}

TEST(CsvSniffDelimiter, RaggedRecordsAreOutvoted) {
  auto const guess = guess_delimiter({"1,2,3\n4,5,6\n7,8\n9,10,11\n", true}, {}, record_max);
  EXPECT_EQ(guess.delimiter, ',');
  EXPECT_EQ(guess.fields, 3u);
  EXPECT_EQ(guess.agreeing, 3u);
  EXPECT_EQ(guess.records, 4u);
  EXPECT_FALSE(guess.is_consistent());
}

TEST(CsvSniffDelimiter, DecimalCommasDoNotSeparate) {
  EXPECT_EQ(delimiter_of("1,5;2,5;3,5\n-4,5;5,5e3;\"6,5\"\n"), ';');
  EXPECT_EQ(delimiter_of("1,5; 2,5\n4,5; 5,5\n"), ';');
  EXPECT_EQ(delimiter_of("1,2,3;4\n5,6,7;8\n"), ',') << "two commas make no number";
  EXPECT_EQ(delimiter_of("1,x;2\n3,y;4\n"), ',') << "not between digits";
  EXPECT_EQ(delimiter_of("1,5;2\n3,5;4;5\n"), ',') << "not consistent";
}

TEST(CsvSniffDelimiter, OneColumnGivesTheComma) {
  auto const guess = guess_delimiter({"1\n2\n3\n", true}, {}, record_max);
  EXPECT_EQ(guess.delimiter, ',');
  EXPECT_EQ(guess.fields, 1u);
  EXPECT_EQ(delimiter_of(""), ',');
}

TEST(CsvSniffDelimiter, ACutOffRecordCountsOnlyAlone) {
  EXPECT_EQ(delimiter_of("1,2\n3,4\n5;6;7;8,"), ',');
  EXPECT_EQ(delimiter_of("1;2;3"), ';');
}

TEST(CsvSniffDelimiter, BytesWithAnotherMeaningAreNoCandidates) {
  Dialect const dialect{.comment = ';'};
  EXPECT_EQ(delimiter_of("1;2;3,4\n5;6;7,8\n", dialect), ',');
}

TEST(CsvSniffCells, NumbersMissingAndText) {
  DefaultRules const with;
  for (char const* number : {"1", "-2.5e3", "1e999", "inf", "-Infinity", "\"7\"", ".5", "007"}) {
    EXPECT_EQ(guess_cell(number, with.rules), CellGuess::number) << number;
  }
  for (char const* missing : {"", "NA", "null", "nan", "-NaN", "\"\"", "\"NA\""}) {
    EXPECT_EQ(guess_cell(missing, with.rules), CellGuess::missing) << missing;
  }
  for (char const* text : {"a", "1_000", " 1", "0x10", "2007-11-11", "na", "1e", "5f"}) {
    EXPECT_EQ(guess_cell(text, with.rules), CellGuess::text) << text;
  }
}

TEST(CsvSniffCells, UnlistedNanIsANumber) {
  DefaultRules with;
  with.rules.nan_is_null = false;
  EXPECT_EQ(guess_cell("nan", with.rules), CellGuess::number);
}

TEST(CsvSniffCells, ClassNamesAreText) {
  DefaultRules with;
  std::vector<penstock::csv::LabelName> const labels = {{bytes_of("NA"), 0}, {bytes_of("1"), 1}};
  with.rules.labels = labels;
  EXPECT_EQ(guess_cell("NA", with.rules), CellGuess::text);
  EXPECT_EQ(guess_cell("1", with.rules), CellGuess::text);
  EXPECT_EQ(guess_cell("2", with.rules), CellGuess::number);
}

TEST(CsvSniffCells, WhatCannotBeRewrittenIsText) {
  std::string cell = "\"" + std::string(penstock::csv::rewritten_cell_max - 1, '1') + "\"\"";
  EXPECT_TRUE(penstock::unquoted(cell + "\"", {}));
  EXPECT_FALSE(penstock::unquoted(cell + "1\"", {}));
  EXPECT_EQ(guess_cell(cell + "1\"", DefaultRules().rules), CellGuess::text);
}

TEST(CsvSniffHeader, TextAboveNumbersIsAHeader) {
  EXPECT_EQ(header_of("a,b\n1,2\n"), HeaderGuess::yes);
  EXPECT_EQ(header_of("a,b\nx,NA\ny,2\n"), HeaderGuess::yes);
}

TEST(CsvSniffHeader, ANumberOrAMissingCellIsNone) {
  EXPECT_EQ(header_of("a,1\n1,2\n"), HeaderGuess::no);
  EXPECT_EQ(header_of("a,\n1,2\n"), HeaderGuess::no);
  EXPECT_EQ(header_of("a,NA\n1,2\n"), HeaderGuess::no);
  EXPECT_EQ(header_of("5\n"), HeaderGuess::no);
}

TEST(CsvSniffHeader, TextThroughoutIsUndecided) {
  EXPECT_EQ(header_of("a,b\nx,y\n"), HeaderGuess::undecided);
  EXPECT_EQ(header_of("a,b\nx,NA\n"), HeaderGuess::undecided);
  EXPECT_EQ(header_of("a,b\n"), HeaderGuess::undecided);
  EXPECT_EQ(header_of(""), HeaderGuess::undecided);
}

TEST(CsvSniffHeader, NumbersAndMissingCellsInAHeader) {
  DefaultRules const with;
  auto const resembles = [&](std::string_view text) {
    SampledRecords const sample = sample_records({text, true}, {}, record_max);
    return penstock::resembles_header(sample.whole, with.rules);
  };
  EXPECT_TRUE(resembles(",a,b\n0,1,2\n"));
  EXPECT_TRUE(resembles("2019,2020,x\n1,2,3\n"));
  EXPECT_TRUE(resembles(",a,b\n0,1,t\n")) << "half of the texts";
  EXPECT_FALSE(resembles(",a,b,c\n0,1,t,u\n"));
  EXPECT_FALSE(resembles("5.1,setosa\n4.9,virginica\n"));
  EXPECT_FALSE(resembles("1,2\n3,4\n"));
  EXPECT_FALSE(resembles("1,a\n"));
}

TEST(CsvSniffCells, TextsThatAreNearlyNumbers) {
  DefaultRules const with;
  auto const near = [&](std::string_view text) { return penstock::near_number(text, with.rules); };
  EXPECT_TRUE(near(" 1").is_padded);
  EXPECT_TRUE(near("NA ").is_padded);
  EXPECT_FALSE(near(" x").is_padded);
  for (char const* number : {"1,5", "-1,5", " 12,50 ", "1,5e3"}) EXPECT_TRUE(near(number).has_decimal_comma) << number;
  for (char const* text : {"1,5,2", ",5", "1,", "a,b", "1,5x", "1, 5", "1.0,5"}) {
    EXPECT_FALSE(near(text).has_decimal_comma) << text;
  }
  for (char const* numbers : {"1 2", "1  2.5", " 1 -2 3e4 "}) EXPECT_TRUE(near(numbers).is_spaced) << numbers;
  for (char const* text : {"1", " 1 ", "a b", "1 b", ""}) EXPECT_FALSE(near(text).is_spaced) << text;
}

TEST(CsvSniffColumns, TextMeansTextAndNoNumber) {
  DefaultRules const with;
  SampledRecords const sample = sample_records({"NA,x,1,\n2,\"y,z\",q,\n3,w,4,,ragged\n", true}, {}, record_max);
  std::vector<SampledColumn> const columns = sample_columns(sample.whole, 4, with.rules);
  EXPECT_FALSE(columns[0].is_text());
  EXPECT_TRUE(columns[1].is_text());
  EXPECT_EQ(penstock::first_texts(sample.whole, 4, std::vector<std::uint32_t>{1, 2, 3}, with.rules),
            (std::vector<std::string>{"x", "q", ""}));
  EXPECT_FALSE(columns[2].is_text());
  EXPECT_FALSE(columns[3].is_text());
  EXPECT_FALSE(columns[3].has_number);
}

TEST(CsvSniffColumns, DistinctNamesInOrder) {
  DefaultRules const with;
  SampledRecords const sample = sample_records({"b,1\n\"a\",2\nb,3\nNA,4\n", true}, {}, record_max);
  std::vector<std::uint32_t> const columns = {1, 0};
  EXPECT_EQ(penstock::sample_names(sample.whole, columns, with.rules), (std::vector<std::string>{"a", "b"}));
}

TEST(CsvSniffLines, EachLineEndCountsOnce) {
  EXPECT_EQ(penstock::count_line_ends(""), 0u);
  EXPECT_EQ(penstock::count_line_ends("a\nb\r\nc\rd"), 3u);
  EXPECT_EQ(penstock::count_line_ends("\n\r\r\n\n"), 4u);
  EXPECT_EQ(penstock::count_line_ends("\na\n", true), 1u);
}

}  // namespace
