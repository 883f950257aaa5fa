#include "formats/core/line_counter.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace penstock {
namespace {

Chunk chunk_of(std::string_view text, bool follows_cr = false) {
  Chunk chunk;
  chunk.text = {text.data(), text.size()};
  chunk.follows_cr = follows_cr;
  return chunk;
}

struct Place {
  std::uint64_t line;
  std::uint32_t line_begin;
  bool operator==(Place const&) const = default;
};

void PrintTo(Place const& place, std::ostream* out) { *out << "line " << place.line << " from " << place.line_begin; }

Place place_of(std::string_view text, std::uint32_t offset, bool follows_cr = false) {
  LineCounter lines;
  lines.begin(chunk_of(text, follows_cr), 1);
  lines.advance(offset);
  return {lines.line(), lines.line_begin()};
}

TEST(LineCounter, EveryLineEndCounts) {
  std::string_view const text = "a\nb\rc\r\nd";
  EXPECT_EQ(place_of(text, 0), (Place{1, 0}));
  EXPECT_EQ(place_of(text, 1), (Place{1, 0})) << "the line end belongs to its line";
  EXPECT_EQ(place_of(text, 2), (Place{2, 2}));
  EXPECT_EQ(place_of(text, 4), (Place{3, 4}));
  EXPECT_EQ(place_of(text, 7), (Place{4, 7})) << "CR LF is one";
}

TEST(LineCounter, EmptyLinesCount) {
  EXPECT_EQ(place_of("\n\nx", 2), (Place{3, 2}));
  EXPECT_EQ(place_of("\r\rx", 2), (Place{3, 2}));
  EXPECT_EQ(place_of("\r\n\r\nx", 4), (Place{3, 4}));
  EXPECT_EQ(place_of("\n\rx", 2), (Place{3, 2})) << "LF CR is two";
  EXPECT_EQ(place_of("\r\r\nx", 3), (Place{3, 3}));
}

TEST(LineCounter, ALineFeedBehindACarriageReturnOfTheChunkBeforeIsNoLine) {
  EXPECT_EQ(place_of("\nx", 1, true), (Place{1, 1}));
  EXPECT_EQ(place_of("\nx", 1, false), (Place{2, 1}));
  EXPECT_EQ(place_of("\n\nx", 2, true), (Place{2, 2})) << "only the first";
  EXPECT_EQ(place_of("a\nx", 2, true), (Place{2, 2}));
  EXPECT_EQ(place_of("\rx", 1, true), (Place{2, 1}));
}

TEST(LineCounter, BeginForgetsTheChunkBefore) {
  LineCounter lines;
  lines.begin(chunk_of("a\nb\r"), 7);
  lines.advance(4);
  EXPECT_EQ(lines.line(), 9u);
  lines.begin(chunk_of("\nc"), 20);
  lines.advance(1);
  EXPECT_EQ(lines.line(), 21u) << "whether a CR came before is the chunk's word, not the counter's memory";
  EXPECT_EQ(lines.line_begin(), 1u);
}

/// From line to line by any steps, and from chunk to chunk, as if the text were counted in one go.
TEST(LineCounter, StepsAndChunksDoNotShow) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::size_t i = random() % 40; i > 0; --i) text += "a\n\r\n\rb"[random() % 6];
    std::uint64_t line = 1;
    std::size_t line_begin = 0;
    std::size_t chunk_begin = 0;
    LineCounter lines;
    lines.begin(chunk_of(text), 1);
    for (std::size_t at = 0; at <= text.size(); ++at) {
      if (at > 0 && (text[at - 1] == '\n' || text[at - 1] == '\r')) {
        line += text[at - 1] == '\n' && at > 1 && text[at - 2] == '\r' ? 0 : 1;
        line_begin = at;
      }
      if (random() % 3 == 0) continue;
      lines.advance(static_cast<std::uint32_t>(at - chunk_begin));
      ASSERT_EQ(lines.line(), line) << round << " at " << at;
      ASSERT_EQ(chunk_begin + lines.line_begin(), std::max(line_begin, chunk_begin)) << round << " at " << at;
      if (random() % 4 != 0) continue;
      chunk_begin = at;
      lines.begin(chunk_of(std::string_view(text).substr(at), at > 0 && text[at - 1] == '\r'), line);
    }
  }
}

}  // namespace
}  // namespace penstock
