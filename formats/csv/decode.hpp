/// Whole records of CSV to rows of tensors.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>

#include "formats/csv/cell.hpp"
#include "formats/csv/plan.hpp"
#include "formats/csv/record.hpp"
#include "formats/csv/scan.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"
#include "penstock/executor.hpp"
#include "penstock/fault.hpp"

namespace penstock::csv {

/// Decodes chunks in rounds of at most as many rows as the batch memory holds. Takes its memory once, when
/// it is made: the list of field ends, sized for the widest record.
template <class Isa>
class Decoder {
 public:
  explicit Decoder(DecodePlan const& plan)
      : plan_(plan),
        scanner_(plan.rules.dialect),
        null_filter_(plan.rules),
        has_numeric_null_(has_numeric_null(plan.rules)),
        has_plain_texts_(!plan.layout.keeps_texts && !plan.rules.dialect.trim && plan.rules.dialect.escape == 0) {
    std::size_t width_max = 0;
    for (auto const& columns : plan.columns) width_max = std::max(width_max, columns.size());
    ends_ = std::make_unique<std::uint32_t[]>(width_max + 1 + piece_bytes + block_bytes);
  }

  void begin(Chunk const& chunk) {
    chunk_ = chunk;
    columns_ = plan_.columns[chunk.stamp.shard];
    next_reject_ = 0;
    first_ = count_ = 0;
    is_skipping_ = false;
    stray_end_ = 0;
    begin_segment(0, chunk.follows_cr);
  }

  /// Fills `batch` from its first row on, at most `capacity.rows` rows. `faults` must have room for fault_room() faults
  /// at the start.
  Decoded next(Batch const& batch, BatchCapacity const& capacity, FaultLog& faults, RoundCounts& counts) {
    batch_ = batch;
    rows_ = 0;
    text_bytes_ = text_bytes_of_rows_ = 0;
    text_room_ = capacity.text_bytes;
    faults_ = &faults;
    counts_ = &counts;
    Decoded done;
    while (convert_records(capacity.rows)) {
      if (scanned_ < segment_end_) {
        scan_piece();
      } else if (next_reject_ == chunk_.rejects.size()) {
        done.ends_chunk = true;
        break;
      } else if (faults_->room() == 0) {
        break;
      } else {
        pass_reject();
      }
    }
    done.rows = rows_;
    return done;
  }

 private:
  /// 16 KiB of text and its field ends stay in the first two cache levels while they are converted.
  static constexpr std::size_t piece_bytes = 16384;

  // --- text to field ends ---------------------------------------------------------------------------------------

  void begin_segment(std::uint32_t at, bool follows_cr) {
    scanned_ = record_begin_ = at;
    searched_ = 0;
    segment_end_ = next_reject_ < chunk_.rejects.size() ? chunk_.rejects[next_reject_].begin
                                                        : static_cast<std::uint32_t>(chunk_.text.size);
    scanner_.restart(State::record_start, follows_cr);
  }

  /// Reports the reject that ends the segment and goes on behind it.
  void pass_reject() {
    Reject const& reject = chunk_.rejects[next_reject_++];
    if (!reject.is_continued) {
      Fault fault = reject.fault;
      fault.rows_before = static_cast<std::uint32_t>(rows_);
      faults_->report(fault);
    }
    counts_->lines += reject.resume > reject.end ? 1 : 0;
    begin_segment(reject.resume, reject.resume > 0 && *at(reject.resume - 1) == '\r');
  }

  /// Appends the field ends of the next piece to the list, after moving what is left to its front.
  void scan_piece() {
    if (first_ != 0) std::copy(ends_.get() + first_, ends_.get() + count_, ends_.get());
    count_ -= first_;
    first_ = 0;
    std::uint32_t const stop = scanned_ + std::min<std::uint32_t>(segment_end_ - scanned_, piece_bytes);
    std::uint64_t lines = 0;
    while (scanned_ < stop) {
      unsigned const size = std::min<std::uint32_t>(stop - scanned_, block_bytes);
      BlockEnds const found = scanner_.next(at(scanned_), size);
      lines += static_cast<unsigned>(std::popcount(found.line_ends));
      if (found.strays != 0) stray_end_ = scanned_ + 64 - static_cast<unsigned>(std::countl_zero(found.strays));
      append(found.fields);
      scanned_ += size;
    }
    counts_->lines += lines;
  }

  /// Positions are written several at a time without asking (four, then eights: blocks of long numbers have two or
  /// three fields, of short ones about nine); what is too much is written over by the next block.
  void append(std::uint64_t mask) {
    unsigned const found = static_cast<unsigned>(std::popcount(mask));
    std::uint32_t* out = ends_.get() + count_;
    count_ += found;
    std::uint32_t* const end = ends_.get() + count_;
    auto const write = [&](unsigned positions) {
      for (unsigned i = 0; i < positions; ++i) {
        *out++ = scanned_ + static_cast<unsigned>(std::countr_zero(mask));
        mask &= mask - 1;
      }
    };
    write(4);
    while (out < end) write(8);
  }

  // --- field ends to rows ----------------------------------------------------------------------------------------

  /// Converts every record that the list holds in full. False: the round is full.
  bool convert_records(std::size_t rows_max) {
    while (first_ < count_) {
      if (is_skipping_) {
        skip_to_record_end();
        continue;
      }
      if (ends_[first_] == record_begin_ && is_line_end(*at(record_begin_))) {
        finish_record(1);
        continue;
      }
      if (rows_ == rows_max || faults_->room() < fault_room(plan_, columns_.size())) return false;
      if (plan_.layout.keeps_texts && !has_text_room()) return false;
      text_bytes_ = text_bytes_of_rows_;  // those of a record that was rejected are dropped
      bool const has_width = !columns_.empty() && count_ - first_ >= columns_.size();
      if (has_width && convert_plain_record()) continue;
      if (!convert_any_record()) break;
    }
    return true;
  }

  /// The hot path: a record of the right width without a fault. False: nothing has happened.
  bool convert_plain_record() {
    if (columns_.size() == 1 && is_skipped_line(first_cell(), plan_.rules.dialect)) return false;
    if (plan_.rules.dialect.strict_quotes && record_begin_ < stray_end_) return false;
    RoundCounts counts;
    if (!with_feature_type([&](auto type) { return convert_plain<decltype(type)>(counts); })) return false;
    counts_->missing_cells += counts.missing_cells;
    counts_->inexact_integers += counts.inexact_integers;
    finish_row();
    finish_record(columns_.size());
    return true;
  }

  /// Of the record that begins at record_begin_.
  void finish_row() {
    if (batch_.record_begins != nullptr) [[unlikely]]
      batch_.record_begins[rows_] = record_begin_;
    ++rows_;
    text_bytes_of_rows_ = text_bytes_;
  }

  template <class T>
  bool convert_plain(RoundCounts& counts) {
    std::uint32_t const* const ends = ends_.get() + first_;
    Column const* const columns = columns_.data();
    std::size_t const last = columns_.size() - 1;
    char const* const text = chunk_.text.data;
    char const delimiter = plan_.rules.dialect.delimiter;
    T* const features = batch_.features.template as<T>() + rows_ * batch_.features.columns;
    char const* begin = text + record_begin_;
    for (std::size_t c = 0; c < last; ++c) {
      char const* const end = text + ends[c];
      if (*end != delimiter || !convert_plain_cell({begin, end}, columns[c], features, counts)) return false;
      begin = end + 1;
    }
    char const* const end = text + ends[last];
    return *end != delimiter && convert_plain_cell({begin, end}, columns[last], features, counts);
  }

  /// False: the cell is at fault.
  template <class T>
  [[gnu::always_inline]] bool convert_plain_cell(Bytes cell, Column column, T* features, RoundCounts& counts) {
    if (column.role == Role::feature) [[likely]] {
      T& value = features[column.place];
      if constexpr (std::is_same_v<T, float>) {
        if (take_fast(cell, value)) [[likely]]
          return true;
      }
      return read<T>(cell, value, counts).kind != CellKind::fault;
    }
    FaultCode code;
    if (column.role == Role::category) return convert_text(cell, column, counts, code);
    return column.role == Role::ignore || convert_role(cell, column, counts, code);
  }

  /// Most cells of float32 tensors. False: read_cell decides.
  [[gnu::always_inline]] bool take_fast(Bytes cell, float& value) const {
    return !has_numeric_null_ && fast_float32(Isa{}, cell.begin, static_cast<std::uint32_t>(cell.size()), value);
  }

  template <class T>
  [[gnu::noinline]] Cell<T> read(Bytes cell, T& value, RoundCounts& counts) {
    Cell<T> const read = read_cell<T>(cell, plan_.rules, std::is_floating_point_v<T>, false);
    value = read.value;
    counts.missing_cells += read.kind == CellKind::missing;
    counts.inexact_integers += read.is_inexact_integer;
    return read;
  }

  /// A label, weight or qid cell. False: it is at fault, and `code` says why.
  bool convert_role(Bytes cell, Column column, RoundCounts& counts, FaultCode& code) {
    if (column.role == Role::qid)
      return store(read_cell<std::int64_t>(cell, plan_.rules, false, false), column, counts, code);
    bool const maps_names = column.role == Role::label && !plan_.rules.labels.empty();
    Dense const& tensor = batch_.tensor(column.role);
    float& value = tensor.as<float>()[rows_ * tensor.columns + column.place];
    if (!maps_names && take_fast(cell, value)) return true;
    return store(read_cell<float>(cell, plan_.rules, false, maps_names), column, counts, code);
  }

  template <class T>
  bool store(Cell<T> cell, Column column, RoundCounts& counts, FaultCode& code) {
    Dense const& tensor = batch_.tensor(column.role);
    tensor.as<T>()[rows_ * tensor.columns + column.place] = cell.value;
    counts.inexact_integers += cell.is_inexact_integer;
    code = cell.code;
    return cell.kind == CellKind::value;
  }

  // --- columns of text ----------------------------------------------------------------------------------------------

  /// A record's texts are none longer than rewritten_cell_max: a round goes on while there is room for all of them.
  [[nodiscard]] bool has_text_room() const {
    return text_room_ - text_bytes_of_rows_ >= plan_.layout.categories * rewritten_cell_max;
  }

  /// Cells that are their texts as they stand there, to numbers. Of the others this asks settle_text().
  [[gnu::always_inline]] bool convert_text(Bytes cell, Column column, RoundCounts& counts, FaultCode& code) {
    bool const is_plain = has_plain_texts_ && cell.size() <= rewritten_cell_max &&
                          (cell.size() == 0 || *cell.begin != plan_.rules.dialect.quote);
    if (!is_plain) return settle_text(cell, column, counts, code);
    if (is_null(cell, plan_.rules, null_filter_))
      return store_text({missing_value<double>(), CellKind::missing, {}, false}, column, counts, code);
    std::uint64_t const head = normalize::readable_head_of(cell.begin, cell.size());  // text_padding is behind the text
    return store_text(read_category(cell, head, plan_.texts.rules[column.place]), column, counts, code);
  }

  [[gnu::always_inline]] bool store_text(Cell<double> cell, Column column, RoundCounts& counts, FaultCode& code) {
    counts.missing_cells += cell.kind == CellKind::missing;
    return store(cell, column, counts, code) || cell.kind == CellKind::missing;
  }

  [[gnu::noinline]] bool settle_text(Bytes cell, Column column, RoundCounts& counts, FaultCode& code) {
    char memory[rewritten_cell_max];
    Bytes text;
    bool const fits = cell_text(cell, plan_.rules.dialect, memory, text);
    bool const is_fault = !limit_text(text, fits, memory, plan_.texts.cuts);
    bool const is_missing = !is_fault && is_null(text, plan_.rules, null_filter_);
    if (!plan_.layout.keeps_texts) {
      Cell<double> read{missing_value<double>(), is_fault ? CellKind::fault : CellKind::missing,
                        FaultCode::unknown_text, false};
      if (!is_fault && !is_missing) read = read_category(text, plan_.texts.rules[column.place]);
      return store_text(read, column, counts, code);
    }
    code = FaultCode::unknown_text;
    counts.missing_cells += is_missing;
    if (is_fault || is_missing)
      batch_.texts.cells[rows_ * batch_.texts.columns + column.place] = {missing_text, 0};
    else
      keep_text(text, column.place);
    return !is_fault;
  }

  void keep_text(Bytes text, std::uint32_t place) {
    TextCell& cell = batch_.texts.cells[rows_ * batch_.texts.columns + place];
    cell = {static_cast<std::uint32_t>(text_bytes_), static_cast<std::uint32_t>(text.size())};
    std::memcpy(batch_.texts.bytes + text_bytes_, text.begin, text.size());
    text_bytes_ += text.size();
  }

  // --- records that are not plain ----------------------------------------------------------------------------------

  /// Blank lines, comments, ragged records, bad cells. False: the record's end is not in the list yet.
  [[gnu::noinline]] bool convert_any_record() {
    std::size_t const width = columns_.size();
    std::size_t fields = searched_;
    bool is_complete = false;
    while (!is_complete && first_ + fields < count_ && fields <= width) {
      is_complete = is_line_end(*at(ends_[first_ + fields]));
      ++fields;
    }
    bool const may_go_on = !is_complete && fields <= width;
    searched_ = may_go_on ? static_cast<std::uint32_t>(fields) : 0;
    if (may_go_on) return false;
    if (is_complete && fields == 1 && is_skipped_line(first_cell(), plan_.rules.dialect)) {
      finish_record(fields);
      return true;
    }
    std::size_t const logged = faults_->size();
    text_bytes_ = text_bytes_of_rows_;
    ListedRecord record{*this, fields, is_complete};
    Fault fault;
    fault.rows_before = static_cast<std::uint32_t>(rows_);
    if (!find_fault(record, fault)) {
      counts_->missing_cells += record.counts.missing_cells;
      counts_->inexact_integers += record.counts.inexact_integers;
      finish_row();
      finish_record(fields);
      return true;
    }
    faults_->truncate(logged);
    pending_ = fault;
    is_skipping_ = true;
    skip_to_record_end();
    return true;
  }

  [[nodiscard]] Bytes first_cell() const { return {at(record_begin_), at(ends_[first_])}; }

  /// The record whose first fields head the list, as find_fault() wants it.
  struct ListedRecord {
    Decoder& decoder;
    std::size_t seen;
    bool has_end;
    RoundCounts counts = {};

    [[nodiscard]] std::uint32_t width() const { return static_cast<std::uint32_t>(decoder.columns_.size()); }
    [[nodiscard]] std::uint32_t fields() const { return static_cast<std::uint32_t>(seen); }
    [[nodiscard]] bool is_complete() const { return has_end; }
    [[nodiscard]] std::uint32_t begin() const { return decoder.record_begin_; }
    [[nodiscard]] std::uint32_t end_of(std::uint32_t column) const { return decoder.ends_[decoder.first_ + column]; }
    [[nodiscard]] std::uint32_t stray_before(std::uint32_t end) const {
      Dialect const& dialect = decoder.plan_.rules.dialect;
      if (!dialect.strict_quotes || begin() >= decoder.stray_end_) return no_stray;
      return find_stray(decoder.chunk_.text.data, begin(), end, ByteClasses(dialect));
    }
    bool convert(Fault& fault) { return decoder.convert_cell(*this, fault); }
    [[nodiscard]] bool repairs_cells() const { return decoder.plan_.repairs_cells; }
    void repair(Fault const& fault) {
      ++counts.missing_cells;
      decoder.faults_->report(fault);
    }
  };

  /// See RecordExample::convert.
  bool convert_cell(ListedRecord& record, Fault& fault) {
    Column const column = columns_[fault.column];
    Bytes const cell{at(fault.cell_begin), at(fault.cell_end)};
    if (column.role == Role::ignore) return true;
    if (column.role == Role::category) {
      Cell<double> read;
      if (!convert_text(cell, column, record.counts, read.code)) read.kind = CellKind::fault;
      return settle_feature(record, read, fault);
    }
    if (column.role != Role::feature) return convert_role(cell, column, record.counts, fault.code);
    return with_feature_type([&](auto type) {
      using T = decltype(type);
      T& value = batch_.features.template as<T>()[rows_ * batch_.features.columns + column.place];
      return settle_feature(record, read<T>(cell, value, record.counts), fault);
    });
  }

  /// Drops the field ends of a rejected record and reports it once its end is seen.
  void skip_to_record_end() {
    while (first_ < count_) {
      std::uint32_t const end = ends_[first_++];
      if (!is_line_end(*at(end))) continue;
      pending_.record_end = end;
      faults_->report(pending_);
      record_begin_ = end + 1;
      is_skipping_ = false;
      return;
    }
  }

  void finish_record(std::size_t fields) {
    first_ += static_cast<std::uint32_t>(fields);
    record_begin_ = ends_[first_ - 1] + 1;
    searched_ = 0;
  }

  template <class Use>
  bool with_feature_type(Use use) {
    switch (plan_.layout.feature_dtype) {
      case DType::float32: return use(float{});
      case DType::float64: return use(double{});
      case DType::int32: return use(std::int32_t{});
      case DType::int64: return use(std::int64_t{});
    }
    return false;
  }

  [[nodiscard]] char const* at(std::uint32_t offset) const { return chunk_.text.data + offset; }

  DecodePlan plan_;
  BlockScanner<Isa> scanner_;
  std::unique_ptr<std::uint32_t[]> ends_;  ///< offsets in the chunk's text of field ends
  std::uint32_t first_ = 0, count_ = 0;    ///< [first_, count_) of them are still to be converted
  Chunk chunk_;
  std::span<Column const> columns_;
  std::size_t next_reject_ = 0;
  std::uint32_t segment_end_ = 0;   ///< the next reject, or the end of the text
  std::uint32_t scanned_ = 0;       ///< field ends before it are in the list
  std::uint32_t record_begin_ = 0;  ///< of the next record to be converted
  std::uint32_t searched_ = 0;      ///< field ends from first_ on that are known not to end the record
  std::uint32_t stray_end_ = 0;     ///< behind the last stray quote that the scanner saw
  NullFilter null_filter_;
  bool has_numeric_null_;     ///< no cell may be taken for a number unasked
  bool has_plain_texts_;      ///< texts without quotes are read as they stand
  bool is_skipping_ = false;  ///< inside a rejected record whose end is not seen yet
  Fault pending_;             ///< its fault

  Batch batch_;
  std::size_t rows_ = 0;
  std::size_t text_bytes_ = 0;          ///< of kept texts, also of a record that may be rejected yet
  std::size_t text_bytes_of_rows_ = 0;  ///< of those of rows
  std::size_t text_room_ = 0;
  FaultLog* faults_ = nullptr;
  RoundCounts* counts_ = nullptr;
};

}  // namespace penstock::csv
