#include "host/loader/prefetcher.hpp"

#include <chrono>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include "penstock/error.hpp"

namespace penstock {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds wait_piece{50};

}  // namespace

Prefetcher::Prefetcher(std::vector<std::unique_ptr<BatchWorker>> workers, std::size_t bytes_max, StageTimes& times,
                       std::atomic<std::size_t>& ready_bytes)
    : bytes_max_(bytes_max), times_(times), ready_bytes_(ready_bytes), workers_(std::move(workers)) {
  ready_bytes_ = 0;
  threads_.reserve(workers_.size());
  try {
    for (auto const& worker : workers_) threads_.emplace_back([this, &worker] { run(*worker); });
  } catch (std::system_error const& error) {
    stop();
    throw DeviceError("cannot start " + std::to_string(workers_.size()) + " threads: " + error.code().message(),
                      "fewer threads");
  }
}

Prefetcher::~Prefetcher() {
  stop();
  ready_bytes_ = 0;
}

void Prefetcher::stop() {
  {
    std::lock_guard const lock(mutex_);
    is_stopping_ = true;
  }
  has_room_.notify_all();
  for (auto const& worker : workers_) worker->stop();
  for (std::thread& thread : threads_) thread.join();
}

bool Prefetcher::may_begin() const {
  // Whoever is next must be made, whatever is ready behind it.
  return taken_ == delivered_ || (ready_bytes_ < bytes_max_ && taken_ < delivered_ + 64 * workers_.size());
}

void Prefetcher::run(BatchWorker& worker) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!may_begin()) {
      auto const began = Clock::now();
      has_room_.wait(lock, [this] { return is_stopping_ || is_over_ || may_begin(); });
      times_.add(Stage::blocked, Clock::now() - began);
    }
    if (is_stopping_ || is_over_) return;
    std::uint64_t const number = taken_++;
    lock.unlock();
    Task task = made_by(worker, number);
    lock.lock();
    is_over_ = is_over_ || task.is_end || task.error != nullptr;
    for (MadeBatch const& made : task.batches) ready_bytes_ += made.bytes;
    done_.emplace(number, std::move(task));
    if (number == delivered_) is_ready_.notify_one();
    if (is_over_) has_room_.notify_all();
  }
}

Prefetcher::Task Prefetcher::made_by(BatchWorker& worker, std::uint64_t number) {
  Task task;
  try {
    std::vector<MadeBatch> batches = worker.make(number);
    task.is_end = batches.empty();
    task.batches.assign(std::make_move_iterator(batches.begin()), std::make_move_iterator(batches.end()));
  } catch (...) {
    task.error = std::current_exception();
  }
  return task;
}

bool Prefetcher::next(MadeBatch& made, std::function<void()> const& on_wait) {
  std::unique_lock lock(mutex_);
  for (;;) {
    auto const first = done_.find(delivered_);
    if (first == done_.end()) {
      auto const began = Clock::now();
      bool const has_come = is_ready_.wait_for(lock, wait_piece, [this] { return done_.contains(delivered_); });
      times_.add(Stage::waited, Clock::now() - began);
      if (has_come || !on_wait) continue;
      lock.unlock();
      on_wait();
      lock.lock();
      continue;
    }
    Task& task = first->second;
    if (!task.batches.empty()) {
      made = std::move(task.batches.front());
      task.batches.pop_front();
      bool const was_full = ready_bytes_ >= bytes_max_;
      ready_bytes_ -= made.bytes;
      bool const is_used_up = task.batches.empty() && task.error == nullptr && !task.is_end;
      if (is_used_up) {
        done_.erase(first);
        ++delivered_;
      }
      lock.unlock();
      if (was_full || is_used_up) has_room_.notify_all();
      return true;
    }
    if (task.error != nullptr) std::rethrow_exception(task.error);
    return false;
  }
}

}  // namespace penstock
