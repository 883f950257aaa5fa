#include "host/pipeline/row_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/io/source.hpp"
#include "penstock/error.hpp"
#include "tests/support/gzip_bytes.hpp"
#include "tests/support/scratch_folder.hpp"

#ifndef PENSTOCK_SHARED_DATA_DIR
#define PENSTOCK_SHARED_DATA_DIR ""
#endif

namespace {

using penstock::ConfigurationError;
using penstock::InputFile;
using penstock::resolve_row_files;
using penstock::Role;
using penstock::RowFileError;
using penstock::RowFileOptions;
using penstock::RowFilePlan;
using penstock::RowFiles;
using penstock::SourceError;
using penstock::testing::ScratchFolder;

using Floats = std::vector<float>;
using Ids = std::vector<std::int64_t>;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::vector<InputFile> inputs_named(std::vector<std::string> const& paths) {
  std::vector<InputFile> inputs;
  for (std::string const& path : paths) inputs.push_back({.path = path, .is_stdin = path == "-"});
  return inputs;
}

// ---- which files -----------------------------------------------------------------------------------------

RowFilePlan resolved(RowFileOptions const& options, std::vector<std::string> const& inputs,
                     std::set<std::string> const& files) {
  return resolve_row_files(options, inputs_named(inputs),
                           [&](std::string const& path) { return files.contains(path); });
}

std::vector<std::string> paths_of(RowFilePlan const& plan, std::size_t set) {
  std::vector<std::string> paths;
  for (InputFile const& file : plan.sets.at(set).files) paths.push_back(file.path);
  return paths;
}

template <class Exception>
std::string complaint(RowFileOptions const& options, std::vector<std::string> const& inputs,
                      std::set<std::string> const& files) {
  try {
    (void)resolved(options, inputs, files);
  } catch (Exception const& error) {
    return error.what();
  }
  ADD_FAILURE() << "was accepted";
  return "";
}

using Paths = std::vector<std::string>;

TEST(RowFilesResolve, NoOptionNoFile) {
  RowFilePlan const plan = resolved({}, {"a.csv"}, {"a.csv.weight", "a.csv.query"});
  EXPECT_TRUE(plan.sets.empty());
  EXPECT_EQ(plan.inputs, (Paths{"a.csv"}));
}

TEST(RowFilesResolve, APathIsOneFileForAllInputsAndIsNotLookedFor) {
  RowFilePlan const plan = resolved({.group = "g", .weight = "x/w", .base_margin = "-"}, {"a.csv", "b.csv"}, {});
  ASSERT_EQ(plan.sets.size(), 3u);
  EXPECT_EQ(plan.sets[0].role, Role::weight);
  EXPECT_EQ(plan.sets[1].role, Role::qid);
  EXPECT_EQ(plan.sets[2].role, Role::base_margin);
  EXPECT_FALSE(plan.sets[0].is_per_shard);
  EXPECT_EQ(paths_of(plan, 0), (Paths{"x/w"}));
  EXPECT_EQ(paths_of(plan, 1), (Paths{"g"}));
  EXPECT_TRUE(plan.sets[2].files[0].is_stdin);
}

TEST(RowFilesResolve, AutoPrefersTheWholeNameAndThenDropsOneSuffix) {
  RowFilePlan const plan = resolved({.weight = "auto"}, {"d.x/a.csv", "b.csv", "c.csv.gz"},
                                    {"d.x/a.csv.weight", "d.x/a.weight", "b.weight", "c.csv.weight"});
  EXPECT_TRUE(plan.sets.at(0).is_per_shard);
  EXPECT_EQ(paths_of(plan, 0), (Paths{"d.x/a.csv.weight", "b.weight", "c.csv.weight"}));
}

TEST(RowFilesResolve, AutoTriesBothSuffixesOfGroups) {
  RowFilePlan const plan = resolved({.group = "auto", .base_margin = "auto"}, {"a.txt", "b.txt"},
                                    {"a.txt.group", "b.query", "a.base_margin", "b.txt.base_margin"});
  EXPECT_EQ(paths_of(plan, 0), (Paths{"a.txt.group", "b.query"}));
  EXPECT_EQ(paths_of(plan, 1), (Paths{"a.base_margin", "b.txt.base_margin"}));
}

TEST(RowFilesResolve, AutoNamesWhatItTried) {
  std::string const groups = complaint<SourceError>({.group = "auto"}, {"a/b.txt"}, {"b.query"});
  EXPECT_TRUE(contains(groups, "tried a/b.txt.query, a/b.txt.group, a/b.query, a/b.group")) << groups;
  // The dot of a folder, or one that begins a name, begins no suffix.
  EXPECT_TRUE(complaint<SourceError>({.weight = "auto"}, {"d.x/train"}, {}).ends_with("tried d.x/train.weight"));
  EXPECT_TRUE(complaint<SourceError>({.weight = "auto"}, {"d/.train"}, {}).ends_with("tried d/.train.weight"));
}

TEST(RowFilesResolve, AutoRefusesTwoGroupFilesOfOneInput) {
  std::string const text = complaint<ConfigurationError>({.group = "auto"}, {"a.txt"}, {"a.txt.query", "a.txt.group"});
  EXPECT_TRUE(contains(text, "both a.txt.query and a.txt.group")) << text;
}

TEST(RowFilesResolve, StandardInputHasNothingBesideItAndIsReadOnce) {
  EXPECT_TRUE(contains(complaint<ConfigurationError>({.weight = "auto"}, {"-"}, {"-.weight"}), "standard input"));
  EXPECT_TRUE(contains(complaint<ConfigurationError>({.weight = "-"}, {"-"}, {}), "only once"));
  EXPECT_TRUE(contains(complaint<ConfigurationError>({.group = "-", .weight = "-"}, {"a"}, {}), "only once"));
  EXPECT_EQ(resolved({.weight = "w"}, {"-"}, {}).inputs, (Paths{"<stdin>"}));
}

TEST(RowFilesResolve, ASideFileIsNoInput) {
  std::string const text = complaint<ConfigurationError>({.weight = "auto"}, {"a.csv", "a.csv.weight"},
                                                         {"a.csv.weight", "a.csv.weight.weight"});
  EXPECT_TRUE(contains(text, "a.csv.weight is an input")) << text;
}

TEST(RowFilesResolve, TheDiskIsAskedForFilesAndNotFolders) {
  ScratchFolder const folder;
  std::string const a = folder.put("a.csv", "");
  folder.put("a.csv.weight/inside", "");
  std::string const weights = folder.put("a.weight", "");
  RowFilePlan const plan = resolve_row_files({.weight = "auto"}, inputs_named({a}));
  EXPECT_EQ(paths_of(plan, 0), (Paths{weights}));
}

// ---- values ----------------------------------------------------------------------------------------------

/// Side files of two inputs, which are not there themselves.
class RowFilesTest : public ::testing::Test {
 protected:
  RowFiles open(RowFileOptions const& options, std::vector<std::string> const& inputs = {"a.csv"}) const {
    std::vector<std::string> paths;
    for (std::string const& input : inputs) paths.push_back(folder_.at(input));
    return RowFiles(resolve_row_files(options, inputs_named(paths)));
  }
  static Floats weights(RowFiles& files, std::uint32_t shard, std::size_t count) {
    Floats values(count, -99);
    files.take(shard, count, {.weights = values});
    return values;
  }
  static Ids qids(RowFiles& files, std::uint32_t shard, std::size_t count) {
    Ids values(count, -99);
    files.take(shard, count, {.qids = values});
    return values;
  }
  Floats weights_of(std::string_view content, std::size_t count) const {
    RowFiles files = open({.weight = folder_.put("w", content)});
    Floats values = weights(files, 0, count);
    files.finish();
    return values;
  }
  ScratchFolder folder_;
};

struct Caught {
  std::string message;
  std::string hint;
  std::size_t before = 0;
};

template <class Action>
Caught caught(Action action) {
  try {
    action();
  } catch (RowFileError const& error) {
    EXPECT_EQ(error.exit_code(), penstock::ExitCode::data);
    return {error.what(), error.hint(), error.records_before};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST_F(RowFilesTest, OneValueALineWhateverTheLineEnds) {
  Floats const expected{1.5f, -2, 3e-3f};
  EXPECT_EQ(weights_of("1.5\n-2\n3e-3\n", 3), expected);
  EXPECT_EQ(weights_of("1.5\n-2\n3e-3", 3), expected);
  EXPECT_EQ(weights_of("1.5\r\n-2\r\n3e-3\r\n", 3), expected);
  EXPECT_EQ(weights_of("1.5\r-2\r3e-3\r", 3), expected);
  EXPECT_EQ(weights_of("\xef\xbb\xbf  1.5\t\n -2 \n3e-3\n\n \t\n\r\n", 3), expected);
  EXPECT_EQ(weights_of("", 0), Floats{});
  EXPECT_EQ(weights_of("\n\n", 0), Floats{});
}

TEST_F(RowFilesTest, GroupsCountRecordsAndAreNumberedFromZero) {
  RowFiles files = open({.group = folder_.put("g", "2\n0\n1\n3\n0\n")});
  EXPECT_EQ(qids(files, 0, 4), (Ids{0, 0, 2, 3}));
  EXPECT_EQ(qids(files, 0, 2), (Ids{3, 3}));
  files.finish();  // empty groups at the end hold nothing that is left over
}

TEST_F(RowFilesTest, RolesAreIndependentAndEmptySpansSkip) {
  RowFiles files = open({.group = folder_.put("g", "3\n1\n"),
                         .weight = folder_.put("w", "1\n2\n3\n4\n"),
                         .base_margin = folder_.put("m", "-1\n-2\n-3\n-4\n")});
  EXPECT_TRUE(files.has(Role::weight) && files.has(Role::qid) && files.has(Role::base_margin));
  EXPECT_FALSE(files.has(Role::label) || files.has(Role::feature));
  files.take(0, 2, {});
  Floats weight(1), margin(2);
  Ids qid(2);
  files.take(0, 1, {.weights = weight});
  files.take(0, 0, {});
  files.take(0, 1, {.qids = std::span(qid).first(1), .base_margins = std::span(margin).first(1)});
  EXPECT_EQ(weight[0], 3);
  EXPECT_EQ(qid[0], 1);
  EXPECT_EQ(margin[0], -4);
  files.finish();
  EXPECT_FALSE(open({}).has(Role::weight));
}

TEST_F(RowFilesTest, OneFileRunsThroughAllShards) {
  RowFiles files =
      open({.group = folder_.put("g", "3\n2\n"), .weight = folder_.put("w", "1\n2\n3\n4\n5\n")}, {"a", "b", "c", "d"});
  EXPECT_EQ(weights(files, 0, 2), (Floats{1, 2}));
  files.finish_shard(0);
  files.finish_shard(1);  // which had no records
  Ids ids(3);
  Floats values(3);
  files.take(2, 3, {.weights = values, .qids = ids});
  EXPECT_EQ(values, (Floats{3, 4, 5}));
  EXPECT_EQ(ids, (Ids{0, 1, 1}));
  files.finish();
  files.finish();
}

TEST_F(RowFilesTest, FilesBesideInputsEndWithThem) {
  folder_.put("a.csv.weight", "1\n2\n");
  folder_.put("a.query", "2\n");
  folder_.put("b.weight", "");
  folder_.put("b.query", "0\n");
  folder_.put("c.weight", "3\n4\n");
  folder_.put("c.query", "1\n1\n");
  RowFiles files = open({.group = "auto", .weight = "auto"}, {"a.csv", "b.csv", "c.csv"});
  EXPECT_EQ(weights(files, 0, 2), (Floats{1, 2}));
  Ids ids(2);
  Floats values(2);
  files.take(2, 2, {.weights = values, .qids = ids});  // b.csv has no records, and nobody says so
  EXPECT_EQ(values, (Floats{3, 4}));
  EXPECT_EQ(ids, (Ids{2, 3}));  // group numbers run on
  files.finish();
}

TEST_F(RowFilesTest, GzipIsRecognised) {
  if (penstock::gzip_library().empty()) GTEST_SKIP() << "no gzip library in this build";
  EXPECT_EQ(weights_of(penstock::testing::gzip_bytes("1\n2.5\n"), 2), (Floats{1, 2.5f}));
}

// ---- what is wrong ---------------------------------------------------------------------------------------

TEST_F(RowFilesTest, TooFewValuesNameFileLineAndBothCounts) {
  RowFiles files = open({.weight = folder_.put("w", "1\n2\n\n")});
  (void)weights(files, 0, 1);
  Floats values(3, -99);
  Caught const error = caught([&] { files.take(0, 3, {.weights = values}); });
  EXPECT_EQ(error.message,
            folder_.at("w") + ":2: the file ends after 2 weights, but " + folder_.at("a.csv") + " has a record 3");
  EXPECT_EQ(error.before, 1u);
  EXPECT_EQ(values, (Floats{2, -99, -99}));
}

TEST_F(RowFilesTest, TooFewGroups) {
  RowFiles files = open({.group = folder_.put("g", "2\n3\n")}, {"a", "b"});
  (void)qids(files, 0, 4);
  Caught const error = caught([&] { files.take(1, 2, {}); });
  EXPECT_EQ(error.message, folder_.at("g") +
                               ":2: the file ends after 2 groups of 5 records in all, but the 2 inputs together have a "
                               "record 6");
  EXPECT_EQ(error.before, 1u);
  EXPECT_TRUE(contains(error.hint, "number of records of each group"));
}

TEST_F(RowFilesTest, AnEmptyFileHasALineToo) {
  RowFiles files = open({.base_margin = folder_.put("m", "")});
  Caught const error = caught([&] { files.take(0, 1, {}); });
  EXPECT_TRUE(contains(error.message, "m:1: the file ends after 0 base margins")) << error.message;
}

TEST_F(RowFilesTest, LeftOverValuesNameFileLineAndBothCounts) {
  RowFiles files = open({.weight = folder_.put("w", "1\n2\n3\n4\n")});
  (void)weights(files, 0, 2);
  Caught const error = caught([&] { files.finish(); });
  EXPECT_EQ(error.message,
            folder_.at("w") + ":3: the file has 4 weights, but " + folder_.at("a.csv") + " has 2 records");
  EXPECT_EQ(error.before, 0u);
}

TEST_F(RowFilesTest, LeftOverGroups) {
  std::string const path = folder_.put("g", "2\n0\n3\n1\n");
  RowFiles inside = open({.group = path});
  (void)qids(inside, 0, 4);
  Caught const half = caught([&] { inside.finish(); });
  EXPECT_EQ(half.message, path + ":3: the groups have 6 records in all, but " + folder_.at("a.csv") + " has 4 records");
  RowFiles between = open({.group = path});
  (void)qids(between, 0, 2);
  EXPECT_TRUE(contains(caught([&] { between.finish(); }).message, "g:3: the groups have 6 records")) << path;
  std::string const huge = std::to_string(std::numeric_limits<std::int64_t>::max()) + "\n";
  RowFiles endless = open({.group = folder_.put("h", huge + huge + huge)});
  (void)qids(endless, 0, 1);
  EXPECT_TRUE(contains(caught([&] { endless.finish(); }).message, "have 18,446,744,073,709,551,615 records"));
}

TEST_F(RowFilesTest, GroupsDoNotSpanInputsWithFilesOfTheirOwn) {
  folder_.put("a.query", "2\n3\n");
  folder_.put("b.query", "4\n");
  RowFiles files = open({.group = "auto"}, {"a.csv", "b.csv"});
  (void)qids(files, 0, 4);
  Caught const error = caught([&] { files.take(1, 1, {}); });
  EXPECT_EQ(error.message, folder_.at("a.query") + ":2: the groups have 5 records in all, but " + folder_.at("a.csv") +
                               " has 4 records");
}

TEST_F(RowFilesTest, FilesOfInputsWithoutRecordsAreLookedAtAsWell) {
  folder_.put("a.weight", "1\n");
  folder_.put("b.weight", "1\n");
  RowFiles files = open({.weight = "auto"}, {"a.csv", "b.csv"});
  (void)weights(files, 0, 1);
  EXPECT_TRUE(contains(caught([&] { files.finish(); }).message, "b.csv has 0 records"));
  RowFiles early = open({.weight = "auto"}, {"a.csv", "b.csv"});
  EXPECT_TRUE(contains(caught([&] { early.finish_shard(0); }).message, "a.csv has 0 records"));
}

TEST_F(RowFilesTest, EveryLineIsOneNumber) {
  struct Case {
    std::string_view content;
    std::string_view message;
  };
  std::string const long_line = std::string(penstock::row_line_bytes_max, ' ') + "1\n";
  Case const weight_cases[] = {
      {"1\nabc\n", "w:2: 'abc' is no weight: expected a finite number"},
      {"1\nnan\n", "w:2: 'nan' is no weight"},
      {"1\n-inf\n", "w:2: '-inf' is no weight"},
      {"1\n1e39\n", "w:2: '1e39' does not fit a weight, which is a 32-bit float"},
      {"1\n0x1p3\n", "w:2: '0x1p3' is no weight"},
      {"1\n1 2\n", "w:2: '1 2': expected one weight on a line"},
      {"1\n\n \n2\n", "w:2: the line is blank, but the file goes on behind it"},
      {"1\n\x1b[2J\n", "w:2: '\\x1b[2J' is no weight"},
      {std::string_view("1\n2\0\n", 5), "w:2: '2\\x00' is no weight"},
      {long_line, "w:1: the line is longer than 1,024 bytes: '    "},
  };
  for (Case const& each : weight_cases) {
    RowFiles files = open({.weight = folder_.put("w", each.content)});
    Caught const error = caught([&] { files.take(0, 3, {}); });
    EXPECT_TRUE(contains(error.message, each.message)) << error.message;
    EXPECT_EQ(error.before, each.content.front() == '1' ? 1u : 0u);
  }
  std::string_view const bad_groups[] = {"1.5", "-1", "1e1", "x", "+", "9223372036854775808", "1,2"};
  for (std::string_view const text : bad_groups) {
    RowFiles files = open({.group = folder_.put("g", "1\n" + std::string(text) + "\n")});
    std::string const message = caught([&] { files.take(0, 2, {}); }).message;
    EXPECT_TRUE(contains(message, "g:2: '" + std::string(text) + "'")) << message;
  }
}

TEST_F(RowFilesTest, SeveralBaseMarginsARecordAreRefusedClearly) {
  for (char const* line : {"0.1 0.2\n", "0.1,0.2\n", "0.1\t0.2\n"}) {
    RowFiles files = open({.base_margin = folder_.put("m", line)});
    std::string const message = caught([&] { files.take(0, 1, {}); }).message;
    EXPECT_TRUE(contains(message, "one base margin for each record is supported")) << message;
  }
}

TEST_F(RowFilesTest, BadLinesBehindTheLastRecordAreFoundToo) {
  RowFiles files = open({.weight = folder_.put("w", "1\n2\nx\n")});
  (void)weights(files, 0, 1);
  EXPECT_TRUE(contains(caught([&] { files.finish(); }).message, "w:3: 'x' is no weight"));
}

TEST_F(RowFilesTest, TheFirstRecordInTroubleIsReportedWhicheverTheRole) {
  RowFileOptions const options{.group = folder_.put("g", "1\n1\nx\n"),
                               .weight = folder_.put("w", "1\n2\n3\nx\n"),
                               .base_margin = folder_.put("m", "1\n2\ny\n")};
  RowFiles at_once = open(options);
  Caught const whole = caught([&] { at_once.take(0, 10, {}); });
  EXPECT_TRUE(contains(whole.message, "g:3: 'x' is no group size")) << whole.message;
  EXPECT_EQ(whole.before, 2u);
  RowFiles one_by_one = open(options);
  for (int record = 0; record < 2; ++record) one_by_one.take(0, 1, {});
  Caught const single = caught([&] { one_by_one.take(0, 1, {}); });
  EXPECT_EQ(single.message, whole.message);
  EXPECT_EQ(single.before, 0u);
}

TEST_F(RowFilesTest, FilesThatAreNotThereAreErrorsAtOnce) {
  EXPECT_THROW((void)open({.weight = folder_.at("none")}), SourceError);
  EXPECT_THROW((void)open({.weight = folder_.path()}), SourceError);
}

// ---- law 1 -----------------------------------------------------------------------------------------------

/// All values, and at the end the record and the message of the error.
struct Outcome {
  Floats weights;
  Ids qids;
  std::string message;
  bool operator==(Outcome const&) const = default;
};

template <class NextCount>
Outcome read_in_pieces(RowFiles files, std::size_t records, NextCount next_count) {
  Outcome all;
  std::size_t done = 0;
  Floats weights;
  Ids qids;
  try {
    while (done < records) {
      std::size_t const count = std::min(next_count(), records - done);
      weights.assign(count, 0);
      qids.assign(count, 0);
      files.take(0, count, {.weights = weights, .qids = qids});
      all.weights.insert(all.weights.end(), weights.begin(), weights.end());
      all.qids.insert(all.qids.end(), qids.begin(), qids.end());
      done += count;
    }
    files.finish();
  } catch (RowFileError const& error) {
    auto const before = static_cast<std::ptrdiff_t>(error.records_before);
    all.weights.insert(all.weights.end(), weights.begin(), weights.begin() + before);
    all.qids.insert(all.qids.end(), qids.begin(), qids.begin() + before);
    all.message = error.what();
  }
  return all;
}

TEST_F(RowFilesTest, PiecesMakeNoDifference) {
  std::mt19937 random(7);
  std::string weights, groups;
  std::size_t records = 0;
  Floats expected;
  char const* const line_ends[] = {"\n", "\r\n", "\r"};
  while (records < 60000) {  // some 400 KB of weights: several buffers
    std::size_t const size = random() % 9;
    groups += std::to_string(size) + line_ends[random() % 3];
    for (std::size_t i = 0; i < size; ++i) {
      expected.push_back(static_cast<float>(random() % 4096) / 64);
      weights += std::string(random() % 3, ' ') + std::to_string(expected.back()) + line_ends[random() % 3];
    }
    records += size;
  }
  RowFileOptions const options{.group = folder_.put("g", groups), .weight = folder_.put("w", weights)};
  for (std::size_t const asked : {records, records + 1, records - 1}) {
    Outcome const whole = read_in_pieces(open(options), asked, [&] { return asked; });
    EXPECT_EQ(whole.message.empty(), asked == records) << whole.message;
    EXPECT_EQ(whole.weights.size(), std::min(asked, records));
    EXPECT_TRUE(std::equal(whole.weights.begin(), whole.weights.end(), expected.begin()));
    EXPECT_TRUE(std::ranges::is_sorted(whole.qids));
    EXPECT_EQ(read_in_pieces(open(options), asked, [] { return std::size_t{1}; }), whole);
    EXPECT_EQ(read_in_pieces(open(options), asked, [&] { return std::size_t{random() % 1000}; }), whole);
  }
}

TEST_F(RowFilesTest, LineEndsAtTheBuffersEnd) {
  for (std::size_t first = 1010; first <= penstock::row_line_bytes_max + 1; ++first) {  // bytes of the first line
    std::string content = std::string(first - 2, '0') + "7\n";
    Floats expected{7};
    for (int i = 0; i < 130; ++i) {  // 1024 bytes each, so that all end as far from the end of a buffer of 64 KiB
      expected.push_back(static_cast<float>(i % 10));
      content += std::string(1021, '0') + std::to_string(i % 10) + "\r\n";
    }
    ASSERT_EQ(weights_of(content, expected.size()), expected) << first;
  }
}

// ---- real files ------------------------------------------------------------------------------------------

TEST(RowFilesSharedData, GroupsAndWeightsOfExamples) {
  std::string const folder = PENSTOCK_SHARED_DATA_DIR;
  if (folder.empty()) GTEST_SKIP() << "no folder of shared data (PENSTOCK_SHARED_DATA)";
  RowFiles groups(resolve_row_files({.group = "auto"}, inputs_named({folder + "/libsvm/rank.train.libsvm"})));
  Ids ids(3005);
  groups.take(0, ids.size(), {.qids = ids});
  groups.finish();
  EXPECT_EQ(ids.back(), 200);
  RowFiles files(resolve_row_files({.weight = "auto"}, inputs_named({folder + "/csv/higgs_subset.tsv"})));
  Floats values(7000);
  files.take(0, values.size(), {.weights = values});
  files.finish();
  EXPECT_EQ(values[0], 1.2f);
  EXPECT_EQ(values[1], 1.1f);
}

}  // namespace
