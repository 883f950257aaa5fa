// Same bytes, same batch: random inputs in every form, damaged ones too, against a slow reader, with buffers and rounds
// of every size.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/core/block.hpp"
#include "formats/recordio/format.hpp"
#include "tests/support/format_run.hpp"
#include "tests/support/reference_recordio.hpp"
#include "tests/support/wire_recordio.hpp"

namespace {

using namespace penstock;
using namespace penstock::testing;
using recordio::Format;
using recordio::Plan;
using wire::Random;

constexpr std::size_t record_max = 640;

/// What the records of one input have in common.
struct Kind {
  std::uint64_t features = 2, labels = 2;  ///< members of Value
  std::size_t width = 5, label_count = 1;
  bool is_sparse = false, has_shape = true, has_texts = false, has_others = false;
};

std::uint64_t random_value(Random& random, std::uint64_t member) {
  if (member == 3) return random.bits();
  if (member == 7) {
    auto const value = static_cast<std::int64_t>(random.bits()) >> (33 + random.below(30));
    return static_cast<std::uint64_t>(value);
  }
  constexpr std::uint32_t words[] = {0xced7230a, 0x3f000000, 0, 0x00000004, 0x20000000, 0x7fc00000};
  return random.one_in(2) ? words[random.below(std::size(words))] : random.bits() & 0xffffffff;
}

wire::Tensor random_tensor(Random& random, std::uint64_t member, std::size_t count) {
  wire::Tensor tensor;
  tensor.member = member;
  for (std::size_t i = 0; i < count; ++i) tensor.values.push_back(random_value(random, member));
  return tensor;
}

wire::Tensor random_features(Random& random, Kind const& kind) {
  if (!kind.is_sparse) {
    wire::Tensor tensor = random_tensor(random, kind.features, kind.width);
    if (random.one_in(8)) tensor.shape = {1, kind.width};
    return tensor;
  }
  wire::Tensor tensor = random_tensor(random, kind.features, random.below(6));
  std::uint64_t const stride = kind.width / 6, first = random.below(stride);
  for (std::size_t i = 0; i < tensor.values.size(); ++i) tensor.keys.push_back(first + i * stride);
  if (tensor.keys.size() > 1 && random.one_in(4)) std::swap(tensor.keys.front(), tensor.keys.back());
  if (kind.has_shape) tensor.shape = {kind.width};
  if (kind.has_shape && kind.width % 2 == 0 && random.one_in(8)) tensor.shape = {2, kind.width / 2};
  return tensor;
}

/// Now and then something that no reader should take.
void damage(Random& random, wire::Record& record) {
  wire::Tensor& features = record.features.front();
  switch (random.below(10)) {
    case 0: features.values.push_back(1); break;
    case 1: features.member = features.member == 2 ? 3 : 2; break;
    case 2: features.keys.push_back(random.one_in(2) ? random.bits() : 3); break;
    case 3: features.shape = {random.bits(), random.below(3)}; break;
    case 4: features.shape.clear(); break;
    case 5: record.features.clear(); break;
    case 6: record.labels.clear(); break;
    case 7: features.keys.assign(features.values.size(), 2); break;
    case 8: features.member = 9; break;
    default: record.metadata = "unexpected", record.has_metadata = true;
  }
}

wire::Record random_record(Random& random, Kind const& kind) {
  wire::Record record;
  record.features.push_back(random_features(random, kind));
  if (kind.label_count != 0) record.labels.push_back(random_tensor(random, kind.labels, kind.label_count));
  record.has_uid = kind.has_texts;
  record.uid.assign(kind.has_texts ? random.below(6) : 0, 'u');
  if (kind.has_others && random.one_in(3)) {
    record.features.push_back(random_tensor(random, 2, 1));
    record.features.back().key = "others";
  }
  if (random.one_in(8)) damage(random, record);
  return record;
}

/// A record's frames, and now and then something else.
std::string random_frames(Random& random, std::string payload) {
  if (random.one_in(24) && !payload.empty())
    payload[random.below(payload.size())] ^= static_cast<char>(1 << random.below(8));
  if (random.one_in(40)) payload.resize(random.below(payload.size() + 1));
  switch (random.below(16)) {
    case 0: return wire::split_anywhere(payload, random, 1);
    case 1: return wire::split_anywhere(payload, random, 4);
    case 2:
    case 3: return wire::split_at_magic(payload);
    default: break;
  }
  switch (random.below(40)) {
    case 0: return wire::frame(payload, static_cast<std::uint32_t>(random.below(4)));
    case 1: return wire::frame(std::string(random.below(3) * record_max / 2 + 700, 'x'), 0);
    case 2: return wire::split_anywhere(std::string(record_max + random.below(400), 'x'), random, 1);
    case 3: return wire::frame(payload, 2) + wire::frame(payload, 3);
    case 4: {  // empty parts up to the limit, and beyond
      std::string bytes = wire::frame("", 1);
      for (std::size_t i = 70 + random.below(20); i > 0; --i) bytes += wire::frame("", 2);
      return bytes + (random.one_in(2) ? wire::frame("", 3) : "");
    }
    default: return wire::frame(payload);
  }
}

std::string random_shard(Random& random, Kind const& kind, std::size_t wildness) {
  wire::Writer writer(random, wildness);
  std::string bytes;
  for (std::size_t i = random.below(24); i > 0; --i)
    bytes += random_frames(random, writer.payload(random_record(random, kind)));
  if (random.one_in(4) && !bytes.empty())
    bytes.resize(bytes.size() - 1 - random.below(std::min<std::size_t>(bytes.size(), 60)));
  if (random.one_in(8)) bytes += "\x0a\x23\xd7";
  if (random.one_in(8)) bytes += wire::frame("flag", 5) + wire::frame("behind");
  if (random.one_in(8)) bytes += "not a frame, and on and on it goes until the end of the shard comes";
  return bytes;
}

Kind random_kind(Random& random) {
  constexpr std::uint64_t members[] = {2, 2, 3, 7};
  Kind kind;
  kind.features = members[random.below(4)];
  kind.labels = members[random.below(4)];
  kind.is_sparse = random.one_in(2);
  constexpr std::size_t widths[] = {6, 100, 30000, 3000000, 400000000};
  kind.width = kind.is_sparse ? widths[random.below(5)] : 1 + random.below(12);
  kind.label_count = random.below(3);
  kind.has_shape = !random.one_in(4);
  kind.has_texts = random.one_in(4);
  kind.has_others = random.one_in(4);
  return kind;
}

recordio::Options random_options(Random& random, Kind const& kind) {
  recordio::Options options;
  options.padding = random.one_in(2) ? recordio::Padding::lenient : recordio::Padding::strict;
  options.join = static_cast<recordio::Join>(random.one_in(2) ? 0 : random.below(3));
  options.duplicates = random.one_in(2) ? recordio::Duplicates::last : recordio::Duplicates::fault;
  options.has_label_lists = random.one_in(4);
  if (kind.is_sparse && random.one_in(3)) options.num_features = kind.width + random.below(2);
  return options;
}

RunSizes random_sizes(Random& random) {
  RunSizes sizes;
  sizes.buffer_bytes = random.one_in(3) ? 1 + random.below(16) : 1 + random.below(2000);
  sizes.rejects_max = 1 + random.below(3);
  sizes.capacity = {1 + random.below(9), random.below(20), random.below(9), random.below(12), random.below(12)};
  sizes.faults_max = 1 + random.below(3);
  sizes.poison = static_cast<char>(random.below(256));
  return sizes;
}

TEST(RecordioLaw1, RandomInputsAsTheSlowReaderReadsThem) {
  Random random(20);
  std::size_t planned = 0, rows = 0, faults = 0;
  for (int round = 0; round < 500; ++round) {
    Kind const kind = random_kind(random);
    std::vector<std::string> shards;
    std::size_t const wildness = random.below(4) * 4;
    for (std::size_t i = 1 + random.below(3); i > 0; --i) shards.push_back(random_shard(random, kind, wildness));
    ScoutContext context;
    context.record_max = record_max;
    context.is_read_twice = true;
    auto const scouted = scout<Format, Portable>(random_options(random, kind), context, shards, random_sizes(random));
    if (!scouted.plan) continue;
    ++planned;
    FormatRun const expected = reference::run_reference(*scouted.plan, shards, record_max);
    rows += expected.rows.size();
    faults += expected.faults.size();
    for (int i = 0; i < 6; ++i) {
      RunSizes const sizes = random_sizes(random);
      FormatRun const found = run_format<Format, Portable>(*scouted.plan, shards, record_max, sizes);
      ASSERT_EQ(difference(expected, found), "") << "round " << round << ", " << name_of(sizes);
    }
  }
  EXPECT_GT(planned, 400u);
  EXPECT_GT(rows, 4000u);
  EXPECT_GT(faults, 1000u);
}

TEST(RecordioLaw1, ScoutsDoNotSeeBuffers) {
  Random random(21);
  for (int round = 0; round < 150; ++round) {
    Kind const kind = random_kind(random);
    std::vector<std::string> const shards = {random_shard(random, kind, 4), random_shard(random, kind, 4)};
    recordio::Options const options = random_options(random, kind);
    ScoutContext context;
    context.record_max = record_max;
    context.is_read_twice = random.one_in(2);
    context.needs_width = random.one_in(2);
    auto const expected = scout<Format, Portable>(options, context, shards, RunSizes{});
    for (int i = 0; i < 3; ++i) {
      auto const found = scout<Format, Portable>(options, context, shards, random_sizes(random));
      ASSERT_EQ(found.plan.has_value(), expected.plan.has_value()) << round;
      ASSERT_EQ(found.notes, expected.notes) << round;
      ASSERT_EQ(found.problems.empty(), expected.problems.empty()) << round;
      if (!found.problems.empty()) {
        ASSERT_EQ(found.problems[0].message, expected.problems[0].message);
      }
      if (!found.plan) continue;
      ASSERT_EQ(found.plan->layout, expected.plan->layout) << round;
      ASSERT_EQ(found.plan->requires_shape, expected.plan->requires_shape) << round;
    }
  }
}

/// Every length of a good input: no crash, and the good records before the cut are kept.
TEST(RecordioLaw1, TruncatedAtEveryByte) {
  Random random(22);
  for (bool const is_sparse : {false, true}) {
    Kind kind;
    kind.is_sparse = is_sparse;
    kind.width = is_sparse ? 3000 : 5;
    kind.has_texts = is_sparse;
    wire::Writer writer(random, is_sparse ? 4 : 0);
    std::string bytes;
    std::vector<std::size_t> ends;
    while (ends.size() < 6) {
      wire::Record record = random_record(random, kind);
      record = {{random_features(random, kind)}, {random_tensor(random, 2, 1)}, "u", "", is_sparse, false};
      std::string const payload = writer.payload(record);
      bytes += ends.size() % 2 == 0 ? wire::frame(payload) : wire::split_anywhere(payload, random, 1);
      ends.push_back(bytes.size());
    }
    recordio::Options options;
    options.duplicates = recordio::Duplicates::last;
    ScoutContext context;
    context.record_max = record_max;
    auto const scouted = scout<Format, Portable>(options, context, {bytes}, RunSizes{});
    ASSERT_TRUE(scouted.plan.has_value());
    FormatRun const whole = run_format<Format, Portable>(*scouted.plan, bytes, record_max, RunSizes{});
    ASSERT_EQ(whole.rows.size(), ends.size());
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      auto const good = static_cast<std::size_t>(
          std::count_if(ends.begin(), ends.end(), [&](std::size_t end) { return end <= size; }));
      bool const is_end = size == 0 || (good > 0 && ends[good - 1] == size);
      FormatRun const run =
          run_format<Format, Portable>(*scouted.plan, bytes.substr(0, size), record_max, random_sizes(random));
      ASSERT_EQ(run.faults.size(), is_end ? 0u : 1u) << size;
      ASSERT_EQ(run.rows.size(), good) << size;
      ASSERT_TRUE(std::equal(run.rows.begin(), run.rows.end(), whole.rows.begin())) << size;
    }
  }
}

}  // namespace
