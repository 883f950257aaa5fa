#include "host/pipeline/csv_plan.hpp"

#include "host/pipeline/csv_roles.hpp"
#include "host/pipeline/csv_rules.hpp"
#include "penstock/error.hpp"
#include "tests/support/csv_plans.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::string_view_literals;
using penstock::ConfigurationError;
using penstock::CsvOptions;
using penstock::CsvPlan;
using penstock::DType;
using penstock::ExitCode;
using penstock::HeaderMode;
using penstock::parse_label_map;
using penstock::Role;
using penstock::Shard;
using penstock::testing::Complaint;
using penstock::testing::complaint_about;
using penstock::testing::has_note;
using penstock::testing::plan_files;
using penstock::testing::ScratchFolder;
using penstock::testing::text_of;
using Names = std::vector<std::string>;

constexpr std::string_view iris =
    "sepal,petal,species,fold\n5.1,1.4,setosa,1\n7.0,4.7,versicolor,2\n6.3,NA,virginica,1\n5.0,1.5,setosa,2\n";

class CsvPlanOneFile : public penstock::testing::OneFile {};

// --- what is assumed
// ---------------------------------------------------------------------------------------------------

TEST_F(CsvPlanOneFile, SniffsDelimiterAndHeader) {
  auto const planned = plan("a\tb\n1\t2\n3\t4\n");
  EXPECT_EQ(planned->dialect().delimiter, '\t');
  EXPECT_TRUE(planned->has_header());
  EXPECT_EQ(planned->names(Role::feature), (Names{"a", "b"}));
  EXPECT_EQ(planned->notes().size(), 3u);
  EXPECT_TRUE(has_note(*planned, "delimiter: tab (sniffed)"));
  EXPECT_TRUE(has_note(*planned, "header: yes (assumed: the first record is text, and there are numbers below)"));
  EXPECT_TRUE(has_note(*planned, "columns: 2 (2 features)"));
}

TEST_F(CsvPlanOneFile, WhatIsGivenIsNotNoted) {
  auto const planned = plan("1;2,3\n4;5,6\n", {.delimiter = ',', .header = HeaderMode::no, .columns = "1"});
  EXPECT_EQ(planned->dialect().delimiter, ',');
  EXPECT_EQ(planned->notes(), Names{"columns: 2 (1 feature, 1 ignored)"});
}

TEST_F(CsvPlanOneFile, OneColumnIsSaidSo) {
  auto const planned = plan("1\n2\n");
  EXPECT_EQ(planned->dialect().delimiter, ',');
  EXPECT_TRUE(has_note(*planned, "delimiter: comma (assumed: there is one column)"));
}

TEST_F(CsvPlanOneFile, OnlyTheFirst64KiBAreSniffed) {
  std::string text;
  while (text.size() < std::size_t{1} << 16) text += "1,2\n";
  auto const planned = plan(text + "3;4;5\n");
  EXPECT_EQ(planned->dialect().delimiter, ',');
  EXPECT_TRUE(has_note(*planned, "delimiter: comma (sniffed)"));
}

TEST_F(CsvPlanOneFile, AFirstRecordThatCouldBeAHeaderIsNoted) {
  std::string const note =
      "header: no (assumed: the first record has a number or a missing cell; --header yes if it names columns)";
  for (std::string_view text : {",a,b\n0,1,2\n1,3,4\n"sv, "2019,2020,x\n1,2,3\n"sv}) {
    auto const planned = plan(text);
    EXPECT_FALSE(planned->has_header()) << text;
    EXPECT_TRUE(has_note(*planned, note)) << text;
    EXPECT_TRUE(plan(text, {.header = HeaderMode::yes})->has_header()) << text;
  }
  EXPECT_FALSE(has_note(*plan("5.1,setosa\n4.9,virginica\n", {.ignore = "1"}), note));
}

TEST_F(CsvPlanOneFile, DecimalCommasAreNotRead) {
  for (std::string_view text : {"1,5;2,5;3,5\n4,5;5,5;6,5\n"sv, "a;b\n1,5;1\n"sv, "1,5;1\n2,5;1\n"sv}) {
    Complaint const said = complaint(text);
    EXPECT_EQ(said.code, ExitCode::usage) << text;
    EXPECT_TRUE(said.advises("Decimal commas are not read")) << text;
    EXPECT_TRUE(said.advises("sed 's/,/./g'")) << text;
    EXPECT_TRUE(said.advises("--delimiter comma")) << text;
  }
  EXPECT_TRUE(complaint("y;x\n1,5;1\n", {.label = "y"}).advises("Decimal commas are not read"));
  Complaint const quoted = complaint("a,b\n\"1,5\",2\n");
  EXPECT_TRUE(quoted.advises("Decimal commas are not read: convert them to points. "));
  EXPECT_FALSE(quoted.advises("sed"));
}

TEST_F(CsvPlanOneFile, SpacesAreNamedWhereTheySeparate) {
  for (std::string_view text : {"1 2 3\n4 5 6\n"sv, "a b c\n1 2 3\n"sv, "1 2 3\n"sv}) {
    Complaint const said = complaint(text);
    EXPECT_EQ(said.code, ExitCode::usage) << text;
    EXPECT_TRUE(said.advises("If spaces separate the fields, say --delimiter space.")) << text;
  }
  EXPECT_TRUE(complaint("1 2\n", {.header = HeaderMode::no}).advises("--delimiter space"));
  EXPECT_EQ(plan("1 2 3\n4 5 6\n", {.delimiter = ' '})->layout().features, 3u);
  EXPECT_FALSE(complaint("one two\nthree four\n").advises("--delimiter"));
}

TEST_F(CsvPlanOneFile, WithoutAHeaderNamesAreIndices) {
  auto const planned = plan("1,2,3\n4,5,6\n", {.label = "0"});
  EXPECT_FALSE(planned->has_header());
  EXPECT_EQ(planned->names(Role::label), Names{"0"});
  EXPECT_EQ(planned->names(Role::feature), (Names{"1", "2"}));
  EXPECT_EQ(planned->column_name(0, 1), "");
  EXPECT_TRUE(has_note(*planned, "header: no (assumed: the first record has a number or a missing cell)"));
  EXPECT_TRUE(has_note(*planned, "columns: 3 (2 features, label \"0\")"));
}

TEST_F(CsvPlanOneFile, TextThroughoutAsksForTheHeader) {
  for (std::string_view text : {"a,b\nx,y\n"sv, "a,b\n"sv, "a"sv, "a,b\nNA,\n"sv}) {
    Complaint const said = complaint(text);
    EXPECT_EQ(said.code, ExitCode::usage) << text;
    EXPECT_TRUE(said.says("cannot tell whether the first record is a header")) << text;
    EXPECT_TRUE(said.advises("--header yes or --header no")) << text;
  }
}

TEST_F(CsvPlanOneFile, ClassNamesInTheFirstRecordAreText) {
  CsvOptions const options{.label = "class", .label_map = "NA=0,EU=1"};
  EXPECT_TRUE(plan("NA,class\n1,NA\n2,EU\n", options)->has_header());
}

// --- where records begin
// -------------------------------------------------------------------------------------------------

TEST_F(CsvPlanOneFile, RecordsBeginBehindTheHeader) {
  auto const planned = plan("a,b\n1,2\n");
  Shard const shard = planned->shards().at(0);
  EXPECT_EQ(shard.offset_bytes, 4u);
  EXPECT_FALSE(shard.follows_cr);
  EXPECT_EQ(planned->header_text(0), "a,b\n");
  EXPECT_EQ(planned->first_line(0), 2u);
  EXPECT_EQ(text_of(shard), "1,2\n");
  EXPECT_EQ(text_of(planned->shards().at(0)), "1,2\n") << "a file can be read again";
}

TEST_F(CsvPlanOneFile, ByteOrderMarksBlankLinesAndCommentsStandBeforeTheHeader) {
  auto const planned = plan("\xef\xbb\xbf\n# made, by\n\"a\nb\",c\n1,2\n", {.comment = '#'});
  EXPECT_EQ(planned->names(Role::feature), (Names{"a\nb", "c"}));
  EXPECT_EQ(planned->header_text(0), "\"a\nb\",c\n");
  EXPECT_EQ(planned->first_line(0), 5u);
  EXPECT_EQ(planned->shards().at(0).offset_bytes, 23u);
  EXPECT_EQ(records(*planned), "1,2\n");
}

TEST_F(CsvPlanOneFile, WithoutAHeaderOnlyTheByteOrderMarkIsPassed) {
  auto const planned = plan("\xef\xbb\xbf\n1,2\n");
  EXPECT_EQ(planned->shards().at(0).offset_bytes, 3u);
  EXPECT_EQ(planned->first_line(0), 1u);
  EXPECT_EQ(planned->header_text(0), "");
  EXPECT_EQ(records(*planned), "\n1,2\n");
}

TEST_F(CsvPlanOneFile, AHeaderMayEndWithCrOrCrLf) {
  for (std::string_view rest : {"1,2\r\n"sv, "\n1,2\r\n"sv}) {
    auto const planned = plan("a,b\r" + std::string(rest));
    Shard const shard = planned->shards().at(0);
    EXPECT_EQ(shard.offset_bytes, 4u);
    EXPECT_TRUE(shard.follows_cr);
    EXPECT_EQ(planned->header_text(0), "a,b\n");
    EXPECT_EQ(planned->first_line(0), 2u);
    EXPECT_EQ(text_of(shard), rest);
  }
}

TEST_F(CsvPlanOneFile, AHeaderMayBeLongerThanTheSample) {
  std::string header, row;
  for (int i = 0; i < 10000; ++i) {
    header += (i == 0 ? "" : ",") + ("feature_" + std::to_string(i));
    row += i == 0 ? "0" : ",0";
  }
  ASSERT_GT(header.size(), std::size_t{1} << 16);
  auto const planned = plan(header + "\n" + row + "\n");
  EXPECT_TRUE(planned->has_header());
  EXPECT_EQ(planned->layout().features, 10000u);
  EXPECT_EQ(records(*planned), row + "\n");
}

TEST_F(CsvPlanOneFile, AHeaderThatDoesNotEndIsAnError) {
  CsvOptions const options{.header = HeaderMode::yes, .record_max = 64};
  EXPECT_EQ(complaint(std::string(65, 'a') + "\n1\n", options).code, ExitCode::schema);
  EXPECT_EQ(complaint(std::string(64, 'a') + "\n1\n", options).code, ExitCode::ok);
  Complaint const open = complaint("a,\"b\n1,2\n", options);
  EXPECT_EQ(open.code, ExitCode::schema);
  EXPECT_TRUE(open.says("a quote in it is never closed"));
  EXPECT_TRUE(open.says("it begins with \"a,\"b\""));
  EXPECT_TRUE(complaint(std::string(65, 'a') + "\n1\n", options)
                  .says("the header record does not end within 64 bytes; it begins with \"aaaa"));
}

TEST_F(CsvPlanOneFile, NamesThatOccurTwiceAreAnError) {
  Complaint const said = complaint("a,b,a\n1,2,3\n");
  EXPECT_EQ(said.code, ExitCode::schema);
  EXPECT_TRUE(said.says("two columns are named \"a\" (columns 0 and 2)"));
  EXPECT_EQ(complaint(",,a\n1,2,3\n", {.header = HeaderMode::yes}).code, ExitCode::schema);
  EXPECT_EQ(plan(",b\n1,2\n", {.header = HeaderMode::yes})->names(Role::feature), (Names{"", "b"}));
}

// --- inputs that are none
// --------------------------------------------------------------------------------------------------

TEST_F(CsvPlanOneFile, NoRecords) {
  for (std::string_view text : {""sv, "\n\r\n"sv, "\xef\xbb\xbf"sv}) {
    Complaint const said = complaint(text);
    EXPECT_EQ(said.code, ExitCode::data) << text;
    EXPECT_TRUE(said.says("in.csv: no records")) << text;
  }
  EXPECT_EQ(complaint("# nothing\n", {.comment = '#'}).code, ExitCode::data);
  EXPECT_EQ(complaint("a,b\n", {.header = HeaderMode::yes}).code, ExitCode::data);
  EXPECT_EQ(complaint("a,b", {.header = HeaderMode::yes}).code, ExitCode::data);
  EXPECT_EQ(complaint("a,b\n\n\n", {.header = HeaderMode::yes}).code, ExitCode::data);
}

TEST_F(CsvPlanOneFile, OtherEncodingsAndBinaryFormats) {
  struct Case {
    std::string_view bytes;
    std::string words;
  };
  std::string const tar = std::string(257, 'x') + "ustar";
  for (Case const& one :
       {Case{"\xff\xfe"
             "1\0,\0"sv,
             "UTF-16"},
        Case{"\xfe\xff\0001"sv, "UTF-16"}, Case{"\xff\xfe\0\0"sv, "UTF-32"}, Case{"1\0,\0002\0\n\0"sv, "UTF-16"},
        Case{"\0\0\0\0\1\0\0\1"sv, "binary"}, Case{"\x0a\x23\xd7\xce\x10\0\0\0"sv, "RecordIO"},
        Case{"\x93NUMPY\1\0"sv, "NumPy"}, Case{"PK\3\4\x14\0\0\0"sv, "zip"}, Case{tar, "tar"}}) {
    Complaint const said = complaint(one.bytes);
    EXPECT_EQ(said.code, ExitCode::source) << one.words;
    EXPECT_TRUE(said.says(one.words)) << said.message;
  }
  EXPECT_TRUE(complaint("\xff\xfe"
                        "1\0"sv)
                  .advises("iconv -f UTF-16 -t UTF-8"));
  EXPECT_EQ(complaint("1,2\n3,4\0\n5,6\n7,8\n"sv).code, ExitCode::ok) << "a NUL among text is the decoder's matter";
}

// --- roles
// ---------------------------------------------------------------------------------------------------------------

TEST_F(CsvPlanOneFile, RolesMakeTheLayout) {
  auto const planned = plan("q,x,w,y,z,t\n1,2,3,4,5,a\n",
                            {.label = "y,x", .weight = "w", .qid = "q", .ignore = "t", .dtype = DType::float64});
  EXPECT_EQ(planned->layout(),
            (penstock::BatchLayout{
                .feature_dtype = DType::float64, .features = 1, .labels = 2, .has_weight = true, .has_qid = true}));
  EXPECT_EQ(planned->names(Role::label), (Names{"y", "x"}));
  EXPECT_EQ(planned->names(Role::weight), Names{"w"});
  EXPECT_EQ(planned->names(Role::qid), Names{"q"});
  EXPECT_EQ(planned->names(Role::feature), Names{"z"});
  EXPECT_EQ(planned->names(Role::ignore), Names{"t"});
  EXPECT_TRUE(has_note(*planned, "columns: 6 (1 feature, label \"y\", \"x\", weight \"w\", qid \"q\", 1 ignored)"));
  auto const columns = planned->decode_plan().columns[0];
  ASSERT_EQ(columns.size(), 6u);
  EXPECT_EQ(columns[1].role, Role::label);
  EXPECT_EQ(columns[1].place, 1u);
  EXPECT_EQ(columns[3].place, 0u);
  EXPECT_EQ(planned->columns()[5].role, Role::ignore);
}

TEST_F(CsvPlanOneFile, ColumnsChooseFeaturesAndTheirOrder) {
  auto const planned = plan("a,b,c,d\n1,x,3,4\n", {.columns = "d,a", .label = "c"});
  EXPECT_EQ(planned->names(Role::feature), (Names{"d", "a"}));
  EXPECT_EQ(planned->decode_plan().columns[0][3].place, 0u);
  EXPECT_EQ(planned->decode_plan().columns[0][0].place, 1u);
  EXPECT_EQ(planned->columns()[1].role, Role::ignore);
}

TEST_F(CsvPlanOneFile, RolesThatDoNotFitAreUsageErrors) {
  std::string_view const text = "a,b,c\n1,2,3\n";
  EXPECT_TRUE(
      complaint(text, {.label = "a", .ignore = "a"}).says("\"a\" is named by two options: --label and --ignore"));
  EXPECT_TRUE(complaint(text, {.columns = "a,b", .label = "b"}).says("\"b\" is named by two options"));
  EXPECT_TRUE(complaint(text, {.weight = "a,b"}).says("--weight takes one column, not 2"));
  EXPECT_TRUE(complaint(text, {.qid = "a:b"}).says("--qid takes one column, not 2"));
  EXPECT_TRUE(complaint(text, {.ignore = "a:c"}).says("no column is left to be a feature"));
  EXPECT_TRUE(complaint(text, {.label = "d"}).says("has no column \"d\""));
  EXPECT_TRUE(complaint(text, {.label = "3"}).says("has 3 columns"));
  EXPECT_TRUE(complaint(text, {.ignore = "a,a"}).says("listed twice"));
  for (CsvOptions const& options : {CsvOptions{.label = "d"}, CsvOptions{.label = "3"}, CsvOptions{.ignore = "a:c"},
                                    CsvOptions{.weight = "a,b"}, CsvOptions{.label = "a", .ignore = "a"}}) {
    EXPECT_EQ(complaint(text, options).code, ExitCode::usage);
  }
}

TEST_F(CsvPlanOneFile, TextFeaturesAreListedWithRemedies) {
  Complaint const said = complaint(iris, {.ignore = "fold"});
  EXPECT_EQ(said.code, ExitCode::usage);
  EXPECT_EQ(said.message, "a feature column is text, not numbers: \"species\" (such as \"setosa\")");
  EXPECT_TRUE(said.advises("--ignore fold,species,"));
  EXPECT_TRUE(said.advises("--label-map"));
  EXPECT_TRUE(plan(iris, {.ignore = "fold,species"}) != nullptr);
  EXPECT_TRUE(complaint(iris, {.columns = "sepal,species"}).advises("Take them out of --columns."));
}

TEST_F(CsvPlanOneFile, RemediesCanBePasted) {
  Complaint const said = complaint("Sample Number,\"a,b\",x\nu,v,1\n");
  EXPECT_TRUE(said.advises("--ignore 'Sample Number,\"a,b\"',"));
  EXPECT_EQ(complaint("Sample Number,\"a,b\",x\nu,v,1\n", {.ignore = "Sample Number,\"a,b\""}).code, ExitCode::ok);
  EXPECT_TRUE(complaint("1,x\n2,y\n").says("column 1 (such as \"x\")"));
  EXPECT_TRUE(complaint("1, 2\n3, 4\n").advises("--trim"));
  EXPECT_FALSE(complaint("1, x\n3, y\n").advises("--trim"));
}

TEST_F(CsvPlanOneFile, AColumnWithANumberIsNoText) {
  EXPECT_EQ(complaint("a,b\n1,x\n2,NA\n3,7\n").code, ExitCode::ok);
  EXPECT_EQ(complaint("a,b\n1,NA\n2,\n").code, ExitCode::ok) << "missing throughout";
}

TEST_F(CsvPlanOneFile, ATextLabelAsksForItsMap) {
  Complaint const said = complaint(iris, {.label = "species"});
  EXPECT_EQ(said.code, ExitCode::usage);
  EXPECT_EQ(said.message, "the label \"species\" is text, not numbers: \"setosa\", \"versicolor\", \"virginica\"");
  EXPECT_TRUE(said.advises("--label-map setosa=0,versicolor=1,virginica=2."));
  auto const planned = plan(iris, {.label = "species", .label_map = "setosa=0,versicolor=1,virginica=2"});
  EXPECT_EQ(planned->decode_plan().rules.labels.size(), 3u);
  EXPECT_EQ(planned->decode_plan().rules.labels[2].value, 2.0f);
}

TEST_F(CsvPlanOneFile, ManyClassesAreCut) {
  std::string text = "y,x\n";
  for (int i = 10; i < 35; ++i) text += "c" + std::to_string(i) + ",1\n";
  Complaint const said = complaint(text, {.label = "y"});
  EXPECT_TRUE(said.says("\"c29\" and 5 more"));
  EXPECT_TRUE(said.advises("c29=19 and so on for the other 5"));
}

// --- options
// -----------------------------------------------------------------------------------------------------------

TEST(CsvPlanLabelMap, NamesAndNumbers) {
  auto const map = parse_label_map(R"(a=0, b = -1.5,"c,d"=2,e=f=3,""=4," g"=1e3)");
  EXPECT_EQ(map.names, (Names{"a", "b", "c,d", "e=f", "", " g"}));
  ASSERT_EQ(map.entries.size(), 6u);
  EXPECT_EQ(map.entries[1].value, -1.5f);
  EXPECT_EQ(map.entries[5].value, 1000.0f);
  EXPECT_EQ(std::string(map.entries[3].name.begin, map.entries[3].name.end), "e=f");
  EXPECT_TRUE(parse_label_map("").entries.empty());
}

TEST(CsvPlanLabelMap, MalformedItemsAndDuplicates) {
  for (std::string_view text : {"a", "a=", "=1", "a=x", "a=1,a=2", "a=nan", "a=inf", "a=1e39", "a=0x1", "a=1,",
                                "\"a=1\"", "\"a", "a=1,\"a\"=1"}) {
    EXPECT_THROW((void)parse_label_map(text), ConfigurationError) << text;
  }
}

TEST(CsvPlanRules, NanIsNullOnlyWhereListed) {
  CsvOptions options{.nulls = {"", "NaN", "-999"}};
  penstock::CsvRules const listed(options);
  EXPECT_TRUE(listed.cells().nan_is_null);
  EXPECT_EQ(listed.cells().nulls.size(), 2u);
  options.nulls = {"NA"};
  penstock::CsvRules const unlisted(options);
  EXPECT_FALSE(unlisted.cells().nan_is_null);
  EXPECT_EQ(unlisted.cells().nulls.size(), 1u);
}

TEST(CsvPlanRules, SpecialBytesAreDistinctAndNoLineEnds) {
  for (CsvOptions const& options :
       {CsvOptions{.delimiter = '"'}, CsvOptions{.delimiter = '\0'}, CsvOptions{.delimiter = '\n'},
        CsvOptions{.quote = '\r'}, CsvOptions{.escape = '"'}, CsvOptions{.escape = '#', .comment = '#'},
        CsvOptions{.delimiter = ';', .comment = ';'}, CsvOptions{.quote = ' ', .trim = true},
        CsvOptions{.label_map = "a=0"}, CsvOptions{.record_max = 63}, CsvOptions{.record_max = (1u << 30) + 1}}) {
    EXPECT_THROW((void)penstock::CsvRules(options), ConfigurationError);
  }
  for (CsvOptions const& options :
       {CsvOptions{}, CsvOptions{.quote = 0}, CsvOptions{.delimiter = '\t', .trim = true}, CsvOptions{.record_max = 64},
        CsvOptions{.record_max = 1u << 30}, CsvOptions{.escape = '\\', .comment = '#'}}) {
    EXPECT_NO_THROW((void)penstock::CsvRules(options));
  }
}

TEST_F(CsvPlanOneFile, BytesOfNumbersHaveNoOtherMeaning) {
  for (char byte : "0123456789.+-eE"sv) {
    for (CsvOptions const& options : {CsvOptions{.delimiter = byte}, CsvOptions{.quote = byte},
                                      CsvOptions{.escape = byte}, CsvOptions{.comment = byte}}) {
      Complaint const said = complaint("1,2\n3,4\n", options);
      EXPECT_EQ(said.code, ExitCode::usage) << byte;
      EXPECT_TRUE(said.says("numbers are made of it")) << byte;
    }
  }
  EXPECT_TRUE(complaint("1\n", {.comment = '-'}).says("the comment byte cannot be \"-\": numbers are made of it"));
  EXPECT_EQ(complaint("1,2\n3,4\n", {.quote = '\'', .escape = '/', .comment = '%'}).code, ExitCode::ok);
}

TEST_F(CsvPlanOneFile, ManyTextColumnsAreNotAllListed) {
  std::string row = "x";
  for (int i = 1; i < 2000; ++i) row += ",x";
  Complaint const said = complaint(row + "\n", {.header = HeaderMode::no});
  EXPECT_TRUE(said.says("2000 feature columns are text"));
  EXPECT_TRUE(said.says("column 19 (such as \"x\") and 1980 more"));
  EXPECT_LT(said.hint.size(), 300u);
}

TEST_F(CsvPlanOneFile, OptionsReachTheDecodePlan) {
  CsvOptions options;
  options.on_error = penstock::FaultPolicy::null;
  options.non_finite = penstock::csv::NonFinitePolicy::clip;
  options.overflow = penstock::csv::OverflowPolicy::infinity;
  options.trim = true;
  auto const planned = plan("1;2\n", options);
  EXPECT_TRUE(planned->decode_plan().repairs_cells);
  EXPECT_EQ(planned->decode_plan().rules.non_finite, penstock::csv::NonFinitePolicy::clip);
  EXPECT_EQ(planned->decode_plan().rules.overflow, penstock::csv::OverflowPolicy::infinity);
  EXPECT_EQ(planned->decode_plan().rules.dialect, planned->dialect());
  EXPECT_EQ(planned->dialect().delimiter, ';');
  EXPECT_TRUE(planned->dialect().trim);
  EXPECT_FALSE(plan("1;2\n")->decode_plan().repairs_cells);
}

}  // namespace
