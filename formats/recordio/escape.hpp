/// Splitting a record where its payload holds the magic, for readers that look for frames by searching it.
/// Rules and examples: formats/recordio/README.md, "Split records".
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "formats/recordio/framing.hpp"

namespace penstock::recordio {

namespace detail {

inline std::byte* put_part_header(std::byte* into, Part part, std::size_t payload_bytes) {
  std::uint32_t const flag = static_cast<std::uint32_t>(part) << 29;
  return put_word(put_word(into, magic), flag | static_cast<std::uint32_t>(payload_bytes));
}

inline std::size_t count_magics(std::byte const* payload, std::size_t size_bytes) {
  std::size_t count = 0;
  for (std::size_t at = 0; at + 4 <= size_bytes; at += 4) count += get_word(payload + at) == magic;
  return count;
}

}  // namespace detail

/// Most bytes that a frame of `bytes` becomes: where the payload is nothing but magics, each becomes a header.
constexpr std::size_t escaped_bytes_max(std::size_t bytes) { return 2 * bytes; }

/// Splits the payload of `payload_bytes` in the whole frame at `frame` at every magic that stands at a multiple of four
/// bytes from its start: the magic is left out, and the reader puts it back. Without padding before and after: returns
/// the end of the last payload, `frame + header_bytes + payload_bytes + 4 * magics`.
///
///   before  [8 header] a a a a M M M M b b
///   after   [8 first] a a a a [8 last] b b
inline std::byte* split_at_magics(std::byte* frame, std::size_t payload_bytes) {
  std::byte* const payload = frame + header_bytes;
  std::size_t const magics = detail::count_magics(payload, payload_bytes);
  std::byte* const end = payload + payload_bytes + 4 * magics;
  if (magics == 0) return end;
  // From the back: a part moves by four bytes for every magic before it, its header takes the place that this makes.
  std::size_t part_end = payload_bytes, left = magics;
  for (std::size_t at = payload_bytes & ~std::size_t{3}; left > 0;) {
    at -= 4;
    if (get_word(payload + at) != magic) continue;
    std::size_t const size = part_end - (at + 4);
    std::byte* const to = payload + at + 4 + 4 * left;
    if (size != 0) std::memmove(to, payload + at + 4, size);
    detail::put_part_header(to - header_bytes, left == magics ? Part::last : Part::middle, size);
    part_end = at;
    --left;
  }
  detail::put_part_header(frame, Part::first, part_end);
  return end;
}

}  // namespace penstock::recordio
