/// Opening outputs, and temporary space for what must be written later than it is known.
#pragma once

#include "host/io/file_descriptor.hpp"
#include "penstock/error.hpp"
#include "penstock/sink.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {

/// The reader of a pipe or socket went away. A command line ends quietly on this.
struct ClosedPipeError : SinkError {
  using SinkError::SinkError;
};

/// A sink that can go back, for headers that are known last.
class SeekableSink : public Sink {
 public:
  /// Writes at `offset_bytes` from the start, and does not move where write() goes on. Bytes that are
  /// stepped over read as zeros until they are written. Throws SinkError.
  virtual void write_at(std::uint64_t offset_bytes, std::span<std::byte const> bytes) = 0;
};

struct SinkOptions {
  bool overwrite = false;  ///< replace a regular file that exists (the command line's --force)
};

/// The descriptor that `path` stands for: /dev/stdout, /dev/stderr, /dev/fd/N, /proc/self/fd/N. What it leads to was
/// opened by somebody else: replacing it would take a file away from under whoever opened it.
[[nodiscard]] std::optional<int> descriptor_named(std::string_view path) noexcept;

/// Opens an output. "-" is standard output; it, other names of descriptors, FIFOs, devices and sockets are written
/// directly. Everything else
/// becomes a regular file: the sink is a SeekableSink that writes beside `path` (".NAME.XXXXXX.partial") and
/// commit() renames; a link to a file is followed, and a file that is replaced leaves its permissions to the
/// new one. Throws SinkError at once if a regular file exists and may not be overwritten, if `path` is a
/// folder, or if its folder does not exist or cannot be written to; commit() throws SinkError if the file was
/// created meanwhile. Throws ConfigurationError where check_not_captured() does. Opening a FIFO waits for its reader,
/// until InterruptedError. commit() is called once, last. After a SinkError the sink takes nothing more and is gone
/// from the disk.
[[nodiscard]] std::unique_ptr<Sink> open_sink(std::string const& path, SinkOptions const& options);

/// Takes a committed regular file away again, when another output of the same run failed. Leaves "-", FIFOs
/// and devices alone. False if it is still there.
bool remove_committed(std::string const& path) noexcept;

/// Bytes in order, kept in memory up to a MiB and beyond that in a nameless file in the folder of
/// `beside_path`, the disk that the output will need anyway (for descriptors, FIFOs and devices: TMPDIR or /tmp).
/// Nothing is left behind, whatever happens. Move-only. All members throw SinkError.
class Spool {
 public:
  explicit Spool(std::string const& beside_path);
  void write(std::span<std::byte const> bytes);
  [[nodiscard]] std::uint64_t size_bytes() const { return stored_bytes_ + buffer_.size(); }
  /// Writes everything to `sink`, from the start. The spool stays as it is and can be added to.
  void copy_to(Sink& sink);

 private:
  void flush();

  std::string folder_;
  FileDescriptor file_;  ///< opened when the buffer is full for the first time
  std::uint64_t stored_bytes_ = 0;
  std::vector<std::byte> buffer_;
};

}  // namespace penstock
