/// The structure of CSV by quote parity, 32 bytes a thread and step: where fields and lines end, and with which row and
/// column every tile is entered. One pass over the text that does not know how its tile is entered and therefore
/// prepares both ways; the block that arrives last picks one for every tile.
///
///     text       a , " b , LF " , c LF     entered outside quotes
///     quotes     . . 1 . .  . 1 . .  .
///     inside     . . 1 1 1  1 . . .  .     the running parity of quotes: the opening one belongs to it
///     outside    . 1 . . .  . . 1 .  1     separators & ~inside
///     inside     . . . . 1  1 . . .  .     separators & inside, right if the tile is entered inside
///
/// Parity means what the automaton means (formats/csv/grammar.hpp) if every opening quote directly follows a separator,
/// a closing quote or a record's start, and every closing quote directly precedes a separator or an opening quote, or
/// ends the text: formats/csv/scan.hpp has the same proof. Looking back from every byte, for both ways to enter:
///
///     late     a quote that follows something else       violates where it opens: inside
///     trailing something else that follows a quote       violates where that one closed: outside
#pragma once

#include <cstdint>

#include "cuda/kernels/csv_entries.cuh"
#include "cuda/launch.cuh"

namespace penstock::cuda::csv {

/// Dialects for which find_fields() is made; others are for find_fields_by_automaton(). Special bytes are ASCII.
constexpr bool suits_parity(penstock::csv::Dialect const& dialect) {
  bool const is_ascii = ((dialect.delimiter | dialect.quote) & 0x80) == 0;
  return is_ascii && dialect.escape == 0 && dialect.comment == 0 && !dialect.trim;
}

/// Special bytes, each four times.
struct Symbols {
  std::uint32_t delimiter = 0;
  std::uint32_t quote = 0;
};
constexpr std::uint32_t four_times(char byte) { return 0x01010101u * static_cast<unsigned char>(byte); }

/// Which of 32 bytes are what: bit i for byte i.
struct ByteSets {
  std::uint32_t separators = 0;  ///< delimiters and line ends
  std::uint32_t line_ends = 0;
  std::uint32_t returns = 0;  ///< CR
  std::uint32_t quotes = 0;
};

PENSTOCK_HD constexpr ByteSets masked(ByteSets sets, std::uint32_t mask) {
  return {sets.separators & mask, sets.line_ends & mask, sets.returns & mask, sets.quotes & mask};
}

// --- classes of bytes ------------------------------------------------------------------------------------------------

/// The highest bit of every byte whose seven low bits are not those of the ASCII byte that `pattern` repeats; other
/// bits are anything. `low_bits` of a word: x & 0x7f7f7f7f. With x itself or'ed in: the bytes that are another byte.
PENSTOCK_HD_HOT std::uint32_t different(std::uint32_t low_bits, std::uint32_t pattern) {
  return (low_bits ^ pattern) + 0x7f7f7f7fu;
}

/// Of the four bytes of a word: the highest bit of those that are in a set; other bits are 0.
template <bool has_quotes>
PENSTOCK_HD_HOT ByteSets sets_of_4(std::uint32_t x, Symbols symbols) {
  std::uint32_t constexpr highest = 0x80808080u;
  std::uint32_t const low_bits = x & ~highest;
  std::uint32_t const no_return = different(low_bits, four_times('\r'));
  std::uint32_t const no_end = (no_return & different(low_bits, four_times('\n'))) | x;
  std::uint32_t const no_separator = no_end & (different(low_bits, symbols.delimiter) | x);
  std::uint32_t const no_quote = has_quotes ? different(low_bits, symbols.quote) | x : ~0u;
  return {~no_separator & highest, ~no_end & highest, ~(no_return | x) & highest, ~no_quote & highest};
}

/// Bits 7 to 14 of the result are about the eight bytes of two words.
template <bool has_quotes>
PENSTOCK_HD_HOT ByteSets sets_of_8(std::uint32_t low, std::uint32_t high, Symbols symbols) {
  std::uint32_t constexpr low_weights = 0x08040201u, high_weights = 0x80402010u;
  ByteSets const a = sets_of_4<has_quotes>(low, symbols), b = sets_of_4<has_quotes>(high, symbols);
  ByteSets sets;
  sets.separators = dot4(a.separators, low_weights, dot4(b.separators, high_weights, 0));
  sets.line_ends = dot4(a.line_ends, low_weights, dot4(b.line_ends, high_weights, 0));
  sets.returns = dot4(a.returns, low_weights, dot4(b.returns, high_weights, 0));
  if constexpr (has_quotes) sets.quotes = dot4(a.quotes, low_weights, dot4(b.quotes, high_weights, 0));
  return sets;
}

PENSTOCK_HD_HOT std::uint32_t joined(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return (a + (b << 8)) >> 7 | (c + (d << 8)) << 9;
}

template <bool has_quotes>
PENSTOCK_HD_HOT ByteSets sets_of_32(uint4 low, uint4 high, Symbols symbols) {
  ByteSets const a = sets_of_8<has_quotes>(low.x, low.y, symbols), b = sets_of_8<has_quotes>(low.z, low.w, symbols);
  ByteSets const c = sets_of_8<has_quotes>(high.x, high.y, symbols), d = sets_of_8<has_quotes>(high.z, high.w, symbols);
  return {joined(a.separators, b.separators, c.separators, d.separators),
          joined(a.line_ends, b.line_ends, c.line_ends, d.line_ends),
          joined(a.returns, b.returns, c.returns, d.returns), joined(a.quotes, b.quotes, c.quotes, d.quotes)};
}

/// Bit i of the result: the quotes up to byte i are odd in number.
PENSTOCK_HD_HOT std::uint32_t running_parity(std::uint32_t quotes) {
  for (unsigned d = 1; d < 32; d *= 2) quotes ^= quotes << d;
  return quotes;
}

// --- one byte back ---------------------------------------------------------------------------------------------------

/// What stands directly in front of a warp's text, in the highest bits; what lies lower is not looked at. After a step,
/// for lane 0, what the step's last lane saw.
PENSTOCK_HD constexpr std::uint32_t in_front(bool yes) { return yes ? 0x80000000u : 0; }

template <bool has_quotes>
__device__ inline ByteSets sets_in_front(StructureWork const& work, Symbols symbols, std::uint32_t at) {
  using enum penstock::csv::State;
  ByteSets sets;
  if (at == 0) {
    auto const state = static_cast<penstock::csv::State>(chunk_entry(work).state);
    sets.line_ends = in_front(state == record_start);
    sets.separators = in_front(state == record_start || state == field_start);
    sets.returns = in_front(work.text.follows_cr);
    sets.quotes = in_front(state == quote_in_quoted);
  } else if (at < work.text.size) {
    char const byte = load_cached(work.text.data + at - 1);
    sets.line_ends = in_front(penstock::csv::is_line_end(byte));
    sets.separators = sets.line_ends | in_front(four_times(byte) == symbols.delimiter);
    sets.returns = in_front(byte == '\r');
    sets.quotes = in_front(has_quotes && four_times(byte) == symbols.quote);
  }
  return sets;
}

/// Bit i: byte i - 1 is in the set. `front` is about the 32 bytes in front of the warp, for lane 0; then about the last
/// lane's, for the next step.
__device__ inline std::uint32_t one_byte_back(std::uint32_t set, std::uint32_t& front) {
  unsigned const lane = lane_of_thread();
  std::uint32_t const left = __shfl_sync(all_lanes, set, static_cast<int>((lane + warp_lanes - 1) % warp_lanes));
  std::uint32_t const before = lane == 0 ? front : left;
  front = left;
  return funnel_right(before, set, 31);
}

// --- a warp's text ---------------------------------------------------------------------------------------------------

/// What a thread keeps of 32 bytes, for a warp that is entered outside quotes; the two change places if it is not.
struct FieldWords {
  std::uint32_t outside = 0;
  std::uint32_t inside = 0;
  std::uint32_t line_ends = 0;
};

/// What a thread adds up over its words.
struct WarpSums {
  std::uint32_t rows = 0;              ///< entered outside; inside in the upper half
  std::uint32_t lines = 0;             ///< physical line ends
  std::uint32_t quotes = 0;            ///< in the warp so far
  std::uint32_t violates_outside = 0;  ///< not 0: parity means nothing if the warp is entered outside quotes
  std::uint32_t violates_inside = 0;
};

/// A warp's next 1024 bytes, 32 a lane. `valid`: those that are text.
template <bool has_quotes>
__device__ inline FieldWords take_32(ByteSets const& sets, std::uint32_t valid, ByteSets& front, WarpSums& sums) {
  std::uint32_t const after_line = one_byte_back(sets.line_ends, front.line_ends);
  std::uint32_t const after_return = one_byte_back(sets.returns, front.returns);
  std::uint32_t const row_ends = sets.line_ends & ~after_line;  // of a record that is not blank, if it ends one
  sums.lines += count_bits(sets.line_ends & (sets.returns | ~after_return));
  if constexpr (!has_quotes) {
    sums.rows += count_bits(row_ends);
    return {sets.separators, 0, sets.line_ends};
  }
  std::uint32_t const after_separator = one_byte_back(sets.separators, front.separators);
  std::uint32_t const after_quote = one_byte_back(sets.quotes, front.quotes);
  std::uint32_t const odd = __ballot_sync(all_lanes, count_bits(sets.quotes) & 1);
  bool const starts_inside = ((count_bits(odd & lanes_below()) + sums.quotes) & 1) != 0;
  std::uint32_t const inside = running_parity(sets.quotes) ^ (starts_inside ? ~0u : 0u);
  sums.quotes += count_bits(odd);
  std::uint32_t const late = sets.quotes & ~(after_separator | after_quote);
  std::uint32_t const trailing = after_quote & ~(sets.separators | sets.quotes) & valid;
  sums.violates_outside |= (late & inside) | (trailing & ~inside);
  sums.violates_inside |= (late & ~inside) | (trailing & inside);
  sums.rows += count_bits(row_ends & ~inside) + (count_bits(row_ends & inside) << 16);
  return {sets.separators & ~inside, sets.separators & inside, sets.line_ends};
}

/// Fields of a warp's text behind its last record end, or all of them. `ends` and `records` are the lane's words of
/// field ends and record ends, the last one first.
struct Tail {
  std::uint32_t fields = 0;  ///< of this lane
  bool is_found = false;     ///< a record end, by any lane
};
__device__ inline void add_to_tail(Tail& tail, std::uint32_t fields, std::uint32_t records) {
  if (tail.is_found) return;
  std::uint32_t const lanes = __ballot_sync(all_lanes, records != 0);
  unsigned const last = lanes != 0 ? highest_bit(lanes) : 0;
  tail.is_found = lanes != 0;
  if (!tail.is_found || lane_of_thread() > last) tail.fields += count_bits(fields);
  if (tail.is_found && lane_of_thread() == last) tail.fields += count_bits(fields >> highest_bit(records) >> 1);
}

// --- a tile ----------------------------------------------------------------------------------------------------------

/// Which words of the text a thread has: the k-th is first + 32 k.
template <unsigned tile_bytes>
struct TileShape {
  static constexpr unsigned words = tile_bytes / 32 / tile_threads == 0 ? 1 : tile_bytes / 32 / tile_threads;
  static constexpr unsigned threads = tile_bytes / 32 / words;
  static constexpr unsigned warps = threads / warp_lanes;
};

/// The warp's summaries: entered outside quotes, and inside.
template <bool has_quotes, class Shape, class Summaries, class Lines>
__device__ inline void summarise_warp(FieldWords const (&found)[Shape::words], WarpSums const& sums,
                                      Summaries& summaries, Lines& lines) {
  Tail outside, inside;
  for (unsigned k = Shape::words; k-- > 0;) {
    add_to_tail(outside, found[k].outside, found[k].outside & found[k].line_ends);
    if constexpr (has_quotes) add_to_tail(inside, found[k].inside, found[k].inside & found[k].line_ends);
  }
  std::uint32_t const rows = warp_sum(sums.rows), line_ends = warp_sum(sums.lines);
  std::uint32_t const tails = warp_sum(outside.fields + (inside.fields << 16));
  bool const violates_outside = has_quotes && __any_sync(all_lanes, sums.violates_outside != 0);
  bool const violates_inside = has_quotes && __any_sync(all_lanes, sums.violates_inside != 0);
  if (lane_of_thread() != 0) return;
  Summary const odd = (sums.quotes & 1) != 0 ? has_odd_quotes : 0;
  unsigned const warp = warp_of_thread();
  lines[warp] = line_ends;
  summaries[2 * warp] = (tails & 0xffffu) | (rows & 0xffffu) << rows_shift | odd |
                        (outside.is_found ? has_record_end : 0) | (violates_outside ? has_violation : 0);
  summaries[2 * warp + 1] = tails >> 16 | rows >> 16 << rows_shift | odd | (inside.is_found ? has_record_end : 0) |
                            (violates_inside ? has_violation : 0);
}

/// Masks speak of the tile's entry: where the quotes of the warps before are odd, the two change places.
template <bool has_quotes, class Shape, class Summaries>
__device__ inline void store_words(FieldWords const (&found)[Shape::words], std::uint32_t first, Masks const& masks,
                                   Summaries& summaries) {
  bool is_flipped = false;
  if constexpr (has_quotes) {
    unsigned const lane = lane_of_thread();
    bool const is_odd = lane < warp_of_thread() && (summaries[2 * lane] & has_odd_quotes) != 0;
    is_flipped = (count_bits(__ballot_sync(all_lanes, is_odd)) & 1) != 0;
  }
  for (unsigned k = 0; k < Shape::words; ++k) {
    std::uint32_t const word = first + warp_lanes * k;
    masks.outside[word] = is_flipped ? found[k].inside : found[k].outside;
    if constexpr (has_quotes) masks.inside[word] = is_flipped ? found[k].outside : found[k].inside;
    masks.line_ends[word] = found[k].line_ends;
  }
}

/// Puts the warps' summaries together: thread 0 for a tile that is entered outside quotes, thread 1 for inside.
template <bool has_quotes, class Shape, class Summaries, class Lines>
__device__ inline void summarise_tile(TileStates const& tiles, Summaries& summaries, Lines& lines) {
  if (threadIdx.x < (has_quotes ? 2 : 1)) {
    Summary tile = 0;
    for (unsigned w = 0; w < Shape::warps; ++w)
      tile = then(tile, summaries[2 * w + (threadIdx.x ^ tile / has_odd_quotes)]);
    tiles.summaries[2 * blockIdx.x + threadIdx.x] = tile;
  }
  if (threadIdx.x != 2) return;
  std::uint32_t sum = 0;
  for (unsigned w = 0; w < Shape::warps; ++w) sum += lines[w];
  tiles.lines[blockIdx.x] = sum;
}

/// The state that is left behind a chunk in which nothing is violated.
__device__ inline std::uint32_t state_behind(StructureWork const& work, Symbols symbols, bool is_inside) {
  using enum penstock::csv::State;
  if (work.text.size == 0) return chunk_entry(work).state;
  char const last = work.text.data[work.text.size - 1];
  penstock::csv::State state = unquoted;
  if (is_inside)
    state = quoted;
  else if (penstock::csv::is_line_end(last))
    state = record_start;
  else if (four_times(last) == symbols.delimiter)
    state = field_start;
  else if (symbols.quote != 0 && four_times(last) == symbols.quote)
    state = quote_in_quoted;
  return static_cast<std::uint32_t>(state);
}

__device__ inline void finish_chunk(StructureWork const& work, Symbols symbols) {
  Entry start = chunk_entry(work);
  start.is_inside = start.state == static_cast<std::uint32_t>(penstock::csv::State::quoted) ? 1 : 0;
  Structure structure = enter_tiles(work.tiles, start, work.entries);
  structure.exit.state = state_behind(work, symbols, structure.exit.is_inside != 0);
  if (threadIdx.x == 0) *work.result = structure;
}

/// A thread classifies 32 bytes, once or twice; a warp its 1 or 2 KiB as if they were entered outside quotes; the block
/// puts warps together. Launch: TileShape threads a tile; the last block also scans all tiles.
/// Shared: 8 summaries for either way and 8 counts, and 164 bytes for the scan. Barriers: 3, and 3 in the last block.
/// Work: 12 instructions a byte with quotes, 8 without (counted in code for sm_90, tiles of 16 KiB, the scan of tiles
/// aside); reads the text once, writes 3 or 2 bits a byte.
template <bool has_quotes, unsigned tile_bytes>
__global__ void PENSTOCK_BOUNDS(TileShape<tile_bytes>::threads, 1536 / TileShape<tile_bytes>::threads)
    find_fields_kernel(Symbols symbols, StructureWork work) {
  using Shape = TileShape<tile_bytes>;
  PENSTOCK_SHARED(Summary, warp_summaries, 2 * Shape::warps);
  PENSTOCK_SHARED(std::uint32_t, warp_lines, Shape::warps);
  PENSTOCK_SHARED(bool, is_last, 1);
  unsigned const lane = lane_of_thread(), warp = warp_of_thread();
  std::uint32_t const first = (blockIdx.x * Shape::warps + warp) * (Shape::words * warp_lanes) + lane;
  uint4 const* const text = reinterpret_cast<uint4 const*>(work.text.data);
  uint4 loaded[2 * Shape::words] = {};
  for (unsigned k = 0; k < Shape::words; ++k) {
    std::uint32_t const word = first + warp_lanes * k;
    if (32 * word >= work.text.size) continue;
    loaded[2 * k] = load_16(text + 2 * std::size_t{word});
    loaded[2 * k + 1] = load_16(text + 2 * std::size_t{word} + 1);
  }
  ByteSets front = sets_in_front<has_quotes>(work, symbols, 32 * (first - lane));
  FieldWords found[Shape::words];
  WarpSums sums;
  for (unsigned k = 0; k < Shape::words; ++k) {
    std::uint32_t const begin = 32 * (first + warp_lanes * k), size = work.text.size;
    std::uint32_t const valid = begin >= size ? 0 : size - begin >= 32 ? ~0u : (1u << (size - begin)) - 1;
    ByteSets const sets = masked(sets_of_32<has_quotes>(loaded[2 * k], loaded[2 * k + 1], symbols), valid);
    found[k] = take_32<has_quotes>(sets, valid, front, sums);
  }
  summarise_warp<has_quotes, Shape>(found, sums, warp_summaries, warp_lines);
  __syncthreads();
  store_words<has_quotes, Shape>(found, first, work.masks, warp_summaries);
  summarise_tile<has_quotes, Shape>(work.tiles, warp_summaries, warp_lines);
  if (last_block_to_arrive(work.arrived, is_last)) finish_chunk(work, symbols);
}

template <unsigned tile_bytes>
void find_fields_in_tiles(Stream& stream, penstock::csv::Dialect const& dialect, StructureWork const& work) {
  Grid const grid{tiles_of(work.text.size, tile_bytes), TileShape<tile_bytes>::threads};
  Symbols const symbols{four_times(dialect.delimiter), four_times(dialect.quote)};
  auto const kernel = dialect.quote != 0 ? find_fields_kernel<true, tile_bytes> : find_fields_kernel<false, tile_bytes>;
  launch("find_fields", stream, grid, kernel, symbols, work);
}

/// Enqueues: the structure of `text` to `memory` and `*result` (device or mapped memory; apart from `chunk_entry`). The
/// dialect suits_parity(). `chunk_entry` may be null: the text begins at a record's start. A text that is cut anywhere
/// and taken piece by piece, each with the exit of the one before, gives what it gives in one piece. If a closing quote
/// is a piece's last byte, what follows is looked at with the next piece, whose structure is then the violated one.
inline void find_fields(Stream& stream, penstock::csv::Dialect const& dialect, ChunkText text,
                        StructureMemory const& memory, Entry const* chunk_entry, Structure* result) {
  StructureWork const work = memory.work(text, chunk_entry, result);
  if (tile_bytes_for(text.size) == small_tile_bytes)
    find_fields_in_tiles<small_tile_bytes>(stream, dialect, work);
  else
    find_fields_in_tiles<large_tile_bytes>(stream, dialect, work);
}

}  // namespace penstock::cuda::csv
