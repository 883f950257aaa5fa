// Columns of text of JSON objects: kept as they stand there, or read by a rule. tests/formats/objects_law1_test.cpp has
// them under every schedule against the reference; here is what a text is, what its memory holds, and what a rule
// makes.

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "formats/objects/format.hpp"
#include "host/exec/normalizer.hpp"
#include "tests/support/format_run.hpp"

namespace penstock {
namespace {

using normalize::Reading;
using normalize::TextRule;
using normalize::Unknown;
using testing::FormatRun;
using testing::RunSizes;

constexpr std::size_t record_max = std::size_t{1} << 20;

objects::Options options_of(std::string columns, std::string texts) {
  objects::Options options;
  options.columns = std::move(columns);
  options.texts = std::move(texts);
  return options;
}

objects::Plan plan_of(objects::Options const& options) {
  objects::Scout const scout(options, {record_max, true, false});
  EXPECT_TRUE(scout.problem().empty()) << scout.problem()[0].message;
  return scout.plan();
}

FormatRun run(objects::Plan const& plan, std::string const& text, RunSizes const& sizes = {}) {
  return testing::run_format<objects::Format, Portable>(plan, text, record_max, sizes);
}

FormatRun run(objects::Options const& options, std::string const& text, RunSizes const& sizes = {}) {
  return run(plan_of(options), text, sizes);
}

using Texts = std::vector<std::optional<std::string>>;

Texts texts_of(FormatRun const& run) {
  Texts texts;
  for (auto const& row : run.rows) texts.insert(texts.end(), row.texts.begin(), row.texts.end());
  return texts;
}

std::string line(std::string const& value) { return "{\"a\":1,\"t\":" + value + "}\n"; }

TEST(ObjectsTexts, AreWhatStringsSpell) {
  FormatRun const found =
      run(options_of("a", "t"), line("\"plain\"") + line("\"caf\\u00e9\"") + line("\"caf\xc3\xa9\"") +
                                    line("\"\\\"q\\\\/\\/\\n\"") + line("\"\\ud83d\\ude00\"") + line("\"a\\u0000b\"") +
                                    line("\" b \""));
  EXPECT_EQ(texts_of(found), (Texts{"plain", "caf\xc3\xa9", "caf\xc3\xa9", "\"q\\//\n", "\xf0\x9f\x98\x80",
                                    std::string("a\0b", 3), " b "}));
  EXPECT_TRUE(found.faults.empty());
  EXPECT_EQ(found.counts.missing_cells, 0u);
}

TEST(ObjectsTexts, OfNumbersAndWordsAreAsTheyAreWritten) {
  FormatRun const found = run(options_of("a", "t"), line("12.50") + line("-0") + line("1E5") + line("true") +
                                                        line("false") + line("123456789012345678901234567890"));
  EXPECT_EQ(texts_of(found), (Texts{"12.50", "-0", "1E5", "true", "false", "123456789012345678901234567890"}));
}

TEST(ObjectsTexts, AreMissingAsNullAndWhereTheyAreAbsent) {
  objects::Options options = options_of("a", "t,o.t");
  FormatRun const found =
      run(options, line("null") + "{\"a\":1}\n" + line("\"\"") + line("\"N\\u0041\"") + line("\"-nan\"") +
                       "{\"a\":1,\"t\":\"x\",\"o\":{\"t\":\"y\"}}\n{\"a\":1,\"t\":\"x\",\"o\":3}\n");
  Texts const none = {std::nullopt, std::nullopt};
  Texts expected;
  for (int i = 0; i < 5; ++i) expected.insert(expected.end(), none.begin(), none.end());
  expected.insert(expected.end(), {"x", "y", "x", std::nullopt});
  EXPECT_EQ(texts_of(found), expected);
  EXPECT_EQ(found.counts.missing_cells, 11u);
  options.nulls = "7";
  EXPECT_EQ(texts_of(run(options_of("a", "t"), line("\"\""))), (Texts{std::nullopt}));
  options.texts = "t";
  EXPECT_EQ(texts_of(run(options, line("\"\"") + line("7") + line("\"7\"") + line("7.0"))),
            (Texts{"", std::nullopt, std::nullopt, "7.0"}));
}

TEST(ObjectsTexts, SpellingsOfNanAreMissingWhereItIsListed) {
  std::string text;
  for (std::string const word : {"nan", "NaN", "+nan", "-NAN", "n\\u0061n"}) text += line('"' + word + '"');
  std::size_t const spellings = 5;
  Texts expected(spellings);
  for (std::string const word : {"nano", "xnan", "inf", "-Inf", "n/a", "--nan"}) {
    text += line('"' + word + '"');
    expected.emplace_back(word);
  }
  EXPECT_EQ(texts_of(run(options_of("a", "t"), text)), expected);
  objects::Options options = options_of("a", "t");
  options.nulls = "NA";
  EXPECT_EQ(texts_of(run(options, line("\"nan\""))), (Texts{"nan"}));
}

TEST(ObjectsTexts, MayBeAbsentBesideIntegers) {
  objects::Options options = options_of("a", "t");
  options.dtype = DType::int32;
  EXPECT_EQ(texts_of(run(options, "{\"a\":1}\n")), (Texts{std::nullopt}));
  options.requires_keys = true;
  FormatRun const found = run(options, "{\"a\":1}\n" + line("null"));
  EXPECT_EQ(texts_of(found), (Texts{std::nullopt}));
  ASSERT_EQ(found.faults.size(), 1u);
  EXPECT_EQ(found.faults[0].code, FaultCode::missing_key);
  EXPECT_EQ(found.faults[0].column, 1u);
}

TEST(ObjectsTexts, AreNoObjectsAndNoLists) {
  std::string const text = line("[\"x\"]") + line("{}") + line("\"x\"");
  FormatRun const found = run(options_of("a", "t"), text);
  EXPECT_EQ(texts_of(found), (Texts{"x"}));
  ASSERT_EQ(found.faults.size(), 2u);
  for (auto const& fault : found.faults) {
    EXPECT_EQ(fault.code, FaultCode::wrong_type);
    EXPECT_EQ(fault.column, 1u);
    EXPECT_EQ(fault.cell_begin, fault.record_begin + 11);
  }
}

TEST(ObjectsTexts, NamesInColumnsAreOfTextsInTheirOrder) {
  objects::Plan const plan = plan_of(options_of("b,u,a,t", "v,t,u"));
  EXPECT_EQ(objects::Format::names(plan, Role::feature), (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(objects::Format::names(plan, Role::category), (std::vector<std::string>{"u", "t", "v"}));
  objects::Plan const all = plan_of(options_of("t", "t"));
  EXPECT_EQ(all.layout.features, 0u);
  EXPECT_EQ(texts_of(run(all, line("\"x\""))), (Texts{"x"}));
}

TEST(ObjectsTexts, HaveAPlaceOfTheirOwn) {
  objects::Options options = options_of("a", "a.b");
  EXPECT_EQ(objects::Scout(options, {record_max, true, false}).problem().size(), 1u);
  options = options_of("a", "t");
  options.label = "t";
  EXPECT_EQ(objects::Scout(options, {record_max, true, false}).problem().size(), 1u);
}

TEST(ObjectsTexts, AreFoundBesideNumbersWhereThatIsAsked) {
  std::string const text =
      "{\"a\":1,\"t\":\"x\",\"m\":\"1\",\"o\":{\"u\":\"y\",\"n\":2},\"l\":[1],\"y\":\"no\"}\n"
      "{\"a\":2,\"m\":3,\"t\":\"z\",\"n\":null}\n{\"s\":\"one\",\"l\":\"text\"}\n";
  objects::Options options;
  options.ignore = "y";
  options.finds_texts = true;
  auto const found = testing::scout<objects::Format, Portable>(options, {record_max, true, false}, {text}, RunSizes{});
  ASSERT_TRUE(found.plan.has_value());
  EXPECT_EQ(objects::Format::names(*found.plan, Role::feature), (std::vector<std::string>{"a", "o.n", "n"}));
  EXPECT_EQ(objects::Format::names(*found.plan, Role::category), (std::vector<std::string>{"t", "m", "o.u", "s"}));
  FormatRun const rows = run(*found.plan, text);
  EXPECT_TRUE(rows.faults.empty());
  ASSERT_EQ(rows.rows.size(), 3u);
  EXPECT_EQ(rows.rows[1].texts, (Texts{"z", "3", std::nullopt, std::nullopt}));
  options.finds_texts = false;
  options.texts = "s,a";
  auto const named = testing::scout<objects::Format, Portable>(options, {record_max, true, false}, {text}, RunSizes{});
  ASSERT_TRUE(named.plan.has_value());
  EXPECT_EQ(objects::Format::names(*named.plan, Role::feature), (std::vector<std::string>{"o.n", "n"}));
  EXPECT_EQ(objects::Format::found_options(*named.plan)[0].second, "o.n,n,s,a");
}

TEST(ObjectsTexts, InsideOfNumbersAreAbsent) {
  std::string const text = "{\"n\":1,\"a\":2}\n{\"n\":null,\"a\":3}\n";
  objects::Options options;
  options.texts = "n.x";
  auto const found = testing::scout<objects::Format, Portable>(options, {record_max, true, false}, {text}, RunSizes{});
  ASSERT_TRUE(found.plan.has_value());
  EXPECT_EQ(objects::Format::names(*found.plan, Role::feature), (std::vector<std::string>{"a"}));
  EXPECT_EQ(objects::Format::names(*found.plan, Role::category), (std::vector<std::string>{"n.x"}));
  EXPECT_EQ(texts_of(run(*found.plan, text)), (Texts{std::nullopt, std::nullopt}));
}

/// Strings of as many bytes, of which some are escaped.
std::string string_of(std::size_t bytes, std::size_t escaped) {
  std::string text = "\"" + std::string(bytes - escaped, 'x');
  for (std::size_t i = 0; i < escaped; ++i) text += "\\u0079";
  return text + "\"";
}

TEST(ObjectsTexts, OfMoreThan4096BytesAreFaults) {
  std::string const text = line(string_of(4096, 0)) + line(string_of(4097, 0)) + line(string_of(4096, 9)) +
                           line(string_of(4097, 1)) + line(string_of(4096, 4096)) + line(std::string(4097, '1')) +
                           line("\"end\"");
  objects::Plan const plan = plan_of(options_of("a", "t"));
  FormatRun const found = run(plan, text);
  EXPECT_EQ(texts_of(found), (Texts{std::string(4096, 'x'), std::string(4087, 'x') + std::string(9, 'y'),
                                    std::string(4096, 'y'), "end"}));
  ASSERT_EQ(found.faults.size(), 3u);
  for (auto const& fault : found.faults) EXPECT_EQ(fault.code, FaultCode::unknown_text);
  Fault fault;
  fault.code = FaultCode::unknown_text;
  fault.cell_begin = 11;
  fault.cell_end = 11 + 4097 + 2;
  fault.column = 1;
  EXPECT_EQ(objects::words_of(fault, plan, line(string_of(4097, 0))).expected, "a text has at most 4,096 bytes");
}

TEST(ObjectsTexts, OfMoreThan4096BytesAreCutForAView) {
  objects::Options options = options_of("a", "t");
  options.finds_texts = true;
  FormatRun const found = run(options, line(string_of(5000, 0)) + line(string_of(5000, 2000)));
  EXPECT_TRUE(found.faults.empty());
  EXPECT_EQ(texts_of(found), (Texts{std::string(4096, 'x'), std::string(3000, 'x') + std::string(1096, 'y')}));
}

TEST(ObjectsTexts, OfRejectedRecordsLeaveNoTrace) {
  std::string text;
  Texts expected;
  for (int i = 0; i < 300; ++i) {
    bool const is_bad = i % 10 != 0;
    std::string const word = "word " + std::to_string(i) + std::string(is_bad ? 2000 : 0, 'x');
    text += "{\"t\":\"" + word + "\",\"u\":\"" + word + (is_bad ? "\",\"a\":\"bad\"}\n" : "\",\"a\":1}\n");
    if (!is_bad) expected.insert(expected.end(), {word, word});
  }
  for (std::size_t const rows : {1, 2, 7, 1000}) {
    for (std::size_t const bytes : {0, 1, 50, 10000}) {
      RunSizes sizes;
      sizes.buffer_bytes = 1 << 20;
      sizes.capacity = {rows, 0, 0, 0, 0, {}, bytes};
      sizes.faults_max = 1000;
      // The memory of a round is exact: texts of rejected records that stayed would run beyond it.
      FormatRun const found = run(options_of("a", "t,u"), text, sizes);
      ASSERT_EQ(texts_of(found), expected) << rows << " rows, " << bytes << " bytes";
      ASSERT_EQ(found.faults.size(), 270u);
    }
  }
}

TEST(ObjectsTexts, RulesReadWhatWouldBeKept) {
  std::mt19937_64 random(6);
  std::string text;
  std::vector<std::string> words = {"caf\xc3\xa9", "b", "12", "true"};
  std::string const values[] = {"\"caf\\u00e9\"", "\"caf\xc3\xa9\"", "\"\\u0062\"", "12", "\"12\"", "true",
                                "null",           "\"other\"",       "\"\"",        "[]"};
  for (int i = 0; i < 2000; ++i) {
    text += "{\"a\":" + std::to_string(i);
    for (std::string const key : {"t", "u", "v"})
      if (random() % 8 != 0) text += ",\"" + key + "\":" + values[random() % (random() % 30 == 0 ? 10 : 9)];
    text += "}\n";
  }
  FormatRun const kept = run(options_of("a", "t,u,v"), text);
  VocabularyTable const table(words);
  std::vector<TextRule> const rules = {{Reading::vocabulary, Unknown::other, 10, {}, table.view()},
                                       {Reading::hash, Unknown::fault, 7, {}, {}},
                                       {Reading::vocabulary, Unknown::ignore, 10, {}, table.view()}};
  objects::Options options = options_of("a", "t,u,v");
  options.text_rules = rules;
  FormatRun const found = run(options, text);
  ASSERT_EQ(found.rows.size(), kept.rows.size());
  ASSERT_GT(found.rows.size(), 1000u);
  EXPECT_EQ(found.faults, kept.faults);
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    ASSERT_EQ(found.rows[i].categories.size(), 3u);
    EXPECT_EQ(found.rows[i].features, kept.rows[i].features);
    for (std::size_t column = 0; column < 3; ++column) {
      auto const& word = kept.rows[i].texts[column];
      normalize::TextValue const value =
          word ? normalize::read_text(rules[column], word->data(), word->size()) : normalize::TextValue{};
      bool const is_there = word && value.kind == normalize::TextValue::value;
      std::uint64_t const expected = is_there ? std::bit_cast<std::uint64_t>(value.number) : missing_float64_bits;
      EXPECT_EQ(found.rows[i].categories[column], expected) << word.value_or("missing");
    }
  }
}

TEST(ObjectsTexts, WordsOutOfTheVocabularyAreFaults) {
  VocabularyTable const table({"a", "b c", ""});
  std::vector<TextRule> const rules = {{Reading::vocabulary, Unknown::fault, 10, {}, table.view()},
                                       {Reading::boolean, Unknown::fault, 10, {}, {}}};
  objects::Options options = options_of("a", "t,u");
  options.text_rules = rules;
  objects::Plan const plan = plan_of(options);
  FormatRun const found = run(plan,
                              "{\"t\":\"a\",\"u\":true,\"a\":1}\n{\"t\":\"b c\",\"u\":0,\"a\":1}\n"
                              "{\"t\":\"b\",\"u\":true,\"a\":1}\n{\"t\":\"\",\"a\":1}\n"
                              "{\"t\":\"a\",\"u\":\"maybe\",\"a\":1}\n{\"t\":\"A\",\"u\":1,\"a\":1}\n");
  ASSERT_EQ(found.rows.size(), 3u);
  EXPECT_EQ(std::bit_cast<double>(found.rows[1].categories[0]), 1.0);
  EXPECT_EQ(std::bit_cast<double>(found.rows[1].categories[1]), 0.0);
  EXPECT_EQ(found.rows[2].categories[0], missing_float64_bits);  // a null spelling, before any vocabulary
  ASSERT_EQ(found.faults.size(), 3u);
  EXPECT_EQ(found.faults[0].column, 1u);
  EXPECT_EQ(found.faults[1].column, 2u);
  Fault fault;
  fault.code = FaultCode::unknown_text;
  fault.column = 1;
  EXPECT_EQ(objects::words_of(fault, plan, "{\"t\":\"b\"}").subject, "t");
  EXPECT_EQ(objects::words_of(fault, plan, "{\"t\":\"b\"}").expected, "this text is not in the column's vocabulary");
}

}  // namespace
}  // namespace penstock
