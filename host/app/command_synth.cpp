#include <unistd.h>

#include <chrono>

#include "host/app/cli_output.hpp"
#include "host/app/commands.hpp"
#include "host/app/options_values.hpp"
#include "host/app/synth.hpp"
#include "host/app/synth_faults.hpp"
#include "host/io/sink.hpp"
#include "host/pipeline/fault_report.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// Counts what passes through.
class CountingSink final : public Sink {
 public:
  explicit CountingSink(Sink& sink) : sink_(sink) {}
  void write(std::span<std::byte const> bytes) override {
    sink_.write(bytes);
    bytes_ += bytes.size();
  }
  void commit() override { sink_.commit(); }
  [[nodiscard]] std::uint64_t size_bytes() const { return bytes_; }

 private:
  Sink& sink_;
  std::uint64_t bytes_ = 0;
};

SynthOptions synth_options(Arguments const& arguments) {
  if (arguments.inputs().size() != 1) throw ConfigurationError("synth makes one kind of data at a time");
  SynthKind const& kind = synth_kind(arguments.inputs()[0]);
  SynthOptions options;
  options.kind = kind.name;
  options.size_bytes_min = size_of(arguments, "size").value_or(0);
  options.rows = count_of(arguments, "rows").value_or(0);
  options.seed = count_of(arguments, "seed").value_or(options.seed);
  options.header = arguments.has("header");
  if ((options.rows == 0) == (options.size_bytes_min == 0))
    throw ConfigurationError("synth needs either a number of records or a size, above 0",
                             "--rows 1000 or --size 64MiB");
  std::optional<std::string> const bad = arguments.value("bad");
  if (bad || !kind.faults.empty()) options.bad = parse_bad_records(kind, bad.value_or("1%"));
  return options;
}

std::string output_of(Arguments const& arguments, SynthKind const& kind) {
  std::optional<std::string> const path = arguments.value("output");
  if (!path) throw ConfigurationError("synth: no output is named", "-o OUT; - is standard output");
  if (*path == "-" && kind.is_binary && ::isatty(STDOUT_FILENO) == 1)
    throw ConfigurationError("-o -: binary output is not written to a terminal", "Send it to a file or a pipe.");
  return *path;
}

/// What was planted, for whoever counts what a reader finds: with the options that it takes to find it.
void say_bad_records(Console& console, SynthKind const& kind, SynthSummary const& summary) {
  for (std::size_t i = 0; i < kind.faults.size(); ++i) {
    if (summary.bad[i] == 0) continue;
    SynthFault const& fault = kind.faults[i];
    std::string const options = fault.reader_options.empty() ? "" : " (" + std::string(fault.reader_options) + ")";
    console.say("bad  " + std::string(name_of(fault.code)) + " " + format_count(summary.bad[i]) + options);
  }
}

}  // namespace

int run_synth(Arguments const& arguments) {
  Console console(arguments);
  SynthOptions const options = synth_options(arguments);
  SynthKind const& kind = synth_kind(options.kind);
  std::string const path = output_of(arguments, kind);
  std::uint64_t const threads = stream_options(arguments).threads;
  auto const begin = std::chrono::steady_clock::now();
  auto const sink = open_sink(path, {arguments.has("force")});
  CountingSink counting(*sink);
  SynthSummary const summary = synthesize(options, counting, static_cast<unsigned>(threads));
  counting.commit();
  double const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::uint64_t const bytes = counting.size_bytes();
  // Below that, starting and ending take most of the time.
  constexpr double rate_seconds_min = 0.05;
  std::string const rate = seconds < rate_seconds_min ? "" : ", " + format_rate(static_cast<double>(bytes) / seconds);
  console.say("ok  " + options.kind + ", seed " + std::to_string(options.seed) + " -> " +
              (path == "-" ? "<stdout>" : path) + " (" + format_bytes(bytes) + "), " + format_duration(seconds) + rate);
  say_bad_records(console, kind, summary);
  return 0;
}

}  // namespace penstock::app
