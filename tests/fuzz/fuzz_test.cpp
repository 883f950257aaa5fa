// A short fuzz run of every target: its corpora, then as many changed inputs as take some ten seconds with sanitizers.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <iostream>
#include <string>

#include "tests/fuzz/choices.hpp"
#include "tests/fuzz/driver.hpp"
#include "tests/fuzz/mutator.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/support/scratch_folder.hpp"

namespace penstock::fuzz {
namespace {

std::string hex(std::string const& bytes) {
  std::string text;
  for (char const c : bytes) {
    auto const byte = static_cast<unsigned char>(c);
    text += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
  }
  return text;
}

class EachTarget : public ::testing::TestWithParam<Target> {};

TEST_P(EachTarget, HoldsForChangedInputs) {
  Target const& target = GetParam();
  std::vector<std::string> const seeds = seeds_of(target, PENSTOCK_SOURCE_DIR);
  ASSERT_GT(seeds.size(), 1u) << target.name << " has no corpus";
  Campaign campaign;
  campaign.runs = 60000;
  campaign.time_max = std::chrono::seconds(14);  // not a claim: what is left out here is left to longer runs
  campaign.last_input_path = ::testing::TempDir() + "penstock-fuzz-last-" + target.name;
  campaign.on_progress = [&](std::size_t runs) {
    std::cout << target.name << ": " << runs << " of " << seeds.size() + campaign.runs << " runs" << std::endl;
  };
  std::cout << "an input that ends the process stays in " << campaign.last_input_path << std::endl;
  CampaignResult const result = run_campaign(target, seeds, campaign);
  std::cout << target.name << ": " << result.runs << " runs" << std::endl;
  EXPECT_GE(result.runs, seeds.size());
  if (result.find) ADD_FAILURE() << result.find->what << "\ninput (hex): " << hex(result.find->input);
}

INSTANTIATE_TEST_SUITE_P(Fuzz, EachTarget, ::testing::ValuesIn(targets()),
                         [](auto const& tested) { return tested.param.name; });

// --- the driver itself ----------------------------------------------------------------------------------------------

TEST(FuzzDriver, FindsWhatATargetDoesNotStand) {
  Target const fragile{"fragile",
                       [](std::string_view input) {
                         if (input.find("inf") != std::string_view::npos) throw std::logic_error("an inf");
                       },
                       {}};
  testing::ScratchFolder const folder;
  Campaign campaign;
  campaign.runs = 100000;
  campaign.last_input_path = folder.at("last");
  CampaignResult const first = run_campaign(fragile, {"1,2\n"}, campaign),
                       second = run_campaign(fragile, {"1,2\n"}, campaign);
  ASSERT_TRUE(first.find && second.find);
  EXPECT_EQ(first.find->what, "an inf");
  EXPECT_EQ(first.find->input, second.find->input) << "the same seed gives the same inputs";
  EXPECT_EQ(first.runs, second.runs);
  EXPECT_TRUE(run_input(fragile, first.find->input));
  EXPECT_FALSE(run_input(fragile, "1,2\n"));
}

TEST(FuzzDriver, ChoicesBehindTheEndArePlain) {
  Choices choices(std::string_view("\x05", 1));
  EXPECT_EQ(choices.below(4), 1u);
  EXPECT_EQ(choices.below(256), 0u);
  EXPECT_FALSE(choices.flag());
  EXPECT_EQ(file_of(std::string(choice_bytes, 'x') + "file"), "file");
  EXPECT_EQ(file_of("x"), "");
}

TEST(FuzzDriver, OptionsComeFromTheFormatsTables) {
  EXPECT_EQ(values_of("a|b"), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(values_of("drop"), (std::vector<std::string_view>{"drop"}));
  EXPECT_EQ(values_of(""), (std::vector<std::string_view>{"true"}));
  EXPECT_GT(values_of("N").size(), 5u);
}

}  // namespace
}  // namespace penstock::fuzz
