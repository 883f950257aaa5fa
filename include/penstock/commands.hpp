/// Commands of the command line, run inside a program.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace penstock {

struct CommandResult {
  int status = 0;        ///< the exit status, for commands that end without an error: of `diff`, 1 says "different"
  std::string output;    ///< what the command line prints to standard output
  std::string messages;  ///< what it prints to standard error
};

/// Runs `penstock WORDS...`, such as {"convert", "a.csv", "-o", "a.rec", "--json"}, on a thread of its own, with its
/// text in the result instead of on the terminal; handles no signals, shows no progress. Throws the Error that would
/// end the command. `on_wait` is called several times a second on the calling thread; if it throws, the command is
/// interrupted (it leaves no half-written files) and the exception goes on. May be called from any thread.
[[nodiscard]] CommandResult run_command(std::vector<std::string> const& words,
                                        std::function<void()> const& on_wait = {});

}  // namespace penstock
