/// Bad records of libsvm: that the decoder finds exactly what was planted.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

#include "formats/core/block.hpp"
#include "formats/libsvm/format.hpp"
#include "host/app/synth_faults.hpp"
#include "host/pipeline/fault_report.hpp"
#include "tests/support/format_run.hpp"

namespace penstock::app {
namespace {

using Counts = std::map<std::string, std::size_t>;

struct DecodedBlock {
  Counts expected, found;
  std::size_t rows = 0, pairs = 0;
};

/// A block with bad records, decoded; other options than the defaults are in `options`.
DecodedBlock decode(std::string_view kind_name, std::string_view bad, libsvm::Options const& options = {},
                    std::size_t record_max = 1 << 20) {
  SynthKind const& kind = synth_kind(kind_name);
  SynthOptions synth{.kind = std::string(kind_name), .seed = 1};
  if (!kind.faults.empty()) synth.bad = parse_bad_records(kind, bad);
  SynthFaults const faults(kind, synth.bad, synth.seed);
  DecodedBlock block;
  for (std::uint64_t record = 0; record < kind.block_rows; ++record)
    if (SynthFault const* fault = faults.of(record)) ++block.expected[std::string(name_of(fault->code))];

  std::string const text = synthesize_block(synth, 0);
  ScoutContext context;
  context.record_max = record_max;
  context.is_read_twice = true;
  testing::RunSizes sizes;
  sizes.buffer_bytes = 64 << 10;
  sizes.capacity = {512, 60'000, 0, 0, 0};
  auto const scouted = testing::scout<libsvm::Format, Portable>(options, context, {text}, sizes);
  EXPECT_TRUE(scouted.plan.has_value());
  if (!scouted.plan) return block;
  auto const decoded = testing::run_format<libsvm::Format, Portable>(*scouted.plan, text, record_max, sizes);
  for (auto const& fault : decoded.faults) ++block.found[std::string(name_of(fault.code))];
  for (auto const& row : decoded.rows) block.pairs += row.indices.size();
  block.rows = decoded.rows.size();
  EXPECT_EQ(decoded.rows.size() + decoded.faults.size(), kind.block_rows);
  return block;
}

void expect_found(std::string_view bad, libsvm::Options const& options = {}, std::size_t record_max = 1 << 20) {
  DecodedBlock const found = decode("dirty-libsvm", bad, options, record_max);
  EXPECT_FALSE(found.expected.empty()) << bad;
  EXPECT_EQ(found.found, found.expected) << bad;
}

TEST(SynthDirtyLibsvm, GoodRecordsHaveNoFaults) {
  DecodedBlock const clean = decode("dirty-libsvm", "0");
  EXPECT_TRUE(clean.found.empty());
  EXPECT_EQ(clean.pairs, 8 * clean.rows);
  DecodedBlock const plain = decode("libsvm", "");
  EXPECT_TRUE(plain.found.empty());
  EXPECT_EQ(plain.pairs, 100 * plain.rows);
}

TEST(SynthDirtyLibsvm, DecoderFindsWhatWasPlanted) {
  expect_found("1%");
  expect_found("60%");
  expect_found("missing_label=5%,misplaced_qid=0.01,several_labels=2%");
}

TEST(SynthDirtyLibsvm, DecoderFindsWhatItTakesOptionsToFind) {
  libsvm::Options options;
  options.index_base = libsvm::IndexBase::one;
  expect_found("index_below_base=3%,not_a_number=1%", options);
  options = {};
  options.num_features = 1000;
  expect_found("index_out_of_range=3%,bad_index=1%", options);
  expect_found("record_too_long=3%,missing_separator=1%", {}, 1024);
}

TEST(SynthDirtyLibsvm, WithoutTheirOptionsTheseAreGoodRecords) {
  EXPECT_TRUE(decode("dirty-libsvm", "index_below_base=3%,index_out_of_range=3%,record_too_long=3%").found.empty());
}

}  // namespace
}  // namespace penstock::app
