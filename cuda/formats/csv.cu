// Chunks of CSV to rows in device memory.
#include "cuda/formats/csv.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "cuda/exec/backend.cuh"
#include "cuda/exec/memory.hpp"
#include "cuda/exec/text_rules.hpp"
#include "cuda/exec/upload.hpp"
#include "cuda/kernels/csv_automaton.cuh"
#include "cuda/kernels/csv_care.cuh"
#include "cuda/kernels/csv_convert.cuh"
#include "cuda/kernels/csv_structure.cuh"
#include "cuda/kernels/csv_texts.cuh"
#include "formats/csv/plan.hpp"

namespace penstock::cuda {
namespace csv {
namespace {

using penstock::csv::Column;
using penstock::csv::DecodePlan;
using penstock::csv::LabelName;

/// Readable bytes in front of a text and behind it; the text stays aligned.
constexpr std::size_t reach = 256;
static_assert(reach >= 2 * plain_float32_reach && reach % 16 == 0);

/// The dense tensors of a round.
class RowMemory {
 public:
  RowMemory(BatchLayout const& layout, std::size_t rows) : layout_(layout) {
    for (Role const role : tensor_roles)
      tensors_[static_cast<std::size_t>(role)] = DeviceArray<std::byte>(rows * layout.row_bytes(role), "rows");
  }
  [[nodiscard]] std::byte* data(Role role) const { return tensors_[static_cast<std::size_t>(role)].get(); }
  [[nodiscard]] Batch view(std::size_t rows) const {
    Batch batch;
    for (Role const role : tensor_roles)
      batch.tensor(role) = {data(role), layout_.dtype(role), rows, layout_.columns(role)};
    batch.set_rows(rows);
    return batch;
  }
  [[nodiscard]] std::size_t device_bytes() const {
    std::size_t sum = 0;
    for (auto const& tensor : tensors_) sum += tensor.size_bytes();
    return sum;
  }

 private:
  BatchLayout layout_;
  DeviceArray<std::byte> tensors_[tensor_roles.size()];
};

/// The plan in device memory.
class PlanMemory {
 public:
  PlanMemory(Stream& stream, DecodePlan const& plan, RowMemory const& rows) : texts_(stream, plan.texts.rules) {
    upload_table(stream, plan);
    std::vector<Target> targets;
    std::vector<std::pair<std::span<Column const>, std::uint32_t>> distinct;
    for (std::span<Column const> const columns : plan.columns) {
      auto const same = std::find_if(distinct.begin(), distinct.end(), [&](auto const& known) {
        return std::equal(known.first.begin(), known.first.end(), columns.begin(), columns.end(), are_equal);
      });
      std::uint32_t const first = same != distinct.end() ? same->second : static_cast<std::uint32_t>(targets.size());
      shards_.push_back({first, static_cast<std::uint32_t>(columns.size())});
      if (same != distinct.end()) continue;
      distinct.emplace_back(columns, first);
      for (Column const column : columns) targets.push_back(target_of(column, plan, rows));
    }
    targets_ = uploaded<Target>(stream, targets, "columns");
  }

  struct Columns {
    std::uint32_t first = 0;  ///< of the targets
    std::uint32_t count = 0;
  };
  [[nodiscard]] Columns columns(std::uint32_t shard) const { return shards_[shard]; }
  [[nodiscard]] Target const* targets() const { return targets_.get(); }
  [[nodiscard]] Table const* table() const { return table_.get(); }
  [[nodiscard]] std::size_t device_bytes() const {
    return characters_.size_bytes() + nulls_.size_bytes() + labels_.size_bytes() + table_.size_bytes() +
           targets_.size_bytes() + texts_.device_bytes();
  }

 private:
  static bool are_equal(Column a, Column b) { return a.role == b.role && a.place == b.place; }

  void upload_table(Stream& stream, DecodePlan const& plan) {
    std::vector<char> characters;
    for (Bytes const null : plan.rules.nulls) characters.insert(characters.end(), null.begin, null.end);
    for (LabelName const& label : plan.rules.labels)
      characters.insert(characters.end(), label.name.begin, label.name.end);
    characters_ = uploaded<char>(stream, characters, "names");
    char const* next = characters_.get();
    auto const take = [&](Bytes text) {
      char const* const begin = std::exchange(next, next + text.size());
      return Bytes{begin, next};
    };
    std::vector<Bytes> nulls;
    for (Bytes const null : plan.rules.nulls) nulls.push_back(take(null));
    std::vector<LabelName> labels;
    for (LabelName const& label : plan.rules.labels) labels.push_back({take(label.name), label.value});
    nulls_ = uploaded<Bytes>(stream, nulls, "null spellings");
    labels_ = uploaded<LabelName>(stream, labels, "class names");
    Table table{plan.rules, ByteClasses(plan.rules.dialect), plan.repairs_cells, plan.texts,
                penstock::csv::NullFilter(plan.rules)};
    table.texts.rules = texts_.rules();
    table.rules.nulls.first = nulls_.get();
    table.rules.labels.first = labels_.get();
    table_ = uploaded<Table>(stream, std::span(&table, 1), "the plan");
  }

  static Target target_of(Column column, DecodePlan const& plan, RowMemory const& rows) {
    if (column.role == Role::ignore) return {};
    BatchLayout const& layout = plan.layout;
    DType const dtype = layout.dtype(column.role);
    Target target;
    target.first = rows.data(column.role) + column.place * size_bytes(dtype);
    target.row_bytes = static_cast<std::uint32_t>(layout.row_bytes(column.role));
    target.kind = is_wanted | static_cast<std::uint32_t>(dtype) << dtype_shift;
    bool const is_mapped = column.role == Role::label && !plan.rules.labels.empty();
    if (is_mapped) target.kind |= maps_names;
    if (dtype == DType::float32 && !is_mapped && !has_numeric_null(plan.rules)) target.kind |= is_plain_float;
    if (column.role == Role::category) target.kind |= is_text | column.place << text_shift;
    if (column.role != Role::feature) return target;
    target.kind |= is_feature;
    if (!is_floating(dtype)) return target;
    target.kind |= allows_missing;
    bool const has_empty =
        std::any_of(plan.rules.nulls.begin(), plan.rules.nulls.end(), [](Bytes null) { return null.size() == 0; });
    if (has_empty) target.kind |= empty_is_missing;
    return target;
  }

  DeviceTextRules texts_;
  DeviceArray<char> characters_;
  DeviceArray<Bytes> nulls_;
  DeviceArray<LabelName> labels_;
  DeviceArray<Table> table_;
  DeviceArray<Target> targets_;
  std::vector<Columns> shards_;
};

/// Memory for rows that need care.
struct CareMemory {
  CareMemory(std::size_t rows, std::size_t text_bytes)
      : marks(words(rows), "marks of rows"),
        rejected(words(rows), "rejected rows"),
        rejected_before(words(rows), "counts of rejected rows"),
        field_ends(rows, "places of marked rows"),
        marked(rows, "marked rows"),
        faults(rows, "faults of rows"),
        first_faults(rows, "places of faults"),
        found(1, "the number of marked rows"),
        rewritten(text_bytes, "cells without their quotes") {}
  [[nodiscard]] static std::size_t words(std::size_t rows) { return (rows + 31) / 32; }
  [[nodiscard]] std::size_t device_bytes() const {
    return marks.size_bytes() + rejected.size_bytes() + rejected_before.size_bytes() + field_ends.size_bytes() +
           marked.size_bytes() + faults.size_bytes() + first_faults.size_bytes() + found.size_bytes() +
           rewritten.size_bytes();
  }

  DeviceArray<std::uint32_t> marks, rejected, rejected_before, field_ends, marked, faults, first_faults, found;
  DeviceArray<char> rewritten;
};

struct IsMarked {
  std::uint32_t const* marks;
  PENSTOCK_HD bool operator()(std::uint32_t row) const { return (marks[row / 32] >> row % 32 & 1) != 0; }
};

class CsvDecoder final : public ChunkDecoder {
 public:
  CsvDecoder(DecodePlan const& plan, DecoderLimits const& limits, Stream& stream)
      : dialect_(plan.rules.dialect),
        features_(plan.layout.feature_dtype),
        plan_(plan),
        text_bytes_max_(limits.text_bytes),
        // A row is two bytes at least, but perhaps the last.
        rows_max_(static_cast<std::uint32_t>(std::clamp<std::size_t>(limits.rows.rows, 1, limits.text_bytes / 2 + 1))),
        stream_(stream),
        backend_(stream, rows_max_),
        text_(2 * reach + (limits.text_bytes / large_tile_bytes + 1) * large_tile_bytes, "text"),
        structure_memory_(stream, limits.text_bytes, dialect_.quote != 0),
        converted_(plan.layout, rows_max_),
        kept_(plan.layout, rows_max_),
        plan_memory_(stream, plan, converted_),
        care_(rows_max_, limits.text_bytes),
        tally_(1, "counts"),
        arrived_(1, "a counter of blocks"),
        structure_(1, "the structure"),
        report_(2, "reports"),
        faults_(limits.faults, "faults") {
    stream_.fill(text_.get(), 0, text_.size_bytes());  // nobody shall read what nobody wrote
    stream_.fill(care_.marks.get(), 0, care_.marks.size_bytes());
    stream_.fill(tally_.get(), 0, tally_.size_bytes());
    stream_.fill(arrived_.get(), 0, arrived_.size_bytes());
    stream_.wait();
  }

  bool begin(Chunk const& chunk) override {
    std::size_t const width = plan_.columns[chunk.stamp.shard].size();
    if (!chunk.rejects.empty() || chunk.text.size > text_bytes_max_) return false;
    if (plan_.texts.rules.size() > text_columns_max) return false;
    if (fault_room(plan_, width) > faults_.size()) return false;
    shard_ = chunk.stamp.shard;
    first_row_ = rows_ = 0;
    is_first_call_ = true;
    is_by_automaton_ = !suits_parity(dialect_);
    chunk_ = {text_.get() + reach, static_cast<std::uint32_t>(chunk.text.size), chunk.follows_cr};
    if (chunk_.size == 0) return true;
    char const* const from = chunk.on_device != nullptr ? chunk.on_device : chunk.text.data;
    stream_.copy(text_.get() + reach, from, chunk.text.size, "copy in");
    begin_structure();
    begin_window({0, rows_max_});  // most chunks are one, and if quotes are violated nothing is lost but time
    return true;
  }

  bool next(Batch& rows, FaultLog& faults, RoundCounts& counts, Decoded& decoded) override {
    bool const is_first = std::exchange(is_first_call_, false);
    if (is_first) {
      end_structure();
      if (!windows_suit_care()) return false;
    } else {
      begin_window({first_row_, std::min(rows_max_, rows_ - first_row_)});
      stream_.wait();
    }
    Window window{first_row_, std::min(rows_max_, rows_ - first_row_)};
    if (report_[0].marked == 0 || chunk_.size == 0) {
      rows = converted_.view(window.rows);
      add_counts(chunk_.size == 0 ? Report{} : report_[0], counts);
    } else if (!take_care(window, rows, faults, counts)) {
      return false;
    }
    if (is_first && chunk_.size != 0) counts.lines += structure_[0].lines;
    first_row_ += window.rows;
    decoded = {};
    decoded.rows = rows.rows;
    decoded.ends_chunk = first_row_ == rows_;
    return true;
  }

  [[nodiscard]] std::size_t device_bytes() const override {
    return backend_.device_bytes() + text_.size_bytes() + structure_memory_.device_bytes() + converted_.device_bytes() +
           kept_.device_bytes() + plan_memory_.device_bytes() + care_.device_bytes() + tally_.size_bytes() +
           arrived_.size_bytes();
  }

 private:
  // --- passes over a chunk -------------------------------------------------------------------------------------------

  void begin_structure() {
    if (is_by_automaton_)
      find_fields_by_automaton(stream_, dialect_, chunk_, structure_memory_, nullptr, structure_.get());
    else
      find_fields(stream_, dialect_, chunk_, structure_memory_, nullptr, structure_.get());
  }

  /// Waits for the first window; finds everything again if quote parity meant nothing.
  void end_structure() {
    if (chunk_.size == 0) return;
    stream_.wait();
    if (structure_[0].is_violated != 0) {
      is_by_automaton_ = true;
      if (report_[0].marked != 0) clear_marks();
      begin_structure();
      begin_window({0, rows_max_});
      stream_.wait();
    }
    rows_ = structure_[0].exit.row;
  }

  [[nodiscard]] Tiles tiles() const {
    unsigned const tile_bytes = tile_bytes_for(chunk_.size);
    return {chunk_.data, structure_memory_.masks(), structure_memory_.entries(), tiles_of(chunk_.size, tile_bytes),
            word_bits_of(tile_bytes)};
  }

  void begin_window(Window window) {
    auto const [first, width] = plan_memory_.columns(shard_);
    ConvertJob job;
    job.tiles = tiles();
    job.window = window;
    job.targets = plan_memory_.targets() + first;
    job.width = width;
    job.table = plan_memory_.table();
    job.marks = {care_.marks.get(), care_.field_ends.get()};
    job.tally = tally_.get();
    job.report = has_texts() ? nullptr : report_.get();
    job.arrived = arrived_.get();
    job.quote = dialect_.quote;
    job.skips_text = dialect_.trim || dialect_.comment != 0;
    job.checks_quotes = dialect_.strict_quotes && is_by_automaton_;
    convert(stream_, job, features_, dialect_.quote != 0);
    if (has_texts()) begin_texts(window);
  }

  [[nodiscard]] bool has_texts() const { return plan_.layout.categories != 0; }

  void begin_texts(Window window) {
    TextsJob job;
    job.text = chunk_;
    job.structure = structure_.get();
    job.window = window;
    job.places = reinterpret_cast<std::uint64_t*>(converted_.data(Role::category));
    job.columns = static_cast<std::uint32_t>(plan_.layout.categories);
    job.table = plan_memory_.table();
    job.marks = {care_.marks.get(), care_.field_ends.get()};
    job.tally = tally_.get();
    job.report = report_.get();
    job.arrived = arrived_.get();
    read_texts(stream_, job);
  }

  static void add_counts(Report const& report, RoundCounts& counts) {
    counts.missing_cells += report.missing;
    counts.inexact_integers += report.inexact;
  }

  void clear_marks() { stream_.fill(care_.marks.get(), 0, care_.marks.size_bytes()); }

  // --- rows that need care -------------------------------------------------------------------------------------------

  /// Decides about the marked rows. Where their faults are too many, `window` becomes a shorter one. False: one of them
  /// is overlong, which windows_suit_care() has ruled out for all windows but a chunk's first.
  bool take_care(Window& window, Batch& rows, FaultLog& faults, RoundCounts& counts) {
    while (report_[0].marked != 0) {
      decide_marked(window);
      if (report_[1].overlong != 0) return false;
      if (report_[1].rows == window.rows) {
        finish_care(window, rows, faults, counts);
        return true;
      }
      window.rows = report_[1].rows;
      begin_window(window);
      stream_.wait();
    }
    rows = converted_.view(window.rows);
    add_counts(report_[0], counts);
    return true;
  }

  /// Whether no window of several has an overlong row among its marked ones: behind the first round it is too late to
  /// say. The first window is converted, before and after; the others only if the chunk has such a row at all.
  bool windows_suit_care() {
    if (rows_ <= rows_max_ || !may_have_overlong()) return true;
    for (Window window{0, rows_max_};;) {
      if (report_[0].marked != 0) {
        decide_marked(window);
        if (report_[1].overlong != 0) return false;
      }
      std::uint32_t const behind = window.first + window.rows;
      window = behind < rows_ ? Window{behind, std::min(rows_max_, rows_ - behind)} : Window{0, rows_max_};
      begin_window(window);
      stream_.wait();
      if (window.first == 0) return true;
    }
  }

  bool may_have_overlong() {
    std::uint32_t* const found = care_.found.get();
    stream_.fill(found, 0, sizeof *found);
    find_overlong(stream_, tiles(), found);
    stream_.copy(&report_[1].overlong, found, sizeof *found, "overlong records");
    stream_.wait();
    return report_[1].overlong != 0;
  }

  void decide_marked(Window window) {
    CareJob job;
    auto const [first, width] = plan_memory_.columns(shard_);
    job.tiles = tiles();
    job.targets = plan_memory_.targets() + first;
    job.width = width;
    job.table = plan_memory_.table();
    job.field_ends = care_.field_ends.get();
    job.rows = care_.marked.get();
    job.count = report_[0].marked;
    job.rewritten = care_.rewritten.get();
    job.rejected = care_.rejected.get();
    job.faults = care_.faults.get();
    job.tally = tally_.get();
    auto const words = static_cast<std::uint32_t>(CareMemory::words(window.rows));
    stream_.fill(care_.rejected.get(), 0, words * sizeof(std::uint32_t));
    backend_.select(window.rows, IsMarked{care_.marks.get()}, care_.marked.get(), care_.found.get());
    clear_marks();
    with_feature_type([&](auto type) { decide<decltype(type)>(stream_, job); });
    backend_.exclusive_sum(care_.faults.get(), care_.first_faults.get(), job.count);
    count_rejected(stream_, care_.rejected.get(), words, care_.rejected_before.get());
    backend_.exclusive_sum(care_.rejected_before.get(), care_.rejected_before.get(), words);
    TellJob const told{job,
                       care_.first_faults.get(),
                       rejected(),
                       window.rows,
                       faults_.get(),
                       static_cast<std::uint32_t>(faults_.size()),
                       report_.get() + 1,
                       arrived_.get()};
    with_feature_type([&](auto type) { tell<decltype(type)>(stream_, told); });
    stream_.wait();
  }

  [[nodiscard]] Rejected rejected() const { return {care_.rejected.get(), care_.rejected_before.get()}; }

  void finish_care(Window window, Batch& rows, FaultLog& faults, RoundCounts& counts) {
    Report const& report = report_[1];
    for (std::uint32_t i = 0; i < report.faults; ++i) faults.report(faults_[i]);
    add_counts(report_[0], counts);
    add_counts(report, counts);  // corrections, modulo 2^64
    rows = converted_.view(window.rows);
    if (report.rejected == 0) return;
    rows = kept_.view(window.rows - report.rejected);
    for (Role const role : tensor_roles) {
      auto const row_words = static_cast<std::uint32_t>(rows.tensor(role).row_bytes() / sizeof(std::uint32_t));
      if (row_words == 0) continue;
      compact(stream_, {reinterpret_cast<std::uint32_t const*>(converted_.data(role)),
                        reinterpret_cast<std::uint32_t*>(kept_.data(role)), row_words, window.rows, rejected()});
    }
    stream_.wait();
  }

  template <class Use>
  void with_feature_type(Use use) {
    switch (features_) {
      case DType::float32: return use(float{});
      case DType::float64: return use(double{});
      case DType::int32: return use(std::int32_t{});
      case DType::int64: return use(std::int64_t{});
    }
  }

  penstock::csv::Dialect dialect_;
  DType features_;
  DecodePlan plan_;
  std::size_t text_bytes_max_;
  std::uint32_t rows_max_;
  Stream& stream_;
  Backend backend_;
  DeviceArray<char> text_;
  StructureMemory structure_memory_;
  RowMemory converted_;
  RowMemory kept_;  ///< without rejected rows
  PlanMemory plan_memory_;
  CareMemory care_;
  DeviceArray<Tally> tally_;
  DeviceArray<unsigned> arrived_;
  MappedArray<Structure> structure_;
  MappedArray<Report> report_;  ///< of conversion, and of care
  MappedArray<Fault> faults_;

  ChunkText chunk_;
  std::uint32_t shard_ = 0;
  bool is_first_call_ = false;
  bool is_by_automaton_ = false;
  std::uint32_t rows_ = 0;       ///< of the chunk
  std::uint32_t first_row_ = 0;  ///< of the next window
};

}  // namespace
}  // namespace csv

std::unique_ptr<ChunkDecoder> make_csv_decoder(penstock::csv::DecodePlan const& plan, DecoderLimits const& limits,
                                               Stream& stream) {
  return std::make_unique<csv::CsvDecoder>(plan, limits, stream);
}

}  // namespace penstock::cuda
