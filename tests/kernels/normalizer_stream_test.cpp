// Whole streams behind a normaliser, on the CPU and on a device: the same bytes for all outputs, and the same count of
// missing values.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/csv/encode.hpp"
#include "formats/libsvm/format.hpp"
#include "formats/objects/format.hpp"
#include "formats/recordio/format.hpp"
#include "host/exec/device_lane.hpp"
#include "host/exec/normalizer.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "host/pipeline/format_plan.hpp"
#include "tests/kernels/stream_on_device.hpp"
#include "tests/support/stream_record.hpp"

namespace penstock {
namespace {

using normalize::Kind;
using testing::StreamRecord;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Two columns of these come out of the first, one of each of the others; the last is as it was.
std::shared_ptr<Normalizer const> normalizer_of_four(bool is_affine) {
  Normalizer::Parts parts;
  parts.features = 4;
  if (is_affine) {
    parts.runs = {{Kind::affine, false, false, 0, 0, 4}};
    parts.parameters = {{0.5, 3, -1, 0, 0}, {0, 0.25, nan, 0, 0}, {2, -1, 7, 0, 0}, {}};
  } else {
    parts.runs = {{Kind::log1p, false, false, 0, 0, 1},
                  {Kind::indicator, false, false, 0, 1, 1},
                  {Kind::bucket, false, false, 1, 2, 1},
                  {Kind::power, false, false, 2, 3, 1},
                  {Kind::affine, false, false, 3, 4, 1}};
    parts.parameters = {{0, 1, nan, 0, 0}, {}, {0, 1, 5, 0, 3}, {0.5, 1, nan, 0, 0}, {0, 1, nan, 0, 0}};
    parts.edges = {-100, 0.5, 33};
  }
  return std::make_shared<Normalizer const>(std::move(parts));
}

/// A label and four features, some missing, with a record that is bad.
std::string csv_text(bool has_missing) {
  std::string text;
  for (int i = 0; i < 220; ++i) {
    std::string const third = has_missing && i % 5 == 2 ? "" : std::to_string(i * 17 % 101 - 50);
    text += std::to_string(i % 2) + "," + std::to_string(i * i) + "," + std::to_string(i - 110) + "," + third + "," +
            (has_missing && i % 7 == 0 ? "NA" : std::to_string(i % 4)) + "\n";
    if (i == 77) text += "1,2,oops,4,5\n";
  }
  return text;
}

std::string objects_text() {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += "{\"y\": " + std::to_string(i % 2) + ", \"a\": " + std::to_string(i * i) +
            ", \"b\": " + std::to_string(i - 90) + ".25, " + (i % 6 == 1 ? "" : "\"c\": 0.5, ") + "\"d\": -" +
            std::to_string(i) + "}\n";
  }
  return text;
}

struct Case {
  char const* name;
  char const* format;
  DType dtype;
  char const* output;
};

void PrintTo(Case const& one, std::ostream* out) { *out << one.name; }

class NormalizedStream : public testing::StreamOnDevice, public ::testing::WithParamInterface<Case> {
 protected:
  NormalizedStream() : StreamOnDevice(1024) {
    std::string_view const format = GetParam().format;
    if (format == "csv") {
      plan_ = csv_plan(GetParam().dtype);
    } else if (format == "objects") {
      objects::Options read;
      read.label = "y";
      plan_ = std::make_unique<FormatPlan<objects::Format>>(expand_inputs({folder_.put("in.json", objects_text())}),
                                                            read, PlanRequest{options_, true});
    } else {
      auto const csv = csv_plan(GetParam().dtype);
      StreamOptions making = options_;
      making.make_encoder = [layout = csv->layout()] {
        return std::make_unique<recordio::Writer>(layout, recordio::WriteOptions{});
      };
      std::string const frames = testing::record_stream(*csv, making).encoded;
      plan_ = std::make_unique<FormatPlan<recordio::Format>>(expand_inputs({folder_.put("in.rec", frames)}),
                                                             recordio::Options{}, PlanRequest{options_, true});
    }
  }

  std::unique_ptr<InputPlan> csv_plan(DType dtype) {
    CsvOptions read;
    read.label = "0";
    read.dtype = dtype;
    read.on_error = FaultPolicy::skip;
    return plan_csv(expand_inputs({folder_.put("in.csv", csv_text(is_floating(dtype)))}), read);
  }

  void prepare(bool is_affine) {
    options_.shaping.normalizer = normalizer_of_four(is_affine);
    std::string_view const output = GetParam().output;
    options_.shaping.reshape.reset();
    if (output == "sparse_recordio") options_.shaping.reshape = Absent::missing;
    BatchLayout const layout = stream_layout(*plan_, options_);
    options_.make_encoder = {};
    if (output == "recordio" || output == "sparse_recordio")
      options_.make_encoder = [layout] { return std::make_unique<recordio::Writer>(layout, recordio::WriteOptions{}); };
    if (output == "csv") options_.make_encoder = [layout] { return std::make_unique<csv::RowEncoder>(layout); };
  }
};

TEST_P(NormalizedStream, GivesWhatTheCpuGives) {
  for (bool const is_affine : {false, true}) {
    prepare(is_affine);
    expect_the_same_in_all_slots();
    EXPECT_EQ(missing_cells_ > 0, is_floating(GetParam().dtype));
  }
}

/// Nothing but what the device has encoded is copied out.
TEST_P(NormalizedStream, GivesTheSameBytesWithoutRows) {
  prepare(false);
  if (!options_.make_encoder) return;
  options_.takes_batches = false;
  StreamRecord const expected = run(false);
  StreamRecord const found = run(true);
  EXPECT_EQ(found.encoded, expected.encoded);
  EXPECT_GT(found.encoded.size(), 1000u);
  EXPECT_EQ(found.rows.size(), expected.rows.size());
  EXPECT_EQ(found.counts.missing_cells, expected.counts.missing_cells);
}

/// Rounds that are handed out in part are encoded again, from the rows that were copied out.
TEST_P(NormalizedStream, GivesAPartOfTheRows) {
  prepare(false);
  options_.takes_batches = false;
  options_.skip = 7;
  options_.limit = 101;
  StreamRecord const expected = run(false);
  StreamRecord const found = run(true);
  EXPECT_EQ(found.encoded, expected.encoded);
  EXPECT_EQ(found.rows.size(), 101u);
  EXPECT_EQ(found.counts.missing_cells, expected.counts.missing_cells);
}

TEST_P(NormalizedStream, SmallerSlotsWhereTheDeviceIsFull) {
  prepare(true);
  expect_smaller_slots_on_a_device_of(std::size_t{64} << 20);
}

TEST_P(NormalizedStream, AnyCallMayFail) {
  prepare(false);
  expect_that_any_call_may_fail();
}

INSTANTIATE_TEST_SUITE_P(Formats, NormalizedStream,
                         ::testing::Values(Case{"csv_to_recordio", "csv", DType::float32, "recordio"},
                                           Case{"csv_float64_to_recordio", "csv", DType::float64, "recordio"},
                                           Case{"csv_int32_to_recordio", "csv", DType::int32, "recordio"},
                                           Case{"csv_int64_to_batches", "csv", DType::int64, "batches"},
                                           Case{"csv_to_batches", "csv", DType::float32, "batches"},
                                           Case{"csv_float64_to_csv", "csv", DType::float64, "csv"},
                                           Case{"csv_to_sparse_recordio", "csv", DType::float32, "sparse_recordio"},
                                           Case{"recordio_to_recordio", "recordio", DType::float32, "recordio"},
                                           Case{"recordio_to_sparse_recordio", "recordio", DType::float32,
                                                "sparse_recordio"},
                                           Case{"objects_to_recordio", "objects", DType::float32, "recordio"},
                                           Case{"objects_to_csv", "objects", DType::float32, "csv"}),
                         [](auto const& one) { return std::string(one.param.name); });

/// A vocabulary's word becomes a column for each word, and texts are read on the device too.
class NormalizedWords : public testing::StreamOnDevice {
 protected:
  NormalizedWords() : StreamOnDevice(1024), words_({"Paris", "New York", "Rio de Janeiro, Brazil"}) {
    Normalizer::Parts parts;
    parts.features = 1;
    parts.runs = {{Kind::affine, false, false, 0, 0, 1},
                  {Kind::one_hot, true, true, 0, 1, 3},
                  {Kind::affine, true, false, 1, 4, 1}};
    parts.parameters = {{0.5, 3, -1, 0, 0}, {}, {}, {}, {0, 1, nan, 0, 0}};
    options_.shaping.normalizer = std::make_shared<Normalizer const>(std::move(parts));
    CsvOptions read;
    read.texts = "0,2";
    rules_[0].vocabulary = words_.view();
    rules_[1].reading = normalize::Reading::hash;
    read.text_rules = rules_;
    read.label = "3";
    read.on_error = FaultPolicy::skip;
    plan_ = plan_csv(expand_inputs({folder_.put("in.csv", text())}), read);
    options_.make_encoder = [layout = stream_layout(*plan_, options_)] {
      return std::make_unique<recordio::Writer>(layout, recordio::WriteOptions{});
    };
  }

  static std::string text() {
    static constexpr char const* words[] = {"Paris", "New York", "\"Rio de Janeiro, Brazil\"", "\"Paris\"", ""};
    std::string text;
    for (int i = 0; i < 260; ++i) {
      text += words[i * i % 5] + ("," + std::to_string(i % 9)) + ",user " + std::to_string(i % 40) + ",1\n";
      if (i % 50 == 20) text += "Lyon,1,user,1\n";
    }
    return text;
  }

  VocabularyTable words_;
  std::vector<normalize::TextRule> rules_ = std::vector<normalize::TextRule>(2);
};

TEST_F(NormalizedWords, GivesWhatTheCpuGives) {
  expect_the_same_in_all_slots();
  EXPECT_GT(missing_cells_, 30u);
  options_.takes_batches = false;
  StreamRecord const expected = run(false), found = run(true);
  EXPECT_EQ(found.encoded, expected.encoded);
  EXPECT_EQ(found.counts.rejected, 5u);
  EXPECT_GT(found.encoded.size(), 5000u);
}

TEST_F(NormalizedWords, AnyCallMayFail) { expect_that_any_call_may_fail(); }

/// Sparse rows are normalised on the host, and missing values are counted before that all the same.
TEST(WorkerOptions, NormaliseDenseRowsThatKeepTheirForm) {
  LaneOptions options;
  BatchLayout dense;
  dense.features = 4;
  BatchLayout sparse = dense;
  sparse.is_sparse = true;
  csv::RowEncoder const encoder(dense);
  EXPECT_EQ(worker_options(options, dense, &encoder, true).normalizer, nullptr);
  EXPECT_EQ(worker_options(options, dense, &encoder, true).encoder, &encoder);

  options.shaping.normalizer = normalizer_of_four(true);
  WorkerOptions const there = worker_options(options, dense, &encoder, false);
  EXPECT_EQ(there.normalizer, &options.shaping.normalizer->program());
  EXPECT_EQ(there.encoder, &encoder);
  EXPECT_FALSE(there.counts_missing);
  EXPECT_TRUE(worker_options(options, dense, &encoder, true).counts_missing);
  WorkerOptions const pairs = worker_options(options, sparse, &encoder, false);
  EXPECT_EQ(pairs.normalizer, nullptr);
  EXPECT_EQ(pairs.encoder, nullptr);
  EXPECT_FALSE(pairs.counts_missing);

  options.shaping.reshape = Absent::zero;
  WorkerOptions const reshaped = worker_options(options, dense, &encoder, false);
  EXPECT_EQ(reshaped.normalizer, nullptr);
  EXPECT_EQ(reshaped.encoder, nullptr);
  EXPECT_FALSE(reshaped.counts_missing);
}

}  // namespace
}  // namespace penstock
