/// Ctrl-C, SIGTERM and SIGHUP: stop soon, leave nothing half-written behind. And stopping one piece of work, or one
/// thread that waits.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <utility>

namespace penstock {

/// Makes SIGINT, SIGTERM and SIGHUP set a flag that interrupted() reads and that ends every blocking read and
/// write of host/io with InterruptedError. A SIGINT that follows an earlier signal ends the process at once with
/// status 130, after removing all partial files. SIGPIPE and SIGXFSZ are ignored, so that a closed pipe becomes
/// EPIPE, and a file that grows beyond the limit (ulimit -f) EFBIG.
/// One of the three that the parent had set to be ignored (a background job of a shell, nohup) stays ignored.
/// Meant for programs, not for libraries inside other programs; calling it again does nothing.
void install_signal_handlers();

/// True once one of the signals arrived, or the WorkStop that the calling thread works under was requested. Any thread
/// may ask; costs an atomic load or two.
[[nodiscard]] bool interrupted() noexcept;

/// The first signal that arrived, or 0: a program ends with status 128 + signal.
[[nodiscard]] int interrupt_signal() noexcept;

/// Forgets the signal, for a program that goes on after stopping one piece of work.
void clear_interrupt() noexcept;

/// Throws InterruptedError if interrupted().
void throw_if_interrupted();

/// Waits until `descriptor` is ready for `events` (POLLIN or POLLOUT), has hung up, or has failed: the call
/// that follows says which. Throws InterruptedError as soon as a signal arrives, whichever thread gets it, and
/// when the WorkStop that the calling thread works under, or a WaitStop that it listens to, is requested.
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

/// Stops one piece of work of a process that does others too: to the threads that work under it a request is what a
/// signal is to a program. It cannot be taken back.
class WorkStop {
 public:
  /// Throws Error (internal) if the system gives no descriptor.
  WorkStop();
  ~WorkStop();
  WorkStop(WorkStop const&) = delete;
  WorkStop& operator=(WorkStop const&) = delete;

  /// Any thread may call it.
  void request() noexcept;

  [[nodiscard]] bool is_requested() const noexcept { return is_requested_.load(std::memory_order_relaxed); }
  /// Readable once it was requested: for poll(2).
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  /// What the calling thread works under; null: signals alone interrupt it.
  [[nodiscard]] static WorkStop const* current() noexcept;

  /// The calling thread works under `stop`, which may be null, as long as it lives.
  class Member {
   public:
    explicit Member(WorkStop const* stop) noexcept;
    ~Member();
    Member(Member const&) = delete;
    Member& operator=(Member const&) = delete;

   private:
    WorkStop const* before_;
  };

 private:
  std::atomic<bool> is_requested_ = false;
  int descriptor_;  ///< an eventfd
};

/// What a thread runs that is started on behalf of the calling one: `run`, under the same WorkStop.
template <class Run>
[[nodiscard]] auto for_current_work(Run run) {
  return [stop = WorkStop::current(), run = std::move(run)]() mutable {
    WorkStop::Member const member(stop);
    run();
  };
}

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
