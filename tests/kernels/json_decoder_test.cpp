// What the device makes of DeepAR's lines is what the CPU's decoder makes of them: values bit for bit, faults in order,
// counts.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "cuda/formats/json.hpp"
#include "formats/deepar/format.hpp"
#include "tests/kernels/decoder_comparison.hpp"
#include "tests/support/dirty_json.hpp"
#include "tests/support/format_run.hpp"

namespace penstock {
namespace {

using testing::device;
using testing::RunSizes;

using DeeparDecoder = testing::DeviceDecoder<deepar::Format, cuda::make_deepar_decoder>;

std::string compare(deepar::Plan const& plan, std::vector<std::string> const& shards, std::size_t record_max,
                    RunSizes const& sizes) {
  return testing::compare_decoders<deepar::Format, DeeparDecoder>(plan, shards, record_max, sizes);
}

constexpr std::size_t large_tiles_from = std::size_t{4} << 20;

RunSizes roomy() {
  RunSizes sizes;
  sizes.buffer_bytes = 1 << 17;
  sizes.capacity = {4096, 0, 0, 0, 0, {1 << 16, 1 << 16}};
  sizes.faults_max = 1000;
  return sizes;
}

/// On the device; both decoders agree.
void expect_same(deepar::Plan const& plan, std::string const& text, RunSizes const& sizes = roomy()) {
  EXPECT_EQ(compare(plan, {text}, 1 << 17, sizes), "") << testing::printable(text);
  EXPECT_GT(device.chunks, 0u);
  EXPECT_EQ(device.host_chunks, 0u) << testing::printable(text);
}

deepar::Plan plan_with(std::size_t cats, std::size_t features) {
  deepar::Plan plan;
  plan.layout.cats = cats;
  if (features != 0) plan.layout.lists[1] = {ListRole::dynamic_feat, DType::float32, features};
  return plan;
}

/// Lists as they are mostly written.
std::string list(std::mt19937_64& random, std::size_t count, bool has_blanks) {
  std::string text = "[";
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) text += has_blanks ? ", " : ",";
    std::string const whole = std::to_string(random() % 2000);
    text += random() % 3 == 0 ? whole : (random() % 4 == 0 ? "-" : "") + whole + "." + std::to_string(random() % 1000);
  }
  return text + "]";
}

std::string plain_line(std::mt19937_64& random, deepar::Plan const& plan, std::size_t count, bool has_blanks) {
  std::string const colon = has_blanks ? ": " : ":", comma = has_blanks ? ", " : ",";
  std::string line = "{\"start\"" + colon + "\"2009-11-01 00:00:00\"" + comma + "\"target\"" + colon;
  line += list(random, count, has_blanks);
  if (plan.layout.cats != 0) {
    line += comma + "\"cat\"" + colon + "[";
    for (std::size_t i = 0; i < plan.layout.cats; ++i) line += (i == 0 ? "" : comma) + std::to_string(random() % 100);
    line += "]";
  }
  if (plan.dynamic_feats() != 0) {
    line += comma + "\"dynamic_feat\"" + colon + "[";
    for (std::size_t i = 0; i < plan.dynamic_feats(); ++i)
      line += (i == 0 ? "" : comma) + list(random, count + plan.prediction_length, has_blanks);
    line += "]";
  }
  return line + "}\n";
}

std::string plain_text(std::uint64_t seed, deepar::Plan const& plan, std::size_t lines) {
  std::mt19937_64 random(seed);
  std::string text;
  for (std::size_t i = 0; i < lines; ++i) text += plain_line(random, plan, 1 + random() % 40, i % 2 == 0);
  return text;
}

TEST(JsonDecoder, PlainText) {
  for (std::size_t const cats : {0u, 1u, 3u}) {
    for (std::size_t const features : {0u, 1u, 2u, 3u}) {
      deepar::Plan plan = plan_with(cats, features);
      plan.prediction_length = cats;
      expect_same(plan, plain_text(1, plan, 100));
      EXPECT_EQ(device.rounds, 1u);
    }
  }
}

TEST(JsonDecoder, NothingAtAll) {
  expect_same({}, "\n");
  expect_same({}, "\r\n \t \r\n\n");
  expect_same({}, "\xef\xbb\xbf\n");
  expect_same({}, "x\n");
}

TEST(JsonDecoder, LineEndsAndBlanks) {
  expect_same(
      {},
      " {\"start\":\"2009-11-01\",\"target\":[1]}\r\n\r\n\t{ \"target\" : [ 1 , 2 ] ,\t\"start\":\"2009-11-01\" } \r"
      "\n\n{\"start\":\"2009-11-01\",\"target\":[1]}\t\n  \n");
  expect_same({}, "\xef\xbb\xbf {\"start\":\"2009-11-01\",\"target\":[1]}\n");
  expect_same({}, "\xef\xbb\xbfx\n\xef\xbb\xbf{\"start\":\"2009-11-01\",\"target\":[1]}\n");
  expect_same({}, std::string(100, ' ') + "x\n" + std::string(100, ' ') + "{\"start\":\"2009-11-01\",\"target\":[1]}" +
                      std::string(100, '\t') + "\n");
}

/// Records in many spellings that are no faults, and those that are.
std::vector<std::string> odd_lines() {
  std::string const start = "\"start\":\"2009-11-01\"";
  std::vector<std::string> lines;
  for (std::string const value : {"01",
                                  "1.",
                                  ".5",
                                  "+1",
                                  "NaN",
                                  "\"x\"",
                                  "true",
                                  "[1]",
                                  "[[1,2],3]",
                                  "{\"a\":[1,2]}",
                                  "1e39",
                                  "\"inf\"",
                                  "-",
                                  "1e",
                                  "--1",
                                  "\"a,b\"",
                                  "0x1",
                                  "\"1\"",
                                  "null",
                                  "\"NaN\"",
                                  "1.e3",
                                  "",
                                  "\"u",
                                  "\\",
                                  "\"\\u006ean\"",
                                  "16777217",
                                  "1e-60",
                                  "0.1234567890123456789012345678901234567890",
                                  "1 2",
                                  "]",
                                  "[",
                                  "}",
                                  "{",
                                  ",",
                                  "1\"",
                                  "-Infinity",
                                  "\"a\\\"b\"",
                                  "\x01"})
    for (std::string const& members :
         {start + ",\"target\":[" + value + "]", "\"target\":[1,2," + value + ",3]," + start,
          start + ",\"cat\":[" + value + "],\"target\":[1]", "\"x\":" + value + "," + start + ",\"target\":[1]",
          start + ",\"dynamic_feat\":[[1," + value + "]],\"target\":[1,2]", "\"target\":" + value + "," + start,
          "\"start\":" + value + ",\"target\":[1]", value + "," + start + ",\"target\":[1]"})
      lines.push_back("{" + members + "}\n");
  return lines;
}

TEST(JsonDecoder, RecordsThatAreNotPlain) {
  for (std::size_t const cats : {0u, 1u}) {
    for (std::size_t const features : {0u, 1u, 2u}) {
      deepar::Plan plan = plan_with(cats, features);
      std::mt19937_64 random(cats + features);
      std::string text;
      for (std::string const& line : odd_lines())
        text += line + (random() % 3 == 0 ? plain_line(random, plan, 3, false) : "");
      for (bool const is_lenient : {false, true}) {
        for (bool const refuses : {false, true}) {
          plan.text = {is_lenient, refuses};
          expect_same(plan, text);
        }
      }
    }
  }
}

TEST(JsonDecoder, RoundsOfFewRowsValuesAndFaults) {
  deepar::Plan const plan = plan_with(1, 2);
  std::mt19937_64 random(3);
  std::string text;
  for (int i = 0; i < 150; ++i) {
    text += plain_line(random, plan, 1 + random() % 12, false);
    if (i % 5 == 0) text += "{\"target\":[1]}\n";
    if (i % 50 == 7) text += "x\n\ny\nz\n";
  }
  for (std::size_t const rows : {1u, 7u, 1000u}) {
    for (std::size_t const values : {12u, 50u, 5000u}) {
      for (std::size_t const faults : {1u, 3u, 1000u}) {
        RunSizes sizes = roomy();
        sizes.capacity.rows = rows;
        sizes.capacity.list_values = {values, 2 * values};
        sizes.faults_max = faults;
        expect_same(plan, text, sizes);
        EXPECT_GE(device.rounds, std::max(150 / rows, 39 / faults));
      }
    }
  }
}

/// Tiles of 16 KiB, which chunks from 4 MiB on have.
TEST(JsonDecoder, LargeTiles) {
  deepar::Plan const plan = plan_with(1, 1);
  std::string text = plain_text(4, plan, 1000) + "{\"target\":[1,x]}\n";
  std::string const once = text;
  while (text.size() < large_tiles_from) text += once;
  RunSizes sizes = roomy();
  sizes.buffer_bytes = std::size_t{1} << 23;
  sizes.capacity = {10000, 0, 0, 0, 0, {150000, 200000}};
  EXPECT_EQ(compare(plan, {text}, 1 << 16, sizes), "");
  EXPECT_EQ(device.chunks, 1u);
  EXPECT_GT(device.rounds, 1u);
}

/// Lists and strings over several tiles, and the edges of tiles in each of them.
TEST(JsonDecoder, RecordsLongerThanTiles) {
  deepar::Plan const plan = plan_with(0, 2);
  for (std::size_t const shift : {0u, 1u, 2u, 5u, 31u, 32u, 1000u}) {
    std::mt19937_64 random(shift);
    std::string text(shift, ' ');
    text += plain_line(random, plan, 2000, false) + plain_line(random, plan, 1500, true);
    std::string note;
    for (int i = 0; i < 1100; ++i) note += i % 3 == 0 ? "\\\"" : i % 3 == 1 ? "],[" : "\\\\";
    text += "{\"note\":\"" + note + "\"," + plain_line(random, plan, 500, false).substr(1);
    text += "{\"note\":\"" + note + note + "\"," + plain_line(random, plan, 500, false).substr(1);
    text += "{\"note\":\"" + note + "\n" + plain_line(random, plan, 500, false) + std::string(9000, ' ') + "\n";
    expect_same(plan, text);
  }
}

TEST(JsonDecoder, WhatIsLeftToTheCpu) {
  std::mt19937_64 random(8);
  std::string const text = plain_text(3, {}, 30);
  auto const is_left = [&](std::string const& shard, RunSizes const& sizes, std::size_t record_max = 1 << 17) {
    EXPECT_EQ(compare({}, {shard}, record_max, sizes), "");
    EXPECT_EQ(device.chunks + device.host_chunks, 1u);
    return device.host_chunks == 1;
  };
  RunSizes const sizes = roomy();
  EXPECT_FALSE(is_left(text, sizes));
  EXPECT_TRUE(is_left(text + std::string(3000, '1') + "\n" + text, sizes, 2000)) << "a chunk with rejects";
  EXPECT_TRUE(is_left(text + "\"" + std::string(100, '\\') + "\n", sizes)) << "backslashes";
  std::string const long_line = plain_line(random, {}, 12000, false);
  ASSERT_GT(long_line.size(), std::size_t{65} << 10);
  EXPECT_FALSE(is_left(text + long_line + text, sizes));
  EXPECT_TRUE(is_left(text + "{\"x\":[]," + long_line.substr(1) + text, sizes)) << "long, and not plain";
  EXPECT_TRUE(is_left(text + long_line.substr(0, long_line.size() - 3) + ",01]}\n" + text, sizes)) << "long, a fault";
  EXPECT_TRUE(is_left(std::string(70000, ' ') + "x\n", sizes)) << "many blanks before a fault";
  std::string brackets;
  for (int i = 0; i < 20000; ++i) brackets += "[]";
  EXPECT_TRUE(is_left(brackets + "\n", sizes)) << "many brackets";
  std::string lines;
  for (int i = 0; i < 6000; ++i) lines += "x\n";
  EXPECT_TRUE(is_left(lines, sizes)) << "many lines that can only be at fault";
  RunSizes small = sizes;
  small.capacity.list_values = {39, 39};
  EXPECT_TRUE(is_left(text + plain_line(random, {}, 40, true), small)) << "a record that is larger than a round";
}

TEST(JsonDecoder, DirtyLines) {
  std::size_t chunks = 0, host_chunks = 0, rounds = 0;
  std::mt19937_64 random(20261128);
  for (int round = 0; round < 200; ++round) {
    testing::set_schedule_of(round);
    testing::DirtyLines dirty(random());
    deepar::Plan plan = plan_with(dirty.below(3), dirty.one_in(2) ? 1 + dirty.below(2) : 0);
    plan.prediction_length = dirty.one_in(4) ? 2 : 0;
    plan.text = {dirty.one_in(4), dirty.one_in(6)};
    std::string text = dirty.one_in(8) ? "\xef\xbb\xbf" : "";
    for (std::size_t size = dirty.one_in(4) ? 30000 : dirty.below(4000) + 1; text.size() < size;) {
      text += dirty.blank();
      std::string line = plain_line(random, plan, 1 + random() % 30, dirty.one_in(2));
      line.pop_back();
      text += dirty.one_in(2) ? dirty.deepar(plan) : dirty.bitten(line);
      text += dirty.one_in(5) ? "\r\n" : dirty.one_in(20) ? "\r" : "\n";
      if (dirty.one_in(15)) text += dirty.blank() + "\n";
    }
    RunSizes sizes = roomy();
    sizes.buffer_bytes = dirty.one_in(2) ? 1 + dirty.below(6000) : 1 << 16;
    sizes.capacity.rows = 1 + dirty.below(dirty.one_in(2) ? 5 : 1000);
    sizes.capacity.list_values[0] = 1 + dirty.below(dirty.one_in(3) ? 40 : 4000) + (dirty.one_in(4) ? 0 : 62);
    sizes.capacity.list_values[1] = 1 + dirty.below(dirty.one_in(3) ? 80 : 8000) + (dirty.one_in(4) ? 0 : 124);
    sizes.faults_max = 1 + dirty.below(dirty.one_in(2) ? 5 : 1000);
    ASSERT_EQ(compare(plan, {text}, 1 << 16, sizes), "") << "round " << round << ", " << name_of(sizes) << "\n" << text;
    chunks += device.chunks;
    host_chunks += device.host_chunks;
    rounds += device.rounds;
  }
  testing::set_schedule_of(0);
  EXPECT_GT(chunks, 300u);
  EXPECT_GT(chunks, 4 * host_chunks);
  EXPECT_GT(rounds, 1000u);
}

}  // namespace
}  // namespace penstock
