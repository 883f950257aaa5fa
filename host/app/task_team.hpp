/// Threads that share work which falls into parts, again and again.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace penstock::app {

/// The caller of run() is one of them.
class TaskTeam {
 public:
  /// 0: one for each core.
  explicit TaskTeam(unsigned threads);
  ~TaskTeam();
  TaskTeam(TaskTeam const&) = delete;
  TaskTeam& operator=(TaskTeam const&) = delete;

  /// Calls task(0), task(1), ..., task(parts - 1), each once and in any order, several at a time. Returns when all
  /// have; throws what one of them threw.
  void run(std::size_t parts, std::function<void(std::size_t)> const& task);

 private:
  void wait_for_work();
  void work();

  std::mutex mutex_;
  std::condition_variable begins_;
  std::condition_variable ends_;
  std::uint64_t runs_ = 0;   ///< that have begun
  std::size_t working_ = 0;  ///< threads, other than the caller, that have not finished the present run
  bool is_over_ = false;
  std::exception_ptr thrown_;
  std::function<void(std::size_t)> const* task_ = nullptr;
  std::size_t parts_ = 0;
  std::atomic<std::size_t> next_ = 0;
  std::vector<std::thread> threads_;  ///< without the caller's
};

}  // namespace penstock::app
