// The memory budget: what is planned fits it, and what is taken fits the plan.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/csv/encode.hpp"
#include "formats/recordio/encode.hpp"
#include "host/pipeline/record_stream.hpp"
#include "host/ring/ring.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"
#include "tests/support/csv_plans.hpp"
#include "tests/support/dirty_csv.hpp"
#include "tests/support/peak_memory.hpp"
#include "tests/support/scratch_folder.hpp"

namespace penstock {
namespace {

using testing::PeakMemory;
using testing::plan_files;
using testing::Random;
using testing::ScratchFolder;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

// --- sizes ------------------------------------------------------------------------------------------------------

/// A plan for `columns` columns, read from a file that holds `records` records.
std::unique_ptr<CsvPlan> plan_of(ScratchFolder const& folder, std::size_t columns, CsvOptions const& csv = {},
                                 int records = 1) {
  std::string header, record;
  for (std::size_t i = 0; i < columns; ++i) {
    header += (i == 0 ? "c" : ",c") + std::to_string(i);
    record += i == 0 ? "1" : ",1";
  }
  std::string text = header + "\n";
  for (int i = 0; i < records; ++i) text += record + "\n";
  return plan_files({folder.put(std::to_string(columns) + "-" + std::to_string(records) + ".csv", text)}, csv);
}

/// What a stream takes at the very least: slots, two rounds of rows and encoded bytes for each lane, and the encoded
/// bytes of a round that is handed out in part.
std::size_t least_bytes(CsvPlan const& plan, StreamOptions const& options, StreamSizes const& sizes) {
  std::size_t const encoded = options.make_encoder ? options.make_encoder()->bytes_max({1, 0, 0, 0, 0}) : 0;
  std::size_t const slots = sizes.slots * sizes.slot_bytes + Ring::long_slots * options.record_max;
  std::size_t const round = sizes.round.rows * (plan.layout().row_bytes() + encoded) + sizes.faults_max * sizeof(Fault);
  return slots + sizes.lanes * 2 * round + sizes.round.rows * encoded;
}

StreamOptions random_options(CsvPlan const& plan, Random& random) {
  static constexpr std::size_t records[] = {64, 1000, std::size_t{1} << 16, std::size_t{1} << 20,
                                            std::size_t{16} << 20};
  StreamOptions options;
  options.memory_bytes = (mebibyte << random.below(10)) + random.below(mebibyte);
  options.threads = static_cast<unsigned>(random.below(65));
  if (random.one_in(2)) options.slot_bytes = 64 + random.below(std::size_t{4} << random.below(21));
  options.record_max = random.one_of(records);
  BatchLayout const& layout = plan.layout();
  if (random.one_in(3))
    options.make_encoder = [&layout] { return std::make_unique<csv::RowEncoder>(layout); };
  else if (random.one_in(2))
    options.make_encoder = [&layout] { return std::make_unique<recordio::DenseEncoder>(layout); };
  return options;
}

/// The number that follows `words`; 0 if they do not occur.
std::size_t number_behind(std::string const& words, std::string const& text) {
  std::size_t const at = text.find(words);
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + words.size(), nullptr, 10);
}

/// Nothing fits: the message has the budget and what would be enough, and that is exact.
void check_refusal(CsvPlan const& plan, StreamOptions options, std::string const& message) {
  EXPECT_NE(message.find("--memory " + format_bytes(options.memory_bytes) + " "), message.npos) << message;
  EXPECT_NE(message.find("--max-record-size " + format_bytes(options.record_max) + " "), message.npos) << message;
  std::size_t const needed = number_behind("one thread needs ", message);
  ASSERT_GT(needed, options.memory_bytes) << message;
  options.memory_bytes = needed - 1;
  EXPECT_THROW((void)plan_sizes(plan, options), DeviceError);
  options.memory_bytes = needed;
  EXPECT_EQ(plan_sizes(plan, options).total_bytes, needed);
}

void check_sizes(CsvPlan const& plan, StreamOptions options, StreamSizes const& sizes) {
  EXPECT_LE(sizes.total_bytes, options.memory_bytes);
  EXPECT_GE(sizes.total_bytes, least_bytes(plan, options, sizes));
  EXPECT_GE(sizes.round.rows, 1u);
  EXPECT_GE(sizes.lanes, 1u);
  EXPECT_TRUE(options.threads == 0 || sizes.lanes <= options.threads);
  EXPECT_TRUE(options.slot_bytes == 0 || sizes.slot_bytes == options.slot_bytes);
  bool const is_reduced = options.threads != 0 && sizes.lanes < options.threads;
  bool const has_smaller_slots = options.slot_bytes == 0 && sizes.lanes == 1;
  if (!is_reduced || has_smaller_slots) return;
  options.threads = sizes.lanes + 1;
  options.slot_bytes = sizes.slot_bytes;
  std::size_t const budget = options.memory_bytes;
  options.memory_bytes = ~std::size_t{0};
  EXPECT_GT(plan_sizes(plan, options).total_bytes, budget) << "one lane more would have fitted";
}

TEST(StreamSizesPlan, FitTheBudgetOrSayWhatDoesNot) {
  ScratchFolder const folder;
  Random random(1);
  std::size_t fitted = 0, reduced = 0, refused = 0;
  for (std::size_t const columns : {1u, 3u, 29u, 700u, 20000u}) {
    for (DType const dtype : {DType::float32, DType::float64}) {
      for (FaultPolicy const policy : {FaultPolicy::skip, FaultPolicy::null}) {
        auto const plan = plan_of(folder, columns, {.dtype = dtype, .on_error = policy});
        for (int i = 0; i < 200; ++i) {
          StreamOptions const options = random_options(*plan, random);
          try {
            StreamSizes const sizes = plan_sizes(*plan, options);
            check_sizes(*plan, options, sizes);
            ++fitted;
            reduced += options.threads != 0 && sizes.lanes < options.threads;
          } catch (DeviceError const& error) {
            check_refusal(*plan, options, error.what());
            ++refused;
          }
        }
      }
    }
  }
  EXPECT_GE(fitted, 500u);
  EXPECT_GE(reduced, 200u);
  EXPECT_GE(refused, 200u);
}

TEST(StreamSizesPlan, DoNotDependOnTheData) {
  ScratchFolder const folder;
  auto const few = plan_of(folder, 5, {}, 1), many = plan_of(folder, 5, {}, 10000);
  StreamOptions options;
  options.threads = 3;
  StreamSizes const a = plan_sizes(*few, options), b = plan_sizes(*many, options);
  EXPECT_EQ(a.total_bytes, b.total_bytes);
  EXPECT_EQ(a.round, b.round);
  EXPECT_EQ(a.slots, b.slots);
  EXPECT_EQ(a.slot_bytes, b.slot_bytes);
}

TEST(StreamSizesPlan, SlotsGiveWayOnlyToALastLane) {
  ScratchFolder const folder;
  auto const plan = plan_of(folder, 3);
  StreamOptions options;
  auto const sizes_in = [&](unsigned threads, std::size_t memory_bytes) {
    options.threads = threads;
    options.memory_bytes = memory_bytes;
    return plan_sizes(*plan, options);
  };
  StreamSizes const four = sizes_in(4, 256 * mebibyte), one = sizes_in(1, 256 * mebibyte);
  EXPECT_EQ(four.lanes, 4u);
  StreamSizes const tight = sizes_in(4, four.total_bytes - 1);
  EXPECT_EQ(tight.lanes, 3u);
  EXPECT_EQ(tight.slot_bytes, four.slot_bytes);
  StreamSizes const tighter = sizes_in(4, one.total_bytes);
  EXPECT_EQ(tighter.lanes, 1u);
  EXPECT_EQ(tighter.slot_bytes, four.slot_bytes);
  StreamSizes const tightest = sizes_in(4, one.total_bytes - 1);
  EXPECT_EQ(tightest.lanes, 1u);
  EXPECT_LT(tightest.slot_bytes, four.slot_bytes);
}

// --- what is taken ----------------------------------------------------------------------------------------------

/// Stacks and arenas of the threads, the source, the reports: what does not grow with options or data.
constexpr std::size_t margin_bytes = 4 * mebibyte;

class MemorySlow : public ::testing::Test {
 protected:
  /// A file of `total_bytes` bytes, made of `text` over and over.
  std::string put_repeated(std::string_view text, std::size_t total_bytes) {
    std::string const path = folder_.at("big.csv");
    std::ofstream file(path, std::ios::binary);
    std::string part;
    while (part.size() < mebibyte) part += text;
    for (std::size_t done = 0; done < total_bytes; done += part.size())
      file.write(part.data(), static_cast<std::streamsize>(part.size()));
    return path;
  }

  StreamOptions options_in(std::size_t memory_bytes) {
    StreamOptions options;
    options.memory_bytes = memory_bytes;
    options.threads = 4;
    options.make_encoder = [this] { return std::make_unique<recordio::DenseEncoder>(plan_->layout()); };
    return options;
  }

  /// Reads all, as fast as a consumer can that does nothing.
  void drain(RecordStream& stream) {
    while (Round const* const round = stream.next()) encoded_bytes_ += round->encoded.size();
  }

  ScratchFolder folder_;
  std::unique_ptr<CsvPlan> plan_;
  std::uint64_t encoded_bytes_ = 0;
};

TEST_F(MemorySlow, RowsThatGrowFourteenfoldStayInTheBudget) {
  plan_ = plan_files({put_repeated("1\n", 64 * mebibyte)}, {.header = HeaderMode::no});
  StreamOptions const options = options_in(64 * mebibyte);
  StreamSizes const sizes = plan_sizes(*plan_, options);
  PeakMemory const peak;
  if (!peak.is_known()) GTEST_SKIP() << "/proc/self/clear_refs cannot be written here";
  RecordStream stream(*plan_, options);
  drain(stream);
  EXPECT_EQ(stream.counts().records, 32 * mebibyte);
  EXPECT_EQ(encoded_bytes_, 32 * mebibyte * 28);
  EXPECT_GE(peak.growth_bytes(), sizes.slots * sizes.slot_bytes) << "the measure sees slots";
  EXPECT_LE(peak.growth_bytes(), 64 * mebibyte + margin_bytes);
  std::size_t const long_slots = Ring::long_slots * (options.record_max + sizes.slot_bytes);
  EXPECT_LE(peak.growth_bytes(), sizes.total_bytes - long_slots + margin_bytes)
      << "memory of long slots is taken when it is used";
}

TEST_F(MemorySlow, LongRecordsStayInTheBudget) {
  std::string const cell(15 * mebibyte, 'x');
  plan_ =
      plan_files({put_repeated("1,\"" + cell + "\"\n2,\n", 60 * mebibyte)}, {.header = HeaderMode::no, .ignore = "1"});
  StreamOptions const options = options_in(64 * mebibyte);
  PeakMemory const peak;
  if (!peak.is_known()) GTEST_SKIP() << "/proc/self/clear_refs cannot be written here";
  RecordStream stream(*plan_, options);
  drain(stream);
  EXPECT_EQ(stream.counts().records, 8u);
  EXPECT_GE(peak.growth_bytes(), cell.size()) << "the measure sees a long record";
  EXPECT_LE(peak.growth_bytes(), plan_sizes(*plan_, options).total_bytes + margin_bytes);
}

TEST_F(MemorySlow, FaultsAndSlicesStayInTheBudget) {
  plan_ = plan_files({put_repeated("1\nx\n\n\"2\n3\n4\n", 2 * mebibyte)}, {.header = HeaderMode::no});
  StreamOptions options = options_in(24 * mebibyte);
  options.record_max = 1000;
  options.on_error = FaultPolicy::quarantine;
  options.skip = 1001;
  PeakMemory const peak;
  if (!peak.is_known()) GTEST_SKIP() << "/proc/self/clear_refs cannot be written here";
  RecordStream stream(*plan_, options);
  std::size_t raw_bytes = 0;
  stream.on_reject = [&](FaultReport const*, std::string_view raw, bool, bool) { raw_bytes += raw.size(); };
  drain(stream);
  EXPECT_GT(raw_bytes, mebibyte / 4);
  EXPECT_LE(peak.growth_bytes(), plan_sizes(*plan_, options).total_bytes + margin_bytes);
}

}  // namespace
}  // namespace penstock
