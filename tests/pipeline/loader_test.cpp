// What loaders promise: the same batches whatever the sizes, threads, ranks and ways of reading; and places to go on
// from.

#include "penstock/loader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "penstock/error.hpp"
#include "tests/support/loader_run.hpp"
#include "tests/support/scratch_folder.hpp"

namespace penstock {
namespace {

using testing::load;
using testing::LoadedRows;
using testing::rows_of;
using testing::ScratchFolder;

/// Records with numbers of their own; every seventh is bad, and there are comments, blank lines, quoted cells, CRLF.
std::string dirty_csv(int first, int records, bool is_crlf) {
  std::string const end = is_crlf ? "\r\n" : "\n";
  std::string text = "a,b,y" + end;
  for (int i = first; i < first + records; ++i) {
    std::string const number = std::to_string(i);
    if (i % 7 == 3) text += number + ",bad,0" + end;
    if (i % 11 == 5) text += "# " + number + ", no record" + end + end;
    text += (i % 5 == 0 ? "\"" + number + "\"" : number) + "," + std::to_string(i % 10) + ".5," + number + end;
  }
  return text;
}

/// Three files of 100, 0 and 57 good records; the last one ends without a line end and has its columns elsewhere.
std::vector<std::string> csv_files(ScratchFolder const& folder) {
  std::string last = "y,b,a\n";
  for (int i = 100; i < 157; ++i) last += (i == 100 ? "" : "\n") + std::to_string(i) + ",.5," + std::to_string(i);
  return {folder.put("1.csv", dirty_csv(0, 100, true)), folder.put("2.csv", "a,b,y\n1,bad,2\n"),
          folder.put("3.csv", last)};
}

LoaderOptions csv_options(std::vector<std::string> paths) {
  LoaderOptions options;
  options.paths = std::move(paths);
  options.label = "y";
  options.on_error = "skip";
  options.more = {{"comment", "hash"}, {"header", "yes"}};
  options.batch_size = 10;
  options.window = 40;
  options.seed = 7;
  options.index = "none";
  return options;
}

constexpr Shuffle all_shuffles[] = {Shuffle::none, Shuffle::window, Shuffle::exact};

std::vector<LoadedRows> load_all(LoaderOptions const& options) {
  Loader loader(options);
  return load(loader);
}

void set_sizes(LoaderOptions& options, std::string const& slot, unsigned threads) {
  options.more.emplace_back("slot-size", slot);
  options.more.emplace_back("max-record-size", "1000");
  options.threads = threads;
}

TEST(Loader, BatchesDoNotDependOnSizesAndThreads) {
  ScratchFolder const folder;
  std::vector<std::string> const files = csv_files(folder);
  for (Shuffle const shuffle : all_shuffles) {
    LoaderOptions options = csv_options(files);
    options.shuffle = shuffle;
    std::vector<LoadedRows> const expected = load_all(options);
    EXPECT_EQ(rows_of(expected).size(), 157u);
    for (unsigned const threads : {1u, 8u})
      for (char const* const slot : {"64", "333", "1MiB"}) {
        LoaderOptions other = options;
        set_sizes(other, slot, threads);
        EXPECT_EQ(load_all(other), expected) << name_of(shuffle) << " " << slot << " " << threads;
      }
  }
}

TEST(Loader, BatchesOfAllRanksAreThoseOfOne) {
  ScratchFolder const folder;
  std::vector<std::string> const files = csv_files(folder);
  for (Shuffle const shuffle : all_shuffles)
    for (Remainder const remainder : {Remainder::keep, Remainder::drop, Remainder::pad}) {
      LoaderOptions options = csv_options(files);
      options.shuffle = shuffle;
      options.remainder = remainder;
      for (unsigned const world : {1u, 2u, 3u}) {
        options.world_size = world;
        std::vector<std::vector<LoadedRows>> ranks;
        for (options.rank = 0; options.rank < world; ++options.rank) ranks.push_back(load_all(options));
        std::vector<std::string> rows;
        for (std::size_t step = 0; step < ranks[0].size(); ++step)
          for (auto const& rank : ranks) {
            ASSERT_EQ(rank.size(), ranks[0].size());
            EXPECT_EQ(rank[step].step, step);
            rows.insert(rows.end(), rank[step].rows.begin(), rank[step].rows.end());
            std::size_t const all = rank[step].rows.size() + rank[step].padding.size();
            EXPECT_TRUE(remainder == Remainder::keep || all == 10);
          }
        options.rank = options.world_size = 0;
        LoaderOptions one = csv_options(files);
        one.shuffle = shuffle;
        std::vector<std::string> expected = rows_of(load_all(one));
        std::size_t const dropped = remainder == Remainder::drop ? 157 % (10 * world) : 0;
        expected.resize(expected.size() - dropped);
        EXPECT_EQ(rows, expected) << name_of(shuffle) << " " << name_of(remainder) << " " << world;
      }
    }
}

TEST(Loader, PaddingIsTheLastRecordOfTheEpoch) {
  ScratchFolder const folder;
  for (Shuffle const shuffle : all_shuffles) {
    LoaderOptions options = csv_options(csv_files(folder));
    options.shuffle = shuffle;
    options.remainder = Remainder::pad;
    std::string const last = rows_of(load_all(options)).back();
    options.world_size = 4;
    for (options.rank = 0; options.rank < 4; ++options.rank) {
      std::vector<LoadedRows> const batches = load_all(options);
      ASSERT_EQ(batches.size(), 4u);
      for (std::string const& row : batches.back().padding) EXPECT_EQ(row, last);
      EXPECT_EQ(batches.back().rows.size() + batches.back().padding.size(), 10u);
    }
  }
}

/// From every state, in every way of reading, the rest is what it would have been.
TEST(Loader, GoesOnFromEveryPlace) {
  ScratchFolder const folder;
  std::vector<std::string> const files = csv_files(folder);
  for (Shuffle const shuffle : all_shuffles) {
    LoaderOptions options = csv_options(files);
    options.shuffle = shuffle;
    set_sizes(options, "100", 2);
    Loader whole(options);
    (void)load(whole);  // the second epoch is looked at
    std::vector<std::string> states{whole.state()};
    std::vector<LoadedRows> batches;
    for (SharedBatch batch; whole.next(batch);) {
      batches.push_back(testing::loaded(batch));
      states.push_back(whole.state());
    }
    std::vector<LoadedRows> const third = load(whole);
    for (std::size_t at = 0; at < states.size(); ++at) {
      EXPECT_LT(states[at].size(), 600u);
      LoaderOptions other = csv_options(files);
      other.shuffle = shuffle;
      set_sizes(other, at % 2 == 0 ? "64" : "1MiB", 1);
      Loader loader(other);
      loader.restore(states[at]);
      EXPECT_EQ(load(loader), std::vector<LoadedRows>(batches.begin() + static_cast<std::ptrdiff_t>(at), batches.end()))
          << states[at];
      EXPECT_EQ(load(loader), third);
    }
  }
}

TEST(Loader, GoesOnWithOtherRanksAndBatches) {
  ScratchFolder const folder;
  std::vector<std::string> const files = csv_files(folder);
  for (Shuffle const shuffle : all_shuffles) {
    LoaderOptions options = csv_options(files);
    options.shuffle = shuffle;
    std::vector<std::string> const expected = rows_of(load_all(options));
    options.world_size = 2;
    Loader first(options);
    (void)load(first, 3);
    LoaderOptions other = csv_options(files);
    other.shuffle = shuffle;
    other.world_size = 3;
    other.batch_size = 7;
    std::vector<std::vector<LoadedRows>> ranks;
    for (other.rank = 0; other.rank < 3; ++other.rank) {
      Loader loader(other);
      loader.restore(first.state());
      ranks.push_back(load(loader));
    }
    std::vector<std::string> rows;
    for (std::size_t step = 0; step < ranks[0].size(); ++step)
      for (auto const& rank : ranks) rows.insert(rows.end(), rank[step].rows.begin(), rank[step].rows.end());
    EXPECT_EQ(rows, std::vector<std::string>(expected.begin() + 60, expected.end())) << name_of(shuffle);
  }
}

TEST(Loader, EpochsHaveOtherOrders) {
  ScratchFolder const folder;
  for (Shuffle const shuffle : all_shuffles) {
    LoaderOptions options = csv_options(csv_files(folder));
    options.shuffle = shuffle;
    Loader loader(options);
    std::vector<LoadedRows> const first = load(loader), second = load(loader);
    EXPECT_EQ(rows_of(first) == rows_of(second), shuffle == Shuffle::none);
    EXPECT_EQ(second.front().epoch, 1u);
    loader.set_epoch(0);
    EXPECT_EQ(load(loader), first);
    std::vector<std::string> all = rows_of(first), again = rows_of(second);
    std::sort(all.begin(), all.end());
    std::sort(again.begin(), again.end());
    EXPECT_EQ(all, again);
  }
}

TEST(Loader, TellsWhereRecordsComeFrom) {
  ScratchFolder const folder;
  LoaderOptions options = csv_options(csv_files(folder));
  options.batch_size = 50;
  std::vector<std::string> told;
  for (LoadedRows const& batch : load_all(options)) told.push_back(batch.from);
  EXPECT_EQ(told, (std::vector<std::string>{"1.csv 0..49 -7", "1.csv 50..99 -14", "3.csv 100..149 -15",
                                            "3.csv 150..156 -15"}));
  // The same by an index: in this world the first rank has everything but one batch.
  options.world_size = 2;
  told.clear();
  for (LoadedRows const& batch : load_all(options)) told.push_back(batch.from);
  EXPECT_EQ(told, (std::vector<std::string>{"1.csv 0..49 -7", "3.csv 100..127 -15"}));
}

TEST(Loader, PlansWhatItThenDoes) {
  ScratchFolder const folder;
  LoaderOptions options = csv_options(csv_files(folder));
  options.world_size = 2;
  options.rank = 1;
  Loader loader(options);
  EpochPlan const plan = loader.plan();
  EXPECT_EQ(plan.records, 157u);
  EXPECT_EQ(plan.rejected, 15u);
  EXPECT_EQ(plan.steps, 8u);
  std::vector<LoadedRows> const batches = load(loader);
  EXPECT_EQ(batches.size(), plan.steps);
  EXPECT_EQ(batches.back().rows.size(), plan.last_rows);
}

TEST(Loader, RefusesUnequalSteps) {
  ScratchFolder const folder;
  LoaderOptions options = csv_options(csv_files(folder));
  options.world_size = 4;
  options.batch_size = 1;
  Loader loader(options);
  SharedBatch batch;
  EXPECT_THROW((void)loader.plan(), ConfigurationError);
  EXPECT_THROW((void)loader.next(batch), ConfigurationError);
}

/// The sidecar is found again, and made anew when a file has changed.
TEST(Loader, KeepsItsIndexBesideTheFirstFile) {
  ScratchFolder const folder;
  std::vector<std::string> files = csv_files(folder);
  LoaderOptions options = csv_options(files);
  options.index = "";
  options.shuffle = Shuffle::exact;
  std::vector<LoadedRows> const expected = load_all(options);
  std::string const sidecar = folder.at("_1.csv.penstock-index");
  ASSERT_TRUE(std::filesystem::exists(sidecar));
  auto const made = std::filesystem::last_write_time(sidecar);
  EXPECT_EQ(load_all(options), expected);
  EXPECT_EQ(std::filesystem::last_write_time(sidecar), made);
  (void)folder.put("3.csv", "y,b,a\n1,2,3\n");
  EXPECT_EQ(rows_of(load_all(options)).size(), 101u);
  EXPECT_NE(std::filesystem::last_write_time(sidecar), made);
  for (std::size_t const size : {0u, 20u, 100u, 500u}) {  // a sidecar that was cut off is none
    std::filesystem::resize_file(sidecar, size);
    EXPECT_EQ(rows_of(load_all(options)).size(), 101u);
  }
}

TEST(Loader, NoticesFilesThatHaveChanged) {
  ScratchFolder const folder;
  std::vector<std::string> const files = csv_files(folder);
  LoaderOptions const options = csv_options(files);
  Loader loader(options);
  (void)load(loader, 3);
  std::string const state = loader.state();
  (void)load(loader);
  std::string text = folder.get("1.csv");
  text[text.find(".5,50")] = ',';
  std::filesystem::last_write_time(files[0], std::filesystem::last_write_time(files[0]) - std::chrono::hours(1));
  EXPECT_THROW((void)load(loader), SourceError);
  Loader other(options);
  EXPECT_THROW(other.restore(state), SourceError);
  other.restore(state, true);
  EXPECT_EQ(load(other).size(), 13u);
  (void)folder.put("1.csv", text + "1,2,3\n");
  Loader third(options);
  EXPECT_THROW(third.restore(state, true), SourceError);
}

TEST(Loader, RefusesStatesOfOtherLoaders) {
  ScratchFolder const folder;
  LoaderOptions const options = csv_options(csv_files(folder));
  std::string const state = Loader(options).state();
  auto const restore = [&](LoaderOptions const& other, std::string const& text) { Loader(other).restore(text); };
  LoaderOptions other = options;
  other.shuffle = Shuffle::window;
  EXPECT_THROW(restore(other, state), ConfigurationError);
  other = options;
  other.label = "b";
  EXPECT_THROW(restore(other, state), ConfigurationError);
  other = options;
  other.paths.pop_back();
  EXPECT_THROW(restore(other, state), SourceError);
  for (char const* const bad : {"", "{}", "[]", "null", "{\"kind\":\"penstock loader 1\"}", "x"})
    EXPECT_THROW(restore(options, bad), ConfigurationError) << bad;
  for (std::size_t size = 0; size < state.size(); ++size)
    EXPECT_THROW(restore(options, state.substr(0, size)), ConfigurationError) << size;
}

TEST(Loader, FaultsEndTheEpochBehindTheBatchesBeforeThem) {
  ScratchFolder const folder;
  LoaderOptions options = csv_options({folder.put("a.csv", "a,y\n1,1\n2,2\n3,3\n4,x\n5,5\n")});
  options.on_error = "fail";
  options.batch_size = 2;
  Loader loader(options);
  SharedBatch batch;
  ASSERT_TRUE(loader.next(batch));
  try {
    (void)loader.next(batch);
    FAIL();
  } catch (DataError const& error) {
    ASSERT_TRUE(error.place.has_value());
    EXPECT_EQ(*error.place, (Place{folder.at("a.csv"), 5, 3, 18}));
  }
}

/// Lines and bytes of faults behind the place where a run went on are those of the file.
TEST(Loader, FaultsBehindAPlaceHaveTheirLines) {
  ScratchFolder const folder;
  std::string text = "a,y\n";
  for (int i = 0; i < 200; ++i) text += std::to_string(i) + (i == 180 ? ",bad\n" : ",1\n");
  LoaderOptions options = csv_options({folder.put("a.csv", text)});
  options.on_error = "fail";
  set_sizes(options, "64", 2);
  Loader loader(options);
  (void)load(loader, 15);
  Loader resumed(options);
  resumed.restore(loader.state());
  EXPECT_NE(loader.state().find("\"line\":"), std::string::npos);
  for (Loader* const each : {&loader, &resumed}) {
    try {
      (void)load(*each);
      FAIL();
    } catch (DataError const& error) {
      ASSERT_TRUE(error.place.has_value());
      EXPECT_EQ(*error.place, (Place{folder.at("a.csv"), 182, 5, text.find("bad")}));
    }
  }
}

}  // namespace
}  // namespace penstock
