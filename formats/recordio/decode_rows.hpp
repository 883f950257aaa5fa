/// Whole records of RecordIO-protobuf to rows of tensors.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "formats/recordio/cut.hpp"
#include "formats/recordio/decode.hpp"
#include "formats/recordio/decoder.hpp"
#include "formats/recordio/framing.hpp"
#include "formats/recordio/join.hpp"
#include "formats/recordio/judge.hpp"
#include "formats/recordio/pairs.hpp"
#include "formats/recordio/plan.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"
#include "penstock/executor.hpp"
#include "penstock/fault.hpp"

namespace penstock::recordio {

/// Decodes chunks in rounds. Memory of its own it takes only for split records (see Joiner) and for sparse ones whose
/// keys do not ascend (see PairWriter), as much as the longest of them needs.
class RowDecoder {
 public:
  explicit RowDecoder(Plan const& plan)
      : plan_(plan), keys_(plan_.keys()), records_(keys_), pairs_(plan.duplicates), copies_rows_(can_copy_rows(plan)) {}
  RowDecoder(RowDecoder const&) = delete;  // keys_ are views into plan_

  void begin(Chunk const& chunk) {
    chunk_ = chunk;
    bytes_ = {reinterpret_cast<std::byte const*>(chunk.text.data), chunk.text.size};
    next_reject_ = 0;
    frames_ = 0;
    begin_segment(0);
  }

  /// See DecoderExample in formats/core/format.hpp.
  Decoded next(Batch const& batch, BatchCapacity const& capacity, FaultLog& faults, RoundCounts& counts) {
    batch_ = batch;
    capacity_ = capacity;
    faults_ = &faults;
    counts_ = &counts;
    used_ = {};
    std::size_t const faults_before = faults.size();
    Decoded decoded;
    decoded.ends_chunk = run();
    decoded.rows = used_.rows;
    decoded.is_stuck = !decoded.ends_chunk && used_.rows == 0 && faults.size() == faults_before && !needed_fits();
    if (decoded.is_stuck) {
      decoded.needed = needed_;
    } else {
      counts.lines += frames_;
      frames_ = 0;
    }
    return decoded;
  }

 private:
  // --- chunks to records -------------------------------------------------------------------------------------------

  void begin_segment(std::size_t at) {
    at_ = at;
    segment_end_ = next_reject_ < chunk_.rejects.size() ? chunk_.rejects[next_reject_].begin : chunk_.text.size;
  }

  /// True: the chunk is used up.
  bool run() {
    needed_ = {};
    for (;;) {
      if (at_ < segment_end_) {
        if (used_.rows == capacity_.rows || faults_->room() == 0) return note_one_row();
        if (!take_record()) return false;
      } else if (next_reject_ == chunk_.rejects.size()) {
        return true;
      } else if (!pass_reject()) {
        return false;
      }
    }
  }

  /// A capacity without rows holds no record at all.
  bool note_one_row() {
    if (capacity_.rows == 0) needed_.rows = 1;
    return false;
  }

  [[nodiscard]] bool needed_fits() const { return capacity_.holds(needed_); }

  /// False: there is no room for its fault.
  bool pass_reject() {
    Reject const& reject = chunk_.rejects[next_reject_];
    if (!reject.is_continued) {
      if (faults_->room() == 0) return false;
      Fault fault = reject.fault;
      fault.rows_before = static_cast<std::uint32_t>(used_.rows);
      faults_->report(fault);
    }
    frames_ += frames_ended(reject);
    ++next_reject_;
    begin_segment(reject.resume);
    return true;
  }

  /// False: the record does not fit into what is left of the capacity, which needed_ then says.
  bool take_record() {
    Bytes const rest = bytes_.subspan(at_, segment_end_ - at_);
    if (copies_rows_ && rest.size() > header_bytes && copy_row(rest)) return true;
    RecordFrames const frames = frames_at(rest);
    Bytes const payload = frames.is_split ? join(rest.first(frames.size_bytes)) : frames.payload;
    knows_rows_ = false;
    RecordResult const result = records_.decode(payload);
    auto complaint = judge(result, payload, plan_);
    if (!complaint && !fits(result.record)) return false;
    if (!complaint) complaint = store(result.record);
    if (complaint) {
      report(*complaint, frames, payload);
    } else {
      commit(result.record);
      knows_rows_ = records_.is_known(payload);
    }
    pass(frames.size_bytes, frames.frames);
    return true;
  }

  void pass(std::size_t size_bytes, std::uint32_t frames) {
    at_ += size_bytes;
    frames_ += frames;
  }

  /// The parts in the way that makes a record of them; with the magic, if both do, or none.
  Bytes join(Bytes frames) {
    if (plan_.join != Join::automatic) return joiner_.join(frames, plan_.join == Join::with_magic);
    if (!Joiner::may_have_magic(frames)) return joiner_.join(frames, false);
    for (bool const has_magic : {true, false}) {
      Bytes const payload = joiner_.join(frames, has_magic);
      if (!judge(decode_record(payload, keys_), payload, plan_)) return payload;
    }
    return joiner_.join(frames, true);
  }

  void report(Complaint const& complaint, RecordFrames const& frames, Bytes payload) {
    Fault fault;
    fault.code = complaint.code;
    fault.column = static_cast<std::uint32_t>(complaint.part);
    fault.rows_before = static_cast<std::uint32_t>(used_.rows);
    fault.record_begin = static_cast<std::uint32_t>(at_);
    fault.record_end = static_cast<std::uint32_t>(at_ + frames.size_bytes);
    bool const has_place = !frames.is_split && complaint.cell.data() != nullptr;
    std::size_t const cell =
        has_place ? at_ + header_bytes + static_cast<std::size_t>(complaint.cell.data() - payload.data()) : at_;
    fault.cell_begin = static_cast<std::uint32_t>(cell);
    fault.cell_end = static_cast<std::uint32_t>(cell + (has_place ? complaint.cell.size() : header_bytes));
    faults_->report(fault);
  }

  // --- records to rows ---------------------------------------------------------------------------------------------

  static bool can_copy_rows(Plan const& plan) {
    return plan.layout.is_dense() && plan.layout.feature_dtype != DType::int32 &&
           (plan.layout.labels == 0 || plan.layout.label_dtype != DType::int32);
  }

  /// The hot path: a record that differs only in its values from an accepted one. False: nothing has happened.
  bool copy_row(Bytes rest) {
    Header const header = parse_header(rest);
    bool const is_whole = header.part == Part::whole && header.payload_bytes <= rest.size() - header_bytes;
    if (!knows_rows_ || !is_whole) return false;
    Bytes const payload = rest.subspan(header_bytes, header.payload_bytes);
    if (!records_.is_known(payload)) return false;
    copy_values(batch_.features, records_.features_of(payload));
    if (batch_.label.columns != 0) copy_values(batch_.label, records_.label_of(payload));
    mark_row();
    ++used_.rows;
    counts_->other_entries += has_others_;
    pass(std::min(frame_bytes(payload.size()), rest.size()), 1);
    return true;
  }

  void copy_values(Dense const& into, std::byte const* from) const {
    std::size_t const row_bytes = into.row_bytes();
    std::memcpy(into.data + used_.rows * row_bytes, from, row_bytes);
  }

  [[nodiscard]] bool fits(RecordView const& record) {
    BatchLayout const& layout = plan_.layout;
    needed_ = {1, 0, 0, 0, 0};
    if (layout.is_sparse) needed_.pairs = record.features.count;
    if (layout.labels_vary) needed_.labels = record.label.count;
    if (layout.has_uid) needed_.uid_bytes = record.uid.size();
    if (layout.has_metadata) needed_.metadata_bytes = record.metadata.size();
    BatchCapacity const sum{used_.rows + 1, used_.pairs + needed_.pairs, used_.labels + needed_.labels,
                            used_.uid_bytes + needed_.uid_bytes, used_.metadata_bytes + needed_.metadata_bytes};
    return capacity_.holds(sum);
  }

  /// Writes the record behind the rows, where it is not seen before commit().
  std::optional<Complaint> store(RecordView const& record) {
    if (plan_.layout.is_sparse) {
      std::uint64_t const bound = record.features.rank == 0 ? keys_limit : record.features.shape_product;
      std::uint64_t const limit = std::min(bound, plan_.key_limit());
      row_ = pairs_.write(record.features, limit, batch_.csr, used_.pairs);
      if (row_.fault) return Complaint{*row_.fault, RecordPart::features, record.features.entry};
    } else {
      copy_tensor(record.features, batch_.features.data, batch_.features.dtype, used_.rows * batch_.features.columns);
    }
    if (plan_.layout.labels_vary)
      copy_tensor(record.label, batch_.labels.values, batch_.labels.dtype, used_.labels);
    else
      copy_tensor(record.label, batch_.label.data, batch_.label.dtype, used_.rows * batch_.label.columns);
    if (plan_.layout.has_uid) copy_text(record.uid, batch_.uid.bytes + used_.uid_bytes);
    if (plan_.layout.has_metadata) copy_text(record.metadata, batch_.metadata.bytes + used_.metadata_bytes);
    return std::nullopt;
  }

  /// All values of a tensor of this type, to element `first` on.
  static void copy_tensor(TensorView const& tensor, std::byte* into, DType dtype, std::size_t first) {
    if (tensor.count == 0) return;
    std::byte* const to = into + first * size_bytes(dtype);
    switch (dtype) {
      case DType::float32: (void)tensor.copy_to(std::span(reinterpret_cast<float*>(to), tensor.count)); break;
      case DType::float64: (void)tensor.copy_to(std::span(reinterpret_cast<double*>(to), tensor.count)); break;
      default: (void)tensor.copy_to(std::span(reinterpret_cast<std::int32_t*>(to), tensor.count)); break;
    }
  }

  static void copy_text(Bytes text, char* into) {
    if (!text.empty()) std::memcpy(into, text.data(), text.size());
  }

  void commit(RecordView const& record) {
    used_.pairs += plan_.layout.is_sparse ? row_.pairs : 0;
    used_.labels += needed_.labels;
    used_.uid_bytes += needed_.uid_bytes;
    used_.metadata_bytes += needed_.metadata_bytes;
    mark_row();
    std::size_t const row = ++used_.rows;
    auto const end_row = [row](std::int64_t* offsets, std::size_t end) {
      if (offsets != nullptr) offsets[row] = static_cast<std::int64_t>(end);
    };
    end_row(batch_.csr.indptr, used_.pairs);
    end_row(batch_.labels.offsets, used_.labels);
    end_row(batch_.uid.offsets, used_.uid_bytes);
    end_row(batch_.metadata.offsets, used_.metadata_bytes);
    has_others_ = record.has_other_entries();
    counts_->other_entries += has_others_;
  }

  void mark_row() const {
    if (batch_.record_begins != nullptr) batch_.record_begins[used_.rows] = static_cast<std::uint32_t>(at_);
  }

  Plan plan_;
  RecordKeys keys_;
  RecordDecoder records_;
  PairWriter pairs_;
  Joiner joiner_;
  bool copies_rows_;         ///< rows of this layout can be known
  bool knows_rows_ = false;  ///< what records_ remembers was accepted
  bool has_others_ = false;  ///< and has other entries

  Chunk chunk_;
  Bytes bytes_;  ///< of the chunk
  std::size_t next_reject_ = 0;
  std::size_t segment_end_ = 0;  ///< the next reject, or the end of the text
  std::size_t at_ = 0;           ///< of the next record
  std::uint64_t frames_ = 0;     ///< passed and not yet counted: a round that is stuck counts nothing

  Batch batch_;
  BatchCapacity capacity_;
  BatchCapacity used_;    ///< by the rows of the round
  BatchCapacity needed_;  ///< by the record that is being stored, or that did not fit
  PairWriter::Row row_;
  FaultLog* faults_ = nullptr;
  RoundCounts* counts_ = nullptr;
};

}  // namespace penstock::recordio
