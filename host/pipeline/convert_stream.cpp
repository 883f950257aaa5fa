#include "host/pipeline/convert_stream.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "host/pipeline/line_counter.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

std::vector<std::unique_ptr<Lane>> make_lanes(CsvPlan const& plan, StreamOptions const& options,
                                              StreamSizes const& sizes) {
  LaneOptions const lane{sizes.rows_max, sizes.faults_max, options.make_encoder};
  std::vector<std::unique_ptr<Lane>> lanes;
  for (unsigned i = 0; i < sizes.lanes; ++i)
    lanes.push_back(make_csv_lane(best_instruction_set(), plan.decode_plan(), lane));
  return lanes;
}

template <class Bits>
std::uint64_t count_bits(Dense const& tensor, Bits wanted) {
  Bits const* const values = tensor.as<Bits>();
  return static_cast<std::uint64_t>(std::count(values, values + tensor.rows * tensor.columns, wanted));
}

std::uint64_t count_missing(Dense const& features) {
  if (features.dtype == DType::float32) return count_bits(features, missing_float32_bits);
  if (features.dtype == DType::float64) return count_bits(features, missing_float64_bits);
  return 0;
}

}  // namespace

class CsvStream::State {
 public:
  State(CsvStream& stream, CsvPlan& plan, StreamOptions const& options)
      : stream_(stream), plan_(plan), options_(options), sizes_(plan_sizes(plan, options)) {
    PipelineLimits const limits{sizes_.slot_bytes, options.record_max, sizes_.slots};
    std::unique_ptr<Cutter> cutter = make_csv_cutter(best_instruction_set(), plan.dialect(), options.record_max);
    std::vector<Shard> shards = plan.shards();
    for (Shard const& shard : shards) names_.push_back(shard.name);
    pipeline_ = std::make_unique<Pipeline>(std::move(shards), std::move(cutter), make_lanes(plan, options, sizes_),
                                           executor_, limits);
  }

  Round const* next() {
    while (!is_limit_reached()) {
      if (failure_.has_value() && !is_line_open_) throw DataError(*failure_);
      Delivery const delivery = next_delivery();
      if (delivery.round == nullptr) {
        judge_share();
        return nullptr;
      }
      if (delivery.begins_chunk) begin_chunk(*delivery.chunk);
      if (failure_.has_value()) continue;
      Rows const rows = take(*delivery.round);
      lines_in_chunk_ += delivery.round->counts.lines;
      if (rows.count > 0) return deliver(*delivery.round, rows);
    }
    judge_share();
    return nullptr;
  }

  StreamCounts counts;
  [[nodiscard]] std::uint64_t stored_bytes_read() const { return pipeline_->stored_bytes_read(); }

 private:
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

  void begin_chunk(Chunk const& chunk) {
    bool const is_new_shard = chunk.stamp.shard != chunk_.stamp.shard || chunk.stamp.sequence == 0;
    first_line_ = is_new_shard ? plan_.first_line(chunk.stamp.shard) : first_line_ + lines_in_chunk_;
    lines_in_chunk_ = 0;
    chunk_ = chunk;
    lines_.begin(chunk, first_line_);
    counts.text_bytes += chunk.text.size - (chunk.has_added_line_end ? 1 : 0);
    if (!chunk.rejects.empty() && chunk.rejects.front().is_continued) pass_on_piece(chunk.rejects.front());
  }

  /// Walks a round's records in order: rows between faults. Returns the rows that are wanted.
  Rows take(Round const& round) {
    Rows rows;
    std::size_t done = 0;
    for (Fault const& fault : round.faults.faults()) {
      take_rows(fault.rows_before - done, done, rows);
      done = fault.rows_before;
      if (is_limit_reached()) return rows;
      take_fault(fault);
      if (failure_.has_value()) return rows;
    }
    take_rows(round.batch.rows - done, done, rows);
    return rows;
  }

  void take_rows(std::size_t count, std::size_t first, Rows& rows) {
    std::uint64_t const skipped = std::min<std::uint64_t>(count, to_skip());
    std::uint64_t wanted = count - skipped;
    if (options_.limit.has_value()) wanted = std::min<std::uint64_t>(wanted, *options_.limit - counts.records);
    passed_ += skipped + wanted;
    counts.records += wanted;
    if (wanted > 0 && rows.count == 0) rows.first = first + skipped;
    rows.count += wanted;
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
    is_piece_wanted_ = !is_skipped;
    if (!is_skipped) reject(fault);
  }

  void reject(Fault const& fault) {
    ++counts.rejected;
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
      failure_.emplace(describe(what), policy_hint(what));
    } else if (ends) {
      failure_.emplace("more than " + std::to_string(*options_.max_errors) + " records rejected, the last one here:\n" +
                           describe(what),
                       "--max-errors allows more");
    }
  }

  void pass_on_piece(Reject const& piece) {
    is_line_open_ = is_line_open_ && piece.continues;
    if (!is_piece_wanted_ || !stream_.on_reject) return;
    stream_.on_reject(nullptr, {chunk_.text.data + piece.begin, piece.end - piece.begin}, false, !piece.continues);
  }

  FaultReport report(Fault const& fault) {
    FaultReport what = report_fault(fault, chunk_, plan_, lines_, options_.record_max);
    what.file = names_[chunk_.stamp.shard];
    what.record = passed_ + (fault.is_repaired ? 1 : 0);
    return what;
  }

  /// The whole round if all of it is wanted, else the wanted part, encoded again.
  Round const* deliver(Round const& round, Rows rows) {
    bool const is_whole = rows.count == round.batch.rows;
    bool const is_cut_short = options_.skip > 0 || options_.limit.has_value();
    counts.missing_cells +=
        is_whole ? round.counts.missing_cells : count_missing(round.batch.rows_from(rows.first, rows.count).features);
    if (is_whole && !is_cut_short) counts.inexact_integers += round.counts.inexact_integers;
    if (is_whole) return &round;
    part_.batch = round.batch.rows_from(rows.first, rows.count);
    if (options_.make_encoder) {
      if (encoder_ == nullptr) encoder_ = options_.make_encoder();
      part_bytes_.resize(rows.count * encoder_->row_bytes_max());
      part_.encoded = {part_bytes_.data(), encoder_->encode(part_.batch, part_bytes_.data())};
    }
    return &part_;
  }

  void judge_share() const {
    std::uint64_t const all = counts.records + counts.rejected;
    if (!options_.max_errors_share.has_value() || all == 0) return;
    // A quotient is rounded as a share that was written as a decimal is: 29 of 100 is 0.29, but 0.29 * 100 is below 29.
    if (static_cast<double>(counts.rejected) / static_cast<double>(all) <= *options_.max_errors_share) return;
    throw DataError(
        std::to_string(counts.rejected) + " of " + std::to_string(all) + " records rejected, more than allowed",
        "--max-errors allows more");
  }

  CsvStream& stream_;
  CsvPlan& plan_;
  StreamOptions options_;
  StreamSizes sizes_;
  std::vector<std::string> names_;  ///< of the shards
  HostExecutor executor_;
  std::unique_ptr<Pipeline> pipeline_;

  Chunk chunk_;
  LineCounter lines_;
  std::uint64_t first_line_ = 1;      ///< of the chunk
  std::uint64_t lines_in_chunk_ = 0;  ///< in the rounds that were taken
  std::uint64_t passed_ = 0;          ///< records seen, skipped ones included
  bool is_piece_wanted_ = false;
  bool is_line_open_ = false;         ///< a rejected line that was passed on goes on in the next chunk
  std::optional<DataError> failure_;  ///< ends the stream once the rows before it and the whole line were handed out
  Round part_;
  std::unique_ptr<Encoder> encoder_;
  std::vector<std::byte> part_bytes_;
};

CsvStream::CsvStream(CsvPlan& plan, StreamOptions const& options)
    : state_(std::make_unique<State>(*this, plan, options)) {}

CsvStream::~CsvStream() = default;

Round const* CsvStream::next() { return state_->next(); }

StreamCounts const& CsvStream::counts() const { return state_->counts; }

std::uint64_t CsvStream::stored_bytes_read() const { return state_->stored_bytes_read(); }

}  // namespace penstock
