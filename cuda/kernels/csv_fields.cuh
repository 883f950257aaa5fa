/// Fields and records in the masks that the structure passes wrote (csv_tiles.hpp), whatever tiles they lie in.
#pragma once

#include <cstdint>

#include "cuda/kernels/csv_tiles.hpp"
#include "cuda/vocabulary.cuh"

namespace penstock::cuda::csv {

/// A chunk and its structure.
struct Tiles {
  char const* text = nullptr;
  Masks masks;
  Entry const* entries = nullptr;
  std::uint32_t count = 0;
  unsigned word_bits = 0;  ///< a tile has 1 << word_bits words of each mask
};

constexpr unsigned word_bits_of(unsigned tile_bytes) { return tile_bytes == large_tile_bytes ? 9 : 7; }
static_assert(32u << word_bits_of(large_tile_bytes) == large_tile_bytes);
static_assert(32u << word_bits_of(small_tile_bytes) == small_tile_bytes);

/// The field ends among the 32 bytes of a word.
__device__ inline std::uint32_t field_ends(Tiles const& tiles, std::uint32_t word) {
  bool const is_inside = load_cached(&tiles.entries[word >> tiles.word_bits].is_inside) != 0;
  return load_cached((is_inside ? tiles.masks.inside : tiles.masks.outside) + word);
}
__device__ inline std::uint32_t record_ends(Tiles const& tiles, std::uint32_t word) {
  return field_ends(tiles, word) & load_cached(tiles.masks.line_ends + word);
}

/// The byte behind the last record end before byte `at`: where the record of that byte begins.
__device__ inline std::uint32_t record_begin(Tiles const& tiles, std::uint32_t at) {
  std::uint32_t word = at / 32;
  std::uint32_t ends = record_ends(tiles, word) & ((1u << at % 32) - 1);
  while (ends == 0) {
    if (word == 0) return 0;
    ends = record_ends(tiles, --word);
  }
  return 32 * word + highest_bit(ends) + 1;
}

/// The field ends from a byte on, one by one. There must be one for each call: every record ends.
class FieldCursor {
 public:
  __device__ FieldCursor(Tiles const& tiles, std::uint32_t from)
      : word_(from / 32), ends_(field_ends(tiles, from / 32) & ~0u << from % 32) {}

  __device__ std::uint32_t next(Tiles const& tiles) {
    while (ends_ == 0) ends_ = field_ends(tiles, ++word_);
    std::uint32_t const end = 32 * word_ + lowest_bit(ends_);
    ends_ &= ends_ - 1;
    return end;
  }

 private:
  std::uint32_t word_;
  std::uint32_t ends_;  ///< of the word's, those that are still to come
};

}  // namespace penstock::cuda::csv
