/// What the structure passes of CSV find out about a chunk, and what the passes behind them read. All pointers are
/// device memory.
///
///     text      a , " b , c " LF LF d          tile entry: row 0, column 0, outside
///     outside   . 1 .  . .  . . 1  1  .        ends of fields, if the tile is entered outside quotes ...
///     inside    . . .  . 1  . . .  .  .        ... and if inside
///     line_ends . . .  . .  . . 1  1  .        CR and LF, quoted or not
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/csv/grammar.hpp"

namespace penstock::cuda::csv {

inline constexpr unsigned tile_threads = 256;
/// Two sizes of tiles: small ones where a chunk would not fill the device with large ones.
inline constexpr unsigned large_tile_bytes = 16384;
inline constexpr unsigned small_tile_bytes = 4096;
inline constexpr std::size_t small_tiles_below_bytes = std::size_t{4} << 20;

constexpr unsigned tile_bytes_for(std::size_t text_bytes) {
  return text_bytes < small_tiles_below_bytes ? small_tile_bytes : large_tile_bytes;
}

/// One thread reads a record that is not plain: one of more bytes, its line end not counted, is for the CPU. A
/// choice that no measurement on a GPU stands behind yet. Whole tiles of either size.
inline constexpr std::uint32_t care_bytes_max = std::uint32_t{64} << 10;
static_assert(care_bytes_max % large_tile_bytes == 0);

/// Bit i of word w is about byte 32 w + i. A field end that is a line end ends a record too.
struct Masks {
  std::uint32_t* outside = nullptr;
  std::uint32_t* inside = nullptr;  ///< written only where quotes are looked for
  std::uint32_t* line_ends = nullptr;
};

/// What is known in front of a tile's first byte (or a chunk's).
struct Entry {
  std::uint32_t row = 0;        ///< rows that have ended; blank lines and comments are none
  std::uint32_t column = 0;     ///< fields of the open record that have ended
  std::uint32_t is_inside = 0;  ///< inside quotes: Masks::inside holds for the tile
  std::uint32_t state = 0;      ///< a chunk's only: of the automaton, penstock::csv::State or record_blank
};

/// With trimming, behind a record's start and blanks: what a line end makes a blank line of. The state that the
/// grammar's field_start stands for there; the next number behind the grammar's own.
inline constexpr std::uint32_t record_blank = static_cast<std::uint32_t>(penstock::csv::state_count);

/// The text of a chunk, in device memory. Its first byte is at a multiple of 16, and its last tile readable in full.
struct ChunkText {
  char const* data = nullptr;
  std::uint32_t size = 0;
  bool follows_cr =
      false;  ///< the byte before the first one is a CR: an LF there begins no physical line end of its own
};

/// Of a whole chunk.
struct Structure {
  Entry exit;                     ///< behind its last byte: exit.row rows
  std::uint32_t lines = 0;        ///< physical line ends: CR, and LF that does not follow a CR
  std::uint32_t is_violated = 0;  ///< quotes do not stand where parity means what the automaton means: nothing holds
};

}  // namespace penstock::cuda::csv
