// What the first record decides, what is said about it, and faults in words.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/core/block.hpp"
#include "formats/recordio/format.hpp"
#include "tests/support/format_run.hpp"
#include "tests/support/wire_recordio.hpp"

namespace {

using namespace penstock;
using namespace penstock::testing;
using recordio::Format;

constexpr std::uint64_t one = 0x3f800000;

std::string payload_of(wire::Record const& record) {
  wire::Random random(1);
  return wire::Writer(random, 0).payload(record);
}
std::string frame_of(wire::Tensor const& features, std::vector<wire::Tensor> const& labels = {}) {
  return wire::frame(payload_of({{features}, labels, "", "", false, false}));
}
wire::Tensor dense(std::size_t width, std::uint64_t member = 2) {
  return {"values", member, std::vector<std::uint64_t>(width, one), {}, {}};
}
wire::Tensor sparse(std::vector<std::uint64_t> const& keys, std::vector<std::uint64_t> const& shape) {
  return {"values", 2, std::vector<std::uint64_t>(keys.size(), one), keys, shape};
}

Scouted<Format> scouted(std::string const& bytes, recordio::Options const& options = {},
                        ScoutContext context = {1 << 16, true, true}) {
  return scout<Format, Portable>(options, context, {bytes}, RunSizes{});
}

TEST(RecordioScout, TheFirstRecordDecides) {
  auto const plan = scouted(frame_of(dense(3, 3), {dense(2, 7)}) + frame_of(dense(9))).plan;
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->layout.features, 3u);
  EXPECT_EQ(plan->layout.feature_dtype, DType::float64);
  EXPECT_EQ(plan->layout.labels, 2u);
  EXPECT_EQ(plan->layout.label_dtype, DType::int32);
  EXPECT_FALSE(plan->layout.is_sparse);
  EXPECT_TRUE(plan->layout.is_dense());
}

TEST(RecordioScout, WidthOfSparseRecords) {
  auto const shaped = scouted(frame_of(sparse({1}, {10, 20})));
  ASSERT_TRUE(shaped.plan.has_value());
  EXPECT_EQ(shaped.plan->layout.features, 200u);
  EXPECT_TRUE(shaped.plan->requires_shape);
  EXPECT_FALSE(shaped.was_surveyed);

  std::string const bare = frame_of(sparse({1, 4}, {})) + frame_of(sparse({7}, {})) + frame_of(sparse({0}, {}));
  auto const surveyed = scouted(bare);
  ASSERT_TRUE(surveyed.plan.has_value());
  EXPECT_TRUE(surveyed.was_surveyed);
  EXPECT_EQ(surveyed.plan->layout.features, 8u);

  auto const unknown = scouted(bare, {}, {1 << 16, false, false});
  ASSERT_TRUE(unknown.plan.has_value());
  EXPECT_EQ(unknown.plan->layout.features, 0u);

  auto const once = scouted(bare, {}, {1 << 16, false, true});
  ASSERT_EQ(once.problems.size(), 1u);
  EXPECT_NE(once.problems[0].hint.find("--num-features"), std::string::npos);

  recordio::Options options;
  options.num_features = 100;
  auto const said = scouted(bare, options, {1 << 16, false, true});
  ASSERT_TRUE(said.plan.has_value());
  EXPECT_EQ(said.plan->layout.features, 100u);
}

TEST(RecordioScout, LooksAtSixteenRecordsAtMost) {
  std::string bytes;
  for (int i = 0; i < 15; ++i) bytes += wire::frame("\xff");
  EXPECT_TRUE(scouted(bytes + frame_of(dense(1))).plan.has_value());
  bytes += wire::frame("");
  auto const found = scouted(bytes + frame_of(dense(1)));
  ASSERT_EQ(found.problems.size(), 1u);
  EXPECT_NE(found.problems[0].message.find("no protobuf record"), std::string::npos) << found.problems[0].message;
}

TEST(RecordioScout, SaysWhyThereIsNoPlan) {
  auto const problem = [](std::string const& bytes) {
    auto const found = scouted(bytes);
    return found.problems.empty() ? Problem{} : found.problems[0];
  };
  EXPECT_NE(problem("1,2,3\n").message.find("no frame begins here"), std::string::npos);
  EXPECT_NE(problem("1,2,3\n").hint.find("--from"), std::string::npos);
  EXPECT_EQ(problem("").message, "the input has no records");
  EXPECT_NE(problem(wire::frame("")).message.find("no features under the key \"values\""), std::string::npos);
  EXPECT_NE(problem(frame_of({"source", 2, {one}, {}, {}})).message.find("but under others"), std::string::npos);
  EXPECT_NE(problem(frame_of({"values", 9, {}, {}, {}})).message.find("bytes"), std::string::npos);
  EXPECT_NE(problem(frame_of(dense(1)).substr(0, 20)).message.find("ends inside a frame"), std::string::npos);
}

TEST(RecordioScout, OptionsByName) {
  auto const set = [](recordio::Options& options, std::string_view name, std::string_view value) {
    for (auto const& option : Format::options)
      if (option.name == name) return option.set(options, value);
    return false;
  };
  recordio::Options options;
  EXPECT_TRUE(set(options, "padding", "lenient"));
  EXPECT_EQ(options.padding, recordio::Padding::lenient);
  EXPECT_FALSE(set(options, "padding", "maybe"));
  EXPECT_TRUE(set(options, "join", "concat"));
  EXPECT_EQ(options.join, recordio::Join::end_to_end);
  EXPECT_TRUE(set(options, "duplicates", "sum"));
  EXPECT_EQ(options.duplicates, recordio::Duplicates::sum);
  EXPECT_TRUE(set(options, "num-features", "9223372036854775807"));
  for (char const* bad : {"0", "-1", "", "1x", "9223372036854775808", "99999999999999999999"})
    EXPECT_FALSE(set(options, "num-features", bad)) << bad;
  EXPECT_EQ(options.num_features, 9223372036854775807u);
  EXPECT_TRUE(set(options, "multilabel", "true"));
  EXPECT_TRUE(options.has_label_lists);
  EXPECT_TRUE(set(options, "features-key", "source"));
  EXPECT_EQ(options.features_key, "source");
}

TEST(RecordioScout, MarksAreWholeHeaders) {
  EXPECT_TRUE(Format::bears_mark(frame_of(dense(1))));
  EXPECT_TRUE(Format::bears_mark(wire::frame("")));
  EXPECT_FALSE(Format::bears_mark(wire::frame("").substr(0, 7)));
  EXPECT_FALSE(Format::bears_mark(wire::frame("", 4)));
  EXPECT_FALSE(Format::bears_mark("1,2,3,4,5"));
  EXPECT_FALSE(Format::bears_mark(""));
}

TEST(RecordioScout, CapacityOfARecord) {
  recordio::Plan plan;
  EXPECT_EQ(Format::record_capacity(plan, 1000), (BatchCapacity{1, 0, 0, 0, 0}));
  plan.layout.is_sparse = plan.layout.labels_vary = plan.layout.has_uid = true;
  EXPECT_EQ(Format::record_capacity(plan, 1000), (BatchCapacity{1, 200, 250, 1000, 0}));
  plan.layout.feature_dtype = plan.layout.label_dtype = DType::int32;
  EXPECT_EQ(Format::record_capacity(plan, 1000), (BatchCapacity{1, 500, 1000, 1000, 0}));
}

// --- words -----------------------------------------------------------------------------------------------------------

/// The words of the only fault of `bytes`.
FaultWords words_of_fault(std::string const& bytes, recordio::Options const& options = {}) {
  auto const found = scouted(bytes, options);
  if (!found.plan) return {};
  FormatRun const run = run_format<Format, Portable>(*found.plan, bytes, 1 << 16, RunSizes{});
  EXPECT_EQ(run.faults.size(), 1u);
  Fault fault;
  fault.code = run.faults.at(0).code;
  fault.column = run.faults[0].column;
  return Format::words_of(fault, *found.plan, run.faults[0].record);
}

TEST(RecordioWords, SayWhatIsThere) {
  FaultWords const width = words_of_fault(frame_of(dense(3)) + frame_of(dense(1)));
  EXPECT_EQ(width.subject, "features");
  EXPECT_EQ(width.expected, "expected 3 float32 values, as in the first record");
  EXPECT_EQ(width.found, "1 float32 value");
  FaultWords const index = words_of_fault(frame_of(sparse({1}, {10})) + frame_of(sparse({3, 12}, {10})));
  EXPECT_EQ(index.expected, "expected keys below 10");
  EXPECT_EQ(index.found, "key 12");
  FaultWords const label = words_of_fault(frame_of(dense(1), {dense(1)}) + frame_of(dense(1), {dense(2)}));
  EXPECT_EQ(label.subject, "label");
  EXPECT_EQ(label.expected, "expected 1 float32 label");
  EXPECT_EQ(label.found, "2 float32 values");
  EXPECT_NE(label.remedy.find("--multilabel"), std::string::npos);
  FaultWords const malformed = words_of_fault(frame_of(dense(1)) + wire::frame("\x0f"));
  EXPECT_EQ(malformed.subject, "");
  EXPECT_EQ(malformed.found, "wire types 6 and 7 do not exist");
  FaultWords const twice = words_of_fault(frame_of(sparse({1}, {10})) + frame_of(sparse({2, 2}, {10})));
  EXPECT_NE(twice.remedy.find("--duplicates"), std::string::npos);
  std::string const odd = wire::frame(payload_of({{dense(1)}, {}, "a", "", true, false}));  // a byte of padding
  FaultWords const padding = words_of_fault(odd + odd.substr(0, odd.size() - 1));
  EXPECT_NE(padding.remedy.find("--padding lenient"), std::string::npos);
}

}  // namespace
