/// Commands of the command line, run inside a program.
///
///   penstock::CommandResult const diff = penstock::run_command({"diff", "a.csv", "a.rec", "--label", "y"});
///   std::printf("%d: %s", diff.status, diff.output.c_str());
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace penstock {

/// Of a command that ended without an error.
struct CommandResult {
  int status = 0;        ///< the exit status: of `diff`, 1 says "different", of `validate`, that there are errors
  std::string output;    ///< what the command line prints to standard output; with --json a line of JSON
  std::string messages;  ///< what it prints to standard error: notes, warnings, rejected records; lines
};

/// Runs `penstock WORDS...`, such as {"convert", "a.csv", "-o", "a.rec", "--json"}, on a thread of its own, and returns
/// when it has ended. Handles no signals (its threads block them), prints nothing, shows no progress. "-" as an input
/// is the program's standard input; as an output it is refused with ConfigurationError, as are other names of standard
/// output and standard error.
///
/// Throws the Error that would end the command, with its hint: DataError with the place of the record,
/// ConfigurationError for words that make no sense, ...; what is no Error in it becomes one: DeviceError where memory
/// ran out, else ExitCode::internal. Texts of a command that failed are lost. Outputs that were not complete are gone.
///
/// `on_wait` is called some twenty times a second on the calling thread. If it throws, the command is interrupted and
/// waited for, and the exception goes on; a command that was about to end may have completed its output. Any thread may
/// call this, several at the same time; they share nothing but the machine.
[[nodiscard]] CommandResult run_command(std::vector<std::string> const& words,
                                        std::function<void()> const& on_wait = {});

}  // namespace penstock
