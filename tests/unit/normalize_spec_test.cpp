// What --normalize says: words to transforms and back, and errors that say what is wrong.

#include "host/app/normalize_spec.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/error.hpp"

namespace penstock::app {
namespace {

using normalize::CalendarPart;
using normalize::TimeFormat;
using normalize::Unknown;

TransformSpec spec_of(Transform transform) {
  TransformSpec spec;
  spec.transform = transform;
  return spec;
}

/// What is thrown for it, with the hint behind a bar.
std::string message_of(std::string_view text) {
  try {
    (void)parse_normalize(text);
  } catch (ConfigurationError const& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "no error";
}

void expect_error(std::string_view text, std::string_view said) {
  EXPECT_NE(message_of(text).find(said), std::string::npos) << text << ": " << message_of(text);
}

TEST(NormalizeSpec, WordsAreReadBackAsTheSame) {
  char const* const texts[] = {"none",
                               "standardize",
                               "min-max",
                               "min-max(-1, 1)",
                               "min-max(0.1, 1e300)",
                               "max-abs",
                               "robust",
                               "log1p",
                               "power",
                               "power(0.3333333333333333)",
                               "clip",
                               "clip(0, 1)",
                               "clip(0.05)",
                               "bucketize",
                               "bucketize(65536)",
                               "one-hot",
                               "one-hot(unknown=ignore)",
                               "one-hot(limit=5, unknown=other)",
                               "ordinal",
                               "ordinal(limit=16777216)",
                               "hash",
                               "hash(24)",
                               "boolean",
                               "time",
                               "time(epoch, year, month, day, hour, minute, second, weekday, day_of_year)",
                               "time(hour, format=us, hour)",
                               "time(format=epoch_ms)",
                               "impute",
                               "impute(mean)",
                               "impute(median, indicator)",
                               "impute(-1e-7) + standardize",
                               "impute(indicator) + bucketize(3)",
                               "impute(0.1) + min-max(-1, 0)"};
  for (char const* const text : texts) {
    TransformSpec const spec = parse_transform(text);
    std::string const again = text_of(spec);
    EXPECT_EQ(parse_transform(again), spec) << text << ": " << again;
    EXPECT_EQ(text_of(parse_transform(again)), again);
  }
}

TEST(NormalizeSpec, EveryTransformHasAName) {
  for (int i = 0; i <= static_cast<int>(Transform::time); ++i) {
    TransformSpec spec = spec_of(static_cast<Transform>(i));
    if (spec.transform == Transform::time) spec.parts = {std::nullopt};
    EXPECT_EQ(parse_transform(text_of(spec)), spec) << text_of(spec);
    std::string const text = text_of(spec);
    EXPECT_NE(transform_names().find(text.substr(0, text.find('('))), std::string::npos) << text;
  }
}

TEST(NormalizeSpec, Arguments) {
  EXPECT_EQ(parse_transform("standardize"), spec_of(Transform::standardize));
  TransformSpec const range = parse_transform("min-max( -2 ,0.5 )");
  EXPECT_EQ(range.low, -2);
  EXPECT_EQ(range.high, 0.5);
  EXPECT_EQ(parse_transform("clip").low, 0.01);
  EXPECT_EQ(parse_transform("clip(0.2)").high, 0.99);
  EXPECT_EQ(parse_transform("power(3)").exponent, 3);
  EXPECT_EQ(parse_transform("bucketize(4)").buckets, 4u);
  EXPECT_EQ(parse_transform("hash").hash_bits, 10u);
  TransformSpec const words = parse_transform("one-hot( limit = 7,unknown=other )");
  EXPECT_EQ(words.limit, 7u);
  EXPECT_EQ(words.unknown, Unknown::other);
  TransformSpec const time = parse_transform("time(weekday, epoch, format=european)");
  EXPECT_EQ(time.time_format, TimeFormat::european);
  EXPECT_EQ(time.parts, (std::vector<std::optional<CalendarPart>>{CalendarPart::weekday, std::nullopt}));
  EXPECT_EQ(parse_transform("time").parts.size(), 1u);
  TransformSpec const filled = parse_transform("impute(1e+2, indicator) + log1p");
  EXPECT_EQ(filled.impute, Impute::constant);
  EXPECT_EQ(filled.constant, 100);
  EXPECT_TRUE(filled.adds_indicator);
  EXPECT_EQ(filled.transform, Transform::log1p);
  EXPECT_EQ(parse_transform("impute(median)").transform, Transform::none);
}

TEST(NormalizeSpec, ItemsHaveColumns) {
  std::vector<SpecItem> const items =
      parse_normalize(" robust ;city , \"a;b=c(\" = one-hot ( unknown = other );;#3:5=time(hour,weekday); ");
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0].columns, "");
  EXPECT_EQ(items[0].spec, spec_of(Transform::robust));
  EXPECT_EQ(items[1].columns, "city , \"a;b=c(\"");
  EXPECT_EQ(items[1].spec.unknown, Unknown::other);
  EXPECT_EQ(items[2].columns, "#3:5");
  EXPECT_EQ(items[2].spec.parts.size(), 2u);
}

TEST(NormalizeSpec, WhatATransformNeeds) {
  for (auto const* const text : {"one-hot", "ordinal", "hash", "boolean", "time"})
    EXPECT_TRUE(parse_transform(text).takes_text()) << text;
  for (auto const* const text : {"none", "standardize", "bucketize", "impute(mean)"})
    EXPECT_FALSE(parse_transform(text).takes_text()) << text;
  EXPECT_TRUE(parse_transform("ordinal").needs_vocabulary());
  EXPECT_FALSE(parse_transform("hash").needs_vocabulary());
  for (auto const* const text : {"robust", "clip", "bucketize", "impute(median)", "impute(median) + standardize"})
    EXPECT_TRUE(parse_transform(text).needs_quantiles()) << text;
  for (auto const* const text : {"standardize", "min-max", "max-abs", "impute(mean)", "power"})
    EXPECT_FALSE(parse_transform(text).needs_quantiles()) << text;
  for (auto const* const text : {"none", "max-abs", "log1p", "power(2)"})
    EXPECT_TRUE(parse_transform(text).keeps_zero()) << text;
  for (auto const* const text : {"standardize", "min-max", "robust", "clip", "bucketize", "impute(0) + max-abs"})
    EXPECT_FALSE(parse_transform(text).keeps_zero()) << text;
}

TEST(NormalizeSpec, ErrorsSayWhatIsWrong) {
  expect_error("standardise", "no transform is called 'standardise' | Did you mean standardize?");
  expect_error("quux", "Transforms are none, standardize");
  expect_error("", "no transform is named");
  expect_error(" ; ", "no transform is named");
  expect_error("a=", "no transform is called ''");
  expect_error("=log1p", "no column");
  expect_error("log1p; robust", "two transforms are for all other columns");
  expect_error("one-hot", "for columns of text, which have to be named | for example city,shop=one-hot");
  expect_error("min-max(0", "a parenthesis is not closed");
  expect_error("min-max(1, 1)", "the range must ascend");
  expect_error("min-max(low)", "min-max: 'low' where a number is expected");
  expect_error("min-max(nan)", "'nan' where a number is expected");
  expect_error("min-max(0, inf)", "'inf' where a number is expected");
  expect_error("min-max(1, 2, 3)", "'3' where no argument");
  expect_error("standardize(1)", "'1' where no argument");
  expect_error("power(0)", "the exponent must be above 0");
  expect_error("power(-1)", "the exponent must be above 0");
  expect_error("clip(0.5, 0.5)", "the shares must ascend");
  expect_error("clip(0, 1.5)", "'1.5' where a share from 0 to 1 is expected");
  expect_error("bucketize(1)", "'1' where a number from 2 to 65536 is expected");
  expect_error("bucketize(2.5)", "'2.5' where a number from 2 to 65536");
  expect_error("k=hash(25)", "a number from 1 to 24");
  expect_error("k=hash(4294967297)", "a number from 1 to 24");
  expect_error("k=one-hot(unknown=skip)", "'skip' where fault, ignore or other is expected");
  expect_error("k=ordinal(limit=0)", "a number from 1 to 16777216");
  expect_error("k=ordinal(limit=16777217)", "a number from 1 to 16777216");
  expect_error("k=ordinal(5)", "'5' where no argument");
  expect_error("k=time(hours)", "'hours' where epoch, year, month");
  expect_error("k=time(format=iso8601)", "'iso8601' where iso, us, european, epoch or epoch_ms");
  expect_error("log1p + standardize", "only impute(...) may stand before a transform");
  expect_error("impute(0) + log1p + standardize", "only impute(...) may stand before a transform");
  expect_error("impute(mean, 5)", "impute: '5' where indicator, or nothing, is expected");
  expect_error("impute(mode)", "'mode' where a number is expected");
  expect_error("k=impute(0) + one-hot", "impute is for numbers");
}

}  // namespace
}  // namespace penstock::app
