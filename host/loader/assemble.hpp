/// Batches put together of rows of several pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "penstock/batch.hpp"
#include "penstock/executor.hpp"
#include "penstock/shared_batch.hpp"

namespace penstock {

/// Rows one behind the other in the order of places, with the memory that they lie in.
struct RowPiece {
  Batch rows;
  std::shared_ptr<void const> memory;
  std::uint32_t file = 0;  ///< whose records they are
  /// Given: the rows' features, which have no data in `rows`, in memory of a device.
  std::byte const* features_on_device = nullptr;
};

/// Rows [first, first + count) of a piece.
struct RowRun {
  RowPiece const* piece = nullptr;
  std::size_t first = 0;
  std::size_t count = 0;
};

/// The rows of `runs`, of which there is at least one, as a batch whose offsets begin with 0: sets rows, memory and
/// valid_rows. A single run is not copied; of others what `layout` has.
[[nodiscard]] SharedBatch assemble(BatchLayout const& layout, std::span<RowRun const> runs);

/// The rows of a round, with the memory that it has lent; null: with a copy of them.
[[nodiscard]] RowPiece piece_of(BatchLayout const& layout, Round const& round, std::shared_ptr<void const> memory);
/// A piece with a copy of these rows.
[[nodiscard]] RowPiece copied(BatchLayout const& layout, Batch const& rows);

}  // namespace penstock
