// What a user sees of a stream - rows, encoded bytes, reports, raw bytes of rejects, counts, the error at the end -
// does not depend on slots, threads and instruction set, whatever the policy.

#include "host/pipeline/record_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "formats/csv/encode.hpp"
#include "formats/recordio/encode.hpp"
#include "formats/recordio/write_rows.hpp"
#include "tests/support/dirty_csv.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/stream_record.hpp"
#include "tests/support/test_device.hpp"

namespace penstock {
namespace {

using testing::difference;
using testing::DirtyGenerator;
using testing::DirtyInput;
using testing::InstructionSetScope;
using testing::Random;
using testing::record_stream;
using testing::ScratchFolder;
using testing::StreamRecord;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(PENSTOCK_SIMT)
constexpr std::uint64_t inputs_per_policy = 25;
#else
constexpr std::uint64_t inputs_per_policy = 120;
#endif
constexpr int schedules_per_input = 4;

/// What must not matter.
struct Schedule {
  std::size_t slot_bytes = std::size_t{1} << 20;
  unsigned threads = 1;
  bool is_portable = false;
  bool is_on_device = false;
  bool cuts_on_device = false;
};

std::string name_of(Schedule const& s) {
  return "slots of " + std::to_string(s.slot_bytes) + ", " + std::to_string(s.threads) + " threads" +
         (s.is_portable ? ", portable" : "") + (s.is_on_device ? ", on a device" : "") +
         (s.cuts_on_device ? ", cut there" : "");
}

Schedule random_schedule(Random& random) {
  static constexpr std::size_t slots[] = {64, 65, 80, 100, 127, 128, 200, 500, 1000, 4096, 1 << 16, 1 << 20};
  return {random.one_of(slots), 1 + static_cast<unsigned>(random.below(8)), random.one_in(2), testing::has_test_device,
          testing::has_test_device && random.one_in(2)};
}

enum class Encoding { none, recordio, csv };

/// One input with its plan and all options but the schedule.
struct Case {
  Case(std::uint64_t seed, testing::DirtyWishes const& wishes)
      : input(DirtyGenerator(seed, wishes).input()), plan(input.plan(folder)) {
    options.memory_bytes = std::size_t{8} << 30;  // address space; what is not touched costs nothing
    options.record_max = input.options.record_max;
    options.on_error = wishes.on_error;
    encode(static_cast<Encoding>(seed % 3));
  }

  void encode(Encoding encoding) {
    BatchLayout const& layout = plan->layout();
    if (recordio::DenseEncoder::unsupported(layout) && encoding == Encoding::recordio) encoding = Encoding::csv;
    options.make_encoder = {};
    if (encoding == Encoding::recordio)
      options.make_encoder = [&layout] { return std::make_unique<recordio::Writer>(layout, recordio::WriteOptions{}); };
    if (encoding == Encoding::csv)
      options.make_encoder = [&layout] { return std::make_unique<csv::RowEncoder>(layout); };
  }

  StreamRecord run(Schedule const& schedule) {
    InstructionSetScope const isa(schedule.is_portable);
    options.slot_bytes = schedule.slot_bytes;
    options.threads = schedule.threads;
    options.device = schedule.is_on_device ? testing::test_device() : nullptr;
    options.cuts_on_device = schedule.cuts_on_device;
    return record_stream(*plan, options);
  }

  ScratchFolder folder;
  DirtyInput input;
  std::unique_ptr<CsvPlan> plan;
  StreamOptions options;
};

/// Whether a stream reads all of its input.
bool is_read_to_the_end(StreamRecord const& record, StreamOptions const& options) {
  return record.is_whole && options.skip == 0 && !options.limit.has_value();
}

/// All schedules give what the plainest one gives, which is returned.
StreamRecord check_schedules(Case& one, Random& random, std::string const& where) {
  StreamRecord expected = one.run({});
  for (int i = 0; i < schedules_per_input; ++i) {
    Schedule const schedule = random_schedule(random);
    std::string const difference_found =
        difference(expected, one.run(schedule), is_read_to_the_end(expected, one.options));
    EXPECT_EQ(difference_found, "") << where << ", " << name_of(schedule);
  }
  return expected;
}

constexpr FaultPolicy all_policies[] = {FaultPolicy::fail, FaultPolicy::skip, FaultPolicy::null,
                                        FaultPolicy::quarantine};

std::string policy_name(::testing::TestParamInfo<FaultPolicy> const& tested) {
  static constexpr char const* names[] = {"fail", "skip", "null", "quarantine"};
  return names[static_cast<std::size_t>(tested.param)];
}

// --- law 1 ------------------------------------------------------------------------------------------------------

class RecordStreamLaw1 : public ::testing::TestWithParam<FaultPolicy> {};

TEST_P(RecordStreamLaw1, NothingThatAUserSeesDependsOnTheSchedule) {
  std::size_t faults = 0, errors = 0;
  for (std::uint64_t seed = 1; seed <= inputs_per_policy && !HasFailure(); ++seed) {
    Case one(seed, {.on_error = GetParam()});
    Random random(seed);
    if (random.one_in(4)) one.options.max_errors = random.below(40);
    if (random.one_in(4)) one.options.max_errors_share = 0.01 * static_cast<double>(random.below(60));
    StreamRecord const found = check_schedules(one, random, "seed " + std::to_string(seed));
    faults += found.faults.size();
    errors += found.is_whole ? 0 : 1;
  }
  // The generator makes what the test is about.
  bool const ends_at_faults = GetParam() == FaultPolicy::fail || GetParam() == FaultPolicy::null;
  EXPECT_GE(faults, inputs_per_policy / 2);
  EXPECT_GE(errors, inputs_per_policy / (ends_at_faults ? 4 : 20));
  EXPECT_TRUE(ends_at_faults || errors < inputs_per_policy);
}

INSTANTIATE_TEST_SUITE_P(EachPolicy, RecordStreamLaw1, ::testing::ValuesIn(all_policies), policy_name);

/// The bytes behind headers, each once.
TEST(RecordStream, TextBytesAreTheBytesOfAllRecords) {
  for (std::uint64_t seed = 1; seed <= inputs_per_policy / 5; ++seed) {
    Case one(seed, {});
    std::size_t bytes = 0;
    for (testing::DirtyFile const& file : one.input.files)
      bytes += file.text.size() - std::min(file.text.size(), file.records_begin);
    EXPECT_EQ(one.run({.slot_bytes = 100, .threads = 3}).counts.text_bytes, bytes) << seed;
  }
}

TEST(RecordStream, RowsComeInOrderFromAllFiles) {
  ScratchFolder const folder;
  std::vector<std::string> paths;
  std::string expected;
  for (int file = 0; file < 5; ++file) {
    std::string text = file % 2 == 0 ? "a,b\n" : "b,a\n";
    for (int i = 0; i < 400; ++i) {
      std::string const a = std::to_string(file), b = std::to_string(i);
      text += file % 2 == 0 ? a + "," + b + "\n" : b + "," + a + "\r\n";
      expected += a + "," + b + "\n";
    }
    paths.push_back(folder.put("part-" + std::to_string(file), text));
  }
  auto const plan = testing::plan_files(paths);
  StreamOptions options;
  options.memory_bytes = std::size_t{1} << 30;
  options.slot_bytes = 64;
  options.threads = 6;
  options.make_encoder = [&] { return std::make_unique<csv::RowEncoder>(plan->layout()); };
  EXPECT_EQ(record_stream(*plan, options).encoded, expected);
}

// --- skip and limit ---------------------------------------------------------------------------------------------

/// A record of the whole stream: a row with the cells that were repaired in it, or a reject.
struct Seen {
  bool is_row = false;
  std::size_t row = 0;
  std::vector<testing::ToldFault> faults;
};

std::vector<Seen> records_of(StreamRecord const& whole) {
  std::vector<Seen> records(whole.rows.size() + whole.counts.rejected);
  for (testing::ToldFault const& fault : whole.faults) records.at(fault.report.record - 1).faults.push_back(fault);
  std::size_t row = 0;
  for (Seen& seen : records) {
    seen.is_row = seen.faults.empty() || seen.faults.front().report.is_repaired;
    if (seen.is_row) seen.row = row++;
  }
  return records;
}

std::uint64_t missing_cells(BatchLayout const& layout, std::string const& row) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < layout.features; ++i) {
    char const* const cell = row.data() + i * size_bytes(layout.feature_dtype);
    if (layout.feature_dtype == DType::float32) count += std::memcmp(cell, "\0\0\xc0\x7f", 4) == 0;
    if (layout.feature_dtype == DType::float64) count += std::memcmp(cell, "\0\0\0\0\0\0\xf8\x7f", 8) == 0;
  }
  return count;
}

/// What skip and limit leave of a stream that was read whole.
StreamRecord slice_of(StreamRecord const& whole, Case const& one) {
  StreamRecord slice;
  std::vector<Seen> const records = records_of(whole);
  for (std::size_t i = one.options.skip; i < records.size() && slice.rows.size() < one.options.limit.value_or(~0u);
       ++i) {
    for (testing::ToldFault const& fault : records[i].faults) {
      slice.faults.push_back(fault);
      ++(fault.report.is_repaired ? slice.counts.repaired_cells : slice.counts.rejected);
    }
    if (!records[i].is_row) continue;
    slice.rows.push_back(whole.rows[records[i].row]);
    slice.counts.missing_cells += missing_cells(one.plan->layout(), slice.rows.back());
  }
  slice.counts.records = slice.rows.size();
  slice.is_whole = true;
  return slice;
}

/// The bytes that these rows have in the encoded bytes of all rows.
std::string encoded_slice(StreamRecord const& whole, StreamRecord const& slice, Case const& one) {
  if (!one.options.make_encoder || slice.rows.empty()) return {};
  BatchLayout const& layout = one.plan->layout();
  BatchBuffer buffer(layout, slice.rows.size());
  Batch const batch = buffer.view(slice.rows.size());
  for (std::size_t row = 0; row < slice.rows.size(); ++row) {
    char const* from = slice.rows[row].data();
    for (Role const role : tensor_roles) {
      Dense const& tensor = batch.tensor(role);
      if (tensor.columns == 0) continue;
      std::memcpy(tensor.data + row * tensor.row_bytes(), from, tensor.row_bytes());
      from += tensor.row_bytes();
    }
  }
  std::unique_ptr<Encoder> const encoder = one.options.make_encoder();
  std::string bytes(encoder->bytes_max({slice.rows.size(), 0, 0, 0, 0}), '\0');
  bytes.resize(encoder->encode(batch, reinterpret_cast<std::byte*>(bytes.data())));
  EXPECT_NE(whole.encoded.find(bytes), std::string::npos);
  return bytes;
}

class RecordStreamSlice : public ::testing::TestWithParam<FaultPolicy> {};

TEST_P(RecordStreamSlice, SkipAndLimitTakeASliceOfTheWhole) {
  std::uint64_t inputs = 0;
  for (std::uint64_t seed = 1; inputs < inputs_per_policy / 2 && !HasFailure(); ++seed) {
    Case one(seed + 5000, {.on_error = GetParam(), .records_max = 40});
    StreamRecord const whole = one.run({});
    if (!whole.is_whole) continue;  // policy null: a fault that cannot be repaired
    ++inputs;
    Random random(seed);
    std::size_t const all = whole.rows.size() + whole.counts.rejected;
    for (int i = 0; i < schedules_per_input; ++i) {
      one.options.skip = random.one_in(3) ? 0 : random.below(all + 3);
      one.options.limit.reset();
      if (!random.one_in(3)) one.options.limit = random.below(whole.rows.size() + 3);
      Schedule const schedule = random_schedule(random);
      StreamRecord expected = slice_of(whole, one);
      expected.encoded = encoded_slice(whole, expected, one);
      EXPECT_EQ(difference(expected, one.run(schedule), false), "")
          << "seed " << seed << ", skip " << one.options.skip << ", limit " << one.options.limit.value_or(~0u) << ", "
          << name_of(schedule);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EachPolicy, RecordStreamSlice, ::testing::Values(FaultPolicy::skip, FaultPolicy::null),
                         policy_name);

}  // namespace
}  // namespace penstock
