/// What the passes of libsvm find out about a chunk, and what the passes behind them read. All pointers are device
/// memory.
///
///     text       1 _ q i d : 7 _ 2 : 0 . 5 _ # x LF    tile entry: row 0, item 0, fresh
///     starts     1 . 1 . . . . . 1 . . . . . . . .     first bytes of words, comments left out
///     line_ends  . . 1 . . . . . . . . . . . . . 1     line ends, and those starts that are a 'q'
///     stops      . 1 . . . 1 . 1 . 1 . . . 1 1 . 1     colons, blanks, '#', line ends
///
///     heads      1 . 1 . . . . . . . . . . . . . .     first words of lines, and ...
///     items      . . 1 . . . . . 1 . . . . . . . .     other words; both: one that begins with a 'q'
#pragma once

#include <cstddef>
#include <cstdint>

namespace penstock::cuda::libsvm {

/// Two sizes of tiles: small ones where a chunk would not fill the device with large ones.
inline constexpr unsigned large_tile_bytes = 16384;
inline constexpr unsigned small_tile_bytes = 4096;
inline constexpr std::size_t small_tiles_below_bytes = std::size_t{4} << 20;

constexpr unsigned tile_bytes_for(std::size_t text_bytes) {
  return text_bytes < small_tiles_below_bytes ? small_tile_bytes : large_tile_bytes;
}
/// Of all tiles: the last one is filled up.
constexpr std::size_t tiled_bytes(std::size_t text_bytes) {
  std::size_t const tile = tile_bytes_for(text_bytes);
  return (text_bytes + tile - 1) / tile * tile;
}

/// A chunk. `data` is 16-byte aligned; 64 bytes before it and behind its last tile may be read.
struct ChunkText {
  char const* data = nullptr;
  std::uint32_t size = 0;
  std::uint32_t mark_bytes = 0;  ///< at its beginning, that are no text
  bool follows_cr = false;
};

/// Bit i of word w is about byte 32 w + i. Each has a word for every 32 bytes of tiles, and two more.
struct Masks {
  std::uint32_t* starts = nullptr;
  std::uint32_t* line_ends = nullptr;
  std::uint32_t* stops = nullptr;
  std::uint32_t* heads = nullptr;
  std::uint32_t* items = nullptr;
};

/// What a place in the text follows.
enum class Phase : std::uint32_t {
  fresh,    ///< nothing but blanks in its line: a word begins a record
  record,   ///< a word: others are items
  comment,  ///< a '#'
};
inline constexpr unsigned phases = 3;

/// What is known in front of a tile's first byte.
struct TileEntry {
  std::uint32_t row = 0;   ///< rows that have begun: lines that have a word
  std::uint32_t item = 0;  ///< words behind the first of a line that do not begin with 'q'
  Phase phase = Phase::fresh;
};

/// Of a whole chunk.
struct Totals {
  std::uint32_t rows = 0;
  std::uint32_t items = 0;
  std::uint32_t lines = 0;  ///< physical line ends: CR, and LF that does not follow a CR
};

/// Rows that are converted in one go, from row `first_row` of the chunk on.
struct RowTable {
  std::uint32_t first_row = 0;
  std::uint32_t rows_max = 0;
  /// Of row first_row + i: where its line begins, and how many items come before it in the chunk. rows_max + 1
  /// elements, as far as the chunk has rows; behind the chunk's last row stand the chunk's size and its number of
  /// items.
  std::uint32_t* begins = nullptr;
  std::uint32_t* items = nullptr;
};

/// The rows of a table that a round's memory holds.
struct Window {
  std::uint32_t rows = 0;
  std::uint32_t first_item = 0;  ///< of the chunk
  std::uint32_t items = 0;
  std::uint32_t begin = 0;           ///< of the first row's line
  std::uint32_t end = 0;             ///< where the next row's line begins, or the chunk's end
  std::uint32_t longest = 0;         ///< the greatest length_of_row()
  std::uint32_t marked = 0;          ///< rows that are not plain
  std::uint32_t longest_marked = 0;  ///< the greatest length_of_row() of one of them
};

/// Where rows go, row i of the window to place i; what the layout lacks is null.
struct RowArrays {
  float* label = nullptr;
  float* weight = nullptr;
  std::int64_t* qid = nullptr;
  std::int64_t* indptr = nullptr;
  std::int64_t* indices = nullptr;
  void* values = nullptr;
  std::uint32_t* begins = nullptr;  ///< of lines
};

/// What the host waits for.
struct WindowReport {
  Totals totals;
  Window window;
};

}  // namespace penstock::cuda::libsvm
