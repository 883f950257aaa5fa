// Chunks of libsvm text to rows in device memory.
#include "cuda/formats/libsvm.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "cuda/exec/backend.cuh"
#include "cuda/exec/memory.hpp"
#include "cuda/kernels/libsvm_care.cuh"
#include "cuda/kernels/libsvm_convert.cuh"
#include "cuda/kernels/libsvm_heads.cuh"
#include "cuda/kernels/libsvm_rows.cuh"
#include "cuda/kernels/libsvm_structure.cuh"
#include "formats/core/line_ends.hpp"
#include "formats/libsvm/plan.hpp"

namespace penstock::cuda {
namespace libsvm {
namespace {

using Plan = penstock::libsvm::Plan;

/// Readable bytes in front of a text and behind it.
constexpr std::size_t reach = 64;
static_assert(reach >= 2 * plain_float32_reach);

/// Outcomes that are kept at a time, 44 bytes each.
constexpr std::uint32_t care_max = 65536;
/// One thread reads and sorts a record that is not plain: a thousand pairs, or 64 KiB of text, take it milliseconds.
/// Longer ones (length_of_row()) are for the CPU.
constexpr std::uint32_t care_length_max = 1024;

/// Memory for the rows of a round.
class RowMemory {
 public:
  RowMemory(BatchLayout const& layout, std::size_t rows, std::size_t pairs)
      : label_(rows, "labels"),
        weight_(layout.has_weight ? rows : 0, "weights"),
        qid_(layout.has_qid ? rows : 0, "query ids"),
        indptr_(rows + 1, "places of rows"),
        indices_(pairs, "indices"),
        values_(pairs * size_bytes(layout.feature_dtype), "values") {}

  [[nodiscard]] RowArrays arrays(std::uint32_t* begins) const {
    return {label_.get(), weight_.get(), qid_.get(), indptr_.get(), indices_.get(), values_.get(), begins};
  }
  [[nodiscard]] std::size_t device_bytes() const {
    return label_.size_bytes() + weight_.size_bytes() + qid_.size_bytes() + indptr_.size_bytes() +
           indices_.size_bytes() + values_.size_bytes();
  }

 private:
  DeviceArray<float> label_, weight_;
  DeviceArray<std::int64_t> qid_, indptr_, indices_;
  DeviceArray<std::byte> values_;
};

/// Memory for what is known about a chunk.
struct ChunkMemory {
  explicit ChunkMemory(std::size_t text_bytes)
      : text(2 * reach + whole(text_bytes), "text"),
        masks(5 * mask_words(text_bytes), "masks"),
        passages(phases * tiles(text_bytes), "states of tiles"),
        lines(tiles(text_bytes), "states of tiles"),
        entries(tiles(text_bytes), "entries of tiles") {}

  [[nodiscard]] char* data() const { return text.get() + reach; }
  [[nodiscard]] Masks mask_pointers() const {
    std::size_t const words = masks.size() / 5;
    std::uint32_t* const first = masks.get();
    return {first, first + words, first + 2 * words, first + 3 * words, first + 4 * words};
  }
  [[nodiscard]] std::size_t device_bytes() const {
    return text.size_bytes() + masks.size_bytes() + passages.size_bytes() + lines.size_bytes() + entries.size_bytes();
  }

  DeviceArray<char> text;
  DeviceArray<std::uint32_t> masks, passages, lines;
  DeviceArray<TileEntry> entries;

 private:
  static std::size_t whole(std::size_t bytes) { return (bytes / large_tile_bytes + 1) * large_tile_bytes; }
  static std::size_t mask_words(std::size_t bytes) { return whole(bytes) / 32 + 2; }
  static std::size_t tiles(std::size_t bytes) {
    return std::max(whole(bytes) / large_tile_bytes,
                    whole(std::min(bytes, small_tiles_below_bytes)) / small_tile_bytes);
  }
};

/// Memory for rows that are not plain.
struct RowCare {
  RowCare(std::size_t rows, std::size_t marked_max)
      : marked(rows, "rows that are not plain"),
        ranks(rows + 1, "ranks of rows"),
        places(rows + 1, "places of rows"),
        faulty(marked_max, "faults"),
        found(1, "the number of faults"),
        outcomes(marked_max, "outcomes of rows"),
        counts(1, "counts") {}

  [[nodiscard]] CareMemory pointers(std::uint32_t first_marked) const {
    return {marked.get() + first_marked,
            outcomes.get(),
            ranks.get(),
            places.get(),
            faulty.get(),
            found.get(),
            counts.get()};
  }
  [[nodiscard]] std::size_t device_bytes() const {
    return marked.size_bytes() + ranks.size_bytes() + places.size_bytes() + faulty.size_bytes() + outcomes.size_bytes();
  }

  DeviceArray<std::uint32_t> marked, ranks, places, faulty, found;
  DeviceArray<RecordOutcome> outcomes;
  DeviceArray<RoundCounts> counts;
};

/// What a round holds.
struct Sizes {
  explicit Sizes(DecoderLimits const& limits)
      : text_bytes(std::min(limits.text_bytes, std::size_t{1} << 31)),
        rows(static_cast<std::uint32_t>(std::clamp<std::size_t>(limits.rows.rows, 1, text_bytes / 2 + 1))),
        pairs(static_cast<std::uint32_t>(std::min(limits.rows.pairs, text_bytes / 2 + 1))),
        faults(static_cast<std::uint32_t>(limits.faults)) {}
  std::size_t text_bytes;  ///< offsets of tiles behind it fit 32 bits
  std::uint32_t rows;      ///< a text has at most one for two bytes
  std::uint32_t pairs;     ///< the same
  std::uint32_t faults;
};

class LibsvmDecoder final : public ChunkDecoder {
 public:
  LibsvmDecoder(Plan const& plan, DecoderLimits const& limits, Stream& stream)
      : plan_(plan),
        sizes_(limits),
        stream_(stream),
        backend_(stream, sizes_.rows + std::size_t{1}),
        chunk_memory_(sizes_.text_bytes),
        row_begins_(sizes_.rows + std::size_t{1}, "begins of rows"),
        row_items_(sizes_.rows + std::size_t{1}, "items of rows"),
        kept_begins_(sizes_.rows, "begins of rows"),
        marks_(std::size_t{blocks_for(sizes_.rows, heads_threads)} * (heads_threads / warp_lanes), "marks of rows"),
        converted_(plan.layout, sizes_.rows, sizes_.pairs),
        kept_(plan.layout, sizes_.rows, sizes_.pairs),
        care_(sizes_.rows, std::min(sizes_.rows, care_max)),
        totals_(1, "totals"),
        window_(1, "the window"),
        arrived_(2, "arrivals"),
        report_(1, "the report of a window"),
        emission_(1, "the report of a round"),
        faults_(sizes_.faults, "faults"),
        next_marked_(1, "the next row that is not plain") {
    stream_.fill(arrived_.get(), 0, arrived_.size_bytes());
    stream_.fill(chunk_memory_.text.get(), 0, chunk_memory_.text.size_bytes());  // what nobody wrote is read behind it
    stream_.fill(chunk_memory_.masks.get(), 0, chunk_memory_.masks.size_bytes());
  }

  bool begin(Chunk const& chunk) override {
    if (!chunk.rejects.empty() || chunk.text.size > sizes_.text_bytes || plan_.layout.labels_vary) return false;
    is_first_call_ = true;
    is_converted_ = false;
    first_row_ = 0;
    totals_of_chunk_ = {};
    text_ = {chunk_memory_.data(), static_cast<std::uint32_t>(chunk.text.size), mark_bytes(chunk), chunk.follows_cr};
    if (text_.size == 0) return true;
    stream_.copy(chunk_memory_.data(), chunk.text.data, chunk.text.size, "copy in");
    find_structure(stream_, {text_,
                             chunk_memory_.mask_pointers(),
                             {chunk_memory_.passages.get(), chunk_memory_.lines.get()},
                             chunk_memory_.entries.get(),
                             totals_.get(),
                             arrived_.get()});
    begin_window(0, 0);
    return true;
  }

  bool next(Batch& rows, FaultLog& faults, RoundCounts& counts, Decoded& decoded) override {
    if (std::exchange(is_first_call_, false) && !begin_chunk()) return false;
    if (!is_converted_) begin_next_window();
    pairs_ = 0;
    if (window_of_round_.marked == 0) {
      take_whole_window(rows);
    } else {
      take_careful_round(rows, faults, counts);
    }
    decoded = {};
    decoded.rows = rows.rows;
    decoded.ends_chunk = !is_converted_ && first_row_ + window_of_round_.rows == totals_of_chunk_.rows;
    if (decoded.ends_chunk) counts.lines += totals_of_chunk_.lines;
    return true;
  }

  [[nodiscard]] std::size_t pairs() const override { return pairs_; }

  [[nodiscard]] std::size_t device_bytes() const override {
    return chunk_memory_.device_bytes() + row_begins_.size_bytes() + row_items_.size_bytes() +
           kept_begins_.size_bytes() + marks_.size_bytes() + converted_.device_bytes() + kept_.device_bytes() +
           care_.device_bytes() + backend_.device_bytes();
  }

 private:
  void take_whole_window(Batch& rows) {
    RowArrays const arrays = converted_.arrays(row_begins_.get());
    if (window_of_round_.rows == 0) {
      stream_.fill(arrays.indptr, 0, sizeof(std::int64_t));
      stream_.wait();
    }
    rows = view(arrays, window_of_round_.rows, window_of_round_.items);
    is_converted_ = false;
  }

  // --- windows -------------------------------------------------------------------------------------------------------

  [[nodiscard]] RowTable table(std::uint32_t first_row) const {
    return {first_row, sizes_.rows, row_begins_.get(), row_items_.get()};
  }
  [[nodiscard]] unsigned tile_of(std::uint32_t offset) const { return offset / tile_bytes_for(text_.size); }
  [[nodiscard]] WordText words() const { return {text_.data, chunk_memory_.mask_pointers().stops}; }

  /// Lists rows from `first_row` on, whose line begins at or behind `begin`, and takes their heads.
  void find_window(std::uint32_t first_row, std::uint32_t begin) {
    first_row_ = first_row;
    RowTable const rows = table(first_row);
    list_rows(stream_, {text_, chunk_memory_.mask_pointers(), chunk_memory_.entries.get(), totals_.get(), rows,
                        window_.get(), tile_of(begin)});
    HeadRules const rules{plan_.layout.has_weight, plan_.layout.has_qid, sizes_.pairs, plan_.pairs_max};
    take_heads(stream_, {words(), rules, totals_.get(), rows, converted_.arrays(nullptr), window_.get(), marks_.get()},
               std::min(sizes_.rows, text_.size / 2 + 1));
  }

  /// Enqueues a window's conversion.
  void begin_window(std::uint32_t first_row, std::uint32_t begin) {
    find_window(first_row, begin);
    ConvertWork work;
    work.text = words();
    work.masks = chunk_memory_.mask_pointers();
    work.entries = chunk_memory_.entries.get();
    work.rules = item_rules();
    work.has_qid = plan_.layout.has_qid;
    work.totals = totals_.get();
    work.rows = table(first_row);
    work.out = converted_.arrays(nullptr);
    work.window = window_.get();
    work.marks = marks_.get();
    work.report = report_.get();
    work.arrived = arrived_.get() + 1;
    work.first_tile = tile_of(begin);
    with_value_type([&](auto value) { convert<decltype(value)>(stream_, work, text_.size); });
  }

  void end_window() {
    stream_.wait();
    totals_of_chunk_ = report_[0].totals;
    window_of_round_ = report_[0].window;
    is_converted_ = true;
    piece_ = {};
    marked_before_ = 0;
    has_marked_ = false;
  }

  void begin_next_window() {
    begin_window(first_row_ + window_of_round_.rows, window_of_round_.end);
    end_window();
  }

  /// Waits for the first window. False: the chunk is for the CPU.
  bool begin_chunk() {
    if (text_.size == 0) {
      window_of_round_ = {};
      is_converted_ = true;
      return true;
    }
    end_window();
    if (window_of_round_.longest_marked > care_length_max) return false;
    if (window_of_round_.rows == totals_of_chunk_.rows) return true;
    if (!windows_fit()) return false;
    begin_window(0, 0);
    end_window();
    return true;
  }

  /// Whether windows go on until the chunk's end: none of its records has more items than a round, nor is one of them
  /// too long for care. Which rows are marked takes conversion: only windows with rows so long are converted.
  bool windows_fit() {
    Window window = window_of_round_;
    for (std::uint32_t row = 0; window.rows != 0;) {
      row += window.rows;
      if (row == totals_of_chunk_.rows) return true;
      std::uint32_t const begin = window.end;
      find_window(row, begin);
      stream_.copy(&report_[0].window, window_.get(), sizeof(Window), "window");
      stream_.wait();
      window = report_[0].window;
      if (window.longest <= care_length_max) continue;
      begin_window(row, begin);
      end_window();
      if (window_of_round_.longest_marked > care_length_max) return false;
    }
    return false;
  }

  /// Indices beyond a number of features that was found out are looked at with care.
  [[nodiscard]] ItemRules item_rules() const {
    std::uint64_t const features = plan_.layout.features;
    std::uint64_t const columns = plan_.items.columns;
    return {plan_.items.base, features == 0 ? columns : std::min(columns, features), plan_.items.syntax.is_libfm};
  }

  // --- rows that are not plain -----------------------------------------------------------------------------------

  [[nodiscard]] CareWork care_work() const {
    CareWork work;
    work.text = text_.data;
    work.rows = table(first_row_);
    work.out = converted_.arrays(nullptr);
    work.piece = piece_;
    work.memory = care_.pointers(marked_before_);
    return work;
  }

  /// The next rows of a window in which some are marked.
  void take_careful_round(Batch& rows, FaultLog& faults, RoundCounts& counts) {
    bool const begins_piece = round_begin_.row == piece_.rows || !has_marked_;
    if (begins_piece) begin_piece();
    EmissionReport const report{emission_.get(), faults_.get(), sizes_.faults};
    plan_round(stream_, care_work(), round_begin_, report);
    stream_.wait();
    Emission const& emission = emission_[0];
    for (std::uint32_t i = 0; i < emission.faults; ++i) faults.report(faults_[i]);
    if (begins_piece) {
      counts.missing_cells += emission.counts.missing_cells;
      counts.inexact_integers += emission.counts.inexact_integers;
    }
    gather_rows(emission);
    rows = view(kept_.arrays(kept_begins_.get()), emission.rows, emission.pairs);
    round_begin_ = {emission.end, round_begin_.fault + emission.faults};
    bool const ends_piece = emission.end == piece_.rows;
    is_converted_ = !(ends_piece && piece_.begin + piece_.rows == window_of_round_.rows);
  }

  void gather_rows(Emission const& emission) {
    RowArrays const to = kept_.arrays(kept_begins_.get());
    if (emission.end == round_begin_.row)
      stream_.fill(to.indptr, 0, sizeof(std::int64_t));
    else
      with_value_type(
          [&](auto value) { gather<decltype(value)>(stream_, care_work(), to, round_begin_.row, emission.end); });
    stream_.wait();
  }

  /// Reads the marked rows of the window's next piece.
  void begin_piece() {
    if (!has_marked_) {
      backend_.select(window_of_round_.rows, IsMarked{marks_.get()}, care_.marked.get(), care_.found.get());
      has_marked_ = true;
    }
    marked_before_ += piece_.marked;
    piece_.begin += piece_.rows;
    piece_.marked = std::min(window_of_round_.marked - marked_before_, care_max);
    piece_.rows = piece_end() - piece_.begin;
    round_begin_ = {};
    CareWork const work = care_work();
    with_value_type([&](auto value) { care<decltype(value)>(stream_, work, plan_); });
    CareMemory const& memory = work.memory;
    backend_.exclusive_sum(memory.ranks, memory.ranks, piece_.rows + std::size_t{1});
    backend_.exclusive_sum(memory.places, memory.places, piece_.rows + std::size_t{1});
    backend_.select(piece_.marked, IsFault{memory.outcomes}, memory.faulty, memory.found);
  }

  /// The marked row behind the piece, or the window's end.
  [[nodiscard]] std::uint32_t piece_end() {
    std::uint32_t const behind = marked_before_ + piece_.marked;
    if (behind == window_of_round_.marked) return window_of_round_.rows;
    stream_.copy(next_marked_.get(), care_.marked.get() + behind, sizeof(std::uint32_t), "next row");
    stream_.wait();
    return next_marked_[0];
  }

  // --- rows ----------------------------------------------------------------------------------------------------------

  template <class Use>
  void with_value_type(Use use) {
    switch (plan_.layout.feature_dtype) {
      case DType::float32: use(float{}); break;
      case DType::float64: use(double{}); break;
      case DType::int32: use(std::int32_t{}); break;
      case DType::int64: use(std::int64_t{}); break;
    }
  }

  [[nodiscard]] Batch view(RowArrays const& arrays, std::uint32_t rows, std::uint32_t pairs) {
    BatchLayout const& layout = plan_.layout;
    Batch batch;
    auto const dense = [&](Role role, void* data) {
      batch.tensor(role) = {static_cast<std::byte*>(data), layout.dtype(role), rows, layout.columns(role)};
    };
    dense(Role::feature, nullptr);
    dense(Role::label, arrays.label);
    dense(Role::weight, arrays.weight);
    dense(Role::qid, arrays.qid);
    dense(Role::base_margin, nullptr);
    dense(Role::start, nullptr);
    dense(Role::cat, nullptr);
    batch.csr = {arrays.indptr,        arrays.indices, static_cast<std::byte*>(arrays.values),
                 layout.feature_dtype, rows,           layout.features};
    if (plan_.checks_qid_order && layout.has_qid) batch.record_begins = arrays.begins;
    batch.set_rows(rows);
    pairs_ = pairs;
    return batch;
  }

  Plan plan_;
  Sizes sizes_;
  Stream& stream_;
  Backend backend_;
  ChunkMemory chunk_memory_;
  DeviceArray<std::uint32_t> row_begins_, row_items_, kept_begins_, marks_;
  RowMemory converted_;  ///< the window's rows
  RowMemory kept_;       ///< the same without those that are rejected
  RowCare care_;
  DeviceArray<Totals> totals_;
  DeviceArray<Window> window_;
  DeviceArray<unsigned> arrived_;
  MappedArray<WindowReport> report_;
  MappedArray<Emission> emission_;
  MappedArray<Fault> faults_;
  MappedArray<std::uint32_t> next_marked_;

  // The chunk.
  ChunkText text_;
  Totals totals_of_chunk_;
  bool is_first_call_ = false;

  // The window.
  std::uint32_t first_row_ = 0;
  Window window_of_round_;
  bool is_converted_ = false;  ///< and rounds are still to be made of it
  bool has_marked_ = false;    ///< its marked rows are listed

  // The piece.
  Piece piece_;
  std::uint32_t marked_before_ = 0;  ///< of the window
  RoundBegin round_begin_;
  std::size_t pairs_ = 0;  ///< of the last round
};

}  // namespace
}  // namespace libsvm

std::unique_ptr<ChunkDecoder> make_libsvm_decoder(penstock::libsvm::Plan const& plan, DecoderLimits const& limits,
                                                  Stream& stream) {
  return std::make_unique<libsvm::LibsvmDecoder>(plan, limits, stream);
}

}  // namespace penstock::cuda
