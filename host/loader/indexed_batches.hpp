/// Batches of an epoch from records that are read one by one, wherever they stand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "host/exec/engine.hpp"
#include "host/io/file_descriptor.hpp"
#include "host/loader/assemble.hpp"
#include "host/loader/batch_maker.hpp"
#include "host/loader/opened_input.hpp"
#include "host/loader/placement.hpp"
#include "host/loader/record_index.hpp"
#include "penstock/executor.hpp"

namespace penstock {

/// Places, in the order in which an epoch's files are read, as numbers of an index's records, and what was rejected
/// before them.
class ReadingOrder {
 public:
  ReadingOrder(RecordIndex const& index, std::vector<std::uint32_t> files);
  [[nodiscard]] std::uint64_t record_at(std::uint64_t place) const;
  [[nodiscard]] std::uint64_t rejected_before(std::uint64_t place) const;

 private:
  [[nodiscard]] std::size_t file_of(std::uint64_t place) const;

  RecordIndex const& index_;
  std::vector<std::uint32_t> files_;
  std::vector<std::uint64_t> begins_;    ///< the first place of each
  std::vector<std::uint64_t> rejected_;  ///< before each
};

/// Text of single records, one behind the other.
class RecordTexts {
 public:
  /// `open_max`: files that it has open at a time.
  RecordTexts(OpenedInput const& input, Executor& executor, std::size_t open_max)
      : input_(input), executor_(executor), open_max_(open_max) {}
  void clear() { size_ = 0; }
  /// Appends a record, and a line end if it has none. Throws SourceError if it is not there any more.
  void add(RecordBytes const& record);
  /// Reads what was added.
  void finish() { read_pending(); }
  /// Once it is finished.
  [[nodiscard]] Text text() const;
  [[nodiscard]] std::size_t size() const { return size_ + pending_.size_bytes; }

 private:
  void read_pending();
  [[nodiscard]] int descriptor_of(std::uint32_t file);

  OpenedInput const& input_;
  Executor& executor_;
  std::size_t open_max_;
  std::unique_ptr<HostBuffer> buffer_;
  std::size_t size_ = 0;
  RecordBytes pending_;  ///< a stretch of neighbours that is not read yet
  std::vector<FileDescriptor> open_;
  std::size_t open_count_ = 0;
};

/// One thread's way of making batches: with others of its kind it makes those of an epoch, in any order.
class IndexedBatches {
 public:
  /// `input` and `index` must outlive it.
  IndexedBatches(OpenedInput const& input, RecordIndex const& index, EpochTask const& task,
                 StreamOptions const& options, StreamSizes const& sizes);

  /// The rank's batches of steps [first, first + count).
  [[nodiscard]] std::vector<MadeBatch> make(std::uint64_t first, std::uint64_t count);

 private:
  struct Wanted {
    BatchRange range;
    std::vector<std::uint64_t> records;  ///< padding included
    std::uint64_t lowest_place = 0, highest_place = 0;
  };

  [[nodiscard]] Wanted wanted(std::uint64_t step);
  /// Some of the records that are read, all decoded alike: their numbers, and which ones they are.
  struct Alike {
    std::uint32_t file = 0;
    std::vector<std::uint64_t> records;
    std::vector<std::size_t> at;
  };
  /// Where a row was decoded to.
  struct RowAt {
    std::size_t piece = 0, row = 0;
  };

  void read(std::vector<std::uint64_t> const& records);
  [[nodiscard]] std::vector<Alike> divided(std::vector<std::uint64_t> const& records);
  [[nodiscard]] std::size_t kind_of(std::uint32_t file);
  [[nodiscard]] std::size_t gather(std::span<std::uint64_t const> records);
  void decode(std::uint32_t file, std::span<std::size_t const> at);
  void make_round();
  void take(Round& round, std::span<std::size_t const> at);
  [[nodiscard]] MadeBatch finish(std::uint64_t step, Wanted const& wanted, std::size_t first_row);
  [[nodiscard]] std::vector<RowRun> rows(std::size_t first, std::size_t count) const;
  [[noreturn]] void throw_changed(std::uint32_t file) const;

  OpenedInput const& input_;
  RecordIndex const& index_;
  EpochTask task_;
  EpochOrder order_;
  ReadingOrder reading_;
  HostExecutor host_;
  Trace* trace_;
  std::shared_ptr<Device> device_;
  std::size_t slot_bytes_;
  std::unique_ptr<Lane> lane_;  ///< goes before its round
  std::unique_ptr<Round> round_;
  BatchLayout layout_;
  Placement placement_;
  RecordTexts texts_;
  std::uint64_t sequence_ = 0;
  std::vector<std::uint32_t> kind_files_;            ///< a file of each kind: those of one are decoded alike
  std::vector<std::optional<std::size_t>> kind_of_;  ///< of each file, once it was asked for
  std::vector<RowPiece> pieces_;                     ///< of the batches that are made
  std::vector<RowAt> rows_at_;                       ///< of their rows
};

}  // namespace penstock
