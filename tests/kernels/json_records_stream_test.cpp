// Whole streams of vectors, objects and Object2Vec on a device: what the CPU gives, whatever slots, and whichever call
// of the CUDA runtime fails.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "formats/jsonl/format.hpp"
#include "formats/object2vec/format.hpp"
#include "formats/objects/format.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/format_plan.hpp"
#include "tests/kernels/stream_on_device.hpp"
#include "tests/support/dirty_json.hpp"

namespace penstock {
namespace {

std::string tokens(testing::DirtyLines& dirty, std::size_t count_max) {
  std::string text = "[";
  for (std::size_t n = 1 + dirty.below(count_max); n > 0; --n)
    text += std::to_string(dirty.below(5000)) + (n == 1 ? "]" : ", ");
  return text;
}

std::string vectors_text(bool is_sparse) {
  testing::DirtyLines dirty(5);
  jsonl::Plan plan;
  plan.layout.is_sparse = is_sparse;
  plan.layout.features = 3;
  plan.layout.labels = 1;
  std::string text = is_sparse ? R"({"features":{"keys":[2,0],"values":[1,"NaN"],"shape":[3]},"label":1})"
                               : R"({"features":[1,"NaN",3],"label":1})";
  text += "\n";
  for (int i = 0; i < 120; ++i) {
    std::string const values = "[" + dirty.number() + ", null, " + dirty.number() + "]";
    text += "{\"label\": " + std::to_string(i) +
            ", \"features\": " + (is_sparse ? "{\"keys\": [2, 1, 0], \"values\": " + values + "}" : values) + "}\n";
    if (i % 4 == 0) text += dirty.vector(plan) + "\r\n";
  }
  return text;
}

std::string objects_text() {
  testing::DirtyLines dirty(6);
  std::string text;
  for (int i = 0; i < 150; ++i) {
    text += "{\"a\": " + dirty.number() + ", \"b\": {\"c\": [null, " + dirty.number() + "]}, \"y\": \"" +
            (i % 3 == 0 ? "yes" : "no") + "\", \"note\": \"\\u00e4\"}\n";
    if (i % 5 == 0) text += dirty.bitten("{\"a\": 1, \"y\": \"no\"}") + "\r\n\n";
    if (i % 7 == 0) text += "{\"a\": true, \"y\": \"perhaps\"}\n";
  }
  return text;
}

std::string tokens_text() {
  testing::DirtyLines dirty(7);
  std::string text;
  for (int i = 0; i < 150; ++i) {
    text += "{\"label\": " + std::to_string(i % 2) + ", \"in0\": " + tokens(dirty, 20) +
            ", \"in1\": " + tokens(dirty, 7) + "}\n";
    if (i % 5 == 0) text += dirty.bitten("{\"in0\": [1, -2], \"in1\": [3]}") + "\r\n";
  }
  return text;
}

/// A kind of lines, as they are given to a stream.
enum class Lines { dense, sparse, objects, tokens };

class JsonRecordsStream : public testing::StreamOnDevice, public ::testing::WithParamInterface<Lines> {
 protected:
  JsonRecordsStream() : StreamOnDevice(2048) {
    switch (GetParam()) {
      case Lines::dense: make<jsonl::Format>(vectors_text(false), {}); break;
      case Lines::sparse: make<jsonl::Format>(vectors_text(true), {}); break;
      case Lines::objects: {
        objects::Options read;
        read.columns = "a,b.c[0],b.c[1]";
        read.label = "y";
        read.label_map = "yes=1,no=0";
        make<objects::Format>(objects_text(), std::move(read));
        break;
      }
      case Lines::tokens: make<object2vec::Format>(tokens_text(), {}); return;  // nothing is written of tokens
    }
    options_.make_encoder = [layout = plan_->layout()] {
      return std::make_unique<jsonl::Writer>(layout, jsonl::WriteOptions{});
    };
  }

  template <class F>
  void make(std::string const& text, typename F::Options read) {
    plan_ = std::make_unique<FormatPlan<F>>(expand_inputs({folder_.put("in.json", text)}), std::move(read),
                                            PlanRequest{options_, false});
  }
};

TEST_P(JsonRecordsStream, GivesWhatTheCpuGives) {
  expect_the_same_in_all_slots();
  EXPECT_EQ(missing_cells_ == 0, GetParam() == Lines::tokens);
}
TEST_P(JsonRecordsStream, AnyCallMayFail) { expect_that_any_call_may_fail(); }
TEST_P(JsonRecordsStream, SmallerSlotsWhereTheDeviceIsFull) {
  expect_smaller_slots_on_a_device_of(std::size_t{64} << 20);
}

std::string name_of(::testing::TestParamInfo<Lines> const& kind) {
  constexpr char const* names[] = {"Dense", "Sparse", "Objects", "Tokens"};
  return names[static_cast<std::size_t>(kind.param)];
}
INSTANTIATE_TEST_SUITE_P(AllKinds, JsonRecordsStream,
                         ::testing::Values(Lines::dense, Lines::sparse, Lines::objects, Lines::tokens), name_of);

}  // namespace
}  // namespace penstock
