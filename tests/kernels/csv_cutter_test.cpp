// Slots of CSV are cut on the device where the host cuts them, and lanes find there the text that was read.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "formats/csv/cut.hpp"
#include "formats/csv/format.hpp"
#include "host/exec/make_executor.hpp"
#include "tests/kernels/csv_random.hpp"
#include "tests/support/simt/simt.hpp"
#include "tests/support/test_device.hpp"

namespace penstock {
namespace {

using testing::CsvRandom;
using testing::CsvRules;

#if defined(__SANITIZE_THREAD__)
constexpr std::uint64_t cases = 10;
#else
constexpr std::uint64_t cases = 120;
#endif

/// The host's cutter, which says how often it was asked.
class CountingCutter final : public Cutter {
 public:
  CountingCutter(csv::Dialect const& dialect, std::size_t record_max, std::size_t& asked)
      : cutter_(dialect, record_max), asked_(asked) {}
  void restart() override { cutter_.restart(); }
  Cut cut(char* buffer, std::uint32_t size, bool is_shard_end, std::span<Reject> rejects) override {
    ++asked_;
    return cutter_.cut(buffer, size, is_shard_end, rejects);
  }

 private:
  csv::RecordCutter<Portable> cutter_;
  std::size_t& asked_;
};

/// A few slots that the bytes of a shard go through, as the reader fills them.
class Slots {
 public:
  Slots(std::size_t count, std::size_t slot_bytes) : slot_bytes_(slot_bytes) {
    for (std::size_t i = 0; i < count; ++i) memory_.emplace_back(slot_bytes + 2 * text_padding, '#');
  }
  char* data(std::size_t i) { return memory_[i % memory_.size()].data() + text_padding; }
  [[nodiscard]] std::size_t slot_bytes() const { return slot_bytes_; }
  [[nodiscard]] std::size_t count() const { return memory_.size(); }

 private:
  std::size_t slot_bytes_;
  std::vector<std::string> memory_;
};

struct Seen {
  std::vector<std::string> chunks;   ///< texts
  std::vector<std::size_t> rejects;  ///< of each chunk
  bool is_short = false;             ///< ended where a record needs a longer buffer
  std::size_t on_device = 0;         ///< chunks whose text was there
};

std::string copied_from_device(char const* text, std::size_t size) {
  if (size == 0) return {};
  cuda::Stream stream;
  cuda::MappedArray<char> const pinned(size, "a copy");
  stream.copy(pinned.get(), text, size, "copy out");
  stream.wait();
  return {pinned.get(), size};
}

/// Cuts a shard. `piece` says how much is read at a time.
template <class Piece>
Seen cut_all(Cutter& cutter, std::string const& text, Slots& slots, Piece piece) {
  Seen seen;
  std::vector<Reject> rejects(8);
  cutter.restart();
  std::string carry;
  std::size_t read = 0;
  for (std::size_t i = 0;; ++i) {
    char* const data = slots.data(i);
    std::copy(carry.begin(), carry.end(), data);
    std::size_t size = carry.size();
    bool is_end = false;
    while (size < slots.slot_bytes() && !is_end) {
      std::size_t const count = std::min({piece(), slots.slot_bytes() - size, text.size() - read});
      std::memcpy(data + size, text.data() + read, count);
      is_end = count == 0;
      read += count;
      size += count;
      cutter.arrive(data, static_cast<std::uint32_t>(size));
    }
    Cut const cut = cutter.cut(data, static_cast<std::uint32_t>(size), is_end, rejects);
    if (cut.whole == 0 && !is_end) {
      seen.is_short = true;
      return seen;
    }
    seen.chunks.emplace_back(data, cut.whole);
    seen.rejects.push_back(cut.rejects);
    if (cut.on_device != nullptr) {
      ++seen.on_device;
      EXPECT_EQ(copied_from_device(cut.on_device, cut.whole), seen.chunks.back());
    }
    std::size_t const consumed = std::min<std::size_t>(cut.whole, size);
    carry.assign(data + consumed, size - consumed);
    if (is_end && carry.empty()) return seen;
  }
}

class CsvCutter : public ::testing::Test {
 protected:
  void TearDown() override { simt::set_schedule("forward"); }

  std::unique_ptr<Cutter> make(csv::Dialect const& dialect, std::size_t record_max, Slots const& slots) {
    csv::DecodePlan plan;
    plan.rules.dialect = dialect;
    return make_device_cutter<csv::Format>(*device_, plan,
                                           std::make_unique<CountingCutter>(dialect, record_max, asked_),
                                           {record_max, slots.slot_bytes(), slots.count()});
  }

  std::shared_ptr<Device> device_ = testing::test_device();
  std::size_t asked_ = 0;
};

TEST_F(CsvCutter, CutsWhereTheHostCuts) {
  std::size_t chunks = 0, on_device = 0, rejects = 0;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    CsvRandom random(seed);
    CsvRules const rules = random.rules();
    std::string text;
    for (std::size_t i = 0; i < 4; ++i) text += random.text(rules, 1 + random.below(80), 1 + random.below(4));
    constexpr std::size_t slot_sizes[] = {64, 200, 1000, 5000, 40000};
    Slots slots(1 + random.below(4), slot_sizes[random.below(5)]);
    std::size_t const record_max = random.one_in(4) ? slots.slot_bytes() : std::size_t{1} << 20;
    simt::set_schedule(seed % 3 == 0 ? "random:" + std::to_string(seed) : seed % 3 == 1 ? "forward" : "reverse");
    csv::RecordCutter<Portable> host(rules.dialect, record_max);
    Seen const expected = cut_all(host, text, slots, [] { return std::size_t{1} << 20; });
    auto const cutter = make(rules.dialect, record_max, slots);
    Seen const found = cut_all(*cutter, text, slots, [&] { return 1 + random.below(2000); });
    ASSERT_EQ(found.chunks, expected.chunks) << "seed " << seed;
    ASSERT_EQ(found.rejects, expected.rejects) << "seed " << seed;
    ASSERT_EQ(found.is_short, expected.is_short) << "seed " << seed;
    chunks += found.chunks.size();
    on_device += found.on_device;
    for (std::size_t const n : found.rejects) rejects += n;
  }
  // The texts make what the test is about.
  EXPECT_GT(chunks, 3 * cases);
  EXPECT_GT(on_device, 2 * cases);
  EXPECT_GE(rejects, cases / 20);  // quotes that are open at the end
  EXPECT_LT(asked_, chunks);
}

TEST_F(CsvCutter, AsksTheHostOnlyAboutTheEnd) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += std::to_string(i) + ",\"a\nb, \"\"c\"\" \",2.5\n";
  Slots slots(3, 10000);
  auto const cutter = make({}, 1 << 20, slots);
  Seen const seen = cut_all(*cutter, text, slots, [] { return std::size_t{4096}; });
  EXPECT_EQ(asked_, 1u);
  EXPECT_EQ(seen.on_device, seen.chunks.size());
  std::string joined;
  for (std::string const& chunk : seen.chunks) joined += chunk;
  EXPECT_EQ(joined, text);
}

TEST_F(CsvCutter, StrayQuotesAreCutOnTheDeviceToo) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "5\" disk,\"x\ny\"," + std::to_string(i) + "\n";
  Slots slots(2, 8192);
  csv::RecordCutter<Portable> host(csv::Dialect{}, 1 << 20);
  Seen const expected = cut_all(host, text, slots, [] { return std::size_t{1} << 20; });
  auto const cutter = make({}, 1 << 20, slots);
  Seen const found = cut_all(*cutter, text, slots, [] { return std::size_t{1} << 20; });
  EXPECT_EQ(found.chunks, expected.chunks);
  EXPECT_EQ(asked_, 1u);
}

TEST_F(CsvCutter, LargeTiles) {
  std::string const cell(900, 'x');
  std::string text;
  for (int i = 0; text.size() < 12'000'000; ++i) text += std::to_string(i) + ",\"a\nb, \"\"c\"\" \",\"" + cell + "\"\n";
  Slots slots(2, 5 << 20);
  csv::RecordCutter<Portable> host(csv::Dialect{}, 16 << 20);
  Seen const expected = cut_all(host, text, slots, [] { return std::size_t{16} << 20; });
  auto const cutter = make({}, 16 << 20, slots);
  Seen const found = cut_all(*cutter, text, slots, [] { return std::size_t{1} << 20; });
  EXPECT_EQ(found.chunks, expected.chunks);
  EXPECT_EQ(asked_, 1u);
}

TEST_F(CsvCutter, ASlotInsideARejectedLineIsForTheHost) {
  // The first line is longer than a record may be, which is as long as a slot: what is left of it is passed over.
  std::string const text = std::string(1000, 'x') + "\n1,2\n3,4\n" + std::string(70, '5') + "\n6,7\n";
  Slots slots(2, 64);
  csv::RecordCutter<Portable> host(csv::Dialect{}, 64);
  Seen const expected = cut_all(host, text, slots, [] { return std::size_t{1} << 20; });
  auto const cutter = make({}, 64, slots);
  Seen const found = cut_all(*cutter, text, slots, [] { return std::size_t{50}; });
  EXPECT_EQ(found.chunks, expected.chunks);
  EXPECT_EQ(found.rejects, expected.rejects);
}

TEST_F(CsvCutter, TakesNoTwinsForBuffersThatItWasNotMadeFor) {
  Slots slots(1, 100), others(2, 100);
  auto const cutter = make({}, 1 << 20, slots);
  std::string const text(300, '\n');
  Seen const one = cut_all(*cutter, text, slots, [] { return std::size_t{64}; });
  EXPECT_EQ(one.on_device, one.chunks.size());
  Seen const two = cut_all(*cutter, text, others, [] { return std::size_t{64}; });
  EXPECT_EQ(two.on_device, 0u);
  EXPECT_EQ(two.chunks, one.chunks);
}

}  // namespace
}  // namespace penstock
