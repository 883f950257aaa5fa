#include "host/io/output.hpp"

#include "formats/dense/npy.hpp"
#include "formats/dense/zip.hpp"
#include "penstock/error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {
namespace {

std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// A file system in memory that can be told to fail.
struct Disk {
  std::map<std::string, std::string> files;  ///< visible ones
  std::vector<std::string> log;              ///< "open X", "commit X", "remove X"
  std::string fail_commit;                   ///< path whose commit() throws
  std::string fail_write;                    ///< path whose write() throws
  bool is_pipe = false;                      ///< sinks cannot go back
  bool was_overwrite = false;

  void refuse(std::string const& path, std::string const& failing) const {
    if (path == failing) throw SinkError("no room for '" + path + "'");
  }
  OutputFiles files_of();
};

/// What both kinds of sink do; `Base` is Sink or SeekableSink.
template <class Base>
class MemorySink : public Base {
 public:
  MemorySink(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  void write(std::span<std::byte const> bytes) override {
    disk_.refuse(path_, disk_.fail_write);
    content_.append(reinterpret_cast<char const*>(bytes.data()), bytes.size());
  }
  void commit() override {
    disk_.refuse(path_, disk_.fail_commit);
    disk_.log.push_back("commit " + path_);
    disk_.files[path_] = content_;
  }

 protected:
  Disk& disk_;
  std::string path_;
  std::string content_;
};

class MemoryFile final : public MemorySink<SeekableSink> {
 public:
  using MemorySink::MemorySink;
  void write_at(std::uint64_t offset_bytes, std::span<std::byte const> bytes) override {
    if (offset_bytes + bytes.size() > content_.size()) throw SinkError("patched beyond the end");
    std::memcpy(content_.data() + offset_bytes, bytes.data(), bytes.size());
  }
};

OutputFiles Disk::files_of() {
  OutputFiles functions;
  functions.open = [this](std::string const& path, SinkOptions const& options) -> std::unique_ptr<Sink> {
    log.push_back("open " + path);
    was_overwrite = options.overwrite;
    if (is_pipe) return std::make_unique<MemorySink<Sink>>(*this, path);
    return std::make_unique<MemoryFile>(*this, path);
  };
  functions.remove = [this](std::string const& path) {
    log.push_back("remove " + path);
    files.erase(path);
  };
  return functions;
}

std::string const path = testing::TempDir() + "penstock_output_test";

OutputOptions options_of(OutputKind kind, BatchLayout const& layout = {}) {
  OutputOptions options;
  options.path = path;
  options.kind = kind;
  options.layout = layout;
  return options;
}

BatchLayout full_layout(std::size_t labels = 1) {
  BatchLayout layout;
  layout.features = 3;
  layout.labels = labels;
  layout.has_weight = true;
  layout.has_qid = true;
  return layout;
}

BatchLayout layout_with_margin() {
  BatchLayout layout = full_layout();
  layout.has_base_margin = true;
  return layout;
}

/// `rows` rows of which every byte of every tensor is different from its neighbours.
BatchBuffer counted_rows(BatchLayout const& layout, std::size_t rows) {
  BatchBuffer buffer(layout, std::max<std::size_t>(rows, 1));
  Batch const batch = buffer.view(rows);
  for (Role role : tensor_roles) {
    Dense const& tensor = batch.tensor(role);
    for (std::size_t i = 0; i < rows * tensor.row_bytes(); ++i) {
      tensor.data[i] = static_cast<std::byte>(i * 37 + 11 * static_cast<std::size_t>(role));
    }
  }
  return buffer;
}

void write_rows(Output& output, Batch const& batch, std::size_t rows_a_round) {
  for (std::size_t row = 0; row < batch.rows; row += rows_a_round) {
    Round round;
    round.batch = batch.rows_from(row, std::min(rows_a_round, batch.rows - row));
    output.write(round);
  }
}

void write_encoded(Output& output, std::string_view bytes) {
  Round round;
  round.encoded = bytes_of(bytes);
  output.write(round);
}

/// The main file that `rows` rows become.
std::string written(OutputOptions const& options, std::size_t rows, std::size_t rows_a_round, bool is_pipe) {
  Disk disk;
  disk.is_pipe = is_pipe;
  BatchBuffer const buffer = counted_rows(options.layout, rows);
  std::unique_ptr<Output> const output = make_output(options, disk.files_of());
  write_rows(*output, buffer.view(rows), rows_a_round);
  output->finish();
  EXPECT_EQ(output->paths(), std::vector<std::string>{path});
  return disk.files.at(path);
}

std::string_view tensor_bytes(Batch const& batch, Role role) {
  Dense const& tensor = batch.tensor(role);
  return {reinterpret_cast<char const*>(tensor.data), batch.rows * tensor.row_bytes()};
}

/// Checks that `file` is an array of this type and shape that holds `data`.
void expect_array(std::string_view file, DType dtype, std::vector<std::uint64_t> const& shape, std::string_view data) {
  npy::Parsed const parsed = npy::parse_header(bytes_of(file));
  ASSERT_EQ(parsed.status, npy::Status::ok);
  EXPECT_EQ(parsed.array.dtype, dtype);
  ASSERT_EQ(parsed.array.dimensions, shape.size());
  EXPECT_TRUE(std::equal(shape.begin(), shape.end(), parsed.array.shape.begin()));
  EXPECT_EQ(file.substr(parsed.data_offset_bytes), data);
}

std::string_view member_of(std::string const& archive, std::string_view name) {
  zip::Entry entry;
  EXPECT_EQ(zip::find(bytes_of(archive), name, entry), zip::Status::ok) << name;
  EXPECT_TRUE(zip::has_intact_data(bytes_of(archive), entry)) << name;
  return std::string_view(archive).substr(entry.data_offset_bytes, entry.stored_bytes);
}

std::vector<std::string> names_in(std::string const& archive) {
  std::vector<std::string> names;
  zip::Entries entries(bytes_of(archive));
  for (zip::Entry entry; entries.next(entry);) names.emplace_back(entry.name);
  EXPECT_EQ(entries.status(), zip::Status::ok);
  return names;
}

TEST(Output, EncodedBytesAreAppendedAndAppearAtTheEnd) {
  Disk disk;
  std::unique_ptr<Output> const output = make_output(options_of(OutputKind::encoded), disk.files_of());
  write_encoded(*output, "one");
  write_encoded(*output, "");
  write_encoded(*output, "two");
  EXPECT_TRUE(disk.files.empty());
  output->finish();
  EXPECT_EQ(disk.files.at(path), "onetwo");
  EXPECT_FALSE(disk.was_overwrite);
}

TEST(Output, EncodedBytesBeginWithTheirPrologue) {
  Disk disk;
  OutputOptions options = options_of(OutputKind::encoded);
  options.prologue = "a,b\n";
  options.overwrite = true;
  std::unique_ptr<Output> const output = make_output(options, disk.files_of());
  write_encoded(*output, "1,2\n");
  output->finish();
  EXPECT_EQ(disk.files.at(path), "a,b\n1,2\n");
  EXPECT_TRUE(disk.was_overwrite);
}

TEST(Output, NothingAppearsWithoutFinish) {
  for (OutputKind kind : {OutputKind::encoded, OutputKind::npy, OutputKind::npz}) {
    Disk disk;
    BatchBuffer const buffer = counted_rows(full_layout(), 4);
    write_rows(*make_output(options_of(kind, full_layout()), disk.files_of()), buffer.view(4), 2);
    EXPECT_TRUE(disk.files.empty());
    EXPECT_EQ(disk.log, std::vector<std::string>{"open " + path});
  }
}

TEST(Output, OptionsThatContradictEachOther) {
  Disk disk;
  OutputOptions options = options_of(OutputKind::npz, full_layout());
  options.companions = {Role::weight};
  EXPECT_THROW((void)make_output(options, disk.files_of()), ConfigurationError);
  options = options_of(OutputKind::encoded, full_layout());
  options.companions = {Role::label};
  EXPECT_THROW((void)make_output(options, disk.files_of()), ConfigurationError);
  options = options_of(OutputKind::npy, full_layout());
  options.prologue = "a\n";
  EXPECT_THROW((void)make_output(options, disk.files_of()), ConfigurationError);
  for (bool BatchLayout::*text : {&BatchLayout::has_uid, &BatchLayout::has_metadata}) {
    options = options_of(OutputKind::npz, full_layout());
    options.layout.*text = true;
    EXPECT_THROW((void)make_output(options, disk.files_of()), ConfigurationError);
  }
  options = options_of(OutputKind::npy, full_layout());
  options.layout.is_sparse = true;
  EXPECT_THROW((void)make_output(options, disk.files_of()), ConfigurationError);
  EXPECT_TRUE(disk.log.empty());
}

TEST(OutputNpy, HoldsTheFeaturesHoweverTheyWereCut) {
  BatchLayout layout = full_layout();
  for (DType dtype : {DType::float32, DType::float64, DType::int32, DType::int64}) {
    layout.feature_dtype = dtype;
    BatchBuffer const buffer = counted_rows(layout, 10);
    std::string const whole = written(options_of(OutputKind::npy, layout), 10, 10, false);
    expect_array(whole, dtype, {10, 3}, tensor_bytes(buffer.view(10), Role::feature));
    for (std::size_t rows_a_round : {1u, 3u, 10u}) {
      for (bool is_pipe : {false, true}) {
        EXPECT_EQ(written(options_of(OutputKind::npy, layout), 10, rows_a_round, is_pipe), whole);
      }
    }
  }
}

TEST(OutputNpy, NoRowsAndNoColumns) {
  expect_array(written(options_of(OutputKind::npy, full_layout()), 0, 1, false), DType::float32, {0, 3}, "");
  BatchLayout layout = full_layout();
  layout.features = 0;
  expect_array(written(options_of(OutputKind::npy, layout), 5, 2, false), DType::float32, {5, 0}, "");
  expect_array(written(options_of(OutputKind::npy, layout), 5, 2, true), DType::float32, {5, 0}, "");
}

TEST(OutputNpz, HoldsEveryTensor) {
  BatchBuffer const buffer = counted_rows(layout_with_margin(), 10);
  Batch const batch = buffer.view(10);
  std::string const archive = written(options_of(OutputKind::npz, layout_with_margin()), 10, 4, false);
  EXPECT_EQ(names_in(archive),
            (std::vector<std::string>{"features.npy", "label.npy", "weight.npy", "qid.npy", "base_margin.npy"}));
  expect_array(member_of(archive, "features.npy"), DType::float32, {10, 3}, tensor_bytes(batch, Role::feature));
  expect_array(member_of(archive, "label.npy"), DType::float32, {10}, tensor_bytes(batch, Role::label));
  expect_array(member_of(archive, "weight.npy"), DType::float32, {10}, tensor_bytes(batch, Role::weight));
  expect_array(member_of(archive, "qid.npy"), DType::int64, {10}, tensor_bytes(batch, Role::qid));
  expect_array(member_of(archive, "base_margin.npy"), DType::float32, {10}, tensor_bytes(batch, Role::base_margin));
}

TEST(OutputNpz, SeveralLabelsAreAMatrixAndAbsentRolesAreLeftOut) {
  BatchLayout layout = full_layout(2);
  layout.has_weight = layout.has_qid = false;
  layout.label_dtype = DType::float64;
  BatchBuffer const buffer = counted_rows(layout, 6);
  std::string const archive = written(options_of(OutputKind::npz, layout), 6, 6, false);
  EXPECT_EQ(names_in(archive), (std::vector<std::string>{"features.npy", "label.npy"}));
  expect_array(member_of(archive, "label.npy"), DType::float64, {6, 2}, tensor_bytes(buffer.view(6), Role::label));
}

TEST(OutputNpz, BytesDependOnTheRowsAlone) {
  for (std::size_t labels : {0u, 1u, 2u}) {
    OutputOptions const options = options_of(OutputKind::npz, full_layout(labels));
    std::string const whole = written(options, 100, 100, false);
    for (std::size_t rows_a_round : {1u, 7u, 100u}) {
      EXPECT_EQ(written(options, 100, rows_a_round, false), whole);
      EXPECT_EQ(written(options, 100, rows_a_round, true), whole);
    }
  }
}

TEST(OutputNpz, NoRows) {
  for (bool is_pipe : {false, true}) {
    std::string const archive = written(options_of(OutputKind::npz, full_layout()), 0, 1, is_pipe);
    expect_array(member_of(archive, "features.npy"), DType::float32, {0, 3}, "");
    expect_array(member_of(archive, "qid.npy"), DType::int64, {0}, "");
  }
}

TEST(OutputNpz, ABatchOfAnotherLayoutIsADefect) {
  Disk disk;
  BatchLayout other = full_layout();
  other.features = 2;
  BatchBuffer const buffer = counted_rows(other, 1);
  std::unique_ptr<Output> const output = make_output(options_of(OutputKind::npz, full_layout()), disk.files_of());
  try {
    write_rows(*output, buffer.view(1), 1);
    FAIL() << "was accepted";
  } catch (Error const& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::internal);
  }
}

/// An encoded output with companions, and rows that have the given weights and qids.
class OutputCompanions : public testing::Test {
 protected:
  OutputCompanions() : options_(options_of(OutputKind::encoded, full_layout())) {
    options_.companions = {Role::qid, Role::weight};
  }

  void write(Output& output, std::vector<std::int64_t> const& qids, float weight = 1) {
    BatchBuffer const buffer = counted_rows(options_.layout, qids.size());
    Round round;
    round.batch = buffer.view(qids.size());
    round.encoded = bytes_of("frames");
    for (std::size_t row = 0; row < qids.size(); ++row) {
      if (options_.layout.has_qid) round.batch.qid.as<std::int64_t>()[row] = qids[row];
      if (options_.layout.has_weight) round.batch.weight.as<float>()[row] = weight;
      if (options_.layout.has_base_margin) round.batch.base_margin.as<float>()[row] = -0.25f;
    }
    output.write(round);
  }
  std::unique_ptr<Output> open() { return make_output(options_, disk_.files_of()); }

  Disk disk_;
  OutputOptions options_;
};

TEST_F(OutputCompanions, HoldWeightsAndTheSizesOfQueries) {
  std::unique_ptr<Output> const output = open();
  write(*output, {7, 7, 5}, 0.1f);
  write(*output, {5, 5}, 1e30f);
  write(*output, {});
  write(*output, {-1}, 16777216.0f);
  output->finish();
  EXPECT_EQ(output->paths(), (std::vector<std::string>{path, path + ".weight", path + ".group"}));
  EXPECT_EQ(disk_.files.at(path), "framesframesframesframes");
  EXPECT_EQ(disk_.files.at(path + ".weight"), "0.1\n0.1\n0.1\n1e+30\n1e+30\n16777216\n");
  EXPECT_EQ(disk_.files.at(path + ".group"), "2\n3\n1\n");
}

TEST_F(OutputCompanions, OnlyForRolesThatAreThere) {
  options_.layout.has_qid = false;
  std::unique_ptr<Output> output = open();
  write(*output, {1});
  output->finish();
  EXPECT_EQ(output->paths(), (std::vector<std::string>{path, path + ".weight"}));
  options_.layout.has_weight = false;
  output = open();
  EXPECT_EQ(output->paths(), std::vector<std::string>{path});
}

TEST_F(OutputCompanions, OnlyThoseThatAreAskedFor) {
  options_.layout.has_base_margin = true;
  options_.companions = {Role::base_margin};
  std::unique_ptr<Output> output = open();
  write(*output, {1, 2});
  output->finish();
  EXPECT_EQ(output->paths(), (std::vector<std::string>{path, path + ".base_margin"}));
  EXPECT_EQ(disk_.files.at(path + ".base_margin"), "-0.25\n-0.25\n");
  options_.companions = {Role::base_margin, Role::qid, Role::weight, Role::qid};
  output = open();
  EXPECT_EQ(output->paths(),
            (std::vector<std::string>{path, path + ".weight", path + ".group", path + ".base_margin"}));
}

TEST_F(OutputCompanions, OfNoRowsAreEmpty) {
  open()->finish();
  EXPECT_EQ(disk_.files.at(path + ".group"), "");
  EXPECT_EQ(disk_.files.at(path + ".weight"), "");
}

TEST_F(OutputCompanions, AQueryThatComesAgainIsNamed) {
  std::unique_ptr<Output> output = open();
  write(*output, {8, 8, 41});
  try {
    write(*output, {41, 8});
    FAIL() << "was accepted";
  } catch (DataError const& error) {
    EXPECT_NE(std::string(error.what()).find("query 8 comes again at row 5"), std::string::npos) << error.what();
    EXPECT_FALSE(error.hint().empty());
  }
  output.reset();
  EXPECT_TRUE(disk_.files.empty());
}

TEST_F(OutputCompanions, NeedARegularFile) {
  disk_.is_pipe = true;
  EXPECT_THROW((void)open(), ConfigurationError);
  EXPECT_TRUE(disk_.files.empty());
}

TEST_F(OutputCompanions, MainFileAppearsLast) {
  open()->finish();
  EXPECT_EQ(disk_.log,
            (std::vector<std::string>{"open " + path, "open " + path + ".weight", "open " + path + ".group",
                                      "commit " + path + ".group", "commit " + path + ".weight", "commit " + path}));
}

TEST_F(OutputCompanions, AFailedFinishTakesBackWhatWasVisible) {
  for (std::string const& failing : {path, path + ".weight", path + ".group"}) {
    disk_ = Disk{};
    disk_.fail_commit = failing;
    std::unique_ptr<Output> const output = open();
    write(*output, {1, 2});
    EXPECT_THROW(output->finish(), SinkError) << failing;
    EXPECT_TRUE(disk_.files.empty()) << failing;
    auto const removed = std::count_if(disk_.log.begin(), disk_.log.end(),
                                       [](std::string const& line) { return line.starts_with("remove"); });
    EXPECT_EQ(removed, failing == path ? 2 : failing == path + ".weight" ? 1 : 0);
  }
}

std::string content_of(std::string const& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// On the real disk: another program creates the main file while it is being written.
TEST_F(OutputCompanions, AreRemovedFromDiskIfTheMainFileCannotAppear) {
  std::string const folder = testing::TempDir() + "penstock_output_on_disk";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  options_.path = folder + "/train";
  for (bool is_in_the_way : {true, false}) {
    std::unique_ptr<Output> output = make_output(options_);
    write(*output, {3, 3, 4}, 0.5f);
    if (is_in_the_way) {
      std::ofstream(options_.path) << "mine";
      EXPECT_THROW(output->finish(), SinkError);
      output.reset();
      EXPECT_EQ(content_of(options_.path), "mine");
      std::filesystem::remove(options_.path);
      EXPECT_TRUE(std::filesystem::is_empty(folder));
    } else {
      output->finish();
      EXPECT_EQ(content_of(options_.path), "frames");
      EXPECT_EQ(content_of(options_.path + ".weight"), "0.5\n0.5\n0.5\n");
      EXPECT_EQ(content_of(options_.path + ".group"), "2\n1\n");
    }
  }
  std::filesystem::remove_all(folder);
}

TEST(Output, ErrorsOfTheSinkComeThrough) {
  for (bool is_pipe : {false, true}) {
    for (OutputKind kind : {OutputKind::npy, OutputKind::npz, OutputKind::encoded}) {
      Disk disk;
      disk.is_pipe = is_pipe;
      BatchBuffer const buffer = counted_rows(full_layout(), 2);
      auto const run = [&] {
        disk.fail_write = path;
        std::unique_ptr<Output> const output = make_output(options_of(kind, full_layout()), disk.files_of());
        Round round;
        round.batch = buffer.view(2);
        round.encoded = bytes_of("frames");
        output->write(round);
        output->finish();
      };
      EXPECT_THROW(run(), SinkError);
      EXPECT_TRUE(disk.files.empty());
    }
  }
}

}  // namespace
}  // namespace penstock
