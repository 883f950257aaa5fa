// Same bytes, same batch: whatever buffers, capacities, room for faults, guesses and instruction set. What is accepted,
// and the values, are those of a slow reading with RapidJSON.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/objects/format.hpp"
#include "host/exec/avx2.hpp"
#include "tests/support/dirty_objects.hpp"
#include "tests/support/format_run.hpp"
#include "tests/support/reference_objects.hpp"

namespace penstock {
namespace {

using testing::DirtyObjects;
using testing::FormatRun;
using testing::ObjectsSetup;
using testing::random_setup;
using testing::RunSizes;

bool has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

/// What reads texts without guesses.
struct PlainTexts : objects::NoGuess {
  static constexpr bool reads_texts = true;
};

/// The decoder without guesses.
struct PlainReader {
  explicit PlainReader(objects::Plan const& p) : plan(p), seen(objects::seen_words(p.rules.tables)) {}
  void begin(char const*) {}
  json::Outcome read(char const* at, json::Places const& places) {
    PlainTexts guess;
    return objects::Record<PlainTexts>(plan.rules, places, guess, seen.data()).read(at);
  }
  objects::Plan plan;
  std::vector<std::uint64_t> seen;
};
struct PlainFormat : objects::Format {
  template <class Isa>
  using Decoder = json::LineDecoder<Isa, PlainReader>;
};

RunSizes random_sizes(std::mt19937_64& random) {
  auto const up_to = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(1, n)(random); };
  RunSizes sizes;
  sizes.buffer_bytes = up_to(4) == 1 ? up_to(9000) : up_to(400);
  sizes.rejects_max = up_to(4);
  sizes.capacity = {up_to(5), 0, 0, 0, up_to(100), {}, up_to(40)};
  sizes.faults_max = up_to(3);
  constexpr std::string_view poisons = "\n\r 1:\",}\xef\\";
  sizes.poison = poisons[up_to(poisons.size()) - 1];
  return sizes;
}

template <class F>
FormatRun decode(objects::Plan const& plan, std::vector<std::string> const& shards, std::size_t record_max,
                 RunSizes const& sizes, bool is_portable) {
#if defined(__x86_64__)
  if (!is_portable) return testing::run_format<F, Avx2>(plan, shards, record_max, sizes);
#endif
  (void)is_portable;
  return testing::run_format<F, Portable>(plan, shards, record_max, sizes);
}

/// What has come of many rounds.
struct Tally {
  std::size_t rows = 0;
  std::size_t texts = 0;
  std::map<FaultCode, std::size_t> faults;

  void add(FormatRun const& run) {
    rows += run.rows.size();
    for (auto const& row : run.rows)
      texts += static_cast<std::size_t>(std::ranges::count_if(row.texts, [](auto const& text) { return !!text; }));
    for (testing::RunFault const& fault : run.faults) ++faults[fault.code];
  }
};

void check_dirty(std::mt19937_64& random, int rounds, ObjectsSetup (*make_setup)(DirtyObjects&), Tally& tally) {
  for (int round = 0; round < rounds; ++round) {
    DirtyObjects dirty(random());
    ObjectsSetup const setup = make_setup(dirty);
    objects::Scout const scout(setup.options, {setup.record_max, true, true});
    ASSERT_TRUE(scout.problem().empty()) << scout.problem()[0].message;
    objects::Plan const plan = scout.plan();
    std::vector<std::string> const shards = {dirty.shard(), dirty.shard()};
    FormatRun const expected = decode<PlainFormat>(plan, shards, setup.record_max, RunSizes{}, true);
    std::string const text = testing::printable(shards[0]) + "\n" + testing::printable(shards[1]);
    ASSERT_NO_FATAL_FAILURE(reference::expect_objects(setup, shards, expected))
        << "round " << round << " --columns " << setup.options.columns << "\n"
        << text;
    if (::testing::Test::HasFatalFailure())
      FAIL() << "round " << round << " --columns " << setup.options.columns << "\n" << text;
    tally.add(expected);
    for (int i = 0; i < 4; ++i) {
      RunSizes const sizes = random_sizes(random);
      bool const is_portable = i < 2 || !has_avx2();
      FormatRun const found = decode<objects::Format>(plan, shards, setup.record_max, sizes, is_portable);
      ASSERT_EQ(difference(expected, found), "")
          << "round " << round << ", " << name_of(sizes) << (is_portable ? ", portable\n" : ", AVX2\n") << text;
    }
  }
}

TEST(ObjectsLaw1, DirtyTextIsWhatTheReferenceSays) {
  std::mt19937_64 random(20261128);
  Tally tally;
  check_dirty(random, 2000, random_setup, tally);
  EXPECT_GT(tally.rows, 6000u) << "the text is too dirty to test rows";
  using enum FaultCode;
  for (FaultCode const code : {malformed_json, duplicate_key, missing_key, unknown_key, wrong_type, missing_value,
                               unmapped_label, non_finite, out_of_range, not_an_integer, record_too_long}) {
    EXPECT_GT(tally.faults[code], 5u) << "code " << static_cast<int>(code) << " is not tested";
  }
}

TEST(ObjectsLaw1, ColumnsOfTextAreWhatTheReferenceSays) {
  std::mt19937_64 random(20261129);
  Tally tally;
  check_dirty(random, 1500, testing::random_setup_with_texts, tally);
  EXPECT_GT(tally.rows, 3000u);
  EXPECT_GT(tally.texts, 1000u);
  EXPECT_GT(tally.faults[FaultCode::wrong_type], 100u);
}

TEST(ObjectsLaw1, SurveysFindWhatTheReferenceFinds) {
  std::mt19937_64 random(5);
  std::size_t names = 0;
  for (int round = 0; round < 600; ++round) {
    DirtyObjects dirty(random());
    std::string shard = dirty.shard();
    if (shard.starts_with("\xef")) shard.erase(0, 3);
    auto const expected = reference::surveyed_names(shard);
    if (!expected || expected->empty()) continue;
    names += expected->size();
    for (int i = 0; i < 4; ++i) {
      RunSizes const sizes = random_sizes(random);
      bool const is_portable = i < 2 || !has_avx2();
      ScoutContext const context = {1 << 16, true, false};
#if defined(__x86_64__)
      auto const scouted = is_portable ? testing::scout<objects::Format, Portable>({}, context, {shard}, sizes)
                                       : testing::scout<objects::Format, Avx2>({}, context, {shard}, sizes);
#else
      auto const scouted = testing::scout<objects::Format, Portable>({}, context, {shard}, sizes);
#endif
      ASSERT_TRUE(scouted.plan.has_value()) << testing::printable(shard);
      ASSERT_EQ(objects::Format::names(*scouted.plan, Role::feature), *expected)
          << "round " << round << ", " << name_of(sizes) << "\n"
          << testing::printable(shard);
    }
  }
  EXPECT_GT(names, 1000u);
}

/// Columns by the thousand, keys of any number, and records over several of the decoder's pieces of text.
TEST(ObjectsLaw1, ManyKeys) {
  std::mt19937_64 random(11);
  objects::Options options;
  std::string text;
  for (int i = 0; i < 3000; i += 2) options.columns += (i == 0 ? "k" : ",k") + std::to_string(i);
  for (int record = 0; record < 5; ++record) {
    text += "{";
    for (int i = 0; i < 3000; ++i) {
      if (random() % 50 == 0) continue;
      text += "\"k" + std::to_string(i) + "\":" + std::to_string(random() % 1000) + ".5,";
    }
    text += "\"end\":\"" + std::string(5000, 'x') + "\"}\n";
  }
  objects::Scout const scout(options, {1 << 20, true, false});
  RunSizes sizes;
  FormatRun const expected = decode<PlainFormat>(scout.plan(), {text}, 1 << 20, sizes, true);
  EXPECT_EQ(expected.rows.size(), 5u);
  EXPECT_GT(expected.counts.missing_cells, 50u);
  for (bool const is_portable : {true, !has_avx2()}) {
    sizes.buffer_bytes = 5000;
    EXPECT_EQ(difference(expected, decode<objects::Format>(scout.plan(), {text}, 1 << 20, sizes, is_portable)), "");
  }
}

}  // namespace
}  // namespace penstock
