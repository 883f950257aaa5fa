/// The structure of libsvm text: words, lines and comments, and how many rows and items come before each tile. One pass
/// over the text that does not know in which phase its tile is entered, so that it counts for all three; the block that
/// arrives last picks one for every tile.
///
/// Both questions that bytes to the left decide are additions, whose carry runs from a bit through ones to the next
/// zero:
///
///     line ends       . 1 . . . 1 . .      hashes              . 1 . . . . . .
///   + no start        1 1 1 0 1 1 1 0    + no line end         1 1 1 1 1 0 1 1
///     a carry reaches a line's first       a carry comes into the bytes of a
///     start:          . . . 1 . . . 1      comment:            . . 1 1 1 1 . .
#pragma once

#include <cstdint>

#include "cuda/kernels/libsvm_tiles.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/libsvm/grammar.hpp"

namespace penstock::cuda::libsvm {

/// 32 bytes a thread.
template <unsigned tile_bytes>
struct TileShape {
  static constexpr unsigned threads = tile_bytes / 32;
  static constexpr unsigned warps = threads / warp_lanes;
};

// --- carries ---------------------------------------------------------------------------------------------------------

/// Which lanes a carry comes into (bits), and whether one goes out of the last.
struct Carries {
  std::uint32_t into = 0;
  bool out = false;
};

/// Lanes make a carry, or pass on the one that comes in, or neither.
__device__ inline Carries ripple(bool makes, bool passes, bool in) {
  std::uint32_t const made = __ballot_sync(all_lanes, makes), passed = __ballot_sync(all_lanes, passes);
  std::uint32_t const a = made | passed;
  std::uint64_t const sum = std::uint64_t{a} + made + (in ? 1u : 0u);
  return {static_cast<std::uint32_t>(sum) ^ a ^ made, sum >> 32 != 0};
}

/// The bits of a warp's `ones` into which a carry comes that began at a bit of `from` (which are ones, too). `carry` is
/// what comes into the first lane, and then what goes out of the last.
__device__ inline std::uint32_t carried_into(std::uint32_t from, std::uint32_t ones, bool& carry) {
  bool const makes = (std::uint64_t{from} + ones) >> 32 != 0;
  Carries const carries = ripple(makes, ones == ~0u, carry);
  carry = carries.out;
  return (from + ones + (carries.into >> lane_of_thread() & 1u)) ^ from ^ ones;
}

/// The first starts behind line ends; `is_fresh`: none came since the last one, at first and at last.
__device__ inline std::uint32_t first_starts(std::uint32_t line_ends, std::uint32_t starts, bool& is_fresh) {
  return carried_into(line_ends, ~starts, is_fresh) & starts;
}

/// What lies behind a '#' in its line.
__device__ inline std::uint32_t comment_bytes(std::uint32_t hashes, std::uint32_t line_ends, bool& is_comment) {
  return carried_into(hashes, ~line_ends, is_comment);
}

// --- classes of bytes ------------------------------------------------------------------------------------------------

/// Which of 32 bytes are what: bit i for byte i.
struct ByteSets {
  std::uint32_t separators = 0;  ///< blanks, '#', line ends
  std::uint32_t stops = 0;       ///< and colons
  std::uint32_t line_ends = 0;
  std::uint32_t returns = 0;  ///< CR
  std::uint32_t hashes = 0;
  std::uint32_t letters = 0;  ///< 'q'
};

constexpr std::uint32_t four_times(char byte) { return 0x01010101u * static_cast<unsigned char>(byte); }

/// Of 32 bytes: the set of eight at a time, bits 7 to 14 of a word for each, as one.
PENSTOCK_HD_HOT std::uint32_t joined(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return (a + (b << 8)) >> 7 | (c + (d << 8)) << 9;
}
inline constexpr std::uint32_t low_weights = 0x08040201u, high_weights = 0x80402010u;

PENSTOCK_HD_HOT void add_word(ByteSets& sets, std::uint32_t word, std::uint32_t weights) {
  std::uint32_t const returns = equal_bytes(word, four_times('\r'));
  std::uint32_t const line_ends = returns | equal_bytes(word, four_times('\n'));
  std::uint32_t const hashes = equal_bytes(word, four_times('#'));
  std::uint32_t const blanks = equal_bytes(word, four_times(' ')) | equal_bytes(word, four_times('\t'));
  std::uint32_t const separators = line_ends | hashes | blanks;
  sets.separators = dot4(separators, weights, sets.separators);
  sets.stops = dot4(separators | equal_bytes(word, four_times(':')), weights, sets.stops);
  sets.line_ends = dot4(line_ends, weights, sets.line_ends);
  sets.returns = dot4(returns, weights, sets.returns);
  sets.hashes = dot4(hashes, weights, sets.hashes);
}

PENSTOCK_HD_HOT ByteSets sets_of_8(std::uint32_t low, std::uint32_t high) {
  ByteSets sets;
  add_word(sets, low, low_weights);
  add_word(sets, high, high_weights);
  return sets;
}

/// All but letters.
PENSTOCK_HD_HOT ByteSets sets_of_32(uint4 low, uint4 high) {
  ByteSets const a = sets_of_8(low.x, low.y), b = sets_of_8(low.z, low.w);
  ByteSets const c = sets_of_8(high.x, high.y), d = sets_of_8(high.z, high.w);
  return {joined(a.separators, b.separators, c.separators, d.separators),
          joined(a.stops, b.stops, c.stops, d.stops),
          joined(a.line_ends, b.line_ends, c.line_ends, d.line_ends),
          joined(a.returns, b.returns, c.returns, d.returns),
          joined(a.hashes, b.hashes, c.hashes, d.hashes),
          0};
}

PENSTOCK_HD_HOT std::uint32_t letters_of_8(std::uint32_t low, std::uint32_t high) {
  std::uint32_t const pattern = four_times('q');
  return dot4(equal_bytes(low, pattern), low_weights, dot4(equal_bytes(high, pattern), high_weights, 0));
}
PENSTOCK_HD_HOT std::uint32_t letters_of_32(uint4 low, uint4 high) {
  return joined(letters_of_8(low.x, low.y), letters_of_8(low.z, low.w), letters_of_8(high.x, high.y),
                letters_of_8(high.z, high.w));
}

/// The same for text as it mostly is, with half the work. Bytes below '$' are separators there: spaces and LFs.
struct UsualSets {
  std::uint32_t separators = 0;
  std::uint32_t colons = 0;
  std::uint32_t line_ends = 0;
  std::uint32_t others = 0;  ///< not 0: there are other bytes below '$'
};

PENSTOCK_HD_HOT void add_word(UsualSets& sets, std::uint32_t word, std::uint32_t weights) {
  std::uint32_t const line_ends = equal_bytes(word, four_times('\n'));
  std::uint32_t const low = ~(((word & 0x7f7f7f7fu) + four_times(static_cast<char>(0x80 - '$'))) | word) & 0x80808080u;
  sets.others |= low ^ (line_ends | equal_bytes(word, four_times(' ')));
  sets.separators = dot4(low, weights, sets.separators);
  sets.colons = dot4(equal_bytes(word, four_times(':')), weights, sets.colons);
  sets.line_ends = dot4(line_ends, weights, sets.line_ends);
}

PENSTOCK_HD_HOT UsualSets usual_sets_of_8(std::uint32_t low, std::uint32_t high) {
  UsualSets sets;
  add_word(sets, low, low_weights);
  add_word(sets, high, high_weights);
  return sets;
}

PENSTOCK_HD_HOT UsualSets usual_sets_of_32(uint4 low, uint4 high) {
  UsualSets const a = usual_sets_of_8(low.x, low.y), b = usual_sets_of_8(low.z, low.w);
  UsualSets const c = usual_sets_of_8(high.x, high.y), d = usual_sets_of_8(high.z, high.w);
  return {joined(a.separators, b.separators, c.separators, d.separators),
          joined(a.colons, b.colons, c.colons, d.colons), joined(a.line_ends, b.line_ends, c.line_ends, d.line_ends),
          a.others | b.others | c.others | d.others};
}

/// Of a warp's bytes; all its lanes go the same way.
__device__ inline ByteSets sets_of(uint4 low, uint4 high) {
  UsualSets const usual = usual_sets_of_32(low, high);
  ByteSets sets;
  sets.separators = usual.separators;
  sets.stops = usual.separators | usual.colons;
  sets.line_ends = usual.line_ends;
  if (__any_sync(all_lanes, usual.others != 0) != 0) sets = sets_of_32(low, high);
  std::uint32_t const all = low.x | low.y | low.z | low.w | high.x | high.y | high.z | high.w;
  if (__any_sync(all_lanes, (all & 0x40404040u) != 0) != 0) sets.letters = letters_of_32(low, high);
  return sets;
}

/// Bytes that are no text become blanks.
PENSTOCK_HD_HOT ByteSets blanked(ByteSets sets, std::uint32_t blanks) {
  sets.separators |= blanks;
  sets.stops |= blanks;
  sets.line_ends &= ~blanks;
  sets.returns &= ~blanks;
  sets.hashes &= ~blanks;
  sets.letters &= ~blanks;
  return sets;
}

/// Which of the 32 bytes at `at` lie before or behind the text.
PENSTOCK_HD_HOT std::uint32_t outside(ChunkText const& text, std::uint32_t at) {
  std::uint32_t const mark = at == 0 ? (1u << text.mark_bytes) - 1 : 0u;
  if (at + 32 <= text.size) return mark;
  return mark | (at >= text.size ? ~0u : ~0u << (text.size - at));
}

/// 32 bytes of a thread, and what the passes keep of them.
struct Words {
  std::uint32_t starts = 0;
  std::uint32_t line_ends = 0;
  std::uint32_t hashes = 0;
  std::uint32_t letters = 0;
  std::uint32_t lines = 0;  ///< physical line ends
};

// --- a warp's text -----------------------------------------------------------------------------------------------

/// A stretch of text for every phase in which it may be entered. The words in front of its first line end and its first
/// '#' are its front: what they are depends on the phase, what follows does not.
struct Stretch {
  std::uint32_t rows = 0;   ///< if it is entered in a record
  std::uint32_t items = 0;  ///< the same
  std::uint32_t lines = 0;
  std::uint32_t front_items = 0;  ///< words of the front that do not begin with 'q'
  bool has_front = false;
  bool first_is_item = false;  ///< the front's first word does not begin with 'q'
  bool has_exit = false;       ///< the phase behind it does not depend on the one before: it is ...
  Phase exit = Phase::fresh;
};

/// Rows and items of a stretch, and the phase behind it.
struct Passage {
  std::uint32_t rows = 0;
  std::uint32_t items = 0;
  Phase exit = Phase::fresh;
};

PENSTOCK_HD inline Passage pass(Stretch const& stretch, Phase entry) {
  Passage passage{stretch.rows, stretch.items, entry};
  if (entry == Phase::fresh && stretch.has_front) {
    ++passage.rows;
    passage.items -= stretch.first_is_item ? 1 : 0;
    passage.exit = Phase::record;
  }
  if (entry == Phase::comment) passage.items -= stretch.front_items;
  if (stretch.has_exit) passage.exit = stretch.exit;
  return passage;
}

/// A stretch in two words and some bits: it is a warp's, 1 KiB.
struct PackedStretch {
  std::uint32_t rows_and_items = 0;
  std::uint32_t lines_and_front = 0;
  std::uint32_t flags = 0;
};

PENSTOCK_HD inline Stretch unpacked(PackedStretch packed) {
  Stretch stretch;
  stretch.rows = packed.rows_and_items & 0xffffu;
  stretch.items = packed.rows_and_items >> 16;
  stretch.lines = packed.lines_and_front & 0xffffu;
  stretch.front_items = packed.lines_and_front >> 16;
  stretch.has_front = (packed.flags & 1u) != 0;
  stretch.first_is_item = (packed.flags & 2u) != 0;
  stretch.has_exit = (packed.flags & 4u) != 0;
  stretch.exit = static_cast<Phase>(packed.flags >> 3);
  return stretch;
}

/// What a warp's text looks like to the rest of its tile before comments are left out.
struct CommentState {
  bool has_line_end = false;
  bool ends_inside = false;  ///< of a comment that begins in it
};

// --- memory ----------------------------------------------------------------------------------------------------------

/// What is known about a tile before its entry: for each phase rows (bits 0 to 14), items (15 to 29) and exit (30, 31).
struct TileStates {
  std::uint32_t* passages = nullptr;  ///< three a tile
  std::uint32_t* lines = nullptr;
};
static_assert(large_tile_bytes / 2 < 1u << 15);

PENSTOCK_HD constexpr std::uint32_t packed(Passage passage) {
  return passage.rows | passage.items << 15 | static_cast<std::uint32_t>(passage.exit) << 30;
}
PENSTOCK_HD constexpr Passage passage_of(std::uint32_t packed) {
  return {packed & 0x7fffu, packed >> 15 & 0x7fffu, static_cast<Phase>(packed >> 30)};
}

struct StructureWork {
  ChunkText text;
  Masks masks;
  TileStates tiles;
  TileEntry* entries = nullptr;
  Totals* totals = nullptr;
  unsigned* arrived = nullptr;
};

// --- the kernel's parts ----------------------------------------------------------------------------------------------

/// What stands in front of a warp's text: bit 0 a separator (or nothing), bit 1 a CR.
__device__ inline std::uint32_t edge_before(ChunkText const& text, std::uint32_t at) {
  if (at == 0) return text.follows_cr ? 3u : 1u;
  if (at >= text.size) return 1u;
  char const byte = load_cached(text.data + at - 1);
  return (penstock::libsvm::ends_word(byte) ? 1u : 0u) | (byte == '\r' ? 2u : 0u);
}

/// Reads the 32 bytes at `at`, and writes their stops. `edge`: what stands in front of the warp's bytes.
__device__ inline Words read_words(StructureWork const& work, std::uint32_t at, std::uint32_t edge) {
  auto const* const from = reinterpret_cast<uint4 const*>(work.text.data + at);
  ByteSets const sets = blanked(sets_of(load_16(from), load_16(from + 1)), outside(work.text, at));
  work.masks.stops[at / 32] = sets.stops;
  std::uint32_t const mine = sets.separators >> 31 | sets.returns >> 31 << 1;
  std::uint32_t before = __shfl_up_sync(all_lanes, mine, 1);
  if (lane_of_thread() == 0) before = edge;
  std::uint32_t const starts = ~sets.separators & (sets.separators << 1 | (before & 1u));
  std::uint32_t const lines = count_bits(sets.line_ends & (sets.returns | ~(sets.returns << 1 | before >> 1)));
  return {starts, sets.line_ends, sets.hashes, sets.letters, lines};
}

__device__ inline CommentState comment_state(Words const& words) {
  CommentState state;
  state.has_line_end = __any_sync(all_lanes, words.line_ends != 0) != 0;
  if (__any_sync(all_lanes, words.hashes != 0) != 0)
    (void)comment_bytes(words.hashes, words.line_ends, state.ends_inside);
  return state;
}

/// Those of 32 bytes that lie in front of their warp's first line end.
__device__ inline std::uint32_t front_bytes(std::uint32_t line_ends) {
  std::uint32_t const lanes = __ballot_sync(all_lanes, line_ends != 0);
  if ((lanes & lanes_below()) != 0) return 0;
  return line_ends == 0 ? ~0u : (line_ends & (0u - line_ends)) - 1;
}

/// Counts a warp's words. All lanes get the same.
__device__ inline PackedStretch count_words(Words const& words, CommentState const& state) {
  bool is_fresh = false;
  std::uint32_t const heads = first_starts(words.line_ends, words.starts, is_fresh);
  std::uint32_t const items = words.starts & ~heads & ~words.letters;
  std::uint32_t const front = words.starts & front_bytes(words.line_ends);
  std::uint32_t const with_front = __ballot_sync(all_lanes, front != 0);
  std::uint32_t const first_is_item = __ballot_sync(all_lanes, (front & (0u - front) & ~words.letters) != 0);
  bool const has_front = with_front != 0, has_exit = state.ends_inside || state.has_line_end;
  Phase const exit = state.ends_inside ? Phase::comment : is_fresh ? Phase::fresh : Phase::record;
  PackedStretch stretch;
  stretch.rows_and_items = warp_sum(count_bits(heads) | count_bits(items) << 16);
  stretch.lines_and_front = warp_sum(words.lines | count_bits(front & ~words.letters) << 16);
  stretch.flags = (has_front ? 1u : 0u) | (has_exit ? 4u : 0u) | static_cast<std::uint32_t>(exit) << 3;
  if (has_front && (first_is_item >> lowest_bit(with_front) & 1u) != 0) stretch.flags |= 2;
  return stretch;
}

// --- tile entries, by the block that arrives last ----------------------------------------------------------------

/// Where a stretch of tiles leads from each phase: two bits for each.
using PhaseMap = std::uint32_t;
inline constexpr PhaseMap same_phases = 0u | 1u << 2 | 2u << 4;
PENSTOCK_HD constexpr std::uint32_t phase_behind(PhaseMap map, std::uint32_t phase) { return map >> 2 * phase & 3u; }
PENSTOCK_HD constexpr PhaseMap then(PhaseMap a, PhaseMap b) {
  return phase_behind(b, phase_behind(a, 0)) | phase_behind(b, phase_behind(a, 1)) << 2 |
         phase_behind(b, phase_behind(a, 2)) << 4;
}

__device__ inline PhaseMap phase_map(TileStates const& tiles, unsigned tile) {
  PhaseMap map = 0;
  for (unsigned phase = 0; phase < phases; ++phase)
    map |= (load_fresh(tiles.passages + phases * tile + phase) >> 30) << 2 * phase;
  return map;
}
__device__ inline Passage passage_at(TileStates const& tiles, unsigned tile, Phase entry) {
  return passage_of(load_fresh(tiles.passages + phases * tile + static_cast<std::uint32_t>(entry)));
}

/// Each thread takes a run of tiles: first to know in which phase it is entered, then how many rows and items come
/// before.
template <unsigned threads>
__device__ inline void enter_tiles(StructureWork const& work) {
  constexpr unsigned warps = threads / warp_lanes;
  PENSTOCK_SHARED(std::uint32_t, maps, warps);
  PENSTOCK_SHARED(std::uint64_t, sums, warps);
  PENSTOCK_SHARED(std::uint32_t, line_sums, warps);
  unsigned const tiles = gridDim.x, lane = lane_of_thread(), warp = warp_of_thread();
  unsigned const run = (tiles + threads - 1) / threads;
  unsigned const begin = threadIdx.x * run < tiles ? threadIdx.x * run : tiles;
  unsigned const end = begin + run < tiles ? begin + run : tiles;

  PhaseMap map = same_phases;
  std::uint32_t lines = 0;
  for (unsigned tile = begin; tile < end; ++tile) {
    map = then(map, phase_map(work.tiles, tile));
    lines += load_fresh(work.tiles.lines + tile);
  }
  for (unsigned d = 1; d < warp_lanes; d *= 2) {
    PhaseMap const below = __shfl_up_sync(all_lanes, map, d);
    if (lane >= d) map = then(below, map);
  }
  PhaseMap before = __shfl_up_sync(all_lanes, map, 1);
  if (lane == 0) before = same_phases;
  lines = warp_sum(lines);
  if (lane == 31) {
    maps[warp] = map;
    line_sums[warp] = lines;
  }
  __syncthreads();
  std::uint32_t phase = static_cast<std::uint32_t>(Phase::fresh);
  for (unsigned w = 0; w < warp; ++w) phase = phase_behind(maps[w], phase);
  Phase const entry = static_cast<Phase>(phase_behind(before, phase));

  std::uint64_t sum = 0;  // rows above, items below
  Phase at = entry;
  for (unsigned tile = begin; tile < end; ++tile) {
    Passage const passage = passage_at(work.tiles, tile, at);
    sum += std::uint64_t{passage.rows} << 32 | passage.items;
    at = passage.exit;
  }
  std::uint64_t const inclusive = warp_inclusive_sum(sum);
  if (lane == 31) sums[warp] = inclusive;
  __syncthreads();
  std::uint64_t base = inclusive - sum;
  for (unsigned w = 0; w < warp; ++w) base += sums[w];
  at = entry;
  for (unsigned tile = begin; tile < end; ++tile) {
    work.entries[tile] = {static_cast<std::uint32_t>(base >> 32), static_cast<std::uint32_t>(base), at};
    Passage const passage = passage_at(work.tiles, tile, at);
    base += std::uint64_t{passage.rows} << 32 | passage.items;
    at = passage.exit;
  }
  if (threadIdx.x == threads - 1) {
    std::uint32_t all_lines = 0;
    for (unsigned w = 0; w < warps; ++w) all_lines += line_sums[w];
    *work.totals = {static_cast<std::uint32_t>(base >> 32), static_cast<std::uint32_t>(base), all_lines};
  }
}

// --- the kernel ------------------------------------------------------------------------------------------------------

/// A thread takes 32 bytes. Text: size bytes, tiles filled up; masks: a word a thread; three passages and a count of
/// lines a tile, from which the block that arrives last makes an entry a tile and the totals. Launch: a block a tile, a
/// thread for 32 bytes. Shared: 500 bytes at most. Work: about 12 operations a byte, 18 with blanks, comments or CRs of
/// other kinds; 1 byte read and 3/8 written.
template <unsigned tile_bytes>
__global__ void PENSTOCK_BOUNDS(TileShape<tile_bytes>::threads, 1024 / TileShape<tile_bytes>::threads)
    structure_kernel(StructureWork work) {
  using Shape = TileShape<tile_bytes>;
  PENSTOCK_SHARED(std::uint32_t, comments, Shape::warps);
  PENSTOCK_SHARED(std::uint32_t, stretches, Shape::warps * 3);
  PENSTOCK_SHARED(bool, is_last, 1);
  unsigned const warp = warp_of_thread(), lane = lane_of_thread();
  std::uint32_t const warp_begin = blockIdx.x * tile_bytes + warp * 1024, mine = warp_begin + lane * 32;

  Words words = read_words(work, mine, edge_before(work.text, warp_begin));
  CommentState state = comment_state(words);
  if (lane == 0) comments[warp] = (state.has_line_end ? 1u : 0u) | (state.ends_inside ? 2u : 0u);
  __syncthreads();
  bool is_comment = false;
  for (unsigned w = 0; w < warp; ++w) {
    std::uint32_t const before = comments[w];
    is_comment = (before & 2u) != 0 || (is_comment && before == 0);
  }
  if (is_comment || __any_sync(all_lanes, words.hashes != 0) != 0)
    words.starts &= ~comment_bytes(words.hashes, words.line_ends, is_comment);
  work.masks.starts[mine / 32] = words.starts;
  work.masks.line_ends[mine / 32] = words.line_ends | (words.starts & words.letters);
  state.ends_inside = is_comment;

  PackedStretch const stretch = count_words(words, state);
  if (lane == 0) {
    stretches[3 * warp] = stretch.rows_and_items;
    stretches[3 * warp + 1] = stretch.lines_and_front;
    stretches[3 * warp + 2] = stretch.flags;
  }
  __syncthreads();
  if (threadIdx.x < phases) {
    Passage tile{0, 0, static_cast<Phase>(threadIdx.x)};
    std::uint32_t tile_lines = 0;
    for (unsigned w = 0; w < Shape::warps; ++w) {
      Stretch const next = unpacked({stretches[3 * w], stretches[3 * w + 1], stretches[3 * w + 2]});
      Passage const passage = pass(next, tile.exit);
      tile = {tile.rows + passage.rows, tile.items + passage.items, passage.exit};
      tile_lines += next.lines;
    }
    work.tiles.passages[phases * blockIdx.x + threadIdx.x] = packed(tile);
    if (threadIdx.x == 0) work.tiles.lines[blockIdx.x] = tile_lines;
  }
  if (last_block_to_arrive(work.arrived, is_last)) enter_tiles<Shape::threads>(work);
}

/// Finds masks (but heads and items), entries and totals of a chunk.
inline void find_structure(Stream& stream, StructureWork const& work) {
  unsigned const tile = tile_bytes_for(work.text.size);
  unsigned const blocks = blocks_for(work.text.size, tile);
  if (tile == large_tile_bytes)
    launch("libsvm_structure", stream, {blocks, TileShape<large_tile_bytes>::threads},
           structure_kernel<large_tile_bytes>, work);
  else
    launch("libsvm_structure", stream, {blocks, TileShape<small_tile_bytes>::threads},
           structure_kernel<small_tile_bytes>, work);
}

}  // namespace penstock::cuda::libsvm
