// A command of the command line inside a program.
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <csignal>

#include "host/app/cli.hpp"
#include "host/app/errors.hpp"
#include "host/io/interrupt.hpp"
#include "host/io/standard_streams.hpp"
#include "penstock/commands.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

/// Often enough for a key that is pressed, seldom enough to cost nothing.
constexpr std::chrono::milliseconds wait_interval{50};

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

/// A command at work. Destruction interrupts it and waits until it has cleared up.
class RunningCommand {
 public:
  explicit RunningCommand(std::vector<std::string> const& words) {
    try {
      thread_ = std::thread([this, &words] { run(words); });
    } catch (std::system_error const& error) {
      throw DeviceError("cannot start a thread: " + error.code().message());
    }
  }
  ~RunningCommand() {
    stop_.request();
    if (thread_.joinable()) thread_.join();
  }
  RunningCommand(RunningCommand const&) = delete;
  RunningCommand& operator=(RunningCommand const&) = delete;

  /// Whether it ends within wait_interval.
  [[nodiscard]] bool ends_soon() {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, wait_interval, [this] { return has_ended_; });
  }

  /// Of a command that has ended; throws what ended it.
  [[nodiscard]] CommandResult result() {
    thread_.join();
    if (error_ != nullptr) std::rethrow_exception(error_);
    return {status_, std::move(text_.output), std::move(text_.messages)};
  }

 private:
  void run(std::vector<std::string> const& words) noexcept {
    leave_signals_to_others();
    try {
      WorkStop::Member const member(&stop_);
      Capture const capture(text_);
      run_guarded(words);
    } catch (...) {
      error_ = std::current_exception();
    }
    {
      std::lock_guard const lock(mutex_);
      has_ended_ = true;
    }
    ended_.notify_one();
  }

  void run_guarded(std::vector<std::string> const& words) {
    try {
      status_ = app::run_words(words);
    } catch (...) {
      app::rethrow_as_error();
    }
  }

  WorkStop stop_;
  CapturedText text_;
  int status_ = 0;
  std::exception_ptr error_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;
  std::thread thread_;
};

}  // namespace

CommandResult run_command(std::vector<std::string> const& words, std::function<void()> const& on_wait) {
  RunningCommand command(words);
  while (!command.ends_soon()) {
    if (on_wait) on_wait();
  }
  return command.result();
}

}  // namespace penstock
