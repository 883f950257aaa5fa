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

class JsonRecordsStream : public ::testing::TestWithParam<Lines> {
 protected:
  void SetUp() override {
    options_.slot_bytes = 2048;  // several chunks
    options_.threads = 1;
    options_.on_error = FaultPolicy::skip;
    options_.is_device_required = true;
    options_.memory_bytes = std::size_t{1} << 30;
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
  void TearDown() override { simt::fail_no_call(); }

  template <class F>
  void make(std::string const& text, typename F::Options read) {
    plan_ = std::make_unique<FormatPlan<F>>(expand_inputs({folder_.put("in.json", text)}), std::move(read),
                                            PlanRequest{options_, false});
  }

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

TEST_P(JsonRecordsStream, GivesWhatTheCpuGives) {
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
      EXPECT_EQ(found.counts.missing_cells == 0, GetParam() == Lines::tokens);
      EXPECT_GT(device_chunks_, 0u);
    }
  }
}

TEST_P(JsonRecordsStream, AnyCallMayFail) {
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

TEST_P(JsonRecordsStream, SmallerSlotsWhereTheDeviceIsFull) {
  StreamRecord const expected = run(false);
  options_.slot_bytes = 0;
  simt::set_device_memory(std::size_t{64} << 20);
  StreamRecord const found = run(true);
  simt::set_device_memory(std::size_t{8} << 30);
  ASSERT_EQ(found.code, ExitCode::ok) << found.message;
  EXPECT_EQ(testing::difference(expected, found, true), "");
}

std::string name_of(::testing::TestParamInfo<Lines> const& kind) {
  constexpr char const* names[] = {"Dense", "Sparse", "Objects", "Tokens"};
  return names[static_cast<std::size_t>(kind.param)];
}
INSTANTIATE_TEST_SUITE_P(AllKinds, JsonRecordsStream,
                         ::testing::Values(Lines::dense, Lines::sparse, Lines::objects, Lines::tokens), name_of);

}  // namespace
}  // namespace penstock
