/// Records to measure with, the same bytes every time: those of `penstock synth`, and variants of them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/chunk.hpp"

namespace penstock::bench {

enum class TextFormat { csv, libsvm, recordio, deepar, objects };

/// A kind of text.
struct TextKind {
  std::string_view name;
  std::string_view synth;  ///< the kind of `penstock synth`; empty: made here
  TextFormat format;
  bool is_quoted = false;        ///< every CSV cell that is not empty stands in quotes
  bool is_bad = false;           ///< one record of a hundred is bad
  bool is_read_by_host = false;  ///< its decoder looks at the text before it is copied
};
[[nodiscard]] std::span<TextKind const> text_kinds();

/// Whole records.
struct Text {
  std::string bytes;
  std::vector<std::size_t> ends;  ///< of each record, line end included
};
/// At least `size_bytes` of them.
[[nodiscard]] Text make_text(TextKind const& kind, std::size_t size_bytes);

/// Chunks of whole records, one behind the other in memory.
struct Slots {
  std::vector<Chunk> chunks;
  std::vector<std::size_t> records;  ///< in each chunk
  std::size_t text_bytes = 0;        ///< of all chunks
};

/// Bytes from one chunk's memory to the next's: padding on either side of the text, and cache lines of their own.
constexpr std::size_t slot_stride(std::size_t slot_bytes) {
  return (slot_bytes + 2 * text_padding + 1 + 255) / 256 * 256;
}

/// Fills `count` slots with records of `text`, over and over; each holds as many as fit. `memory` holds
/// count * slot_stride(slot_bytes) and begins with padding.
[[nodiscard]] Slots fill_slots(Text const& text, std::size_t slot_bytes, std::size_t count, char* memory);

}  // namespace penstock::bench
