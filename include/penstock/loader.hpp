/// The library: records of files as batches, for programs that learn from them.
///
///   penstock::LoaderOptions options;
///   options.paths = {"train/"};
///   options.label = "y";
///   options.batch_size = 1024;
///   options.shuffle = penstock::Shuffle::exact;
///   penstock::Loader loader(options);
///   for (int epoch = 0; epoch < 10; ++epoch)
///     for (penstock::SharedBatch batch; loader.next(batch);)
///       step(batch.rows.features.as<float>(), batch.rows.label.as<float>(), batch.rows.rows);
///
/// Errors are exceptions derived from penstock::Error, with the words of the command line: ConfigurationError for
/// options that make no sense, SourceError for files that cannot be read or have changed, SchemaError for files that do
/// not fit each other, DataError (with its Place) for records that the fault policy refuses, DeviceError for devices
/// and limits of memory; std::bad_alloc where the system has no more. Objects may be moved, after which they can only
/// be assigned to or destroyed; one thread at a time uses one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/batch.hpp"
#include "penstock/error.hpp"
#include "penstock/shared_batch.hpp"

namespace penstock {

/// What is read, and how. Empty strings: not given.
struct InputOptions {
  /// Files, folders (their files at any depth, in bytewise order of their names), patterns as in glob(7), FIFOs, and
  /// "-" for standard input. gzip is recognised by content.
  std::vector<std::string> paths;
  std::string format;     ///< csv, libsvm, jsonl, recordio, npy, ...; empty: found out
  std::string columns;    ///< the features: names, 0-based indices, ranges
  std::string label;      ///< columns or keys of labels
  std::string weight;     ///< the column of record weights
  std::string qid;        ///< the column of query ids
  std::string normalize;  ///< a file of `penstock fit`, or transforms to fit in a pass of their own
  std::string schema;     ///< a schema file
  std::string on_error;   ///< fail (default), skip, or null: a bad feature becomes missing
  std::string features;   ///< dense or sparse; empty: as they come in
  /// auto (a CUDA device, if there is one), cpu, cuda or cuda:N: what decodes. Dense batches of a Loader lie in that
  /// device's memory; sparse and ragged ones, a Pipeline's, and read_all()'s, in the host's, which a device pins.
  std::string device = "auto";
  std::size_t memory_bytes = std::size_t{256} << 20;  ///< text and tensors on their way, held batches not counted
  unsigned threads = 0;                               ///< 0: one for each core
  /// Called some twenty times a second, on the calling thread, while a call waits; what it throws ends the call.
  std::function<void()> on_wait;
  /// Every other option of reading, by its name on the command line without dashes: {"delimiter", "tab"}. A flag has
  /// the value "true".
  std::vector<std::pair<std::string, std::string>> more;
};

/// What is read.
struct PipelineOptions : InputOptions {};

/// What a pass has seen so far.
struct ReadCounts {
  std::uint64_t records = 0;         ///< accepted
  std::uint64_t rejected = 0;        ///< under the policy skip
  std::uint64_t repaired_cells = 0;  ///< under the policy null
  std::uint64_t text_bytes = 0;      ///< decompressed
};

/// The records of its inputs once, in order, in batches as they are decoded: of as many rows as there were in a stretch
/// of text. Nothing is copied.
class Pipeline {
 public:
  /// Looks at the inputs: throws what is to be known without their records.
  explicit Pipeline(PipelineOptions const& options);
  ~Pipeline();
  Pipeline(Pipeline&&) noexcept;
  Pipeline& operator=(Pipeline&&) noexcept;

  /// What batches hold.
  [[nodiscard]] BatchLayout const& layout() const;
  /// Names of a role's columns, in the tensor's order; empty where the format has none.
  [[nodiscard]] std::vector<std::string> names(Role role) const;
  /// What was found out, a line each: `delimiter: tab (sniffed)`.
  [[nodiscard]] std::vector<std::string> notes() const;
  /// The next rows, at least one; false at the end. Batches come in file order, and all that precede an error come
  /// before it is thrown.
  bool next(SharedBatch& batch);
  /// Of what next() has given so far.
  [[nodiscard]] ReadCounts counts() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// The order of an epoch's records. It is a function of (seed, epoch, the records) alone: not of ranks, threads or
/// sizes of memory.
enum class Shuffle : std::uint8_t {
  none,    ///< that of the files
  window,  ///< files in another order, and records within windows of `window` records of that order: reads in sequence
  exact,   ///< every order of all records is as likely; needs an index of where records begin, made in a first pass
};
/// As options and states spell it.
[[nodiscard]] std::string_view name_of(Shuffle shuffle);

/// What becomes of records that do not fill the last batches. In every case all ranks have equally many batches.
enum class Remainder : std::uint8_t {
  keep,  ///< the last batches are smaller
  drop,  ///< they are left out of the epoch
  pad,   ///< copies of the epoch's last record fill them up; SharedBatch::valid_rows counts the others
};
/// As options and states spell it.
[[nodiscard]] std::string_view name_of(Remainder remainder);

/// What is read, and in which order and parts it is given.
struct LoaderOptions : InputOptions {
  std::size_t batch_size = 1024;  ///< rows of a batch of one rank; of all ranks together at most 2^40
  Shuffle shuffle = Shuffle::none;
  std::uint64_t window = 65536;  ///< records that Shuffle::window has in memory
  std::uint64_t seed = 0;        ///< of the order, with the epoch's number
  unsigned rank = 0;        ///< step s of rank r has the records [(s * world_size + r) * batch_size, ... + batch_size)
  unsigned world_size = 1;  ///< how many ranks there are
  Remainder remainder = Remainder::keep;
  /// Where the index of records is kept between runs; empty: "_NAME.penstock-index" beside the first file, unless
  /// there cannot be written. "none": nowhere.
  std::string index;
  std::size_t prefetch_bytes = std::size_t{64} << 20;  ///< of batches that are made before they are asked for
};

/// How an epoch is divided. All ranks have the same number of steps.
struct EpochPlan {
  std::uint64_t records = 0;  ///< accepted, of the whole data set
  std::uint64_t rejected = 0;
  std::uint64_t steps = 0;      ///< batches of each rank
  std::uint64_t last_rows = 0;  ///< of this rank's last batch, padding not counted
  std::uint64_t dropped = 0;    ///< records that no rank gets
  std::uint64_t padded = 0;     ///< rows of all ranks that are padding
  std::uint64_t batch_size = 0;
  unsigned rank = 0, world_size = 1;
};

/// Since the loader was made. Seconds of stages are those that their threads were at work, all threads together.
struct LoaderMetrics {
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
  std::uint64_t rejected = 0;
  std::uint64_t text_bytes = 0;   ///< that was decoded, decompressed
  double seconds = 0;             ///< since the first batch was asked for
  double waited_seconds = 0;      ///< of these in next(), while no batch was ready
  double blocked_seconds = 0;     ///< in which makers of batches waited, because `prefetch_bytes` were ready
  double read_seconds = 0;        ///< reading (and decompressing)
  double cut_seconds = 0;         ///< finding where records end
  double decode_seconds = 0;      ///< decoding, normalising
  double assemble_seconds = 0;    ///< putting batches together
  std::uint64_t ready_bytes = 0;  ///< of batches that wait to be taken, now
  std::uint64_t held_bytes = 0;   ///< of batches that were taken and still live, now
  unsigned threads = 0;
};

/// Batches of `batch_size` records, epoch after epoch, made ahead by threads of its own.
class Loader {
 public:
  /// Looks at the inputs; reads no more than their heads, unless a survey or a normaliser needs all of them.
  explicit Loader(LoaderOptions const& options);
  ~Loader();
  Loader(Loader&&) noexcept;
  Loader& operator=(Loader&&) noexcept;

  /// As they were given.
  [[nodiscard]] LoaderOptions const& options() const;
  /// What batches hold.
  [[nodiscard]] BatchLayout const& layout() const;
  /// As those of Pipeline.
  [[nodiscard]] std::vector<std::string> names(Role role) const;
  [[nodiscard]] std::vector<std::string> notes() const;

  /// How an epoch is divided. Counts the records first, where that was not done yet: in a pass of its own, or from the
  /// index. Throws ConfigurationError, with the arithmetic, if ranks cannot have equally many steps.
  [[nodiscard]] EpochPlan plan();

  /// The next batch of the epoch; false, once, at its end: the call after that begins the next epoch. Throws
  /// SourceError at the end, and at the beginning, if files were written to since the loader was made, and
  /// ConfigurationError in a process that was forked after the first call.
  bool next(SharedBatch& batch);
  /// The epoch of the next batch.
  [[nodiscard]] std::uint64_t epoch() const;
  /// The next batch is the first of this epoch.
  void set_epoch(std::uint64_t epoch);

  /// Where the next batch stands, in a line of JSON of a few hundred bytes. The same on every rank behind the same
  /// step.
  [[nodiscard]] std::string state() const;
  /// Goes on there, with any number of ranks, batch size, threads and sizes of memory. Throws ConfigurationError if the
  /// state is of another order or other options, and SourceError if the files are not those of the state;
  /// `allows_modified`: files of the same names and sizes with other times of modification will do.
  void restore(std::string_view state, bool allows_modified = false);

  /// This one and the two below may be called by any thread, also while another one is in next().
  [[nodiscard]] LoaderMetrics metrics() const;
  /// Of the same, for Prometheus: text exposition format 0.0.4.
  [[nodiscard]] std::string metrics_text() const;
  /// One line: rates, and how long the caller waited. `... waited 0.3 % of the time: not input-bound`.
  [[nodiscard]] std::string summary() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// All records of the inputs as one batch in host memory. `layout`, unless it is null, becomes its layout.
[[nodiscard]] SharedBatch read_all(PipelineOptions const& options, BatchLayout* layout = nullptr);

}  // namespace penstock
