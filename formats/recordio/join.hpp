/// The frames of one record, and the parts of a split one made into one payload again.
/// Rules: formats/recordio/README.md, "Split records".
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "formats/recordio/framing.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::recordio {

/// The record at the start of some bytes that a cutter has passed.
struct RecordFrames {
  std::size_t size_bytes = 0;  ///< of all its frames, with padding as far as it is there
  std::uint32_t frames = 0;
  bool is_split = false;
  Bytes payload;  ///< of a record that is not split
};

namespace detail {

/// Calls `use(Header, Bytes payload)` for each frame of the record at the start of `bytes`; returns the record's size.
/// Lengths that reach beyond `bytes` are cut short.
template <class Use>
std::size_t for_each_part(Bytes bytes, Use use) {
  std::size_t at = 0;
  while (bytes.size() - at >= header_bytes) {
    Header const header = parse_header(bytes.subspan(at, header_bytes));
    Bytes const rest = bytes.subspan(at + header_bytes);
    use(header, rest.first(std::min<std::size_t>(header.payload_bytes, rest.size())));
    at = std::min(at + frame_bytes(header.payload_bytes), bytes.size());
    if (header.part == Part::whole || header.part == Part::last) return at;
  }
  return bytes.size();
}

}  // namespace detail

/// `bytes` is not empty and begins with a record.
inline RecordFrames frames_at(Bytes bytes) {
  RecordFrames record;
  if (bytes.size() >= header_bytes) {  // most records are one frame
    Header const header = parse_header(bytes);
    std::size_t const room = bytes.size() - header_bytes;
    if (header.part == Part::whole && header.payload_bytes <= room)
      return {std::min(frame_bytes(header.payload_bytes), bytes.size()), 1, false,
              bytes.subspan(header_bytes, header.payload_bytes)};
  }
  record.size_bytes = detail::for_each_part(bytes, [&record](Header header, Bytes payload) {
    ++record.frames;
    record.is_split = header.part != Part::whole;
    record.payload = payload;
  });
  return record;
}

/// Joins parts in memory that grows to the longest record that was split: its frames' size, and at most twice that.
class Joiner {
 public:
  /// Whether the magic may have stood between the parts: a writer that takes it out does so at multiples of four bytes.
  [[nodiscard]] static bool may_have_magic(Bytes frames) {
    bool may_have = true;
    detail::for_each_part(frames, [&may_have](Header header, Bytes) {
      if (header.part != Part::last) may_have = may_have && header.payload_bytes % 4 == 0;
    });
    return may_have;
  }

  /// The payload of the split record that is `frames`, valid until the next call.
  Bytes join(Bytes frames, bool has_magic) {
    // A header takes more than the magic that may come in its place.
    if (memory_.size() < frames.size()) memory_.resize(frames.size());
    std::byte* into = memory_.data();
    detail::for_each_part(frames, [&into, has_magic](Header header, Bytes payload) {
      if (has_magic && header.part != Part::first) into = put_word(into, magic);
      if (!payload.empty()) std::memcpy(into, payload.data(), payload.size());
      into += payload.size();
    });
    return {memory_.data(), into};
  }

 private:
  std::vector<std::byte> memory_;
};

}  // namespace penstock::recordio
