/// Rows of opened inputs in the order in which they are read, in pieces that keep their memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "host/loader/assemble.hpp"
#include "host/loader/opened_input.hpp"
#include "host/pipeline/record_stream.hpp"

namespace penstock {

/// What one pass is to be.
struct PassOptions {
  std::vector<std::uint32_t> files;  ///< the order in which they are read; empty: as they are named
  std::optional<StreamPlace> start;  ///< the first of `files` is this one's, and is read from there on
  std::shared_ptr<RoundPool> pool;   ///< for pieces that are not copied
  bool leaves_features = false;      ///< on the device, where rounds come from one: needs a pool
  Trace* trace = nullptr;
};

class RowSource {
 public:
  virtual ~RowSource() = default;
  /// The next rows, at least one; false at the end. Throws what streams throw, after all rows before it.
  virtual bool next(RowPiece& piece) = 0;
  [[nodiscard]] virtual StreamCounts counts() const = 0;
  /// That rows are read with; null: the CPU.
  [[nodiscard]] virtual std::shared_ptr<Device> device() const = 0;
  /// next() throws InterruptedError, also one that waits. Any thread may call it.
  virtual void stop() {}
  /// A place at or before the last piece where a pass can begin; nothing where that is only the start.
  [[nodiscard]] virtual std::optional<StreamPlace> place() const { return std::nullopt; }
  /// For each record that was rejected since the last call how many were accepted before it.
  [[nodiscard]] virtual std::vector<std::uint64_t> take_reject_places() { return {}; }
};

/// A pass over `input`, which must outlive it.
[[nodiscard]] std::unique_ptr<RowSource> open_rows(OpenedInput const& input, PassOptions const& options);

/// Whether a pass over `input` can start in the middle.
[[nodiscard]] bool starts_anywhere(OpenedInput const& input);

}  // namespace penstock
