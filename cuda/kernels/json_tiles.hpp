/// What the passes of JSON lines find out about a chunk, and what the passes behind them read. All pointers are device
/// memory.
///
///     text      { " a " : [ 1 , 2 ] , " [ " : 0 } LF
///     stops     . . . . . 1 . 1 . 1 1 . . . . . . .     commas and brackets of lists, outside strings
///     heads     1 . . . . . . . . . . . . . . . . .     first bytes of lines that are not blank: records
///
/// A stop is known by its number in the chunk: values of lists are kept by the number of the stop behind them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/platform.hpp"
#include "penstock/batch.hpp"

namespace penstock::cuda::json {

/// Two sizes of tiles: small ones where a chunk would not fill the device with large ones.
inline constexpr unsigned large_tile_bytes = 16384;
inline constexpr unsigned small_tile_bytes = 4096;
inline constexpr std::size_t small_tiles_below_bytes = std::size_t{4} << 20;

constexpr unsigned tile_bytes_for(std::size_t text_bytes) {
  return text_bytes < small_tiles_below_bytes ? small_tile_bytes : large_tile_bytes;
}

/// One thread reads a record that is not plain: one of more bytes is for the CPU.
inline constexpr std::uint32_t care_bytes_max = std::uint32_t{64} << 10;

/// A chunk. `data` is 16-byte aligned; 64 bytes before it and behind its last tile may be read.
struct ChunkText {
  char const* data = nullptr;
  std::uint32_t size = 0;
  std::uint32_t mark_bytes = 0;  ///< at its beginning, that are no text
  bool follows_cr = false;
  std::uint32_t folded = 0;  ///< bits of four bytes that brackets are compared without
};

/// Braces are brackets, too: '{' is '[' but for this bit.
inline constexpr std::uint32_t braces_folded = 0x20202020u;

/// Bit i of word w is about byte 32 w + i. Each has a word for every 32 bytes of tiles.
struct Masks {
  std::uint32_t* stops = nullptr;
  std::uint32_t* heads = nullptr;
};

/// What is known in front of a tile's first byte.
struct TileEntry {
  std::uint32_t row = 0;      ///< records that have begun
  std::uint32_t stop = 0;     ///< stops
  std::uint32_t bracket = 0;  ///< those of them that are brackets
  bool is_inside = false;     ///< inside a string
  bool is_fresh = true;       ///< nothing but blanks in its line
};

/// Of a whole chunk.
struct Totals {
  std::uint32_t rows = 0;
  std::uint32_t stops = 0;
  std::uint32_t brackets = 0;
  std::uint32_t lines = 0;  ///< physical line ends: CR, and LF that does not follow a CR
  /// Not 0: the chunk is for the CPU. There is more of something than memory, so many backslashes one behind the other
  /// that the parity of their number was not found, or a record that one thread should not read.
  std::uint32_t is_refused = 0;
};

/// What there is memory for.
struct Limits {
  std::uint32_t rows = 0;
  std::uint32_t stops = 0;
  std::uint32_t brackets = 0;
};

/// A bracket of a list (or, with braces_folded, of an object), outside strings.
struct Bracket {
  std::uint32_t at = 0;    ///< its byte
  std::uint32_t stop = 0;  ///< its number among stops
};

/// All records of a chunk. One element more than there are rows: behind the last one stand the chunk's size and its
/// numbers of stops and brackets.
struct RowTable {
  std::uint32_t* begins = nullptr;    ///< the record's first byte
  std::uint32_t* stops = nullptr;     ///< before it
  std::uint32_t* brackets = nullptr;  ///< before it
};

/// Elements of a list by the numbers of the stops behind them. None: begin is end.
struct Extent {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  [[nodiscard]] PENSTOCK_HD std::uint32_t size() const { return end - begin; }
};

/// Where the elements of a record's two lists lie among the chunk's values. DeepAR: target, which has no elements where
/// there is no row (yet), and dynamic_feat, with places without values between two of its lists. Vectors: values and
/// keys. Object2Vec: in0 and in1.
struct alignas(16) RowLists {
  Extent of[lists_max];
};

/// What records become before they go to rounds.
struct RowValues {
  RowLists* lists = nullptr;
  std::uint32_t* values = nullptr;  ///< by number of stop: float32 or integers
  std::uint32_t* marks = nullptr;   ///< a bit a record: it is not plain, and read by one thread
  std::int64_t* start = nullptr;    ///< of DeepAR
  std::int32_t* cat = nullptr;      ///< the same
  float* labels = nullptr;          ///< of vectors and Object2Vec
};

}  // namespace penstock::cuda::json
