#include "host/pipeline/record_stream.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/exec/missing.hpp"
#include "host/pipeline/stream_workers.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

std::unique_ptr<InputWatch> make_watch(InputPlan const& plan, StreamOptions const& options) {
  bool const is_whole = options.judges_whole && options.skip == 0 && !options.limit.has_value() && !options.arrange;
  return is_whole ? plan.make_watch() : nullptr;
}

/// Memory for the values that come from beside the text.
BatchBuffer make_values(RowFiles const* values, StreamSizes const& sizes) {
  BatchLayout layout;
  if (values != nullptr) {
    layout.has_weight = values->has(Role::weight);
    layout.has_qid = values->has(Role::qid);
    layout.has_base_margin = values->has(Role::base_margin);
  }
  return {layout, sizes.round.rows};
}

/// Faults that reject a stretch of bytes of which nobody knows how many records it held.
constexpr bool hides_records(FaultCode code) {
  return code == FaultCode::bad_magic || code == FaultCode::reserved_flag;
}

Place place_of(FaultReport const& report) {
  return {report.file, report.line, report.line_column, report.offset_bytes};
}

constexpr std::array<Role, 3> beside_roles = {Role::weight, Role::qid, Role::base_margin};

}  // namespace

class RecordStream::State {
 public:
  State(RecordStream& stream, InputPlan& plan, StreamOptions const& options)
      : stream_(stream),
        plan_(plan),
        options_(options),
        sizes_(plan_sizes(plan, options)),
        workers_(make_workers_that_fit(plan, options_, sizes_)),
        layout_(stream_layout(plan, options)),
        places_(plan.make_place_finder()),
        checks_order_(checks_qid_order(plan)),
        values_(make_values(options.row_files, sizes_)),
        watch_(make_watch(plan, options)) {
    PipelineLimits const limits{sizes_.slot_bytes, options.record_max, sizes_.slots};
    if (options.start) begin_at(*options.start);
    std::vector<Shard> shards = plan.shards();
    for (Shard const& shard : shards) names_.push_back(shard.name);
    if (options.arrange) {
      for (std::size_t i = 0; i < shards.size(); ++i) shards[i].number = static_cast<std::uint32_t>(i);
      shards = options.arrange(std::move(shards));
    }
    pipeline_ = std::make_unique<ChunkPipeline>(std::move(shards), std::move(workers_.cutter),
                                                std::move(workers_.lanes), executor(), limits, options.trace);
  }

  Round const* next() {
    for (;;) {
      if (!wanted_.empty()) {
        Rows const rows = wanted_.front();
        wanted_.pop_front();
        return deliver(*round_, rows);
      }
      if (is_limit_reached()) break;
      if (failure_.has_value() && !is_line_open_) throw DataError(*failure_);
      Delivery const delivery = next_delivery();
      if (delivery.round == nullptr) {
        if (options_.row_files != nullptr) options_.row_files->finish();
        judge_whole();
        break;
      }
      if (delivery.begins_chunk) begin_chunk(*delivery.chunk);
      if (failure_.has_value()) continue;
      round_ = delivery.round;
      lease_ = nullptr;
      take(*round_);
      lines_in_chunk_ += round_->counts.lines;
    }
    judge_share();
    return nullptr;
  }

  void stop() { pipeline_->stop(); }

  /// Several parts of a round may be handed out: they share its memory.
  std::shared_ptr<void const> lease() {
    if (options_.row_files != nullptr) return nullptr;
    if (lease_ == nullptr) lease_ = round_->lease();
    return lease_;
  }

  StreamCounts counts;
  std::vector<std::uint64_t> reject_places;
  [[nodiscard]] Chunk const& chunk() const { return chunk_; }
  [[nodiscard]] StreamPlace const& place() const { return place_; }
  [[nodiscard]] BatchLayout const& layout() const { return layout_; }
  [[nodiscard]] std::uint64_t stored_bytes_read() const { return pipeline_->stored_bytes_read(); }
  [[nodiscard]] StreamSizes const& sizes() const { return sizes_; }
  [[nodiscard]] std::shared_ptr<Device> const& device() const { return options_.device; }

 private:
  [[nodiscard]] Executor& executor() {
    return options_.device == nullptr ? static_cast<Executor&>(executor_) : *options_.device;
  }

  struct Rows {
    std::size_t first = 0, count = 0;
  };

  /// A source that fails behind the fault that ends the stream is not heard any more.
  Delivery next_delivery() {
    try {
      return pipeline_->next();
    } catch (SourceError const&) {
      if (failure_.has_value()) throw DataError(*failure_);
      throw;
    }
  }

  [[nodiscard]] bool is_limit_reached() const {
    return options_.limit.has_value() && counts.records >= *options_.limit;
  }

  void begin_at(StreamPlace const& place) {
    place_ = place;
    passed_ = place.passed;
    counts.records = place.accepted;
    counts.rejected = place.rejected;
    counts.rejected_bytes = place.rejected_bytes;
    counts.repaired_cells = place.repaired_cells;
    last_qid_ = place.last_qid;
  }

  [[nodiscard]] StreamPlace place_of_chunk(Chunk const& chunk) const {
    return {chunk.stamp.shard, chunk.stamp.offset_bytes, chunk.follows_cr,      first_line_,           passed_,
            counts.records,    counts.rejected,          counts.rejected_bytes, counts.repaired_cells, last_qid_};
  }

  [[nodiscard]] std::uint64_t first_line_of(Chunk const& chunk) const {
    if (chunk.stamp.sequence == 0 && options_.start) return options_.start->line;
    bool const is_new_shard = chunk.stamp.shard != chunk_.stamp.shard || chunk.stamp.sequence == 0;
    return is_new_shard ? plan_.first_line(chunk.stamp.shard) : first_line_ + lines_in_chunk_;
  }

  void begin_chunk(Chunk const& chunk) {
    first_line_ = first_line_of(chunk);
    lines_in_chunk_ = 0;
    bool const is_inside_line = !chunk.rejects.empty() && chunk.rejects.front().is_continued;
    if (!is_inside_line) place_ = place_of_chunk(chunk);
    chunk_ = chunk;
    places_->begin(chunk, first_line_);
    counts.text_bytes += chunk.text.size - (chunk.has_added_line_end ? 1 : 0);
    if (!chunk.rejects.empty() && chunk.rejects.front().is_continued) pass_on_piece(chunk.rejects.front());
  }

  /// Walks a round's records in order: rows between faults. Lists the rows that are wanted.
  void take(Round const& round) {
    bool const is_cut_short = options_.skip > 0 || options_.limit.has_value();
    if (!is_cut_short) {
      counts.inexact_integers += round.counts.inexact_integers;
      counts.other_entries += round.counts.other_entries;
    }
    std::size_t done = 0;
    for (Fault const& fault : round.faults.faults()) {
      take_rows(round, done, fault.rows_before - done);
      done = fault.rows_before;
      if (is_limit_reached() || failure_.has_value()) return;
      take_fault(fault);
      if (failure_.has_value()) return;
    }
    take_rows(round, done, round.batch.rows - done);
  }

  /// Rows [first, first + count), which the decoder has accepted.
  void take_rows(Round const& round, std::size_t first, std::size_t count) {
    if (!checks_order_) return accept(first, count);
    while (count > 0 && !is_limit_reached() && !failure_.has_value()) {
      std::size_t const ascending = ascending_run(round, first, count);
      accept(first, ascending);
      first += ascending;
      count -= ascending;
      if (count == 0 || is_limit_reached()) return;
      take_fault(order_fault(round, first));
      ++first;
      --count;
    }
  }

  /// How many rows from `first` on have query ids that do not descend.
  std::size_t ascending_run(Round const& round, std::size_t first, std::size_t count) {
    std::int64_t const* const qid = round.batch.qid.as<std::int64_t>() + first;
    std::size_t run = 0;
    for (; run < count && qid[run] >= last_qid_; ++run) last_qid_ = qid[run];
    return run;
  }

  /// A record whose query id is below that of the last accepted record. It is a line of text with `qid:` in it.
  [[nodiscard]] Fault order_fault(Round const& round, std::size_t row) const {
    Fault fault;
    fault.code = FaultCode::qid_out_of_order;
    fault.rows_before = static_cast<std::uint32_t>(row);
    fault.record_begin = round.batch.record_begins[row];
    std::string_view const rest(chunk_.text.data + fault.record_begin, chunk_.text.size - fault.record_begin);
    std::string_view const record = rest.substr(0, rest.find_first_of("\r\n"));
    fault.record_end = fault.record_begin + static_cast<std::uint32_t>(record.size());
    std::size_t const at = std::min(record.find("qid:"), record.size());
    std::size_t const end = std::min(record.find_first_of(" \t#", at), record.size());
    fault.cell_begin = fault.record_begin + static_cast<std::uint32_t>(at);
    fault.cell_end = fault.record_begin + static_cast<std::uint32_t>(end);
    fault.column = 1;  // the label is token 0
    return fault;
  }

  /// Counts rows that are good, and lists those of them that are neither skipped nor beyond the limit.
  void accept(std::size_t first, std::size_t count) {
    std::uint64_t const skipped = std::min<std::uint64_t>(count, to_skip());
    std::uint64_t wanted = count - skipped;
    if (options_.limit.has_value()) wanted = std::min<std::uint64_t>(wanted, *options_.limit - counts.records);
    passed_ += skipped;
    std::size_t const begin = first + skipped;
    if (!take_values(skipped, first, false)) return;
    std::size_t const before =
        std::min<std::size_t>(wanted, take_values(wanted, begin, true) ? wanted : values_before_);
    wanted = judged(begin, before);
    passed_ += wanted;
    counts.records += wanted;
    if (wanted == 0) return;
    bool const goes_on = !wanted_.empty() && wanted_.back().first + wanted_.back().count == begin;
    if (goes_on)
      wanted_.back().count += wanted;
    else
      wanted_.push_back({begin, wanted});
  }

  /// How many of the rows [first, first + count) come before one that cannot be used; that one ends the stream.
  std::size_t judged(std::size_t first, std::size_t count) {
    if (!options_.judge_rows || count == 0) return count;
    std::optional<RowProblem> const problem = options_.judge_rows(round_->batch.rows_from(first, count));
    if (!problem) return count;
    failure_.emplace(
        names_[chunk_.stamp.shard] + ": record " + format_count(passed_ + problem->row + 1) + ": " + problem->message,
        problem->hint);
    return problem->row;
  }

  /// The values beside `count` records, the first of which is row `first` if they are wanted. False: they are not
  /// there, which ends the stream behind `values_before_` of these records.
  bool take_values(std::size_t count, std::size_t first, bool is_wanted) {
    if (options_.row_files == nullptr || count == 0) return true;
    RowValues into;
    if (is_wanted) {
      Batch const rows = values_.view(sizes_.round.rows);
      auto const part = [&]<class T>(Dense const& t, std::span<T>& span) {
        if (t.columns != 0) span = {t.as<T>() + first, count};
      };
      part(rows.weight, into.weights);
      part(rows.qid, into.qids);
      part(rows.base_margin, into.base_margins);
    }
    try {
      options_.row_files->take(chunk_.stamp.shard, count, into);
    } catch (RowFileError const& error) {
      values_before_ = error.records_before;
      failure_.emplace(error);
      return false;
    }
    return true;
  }

  [[nodiscard]] std::uint64_t to_skip() const { return options_.skip - std::min(options_.skip, passed_); }

  void take_fault(Fault const& fault) {
    if (fault.is_repaired) {
      if (to_skip() > 0) return;
      ++counts.repaired_cells;
      if (stream_.on_repair) stream_.on_repair(report(fault));
      return;
    }
    bool const is_skipped = to_skip() > 0;
    ++passed_;
    if (!take_values(1, 0, false)) return;
    if (options_.row_files != nullptr && hides_records(fault.code)) {
      failure_.emplace("behind damage that may hide any number of records (" + describe(report(fault)) +
                           ") the values of side files belong to records that cannot be told",
                       "mend the input, or leave out the side files");
      return;
    }
    is_piece_wanted_ = !is_skipped;
    if (!is_skipped) reject(fault);
  }

  void reject(Fault const& fault) {
    ++counts.rejected;
    if (options_.keeps_reject_places) reject_places.push_back(counts.records);
    counts.rejected_bytes += fault.record_end - fault.record_begin;
    is_anything_hidden_ = is_anything_hidden_ || hides_records(fault.code);
    bool const tolerates = options_.on_error == FaultPolicy::skip || options_.on_error == FaultPolicy::quarantine;
    bool const ends = !tolerates || (options_.max_errors.has_value() && counts.rejected > *options_.max_errors);
    if (!ends && !stream_.on_reject) return;
    FaultReport const what = report(fault);
    if (stream_.on_reject) {
      is_line_open_ = !chunk_.rejects.empty() && chunk_.rejects.back().continues &&
                      chunk_.rejects.back().begin == fault.record_begin;
      stream_.on_reject(&what, {chunk_.text.data + fault.record_begin, fault.record_end - fault.record_begin}, true,
                        !is_line_open_);
    }
    if (!tolerates) {
      failure_.emplace(describe(what), policy_hint(what), place_of(what));
    } else if (ends) {
      failure_.emplace("more than " + std::to_string(*options_.max_errors) + " records rejected, the last one here:\n" +
                           describe(what),
                       "--max-errors allows more", place_of(what));
    }
  }

  void pass_on_piece(Reject const& piece) {
    is_line_open_ = is_line_open_ && piece.continues;
    if (is_piece_wanted_) counts.rejected_bytes += piece.end - piece.begin;
    if (!is_piece_wanted_ || !stream_.on_reject) return;
    stream_.on_reject(nullptr, {chunk_.text.data + piece.begin, piece.end - piece.begin}, false, !piece.continues);
  }

  FaultReport report(Fault const& fault) {
    FaultReport what = report_fault(fault, chunk_, plan_, *places_, options_.record_max);
    what.file = names_[chunk_.stamp.shard];
    what.record = passed_ + (fault.is_repaired ? 1 : 0);
    return what;
  }

  /// The whole round if all of it is wanted, else the wanted part, encoded again.
  Round const* deliver(Round const& round, Rows rows) {
    bool const is_whole = rows.count == round.batch.rows;
    if (watch_ != nullptr) watch_->see(round.batch.rows_from(rows.first, rows.count));
    if (is_whole && options_.row_files == nullptr) {
      counts.missing_cells += round.counts.missing_cells;
      return &round;
    }
    part_.batch = with_values(round.batch).rows_from(rows.first, rows.count);
    counts.missing_cells += count_missing(part_.batch);
    encode_part();
    return &part_;
  }

  [[nodiscard]] Batch with_values(Batch batch) const {
    Batch const values = values_.view(batch.rows);
    for (Role role : beside_roles) {
      if (values.tensor(role).columns != 0) batch.tensor(role) = values.tensor(role);
    }
    return batch;
  }

  void encode_part() {
    if (!options_.make_encoder) return;
    if (encoder_ == nullptr) encoder_ = options_.make_encoder();
    part_bytes_.resize(encoder_->bytes_max(capacity_of(part_.batch)));
    part_.encoded = {part_bytes_.data(), encoder_->encode(part_.batch, part_bytes_.data())};
  }

  void judge_whole() const {
    if (watch_ == nullptr) return;
    for (Problem const& problem : watch_->problem()) throw DataError(problem.message, problem.hint);
  }

  void judge_share() const {
    std::uint64_t const all = counts.records + counts.rejected;
    if (!options_.max_errors_share.has_value() || all == 0) return;
    // Where damage hides any number of records, bytes tell more than their number.
    if (is_anything_hidden_ && counts.text_bytes > 0 &&
        static_cast<double>(counts.rejected_bytes) / static_cast<double>(counts.text_bytes) >
            *options_.max_errors_share)
      throw DataError(std::to_string(counts.rejected_bytes) + " of " + std::to_string(counts.text_bytes) +
                          " bytes could not be read, more than allowed",
                      "--max-errors allows more");
    // A quotient is rounded as a share that was written as a decimal is: 29 of 100 is 0.29, but 0.29 * 100 is below 29.
    if (static_cast<double>(counts.rejected) / static_cast<double>(all) <= *options_.max_errors_share) return;
    throw DataError(
        std::to_string(counts.rejected) + " of " + std::to_string(all) + " records rejected, more than allowed",
        "--max-errors allows more");
  }

  RecordStream& stream_;
  InputPlan& plan_;
  StreamOptions options_;
  StreamSizes sizes_;
  Workers workers_;  ///< until the pipeline takes them
  BatchLayout layout_;
  std::vector<std::string> names_;  ///< of the shards
  HostExecutor executor_;
  std::unique_ptr<ChunkPipeline> pipeline_;

  Chunk chunk_;
  std::unique_ptr<PlaceFinder> places_;
  std::uint64_t first_line_ = 1;      ///< of the chunk
  std::uint64_t lines_in_chunk_ = 0;  ///< in the rounds that were taken
  std::uint64_t passed_ = 0;          ///< records seen, skipped ones included
  bool is_piece_wanted_ = false;
  bool is_anything_hidden_ = false;    ///< a fault was one that hides records
  bool is_line_open_ = false;          ///< a rejected line that was passed on goes on in the next chunk
  std::optional<DataError> failure_;   ///< ends the stream once the rows before it and the whole line were handed out
  Round* round_ = nullptr;             ///< that the wanted rows belong to
  std::shared_ptr<void const> lease_;  ///< of its memory, once it was asked for
  bool checks_order_;
  StreamPlace place_;  ///< of the chunk, or of the one in which a line began that goes on in it
  std::deque<Rows> wanted_;
  std::int64_t last_qid_ = std::numeric_limits<std::int64_t>::min();  ///< of the last accepted record
  std::size_t values_before_ = 0;  ///< records that got values before there were none
  BatchBuffer values_;             ///< from beside the text, for the rows of round_
  Round part_;
  std::unique_ptr<Encoder> encoder_;
  std::vector<std::byte> part_bytes_;
  std::unique_ptr<InputWatch> watch_;  ///< null: there is nothing to judge
};

RecordStream::RecordStream(InputPlan& plan, StreamOptions const& options)
    : state_(std::make_unique<State>(*this, plan, options)) {}

RecordStream::~RecordStream() = default;

Round const* RecordStream::next() { return state_->next(); }

void RecordStream::stop() { state_->stop(); }

std::shared_ptr<void const> RecordStream::lease() { return state_->lease(); }

Chunk const& RecordStream::chunk() const { return state_->chunk(); }

StreamPlace const& RecordStream::place() const { return state_->place(); }

std::vector<std::uint64_t>& RecordStream::reject_places() { return state_->reject_places; }

BatchLayout const& RecordStream::layout() const { return state_->layout(); }

StreamCounts const& RecordStream::counts() const { return state_->counts; }

std::uint64_t RecordStream::stored_bytes_read() const { return state_->stored_bytes_read(); }

StreamSizes const& RecordStream::sizes() const { return state_->sizes(); }

std::shared_ptr<Device> const& RecordStream::device() const { return state_->device(); }

}  // namespace penstock
