// Where frames begin, found in parallel, against a walk along the headers; and all kernels under several schedules.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cuda/exec/backend.cuh"
#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/formats/recordio.hpp"
#include "cuda/kernels/recordio_frames.cuh"
#include "formats/recordio/framing.hpp"
#include "formats/recordio/plan.hpp"
#include "tests/support/recordio_rows.hpp"
#include "tests/support/simt/simt.hpp"
#include "tests/support/wire_recordio.hpp"

namespace penstock {
namespace {

namespace device = cuda::recordio;
namespace wire = testing::wire;
using Places = std::vector<std::uint32_t>;

/// A text on the device, and all that is found in it.
class Frames {
 public:
  Frames(std::string const& bytes, std::size_t places_max)
      : words_(bytes.size() / 4 + 4, "text"), places_max_(static_cast<std::uint32_t>(places_max)) {
    stream_.copy(words_.get(), bytes.data(), bytes.size(), "copy in");
    text_ = {words_.get(), static_cast<std::uint32_t>(bytes.size())};
    std::size_t const tiles = cuda::blocks_for(bytes.size(), 4 * device::frame_tile_words);
    cuda::DeviceArray<std::uint32_t> const masks(tiles * device::frame_tile_masks, "masks"), bases(tiles, "bases");
    cuda::DeviceArray<unsigned> const arrived(1, "a counter");
    stream_.fill(arrived.get(), 0, sizeof(unsigned));
    for (int i = 0; i < 2; ++i)  // the counter is as it was
      list_candidates(stream_, text_, {masks.get(), bases.get(), arrived.get()},
                      {places_.get(), count_.get(), places_max_});
    stream_.copy(&count, count_.get(), sizeof count, "copy out");
    stream_.wait();
  }

  std::uint32_t count = 0;

  Places candidates() { return read(places_.get(), count < places_max_ ? count : places_max_); }

  /// Those that the chain from the first candidate passes, if it leads to the end.
  std::optional<Places> chain() {
    cuda::DeviceArray<std::uint32_t> const from(count + 2, "jumps"), doubled(count + 2, "jumps"),
        marks(count + 2, "marks"), chosen(count + 1, "chosen"), to(count + 1, "places"), found(1, "a number");
    mark_chain(stream_, text_, places_.get(), {from.get(), doubled.get(), marks.get(), count});
    cuda::Backend(stream_, count + 1).select(count, device::IsMarked{marks.get()}, chosen.get(), found.get());
    Places const ends = read(marks.get() + count, 2);
    EXPECT_EQ(ends[0] + ends[1], 1u);
    if (ends[0] == 0) return std::nullopt;
    std::uint32_t const size = read(found.get(), 1)[0];
    device::gather(stream_, places_.get(), chosen.get(), size, to.get());
    return read(to.get(), size);
  }

 private:
  Places read(std::uint32_t const* from, std::size_t size) {
    Places result(size);
    stream_.copy(result.data(), from, size * sizeof(std::uint32_t), "copy out");
    stream_.wait();
    return result;
  }

  cuda::Stream stream_;
  cuda::DeviceArray<std::uint32_t> words_;
  cuda::DeviceArray<std::uint32_t> places_{4096, "places"}, count_{1, "a number"};
  std::uint32_t places_max_;
  device::FrameText text_;
};

std::uint32_t word_at(std::string const& bytes, std::size_t at) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  return word;
}

Places candidates_of(std::string const& bytes) {
  Places places;
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 4)
    if (word_at(bytes, at) == recordio::magic && word_at(bytes, at + 4) <= bytes.size() - at - 8)
      places.push_back(static_cast<std::uint32_t>(at));
  return places;
}

/// Whole frames up to the end, but for the padding of the last.
std::optional<Places> walk(std::string const& bytes, std::size_t at) {
  Places places;
  while (at < bytes.size()) {
    if (at + 8 > bytes.size() || word_at(bytes, at) != recordio::magic) return std::nullopt;
    std::size_t const length = word_at(bytes, at + 4);
    if (length > bytes.size() - at - 8) return std::nullopt;
    places.push_back(static_cast<std::uint32_t>(at));
    at += recordio::frame_bytes(length);
  }
  return places;
}

void expect_found(std::string const& bytes) {
  Frames frames(bytes, 4096);
  Places const candidates = candidates_of(bytes);
  ASSERT_LE(candidates.size(), 4096u);
  EXPECT_EQ(frames.count, candidates.size());
  EXPECT_EQ(frames.candidates(), candidates);
  if (candidates.empty()) return;
  EXPECT_EQ(frames.chain(), walk(bytes, candidates[0]));
}

/// Words of which many are magics and lengths.
std::string words(wire::Random& random, std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    bool const is_magic = random.one_in(4);
    bytes += wire::little_endian(is_magic ? recordio::magic : random.below(random.one_in(2) ? 64 : 4000), 4);
  }
  return bytes;
}

TEST(RecordioFrames, OneFrame) {
  for (std::size_t size = 0; size < 20; ++size) {
    expect_found(wire::frame(std::string(size, 'x')));
    expect_found(wire::frame(std::string(size, 'x')).substr(0, 8 + size));  // without padding
  }
  expect_found("1234567");
  expect_found(wire::frame("").substr(0, 4));
}

TEST(RecordioFrames, ManyTiles) {
  wire::Random random(1);
  for (std::size_t const longest : {1u, 40u, 900u, 20000u}) {
    std::string bytes;
    while (bytes.size() < 70000 && bytes.size() < 2000 * longest)
      bytes += wire::frame(std::string(random.below(longest), 'x'));
    expect_found(bytes);
  }
}

/// A header that lies across the edge of two tiles.
TEST(RecordioFrames, EdgesOfTiles) {
  for (std::size_t size = 8192 - 24; size <= 8192; size += 4)
    expect_found(wire::frame(std::string(size - 8, 'x')) + wire::frame("abc") + wire::frame(std::string(9000, 'y')));
}

TEST(RecordioFrames, PayloadsFullOfHeaders) {
  wire::Random random(2);
  std::size_t chains = 0;
  for (int round = 0; round < 60; ++round) {
    std::string bytes;
    for (std::size_t frames = 1 + random.below(20); frames > 0; --frames)
      bytes += wire::frame(words(random, random.below(300)) + std::string(random.below(4), 'z'));
    if (round % 4 == 0) bytes += words(random, 10);  // the chain may break
    expect_found(bytes);
    chains += walk(bytes, 0).has_value() ? 1 : 0;
  }
  EXPECT_GT(chains, 44u);
  EXPECT_LT(chains, 60u);
}

/// All candidates are of one chain, whose length is a power of two or beside one.
TEST(RecordioFrames, LengthsOfChains) {
  for (std::size_t const length : {1u, 2u, 3u, 4u, 5u, 7u, 8u, 9u, 15u, 16u, 17u, 1023u, 1024u, 1025u}) {
    std::string bytes;
    for (std::size_t i = 0; i < length; ++i) bytes += wire::frame("abcd");
    Frames frames(bytes, 4096);
    EXPECT_EQ(frames.chain(), walk(bytes, 0));
    EXPECT_EQ(frames.count, length);
  }
}

/// The block that sums up the tiles takes several turns.
TEST(RecordioFrames, MoreTilesThanThreadsOfABlock) {
  std::string bytes;
  for (int i = 0; i < 600; ++i) bytes += wire::frame(std::string(4000 + static_cast<std::size_t>(i % 50), 'x'));
  expect_found(bytes);
}

TEST(RecordioFrames, FlagsOfPartsAreNoCandidates) {
  std::string bytes;
  for (std::uint32_t flag = 0; flag < 8; ++flag) bytes += wire::frame("", flag);
  expect_found(bytes);
  EXPECT_EQ(Frames(bytes, 4096).count, 1u);
}

TEST(RecordioFrames, MoreCandidatesThanRoom) {
  std::string bytes;
  for (int i = 0; i < 3000; ++i) bytes += wire::frame("ab");
  Frames frames(bytes, 1500);
  Places all = candidates_of(bytes);
  EXPECT_EQ(frames.count, 3000u);
  all.resize(1500);
  EXPECT_EQ(frames.candidates(), all);
}

/// With the emulator's threads and blocks in another order.
struct RecordioSchedules : ::testing::TestWithParam<char const*> {
  void SetUp() override { simt::set_schedule(GetParam()); }
  void TearDown() override { simt::set_schedule("forward"); }
};
INSTANTIATE_TEST_SUITE_P(Simt, RecordioSchedules, ::testing::Values("forward", "reverse", "random:1", "random:20"));

TEST_P(RecordioSchedules, Frames) {
  wire::Random random(3);
  for (int round = 0; round < 6; ++round) {
    std::string bytes;
    for (std::size_t frames = 1 + random.below(40); frames > 0; --frames)
      bytes += wire::frame(words(random, random.below(400)));
    expect_found(bytes);
  }
}

/// Frames decoded on the device and encoded again.
void there_and_back(recordio::Plan const& plan, testing::RecordRows const& rows, std::string const& bytes) {
  cuda::Stream stream;
  auto const decoder = cuda::make_recordio_decoder(plan, {bytes.size(), rows.capacity(), 1}, stream);
  auto const encoder = cuda::make_recordio_encoder(plan.layout, {}, rows.capacity(), stream);
  Chunk chunk;
  chunk.text = {bytes.data(), bytes.size()};
  ASSERT_TRUE(decoder->begin(chunk));
  Batch batch;
  FaultLog faults;
  RoundCounts counts;
  Decoded decoded;
  ASSERT_TRUE(decoder->next(batch, faults, counts, decoded));
  EXPECT_TRUE(decoded.ends_chunk);
  EXPECT_EQ(counts.lines, rows.capacity().rows);
  auto const encoded = encoder->encode(batch);
  ASSERT_EQ(encoded.size_bytes, bytes.size());
  std::string found(bytes.size(), '\xee');
  stream.copy(found.data(), encoded.data, found.size(), "copy out");
  stream.wait();
  EXPECT_TRUE(found == bytes);
}

TEST_P(RecordioSchedules, ThereAndBack) {
  for (std::size_t const features : {3u, 31u, 300u}) {
    recordio::Plan plan;
    plan.layout.features = features;
    plan.layout.labels = 1;
    testing::RecordRows const dense(plan.layout, 60, 0, features);
    there_and_back(plan, dense, dense.frames());
    plan.layout.is_sparse = plan.requires_shape = true;
    testing::RecordRows const sparse(plan.layout, 120, 70, features);
    there_and_back(plan, sparse, sparse.frames());
  }
}

/// Behind the text no frame is looked for, and no word of one read.
TEST(RecordioDenseChunks, AShortFrameAtTheEnd) {
  cuda::Stream stream;
  recordio::Plan plan;
  plan.layout.features = 784;
  std::string const bytes = testing::RecordRows(plan.layout, 3, 0, 1).frames() + wire::frame("short");
  auto const decoder = cuda::make_recordio_decoder(plan, {bytes.size(), {9, 0, 0, 0, 0}, 1}, stream);
  Chunk chunk;
  chunk.text = {bytes.data(), bytes.size()};
  EXPECT_FALSE(decoder->begin(chunk));
}

}  // namespace
}  // namespace penstock
