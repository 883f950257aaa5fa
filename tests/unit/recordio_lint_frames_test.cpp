// The RecordIO linter over frames: split and large records, bytes in any pieces, any bytes, other people's files.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <span>
#include <string>

#include "formats/recordio/decode.hpp"
#include "tests/support/recordio_lint.hpp"
#include "tests/support/recordio_lint_samples.hpp"

#ifndef PENSTOCK_SHARED_DATA_DIR
#define PENSTOCK_SHARED_DATA_DIR ""
#endif

namespace {

using namespace penstock::lint_support;
using enum penstock::recordio::LintRule;

TEST(RecordioLintFrames, BothDialectsOfSplitRecords) {
  // One record of 48 bytes in parts of 8, 10, 1 and 29 bytes, to be joined as they are.
  auto const plain = lint(
      hex("0a23d7ce 08000020 0a1a0a0676616c75 0a23d7ce 0a000040 65731210120e0a0c00000000 0a23d7ce 01000040 80000000"
          "0a23d7ce 1d000060 3f000000000000000012120a0676616c756573120812060a040000803f000000"));
  ASSERT_EQ(rules_of(plain), Rules{split_concatenated});
  EXPECT_EQ(plain[0].frame, 1u);
  EXPECT_NE(plain[0].sentence.find("a record in 4 frames"), std::string::npos);
  // Cut by dmlc's writer at the float32 -1804698880.
  EXPECT_EQ(
      rules_of(lint(hex("0a23d7ce 14000020 0a1a0a0676616c7565731210120e0a0c0000803f 0a23d7ce 04000060 0000003f"))),
      Rules{split_by_magic});
}

TEST(RecordioLintFrames, PartsThatDmlcCannotHaveCutAreJoinedAsTheyAre) {
  // With the magic in between this would be sound too, but its first part is no multiple of four bytes long.
  std::string const begin = features(dense({1})) + "\x1a\x06p";
  ASSERT_NE(begin.size() % 4, 0u);
  EXPECT_EQ(rules_of(lint(frame(begin, 1) + frame("q\x22\x02{}", 3))), Rules{split_concatenated});
}

TEST(RecordioLintFrames, PartsOfOneRecordAreForgottenInTheNext) {
  Sample const by_magic = samples().at(split_by_magic);
  EXPECT_EQ(rules_of(lint(by_magic.file + by_magic.file)), (Rules{split_by_magic, split_by_magic}));
  Sample const concatenated = samples().at(split_concatenated);
  EXPECT_EQ(rules_of(lint(concatenated.file + concatenated.file)), (Rules{split_concatenated, split_concatenated}));
}

TEST(RecordioLintFrames, JoinedRecordsAreLintedAtTheirFirstFrame) {
  std::string const bad = features(sparse({1}, {9}, 5));
  std::string const before = frame(features(sparse({1}, {1}, 5)));
  std::string const wide = features(sparse({1}, {9}, 10));
  EXPECT_EQ(rules_of(lint(before + frame(bad.substr(0, 7), 1) + frame(bad.substr(7), 3))), Rules{split_malformed});
  auto const said = lint(before + frame(wide.substr(0, 7), 1) + frame("", 2) + frame(wide.substr(7), 3) + before);
  ASSERT_EQ(rules_of(said), (Rules{split_concatenated, width_mismatch}));
  EXPECT_EQ(said[1].frame, 2u);
  EXPECT_EQ(said[1].frame_offset, before.size());
  EXPECT_EQ(said[1].offset, before.size());
  EXPECT_EQ(said[1].field, "features[\"values\"]");
}

TEST(RecordioLintFrames, ASequenceThatBreaksDoesNotEndTheWalk) {
  std::string const whole = frame(row);
  EXPECT_EQ(rules_of(lint(whole + frame(row, 3) + whole)), Rules{bad_part_sequence});
  EXPECT_EQ(rules_of(lint(frame(row.substr(0, 5), 1) + whole)), Rules{bad_part_sequence});
  auto const restarted = lint(frame("abc", 1) + frame(row.substr(0, 5), 1) + frame(row.substr(5), 3));
  ASSERT_EQ(rules_of(restarted), (Rules{bad_part_sequence, split_concatenated}));
  EXPECT_EQ(restarted[0].frame, 2u);
  EXPECT_EQ(restarted[1].frame, 2u);
  EXPECT_NE(restarted[0].sentence.find("the flag is 1 where 2 or 3 was due"), std::string::npos);
}

TEST(RecordioLintFrames, LargeRecordsArePassedOverByTheirLength) {
  LintOptions const options{40};
  std::string const large = frame(std::string(50, 'x'));
  auto const said = lint(large + frame("\x07"), options);
  ASSERT_EQ(rules_of(said), (Rules{record_too_large, malformed_record}));
  EXPECT_EQ(said[1].frame_offset, large.size());
  EXPECT_EQ(rules_of(lint(large.substr(0, 57), options)), (Rules{record_too_large, truncated_payload}));
  EXPECT_EQ(rules_of(lint(large.substr(0, 58), options)), (Rules{record_too_large, missing_padding}));
  EXPECT_EQ(rules_of(lint(large.substr(0, 8), options)), (Rules{record_too_large, truncated_payload}));
}

TEST(RecordioLintFrames, LargeSplitRecordsAreReportedOnce) {
  LintOptions const options{40};
  std::string const part(30, 'x');
  auto const said = lint(frame(part, 1) + frame(part, 2) + frame(part, 2) + frame(part, 3) + frame("\x07"), options);
  ASSERT_EQ(rules_of(said), (Rules{record_too_large, malformed_record}));
  EXPECT_EQ(said[0].frame, 1u);
  std::string const large(50, 'x');
  EXPECT_EQ(rules_of(lint(frame(large, 1) + frame(large, 2) + frame(part, 3) + frame("\x07"), options)),
            (Rules{record_too_large, malformed_record}));
  EXPECT_EQ(rules_of(lint(frame(part, 1) + frame(large, 3) + frame("\x07"), options)),
            (Rules{record_too_large, malformed_record}));
  // Parts without bytes count too: the magic may belong between them.
  std::string empty_parts = frame("", 1);
  for (int i = 0; i < 1000; ++i) empty_parts += frame("", 2);
  EXPECT_EQ(rules_of(lint(empty_parts + frame("", 3), options)), Rules{record_too_large});
}

TEST(RecordioLintFrames, TheLimitOfSplitRecordsCountsTheMagicBetweenParts) {
  std::string const file = frame(row.substr(0, 6), 1) + frame(row.substr(6), 3);
  EXPECT_EQ(rules_of(lint(file, {row.size() + 4})), Rules{split_concatenated});
  EXPECT_EQ(rules_of(lint(file, {row.size() + 3})), Rules{record_too_large});
  EXPECT_EQ(rules_of(lint(frame(row), {row.size()})), Rules{});
  EXPECT_EQ(rules_of(lint(frame(row), {row.size() - 1})), Rules{record_too_large});
}

TEST(RecordioLintFrames, MagicInPartsIsFound) {
  std::string const begin = row.substr(0, 3);
  auto const said = lint(frame(field(3, "ab" + word(magic)), 1) + frame(row, 3));
  ASSERT_EQ(rules_of(said), (Rules{magic_in_payload, split_concatenated, fields_out_of_order}));
  EXPECT_EQ(said[0].offset, 12u);
}

TEST(RecordioLintFrames, InputsAreCountedAloneAndComparedWithTheFirst) {
  Collector collector;
  Linter linter({}, collector);
  std::string const first = frame(row) + frame(row);
  std::string const second = frame(sparse_row) + "?";
  linter.begin_input();
  EXPECT_EQ(linter.lint(std::as_bytes(std::span(first)), true), first.size());
  EXPECT_EQ(linter.frames(), 2u);
  EXPECT_EQ(linter.records(), 2u);
  linter.begin_input();
  EXPECT_EQ(linter.lint(std::as_bytes(std::span(second)), true), second.size());
  EXPECT_EQ(linter.frames(), 1u);
  EXPECT_TRUE(linter.is_broken());
  ASSERT_EQ(rules_of(collector.said), (Rules{density_mismatch, bad_magic}));
  EXPECT_EQ(collector.said[1].frame, 2u);
  EXPECT_EQ(collector.said[1].offset, second.size() - 1);
}

TEST(RecordioLintBytes, FindingsDoNotDependOnHowTheyArrive) {
  LintOptions const options{200};
  std::string all;
  std::set<LintRule> const breaking{bad_magic,         reserved_flag,   truncated_header,
                                    truncated_payload, missing_padding, unfinished_split};
  for (auto const& [rule, sample] : samples())
    if (!breaking.contains(rule)) all += sample.file;
  all += frame(std::string(300, 'x'));
  for (auto const& [rule, sample] : samples()) {
    std::string const file = all + sample.file;
    auto const whole = lint(file, options);
    for (std::size_t step : {1u, 7u, 64u, 1000u})
      EXPECT_EQ(lint_in_steps(file, step, options), whole) << name_of(rule) << step;
    if (!breaking.contains(rule)) break;
  }
}

TEST(RecordioLintBytes, WhatIsWantedIsEnough) {
  std::string const file = frame(row) + frame(row.substr(0, 5), 1) + frame(row.substr(5), 3) + frame(sparse_row);
  Collector collector;
  Linter linter({}, collector);
  linter.begin_input();
  for (std::size_t begin = 0; begin < file.size();) {
    std::size_t const size = std::min(linter.wanted_bytes(), file.size() - begin);
    std::size_t const done = linter.lint(std::as_bytes(std::span(file)).subspan(begin, size), false);
    ASSERT_TRUE(done != 0 || linter.wanted_bytes() > size) << begin;
    begin += done;
  }
  EXPECT_EQ(linter.records(), 3u);
}

TEST(RecordioLintBytes, CutAnywhereAFileHasAtMostItsEndWrong) {
  std::string const file = frame(row) + frame("\x1a\x01u" + row) + frame(row);
  Rules const allowed{truncated_header, truncated_payload, missing_padding};
  std::size_t const good = lint(file).size();
  for (std::size_t size = 0; size < file.size(); ++size) {
    auto const said = lint_in_steps(file.substr(0, size), 1000);
    auto const of_end = [&](Said const& each) { return std::count(allowed.begin(), allowed.end(), each.rule) != 0; };
    EXPECT_LE(std::count_if(said.begin(), said.end(), of_end), 1) << size;
    EXPECT_LE(said.size(), good + 1) << size;
  }
}

TEST(RecordioLintBytes, TruncatedPayloadsOfEverySampleAreSafe) {
  for (auto const& [rule, sample] : samples()) {
    for (std::size_t size = 0; size <= sample.file.size(); ++size) {
      lint_in_steps(sample.file.substr(0, size), 1000, sample.options);  // a file that ends there
      if (size < 8) continue;
      // And a payload that ends there, in a frame that does not: the last frame's bytes, framed anew.
      EXPECT_LE(lint(frame(sample.file.substr(8, size - 8))).size(), 3 * lint_rules);
    }
  }
}

TEST(RecordioLintBytes, MalformedIsWhatTheDecoderCallsMalformed) {
  std::mt19937 random(7);
  std::string const kinds[] = {row, sparse_row, features(field(1, varints({1, 300, ~0ull})), 7) + field(16, "abc"),
                               std::string(40, '\0')};
  for (int round = 0; round < 4000; ++round) {
    std::string payload = kinds[random() % 4];
    for (std::uint32_t changes = random() % 4 + 1; changes != 0; --changes)
      payload[random() % payload.size()] = static_cast<char>(random() % (round % 2 == 0 ? 256 : 32));
    auto const said = lint_in_steps(frame(payload), 1000);
    auto const result = decode_record(std::as_bytes(std::span(payload)));
    bool const is_malformed = result.status == RecordStatus::malformed;
    auto const is_said = [](Said const& each) { return each.rule == malformed_record; };
    EXPECT_EQ(std::count_if(said.begin(), said.end(), is_said), is_malformed ? 1 : 0) << round;
    EXPECT_LE(said.size(), 3 * lint_rules);
  }
}

TEST(RecordioLintBytes, RandomFramesAreSafe) {
  std::mt19937 random(11);
  for (int round = 0; round < 1000; ++round) {
    std::string file;
    for (int frames = 0; frames < 6; ++frames) {
      std::string payload(random() % 24, '\0');
      for (char& byte : payload) byte = static_cast<char>(random() % 256);
      file += frame(payload, random() % 4);
    }
    if (round % 3 == 0) file[random() % file.size()] = static_cast<char>(random() % 256);
    LintOptions const options{round % 2 == 0 ? 16u : 1000u};
    EXPECT_EQ(lint_in_steps(file, 5, options), lint(file, options)) << round;
  }
}

class RecordioLintFixtures : public testing::Test {
 protected:
  void SetUp() override {
    if (folder_.empty()) GTEST_SKIP() << "no folder of shared data (PENSTOCK_SHARED_DATA)";
  }

  std::map<LintRule, int> counts_of(std::string const& name) const {
    std::ifstream file(folder_ + "/recordio/" + name, std::ios::binary);
    EXPECT_TRUE(file) << name;
    std::string const bytes(std::istreambuf_iterator<char>(file), {});
    std::map<LintRule, int> counts;
    for (LintRule rule : rules_of(lint(bytes))) ++counts[rule];
    return counts;
  }

 private:
  std::string folder_ = PENSTOCK_SHARED_DATA_DIR;
};

TEST_F(RecordioLintFixtures, OfTheXgboostContainer) {
  using Counts = std::map<LintRule, int>;
  EXPECT_EQ(counts_of("train.pb"), (Counts{{feature_type, 5}, {label_type, 5}}));
  EXPECT_EQ(counts_of("sparse_train.pb"), (Counts{{feature_type, 5}, {label_type, 5}}));
  EXPECT_EQ(counts_of("single_feature_label.pb"), (Counts{{shape_only_row, 1}, {feature_type, 1}, {label_type, 1}}));
  EXPECT_EQ(counts_of("sparse_edge_cases_diagonal.pbr"), (Counts{{feature_type, 3}, {label_type, 3}}));
  EXPECT_EQ(counts_of("sparse_edge_cases_dense_as_sparse.pbr"), (Counts{{feature_type, 3}, {label_type, 3}}));
  EXPECT_EQ(counts_of("sparse_edge_cases_rectangular_sparse.pbr"), (Counts{{feature_type, 4}, {label_type, 4}}));
  for (std::string const name :
       {"sparse_edge_cases_single_value_center.pbr", "sparse_edge_cases_single_value_bot_right.pbr"})
    EXPECT_EQ(counts_of(name), (Counts{{shape_only_row, 2}, {feature_type, 3}, {label_type, 3}})) << name;
}

}  // namespace
