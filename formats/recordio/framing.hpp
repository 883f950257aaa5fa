/// RecordIO frames: the container around a record. Layout and limits: formats/recordio/README.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "formats/core/platform.hpp"

namespace penstock::recordio {

/// First word of every frame; in the file `0a 23 d7 ce`. Its top three bits are 6, which no legal length
/// word has.
inline constexpr std::uint32_t magic = 0xCED7230Au;
/// Magic and length word.
inline constexpr std::size_t header_bytes = 8;
/// A payload is shorter than this: 29 bits of the length word hold its size, three hold the flag.
inline constexpr std::uint32_t payload_limit_bytes = 1u << 29;

/// What a frame holds: a record, or a part of one that was split. 4 to 7 are unassigned.
enum class Part : std::uint8_t { whole = 0, first = 1, middle = 2, last = 3 };

/// `size_bytes` rounded up to the four bytes that frames are multiples of.
PENSTOCK_HD constexpr std::size_t padded(std::size_t size_bytes) { return (size_bytes + 3) & ~std::size_t{3}; }

/// Size in the file of a frame with a payload of `payload_bytes`.
PENSTOCK_HD constexpr std::size_t frame_bytes(std::size_t payload_bytes) {
  return header_bytes + padded(payload_bytes);
}

/// The little-endian word at `at`, which need not be aligned.
PENSTOCK_HD constexpr std::uint32_t get_word(std::byte const* at) {
  return static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8 |
         static_cast<std::uint32_t>(at[2]) << 16 | static_cast<std::uint32_t>(at[3]) << 24;
}

PENSTOCK_HD constexpr std::byte* put_word(std::byte* into, std::uint32_t word) {
  for (int i = 0; i < 4; ++i) into[i] = static_cast<std::byte>(word >> (8 * i) & 0xff);
  return into + 4;
}

/// Writes the header of an unsplit frame; `payload_bytes` is below payload_limit_bytes. Returns its end.
PENSTOCK_HD constexpr std::byte* put_header(std::byte* into, std::uint32_t payload_bytes) {
  return put_word(put_word(into, magic), payload_bytes);
}

enum class HeaderStatus : std::uint8_t {
  ok,
  truncated,      ///< fewer than header_bytes bytes are left, and what is there may begin a header
  bad_magic,      ///< the bytes are not the start of a frame
  reserved_flag,  ///< the flag is 4 to 7: corrupt, or a length of 2^31 or more from a careless writer
};

/// A header; `part` and `payload_bytes` mean something if `status` is ok.
struct Header {
  HeaderStatus status = HeaderStatus::truncated;
  Part part = Part::whole;
  std::uint32_t payload_bytes = 0;
};

/// Reads the header at the start of `bytes`; looks at no more than header_bytes bytes.
constexpr Header parse_header(std::span<std::byte const> bytes) {
  if (bytes.size() < header_bytes) {
    std::array<std::byte, 4> expected{};
    put_word(expected.data(), magic);
    for (std::size_t i = 0; i < 4 && i < bytes.size(); ++i)
      if (bytes[i] != expected[i]) return {HeaderStatus::bad_magic, Part::whole, 0};
    return {HeaderStatus::truncated, Part::whole, 0};
  }
  if (get_word(bytes.data()) != magic) return {HeaderStatus::bad_magic, Part::whole, 0};
  std::uint32_t const word = get_word(bytes.data() + 4);
  std::uint32_t const flag = word >> 29;
  if (flag > 3) return {HeaderStatus::reserved_flag, Part::whole, 0};
  return {HeaderStatus::ok, static_cast<Part>(flag), word & (payload_limit_bytes - 1)};
}

enum class FrameStatus : std::uint8_t {
  ok,                 ///< a whole record
  multi_part,         ///< a part of a split record: `part` and `payload` say which and what; no join is made
  end,                ///< no bytes are left
  truncated_header,   ///< the bytes end inside a header
  truncated_payload,  ///< the bytes end inside a payload
  truncated_pad,      ///< the payload is complete (see `payload`), its last pad bytes are missing
  bad_magic,          ///< no frame begins here
  reserved_flag,      ///< the flag is 4 to 7
};

constexpr std::string_view describe(FrameStatus status) {
  constexpr std::string_view texts[] = {
      "a whole record",
      "a part of a record that was split into several frames",
      "the end of the input",
      "the input ends inside a frame header",
      "the input ends inside a record",
      "the input ends before the padding of its last record",
      "no frame begins here (the magic number 0xced7230a is missing)",
      "the frame has an unassigned flag (4 to 7)",
  };
  return texts[static_cast<std::size_t>(status)];
}

/// One step of a FrameCursor. `payload` is a view into the cursor's bytes, empty unless the status is ok,
/// multi_part or truncated_pad.
struct Frame {
  FrameStatus status = FrameStatus::end;
  Part part = Part::whole;
  std::size_t offset_bytes = 0;  ///< of the header, from the start of the cursor's bytes
  std::span<std::byte const> payload;
};

/// Walks frames by their headers. It never searches for the magic, which may occur inside payloads
/// (the float32 -1804698880.0 has its bits), so one wrong frame ends the walk: next() then returns the same
/// status again. After a truncated_* status, a caller that has more input continues with a new cursor over
/// the bytes from offset_bytes() on; a caller that has none decides whether a missing pad is forgiven.
class FrameCursor {
 public:
  explicit constexpr FrameCursor(std::span<std::byte const> bytes) : bytes_(bytes) {}

  /// The frame at offset_bytes(). Moves past it if the status is ok or multi_part.
  constexpr Frame next() {
    auto const rest = bytes_.subspan(at_);
    Frame frame{FrameStatus::end, Part::whole, at_, {}};
    if (rest.empty()) return frame;
    Header const header = parse_header(rest);
    if (header.status != HeaderStatus::ok) {
      frame.status = status_of(header.status);
      return frame;
    }
    frame.part = header.part;
    std::size_t const room = rest.size() - header_bytes;
    if (room < header.payload_bytes) {
      frame.status = FrameStatus::truncated_payload;
      return frame;
    }
    frame.payload = rest.subspan(header_bytes, header.payload_bytes);
    if (room < padded(header.payload_bytes)) {
      frame.status = FrameStatus::truncated_pad;
      return frame;
    }
    at_ += frame_bytes(header.payload_bytes);
    frame.status = header.part == Part::whole ? FrameStatus::ok : FrameStatus::multi_part;
    return frame;
  }

  /// Where the next frame begins: everything before it was whole frames.
  [[nodiscard]] constexpr std::size_t offset_bytes() const { return at_; }

 private:
  static constexpr FrameStatus status_of(HeaderStatus status) {
    switch (status) {
      case HeaderStatus::bad_magic: return FrameStatus::bad_magic;
      case HeaderStatus::reserved_flag: return FrameStatus::reserved_flag;
      default: return FrameStatus::truncated_header;
    }
  }

  std::span<std::byte const> bytes_;
  std::size_t at_ = 0;
};

}  // namespace penstock::recordio
