/// Sources: where bytes come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace penstock {

/// A stream of (decompressed) bytes, read once from its start. Not thread-safe.
class Source {
 public:
  virtual ~Source() = default;
  /// Reads at most `capacity` bytes into `into`; returns 0 only at the end of the input. May return fewer
  /// bytes than asked for before the end. Throws SourceError with the name, the byte and the cause.
  virtual std::size_t read(char* into, std::size_t capacity) = 0;
  /// What messages call it: the path as the user wrote it, or "<stdin>".
  [[nodiscard]] virtual std::string const& name() const = 0;
  /// Stored (compressed) bytes consumed so far, and in all if that is known (not of pipes): for progress only.
  [[nodiscard]] virtual std::uint64_t stored_bytes_read() const = 0;
  [[nodiscard]] virtual std::optional<std::uint64_t> stored_bytes_total() const = 0;
};

}  // namespace penstock
