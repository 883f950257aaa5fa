// What a user sees of a stream of libsvm or RecordIO - notes, rows, encoded bytes, reports with all their words, raw
// bytes of rejects, counts, the error at the end - does not depend on slots, threads and instruction set, whatever the
// policy, the shape that is asked for, and what lies beside the input.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/core/reshape.hpp"
#include "formats/csv/format.hpp"
#include "formats/libsvm/format.hpp"
#include "formats/recordio/format.hpp"
#include "host/io/inputs.hpp"
#include "host/io/source.hpp"
#include "host/pipeline/format_plan.hpp"
#include "host/pipeline/record_stream.hpp"
#include "host/pipeline/row_files.hpp"
#include "penstock/error.hpp"
#include "tests/support/dirty_records.hpp"
#include "tests/support/faulty_source.hpp"
#include "tests/support/gzip_bytes.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/stream_record.hpp"
#include "tests/support/test_device.hpp"

namespace penstock {
namespace {

using testing::FaultySource;
using testing::InstructionSetScope;
using testing::RecordFiles;
using testing::RecordWishes;
using testing::ScratchFolder;
using testing::StreamRecord;
using testing::wire::Random;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(PENSTOCK_SIMT)
constexpr std::uint64_t inputs_per_policy = 20;
#else
constexpr std::uint64_t inputs_per_policy = 80;
#endif
constexpr int schedules_per_input = 4;

/// What must not matter.
struct Schedule {
  std::size_t slot_bytes = std::size_t{1} << 20;
  unsigned threads = 1;
  bool is_portable = true;
  bool is_on_device = false;
};

std::string name_of(Schedule const& s) {
  return "slots of " + std::to_string(s.slot_bytes) + ", " + std::to_string(s.threads) + " threads" +
         (s.is_portable ? ", portable" : "") + (s.is_on_device ? ", on a device" : "");
}

Schedule random_schedule(Random& random) {
  static constexpr std::size_t slots[] = {64, 65, 80, 100, 127, 128, 200, 500, 1000, 4096, 1 << 16, 1 << 20};
  return {slots[random.below(std::size(slots))], 1 + static_cast<unsigned>(random.below(4)), random.one_in(2),
          testing::has_test_device};
}

/// Everything that is seen of a run, planning included.
struct Seen {
  std::vector<std::string> notes;
  BatchLayout layout;
  StreamRecord stream;
  std::vector<std::string> encoded_rows;  ///< each row encoded alone
};

/// `is_read_whole`: neither skip nor limit keeps the stream from the end of its input.
std::string difference(Seen const& expected, Seen const& found, bool is_read_whole) {
  for (std::size_t i = 0; i < std::max(expected.notes.size(), found.notes.size()); ++i) {
    std::string const a = i < expected.notes.size() ? expected.notes[i] : "no note";
    std::string const b = i < found.notes.size() ? found.notes[i] : "no note";
    if (a != b) return "notes\n  expected " + a + "\n  found    " + b;
  }
  if (expected.layout != found.layout) return "another layout";
  return testing::difference(expected.stream, found.stream, expected.stream.is_whole && is_read_whole);
}

/// What is made of the rows.
enum class Encoding { none, libsvm, recordio, csv };
struct Making {
  Encoding encoding = Encoding::none;
  bool is_reshaped = false;
  Absent absent = Absent::zero;
};

Making random_making(Random& random) {
  return {static_cast<Encoding>(random.below(4)), random.one_in(2), random.one_in(2) ? Absent::zero : Absent::missing};
}

/// A writer of W for the layout, if there is one.
template <class W>
std::function<std::unique_ptr<Encoder>()> encoder_of(BatchLayout const& layout, BatchCapacity const& record) {
  typename W::WriteOptions const options;
  if (W::unsupported(layout, record, options)) return {};
  return [layout, options] { return std::make_unique<typename W::Writer>(layout, options); };
}

std::function<std::unique_ptr<Encoder>()> encoder_for(Encoding encoding, BatchLayout const& layout,
                                                      BatchCapacity const& record) {
  switch (encoding) {
    case Encoding::none: return {};
    case Encoding::libsvm: return encoder_of<libsvm::Format>(layout, record);
    case Encoding::recordio: return encoder_of<recordio::Format>(layout, record);
    case Encoding::csv: break;
  }
  return layout.is_sparse ? nullptr : encoder_of<csv::Format>(layout, record);
}

/// One input with all options but the schedule.
template <class F>
struct Case {
  Case(std::uint64_t seed, FaultPolicy policy, RecordWishes const& wishes = {})
      : input(testing::generate_files<F>(seed, wishes)) {
    options.memory_bytes = std::size_t{8} << 30;  // address space; what is not touched costs nothing
    options.record_max = input.record_max;
    options.on_error = policy;
    Random random(seed);
    making = random_making(random);
    for (std::size_t i = 0; i < input.files.size(); ++i) {
      bool const is_compressed = random.one_in(6) && !gzip_library().empty();
      std::string const& bytes = input.files[i];
      std::string const stored = is_compressed ? testing::gzip_bytes(bytes, 777) : bytes;
      files.push_back(expand_inputs({folder.put("part-" + std::to_string(i), stored)})[0]);
    }
  }

  [[nodiscard]] bool is_read_whole() const { return options.skip == 0 && !options.limit.has_value(); }

  Seen run(Schedule const& schedule) {
    InstructionSetScope const isa(schedule.is_portable);
    StreamOptions chosen = options;
    chosen.slot_bytes = schedule.slot_bytes;
    chosen.threads = schedule.threads;
    chosen.device = schedule.is_on_device ? testing::test_device() : nullptr;
    Seen seen;
    try {
      FormatPlan<F> plan(files, input.options, {chosen, making.is_reshaped});
      seen.notes = plan.notes();
      run(plan, chosen, seen);
    } catch (Error const& error) {  // the plan's: those of the stream are in the record
      seen.stream.code = error.exit_code();
      seen.stream.message = std::string("planning: ") + error.what();
      seen.stream.hint = error.hint();
    }
    return seen;
  }

  void run(FormatPlan<F>& plan, StreamOptions& chosen, Seen& seen) {
    std::optional<RowFiles> values;
    if (side_files) values.emplace(*side_files);
    chosen.row_files = values ? &*values : nullptr;
    shape(plan, chosen);
    seen.layout = stream_layout(plan, chosen);
    BatchCapacity record = plan.record_capacity(chosen.record_max);
    if (chosen.shaping.reshape && seen.layout.is_sparse) record.pairs = seen.layout.features;
    chosen.make_encoder = encoder_for(making.encoding, seen.layout, record);
    testing::StreamRecorder recorder(plan, chosen);
    std::unique_ptr<Encoder> const alone = chosen.make_encoder ? chosen.make_encoder() : nullptr;
    recorder.on_round = [&](Round const& round) {
      for (std::size_t row = 0; alone != nullptr && row < round.batch.rows; ++row)
        seen.encoded_rows.push_back(encoded(*alone, round.batch.rows_from(row, 1)));
    };
    seen.stream = recorder.run();
  }

  void shape(FormatPlan<F> const& plan, StreamOptions& chosen) const {
    BatchLayout const& layout = plan.layout();
    bool const is_narrow = layout.features > 0 && layout.features <= 1000;
    bool const is_possible = is_narrow && !unsupported_reshape(layout.feature_dtype, making.absent);
    if (making.is_reshaped && is_possible) chosen.shaping.reshape = making.absent;
  }

  static std::string encoded(Encoder& encoder, Batch const& row) {
    std::string bytes(encoder.bytes_max(capacity_of(row)), '\0');
    bytes.resize(encoder.encode(row, reinterpret_cast<std::byte*>(bytes.data())));
    return bytes;
  }

  ScratchFolder folder;
  RecordFiles<F> input;
  std::vector<InputFile> files;
  StreamOptions options;
  Making making;
  std::optional<RowFilePlan> side_files;
};

/// All schedules give what the plainest one gives, which is returned.
template <class F>
Seen check_schedules(Case<F>& one, Random& random, std::string const& where) {
  Seen expected = one.run({});
  std::string encoded;
  for (std::string const& row : expected.encoded_rows) encoded += row;
  EXPECT_TRUE(expected.stream.encoded == encoded) << where << ": the bytes of a row depend on other rows";
  for (int i = 0; i < schedules_per_input; ++i) {
    Schedule const schedule = random_schedule(random);
    EXPECT_EQ(difference(expected, one.run(schedule), one.is_read_whole()), "") << where << ", " << name_of(schedule);
  }
  return expected;
}

constexpr FaultPolicy all_policies[] = {FaultPolicy::fail, FaultPolicy::skip, FaultPolicy::null,
                                        FaultPolicy::quarantine};

std::string where_of(FaultPolicy policy, std::uint64_t seed) {
  static constexpr char const* names[] = {"fail", "skip", "null", "quarantine"};
  return std::string(names[static_cast<std::size_t>(policy)]) + ", seed " + std::to_string(seed);
}

template <class F>
class FormatStream : public ::testing::Test {};
struct NameOfFormat {
  template <class F>
  static std::string GetName(int) {
    return std::string(F::info.name);
  }
};
using Formats = ::testing::Types<libsvm::Format, recordio::Format>;
TYPED_TEST_SUITE(FormatStream, Formats, NameOfFormat);

// --- law 1 ----------------------------------------------------------------------------------------------------------

TYPED_TEST(FormatStream, NothingThatAUserSeesDependsOnTheSchedule) {
  std::size_t faults = 0, rows = 0, errors = 0, encoded = 0;
  for (FaultPolicy const policy : all_policies) {
    for (std::uint64_t seed = 1; seed <= inputs_per_policy && !this->HasFailure(); ++seed) {
      Case<TypeParam> one(seed, policy);
      Random random(seed);
      if (random.one_in(4)) one.options.max_errors = random.below(30);
      if (random.one_in(4)) one.options.max_errors_share = 0.01 * static_cast<double>(random.below(60));
      Seen const seen = check_schedules(one, random, where_of(policy, seed));
      faults += seen.stream.faults.size();
      rows += seen.stream.rows.size();
      errors += seen.stream.is_whole ? 0 : 1;
      encoded += seen.stream.encoded.size();
    }
  }
  // The generator makes what the test is about.
  EXPECT_GE(faults, 4 * inputs_per_policy);
  EXPECT_GE(rows, 20 * inputs_per_policy);
  EXPECT_GE(errors, inputs_per_policy);
  EXPECT_LE(errors, 3 * inputs_per_policy);
  EXPECT_GE(encoded, 500 * inputs_per_policy);
}

TYPED_TEST(FormatStream, CleanInputsBecomeRowsInOrder) {
  for (std::uint64_t seed = 1; seed <= inputs_per_policy / 4 && !this->HasFailure(); ++seed) {
    Case<TypeParam> one(seed + 3000, FaultPolicy::fail, {.is_clean = true});
    one.input.record_max = one.options.record_max = std::size_t{1} << 16;
    Random random(seed);
    Seen const seen = check_schedules(one, random, "seed " + std::to_string(seed));
    EXPECT_TRUE(seen.stream.is_whole) << seed << ": " << seen.stream.message;
    EXPECT_GT(seen.stream.rows.size(), 0u);
    EXPECT_EQ(seen.stream.rows.size(), seen.stream.counts.records);
  }
}

TYPED_TEST(FormatStream, TextBytesAreTheBytesOfAllFiles) {
  for (std::uint64_t seed = 1; seed <= inputs_per_policy / 5; ++seed) {
    Case<TypeParam> one(seed, FaultPolicy::skip);
    Seen const seen = one.run({.slot_bytes = 100, .threads = 3});
    if (!seen.stream.is_whole) continue;
    std::size_t bytes = 0;
    for (std::string const& file : one.input.files) bytes += file.size();
    EXPECT_EQ(seen.stream.counts.text_bytes, bytes) << seed;
  }
}

// --- inputs that are read once, and badly ---------------------------------------------------------------------------

/// The files as pipes are: opened once, read in pieces of any size, `fail_after` the last of them failing there.
template <class F>
std::vector<InputFile> once_only(Case<F> const& one, std::uint64_t seed, std::optional<std::uint64_t> fail_after = {}) {
  std::vector<InputFile> files;
  for (std::size_t i = 0; i < one.input.files.size(); ++i) {
    testing::FaultyOptions faulty;
    faulty.seed = seed;
    faulty.read_bytes_max = seed % 3 == 0 ? 7 : 5000;
    faulty.name = one.files[i].path;
    if (i + 1 == one.input.files.size()) faulty.fail_after_bytes = fail_after;
    InputFile file;
    file.path = one.files[i].path;
    file.open = [bytes = one.input.files[i], faulty] { return std::make_unique<FaultySource>(bytes, faulty); };
    files.push_back(file);
  }
  return files;
}

TYPED_TEST(FormatStream, InputsThatAreReadOnceAreTheSame) {
  std::size_t rows = 0;
  for (std::uint64_t seed = 1; seed <= inputs_per_policy && !this->HasFailure(); ++seed) {
    Case<TypeParam> one(seed + 500, FaultPolicy::quarantine, {.is_once_only = true});
    Random random(seed);
    Seen const expected = one.run({});
    for (int i = 0; i < schedules_per_input; ++i) {
      Schedule const schedule = random_schedule(random);
      one.files = once_only(one, random.bits());
      EXPECT_EQ(difference(expected, one.run(schedule), one.is_read_whole()), "")
          << "seed " << seed << ", " << name_of(schedule);
    }
    rows += expected.stream.rows.size();
  }
  EXPECT_GE(rows, 5 * inputs_per_policy);
}

TYPED_TEST(FormatStream, ASourceFailsBehindEveryRecordReadBefore) {
  std::size_t failures = 0;
  for (std::uint64_t seed = 1; failures < inputs_per_policy / 10 && seed < 400 && !this->HasFailure(); ++seed) {
    Case<TypeParam> one(seed + 900, FaultPolicy::quarantine, {.is_once_only = true, .records_max = 1500});
    Random random(seed);
    std::size_t const size = one.input.files.back().size();
    if (size < 70000) continue;  // planning reads so much of the first file
    std::uint64_t const fail_after = size - random.below(5000);
    one.files = once_only(one, 1, fail_after);
    Seen const expected = one.run({});
    failures += expected.stream.code == ExitCode::source ? 1 : 0;
    for (int i = 0; i < schedules_per_input; ++i) {
      Schedule schedule = random_schedule(random);
      schedule.slot_bytes = std::max<std::size_t>(schedule.slot_bytes, 500);  // there is much to read
      one.files = once_only(one, random.bits(), fail_after);
      EXPECT_EQ(difference(expected, one.run(schedule), one.is_read_whole()), "")
          << "seed " << seed << ", " << name_of(schedule);
    }
  }
  EXPECT_GE(failures, inputs_per_policy / 10);
}

// --- skip and limit -------------------------------------------------------------------------------------------------

/// What skip and limit leave of a stream that was read whole. What is missing in it is for the schedules to agree on.
Seen slice_of(Seen const& whole, StreamOptions const& options) {
  Seen slice;
  slice.notes = whole.notes;
  slice.layout = whole.layout;
  slice.stream.is_whole = true;
  std::size_t const all = whole.stream.rows.size() + whole.stream.counts.rejected;
  std::size_t fault = 0, row = 0;
  for (std::size_t record = 1; record <= all; ++record) {
    bool const is_reject = fault < whole.stream.faults.size() && whole.stream.faults[fault].report.record == record;
    bool const is_wanted = record > options.skip && slice.stream.rows.size() < options.limit.value_or(all);
    if (is_wanted && is_reject) slice.stream.faults.push_back(whole.stream.faults[fault]);
    if (is_wanted && !is_reject) {
      slice.stream.rows.push_back(whole.stream.rows[row]);
      if (!whole.encoded_rows.empty()) slice.stream.encoded += whole.encoded_rows[row];
    }
    ++(is_reject ? fault : row);
  }
  slice.stream.counts.records = slice.stream.rows.size();
  slice.stream.counts.rejected = slice.stream.faults.size();
  return slice;
}

std::string slice_difference(Seen const& expected, Seen const& found) {
  if (expected.layout != found.layout || expected.notes != found.notes) return "another plan";
  return testing::difference(expected.stream, found.stream, false);
}

TYPED_TEST(FormatStream, SkipAndLimitTakeASliceOfTheWhole) {
  std::uint64_t inputs = 0;
  for (std::uint64_t seed = 1; inputs < inputs_per_policy && !this->HasFailure(); ++seed) {
    Case<TypeParam> one(seed + 5000, FaultPolicy::skip, {.records_max = 40});
    Seen const whole = one.run({});
    if (!whole.stream.is_whole) continue;
    ++inputs;
    Random random(seed);
    std::size_t const all = whole.stream.rows.size() + whole.stream.counts.rejected;
    one.options.skip = random.one_in(3) ? 0 : random.below(all + 3);
    if (!random.one_in(3)) one.options.limit = random.below(whole.stream.rows.size() + 3);
    Seen expected = slice_of(whole, one.options);
    for (int i = 0; i < schedules_per_input; ++i) {
      Schedule const schedule = random_schedule(random);
      Seen const found = one.run(schedule);
      if (i == 0) expected.stream.counts.missing_cells = found.stream.counts.missing_cells;
      EXPECT_EQ(slice_difference(expected, found), "") << "seed " << seed << ", skip " << one.options.skip << ", limit "
                                                       << one.options.limit.value_or(~0u) << ", " << name_of(schedule);
    }
  }
}

// --- values beside the input ----------------------------------------------------------------------------------------

/// One file for all records, with a line for each of `records`, or groups of them; now and then something is wrong.
template <class F>
void put_side_files(Case<F>& one, BatchLayout const& layout, std::size_t records, Random& random) {
  RowFilePlan plan;
  for (InputFile const& file : one.files) plan.inputs.push_back(file.path);
  std::size_t const wrong = random.below(12);  // a line too many, one too few, a bad one, or mostly nothing
  auto const add = [&](Role role, std::string text) {
    if (wrong == 0) text += "1\n";
    if (wrong == 1 && !text.empty()) text.erase(text.rfind('\n', text.size() - 2) + 1);
    if (wrong == 2 && !text.empty()) text.insert(text.find('\n', random.below(text.size())), "x");
    std::string const path = one.folder.put("side-" + std::string(name_of(role)), text);
    plan.sets.push_back({role, false, expand_inputs({path})});
  };
  std::string numbers, groups;
  for (std::size_t i = 0; i < records; ++i) numbers += std::to_string(i) + ".25\n";
  for (std::size_t left = records; left > 0;) {
    std::size_t const group = std::min(left, random.below(9));
    groups += std::to_string(group) + "\n";
    left -= group;
  }
  if (!layout.has_weight && !random.one_in(3)) add(Role::weight, numbers);
  if (!layout.has_qid && !random.one_in(3)) add(Role::qid, groups);
  if (!random.one_in(3)) add(Role::base_margin, numbers);
  if (!plan.sets.empty()) one.side_files = plan;
}

TYPED_TEST(FormatStream, ValuesBesideTheInputFollowTheirRecords) {
  std::size_t rows = 0, errors = 0;
  for (std::uint64_t seed = 1; seed <= inputs_per_policy && !this->HasFailure(); ++seed) {
    Case<TypeParam> one(seed + 7000, FaultPolicy::quarantine, {.records_max = 40});
    Seen const without = one.run({});
    if (!without.stream.is_whole) continue;
    Random random(seed);
    std::size_t const records = without.stream.rows.size() + without.stream.counts.rejected;
    put_side_files(one, without.layout, records, random);
    if (random.one_in(3)) one.options.skip = random.below(records + 2);
    if (random.one_in(3)) one.options.limit = random.below(records + 2);
    Seen const seen = check_schedules(one, random, "seed " + std::to_string(seed));
    rows += seen.stream.rows.size();
    errors += seen.stream.is_whole ? 0 : 1;
  }
  EXPECT_GE(rows, 5 * inputs_per_policy);
  EXPECT_GE(errors, inputs_per_policy / 20);
}

}  // namespace
}  // namespace penstock
