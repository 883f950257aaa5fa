#include "host/pipeline/column_list.hpp"

#include "penstock/error.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using penstock::ColumnNames;
using penstock::ConfigurationError;
using penstock::ListItem;
using penstock::split_list;
using Columns = std::vector<std::size_t>;

std::vector<std::string> texts_of(std::string_view list) {
  std::vector<std::string> texts;
  for (ListItem const& item : split_list(list, "--columns")) texts.push_back(item.text);
  return texts;
}

/// The message and the hint of the ConfigurationError that `list` makes; empty if it makes none.
std::string complaint(ColumnNames const& names, std::string_view list) {
  try {
    (void)names.resolve(list, "--columns");
  } catch (ConfigurationError const& error) {
    return error.what() + std::string(" | ") + error.hint();
  }
  return {};
}

TEST(ColumnListSplit, ItemsStandBetweenCommas) {
  EXPECT_EQ(texts_of(""), std::vector<std::string>{});
  EXPECT_EQ(texts_of("a"), std::vector<std::string>{"a"});
  EXPECT_EQ(texts_of("a,b c,d"), (std::vector<std::string>{"a", "b c", "d"}));
}

TEST(ColumnListSplit, QuotesHideCommasAndColons) {
  EXPECT_EQ(texts_of(R"("a,b",c)"), (std::vector<std::string>{"a,b", "c"}));
  EXPECT_EQ(texts_of(R"("say ""x""")"), std::vector<std::string>{R"(say "x")"});
  EXPECT_EQ(texts_of(R"( "a" , "b")"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(texts_of(R"(5" pipe)"), std::vector<std::string>{R"(5" pipe)"});
  EXPECT_TRUE(split_list(R"("a:b")", "")[0].colons.empty());
  EXPECT_EQ(split_list(R"(a:"b:c")", "")[0].colons, Columns{1});
}

TEST(ColumnListSplit, EmptyItemsAndOpenQuotesAreErrors) {
  for (std::string_view list : {",", "a,", ",a", "a,,b", "a, ,b", " ", R"("a)", R"(a,"b"")"}) {
    EXPECT_THROW((void)split_list(list, "--columns"), ConfigurationError) << list;
  }
  EXPECT_EQ(texts_of(R"("")"), std::vector<std::string>{""});
}

TEST(ColumnListResolve, NamesIndicesAndRanges) {
  ColumnNames const names({"a", "b", "c", "d", "e"}, true, "x.csv");
  EXPECT_EQ(names.resolve("", "--columns"), Columns{});
  EXPECT_EQ(names.resolve("c,a", "--columns"), (Columns{2, 0}));
  EXPECT_EQ(names.resolve("4,#0", "--columns"), (Columns{4, 0}));
  EXPECT_EQ(names.resolve("b:d", "--columns"), (Columns{1, 2, 3}));
  EXPECT_EQ(names.resolve("1:3,a", "--columns"), (Columns{1, 2, 3, 0}));
  EXPECT_EQ(names.resolve("#1:c", "--columns"), (Columns{1, 2}));
  EXPECT_EQ(names.resolve("b:b", "--columns"), Columns{1});
  EXPECT_EQ(names.resolve(R"("b":"c", e)", "--columns"), (Columns{1, 2, 4}));
}

TEST(ColumnListResolve, ANameWinsOverAnIndexAndARange) {
  ColumnNames const names({"2", "a:c", "a", "b", "c", "#1", " d"}, true, "x.csv");
  EXPECT_EQ(names.resolve("2", ""), Columns{0});
  EXPECT_EQ(names.resolve("#2", ""), Columns{2});
  EXPECT_EQ(names.resolve("1", ""), Columns{1});
  EXPECT_EQ(names.resolve("a:c", ""), Columns{1});
  EXPECT_EQ(names.resolve(R"("a:c")", ""), Columns{1});
  EXPECT_EQ(names.resolve(R"("a":"c")", ""), (Columns{2, 3, 4}));
  EXPECT_EQ(names.resolve("#1", ""), Columns{1});
  EXPECT_EQ(names.resolve(R"("#1")", ""), Columns{5});
  EXPECT_EQ(names.resolve("b, d", ""), (Columns{3, 6}));
  EXPECT_EQ(names.resolve("a:c:b", ""), (Columns{1, 2, 3}));
}

TEST(ColumnListResolve, QuotedDigitsAreAName) {
  ColumnNames const names({"a", "b"}, true, "x.csv");
  EXPECT_NE(complaint(names, R"("1")"), "");
  EXPECT_EQ(names.resolve("1", ""), Columns{1});
}

TEST(ColumnListResolve, UnknownColumnsComeWithANearMissAndTheList) {
  ColumnNames const names({"species", "island", "sex"}, true, "penguins.csv");
  EXPECT_EQ(
      complaint(names, "spieces"),
      "--columns: penguins.csv has no column \"spieces\" | Did you mean \"species\"? The columns are \"species\", "
      "\"island\", \"sex\".");
  EXPECT_NE(complaint(names, "SPECIES").find("Did you mean \"species\"?"), std::string::npos);
  EXPECT_EQ(complaint(names, "weight").find("Did you mean"), std::string::npos);
  EXPECT_NE(complaint(names, "species:ilsand").find("no column \"ilsand\" | Did you mean \"island\"?"),
            std::string::npos);
  EXPECT_NE(complaint(names, "species:").find("lacks an end"), std::string::npos);
}

TEST(ColumnListResolve, AWideFileIsNotListed) {
  std::vector<std::string> wide;
  for (int i = 0; i < 1000; ++i) wide.push_back("pixel" + std::to_string(i));
  ColumnNames const names(wide, true, "x.csv");
  EXPECT_EQ(complaint(names, "pixl7"), "--columns: x.csv has no column \"pixl7\" | Did you mean \"pixel7\"?");
}

TEST(ColumnListResolve, IndicesBeyondTheLastColumnSayHowManyThereAre) {
  ColumnNames const names({"a", "b", "c"}, true, "x.csv");
  std::string const expected = "--columns: 3 is out of range: x.csv has 3 columns | Columns are numbered from 0 to 2.";
  EXPECT_EQ(complaint(names, "3"), expected);
  EXPECT_NE(complaint(names, "#3").find("out of range"), std::string::npos);
  EXPECT_NE(complaint(names, "1:3").find("out of range"), std::string::npos);
  EXPECT_NE(complaint(names, "99999999999999999999999").find("out of range"), std::string::npos);
  EXPECT_EQ(names.resolve("2", ""), Columns{2});
}

TEST(ColumnListResolve, ColumnsOccurOnceAndRangesRunForwards) {
  ColumnNames const names({"a", "b", "c"}, true, "x.csv");
  EXPECT_NE(complaint(names, "a,b,a").find("\"a\" is listed twice"), std::string::npos);
  EXPECT_NE(complaint(names, "a:b,#1").find("\"b\" is listed twice"), std::string::npos);
  EXPECT_NE(complaint(names, "c:a").find("runs backwards"), std::string::npos);
}

TEST(ColumnListResolve, WithoutAHeaderOnlyIndicesAreNames) {
  ColumnNames const names(3, "x.csv");
  EXPECT_EQ(names.resolve("2,0:1", ""), (Columns{2, 0, 1}));
  EXPECT_NE(complaint(names, "price").find("There is no header: columns are numbered from 0 to 2"), std::string::npos);
  EXPECT_NE(complaint(names, "3").find("out of range"), std::string::npos);
  EXPECT_EQ(names.word_for(1), "column 1");
  EXPECT_EQ(names.item_for(1), "1");
  EXPECT_EQ(names.name(2), "2");
  EXPECT_EQ(names.find("2"), 2u);
  for (std::string_view other : {"3", "02", "00", "", "-1", "#1", "99999999999999999999999"}) {
    EXPECT_EQ(names.find(other), std::nullopt) << other;
  }
  EXPECT_EQ(names.find("0"), 0u);
  EXPECT_EQ(names.resolve("\"1\",02", ""), (Columns{1, 2}));
}

TEST(ColumnListWords, ItemsReadBackAsTheirName) {
  std::vector<std::string> const hard = {"a,b", "a:b", "#0", "say \"x\"", " blank", "tail ", "0", "plain", "x=y"};
  ColumnNames const names(hard, true, "x.csv");
  std::string list;
  Columns all;
  for (std::size_t i = 0; i < hard.size(); ++i) {
    list += (i == 0 ? "" : ",") + names.item_for(i);
    all.push_back(i);
  }
  EXPECT_EQ(names.resolve(list, ""), all);
}

TEST(ColumnListWords, AnEmptyNameIsReferredToByIndex) {
  ColumnNames const names({"", "a"}, true, "x.csv");
  EXPECT_EQ(names.item_for(0), "0");
  EXPECT_EQ(names.word_for(0), "column 0");
  EXPECT_EQ(names.resolve("0", ""), Columns{0});
}

TEST(ColumnListWords, ShellWordsAndNamesInMessages) {
  EXPECT_EQ(penstock::shell_word("a,b=0"), "a,b=0");
  EXPECT_EQ(penstock::shell_word("a b"), "'a b'");
  EXPECT_EQ(penstock::shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(penstock::shell_word(""), "''");
  EXPECT_EQ(penstock::shown("a\nb\x1b"), "\"a\\nb\\x1b\"");
  EXPECT_EQ(penstock::shown("\xff\xe2\x80\xae"), "\"\\xff\\xe2\\x80\\xae\"") << "no byte reorders a terminal's text";
  EXPECT_EQ(penstock::shown(std::string(60, 'x')), '"' + std::string(60, 'x') + '"');
  EXPECT_EQ(penstock::shown(std::string(61, 'x')), '"' + std::string(59, 'x') + "\u2026\"");
  EXPECT_EQ(penstock::shown(std::string(59, 'x') + "\u00e9"), '"' + std::string(59, 'x') + "\u00e9\"");
  EXPECT_EQ(penstock::shown(std::string(59, 'x') + "\u00e9\u00e9"), '"' + std::string(59, 'x') + "\u2026\"");
  EXPECT_EQ(penstock::shown_list({"a", "b", "c"}, 2), "\"a\", \"b\" and 1 more");
}

}  // namespace
