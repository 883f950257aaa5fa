/// The first bytes of an input file: read once, looked at by the planner, and given again to the reader.
#pragma once

#include "host/io/inputs.hpp"
#include "host/pipeline/csv_sniff.hpp"
#include "host/pipeline/pipeline.hpp"
#include "penstock/source.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace penstock {

/// Bytes that a look at a file begins with. 64 KiB is what a pipe holds by default, and some hundred records of
/// most data sets.
inline constexpr std::size_t head_bytes = std::size_t{1} << 16;

/// An open input whose first bytes were read. Offsets count decompressed bytes from the file's start.
class CsvHead {
 public:
  /// Reads head_bytes, or all there are. Throws SourceError if the input cannot be opened or read, or if
  /// its first bytes are not those of a text (UTF-16, binary formats).
  explicit CsvHead(InputFile const& file);

  [[nodiscard]] std::string const& name() const { return source_name_; }
  /// Valid until grow(), release() or shard().
  [[nodiscard]] HeadText text() const;
  /// Bytes before text(): those of a UTF-8 byte order mark.
  [[nodiscard]] std::size_t mark_bytes() const { return mark_bytes_; }

  /// Reads on until twice as much is there, but not beyond `bytes_max`. False if there is nothing more to read.
  bool grow(std::size_t bytes_max);
  /// Closes an input that can be opened again, and forgets its bytes.
  void release();

  /// What lies behind the first `offset` bytes, which are part of what was read. An input that can be read only
  /// once goes into the shard's source: a second call throws SourceError.
  [[nodiscard]] Shard shard(std::size_t offset, bool follows_cr);

 private:
  void read_until(std::size_t size);
  [[nodiscard]] bool is_reopened() const { return file_.is_regular && !file_.is_stdin; }

  InputFile file_;
  std::unique_ptr<Source> source_;
  std::string source_name_;
  std::string bytes_;
  std::size_t mark_bytes_ = 0;
  bool is_whole_ = false;
  bool is_taken_ = false;
};

}  // namespace penstock
