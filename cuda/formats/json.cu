// Chunks of JSON lines to rows in device memory. Plain records of a chunk are decoded whole, values in the order of the
// text; then its rounds are gathered from that. Records that are not plain are read by one thread each.
#include "cuda/formats/json.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "cuda/exec/backend.cuh"
#include "cuda/exec/memory.hpp"
#include "cuda/formats/json_kinds.hpp"
#include "cuda/formats/json_memory.hpp"
#include "cuda/kernels/json_gather.cuh"
#include "cuda/kernels/json_records.cuh"
#include "cuda/kernels/json_structure.cuh"
#include "formats/core/line_ends.hpp"

namespace penstock::cuda {
namespace json {
namespace {

template <class Kind>
Sizes sizes_of(typename Kind::Plan const& plan, DecoderLimits const& limits) {
  Sizes sizes;
  sizes.text_bytes = std::min(limits.text_bytes, std::size_t{1} << 31);
  Kind::put_sizes(plan, sizes);
  sizes.round.rows = static_cast<std::uint32_t>(std::clamp<std::size_t>(limits.rows.rows, 1, sizes.chunk.rows));
  for (std::size_t i = 0; i < sizes.lists; ++i)
    sizes.round.lists.of[i] =
        static_cast<std::uint32_t>(std::min<std::size_t>(Kind::round(limits.rows)[i], sizes.chunk.stops));
  sizes.round.faults = static_cast<std::uint32_t>(std::min<std::size_t>(limits.faults, sizes.chunk.rows));
  return sizes;
}

/// What the host waits for.
struct ChunkReport {
  Totals totals;
  std::uint32_t marked = 0;
};

template <class Kind>
class RecordsDecoder final : public ChunkDecoder {
 public:
  using Plan = typename Kind::Plan;

  RecordsDecoder(Plan const& plan, DecoderLimits const& limits, Stream& stream)
      : plan_(plan),
        sizes_(sizes_of<Kind>(plan, limits)),
        stream_(stream),
        backend_(stream, sizes_.chunk.rows + std::size_t{1}),
        memory_(stream, plan, sizes_),
        text_memory_(sizes_),
        records_(plan.layout, sizes_),
        round_memory_(plan.layout, sizes_),
        totals_(1, "totals"),
        marked_count_(1, "the number of records that are not plain"),
        round_(1, "the plan of a round"),
        report_(1, "the report of a chunk"),
        round_report_(1, "the report of a round"),
        faults_(sizes_.round.faults, "faults") {
    text_memory_.clear(stream_);
  }

  bool begin(Chunk const& chunk) override {
    if (!chunk.rejects.empty() || chunk.text.size > sizes_.text_bytes) return false;
    is_first_call_ = true;
    first_row_ = 0;
    text_ = {text_memory_.data(), static_cast<std::uint32_t>(chunk.text.size), mark_bytes(chunk), chunk.follows_cr,
             Kind::folded};
    if (text_.size == 0) return true;
    stream_.copy(text_memory_.data(), chunk.text.data, chunk.text.size, "copy in");
    find_structure(stream_, structure_work());
    PlainWork const plain = plain_work();
    Kind::read_plain(stream_, plan_, memory_, plain);
    backend_.select(plain.rows_max, IsMarked{records_.values().marks}, records_.marked(), marked_count_.get());
    stream_.copy(&report_[0].totals, totals_.get(), sizeof(Totals), "totals");
    stream_.copy(&report_[0].marked, marked_count_.get(), sizeof(std::uint32_t), "totals");
    return true;
  }

  bool next(Batch& rows, FaultLog& faults, RoundCounts& counts, Decoded& decoded) override {
    bool const is_first = std::exchange(is_first_call_, false);
    if (is_first && !begin_rounds()) return false;
    RecordRound const round = plan_next();
    if (is_first && round.is_refused != 0) return false;
    RecordRound const written = write(round);
    for (std::uint32_t i = 0; i < round.faults; ++i) faults.report(faults_[i]);
    counts.missing_cells += written.missing;
    counts.inexact_integers += written.inexact_integers;
    first_row_ = round.end;
    lists_ = round.lists;
    rows = round_memory_.view(round.rows);
    decoded = {};
    decoded.rows = round.rows;
    decoded.ends_chunk = first_row_ == of_chunk_.totals.rows;
    if (decoded.ends_chunk) counts.lines += of_chunk_.totals.lines;
    return true;
  }

  [[nodiscard]] std::size_t pairs() const override { return lists_.of[0]; }
  [[nodiscard]] std::array<std::size_t, lists_max> list_values() const override { return {lists_.of[0], lists_.of[1]}; }

  [[nodiscard]] std::size_t device_bytes() const override {
    return memory_.device_bytes() + text_memory_.device_bytes() + records_.device_bytes() +
           round_memory_.device_bytes() + backend_.device_bytes();
  }

 private:
  [[nodiscard]] StructureWork structure_work() const {
    StructureWork work;
    work.text = text_;
    work.tiles = text_memory_.tile_states();
    work.entries = text_memory_.entries();
    work.masks = text_memory_.masks();
    work.rows = text_memory_.rows();
    work.brackets = text_memory_.brackets();
    work.totals = totals_.get();
    work.limits = sizes_.chunk;
    return work;
  }

  [[nodiscard]] PlainWork plain_work() const {
    PlainWork work;
    work.rows_max = std::min(sizes_.chunk.rows, text_.size / 2 + 1);
    work.heads = {text_, totals_.get(), text_memory_.rows(), text_memory_.brackets(), records_.values()};
    work.stops = {text_memory_.masks(), text_memory_.entries(), totals_.get(), text_.size};
    work.convert = {text_, text_memory_.masks(), records_.values()};
    return work;
  }

  [[nodiscard]] RecordsWork work() const {
    RecordsWork work;
    work.text = text_;
    work.begins = text_memory_.rows();
    work.in = records_.values();
    work.table = records_.table();
    work.spare = records_.spare();
    work.limits = sizes_.round;
    work.rows = of_chunk_.totals.rows;
    work.lists = sizes_.lists;
    work.marked = records_.marked();
    work.marked_count = of_chunk_.marked;
    work.parts = Kind::parts(plan_);
    work.totals = totals_.get();
    return work;
  }
  [[nodiscard]] typename Kind::Reader reader() const { return {memory_.rules()}; }

  /// Waits for the chunk and reads what is not plain. False: it is for the CPU.
  bool begin_rounds() {
    of_chunk_ = {};
    if (text_.size == 0) return true;
    stream_.wait();
    of_chunk_ = report_[0];
    if (of_chunk_.totals.is_refused != 0) return false;
    if (of_chunk_.totals.rows == 0) return true;
    RecordsWork const work = this->work();
    RecordTable const& table = work.table;
    std::size_t const count = std::size_t{work.rows} + 1;
    count_records(stream_, work);
    read_records(stream_, work, reader());
    if constexpr (Kind::Reader::may_be_undecided) {
      if (work.lists != 0 && work.marked_count != 0) {
        for (std::uint32_t i = 0; i < work.lists; ++i)
          backend_.exclusive_sum(table.spare_places[i], table.spare_places[i], count);
        decide_records(stream_, work, reader());
      }
    }
    for (std::uint32_t i = 0; i < work.lists; ++i) backend_.exclusive_sum(table.places[i], table.places[i], count);
    backend_.exclusive_sum(table.ranks, table.ranks, count);
    return true;
  }

  RecordRound plan_next() {
    if (of_chunk_.totals.rows == 0) return {};
    plan_records(stream_, work(), first_row_, round_.get());
    return wait_for_round();
  }

  /// The same round, with what was counted.
  RecordRound write(RecordRound const& round) {
    if (round.begin == round.end) {
      for (std::uint32_t i = 0; i < sizes_.lists; ++i) stream_.fill(round_memory_.offsets(i), 0, sizeof(std::int64_t));
      stream_.wait();
      return round;
    }
    RecordPlaces places;
    places.batch = round_memory_.view(round.rows);
    for (std::uint32_t i = 0; i < sizes_.lists; ++i) places.offsets[i] = round_memory_.offsets(i);
    places.records = round_memory_.records();
    places.faults = faults_.get();
    RecordsWork const work = this->work();
    gather_rows(stream_, work, round, places);
    if (work.marked_count != work.rows)
      Kind::gather(stream_, plan_, memory_, {work, round, places, &round_.get()->missing});
    write_records(stream_, work, round, places, reader(), round_.get());
    return wait_for_round();
  }

  RecordRound wait_for_round() {
    stream_.copy(round_report_.get(), round_.get(), sizeof(RecordRound), "round");
    stream_.wait();
    return round_report_[0];
  }

  Plan plan_;
  Sizes sizes_;
  Stream& stream_;
  Backend backend_;
  typename Kind::Memory memory_;
  TextMemory text_memory_;
  RecordMemory records_;
  RoundMemory round_memory_;
  DeviceArray<Totals> totals_;
  DeviceArray<std::uint32_t> marked_count_;
  DeviceArray<RecordRound> round_;
  MappedArray<ChunkReport> report_;
  MappedArray<RecordRound> round_report_;
  MappedArray<Fault> faults_;

  // The chunk.
  ChunkText text_;
  ChunkReport of_chunk_;
  bool is_first_call_ = false;

  // The round.
  std::uint32_t first_row_ = 0;  ///< record
  ListCounts lists_;
};

/// Every chunk is for the CPU.
class NoDecoder final : public ChunkDecoder {
 public:
  bool begin(Chunk const&) override { return false; }
  bool next(Batch&, FaultLog&, RoundCounts&, Decoded&) override { return false; }
  [[nodiscard]] std::size_t device_bytes() const override { return 0; }
};

template <class Kind>
std::unique_ptr<ChunkDecoder> make_decoder(typename Kind::Plan const& plan, DecoderLimits const& limits,
                                           Stream& stream) {
  if (Kind::is_for_cpu(plan)) return std::make_unique<NoDecoder>();
  return std::make_unique<RecordsDecoder<Kind>>(plan, limits, stream);
}

}  // namespace
}  // namespace json

std::unique_ptr<ChunkDecoder> make_deepar_decoder(penstock::deepar::Plan const& plan, DecoderLimits const& limits,
                                                  Stream& stream) {
  return json::make_decoder<json::Series>(plan, limits, stream);
}
std::unique_ptr<ChunkDecoder> make_jsonl_decoder(penstock::jsonl::Plan const& plan, DecoderLimits const& limits,
                                                 Stream& stream) {
  return json::make_decoder<json::Vectors>(plan, limits, stream);
}
std::unique_ptr<ChunkDecoder> make_object2vec_decoder(penstock::object2vec::Plan const& plan,
                                                      DecoderLimits const& limits, Stream& stream) {
  return json::make_decoder<json::Tokens>(plan, limits, stream);
}
std::unique_ptr<ChunkDecoder> make_objects_decoder(penstock::objects::Plan const& plan, DecoderLimits const& limits,
                                                   Stream& stream) {
  return json::make_decoder<json::Objects>(plan, limits, stream);
}

}  // namespace penstock::cuda
