/// Rows of array files in the form of rounds: reshaped and encoded on the caller's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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
  using Judge = std::function<std::optional<RowProblem>(Batch const& rows)>;

  /// `encoder` may be null, and `judge` empty. `skipped`: rows that `reader` passes over.
  ArrayRounds(std::unique_ptr<BatchReader> reader, Shaping shaping, std::unique_ptr<Encoder> encoder, Judge judge,
              std::uint64_t skipped)
      : reader_(std::move(reader)),
        shaping_(std::move(shaping)),
        encoder_(std::move(encoder)),
        judge_(std::move(judge)),
        skipped_(skipped) {}

  /// The next rows; null at the end. Valid until the next call. Throws DataError for a row that `judge` finds.
  Round const* next();
  /// Records and missing cells.
  [[nodiscard]] StreamCounts const& counts() const { return counts_; }

 private:
  void shape(Batch const& rows);
  [[nodiscard]] std::size_t rows_at_a_time() const;
  void check_rows() const;

  std::unique_ptr<BatchReader> reader_;
  Shaping shaping_;
  std::unique_ptr<Encoder> encoder_;
  Judge judge_;
  std::uint64_t skipped_;
  Batch batch_;            ///< of the reader
  std::size_t taken_ = 0;  ///< of its rows
  BatchBuffer normalized_, shaped_;
  std::vector<std::byte> window_;
  Round round_;
  StreamCounts counts_;
};

}  // namespace penstock::app
