/// Fields of CSV to the rows of tensors, one lane a field, in the order of the text.
///
///     text        a , b LF c , d LF LF e ,       a warp's part, entered at row 7, column 1
///     list        , LF     , LF LF    ,           ends of fields; R those of rows, B of a blank line
///                   R        R  B
///     row         7 7      8 8  -     9           7 + rows that end in lanes below
///     column      1 2      0 1  0     0           lanes since the last record end, or 1 + lanes
///
/// Plain numbers are decided here, others by store_cell(). A row of which a cell needs care, or that has the wrong
/// number of fields, is marked, and csv_care.cuh decides about it.
#pragma once

#include <cstdint>

#include "cuda/kernels/csv_fields.cuh"
#include "cuda/kernels/csv_targets.cuh"
#include "cuda/kernels/number.cuh"
#include "cuda/launch.cuh"
#include "formats/csv/record.hpp"

namespace penstock::cuda::csv {

/// The rows of the chunk that are converted.
struct Window {
  std::uint32_t first = 0;
  std::uint32_t rows = 0;
};

/// Rows of the window that need care.
struct Marks {
  std::uint32_t* rows = nullptr;        ///< a bit each
  std::uint32_t* field_ends = nullptr;  ///< of a marked row: one of its own
};

/// Counted in device memory, 0 between passes.
struct Tally {
  std::uint64_t missing = 0;
  std::uint64_t inexact = 0;
  std::uint32_t marked = 0;    ///< rows
  std::uint32_t rejected = 0;  ///< rows
  std::uint32_t overlong = 0;  ///< marked rows that are for the CPU
};

/// What a pass tells the host, in mapped memory.
struct Report {
  std::uint64_t missing = 0;
  std::uint64_t inexact = 0;
  std::uint32_t marked = 0;
  std::uint32_t rejected = 0;
  std::uint32_t faults = 0;
  std::uint32_t rows = 0;      ///< of the window, those in front of the first whose faults do not fit
  std::uint32_t overlong = 0;  ///< not 0: the chunk is for the CPU, and nothing else holds
};

struct ConvertJob {
  Tiles tiles;
  Window window;
  Target const* targets = nullptr;  ///< of the shard's columns
  std::uint32_t width = 0;          ///< how many
  Table const* table = nullptr;
  Marks marks;
  Tally* tally = nullptr;
  Report* report = nullptr;  ///< null: another pass adds to the tally and reports
  unsigned* arrived = nullptr;
  char quote = 0;              ///< taken off in front of numbers, if the text has quotes
  bool skips_text = false;     ///< lines with text may be none: blanks, with trimming, and comments
  bool checks_quotes = false;  ///< cells that may have a stray quote need care
};

// --- a warp's part of a tile -----------------------------------------------------------------------------------------

inline constexpr unsigned convert_warps = tile_threads / warp_lanes;

template <unsigned tile_bytes>
struct PartShape {
  static constexpr unsigned words = tile_bytes / 32 / convert_warps;
  static constexpr unsigned steps = (words + warp_lanes - 1) / warp_lanes;  ///< of a word a lane
  /// Field ends in a step at most, and those that wait from the step before.
  static constexpr unsigned list_size = words / steps * 32 + (steps > 1 ? warp_lanes : 0);
};

/// A lane's words of a part.
template <unsigned steps>
struct PartWords {
  std::uint32_t fields[steps];   ///< field ends
  std::uint32_t records[steps];  ///< those that end records
  std::uint32_t rows[steps];     ///< those that end rows
};

/// Of an array in registers, which cannot be indexed.
template <unsigned steps>
__device__ inline std::uint32_t word_of(std::uint32_t const (&words)[steps], unsigned step) {
  return step == 0 ? words[0] : words[steps - 1];
}

/// Lines of text that are no rows, among the record ends of a word.
__device__ inline std::uint32_t skipped_lines(ConvertJob const& job, std::uint32_t word, std::uint32_t records) {
  std::uint32_t skipped = 0;
  for (std::uint32_t rest = records; rest != 0; rest &= rest - 1) {
    std::uint32_t const end = 32 * word + lowest_bit(rest);
    std::uint32_t const begin = record_begin(job.tiles, end);
    bool const is_one_field = FieldCursor(job.tiles, begin).next(job.tiles) == end;
    Bytes const cell{job.tiles.text + begin, job.tiles.text + end};
    if (is_one_field && penstock::csv::is_skipped_line(cell, job.table->rules.dialect)) skipped |= rest & (0 - rest);
  }
  return skipped;
}

template <unsigned tile_bytes>
__device__ inline PartWords<PartShape<tile_bytes>::steps> load_part(ConvertJob const& job, bool is_inside,
                                                                    std::uint32_t first_word) {
  using Shape = PartShape<tile_bytes>;
  unsigned const lane = lane_of_thread();
  std::uint32_t const* const fields = is_inside ? job.tiles.masks.inside : job.tiles.masks.outside;
  PartWords<Shape::steps> part;
  std::uint32_t front = first_word == 0 ? ~0u : record_ends(job.tiles, first_word - 1);  // what lane 0 follows
  for (unsigned s = 0; s < Shape::steps; ++s) {
    std::uint32_t const word = first_word + warp_lanes * s + lane;
    bool const has_word = lane < Shape::words;
    part.fields[s] = has_word ? load_cached(fields + word) : 0;
    part.records[s] = has_word ? part.fields[s] & load_cached(job.tiles.masks.line_ends + word) : 0;
    std::uint32_t const left =
        __shfl_sync(all_lanes, part.records[s], static_cast<int>((lane + warp_lanes - 1) % warp_lanes));
    std::uint32_t const after_record = funnel_right(lane == 0 ? front : left, part.records[s], 31);
    front = left;
    part.rows[s] = part.records[s] & ~after_record;
    if (job.skips_text && part.rows[s] != 0) part.rows[s] &= ~skipped_lines(job, word, part.rows[s]);
  }
  return part;
}

/// Rows and fields in a part.
struct PartSums {
  std::uint32_t rows = 0;
  std::uint32_t tail = 0;  ///< fields behind the last record end
  bool has_record = false;
};

template <unsigned steps>
__device__ inline PartSums sums_of(PartWords<steps> const& part) {
  PartSums sums;
  for (unsigned s = steps; s-- > 0;) {
    sums.rows += count_bits(part.rows[s]);
    std::uint32_t const lanes = __ballot_sync(all_lanes, part.records[s] != 0);
    unsigned const last = lanes != 0 ? highest_bit(lanes) : 0;
    bool const is_behind = lanes == 0 || lane_of_thread() > last;
    if (!sums.has_record && is_behind) sums.tail += count_bits(part.fields[s]);
    if (!sums.has_record && !is_behind && lane_of_thread() == last)
      sums.tail += count_bits(part.fields[s] >> highest_bit(part.records[s]) >> 1);
    sums.has_record |= lanes != 0;
  }
  return {warp_sum(sums.rows), warp_sum(sums.tail), sums.has_record};
}

/// Where a warp stands in the text: what the next field end belongs to.
struct Place {
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  std::uint32_t begin = 0;  ///< of the field
};

/// Where the field begins that is open at a word's first byte.
__device__ inline std::uint32_t open_field(Tiles const& tiles, std::uint32_t word) {
  while (word > 0) {
    std::uint32_t const count = word < warp_lanes ? word : warp_lanes, lane = lane_of_thread();
    std::uint32_t const ends = lane < count ? field_ends(tiles, word - count + lane) : 0;
    std::uint32_t const lanes = __ballot_sync(all_lanes, ends != 0);
    if (lanes != 0) {
      unsigned const last = highest_bit(lanes);
      std::uint32_t const found = __shfl_sync(all_lanes, ends, static_cast<int>(last));
      return 32 * (word - count + last) + highest_bit(found) + 1;
    }
    word -= count;
  }
  return 0;
}

// --- fields ---------------------------------------------------------------------------------------------------------

/// A lane's field.
struct Field {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t row = 0;  ///< of the window
  std::uint32_t column = 0;
  bool is_wanted = false;  ///< it belongs to a row of the window
  bool ends_row = false;
};

/// List elements: a byte of the part that ends a field, and what else it ends.
inline constexpr unsigned list_byte = 0x7ffu;
inline constexpr unsigned list_row = 0x4000u;
inline constexpr unsigned list_record = 0x8000u;

/// Lists the fields of a step from place `at` on; returns how many there are.
template <class List>
__device__ inline std::uint32_t list_fields(List& list, unsigned at, unsigned step, std::uint32_t fields,
                                            std::uint32_t records, std::uint32_t rows) {
  unsigned const found = count_bits(fields);
  unsigned const up_to = warp_inclusive_sum(found);
  unsigned const first_byte = 32 * (warp_lanes * step + lane_of_thread());
  at += up_to - found;
  for (std::uint32_t rest = fields; rest != 0; rest &= rest - 1) {
    unsigned const bit = lowest_bit(rest);
    unsigned const flags = (records >> bit & 1) * list_record | (rows >> bit & 1) * list_row;
    list[at++] = static_cast<std::uint16_t>((first_byte + bit) | flags);
  }
  return __shfl_sync(all_lanes, up_to, warp_lanes - 1);
}

/// Moves fields [first, total), fewer than 32, to the list's front; returns how many they are.
template <class List>
__device__ inline std::uint32_t keep_fields(List& list, unsigned base, std::uint32_t first, std::uint32_t total) {
  unsigned const lane = lane_of_thread();
  bool const is_live = first + lane < total;
  unsigned const own = is_live ? list[base + first + lane] : 0;
  __syncwarp();
  if (is_live) list[base + lane] = static_cast<std::uint16_t>(own);
  return total - first;
}

/// The lane's field of up to 32 that begin with number `first` of the list; moves `place` behind them all.
template <class List>
__device__ inline Field take_fields(List& list, unsigned base, std::uint32_t first, std::uint32_t total,
                                    std::uint32_t text_base, Window window, Place& place) {
  unsigned const lane = lane_of_thread();
  bool const is_live = first + lane < total;
  unsigned const own = is_live ? list[base + first + lane] : 0;
  unsigned const left = __shfl_up_sync(all_lanes, own, 1);
  std::uint32_t const records = __ballot_sync(all_lanes, (own & list_record) != 0);
  std::uint32_t const rows = __ballot_sync(all_lanes, (own & list_row) != 0);
  std::uint32_t const records_below = records & lanes_below();
  Field field;
  field.begin = lane == 0 ? place.begin : text_base + (left & list_byte) + 1;
  field.end = text_base + (own & list_byte);
  field.row = place.row + count_bits(rows & lanes_below()) - window.first;
  field.column = records_below != 0 ? lane - highest_bit(records_below) - 1 : place.column + lane;
  field.ends_row = (own & list_row) != 0;
  bool const is_skipped = (own & (list_record | list_row)) == list_record;
  field.is_wanted = is_live && !is_skipped && field.row < window.rows;
  unsigned const taken = total - first < warp_lanes ? total - first : warp_lanes;
  place.row += count_bits(rows);
  place.column = records != 0 ? taken - highest_bit(records) - 1 : place.column + taken;
  place.begin = __shfl_sync(all_lanes, field.end, static_cast<int>(taken - 1)) + 1;
  return field;
}

/// The fields of all lanes that ask. The longest decides which way is tried for all; what that leaves, the long way.
__device__ inline bool warp_float32(Bytes text, bool asks, float& value) {
  std::uint32_t const length = asks ? static_cast<std::uint32_t>(text.end - text.begin) : 0;
  asks = asks && length - 1 < plain_float32_reach;
  std::uint32_t const longest = warp_max(length);
  bool is_done = false;
  if (longest <= plain_bytes_max(2)) {
    if (asks) is_done = plain_float32<2, false>(text.begin, text.end, value);
  } else if (longest <= plain_bytes_max(3)) {
    if (asks) is_done = plain_float32<3, false>(text.begin, text.end, value);
  } else if (longest <= plain_bytes_max(4)) {
    if (asks) is_done = plain_float32<4, false>(text.begin, text.end, value);
  }
  if (asks && !is_done) is_done = plain_float32<6, true>(text.begin, text.end, value);
  return is_done;
}

/// What is no plain number. Empty cells are too many in some files for a call each.
template <class Feature>
__device__ inline unsigned store_odd_cell(Bytes cell, Table const& table, std::byte* to, std::uint32_t kind) {
  if constexpr (std::is_floating_point_v<Feature>) {
    if (cell.size() == 0 && (kind & empty_is_missing) != 0) {
      *reinterpret_cast<Feature*>(to) = penstock::csv::missing_value<Feature>();
      return cell_is_missing;
    }
  }
  return store_cell<Feature>(cell, table, to, kind);
}

__device__ inline void mark_row(Marks const& marks, Tally* tally, std::uint32_t row, std::uint32_t field_end) {
  std::uint32_t const bit = 1u << row % 32;
  std::uint32_t const before = atomic_or(marks.rows[row / 32], bit);
  if ((before & bit) != 0) return;
  marks.field_ends[row] = field_end;
  atomic_add(tally->marked, 1u);
}

/// Converts a lane's field. `counted` is the block's: missing cells, inexact integers.
template <bool has_quotes, class Feature, class Counted>
__device__ inline void convert_field(ConvertJob const& job, Field const& field, Counted& counted) {
  Target target;
  if (field.is_wanted && field.column < job.width) target = load_target(job.targets + field.column);
  std::byte* const to = place_of(target, field.row);
  Bytes const cell{job.tiles.text + field.begin, job.tiles.text + field.end};
  Bytes number = cell;
  if constexpr (has_quotes) {
    bool const is_quoted = target.kind != 0 && cell.size() >= 2 && load_cached(cell.begin) == job.quote &&
                           load_cached(cell.end - 1) == job.quote;
    if (is_quoted) number = {cell.begin + 1, cell.end - 1};
  }
  float value = 0;
  bool is_done = (target.kind & is_wanted) == 0;
  if ((target.kind & is_text) != 0) {
    *reinterpret_cast<std::uint64_t*>(to) = word_of(TextPlace{field.begin, field.end});
    is_done = true;
  }
  unsigned flags = 0;
  if (warp_float32(number, (target.kind & is_plain_float) != 0, value)) {
    *reinterpret_cast<float*>(to) = value;
    is_done = true;
  }
  if (__any_sync(all_lanes, !is_done)) {
    if (!is_done) flags = store_odd_cell<Feature>(cell, *job.table, to, target.kind);
    std::uint32_t const missing = __ballot_sync(all_lanes, (flags & cell_is_missing) != 0);
    std::uint32_t const inexact = __ballot_sync(all_lanes, (flags & cell_is_inexact) != 0);
    if (lane_of_thread() == 0 && missing != 0) atomic_add(counted[0], count_bits(missing));
    if (lane_of_thread() == 0 && inexact != 0) atomic_add(counted[1], count_bits(inexact));
  }
  bool const is_ragged = field.column >= job.width || (field.ends_row && field.column + 1 != job.width);
  bool needs_care = field.is_wanted && (is_ragged || (flags & cell_needs_care) != 0);
  if (job.checks_quotes && field.is_wanted && !needs_care) needs_care = may_have_stray(cell, *job.table);
  if (needs_care) mark_row(job.marks, job.tally, field.row, field.end);
}

// --- the kernel -----------------------------------------------------------------------------------------------------

/// Whether a tile has fields of rows of the window. `next` is the entry of the tile behind it.
__device__ inline bool concerns(Window window, std::uint32_t row, std::uint32_t next_row) {
  return row < window.first + window.rows && next_row >= window.first;
}

__device__ inline void report_tally(Tally* tally, Report* report) {
  Report told;
  told.missing = load_fresh(&tally->missing);
  told.inexact = load_fresh(&tally->inexact);
  told.marked = load_fresh(&tally->marked);
  *report = told;
  *tally = {};
}

/// A lane has one or two words of a mask, then field after field. Launch: 256 threads a tile, any number of tiles.
/// Shared: 16 KiB of field ends (8 for small tiles), 80 bytes of counts. Barriers: 2, and 2 to arrive.
/// Work: about 3 instructions a byte for the list's words, 120 a group of 32 fields, and 150 (8 digits) to 400 (24 and
/// an exponent) for their numbers; reads the text once, three bits a byte of masks, and 16 bytes a field of targets.
template <unsigned tile_bytes, bool has_quotes, class Feature>
__global__ void PENSTOCK_BOUNDS(tile_threads, 4) convert_kernel(ConvertJob job) {
  using Shape = PartShape<tile_bytes>;
  PENSTOCK_SHARED(std::uint16_t, list, convert_warps * Shape::list_size);
  PENSTOCK_SHARED(std::uint32_t, rows_of_part, convert_warps);
  PENSTOCK_SHARED(std::uint32_t, tail_of_part, convert_warps);
  PENSTOCK_SHARED(std::uint32_t, counted, 2);
  PENSTOCK_SHARED(bool, is_last, 1);
  Entry const entry = job.tiles.entries[blockIdx.x];
  bool const is_behind = blockIdx.x + 1 < gridDim.x;
  std::uint32_t const next_row = is_behind ? job.tiles.entries[blockIdx.x + 1].row : ~0u;
  if (threadIdx.x < 2) counted[threadIdx.x] = 0;
  if (concerns(job.window, entry.row, next_row)) {
    unsigned const warp = warp_of_thread();
    std::uint32_t const first_word = (blockIdx.x * convert_warps + warp) * Shape::words;
    auto const part = load_part<tile_bytes>(job, has_quotes && entry.is_inside != 0, first_word);
    PartSums const sums = sums_of(part);
    if (lane_of_thread() == 0) {
      rows_of_part[warp] = sums.rows;
      tail_of_part[warp] = sums.tail | (sums.has_record ? list_record << 16 : 0);
    }
    __syncthreads();
    // A part without a field's end writes nothing: it need not know where its text began, which may be far back.
    std::uint32_t ends = 0;
    for (unsigned s = 0; s < Shape::steps; ++s) ends |= word_of(part.fields, s);
    bool const has_end = __any_sync(all_lanes, ends != 0) != 0;
    Place place{entry.row, entry.column, has_end ? open_field(job.tiles, first_word) : 0};
    for (unsigned w = 0; w < warp; ++w) {
      std::uint32_t const tail = tail_of_part[w];
      place.row += rows_of_part[w];
      place.column = (tail >> 31 != 0 ? 0 : place.column) + (tail & 0x7fffffffu);
    }
    unsigned const base = warp * Shape::list_size;
    std::uint32_t waiting = 0;  // fields too few for all lanes, which go on with the next step's
    for (unsigned s = 0; s < Shape::steps; ++s) {
      bool const is_last_step = s + 1 == Shape::steps;
      std::uint32_t const total = waiting + list_fields(list, base + waiting, s, word_of(part.fields, s),
                                                        word_of(part.records, s), word_of(part.rows, s));
      __syncwarp();
      std::uint32_t first = 0;
      for (; first + (is_last_step ? 1 : warp_lanes) <= total; first += warp_lanes) {
        Field const field = take_fields(list, base, first, total, 32 * first_word, job.window, place);
        convert_field<has_quotes, Feature>(job, field, counted);
      }
      if (!is_last_step) waiting = keep_fields(list, base, first, total);
    }
  }
  __syncthreads();
  if (threadIdx.x == 0 && counted[0] != 0) atomic_add(job.tally->missing, std::uint64_t{counted[0]});
  if (threadIdx.x == 0 && counted[1] != 0) atomic_add(job.tally->inexact, std::uint64_t{counted[1]});
  if (job.report == nullptr) return;
  if (last_block_to_arrive(job.arrived, is_last) && threadIdx.x == 0) report_tally(job.tally, job.report);
}

namespace detail {
template <class Feature>
void enqueue_convert(Stream& stream, ConvertJob const& job, bool has_quotes) {
  Grid const grid{job.tiles.count, tile_threads};
  bool const is_large = job.tiles.word_bits == word_bits_of(large_tile_bytes);
  auto const enqueue = [&](auto kernel) { launch("convert", stream, grid, kernel, job); };
  if (has_quotes && is_large) enqueue(convert_kernel<large_tile_bytes, true, Feature>);
  if (has_quotes && !is_large) enqueue(convert_kernel<small_tile_bytes, true, Feature>);
  if (!has_quotes && is_large) enqueue(convert_kernel<large_tile_bytes, false, Feature>);
  if (!has_quotes && !is_large) enqueue(convert_kernel<small_tile_bytes, false, Feature>);
}
}  // namespace detail

/// Enqueues: the cells of the window's rows to their targets, and a Report. `features` is their type.
inline void convert(Stream& stream, ConvertJob const& job, DType features, bool has_quotes) {
  switch (features) {
    case DType::float32: return detail::enqueue_convert<float>(stream, job, has_quotes);
    case DType::float64: return detail::enqueue_convert<double>(stream, job, has_quotes);
    case DType::int32: return detail::enqueue_convert<std::int32_t>(stream, job, has_quotes);
    case DType::int64: return detail::enqueue_convert<std::int64_t>(stream, job, has_quotes);
  }
}

}  // namespace penstock::cuda::csv
