#include "host/io/stoppable.hpp"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "host/io/interrupt.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

/// Often enough for a key that is pressed, seldom enough to cost nothing.
constexpr std::chrono::milliseconds wait_interval{50};

/// Destruction interrupts the work and waits until it has cleared up.
class Running {
 public:
  explicit Running(std::function<void()> const& work) {
    try {
      thread_ = std::thread([this, &work] { run(work); });
    } catch (std::system_error const& error) {
      throw DeviceError("cannot start a thread: " + error.code().message());
    }
  }
  ~Running() {
    stop_.request();
    if (thread_.joinable()) thread_.join();
  }
  Running(Running const&) = delete;
  Running& operator=(Running const&) = delete;

  /// Whether it ends within wait_interval.
  [[nodiscard]] bool ends_soon() {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, wait_interval, [this] { return has_ended_; });
  }

  /// Once it has ended: throws what ended it.
  void finish() {
    thread_.join();
    if (error_ != nullptr) std::rethrow_exception(error_);
  }

 private:
  void run(std::function<void()> const& work) noexcept {
    try {
      WorkStop::Member const member(&stop_);
      work();
    } catch (...) {
      error_ = std::current_exception();
    }
    {
      std::lock_guard const lock(mutex_);
      has_ended_ = true;
    }
    ended_.notify_one();
  }

  WorkStop stop_;
  std::exception_ptr error_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;
  std::thread thread_;
};

}  // namespace

void run_stoppable(std::function<void()> const& work, std::function<void()> const& on_wait) {
  Running running(work);
  while (!running.ends_soon()) {
    throw_if_interrupted();
    if (on_wait) on_wait();
  }
  running.finish();
}

}  // namespace penstock
