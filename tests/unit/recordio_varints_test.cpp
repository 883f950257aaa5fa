// Many varints at a time against one at a time, and the short way through records against the long one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "formats/recordio/decode.hpp"
#include "formats/recordio/varints.hpp"
#include "tests/support/wire_recordio.hpp"

namespace {

using namespace penstock::recordio;
using Memory = std::vector<std::byte>;
using Random = std::mt19937_64;

/// A run in memory of its own size, so that a sanitizer sees a byte too many.
Memory random_run(Random& random) {
  Memory run(random() % 40);
  std::uint64_t const density = random() % 4;  // of bytes that go on
  for (std::byte& byte : run) {
    bool const goes_on = density == 3 ? random() % 12 != 0 : random() % 4 < density;
    byte = static_cast<std::byte>((random() & 0x7f) | (goes_on ? 0x80 : 0));
  }
  return run;
}

struct Slow {
  WireError error = WireError::none;
  std::vector<std::uint64_t> values;
};

Slow slow(Bytes run) {
  Slow result;
  while (!run.empty()) {
    Varint const varint = read_varint(run);
    result.error = varint.error;
    if (varint.error != WireError::none) return result;
    result.values.push_back(varint.value);
    run = run.subspan(varint.size_bytes);
  }
  return result;
}

TEST(RecordioVarints, RunsAsOneByOne) {
  Random random(5);
  std::size_t sound = 0, broken = 0;
  for (int i = 0; i < 100000; ++i) {
    Memory const run = random_run(random);
    Slow const expected = slow(run);
    std::size_t count = 3;
    ASSERT_EQ(describe(count_varints(run, count)), describe(expected.error)) << i;
    if (expected.error != WireError::none) {
      ++broken;
      continue;
    }
    ++sound;
    ASSERT_EQ(count, expected.values.size() + 3);
    std::vector<std::uint64_t> values;
    read_varints(run, [&values](std::uint64_t value) { values.push_back(value); });
    ASSERT_EQ(values, expected.values) << i;
  }
  EXPECT_GT(sound, 10000u);
  EXPECT_GT(broken, 10000u);
}

TEST(RecordioVarints, TheLongestIntegers) {
  Memory run(10, std::byte{0xff});
  run[9] = std::byte{0x01};
  std::size_t count = 0;
  EXPECT_EQ(count_varints(run, count), WireError::none);
  EXPECT_EQ(count, 1u);
  read_varints(run, [](std::uint64_t value) { EXPECT_EQ(value, ~std::uint64_t{0}); });
  run[9] = std::byte{0x81};
  EXPECT_EQ(count_varints(run, count), WireError::varint_too_long);
  run.resize(9);
  EXPECT_EQ(count_varints(run, count), WireError::truncated);
}

TEST(RecordioVarints, AscendingRuns) {
  Random random(6);
  for (int i = 0; i < 3000; ++i) {
    std::vector<std::int64_t> numbers(random() % 20);
    auto const bits = static_cast<int>(random() % 63) + 1;
    for (std::int64_t& number : numbers)
      number = static_cast<std::int64_t>(random() >> (64 - bits) >> random() % static_cast<unsigned>(bits));
    std::sort(numbers.begin(), numbers.end());
    Memory expected(10 * numbers.size() + 1);
    std::byte* end = expected.data();
    for (std::int64_t const number : numbers) end = put_varint(end, static_cast<std::uint64_t>(number));
    expected.resize(static_cast<std::size_t>(end - expected.data()));
    ASSERT_EQ(ascending_varint_bytes(numbers), expected.size());
    Memory found(expected.size() + varint_slack_bytes);
    ASSERT_EQ(put_ascending_varints(found.data(), numbers) - found.data(),
              static_cast<std::ptrdiff_t>(expected.size()));
    found.resize(expected.size());
    ASSERT_EQ(found, expected);
  }
}

// --- records ---------------------------------------------------------------------------------------------------------

void expect_same(TensorView const& a, TensorView const& b) {
  ASSERT_EQ(a.has_entry, b.has_entry);
  ASSERT_EQ(a.kind, b.kind);
  ASSERT_EQ(a.count, b.count);
  ASSERT_EQ(a.keys, b.keys);
  ASSERT_EQ(a.rank, b.rank);
  ASSERT_EQ(a.shape_product, b.shape_product);
  auto const expect_view = [](Bytes x, Bytes y) {
    ASSERT_EQ(x.data(), y.data());
    ASSERT_EQ(x.size(), y.size());
  };
  expect_view(a.entry, b.entry);
  ASSERT_EQ(a.first, b.first);
  expect_view(a.packed, b.packed);
  expect_view(a.packed_keys, b.packed_keys);
}

TEST(RecordioCanonical, TheShortWayIsTheLongWay) {
  penstock::testing::wire::Random random(9);
  std::size_t short_ways = 0;
  for (int i = 0; i < 40000; ++i) {
    penstock::testing::wire::Record record;
    record.features.emplace_back();
    auto& tensor = record.features.back();
    constexpr std::uint64_t members[] = {2, 3, 7, 9};
    tensor.member = members[random.below(4)];
    for (std::size_t n = random.below(40); n > 0; --n) tensor.values.push_back(random.bits() >> random.below(64));
    for (std::size_t n = random.below(3) * tensor.values.size() / 2; n > 0; --n)
      tensor.keys.push_back(random.bits() >> random.below(64));
    for (std::size_t n = random.below(3); n > 0; --n) tensor.shape.push_back(random.below(3) * random.bits());
    if (random.one_in(2)) record.labels.push_back(tensor);
    record.has_uid = random.one_in(3);
    record.uid = "uid";
    record.has_metadata = random.one_in(3);
    penstock::testing::wire::Writer writer(random, random.below(3) * 20);
    std::string text = writer.payload(record);
    if (random.one_in(3)) text[random.below(text.size())] ^= static_cast<char>(1 << random.below(8));
    if (random.one_in(8)) text.resize(random.below(text.size()));
    std::vector<std::byte> const payload(reinterpret_cast<std::byte const*>(text.data()),
                                         reinterpret_cast<std::byte const*>(text.data()) + text.size());
    RecordView view;
    short_ways += penstock::recordio::detail::CanonicalReader(payload, {}).read(view);
    RecordResult const found = decode_record(payload);
    RecordResult const expected = penstock::recordio::detail::decode_any_record(payload, {});
    ASSERT_EQ(found.status, expected.status) << i;
    ASSERT_EQ(found.error_offset_bytes, expected.error_offset_bytes) << i;
    expect_same(found.record.features, expected.record.features);
    expect_same(found.record.label, expected.record.label);
    ASSERT_EQ(found.record.has_other_entries(), expected.record.has_other_entries());
    ASSERT_EQ(found.record.has_uid, expected.record.has_uid);
    ASSERT_EQ(found.record.has_metadata, expected.record.has_metadata);
    ASSERT_EQ(found.record.uid.data(), expected.record.uid.data());
  }
  EXPECT_GT(short_ways, 5000u);
  EXPECT_LT(short_ways, 35000u);
}

}  // namespace
