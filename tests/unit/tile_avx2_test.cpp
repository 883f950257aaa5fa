// Summaries of tiles with AVX2: the bits of the plain text, for every number of columns and rows.

#include "host/exec/tile_avx2.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "formats/statistics/tile.hpp"
#include "host/exec/tile_summary.hpp"
#include "tests/support/avx2_test.hpp"

#if defined(__x86_64__)

namespace penstock {
namespace {

using statistics::Summary;
using TileAvx2 = testing::Avx2Test;
using Random = std::mt19937_64;

enum class Kind { finite, some_odd, any_bits, odd, count };

float random_value(Random& random, Kind kind) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float odd[] = {0.0f, -0.0f, infinity, -infinity, std::numeric_limits<float>::quiet_NaN(), 1e-40f, -3e38f};
  if (kind == Kind::any_bits) return std::bit_cast<float>(static_cast<std::uint32_t>(random()));
  if (kind == Kind::odd || (kind == Kind::some_odd && random() % 8 == 0)) return odd[random() % std::size(odd)];
  return static_cast<float>(static_cast<double>(random() >> 40) * 1e-3 - 5000);
}

std::uint64_t bits_of(double x) { return std::bit_cast<std::uint64_t>(x); }

/// Bits, so that -0 is not 0.
void expect_same(Summary const& found, Summary const& wanted) {
  EXPECT_EQ(found.missing, wanted.missing);
  EXPECT_EQ(found.infinite, wanted.infinite);
  EXPECT_EQ(found.zeros, wanted.zeros);
  EXPECT_EQ(bits_of(found.least), bits_of(wanted.least));
  EXPECT_EQ(bits_of(found.greatest), bits_of(wanted.greatest));
  EXPECT_EQ(found.moments.count, wanted.moments.count);
  EXPECT_EQ(bits_of(found.moments.mean), bits_of(wanted.moments.mean));
  EXPECT_EQ(bits_of(found.moments.m2), bits_of(wanted.moments.m2));
  EXPECT_EQ(bits_of(found.moments.m3), bits_of(wanted.moments.m3));
}

struct Shape {
  std::size_t rows, stride, columns;
};

/// The values end where the last row does, so that a sanitizer sees what is read behind it.
void expect_same_summaries(Random& random, Shape shape, Kind kind) {
  SCOPED_TRACE(::testing::Message() << shape.rows << " x " << shape.columns << ", stride " << shape.stride << ", kind "
                                    << static_cast<int>(kind));
  std::vector<float> values(shape.rows == 0 ? 0 : (shape.rows - 1) * shape.stride + shape.columns);
  for (float& value : values) value = random_value(random, kind);
  Summary before;
  before.missing = before.infinite = before.zeros = before.moments.count = 77;
  before.least = before.moments.m3 = 77;
  std::vector<Summary> wanted(shape.columns), found(shape.columns, before);
  statistics::summarize_tile(values.data(), shape.rows, shape.stride, shape.columns, wanted.data());
  avx2::summarize_tile(values.data(), shape.rows, shape.stride, shape.columns, found.data());
  for (std::size_t c = 0; c < shape.columns; ++c) expect_same(found[c], wanted[c]);
}

TEST_F(TileAvx2, GivesTheBitsOfPlainText) {
  Random random(1);
  for (std::size_t columns = 1; columns <= 70; ++columns) {
    for (std::size_t const rows : {0u, 1u, 2u, 31u, 32u, 33u, 63u, 64u, 500u, 992u, 1023u, 1024u}) {
      auto const kind = static_cast<Kind>(random() % static_cast<std::uint64_t>(Kind::count));
      expect_same_summaries(random, {rows, columns, columns}, kind);
    }
  }
  for (std::size_t rows = 0; rows <= 130; ++rows)
    for (std::size_t const columns : {1u, 3u, 8u, 9u, 16u, 19u})
      expect_same_summaries(random, {rows, columns, columns}, Kind::some_odd);
}

TEST_F(TileAvx2, EveryKindOfValue) {
  Random random(2);
  for (int kind = 0; kind < static_cast<int>(Kind::count); ++kind)
    for (std::size_t const columns : {1u, 2u, 7u, 8u, 16u, 33u, 200u})
      expect_same_summaries(random, {1024, columns, columns}, static_cast<Kind>(kind));
}

TEST_F(TileAvx2, RowsThatAreFurtherApart) {
  Random random(3);
  for (std::size_t columns = 1; columns <= 40; ++columns)
    for (std::size_t const gap : {1u, 5u, 16u})
      expect_same_summaries(random, {random() % 1025, columns + gap, columns}, Kind::some_odd);
}

/// What callers take: whichever instruction set is asked for.
TEST_F(TileAvx2, IsChosenByInstructionSet) {
  Random random(4);
  std::vector<float> values(std::size_t{1024} * 20);
  for (float& value : values) value = random_value(random, Kind::some_odd);
  std::vector<Summary> plain(20), vectors(20);
  summarize_tile(InstructionSet::portable, values.data(), 1024, 20, 20, plain.data());
  summarize_tile(InstructionSet::avx2, values.data(), 1024, 20, 20, vectors.data());
  for (std::size_t c = 0; c < 20; ++c) expect_same(vectors[c], plain[c]);
  EXPECT_GT(plain[0].moments.count, 0u);
}

}  // namespace
}  // namespace penstock

#endif
