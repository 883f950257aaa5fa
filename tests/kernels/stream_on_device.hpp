/// Whole streams of an input, on the CPU and on the emulated device: what they give, and what they do when calls of the
/// CUDA runtime fail.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "host/pipeline/record_stream.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/simt/simt.hpp"
#include "tests/support/stream_record.hpp"
#include "tests/support/test_device.hpp"

namespace penstock::testing {

class StreamOnDevice : public ::testing::Test {
 protected:
  /// Several chunks, on one lane.
  explicit StreamOnDevice(std::size_t slot_bytes) {
    options_.slot_bytes = slot_bytes;
    options_.threads = 1;
    options_.on_error = FaultPolicy::skip;
    options_.is_device_required = true;
    options_.memory_bytes = std::size_t{1} << 30;
  }
  void TearDown() override { simt::fail_no_call(); }

  StreamRecord run(bool on_device) {
    StreamOptions options = options_;
    try {
      if (on_device) options.device = test_device();
      StreamRecord record = record_stream(*plan_, options);
      if (on_device && options.device != nullptr) device_chunks_ = options.device->device_chunks();
      return record;
    } catch (Error const& error) {  // of choosing the device, or of making the stream
      StreamRecord record;
      record.code = error.exit_code();
      record.message = error.what();
      record.hint = error.hint();
      return record;
    }
  }

  /// Whatever slots and lanes.
  void expect_the_same_in_all_slots() {
    for (std::size_t const slot_bytes :
         {std::size_t{1024}, std::size_t{2048}, std::size_t{5000}, std::size_t{1} << 20}) {
      for (unsigned const threads : {1u, 3u}) {
        options_.slot_bytes = slot_bytes;
        options_.threads = threads;
        StreamRecord const expected = run(false);
        ASSERT_EQ(expected.code, ExitCode::ok) << expected.message;
        StreamRecord const found = run(true);
        EXPECT_EQ(difference(expected, found, true), "") << slot_bytes;
        EXPECT_EQ(found.encoded, expected.encoded) << slot_bytes;
        EXPECT_GT(found.rows.size(), 100u);
        EXPECT_GT(device_chunks_, 0u);
        missing_cells_ = found.counts.missing_cells;
      }
    }
  }

  /// Each call in turn, behind the first hundred some: the stream says which it was, gives back all that it took, and
  /// hands out no row that the CPU would not have handed out.
  void expect_that_any_call_may_fail() {
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
      std::string const call = "call " + std::to_string(n) + ", " + simt::failed_call();
      simt::fail_no_call();
      EXPECT_EQ(simt::live_allocations(), memory) << call;
      EXPECT_EQ(simt::live_handles(), handles) << call;
      ASSERT_LE(found.rows.size(), expected.rows.size());
      for (std::size_t row = 0; row < found.rows.size(); ++row) ASSERT_EQ(found.rows[row], expected.rows[row]);
      if (found.code == ExitCode::ok)
        continue;  // the schedule of the threads asked for fewer calls, or it was of no account
      ++failures;
      EXPECT_EQ(found.code, ExitCode::device) << call << ": " << found.message;
      EXPECT_NE(found.message.find("CUDA"), std::string::npos) << found.message;
      EXPECT_FALSE(found.hint.empty()) << found.message;
    }
    EXPECT_GT(failures, 50u);
  }

  void expect_smaller_slots_on_a_device_of(std::size_t memory_bytes) {
    StreamRecord const expected = run(false);
    options_.slot_bytes = 0;
    simt::set_device_memory(memory_bytes);
    StreamRecord const found = run(true);
    simt::set_device_memory(std::size_t{8} << 30);
    ASSERT_EQ(found.code, ExitCode::ok) << found.message;
    EXPECT_EQ(difference(expected, found, true), "");
  }

  ScratchFolder folder_;
  std::unique_ptr<InputPlan> plan_;
  StreamOptions options_;
  std::uint64_t device_chunks_ = 0;
  std::uint64_t missing_cells_ = 0;
};

}  // namespace penstock::testing
