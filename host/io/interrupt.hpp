/// Ctrl-C, SIGTERM and SIGHUP: stop soon, leave nothing half-written behind. And stopping one thread that waits.
#pragma once

#include <cstddef>
#include <string>

namespace penstock {

/// Makes SIGINT, SIGTERM and SIGHUP set a flag that interrupted() reads and that ends every blocking read and
/// write of host/io with InterruptedError. A SIGINT that follows an earlier signal ends the process at once with
/// status 130, after removing all partial files. SIGPIPE and SIGXFSZ are ignored, so that a closed pipe becomes
/// EPIPE, and a file that grows beyond the limit (ulimit -f) EFBIG.
/// One of the three that the parent had set to be ignored (a background job of a shell, nohup) stays ignored.
/// Meant for programs, not for libraries inside other programs; calling it again does nothing.
void install_signal_handlers();

/// True once one of the signals arrived. Any thread may ask; costs one atomic load.
[[nodiscard]] bool interrupted() noexcept;

/// The first signal that arrived, or 0: a program ends with status 128 + signal.
[[nodiscard]] int interrupt_signal() noexcept;

/// Forgets the signal, for a program that goes on after stopping one piece of work.
void clear_interrupt() noexcept;

/// Throws InterruptedError if interrupted().
void throw_if_interrupted();

/// Waits until `descriptor` is ready for `events` (POLLIN or POLLOUT), has hung up, or has failed: the call
/// that follows says which. Throws InterruptedError as soon as a signal arrives, whichever thread gets it, and
/// when a WaitStop that the calling thread listens to is requested.
void wait_until_ready(int descriptor, short events);

/// Waits at most `milliseconds`; throws like wait_until_ready().
void pause_unless_interrupted(int milliseconds);

/// Ends the waits of other threads, one of which may be in a read from a pipe that stays silent. Threads that do not
/// listen take no notice.
class WaitStop {
 public:
  /// Throws Error (internal) if the system gives no descriptor.
  WaitStop();
  ~WaitStop();
  WaitStop(WaitStop const&) = delete;
  WaitStop& operator=(WaitStop const&) = delete;

  /// The waits of all listening threads end, those to come included. Any thread may call it.
  void request() noexcept;

  /// Makes the calling thread listen as long as it lives. One at a time; the WaitStop must outlive it.
  class Listener {
   public:
    explicit Listener(WaitStop const& stop) noexcept;
    ~Listener();
    Listener(Listener const&) = delete;
    Listener& operator=(Listener const&) = delete;
  };

 private:
  int descriptor_;  ///< an eventfd: readable once it was requested
};

/// How many partial files can be registered at a time. A run writes a handful of files; those beyond the
/// number are still removed by their owners, only not by a second Ctrl-C.
inline constexpr std::size_t partial_paths_max = 64;

/// Registers `path`, while it lives, as a partial file that a second Ctrl-C removes. The registry is a fixed
/// array, because the handler may neither allocate nor lock. Any thread may create and destroy these.
class PartialPath {
 public:
  explicit PartialPath(std::string const& path) noexcept;
  ~PartialPath() { leave(); }
  PartialPath(PartialPath const&) = delete;
  PartialPath& operator=(PartialPath const&) = delete;
  /// Takes the path off the registry now: it was renamed or removed.
  void leave() noexcept;

 private:
  int slot_ = -1;
};

}  // namespace penstock
