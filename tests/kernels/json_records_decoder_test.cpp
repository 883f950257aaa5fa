// What the device makes of lines of vectors, objects and Object2Vec is what the CPU's decoders make of them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#include "tests/kernels/json_records_comparison.hpp"

namespace penstock {
namespace {

using testing::device;
using testing::RunSizes;
using testing::json_records::columns;
using testing::json_records::compare;
using testing::json_records::dtypes;
using testing::json_records::expect_same;
using testing::json_records::roomy;
using testing::json_records::tokens;
using testing::json_records::vectors;

// --- texts that are as they mostly are -------------------------------------------------------------------------------

std::string numbers(std::mt19937_64& random, std::size_t count, bool is_integer) {
  std::string text = "[";
  for (std::size_t i = 0; i < count; ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(random() % 1000);
    if (!is_integer && random() % 2 == 0) text += "." + std::to_string(random() % 1000);
  }
  return text + "]";
}

std::string plain_vector(std::mt19937_64& random, jsonl::Plan const& plan) {
  BatchLayout const& layout = plan.layout;
  std::string line = "{\"features\": ";
  if (layout.is_sparse) {
    std::string keys;
    std::size_t const count = random() % 9;
    for (std::size_t i = 0; i < count; ++i) keys += (i == 0 ? "" : ",") + std::to_string(3 * i + random() % 3);
    if (random() % 4 == 0 && count == 2) keys = "7,1";
    line += "{\"keys\": [" + keys + "], \"values\": " + numbers(random, count, true) + "}";
  } else {
    line += numbers(random, layout.features, !is_floating(layout.feature_dtype));
  }
  if (layout.labels != 0) line += ", \"label\": " + numbers(random, layout.labels, false);
  return line + "}\n";
}

std::string plain_object(std::mt19937_64& random) {
  std::string const number = std::to_string(random() % 10000);
  return "{\"a\": " + number + ".5, \"note\": \"x\", \"b\": {\"c\": [1, " + number +
         "]}, \"y\": " + std::to_string(random() % 2) + (random() % 7 == 0 ? "" : ", \"d\": -1e3") + "}\n";
}

std::string plain_tokens(std::mt19937_64& random, object2vec::Plan const& plan) {
  return "{" + std::string(plan.layout.labels != 0 ? "\"label\": 1, " : "") +
         "\"in0\": " + numbers(random, 1 + random() % 12, true) +
         ", \"in1\": " + numbers(random, 1 + random() % 5, true) + "}\n";
}

TEST(JsonRecordsDecoder, PlainVectors) {
  for (bool const is_sparse : {false, true}) {
    for (DType const dtype : dtypes) {
      for (std::size_t const labels : {0u, 1u, 3u}) {
        jsonl::Plan const plan = vectors(is_sparse, is_sparse ? labels * 30 : 5, labels, dtype);
        std::mt19937_64 random(labels);
        std::string text;
        for (int i = 0; i < 100; ++i) text += plain_vector(random, plan);
        expect_same<jsonl::Format>(plan, text);
        EXPECT_EQ(device.rounds, 1u);
      }
    }
  }
}

TEST(JsonRecordsDecoder, PlainObjects) {
  std::mt19937_64 random(1);
  std::string text;
  for (int i = 0; i < 150; ++i) text += plain_object(random);
  expect_same<objects::Format>(columns("a,b.c[1],d", "y"), text);
  EXPECT_EQ(device.rounds, 1u);
}

TEST(JsonRecordsDecoder, PlainTokens) {
  for (std::size_t const labels : {0u, 1u}) {
    std::mt19937_64 random(labels);
    std::string text;
    for (int i = 0; i < 150; ++i) text += plain_tokens(random, tokens(labels));
    expect_same<object2vec::Format>(tokens(labels), text);
    EXPECT_EQ(device.rounds, 1u);
  }
}

TEST(JsonRecordsDecoder, NothingAtAll) {
  for (std::string const text : {"\n", "\r\n \t \r\n\n", "\xef\xbb\xbf\n", "x\n", "\xef\xbb\xbf \t\r\n"}) {
    expect_same<jsonl::Format>(vectors(false, 2, 0), text);
    expect_same<jsonl::Format>(vectors(true, 0, 1), text);
    expect_same<objects::Format>(columns("a"), text);
    expect_same<object2vec::Format>(tokens(1), text);
  }
}

TEST(JsonRecordsDecoder, AnEmptyChunk) {
  cuda::Stream stream;
  auto const decoder = cuda::make_jsonl_decoder(vectors(true, 0, 0), {1 << 12, roomy().capacity, 10}, stream);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(decoder->begin({}));
    Batch rows;
    FaultLog faults;
    RoundCounts counts;
    Decoded decoded;
    ASSERT_TRUE(decoder->next(rows, faults, counts, decoded));
    EXPECT_TRUE(decoded.ends_chunk);
    EXPECT_EQ(rows.rows + decoder->pairs() + counts.lines, 0u);
  }
}

/// Lines around the borders of threads and tiles; what the byte order mark is no part of.
TEST(JsonRecordsDecoder, LineEndsAndBlanks) {
  std::string const record = "{\"a\":1}";
  objects::Plan const plan = columns("a");
  for (std::size_t const blanks : {0u, 1u, 23u, 24u, 25u, 31u, 32u, 33u, 1000u, 1016u, 1017u, 1024u, 2000u}) {
    std::string const gap(blanks, ' ');
    for (std::string const end : {"\n", "\r", "\r\n", "\n\n", "\r\r\n"})
      expect_same<objects::Format>(
          plan, gap + record + end + gap + end + record + gap + end + "\t" + record + end + gap + "x" + end);
  }
  expect_same<objects::Format>(plan, "\xef\xbb\xbf {\"a\":1}\n\xef\xbb\xbf{\"a\":1}\n");
  expect_same<objects::Format>(plan, "\xef\xbb\xbf{\"a\":1}\r\n\r\n{\"a\":2}");
}

TEST(JsonRecordsDecoder, ChunksOfOneRecord) {
  RunSizes sizes = roomy();
  sizes.buffer_bytes = 1;
  std::mt19937_64 random(2);
  jsonl::Plan const plan = vectors(true, 0, 1);
  std::string vectors_text, objects_text, tokens_text;
  for (int i = 0; i < 30; ++i) {
    std::string const end = i % 4 == 0 ? "x\r\n" : "";
    vectors_text += plain_vector(random, plan) + end;
    objects_text += plain_object(random) + end;
    tokens_text += plain_tokens(random, tokens(0)) + end;
  }
  expect_same<jsonl::Format>(plan, vectors_text, sizes);
  expect_same<objects::Format>(columns("a,d"), objects_text, sizes);
  expect_same<object2vec::Format>(tokens(0), tokens_text, sizes);
  EXPECT_GE(device.chunks, 30u);
}

TEST(JsonRecordsDecoder, RoundsOfFewRowsElementsAndFaults) {
  std::mt19937_64 random(3);
  jsonl::Plan const plan = vectors(true, 0, 1);
  std::string vectors_text, tokens_text, objects_text;
  for (int i = 0; i < 100; ++i) {
    bool const is_fault = i % 5 == 0;
    vectors_text += is_fault ? "{\"features\":{\"keys\":[3,1,3],\"values\":[1,2,3]},\"label\":1}\n" : "";
    vectors_text += plain_vector(random, plan);
    tokens_text += plain_tokens(random, tokens(1)) + (is_fault ? "{\"in0\":[1,-1],\"in1\":[2],\"label\":0}\n" : "");
    objects_text += plain_object(random) + (is_fault ? "{\"a\":\"b\"}\n\ny\n" : "");
  }
  for (std::size_t const rows : {1u, 7u, 1000u}) {
    for (std::size_t const elements : {12u, 40u, 5000u}) {
      for (std::size_t const faults : {1u, 3u, 500u}) {
        RunSizes sizes = roomy();
        sizes.capacity.rows = rows;
        sizes.capacity.pairs = elements;
        sizes.capacity.list_values = {elements, 6};
        sizes.faults_max = faults;
        expect_same<jsonl::Format>(plan, vectors_text, sizes);
        EXPECT_GE(device.rounds, std::max(100 / rows, 20 / faults));
        expect_same<object2vec::Format>(tokens(1), tokens_text, sizes);
        EXPECT_GE(device.rounds, std::max(100 / rows, 20 / faults));
        expect_same<objects::Format>(columns("a,b.c[0]"), objects_text, sizes);
        EXPECT_GE(device.rounds, std::max(100 / rows, 40 / faults));
      }
    }
  }
}

/// What is known only when a record's elements are in memory.
TEST(JsonRecordsDecoder, FaultsOfOrderAndRange) {
  std::string text;
  for (std::string const keys :
       {"1,0", "1,1", "5,3,5", "-1,0", "0,9223372036854775807", "40", "39", "", "2,1,0", "1.5"})
    for (std::string const behind : {"", "x", ",\"shape\":[2]", ",\"label\":null"})
      text += "{\"features\":{\"keys\":[" + keys + "],\"values\":[" +
              (keys.empty()                  ? ""
               : keys.find(',') == keys.npos ? "1"
               : keys == "1,0"               ? "8,9"
                                             : "1,2,3") +
              "]}" + behind + "}\n";
  for (std::size_t const features : {0u, 40u}) expect_same<jsonl::Format>(vectors(true, features, 0), text);
  std::string lines;
  for (std::string const in0 : {"1", "-1", "1,2,-3", "5,x", "2147483648", "", "9,10", "null", "[1]"})
    for (std::string const in1 : {"1", "11", "1,-2", "", "y", "1.5"})
      for (std::string const behind : {"", ",\"in0\":[1]", "}", ",\"label\":\"a\""})
        lines += "{\"in0\":[" + in0 + "],\"in1\":[" + in1 + "]" + behind + "}\n";
  object2vec::Plan plan = tokens(0);
  expect_same<object2vec::Format>(plan, lines);
  plan.token_max = 9;
  expect_same<object2vec::Format>(plan, lines);
}

TEST(JsonRecordsDecoder, WhatIsLeftToTheCpu) {
  std::mt19937_64 random(8);
  jsonl::Plan const plan = vectors(true, 0, 0);
  std::string text;
  for (int i = 0; i < 30; ++i) text += plain_vector(random, plan);
  auto const is_left = [&](jsonl::Plan const& by, std::string const& shard, RunSizes const& sizes,
                           std::size_t record_max = 1 << 17) {
    EXPECT_EQ(compare<jsonl::Format>(by, {shard}, record_max, sizes), "");
    EXPECT_EQ(device.chunks + device.host_chunks, 1u);
    return device.host_chunks == 1;
  };
  RunSizes sizes = roomy();
  sizes.buffer_bytes = 1 << 17;
  EXPECT_FALSE(is_left(plan, text, sizes));
  EXPECT_TRUE(is_left(plan, text + std::string(3000, '1') + "\n" + text, sizes, 2000)) << "a chunk with rejects";
  EXPECT_TRUE(is_left(plan, text + "{\"x\":\"" + std::string(65536, 'y') + "\"}\n", sizes)) << "a long line";
  EXPECT_TRUE(is_left(plan, text + std::string(70000, ' ') + "x\n", sizes)) << "many blanks";
  std::string lines;
  for (int i = 0; i < 18000; ++i) lines += "x\n";
  EXPECT_TRUE(is_left(plan, lines, sizes)) << "many lines that can only be at fault";
  jsonl::Plan varying = vectors(false, 2, 0);
  varying.layout.labels_vary = true;
  EXPECT_TRUE(is_left(varying, "{\"features\":[1,2],\"label\":[1]}\n", sizes)) << "lists of labels";
  std::string const large = "{\"features\":{\"keys\":[1,2,3,4,5,6,7,8,9],\"values\":[1,2,3,4,5,6,7,8,9]}}\n";
  sizes.capacity.pairs = 9;
  EXPECT_FALSE(is_left(plan, text + large, sizes));
  sizes.capacity.pairs = 8;
  EXPECT_TRUE(is_left(plan, text + large, sizes)) << "a record that is larger than a round";
}

TEST(JsonRecordsDecoder, PlansOfObjectsThatAreLeftToTheCpu) {
  objects::Plan const survey = objects::Scout({}, {1 << 16, true, false}).survey_plan();
  ASSERT_TRUE(survey.is_survey);
  EXPECT_EQ(compare<objects::Format>(survey, {"{\"a\":1}\n"}, 1 << 16, RunSizes{}), "");
  EXPECT_EQ(device.chunks, 0u);
  for (int const keys : {1000, 1030}) {
    std::string list, line;
    for (int i = 0; i < keys; ++i) list += (i == 0 ? "k" : ",k") + std::to_string(i);
    for (int i = 0; i < keys; i += 3)
      line += (i == 0 ? "{\"k" : ",\"k") + std::to_string(i) + "\":" + std::to_string(i);
    EXPECT_EQ(compare<objects::Format>(columns(list), {line + "}\n" + line + "}\n"}, 1 << 16, roomy()), "");
    EXPECT_EQ(device.host_chunks, keys > 1024 ? 1u : 0u);
  }
}

}  // namespace
}  // namespace penstock
