/// Batches put together of rows of several pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "penstock/batch.hpp"
#include "penstock/shared_batch.hpp"

namespace penstock {

/// Rows one behind the other in the order of places, with the memory that they lie in.
struct RowPiece {
  Batch rows;
  std::shared_ptr<void const> memory;
  std::uint32_t file = 0;  ///< whose records they are
};

/// Rows [first, first + count) of a piece.
struct RowRun {
  RowPiece const* piece = nullptr;
  std::size_t first = 0;
  std::size_t count = 0;
};

/// The rows of `runs`, of which there is at least one, as a batch whose offsets begin with 0: sets rows, memory and
/// valid_rows. A single run is not copied.
[[nodiscard]] SharedBatch assemble(BatchLayout const& layout, std::span<RowRun const> runs);

/// A piece with a copy of these rows.
[[nodiscard]] RowPiece copied(BatchLayout const& layout, Batch const& rows);

}  // namespace penstock
