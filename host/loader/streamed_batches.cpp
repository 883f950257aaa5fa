#include "host/loader/streamed_batches.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "host/pipeline/input_head.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

/// The files that are read, the first of which is that of the task's start.
std::vector<std::uint32_t> files_of(OpenedInput const& input, EpochTask const& task) {
  std::vector<std::uint32_t> files =
      EpochOrder(task.order, task.epoch).files(static_cast<std::uint32_t>(input.files().size()));
  if (task.start) files.erase(files.begin(), std::ranges::find(files, task.start->shard));
  return files;
}

}  // namespace

std::size_t element_bytes(Batch const& batch) {
  std::size_t bytes = 0;
  for (Role const role : tensor_roles) bytes += batch.rows * batch.tensor(role).row_bytes();
  BatchCapacity const capacity = capacity_of(batch);
  bytes += capacity.pairs * (sizeof(std::int64_t) + size_bytes(batch.csr.dtype));
  bytes += capacity.labels * size_bytes(batch.labels.dtype) + capacity.uid_bytes + capacity.metadata_bytes;
  for (std::size_t i = 0; i < lists_max; ++i) bytes += capacity.list_values[i] * size_bytes(batch.lists[i].dtype);
  return bytes;
}

StreamedBatches::StreamedBatches(OpenedInput const& input, EpochTask const& task, PassOptions pass)
    : input_(input), task_(task), order_(task.order, task.epoch), trace_(pass.trace) {
  if (input.plan() != nullptr) pass.files = files_of(input, task);
  pass.start = task.start;
  if (task.start) {
    read_ = task.start->accepted;
    rejected_ = task.start->rejected;
  }
  dropped_ = order_.places_done(task.division.first);
  pass.leaves_features = are_features_left(input.layout());
  source_ = open_rows(input, pass);
  placement_.emplace(input.layout(), source_->device());
}

bool StreamedBatches::next(MadeBatch& made) {
  BatchRange range;
  if (!find_range(range)) return false;
  runs_.clear();
  lowest_ = std::numeric_limits<std::uint64_t>::max();
  highest_ = 0;
  if (range.size() != 0) reach(order_.places_needed(range.end - 1));
  add_positions(range);
  made = {};
  finish(range, made);
  return true;
}

/// The positions of the next batch; false at the end. Reads as much as is needed to know.
bool StreamedBatches::find_range(BatchRange& range) {
  Division const& division = task_.division;
  if (!task_.records) {
    std::uint64_t const end = division.first + (step_ + 1) * division.step_rows();
    // Whether the last window is a whole one is known where it ends.
    reach(order_.places_needed(end - 1));
    if (!is_at_end_) {
      range = {end - division.step_rows(), end};
      return true;
    }
    task_.records = read_;
  }
  if (step_ >= division.steps(*task_.records)) {
    reach(std::numeric_limits<std::uint64_t>::max());  // for faults that are left
    return false;
  }
  range = division.range(step_, *task_.records);
  return true;
}

/// Reads until there are `places`, or to the end.
void StreamedBatches::reach(std::uint64_t places) {
  while (read_ < places && !is_at_end_) take_piece();
}

void StreamedBatches::take_piece() {
  HeldPiece held;
  bool const is_there = source_->next(held.piece);
  for (std::uint64_t const place : source_->take_reject_places()) rejects_.push_back(place);
  if (!is_there) {
    is_at_end_ = true;
    if (!task_.records || *task_.records == read_) return;
    throw SourceError(name_of(input_.files().front()) + ": the inputs have " + format_count(read_) +
                          " records now, and had " + format_count(*task_.records) + " when they were counted",
                      "A loader made now reads what is there now.");
  }
  placement_->place(held.piece);
  held.begin = read_;
  read_ += held.piece.rows.rows;
  held.end = read_;
  held.place = source_->place();
  if (held.end > dropped_) pieces_.push_back(std::move(held));
}

void StreamedBatches::drop_before(std::uint64_t place) {
  dropped_ = std::max(dropped_, place);
  while (pieces_.size() > 1 && pieces_.front().end <= place) pieces_.pop_front();
}

StreamedBatches::HeldPiece const& StreamedBatches::holding(std::uint64_t place) const {
  if (pieces_.front().end > place) return pieces_.front();
  auto const after = std::upper_bound(pieces_.begin(), pieces_.end(), place,
                                      [](std::uint64_t wanted, HeldPiece const& held) { return wanted < held.end; });
  return *after;
}

void StreamedBatches::add_positions(BatchRange const& range) {
  if (order_.is_as_read()) {
    add_places(range.begin, range.size());
    return;
  }
  std::uint64_t const records = task_.records.value_or(read_);
  for (std::uint64_t position = range.begin; position < range.end; ++position)
    add_places(order_.place(position, records), 1);
}

/// The rows of places that come one behind the other. Makes the last run longer, where they go on with it.
void StreamedBatches::add_places(std::uint64_t first, std::uint64_t count) {
  while (count != 0) {
    HeldPiece const& held = holding(first);
    std::uint64_t const part = std::min(count, held.end - first);
    std::size_t const row = first - held.begin;
    lowest_ = std::min(lowest_, first);
    highest_ = std::max(highest_, first + part - 1);
    bool const goes_on =
        !runs_.empty() && runs_.back().piece == &held.piece && runs_.back().first + runs_.back().count == row;
    if (goes_on)
      runs_.back().count += part;
    else
      runs_.push_back({&held.piece, row, part});
    first += part;
    count -= part;
  }
}

/// Pads and assembles; what no later batch needs is dropped.
void StreamedBatches::finish(BatchRange const& range, MadeBatch& made) {
  Division const& division = task_.division;
  std::size_t valid = range.size();
  std::uint64_t const first = valid == 0 ? 0 : runs_.front().piece->file;
  bool const is_padded = division.remainder == Remainder::pad && valid < division.batch_size;
  std::uint64_t const lowest = lowest_, highest = highest_;
  if (is_padded) {
    reach(std::numeric_limits<std::uint64_t>::max());
    std::uint64_t const last = order_.place(*task_.records - 1, *task_.records);
    for (std::uint64_t row = valid; row < division.batch_size; ++row) add_places(last, 1);
  }
  {
    TraceSpan const span(trace_, "assemble", sequencer_track);
    made.batch = placement_->assemble(runs_);
  }
  made.batch.valid_rows = valid;
  made.batch.epoch = task_.epoch;
  made.batch.step = task_.steps_before + step_;
  Provenance& from = made.batch.provenance;
  from.file = name_of(input_.files()[valid == 0 ? runs_.front().piece->file : first]);
  from.first_record = valid == 0 ? 0 : lowest;
  from.last_record = valid == 0 ? 0 : highest;
  std::uint64_t const needed = order_.places_needed(valid == 0 ? range.end : range.end - 1);
  from.rejected = rejected_before(std::min(needed, task_.records.value_or(read_)) - 1);
  made.position =
      task_.records ? division.step_end(step_, *task_.records) : division.first + (step_ + 1) * division.step_rows();
  made.bytes = element_bytes(made.batch.rows);
  ++step_;
  // All ranks go on at the same place: that of the step's end, which they would read next.
  std::uint64_t const done = order_.places_done(made.position);
  if (division.world_size > 1) reach(done + 1);
  drop_before(done);
  if (!pieces_.empty()) made.place = pieces_.front().place;
}

/// Records rejected before the one at `place`.
std::uint64_t StreamedBatches::rejected_before(std::uint64_t place) {
  for (; !rejects_.empty() && rejects_.front() <= place; rejects_.pop_front()) ++rejected_;
  return rejected_;
}

}  // namespace penstock
