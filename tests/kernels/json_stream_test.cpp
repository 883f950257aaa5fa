// Whole streams of DeepAR's lines on a device: what the CPU gives, whatever slots, and whichever call of the CUDA
// runtime fails.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "formats/deepar/format.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/format_plan.hpp"
#include "tests/kernels/stream_on_device.hpp"
#include "tests/support/dirty_json.hpp"

namespace penstock {
namespace {

std::string deepar_text(std::uint64_t seed) {
  testing::DirtyLines dirty(seed);
  deepar::Plan plan;
  plan.layout.cats = 2;
  plan.layout.lists[1] = {ListRole::dynamic_feat, DType::float32, 2};
  std::string text = R"({"start":"2009-11-01","target":[1,"NaN",3],"cat":[0,1],"dynamic_feat":[[1,2,3],[4,5,6]]})"
                     "\n";
  for (int i = 0; i < 120; ++i) {
    std::string values = "[";
    for (std::size_t n = 1 + dirty.below(20); n > 0; --n) values += dirty.number() + (n == 1 ? "]" : ", ");
    text += "{\"start\":\"2020-02-29 00:00:00\",\"target\":" + values + ",\"cat\":[" + std::to_string(i) +
            ",7],\"dynamic_feat\":[" + values + "," + values + "]}\n";
    if (i % 4 == 0) text += dirty.deepar(plan) + "\r\n";
  }
  return text;
}

class JsonStream : public testing::StreamOnDevice {
 protected:
  JsonStream() : StreamOnDevice(2048) {
    deepar::Options read;
    read.checks_categories = false;
    plan_ = std::make_unique<FormatPlan<deepar::Format>>(expand_inputs({folder_.put("in.json", deepar_text(5))}), read,
                                                         PlanRequest{options_, false});
    options_.make_encoder = [layout = plan_->layout()] {
      return std::make_unique<deepar::Writer>(layout, deepar::WriteOptions{});
    };
  }
};

TEST_F(JsonStream, GivesWhatTheCpuGives) {
  expect_the_same_in_all_slots();
  EXPECT_GT(missing_cells_, 0u);
}
TEST_F(JsonStream, AnyCallMayFail) { expect_that_any_call_may_fail(); }
TEST_F(JsonStream, SmallerSlotsWhereTheDeviceIsFull) { expect_smaller_slots_on_a_device_of(std::size_t{64} << 20); }

}  // namespace
}  // namespace penstock
