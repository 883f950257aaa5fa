// Frame numbers: counted over chunks of any size they are those of the whole input.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "formats/core/block.hpp"
#include "formats/recordio/format.hpp"
#include "tests/support/format_run.hpp"
#include "tests/support/wire_recordio.hpp"

namespace {

using namespace penstock;
using namespace penstock::testing;
using recordio::FrameCounter;
using recordio::Plan;

constexpr std::size_t record_max = 200;

struct Place {
  std::uint64_t cell = 0;   ///< in the shard
  std::uint64_t frame = 0;  ///< that holds it
  std::uint64_t begin = 0;  ///< where that begins
  bool operator==(Place const&) const = default;
};

/// Places of all faults, found chunk by chunk with cuts at every `buffer_bytes`.
std::vector<Place> places_of(std::string const& shard, Plan const& plan, std::size_t buffer_bytes) {
  recordio::RecordCutter cutter(plan, record_max);
  recordio::RowDecoder decoder(plan);
  FrameCounter counter;
  std::vector<Place> places;
  std::uint64_t frames = 0;
  std::size_t at = 0, size = buffer_bytes;
  cutter.restart();
  for (bool is_end = false; !is_end || at < shard.size();) {
    std::string_view const part = std::string_view(shard).substr(at, size);
    is_end = part.size() < size;
    PaddedText text(part, '\x0a');
    Reject rejects[2];
    Cut const cut = cutter.cut(text.data(), static_cast<std::uint32_t>(part.size()), is_end, rejects);
    size = cut.whole == 0 && !is_end ? 2 * size : buffer_bytes;
    if (cut.whole == 0 && cut.rejects == 0) continue;
    Chunk chunk;
    chunk.text = {text.data(), cut.whole};
    chunk.rejects = std::span<Reject const>(rejects, cut.rejects);
    decoder.begin(chunk);
    counter.begin(chunk, frames + 1);
    BatchBuffer const rows(plan.layout, 1000);
    std::vector<Fault> memory(1000);
    FaultLog faults(memory);
    RoundCounts counts;
    EXPECT_TRUE(decoder.next(rows.view(1000), rows.capacity(), faults, counts).ends_chunk);
    for (Fault const& fault : faults.faults()) {
      counter.advance(fault.record_begin);
      counter.advance(fault.cell_begin);
      places.push_back({at + fault.cell_begin, counter.line(), at + counter.line_begin()});
    }
    frames += counts.lines;
    at += cut.whole;
  }
  return places;
}

std::string good(float value) {
  wire::Random random(1);
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return wire::Writer(random, 0).payload({{{"values", 2, {bits}, {}, {}}}, {}, "", "", false, false});
}

TEST(RecordioPlaces, FramesAreCountedOverDamage) {
  std::string const payload = good(1);
  std::string const split =
      wire::frame(payload.substr(0, 5), 1) + wire::frame(payload.substr(5, 3), 2) + wire::frame(payload.substr(8), 3);
  struct Piece {
    std::string bytes;
    std::uint64_t frames = 0;
    std::uint64_t fault_frame = 0;  ///< 1-based in the piece; 0: no fault
    std::size_t fault_offset = 0;
  };
  std::string const empty = wire::frame("", 2), first = wire::frame("abc", 1), stray = wire::frame("abcde", 2);
  std::vector<Piece> const pieces = {
      {wire::frame(payload), 1},
      {wire::frame("\xff"), 1, 1, 8},  // malformed
      {split, 3},
      {stray + wire::frame("", 3) + stray, 3, 1, 0},  // strays
      {wire::frame(payload), 1},
      {first + empty, 2, 3, 20},  // interrupted
      {wire::frame(payload), 1},
      {first + wire::frame(std::string(300, 'x'), 2) + stray + wire::frame("", 3), 4, 2, 12},  // too long
      {wire::frame(std::string(300, 'x')), 1, 1, 0},                                           // too long
      {split, 3},
      {first + wire::frame(std::string(150, 'x'), 2) + "junk", 3, 3, 172},  // bad magic, the end
  };
  std::string shard;
  std::vector<Place> expected;
  std::uint64_t frames = 0;
  for (Piece const& piece : pieces) {
    if (piece.fault_frame != 0) {
      std::uint64_t const cell = shard.size() + piece.fault_offset;
      expected.push_back({cell, frames + piece.fault_frame, cell - (piece.fault_offset == 8 ? 8 : 0)});
    }
    shard += piece.bytes;
    frames += piece.frames;
  }
  Plan plan;
  plan.layout.features = 1;
  for (std::size_t buffer = 1; buffer < 700; ++buffer) {
    std::vector<Place> found = places_of(shard, plan, buffer);
    ASSERT_EQ(found.size(), expected.size()) << buffer;
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(found[i].cell, expected[i].cell) << buffer << " fault " << i;
      ASSERT_EQ(found[i].frame, expected[i].frame) << buffer << " fault " << i;
      ASSERT_EQ(found[i].begin, expected[i].begin) << buffer << " fault " << i;
    }
  }
}

TEST(RecordioPlaces, EveryOffsetOfIntactFrames) {
  std::string shard;
  std::vector<std::size_t> begins;
  for (std::size_t i = 0; i < 20; ++i) {
    begins.push_back(shard.size());
    shard += wire::frame(std::string(i % 7, 'x'));
  }
  PaddedText text(shard, '\xff');
  Chunk chunk;
  chunk.text = text.text();
  FrameCounter counter;
  counter.begin(chunk, 5);
  for (std::uint32_t at = 0; at <= shard.size() + 3; ++at) {
    auto const before =
        static_cast<std::uint64_t>(std::count_if(begins.begin(), begins.end(), [&](std::size_t b) { return b <= at; }));
    counter.advance(at);
    ASSERT_EQ(counter.line(), 4 + before + (at >= shard.size() ? 1 : 0)) << at;
  }
}

}  // namespace
