/// Bad records: which ones, how many, and that the reader finds exactly what was planted.
#include "host/app/synth_faults.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/pipeline/fault_report.hpp"
#include "host/pipeline/record_stream.hpp"
#include "penstock/error.hpp"
#include "tests/support/csv_plans.hpp"
#include "tests/support/scratch_folder.hpp"

namespace penstock::app {
namespace {

using Counts = std::map<std::string, std::size_t>;

SynthOptions dirty(std::string_view bad, std::uint64_t seed = 1, std::string const& kind = "dirty") {
  return {.kind = kind, .seed = seed, .bad = parse_bad_records(synth_kind(kind), bad)};
}

/// Of records 0 to rows - 1.
Counts planted(SynthOptions const& options, std::uint64_t rows) {
  SynthFaults const faults(synth_kind(options.kind), options.bad, options.seed);
  Counts counts;
  for (std::uint64_t record = 0; record < rows; ++record) {
    if (SynthFault const* fault = faults.of(record)) ++counts[std::string(name_of(fault->code))];
  }
  return counts;
}

/// What the reader rejects in the first block.
Counts found(SynthOptions const& options, CsvOptions csv) {
  testing::ScratchFolder const folder;
  csv.on_error = FaultPolicy::skip;
  if (csv.label.empty()) csv.label = "0";
  std::string const text = synthesize_block(options, 0);
  auto const plan = testing::plan_files({folder.put("in.csv", text)}, csv);
  StreamOptions stream_options;
  stream_options.on_error = FaultPolicy::skip;
  stream_options.record_max = csv.record_max;
  RecordStream stream(*plan, stream_options);
  Counts counts;
  stream.on_reject = [&](FaultReport const* report, std::string_view, bool, bool) {
    if (report != nullptr) ++counts[std::string(name_of(report->code))];
  };
  while (stream.next() != nullptr) continue;
  EXPECT_EQ(stream.counts().records + stream.counts().rejected, synth_kind("dirty").block_rows);
  return counts;
}

void expect_found(std::string_view bad, CsvOptions const& csv = {}) {
  SynthOptions const options = dirty(bad);
  Counts const expected = planted(options, synth_kind("dirty").block_rows);
  EXPECT_FALSE(expected.empty()) << bad;
  EXPECT_EQ(found(options, csv), expected) << bad;
}

TEST(SynthDirty, ReaderFindsWhatWasPlanted) {
  EXPECT_TRUE(found(dirty("0"), {}).empty()) << "good records have no faults";
  expect_found("1%");
  expect_found("60%");
  expect_found("not_a_number=5%,missing_value=0.001,too_few_fields=2%");
}

TEST(SynthDirty, ReaderFindsWhatItTakesOptionsToFind) {
  CsvOptions csv;
  csv.qid = "1";
  expect_found("not_an_integer=3%,not_a_number=1%", csv);
  csv = {};
  csv.label_map = "0=0,1=1";
  expect_found("unmapped_label=3%,missing_value=1%", csv);
  csv = {};
  csv.strict_quotes = true;
  expect_found("stray_quote=3%,too_many_fields=1%", csv);
  csv = {};
  csv.record_max = 1024;
  expect_found("record_too_long=1%,unterminated_quote=0.6%,not_a_number=5%", csv);
  expect_found("record_too_long=30%", csv);
}

TEST(SynthDirty, WithoutTheirOptionsTheseAreGoodRecords) {
  EXPECT_TRUE(found(dirty("not_an_integer=3%,record_too_long=3%"), {}).empty());
}

TEST(SynthDirty, EachFaultHasItsShare) {
  std::uint64_t const rows = 200'000;
  for (std::string const kind : {"dirty", "dirty-libsvm"}) {
    SynthOptions const options = dirty("not_a_number=1%,out_of_range=0.05,non_finite=0.25%", 4, kind);
    Counts const counts = planted(options, rows);
    EXPECT_EQ(counts.size(), 3u);
    EXPECT_NEAR(static_cast<double>(counts.at("not_a_number")), 2000, 200);
    EXPECT_NEAR(static_cast<double>(counts.at("out_of_range")), 10'000, 500);
    EXPECT_NEAR(static_cast<double>(counts.at("non_finite")), 500, 100);
  }
  Counts const quotes = planted(dirty("unterminated_quote=0.5%,not_a_number=20%"), rows);
  EXPECT_NEAR(static_cast<double>(quotes.at("unterminated_quote")), 1000, 100);
  EXPECT_NEAR(static_cast<double>(quotes.at("not_a_number")), 40'000, 1000);
}

TEST(SynthDirty, OneShareIsSpreadOverWhatEveryReaderFinds) {
  for (std::string const kind : {"dirty", "dirty-libsvm"}) {
    std::vector<SynthShare> const shares = parse_bad_records(synth_kind(kind), "1%");
    std::uint64_t sum = 0;
    for (SynthShare const& share : shares) {
      sum += share.share;
      EXPECT_LE(shares.front().share - share.share, 1u);
    }
    EXPECT_EQ(sum, synth_share_one / 100);
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(synth_kind(kind).faults, "", &SynthFault::reader_options)),
              shares.size());
    std::vector<SynthShare> const again = parse_bad_records(synth_kind(kind), "0.01");
    EXPECT_TRUE(std::ranges::equal(shares, again, {}, &SynthShare::share, &SynthShare::share));
  }
}

TEST(SynthDirty, AllRecordsButTheFirstCanBeBad) {
  for (std::string const kind : {"dirty", "dirty-libsvm"}) {
    Counts const counts = planted(dirty("100%", 2, kind), 1000);
    std::size_t sum = 0;
    for (auto const& [name, count] : counts) sum += count;
    EXPECT_EQ(sum, 999u);
  }
}

std::vector<std::string> lines_of(std::string const& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t const end = text.find('\n', begin) + 1;
    lines.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return lines;
}

TEST(SynthDirty, GoodRecordsDoNotDependOnBadOnes) {
  for (std::string const kind : {"dirty", "dirty-libsvm"}) {
    std::string const all =
        kind == "dirty" ? "20%" : "missing_label=5%,index_below_base=5%,record_too_long=2%,bad_index=5%";
    SynthOptions const options = dirty(all, 6, kind);
    std::vector<std::string> const clean = lines_of(synthesize_block(dirty("0", 6, kind), 0));
    std::vector<std::string> const spoiled = lines_of(synthesize_block(options, 0));
    ASSERT_EQ(spoiled.size(), clean.size());
    SynthFaults const faults(synth_kind(kind), options.bad, options.seed);
    for (std::size_t i = 0; i < clean.size(); ++i)
      EXPECT_EQ(spoiled[i] != clean[i], faults.of(i) != nullptr) << i << ": " << spoiled[i];
  }
}

TEST(SynthDirty, SummaryCountsBadRecords) {
  struct NoSink final : Sink {
    void write(std::span<std::byte const>) override {}
    void commit() override {}
  };
  for (std::string const kind : {"dirty", "dirty-libsvm"}) {
    SynthOptions options = dirty("5%", 9, kind);
    options.rows = 20'001;
    NoSink sink;
    SynthSummary const summary = synthesize(options, sink, 2);
    Counts counts;
    for (std::size_t i = 0; i < summary.bad.size(); ++i)
      if (summary.bad[i] > 0) counts[std::string(name_of(synth_kind(kind).faults[i].code))] = summary.bad[i];
    EXPECT_EQ(counts, planted(options, options.rows));
    EXPECT_EQ(summary.records, options.rows);
  }
}

TEST(SynthDirty, LibsvmFaultsLookLikeWhatTheyAre) {
  auto const bad_lines = [](std::string const& bad) {
    SynthOptions const options = dirty(bad, 3, "dirty-libsvm");
    SynthFaults const faults(synth_kind("dirty-libsvm"), options.bad, options.seed);
    std::vector<std::string> lines = lines_of(synthesize_block(options, 0)), kept;
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (faults.of(i) != nullptr) kept.push_back(lines[i]);
    EXPECT_GT(kept.size(), 20u) << bad;
    return kept;
  };
  for (std::string const& line : bad_lines("several_labels=2%")) EXPECT_LT(line.find(','), line.find(' '));
  for (std::string const& line : bad_lines("unexpected_weight=2%")) EXPECT_LT(line.find(':'), line.find(' '));
  for (std::string const& line : bad_lines("unexpected_qid=2%")) EXPECT_EQ(line.find("qid:"), 2u);
  for (std::string const& line : bad_lines("misplaced_qid=2%")) EXPECT_GT(line.find("qid:"), line.find(' ') + 1);
  for (std::string const& line : bad_lines("index_below_base=2%")) EXPECT_NE(line.find(" 0:0."), std::string::npos);
  for (std::string const& line : bad_lines("index_out_of_range=2%")) EXPECT_NE(line.find(" 1001:"), std::string::npos);
  for (std::string const& line : bad_lines("missing_separator=2%"))
    EXPECT_EQ(std::ranges::count(line, ':') + 1, std::ranges::count(line, ' ')) << line;
  for (std::string const& line : bad_lines("record_too_long=2%")) EXPECT_GT(line.size(), 1024u);
}

/// The words and the hint of what parse_bad_records() throws.
std::string complaint(std::string const& kind, std::string_view bad) {
  try {
    SynthFaults const faults(synth_kind(kind), parse_bad_records(synth_kind(kind), bad), 1);
  } catch (ConfigurationError const& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "none";
}

TEST(SynthDirty, SharesThatMakeNoSenseAreRefused) {
  for (std::string_view bad : {"",
                               "%",
                               "x",
                               "1e-3",
                               "-1%",
                               "101%",
                               "1.1",
                               "1 %",
                               "not_a_number",
                               "not_a_number=",
                               "not_a_number=1%,",
                               "0.1234567891",
                               "=1%",
                               "1%,not_a_number=1%",
                               "..1",
                               "99999999999999999999999",
                               "not_a_number=1%,not_a_number=1%",
                               "not_a_number=60%,non_finite=41%",
                               "unterminated_quote=1%",
                               "unterminated_quote=0.7%,not_a_number=20%",
                               "stray_quote=1%,unterminated_quote=0.1%"})
    EXPECT_TRUE(complaint("dirty", bad).starts_with("--bad: ")) << bad << ": " << complaint("dirty", bad);
  for (std::string_view good : {"0", "100%", "1", ".5", "5.%", "0.123456789", "unterminated_quote=0.7%"})
    EXPECT_EQ(complaint("dirty", good), "none") << good;
}

TEST(SynthDirty, ComplaintsNameWhatThereIs) {
  EXPECT_NE(complaint("dirty", "not_a_numbr=1%").find("did you mean \"not_a_number\"?"), std::string::npos);
  EXPECT_NE(complaint("dirty", "bad_index=1%").find("faults: not_a_number, out_of_range"), std::string::npos);
  EXPECT_NE(complaint("higgs", "1%").find("kinds that have: dirty, dirty-libsvm"), std::string::npos);
  SynthOptions const options{.kind = "higgs", .rows = 1, .bad = {{FaultCode::not_a_number, 1}}};
  EXPECT_THROW((void)synthesize_block(options, 0), ConfigurationError);
}

}  // namespace
}  // namespace penstock::app
