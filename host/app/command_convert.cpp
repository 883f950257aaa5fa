#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <sys/stat.h>

#include "formats/core/restrict.hpp"
#include "host/app/array_rounds.hpp"
#include "host/app/batch_reader.hpp"
#include "host/app/chrome_trace.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/command_convert_report.hpp"
#include "host/app/command_convert_target.hpp"
#include "host/app/command_schema.hpp"
#include "host/app/commands.hpp"
#include "host/app/device_options.hpp"
#include "host/app/fault_lines.hpp"
#include "host/app/manifest.hpp"
#include "host/app/normalization.hpp"
#include "host/app/options_values.hpp"
#include "host/app/progress.hpp"
#include "host/app/rejects.hpp"
#include "host/app/series_table.hpp"
#include "host/app/side_files.hpp"
#include "host/io/interrupt.hpp"
#include "host/io/sink.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

using Clock = std::chrono::steady_clock;

/// Stored bytes of all inputs, if all of them have a size.
std::optional<std::uint64_t> stored_bytes_of(std::vector<InputFile> const& inputs) {
  std::uint64_t sum = 0;
  for (InputFile const& input : inputs) {
    if (!input.is_regular) return std::nullopt;
    sum += input.size_bytes;
  }
  return sum;
}

ProgressOptions progress_options(Arguments const& arguments, Console const& console,
                                 std::vector<InputFile> const& inputs) {
  ProgressOptions options = progress_on_stderr(console.is_quiet(), stored_bytes_of(inputs));
  if (auto const wanted = arguments.last_of("progress", "no-progress")) options.is_enabled = *wanted;
  return options;
}

std::uint64_t file_bytes(std::string const& path, std::uint64_t otherwise) {
  struct stat status {};
  bool const is_file = path != "-" && ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
  return is_file ? static_cast<std::uint64_t>(status.st_size) : otherwise;
}

/// Where the rounds come from: a stream of records, or arrays.
class Rows {
 public:
  explicit Rows(std::unique_ptr<RecordStream> stream) : stream_(std::move(stream)) {}
  explicit Rows(std::unique_ptr<ArrayRounds> arrays) : arrays_(std::move(arrays)) {}

  Round const* next() { return stream_ ? stream_->next() : arrays_->next(); }
  [[nodiscard]] StreamCounts const& counts() const { return stream_ ? stream_->counts() : arrays_->counts(); }
  [[nodiscard]] std::uint64_t stored_bytes_read() const { return stream_ ? stream_->stored_bytes_read() : 0; }
  /// Null for arrays, which have no faults.
  [[nodiscard]] RecordStream* stream() { return stream_.get(); }

 private:
  std::unique_ptr<RecordStream> stream_;
  std::unique_ptr<ArrayRounds> arrays_;
};

/// A run from the first record to the last.
class Run {
 public:
  /// `plan` is null for arrays.
  Run(Arguments const& arguments, Console& console, Rows rows, InputPlan const* plan, StreamOptions const& options,
      Target const& target, std::vector<InputFile> const& inputs)
      : target_(target),
        policy_(options.on_error),
        trace_(options.trace),
        is_part_(options.limit.has_value()),
        output_(make_output(target.output)),
        rows_(std::move(rows)),
        faults_(console),
        console_(console),
        progress_(progress_options(arguments, console, inputs), write_to_stderr, Clock::now) {
    if (target.quarantines && plan != nullptr) rejects_.emplace(target.rejects_prefix, target.output.overwrite, *plan);
    if (rows_.stream() != nullptr) listen(*rows_.stream());
    console_.attach(&progress_);
  }
  ~Run() { console_.attach(nullptr); }
  Run(Run const&) = delete;
  Run& operator=(Run const&) = delete;

  /// Throws what ends it. Rejects are kept when it is data that ends it, so that they can be looked at.
  Outcome go() {
    Clock::time_point const begin = Clock::now();
    try {
      pass();
    } catch (DataError const&) {
      progress_.clear();
      show_rest();
      keep_rejects();
      throw;
    }
    progress_.clear();
    show_rest();
    commit();
    Outcome outcome;
    outcome.counts = rows_.counts();
    outcome.output_bytes = file_bytes(target_.output.path, encoded_bytes_);
    if (rejects_) outcome.reject_paths = rejects_->paths();
    outcome.is_part = is_part_;
    outcome.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return outcome;
  }

 private:
  /// With policy fail the error itself says everything about the fault.
  void listen(RecordStream& stream) {
    if (rejects_ || policy_ == FaultPolicy::skip) {
      stream.on_reject = [this](FaultReport const* report, std::string_view raw, bool is_first, bool is_last) {
        if (report != nullptr && !faults_.show(*report)) is_enough_ = true;
        if (rejects_) rejects_->add(report, raw, is_first, is_last);
      };
    }
    stream.on_repair = [this](FaultReport const& report) {
      if (!faults_.show(report)) is_enough_ = true;
    };
  }

  void pass() {
    while (Round const* const round = rows_.next()) {
      throw_if_interrupted();
      check_labels(round->batch);
      if (rows_.stream() == nullptr && target_.format->is("deepar")) check_series(round->batch);
      {
        TraceSpan const span(trace_, "write", sequencer_track);
        output_->write(*round);
      }
      encoded_bytes_ += round->encoded.size();
      StreamCounts const& counts = rows_.counts();
      progress_.update({rows_.stored_bytes_read(), counts.records, counts.rejected});
      if (!is_enough_) continue;  // reports cost time
      rows_.stream()->on_repair = nullptr;
      if (!rejects_) rows_.stream()->on_reject = nullptr;
    }
    throw_if_interrupted();
    if (rows_.counts().records != 0 || rows_.stream() == nullptr) return;
    std::uint64_t const rejected = rows_.counts().rejected;
    throw DataError(rejected == 0 ? "no records"
                                  : "no records are left: all " + format_count(rejected) + " were rejected");
  }

  /// A line of pairs begins with its label: a list of none cannot be written.
  void check_labels(Batch const& batch) const {
    Ragged const& labels = batch.labels;
    if (labels.offsets == nullptr || !target_.output.layout.labels_vary || !target_.format->lists_pairs()) return;
    for (std::size_t i = 0; i < labels.rows; ++i) {
      if (labels.row(i).size() == 0)
        throw DataError("a record has no label, which " + std::string(target_.format->info().title) + " cannot hold",
                        "RecordIO and .npz hold lists of no labels.");
    }
  }

  /// Arrays hold time series that lines of them would not be read back from.
  void check_series(Batch const& batch) {
    Ragged const& target = batch.lists[0];
    Ragged const& features = batch.lists[1];
    auto const has = [](Ragged const& list, Extent values, auto is_bad) {
      return std::any_of(list.as<float>() + values.begin, list.as<float>() + values.end, is_bad);
    };
    auto const is_infinite = [](float value) { return std::isinf(value); };
    for (std::size_t row = 0; row < batch.rows; ++row) {
      Extent const series = target.row(row);
      if (series.size() == 0) throw_no_series("without values");
      if (has(target, series, is_infinite)) throw_no_series("with an infinite value");
      if (features.offsets == nullptr) continue;
      Extent const values = features.row(row);
      if (has(features, values, [](float value) { return !std::isfinite(value); }))
        throw_no_series("with a missing or infinite value in dynamic_feat");
      std::size_t const length = values.size() / target_.output.layout.lists[1].parts;
      if (!feature_excess_ && length >= series.size()) feature_excess_ = length - series.size();
      if (length != series.size() + feature_excess_.value_or(0))
        throw_no_series("whose lists of dynamic_feat are of another length than its target");
    }
  }
  [[noreturn]] static void throw_no_series(std::string const& which) {
    throw DataError("there is a series " + which + ", which DeepAR JSON lines cannot hold", ".npz holds it.");
  }

  void show_rest() const {
    if (rejects_ || policy_ == FaultPolicy::skip) faults_.finish(rows_.counts().rejected);
    if (policy_ == FaultPolicy::null) faults_.finish(rows_.counts().repaired_cells);
  }

  void keep_rejects() {
    if (!rejects_ || rejects_->paths().empty()) return;
    rejects_->commit();
    for (std::string const& path : rejects_->paths()) console_.say("rejects in " + path);
  }

  /// All files or none.
  void commit() {
    try {
      if (rejects_) rejects_->commit();
      output_->finish();
    } catch (...) {
      if (rejects_) rejects_->remove();
      throw;
    }
  }

  Target const& target_;
  FaultPolicy policy_;
  Trace* trace_;
  bool is_part_;  ///< --limit: not all text that was read was used
  std::unique_ptr<Output> output_;
  Rows rows_;
  std::optional<RejectFiles> rejects_;
  FaultLines faults_;
  Console& console_;
  Progress progress_;
  std::uint64_t encoded_bytes_ = 0;
  std::optional<std::size_t> feature_excess_;  ///< of arrays: by how much dynamic_feat is longer than target
  bool is_enough_ = false;                     ///< no more faults are shown
};

/// To standard output, or to standard error where the data goes there.
void print_report(std::string const& text, bool data_on_stdout) {
  if (data_on_stdout) return write_to_stderr(text);
  StandardOutput out;
  out.write(text);
  out.finish();
}

/// The output is there when its summary is printed, so a failure here must not look like one of the output.
void print_summary(std::string const& text, Target const& target) {
  try {
    print_report(text, target.is_stdout);
  } catch (SinkError const& error) {
    throw SinkError("the summary (--json) could not be printed: " + std::string(error.what()),
                    target.output.path + " is complete.");
  }
}

void say_engine(Console& console, DeviceChoice const& engine, StreamSizes const& sizes) {
  if (!engine.reason.empty()) console.detail("no device: " + engine.reason);
  console.detail("engine: " + engine_words(engine.device.get(), sizes) + ", " + std::to_string(sizes.slots) +
                 " slots of " + format_bytes(sizes.slot_bytes) + ", " + format_bytes(sizes.total_bytes) + " in all");
}

/// What of the input was for the CPU after all.
void say_chunks(Console& console, Device const* device) {
  if (device == nullptr || device->host_chunks() == 0) return;
  console.detail(format_count(device->host_chunks()) + " of " +
                 format_count(device->host_chunks() + device->device_chunks()) + " chunks were decoded on the CPU");
}

void say_summary(Console& console, Conversion const& conversion, Outcome const& outcome) {
  for (std::string const& note : conversion.notes) console.say(note);
  for (std::string const& warning : outcome.warnings) console.warn(warning);
  console.say(summary_text(conversion, outcome));
}

/// What both kinds of conversion end with.
int finish(Arguments const& arguments, Console& console, Conversion const& conversion, Outcome outcome,
           Normalization const* normalization) {
  outcome.warnings = warnings_of(conversion, outcome.counts);
  if (normalization != nullptr) write_manifest({arguments, conversion, outcome, *normalization});
  say_summary(console, conversion, outcome);
  if (arguments.has("json")) print_summary(summary_json(conversion, outcome), conversion.target);
  return 0;
}

int print_plan(Arguments const& arguments, Conversion const& conversion) {
  print_report(arguments.has("json") ? plan_json(conversion) : plan_text(conversion), false);
  return 0;
}

// Where a normaliser is undone and the output has words; `normalization` may be null.

BatchLayout written_layout(BatchLayout const& rows, Normalization const* normalization) {
  return normalization != nullptr ? normalization->written(rows) : rows;
}

/// Of columns that have no names in the input.
std::vector<std::string> trained_names(Role role, Normalization const* normalization) {
  bool const is_known = role == Role::label && normalization != nullptr && normalization->words != nullptr &&
                        !normalization->words->label_name().empty();
  return is_known ? std::vector<std::string>{normalization->words->label_name()} : std::vector<std::string>{};
}

std::function<std::unique_ptr<Encoder>()> row_encoder_maker(Target const& target, Arguments const& arguments,
                                                            Normalization const* normalization) {
  if (normalization == nullptr || normalization->words == nullptr) return encoder_maker(target, arguments);
  return [words = normalization->words, layout = encoded_layout(target)] {
    return std::make_unique<WordEncoder>(words, layout);
  };
}

ArrayRounds::Judge row_judge(Target const& target, Normalization const* normalization) {
  if (normalization == nullptr || normalization->words == nullptr) return {};
  return [words = normalization->words, layout = encoded_layout(target)](Batch const& rows) {
    return words->problem(restricted(rows, layout));
  };
}

/// Records through lanes.
int convert_records(Arguments const& arguments, Console& console, std::vector<InputFile> const& inputs,
                    FileFormat const& format, Target target, StreamOptions stream, Normalization const* normalization) {
  std::optional<ChromeTrace> trace;
  if (auto const path = arguments.value("profile")) trace.emplace(*path, arguments.has("force"));
  stream.trace = trace ? &*trace : nullptr;
  DeviceChoice engine = device_of(arguments, stream.trace);
  stream.device = engine.device;
  stream.is_device_required = arguments.value_or("device", "auto") != "auto";
  stream.cuts_on_device = cuts_on_device(arguments);
  PlanRequest request{stream, target.needs_width() || normalization != nullptr, {}};
  if (normalization != nullptr) request.text_rules = normalization->normalizer->text_rules();
  std::unique_ptr<InputPlan> const plan = format.plan(inputs, arguments, request);
  if (normalization != nullptr) {
    normalization->check(plan->layout(), target.absent);
    stream.shaping.normalizer = normalization->normalizer;
  }
  SideFiles const side(arguments, inputs, plan->layout());
  stream.row_files = side.values();
  auto const names = [&](Role role) {
    if (role == Role::feature && normalization != nullptr) return normalization->names;
    return plan->has_names() ? plan->names(role) : trained_names(role, normalization);
  };
  Incoming const incoming{written_layout(stream_layout(*plan, stream), normalization),
                          plan->record_capacity(stream.record_max), names};
  fit(target, incoming, arguments);
  stream.shaping.reshape = target.reshape;
  stream.make_encoder = row_encoder_maker(target, arguments, normalization);
  stream.judge_rows = row_judge(target, normalization);
  OutputOptions const& output = target.output;
  stream.judges_whole = true;
  stream.takes_batches = output.kind != OutputKind::encoded || !output.companions.empty() ||
                         output.layout.labels_vary || stream.judge_rows;
  StreamSizes const sizes = plan_sizes(*plan, stream);
  auto const* const csv = dynamic_cast<CsvPlan const*>(plan.get());
  Conversion conversion{inputs, format.info(), csv, plan->notes(), plan->found_options(), target, sizes, engine};
  if (arguments.has("dry-run")) return print_plan(arguments, conversion);
  auto records = std::make_unique<RecordStream>(*plan, stream);
  if (engine.device != nullptr && records->device() == nullptr) engine = {nullptr, "there is no room on the device"};
  conversion.engine = engine;
  conversion.sizes = records->sizes();
  say_engine(console, engine, records->sizes());
  Outcome const outcome = Run(arguments, console, Rows(std::move(records)), plan.get(), stream, target, inputs).go();
  say_chunks(console, engine.device.get());
  if (trace) trace->finish();
  return finish(arguments, console, conversion, outcome, normalization);
}

/// Batches that somebody else reads, on the caller's thread: of arrays, or of time series in a table.
int convert_batches(Arguments const& arguments, Console& console, std::vector<InputFile> const& inputs,
                    FileFormat const& format, Target target, StreamOptions const& stream,
                    std::unique_ptr<BatchReader> reader, Normalization const* normalization) {
  // They are read by the CPU; a device that is asked for by name must be there all the same.
  if (arguments.value_or("device", "auto") != "auto") (void)device_of(arguments, nullptr);
  BatchLayout const layout = reader->layout();
  bool const is_empty = layout.is_dense() && layout.row_bytes() == 0;
  if (is_empty)
    throw ConfigurationError(inputs.front().path + ": its arrays have no columns: there is nothing to convert");
  // A row of a matrix has no more pairs than columns.
  std::size_t const pairs = std::min(layout.is_sparse ? layout.features : 0, array_row_elements_max);
  BatchCapacity record{1, pairs, layout.labels_vary ? array_row_elements_max : 0, 0, 0, {}};
  for (std::size_t i = 0; i < lists_max; ++i)
    record.list_values[i] = layout.lists[i].role == ListRole::none ? 0 : array_row_elements_max;
  Shaping shaping;
  if (normalization != nullptr) {
    normalization->check(layout, target.absent);
    shaping.normalizer = normalization->normalizer;
  }
  auto const names = [&](Role role) {
    return role == Role::feature && normalization != nullptr ? normalization->names
                                                             : trained_names(role, normalization);
  };
  fit(target, {written_layout(shaped_layout(layout, shaping), normalization), record, names}, arguments);
  shaping.reshape = target.reshape;
  if (target.reshape) check_row(shaped_layout(layout, shaping), stream);
  Conversion const conversion{inputs, format.info(), nullptr, reader->notes(), {}, target, std::nullopt, {}};
  if (arguments.has("dry-run")) return print_plan(arguments, conversion);
  auto const make_encoder = row_encoder_maker(target, arguments, normalization);
  Rows rows(std::make_unique<ArrayRounds>(std::move(reader), shaping, make_encoder ? make_encoder() : nullptr,
                                          row_judge(target, normalization), stream.skip));
  Outcome const outcome = Run(arguments, console, std::move(rows), nullptr, stream, target, inputs).go();
  return finish(arguments, console, conversion, outcome, normalization);
}

}  // namespace

namespace {

/// `is_inverse`: a normaliser is undone.
int run(Arguments const& given, bool is_inverse) {
  Console console(given);
  Arguments arguments = given;
  Target target = target_of(arguments);
  StreamOptions const stream = stream_options(arguments);
  if (stream.limit == 0) throw_bad_value("limit", "0", "a conversion of no records makes no sense");
  std::vector<InputFile> const inputs = expand_inputs(arguments.inputs());
  std::optional<Normalization> normalization;
  if (is_inverse)
    normalization = denormalization_of(arguments, *target.format);
  else
    normalization = normalization_of(arguments, inputs, stream, console);
  Normalization const* const normalize = normalization ? &*normalization : nullptr;
  // What was fitted on the way has a schema of its own, in which columns of text are none of the numbers.
  bool const is_fitted_here = normalize != nullptr && normalize->path.empty();
  if (is_fitted_here) arguments = arguments.without({"columns", "ignore"});
  if (normalize != nullptr)
    for (std::string const& note : normalize->notes) console.say(note);
  std::unique_ptr<SchemaGuide> const schema =
      normalize != nullptr && normalize->schema
          ? std::make_unique<SchemaGuide>(*normalize->schema, arguments.has("unlabeled"), console)
          : std::make_unique<SchemaGuide>(arguments, console);
  FileFormat const& format = schema->format_of(inputs, format_option(arguments, "from", false));
  check_format_options(arguments, {&format}, target.format);
  check_files(target, inputs, format.info());
  if (normalize != nullptr) check_manifest(target);
  bool const is_table = arguments.value("series-id") || arguments.value("freq");
  if (is_table && !format.is("csv"))
    throw ConfigurationError("--series-id and --freq make time series of CSV tables, and " +
                             std::string(format.info().title) + " is none");
  if (format.is_planned() && !is_table)
    return convert_records(arguments, console, inputs, format, std::move(target), stream, normalize);
  auto reader = is_table ? open_series(inputs, arguments, stream) : open_arrays(inputs, format, stream);
  return convert_batches(arguments, console, inputs, format, std::move(target), stream, std::move(reader), normalize);
}

}  // namespace

int run_convert(Arguments const& arguments) { return run(arguments, false); }
int run_denormalize(Arguments const& arguments) { return run(arguments, true); }

}  // namespace penstock::app
