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

/// Where a shard begins in its file.
struct ShardStart {
  std::uint64_t offset_bytes = 0;
  std::uint64_t line = 1;  ///< 1-based
  bool follows_cr = false;
};

/// An open input whose first bytes were read. Offsets count decompressed bytes from the file's start.
class CsvHead {
 public:
  /// Reads head_bytes, or all there are. Throws SourceError if the input cannot be opened or read, or if
  /// its first bytes are not those of a text (UTF-16, binary formats).
  explicit CsvHead(InputFile const& file);

  [[nodiscard]] std::string const& name() const { return source_name_; }
  /// What was read and not dropped. Valid until grow(), drop(), drop_line(), release() or shard().
  [[nodiscard]] HeadText text() const;
  /// Where text() begins: behind a UTF-8 byte order mark, and behind what was dropped.
  [[nodiscard]] std::uint64_t offset_bytes() const { return offset_bytes_; }
  /// 1-based number of the line in which text() begins.
  [[nodiscard]] std::uint64_t line() const { return line_; }
  /// The byte before text() is a CR.
  [[nodiscard]] bool follows_cr() const { return follows_cr_; }
  /// Where a reader of all records begins: an input that can be opened again is read from its start, behind the byte
  /// order mark, whatever was dropped.
  [[nodiscard]] ShardStart start() const;
  /// Can be opened again and read from any byte.
  [[nodiscard]] bool is_reopened() const { return file_.is_regular && !file_.is_stdin; }

  /// Reads on until text() is twice as long, but not beyond `bytes_max`. False if there is nothing more to read.
  bool grow(std::size_t bytes_max);
  /// Forgets the first bytes of text(), and reads on until head_bytes are there. Of an input that is read once they
  /// are lost to the reader too.
  void drop(std::size_t bytes);
  /// drop() of everything up to the next line end, and of that.
  void drop_line();
  /// Closes an input that can be opened again, and gives the memory of its bytes back.
  void release();

  /// What lies behind the first `offset` bytes, which are part of text() or just before it. An input that can be read
  /// only once goes into the shard's source: a second call throws SourceError.
  [[nodiscard]] Shard shard(std::uint64_t offset, bool follows_cr);

 private:
  void read_until(std::size_t size);

  InputFile file_;
  std::unique_ptr<Source> source_;
  std::string source_name_;
  std::string bytes_;
  std::uint64_t mark_bytes_ = 0;
  std::uint64_t offset_bytes_ = 0;
  std::uint64_t line_ = 1;
  bool follows_cr_ = false;
  bool is_whole_ = false;
  bool is_taken_ = false;
};

}  // namespace penstock
