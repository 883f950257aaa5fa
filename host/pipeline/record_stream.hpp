/// The glue of one conversion or reading pass: sizes from a memory budget, pipeline, fault policy, --skip and --limit,
/// side files, counts. Used by `convert`, `head`, `inspect` and `diff`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/core/reshape.hpp"
#include "host/exec/lane_options.hpp"
#include "host/pipeline/fault_report.hpp"
#include "host/pipeline/input_plan.hpp"
#include "host/pipeline/pipeline.hpp"
#include "host/pipeline/row_files.hpp"
#include "penstock/device.hpp"
#include "penstock/executor.hpp"
#include "penstock/trace.hpp"

namespace penstock {

/// Why a row that could be read cannot be used.
struct RowProblem {
  std::size_t row = 0;  ///< of those that were shown
  std::string message;
  std::string hint;
};

/// Where a chunk of records begins, and what came before it: a stream can begin there, and goes on as if it had come
/// from the start.
struct StreamPlace {
  std::uint32_t shard = 0;  ///< of the plan
  std::uint64_t offset_bytes = 0;
  bool follows_cr = false;
  std::uint64_t line = 0;      ///< 1-based, of the shard
  std::uint64_t passed = 0;    ///< records, good or bad
  std::uint64_t accepted = 0;  ///< of these
  std::uint64_t rejected = 0;
  std::uint64_t rejected_bytes = 0;
  std::uint64_t repaired_cells = 0;
  std::int64_t last_qid = std::numeric_limits<std::int64_t>::min();
  bool operator==(StreamPlace const&) const = default;
};

struct StreamOptions {
  std::size_t memory_bytes = std::size_t{256} << 20;  ///< slots, lanes and windows together
  std::size_t slot_bytes = 0;                         ///< 0: chosen
  unsigned threads = 0;                               ///< lanes; 0: one for each core
  std::size_t record_max = std::size_t{16} << 20;
  FaultPolicy on_error = FaultPolicy::fail;
  std::optional<std::uint64_t>
      max_errors;  ///< rejected records allowed under skip and quarantine; not given: any number
  std::optional<double> max_errors_share;  ///< the same as a share of all records, judged at the end (0 to 1)
  std::uint64_t skip = 0;                  ///< records passed over first, good or bad
  std::optional<std::uint64_t> limit;      ///< accepted records wanted
  Shaping shaping;                         ///< see LaneOptions
  /// Values of records that lie in files beside the input; outlives the stream. Encoders then run on the caller's
  /// thread.
  RowFiles* row_files = nullptr;
  /// Given: looks at the rows that are wanted, which have to be taken as batches, on the caller's thread. The first
  /// problem ends the stream behind the rows before it, whatever the fault policy.
  std::function<std::optional<RowProblem>(Batch const& rows)> judge_rows;
  std::shared_ptr<Device> device;   ///< decodes what it can; null: the CPU does everything
  bool is_device_required = false;  ///< else the CPU takes over from a device that has no room
  bool cuts_on_device = false;  ///< the device finds where slots' records end too, where that is more than a look back
  /// Rounds' batches are looked at. Else, where there is an encoder, only their encoded bytes and numbers of rows
  /// count, and a device copies out no more than these.
  bool takes_batches = true;
  /// A device leaves dense float32 features where they are: Round::device_rows. Not of rounds that may be handed out in
  /// part.
  bool leaves_features = false;
  /// What records say together is judged at the input's end, unless only a part of it is wanted.
  bool judges_whole = false;
  bool keeps_record_begins = false;  ///< batches say where in RecordStream::chunk() their records begin
  bool keeps_reject_places = false;  ///< RecordStream::reject_places() is filled
  std::shared_ptr<RoundPool> pool;   ///< given: rounds lend their memory (RecordStream::lease)
  /// Given: which of the plan's shards are read, and in which order. Each has its number.
  std::function<std::vector<Shard>(std::vector<Shard> shards)> arrange;
  /// Given: the first of these shards begins there. Without `skip` and without side files.
  std::optional<StreamPlace> start;
  Trace* trace = nullptr;                                  ///< takes spans of the host's work; may be null
  std::function<std::unique_ptr<Encoder>()> make_encoder;  ///< empty: batches only
};

struct StreamCounts {
  std::uint64_t records = 0;  ///< accepted
  std::uint64_t rejected = 0;
  std::uint64_t rejected_bytes = 0;  ///< of the rejected records, line ends not counted
  std::uint64_t repaired_cells = 0;
  std::uint64_t missing_cells = 0;
  std::uint64_t other_entries = 0;     ///< see RoundCounts; without --skip and --limit
  std::uint64_t inexact_integers = 0;  ///< without --skip and --limit; so far, if the stream ends with an error
  std::uint64_t text_bytes =
      0;  ///< decompressed bytes of the chunks that were taken; all there are, if it ends by itself
};

/// Sizes that a stream will use; they depend on options and layout alone.
struct StreamSizes {
  std::size_t slot_bytes = 0;
  unsigned lanes = 0;
  std::size_t slots = 0;
  BatchCapacity round;  ///< that a round holds
  std::size_t faults_max = 0;
  std::size_t total_bytes = 0;
};
/// Throws DeviceError if a dense row does not fit into memory: it may be far wider than a sparse one has pairs, and the
/// sizes of what follows must not overflow.
void check_row(BatchLayout const& layout, StreamOptions const& options);

/// The layout of what a stream hands out.
BatchLayout stream_layout(InputPlan const& plan, StreamOptions const& options);
/// Throws DeviceError if even one lane does not fit, saying what does not. A device's memory is not asked here: a
/// stream whose lanes do not fit there takes smaller slots.
StreamSizes plan_sizes(InputPlan const& plan, StreamOptions const& options);

/// Rounds of accepted rows, in input order. What the policy says about faults happens here.
class RecordStream {
 public:
  /// `plan` must outlive the stream. Takes plan.shards().
  RecordStream(InputPlan& plan, StreamOptions const& options);
  ~RecordStream();

  /// Called for every rejected record in input order, with the raw bytes of the record without its line end; a line
  /// that is longer than a chunk comes in several pieces, of which `is_first` and `is_last` mark the ends. `report` is
  /// null except on the first. May be empty, and may be emptied while the stream runs: reports cost time.
  std::function<void(FaultReport const* report, std::string_view raw, bool is_first, bool is_last)> on_reject;
  /// Called for each repaired cell (policy null).
  std::function<void(FaultReport const&)> on_repair;

  /// The next non-empty round of accepted rows; null at the end. Valid until the next call. Throws DataError
  /// when the policy ends the stream (its message names the fault), and what the sources throw, in both cases
  /// after every row that comes before.
  Round const* next();

  /// As ChunkPipeline::stop().
  void stop();

  /// The memory of the last round's batch, as Round::lease() gives it; null: the batch has to be copied.
  [[nodiscard]] std::shared_ptr<void const> lease();
  /// The last round's chunk. Valid until the next call of next().
  [[nodiscard]] Chunk const& chunk() const;
  /// A place at or before the last round from which a stream can begin.
  [[nodiscard]] StreamPlace const& place() const;
  /// For each record that was rejected how many were accepted before it, as they come; the caller may take them away.
  [[nodiscard]] std::vector<std::uint64_t>& reject_places();

  /// The layout of the rounds' batches.
  [[nodiscard]] BatchLayout const& layout() const;
  [[nodiscard]] StreamCounts const& counts() const;
  [[nodiscard]] std::uint64_t stored_bytes_read() const;
  /// What is really used.
  [[nodiscard]] StreamSizes const& sizes() const;
  [[nodiscard]] std::shared_ptr<Device> const& device() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace penstock
