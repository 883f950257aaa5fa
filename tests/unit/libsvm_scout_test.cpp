#include "formats/libsvm/scout.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/libsvm/format.hpp"
#include "tests/support/format_run.hpp"

namespace penstock {
namespace {

using libsvm::IndexBase;
using Libsvm = libsvm::Format;

constexpr std::size_t record_max = 4096;
constexpr ScoutContext read_twice = {record_max, true, true};
constexpr ScoutContext read_once = {record_max, false, true};

testing::Scouted<Libsvm> scout(libsvm::Options const& options, ScoutContext const& context,
                               std::vector<std::string> const& shards) {
  return testing::scout<Libsvm, Portable>(options, context, shards, {});
}

TEST(LibsvmScout, BaseAndWidthComeFromTheWholeInput) {
  auto const found = scout({}, read_twice, {"1 1:1 7:2\n", "0 2:1\n"});
  ASSERT_TRUE(found.plan.has_value());
  EXPECT_TRUE(found.was_surveyed);
  EXPECT_EQ(found.plan->items.base, 1u);
  EXPECT_EQ(found.plan->layout.features, 7u);
  EXPECT_EQ(found.notes, (std::vector<std::string>{"index base: 1 (the smallest index is 1)",
                                                   "features: 7 (the largest index is 7)"}));
  auto const zero = scout({}, read_twice, {"1 1:1 7:2\n", "0 0:1\n"});
  EXPECT_EQ(zero.plan->items.base, 0u);
  EXPECT_EQ(zero.plan->layout.features, 8u);
}

TEST(LibsvmScout, WithBaseGivenTheWidthIsCountedFromIt) {
  libsvm::Options options;
  options.index_base = IndexBase::one;
  auto const found = scout(options, read_twice, {"1 3:1 7:2\n"});
  EXPECT_TRUE(found.was_surveyed);
  EXPECT_EQ(found.plan->layout.features, 7u);
  EXPECT_EQ(found.notes, (std::vector<std::string>{"features: 7 (the largest index is 7)"}));
  options.index_base = IndexBase::zero;
  EXPECT_EQ(scout(options, read_twice, {"1 3:1 7:2\n"}).plan->layout.features, 8u);
}

TEST(LibsvmScout, RejectedRecordsDecideNothing) {
  auto const found = scout({}, read_twice, {"1 1:1 2:2\n0 0:x\n1 900:1 900:2\n"});
  EXPECT_EQ(found.plan->items.base, 1u);
  EXPECT_EQ(found.plan->layout.features, 2u);
}

TEST(LibsvmScout, WhatIsGivenNeedsNoSurvey) {
  libsvm::Options options;
  options.index_base = IndexBase::zero;
  options.num_features = 100;
  auto const found = scout(options, read_once, {"1 1:1\n"});
  ASSERT_TRUE(found.plan.has_value());
  EXPECT_FALSE(found.was_surveyed);
  EXPECT_EQ(found.plan->layout.features, 100u);
  EXPECT_EQ(found.plan->items.columns, 100u);
}

TEST(LibsvmScout, AWidthThatNobodyNeedsIsNotLookedFor) {
  libsvm::Options options;
  options.index_base = IndexBase::one;
  auto const found = scout(options, {record_max, false, false}, {"1 1:1\n"});
  ASSERT_TRUE(found.plan.has_value());
  EXPECT_FALSE(found.was_surveyed);
  EXPECT_EQ(found.plan->layout.features, 0u);
}

TEST(LibsvmScout, ReadOnceWhatIsMissingIsAskedFor) {
  libsvm::Options options;
  auto problems = scout(options, read_once, {"1 1:1\n"}).problems;
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].hint.find("--index-base"), std::string::npos);
  EXPECT_NE(problems[0].hint.find("--num-features"), std::string::npos);
  options.num_features = 3;
  problems = scout(options, read_once, {"1 1:1\n"}).problems;
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].hint.find("--num-features"), std::string::npos);
  options = {};
  options.index_base = IndexBase::one;
  problems = scout(options, read_once, {"1 1:1\n"}).problems;
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].hint, "--num-features N");
}

TEST(LibsvmScout, TheFirstRecordDecidesAboutWeightsAndQueryIds) {
  struct Case {
    std::string text;
    bool has_weight, has_qid;
  };
  for (Case const& c :
       {Case{"1 1:1\n2:3 qid:1\n", false, false}, Case{"1:2 1:1\n", true, false},
        Case{"\n# 1:2\n \t1 \t qid:7 1:1\n", false, true}, Case{"x:y qid:z", true, true},
        Case{"\xef\xbb\xbf"
             "1:2\n",
             true, false},
        Case{":2 1:1\n", false, false}, Case{"qid:3 qid:4\n", false, true}, Case{"1 1:1 qid:3\n", false, false},
        Case{"", false, false}, Case{"1:2 " + std::string(5000, '3') + "\n1 qid:2\n", false, true}}) {
    auto const found = scout({}, read_twice, {c.text});
    ASSERT_TRUE(found.plan.has_value());
    EXPECT_EQ(found.plan->layout.has_weight, c.has_weight) << c.text.substr(0, 40);
    EXPECT_EQ(found.plan->layout.has_qid, c.has_qid) << c.text.substr(0, 40);
  }
  auto const later = scout({}, read_twice, {"# nothing\n", "\n", "1:2 qid:3\n"});
  EXPECT_TRUE(later.plan->layout.has_weight);
  EXPECT_TRUE(later.plan->layout.has_qid);
}

TEST(LibsvmScout, OptionsReachThePlan) {
  libsvm::Options options;
  auto const set = [&](std::string_view name, std::string_view value) {
    for (auto const& option : Libsvm::options) {
      if (option.name == name) return option.set(options, value);
    }
    return false;
  };
  EXPECT_TRUE(set("multilabel", "true"));
  EXPECT_TRUE(set("dtype", "int64"));
  EXPECT_TRUE(set("duplicates", "sum"));
  EXPECT_TRUE(set("overflow", "inf"));
  EXPECT_TRUE(set("compat", "dmlc"));
  EXPECT_TRUE(set("index-base", "1"));
  EXPECT_TRUE(set("num-features", "9223372036854775807"));
  libsvm::Plan const plan = *scout(options, read_twice, {"1 1:1\n"}).plan;
  EXPECT_TRUE(plan.layout.labels_vary);
  EXPECT_EQ(plan.layout.labels, 0u);
  EXPECT_EQ(plan.layout.feature_dtype, DType::int64);
  EXPECT_EQ(plan.duplicates, libsvm::Duplicates::sum);
  EXPECT_EQ(plan.items.overflow, libsvm::Overflow::infinity);
  EXPECT_TRUE(plan.items.syntax.is_dmlc);
  EXPECT_EQ(plan.items.base, 1u);
  EXPECT_EQ(plan.layout.features, 9223372036854775807u);
  for (auto const& [name, value] : {std::pair{"num-features", "0"},
                                    {"num-features", "9223372036854775808"},
                                    {"num-features", "-1"},
                                    {"num-features", ""},
                                    {"index-base", "2"},
                                    {"dtype", "half"},
                                    {"compat", ""},
                                    {"duplicates", "first"},
                                    {"libfm-fields", "keep"}}) {
    EXPECT_FALSE(set(name, value)) << name << " " << value;
  }
}

TEST(LibsvmScout, LibfmFieldsAreNotLostInSilence) {
  libsvm::Options options;
  options.libfm = true;
  EXPECT_EQ(scout(options, read_twice, {"1 1:2:3\n"}).problems.size(), 1u);
  options.drops_libfm_fields = true;
  auto const found = scout(options, read_twice, {"1 1:2:3\n"});
  ASSERT_TRUE(found.plan.has_value());
  EXPECT_EQ(found.notes.back(), "fields of libfm triples: dropped");
}

}  // namespace
}  // namespace penstock
