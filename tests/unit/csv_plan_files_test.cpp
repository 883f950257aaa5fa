#include "host/pipeline/csv_plan.hpp"

#include "host/io/source.hpp"
#include "host/pipeline/csv_head.hpp"
#include "penstock/error.hpp"
#include "tests/support/csv_plans.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/stat.h>

#ifndef PENSTOCK_SHARED_DATA_DIR
#define PENSTOCK_SHARED_DATA_DIR ""
#endif

namespace {

using namespace std::string_view_literals;
using penstock::CsvOptions;
using penstock::CsvPlan;
using penstock::ExitCode;
using penstock::HeaderMode;
using penstock::Role;
using penstock::Shard;
using penstock::SourceError;
using penstock::testing::Complaint;
using penstock::testing::complaint_about;
using penstock::testing::has_note;
using penstock::testing::plan_files;
using penstock::testing::ScratchFolder;
using penstock::testing::text_of;
using Names = std::vector<std::string>;

class CsvPlanManyFiles : public ::testing::Test {
 protected:
  /// Files a.csv, b.csv, ... with these contents.
  std::vector<std::string> put(std::vector<std::string_view> const& texts) {
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      paths.push_back(folder_.put(std::string(1, static_cast<char>('a' + i)) + ".csv", texts[i]));
    }
    return paths;
  }

  ScratchFolder folder_;
};

TEST_F(CsvPlanManyFiles, EveryHeaderIsDropped) {
  auto const plan = plan_files(put({"x,y\n1,2\n", "x,y\n3,4\n"}));
  std::vector<Shard> const shards = plan->shards();
  ASSERT_EQ(shards.size(), 2u);
  EXPECT_EQ(text_of(shards[0]) + text_of(shards[1]), "1,2\n3,4\n");
  EXPECT_EQ(shards[1].name, folder_.at("b.csv"));
  EXPECT_EQ(plan->decode_plan().columns.size(), 2u);
  EXPECT_EQ(plan->decode_plan().columns[0].data(), plan->decode_plan().columns[1].data()) << "one table serves both";
}

TEST_F(CsvPlanManyFiles, ColumnsAreMatchedByName) {
  auto const plan =
      plan_files(put({"x,y,z\n1,2,3\n", "z,x,y\n3,1,2\n", "x,y,z\n4,5,6\n"}), CsvOptions{.label = "x", .ignore = "z"});
  auto const columns = plan->decode_plan().columns;
  ASSERT_EQ(columns.size(), 3u);
  EXPECT_EQ(columns[1][0].role, Role::ignore);
  EXPECT_EQ(columns[1][1].role, Role::label);
  EXPECT_EQ(columns[1][2].role, Role::feature);
  EXPECT_EQ(columns[2][0].role, Role::label);
  EXPECT_EQ(plan->column_name(1, 0), "z");
  EXPECT_EQ(plan->column_name(2, 0), "x");
  EXPECT_EQ(plan->column_name(0, 3), "");
  EXPECT_EQ(plan->header_text(1), "z,x,y\n");
}

TEST_F(CsvPlanManyFiles, EachHeaderHasItsOwnPlace) {
  auto const plan = plan_files(put({"x,y\n1,2\n", "\n\"x\",y\r\n1,2\n"}));
  EXPECT_EQ(plan->first_line(0), 2u);
  EXPECT_EQ(plan->first_line(1), 3u);
  EXPECT_EQ(plan->shards()[1].offset_bytes, 7u);
  EXPECT_TRUE(plan->shards()[1].follows_cr);
}

TEST_F(CsvPlanManyFiles, OtherColumnsAreASchemaError) {
  Complaint const said = complaint_about(put({"width,height\n1,2\n", "widht,height,depth\n1,2,3\n"}));
  EXPECT_EQ(said.code, ExitCode::schema);
  EXPECT_TRUE(said.says("b.csv: its columns are not those of "));
  EXPECT_TRUE(said.says("a.csv: missing \"width\"; extra \"widht\", \"depth\""));
  EXPECT_TRUE(said.advises("\"widht\" may be meant for \"width\"."));
  EXPECT_TRUE(complaint_about(put({"x,y\n1,2\n", "x\n1\n"})).says("missing \"y\""));
  EXPECT_TRUE(complaint_about(put({"x,y\n1,2\n", "x,y,x\n1,2,3\n"})).says("two columns are named \"x\""));
  EXPECT_TRUE(complaint_about(put({"x,y\n1,2\n", "x;y\n1;2\n"})).advises("is its delimiter another one?"));
}

TEST_F(CsvPlanManyFiles, AFileWithoutAHeaderIsASchemaError) {
  Complaint const said = complaint_about(put({"x,y\n1,2\n", "1,1\n3,4\n"}));
  EXPECT_EQ(said.code, ExitCode::schema);
  EXPECT_TRUE(said.says("b.csv: has no header like that of "));
  EXPECT_TRUE(said.says("its first record holds the number \"1\""));
}

TEST_F(CsvPlanManyFiles, WithoutHeadersTheWidthsAgree) {
  EXPECT_EQ(complaint_about(put({"1,2\n", "3,4\n"})).code, ExitCode::ok);
  Complaint const said = complaint_about(put({"1,2\n", "3,4,5\n"}));
  EXPECT_EQ(said.code, ExitCode::schema);
  EXPECT_TRUE(said.says("b.csv: its first record has 3 fields, but "));
  EXPECT_TRUE(said.says("a.csv has 2 columns"));
}

TEST_F(CsvPlanManyFiles, EmptyFilesAreSkipped) {
  auto const plan = plan_files(put({"", "x,y\n1,2\n", "\n", "x,y\n"}));
  std::vector<Shard> const shards = plan->shards();
  ASSERT_EQ(shards.size(), 4u);
  EXPECT_EQ(text_of(shards[0]), "");
  EXPECT_EQ(text_of(shards[1]), "1,2\n");
  EXPECT_EQ(text_of(shards[3]), "");
  EXPECT_EQ(plan->header_text(0), "");
  EXPECT_EQ(plan->decode_plan().columns[0].size(), 2u);
}

TEST_F(CsvPlanManyFiles, NoRecordsAnywhereIsADataError) {
  Complaint const said = complaint_about(put({"", "\n"}));
  EXPECT_EQ(said.code, ExitCode::data);
  EXPECT_TRUE(said.says("a.csv: no records (nor in the other 1)"));
  EXPECT_EQ(complaint_about(put({"x\n", "", "x\n"}), {.header = HeaderMode::yes}).code, ExitCode::data);
  EXPECT_EQ(complaint_about(put({"x\n", "x\n1\n"}), {.header = HeaderMode::yes}).code, ExitCode::ok);
}

TEST_F(CsvPlanManyFiles, EveryFileIsLookedAtForBinaryData) {
  EXPECT_EQ(complaint_about(put({"1,2\n", "\x93NUMPY\1\0"sv})).code, ExitCode::source);
}

// --- inputs that are read once, and compressed ones
// ----------------------------------------------------------------------

TEST_F(CsvPlanManyFiles, FifosAreReadOnceAndLoseNothing) {
  std::string const a = folder_.at("a.fifo"), b = folder_.at("b.fifo");
  ASSERT_EQ(::mkfifo(a.c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo(b.c_str(), 0600), 0);
  std::string rows;
  for (int i = 0; i < 50000; ++i) rows += std::to_string(i) + ",7\n";
  std::thread large_writer([&] { std::ofstream(a, std::ios::binary) << "x,y\n" << rows; });
  std::thread small_writer([&] { std::ofstream(b, std::ios::binary) << "y,x\n7,1\n"; });
  auto const plan = plan_files({a, b});
  std::vector<Shard> const shards = plan->shards();
  EXPECT_EQ(shards.at(0).offset_bytes, 4u);
  EXPECT_EQ(text_of(shards.at(0)), rows);
  EXPECT_EQ(text_of(shards.at(1)), "7,1\n");
  EXPECT_THROW((void)plan->shards(), SourceError);
  large_writer.join();
  small_writer.join();
}

/// What `plan` makes of `text` when it comes from a FIFO.
struct PlannedFifo {
  std::unique_ptr<CsvPlan> plan;
  Shard shard;
  std::string records;
};

PlannedFifo plan_fifo(std::string const& path, std::string const& text, CsvOptions const& options) {
  EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(path, std::ios::binary) << text; });
  PlannedFifo planned;
  planned.plan = plan_files({path}, options);
  planned.shard = planned.plan->shards().at(0);
  planned.records = text_of(planned.shard);
  writer.join();
  return planned;
}

TEST_F(CsvPlanManyFiles, LeadingLinesOfAFifoAreNotKept) {
  std::string before;
  for (int i = 0; i < 50000; ++i) before += "# note\n\r\n";
  CsvOptions const options{.comment = '#', .record_max = 64};
  PlannedFifo const bare = plan_fifo(folder_.at("bare"), before + "1;2\n3;4\n", options);
  EXPECT_EQ(bare.shard.offset_bytes, before.size());
  EXPECT_EQ(bare.plan->first_line(0), 100001u);
  EXPECT_FALSE(bare.shard.follows_cr);
  EXPECT_EQ(bare.records, "1;2\n3;4\n");
  PlannedFifo const headed = plan_fifo(folder_.at("headed"), before + "a;b\r\n3;4\n", options);
  EXPECT_EQ(headed.shard.offset_bytes, before.size() + 4);
  EXPECT_EQ(headed.plan->first_line(0), 100002u);
  EXPECT_TRUE(headed.shard.follows_cr);
  EXPECT_EQ(headed.records, "\n3;4\n");
}

TEST_F(CsvPlanManyFiles, LinesOfAFifoThatDoNotEndAreKept) {
  std::string const text = std::string(100000, 'x') + "\n1;2\n3;4\n";
  PlannedFifo const planned = plan_fifo(folder_.at("long"), text, {.record_max = 64});
  EXPECT_EQ(planned.plan->columns().size(), 2u);
  EXPECT_EQ(planned.shard.offset_bytes, 0u);
  EXPECT_EQ(planned.records, text);
}

std::size_t open_descriptors() {
  std::filesystem::directory_iterator const folder("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
}

TEST_F(CsvPlanManyFiles, NoFileStaysOpen) {
  if (!std::filesystem::is_directory("/proc/self/fd")) GTEST_SKIP() << "this system has no /proc";
  std::vector<std::string> const paths = put(std::vector<std::string_view>(20, "x,y\n1,2\n"));
  std::size_t const before = open_descriptors();
  auto const plan = plan_files(paths);
  EXPECT_EQ(open_descriptors(), before);
  std::vector<Shard> const shards = plan->shards();
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(shards.size(), 20u);
}

TEST_F(CsvPlanManyFiles, AReleasedHeadGivesItsMemoryBack) {
  penstock::CsvHead head(penstock::expand_inputs(put({"x,y\n1,2\n"})).at(0));
  EXPECT_EQ(head.text().bytes, "x,y\n1,2\n");
  auto const bytes = reinterpret_cast<std::uintptr_t>(head.text().bytes.data());
  head.release();
  EXPECT_TRUE(head.text().bytes.empty());
  EXPECT_NE(reinterpret_cast<std::uintptr_t>(head.text().bytes.data()), bytes) << "the memory of the old text is kept";
  EXPECT_EQ(text_of(head.shard(4, false)), "1,2\n");
}

TEST_F(CsvPlanManyFiles, LaterFilesMayBeginWithLinesThatDoNotEnd) {
  std::string const damaged = std::string(100000, 'x') + "\n5,6\n7,8\n";
  auto const plan = plan_files(put({"1,2\n3,4\n", damaged}), {.record_max = 64});
  EXPECT_EQ(text_of(plan->shards().at(1)), damaged);
  EXPECT_EQ(complaint_about(put({"1,2\n3,4\n", std::string(100000, 'x') + "\n5,6,7\n"}), {.record_max = 64}).code,
            ExitCode::schema);
}

TEST_F(CsvPlanManyFiles, OffsetsCountDecompressedBytes) {
  if (penstock::gzip_library().empty()) GTEST_SKIP() << "this build cannot decompress gzip";
  // "a,b\n1,2\n3,4\n", as Python's gzip module compresses it with the time 0.
  constexpr std::string_view compressed =
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\xd4\x49\xe2\x32\xd4\x31\xe2\x32\xd6\x31\xe1\x02\x00\xe5\xe9\xd6\xce"
      "\x0c\x00\x00\x00"sv;
  auto const plan = plan_files({folder_.put("a.csv.gz", compressed)});
  Shard const shard = plan->shards().at(0);
  EXPECT_EQ(shard.offset_bytes, 4u);
  EXPECT_EQ(text_of(shard), "1,2\n3,4\n");
}

// --- real files
// --------------------------------------------------------------------------------------------------------

/// Real data that is not part of the project.
class CsvPlanRealFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::is_directory(folder_)) GTEST_SKIP() << "the folder of real data, ../shared/data, is absent";
  }
  [[nodiscard]] std::string at(std::string const& name) const { return folder_ + "/" + name; }

  std::string folder_ = PENSTOCK_SHARED_DATA_DIR + std::string("/csv");
};

TEST_F(CsvPlanRealFiles, HiggsIsATabSeparatedFileWithoutAHeader) {
  auto const plan = plan_files({at("higgs_subset.tsv")}, CsvOptions{.label = "0"});
  EXPECT_EQ(plan->dialect().delimiter, '\t');
  EXPECT_FALSE(plan->has_header());
  EXPECT_EQ(plan->columns().size(), 29u);
  EXPECT_TRUE(has_note(*plan, "columns: 29 (28 features, label \"0\")"));
}

TEST_F(CsvPlanRealFiles, PenguinsHaveTextColumnsAndALabel) {
  Complaint const said = complaint_about({at("penguins.csv")});
  EXPECT_EQ(said.code, ExitCode::usage);
  EXPECT_TRUE(said.advises("--ignore species,island,sex,"));
  Complaint const label = complaint_about({at("penguins.csv")}, CsvOptions{.label = "species", .ignore = "island,sex"});
  EXPECT_TRUE(label.advises("--label-map Adelie=0,Chinstrap=1,Gentoo=2."));
  auto const plan =
      plan_files({at("penguins.csv")},
                 CsvOptions{.label = "species", .ignore = "island,sex", .label_map = "Adelie=0,Chinstrap=1,Gentoo=2"});
  EXPECT_EQ(plan->names(Role::feature),
            (Names{"bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "year"}));
}

TEST_F(CsvPlanRealFiles, RawPenguinsByQuotedNames) {
  CsvOptions const options{.columns = "Culmen Length (mm),Culmen Depth (mm),Flipper Length (mm),Body Mass (g)"};
  auto const plan = plan_files({at("penguins_raw.csv")}, options);
  EXPECT_EQ(plan->columns().size(), 17u);
  EXPECT_EQ(plan->layout().features, 4u);
  EXPECT_EQ(plan->decode_plan().columns[0][9].place, 0u);
  EXPECT_EQ(plan->decode_plan().columns[0][12].place, 3u);
}

TEST_F(CsvPlanRealFiles, LoneCarriageReturnsAndRaggedRows) {
  EXPECT_EQ(plan_files({at("skext_manual.csv")})->columns().size(), 4u);
  auto const ragged = plan_files({at("skext_invalid.csv")});
  EXPECT_TRUE(has_note(*ragged, "delimiter: comma (sniffed: 7 of 8 records have 4 fields)"));
  EXPECT_TRUE(complaint_about({at("skext_oneline.csv")}).advises("--header"));
}

}  // namespace
