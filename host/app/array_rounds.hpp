/// Rows of array files in the form of rounds: reshaped and encoded on the caller's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "host/exec/lane_options.hpp"
#include "host/pipeline/record_stream.hpp"
#include "penstock/batch.hpp"
#include "penstock/executor.hpp"

namespace penstock::app {

class ArrayRounds {
 public:
  /// `encoder` may be null.
  ArrayRounds(std::unique_ptr<BatchReader> reader, Shaping shaping, std::unique_ptr<Encoder> encoder)
      : reader_(std::move(reader)), shaping_(std::move(shaping)), encoder_(std::move(encoder)) {}

  /// The next rows; null at the end. Valid until the next call.
  Round const* next();
  /// Records and missing cells.
  [[nodiscard]] StreamCounts const& counts() const { return counts_; }

 private:
  void shape(Batch const& rows);
  [[nodiscard]] std::size_t rows_at_a_time() const;

  std::unique_ptr<BatchReader> reader_;
  Shaping shaping_;
  std::unique_ptr<Encoder> encoder_;
  Batch batch_;            ///< of the reader
  std::size_t taken_ = 0;  ///< of its rows
  BatchBuffer normalized_, shaped_;
  std::vector<std::byte> window_;
  Round round_;
  StreamCounts counts_;
};

}  // namespace penstock::app
