/// Opening inputs as streams of decompressed bytes.
#pragma once

#include "host/io/inputs.hpp"
#include "penstock/source.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace penstock {

/// Opens an input for reading from its start. Whether it is gzip is decided by its first bytes, never by its
/// name, and also for pipes. Throws SourceError if it cannot be opened, or if its first bytes are those of a
/// compression or a binary container that is not supported. A FIFO is opened without waiting for its writer;
/// the wait is in the first bytes that are looked at, and ends with InterruptedError when a signal arrives.
[[nodiscard]] std::unique_ptr<Source> open_source(InputFile const& input);

/// As open_source, but the first byte read is decompressed byte `offset_bytes`. Plain regular files are
/// positioned; everything else is read up to there. Past the end of the input there is nothing to read.
[[nodiscard]] std::unique_ptr<Source> open_at(InputFile const& input, std::uint64_t offset_bytes);

/// The stored bytes as they are, whatever they look like.
[[nodiscard]] std::unique_ptr<Source> open_stored(InputFile const& input);

/// What decompresses gzip in this build: "ISA-L", "zlib", or "" for nothing.
[[nodiscard]] std::string_view gzip_library() noexcept;

/// A source some of whose bytes were read already: gives those first, then goes on with the source. A read
/// never mixes the two, so it never waits while it has bytes to give.
class PrefetchedSource final : public Source {
 public:
  PrefetchedSource(std::unique_ptr<Source> source, std::string bytes);
  std::size_t read(char* into, std::size_t capacity) override;
  [[nodiscard]] std::string const& name() const override { return source_->name(); }
  [[nodiscard]] std::uint64_t stored_bytes_read() const override { return source_->stored_bytes_read(); }
  [[nodiscard]] std::optional<std::uint64_t> stored_bytes_total() const override {
    return source_->stored_bytes_total();
  }

 private:
  std::unique_ptr<Source> source_;
  std::string bytes_;
  std::size_t given_ = 0;
};

}  // namespace penstock
