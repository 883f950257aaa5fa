#include "host/app/task_team.hpp"

#include <algorithm>
#include <utility>

namespace penstock::app {

TaskTeam::TaskTeam(unsigned threads) {
  unsigned const all = threads != 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
  for (unsigned i = 1; i < all; ++i) threads_.emplace_back([this] { wait_for_work(); });
}

TaskTeam::~TaskTeam() {
  {
    std::lock_guard const lock(mutex_);
    is_over_ = true;
  }
  begins_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void TaskTeam::run(std::size_t parts, std::function<void(std::size_t)> const& task) {
  if (threads_.empty() || parts < 2) {
    for (std::size_t part = 0; part < parts; ++part) task(part);
    return;
  }
  {
    std::lock_guard const lock(mutex_);
    task_ = &task;
    parts_ = parts;
    next_ = 0;
    working_ = threads_.size();
    ++runs_;
  }
  begins_.notify_all();
  work();
  std::unique_lock lock(mutex_);
  ends_.wait(lock, [this] { return working_ == 0; });
  if (thrown_ != nullptr) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

void TaskTeam::wait_for_work() {
  std::unique_lock lock(mutex_);
  for (std::uint64_t seen = 0;; seen = runs_) {
    begins_.wait(lock, [&] { return is_over_ || runs_ != seen; });
    if (is_over_) return;
    lock.unlock();
    work();
    lock.lock();
    if (--working_ == 0) ends_.notify_one();
  }
}

void TaskTeam::work() {
  try {
    for (std::size_t part = next_++; part < parts_; part = next_++) (*task_)(part);
  } catch (...) {
    next_ = parts_;
    std::lock_guard const lock(mutex_);
    thrown_ = std::current_exception();
  }
}

}  // namespace penstock::app
