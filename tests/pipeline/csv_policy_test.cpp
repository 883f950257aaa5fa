// Where a stream ends: at the record that the fault policy says, whatever the schedule, and with everything before it
// handed out.

#include "host/pipeline/record_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "host/io/source.hpp"
#include "tests/support/csv_plans.hpp"
#include "tests/support/dirty_csv.hpp"
#include "tests/support/gzip_bytes.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/stream_record.hpp"

namespace penstock {
namespace {

using testing::difference;
using testing::plan_files;
using testing::Random;
using testing::record_stream;
using testing::ScratchFolder;
using testing::StreamRecord;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t inputs = 15;
#else
constexpr std::uint64_t inputs = 80;
#endif

StreamOptions roomy(CsvOptions const& csv) {
  StreamOptions options;
  options.memory_bytes = std::size_t{8} << 30;
  options.record_max = csv.record_max;
  options.on_error = csv.on_error;
  return options;
}

void schedule_at_random(StreamOptions& options, Random& random) {
  static constexpr std::size_t slots[] = {64, 100, 300, 2000, 1 << 20};
  options.slot_bytes = random.one_of(slots);
  options.threads = 1 + static_cast<unsigned>(random.below(8));
}

// --- ends at a fault --------------------------------------------------------------------------------------------

/// What is left of a stream that went on if reject number `index` ends it: that reject is the last thing told.
StreamRecord ended_at(StreamRecord const& whole, std::size_t index) {
  StreamRecord part;
  part.faults.assign(whole.faults.begin(), whole.faults.begin() + static_cast<std::ptrdiff_t>(index) + 1);
  std::size_t const rows = part.faults.back().report.record - 1 - index;
  part.rows.assign(whole.rows.begin(), whole.rows.begin() + static_cast<std::ptrdiff_t>(rows));
  part.counts.records = rows;
  part.counts.rejected = index + 1;
  part.code = ExitCode::data;
  return part;
}

/// Runs the options under a few schedules; `where` and the seed say which input it was.
void expect_everywhere(CsvPlan& plan, StreamOptions options, StreamRecord expected, std::uint64_t seed) {
  Random random(seed);
  for (int i = 0; i < 4; ++i) {
    schedule_at_random(options, random);
    StreamRecord const found = record_stream(plan, options);
    if (i == 0) expected.counts.missing_cells = found.counts.missing_cells;  // the others have to agree
    EXPECT_EQ(difference(expected, found, false), "")
        << "seed " << seed << ", slots of " << options.slot_bytes << ", " << options.threads << " threads";
  }
}

TEST(CsvPolicy, MaxErrorsEndsAtTheFaultBehindTheLastOneAllowed) {
  for (std::uint64_t seed = 1; seed <= inputs && !HasFailure(); ++seed) {
    ScratchFolder const folder;
    testing::DirtyInput input = testing::DirtyGenerator(seed, {.on_error = FaultPolicy::quarantine}).input();
    auto const plan = input.plan(folder);
    StreamOptions options = roomy(input.options);
    StreamRecord const whole = record_stream(*plan, options);
    ASSERT_TRUE(whole.is_whole) << whole.message;
    std::size_t const rejects = whole.faults.size();
    for (std::size_t allowed : {std::size_t{0}, rejects / 2, rejects - 1}) {
      if (allowed >= rejects) continue;
      options.max_errors = allowed;
      StreamRecord expected = ended_at(whole, allowed);
      expected.message = "more than " + std::to_string(allowed) + " records rejected, the last one here:\n" +
                         describe(whole.faults[allowed].report);
      expected.hint = "--max-errors allows more";
      expect_everywhere(*plan, options, expected, seed);
    }
    options.max_errors = rejects;
    EXPECT_TRUE(record_stream(*plan, options).is_whole) << "as many as allowed";
  }
}

TEST(CsvPolicy, FailEndsAtTheFirstFault) {
  std::uint64_t failed = 0;
  for (std::uint64_t seed = 1; seed <= inputs && !HasFailure(); ++seed) {
    ScratchFolder const folder;
    testing::DirtyInput input = testing::DirtyGenerator(seed + 300, {.on_error = FaultPolicy::skip}).input();
    auto const plan = input.plan(folder);
    StreamOptions options = roomy(input.options);
    StreamRecord const whole = record_stream(*plan, options);
    if (whole.faults.empty()) continue;
    options.on_error = FaultPolicy::fail;
    StreamRecord expected = ended_at(whole, 0);
    expected.message = describe(whole.faults.front().report);
    expected.hint = policy_hint(whole.faults.front().report);
    expect_everywhere(*plan, options, expected, seed);
    ++failed;
  }
  EXPECT_GE(failed, inputs / 2);
}

TEST(CsvPolicy, TheLineThatEndsAStreamIsToldToItsEnd) {
  ScratchFolder const folder;
  std::string const line = "7," + std::string(5000, 'x');
  auto const plan =
      plan_files({folder.put("a.csv", "1,2\n" + line + "\n3,4\n")}, {.header = HeaderMode::no, .record_max = 100});
  for (FaultPolicy const policy : {FaultPolicy::fail, FaultPolicy::null, FaultPolicy::quarantine}) {
    StreamOptions options = roomy({.on_error = policy, .record_max = 100});
    options.max_errors = 0;
    for (std::size_t const slot : {64u, 1000u, 100000u}) {
      options.slot_bytes = slot;
      StreamRecord const found = record_stream(*plan, options);
      EXPECT_EQ(found.code, ExitCode::data);
      EXPECT_EQ(found.rows.size(), 1u);
      ASSERT_EQ(found.faults.size(), 1u);
      EXPECT_EQ(found.faults[0].raw, line);
      EXPECT_TRUE(found.faults[0].is_whole);
    }
  }
}

/// A line that the file's end ends, at every place in a slot.
TEST(CsvPolicy, ARejectedLastLineIsToldToItsEnd) {
  ScratchFolder const folder;
  for (std::size_t size = 101; size < 300; ++size) {
    std::string const line(size, 'x');
    auto const plan = plan_files({folder.put("a.csv", "1\n" + line)}, {.header = HeaderMode::no, .record_max = 100});
    StreamOptions options = roomy({.on_error = FaultPolicy::quarantine, .record_max = 100});
    options.slot_bytes = 64;
    StreamRecord const found = record_stream(*plan, options);
    ASSERT_TRUE(found.is_whole) << found.message;
    ASSERT_EQ(found.faults.size(), 1u) << size;
    EXPECT_EQ(found.faults[0].raw, line);
    EXPECT_TRUE(found.faults[0].is_whole) << size;
  }
}

TEST(CsvPolicy, WithoutAListenerTheErrorIsTheSame) {
  ScratchFolder const folder;
  auto const plan = plan_files({folder.put("a.csv", "1,2\n7," + std::string(5000, 'x') + "\n3,4\n")},
                               {.header = HeaderMode::no, .record_max = 100});
  StreamOptions options = roomy({.record_max = 100});
  std::string const message = record_stream(*plan, options).message;
  for (std::size_t const slot : {64u, 1000u, 100000u}) {
    options.slot_bytes = slot;
    RecordStream stream(*plan, options);
    ASSERT_NE(stream.next(), nullptr);
    for (int again = 0; again < 2; ++again) {
      try {
        stream.next();
        FAIL() << "no error";
      } catch (DataError const& error) {
        EXPECT_EQ(error.what(), message);
      }
    }
  }
}

// --- judged at the end ------------------------------------------------------------------------------------------

StreamRecord with_share(std::uint64_t bad, std::uint64_t all, double share) {
  ScratchFolder const folder;
  std::string text = "1\n";
  for (std::uint64_t i = 1; i < all; ++i) text += i <= bad ? "x\n" : "1\n";
  auto const plan = plan_files({folder.put("a.csv", text)}, {.header = HeaderMode::no});
  StreamOptions options = roomy({.on_error = FaultPolicy::skip});
  options.max_errors_share = share;
  options.threads = 2;
  options.slot_bytes = 64;
  return record_stream(*plan, options);
}

TEST(CsvPolicy, AShareIsExactAtItsBoundary) {
  for (std::uint64_t const all : {3u, 7u, 10u, 50u, 100u}) {
    for (std::uint64_t bad = 0; bad < all; bad += 1 + all / 20) {
      double const share = static_cast<double>(bad) / static_cast<double>(all);
      EXPECT_TRUE(with_share(bad, all, share).is_whole) << bad << " of " << all;
      if (bad == 0) continue;
      StreamRecord const found = with_share(bad, all, std::nextafter(share, 0));
      EXPECT_EQ(found.message,
                std::to_string(bad) + " of " + std::to_string(all) + " records rejected, more than allowed");
      EXPECT_EQ(found.rows.size(), all - bad) << "judged at the end";
    }
  }
}

/// As the command line reads "29%".
TEST(CsvPolicy, EveryPercentageAllowsItself) {
  for (std::uint64_t percent = 0; percent < 100; ++percent) {
    EXPECT_TRUE(with_share(percent, 100, static_cast<double>(percent) / 100).is_whole) << percent;
  }
}

TEST(CsvPolicy, AShareCountsSkippedRecordsNeitherWay) {
  ScratchFolder const folder;
  auto const plan = plan_files({folder.put("a.csv", "1\nx\nx\nx\n1\n1\n1\nx\n")}, {.header = HeaderMode::no});
  StreamOptions options = roomy({.on_error = FaultPolicy::skip});
  options.skip = 4;
  options.max_errors_share = 0.25;
  EXPECT_TRUE(record_stream(*plan, options).is_whole);
  options.max_errors_share = 0.24;
  EXPECT_EQ(record_stream(*plan, options).message, "1 of 4 records rejected, more than allowed");
}

// --- sources that fail ------------------------------------------------------------------------------------------

/// Rows of about ten bytes; one in a hundred is bad. Longer than what planning looks at.
std::string many_rows() {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i) + (i % 100 == 99 ? ",oops\n" : ",0.5\r\n");
  return text;
}

TEST(CsvPolicy, ASourceFailsBehindEveryRecordReadBefore) {
  if (gzip_library().empty()) GTEST_SKIP() << "this build has no gzip support";
  ScratchFolder const folder;
  std::string const text = many_rows(), stored = testing::gzip_bytes(text, 5000);
  Random random(1);
  for (int i = 0; i < 4; ++i) {
    std::string const path = folder.put("a.gz", stored.substr(0, 80000 + random.below(stored.size() - 80001)));
    std::string const good = testing::drain(*open_source(expand_inputs({path})[0])).bytes;
    ASSERT_TRUE(text.starts_with(good));
    auto const plan = plan_files({path}, {.header = HeaderMode::no});
    StreamOptions options = roomy({.on_error = FaultPolicy::quarantine});
    StreamRecord const first = record_stream(*plan, options);
    EXPECT_EQ(first.code, ExitCode::source);
    auto const lines = std::count(good.begin(), good.end(), '\n') + (good.ends_with('\r') ? 1 : 0);
    EXPECT_EQ(first.counts.records + first.counts.rejected, static_cast<std::uint64_t>(lines));
    for (int again = 0; again < 3; ++again) {
      schedule_at_random(options, random);
      EXPECT_EQ(difference(first, record_stream(*plan, options), false), "")
          << good.size() << " bytes, slots of " << options.slot_bytes;
    }
  }
}

TEST(CsvPolicy, AFaultEndsTheStreamEvenIfItsLineCannotBeReadToTheEnd) {
  if (gzip_library().empty()) GTEST_SKIP() << "this build has no gzip support";
  ScratchFolder const folder;
  std::string const line = "8," + std::string(40000, 'x');
  std::string const stored =
      testing::gzip_bytes(many_rows().substr(0, 100 * 9) + "8,1\n" + std::string(70000, '\n') + line, 5000);
  auto const plan = plan_files({folder.put("a.gz", stored.substr(0, stored.size() - 100))},
                               {.header = HeaderMode::no, .record_max = 200});
  StreamOptions options = roomy({.record_max = 200});
  options.skip = 101;  // the bad row and all before it
  for (std::size_t const slot : {64u, 1000u, 20000u, 1u << 20}) {
    options.slot_bytes = slot;
    StreamRecord const found = record_stream(*plan, options);
    EXPECT_EQ(found.code, ExitCode::data) << found.message;
    ASSERT_EQ(found.faults.size(), 1u);
    EXPECT_TRUE(line.starts_with(found.faults[0].raw));
    EXPECT_GT(found.faults[0].raw.size(), 30000u);
    EXPECT_FALSE(found.faults[0].is_whole);
  }
}

}  // namespace
}  // namespace penstock
