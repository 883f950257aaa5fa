// Chunks of RecordIO-protobuf to rows in device memory: dense records, and what chooses between decoders.
#include "cuda/formats/recordio.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "cuda/exec/memory.hpp"
#include "cuda/formats/recordio_memory.cuh"
#include "cuda/kernels/recordio_decode.cuh"
#include "formats/recordio/decode.hpp"
#include "formats/recordio/framing.hpp"
#include "formats/recordio/judge.hpp"
#include "formats/recordio/plan.hpp"

namespace penstock::cuda {
namespace recordio {
namespace {

using penstock::recordio::Bytes;
using penstock::recordio::Header;
using penstock::recordio::HeaderStatus;
using penstock::recordio::Plan;
using penstock::recordio::RecordView;
using penstock::recordio::TensorView;

/// Offsets in chunks have room to spare in 32 bits.
constexpr std::size_t text_bytes_max = std::size_t{1} << 31;

/// For plans that the device knows nothing about.
class NoDecoder final : public ChunkDecoder {
 public:
  bool begin(Chunk const&) override { return false; }
  bool next(Batch&, FaultLog&, RoundCounts&, Decoded&) override { return false; }
  [[nodiscard]] std::size_t device_bytes() const override { return 0; }
};

/// The frame that all of a chunk are like.
class FrameTemplate {
 public:
  static constexpr std::size_t constants_max = 256;

  /// Learns from the first frame of `chunk`, which is not empty. False: it is for the CPU, or its chunk cannot hold
  /// frames of its size alone.
  bool learn(Bytes chunk, Plan const& plan, std::span<ConstantWord> constants) {
    Header const header = penstock::recordio::parse_header(chunk);
    if (header.status != HeaderStatus::ok || header.part != penstock::recordio::Part::whole) return false;
    if (header.payload_bytes > chunk.size() - penstock::recordio::header_bytes) return false;
    Bytes const payload = chunk.subspan(penstock::recordio::header_bytes, header.payload_bytes);
    frame_bytes_ = penstock::recordio::frame_bytes(payload.size());
    frames_ = (chunk.size() + frame_bytes_ - 1) / frame_bytes_;
    std::size_t const missing = frames_ * frame_bytes_ - chunk.size();  // of the last frame's padding
    if (missing > frame_bytes_ - penstock::recordio::header_bytes - payload.size()) return false;
    auto const result = penstock::recordio::decode_record(payload, plan.keys());
    if (judge(result, payload, plan) || !find_runs(result.record, payload, plan.layout)) return false;
    has_other_entries_ = result.record.has_other_entries();
    return list_constants(chunk.first(penstock::recordio::header_bytes + payload.size()), constants);
  }

  [[nodiscard]] std::size_t frame_bytes() const { return frame_bytes_; }
  [[nodiscard]] std::size_t frames() const { return frames_; }
  [[nodiscard]] Extent features() const { return features_; }
  [[nodiscard]] Extent label() const { return label_; }
  [[nodiscard]] std::size_t constants() const { return constants_; }
  [[nodiscard]] bool has_other_entries() const { return has_other_entries_; }

 private:
  /// What a parser does depends on the bytes outside of packed runs of floats alone.
  bool find_runs(RecordView const& record, Bytes payload, BatchLayout const& layout) {
    auto const find = [&](TensorView const& tensor, Role role, Extent& run) {
      run = {penstock::recordio::header_bytes, penstock::recordio::header_bytes};
      if (tensor.count == 0) return layout.row_bytes(role) == 0;
      if (tensor.packed.size() != layout.row_bytes(role)) return false;
      run.begin += static_cast<std::size_t>(tensor.packed.data() - payload.data());
      run.end = run.begin + tensor.packed.size();
      return true;
    };
    return find(record.features, Role::feature, features_) && find(record.label, Role::label, label_);
  }

  /// The words of `frame`, which ends before the padding, outside of the runs.
  bool list_constants(Bytes frame, std::span<ConstantWord> constants) {
    constants_ = 0;
    Extent first = features_, second = label_;
    if (second.size() != 0 && second.begin < first.begin) std::swap(first, second);
    if (second.size() == 0) second = {frame.size(), frame.size()};
    return list_gap(frame, {0, first.begin}, constants) && list_gap(frame, {first.end, second.begin}, constants) &&
           list_gap(frame, {second.end, frame.size()}, constants);
  }

  bool list_gap(Bytes frame, Extent gap, std::span<ConstantWord> constants) {
    for (std::size_t word = gap.begin / 4; 4 * word < gap.end && gap.size() != 0; ++word) {
      if (constants_ == constants.size()) return false;
      ConstantWord constant{to_u32(word), 0, 0};
      for (std::size_t i = std::max(4 * word, gap.begin); i < std::min(4 * word + 4, gap.end); ++i) {
        constant.bits |= static_cast<std::uint32_t>(frame[i]) << 8 * (i % 4);
        constant.mask |= 0xffu << 8 * (i % 4);
      }
      constants[constants_++] = constant;
    }
    return true;
  }

  std::size_t frame_bytes_ = 0;
  std::size_t frames_ = 0;   ///< in the chunk, if all are like the first
  Extent features_, label_;  ///< from the frame's start
  std::size_t constants_ = 0;
  bool has_other_entries_ = false;
};

class DenseDecoder final : public ChunkDecoder {
 public:
  DenseDecoder(Plan const& plan, DecoderLimits const& limits, Stream& stream)
      : plan_(plan),
        stream_(stream),
        rows_max_(rows_max(plan, limits)),
        text_(limits.text_bytes),
        features_(plan.layout, Role::feature, rows_max_),
        label_(plan.layout, Role::label, rows_max_),
        begins_(rows_max_, "begins of records"),
        constants_(FrameTemplate::constants_max, "constant words"),
        staged_constants_(FrameTemplate::constants_max, "constant words"),
        differs_(1, "an answer") {}

  bool begin(Chunk const& chunk) override {
    if (!text_.takes(chunk) || rows_max_ == 0) return false;
    first_ = frames_ = 0;
    if (chunk.text.size == 0) return true;
    Bytes const bytes{reinterpret_cast<std::byte const*>(chunk.text.data), chunk.text.size};
    std::span<ConstantWord> const constants(staged_constants_.get(), staged_constants_.size());
    if (!template_.learn(bytes, plan_, constants)) return false;
    frames_ = to_u32(template_.frames());
    differs_[0] = 0;
    stream_.copy(constants_.get(), staged_constants_.get(), template_.constants() * sizeof(ConstantWord), "copy in");
    chunk_ = text_.copy(stream_, chunk.text);
    DenseWork work = round();
    if (frames_ > rows_max_) {  // whether they are all alike must be known before the first rows
      DenseWork all{chunk_, work.frame_bytes, 0, frames_, nullptr, 0, {}, {}, nullptr, nullptr};
      compare(all);
      decode_dense(stream_, all);
    } else {
      compare(work);
    }
    decode_dense(stream_, work);
    return true;
  }

  bool next(Batch& rows, FaultLog&, RoundCounts& counts, Decoded& decoded) override {
    DenseWork const work = round();
    if (first_ != 0) decode_dense(stream_, work);
    stream_.wait();
    if (first_ == 0 && frames_ != 0 && differs_[0] != 0) return false;
    first_ += work.frames;
    rows = {};
    rows.features = features_.view();
    rows.label = label_.view();
    rows.record_begins = begins_.get();
    rows.set_rows(work.frames);
    counts.lines += work.frames;
    if (work.frames != 0 && template_.has_other_entries()) counts.other_entries += work.frames;
    decoded = {};
    decoded.rows = work.frames;
    decoded.ends_chunk = first_ == frames_;
    return true;
  }

  [[nodiscard]] std::size_t device_bytes() const override {
    return text_.device_bytes() + features_.device_bytes() + label_.device_bytes() + begins_.size_bytes() +
           constants_.size_bytes();
  }

 private:
  static std::size_t rows_max(Plan const& plan, DecoderLimits const& limits) {
    return std::min(limits.rows.rows, limits.text_bytes / plan.layout.row_bytes() + 1);
  }

  /// The rows that come next, without a comparison.
  [[nodiscard]] DenseWork round() const {
    auto const run = [](Extent extent, TensorMemory const& memory) {
      return ValueRun{to_u32(extent.begin), memory.row_words(), memory.words()};
    };
    DenseWork work;
    work.text = chunk_;
    work.frame_bytes = to_u32(template_.frame_bytes());
    work.first = first_;
    work.frames = to_u32(std::min<std::size_t>(frames_ - first_, rows_max_));
    work.features = run(template_.features(), features_);
    work.label = run(template_.label(), label_);
    work.begins = begins_.get();
    return work;
  }

  void compare(DenseWork& work) const {
    work.constants = constants_.get();
    work.constant_count = to_u32(template_.constants());
    work.differs = differs_.get();
  }

  Plan plan_;
  Stream& stream_;
  std::size_t rows_max_;
  TextMemory text_;
  TensorMemory features_, label_;
  DeviceArray<std::uint32_t> begins_;
  DeviceArray<ConstantWord> constants_;
  MappedArray<ConstantWord> staged_constants_;
  MappedArray<std::uint32_t> differs_;

  FrameText chunk_;
  FrameTemplate template_;
  std::uint32_t frames_ = 0;
  std::uint32_t first_ = 0;  ///< of the next round
};

/// Whether there are kernels for it.
bool is_known(BatchLayout const& layout) {
  bool const has_labels = layout.labels != 0;
  return is_floating(layout.feature_dtype) && (!has_labels || is_floating(layout.label_dtype)) && !layout.labels_vary &&
         !layout.has_uid && !layout.has_metadata && !layout.has_weight && !layout.has_qid && !layout.has_base_margin &&
         (layout.is_sparse || layout.features != 0);
}

}  // namespace
}  // namespace recordio

std::unique_ptr<ChunkDecoder> make_recordio_decoder(penstock::recordio::Plan const& plan, DecoderLimits const& limits,
                                                    Stream& stream) {
  if (!recordio::is_known(plan.layout) || limits.text_bytes >= recordio::text_bytes_max)
    return std::make_unique<recordio::NoDecoder>();
  if (plan.layout.is_sparse) return recordio::make_sparse_decoder(plan, limits, stream);
  return std::make_unique<recordio::DenseDecoder>(plan, limits, stream);
}

}  // namespace penstock::cuda
