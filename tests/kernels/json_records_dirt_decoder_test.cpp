// Files of the corpora and dirty lines: the device makes of them what the CPU's decoders make of them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/kernels/json_records_comparison.hpp"
#include "tests/support/dirty_json.hpp"
#include "tests/support/dirty_objects.hpp"

namespace penstock {
namespace {

using testing::device;
using testing::DirtyLines;
using testing::RunSizes;
using testing::json_records::compare;
using testing::json_records::dtypes;
using testing::json_records::roomy;
using testing::json_records::tokens;
using testing::json_records::vectors;

// --- corpora ---------------------------------------------------------------------------------------------------------

std::string read_whole(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The options that stand beside a file of the corpus. False: one is not the format's own.
template <class F>
bool read_options(std::filesystem::path const& path, typename F::Options& options) {
  std::istringstream file(read_whole(std::filesystem::path(path).replace_extension(".expect")));
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name, value;
    words >> name;
    while (name == "options" && words >> value) {
      auto const is_name = [&](auto const& option) { return option.name == value.substr(2); };
      auto const option = std::find_if(std::begin(F::options), std::end(F::options), is_name);
      if (option == std::end(F::options)) return false;
      value = "true";
      if (!option->argument.empty()) words >> value;
      if (!option->set(options, value)) return false;
    }
  }
  return true;
}

/// How many files were decoded on the device, in part at least.
template <class F>
std::size_t run_corpus() {
  std::size_t decoded = 0;
  for (std::string const folder : {"pass", "fail"}) {
    std::filesystem::path const path =
        std::filesystem::path(PENSTOCK_SOURCE_DIR) / "formats" / F::info.name / "corpus" / folder;
    for (auto const& entry : std::filesystem::directory_iterator(path)) {
      typename F::Options options;
      if (entry.path().extension() == ".expect" || !read_options<F>(entry.path(), options)) continue;
      std::string const bytes = read_whole(entry.path());
      auto const scouted = testing::scout<F, Portable>(options, {1 << 16, true, true}, {bytes}, RunSizes{});
      if (!scouted.plan.has_value()) continue;
      for (std::size_t const buffer_bytes : {1u, 50u, 300u, 1u << 16}) {
        RunSizes sizes = buffer_bytes == 50 ? RunSizes{} : roomy();
        sizes.buffer_bytes = buffer_bytes;
        EXPECT_EQ(compare<F>(*scouted.plan, {bytes}, 1 << 16, sizes), "") << entry.path() << ", " << buffer_bytes;
      }
      decoded += device.chunks != 0 ? 1 : 0;
    }
  }
  return decoded;
}

TEST(JsonRecordsDirt, Corpora) {
  EXPECT_GE(run_corpus<jsonl::Format>(), 10u);
  EXPECT_GE(run_corpus<objects::Format>(), 10u);
  EXPECT_GE(run_corpus<object2vec::Format>(), 3u);
}

// --- dirty lines -----------------------------------------------------------------------------------------------------

/// What was done in all rounds of a test.
struct Tally {
  std::size_t chunks = 0, host_chunks = 0, rounds = 0;

  void add() {
    chunks += device.chunks;
    host_chunks += device.host_chunks;
    rounds += device.rounds;
  }
};

RunSizes dirty_sizes(DirtyLines& dirty) {
  RunSizes sizes = roomy();
  sizes.buffer_bytes = dirty.one_in(2) ? 1 + dirty.below(3000) : 1 << 16;
  sizes.capacity.rows = 1 + dirty.below(dirty.one_in(2) ? 5 : 1000);
  sizes.capacity.pairs = dirty.below(dirty.one_in(3) ? 12 : 3000) + (dirty.one_in(4) ? 0 : 10);
  for (std::size_t& values : sizes.capacity.list_values)
    values = dirty.below(dirty.one_in(3) ? 12 : 3000) + (dirty.one_in(4) ? 0 : 12);
  sizes.faults_max = 1 + dirty.below(dirty.one_in(2) ? 5 : 500);
  return sizes;
}

/// Lines of `make_line`, with blanks and line ends of all kinds.
template <class MakeLine>
std::string dirty_text(DirtyLines& dirty, MakeLine make_line) {
  std::string text = dirty.one_in(8) ? "\xef\xbb\xbf" : "";
  for (std::size_t size = dirty.one_in(4) ? 12000 : dirty.below(3000) + 1; text.size() < size;) {
    text += dirty.blank() + make_line() + (dirty.one_in(5) ? "\r\n" : dirty.one_in(20) ? "\r" : "\n");
    if (dirty.one_in(15)) text += dirty.blank() + "\n";
  }
  return text;
}

TEST(JsonRecordsDirt, DirtyVectors) {
  Tally tally;
  std::mt19937_64 random(20261128);
  for (int round = 0; round < 240; ++round) {
    testing::set_schedule_of(round);
    DirtyLines dirty(random());
    bool const is_sparse = round % 2 == 1;
    std::size_t const width = is_sparse ? (dirty.one_in(2) ? 0 : 40) : 1 + dirty.below(30);
    jsonl::Plan plan =
        vectors(is_sparse, width, dirty.below(3), dirty.one_in(2) ? DType::float32 : dtypes[dirty.below(4)]);
    plan.text = {dirty.one_in(4), dirty.one_in(8)};
    plan.clips_overflow = dirty.one_in(3);
    plan.checks_shape = dirty.one_in(2);
    std::string const text = dirty_text(dirty, [&] { return dirty.vector(plan); });
    RunSizes const sizes = dirty_sizes(dirty);
    ASSERT_EQ(compare<jsonl::Format>(plan, {text}, 1 << 16, sizes), "")
        << "round " << round << ", " << name_of(sizes) << "\n"
        << text;
    tally.add();
  }
  testing::set_schedule_of(0);
  EXPECT_GT(tally.chunks, 240u);
  EXPECT_GT(tally.chunks, 3 * tally.host_chunks);
  EXPECT_GT(tally.rounds, 1000u);
}

std::string dirty_tokens(DirtyLines& dirty, object2vec::Plan const& plan) {
  auto const list = [&] {
    std::string text = "[" + dirty.blank();
    for (std::size_t count = dirty.one_in(20) ? 0 : 1 + dirty.below(dirty.one_in(4) ? 40 : 6), i = 0; i < count; ++i)
      text += (i == 0 ? "" : "," + dirty.blank()) +
              (dirty.one_in(80) ? dirty.value(true) : std::to_string(dirty.below(1000))) + dirty.blank();
    return text + "]";
  };
  std::vector<std::string> members;
  if (!dirty.one_in(40)) members.push_back(dirty.member("in0", list()));
  if (!dirty.one_in(40)) members.push_back(dirty.member(dirty.one_in(10) ? "\\u0069n1" : "in1", list()));
  if ((plan.layout.labels != 0) != dirty.one_in(30)) members.push_back(dirty.member("label", dirty.value(false)));
  if (dirty.one_in(3)) members.push_back(dirty.ignored());
  if (dirty.one_in(50) && !members.empty()) members.push_back(members.front());
  return dirty.bitten(dirty.object(members));
}

TEST(JsonRecordsDirt, DirtyTokens) {
  Tally tally;
  std::mt19937_64 random(7);
  for (int round = 0; round < 150; ++round) {
    testing::set_schedule_of(round);
    DirtyLines dirty(random());
    object2vec::Plan plan = tokens(dirty.below(2));
    plan.text = {dirty.one_in(4), dirty.one_in(8)};
    if (dirty.one_in(2)) plan.token_max = 995;
    std::string const text = dirty_text(dirty, [&] { return dirty_tokens(dirty, plan); });
    RunSizes const sizes = dirty_sizes(dirty);
    ASSERT_EQ(compare<object2vec::Format>(plan, {text}, 1 << 16, sizes), "")
        << "round " << round << ", " << name_of(sizes) << "\n"
        << text;
    tally.add();
  }
  testing::set_schedule_of(0);
  EXPECT_GT(tally.chunks, 150u);
  EXPECT_GT(tally.chunks, 2 * tally.host_chunks);
  EXPECT_GT(tally.rounds, 600u);
}

TEST(JsonRecordsDirt, DirtyObjects) {
  Tally tally;
  std::mt19937_64 random(11);
  for (int round = 0; round < 300; ++round) {
    testing::set_schedule_of(round);
    testing::DirtyObjects dirty(random());
    testing::ObjectsSetup const setup = testing::random_setup(dirty);
    objects::Scout const scout(setup.options, {setup.record_max, true, true});
    ASSERT_TRUE(scout.problem().empty()) << scout.problem()[0].message;
    std::vector<std::string> const shards = {dirty.shard(), dirty.shard()};
    DirtyLines odd(random());
    RunSizes const sizes = dirty_sizes(odd);
    ASSERT_EQ(compare<objects::Format>(scout.plan(), shards, setup.record_max, sizes), "")
        << "round " << round << ", " << name_of(sizes) << " --columns " << setup.options.columns << "\n"
        << testing::printable(shards[0]) << "\n"
        << testing::printable(shards[1]);
    tally.add();
  }
  testing::set_schedule_of(0);
  EXPECT_GT(tally.chunks, 300u);
  EXPECT_GT(tally.rounds, 800u);
}

/// A line of the keys a, b, c, class, weight and group, and of some that nobody asks for.
std::string flat_object(DirtyLines& dirty) {
  std::vector<std::string> members;
  auto const add = [&](std::string const& key, std::string const& value) {
    if (!dirty.one_in(15)) members.push_back(dirty.member(key, value));
  };
  auto const text = [&] {
    return dirty.one_of({"\"x\"", "\"a \\\" { [ ,\"", "\"\u00e9\"", "\"\"", "\"yes\"", "null"});
  };
  add("a", dirty.value(true));
  if (dirty.one_in(2)) add("note", text());
  add("b", dirty.one_in(3) ? dirty.one_of({"true", "false", "\"NA\"", "\"inf\""}) : dirty.number());
  add("class", dirty.one_in(2) ? dirty.one_of({"\"yes\"", "\"no\"", "\"n\\u006f\""}) : dirty.number());
  add("c", std::to_string(dirty.below(1000)));
  add("weight", dirty.number());
  add("group", std::to_string(dirty.below(50)));
  if (dirty.one_in(3)) add("id", dirty.number());
  if (dirty.one_in(20)) members.push_back(dirty.ignored());
  if (dirty.one_in(25) && !members.empty()) members.push_back(members.front());
  if (dirty.one_in(4) && members.size() > 2) std::swap(members[0], members[dirty.below(members.size())]);
  std::string const line = "{" + dirty.blank() + [&] {
    std::string all;
    for (std::string const& member : members) all += (all.empty() ? "" : "," + dirty.blank()) + member;
    return all;
  }() + "}" + dirty.blank();
  return dirty.one_in(6) ? dirty.bitten(line) : line;
}

TEST(JsonRecordsDirt, FlatObjects) {
  Tally tally;
  std::mt19937_64 random(20261129);
  for (int round = 0; round < 200; ++round) {
    testing::set_schedule_of(round);
    DirtyLines dirty(random());
    objects::Options options;
    options.columns = dirty.one_in(2) ? "c,a,b" : "a";
    if (dirty.one_in(2)) options.label = "class";
    if (dirty.one_in(2)) options.label_map = "yes=1,no=0.5";
    if (options.label.empty()) options.label_map.clear();
    if (dirty.one_in(2)) options.weight = "weight";
    if (dirty.one_in(2)) options.qid = "group";
    if (dirty.one_in(3)) options.ignore = "note";
    options.requires_keys = dirty.one_in(4);
    options.clips_overflow = dirty.one_in(3);
    options.takes_infinite = dirty.one_in(3);
    options.text = {dirty.one_in(4), dirty.one_in(8)};
    objects::Scout const scout(options, {1 << 16, true, true});
    ASSERT_TRUE(scout.problem().empty()) << scout.problem()[0].message;
    std::string const text = dirty_text(dirty, [&] { return flat_object(dirty); });
    RunSizes const sizes = dirty_sizes(dirty);
    ASSERT_EQ(compare<objects::Format>(scout.plan(), {text}, 1 << 16, sizes), "")
        << "round " << round << ", " << name_of(sizes) << "\n"
        << text;
    tally.add();
  }
  testing::set_schedule_of(0);
  EXPECT_GT(tally.chunks, 200u);
  EXPECT_EQ(tally.host_chunks, 0u);
  EXPECT_GT(tally.rounds, 1000u);
}

}  // namespace
}  // namespace penstock
