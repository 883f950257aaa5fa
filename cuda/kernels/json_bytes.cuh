/// 32 bytes of JSON lines a thread: which of them are what, and what comes into them from the bytes before.
///
///     text          " a \ " b " LF " c        quotes but the escaped one
///     is inside     1 1 1 1 1 . .  1 1        parity of quotes, which begins anew behind a line end: no string goes on
#pragma once

#include <cstdint>

#include "cuda/kernels/json_tiles.hpp"
#include "cuda/vocabulary.cuh"

namespace penstock::cuda::json {

// --- classes of bytes ------------------------------------------------------------------------------------------------

/// Which of 32 bytes are what: bit i for byte i.
struct ByteSets {
  std::uint32_t quotes = 0;
  std::uint32_t backslashes = 0;
  std::uint32_t commas = 0;
  std::uint32_t brackets = 0;
  std::uint32_t line_ends = 0;
  std::uint32_t returns = 0;  ///< CR
  std::uint32_t blanks = 0;   ///< and line ends
};

constexpr std::uint32_t four_times(char byte) { return 0x01010101u * static_cast<unsigned char>(byte); }

/// Of 32 bytes: the set of eight at a time, bits 7 to 14 of a word for each, as one.
PENSTOCK_HD_HOT std::uint32_t joined(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return (a + (b << 8)) >> 7 | (c + (d << 8)) << 9;
}

/// `folded`: ChunkText::folded.
PENSTOCK_HD_HOT void add_word(ByteSets& sets, std::uint32_t word, std::uint32_t weights, std::uint32_t folded) {
  std::uint32_t const returns = equal_bytes(word, four_times('\r'));
  std::uint32_t const line_ends = returns | equal_bytes(word, four_times('\n'));
  std::uint32_t const blanks = equal_bytes(word, four_times(' ')) | equal_bytes(word, four_times('\t'));
  sets.quotes = dot4(equal_bytes(word, four_times('"')), weights, sets.quotes);
  sets.backslashes = dot4(equal_bytes(word, four_times('\\')), weights, sets.backslashes);
  sets.commas = dot4(equal_bytes(word, four_times(',')), weights, sets.commas);
  std::uint32_t const brackets =
      equal_bytes(word | folded, four_times('[') | folded) | equal_bytes(word | folded, four_times(']') | folded);
  sets.brackets = dot4(brackets, weights, sets.brackets);
  sets.line_ends = dot4(line_ends, weights, sets.line_ends);
  sets.returns = dot4(returns, weights, sets.returns);
  sets.blanks = dot4(blanks | line_ends, weights, sets.blanks);
}

PENSTOCK_HD_HOT ByteSets sets_of_8(std::uint32_t low, std::uint32_t high, std::uint32_t folded) {
  ByteSets sets;
  add_word(sets, low, 0x08040201u, folded);
  add_word(sets, high, 0x80402010u, folded);
  return sets;
}

PENSTOCK_HD_HOT ByteSets sets_of_32(uint4 low, uint4 high, std::uint32_t folded) {
  ByteSets const a = sets_of_8(low.x, low.y, folded), b = sets_of_8(low.z, low.w, folded);
  ByteSets const c = sets_of_8(high.x, high.y, folded), d = sets_of_8(high.z, high.w, folded);
  return {joined(a.quotes, b.quotes, c.quotes, d.quotes),
          joined(a.backslashes, b.backslashes, c.backslashes, d.backslashes),
          joined(a.commas, b.commas, c.commas, d.commas),
          joined(a.brackets, b.brackets, c.brackets, d.brackets),
          joined(a.line_ends, b.line_ends, c.line_ends, d.line_ends),
          joined(a.returns, b.returns, c.returns, d.returns),
          joined(a.blanks, b.blanks, c.blanks, d.blanks)};
}

/// Bytes that are no text become blanks.
PENSTOCK_HD_HOT ByteSets blanked(ByteSets const& sets, std::uint32_t blanks) {
  return {sets.quotes & ~blanks,    sets.backslashes & ~blanks, sets.commas & ~blanks, sets.brackets & ~blanks,
          sets.line_ends & ~blanks, sets.returns & ~blanks,     sets.blanks | blanks};
}

/// Which of the 32 bytes at `at` lie before or behind the text.
PENSTOCK_HD_HOT std::uint32_t outside(ChunkText const& text, std::uint32_t at) {
  std::uint32_t const mark = at == 0 ? (1u << text.mark_bytes) - 1 : 0u;
  if (at + 32 <= text.size) return mark;
  return mark | (at >= text.size ? ~0u : ~0u << (text.size - at));
}

// --- escapes ---------------------------------------------------------------------------------------------------------

/// Which of 32 bytes stand behind an odd number of backslashes. `is_escaped`: the first one does.
PENSTOCK_HD inline std::uint32_t escaped_bytes(std::uint32_t backslashes, bool is_escaped) {
  constexpr std::uint32_t odd = 0xaaaaaaaau;
  std::uint32_t const before = is_escaped ? 1u : 0u;
  std::uint32_t const escapes = backslashes & ~before;  // may escape, if even many stand right before
  std::uint32_t const series = ((escapes << 1 | odd) - escapes) ^ odd;
  return series ^ (backslashes | before);
}

/// Whether the byte behind 32 bytes is escaped, by the backslashes that they end with; not for 32 backslashes.
PENSTOCK_HD inline bool ends_escaping(std::uint32_t backslashes) {
  return backslashes != ~0u && (leading_zeros(std::uint64_t{~backslashes} << 32) & 1) != 0;
}

// --- carries ---------------------------------------------------------------------------------------------------------

/// The first of `starts` behind each line end, of a warp's bytes: line ends carry over what is no start, by addition.
/// `is_fresh`: none came since the last line end, at first and at last.
__device__ inline std::uint32_t first_starts(std::uint32_t line_ends, std::uint32_t starts, bool& is_fresh) {
  std::uint32_t const ones = ~starts;
  bool const makes = (std::uint64_t{line_ends} + ones) >> 32 != 0;
  std::uint32_t const made = __ballot_sync(all_lanes, makes), passed = __ballot_sync(all_lanes, ones == ~0u);
  std::uint32_t const a = made | passed;
  std::uint64_t const sum = std::uint64_t{a} + made + (is_fresh ? 1u : 0u);
  std::uint32_t const into = static_cast<std::uint32_t>(sum) ^ a ^ made;
  is_fresh = sum >> 32 != 0;
  return (line_ends + ones + (into >> lane_of_thread() & 1u)) & starts;
}

/// Which of 32 bytes are inside strings, if the first one is not, quotes that open included.
PENSTOCK_HD inline std::uint32_t inside_bytes(std::uint32_t quotes, std::uint32_t line_ends) {
  std::uint32_t inside = quotes;
  for (unsigned d = 1; d < 32; d *= 2) inside ^= inside << d;
  for (; line_ends != 0; line_ends &= line_ends - 1) {
    std::uint32_t const end = line_ends & (0u - line_ends);
    if ((inside & end) != 0) inside ^= 0u - end;
  }
  return inside;
}

/// The bytes in front of the first of some bits.
PENSTOCK_HD inline std::uint32_t before_first(std::uint32_t bits) { return bits == 0 ? ~0u : (bits & (0u - bits)) - 1; }

/// What stretches of text, a bit each, do to the parity of quotes.
struct Parities {
  std::uint32_t restart = 0;  ///< it has a line end
  std::uint32_t odd = 0;      ///< behind it the parity is odd, if it was even before

  /// Whether it is odd behind some of the first stretches, if it `is_odd` before them.
  PENSTOCK_HD bool behind(std::uint32_t first_bits, bool is_odd) const {
    std::uint32_t const restarts = restart & first_bits;
    if (restarts == 0) return ((count_bits(odd & first_bits) & 1u) != 0) != is_odd;
    return (count_bits(odd & first_bits & ~0u << highest_bit(restarts)) & 1u) != 0;
  }
};

// --- a warp's text ---------------------------------------------------------------------------------------------------

/// What a pass keeps of a thread's 32 bytes.
struct Bytes {
  std::uint32_t commas = 0;
  std::uint32_t brackets = 0;
  std::uint32_t inside = 0;  ///< if the warp begins outside strings
  std::uint32_t front = 0;   ///< those in front of the warp's first line end: otherwise, if it begins inside one
  std::uint32_t line_ends = 0;
  std::uint32_t contents = 0;  ///< neither blanks nor line ends
  std::uint32_t lines = 0;     ///< physical line ends
};

/// Of a warp's 32 stretches.
struct WarpText {
  Parities parities;
  bool is_refused = false;
};

/// Whether the byte at `at` is escaped, by up to 31 bytes before; `is_refused`: they are all backslashes.
__device__ inline bool is_escaped_at(ChunkText const& text, std::uint32_t at, bool& is_refused) {
  std::uint32_t run = 0;
  while (run < 32 && run < at && load_cached(text.data + at - 1 - run) == '\\') ++run;
  if (run == 32) is_refused = true;
  return (run & 1u) != 0;
}

/// Those quotes of a warp that are not escaped. `at`: the thread's first byte.
__device__ inline std::uint32_t plain_quotes(ChunkText const& text, ByteSets const& sets, std::uint32_t at,
                                             bool& is_refused) {
  bool is_escaped = false;
  if (lane_of_thread() == 0 && at < text.size) is_escaped = is_escaped_at(text, at, is_refused);
  if (__any_sync(all_lanes, sets.backslashes != 0 || is_escaped) == 0) return sets.quotes;
  if (sets.backslashes == ~0u) is_refused = true;
  std::uint32_t const before = __shfl_up_sync(all_lanes, ends_escaping(sets.backslashes) ? 1u : 0u, 1);
  if (lane_of_thread() != 0) is_escaped = before != 0;
  return sets.quotes & ~escaped_bytes(sets.backslashes, is_escaped);
}

/// Reads the 32 bytes at `at`.
__device__ inline Bytes read_bytes(ChunkText const& text, std::uint32_t at, WarpText& warp) {
  auto const* const from = reinterpret_cast<uint4 const*>(text.data + at);
  ByteSets const sets = blanked(sets_of_32(load_16(from), load_16(from + 1), text.folded), outside(text, at));
  bool is_refused = false;
  std::uint32_t const quotes = plain_quotes(text, sets, at, is_refused);
  warp.is_refused = __any_sync(all_lanes, is_refused) != 0;

  std::uint32_t returns = __shfl_up_sync(all_lanes, sets.returns, 1) >> 31;
  if (lane_of_thread() == 0) {
    bool const follows = at == 0 ? text.follows_cr : at < text.size && load_cached(text.data + at - 1) == '\r';
    returns = follows ? 1u : 0u;
  }
  Bytes bytes;
  bytes.commas = sets.commas;
  bytes.brackets = sets.brackets;
  bytes.line_ends = sets.line_ends;
  bytes.contents = ~sets.blanks;
  bytes.lines = count_bits(sets.line_ends & (sets.returns | ~(sets.returns << 1 | returns)));

  bytes.inside = inside_bytes(quotes, sets.line_ends);
  warp.parities = {__ballot_sync(all_lanes, sets.line_ends != 0), __ballot_sync(all_lanes, bytes.inside >> 31 != 0)};
  bool const is_front = (warp.parities.restart & lanes_below()) == 0;
  if (warp.parities.behind(lanes_below(), false)) bytes.inside ^= before_first(sets.line_ends);
  bytes.front = is_front ? before_first(sets.line_ends) : 0;
  return bytes;
}

}  // namespace penstock::cuda::json
