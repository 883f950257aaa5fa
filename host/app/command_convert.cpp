#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <sys/stat.h>

#include "host/app/batch_reader.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/command_convert_report.hpp"
#include "host/app/command_convert_target.hpp"
#include "host/app/commands.hpp"
#include "host/app/fault_lines.hpp"
#include "host/app/options_values.hpp"
#include "host/app/progress.hpp"
#include "host/app/rejects.hpp"
#include "host/io/interrupt.hpp"
#include "host/io/sink.hpp"
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

/// A run from the first record to the last.
class Run {
 public:
  Run(Arguments const& arguments, Console& console, CsvPlan& plan, StreamOptions const& options, Target const& target,
      std::vector<InputFile> const& inputs)
      : target_(target),
        policy_(options.on_error),
        is_part_(options.limit.has_value()),
        output_(make_output(target.output)),
        stream_(plan, options),
        faults_(console),
        console_(console),
        progress_(progress_options(arguments, console, inputs), write_to_stderr, Clock::now) {
    if (target.quarantines) rejects_.emplace(target.rejects_prefix, target.output.overwrite, plan);
    listen();
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
    outcome.counts = stream_.counts();
    outcome.output_bytes = file_bytes(target_.output.path, encoded_bytes_);
    if (rejects_) outcome.reject_paths = rejects_->paths();
    outcome.is_part = is_part_;
    outcome.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return outcome;
  }

 private:
  /// With policy fail the error itself says everything about the fault.
  void listen() {
    if (rejects_ || policy_ == FaultPolicy::skip) {
      stream_.on_reject = [this](FaultReport const* report, std::string_view raw, bool is_first, bool is_last) {
        if (report != nullptr && !faults_.show(*report)) is_enough_ = true;
        if (rejects_) rejects_->add(report, raw, is_first, is_last);
      };
    }
    stream_.on_repair = [this](FaultReport const& report) {
      if (!faults_.show(report)) is_enough_ = true;
    };
  }

  void pass() {
    while (Round const* const round = stream_.next()) {
      throw_if_interrupted();
      output_->write(*round);
      encoded_bytes_ += round->encoded.size();
      StreamCounts const& counts = stream_.counts();
      progress_.update({stream_.stored_bytes_read(), counts.records, counts.rejected});
      if (!is_enough_) continue;  // reports cost time
      stream_.on_repair = nullptr;
      if (!rejects_) stream_.on_reject = nullptr;
    }
    throw_if_interrupted();
    if (stream_.counts().records != 0) return;
    std::uint64_t const rejected = stream_.counts().rejected;
    throw DataError(rejected == 0 ? "no records"
                                  : "no records are left: all " + format_count(rejected) + " were rejected");
  }

  void show_rest() const {
    if (rejects_ || policy_ == FaultPolicy::skip) faults_.finish(stream_.counts().rejected);
    if (policy_ == FaultPolicy::null) faults_.finish(stream_.counts().repaired_cells);
  }

  void keep_rejects() {
    if (!rejects_ || rejects_->paths().empty()) return;
    rejects_->commit();
    for (std::string const& path : rejects_->paths()) console_.say("rejects in " + path);
  }

  /// All files or none.
  void commit() {
    if (rejects_) rejects_->commit();
    try {
      output_->finish();
    } catch (...) {
      if (rejects_) rejects_->remove();
      throw;
    }
  }

  Target const& target_;
  FaultPolicy policy_;
  bool is_part_;  ///< --limit: not all text that was read was used
  std::unique_ptr<Output> output_;
  CsvStream stream_;
  std::optional<RejectFiles> rejects_;
  FaultLines faults_;
  Console& console_;
  Progress progress_;
  std::uint64_t encoded_bytes_ = 0;
  bool is_enough_ = false;  ///< no more faults are shown
};

/// Other formats would only be reported as bad text.
void check_text(std::vector<InputFile> const& inputs) {
  for (InputFile const& input : inputs) {
    if (!input.is_stdin && !input.is_regular) continue;
    std::optional<InputKind> const kind = kind_of_content(input);
    if (!kind) continue;
    throw SourceError(
        (input.is_stdin ? "<stdin>" : input.path) + ": is " + std::string(name_of(*kind)) + "; convert reads CSV text",
        "penstock head and inspect read it.");
  }
}

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

void say_engine(Console& console, StreamSizes const& sizes) {
  console.detail("engine: cpu (" + std::string(name_of(best_instruction_set())) + "), " + std::to_string(sizes.lanes) +
                 (sizes.lanes == 1 ? " thread, " : " threads, ") + std::to_string(sizes.slots) + " slots of " +
                 format_bytes(sizes.slot_bytes) + ", " + format_bytes(sizes.total_bytes) + " in all");
}

void say_summary(Console& console, Conversion const& conversion, Outcome const& outcome) {
  for (std::string const& note : conversion.plan.notes()) console.say(note);
  for (std::string const& warning : outcome.warnings) console.warn(warning);
  console.say(summary_text(conversion, outcome));
}

}  // namespace

int run_convert(Arguments const& arguments) {
  Console console(arguments);
  check_device(arguments);
  Target target = target_of(arguments);
  CsvOptions const csv = csv_options(arguments);
  StreamOptions stream = stream_options(arguments);
  if (stream.limit == 0) throw_bad_value("limit", "0", "a conversion of no records makes no sense");
  std::vector<InputFile> const inputs = expand_inputs(arguments.inputs());
  check_files(target, inputs);
  check_text(inputs);
  std::unique_ptr<CsvPlan> const plan = plan_csv(inputs, csv);
  fit(target, *plan);
  stream.make_encoder = encoder_maker(target);
  StreamSizes const sizes = plan_sizes(*plan, stream);
  Conversion const conversion{inputs, *plan, target, sizes};
  bool const is_json = arguments.has("json");
  if (arguments.has("dry-run")) {
    print_report(is_json ? plan_json(conversion) : plan_text(conversion), false);
    return 0;
  }
  say_engine(console, sizes);
  Outcome outcome = Run(arguments, console, *plan, stream, target, inputs).go();
  outcome.warnings = warnings_of(conversion, outcome.counts);
  say_summary(console, conversion, outcome);
  if (is_json) print_summary(summary_json(conversion, outcome), target);
  return 0;
}

}  // namespace penstock::app
