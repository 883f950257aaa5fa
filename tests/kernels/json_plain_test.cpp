// Which records of JSON lines are plain: those that records mostly are, and none of which the general text says
// anything else. What becomes of them, decoders' tests compare.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/formats/json_kinds.hpp"
#include "cuda/formats/json_memory.hpp"
#include "cuda/kernels/json_structure.cuh"
#include "tests/kernels/json_records_comparison.hpp"

namespace penstock {
namespace {

using testing::json_records::columns;
using testing::json_records::compare;
using testing::json_records::roomy;
using testing::json_records::tokens;
using testing::json_records::vectors;

template <class T>
cuda::MappedArray<T> copy_out(cuda::Stream& stream, T const* from, std::size_t count) {
  cuda::MappedArray<T> copy(count, "a copy");
  stream.copy(copy.get(), from, count * sizeof(T), "copy out");
  stream.wait();
  return copy;
}

/// A character for each record: '+' if it is plain.
template <class Kind>
std::string plain(typename Kind::Plan const& plan, std::string const& text) {
  using namespace cuda::json;
  cuda::Stream stream;
  Sizes sizes;
  sizes.text_bytes = text.size();
  Kind::put_sizes(plan, sizes);
  typename Kind::Memory const memory(stream, plan, sizes);
  TextMemory const text_memory(sizes);
  RecordMemory const records(plan.layout, sizes);
  cuda::DeviceArray<Totals> const totals(1, "totals");
  text_memory.clear(stream);
  cuda::MappedArray<char> const staged(text.size(), "text");
  std::memcpy(staged.get(), text.data(), text.size());
  stream.copy(text_memory.data(), staged.get(), text.size(), "copy in");

  ChunkText const chunk{text_memory.data(), static_cast<std::uint32_t>(text.size()), 0, false, Kind::folded};
  StructureWork structure{chunk,
                          text_memory.tile_states(),
                          text_memory.entries(),
                          text_memory.masks(),
                          text_memory.rows(),
                          text_memory.brackets(),
                          totals.get(),
                          sizes.chunk};
  find_structure(stream, structure);
  PlainWork work;
  work.rows_max = std::min(sizes.chunk.rows, chunk.size / 2 + 1);
  work.heads = {chunk, totals.get(), text_memory.rows(), text_memory.brackets(), records.values()};
  work.stops = {text_memory.masks(), text_memory.entries(), totals.get(), chunk.size};
  work.convert = {chunk, text_memory.masks(), records.values()};
  Kind::read_plain(stream, plan, memory, work);

  std::uint32_t const rows = copy_out(stream, totals.get(), 1)[0].rows;
  auto const marks = copy_out(stream, records.values().marks, rows / 32 + std::size_t{1});
  std::string result;
  for (std::uint32_t row = 0; row < rows; ++row) result += (marks[row / 32] >> row % 32 & 1u) != 0 ? '-' : '+';
  return result;
}

using Lines = std::vector<std::string>;

/// One line of each.
template <class Kind>
std::string plain(typename Kind::Plan const& plan_of, Lines const& lines) {
  std::string text;
  for (std::string const& line : lines) text += line + "\n";
  return plain<Kind>(plan_of, text);
}

TEST(JsonPlain, DenseVectors) {
  Lines const usual = {R"({"features":[1,2.5],"label":1})",
                       R"({"label": -1e3, "data": {"features": {"values": [ null, "nan"], "shape": [2]}}})",
                       R"({"features": {"values": [0,-0]}, "label": [7], "x": "\u00e9\"[", "y": true})"};
  EXPECT_EQ(plain<cuda::json::Vectors>(vectors(false, 2, 1), usual), "+++");
  EXPECT_EQ(plain<cuda::json::Vectors>(vectors(false, 2, 2), usual), "---");
  EXPECT_EQ(plain<cuda::json::Vectors>(vectors(false, 3, 1), usual), "---");
  EXPECT_EQ(plain<cuda::json::Vectors>(vectors(false, 2, 1, DType::float64), usual), "---");
  Lines const others = {R"({"features":[1,2]})",
                        R"({"features":[1,2],"label":1,"label":1})",
                        R"({"features":[1,2],"data":{"features":[1,2]},"label":1})",
                        R"({"features":[1],"label":1})",
                        R"({"features":[1,2,3],"label":1})",
                        R"({"features":[],"label":1})",
                        R"({"features":[1,01],"label":1})",
                        R"({"features":[1,"Infinity"],"label":1})",
                        R"({"features":[1,[2]],"label":1})",
                        R"({"features":[1,2],"label":null})",
                        R"({"features":[1,2],"label":[1,2]})",
                        R"({"features":[1,2],"label":[]})",
                        R"({"features":[1,2],"label":1} x)",
                        R"({"features":[1,2],"label":1}})",
                        R"({"features":[1,2],"label":1)",
                        R"({"features":{"values":[1,2],"shape":[3]},"label":1})",
                        R"({"features":{"values":[1,2],"shape":[]},"label":1})",
                        R"({"features":{"values":[1,2],"keys":[0,1]},"label":1})",
                        R"({"features":{"shape":[2]},"label":1})",
                        R"({"features":1,"label":1})",
                        R"({"data":{"data":{"features":[1,2]}},"label":1})",
                        R"({"data":[1,2],"label":1})",
                        R"([1,2])",
                        R"({})"};
  EXPECT_EQ(plain<cuda::json::Vectors>(vectors(false, 2, 1), others), std::string(others.size(), '-'));
  jsonl::Plan strict = vectors(false, 2, 0);
  EXPECT_EQ(plain<cuda::json::Vectors>(strict, Lines{R"({"features":[1,2],"x":1})", R"({"features":[1,2]})"}), "++");
  strict.text.refuses_unknown_keys = true;
  EXPECT_EQ(plain<cuda::json::Vectors>(strict, Lines{R"({"features":[1,2],"x":1})", R"({"features":[1,2]})"}), "-+");
}

TEST(JsonPlain, SparseVectors) {
  Lines const usual = {R"({"features":{"keys":[0,7,999999999],"values":[1,2.5,null]}})",
                       R"({"data":{"features":{"values":[4],"keys":[ 3 ]}}})",
                       R"({"features":{"keys":[],"values":[]}})"};
  EXPECT_EQ(plain<cuda::json::Vectors>(vectors(true, 0, 0), usual), "+++");
  EXPECT_EQ(plain<cuda::json::Vectors>(vectors(true, 10, 0), usual), "-++");
  EXPECT_EQ(plain<cuda::json::Vectors>(vectors(false, 3, 0), usual), "---");
  Lines const others = {R"({"features":{"keys":[1,0],"values":[1,2]}})",
                        R"({"features":{"keys":[1,1],"values":[1,2]}})",
                        R"({"features":{"keys":[-1],"values":[1]}})",
                        R"({"features":{"keys":[1.0],"values":[1]}})",
                        R"({"features":{"keys":[01],"values":[1]}})",
                        R"({"features":{"keys":[1000000000],"values":[1]}})",
                        R"({"features":{"keys":[1,2],"values":[1]}})",
                        R"({"features":{"keys":[],"values":[1]}})",
                        R"({"features":{"keys":[null],"values":[1]}})",
                        R"({"features":{"keys":[1,],"values":[1,2]}})",
                        R"({"features":{"values":[1]}})",
                        R"({"features":{"keys":[1]}})",
                        R"({"features":{"keys":[0],"values":[1],"shape":[9]}})"};
  EXPECT_EQ(plain<cuda::json::Vectors>(vectors(true, 0, 0), others), std::string(others.size(), '-'));
  Lines const shapes = {
      R"({"features":{"keys":[0],"values":[1],"shape":[9]}})", R"({"features":{"keys":[0],"values":[1],"shape":[8]}})",
      R"({"features":{"keys":[8],"values":[1],"shape":[8]}})", R"({"features":{"keys":[9],"values":[1],"shape":[9]}})"};
  jsonl::Plan plan = vectors(true, 9, 0);
  EXPECT_EQ(plain<cuda::json::Vectors>(plan, shapes), "+---");
  plan.checks_shape = false;
  EXPECT_EQ(plain<cuda::json::Vectors>(plan, shapes), "+++-");
}

/// Keys out of order at each place of long lists: a lane sees the key before its own wherever that stands.
TEST(JsonPlain, KeysThatDoNotAscendAtAnyPlace) {
  constexpr std::size_t count = 150;
  std::string text;
  for (std::size_t wrong = 0; wrong <= count; ++wrong) {
    std::string keys, values;
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t const key = i == wrong && i != 0 ? 10 * i - 10 : 10 * i;
      keys += (i == 0 ? "" : ",") + std::to_string(key);
      values += i == 0 ? "1" : ",1";
    }
    text += "{\"features\":{\"keys\":[" + keys + "],\"values\":[" + values + "]}}\n";
  }
  EXPECT_EQ(plain<cuda::json::Vectors>(vectors(true, 0, 0), text), "+" + std::string(count - 1, '-') + "+");
}

TEST(JsonPlain, Series) {
  deepar::Plan plan;
  plan.layout.lists[1] = {ListRole::dynamic_feat};
  plan.layout.lists[1].parts = 1;
  Lines const lines = {R"({"start":"2009-11-01","target":[1,2],"dynamic_feat":[[1,1]]})",
                       R"({"start":"2009-11-01","target":[ 1, null ],"dynamic_feat":[[0,0, 1 ]]})"};
  EXPECT_EQ(plain<cuda::json::Series>(plan, lines), "+-");
  plan.prediction_length = 1;
  EXPECT_EQ(plain<cuda::json::Series>(plan, lines), "-+");
  for (std::size_t const length : {std::size_t{1} << 32, (std::size_t{1} << 32) + 1, (std::size_t{1} << 32) - 1}) {
    plan.prediction_length = length;
    EXPECT_EQ(plain<cuda::json::Series>(plan, lines), "--") << length;
  }
}

/// One thread does not read long strings that nobody asks for.
TEST(JsonPlain, ManyLongStrings) {
  std::string few = "{\"features\":[1]", many = few;
  for (int i = 0; i < 20; ++i) {
    std::string const member = ",\"k" + std::to_string(i) + "\":\"" + std::string(4000, 'x') + "\"";
    if (i < 16) few += member;
    many += member;
  }
  EXPECT_EQ(plain<cuda::json::Vectors>(vectors(false, 1, 0), Lines{few + "}", many + "}"}), "+-");
  std::string const object = many.substr(0, 1) + "\"a\":1," + many.substr(1 + sizeof("\"features\":[1]"));
  EXPECT_EQ(plain<cuda::json::Objects>(columns("a"), Lines{object + "}", "{\"a\":2}"}), "++");
}

TEST(JsonPlain, Tokens) {
  Lines const usual = {R"({"label":1,"in0":[6, 17,606],"in1":[16]})", R"({"in1":[1],"in0":[0],"x":null,"label":2.5})"};
  EXPECT_EQ(plain<cuda::json::Tokens>(tokens(1), usual), "++");
  EXPECT_EQ(plain<cuda::json::Tokens>(tokens(0), usual), "--");
  Lines const others = {R"({"label":1,"in0":[],"in1":[16]})",
                        R"({"label":1,"in0":[1],"in1":[-1]})",
                        R"({"label":1,"in0":[1],"in1":[1.0]})",
                        R"({"label":1,"in0":[1],"in1":[1234567890]})",
                        R"({"label":1,"in0":[1],"in1":1})",
                        R"({"label":1,"in0":[1]})",
                        R"({"in0":[1],"in1":[1]})",
                        R"({"label":[1],"in0":[1],"in1":[1]})",
                        R"({"label":1,"in0":[1],"in0":[1],"in1":[1]})"};
  EXPECT_EQ(plain<cuda::json::Tokens>(tokens(1), others), std::string(others.size(), '-'));
  object2vec::Plan plan = tokens(0);
  plan.token_max = 9;
  EXPECT_EQ(plain<cuda::json::Tokens>(plan, Lines{R"({"in0":[9],"in1":[9]})", R"({"in0":[10],"in1":[9]})"}), "+-");
}

TEST(JsonPlain, Objects) {
  objects::Plan const plan = columns("a,b", "y");
  Lines const usual = {R"({"a":1.5,"id":"x","b":true,"y":1})",
                       R"({"a":2.5,"id":"y","b":false,"y":-1e3})",
                       R"( {"a" : null , "note": "\u00e9\"{[,]}", "b":"NaN", "y":0 } )",
                       R"({"y":1})",
                       R"({"b":3,"other":01234567890123456789e5,"y":1})",
                       R"({"id":"x","a":1,"b":0,"y":1,"id":"y"})"};
  EXPECT_EQ(plain<cuda::json::Objects>(plan, usual), "++++-+") << "01 is no number";
  Lines const others = {R"({})",
                        R"({"a":1})",
                        R"({"a":1,"y":null})",
                        R"({"a":1,"y":1,"a":1})",
                        R"({"a":1,"y":1,})",
                        R"({"a":1 "y":1})",
                        R"({"a":1,"y":1)",
                        R"({"a":1,"y":1}})",
                        R"({"a":1,"y":1} x)",
                        R"({"a":1,"y":1}{"a":1,"y":1})",
                        R"({"a":1,,"y":1})",
                        R"({,"y":1})",
                        R"("a":1,"y":1})",
                        R"(x{"a":1,"y":1})",
                        R"({"a":[1],"y":1})",
                        R"({"x":{"a":1},"y":1})",
                        R"({"x":[],"y":1})",
                        R"({"a":"one","y":1})",
                        R"({"a":1e39,"y":1})",
                        R"({"a":16777217,"y":1})",
                        R"({"a":tru,"y":1})",
                        R"({"a":truely,"y":1})",
                        R"({"a":1 2,"y":1})",
                        R"({"a":"x" "y","y":1})",
                        R"({"x":"\q","y":1})",
                        R"({"x":"a	b","y":1})",
                        R"({x:1,"y":1})",
                        R"({"x",1:1,"y":1})",
                        R"({"x"1,"y":1})",
                        R"(1,2)",
                        R"({"\u0061":1,"y":1})"};
  EXPECT_EQ(plain<cuda::json::Objects>(plan, others), std::string(others.size(), '-'));
  EXPECT_EQ(plain<cuda::json::Objects>(columns("a.b"), Lines{R"({"a":{"b":1}})", R"({"a":1})"}), "--")
      << "a plan that is not flat";
}

/// Rules of plans: what may lack, what is unknown, classes by name, spellings of missing values.
TEST(JsonPlain, ObjectsByRules) {
  Lines const list = {R"({"a":1,"b":2})", R"({"b":2})", R"({"a":1,"b":2,"c":3})", R"({"a":"-","b":"cat"})"};
  objects::Plan plan = columns("a,b");
  EXPECT_EQ(plain<cuda::json::Objects>(plan, list), "+++-");
  plan.rules.requires_keys = true;
  EXPECT_EQ(plain<cuda::json::Objects>(plan, list), "+-+-");
  plan.rules.text.refuses_unknown_keys = true;
  EXPECT_EQ(plain<cuda::json::Objects>(plan, list), "+---");
  plan.rules.dtype = DType::float64;
  plan.layout.feature_dtype = DType::float64;
  EXPECT_EQ(plain<cuda::json::Objects>(plan, list), "----");
}

/// Strings of all lengths in front of a member, up to some that reach over a KiB, and over what is looked back for.
TEST(JsonPlain, MembersAfterLongOnes) {
  objects::Plan const plan = columns("a,b");
  std::string text, expected;
  for (std::size_t bytes = 0; bytes < 4200; bytes += bytes < 70 ? 1 : 97) {
    text += "{\"a\":" + std::to_string(bytes) + ",\"x\":\"" + std::string(bytes, 'x') + "\",\"b\":7}\n";
    expected += bytes < 4080 ? '+' : '?';
  }
  std::string const found = plain<cuda::json::Objects>(plan, text);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (expected[i] == '?') continue;
    EXPECT_EQ(found[i], expected[i]) << i;
  }
  EXPECT_EQ(compare<objects::Format>(plan, {text}, 1 << 16, roomy()), "");
}

/// Keys in the first record's order, in another, with some that lack and some that are new.
TEST(JsonPlain, KeysAtOtherPlaces) {
  objects::Plan const plan = columns("key_a,key_b,key_c_that_is_rather_long,d");
  std::string const keys[] = {"\"key_a\":1", "\"key_b\": 2", "\"key_c_that_is_rather_long\":3", "\"d\" : 4", "\"e\":5"};
  std::string text;
  for (std::size_t begin = 0; begin < 5; ++begin) {
    for (std::size_t count = 1; count <= 5; ++count) {
      std::string line;
      for (std::size_t i = 0; i < count; ++i) line += (i == 0 ? "{" : ",") + keys[(begin + i) % 5];
      text += line + "}\n";
    }
  }
  EXPECT_EQ(plain<cuda::json::Objects>(plan, text), std::string(25, '+'));
  EXPECT_EQ(compare<objects::Format>(plan, {text}, 1 << 16, roomy()), "");
}

/// More cells than there is memory for: objects that lack nearly all columns.
TEST(JsonPlain, ManyColumnsThatLack) {
  std::string list = "k0";
  for (int i = 1; i < 100; ++i) list += ",k" + std::to_string(i);
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "{\"k" + std::to_string(i % 100) + "\":1}\n";
  objects::Plan const plan = columns(list);
  EXPECT_EQ(plain<cuda::json::Objects>(plan, text), std::string(3000, '-'));
  EXPECT_EQ(plain<cuda::json::Objects>(plan, text.substr(0, text.rfind('\n', 1000) + 1)).find('-'), std::string::npos);
}

}  // namespace
}  // namespace penstock
