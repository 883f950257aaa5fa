// Columns of text of CSV: kept as they stand there, or read by a rule. tests/pipeline/csv_law1_test.cpp has them under
// every schedule against the reference decoder; here is what a text is, what its memory holds, and what a rule makes.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "formats/csv/format.hpp"
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

/// A plan for files of these roles; without rules texts are kept.
struct Plan {
  explicit Plan(std::vector<Role> const& roles, std::vector<TextRule> rules = {}) : text_rules(std::move(rules)) {
    std::uint32_t features = 0, texts = 0;
    for (Role const role : roles)
      columns.push_back({role, role == Role::category ? texts++ : role == Role::feature ? features++ : 0});
    plan.layout.features = features;
    plan.layout.categories = texts;
    plan.layout.keeps_texts = text_rules.empty() && texts != 0;
    plan.rules.nulls = nulls;
    plan.columns = shards;
    plan.texts.rules = text_rules;
  }
  Plan(Plan const&) = delete;

  static csv::Bytes bytes_of(std::string_view text) { return {text.data(), text.data() + text.size()}; }

  std::vector<TextRule> text_rules;
  std::vector<csv::Bytes> nulls = {bytes_of(""), bytes_of("NA")};
  std::vector<csv::Column> columns;
  std::vector<std::span<csv::Column const>> shards = std::vector<std::span<csv::Column const>>(1);
  csv::DecodePlan plan;
};

/// Rounds have room for the texts of one record, and `more` bytes.
FormatRun run(Plan& plan, std::string const& text, RunSizes sizes = {}, std::size_t more = 100) {
  plan.shards[0] = plan.columns;
  plan.plan.columns = plan.shards;
  sizes.capacity.text_bytes = csv::Format::record_capacity(plan.plan, record_max).text_bytes + more;
  sizes.faults_max = std::max(sizes.faults_max, csv::fault_room(plan.plan, plan.columns.size()));
  return testing::run_format<csv::Format, Portable>(plan.plan, text, record_max, sizes);
}

using Texts = std::vector<std::optional<std::string>>;

Texts texts_of(FormatRun const& run) {
  Texts texts;
  for (auto const& row : run.rows) texts.insert(texts.end(), row.texts.begin(), row.texts.end());
  return texts;
}

TEST(CsvTexts, AreWhatTheCellsSay) {
  Plan plan({Role::category, Role::feature, Role::category});
  FormatRun const found = run(plan, "ab,1,\"c,d\"\n\"e\"\"f\",2,\"two\nlines\"\n,3,NA\n\"\",4,\"NA\"\n\"g\"h,5, i \n");
  Texts const expected = {"ab",         "c,d",        "e\"f",       "two\nlines", std::nullopt,
                          std::nullopt, std::nullopt, std::nullopt, "gh",         " i "};
  EXPECT_EQ(texts_of(found), expected);
  EXPECT_TRUE(found.faults.empty());
  EXPECT_EQ(found.counts.missing_cells, 4u);
}

TEST(CsvTexts, DialectsHaveEscapesAndTrimming) {
  Plan plan({Role::category, Role::feature});
  plan.plan.rules.dialect.trim = true;
  plan.plan.rules.dialect.escape = '\\';
  plan.plan.rules.dialect.delimiter = ';';
  FormatRun const found = run(plan, "  a\\;b \t;1\n \" c \" ;2\n \t;3\n");
  EXPECT_EQ(texts_of(found), (Texts{"a;b", " c ", std::nullopt}));
}

TEST(CsvTexts, AnyBytesAreText) {
  Plan plan({Role::category, Role::feature});
  std::string text, all;
  for (int byte = 0; byte < 256; ++byte) {
    if (byte == ',' || byte == '\n' || byte == '\r' || byte == '"') continue;
    text += std::string(1, static_cast<char>(byte)) + "x,1\n";
    all += static_cast<char>(byte);
  }
  Texts const found = texts_of(run(plan, text));
  ASSERT_EQ(found.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(found[i], std::string(1, all[i]) + "x");
}

TEST(CsvTexts, OfMoreThan4096BytesAreCutIfThePlanSaysSo) {
  Plan plan({Role::category, Role::category});
  plan.plan.texts.cuts = true;
  std::string const longest(4096, 'x');
  FormatRun const found = run(plan, longest + "yz,b\n\"" + longest + "\"\"z\",\"" + longest + "y\"\n");
  EXPECT_TRUE(found.faults.empty());
  EXPECT_EQ(texts_of(found), (Texts{longest, "b", longest, longest}));
}

TEST(CsvTexts, OfMoreThan4096BytesAreFaults) {
  Plan plan({Role::feature, Role::category});
  std::string const longest(4096, 'x');
  std::string const text = "1," + longest + "\n2,x" + longest + "\n3,\"" + longest + "\"\n4,\"" + longest +
                           "y\"\n5,\"" + longest.substr(1) + "\"\"\"\n6,\"" + longest + "\"\"\"\n7,end\n";
  FormatRun const found = run(plan, text);
  EXPECT_EQ(texts_of(found), (Texts{longest, longest, longest.substr(1) + "\"", "end"}));
  ASSERT_EQ(found.faults.size(), 3u);
  for (auto const& fault : found.faults) {
    EXPECT_EQ(fault.code, FaultCode::unknown_text);
    EXPECT_EQ(fault.column, 1u);
    EXPECT_EQ(fault.cell_begin, fault.record_begin + 2);
  }
  EXPECT_EQ(found.faults[1].record.substr(0, 3), "4,\"");
}

TEST(CsvTexts, OfRejectedRecordsLeaveNoTrace) {
  Plan plan({Role::category, Role::feature, Role::category});
  std::string text;
  Texts expected;
  for (int i = 0; i < 300; ++i) {
    bool const is_bad = i % 10 != 0;
    std::string const word = "word " + std::to_string(i) + std::string(is_bad ? 2000 : 0, 'x');
    text += word + (is_bad ? ",bad,\"" : ",1,\"") + word + "\"\n";
    if (i % 5 == 0) text += "lost " + word + ",2\n";
    if (!is_bad) expected.insert(expected.end(), {word, word});
  }
  for (std::size_t const rows : {1, 2, 7, 1000}) {
    for (std::size_t const more : {0, 1, 50, 10000}) {
      RunSizes sizes;
      sizes.buffer_bytes = 1 << 20;
      sizes.capacity.rows = rows;
      sizes.faults_max = 1000;
      // The memory of a round is exact: texts of rejected records that stayed would run beyond it.
      FormatRun const found = run(plan, text, sizes, more);
      ASSERT_EQ(texts_of(found), expected) << rows << " rows, " << more << " bytes";
      ASSERT_EQ(found.faults.size(), 330u);
    }
  }
}

TEST(CsvTexts, BadCellsAreMissingWhereThatIsThePolicy) {
  Plan plan({Role::category, Role::feature});
  plan.plan.repairs_cells = true;
  FormatRun const found = run(plan, "a,1\n" + std::string(5000, 'z') + ",x\nb,2\n");
  EXPECT_EQ(texts_of(found), (Texts{"a", std::nullopt, "b"}));
  ASSERT_EQ(found.faults.size(), 2u);
  EXPECT_TRUE(found.faults[0].is_repaired && found.faults[1].is_repaired);
  EXPECT_EQ(found.faults[0].code, FaultCode::unknown_text);
  EXPECT_EQ(found.faults[1].code, FaultCode::not_a_number);
}

/// Records that are mostly right, with words of all lengths.
std::string random_text(std::mt19937_64& random, std::size_t records) {
  std::string text;
  for (std::size_t i = 0; i < records; ++i) {
    for (int column = 0; column < 4; ++column) {
      std::size_t const size = random() % 50 == 0 ? 4000 + random() % 200 : random() % 20;
      std::string word(size, static_cast<char>('a' + random() % 3));
      if (random() % 4 == 0) word = '"' + word + "\"\"" + word + '"';
      text += (column == 0 ? "" : ",") + (column == 2 && random() % 20 != 0 ? std::to_string(i) : word);
    }
    text += random() % 30 == 0 ? ",more\n" : "\n";
  }
  return text;
}

TEST(CsvTexts, AreTheSameForAllSizes) {
  std::mt19937_64 random(5);
  std::vector<Role> const roles = {Role::category, Role::category, Role::feature, Role::category};
  for (int i = 0; i < 60 && !::testing::Test::HasFailure(); ++i) {
    std::string const text = random_text(random, 200);
    Plan plan(roles);
    plan.plan.repairs_cells = i % 3 == 0;
    RunSizes large;
    large.buffer_bytes = 1 << 20;
    large.capacity.rows = 1000;
    large.faults_max = 1000;
    FormatRun const expected = run(plan, text, large, 1 << 20);
    ASSERT_GT(expected.rows.size(), 50u);
    RunSizes sizes;
    sizes.buffer_bytes = 1 + random() % 5000;
    sizes.capacity.rows = 1 + random() % 30;
    sizes.poison = '\x11';
    EXPECT_EQ(difference(expected, run(plan, text, sizes, random() % 9000)), "") << name_of(sizes);
  }
}

TEST(CsvTexts, RulesReadWhatWouldBeKept) {
  std::mt19937_64 random(6);
  std::vector<Role> const roles = {Role::category, Role::category, Role::feature, Role::category};
  std::string const text = random_text(random, 2000);
  Plan kept_plan(roles);
  FormatRun const kept = run(kept_plan, text);
  std::vector<std::string> words;
  for (auto const& row : kept.rows)
    if (row.texts[0] && words.size() < 40 && std::ranges::find(words, *row.texts[0]) == words.end())
      words.push_back(*row.texts[0]);
  VocabularyTable const table(words);
  TextRule known{Reading::vocabulary, Unknown::other, 10, {}, table.view()};
  TextRule hashed{Reading::hash, Unknown::fault, 7, {}, {}};
  TextRule ignored{Reading::vocabulary, Unknown::ignore, 10, {}, table.view()};
  Plan plan(roles, {known, hashed, ignored});
  FormatRun const found = run(plan, text);
  ASSERT_EQ(found.rows.size(), kept.rows.size());
  EXPECT_EQ(found.faults, kept.faults);
  std::size_t values = 0, missing = 0;
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    ASSERT_EQ(found.rows[i].categories.size(), 3u);
    EXPECT_EQ(found.rows[i].features, kept.rows[i].features);
    for (std::size_t column = 0; column < 3; ++column) {
      auto const& word = kept.rows[i].texts[column];
      std::uint64_t const bits = found.rows[i].categories[column];
      auto const place = word ? std::ranges::find(words, *word) - words.begin() : 0;
      bool const is_unknown = column == 2 && word && static_cast<std::size_t>(place) == words.size();
      if (!word || is_unknown) {
        EXPECT_EQ(bits, missing_float64_bits);
        ++missing;
        continue;
      }
      double const number = column == 1 ? static_cast<double>(normalize::hash_of(word->data(), word->size()) >> 57)
                                        : static_cast<double>(place);
      EXPECT_EQ(std::bit_cast<double>(bits), number) << *word;
      ++values;
    }
  }
  EXPECT_GT(values, 1000u);
  EXPECT_GT(missing, 100u);
  std::uint64_t const of_features = kept.counts.missing_cells;
  EXPECT_GT(found.counts.missing_cells, of_features);
}

TEST(CsvTexts, WordsOutOfTheVocabularyAreFaults) {
  VocabularyTable const table({"a", "b c", ""});
  std::vector<TextRule> const rules = {{Reading::vocabulary, Unknown::fault, 10, {}, table.view()},
                                       {Reading::boolean, Unknown::fault, 10, {}, {}}};
  Plan plan({Role::category, Role::category, Role::feature}, rules);
  std::string const text = "a,yes,1\n\"b c\",FALSE,2\nb,no,3\n,t,4\na,maybe,5\nA,n,6\n";
  FormatRun const found = run(plan, text);
  ASSERT_EQ(found.rows.size(), 3u);
  EXPECT_EQ(std::bit_cast<double>(found.rows[1].categories[0]), 1.0);
  EXPECT_EQ(std::bit_cast<double>(found.rows[1].categories[1]), 0.0);
  EXPECT_EQ(found.rows[2].categories[0], missing_float64_bits);  // a null spelling, before any vocabulary
  ASSERT_EQ(found.faults.size(), 3u);
  EXPECT_EQ(found.faults[0].record, "b,no,3");
  EXPECT_EQ(found.faults[1].column, 1u);
  EXPECT_EQ(found.faults[2].column, 0u);
  Plan repairing({Role::category, Role::category, Role::feature}, rules);
  repairing.plan.repairs_cells = true;
  FormatRun const repaired = run(repairing, text);
  ASSERT_EQ(repaired.rows.size(), 6u);
  EXPECT_EQ(repaired.rows[2].categories[0], missing_float64_bits);
  EXPECT_EQ(repaired.faults.size(), 3u);
}

}  // namespace
}  // namespace penstock
