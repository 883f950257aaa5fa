// Chunks of DeepAR's JSON lines to rows in device memory. A chunk is decoded whole, values in the order of the text;
// then its rounds are gathered from that.
#include "cuda/formats/deepar.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "cuda/exec/backend.cuh"
#include "cuda/exec/memory.hpp"
#include "cuda/kernels/json_care.cuh"
#include "cuda/kernels/json_convert.cuh"
#include "cuda/kernels/json_heads.cuh"
#include "cuda/kernels/json_rounds.cuh"
#include "cuda/kernels/json_structure.cuh"
#include "formats/core/line_ends.hpp"
#include "formats/deepar/plan.hpp"

namespace penstock::cuda {
namespace json {
namespace {

using Plan = penstock::deepar::Plan;

/// Readable bytes in front of a text and behind it.
constexpr std::size_t reach = 64;
static_assert(reach >= 2 * plain_float32_reach);

/// Outcomes that are kept, 44 bytes each: of chunks with more records that are not plain, most are at fault.
constexpr std::uint32_t marked_max = 65536;

/// What a decoder has memory for.
struct Sizes {
  Sizes(Plan const& plan, DecoderLimits const& limits)
      : text_bytes(std::min(limits.text_bytes, std::size_t{1} << 31)), chunk(chunk_limits(plan, text_bytes)) {
    round.rows = static_cast<std::uint32_t>(std::clamp<std::size_t>(limits.rows.rows, 1, chunk.rows));
    for (std::size_t i = 0; i < lists_max; ++i)
      round.values[i] = static_cast<std::uint32_t>(std::min<std::size_t>(limits.rows.list_values[i], chunk.stops));
    round.faults = static_cast<std::uint32_t>(limits.faults);
  }

  /// A record that is not at fault has 32 bytes at least, and two more for a category. A value has two and its stop;
  /// there may be more stops only where lists have one element or none.
  static Limits chunk_limits(Plan const& plan, std::size_t text_bytes) {
    constexpr std::size_t spare = 1024;
    return {static_cast<std::uint32_t>(text_bytes / (32 + 2 * plan.layout.cats) + spare),
            static_cast<std::uint32_t>(text_bytes / 2 + spare), static_cast<std::uint32_t>(text_bytes / 8 + spare)};
  }

  std::size_t text_bytes;  ///< offsets of tiles behind it fit 32 bits
  Limits chunk;
  RoundLimits round;
};

/// Memory for what is known about a chunk's text.
class TextMemory {
 public:
  explicit TextMemory(Sizes const& sizes)
      : text_(2 * reach + whole(sizes.text_bytes), "text"),
        masks_(2 * (whole(sizes.text_bytes) / 32), "masks"),
        passages_(2 * tiles(sizes.text_bytes), "states of tiles"),
        lines_(tiles(sizes.text_bytes), "states of tiles"),
        entries_(tiles(sizes.text_bytes), "entries of tiles"),
        rows_(3 * (sizes.chunk.rows + std::size_t{1}), "places of records"),
        brackets_(sizes.chunk.brackets, "brackets") {}

  /// What nobody wrote is read behind the text.
  void clear(Stream& stream) const {
    stream.fill(text_.get(), 0, text_.size_bytes());
    stream.fill(masks_.get(), 0, masks_.size_bytes());
  }
  [[nodiscard]] char* data() const { return text_.get() + reach; }
  [[nodiscard]] Masks masks() const { return {masks_.get(), masks_.get() + masks_.size() / 2}; }
  [[nodiscard]] TileStates tile_states() const { return {passages_.get(), lines_.get()}; }
  [[nodiscard]] TileEntry* entries() const { return entries_.get(); }
  [[nodiscard]] RowTable rows() const {
    std::size_t const count = rows_.size() / 3;
    return {rows_.get(), rows_.get() + count, rows_.get() + 2 * count};
  }
  [[nodiscard]] Bracket* brackets() const { return brackets_.get(); }
  [[nodiscard]] std::size_t device_bytes() const {
    return text_.size_bytes() + masks_.size_bytes() + passages_.size_bytes() + lines_.size_bytes() +
           entries_.size_bytes() + rows_.size_bytes() + brackets_.size_bytes();
  }

 private:
  static std::size_t whole(std::size_t bytes) { return (bytes / large_tile_bytes + 1) * large_tile_bytes; }
  static std::size_t tiles(std::size_t bytes) {
    return std::max(whole(bytes) / large_tile_bytes,
                    whole(std::min(bytes, small_tiles_below_bytes)) / small_tile_bytes);
  }

  DeviceArray<char> text_;
  DeviceArray<std::uint32_t> masks_;
  DeviceArray<Passage> passages_;
  DeviceArray<std::uint32_t> lines_;
  DeviceArray<TileEntry> entries_;
  DeviceArray<std::uint32_t> rows_;
  DeviceArray<Bracket> brackets_;
};

/// Memory for what a chunk's records become.
class ValueMemory {
 public:
  ValueMemory(Plan const& plan, Limits const& limits)
      : lists_(limits.rows, "lists of records"),
        start_(limits.rows, "start"),
        cat_(std::size_t{limits.rows} * plan.layout.cats, "cat"),
        values_(limits.stops, "values"),
        marks_(blocks_for(limits.rows, heads_threads) * (heads_threads / warp_lanes), "marks of records"),
        ranks_(limits.rows + std::size_t{1}, "ranks of records"),
        targets_(limits.rows + std::size_t{1}, "places of targets"),
        features_(plan.dynamic_feats() == 0 ? 0 : limits.rows + std::size_t{1}, "places of dynamic_feat"),
        marked_(limits.rows, "records that are not plain"),
        outcomes_(std::min(limits.rows, marked_max), "outcomes of records") {}

  [[nodiscard]] RowValues values() const {
    return {lists_.get(), start_.get(), cat_.get(), values_.get(), marks_.get()};
  }
  [[nodiscard]] RowSums sums() const { return {ranks_.get(), {targets_.get(), features_.get()}}; }
  [[nodiscard]] std::uint32_t* marked() const { return marked_.get(); }
  [[nodiscard]] RecordOutcome* outcomes() const { return outcomes_.get(); }
  [[nodiscard]] std::size_t device_bytes() const {
    return lists_.size_bytes() + start_.size_bytes() + cat_.size_bytes() + values_.size_bytes() + marks_.size_bytes() +
           ranks_.size_bytes() + targets_.size_bytes() + features_.size_bytes() + marked_.size_bytes() +
           outcomes_.size_bytes();
  }

 private:
  DeviceArray<RowLists> lists_;
  DeviceArray<std::int64_t> start_;
  DeviceArray<std::int32_t> cat_;
  DeviceArray<float> values_;
  DeviceArray<std::uint32_t> marks_, ranks_, targets_, features_, marked_;
  DeviceArray<RecordOutcome> outcomes_;
};

/// Memory for a round's rows.
class RoundMemory {
 public:
  RoundMemory(Plan const& plan, RoundLimits const& limits)
      : start_(limits.rows, "start"),
        cat_(std::size_t{limits.rows} * plan.layout.cats, "cat"),
        target_offsets_(limits.rows + std::size_t{1}, "places of targets"),
        targets_(limits.values[0], "targets"),
        feature_offsets_(plan.dynamic_feats() == 0 ? 0 : limits.rows + std::size_t{1}, "places of dynamic_feat"),
        features_(plan.dynamic_feats() == 0 ? 0 : limits.values[1], "dynamic_feat") {}

  [[nodiscard]] RoundArrays arrays() const {
    return {
        start_.get(), cat_.get(), {target_offsets_.get(), feature_offsets_.get()}, {targets_.get(), features_.get()}};
  }
  [[nodiscard]] std::size_t device_bytes() const {
    return start_.size_bytes() + cat_.size_bytes() + target_offsets_.size_bytes() + targets_.size_bytes() +
           feature_offsets_.size_bytes() + features_.size_bytes();
  }

 private:
  DeviceArray<std::int64_t> start_;
  DeviceArray<std::int32_t> cat_;
  DeviceArray<std::int64_t> target_offsets_;
  DeviceArray<float> targets_;
  DeviceArray<std::int64_t> feature_offsets_;
  DeviceArray<float> features_;
};

/// What the host waits for.
struct ChunkReport {
  Totals totals;
  std::uint32_t marked = 0;
};

class DeeparDecoder final : public ChunkDecoder {
 public:
  DeeparDecoder(Plan const& plan, DecoderLimits const& limits, Stream& stream)
      : plan_(plan),
        sizes_(plan, limits),
        stream_(stream),
        backend_(stream, sizes_.chunk.rows + std::size_t{1}),
        text_memory_(sizes_),
        values_(plan, sizes_.chunk),
        round_(plan, sizes_.round),
        totals_(1, "totals"),
        marked_count_(1, "the number of records that are not plain"),
        round_plan_(1, "the plan of a round"),
        report_(1, "the report of a chunk"),
        round_report_(1, "the report of a round"),
        faults_(sizes_.round.faults, "faults") {
    text_memory_.clear(stream_);
  }

  bool begin(Chunk const& chunk) override {
    if (!chunk.rejects.empty() || chunk.text.size > sizes_.text_bytes) return false;
    is_first_call_ = true;
    first_row_ = 0;
    text_ = {text_memory_.data(), static_cast<std::uint32_t>(chunk.text.size), mark_bytes(chunk), chunk.follows_cr};
    if (text_.size == 0) return true;
    stream_.copy(text_memory_.data(), chunk.text.data, chunk.text.size, "copy in");
    find_structure(stream_, structure_work());
    std::uint32_t const rows_max = std::min(sizes_.chunk.rows, text_.size / 2 + 1);
    read_heads(stream_, heads_work(), rows_max);
    convert(stream_, {text_, text_memory_.masks(), text_memory_.entries(), totals_.get(), values_.values()});
    backend_.select(rows_max, IsMarked{values_.values().marks}, values_.marked(), marked_count_.get());
    stream_.copy(&report_[0].totals, totals_.get(), sizeof(Totals), "totals");
    stream_.copy(&report_[0].marked, marked_count_.get(), sizeof(std::uint32_t), "totals");
    return true;
  }

  bool next(Batch& rows, FaultLog& faults, RoundCounts& counts, Decoded& decoded) override {
    bool const is_first = std::exchange(is_first_call_, false);
    if (is_first && !begin_rounds()) return false;
    RoundPlan const plan = plan_next();
    if (is_first && plan.is_refused != 0) return false;
    for (std::uint32_t i = 0; i < plan.faults; ++i) faults.report(faults_[i]);
    gather_round(plan);
    counts.missing_cells += round_report_[0].missing;
    counts.inexact_integers += round_report_[0].inexact_integers;
    first_row_ = plan.end;
    rows = view(plan.rows);
    decoded = {};
    decoded.rows = plan.rows;
    decoded.ends_chunk = first_row_ == totals_of_chunk_.rows;
    if (decoded.ends_chunk) counts.lines += totals_of_chunk_.lines;
    values_of_round_ = {plan.values[0], plan.values[1]};
    return true;
  }

  [[nodiscard]] std::array<std::size_t, lists_max> list_values() const override { return values_of_round_; }

  [[nodiscard]] std::size_t device_bytes() const override {
    return text_memory_.device_bytes() + values_.device_bytes() + round_.device_bytes() + backend_.device_bytes();
  }

 private:
  [[nodiscard]] StructureWork structure_work() const {
    StructureWork work;
    work.text = text_;
    work.tiles = text_memory_.tile_states();
    work.entries = text_memory_.entries();
    work.masks = text_memory_.masks();
    work.rows = text_memory_.rows();
    work.brackets = text_memory_.brackets();
    work.totals = totals_.get();
    work.limits = sizes_.chunk;
    return work;
  }

  [[nodiscard]] HeadsWork heads_work() const {
    HeadsWork work;
    work.text = text_;
    work.rules.cats = static_cast<std::uint32_t>(plan_.layout.cats);
    work.rules.features = static_cast<std::uint32_t>(plan_.dynamic_feats());
    work.rules.prediction_length = static_cast<std::uint32_t>(plan_.prediction_length);
    work.rules.refuses_unknown_keys = plan_.text.refuses_unknown_keys;
    work.rules.is_lenient = plan_.text.is_lenient;
    work.totals = totals_.get();
    work.rows = text_memory_.rows();
    work.brackets = text_memory_.brackets();
    work.out = values_.values();
    return work;
  }

  [[nodiscard]] RoundsWork rounds_work() const {
    RoundsWork work;
    work.in = values_.values();
    work.sums = values_.sums();
    work.limits = sizes_.round;
    work.rows = totals_of_chunk_.rows;
    work.features = static_cast<std::uint32_t>(plan_.dynamic_feats());
    work.cats = static_cast<std::uint32_t>(plan_.layout.cats);
    work.totals = totals_.get();
    work.marked = values_.marked();
    work.marked_count = marked_;
    work.outcomes = values_.outcomes();
    return work;
  }

  /// Waits for the chunk and reads what is not plain. False: it is for the CPU.
  bool begin_rounds() {
    totals_of_chunk_ = {};
    marked_ = 0;
    if (text_.size == 0) return true;
    stream_.wait();
    totals_of_chunk_ = report_[0].totals;
    marked_ = report_[0].marked;
    if (totals_of_chunk_.is_refused != 0 || marked_ > marked_max) return false;
    care(stream_,
         {text_, text_memory_.rows(), values_.values(), values_.marked(), marked_, values_.outcomes(), totals_.get()},
         plan_);
    count_rows(stream_, rounds_work());
    RowSums const sums = values_.sums();
    std::size_t const count = std::size_t{totals_of_chunk_.rows} + 1;
    backend_.exclusive_sum(sums.ranks, sums.ranks, count);
    backend_.exclusive_sum(sums.places[0], sums.places[0], count);
    if (plan_.dynamic_feats() != 0) backend_.exclusive_sum(sums.places[1], sums.places[1], count);
    return true;
  }

  RoundPlan plan_next() {
    if (totals_of_chunk_.rows == 0) return {};
    plan_round(stream_, rounds_work(), first_row_, round_plan_.get(), faults_.get());
    stream_.copy(round_report_.get(), round_plan_.get(), sizeof(RoundPlan), "round");
    stream_.wait();
    return round_report_[0];
  }

  void gather_round(RoundPlan const& plan) {
    RoundArrays const to = round_.arrays();
    round_report_[0] = plan;
    if (plan.begin == plan.end) {
      for (std::int64_t* const offsets : to.offsets)
        if (offsets != nullptr) stream_.fill(offsets, 0, sizeof(std::int64_t));
    } else {
      gather(stream_, rounds_work(), plan, round_plan_.get(), to);
      stream_.copy(round_report_.get(), round_plan_.get(), sizeof(RoundPlan), "round");
    }
    stream_.wait();
  }

  [[nodiscard]] Batch view(std::uint32_t rows) const {
    RoundArrays const arrays = round_.arrays();
    BatchLayout const& layout = plan_.layout;
    Batch batch;
    for (Role const role : tensor_roles) batch.tensor(role) = {nullptr, layout.dtype(role), rows, layout.columns(role)};
    batch.start.data = reinterpret_cast<std::byte*>(arrays.start);
    batch.cat.data = reinterpret_cast<std::byte*>(arrays.cat);
    for (std::size_t i = 0; i < lists_max; ++i) {
      if (layout.lists[i].role == ListRole::none) continue;
      batch.lists[i] = {arrays.offsets[i], reinterpret_cast<std::byte*>(arrays.values[i]), layout.lists[i].dtype, rows};
    }
    batch.set_rows(rows);
    return batch;
  }

  Plan plan_;
  Sizes sizes_;
  Stream& stream_;
  Backend backend_;
  TextMemory text_memory_;
  ValueMemory values_;
  RoundMemory round_;
  DeviceArray<Totals> totals_;
  DeviceArray<std::uint32_t> marked_count_;
  DeviceArray<RoundPlan> round_plan_;
  MappedArray<ChunkReport> report_;
  MappedArray<RoundPlan> round_report_;
  MappedArray<Fault> faults_;

  // The chunk.
  ChunkText text_;
  Totals totals_of_chunk_;
  std::uint32_t marked_ = 0;
  bool is_first_call_ = false;

  // The round.
  std::uint32_t first_row_ = 0;  ///< record
  std::array<std::size_t, lists_max> values_of_round_ = {};
};

}  // namespace
}  // namespace json

std::unique_ptr<ChunkDecoder> make_deepar_decoder(penstock::deepar::Plan const& plan, DecoderLimits const& limits,
                                                  Stream& stream) {
  return std::make_unique<json::DeeparDecoder>(plan, limits, stream);
}

}  // namespace penstock::cuda
