// Records far larger than a round: one round at a time grows to hold one. They come out whole and in order, the threads
// end however the stream is left, and memory stays within what was planned.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/core/reshape.hpp"
#include "formats/libsvm/format.hpp"
#include "formats/recordio/format.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/format_plan.hpp"
#include "host/pipeline/record_stream.hpp"
#include "host/pipeline/row_files.hpp"
#include "penstock/error.hpp"
#include "tests/support/peak_memory.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/stream_record.hpp"

namespace penstock {
namespace {

using testing::PeakMemory;
using testing::ScratchFolder;
using testing::StreamRecord;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t many_pairs = 40000;
#else
constexpr std::size_t many_pairs = 1000000;
#endif
constexpr std::size_t mebibyte = std::size_t{1} << 20;
/// A round of it holds 820 pairs.
constexpr std::size_t slot_bytes = 4096;

/// A line as the writer writes it: `label 1:1 2:2 ... 9:9 10:1 ...`
std::string line_of(std::size_t pairs, int label) {
  std::string line = std::to_string(label);
  line.reserve(pairs * 10 + 8);
  for (std::size_t i = 1; i <= pairs; ++i) {
    line += ' ';
    line += std::to_string(i);
    line += ':';
    line += static_cast<char>('1' + (i - 1) % 9);
  }
  return line += '\n';
}

/// Long lines alone, behind one another, and between short ones.
std::string long_among_short(std::size_t pairs) {
  std::string text;
  auto const add_short = [&text](int count) {
    for (int i = 0; i < count; ++i) text += line_of(static_cast<std::size_t>(i % 5), i % 3);
  };
  add_short(300);
  text += line_of(pairs, 7);
  add_short(1);
  for (int i = 0; i < 5; ++i) text += line_of(pairs - static_cast<std::size_t>(i), i);
  add_short(300);
  text += line_of(pairs / 2, 9) + line_of(2, 1) + line_of(pairs, 8);
  return text;
}

libsvm::Options from_one(std::size_t features = 0) {
  libsvm::Options options;
  options.index_base = libsvm::IndexBase::one;
  options.num_features = features;
  return options;
}

StreamOptions options_with(unsigned threads, std::size_t record_max) {
  StreamOptions options;
  options.memory_bytes = std::size_t{8} << 30;
  options.slot_bytes = slot_bytes;
  options.threads = threads;
  options.record_max = record_max;
  return options;
}

template <class F>
std::function<std::unique_ptr<Encoder>()> writer_of(BatchLayout const& layout) {
  return [layout] { return std::make_unique<typename F::Writer>(layout, typename F::WriteOptions{}); };
}

/// Reads one file, and makes a file of format W of it.
template <class F, class W>
StreamRecord convert(std::string const& path, typename F::Options const& read, StreamOptions options) {
  FormatPlan<F> plan(expand_inputs({path}), read, {options, true});
  options.make_encoder = writer_of<W>(stream_layout(plan, options));
  return testing::record_stream(plan, options);
}

// --- what comes out -------------------------------------------------------------------------------------------------

TEST(FormatGrowth, LongLinesComeOutWholeAndInOrder) {
  ScratchFolder const folder;
  std::string const text = long_among_short(many_pairs), path = folder.put("long.libsvm", text);
  for (unsigned const threads : {1u, 2u, 4u}) {
    StreamRecord const record =
        convert<libsvm::Format, libsvm::Format>(path, from_one(), options_with(threads, 16 * mebibyte));
    EXPECT_TRUE(record.is_whole) << record.message;
    EXPECT_EQ(record.rows.size(), 610u);
    EXPECT_TRUE(record.encoded == text) << threads << " threads: " << record.encoded.size() << " bytes, not "
                                        << text.size();
  }
}

TEST(FormatGrowth, LongRecordsOfRecordioTakeTheSameWay) {
  ScratchFolder const folder;
  std::size_t const pairs = many_pairs / 4;
  std::string const text = long_among_short(pairs), path = folder.put("long.libsvm", text);
  StreamRecord const records =
      convert<libsvm::Format, recordio::Format>(path, from_one(), options_with(3, 16 * mebibyte));
  std::string const record_path = folder.put("long.rec", records.encoded);
  for (unsigned const threads : {1u, 4u}) {
    StreamRecord const back =
        convert<recordio::Format, libsvm::Format>(record_path, {}, options_with(threads, 16 * mebibyte));
    EXPECT_TRUE(back.is_whole) << back.message;
    EXPECT_TRUE(back.encoded == text) << threads << " threads";
    StreamRecord const again =
        convert<recordio::Format, recordio::Format>(record_path, {}, options_with(threads, 16 * mebibyte));
    EXPECT_TRUE(again.encoded == records.encoded) << threads << " threads";
  }
}

/// Every row of a round is as wide as the widest record, so a round holds one.
TEST(FormatGrowth, DensifiedRowsAreTheSameForAnyThreads) {
  ScratchFolder const folder;
  std::size_t const pairs = many_pairs / 50;
  std::string text;
  for (int i = 0; i < 12; ++i) text += line_of(i % 3 == 0 ? pairs : 3, i);
  std::string const path = folder.put("wide.libsvm", text);
  for (unsigned const threads : {1u, 4u}) {
    StreamOptions options = options_with(threads, 16 * mebibyte);
    options.shaping.reshape = Absent::missing;
    StreamRecord const record = convert<libsvm::Format, recordio::Format>(path, from_one(), options);
    EXPECT_TRUE(record.is_whole) << record.message;
    ASSERT_EQ(record.rows.size(), 12u);
    EXPECT_EQ(record.counts.missing_cells, 8 * (pairs - 3));
    options.shaping.reshape.reset();
    std::string const dense_path = folder.put("wide.rec", record.encoded);
    options.shaping.reshape = Absent::missing;
    StreamRecord const back = convert<recordio::Format, libsvm::Format>(dense_path, {}, options);
    EXPECT_TRUE(back.encoded == text) << threads << " threads";
  }
}

TEST(FormatGrowth, TheLimitOfARecordIsExact) {
  ScratchFolder const folder;
  std::string const longest = line_of(many_pairs, 1),
                    text = line_of(2, 3) + longest + line_of(many_pairs, 22) + line_of(1, 4) + longest;
  std::string const path = folder.put("limit.libsvm", text);
  StreamOptions options = options_with(4, longest.size() - 1);  // without the line end
  options.on_error = FaultPolicy::quarantine;
  StreamRecord const record = convert<libsvm::Format, libsvm::Format>(path, from_one(), options);
  EXPECT_TRUE(record.is_whole) << record.message;
  EXPECT_TRUE(record.encoded == line_of(2, 3) + longest + line_of(1, 4) + longest);
  ASSERT_EQ(record.faults.size(), 1u);
  EXPECT_EQ(record.faults[0].report.code, FaultCode::record_too_long);
  EXPECT_TRUE(record.faults[0].is_whole);
  EXPECT_EQ(record.faults[0].raw + "\n", line_of(many_pairs, 22));
}

/// Labels grow as pairs do.
TEST(FormatGrowth, LongListsOfLabels) {
  ScratchFolder const folder;
  std::string list = "0";
  for (std::size_t i = 1; i < many_pairs / 4; ++i) list += "," + std::to_string(i % 1000);
  std::string text;
  for (int i = 0; i < 4; ++i) text += list + " 1:1\n" + "3,4 2:1\n";
  std::string const path = folder.put("labels.libsvm", text);
  libsvm::Options read = from_one();
  read.multilabel = true;
  for (unsigned const threads : {1u, 4u}) {
    StreamRecord const record =
        convert<libsvm::Format, libsvm::Format>(path, read, options_with(threads, 16 * mebibyte));
    EXPECT_TRUE(record.is_whole) << record.message;
    EXPECT_TRUE(record.encoded == text) << threads << " threads";
  }
}

/// A fault behind a million good pairs leaves nothing of its record.
TEST(FormatGrowth, FaultsAtTheEndOfLongLines) {
  ScratchFolder const folder;
  std::string bad = line_of(many_pairs, 5);
  bad.insert(bad.size() - 1, " x:1");
  std::string const good = line_of(many_pairs, 6), path = folder.put("bad.libsvm", good + bad + bad + good);
  StreamOptions options = options_with(4, 16 * mebibyte);
  options.on_error = FaultPolicy::skip;
  StreamRecord const record = convert<libsvm::Format, libsvm::Format>(path, from_one(), options);
  EXPECT_TRUE(record.is_whole) << record.message;
  EXPECT_TRUE(record.encoded == good + good);
  ASSERT_EQ(record.faults.size(), 2u);
  EXPECT_EQ(record.faults[0].report.offset_bytes, good.size() + bad.size() - 4);
  EXPECT_EQ(record.faults[1].report.offset_bytes, good.size() + 2 * bad.size() - 4);
}

// --- leaving early --------------------------------------------------------------------------------------------------

/// Lanes wait for their turn, for rounds and for slots; none of them may keep the stream from ending.
TEST(FormatGrowth, StreamsThatAreLeftEarlyEnd) {
  ScratchFolder const folder;
  std::string text;
  for (int i = 0; i < 12; ++i) text += line_of(many_pairs / 20, i) + line_of(1, 0);
  std::string const path = folder.put("long.libsvm", text);
  for (unsigned const threads : {1u, 2u, 4u}) {
    for (int taken = 0; taken < 12; ++taken) {
      StreamOptions options = options_with(threads, mebibyte);
      FormatPlan<libsvm::Format> plan(expand_inputs({path}), from_one(), {options, false});
      if (taken % 2 == 0) options.make_encoder = writer_of<libsvm::Format>(plan.layout());
      RecordStream stream(plan, options);
      for (int i = 0; i < taken; ++i) EXPECT_NE(stream.next(), nullptr);
    }
  }
}

TEST(FormatGrowth, LimitsEndBeforeBehindAndAtLongLines) {
  ScratchFolder const folder;
  std::string text;
  for (int i = 0; i < 6; ++i) text += line_of(2, i) + line_of(many_pairs / 20, i) + line_of(many_pairs / 20, i);
  std::string const path = folder.put("long.libsvm", text);
  std::string const whole =
      convert<libsvm::Format, libsvm::Format>(path, from_one(), options_with(4, mebibyte)).encoded;
  for (std::uint64_t limit = 0; limit <= 6; ++limit) {
    StreamOptions options = options_with(4, mebibyte);
    options.limit = limit;
    options.skip = limit / 2;
    StreamRecord const record = convert<libsvm::Format, libsvm::Format>(path, from_one(), options);
    EXPECT_EQ(record.rows.size(), limit);
    EXPECT_TRUE(record.encoded.empty() || whole.find(record.encoded) != std::string::npos) << limit;
  }
}

// --- memory ---------------------------------------------------------------------------------------------------------

/// Stacks and arenas of the threads, the source, the reports: what does not grow with options or data. Two to eight MiB
/// were seen, and once in some hundred runs 20; a second grown round would be forty and more.
constexpr std::size_t margin_bytes = 24 * mebibyte;

class FormatGrowthMemorySlow : public ::testing::Test {
 protected:
  /// Reads all of a file of long lines, and says how much of the planned memory was taken.
  void measure(StreamOptions options, std::size_t features, bool has_side_file) {
    std::string const path = folder_.put("long.libsvm", long_among_short(many_pairs));
    FormatPlan<libsvm::Format> plan(expand_inputs({path}), from_one(features),
                                    {options, options.shaping.reshape.has_value()});
    std::optional<RowFiles> values;
    if (has_side_file) values.emplace(side_file(path));
    options.row_files = values ? &*values : nullptr;
    options.make_encoder = writer_of<recordio::Format>(stream_layout(plan, options));
    StreamSizes const sizes = plan_sizes(plan, options);
    PeakMemory const peak;
    if (!peak.is_known()) GTEST_SKIP() << "/proc/self/clear_refs cannot be written here";
    std::size_t rows = 0;
    {
      RecordStream stream(plan, options);
      while (Round const* const round = stream.next()) rows += round->batch.rows;
    }
    EXPECT_EQ(rows, 610u);
    EXPECT_GE(peak.growth_bytes(), many_pairs * 12) << "the measure sees a long record";
    EXPECT_LE(peak.growth_bytes(), sizes.total_bytes + margin_bytes);
  }

  RowFilePlan side_file(std::string const& input) {
    std::string weights;
    for (int i = 0; i < 610; ++i) weights += "0.5\n";
    std::string const path = folder_.put("weights", weights);
    return {{{Role::weight, false, expand_inputs({path})}}, {input}};
  }

  ScratchFolder folder_;
};

/// Little more than the longest line, so that what is planned for one record is nearly what one takes.
constexpr std::size_t tight_record_max = 9 * mebibyte;

TEST_F(FormatGrowthMemorySlow, OneRoundGrowsAtATime) { measure(options_with(4, tight_record_max), 0, false); }

TEST_F(FormatGrowthMemorySlow, DensifiedRowsAreCounted) {
  StreamOptions options = options_with(4, tight_record_max);
  options.shaping.reshape = Absent::zero;
  measure(options, many_pairs, false);
}

TEST_F(FormatGrowthMemorySlow, SoAreEncodersBehindSideFiles) { measure(options_with(4, tight_record_max), 0, true); }

}  // namespace
}  // namespace penstock
