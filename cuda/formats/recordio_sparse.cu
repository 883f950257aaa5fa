// Chunks of sparse RecordIO-protobuf records to rows in device memory.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "cuda/exec/backend.cuh"
#include "cuda/exec/memory.hpp"
#include "cuda/formats/recordio_memory.cuh"
#include "cuda/kernels/recordio_frames.cuh"
#include "cuda/kernels/recordio_sparse.cuh"
#include "formats/recordio/plan.hpp"
#include "formats/recordio/schema.hpp"

namespace penstock::cuda::recordio {
namespace {

using penstock::recordio::Plan;

/// Bytes of the smallest frame of a sparse record with the key `values`, its shape alone. Smaller ones are possible
/// with other keys; where they are too many, their chunk is for the CPU.
constexpr std::size_t sparse_frame_bytes_min = 28;

/// What is known about the records of a chunk.
class RecordMemory {
 public:
  explicit RecordMemory(std::size_t text_bytes)
      : tiles_(blocks_for(text_bytes + 1, 4 * frame_tile_words)),
        places_max_(text_bytes / sparse_frame_bytes_min + 1),
        masks_(tiles_ * frame_tile_masks, "candidates"),
        bases_(tiles_, "candidates of tiles"),
        arrived_(1, "a counter"),
        count_(1, "a number"),
        places_(places_max_, "places of frames"),
        lists_(places_max_ + 2, "places of lists"),
        pairs_(places_max_ + 1, "numbers of pairs"),
        totals_(1, "totals") {}

  void clear_counter(Stream& stream) const { stream.fill(arrived_.get(), 0, arrived_.size_bytes()); }
  [[nodiscard]] std::size_t places_max() const { return places_max_; }
  [[nodiscard]] CandidateMemory candidates() const { return {masks_.get(), bases_.get(), arrived_.get()}; }
  [[nodiscard]] FrameList frames() const { return {places_.get(), count_.get(), to_u32(places_max_)}; }
  [[nodiscard]] RecordsWork work(FrameText text) const {
    return {text, frames(), lists_.get(), pairs_.get(), totals_.get()};
  }
  [[nodiscard]] unsigned* arrived() const { return arrived_.get(); }
  /// Pairs before each record, once they are summed up.
  [[nodiscard]] std::uint32_t* offsets() const { return pairs_.get(); }
  [[nodiscard]] RecordPlaces const* lists() const { return lists_.get(); }

  // While the chain among candidates is looked for, the memory that is filled behind it is free.
  [[nodiscard]] Jumps jumps(std::uint32_t candidates) const { return {spare(0), spare(1), spare(2), candidates}; }
  [[nodiscard]] std::uint32_t* chosen() const { return spare(3); }
  [[nodiscard]] std::uint32_t* gathered() const { return pairs_.get(); }

  [[nodiscard]] std::size_t device_bytes() const {
    return masks_.size_bytes() + bases_.size_bytes() + places_.size_bytes() + lists_.size_bytes() + pairs_.size_bytes();
  }

 private:
  [[nodiscard]] std::uint32_t* spare(std::size_t i) const {
    static_assert(sizeof(RecordPlaces) == 4 * sizeof(std::uint32_t));
    return reinterpret_cast<std::uint32_t*>(lists_.get()) + i * lists_.size();
  }

  std::size_t tiles_, places_max_;
  DeviceArray<std::uint32_t> masks_, bases_;
  DeviceArray<unsigned> arrived_;
  DeviceArray<std::uint32_t> count_, places_;
  DeviceArray<RecordPlaces> lists_;
  DeviceArray<std::uint32_t> pairs_;
  DeviceArray<RecordTotals> totals_;
};

/// Written by the device.
struct SparseAnswers {
  RecordTotals totals;
  SparseRound round;
  std::uint32_t found = 0;
  std::uint32_t reaches_end = 0;
};

class SparseDecoder final : public ChunkDecoder {
 public:
  SparseDecoder(Plan const& plan, DecoderLimits const& limits, Stream& stream)
      : layout_(plan.layout),
        stream_(stream),
        records_(limits.text_bytes),
        rows_max_(std::min(limits.rows.rows, records_.places_max())),
        pairs_max_(std::min(limits.rows.pairs, limits.text_bytes / (size_bytes(plan.layout.feature_dtype) + 1) + 1)),
        text_(limits.text_bytes),
        backend_(stream, records_.places_max() + 1),
        keys_(plan.features_key.size() + plan.label_key.size() + 1, "keys"),
        indptr_(rows_max_ + 1, "places of rows"),
        indices_(pairs_max_, "indices"),
        values_(pairs_max_ * size_bytes(plan.layout.feature_dtype), "values"),
        label_(plan.layout, Role::label, rows_max_),
        answers_(1, "answers") {
    copy_keys(plan);
    set_form(plan);
    records_.clear_counter(stream_);
    stream_.fill(indptr_.get(), 0, sizeof(std::int64_t));
    stream_.wait();
  }

  bool begin(Chunk const& chunk) override {
    if (!text_.takes(chunk) || rows_max_ == 0) return false;
    is_first_ = true;
    first_ = frames_ = 0;
    pairs_left_ = 0;
    chunk_ = text_.copy(stream_, chunk.text);
    if (chunk_.size == 0) return true;
    list_candidates(stream_, chunk_, records_.candidates(), records_.frames());
    find();
    return true;
  }

  bool next(Batch& rows, FaultLog&, RoundCounts& counts, Decoded& decoded) override {
    if (is_first_ && chunk_.size != 0 && !settle()) return false;
    is_first_ = false;
    SparseRound const round = cut();
    write(round);
    stream_.wait();
    records_to(rows, round);
    pairs_ = round.pairs;
    first_ += round.rows;
    pairs_left_ -= round.pairs;
    counts.lines += round.rows;
    decoded = {};
    decoded.rows = round.rows;
    decoded.ends_chunk = first_ == frames_;
    return true;
  }

  [[nodiscard]] std::size_t pairs() const override { return pairs_; }
  [[nodiscard]] std::size_t device_bytes() const override {
    return records_.device_bytes() + text_.device_bytes() + backend_.device_bytes() + indptr_.size_bytes() +
           indices_.size_bytes() + values_.size_bytes() + label_.device_bytes();
  }

 private:
  void copy_keys(Plan const& plan) {
    std::string const keys = plan.features_key + plan.label_key;
    MappedArray<char> staged(keys.size() + 1, "keys");
    std::copy(keys.begin(), keys.end(), staged.get());
    stream_.copy(keys_.get(), staged.get(), keys.size(), "copy in");
    stream_.wait();
    form_.features_key = {keys_.get(), to_u32(plan.features_key.size())};
    form_.label_key = {keys_.get() + plan.features_key.size(), to_u32(plan.label_key.size())};
  }

  void set_form(Plan const& plan) {
    form_.features_field = penstock::recordio::tensor_field(layout_.feature_dtype);
    form_.label_field = penstock::recordio::tensor_field(layout_.label_dtype);
    form_.value_bytes = to_u32(size_bytes(layout_.feature_dtype));
    form_.label_bytes = to_u32(layout_.row_bytes(Role::label));
    form_.labels = to_u32(layout_.labels);
    form_.requires_shape = plan.requires_shape;
    form_.features = layout_.features;
    form_.key_limit = std::min(plan.key_limit(), penstock::recordio::keys_limit);
  }

  void find() {
    RecordsWork const work = records_.work(chunk_);
    stream_.fill(work.totals, 0, sizeof(RecordTotals));
    find_records(stream_, work, form_, records_.arrived(), &answers_[0].totals);
  }

  /// Waits for what begin() enqueued, and learns from it. False: the chunk is for the CPU.
  bool settle() {
    stream_.wait();
    bool const is_listed = answers_[0].totals.frames <= records_.places_max();
    if (is_listed && answers_[0].totals.is_tangled != 0) {
      if (!untangle()) return false;
      find();
      stream_.wait();
    }
    RecordTotals const& totals = answers_[0].totals;
    if (totals.is_odd != 0 || totals.is_tangled != 0 || totals.longest > pairs_max_) return false;
    frames_ = totals.frames;
    pairs_left_ = totals.pairs;
    backend_.exclusive_sum(records_.offsets(), records_.offsets(), std::size_t{frames_} + 1);
    return true;
  }

  /// Follows the chain among the candidates. False: it leads to where no frame is.
  bool untangle() {
    SparseAnswers& answers = answers_[0];
    FrameList const frames = records_.frames();
    Jumps const jumps = records_.jumps(answers.totals.frames);
    mark_chain(stream_, chunk_, frames.places, jumps);
    backend_.select(jumps.count, IsMarked{jumps.marks}, records_.chosen(), frames.count);
    stream_.copy(&answers.found, frames.count, sizeof answers.found, "copy out");
    stream_.copy(&answers.reaches_end, jumps.marks + jumps.count, sizeof answers.reaches_end, "copy out");
    stream_.wait();
    if (answers.reaches_end == 0) return false;
    gather(stream_, frames.places, records_.chosen(), answers.found, records_.gathered());
    stream_.copy(frames.places, records_.gathered(), answers.found * sizeof(std::uint32_t), "gather");
    return true;
  }

  /// The next round's size. Rounds end where a round of the CPU's decoder does.
  SparseRound cut() {
    std::uint32_t const left = frames_ - first_;
    if (left <= rows_max_ && pairs_left_ <= pairs_max_) return {left, to_u32(pairs_left_)};
    RoundLimits const limits{frames_, to_u32(std::min<std::size_t>(rows_max_, left)), to_u32(pairs_max_)};
    cut_round(stream_, records_.offsets(), first_, limits, &answers_[0].round);
    stream_.wait();
    return answers_[0].round;
  }

  void write(SparseRound round) {
    SparseWork const work{chunk_,     records_.lists() + first_, records_.offsets() + first_,
                          round.rows, form_.value_bytes / 4,     label_.row_words()};
    write_sparse_rows(stream_, work, {indptr_.get(), indices_.get(), values_words(), label_.words()});
  }

  void records_to(Batch& rows, SparseRound round) const {
    rows = {};
    rows.label = label_.view();
    rows.csr = {indptr_.get(), indices_.get(), values_.get(), layout_.feature_dtype, 0, layout_.features};
    rows.record_begins = records_.frames().places + first_;
    rows.set_rows(round.rows);
  }

  [[nodiscard]] std::uint32_t* values_words() const { return reinterpret_cast<std::uint32_t*>(values_.get()); }

  BatchLayout layout_;
  Stream& stream_;
  RecordMemory records_;
  std::size_t rows_max_, pairs_max_;
  TextMemory text_;
  Backend backend_;
  DeviceArray<unsigned char> keys_;
  DeviceArray<std::int64_t> indptr_, indices_;
  DeviceArray<std::byte> values_;
  TensorMemory label_;
  MappedArray<SparseAnswers> answers_;
  RecordForm form_;

  FrameText chunk_;
  std::uint32_t frames_ = 0;
  std::uint32_t first_ = 0;       ///< of the next round
  std::uint64_t pairs_left_ = 0;  ///< in it and behind it
  std::size_t pairs_ = 0;         ///< of the last round
  bool is_first_ = true;
};

}  // namespace

std::unique_ptr<ChunkDecoder> make_sparse_decoder(Plan const& plan, DecoderLimits const& limits, Stream& stream) {
  return std::make_unique<SparseDecoder>(plan, limits, stream);
}

}  // namespace penstock::cuda::recordio
