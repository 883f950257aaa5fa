/// Where the whole records of a buffer end. Rules: formats/recordio/README.md, "Damaged inputs".
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "formats/recordio/framing.hpp"
#include "formats/recordio/plan.hpp"
#include "penstock/chunk.hpp"
#include "penstock/fault.hpp"

namespace penstock::recordio {

/// How many frames end in a reject, or in the piece of one that lies in a chunk. The count travels in a number of the
/// fault that means nothing before the decoder has reported it.
constexpr std::uint32_t& frames_ended(Reject& piece) { return piece.fault.rows_before; }
constexpr std::uint32_t frames_ended(Reject const& piece) { return piece.fault.rows_before; }

/// Cuts a shard's bytes, buffer by buffer, into whole records: a frame, or the frames of a split record. It goes from
/// header to header and never looks for the magic. What is rejected:
///
///   stretch                                          fault              goes on
///   a record longer than the limit                   record_too_long    behind it, by its lengths
///   parts without the first                          bad_part_sequence  at the next whole or first frame
///   parts before a whole or first frame, or the end  bad_part_sequence  at that frame
///   from a wrong header to the shard's end,          bad_magic,         at the next shard
///     with the parts before it                         reserved_flag
///   a last record whose frame is cut off             truncated_frame    at the next shard
///   a last record whose padding is cut off           missing_padding    at the next shard (padding strict)
class RecordCutter final : public Cutter {
 public:
  /// `record_max`: the most bytes of a record, frame headers and padding included; 64 or more.
  RecordCutter(Plan const& plan, std::size_t record_max) : padding_(plan.padding), record_max_(record_max) {}

  void restart() override {
    mode_ = Mode::records;
    skip_ = 0;
  }

  Cut cut(char* buffer, std::uint32_t size, bool is_shard_end, std::span<Reject> rejects) override {
    bytes_ = {reinterpret_cast<std::byte const*>(buffer), size};
    is_end_ = is_shard_end;
    rejects_ = rejects;
    count_ = 0;
    at_ = 0;
    if (mode_ != Mode::records) go_on_rejecting();
    while (mode_ == Mode::records && count_ < rejects_.size() && pass_record()) {
    }
    return {static_cast<std::uint32_t>(at_), count_, false};
  }

 private:
  enum class Mode : std::uint8_t {
    records,   ///< a record begins at the start of the next buffer
    frame,     ///< a rejected frame goes on there, and the stretch ends with it
    sequence,  ///< the same, but the stretch goes on with the parts behind it, up to the last
    strays,    ///< the same, but with all parts behind it
    broken,    ///< nothing can be found any more
  };

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  // --- records -----------------------------------------------------------------------------------------------------

  /// A record on the way from header to header; offsets in the buffer.
  struct Walk {
    std::size_t begin = 0;
    std::size_t frame = 0;     ///< the header that is looked at
    std::uint32_t frames = 0;  ///< before it
    [[nodiscard]] bool is_open() const { return frames != 0; }
  };

  /// Passes the record or the damage at at_. False: it does not end in the buffer.
  bool pass_record() {
    Walk walk{at_, at_, 0};
    for (;;) {
      if (walk.frame + header_bytes - walk.begin > record_max_) return reject_long(walk, Part::middle, 0);
      auto const rest = bytes_.subspan(walk.frame);
      if (rest.size() < header_bytes && !is_end_) return false;
      if (rest.empty()) return walk.is_open() && reject(walk, FaultCode::bad_part_sequence, {walk.frame, walk.frame});
      Header const header = parse_header(rest);
      if (header.status != HeaderStatus::ok) return reject_header(walk, header.status);
      bool const begins_record = header.part == Part::whole || header.part == Part::first;
      if (begins_record && walk.is_open()) return reject_before(walk);
      if (!begins_record && !walk.is_open()) return reject_strays(walk, header);
      Step const step = pass_frame(walk, header);
      if (step != Step::next_part) return step == Step::done;
    }
  }

  enum class Step : std::uint8_t { next_part, done, incomplete };

  /// The frame at walk.frame, whose header is in order.
  Step pass_frame(Walk& walk, Header header) {
    std::size_t const payload_end = walk.frame + header_bytes + header.payload_bytes;
    std::size_t const frame_end = walk.frame + frame_bytes(header.payload_bytes);
    Extent const header_cell{walk.frame, walk.frame + header_bytes};
    if (frame_end - walk.begin > record_max_)
      return reject_long(walk, header.part, frame_end) ? Step::done : Step::incomplete;
    if (frame_end > size() && !is_end_) return Step::incomplete;
    if (payload_end > size()) {
      reject(walk, FaultCode::truncated_frame, header_cell);
      return Step::done;
    }
    if (frame_end > size() && padding_ == Padding::strict) {
      reject(walk, FaultCode::missing_padding, {payload_end, size()});
      return Step::done;
    }
    walk.frame = std::min(frame_end, size());
    ++walk.frames;
    if (header.part == Part::first || header.part == Part::middle) return Step::next_part;
    at_ = walk.frame;
    return Step::done;
  }

  // --- damage ------------------------------------------------------------------------------------------------------

  /// Begins a reject at the record's begin that has no end yet.
  Reject& add_reject(Walk const& walk, FaultCode code, Extent cell) {
    Reject piece;
    piece.begin = static_cast<std::uint32_t>(walk.begin);
    piece.fault.code = code;
    piece.fault.record_begin = piece.begin;
    piece.fault.cell_begin = static_cast<std::uint32_t>(cell.begin);
    piece.fault.cell_end = static_cast<std::uint32_t>(cell.end);
    frames_ended(piece) = walk.frames;
    return rejects_[count_++] = piece;
  }

  void end_piece(Reject& piece, std::size_t end, bool continues) {
    piece.end = piece.resume = piece.fault.record_end = static_cast<std::uint32_t>(end);
    piece.continues = continues;
    if (!continues) mode_ = Mode::records;
    at_ = end;
  }

  /// The rest of the shard, which is in the buffer.
  bool reject(Walk const& walk, FaultCode code, Extent cell) {
    Reject& piece = add_reject(walk, code, cell);
    if (walk.frame < size()) ++frames_ended(piece);
    end_piece(piece, size(), false);
    return true;
  }

  bool reject_header(Walk const& walk, HeaderStatus status) {
    if (status == HeaderStatus::truncated) return reject(walk, FaultCode::truncated_frame, {walk.frame, size()});
    bool const is_magic = status == HeaderStatus::bad_magic;
    Extent const magic_cell{walk.frame, std::min(walk.frame + 4, size())};
    Extent const cell = is_magic ? magic_cell : Extent{walk.frame + 4, walk.frame + header_bytes};
    Reject& piece = add_reject(walk, is_magic ? FaultCode::bad_magic : FaultCode::reserved_flag, cell);
    mode_ = Mode::broken;
    if (is_end_) ++frames_ended(piece);
    end_piece(piece, size(), !is_end_);
    return true;
  }

  /// A whole or first frame stands where the next part should be.
  bool reject_before(Walk const& walk) {
    Extent const cell{walk.frame, walk.frame + header_bytes};
    end_piece(add_reject(walk, FaultCode::bad_part_sequence, cell), walk.frame, false);
    return true;
  }

  bool reject_strays(Walk const& walk, Header header) {
    Reject& piece = add_reject(walk, FaultCode::bad_part_sequence, {walk.frame, walk.frame + header_bytes});
    mode_ = Mode::strays;
    skip_ = frame_bytes(header.payload_bytes);
    return pass_rejected(piece, walk.frame);
  }

  /// `part` and `frame_end` are those of the frame that is too much; without one (it would have no room for a header)
  /// the stretch goes on with the parts at walk.frame.
  bool reject_long(Walk const& walk, Part part, std::size_t frame_end) {
    bool const is_last = part == Part::whole || part == Part::last;
    std::size_t const cell = frame_end == 0 ? walk.begin : walk.frame;
    Walk before = walk;
    if (frame_end == 0) --before.frames;  // the frame that ends here is counted when it is passed
    Reject& piece = add_reject(before, FaultCode::record_too_long, {cell, cell + header_bytes});
    mode_ = is_last ? Mode::frame : Mode::sequence;
    skip_ = frame_end == 0 ? 0 : frame_end - walk.frame;
    return pass_rejected(piece, walk.frame);
  }

  /// A stretch that began in an earlier buffer.
  void go_on_rejecting() {
    Reject piece;
    piece.is_continued = true;
    if (mode_ == Mode::broken) {
      if (size() == 0 && !is_end_) return;
      frames_ended(piece) = is_end_ ? 1 : 0;
      end_piece(piece, size(), !is_end_);
      rejects_[count_++] = piece;
    } else if (pass_rejected(piece, 0)) {
      rejects_[count_++] = piece;
    }
  }

  /// Passes skip_ bytes from `at` on and then the parts that belong to the stretch. A stretch that may go on behind the
  /// buffer keeps its last byte for the next one: so every piece has bytes, and the frame that ends with it is counted
  /// once. False: no byte could be passed, and nothing has changed.
  bool pass_rejected(Reject& piece, std::size_t at) {
    for (;;) {
      if (skip_ > size() - at) return end_in_frame(piece, at);
      at += static_cast<std::size_t>(skip_);
      bool const is_unsure = mode_ != Mode::frame && size() - at < header_bytes && !is_end_;
      if (is_unsure) return end_unsure(piece, at);
      skip_ = 0;
      ++frames_ended(piece);
      Header const header = parse_header(bytes_.subspan(at));
      bool const is_part = header.part == Part::middle || header.part == Part::last;
      bool const goes_on = mode_ != Mode::frame && header.status == HeaderStatus::ok && is_part;
      if (!goes_on) {
        end_piece(piece, at, false);
        return true;
      }
      if (mode_ == Mode::sequence && header.part == Part::last) mode_ = Mode::frame;
      skip_ = frame_bytes(header.payload_bytes);
    }
  }

  bool end_in_frame(Reject& piece, std::size_t at) {
    if (is_end_) ++frames_ended(piece);
    bool const has_bytes = size() > piece.begin;
    if (!has_bytes && !is_end_) return false;
    skip_ -= size() - at;
    end_piece(piece, size(), !is_end_);
    return true;
  }

  /// The frame ends at `at`, and too few bytes are here to tell what follows.
  bool end_unsure(Reject& piece, std::size_t at) {
    std::size_t const end = at - 1;
    if (end == piece.begin) return false;
    skip_ = 1;
    end_piece(piece, end, true);
    return true;
  }

  Padding padding_;
  std::size_t record_max_;
  Mode mode_ = Mode::records;
  std::uint64_t skip_ = 0;  ///< bytes of a rejected frame that lie behind the last buffer

  Bytes bytes_;
  bool is_end_ = false;
  std::span<Reject> rejects_;
  std::size_t count_ = 0;
  std::size_t at_ = 0;
};

}  // namespace penstock::recordio
