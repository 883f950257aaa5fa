#include "penstock/error.hpp"
#include "tests/support/csv_plans.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using penstock::CsvOptions;
using penstock::CsvPlan;
using penstock::ExitCode;
using penstock::HeaderMode;
using penstock::Role;
using penstock::testing::Complaint;
using penstock::testing::complaint_about;
using penstock::testing::plan_files;
using penstock::testing::ScratchFolder;
using penstock::testing::text_of;
using Names = std::vector<std::string>;

/// What stands before a file's first record, and how far the planner looks for it.
class CsvPlanLook : public penstock::testing::OneFile {};

/// More than is looked at for a record.
std::string many_lines(std::string_view line) {
  std::string lines;
  while (lines.size() < std::size_t{400} << 10) lines += line;
  return lines;
}

TEST_F(CsvPlanLook, BlankLinesAndCommentsAreNoPartOfTheLook) {
  CsvOptions const options{.comment = '#', .record_max = 64};
  for (std::string const& before : {many_lines("\n"), many_lines("\r\n"), many_lines("# 1,2,3 \"\n\n"),
                                    "#" + many_lines("x") + "\n", "\xef\xbb\xbf" + many_lines("#;\n")}) {
    auto const headed = plan(before + "a;b\n1;2\n", options);
    EXPECT_EQ(headed->names(Role::feature), (Names{"a", "b"}));
    EXPECT_EQ(headed->shards().at(0).offset_bytes, before.size() + 4);
    auto const lines = static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n'));
    EXPECT_EQ(headed->first_line(0), lines + 2);
    EXPECT_EQ(records(*headed), "1;2\n");
    auto const bare = plan(before + "1;2\n", options);
    EXPECT_EQ(bare->dialect().delimiter, ';');
    EXPECT_EQ(bare->first_line(0), 1u);
    EXPECT_TRUE(records(*bare).ends_with("\n1;2\n"));
    EXPECT_EQ(complaint(before, options).code, ExitCode::data);
  }
}

TEST_F(CsvPlanLook, BlanksBeforeTheHeaderMayEndWithCr) {
  auto const planned = plan(many_lines("\r") + "\na,b\r\n1,2\n");
  EXPECT_EQ(planned->first_line(0), (std::uint64_t{400} << 10) + 2);
  EXPECT_TRUE(planned->shards().at(0).follows_cr);
  EXPECT_EQ(records(*planned), "\n1,2\n");
}

TEST_F(CsvPlanLook, LinesBeforeTheFirstRecordThatDoNotEndAreTheReadersMatter) {
  CsvOptions const options{.record_max = 64};
  std::string const rows = "1;2\n3;4\n";
  for (std::string const& before :
       {std::string(65, 'x') + "\n", many_lines("x") + "\n", many_lines("x") + "\r\n\n" + many_lines(",") + "\n",
        many_lines(std::string(100, '1') + "\n"), "\"" + many_lines("y") + "\n", "\"abc" + std::string(100, ' ') + "\n",
        many_lines("x") + "\n" + many_lines("\n")}) {
    for (HeaderMode header : {HeaderMode::automatic, HeaderMode::no}) {
      CsvOptions bare = options;
      bare.header = header;
      auto const planned = plan(before + rows, bare);
      EXPECT_FALSE(planned->has_header());
      EXPECT_EQ(planned->dialect().delimiter, ';');
      EXPECT_EQ(planned->columns().size(), 2u);
      EXPECT_EQ(planned->shards().at(0).offset_bytes, 0u);
      EXPECT_EQ(records(*planned), before + rows);
    }
  }
  auto const open = plan("\"never closed\n1,2\n3,4\n");
  EXPECT_EQ(open->columns().size(), 2u);
  EXPECT_EQ(records(*open), "\"never closed\n1,2\n3,4\n");
}

TEST_F(CsvPlanLook, NothingButLinesWithoutAnEndSaysWhatWasSeen) {
  CsvOptions const options{.header = HeaderMode::no, .record_max = 64};
  Complaint const overlong = complaint(many_lines("x") + "\n" + many_lines("y"), options);
  EXPECT_EQ(overlong.code, ExitCode::schema);
  EXPECT_TRUE(overlong.says("in.csv: no record ends within 64 bytes; it begins with \"xxxx"));
  EXPECT_TRUE(overlong.advises("--max-record-size"));
  Complaint const open = complaint("\"abc\n", options);
  EXPECT_EQ(open.code, ExitCode::schema);
  EXPECT_TRUE(open.says("in.csv: no record ends: a quote is never closed; it begins with \"\"abc\""));
  EXPECT_TRUE(open.advises("--quote none"));
}

TEST_F(CsvPlanLook, ColumnsAreLimited) {
  std::string const commas(std::size_t{1} << 24, ',');
  CsvOptions const options{.delimiter = ',', .header = HeaderMode::no, .record_max = commas.size()};
  Complaint const said = complaint(commas, options);
  EXPECT_EQ(said.code, ExitCode::schema);
  EXPECT_TRUE(said.says("16777217 columns, at most 16777216 are possible"));
}

}  // namespace
