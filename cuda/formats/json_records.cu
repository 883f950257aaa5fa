// Chunks of JSON lines to rows in device memory, one thread a record. What becomes of all records of a chunk is found
// out first; then its rounds are written, for which records are read again.
#include "cuda/formats/json_records.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "cuda/exec/backend.cuh"
#include "cuda/exec/memory.hpp"
#include "cuda/formats/json_plans.hpp"
#include "cuda/kernels/json_record_lines.cuh"
#include "cuda/kernels/json_record_readers.cuh"
#include "cuda/kernels/json_records.cuh"
#include "formats/core/line_ends.hpp"

namespace penstock::cuda {
namespace json {
namespace {

/// Readable bytes in front of a text and behind it.
constexpr std::size_t reach = 64;

// --- kinds -----------------------------------------------------------------------------------------------------------

/// A kind says of its plans what the decoder has to know: whether the CPU reads such records, how many lists a record
/// has, what a round holds of them, and how many of their elements a text of some bytes has at most.
struct Vectors {
  using Plan = penstock::jsonl::Plan;
  using Reader = VectorReader;
  using Memory = PlanMemory<Plan>;

  static bool is_for_cpu(Plan const& plan) { return plan.layout.labels_vary; }
  static std::uint32_t lists(Plan const& plan) { return plan.layout.is_sparse ? 1 : 0; }
  static std::array<std::size_t, lists_max> round(BatchCapacity const& rows) { return {rows.pairs, 0}; }
  /// A value and its key take at least two bytes each.
  static std::size_t elements_max(Plan const& plan, std::size_t text_bytes) {
    return plan.layout.is_sparse ? text_bytes / 4 + 1 : 0;
  }
};

struct Tokens {
  using Plan = penstock::object2vec::Plan;
  using Reader = TokenReader;
  using Memory = PlanMemory<Plan>;

  static bool is_for_cpu(Plan const&) { return false; }
  static std::uint32_t lists(Plan const&) { return 2; }
  static std::array<std::size_t, lists_max> round(BatchCapacity const& rows) { return rows.list_values; }
  /// The shortest token is a digit and a comma.
  static std::size_t elements_max(Plan const&, std::size_t text_bytes) { return text_bytes / 2 + 1; }
};

struct Objects {
  using Plan = penstock::objects::Plan;
  using Reader = ObjectReader;
  using Memory = ObjectPlanMemory;

  static bool is_for_cpu(Plan const& plan) {
    return plan.is_survey || plan.rules.tables.node_count > ObjectReader::nodes_max;
  }
  static std::uint32_t lists(Plan const&) { return 0; }
  static std::array<std::size_t, lists_max> round(BatchCapacity const&) { return {}; }
  static std::size_t elements_max(Plan const&, std::size_t) { return 0; }
};

// --- memory ----------------------------------------------------------------------------------------------------------

/// What a decoder has memory for.
struct Sizes {
  template <class Kind>
  static Sizes of(typename Kind::Plan const& plan, DecoderLimits const& limits) {
    Sizes sizes;
    sizes.text_bytes = std::min(limits.text_bytes, std::size_t{1} << 31);
    sizes.rows = static_cast<std::uint32_t>(sizes.text_bytes / 8 + 1024);
    sizes.lists = Kind::lists(plan);
    sizes.elements = Kind::elements_max(plan, sizes.text_bytes);
    sizes.round.rows = static_cast<std::uint32_t>(std::clamp<std::size_t>(limits.rows.rows, 1, sizes.rows));
    for (std::size_t i = 0; i < lists_max; ++i)
      sizes.round.lists.of[i] = static_cast<std::uint32_t>(std::min(Kind::round(limits.rows)[i], sizes.elements));
    sizes.round.faults = static_cast<std::uint32_t>(std::min<std::size_t>(limits.faults, sizes.rows));
    return sizes;
  }

  std::size_t text_bytes = 0;  ///< places in it fit 32 bits
  std::uint32_t rows = 0;      ///< records of a chunk
  std::uint32_t lists = 0;
  std::size_t elements = 0;  ///< of all lists of a chunk
  RecordLimits round;
};

/// Memory for a chunk's text and what is known about its records.
class ChunkMemory {
 public:
  ChunkMemory(BatchLayout const& layout, Sizes const& sizes)
      : text_(2 * reach + sizes.text_bytes, "text"),
        tiles_(blocks_for(sizes.text_bytes, lines_tile_bytes) + std::size_t{1}, "records of tiles"),
        columns_((2 + 2 * sizes.lists) * (sizes.rows + std::size_t{1}), "places of records"),
        indices_(layout.is_sparse ? sizes.elements : 0, "pairs of a chunk"),
        values_(sizes.elements * (layout.is_sparse ? size_bytes(layout.feature_dtype) : sizeof(std::int32_t)),
                "values of a chunk"),
        rows_(sizes.rows + std::size_t{1}),
        lists_(sizes.lists) {}

  /// What nobody wrote is read behind the text.
  void clear(Stream& stream) const { stream.fill(text_.get(), 0, text_.size_bytes()); }
  [[nodiscard]] char* text() const { return text_.get() + reach; }
  [[nodiscard]] std::uint32_t* tiles() const { return tiles_.get(); }
  [[nodiscard]] RecordTable table() const {
    RecordTable table;
    std::uint32_t* column = columns_.get();
    auto const take = [&] { return std::exchange(column, column + rows_); };
    table.begins = take();
    table.ranks = take();
    for (std::uint32_t i = 0; i < lists_; ++i) {
      table.places[i] = take();
      table.spare_places[i] = take();
    }
    return table;
  }
  [[nodiscard]] SpareLists spare() const { return {indices_.get(), values_.get()}; }
  [[nodiscard]] std::size_t device_bytes() const {
    return text_.size_bytes() + tiles_.size_bytes() + columns_.size_bytes() + indices_.size_bytes() +
           values_.size_bytes();
  }

 private:
  DeviceArray<char> text_;
  DeviceArray<std::uint32_t> tiles_, columns_;
  DeviceArray<std::int64_t> indices_;
  DeviceArray<std::byte> values_;
  std::size_t rows_;
  std::uint32_t lists_;
};

/// Memory for a round's rows.
class RoundMemory {
 public:
  RoundMemory(BatchLayout const& layout, Sizes const& sizes)
      : layout_(layout), indices_(layout.is_sparse ? sizes.round.lists.of[0] : 0, "indices") {
    for (std::size_t i = 0; i < tensor_roles.size(); ++i)
      tensors_[i] = DeviceArray<std::byte>(sizes.round.rows * layout.row_bytes(tensor_roles[i]), "rows");
    for (std::uint32_t i = 0; i < sizes.lists; ++i) {
      DType const dtype = layout.is_sparse ? layout.feature_dtype : layout.lists[i].dtype;
      offsets_[i] = DeviceArray<std::int64_t>(sizes.round.rows + std::size_t{1}, "places of lists");
      values_[i] = DeviceArray<std::byte>(sizes.round.lists.of[i] * size_bytes(dtype), "values of lists");
    }
  }

  [[nodiscard]] std::int64_t* offsets(std::size_t list) const { return offsets_[list].get(); }
  [[nodiscard]] Batch view(std::uint32_t rows) const {
    Batch batch;
    for (std::size_t i = 0; i < tensor_roles.size(); ++i) {
      Role const role = tensor_roles[i];
      batch.tensor(role) = {tensors_[i].get(), layout_.dtype(role), rows, layout_.columns(role)};
    }
    if (layout_.is_sparse)
      batch.csr = {offsets(0), indices_.get(), values_[0].get(), layout_.feature_dtype, rows, layout_.features};
    for (std::size_t i = 0; i < lists_max; ++i) {
      if (layout_.lists[i].role != ListRole::none)
        batch.lists[i] = {offsets(i), values_[i].get(), layout_.lists[i].dtype, rows};
    }
    batch.set_rows(rows);
    return batch;
  }
  [[nodiscard]] std::size_t device_bytes() const {
    std::size_t sum = indices_.size_bytes();
    for (auto const& tensor : tensors_) sum += tensor.size_bytes();
    for (std::size_t i = 0; i < lists_max; ++i) sum += offsets_[i].size_bytes() + values_[i].size_bytes();
    return sum;
  }

 private:
  BatchLayout layout_;
  DeviceArray<std::byte> tensors_[tensor_roles.size()];
  DeviceArray<std::int64_t> indices_;
  DeviceArray<std::int64_t> offsets_[lists_max];
  DeviceArray<std::byte> values_[lists_max];
};

// --- decoders --------------------------------------------------------------------------------------------------------

template <class Kind>
class RecordsDecoder final : public ChunkDecoder {
 public:
  using Plan = typename Kind::Plan;

  RecordsDecoder(Plan const& plan, DecoderLimits const& limits, Stream& stream)
      : sizes_(Sizes::of<Kind>(plan, limits)),
        stream_(stream),
        backend_(stream, std::max<std::size_t>(sizes_.rows, sizes_.text_bytes / lines_tile_bytes + 1) + 1),
        plan_memory_(stream, plan),
        chunk_memory_(plan.layout, sizes_),
        round_memory_(plan.layout, sizes_),
        totals_(1, "totals"),
        round_(1, "the plan of a round"),
        totals_report_(1, "the report of a chunk"),
        round_report_(1, "the report of a round"),
        faults_(sizes_.round.faults, "faults") {
    chunk_memory_.clear(stream_);
  }

  bool begin(Chunk const& chunk) override {
    if (!chunk.rejects.empty() || chunk.text.size > sizes_.text_bytes) return false;
    is_first_call_ = true;
    first_row_ = 0;
    text_ = {chunk_memory_.text(), static_cast<std::uint32_t>(chunk.text.size), mark_bytes(chunk), chunk.follows_cr};
    if (text_.size == 0) return true;
    stream_.copy(chunk_memory_.text(), chunk.text.data, chunk.text.size, "copy in");
    stream_.fill(totals_.get(), 0, sizeof(RecordTotals));
    find_records(stream_, backend_,
                 {text_, chunk_memory_.tiles(), chunk_memory_.table().begins, totals_.get(), sizes_.rows});
    stream_.copy(totals_report_.get(), totals_.get(), sizeof(RecordTotals), "totals");
    return true;
  }

  bool next(Batch& rows, FaultLog& faults, RoundCounts& counts, Decoded& decoded) override {
    bool const is_first = std::exchange(is_first_call_, false);
    if (is_first && !begin_rounds()) return false;
    RecordRound const round = plan_next();
    if (is_first && round.is_refused != 0) return false;
    RecordRound const written = write(round);
    for (std::uint32_t i = 0; i < round.faults; ++i) faults.report(faults_[i]);
    counts.missing_cells += written.missing;
    counts.inexact_integers += written.inexact_integers;
    first_row_ = round.end;
    lists_ = round.lists;
    rows = round_memory_.view(round.rows);
    decoded = {};
    decoded.rows = round.rows;
    decoded.ends_chunk = first_row_ == totals_of_chunk_.rows;
    if (decoded.ends_chunk) counts.lines += totals_of_chunk_.lines;
    return true;
  }

  [[nodiscard]] std::size_t pairs() const override { return lists_.of[0]; }
  [[nodiscard]] std::array<std::size_t, lists_max> list_values() const override { return {lists_.of[0], lists_.of[1]}; }

  [[nodiscard]] std::size_t device_bytes() const override {
    return plan_memory_.device_bytes() + chunk_memory_.device_bytes() + round_memory_.device_bytes() +
           backend_.device_bytes();
  }

 private:
  [[nodiscard]] RecordsWork work() const {
    RecordsWork work;
    work.text = text_;
    work.table = chunk_memory_.table();
    work.spare = chunk_memory_.spare();
    work.limits = sizes_.round;
    work.rows = totals_of_chunk_.rows;
    work.lists = sizes_.lists;
    work.totals = totals_.get();
    return work;
  }
  [[nodiscard]] typename Kind::Reader reader() const { return {plan_memory_.rules()}; }

  /// Waits for the chunk's records and reads them. False: it is for the CPU.
  bool begin_rounds() {
    totals_of_chunk_ = {};
    if (text_.size == 0) return true;
    stream_.wait();
    totals_of_chunk_ = totals_report_[0];
    if (totals_of_chunk_.is_refused != 0) return false;
    if (totals_of_chunk_.rows == 0) return true;
    RecordsWork const work = this->work();
    RecordTable const& table = work.table;
    std::size_t const count = std::size_t{work.rows} + 1;
    read_records(stream_, work, reader());
    for (std::uint32_t i = 0; i < work.lists; ++i)
      backend_.exclusive_sum(table.spare_places[i], table.spare_places[i], count);
    if constexpr (Kind::Reader::has_lists) {
      if (work.lists != 0) decide_records(stream_, work, reader());
    }
    for (std::uint32_t i = 0; i < work.lists; ++i) backend_.exclusive_sum(table.places[i], table.places[i], count);
    backend_.exclusive_sum(table.ranks, table.ranks, count);
    return true;
  }

  RecordRound plan_next() {
    if (totals_of_chunk_.rows == 0) return {};
    plan_records(stream_, work(), first_row_, round_.get());
    return wait_for_round();
  }

  /// The same round, with what was counted.
  RecordRound write(RecordRound const& round) {
    if (round.begin == round.end) {
      for (std::uint32_t i = 0; i < sizes_.lists; ++i) stream_.fill(round_memory_.offsets(i), 0, sizeof(std::int64_t));
      stream_.wait();
      return round;
    }
    RecordPlaces places;
    places.batch = round_memory_.view(round.rows);
    for (std::uint32_t i = 0; i < sizes_.lists; ++i) places.offsets[i] = round_memory_.offsets(i);
    places.faults = faults_.get();
    write_records(stream_, work(), round, places, reader(), round_.get());
    return wait_for_round();
  }

  RecordRound wait_for_round() {
    stream_.copy(round_report_.get(), round_.get(), sizeof(RecordRound), "round");
    stream_.wait();
    return round_report_[0];
  }

  Sizes sizes_;
  Stream& stream_;
  Backend backend_;
  typename Kind::Memory plan_memory_;
  ChunkMemory chunk_memory_;
  RoundMemory round_memory_;
  DeviceArray<RecordTotals> totals_;
  DeviceArray<RecordRound> round_;
  MappedArray<RecordTotals> totals_report_;
  MappedArray<RecordRound> round_report_;
  MappedArray<Fault> faults_;

  // The chunk.
  ChunkText text_;
  RecordTotals totals_of_chunk_;
  bool is_first_call_ = false;

  // The round.
  std::uint32_t first_row_ = 0;  ///< record
  ListCounts lists_;
};

/// Every chunk is for the CPU.
class NoDecoder final : public ChunkDecoder {
 public:
  bool begin(Chunk const&) override { return false; }
  bool next(Batch&, FaultLog&, RoundCounts&, Decoded&) override { return false; }
  [[nodiscard]] std::size_t device_bytes() const override { return 0; }
};

template <class Kind>
std::unique_ptr<ChunkDecoder> make_decoder(typename Kind::Plan const& plan, DecoderLimits const& limits,
                                           Stream& stream) {
  if (Kind::is_for_cpu(plan)) return std::make_unique<NoDecoder>();
  return std::make_unique<RecordsDecoder<Kind>>(plan, limits, stream);
}

}  // namespace
}  // namespace json

std::unique_ptr<ChunkDecoder> make_jsonl_decoder(penstock::jsonl::Plan const& plan, DecoderLimits const& limits,
                                                 Stream& stream) {
  return json::make_decoder<json::Vectors>(plan, limits, stream);
}
std::unique_ptr<ChunkDecoder> make_object2vec_decoder(penstock::object2vec::Plan const& plan,
                                                      DecoderLimits const& limits, Stream& stream) {
  return json::make_decoder<json::Tokens>(plan, limits, stream);
}
std::unique_ptr<ChunkDecoder> make_objects_decoder(penstock::objects::Plan const& plan, DecoderLimits const& limits,
                                                   Stream& stream) {
  return json::make_decoder<json::Objects>(plan, limits, stream);
}

}  // namespace penstock::cuda
