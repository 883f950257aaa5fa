// The RecordIO linter: its rules, and what it says about records.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/recordio_lint.hpp"
#include "tests/support/recordio_lint_samples.hpp"

namespace {

using namespace penstock::lint_support;
using enum penstock::recordio::LintRule;

TEST(RecordioLintRules, EveryRuleHasAFileThatTriggersExactlyIt) {
  auto const all = samples();
  ASSERT_EQ(all.size(), lint_rules);
  for (auto const& [rule, sample] : all) {
    Rules const rules = rules_of(lint(sample.file, sample.options));
    EXPECT_EQ(rules, sample.rules) << name_of(rule) << "\n"
                                   << testing::PrintToString(lint(sample.file, sample.options));
    EXPECT_EQ(std::count(rules.begin(), rules.end(), rule), 1) << name_of(rule);
  }
}

TEST(RecordioLintRules, NamesAreSnakeCaseAndDifferAndSentencesAreWhole) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < lint_rules; ++i) {
    Finding finding;
    finding.rule = static_cast<LintRule>(i);
    EXPECT_TRUE(names.insert(name_of(finding.rule)).second) << name_of(finding.rule);
    EXPECT_EQ(name_of(finding.rule).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string_view::npos);
    std::string const text = sentence(finding);
    EXPECT_EQ(text.find_first_of("{}"), text.npos) << text;
    EXPECT_NE(text.back(), '.') << text;
  }
}

TEST(RecordioLint, CleanFilesGiveNothing) {
  EXPECT_EQ(rules_of(lint("")), Rules{});
  EXPECT_EQ(rules_of(lint(frame(row) + frame(row))), Rules{});
  EXPECT_EQ(rules_of(lint(frame(sparse_row) + frame(features(sparse({1}, {4}, 5)) + label(dense({0}))))), Rules{});
  EXPECT_EQ(rules_of(lint(frame(row + field(3, "a1") + field(4, "{}") + field(5, "{}")))), Rules{});
  // A dense tensor may say its shape or not, a key may be larger than 32 bits, and a value may be subnormal or -0.
  EXPECT_EQ(rules_of(lint(frame(features(dense({1, 2}) + field(3, varint(2)))) + frame(features(dense({1, 2}))))),
            Rules{});
  EXPECT_EQ(rules_of(lint(frame(features(sparse({1}, {1ull << 40}, 1ull << 41))))), Rules{});
  EXPECT_EQ(rules_of(lint(frame(features(dense({-0.0f, 1e-45f, std::numeric_limits<float>::max()}))))), Rules{});
}

TEST(RecordioLint, CanonicalSparseRecordByHand) {
  EXPECT_EQ(rules_of(lint(hex("0a23d7ce 35000000 0a1f 0a0676616c756573 1215 1213 0a08 00006040 000080bf 1203 01 ac02"
                              "1a02 e807 1212 0a0676616c756573 1208 1206 0a04 00000000 000000"))),
            Rules{});
}

TEST(RecordioLintPlaces, FrameByteFieldAndNumbers) {
  std::string const bad = features(sparse({1, 2, 3, 4}, {0, 7, 8, 1000}, 9));
  std::string const first = frame(features(sparse({1}, {8}, 9)));
  auto const said = lint(first + frame(bad));
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].rule, key_out_of_shape);
  EXPECT_EQ(said[0].frame, 2u);
  EXPECT_EQ(said[0].frame_offset, first.size());
  EXPECT_EQ(said[0].offset, first.size() + 8 + bad.find(varint(1000)));
  EXPECT_EQ(said[0].field, "features[\"values\"].keys[3]");
  EXPECT_NE(said[0].sentence.find("key 1000 lies outside of the shape, which ends at 9"), std::string::npos);
}

TEST(RecordioLintPlaces, MalformedRecordSaysWhereAndWhy) {
  auto const said = lint(frame(row) + frame(row + "\x0a\x7f"));
  ASSERT_EQ(rules_of(said), Rules{malformed_record});
  EXPECT_EQ(said[0].offset, frame(row).size() + 8 + row.size());
  EXPECT_NE(said[0].sentence.find(describe(WireError::truncated)), std::string::npos);
}

TEST(RecordioLintPlaces, ValuesByIndexInTheListEvenIfItIsInPieces) {
  float const nan = std::numeric_limits<float>::quiet_NaN();
  auto const said = lint(frame(features(dense({1, 2}) + dense({3, nan}))));
  ASSERT_EQ(rules_of(said), (Rules{scattered_list, nan_value}));
  EXPECT_EQ(said[1].field, "features[\"values\"].values[3]");
  auto const of_double = lint(frame(features(field(1, doubles({1, -std::numeric_limits<double>::infinity()})), 3)));
  ASSERT_EQ(rules_of(of_double), (Rules{feature_type, infinite_value}));
  EXPECT_EQ(of_double[1].field, "features[\"values\"].values[1]");
}

TEST(RecordioLintPlaces, TheValueThatIsTheMagic) {
  auto const said = lint(frame(features(dense({1, -1804698880.0f, 0.5f}))));
  ASSERT_EQ(rules_of(said), Rules{magic_in_payload});
  EXPECT_EQ(said[0].field, "features[\"values\"].values[1]");
  EXPECT_EQ(said[0].offset % 4, 0u);
  // Beside its place: in text, and not aligned at all.
  auto const in_text = lint(frame(features(dense({1})) + field(3, "ab" + word(magic))));
  ASSERT_EQ(rules_of(in_text), Rules{magic_in_payload});
  EXPECT_EQ(in_text[0].field, "");
  EXPECT_EQ(rules_of(lint(frame(features(dense({1})) + field(3, "a" + word(magic))))), Rules{});
}

TEST(RecordioLintPlaces, TheValueThatIsTheMagicInAListInPieces) {
  auto const said = lint(frame(features(dense({1}) + dense({2}) + dense({-1804698880.0f}))));
  ASSERT_EQ(rules_of(said), (Rules{scattered_list, magic_in_payload}));
  EXPECT_EQ(said[1].field, "features[\"values\"].values[2]");
}

TEST(RecordioLintPlaces, EachRuleOnceForEachMapOfARecord) {
  float const nan = std::numeric_limits<float>::quiet_NaN();
  std::string const twice = features(dense({nan, nan})) + label(dense({nan}));
  auto const said = lint(frame(twice) + frame(twice));
  EXPECT_EQ(rules_of(said), (Rules{nan_value, nan_value, nan_value, nan_value}));
  EXPECT_EQ(said[1].field, "label[\"values\"].values[0]");
}

TEST(RecordioLintPlaces, KeysAreShownAsTheyAreUpToALimit) {
  auto const said = lint(frame(row + entry(2, field(2, dense({1})), std::string(100, 'k'))));
  ASSERT_EQ(rules_of(said), Rules{other_key});
  EXPECT_EQ(said[0].field, "label[\"" + std::string(64, 'k') + "...\"]");
}

TEST(RecordioLintMessages, TheKeyIsKnownEvenIfItComesLast) {
  auto const said =
      lint(frame(field(1, field(2, field(2, dense({std::numeric_limits<float>::infinity()}))) + key_values)));
  ASSERT_EQ(rules_of(said), (Rules{fields_out_of_order, infinite_value}));
  EXPECT_EQ(said[1].field, "features[\"values\"].values[0]");
}

TEST(RecordioLintMessages, TensorFieldsInReverse) {
  std::string const reverse = field(3, varint(5)) + field(2, varints({0, 3})) + dense({7, 8});
  EXPECT_EQ(rules_of(lint(frame(features(reverse)))), Rules{fields_out_of_order});
}

TEST(RecordioLintMessages, PackedBehindUnpackedIsInPieces) {
  EXPECT_EQ(rules_of(lint(frame(features("\x0d" + floats({1}) + dense({2}))))), (Rules{unpacked_list, scattered_list}));
  EXPECT_EQ(rules_of(lint(frame(features(dense({2}) + "\x0d" + floats({1}))))), (Rules{scattered_list, unpacked_list}));
}

TEST(RecordioLintMessages, OnlyTheTensorInForceIsJudged) {
  // The int32 tensor with too many keys is replaced; libprotobuf sees the last one only.
  std::string const replaced = field(7, field(1, varint(5)) + field(2, varints({1, 2})));
  EXPECT_EQ(rules_of(lint(frame(entry(1, replaced + field(2, dense({1})))))),
            (Rules{fields_out_of_order, oneof_replaced}));
  // Keys of one and values of the other are merged into a sparse tensor.
  std::string const merged = field(2, dense({1})) + field(2, field(2, varint(3)) + field(3, varint(5)));
  EXPECT_EQ(rules_of(lint(frame(entry(1, merged)))), Rules{oneof_merged});
}

TEST(RecordioLintMessages, ShortNegativeAndOverlongIntegers) {
  EXPECT_EQ(rules_of(lint(frame(features(field(1, varints({~0ull, 0x7fffffff})), 7)))), Rules{feature_type});
  // ff ff ff ff 0f is 2^32 - 1, which libprotobuf reads as -1.
  EXPECT_EQ(rules_of(lint(frame(features(field(1, varint(0xffffffff)), 7)))),
            (Rules{int32_out_of_range, feature_type}));
  EXPECT_EQ(rules_of(lint(frame(features(field(1, "\x81" + std::string(1, '\0')), 7)))),
            (Rules{overlong_varint, feature_type}));
  std::string const tag = "\x8a" + std::string(1, '\0');  // 0a in two bytes
  EXPECT_EQ(rules_of(lint(frame(features(tag + "\x04" + floats({1}))))), Rules{overlong_varint});
}

TEST(RecordioLintMessages, OverlongIntegerInAFieldThatNobodyKnows) {
  EXPECT_EQ(rules_of(lint(frame(row + "\x78\xaa" + std::string(1, '\0')))), (Rules{overlong_varint, unknown_field}));
  EXPECT_EQ(rules_of(lint(frame(row + "\x78\x2a"))), Rules{unknown_field});
}

TEST(RecordioLintMessages, TheLastEntryOfAKeyIsCompared) {
  std::string const twice = features(field(1, varint(5)), 7) + features(dense({1}));
  EXPECT_EQ(rules_of(lint(frame(twice) + frame(features(dense({1}))))), (Rules{feature_type, duplicate_map_key}));
}

TEST(RecordioLintMessages, RowsThatPileUpInOneFrame) {
  // The n-th response of the XGBoost container holds n records, one after the other.
  EXPECT_EQ(rules_of(lint(frame(row) + frame(row + row))),
            (Rules{fields_out_of_order, duplicate_map_key, duplicate_map_key}));
}

TEST(RecordioLintMessages, ManyNamesAreBounded) {
  std::string payload = features(dense({1}));
  for (int i = 0; i < 500; ++i) payload += entry(1, field(2, dense({1})), "name" + std::to_string(i));
  EXPECT_EQ(rules_of(lint(frame(payload) + frame(payload))), (Rules{other_key, other_key}));
  EXPECT_EQ(rules_of(lint(frame(payload) + frame(payload + entry(1, field(2, dense({1})), "more")))),
            (Rules{other_key, other_key, names_mismatch}));
}

TEST(RecordioLintTensors, DuplicatesAmongUnsortedKeys) {
  EXPECT_EQ(rules_of(lint(frame(features(sparse({1, 2, 3}, {3, 0, 3}, 5))))), (Rules{unsorted_keys, duplicate_keys}));
  EXPECT_EQ(rules_of(lint(frame(features(sparse({1, 2, 3}, {3, 0, 4}, 5))))), Rules{unsorted_keys});
  for (std::size_t count : {1000u, 4096u, 10000u}) {
    std::vector<std::uint64_t> keys(count);
    for (std::size_t i = 0; i < count; ++i) keys[i] = (i * 7919) % 100003;  // a prime: all different
    std::vector<float> const values(count, 1.0f);
    EXPECT_EQ(rules_of(lint(frame(features(sparse(values, keys, 100003))))), Rules{unsorted_keys}) << count;
    keys.back() = keys.front();
    EXPECT_EQ(rules_of(lint(frame(features(sparse(values, keys, 100003))))), (Rules{unsorted_keys, duplicate_keys}))
        << count;
  }
}

TEST(RecordioLintTensors, ShapesThatDoNotFit64Bits) {
  std::string const huge = field(3, varints({~0ull, ~0ull}));
  EXPECT_EQ(rules_of(lint(frame(features(dense({1}) + huge)))), (Rules{rank_above_one, shape_mismatch}));
  EXPECT_EQ(rules_of(lint(frame(features(dense({1}) + field(2, varint(~0ull - 1)) + huge)))), Rules{rank_above_one});
  EXPECT_EQ(rules_of(lint(frame(features(dense({1}) + field(2, varint(0)) + field(3, varint(0)))))),
            Rules{key_out_of_shape});
}

TEST(RecordioLintTensors, RowsOfZerosAmongSparseOnesHaveTheSameDensity) {
  std::string const zeros = features(field(3, varint(5))) + label(dense({1}));
  EXPECT_EQ(rules_of(lint(frame(sparse_row) + frame(zeros))), Rules{shape_only_row});
}

TEST(RecordioLintTensors, ATensorThatContradictsItselfHasNoWidthToCompare) {
  std::string const wrong = features(dense({1, 2}) + field(3, varint(3)));
  EXPECT_EQ(rules_of(lint(frame(wrong) + frame(features(dense({1, 2}))))), Rules{shape_mismatch});
}

TEST(RecordioLintTensors, KeysOfOneRecordAreForgottenInTheNext) {
  std::string const unsorted = frame(features(sparse({7, 8}, {3, 0}, 5)));
  EXPECT_EQ(rules_of(lint(unsorted + unsorted)), (Rules{unsorted_keys, unsorted_keys}));
}

TEST(RecordioLintTensors, ALabelThatIsEmptyIsNone) {
  std::string const empty = features(dense({1, 2})) + label("");
  EXPECT_EQ(rules_of(lint(frame(row) + frame(empty))), (Rules{empty_tensor, label_mismatch}));
  EXPECT_EQ(rules_of(lint(frame(features(dense({1, 2}))) + frame(row))), Rules{label_mismatch});
}

}  // namespace
