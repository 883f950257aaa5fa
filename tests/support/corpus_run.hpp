/// Decoding a file of formats/csv/corpus the way a command would, and telling how it differs from what is expected.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/options.hpp"
#include "host/app/options_values.hpp"
#include "host/exec/engine.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "host/pipeline/record_stream.hpp"
#include "penstock/error.hpp"
#include "penstock/fault.hpp"
#include "tests/support/corpus_expectation.hpp"

namespace penstock::corpus {

/// How a file is cut and who decodes it: what must not show in what it becomes.
struct Schedule {
  std::size_t slot_bytes = 0;  ///< 0: chosen
  unsigned threads = 1;
  bool is_portable = false;  ///< plain C++ instead of the best instruction set
};

/// PENSTOCK_ISA as the schedule wants it; as it was at the end. Streams look at it when they are made.
class InstructionSetForced {
 public:
  explicit InstructionSetForced(bool is_portable) {
    if (char const* const before = std::getenv(name)) before_ = before;
    if (is_portable)
      ::setenv(name, "portable", 1);
    else
      ::unsetenv(name);
  }
  ~InstructionSetForced() {
    if (before_)
      ::setenv(name, before_->c_str(), 1);
    else
      ::unsetenv(name);
  }
  InstructionSetForced(InstructionSetForced const&) = delete;
  InstructionSetForced& operator=(InstructionSetForced const&) = delete;

 private:
  static constexpr char const* name = "PENSTOCK_ISA";
  std::optional<std::string> before_;
};

/// A rejected record: what was said about it, and its bytes.
struct Rejected {
  FaultReport report;
  std::string raw;
};

/// What a file became.
struct Outcome {
  BatchLayout layout;
  std::vector<std::string> rows;    ///< as canonical_row()
  std::vector<std::string> faults;  ///< as in an expectation
  std::vector<Rejected> rejects;
  std::vector<FaultReport> repairs;
  StreamCounts counts;
  std::optional<int> error_code;
  std::string error_message;
};

inline std::string fault_line(FaultReport const& report) {
  std::string line = report.is_repaired ? "repair" : "fault";
  for (std::uint64_t const number :
       {report.record, report.line, report.line_column, report.offset_bytes, std::uint64_t{report.column}}) {
    line += " " + std::to_string(number);
  }
  return line + " " + std::string(name_of(report.code));
}

inline app::Arguments arguments_of(std::vector<std::string> const& options) {
  for (app::Verb const& verb : app::verbs()) {
    if (verb.bit == app::convert_verb) return app::parse_arguments(verb, options);
  }
  throw std::logic_error("there is no verb convert");
}

inline void collect(RecordStream& stream, Outcome& outcome) {
  stream.on_reject = [&outcome](FaultReport const* report, std::string_view raw, bool is_first, bool) {
    if (is_first) outcome.rejects.push_back({*report, {}});
    if (is_first) outcome.faults.push_back(fault_line(*report));
    outcome.rejects.back().raw += raw;
  };
  stream.on_repair = [&outcome](FaultReport const& report) {
    outcome.repairs.push_back(report);
    outcome.faults.push_back(fault_line(report));
  };
  while (Round const* const round = stream.next()) {
    for (std::size_t row = 0; row < round->batch.rows; ++row) outcome.rows.push_back(canonical_row(round->batch, row));
  }
}

/// `policy` takes the place of --on-error unless the options give one.
inline Outcome run(std::string const& path, std::vector<std::string> const& options, FaultPolicy policy,
                   Schedule const& schedule) {
  InstructionSetForced const forced(schedule.is_portable);
  Outcome outcome;
  try {
    app::Arguments const arguments = arguments_of(options);
    CsvOptions text_options = app::csv_options(arguments);
    StreamOptions stream_options = app::stream_options(arguments);
    if (!arguments.value("on-error")) text_options.on_error = stream_options.on_error = policy;
    stream_options.slot_bytes = schedule.slot_bytes;
    stream_options.threads = schedule.threads;
    auto const plan = plan_csv(expand_inputs({path}), text_options);
    outcome.layout = plan->layout();
    RecordStream stream(*plan, stream_options);
    collect(stream, outcome);
    outcome.counts = stream.counts();
  } catch (Error const& error) {
    outcome.error_code = static_cast<int>(error.exit_code());
    outcome.error_message = error.what();
  }
  return outcome;
}

// --- comparison
// -------------------------------------------------------------------------------------------------------

inline std::string list_difference(std::string const& what, std::vector<std::string> const& expected,
                                   std::vector<std::string> const& found) {
  for (std::size_t i = 0; i < std::max(expected.size(), found.size()); ++i) {
    std::string const wanted = i < expected.size() ? expected[i] : "none", got = i < found.size() ? found[i] : "none";
    if (wanted != got)
      return what + " " + std::to_string(i + 1) + ":\n  expected " + wanted + "\n  found    " + got + "\n";
  }
  return {};
}

inline std::string count_difference(std::string const& what, std::uint64_t expected, std::uint64_t found) {
  return expected == found
             ? ""
             : what + ": expected " + std::to_string(expected) + ", found " + std::to_string(found) + "\n";
}

inline std::string error_difference(Expectation const& expected, Outcome const& found) {
  if (expected.error_code != found.error_code) {
    return "exit status: expected " + std::to_string(expected.error_code.value_or(0)) + ", found " +
           std::to_string(found.error_code.value_or(0)) + " " + found.error_message + "\n";
  }
  bool const is_said = found.error_message.find(expected.error_words) != std::string::npos;
  return is_said ? "" : "message: expected " + expected.error_words + "\n  found " + found.error_message + "\n";
}

/// How the outcome differs from what is expected, in words; empty if it does not. Throws std::runtime_error for rows
/// that are not written in the tensors' types.
inline std::string difference(Expectation const& expected, Outcome const& found) {
  std::string text = error_difference(expected, found);
  std::vector<std::string> rows;
  for (ExpectedRow const& row : expected.rows) {
    try {
      rows.push_back(canonical_row(row.text, found.layout));
    } catch (std::runtime_error const& error) {
      throw std::runtime_error(expected.path + ":" + std::to_string(row.line) + ": " + error.what());
    }
  }
  text += list_difference("row", rows, found.rows) + list_difference("fault", expected.faults, found.faults);
  text += count_difference("missing cells", expected.missing, found.counts.missing_cells);
  text += count_difference("inexact integers", expected.inexact, found.counts.inexact_integers);
  text += count_difference("records", expected.rows.size(), found.counts.records);
  text += count_difference("rejected records", found.rejects.size(), found.counts.rejected);
  return text + count_difference("repaired cells", found.repairs.size(), found.counts.repaired_cells);
}

}  // namespace penstock::corpus
