/// Batches of an epoch from rows in the order in which they are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "host/loader/assemble.hpp"
#include "host/loader/batch_maker.hpp"
#include "host/loader/placement.hpp"
#include "host/loader/row_source.hpp"

namespace penstock {

/// Has the pieces that the next batch needs; the rows that it shares are not copied.
class StreamedBatches {
 public:
  /// `input` must outlive it. Not for Shuffle::exact. The number of records must be known where there are several
  /// ranks.
  StreamedBatches(OpenedInput const& input, EpochTask const& task, PassOptions pass);

  /// The next batch of the rank; false at the end.
  bool next(MadeBatch& made);
  /// next() throws InterruptedError, also one that waits. Any thread may call it.
  void stop() { source_->stop(); }
  [[nodiscard]] StreamCounts counts() const { return source_->counts(); }
  /// That batches are made with; null: the CPU.
  [[nodiscard]] std::shared_ptr<Device> device() const { return source_->device(); }

 private:
  struct HeldPiece {
    RowPiece piece;
    std::uint64_t begin = 0, end = 0;  ///< places of its rows
    std::optional<StreamPlace> place;
  };

  [[nodiscard]] bool find_range(BatchRange& range);
  void reach(std::uint64_t places);
  void take_piece();
  void drop_before(std::uint64_t place);
  void add_positions(BatchRange const& range);
  void add_places(std::uint64_t first, std::uint64_t count);
  void finish(BatchRange const& range, MadeBatch& made);
  [[nodiscard]] HeldPiece const& holding(std::uint64_t place) const;
  [[nodiscard]] std::uint64_t rejected_before(std::uint64_t place);

  OpenedInput const& input_;
  EpochTask task_;
  EpochOrder order_;
  Trace* trace_;
  std::unique_ptr<RowSource> source_;
  std::optional<Placement> placement_;  ///< once the source is there
  std::deque<HeldPiece> pieces_;
  std::uint64_t read_ = 0;     ///< places before it have been read
  std::uint64_t dropped_ = 0;  ///< and rows of places before this one are not kept
  bool is_at_end_ = false;     ///< read_ is the number of records
  std::uint64_t step_ = 0;
  std::vector<RowRun> runs_;                ///< of the batch that is made
  std::uint64_t lowest_ = 0, highest_ = 0;  ///< places in it
  std::deque<std::uint64_t> rejects_;       ///< places of rejects that no batch has counted
  std::uint64_t rejected_ = 0;
};

}  // namespace penstock
