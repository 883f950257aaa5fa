// A whole stream on a device that fails: at each call of the CUDA runtime in turn. The stream says which call it was,
// gives back all that it took, and hands out no row that the CPU would not have handed out.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "formats/libsvm/format.hpp"
#include "formats/recordio/format.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "host/pipeline/format_plan.hpp"
#include "tests/kernels/stream_on_device.hpp"
#include "tests/support/simt/simt.hpp"
#include "tests/support/stream_record.hpp"
#include "tests/support/test_device.hpp"

namespace penstock {
namespace {

using testing::record_stream;
using testing::StreamRecord;

std::string csv_text() {
  std::string text;
  for (int i = 0; i < 150; ++i) text += std::to_string(i) + ",0.5,-" + std::to_string(i * 7) + "e-2\n";
  return text + "1,oops,3\n4,5,6\n";
}

std::string quoted_text() {
  std::string text;
  for (int i = 0; i < 150; ++i) text += std::to_string(i) + ",\"0.5\",\"-" + std::to_string(i * 7) + "e-2\"\n";
  return text + "1,\"oo\nps\",3\n4,\"5\",6\n";
}

std::string libsvm_text() {
  std::string text;
  for (int i = 0; i < 150; ++i) text += "1 1:0.5 " + std::to_string(i + 2) + ":-2.5\n";
  return text + "0 3:1 2:4\n0 7:oops\n1 5:6\n";
}

std::function<std::unique_ptr<Encoder>()> recordio_writer(BatchLayout const& layout) {
  return [layout] { return std::make_unique<recordio::Writer>(layout, recordio::WriteOptions{}); };
}

/// An input, its plan, and what a stream of it gives.
class DeviceStream : public testing::StreamOnDevice, public ::testing::WithParamInterface<char const*> {
 protected:
  DeviceStream() : StreamOnDevice(1024) {
    std::string const format = GetParam();
    if (format == "csv" || format == "csv_cut_there") {
      options_.cuts_on_device = format == "csv_cut_there";
      std::string const text = options_.cuts_on_device ? quoted_text() : csv_text();
      plan_ = plan_csv(expand_inputs({folder_.put("in.csv", text)}), {});
    } else if (format == "libsvm") {
      libsvm::Options read;
      read.num_features = 200;
      plan_ = std::make_unique<FormatPlan<libsvm::Format>>(expand_inputs({folder_.put("in.libsvm", libsvm_text())}),
                                                           read, PlanRequest{options_, true});
    } else {
      CsvOptions const read;
      auto const csv = plan_csv(expand_inputs({folder_.put("in.csv", csv_text())}), read);
      StreamOptions making = options_;
      making.make_encoder = recordio_writer(csv->layout());
      std::string const frames = record_stream(*csv, making).encoded;
      plan_ = std::make_unique<FormatPlan<recordio::Format>>(expand_inputs({folder_.put("in.rec", frames)}),
                                                             recordio::Options{}, PlanRequest{options_, false});
    }
    options_.make_encoder = recordio_writer(plan_->layout());
  }
};

TEST_P(DeviceStream, GivesWhatTheCpuGives) {
  StreamRecord const expected = run(false);
  ASSERT_EQ(expected.code, ExitCode::ok) << expected.message;
  StreamRecord const found = run(true);
  EXPECT_EQ(testing::difference(expected, found, true), "");
  EXPECT_GT(found.rows.size(), 100u);
  options_.takes_batches = false;  // encoded on the device, and nothing else is copied out
  StreamRecord const encoded = run(true);
  EXPECT_EQ(encoded.encoded, expected.encoded);
  EXPECT_EQ(encoded.rows.size(), expected.rows.size());
  EXPECT_EQ(encoded.counts.missing_cells, expected.counts.missing_cells);
}

TEST_P(DeviceStream, AnyCallMayFail) { expect_that_any_call_may_fail(); }
TEST_P(DeviceStream, SmallerSlotsWhereTheDeviceIsFull) { expect_smaller_slots_on_a_device_of(std::size_t{48} << 20); }

TEST_P(DeviceStream, SaysWhatThereIsNoRoomFor) {
  simt::set_device_memory(std::size_t{4} << 10);
  StreamRecord const found = run(true);
  simt::set_device_memory(std::size_t{8} << 30);
  EXPECT_EQ(found.code, ExitCode::device);
  EXPECT_NE(found.message.find("cudaMalloc"), std::string::npos) << found.message;
  EXPECT_NE(found.hint.find("--slot-size"), std::string::npos) << found.hint;
}

TEST_P(DeviceStream, LeavesADeviceThatNobodyAskedForAndThatHasNoRoom) {
  StreamRecord const expected = run(false);
  options_.is_device_required = false;
  simt::set_device_memory(std::size_t{4} << 10);
  StreamRecord const found = run(true);
  simt::set_device_memory(std::size_t{8} << 30);
  EXPECT_EQ(testing::difference(expected, found, true), "");
}

INSTANTIATE_TEST_SUITE_P(Formats, DeviceStream, ::testing::Values("csv", "csv_cut_there", "libsvm", "recordio"),
                         [](auto const& one) { return std::string(one.param); });

TEST(DeviceChoice, NamesTheReasonAndFallsBack) {
  EXPECT_NE(choose_device({.name = "auto"}).device, nullptr);
  EXPECT_EQ(choose_device({.name = "cpu"}).device, nullptr);
  EXPECT_THROW((void)choose_device({.name = "cuda:77"}), DeviceError);
  simt::fail_call(1, cudaErrorInsufficientDriver);
  simt::fail_call(2, cudaErrorInsufficientDriver);
  DeviceChoice const choice = choose_device({.name = "auto"});
  simt::fail_no_call();
  EXPECT_TRUE(choice.device != nullptr || !choice.reason.empty());
}

}  // namespace
}  // namespace penstock
