/// Physical lines of a chunk, counted on demand and only forwards: the place counter of text formats.
#pragma once

#include <cstdint>

#include "penstock/chunk.hpp"

namespace penstock {

/// Line ends are LF, CR, and CR LF as one.
class LineCounter {
 public:
  void begin(Chunk const& chunk, std::uint64_t first_line) {
    text_ = chunk.text.data;
    at_ = 0;
    line_ = first_line;
    line_begin_ = 0;
    follows_cr_ = chunk.follows_cr;
  }
  /// Goes on to `offset`, which never decreases within a chunk.
  void advance(std::uint32_t offset) {
    for (; at_ < offset; ++at_) {
      char const byte = text_[at_];
      if (byte == '\n' || byte == '\r') {
        line_ += byte == '\n' && follows_cr_ ? 0 : 1;
        line_begin_ = at_ + 1;
      }
      follows_cr_ = byte == '\r';
    }
  }
  [[nodiscard]] std::uint64_t line() const { return line_; }              ///< 1-based
  [[nodiscard]] std::uint32_t line_begin() const { return line_begin_; }  ///< offset in the chunk

 private:
  char const* text_ = nullptr;
  std::uint32_t at_ = 0;
  std::uint32_t line_begin_ = 0;
  std::uint64_t line_ = 1;
  bool follows_cr_ = false;
};

}  // namespace penstock
