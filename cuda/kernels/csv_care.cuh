/// Records that conversion marked: one thread reads a whole one, by the rules and in the order of the CPU's decoder
/// (formats/csv/record.hpp), and accepts it or rejects it; a chunk in which one is overlong is for the CPU.
///
///     marked rows          3   4   8            in order
///     decide   rejected    -   1   -            row 4 has a fault; row 8 has two cells that became missing values
///              faults      0   1   2            then summed up: 0 0 1
///     tell                     F   R R          to places 0, 1, 2; the row of R is 8 less the 1 rejected before
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/kernels/csv_convert.cuh"
#include "formats/csv/record.hpp"
#include "penstock/fault.hpp"

namespace penstock::cuda::csv {

struct CareJob {
  Tiles tiles;
  Target const* targets = nullptr;
  std::uint32_t width = 0;
  Table const* table = nullptr;
  std::uint32_t const* field_ends = nullptr;  ///< Marks::field_ends
  std::uint32_t const* rows = nullptr;        ///< of the window: those that are marked, in order
  std::uint32_t count = 0;                    ///< how many
  char* rewritten = nullptr;                  ///< memory for cells without their quotes, each at its place in the text
  std::uint32_t* rejected = nullptr;          ///< a bit a row of the window, 0 before
  std::uint32_t* faults = nullptr;            ///< of each marked row: how many
  Tally* tally = nullptr;
};

// --- overlong records ------------------------------------------------------------------------------------------------

/// Whether the record of byte `at` has more than care_bytes_max bytes; reads the masks of no more than that on either
/// side.
__device__ inline bool is_overlong(Tiles const& tiles, std::uint32_t at) {
  std::uint32_t const reach = care_bytes_max / 32 + 1, first = at / 32 > reach ? at / 32 - reach : 0;
  std::uint32_t word = at / 32;
  std::uint32_t ends = record_ends(tiles, word) & ((1u << at % 32) - 1);
  while (ends == 0 && word > first) ends = record_ends(tiles, --word);
  std::uint32_t const begin = ends == 0 ? 0 : 32 * word + highest_bit(ends) + 1;  // 0 for all that is too far back
  word = at / 32;
  ends = record_ends(tiles, word) & ~0u << at % 32;
  while (ends == 0 && 32 * word <= begin + care_bytes_max) ends = record_ends(tiles, ++word);
  return ends == 0 || 32 * word + lowest_bit(ends) - begin > care_bytes_max;
}

/// A thread takes a tile: whether no row ends before the last of the tiles that begin within care_bytes_max from it, as
/// where a record is overlong; other long stretches without a row count too. Launch: a thread for each. Shared: none.
/// Work: 32 bytes a tile.
static __global__ void PENSTOCK_BOUNDS(256, 4) find_overlong_kernel(Tiles tiles, std::uint32_t* found) {
  std::uint32_t const tile = blockIdx.x * blockDim.x + threadIdx.x;
  std::uint32_t const last = tile + (care_bytes_max / 32 >> tiles.word_bits) - 1;
  if (last < tiles.count && tiles.entries[tile].row == tiles.entries[last].row) atomic_or(*found, 1u);
}

/// Enqueues: whether a record of the chunk may be overlong, to `found`, which is 0.
inline void find_overlong(Stream& stream, Tiles const& tiles, std::uint32_t* found) {
  launch("find_overlong", stream, {blocks_for(tiles.count, 256), 256}, find_overlong_kernel, tiles, found);
}

// --- records ---------------------------------------------------------------------------------------------------------

/// A marked record, as find_fault() wants it (RecordExample). `Feature` is the type of features.
template <class Feature>
class CareRecord {
 public:
  /// Repaired cells are written from `repaired` on, or only counted if it is null.
  __device__ CareRecord(CareJob const& job, std::uint32_t row, Fault* repaired)
      : job_(job),
        row_(row),
        begin_(record_begin(job.tiles, job.field_ends[row])),
        cursor_(job.tiles, begin_),
        repaired_(repaired) {
    while (!is_complete_ && fields_ <= job.width) {
      is_complete_ = penstock::csv::is_line_end(job.tiles.text[end_of(fields_)]);
      ++fields_;
    }
  }

  __device__ std::uint32_t width() const { return job_.width; }
  __device__ std::uint32_t fields() const { return fields_; }
  __device__ bool is_complete() const { return is_complete_; }
  __device__ std::uint32_t begin() const { return begin_; }
  __device__ std::uint32_t end_of(std::uint32_t column) {
    if (column + 1 < known_) {
      cursor_ = FieldCursor(job_.tiles, begin_);
      known_ = 0;
    }
    for (; known_ <= column; ++known_) end_ = cursor_.next(job_.tiles);
    return end_;
  }
  __device__ std::uint32_t stray_before(std::uint32_t end) const {
    if (!job_.table->rules.dialect.strict_quotes) return penstock::csv::no_stray;
    return penstock::csv::find_stray(job_.tiles.text, begin_, end, job_.table->classes);
  }
  __device__ bool convert(Fault& fault);
  __device__ bool repairs_cells() const { return job_.table->repairs_cells; }
  __device__ void repair(Fault const& fault) {
    ++missing_;
    if (repaired_ != nullptr) repaired_[repairs_] = fault;
    ++repairs_;
  }

  [[nodiscard]] __device__ std::uint32_t missing() const { return missing_; }
  [[nodiscard]] __device__ std::uint32_t inexact() const { return inexact_; }
  [[nodiscard]] __device__ std::uint32_t repairs() const { return repairs_; }
  /// Where the record ends, however many fields it has.
  __device__ std::uint32_t end() {
    std::uint32_t end = end_of(fields_ - 1);
    while (!penstock::csv::is_line_end(job_.tiles.text[end])) end = cursor_.next(job_.tiles);
    return end;
  }

  /// What conversion counted in this record.
  __device__ Tally counted();

 private:
  template <class T>
  __device__ bool settle_number(Bytes text, bool fits, Target const& target, Fault& fault);
  template <class T>
  __device__ bool settle(Cell<T> const& cell, Target const& target, Fault& fault);

  CareJob const& job_;
  std::uint32_t row_;
  std::uint32_t begin_;
  FieldCursor cursor_;
  Fault* repaired_;
  std::uint32_t known_ = 0;  ///< fields that the cursor has passed
  std::uint32_t end_ = 0;    ///< of the last of them
  std::uint32_t fields_ = 0;
  bool is_complete_ = false;
  std::uint32_t missing_ = 0;
  std::uint32_t inexact_ = 0;
  std::uint32_t repairs_ = 0;
};

template <class Feature>
__device__ bool CareRecord<Feature>::convert(Fault& fault) {
  Target const target = load_target(job_.targets + fault.column);
  if ((target.kind & is_wanted) == 0) return true;
  Bytes const cell{job_.tiles.text + fault.cell_begin, job_.tiles.text + fault.cell_end};
  Bytes text;
  bool fits = penstock::csv::is_plain_text(cell, job_.table->rules.dialect, text);
  char* const memory = job_.rewritten + (text.begin - job_.tiles.text);
  if (!fits) fits = penstock::csv::rewrite_cell(text, job_.table->classes, memory, text);
  if ((target.kind & is_text) != 0)
    return settle(read_category(text, fits, memory, *job_.table, target.kind >> text_shift), target, fault);
  switch (dtype_of(target.kind)) {
    case DType::float32: return settle_number<float>(text, fits, target, fault);
    case DType::int64: return settle_number<std::int64_t>(text, fits, target, fault);
    default: break;
  }
  if constexpr (std::is_same_v<Feature, double> || std::is_same_v<Feature, std::int32_t>)
    return settle_number<Feature>(text, fits, target, fault);
  return true;
}

template <class Feature>
template <class T>
__device__ bool CareRecord<Feature>::settle_number(Bytes text, bool fits, Target const& target, Fault& fault) {
  bool const is_mapped = (target.kind & maps_names) != 0;
  if (!fits) return settle(penstock::csv::overlong_cell<T>(is_mapped), target, fault);
  bool const may_be_missing = (target.kind & allows_missing) != 0;
  return settle(penstock::csv::read_text<T>(text, job_.table->rules, may_be_missing, is_mapped), target, fault);
}

template <class Feature>
template <class T>
__device__ bool CareRecord<Feature>::settle(Cell<T> const& cell, Target const& target, Fault& fault) {
  *reinterpret_cast<T*>(place_of(target, row_)) = cell.value;
  missing_ += cell.kind == CellKind::missing ? 1 : 0;
  inexact_ += cell.is_inexact_integer ? 1 : 0;
  if ((target.kind & (is_feature | is_text)) != 0) return penstock::csv::settle_feature<T>(*this, cell, fault);
  fault.code = cell.code;
  return cell.kind == CellKind::value;
}

/// Conversion counts a cell unless it needs care; so does this, by the same function. Texts of marked rows are not
/// counted before.
template <class Feature>
__device__ Tally CareRecord<Feature>::counted() {
  Tally counted;
  std::uint32_t begin = begin_;
  for (std::uint32_t c = 0; c < fields_ && c < job_.width; ++c) {
    std::uint32_t const end = end_of(c);
    Target const target = load_target(job_.targets + c);
    Bytes const cell{job_.tiles.text + begin, job_.tiles.text + end};
    unsigned flags = 0;
    if ((target.kind & is_wanted) != 0 && (target.kind & is_text) == 0)
      flags = store_cell<Feature>(cell, *job_.table, place_of(target, row_), target.kind);
    counted.missing += (flags & cell_is_missing) != 0 ? 1 : 0;
    counted.inexact += (flags & cell_is_inexact) != 0 ? 1 : 0;
    begin = end + 1;
  }
  return counted;
}

// --- decisions -------------------------------------------------------------------------------------------------------

/// A thread reads a marked record twice: once for what conversion counted, once by the rules; of an overlong one it
/// only says so. Launch: a thread for each, in blocks of any size. Shared: none. Work: some hundred instructions a
/// cell; cells with quotes inside are written once more.
template <class Feature>
__global__ void PENSTOCK_BOUNDS(64, 4) decide_kernel(CareJob job) {
  std::uint32_t const i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= job.count) return;
  std::uint32_t const row = job.rows[i];
  if (is_overlong(job.tiles, job.field_ends[row])) {
    job.faults[i] = 0;
    atomic_add(job.tally->overlong, 1u);
    return;
  }
  CareRecord<Feature> record(job, row, nullptr);
  Tally const counted = record.counted();
  Fault fault;
  bool const is_rejected = penstock::csv::find_fault(record, fault);
  job.faults[i] = is_rejected ? 1 : record.repairs();
  std::uint64_t const missing = (is_rejected ? 0u : record.missing()) - counted.missing;
  std::uint64_t const inexact = (is_rejected ? 0u : record.inexact()) - counted.inexact;
  if (missing != 0) atomic_add(job.tally->missing, missing);
  if (inexact != 0) atomic_add(job.tally->inexact, inexact);
  if (!is_rejected) return;
  atomic_or(job.rejected[row / 32], 1u << row % 32);
  atomic_add(job.tally->rejected, 1u);
}

/// Enqueues: which marked rows are rejected, how many faults each has, and corrections of the tally.
template <class Feature>
void decide(Stream& stream, CareJob const& job) {
  launch("decide", stream, {blocks_for(job.count, 64), 64}, decide_kernel<Feature>, job);
}

// --- rows without the rejected ones
// --------------------------------------------------------------------------------------

/// The rows that were rejected, counted in front of every 32.
struct Rejected {
  std::uint32_t const* rows = nullptr;
  std::uint32_t const* before = nullptr;

  __device__ bool holds(std::uint32_t row) const { return (rows[row / 32] >> row % 32 & 1) != 0; }
  /// A row less those that were rejected before it.
  __device__ std::uint32_t rank(std::uint32_t row) const {
    return row - before[row / 32] - count_bits(rows[row / 32] & ((1u << row % 32) - 1));
  }
};

/// A thread counts 32 rows. Launch: a thread for each word. Shared: none. Work: eight bytes a thread.
static __global__ void PENSTOCK_BOUNDS(256, 4)
    count_rejected_kernel(std::uint32_t const* rejected, std::uint32_t words, std::uint32_t* counts) {
  std::uint32_t const word = blockIdx.x * blockDim.x + threadIdx.x;
  if (word < words) counts[word] = count_bits(rejected[word]);
}
inline void count_rejected(Stream& stream, std::uint32_t const* rejected, std::uint32_t words, std::uint32_t* counts) {
  launch("count_rejected", stream, {blocks_for(words, 256), 256}, count_rejected_kernel, rejected, words, counts);
}

/// A tensor with `rows` rows and one without the rejected ones; `row_words` words of four bytes each.
struct CompactJob {
  std::uint32_t const* from = nullptr;
  std::uint32_t* to = nullptr;
  std::uint32_t row_words = 0;
  std::uint32_t rows = 0;
  Rejected rejected;
};

/// A thread moves a word. Launch: a thread for each. Shared: none. Work: a division and 16 bytes of memory a thread.
static __global__ void PENSTOCK_BOUNDS(256, 4) compact_kernel(CompactJob job) {
  std::uint64_t const word = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  auto const row = static_cast<std::uint32_t>(word / job.row_words);
  if (word / job.row_words >= job.rows || job.rejected.holds(row)) return;
  std::uint64_t const place = word - std::uint64_t{row} * job.row_words;
  job.to[std::uint64_t{job.rejected.rank(row)} * job.row_words + place] = job.from[word];
}
inline void compact(Stream& stream, CompactJob const& job) {
  std::size_t const words = std::size_t{job.rows} * job.row_words;
  launch("compact", stream, {blocks_for(words, 256), 256}, compact_kernel, job);
}

// --- reports
// -------------------------------------------------------------------------------------------------------------

struct TellJob {
  CareJob care;
  std::uint32_t const* first_faults = nullptr;  ///< of each marked row: faults of those before it
  Rejected rejected;
  std::uint32_t window_rows = 0;
  Fault* faults = nullptr;       ///< mapped memory
  std::uint32_t faults_max = 0;  ///< what it holds
  Report* report = nullptr;
  unsigned* arrived = nullptr;
};

/// Whether the faults of the first `count` marked rows fit.
__device__ inline bool fit(TellJob const& job, std::uint32_t count) {
  if (count == 0) return true;
  return std::uint64_t{job.first_faults[count - 1]} + job.care.faults[count - 1] <= job.faults_max;
}

template <class Feature>
__device__ inline void tell_faults(TellJob const& job, std::uint32_t row, Fault* to) {
  bool const is_rejected = job.rejected.holds(row);
  std::uint32_t const rows_before = job.rejected.rank(row);
  CareRecord<Feature> record(job.care, row, is_rejected ? nullptr : to);
  Fault fault;
  fault.rows_before = rows_before;
  (void)penstock::csv::find_fault(record, fault);
  if (!is_rejected) return;
  fault.record_end = record.end();
  *to = fault;
}

/// A thread reads a marked record that has faults once more and writes them. Launch: a thread for each, in blocks of
/// whole warps. Shared: a flag. Work: as decide_kernel; 32 bytes a fault over the link.
template <class Feature>
__global__ void PENSTOCK_BOUNDS(64, 4) tell_kernel(TellJob job) {
  PENSTOCK_SHARED(bool, is_last, 1);
  std::uint32_t const i = blockIdx.x * blockDim.x + threadIdx.x, count = job.care.count;
  if (i < count) {
    bool const fits = fit(job, i + 1);
    if (fits && job.care.faults[i] > 0) tell_faults<Feature>(job, job.care.rows[i], job.faults + job.first_faults[i]);
    if (fit(job, i) && !fits) job.report->rows = job.care.rows[i];
    if (i + 1 == count && fits) job.report->rows = job.window_rows;
    if (i + 1 == count) job.report->faults = job.first_faults[i] + job.care.faults[i];
  }
  if (!last_block_to_arrive(job.arrived, is_last) || threadIdx.x != 0) return;
  Tally& tally = *job.care.tally;
  job.report->missing = load_fresh(&tally.missing);
  job.report->inexact = load_fresh(&tally.inexact);
  job.report->rejected = load_fresh(&tally.rejected);
  job.report->overlong = load_fresh(&tally.overlong);
  tally = {};
}

/// Enqueues: the faults of the marked rows, in order, and what came of it: `report->cut` marked rows have told all
/// theirs.
template <class Feature>
void tell(Stream& stream, TellJob const& job) {
  launch("tell", stream, {blocks_for(job.care.count, 64), 64}, tell_kernel<Feature>, job);
}

}  // namespace penstock::cuda::csv
