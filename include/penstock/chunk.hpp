/// Chunks: whole records on their way from a source to a decoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "penstock/fault.hpp"

namespace penstock {

/// Bytes of text, not owned. In a chunk, at least `text_padding` bytes before `data` and after
/// `data + size` may be read (their content means nothing), so that passes can load whole vectors.
struct Text {
  char const* data = nullptr;
  std::size_t size = 0;

  [[nodiscard]] constexpr char const* begin() const { return data; }
  [[nodiscard]] constexpr char const* end() const { return data + size; }
};
/// In bytes: the widest vector that a pass loads.
inline constexpr std::size_t text_padding = 64;

/// Where a chunk comes from: the order of chunks is (`sequence`), and `offset_bytes` counts decompressed
/// bytes from the start of the shard (an input file).
struct Stamp {
  std::uint32_t shard = 0;  ///< counts from 0 in the order of the inputs
  std::uint64_t offset_bytes = 0;
  std::uint64_t sequence = 0;  ///< counts from 0 over all shards
};

/// A stretch of a chunk that holds no record that could be decoded: a line that the cutter rejected
/// because no record end was found within the limits. `[begin, end)` excludes the line end. A line longer
/// than one chunk goes on in the next (`continues`), there without a fault of its own (`is_continued`).
struct Reject {
  Fault fault;
  std::uint32_t begin = 0;  ///< these count bytes from the start of the chunk's text
  std::uint32_t end = 0;
  std::uint32_t resume = 0;   ///< where decoding goes on: after the line end
  bool is_continued = false;  ///< the line began in an earlier chunk, which reported it
  bool continues = false;     ///< the line goes on in the next chunk of the shard
};

/// Whole records of one shard: `text` begins at a record's start and ends with a line end. At the end of
/// an input without a final line end, one is added.
struct Chunk {
  Text text;
  Stamp stamp;
  std::span<Reject const> rejects;  ///< in order of position
  bool follows_cr = false;          ///< the byte before the text is a CR, so a leading LF is no new line
  bool has_added_line_end = false;  ///< the last byte of `text`, which the shard does not hold
  char const* on_device =
      nullptr;  ///< `text` in memory of the lanes' device, as long as it is valid here; null: not there
};

/// What a cut found: `buffer == whole + carry`, or `buffer + added line end == whole` at a shard's end.
struct Cut {
  std::uint32_t whole = 0;          ///< bytes that can be decoded
  std::size_t rejects = 0;          ///< how many rejects lie in them
  bool has_added_line_end = false;  ///< one was written behind the buffer's last byte
  char const* on_device = nullptr;  ///< these bytes in memory of a device, until arrive() is called for the same buffer
};

/// Cuts the bytes of shards, buffer by buffer, into whole records. What it finds does not depend on how the
/// bytes were spread over buffers.
class Cutter {
 public:
  virtual ~Cutter() = default;
  /// Forgets everything: a new shard begins.
  virtual void restart() = 0;
  /// `buffer` holds the carry of the last cut (buffer + whole .. end) and the bytes read after it; text_padding bytes
  /// behind it are readable and writable. `rejects` is memory for at least one; when it is full the cut ends early,
  /// also at a shard's end. `whole == 0` before the shard's end: the first record needs a longer buffer.
  virtual Cut cut(char* buffer, std::uint32_t size, bool is_shard_end, std::span<Reject> rejects) = 0;

  /// The first `size` bytes of a buffer that cut() will be given next are there: an engine that looks at text in memory
  /// of its own may begin to copy them. Until cut() returns the buffer is neither moved nor written to before `size`.
  virtual void arrive(char const* /*buffer*/, std::uint32_t /*size*/) {}
  /// The most bytes that it likes to hear of at a time; not 0.
  [[nodiscard]] virtual std::size_t piece_bytes() const { return std::numeric_limits<std::size_t>::max(); }
};

}  // namespace penstock
