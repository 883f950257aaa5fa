/// Members of flat objects to cells, one lane each, as long as they are plain; records in which one is not are marked.
///
///     text      { " a " : 1 . 5 , " b " : " x " , " c " : 2 }         stops are commas, brackets and braces
///     stops     1 . . . . . . . 1 . . . . . . . 1 . . . . . 1
///     member                    a               b           c         ends at a comma or the brace that closes
///
/// A lane knows its key by the chunk's first record: records of one input mostly have the same keys at the same places.
/// What is guessed is checked; another key is looked up in the plan's table.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/kernels/json_gather.cuh"
#include "cuda/kernels/json_head_walk.cuh"
#include "cuda/kernels/json_number.cuh"
#include "cuda/kernels/json_records.hpp"
#include "cuda/kernels/json_stops.cuh"
#include "cuda/kernels/json_tiles.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/core/line_ends.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/keys.hpp"
#include "formats/objects/plan.hpp"
#include "formats/objects/values.hpp"

namespace penstock::cuda::json {

/// A key of the first record, as it is written from its quote up to its value.
struct alignas(16) KeyGuess {
  static constexpr unsigned words = 8;

  std::uint32_t text[words] = {};
  std::uint32_t bytes = 0;  ///< 0: nothing is guessed
  std::uint32_t column = 0;
};
/// Bytes of the first record that are walked over for guesses, at most.
inline constexpr std::uint32_t guessed_bytes_max = 16384;
inline constexpr std::uint32_t guesses_max = static_cast<std::uint32_t>(plain_members_max);

/// What plain objects become before they go to rounds. A cell is a float32, or the integer of a query id.
struct Cells {
  std::uint32_t* cells = nullptr;  ///< records times columns
  std::uint32_t* seen = nullptr;   ///< `seen_words` a record: the first bit, that it has ended, and one for each column
  KeyGuess* guesses = nullptr;     ///< of the members of the chunk's first record
  std::uint64_t cells_max = 0;     ///< what there is memory for: of a chunk with more, no record is plain
  std::uint32_t columns = 0;
  std::uint32_t seen_words = 0;
};

struct MembersWork {
  ChunkText text;
  Totals const* totals = nullptr;
  RowTable rows;
  Cells cells;
  penstock::objects::Rules const* rules = nullptr;
  std::uint32_t* marks = nullptr;
};

namespace detail {

__device__ inline bool has_cells(MembersWork const& work) {
  return work.totals->is_refused == 0 && std::uint64_t{work.totals->rows} * work.cells.columns <= work.cells.cells_max;
}

/// No column: nobody asks for the member.
inline constexpr std::uint32_t no_column = penstock::objects::none;

/// The column of a key of a flat plan. False: unknown keys are at fault.
__device__ inline bool column_of(penstock::objects::Rules const& rules, penstock::json::String key,
                                 std::uint32_t& column) {
  std::uint32_t const node = rules.tables.child(0, key);
  column = node == penstock::objects::none ? no_column : rules.tables.nodes[node].column;
  return node != penstock::objects::none || !rules.text.refuses_unknown_keys;
}

// --- guesses ---------------------------------------------------------------------------------------------------------

__device__ inline KeyGuess guess_of(char const* at, char const* value, std::uint32_t column) {
  KeyGuess guess;
  auto const bytes = static_cast<std::uint32_t>(value - at);
  if (bytes > 4 * KeyGuess::words) return guess;
  guess.bytes = bytes;
  guess.column = column;
  for (std::uint32_t i = 0; i < bytes; ++i)
    guess.text[i / 4] |= std::uint32_t{static_cast<unsigned char>(at[i])} << (8 * (i % 4));
  return guess;
}

/// Whether the guessed key stands at `at`. Up to 7 bytes behind it are read.
__device__ inline bool is_key_at(KeyGuess const& guess, char const* at) {
  auto const address = reinterpret_cast<std::uintptr_t>(at);
  auto const* const aligned = reinterpret_cast<std::uint32_t const*>(address & ~std::uintptr_t{3});
  unsigned const shift = 8 * static_cast<unsigned>(address & 3);
  std::uint32_t low = load_cached(aligned), different = 0;
  for (std::uint32_t i = 0; 4 * i < guess.bytes; ++i) {
    std::uint32_t const high = load_cached(aligned + i + 1);
    std::uint32_t const rest = guess.bytes - 4 * i;
    std::uint32_t const kept = rest >= 4 ? ~0u : (1u << 8 * rest) - 1;
    different |= (funnel_right(low, high, shift) ^ guess.text[i]) & kept;
    low = high;
  }
  return different == 0;
}

}  // namespace detail

/// One thread walks over the chunk's first record, as far as it is plain; guesses are zeros before. Launch: one block
/// of a warp. Shared: none. Barriers: none. Work: some 10 operations a byte of the record.
static __global__ void PENSTOCK_BOUNDS(warp_lanes, 1) guess_keys_kernel(MembersWork work) {
  if (threadIdx.x != 0 || work.totals->is_refused != 0 || work.totals->rows == 0) return;
  penstock::objects::Rules const& rules = *work.rules;
  std::uint32_t member = 0;
  (void)detail::walk_members(work.text.data + work.rows.begins[0], [&](char const* at) -> char const* {
    penstock::json::String key;
    std::uint32_t column = 0;
    char const* const value = detail::pass_key(at, key);
    bool const is_far = at - (work.text.data + work.rows.begins[0]) > static_cast<std::ptrdiff_t>(guessed_bytes_max);
    if (value == nullptr || is_far || !detail::column_of(rules, key, column)) return nullptr;
    work.cells.guesses[member++] = detail::guess_of(at, value, column);
    return detail::pass_value(value, rules.text.is_lenient);
  });
}

// --- members ---------------------------------------------------------------------------------------------------------

namespace detail {

/// A lane's member. Functions that return a place return null where the member is not plain.
class MemberReader {
 public:
  __device__ MemberReader(MembersWork const& work, Stop const& stop)
      : work_(work), stop_(stop), text_(work.text.data), row_begin_(work.rows.begins[stop.row]) {}

  /// Whether what ends at the stop is plain.
  __device__ bool take() {
    char const byte = load_cached(text_ + stop_.at);
    if (byte == '{') return stop_.at == row_begin_;
    if (byte == '[' || byte == ']') return false;
    bool const is_near = stop_.last != no_stop && stop_.last >= row_begin_;
    if (!is_near || !follows_member(load_cached(text_ + stop_.last))) return false;
    char const* const end = read_member(pass_blanks(text_ + stop_.last + 1));
    if (end == nullptr || pass_blanks(end) != text_ + stop_.at) return false;
    if (byte == ',') return true;
    if (!ends_line(*pass_blanks(text_ + stop_.at + 1))) return false;
    (void)atomic_or(seen()[0], 1u);
    return true;
  }

 private:
  /// A member stands behind it.
  __device__ static bool follows_member(char stop) { return stop == '{' || stop == ','; }
  __device__ std::uint32_t* seen() const { return work_.cells.seen + std::size_t{stop_.row} * work_.cells.seen_words; }

  __device__ char const* read_member(char const* at) const {
    std::uint32_t column = no_column;
    char const* const value = read_key(at, column);
    if (value == nullptr) return nullptr;
    if (column == no_column) return pass_value(value, work_.rules->text.is_lenient);
    std::uint32_t const bit = column + 1;
    if ((atomic_or(seen()[bit / 32], 1u << bit % 32) >> bit % 32 & 1u) != 0) return nullptr;
    std::uint32_t cell = 0;
    char const* const end = read_value(value, work_.rules->tables.columns[column].role, cell);
    work_.cells.cells[std::size_t{stop_.row} * work_.cells.columns + column] = cell;
    return end;
  }

  __device__ char const* read_key(char const* at, std::uint32_t& column) const {
    std::uint32_t const member = stop_.number - work_.rows.stops[stop_.row] - 1;
    if (member < guesses_max) {
      KeyGuess const& guess = work_.cells.guesses[member];
      if (guess.bytes != 0 && is_key_at(guess, at)) {
        column = guess.column;
        return pass_blanks(at + guess.bytes);
      }
    }
    penstock::json::String key;
    at = pass_key(at, key);
    return at != nullptr && column_of(*work_.rules, key, column) ? at : nullptr;
  }

  __device__ char const* read_value(char const* at, Role role, std::uint32_t& cell) const {
    if (role == Role::qid) return read_short_integer(at, cell);
    float value = 0;
    char const* end = read_short_number(at, value);
    if (end == nullptr) end = *at == '"' ? read_string(at, role, value) : read_word(at, role, value);
    cell = bit_cast<std::uint32_t>(value);
    return end;
  }

  __device__ static char const* read_word(char const* at, Role role, float& value) {
    using penstock::json::Kind;
    Kind const kind = penstock::json::kind_at(at, false);
    if (kind == Kind::boolean) {
      value = *at == 't' ? 1.0f : 0.0f;
      return at + (*at == 't' ? 4 : 5);
    }
    if (kind != Kind::null || role != Role::feature) return nullptr;
    value = bit_cast<float>(missing_float32_bits);
    return at + 4;
  }

  /// The name of a class, or a spelling of a missing value.
  __device__ char const* read_string(char const* at, Role role, float& value) const {
    char const* const end = pass_string(at + 1);
    if (end == nullptr) return nullptr;
    penstock::json::Number<float> const number = penstock::objects::read_string<float>(
        {at + 1, end - 1}, {end, penstock::json::Error::none}, *work_.rules, role);
    value = number.value;
    return number.is_fault ? nullptr : end;
  }

  MembersWork const& work_;
  Stop const& stop_;
  char const* text_;
  std::uint32_t row_begin_;
};

}  // namespace detail

/// What ends at stops, for stops_kernel. Work: some 10 operations a byte of a member, less those of a key that was
/// guessed.
struct Members {
  static constexpr bool needs_last_stop = true;

  MembersWork work;

  __device__ void take(Stop const& stop) const {
    if (!stop.is_live || !detail::has_cells(work)) return;
    if (!detail::MemberReader(work, stop).take()) atomic_or(work.marks[stop.row / 32], 1u << stop.row % 32);
  }
};

// --- records ---------------------------------------------------------------------------------------------------------

inline constexpr unsigned objects_threads = 128;

/// A thread takes a record: it is marked if it does not begin with a brace, has not ended, or lacks a column that no
/// record may lack. Launch: 128 threads for 128 records, as many as the chunk can have. Shared: none. Barriers: none.
/// Work: 10 bytes read a record, and a bit a column.
static __global__ void PENSTOCK_BOUNDS(objects_threads, 8) end_objects_kernel(MembersWork work) {
  std::uint32_t const row = blockIdx.x * objects_threads + threadIdx.x;
  if (work.totals->is_refused != 0 || row >= work.totals->rows) return;
  bool is_marked = !detail::has_cells(work);
  if (!is_marked) {
    std::uint32_t const* const seen = work.cells.seen + std::size_t{row} * work.cells.seen_words;
    is_marked = work.text.data[work.rows.begins[row]] != '{' || (seen[0] & 1u) == 0;
    for (std::uint32_t bit = 1; bit <= work.cells.columns && !is_marked; ++bit) {
      bool const is_seen = (seen[bit / 32] >> bit % 32 & 1u) != 0;
      if (is_seen) continue;
      is_marked = work.rules->requires_keys || work.rules->tables.columns[bit - 1].role != Role::feature;
    }
  }
  if (is_marked) atomic_or(work.marks[row / 32], 1u << row % 32);
}

/// Reads all objects of a chunk that is not refused. Cells::seen, guesses and marks are zeros before. `rows_max`:
/// records that the chunk can have.
inline void read_objects(Stream& stream, StopsWork const& stops, MembersWork const& work, std::uint32_t rows_max) {
  launch("json_guess_keys", stream, {1, warp_lanes}, guess_keys_kernel, work);
  take_stops("json_members", stream, stops, Members{work});
  launch("json_end_objects", stream, {blocks_for(rows_max, objects_threads), objects_threads}, end_objects_kernel,
         work);
}

// --- rows ------------------------------------------------------------------------------------------------------------

/// A thread takes a cell of a plain record of the round; missing features are added up. Launch: 256 threads for 256 of
/// rows times columns. Shared: none. Barriers: none. Work: 20 bytes read and 4 written a cell, about 20 operations.
static __global__ void PENSTOCK_BOUNDS(gather_threads, 6)
    gather_cells_kernel(RecordsWork work, MembersWork from, std::uint32_t count, RecordPlaces to,
                        std::uint64_t* missing) {
  std::uint32_t const i = blockIdx.x * gather_threads + threadIdx.x;
  Cells const& cells = from.cells;
  std::uint32_t const rank = i / cells.columns, row = i < count ? to.records[rank] : 0;
  std::uint32_t found = 0;
  if (i < count && !detail::is_marked(work, row)) {
    std::uint32_t const place = i % cells.columns, bit = place + 1;
    bool const is_seen = (cells.seen[std::size_t{row} * cells.seen_words + bit / 32] >> bit % 32 & 1u) != 0;
    std::uint32_t const cell = is_seen ? cells.cells[std::size_t{row} * cells.columns + place] : missing_float32_bits;
    penstock::objects::Column const column = from.rules->tables.columns[place];
    std::byte* const into = penstock::objects::place_of(to.batch, column, rank);
    if (column.role == Role::qid)
      *reinterpret_cast<std::int64_t*>(into) = cell;
    else
      *reinterpret_cast<std::uint32_t*>(into) = cell;
    found = column.role != Role::qid && detail::is_nan_float32(cell) ? 1 : 0;
  }
  found = warp_sum(found);
  if (found != 0 && lane_of_thread() == 0) atomic_add(*missing, std::uint64_t{found});
}

/// Behind gather_rows().
inline void gather_cells(Stream& stream, RecordsWork const& work, MembersWork const& from, RecordRound const& round,
                         RecordPlaces const& to, std::uint64_t* missing) {
  std::uint32_t const count = round.rows * from.cells.columns;
  launch("json_gather_cells", stream, {blocks_for(count, gather_threads), gather_threads}, gather_cells_kernel, work,
         from, count, to, missing);
}

}  // namespace penstock::cuda::json
