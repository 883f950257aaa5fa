/// Lines of a buffer, found 64 bytes at a time and cut off whole. All of it is compiled once for each instruction set;
/// what is not stands in formats/core/line_ends.hpp.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "formats/core/block.hpp"
#include "formats/core/line_ends.hpp"
#include "penstock/chunk.hpp"
#include "penstock/fault.hpp"

namespace penstock {

/// Bit i: byte i of the 64-byte block is LF or CR.
template <class Isa>
[[gnu::always_inline]] inline std::uint64_t block_line_ends(Isa isa, char const* block) {
  return block_equal(isa, block, '\n') | block_equal(isa, block, '\r');
}

/// Where the first line end of [begin, end) stands, or `end`. Reads up to 63 bytes more.
template <class Isa>
std::uint32_t first_line_end(char const* text, std::uint32_t begin, std::uint32_t end) {
  for (std::uint32_t at = begin; at < end;) {
    std::uint32_t const left = end - at;
    std::uint64_t const ends = block_line_ends(Isa{}, text + at) & first_bits(left);
    if (ends != 0) return at + static_cast<std::uint32_t>(std::countr_zero(ends));
    at += std::min<std::uint32_t>(left, block_bytes);
  }
  return end;
}

/// Where the last line end of [begin, end) stands, or `end`. Reads up to 63 bytes more.
template <class Isa>
std::uint32_t last_line_end(char const* text, std::uint32_t begin, std::uint32_t end) {
  constexpr auto block = static_cast<std::uint32_t>(block_bytes);
  for (std::uint32_t blocks = (end - begin + (block - 1)) / block; blocks > 0; --blocks) {
    std::uint32_t const at = begin + (blocks - 1) * block;
    std::uint64_t const ends = block_line_ends(Isa{}, text + at) & first_bits(end - at);
    if (ends != 0) return at + 63 - static_cast<std::uint32_t>(std::countl_zero(ends));
  }
  return end;
}

/// Cuts a shard's bytes behind the last line end of each buffer. A line of more than `record_max` bytes (its end not
/// counted) is rejected whole, whatever stands in it. Searches backwards, so that of a buffer of short lines only the
/// end is looked at; what was searched is not searched again when the carry comes back.
///
///     buffer   1 1:2 LF 0 3:1 LF 1 7     whole: up to the last LF;     carry: 1 7
template <class Isa>
class LineCutter : public Cutter {
 public:
  /// `record_max`: the most bytes of a line, 1 or more.
  explicit LineCutter(std::size_t record_max) : record_max_(record_max) {}

  void restart() override {
    is_discarding_ = false;
    searched_ = 0;
  }

  Cut cut(char* buffer, std::uint32_t size, bool is_shard_end, std::span<Reject> rejects) override {
    buffer_ = buffer;
    size_ = size;
    rejects_ = rejects;
    cut_ = {};
    line_begin_ = 0;
    if (is_discarding_) go_on_discarding(is_shard_end);
    while (line_begin_ < size_ && cut_.rejects < rejects_.size()) {
      if (pass_lines()) continue;
      if (size_ - line_begin_ > record_max_) {
        reject_line(is_shard_end);
      } else if (is_shard_end) {
        add_line_end();
      } else {
        break;
      }
    }
    cut_.whole = line_begin_;
    searched_ -= std::min(searched_, line_begin_);
    return cut_;
  }

 private:
  /// Goes behind the last line end such that no line before it can be too long. False: there is none.
  bool pass_lines() {
    std::uint32_t const limit =
        size_ - line_begin_ > record_max_ ? line_begin_ + static_cast<std::uint32_t>(record_max_) + 1 : size_;
    std::uint32_t const begin = std::max(line_begin_, searched_);
    if (begin >= limit) return false;
    std::uint32_t const last = last_line_end<Isa>(buffer_, begin, limit);
    searched_ = limit;
    if (last == limit) return false;
    line_begin_ = last + 1;
    return true;
  }

  void reject_line(bool is_shard_end) {
    Reject reject;
    reject.begin = line_begin_;
    reject.end = first_line_end<Isa>(buffer_, std::max(line_begin_, searched_), size_);
    reject.fault.code = FaultCode::record_too_long;
    reject.fault.record_begin = reject.fault.cell_begin = reject.fault.cell_end = reject.begin;
    reject.fault.record_end = reject.end;
    pass(reject, is_shard_end);
  }

  /// A line longer than the buffer goes on here; what is left of it is passed over.
  void go_on_discarding(bool is_shard_end) {
    Reject reject;
    reject.end = first_line_end<Isa>(buffer_, 0, size_);
    reject.is_continued = true;
    pass(reject, is_shard_end);
  }

  void pass(Reject reject, bool is_shard_end) {
    reject.resume = std::min(reject.end + 1, size_);
    reject.continues = is_discarding_ = reject.end == size_ && !is_shard_end;
    rejects_[cut_.rejects++] = reject;
    line_begin_ = searched_ = reject.resume;
  }

  /// The shard ends inside a line: it ends here.
  void add_line_end() {
    cut_.has_added_line_end = true;
    buffer_[size_] = '\n';
    line_begin_ = size_ + 1;
  }

  std::size_t record_max_;
  char* buffer_ = nullptr;
  std::uint32_t size_ = 0;
  std::span<Reject> rejects_;
  Cut cut_;
  std::uint32_t line_begin_ = 0;  ///< of the first line that has not ended
  std::uint32_t searched_ = 0;    ///< no line end stands between line_begin_ and it
  bool is_discarding_ = false;    ///< the buffer begins inside a rejected line
};

}  // namespace penstock
