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
#include "host/pipeline/record_stream.hpp"
#include "tests/support/dirty_json.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/simt/simt.hpp"
#include "tests/support/stream_record.hpp"
#include "tests/support/test_device.hpp"

namespace penstock {
namespace {

using testing::record_stream;
using testing::ScratchFolder;
using testing::StreamRecord;

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

class JsonStream : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.slot_bytes = 2048;  // several chunks
    options_.threads = 1;
    options_.on_error = FaultPolicy::skip;
    options_.is_device_required = true;
    options_.memory_bytes = std::size_t{1} << 30;
    deepar::Options read;
    read.checks_categories = false;
    plan_ = std::make_unique<FormatPlan<deepar::Format>>(expand_inputs({folder_.put("in.json", deepar_text(5))}), read,
                                                         PlanRequest{options_, false});
    options_.make_encoder = [layout = plan_->layout()] {
      return std::make_unique<deepar::Writer>(layout, deepar::WriteOptions{});
    };
  }
  void TearDown() override { simt::fail_no_call(); }

  StreamRecord run(bool on_device) {
    StreamOptions options = options_;
    try {
      if (on_device) options.device = testing::test_device();
      StreamRecord record = record_stream(*plan_, options);
      if (on_device) device_chunks_ = options.device->device_chunks();
      return record;
    } catch (Error const& error) {  // of choosing the device, or of making the stream
      StreamRecord record;
      record.code = error.exit_code();
      record.message = error.what();
      record.hint = error.hint();
      return record;
    }
  }

  ScratchFolder folder_;
  std::unique_ptr<InputPlan> plan_;
  StreamOptions options_;
  std::uint64_t device_chunks_ = 0;
};

TEST_F(JsonStream, GivesWhatTheCpuGives) {
  for (std::size_t const slot_bytes : {std::size_t{1024}, std::size_t{2048}, std::size_t{5000}, std::size_t{1} << 20}) {
    for (unsigned const threads : {1u, 3u}) {
      options_.slot_bytes = slot_bytes;
      options_.threads = threads;
      StreamRecord const expected = run(false);
      ASSERT_EQ(expected.code, ExitCode::ok) << expected.message;
      StreamRecord const found = run(true);
      EXPECT_EQ(testing::difference(expected, found, true), "") << slot_bytes;
      EXPECT_EQ(found.encoded, expected.encoded) << slot_bytes;
      EXPECT_GT(found.rows.size(), 100u);
      EXPECT_GT(found.counts.missing_cells, 0u);
      EXPECT_GT(device_chunks_, 0u);
    }
  }
}

TEST_F(JsonStream, AnyCallMayFail) {
  StreamRecord const expected = run(false);
  std::uint64_t const before = simt::calls();
  ASSERT_EQ(run(true).code, ExitCode::ok);
  std::uint64_t const calls = simt::calls() - before;
  ASSERT_GT(calls, 50u);
  std::size_t const memory = simt::live_allocations(), handles = simt::live_handles();
  std::uint64_t failures = 0;
  for (std::uint64_t n = 1; n <= calls; n += n < 120 ? 1 : 13) {
    simt::fail_call(n, cudaErrorLaunchFailure);
    StreamRecord const found = run(true);
    std::string const call = simt::failed_call();
    simt::fail_no_call();
    EXPECT_EQ(simt::live_allocations(), memory) << "call " << n << ", " << call;
    EXPECT_EQ(simt::live_handles(), handles) << "call " << n << ", " << call;
    ASSERT_LE(found.rows.size(), expected.rows.size());
    for (std::size_t row = 0; row < found.rows.size(); ++row) ASSERT_EQ(found.rows[row], expected.rows[row]);
    if (found.code == ExitCode::ok) continue;
    ++failures;
    EXPECT_EQ(found.code, ExitCode::device) << "call " << n << ", " << call << ": " << found.message;
  }
  EXPECT_GT(failures, 50u);
}

TEST_F(JsonStream, SmallerSlotsWhereTheDeviceIsFull) {
  StreamRecord const expected = run(false);
  options_.slot_bytes = 0;
  simt::set_device_memory(std::size_t{64} << 20);
  StreamRecord const found = run(true);
  simt::set_device_memory(std::size_t{8} << 30);
  ASSERT_EQ(found.code, ExitCode::ok) << found.message;
  EXPECT_EQ(testing::difference(expected, found, true), "");
}

}  // namespace
}  // namespace penstock
