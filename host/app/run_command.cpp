// A command of the command line inside a program.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <csignal>

#include "host/app/cli.hpp"
#include "host/app/errors.hpp"
#include "host/io/standard_streams.hpp"
#include "host/io/stoppable.hpp"
#include "penstock/commands.hpp"

namespace penstock {
namespace {

/// Signals of the process are for the program's own threads. Those that a write to a closed pipe or beyond the limit of
/// a file's size sends to the very thread stay pending and go with it: the write says what happened. Threads that the
/// calling one starts inherit this.
void leave_signals_to_others() {
  sigset_t blocked;
  ::sigfillset(&blocked);
  for (int const of_this_thread : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
    ::sigdelset(&blocked, of_this_thread);
  ::pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
}

/// On the thread that is the command's.
int run_captured(std::vector<std::string> const& words, CapturedText& text) {
  leave_signals_to_others();
  Capture const capture(text);
  try {
    return app::run_words(words);
  } catch (...) {
    app::rethrow_as_error();
  }
}

}  // namespace

CommandResult run_command(std::vector<std::string> const& words, std::function<void()> const& on_wait) {
  CapturedText text;
  int status = 0;
  run_stoppable([&] { status = run_captured(words, text); }, on_wait);
  return {status, std::move(text.output), std::move(text.messages)};
}

}  // namespace penstock
