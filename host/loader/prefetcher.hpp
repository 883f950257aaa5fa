/// Batches that are made before they are asked for, by several threads, and handed out in order.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "host/loader/batch_maker.hpp"
#include "host/loader/stage_times.hpp"

namespace penstock {

/// What one thread does.
class BatchWorker {
 public:
  virtual ~BatchWorker() = default;
  /// The batches of a task; none at all: the epoch is over, and tasks from this one on have none. Throws what ends the
  /// epoch at this place.
  virtual std::vector<MadeBatch> make(std::uint64_t task) = 0;
  /// make() throws InterruptedError soon, also while it waits. Any thread may call it.
  virtual void stop() {}
};

/// Tasks are numbered from 0 and taken by workers in this order; what they make comes out in this order.
class Prefetcher {
 public:
  /// No worker begins a task while batches of `bytes_max` bytes are ready, unless nothing is ready at all.
  /// `ready_bytes` says how many there are, to any thread.
  Prefetcher(std::vector<std::unique_ptr<BatchWorker>> workers, std::size_t bytes_max, StageTimes& times,
             std::atomic<std::size_t>& ready_bytes);
  ~Prefetcher();
  Prefetcher(Prefetcher const&) = delete;
  Prefetcher& operator=(Prefetcher const&) = delete;

  /// The next batch; false at the end. While it waits it calls `on_wait`, which may be empty and may throw, some twenty
  /// times a second. Throws what a worker threw, after every batch before it.
  bool next(MadeBatch& made, std::function<void()> const& on_wait);

 private:
  struct Task {
    std::deque<MadeBatch> batches;
    std::exception_ptr error;
    bool is_end = false;
  };

  void stop();
  void run(BatchWorker& worker);
  [[nodiscard]] Task made_by(BatchWorker& worker, std::uint64_t task);
  [[nodiscard]] bool may_begin() const;

  std::size_t bytes_max_;
  StageTimes& times_;
  std::atomic<std::size_t>& ready_bytes_;  ///< of batches in done_; written with the lock
  std::mutex mutex_;
  std::condition_variable is_ready_;  ///< for the caller
  std::condition_variable has_room_;  ///< for the workers
  std::map<std::uint64_t, Task> done_;
  std::uint64_t taken_ = 0;      ///< tasks before it were begun
  std::uint64_t delivered_ = 0;  ///< tasks before it were handed out
  bool is_over_ = false;         ///< a worker has seen the end, or failed
  bool is_stopping_ = false;
  std::vector<std::unique_ptr<BatchWorker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace penstock
