#include "host/loader/indexed_batches.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/pipeline/input_head.hpp"
#include "host/pipeline/stream_workers.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

/// Files that one of so many threads has open at a time: all together a quarter of what the process may.
std::size_t open_files_of(unsigned threads) {
  constexpr std::size_t most = 32;
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  return std::clamp<std::size_t>(limit.rlim_cur / 4 / threads, 1, most);
}

}  // namespace

// --- places ---------------------------------------------------------------------------------------------------------

ReadingOrder::ReadingOrder(RecordIndex const& index, std::vector<std::uint32_t> files)
    : index_(index), files_(std::move(files)) {
  std::uint64_t place = 0, rejected = 0;
  for (std::uint32_t const file : files_) {
    begins_.push_back(place);
    rejected_.push_back(rejected);
    place += index.first_record(file + 1) - index.first_record(file);
    rejected += index.rejected_in(file);
  }
}

/// The last one that begins there: those before it may be empty.
std::size_t ReadingOrder::file_of(std::uint64_t place) const {
  return static_cast<std::size_t>(std::ranges::upper_bound(begins_, place) - begins_.begin()) - 1;
}

std::uint64_t ReadingOrder::record_at(std::uint64_t place) const {
  std::size_t const i = file_of(place);
  return index_.first_record(files_[i]) + (place - begins_[i]);
}

std::uint64_t ReadingOrder::rejected_before(std::uint64_t place) const {
  std::size_t const i = file_of(place);
  return rejected_[i] + index_.rejected_before(files_[i], index_.first_record(files_[i]) + (place - begins_[i]));
}

// --- texts ----------------------------------------------------------------------------------------------------------

void RecordTexts::add(RecordBytes const& record) {
  bool const goes_on = pending_.size_bytes != 0 && pending_.file == record.file &&
                       pending_.offset_bytes + pending_.size_bytes == record.offset_bytes;
  if (goes_on) {
    pending_.size_bytes += record.size_bytes;
    return;
  }
  read_pending();
  pending_ = record;
}

void RecordTexts::read_pending() {
  RecordBytes const stretch = std::exchange(pending_, {});
  if (stretch.size_bytes == 0) return;
  std::size_t const needed = size_ + stretch.size_bytes + 1;
  if (buffer_ == nullptr || buffer_->size_bytes() < needed) {
    auto larger = executor_.host_buffer(std::max(needed, buffer_ == nullptr ? 0 : 2 * buffer_->size_bytes()));
    if (size_ != 0) std::memcpy(larger->data(), buffer_->data(), size_);
    buffer_ = std::move(larger);
  }
  int const file = descriptor_of(stretch.file);
  char* const to = buffer_->data() + size_;
  for (std::size_t done = 0; done < stretch.size_bytes;) {
    ssize_t const got =
        ::pread(file, to + done, stretch.size_bytes - done, static_cast<off_t>(stretch.offset_bytes + done));
    if (got < 0 && errno == EINTR) continue;
    std::string const& path = input_.files()[stretch.file].path;
    if (got < 0) throw SourceError(path + ": " + cause_of(errno));
    if (got == 0)
      throw SourceError(path + ": ends before byte " + std::to_string(stretch.offset_bytes + stretch.size_bytes) +
                            ", and was longer when its index was made",
                        "A loader made now reads what is there now.");
    done += static_cast<std::size_t>(got);
  }
  size_ += stretch.size_bytes;
  char const last = to[stretch.size_bytes - 1];
  if (input_.plan()->format().is_text && last != '\n' && last != '\r') buffer_->data()[size_++] = '\n';
}

Text RecordTexts::text() const { return {buffer_ == nullptr ? nullptr : buffer_->data(), size_}; }

int RecordTexts::descriptor_of(std::uint32_t file) {
  if (open_.empty()) open_.resize(input_.files().size());
  if (open_[file].is_open()) return open_[file].get();
  if (open_count_ == open_max_) {
    for (FileDescriptor& each : open_) each = FileDescriptor();
    open_count_ = 0;
  }
  std::string const& path = input_.files()[file].path;
  open_[file] = open_descriptor(path.c_str(), O_RDONLY);
  if (!open_[file].is_open()) throw SourceError(path + ": " + cause_of(errno));
  ++open_count_;
  return open_[file].get();
}

// --- batches --------------------------------------------------------------------------------------------------------

IndexedBatches::IndexedBatches(OpenedInput const& input, RecordIndex const& index, EpochTask const& task,
                               StreamOptions const& options, StreamSizes const& sizes)
    : input_(input),
      index_(index),
      task_(task),
      order_(task.order, task.epoch),
      reading_(index, order_.files(static_cast<std::uint32_t>(input.files().size()))),
      trace_(options.trace),
      device_(options.device),
      slot_bytes_(sizes.slot_bytes),
      lane_(input.plan()->make_lane(best_instruction_set(), lane_options(*input.plan(), options, sizes))),
      round_(lane_->make_round()),
      layout_(stream_layout(*input.plan(), options)),
      placement_(layout_, options.device),
      texts_(input, device_ != nullptr ? static_cast<Executor&>(*device_) : host_, open_files_of(sizes.lanes)) {}

std::vector<MadeBatch> IndexedBatches::make(std::uint64_t first, std::uint64_t count) {
  std::vector<Wanted> steps;
  std::vector<std::uint64_t> records;
  for (std::uint64_t step = first; step < first + count; ++step) {
    steps.push_back(wanted(step));
    records.insert(records.end(), steps.back().records.begin(), steps.back().records.end());
  }
  pieces_.clear();
  read(records);
  std::vector<MadeBatch> batches;
  std::size_t row = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    batches.push_back(finish(first + i, steps[i], row));
    row += steps[i].records.size();
  }
  pieces_.clear();
  return batches;
}

IndexedBatches::Wanted IndexedBatches::wanted(std::uint64_t step) {
  Division const& division = task_.division;
  std::uint64_t const records = index_.records();
  Wanted wanted;
  wanted.range = division.range(step, records);
  for (std::uint64_t position = wanted.range.begin; position < wanted.range.end; ++position) {
    std::uint64_t const place = order_.place(position, records);
    wanted.lowest_place = position == wanted.range.begin ? place : std::min(wanted.lowest_place, place);
    wanted.highest_place = std::max(wanted.highest_place, place);
    wanted.records.push_back(reading_.record_at(place));
  }
  if (division.remainder == Remainder::pad && wanted.records.size() < division.batch_size)
    wanted.records.resize(division.batch_size, reading_.record_at(order_.place(records - 1, records)));
  return wanted;
}

/// Decodes as many records at a time as make a slot's text, of those that are decoded alike.
void IndexedBatches::read(std::vector<std::uint64_t> const& records) {
  rows_at_.resize(records.size());
  for (Alike const& part : divided(records)) {
    for (std::size_t done = 0; done < part.records.size();) {
      std::size_t const count = gather(std::span(part.records).subspan(done));
      decode(part.file, std::span(part.at).subspan(done, count));
      done += count;
    }
  }
}

/// By what decodes them: files may have their columns in different places.
std::vector<IndexedBatches::Alike> IndexedBatches::divided(std::vector<std::uint64_t> const& records) {
  std::vector<Alike> parts;
  for (std::size_t i = 0; i < records.size(); ++i) {
    std::uint32_t const file = index_.record(records[i]).file;
    std::size_t const kind = kind_of(file);
    if (kind >= parts.size()) parts.resize(kind + 1);
    Alike& part = parts[kind];
    part.file = file;
    part.records.push_back(records[i]);
    part.at.push_back(i);
  }
  return parts;
}

std::size_t IndexedBatches::kind_of(std::uint32_t file) {
  kind_of_.resize(input_.files().size());
  if (kind_of_[file]) return *kind_of_[file];
  auto const is_alike = [&](std::uint32_t other) { return input_.plan()->decodes_alike(other, file); };
  auto const found = std::ranges::find_if(kind_files_, is_alike);
  std::size_t const kind = static_cast<std::size_t>(found - kind_files_.begin());
  if (found == kind_files_.end()) kind_files_.push_back(file);
  kind_of_[file] = kind;
  return kind;
}

/// The texts of the first of `records`; returns of how many.
std::size_t IndexedBatches::gather(std::span<std::uint64_t const> records) {
  TraceSpan const span(trace_, "read", reader_track);
  texts_.clear();
  std::size_t count = 0;
  for (std::uint64_t const number : records) {
    RecordBytes const record = index_.record(number);
    if (count != 0 && texts_.size() + record.size_bytes > slot_bytes_) break;
    texts_.add(record);
    ++count;
  }
  texts_.finish();
  return count;
}

/// What has been gathered; rows become those at `at`.
void IndexedBatches::decode(std::uint32_t file, std::span<std::size_t const> at) {
  Chunk chunk;
  chunk.text = texts_.text();
  chunk.stamp = {file, 0, sequence_++};
  lane_->begin(chunk);
  std::size_t rows = 0;
  for (bool ends_chunk = false; !ends_chunk;) {
    make_round();
    ends_chunk = round_->ends_chunk;
    for (Fault const& fault : round_->faults.faults())
      if (!fault.is_repaired) throw_changed(file);
    std::size_t const count = round_->batch.rows;
    if (count > at.size() - rows) throw_changed(file);
    if (count != 0) take(*round_, at.subspan(rows, count));
    rows += count;
    round_->trim();
  }
  if (rows != at.size()) throw_changed(file);
}

void IndexedBatches::make_round() {
  TraceSpan const span(trace_, "make round", 0);
  lane_->next(*round_);
  if (!round_->wants_turn) return;
  round_->has_turn = true;
  lane_->next(*round_);
  round_->has_turn = false;
}

void IndexedBatches::take(Round& round, std::span<std::size_t const> at) {
  for (std::size_t row = 0; row < at.size(); ++row) rows_at_[at[row]] = {pieces_.size(), row};
  pieces_.push_back(piece_of(layout_, round, round.lease()));
  placement_.place(pieces_.back());
}

std::vector<RowRun> IndexedBatches::rows(std::size_t first, std::size_t count) const {
  std::vector<RowRun> runs;
  for (RowAt const& at : std::span(rows_at_).subspan(first, count)) {
    RowPiece const* const piece = &pieces_[at.piece];
    bool const goes_on = !runs.empty() && runs.back().piece == piece && runs.back().first + runs.back().count == at.row;
    if (goes_on)
      ++runs.back().count;
    else
      runs.push_back({piece, at.row, 1});
  }
  return runs;
}

MadeBatch IndexedBatches::finish(std::uint64_t step, Wanted const& wanted, std::size_t first_row) {
  MadeBatch made;
  {
    TraceSpan const span(trace_, "assemble", sequencer_track);
    made.batch = placement_.assemble(rows(first_row, wanted.records.size()));
  }
  made.batch.valid_rows = wanted.range.size();
  made.batch.epoch = task_.epoch;
  made.batch.step = task_.steps_before + step;
  Provenance& from = made.batch.provenance;
  from.file = name_of(input_.files()[index_.record(wanted.records.front()).file]);
  from.first_record = wanted.lowest_place;
  from.last_record = wanted.highest_place;
  std::uint64_t const last = wanted.range.size() == 0 ? wanted.range.end : wanted.range.end - 1;
  std::uint64_t const read = std::min(order_.places_needed(last), index_.records());
  from.rejected = reading_.rejected_before(read - 1);
  made.position = task_.division.step_end(step, index_.records());
  made.bytes = element_bytes(made.batch.rows);
  return made;
}

void IndexedBatches::throw_changed(std::uint32_t file) const {
  throw SourceError(input_.files()[file].path + ": its records are not those of its index: the file has changed",
                    "A loader made now reads what is there now.");
}

}  // namespace penstock
