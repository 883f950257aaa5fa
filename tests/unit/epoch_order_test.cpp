// Orders of epochs, and how they are divided into steps and among ranks.

#include "host/loader/epoch_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "penstock/error.hpp"

namespace penstock {
namespace {

std::vector<std::uint64_t> places_of(OrderOptions const& options, std::uint64_t epoch, std::uint64_t records) {
  EpochOrder order(options, epoch);
  std::vector<std::uint64_t> places;
  for (std::uint64_t position = 0; position < records; ++position) places.push_back(order.place(position, records));
  return places;
}

bool is_permutation_of_all(std::vector<std::uint64_t> places) {
  std::sort(places.begin(), places.end());
  for (std::uint64_t i = 0; i < places.size(); ++i)
    if (places[i] != i) return false;
  return true;
}

TEST(Permutation, HasEveryElementOnce) {
  for (std::uint64_t size = 1; size < 300; ++size)
    for (std::uint64_t const key : {0u, 1u, 77u}) {
      Permutation const permutation(key, size);
      std::vector<std::uint64_t> all;
      for (std::uint64_t i = 0; i < size; ++i) all.push_back(permutation(i));
      EXPECT_TRUE(is_permutation_of_all(all)) << size << " " << key;
    }
}

/// Of four elements each of the 24 orders is as likely: with 24,000 keys the chi-square of 23 degrees of freedom is
/// above 60 once in 30,000 times.
TEST(Permutation, OrdersOfFourAreEquallyLikely) {
  std::vector<int> seen(256);
  constexpr int keys = 24000;
  for (std::uint64_t key = 0; key < keys; ++key) {
    Permutation const permutation(key_of(key), 4);
    ++seen[permutation(0) * 64 + permutation(1) * 16 + permutation(2) * 4 + permutation(3)];
  }
  double chi_square = 0;
  int orders = 0;
  for (int const count : seen) {
    if (count == 0) continue;
    ++orders;
    chi_square += (count - keys / 24.0) * (count - keys / 24.0) / (keys / 24.0);
  }
  EXPECT_EQ(orders, 24);
  EXPECT_LT(chi_square, 60);
}

TEST(EpochOrder, IsAnOrderOfAllRecords) {
  for (Shuffle const shuffle : {Shuffle::none, Shuffle::window, Shuffle::exact})
    for (std::uint64_t const records : {1u, 2u, 9u, 10u, 11u, 100u, 1003u})
      EXPECT_TRUE(is_permutation_of_all(places_of({shuffle, 10, 3}, 5, records))) << name_of(shuffle) << records;
}

TEST(EpochOrder, DependsOnSeedAndEpochAlone) {
  for (Shuffle const shuffle : {Shuffle::window, Shuffle::exact}) {
    OrderOptions const options{shuffle, 50, 3};
    OrderOptions const other{shuffle, 50, 4};
    EXPECT_EQ(places_of(options, 1, 200), places_of(options, 1, 200));
    EXPECT_NE(places_of(options, 1, 200), places_of(options, 2, 200));
    EXPECT_NE(places_of(options, 1, 200), places_of(other, 1, 200));
  }
}

TEST(EpochOrder, WindowsKeepTheirRecords) {
  std::vector<std::uint64_t> const places = places_of({Shuffle::window, 10, 3}, 0, 95);
  EpochOrder const order({Shuffle::window, 10, 3}, 0);
  for (std::uint64_t position = 0; position < places.size(); ++position) {
    EXPECT_EQ(places[position] / 10, position / 10);
    EXPECT_LT(places[position], order.places_needed(position));
    EXPECT_GE(places[position], order.places_done(position));
  }
}

/// Between places of positions that follow each other, on average: a third of the range in a random order.
double mean_distance(OrderOptions const& options, std::uint64_t records) {
  std::vector<std::uint64_t> const places = places_of(options, 0, records);
  double sum = 0;
  for (std::size_t i = 1; i < places.size(); ++i)
    sum += std::abs(static_cast<double>(places[i]) - static_cast<double>(places[i - 1]));
  return sum / static_cast<double>(records - 1);
}

TEST(EpochOrder, NeighboursAreAThirdOfAllApart) {
  for (std::uint64_t const seed : {0u, 1u, 7u}) {
    EXPECT_NEAR(mean_distance({Shuffle::exact, 1, seed}, 100'000), 100'000 / 3.0, 500);
    EXPECT_NEAR(mean_distance({Shuffle::window, 1000, seed}, 100'000), 1000 / 3.0, 20);
  }
}

TEST(EpochOrder, FilesAreReadInAnotherOrderEachEpoch) {
  EpochOrder const none({Shuffle::none, 1, 1}, 3);
  EXPECT_EQ(none.files(4), (std::vector<std::uint32_t>{0, 1, 2, 3}));
  std::set<std::vector<std::uint32_t>> orders;
  for (std::uint64_t epoch = 0; epoch < 100; ++epoch) {
    std::vector<std::uint32_t> files = EpochOrder({Shuffle::window, 1, 1}, epoch).files(3);
    orders.insert(files);
    std::sort(files.begin(), files.end());
    EXPECT_EQ(files, (std::vector<std::uint32_t>{0, 1, 2}));
  }
  EXPECT_EQ(orders.size(), 6u);
}

/// What is wrong with how the records from `division.first` on are divided: ranges of all ranks and steps have to be
/// what is left of the epoch, in order, once. Empty if nothing is.
std::string wrong_with(Division division, std::uint64_t records) {
  std::uint64_t const step_rows = division.step_rows();
  std::uint64_t const left = records - division.first;
  bool const keeps = division.remainder == Remainder::keep;
  std::uint64_t steps = 0;
  try {
    steps = division.steps(records);
  } catch (ConfigurationError const&) {
    bool const is_short = left % step_rows < division.world_size;
    bool const may_throw = keeps && is_short && (division.batch_size == 1 || left < division.world_size);
    return may_throw ? "" : "refused";
  }
  std::uint64_t next = division.first;
  for (std::uint64_t step = 0; step < steps; ++step) {
    for (division.rank = 0; division.rank < division.world_size; ++division.rank) {
      BatchRange const range = division.range(step, records);
      bool const is_whole = division.remainder == Remainder::drop || step + 2 < steps;
      if (range.begin != next || range.size() > division.batch_size) return "a range is not where it belongs";
      if (keeps && range.size() == 0) return "an empty batch";
      if (is_whole && range.size() != division.batch_size) return "a short batch";
      next = range.end;
    }
    if (division.step_end(step, records) != next) return "step_end is another";
  }
  division.rank = 0;
  EpochPlan const plan = division.plan(records);
  if (plan.steps != steps || plan.dropped != records - next) return "the plan is another";
  if (division.remainder == Remainder::drop ? plan.dropped >= step_rows : plan.dropped != 0) return "too many dropped";
  std::uint64_t const padded = division.remainder == Remainder::pad ? steps * step_rows - left : 0;
  return plan.padded == padded ? "" : "another number of padded rows";
}

TEST(Division, GivesEveryRecordToOneRankOnce) {
  for (Remainder const remainder : {Remainder::keep, Remainder::drop, Remainder::pad})
    for (unsigned world = 1; world <= 5; ++world)
      for (std::uint64_t batch = 1; batch <= 4; ++batch)
        for (std::uint64_t const first : {0u, 3u})
          for (std::uint64_t records = first; records < 60; ++records)
            EXPECT_EQ(wrong_with({first, batch, 0, world, remainder}, records), "")
                << name_of(remainder) << " world " << world << " batch " << batch << " records " << first << " to "
                << records;
}

TEST(Division, SaysTheArithmeticWhereStepsWouldBeUnequal) {
  Division const division{0, 1, 0, 4, Remainder::keep};
  try {
    (void)division.steps(1025);
    FAIL();
  } catch (ConfigurationError const& error) {
    EXPECT_STREQ(
        error.what(),
        "1,025 records in batches of 1 on 4 ranks are 256 steps, and 1 record for the last one: not every rank "
        "would have a batch in it");
    EXPECT_NE(error.hint().find("drop"), std::string::npos);
  }
}

}  // namespace
}  // namespace penstock
