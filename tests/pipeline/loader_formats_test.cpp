// Loaders over every kind of input: text with and without pairs and lists, RecordIO, arrays, gzip, pipes.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/io/source.hpp"
#include "penstock/error.hpp"
#include "penstock/loader.hpp"
#include "tests/support/gzip_bytes.hpp"
#include "tests/support/loader_run.hpp"
#include "tests/support/scratch_folder.hpp"

namespace penstock {
namespace {

using testing::load;
using testing::LoadedRows;
using testing::rows_of;
using testing::ScratchFolder;

constexpr int records = 61;

std::string csv_text() {
  std::string text = "a,b,y,w\n";
  for (int i = 0; i < records; ++i) {
    std::string const n = std::to_string(i);
    text += n + "," + std::to_string(i % 7) + "," + n + ",0.5\n";
  }
  return text;
}

/// Rows of 0 to 4 pairs, with query ids.
std::string libsvm_text() {
  std::string text;
  for (int i = 0; i < records; ++i) {
    text += std::to_string(i) + " qid:" + std::to_string(i / 10);
    for (int pair = 0; pair < i % 5; ++pair)
      text += " " + std::to_string(3 * pair + 1 + i % 3) + ":" + std::to_string(i) + ".5";
    text += i % 9 == 4 ? " # note\n\n" : "\n";
  }
  return text;
}

std::string objects_text() {
  std::string text;
  for (int i = 0; i < records; ++i) {
    std::string const n = std::to_string(i);
    text += "{\"y\": " + n + ", \"a\": " + n + ".25, \"b\": " + (i % 4 == 0 ? "null" : n) + "}\n";
  }
  return text;
}

std::string series_text() {
  std::string text;
  for (int i = 0; i < records; ++i) {
    text += "{\"start\": \"2020-01-01 00:00:00\", \"target\": [" + std::to_string(i);
    for (int value = 0; value < i % 4; ++value) text += ", " + std::to_string(value) + ".5";
    text += "], \"cat\": [" + std::to_string(i % 3) + "]}\n";
  }
  return text;
}

void run(std::string const& words) { ASSERT_EQ(std::system((PENSTOCK_BINARY " " + words).c_str()), 0) << words; }

LoaderOptions options_for(std::string const& path, std::string const& label = "") {
  LoaderOptions options;
  options.paths = {path};
  options.label = label;
  options.batch_size = 4;
  options.window = 16;
  options.index = "none";
  return options;
}

std::vector<std::string> bare_rows(LoaderOptions const& options) {
  PipelineOptions bare;
  static_cast<InputOptions&>(bare) = options;
  Pipeline pipeline(bare);
  std::vector<std::string> rows;
  for (SharedBatch batch; pipeline.next(batch);) {
    std::vector<std::string> const more = testing::loaded(batch).rows;
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

std::vector<std::string> sorted(std::vector<std::string> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// In sequence the rows are those of a pass; on two ranks, and in every other order, they are the same, once.
void expect_all_orders(LoaderOptions options, bool is_at_random) {
  std::vector<std::string> const bare = bare_rows(options);
  ASSERT_EQ(bare.size(), static_cast<std::size_t>(records));
  for (Shuffle const shuffle : {Shuffle::none, Shuffle::window, Shuffle::exact}) {
    options.shuffle = shuffle;
    options.world_size = 1;
    options.rank = 0;
    if (shuffle == Shuffle::exact && !is_at_random) {
      EXPECT_THROW(Loader{options}, ConfigurationError);
      continue;
    }
    Loader loader(options);
    std::vector<LoadedRows> const batches = load(loader);
    std::vector<std::string> const rows = rows_of(batches);
    EXPECT_EQ(sorted(rows), sorted(bare)) << name_of(shuffle);
    EXPECT_EQ(rows == bare, shuffle == Shuffle::none);
    options.world_size = 2;
    Loader first(options);
    options.rank = 1;
    Loader second(options);
    std::vector<LoadedRows> const ours = load(first), theirs = load(second);
    std::vector<std::string> both;
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t step = 0; step < ours.size(); ++step)
      for (LoadedRows const* const batch : {&ours[step], &theirs[step]})
        both.insert(both.end(), batch->rows.begin(), batch->rows.end());
    EXPECT_EQ(both, rows) << name_of(shuffle);
    // And from the middle.
    options.world_size = 1;
    options.rank = 0;
    Loader whole(options), rest(options);
    (void)load(whole, 6);
    rest.restore(whole.state());
    EXPECT_EQ(rows_of(load(rest)), std::vector<std::string>(rows.begin() + 24, rows.end())) << name_of(shuffle);
  }
}

TEST(LoaderFormats, Csv) {
  ScratchFolder const folder;
  LoaderOptions options = options_for(folder.put("a.csv", csv_text()), "y");
  options.weight = "w";
  expect_all_orders(options, true);
}

TEST(LoaderFormats, Libsvm) {
  ScratchFolder const folder;
  LoaderOptions options = options_for(folder.put("a.libsvm", libsvm_text()));
  expect_all_orders(options, true);
  options.features = "dense";
  EXPECT_THROW(Loader{options}, ConfigurationError);
  options.more = {{"absent", "zero"}};
  expect_all_orders(options, true);
}

TEST(LoaderFormats, Objects) {
  ScratchFolder const folder;
  expect_all_orders(options_for(folder.put("a.jsonl", objects_text()), "y"), true);
}

TEST(LoaderFormats, Series) {
  ScratchFolder const folder;
  expect_all_orders(options_for(folder.put("a.jsonl", series_text())), true);
}

TEST(LoaderFormats, RecordioAndArrays) {
  ScratchFolder const folder;
  std::string const csv = folder.put("a.csv", csv_text()), svm = folder.put("a.libsvm", libsvm_text());
  run("convert -q " + csv + " --label y -o " + folder.at("dense.rec"));
  run("convert -q " + svm + " --drop qid -o " + folder.at("sparse.rec"));
  run("convert -q " + csv + " --label y -o " + folder.at("dense.npz"));
  run("convert -q " + svm + " -o " + folder.at("sparse.npz"));
  expect_all_orders(options_for(folder.at("dense.rec")), true);
  expect_all_orders(options_for(folder.at("sparse.rec")), true);
  expect_all_orders(options_for(folder.at("dense.npz")), false);
  expect_all_orders(options_for(folder.at("sparse.npz")), false);
}

TEST(LoaderFormats, Gzip) {
  if (gzip_library().empty()) GTEST_SKIP() << "a build without gzip";
  ScratchFolder const folder;
  LoaderOptions const options = options_for(folder.put("a.csv.gz", testing::gzip_bytes(csv_text())), "y");
  expect_all_orders(options, false);
}

TEST(LoaderFormats, SideFiles) {
  ScratchFolder const folder;
  std::string weights;
  for (int i = 0; i < records; ++i) weights += std::to_string(i) + ".5\n";
  LoaderOptions options = options_for(folder.put("a.csv", csv_text()), "y");
  options.more = {{"weight-file", folder.put("a.weight", weights)}, {"ignore", "w"}};
  expect_all_orders(options, false);
}

TEST(LoaderFormats, Normalized) {
  ScratchFolder const folder;
  LoaderOptions options = options_for(folder.put("a.csv", csv_text()), "y");
  options.normalize = "standardize";
  expect_all_orders(options, true);
  run("fit -q " + options.paths[0] + " --label y -o " + folder.at("normalizer.json"));
  std::vector<std::string> const fitted_here = bare_rows(options);
  options.normalize = folder.at("normalizer.json");
  options.label = "";
  EXPECT_EQ(bare_rows(options), fitted_here);
}

/// All records of a pipe, once: a second epoch is refused.
TEST(LoaderFormats, Pipe) {
  ScratchFolder const folder;
  std::string const path = folder.at("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::thread writer([&] {
    int const to = ::open(path.c_str(), O_WRONLY);
    std::string const text = csv_text();
    EXPECT_EQ(::write(to, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(to);
  });
  LoaderOptions options = options_for(path, "y");
  options.format = "csv";
  Loader loader(options);
  std::vector<LoadedRows> const batches = load(loader);
  writer.join();
  EXPECT_EQ(rows_of(batches).size(), static_cast<std::size_t>(records));
  EXPECT_THROW((void)load(loader), SourceError);
}

/// A loader that waits for a silent pipe can be ended from its on_wait, and goes at once: while it looks at the first
/// records, and behind batches that were handed out.
TEST(LoaderFormats, EndsWhileItWaits) {
  struct Enough {};
  for (bool const is_looking : {true, false}) {
    ScratchFolder const folder;
    std::string const path = folder.at("pipe");
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    int const to = ::open(path.c_str(), O_RDWR);
    std::string text = "a,b,y\n";
    for (int i = 0; i < (is_looking ? 3 : 20000); ++i) text += "1.25,2.5," + std::to_string(i) + "\n";
    std::atomic<bool> is_written = false;
    std::thread writer([&] {
      EXPECT_EQ(::write(to, text.data(), text.size()), static_cast<ssize_t>(text.size()));
      is_written = true;
    });
    LoaderOptions options = options_for(path, "y");
    options.format = "csv";
    options.more = {{"slot-size", "64KiB"}};  // records of a pipe come when a slot is full
    bool is_counting = is_looking;
    int waits = 0;
    options.on_wait = [&] {
      if (is_counting && ++waits == 40) throw Enough{};  // two seconds
    };
    if (is_looking) {
      EXPECT_THROW(Loader{options}, Enough);
    } else {
      Loader loader(options);
      is_counting = true;
      EXPECT_THROW((void)load(loader), Enough);
      EXPECT_GT(loader.metrics().batches, 0u);
    }
    int const rest = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
    for (char bytes[4096]; !is_written;) (void)!::read(rest, bytes, sizeof bytes);
    ::close(rest);
    writer.join();
    ::close(to);
  }
}

TEST(LoaderFormats, IsRefusedInAForkedProcess) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "sanitizers do not expect threads behind a fork";
#endif
  ScratchFolder const folder;
  LoaderOptions const options = options_for(folder.put("a.csv", csv_text()), "y");
  Loader used(options), fresh(options);
  (void)load(used, 2);
  pid_t const child = ::fork();
  if (child == 0) {
    int status = 0;
    try {
      (void)load(used, 1);
      status |= 1;
    } catch (ConfigurationError const&) {
    }
    if (load(fresh).size() != 16) status |= 2;
    { Loader const gone(std::move(used)); }
    ::_exit(status);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(load(used).size(), 14u);
}

/// Batches outlive their loader, and are not written over by later ones.
TEST(LoaderFormats, BatchesKeepTheirMemory) {
  ScratchFolder const folder;
  for (std::string const& path :
       {folder.put("a.csv", csv_text()), folder.put("a.libsvm", libsvm_text()), folder.put("a.jsonl", series_text())})
    for (Shuffle const shuffle : {Shuffle::none, Shuffle::window, Shuffle::exact}) {
      LoaderOptions options = options_for(path);
      options.shuffle = shuffle;
      options.more = {{"slot-size", "256"}};
      std::vector<SharedBatch> held;
      std::vector<LoadedRows> then;
      {
        Loader loader(options);
        for (int epoch = 0; epoch < 3; ++epoch)
          for (SharedBatch batch; loader.next(batch);) {
            held.push_back(batch);
            then.push_back(testing::loaded(batch));
          }
        EXPECT_GT(loader.metrics().held_bytes, 0u);
      }
      for (std::size_t i = 0; i < held.size(); ++i) EXPECT_EQ(testing::loaded(held[i]), then[i]);
    }
}

/// What a pass makes is not copied: batches within a round lie one behind the other.
TEST(LoaderFormats, DenseBatchesAreNotCopied) {
  ScratchFolder const folder;
  Loader loader(options_for(folder.put("a.csv", csv_text()), "y"));
  SharedBatch first, second;
  ASSERT_TRUE(loader.next(first));
  ASSERT_TRUE(loader.next(second));
  EXPECT_EQ(first.rows.features.data + 4 * first.rows.features.row_bytes(), second.rows.features.data);
}

TEST(LoaderFormats, ReadsEverythingAtOnce) {
  ScratchFolder const folder;
  for (std::string const& path :
       {folder.put("a.csv", csv_text()), folder.put("a.libsvm", libsvm_text()), folder.put("a.jsonl", series_text())}) {
    LoaderOptions const options = options_for(path);
    PipelineOptions all;
    static_cast<InputOptions&>(all) = options;
    all.more = {{"slot-size", "256"}};
    EXPECT_EQ(testing::loaded(read_all(all)).rows, bare_rows(options));
  }
}

TEST(LoaderFormats, RefusesOptionsOfOutputs) {
  ScratchFolder const folder;
  std::string const path = folder.put("a.csv", csv_text());
  for (std::pair<std::string, std::string> const& option :
       std::vector<std::pair<std::string, std::string>>{{"output", "x"},
                                                        {"limit", "3"},
                                                        {"lable", "y"},
                                                        {"--label", "y"},
                                                        {"on-error", "quarantine"},
                                                        {"", "1"},
                                                        {"json", "true"},
                                                        {"freq", "D"}}) {
    LoaderOptions options = options_for(path);
    options.more = {option};
    EXPECT_THROW(Loader{options}, ConfigurationError) << option.first;
  }
}

}  // namespace
}  // namespace penstock
