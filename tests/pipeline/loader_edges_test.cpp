// What loaders make of inputs and states that are not what they should be, or not any more.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>

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

std::string numbers_csv(int records) {
  std::string text = "a,y\n";
  for (int i = 0; i < records; ++i) text += std::to_string(i) + "," + std::to_string(i % 2) + "\n";
  return text;
}

LoaderOptions options_for(std::vector<std::string> paths) {
  LoaderOptions options;
  options.paths = std::move(paths);
  options.label = "y";
  options.batch_size = 10;
  options.window = 20;
  options.index = "none";
  return options;
}

std::string libsvm_text(int first_qid) {
  std::string text;
  for (int i = 0; i < 30; ++i) text += "1 qid:" + std::to_string(first_qid + i / 10) + " 1:" + std::to_string(i) + "\n";
  return text;
}

/// Query ids ascend over the files in the order of their names, in whichever order an epoch reads them.
TEST(LoaderEdges, QueryIdsAreJudgedInTheOrderOfTheFiles) {
  ScratchFolder const folder;
  LoaderOptions options =
      options_for({folder.put("1.svm", libsvm_text(1)), folder.put("2.svm", libsvm_text(4)),
                   folder.put("3.svm", libsvm_text(7) + "1 qid:2 1:1\n"), folder.put("4.svm", libsvm_text(9))});
  options.label.clear();
  options.format = "libsvm";
  options.on_error = "skip";
  options.shuffle = Shuffle::window;
  Loader loader(options);
  EXPECT_EQ(loader.plan().rejected, 1u);
  for (int epoch = 0; epoch < 4; ++epoch) EXPECT_EQ(rows_of(load(loader)).size(), 120u) << epoch;

  options.paths.back() = folder.put("4.svm.gz", testing::gzip_bytes(libsvm_text(9)));
  EXPECT_THROW(Loader{options}, ConfigurationError);
  options.more = {{"qid-order", "any"}};
  Loader any(options);
  for (int epoch = 0; epoch < 4; ++epoch) EXPECT_EQ(rows_of(load(any)).size(), 121u) << epoch;
}

TEST(LoaderEdges, RefusesStepsWithoutAnEnd) {
  ScratchFolder const folder;
  LoaderOptions options = options_for({folder.put("a.csv", numbers_csv(5))});
  options.batch_size = std::size_t{1} << 40;
  Loader loader(options);
  EXPECT_EQ(rows_of(load(loader)).size(), 5u);
  options.world_size = 2;
  EXPECT_THROW(Loader{options}, ConfigurationError);
  options.batch_size = std::size_t{1} << 63;  // times two ranks it is 0
  EXPECT_THROW(Loader{options}, ConfigurationError);
  options.world_size = 1;
  options.batch_size = std::numeric_limits<std::size_t>::max();
  EXPECT_THROW(Loader{options}, ConfigurationError);
}

/// `text` with another number behind the first `"name":`.
std::string with_number(std::string text, std::string const& name, std::string const& number) {
  std::size_t const at = text.find("\"" + name + "\":") + name.size() + 3;
  return text.replace(at, text.find_first_of(",}", at) - at, number);
}

TEST(LoaderEdges, RefusesStatesThatCannotBe) {
  ScratchFolder const folder;
  LoaderOptions const options = options_for({folder.put("a.csv", numbers_csv(100))});
  Loader loader(options);
  (void)load(loader, 3);
  std::string const state = loader.state();
  Loader other(options);
  other.restore(with_number(state, "position", "30"));
  EXPECT_EQ(load(other).size(), 7u);
  // Beyond the end of the epoch nothing is left.
  other.restore(with_number(state, "position", "4611686018427387904"));
  EXPECT_TRUE(load(other).empty());
  EXPECT_THROW(other.restore(with_number(state, "position", "18446744073709551615")), ConfigurationError);
  for (char const* const accepted : {"31", "18446744073709551615"})
    EXPECT_THROW(other.restore(with_number(state, "accepted", accepted)), ConfigurationError) << accepted;
}

/// Whichever of its bits is another, it is no index of these files, and a new one is made.
TEST(LoaderEdges, DamagedIndicesAreMadeAnew) {
  ScratchFolder const folder;
  LoaderOptions options = options_for({folder.put("a.csv", numbers_csv(20) + "x,1\n" + numbers_csv(3))});
  options.on_error = "skip";
  options.index = folder.at("index");
  options.shuffle = Shuffle::exact;
  Loader first(options);
  std::vector<LoadedRows> const expected = load(first);
  std::string const index = folder.get("index");
  for (std::size_t at = 0; at < index.size(); at += 7) {
    std::string damaged = index;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
    (void)folder.put("index", damaged);
    Loader loader(options);
    EXPECT_EQ(load(loader), expected) << at;
    bool const is_padding = damaged == folder.get("index");
    EXPECT_TRUE(is_padding || index == folder.get("index")) << at;
  }
}

/// A file that is written to while an epoch lasts is noticed at its end; one that is gone was read.
TEST(LoaderEdges, NoticesChangesAtTheEndOfTheEpoch) {
  ScratchFolder const folder;
  for (Shuffle const shuffle : {Shuffle::none, Shuffle::window, Shuffle::exact}) {
    std::string const path = folder.put("a.csv", numbers_csv(100));
    LoaderOptions options = options_for({path});
    options.shuffle = shuffle;
    Loader loader(options), other(options);
    EXPECT_EQ(load(loader, 9).size(), 9u);
    EXPECT_EQ(load(other, 9).size(), 9u);
    std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) - std::chrono::hours(1));
    SharedBatch batch;
    ASSERT_TRUE(loader.next(batch));
    EXPECT_THROW((void)loader.next(batch), SourceError) << name_of(shuffle);
    EXPECT_THROW((void)loader.next(batch), SourceError) << "the epoch has not ended well";
    std::filesystem::remove(path);
    ASSERT_TRUE(other.next(batch));
    EXPECT_FALSE(other.next(batch)) << name_of(shuffle);
    EXPECT_THROW((void)other.next(batch), SourceError);
  }
}

/// Threads share the files that a process may have open.
TEST(LoaderEdges, HasFewFilesOpen) {
  ScratchFolder const folder;
  std::vector<std::string> files;
  for (int i = 0; i < 200; ++i) files.push_back(folder.put("f" + std::to_string(i) + ".csv", numbers_csv(50)));
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 60;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  LoaderOptions options = options_for(std::move(files));
  options.shuffle = Shuffle::exact;
  options.threads = 8;
  Loader loader(options);
  EXPECT_NO_THROW(EXPECT_EQ(rows_of(load(loader)).size(), 10000u));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

/// Also where ranks read all of the input, each for itself.
TEST(LoaderEdges, StatesOfAllRanksAreTheSame) {
  ScratchFolder const folder;
  for (Shuffle const shuffle : {Shuffle::none, Shuffle::window}) {
    LoaderOptions options = options_for({folder.put("a.csv.gz", testing::gzip_bytes(numbers_csv(207)))});
    options.more = {{"slot-size", "64"}, {"max-record-size", "64"}};
    options.shuffle = shuffle;
    options.world_size = 3;
    Loader first(options);
    options.rank = 2;
    Loader last(options);
    SharedBatch batch;
    for (int step = 0; step < 7; ++step) {
      ASSERT_TRUE(first.next(batch));
      ASSERT_TRUE(last.next(batch));
      EXPECT_EQ(first.state(), last.state()) << name_of(shuffle) << " " << step;
    }
    EXPECT_FALSE(first.next(batch));
  }
}

TEST(LoaderEdges, CountsWhatItHasRejectedItself) {
  ScratchFolder const folder;
  LoaderOptions options = options_for({folder.put("a.csv", "a,y\nx,1\nx,1\n" + numbers_csv(60).substr(4) + "x,1\n")});
  options.on_error = "skip";
  options.more = {{"slot-size", "64"}, {"max-record-size", "64"}, {"header", "yes"}};
  Loader loader(options);
  (void)load(loader, 4);
  Loader rest(options);
  rest.restore(loader.state());
  std::vector<LoadedRows> const batches = load(rest);
  ASSERT_FALSE(batches.empty());
  EXPECT_NE(batches.back().from.find("-2"), std::string::npos) << batches.back().from;
  EXPECT_EQ(rest.metrics().rejected, 1u);
}

/// Batches are ready before they are asked for, more than there is room for.
TEST(LoaderEdges, CountsHowLongBatchesWaitForTheConsumer) {
  ScratchFolder const folder;
  LoaderOptions options = options_for({folder.put("a.csv", numbers_csv(3000))});
  options.prefetch_bytes = 1;
  Loader loader(options);
  for (SharedBatch batch; loader.next(batch);) {
    for (int tries = 0; tries < 20 && loader.metrics().ready_bytes == 0; ++tries)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_GT(loader.metrics().blocked_seconds, 0);
}

TEST(LoaderEdges, AnyThreadMayAskWhatWasDone) {
  ScratchFolder const folder;
  LoaderOptions options = options_for({folder.put("a.csv", numbers_csv(2000))});
  for (Shuffle const shuffle : {Shuffle::none, Shuffle::exact}) {
    options.shuffle = shuffle;
    Loader loader(options);
    std::atomic<bool> is_over = false;
    std::thread watcher([&] {
      for (std::uint64_t before = 0; !is_over;) {
        LoaderMetrics const metrics = loader.metrics();
        EXPECT_GE(metrics.records, before);
        before = metrics.records;
        EXPECT_FALSE(loader.summary().empty());
      }
    });
    for (int epoch = 0; epoch < 2; ++epoch) (void)load(loader);
    is_over = true;
    watcher.join();
    EXPECT_EQ(loader.metrics().records, 4000u);
    EXPECT_EQ(loader.metrics().ready_bytes, 0u);
  }
}

}  // namespace
}  // namespace penstock
