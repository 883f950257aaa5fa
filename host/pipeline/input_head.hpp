/// The first records of an input, looked at before it is decoded, and given again to the reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "host/io/inputs.hpp"
#include "host/pipeline/pipeline.hpp"
#include "penstock/chunk.hpp"
#include "penstock/source.hpp"

namespace penstock {

/// What messages call an input.
[[nodiscard]] std::string name_of(InputFile const& file);
/// Can be opened again and read from its start.
[[nodiscard]] bool is_reopened(InputFile const& file);

class InputHead {
 public:
  /// Opens the input only if it can be opened once: else look() does.
  explicit InputHead(InputFile file);

  /// Calls `use` with the input's first chunks, as `cutter` cuts them, until it returns true; false if it never did. Of
  /// an input that can be read only once, no more than `kept_max` bytes are looked at. Throws SourceError.
  bool look(Cutter& cutter, std::size_t record_max, std::function<bool(Chunk const&)> const& use);

  /// The whole input. One that can be read only once goes into the shard's source: a second call throws SourceError.
  [[nodiscard]] Shard shard();

 private:
  InputFile file_;
  std::unique_ptr<Source> source_;  ///< of an input that is read once
  std::string kept_;                ///< what was read of it
  bool is_taken_ = false;
};

}  // namespace penstock
