/// The first records of an input, looked at before it is decoded, and given again to the reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

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
  explicit InputHead(InputFile file) : file_(std::move(file)) {}

  /// Opens the input and calls `use` with its first chunks, as `cutter` cuts them, until it returns true; false if the
  /// input ends before. Throws SourceError, also where more of an input that can be read only once would have to be
  /// kept than a record and a MiB.
  bool look(Cutter& cutter, std::size_t record_max, std::function<bool(Chunk const&)> const& use);

  /// The whole input. One that can be read only once goes into the shard's source: a second call throws SourceError.
  [[nodiscard]] Shard shard();

 private:
  [[noreturn]] void throw_no_record(std::size_t bytes) const;

  InputFile file_;
  std::unique_ptr<Source> source_;  ///< of an input that is read once and was looked at
  std::string kept_;                ///< what was read of it
  bool is_taken_ = false;
};

}  // namespace penstock
