// RecordIO-protobuf as batches: a window over the bytes moves from frame to frame.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <span>
#include <utility>

#include "formats/recordio/decode.hpp"
#include "formats/recordio/decoder.hpp"
#include "formats/recordio/framing.hpp"
#include "host/app/batch_reader.hpp"
#include "host/io/source.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// What is read at a time at first; it grows to hold the longest frame.
constexpr std::size_t window_bytes = std::size_t{1} << 20;
/// A batch's memory, if rows are not longer.
constexpr std::size_t batch_bytes = std::size_t{1} << 20;

using recordio::Frame;
using recordio::FrameStatus;
using recordio::RecordStatus;
using recordio::TensorKind;
using recordio::TensorView;

/// Frames of a stream. Knows where it is, for messages.
class FrameStream {
 public:
  explicit FrameStream(std::unique_ptr<Source> source) : source_(std::move(source)), window_(window_bytes) {}

  /// The payload of the next frame, valid until the next call; false at the end.
  bool next(recordio::Bytes& payload) {
    begin_ += frame_bytes_;
    offset_bytes_ += frame_bytes_;
    while (true) {
      Frame const frame = recordio::FrameCursor(unread()).next();
      bool const wants_more = frame.status == FrameStatus::end || is_truncated(frame.status);
      if (wants_more && fill()) continue;
      frame_bytes_ = 0;
      if (frame.status == FrameStatus::end) return false;
      ++frames_;
      // A payload is complete without the padding that some writers leave away behind the last one.
      bool const is_whole = frame.status == FrameStatus::ok || frame.status == FrameStatus::truncated_pad;
      if (!is_whole) throw_damaged(frame.status);
      frame_bytes_ = std::min(recordio::frame_bytes(frame.payload.size()), unread().size());
      payload = frame.payload;
      return true;
    }
  }

  /// "x.rec: record 17 at byte 1,234".
  [[nodiscard]] std::string place() const {
    return source_->name() + ": record " + format_count(frames_) + " at byte " + format_count(offset_bytes_);
  }

 private:
  [[noreturn]] void throw_damaged(FrameStatus status) const {
    bool const is_no_frame = frames_ == 1 && !is_truncated(status);
    throw SourceError(place() + ": " + std::string(describe(status)),
                      is_no_frame ? "If it holds text in spite of its name: --from csv." : "");
  }

  static bool is_truncated(FrameStatus status) {
    return status == FrameStatus::truncated_header || status == FrameStatus::truncated_payload ||
           status == FrameStatus::truncated_pad;
  }

  [[nodiscard]] std::span<std::byte const> unread() const { return std::span(window_).subspan(begin_, end_ - begin_); }

  /// Reads more behind what is unread; false at the end. Room is doubled only when data has filled it, so that a
  /// wrong length costs no memory.
  bool fill() {
    if (begin_ > 0) {
      std::memmove(window_.data(), window_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == window_.size()) window_.resize(2 * window_.size());
    std::size_t const got = source_->read(reinterpret_cast<char*>(window_.data()) + end_, window_.size() - end_);
    end_ += got;
    return got != 0;
  }

  std::unique_ptr<Source> source_;
  std::vector<std::byte> window_;
  std::size_t begin_ = 0;  ///< of the unread bytes
  std::size_t end_ = 0;
  std::size_t frame_bytes_ = 0;     ///< of the frame that was handed out
  std::uint64_t offset_bytes_ = 0;  ///< of window_[begin_] in the file
  std::uint64_t frames_ = 0;
};

DType dtype_of_kind(TensorKind kind) {
  switch (kind) {
    case TensorKind::float64: return DType::float64;
    case TensorKind::int32: return DType::int32;
    default: return DType::float32;
  }
}

BatchLayout layout_of(recordio::RecordView const& record) {
  BatchLayout layout;
  layout.features = record.features.count;
  layout.feature_dtype = dtype_of_kind(record.features.kind);
  layout.labels = record.label.count;
  layout.label_dtype = dtype_of_kind(record.label.kind);
  return layout;
}

/// False if the tensor has another type or number of elements than `into` has.
bool copy_row(TensorView const& from, Dense const& into, std::size_t row) {
  if (into.columns == 0) return from.count == 0;
  std::size_t const first = row * into.columns;
  switch (into.dtype) {
    case DType::float32: return from.copy_to(std::span(into.as<float>() + first, into.columns));
    case DType::float64: return from.copy_to(std::span(into.as<double>() + first, into.columns));
    case DType::int32: return from.copy_to(std::span(into.as<std::int32_t>() + first, into.columns));
    case DType::int64: break;
  }
  return false;
}

std::string describe_tensor(std::size_t count, DType dtype) {
  return format_count(count) + " " + std::string(name_of(dtype));
}

std::string describe_layout(BatchLayout const& layout) {
  return describe_tensor(layout.features, layout.feature_dtype) + " features and " +
         describe_tensor(layout.labels, layout.label_dtype) + " labels";
}

class RecordioReader final : public BatchReader {
 public:
  explicit RecordioReader(InputFile const& file) : frames_(open_source(file)) {
    is_pending_ = read_record();
    if (!is_pending_) return;
    layout_ = layout_of(record_);
    std::size_t const rows_max = batch_bytes / std::max<std::size_t>(layout_.row_bytes(), 1);
    rows_ = BatchBuffer(layout_, std::clamp<std::size_t>(rows_max, 1, 65536));
  }

  [[nodiscard]] BatchLayout const& layout() const override { return layout_; }

  bool next(Batch& batch) override {
    if (late_error_ != nullptr) std::rethrow_exception(std::exchange(late_error_, nullptr));
    std::size_t rows = 0;
    try {
      while (rows < rows_.rows_max() && (is_pending_ || read_record())) {
        is_pending_ = false;
        store(rows);
        ++rows;
      }
    } catch (Error const&) {
      if (rows == 0) throw;
      late_error_ = std::current_exception();  // the rows before it are good
    }
    batch = rows_.view(rows);
    return rows != 0;
  }

  [[nodiscard]] std::vector<std::string> notes() const override {
    if (!has_others_) return {};
    return {"records have entries under other keys than \"values\", which are not shown"};
  }

 private:
  bool read_record() {
    recordio::Bytes payload;
    if (!frames_.next(payload)) return false;
    auto const result = decoder_.decode(payload);
    std::string const found(describe(result.status));
    bool const is_damaged = result.status == RecordStatus::malformed || result.status == RecordStatus::shape_mismatch;
    if (is_damaged) throw SourceError(frames_.place() + ": is damaged: " + found);
    if (result.status != RecordStatus::ok)
      throw SchemaError(frames_.place() + ": " + found, "Only dense records can be shown and compared.");
    record_ = result.record;
    has_others_ = has_others_ || record_.has_other_features || record_.has_other_labels;
    return true;
  }

  void store(std::size_t row) {
    Batch const batch = rows_.view(rows_.rows_max());
    if (copy_row(record_.features, batch.features, row) && copy_row(record_.label, batch.label, row)) return;
    throw SchemaError(frames_.place() + ": " + describe_layout(layout_of(record_)) + ", but the first record has " +
                      describe_layout(layout_));
  }

  FrameStream frames_;
  recordio::RecordDecoder decoder_;
  recordio::RecordView record_;
  bool is_pending_ = false;  ///< record_ was read and not handed out
  bool has_others_ = false;
  BatchLayout layout_;
  BatchBuffer rows_;
  std::exception_ptr late_error_;  ///< of the record behind the rows that were handed out
};

}  // namespace

std::unique_ptr<BatchReader> open_recordio(InputFile const& file) { return std::make_unique<RecordioReader>(file); }

}  // namespace penstock::app
