/// Sinks: where bytes go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace penstock {

/// A stream of bytes that becomes visible as a whole, if it can be (a regular file is written beside its
/// final name and renamed by commit()). A sink that is destroyed without commit() leaves nothing behind.
/// Not thread-safe.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Appends. Throws SinkError with the name and the cause (disk full, closed pipe, ...).
  virtual void write(std::span<std::byte const> bytes) = 0;
  /// Makes everything written so far permanent and visible: flush, fsync, rename.
  virtual void commit() = 0;
};

}  // namespace penstock
