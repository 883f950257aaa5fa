#include "host/io/interrupt.hpp"

#include "penstock/error.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstring>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace penstock {
namespace {

/// Of the WaitStop that this thread listens to.
thread_local int stop_descriptor = -1;
thread_local WorkStop const* current_stop = nullptr;

enum SlotState : int { slot_free, slot_changing, slot_used };

struct PartialSlot {
  std::atomic<int> state{slot_free};
  std::array<char, PATH_MAX> path{};
};

// Everything that the handler touches: constant-initialised, lock-free, never destroyed.
constinit std::array<PartialSlot, partial_paths_max> partial_slots{};
constinit std::atomic<int> first_signal{0};
constinit std::atomic<int> wake_descriptor{-1};  // an eventfd: readable from the first signal on
static_assert(std::atomic<int>::is_always_lock_free);

[[noreturn]] void leave_at_once(int signal_number) {
  for (PartialSlot& slot : partial_slots) {
    if (slot.state.load(std::memory_order_acquire) == slot_used) ::unlink(slot.path.data());
  }
  ::_exit(128 + signal_number);
}

int open_event() {
  int const descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) throw Error(ExitCode::internal, std::string("eventfd: ") + std::strerror(errno));
  return descriptor;
}

void set_event(int descriptor) {
  std::uint64_t const one = 1;
  // It can fail only when the counter is full, and then the descriptor is readable already.
  [[maybe_unused]] ssize_t const written = ::write(descriptor, &one, sizeof one);
}

extern "C" void penstock_on_signal(int signal_number) {
  int const saved_errno = errno;
  int expected = 0;
  bool const is_first = first_signal.compare_exchange_strong(expected, signal_number);
  if (!is_first && signal_number == SIGINT) leave_at_once(signal_number);
  set_event(wake_descriptor.load());
  errno = saved_errno;
}

void handle_unless_ignored(int signal_number) {
  struct sigaction current {};
  if (::sigaction(signal_number, nullptr, &current) == 0 && current.sa_handler == SIG_IGN) return;
  struct sigaction action {};
  action.sa_handler = penstock_on_signal;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // not SA_RESTART: blocking calls return with EINTR
  ::sigaction(signal_number, &action, nullptr);
}

void poll_with_wake(int descriptor, short events, int timeout_milliseconds) {
  throw_if_interrupted();
  int const work_descriptor = current_stop == nullptr ? -1 : current_stop->descriptor();
  std::array<pollfd, 4> waits{{{descriptor, events, 0},
                               {wake_descriptor.load(), POLLIN, 0},
                               {stop_descriptor, POLLIN, 0},
                               {work_descriptor, POLLIN, 0}}};
  ::poll(waits.data(), waits.size(), timeout_milliseconds);  // negative descriptors are passed over
  throw_if_interrupted();
  if (waits[2].revents != 0) throw InterruptedError();
}

}  // namespace

void install_signal_handlers() {
  if (wake_descriptor.load() < 0) wake_descriptor.store(open_event());
  for (int const signal_number : {SIGINT, SIGTERM, SIGHUP}) handle_unless_ignored(signal_number);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigemptyset(&ignore.sa_mask);
  for (int const signal_number : {SIGPIPE, SIGXFSZ}) ::sigaction(signal_number, &ignore, nullptr);
}

bool interrupted() noexcept {
  return first_signal.load(std::memory_order_relaxed) != 0 || (current_stop != nullptr && current_stop->is_requested());
}

int interrupt_signal() noexcept { return first_signal.load(); }

void clear_interrupt() noexcept {
  std::uint64_t count = 0;
  // Nothing to read is as good as something read: the descriptor is quiet afterwards.
  [[maybe_unused]] ssize_t const drained = ::read(wake_descriptor.load(), &count, sizeof count);
  first_signal.store(0);
}

void throw_if_interrupted() {
  if (interrupted()) throw InterruptedError();
}

void wait_until_ready(int descriptor, short events) { poll_with_wake(descriptor, events, -1); }

void pause_unless_interrupted(int milliseconds) { poll_with_wake(-1, 0, milliseconds); }

WaitStop::WaitStop() : descriptor_(open_event()) {}

WaitStop::~WaitStop() { ::close(descriptor_); }

void WaitStop::request() noexcept { set_event(descriptor_); }

WaitStop::Listener::Listener(WaitStop const& stop) noexcept { stop_descriptor = stop.descriptor_; }

WaitStop::Listener::~Listener() { stop_descriptor = -1; }

WorkStop::WorkStop() : descriptor_(open_event()) {}

WorkStop::~WorkStop() { ::close(descriptor_); }

void WorkStop::request() noexcept {
  is_requested_.store(true, std::memory_order_relaxed);
  set_event(descriptor_);
}

WorkStop const* WorkStop::current() noexcept { return current_stop; }

WorkStop::Member::Member(WorkStop const* stop) noexcept : before_(std::exchange(current_stop, stop)) {}

WorkStop::Member::~Member() { current_stop = before_; }

PartialPath::PartialPath(std::string const& path) noexcept {
  if (path.size() >= PATH_MAX) return;
  for (std::size_t i = 0; i < partial_slots.size(); ++i) {
    PartialSlot& slot = partial_slots[i];
    int expected = slot_free;
    if (!slot.state.compare_exchange_strong(expected, slot_changing)) continue;
    std::memcpy(slot.path.data(), path.c_str(), path.size() + 1);
    slot.state.store(slot_used, std::memory_order_release);
    slot_ = static_cast<int>(i);
    return;
  }
}

void PartialPath::leave() noexcept {
  if (slot_ >= 0) partial_slots[static_cast<std::size_t>(slot_)].state.store(slot_free);
  slot_ = -1;
}

}  // namespace penstock
