/// The structure of CSV by its automaton, for every dialect and every text. Two passes over the text: the first finds
/// out where each 64 bytes lead from every state; the block that arrives last walks the tiles and so knows every tile's
/// first state; the second pass marks what ends where.
///
/// A vector says where a stretch of text leads: state s goes to the place that is in its bits 6 s to 6 s + 5. A place
/// is 6 times a state's number, so that a step is a shift: place = vector >> place & 63.
///
///     text   "     from record_start 0  field_start 1  unquoted 2  quoted 3           quote_in_quoted 4
///                to quoted           3  quoted      3  unquoted 2  quote_in_quoted 4  quoted          3
///     bits          18                  18             12          24                 18
///
/// States are the grammar's (formats/csv/grammar.hpp), and record_blank (csv_tiles.hpp): what field_start is behind
/// nothing but blanks, so that blank lines are known.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/kernels/csv_entries.cuh"
#include "cuda/launch.cuh"

namespace penstock::cuda::csv {

inline constexpr unsigned place_bits = 6;
inline constexpr std::uint32_t place_mask = (1u << place_bits) - 1;
/// Without escapes, comments and trimming only the first five can occur.
inline constexpr unsigned states_of_any_dialect = record_blank + 1;
inline constexpr unsigned states_of_plain_dialect = 5;
static_assert(states_of_any_dialect * place_bits <= 60 && (states_of_any_dialect - 1) * place_bits <= place_mask);
static_assert(static_cast<unsigned>(penstock::csv::State::quote_in_quoted) + 1 == states_of_plain_dialect);

// --- the table -------------------------------------------------------------------------------------------------------

/// What the grammar says about record_blank.
constexpr penstock::csv::Step step_from(std::uint32_t state, penstock::csv::Class byte_class) {
  using penstock::csv::State;
  return penstock::csv::step(state == record_blank ? State::field_start : static_cast<State>(state), byte_class);
}
constexpr std::uint32_t state_after(std::uint32_t state, penstock::csv::Class byte_class) {
  bool const is_at_start = state == static_cast<std::uint32_t>(penstock::csv::State::record_start);
  if (byte_class == penstock::csv::Class::blank && (is_at_start || state == record_blank)) return record_blank;
  return static_cast<std::uint32_t>(step_from(state, byte_class).next);
}

/// The automaton of a dialect, as kernels take it. The sets have bit 6 s for state s.
struct ByteTable {
  static constexpr std::uint64_t is_delimiter = std::uint64_t{1} << 60;
  static constexpr std::uint64_t is_line_end = std::uint64_t{1} << 61;

  std::uint64_t vectors[256] = {};   ///< of every byte value, and the two bits above
  std::uint64_t delimiter_ends = 0;  ///< states in which a delimiter ends a field
  std::uint64_t line_end_ends = 0;   ///< states in which a line end ends a field, and the record
  std::uint64_t is_no_row = 0;       ///< states from which a line end makes no row: blank lines, comments

  constexpr explicit ByteTable(penstock::csv::Dialect const& dialect) {
    using penstock::csv::Class;
    using penstock::csv::State;
    std::uint64_t of_class[penstock::csv::class_count] = {};
    for (std::size_t c = 0; c < penstock::csv::class_count; ++c) {
      for (std::uint32_t s = 0; s < states_of_any_dialect; ++s) {
        std::uint64_t const place = place_bits * state_after(s, static_cast<Class>(c));
        of_class[c] |= place << (place_bits * s);
      }
    }
    of_class[static_cast<std::size_t>(Class::delimiter)] |= is_delimiter;
    of_class[static_cast<std::size_t>(Class::line_end)] |= is_line_end;
    penstock::csv::ByteClasses const classes(dialect);
    for (unsigned b = 0; b < 256; ++b)
      vectors[b] = of_class[static_cast<std::size_t>(classes[static_cast<char>(static_cast<unsigned char>(b))])];
    for (std::uint32_t s = 0; s < states_of_any_dialect; ++s) {
      std::uint64_t const bit = std::uint64_t{1} << (place_bits * s);
      if (step_from(s, Class::delimiter).ends_field) delimiter_ends |= bit;
      if (step_from(s, Class::line_end).ends_field) line_end_ends |= bit;
      bool const is_start = s == static_cast<std::uint32_t>(State::record_start) || s == record_blank;
      if (is_start || s == static_cast<std::uint32_t>(State::comment)) is_no_row |= bit;
    }
  }
};

/// What the two passes tell each other.
struct AutomatonWork {
  StructureWork structure;
  std::uint64_t* vectors = nullptr;         ///< of a tile
  std::uint64_t* vectors_before = nullptr;  ///< for 64 bytes: of what stands before them in their tile
  std::uint32_t* places = nullptr;          ///< of the states in front of tiles, and behind the last one
};
inline AutomatonWork automaton_work(StructureMemory const& memory, ChunkText text, Entry const* chunk_entry,
                                    Structure* result) {
  return {memory.work(text, chunk_entry, result), memory.vectors(), memory.vectors_before(), memory.places()};
}

// --- vectors
// -----------------------------------------------------------------------------------------------------------

PENSTOCK_HD_HOT std::uint32_t place_after(std::uint64_t vector, std::uint32_t place) {
  return static_cast<std::uint32_t>(vector >> place) & place_mask;
}

template <unsigned states>
PENSTOCK_HD constexpr std::uint64_t identity_vector() {
  std::uint64_t vector = 0;
  for (unsigned s = 0; s < states; ++s) vector |= std::uint64_t{place_bits * s} << (place_bits * s);
  return vector;
}

/// First one stretch, then the other.
template <unsigned states>
PENSTOCK_HD_HOT std::uint64_t composed(std::uint64_t first, std::uint64_t second) {
  std::uint64_t vector = 0;
  for (unsigned s = 0; s < states; ++s)
    vector |= std::uint64_t{place_after(second, place_after(first, place_bits * s))} << (place_bits * s);
  return vector;
}

/// The vectors of the block's threads before this one, one behind the other, and of all.
struct VectorScan {
  std::uint64_t before = 0;
  std::uint64_t total = 0;
};
template <unsigned states>
__device__ inline VectorScan scan_vectors(std::uint64_t vector) {
  PENSTOCK_SHARED(std::uint64_t, vector_of_warp, tile_warps);
  unsigned const lane = lane_of_thread(), warp = warp_of_thread();
  for (unsigned d = 1; d < warp_lanes; d *= 2) {
    std::uint64_t const below = __shfl_up_sync(all_lanes, vector, d);
    if (lane >= d) vector = composed<states>(below, vector);
  }
  if (lane == warp_lanes - 1) vector_of_warp[warp] = vector;
  std::uint64_t own = __shfl_up_sync(all_lanes, vector, 1);
  if (lane == 0) own = identity_vector<states>();
  __syncthreads();
  VectorScan scan;
  scan.total = identity_vector<states>();
  for (unsigned w = 0; w < blockDim.x / warp_lanes; ++w) {
    if (w == warp) scan.before = scan.total;
    scan.total = composed<states>(scan.total, vector_of_warp[w]);
  }
  scan.before = composed<states>(scan.before, own);
  return scan;
}

// --- the first pass
// ----------------------------------------------------------------------------------------------------

inline constexpr unsigned stretch_bytes = 64;

/// Copies the table; the caller's next barrier makes it readable.
template <class Table>
__device__ inline void copy_table(Table& table, ByteTable const& automaton) {
  for (unsigned b = threadIdx.x; b < 256; b += blockDim.x) table[b] = automaton.vectors[b];
}

/// The i-th word of 16 bytes.
PENSTOCK_HD_HOT std::uint32_t word_of(uint4 bytes, unsigned i) {
  return i == 0 ? bytes.x : i == 1 ? bytes.y : i == 2 ? bytes.z : bytes.w;
}

/// The vector of the 64 bytes from `begin` on, as far as they are text.
template <unsigned states, class Table>
__device__ inline std::uint64_t vector_of_stretch(ChunkText text, std::uint32_t begin, Table& table) {
  std::uint32_t places[states];
  for (unsigned s = 0; s < states; ++s) places[s] = place_bits * s;
  for (std::uint32_t at = begin; at - begin < stretch_bytes && at < text.size; at += 16) {
    uint4 const bytes = load_16(reinterpret_cast<uint4 const*>(text.data + at));
    for (unsigned i = 0; i < 16; ++i) {
      std::uint64_t step = table[word_of(bytes, i / 4) >> 8 * (i % 4) & 255u];
      if (text.size - at <= i) step = identity_vector<states>();
      for (unsigned s = 0; s < states; ++s) places[s] = place_after(step, places[s]);
    }
  }
  std::uint64_t vector = 0;
  for (unsigned s = 0; s < states; ++s) vector |= std::uint64_t{places[s]} << (place_bits * s);
  return vector;
}

/// Called by all threads of the block that arrived last: from the tiles' vectors to their first states.
template <unsigned states>
__device__ inline void enter_tiles_by_vectors(AutomatonWork const& work) {
  TileRange const mine = tiles_of_thread();
  std::uint64_t vector = identity_vector<states>();
  for (unsigned t = mine.begin; t < mine.end; ++t) vector = composed<states>(vector, load_fresh(work.vectors + t));
  std::uint64_t const before = scan_vectors<states>(vector).before;
  std::uint32_t place = place_after(before, place_bits * chunk_entry(work.structure).state);
  for (unsigned t = mine.begin; t < mine.end; ++t) {
    work.places[t] = place;
    place = place_after(load_fresh(work.vectors + t), place);
  }
  if (mine.begin < mine.end && mine.end == gridDim.x) work.places[gridDim.x] = place;
}

/// A thread follows all states over 64 bytes; the block puts threads together in order.
/// Launch: a thread for 64 bytes of a tile, a block a tile; the last block also scans all tiles.
/// Shared: 2 KiB of table, 64 bytes for the scan. Barriers: 4, and 1 in the last block.
/// Work: about 2 instructions a byte and state, and 6 a byte; reads the text once, writes 8 bytes for 64.
template <unsigned states, unsigned tile_bytes>
__global__ void PENSTOCK_BOUNDS(tile_bytes / stretch_bytes, 1024 / (tile_bytes / stretch_bytes))
    compose_tiles_kernel(ByteTable automaton, AutomatonWork work) {
  PENSTOCK_SHARED(std::uint64_t, table, 256);
  PENSTOCK_SHARED(bool, is_last, 1);
  copy_table(table, automaton);
  __syncthreads();
  std::uint32_t const stretch = blockIdx.x * (tile_bytes / stretch_bytes) + threadIdx.x;
  std::uint64_t const vector = vector_of_stretch<states>(work.structure.text, stretch_bytes * stretch, table);
  VectorScan const scan = scan_vectors<states>(vector);
  work.vectors_before[stretch] = scan.before;
  if (threadIdx.x == 0) work.vectors[blockIdx.x] = scan.total;
  if (last_block_to_arrive(work.structure.arrived, is_last)) enter_tiles_by_vectors<states>(work);
}

// --- the second pass
// ---------------------------------------------------------------------------------------------------

/// What 32 bytes hold: bit i for byte i.
struct MarkedWord {
  std::uint32_t field_ends = 0;
  std::uint32_t line_ends = 0;
  std::uint32_t row_ends = 0;   ///< of records that are rows
  std::uint32_t new_lines = 0;  ///< physical line ends
};

/// Where the automaton is, and whether the byte before was a CR.
struct Walk {
  std::uint32_t place = 0;
  bool follows_cr = false;
};

/// Walks over 32 bytes from `begin` on, as far as they are text.
template <class Table>
__device__ inline MarkedWord mark_32(ChunkText text, std::uint32_t begin, Walk& walk, Table& table,
                                     ByteTable const& automaton) {
  MarkedWord found;
  for (std::uint32_t at = begin; at - begin < 32 && at < text.size; at += 16) {
    uint4 const bytes = load_16(reinterpret_cast<uint4 const*>(text.data + at));
    for (unsigned i = 0; i < 16; ++i) {
      std::uint32_t const byte = word_of(bytes, i / 4) >> 8 * (i % 4) & 255u;
      std::uint64_t step = table[byte];
      if (text.size - at <= i) step = 0;
      std::uint32_t const bit = 1u << (at - begin + i);
      bool const is_line_end = (step & ByteTable::is_line_end) != 0;
      bool const may_end = is_line_end || (step & ByteTable::is_delimiter) != 0;
      std::uint64_t const ends = is_line_end ? automaton.line_end_ends : automaton.delimiter_ends;
      bool const ends_field = may_end && (ends >> walk.place & 1) != 0;
      if (ends_field) found.field_ends |= bit;
      if (is_line_end) found.line_ends |= bit;
      if (ends_field && is_line_end && (automaton.is_no_row >> walk.place & 1) == 0) found.row_ends |= bit;
      if (is_line_end && !(byte == '\n' && walk.follows_cr)) found.new_lines |= bit;
      walk.follows_cr = byte == '\r';
      walk.place = place_after(step, walk.place);
    }
  }
  return found;
}

/// Of 32 bytes.
PENSTOCK_HD inline Summary summary_of(MarkedWord const& word) {
  std::uint32_t const record_ends = word.field_ends & word.line_ends;
  unsigned const behind = record_ends == 0 ? 0 : highest_bit(record_ends);
  std::uint32_t const tail = record_ends == 0 ? word.field_ends : word.field_ends >> behind >> 1;
  return count_bits(tail) | count_bits(word.row_ends) << rows_shift | (record_ends == 0 ? 0 : has_record_end);
}

/// Puts the block's summaries together, in order, for thread 0.
__device__ inline Summary summary_of_block(Summary summary) {
  PENSTOCK_SHARED(Summary, summary_of_warp, tile_warps);
  for (unsigned d = 1; d < warp_lanes; d *= 2) {
    Summary const above = __shfl_down_sync(all_lanes, summary, d);
    if (lane_of_thread() % (2 * d) == 0) summary = then(summary, above);
  }
  if (lane_of_thread() == 0) summary_of_warp[warp_of_thread()] = summary;
  __syncthreads();
  Summary total = 0;
  if (threadIdx.x == 0)
    for (unsigned w = 0; w < blockDim.x / warp_lanes; ++w) total = then(total, summary_of_warp[w]);
  return total;
}

__device__ inline void finish_chunk_by_automaton(AutomatonWork const& work) {
  Entry start = chunk_entry(work.structure);
  start.is_inside = 0;
  Structure structure = enter_tiles(work.structure.tiles, start, work.structure.entries);
  structure.exit.state = work.places[gridDim.x] / place_bits;
  if (threadIdx.x == 0) *work.structure.result = structure;
}

/// A thread walks over 64 bytes from the state that is known now. Every tile counts as entered outside quotes.
/// Launch: a thread for 64 bytes of a tile, a block a tile; the last block also scans all tiles.
/// Shared: 2 KiB of table, and 224 bytes for sums and the scan. Barriers: 5, and 3 in the last block.
/// Work: about 20 instructions a byte; reads the text and 8 bytes for 64, writes 2 bits a byte.
template <unsigned tile_bytes>
__global__ void PENSTOCK_BOUNDS(tile_bytes / stretch_bytes, 1024 / (tile_bytes / stretch_bytes))
    mark_fields_kernel(ByteTable automaton, AutomatonWork work) {
  PENSTOCK_SHARED(std::uint64_t, table, 256);
  PENSTOCK_SHARED(bool, is_last, 1);
  copy_table(table, automaton);
  __syncthreads();
  ChunkText const text = work.structure.text;
  Masks const& masks = work.structure.masks;
  std::uint32_t const stretch = blockIdx.x * (tile_bytes / stretch_bytes) + threadIdx.x;
  std::uint32_t const begin = stretch_bytes * stretch;
  Walk walk;
  walk.place = place_after(work.vectors_before[stretch], work.places[blockIdx.x]);
  walk.follows_cr = begin == 0 ? text.follows_cr : begin < text.size && text.data[begin - 1] == '\r';
  Summary summary = 0;
  std::uint32_t lines = 0;
  for (unsigned half = 0; half < 2; ++half) {
    MarkedWord const word = mark_32(text, begin + 32 * half, walk, table, automaton);
    masks.outside[2 * stretch + half] = word.field_ends;
    masks.line_ends[2 * stretch + half] = word.line_ends;
    summary = then(summary, summary_of(word));
    lines += count_bits(word.new_lines);
  }
  summary = summary_of_block(summary);
  lines = sum_of_block(lines);
  if (threadIdx.x == 0) {
    work.structure.tiles.summaries[2 * blockIdx.x] = summary;
    work.structure.tiles.lines[blockIdx.x] = lines;
  }
  if (last_block_to_arrive(work.structure.arrived, is_last)) finish_chunk_by_automaton(work);
}

// --- both
// ----------------------------------------------------------------------------------------------------------------

template <unsigned tile_bytes>
void find_fields_by_automaton_in_tiles(Stream& stream, penstock::csv::Dialect const& dialect,
                                       AutomatonWork const& work) {
  ByteTable const automaton(dialect);
  Grid const grid{tiles_of(work.structure.text.size, tile_bytes), tile_bytes / stretch_bytes};
  bool const is_plain = dialect.escape == 0 && dialect.comment == 0 && !dialect.trim;
  auto const compose = is_plain ? compose_tiles_kernel<states_of_plain_dialect, tile_bytes>
                                : compose_tiles_kernel<states_of_any_dialect, tile_bytes>;
  launch("compose_tiles", stream, grid, compose, automaton, work);
  launch("mark_fields", stream, grid, mark_fields_kernel<tile_bytes>, automaton, work);
}

/// As find_fields() (csv_structure.cuh), for every dialect and every text: nothing is ever violated, and all tiles are
/// entered outside quotes, that is, Masks::outside holds. Exits of either may be entries of the other.
inline void find_fields_by_automaton(Stream& stream, penstock::csv::Dialect const& dialect, ChunkText text,
                                     StructureMemory const& memory, Entry const* chunk_entry, Structure* result) {
  AutomatonWork const work = automaton_work(memory, text, chunk_entry, result);
  if (tile_bytes_for(text.size) == small_tile_bytes)
    find_fields_by_automaton_in_tiles<small_tile_bytes>(stream, dialect, work);
  else
    find_fields_by_automaton_in_tiles<large_tile_bytes>(stream, dialect, work);
}

}  // namespace penstock::cuda::csv
