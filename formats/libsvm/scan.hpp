/// Where separators stand: blanks, colons, comments and line ends, 64 bytes at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "formats/core/block.hpp"
#include "formats/core/line_ends.hpp"
#include "formats/core/lines.hpp"

namespace penstock::libsvm {

/// A list of the separators of the next few KiB of text, in order of position. Takes its memory when it is made.
template <class Isa>
class Separators {
 public:
  Separators() : positions_(std::make_unique<std::uint32_t[]>(piece_bytes + 2 * block_bytes)) {}

  /// Nothing is known of the text from `at` on.
  void restart(std::uint32_t at) {
    scanned_ = at;
    first_ = count_ = 0;
  }

  /// All separators before it are in the list, or were dropped.
  [[nodiscard]] std::uint32_t scanned() const { return scanned_; }
  [[nodiscard]] std::uint32_t size() const { return count_ - first_; }
  [[nodiscard]] std::uint32_t const* begin() const { return positions_.get() + first_; }
  [[nodiscard]] std::uint32_t const* end() const { return positions_.get() + count_; }
  [[nodiscard]] std::uint32_t front() const { return positions_[first_]; }
  void drop(std::uint32_t count) { first_ += count; }

  /// Drops separators before `at`, which may lie behind all that was scanned.
  void catch_up(std::uint32_t at) {
    while (first_ < count_ && positions_[first_] < at) ++first_;
    if (at > scanned_) restart(at);
  }

  /// Appends the separators of the next piece of text, which ends at `text_end`. Reads up to 63 bytes more. At most a
  /// few are left in the list.
  void scan(char const* text, std::uint32_t text_end) {
    if (first_ != 0) std::copy(begin(), end(), positions_.get());
    count_ -= first_;
    first_ = 0;
    std::uint32_t const stop = scanned_ + std::min<std::uint32_t>(text_end - scanned_, piece_bytes);
    for (; scanned_ < stop; scanned_ += block_bytes) {
      char const* const block = text + scanned_;
      std::uint64_t const blanks = block_equal(Isa{}, block, ' ') | block_equal(Isa{}, block, '\t');
      std::uint64_t const marks = block_equal(Isa{}, block, ':') | block_equal(Isa{}, block, '#');
      append((blanks | marks | block_line_ends(Isa{}, block)) & first_bits(stop - scanned_));
    }
    scanned_ = stop;
  }

 private:
  /// Text and list stay in the first cache while they are converted: 8 KiB of pairs of eight to sixteen bytes have 4 to
  /// 8 KiB of positions (at the worst, one a byte, 32 KiB).
  static constexpr std::size_t piece_bytes = 8192;

  /// Positions are written several at a time without asking (twelve first: a block of pairs of 16 bytes, the most usual
  /// length, has seven to nine); what is too much is written over by the next block.
  [[gnu::always_inline]] void append(std::uint64_t mask) {
    std::uint32_t* out = positions_.get() + count_;
    count_ += static_cast<std::uint32_t>(std::popcount(mask));
    std::uint32_t* const last = positions_.get() + count_;
    auto const write = [&](unsigned positions) {
      for (unsigned i = 0; i < positions; ++i) {
        *out++ = scanned_ + static_cast<unsigned>(std::countr_zero(mask));
        mask &= mask - 1;
      }
    };
    write(12);
    while (out < last) write(8);
  }

  std::unique_ptr<std::uint32_t[]> positions_;
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t scanned_ = 0;
};

}  // namespace penstock::libsvm
