/// Frames of a chunk, counted on demand and only forwards: the place counter of RecordIO.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/recordio/cut.hpp"
#include "formats/recordio/framing.hpp"
#include "penstock/chunk.hpp"

namespace penstock::recordio {

/// Counts the frames before an offset by their headers, and those of rejected stretches as the cutter did. A stretch
/// that began in an earlier chunk begins inside a frame and is passed as a whole.
class FrameCounter {
 public:
  void begin(Chunk const& chunk, std::uint64_t first_frame) {
    chunk_ = chunk;
    next_reject_ = 0;
    in_reject_ = 0;
    at_ = 0;
    frame_ = first_frame;
  }

  /// Goes on to `offset`, which never decreases within a chunk and may lie behind it.
  void advance(std::uint32_t offset) {
    while (step(offset)) {
    }
  }

  /// 1-based number of the frame that holds the offset.
  [[nodiscard]] std::uint64_t line() const { return frame_; }
  /// Where it begins in the chunk; 0 if it began earlier.
  [[nodiscard]] std::uint32_t line_begin() const { return static_cast<std::uint32_t>(at_); }

 private:
  /// Passes a frame, or a rejected stretch, that ends at or before `offset`. False: there is none.
  bool step(std::uint32_t offset) {
    bool const is_reject = next_reject_ < chunk_.rejects.size() && chunk_.rejects[next_reject_].begin <= at_;
    if (!is_reject) return step_frame(offset);
    Reject const& reject = chunk_.rejects[next_reject_];
    if (offset < reject.resume) return !reject.is_continued && step_frame(offset, reject.resume);
    frame_ += frames_ended(reject) - in_reject_;
    in_reject_ = 0;
    at_ = reject.resume;
    ++next_reject_;
    return true;
  }

  bool step_frame(std::uint32_t offset) {
    if (!pass_frame(offset, chunk_.text.size)) return false;
    ++frame_;
    return true;
  }

  /// The same inside a reject: what is counted here is not counted at its end.
  bool step_frame(std::uint32_t offset, std::size_t resume) {
    if (!pass_frame(offset, resume)) return false;
    ++frame_;
    ++in_reject_;
    return true;
  }

  bool pass_frame(std::uint32_t offset, std::size_t limit) {
    if (at_ + header_bytes > limit) return false;
    Header const header = parse_header({reinterpret_cast<std::byte const*>(chunk_.text.data) + at_, header_bytes});
    std::size_t const end = at_ + frame_bytes(header.payload_bytes);
    if (header.status != HeaderStatus::ok || end > limit || end > offset) return false;
    at_ = end;
    return true;
  }

  Chunk chunk_;
  std::size_t next_reject_ = 0;
  std::uint32_t in_reject_ = 0;  ///< frames of the next reject that were passed
  std::size_t at_ = 0;           ///< where the frame begins
  std::uint64_t frame_ = 1;
};

}  // namespace penstock::recordio
