/// Where lines end, byte by byte: what all formats share whose records are the lines of a text.
///
/// A line ends with LF, CR or CR LF. To a cutter CR LF is two line ends with an empty line between, which no format
/// takes for a record; so it does not matter on which side of a border the LF comes to lie. Only counting joins the
/// two.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/platform.hpp"
#include "penstock/chunk.hpp"

namespace penstock {

PENSTOCK_HD constexpr bool ends_line(char c) { return c == '\n' || c == '\r'; }

/// Bytes of the UTF-8 byte order mark at a shard's start, which is no part of its first line: 3 or 0. A line that
/// begins there ends in the chunk, so nothing beyond is looked at.
constexpr std::uint32_t mark_bytes(Chunk const& chunk) {
  char const* const text = chunk.text.data;
  bool const is_there = chunk.stamp.offset_bytes == 0 && chunk.text.size > 0 && text[0] == '\xef' &&
                        text[1] == '\xbb' && text[2] == '\xbf';
  return is_there ? 3 : 0;
}

/// The lowest `size` bits, `size` from 1 on; all of them from 64 on.
PENSTOCK_HD constexpr std::uint64_t first_bits(std::size_t size) {
  return size >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << size) - 1;
}

/// Whether the line end at `at` ends a physical line: an LF behind a CR does not.
PENSTOCK_HD constexpr bool is_new_line(char const* text, std::uint32_t at, bool text_follows_cr) {
  return text[at] == '\r' || !(at == 0 ? text_follows_cr : text[at - 1] == '\r');
}

}  // namespace penstock
