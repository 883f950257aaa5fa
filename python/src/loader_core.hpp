/// A loader that Python's threads share: one at a time uses it, and waits for it without the GIL.
#pragma once

#include "python/src/python.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <sys/types.h>

#include "penstock/loader.hpp"
#include "python/src/batch.hpp"

namespace penstock::python {

class LoaderCore {
 public:
  LoaderCore() = default;
  ~LoaderCore();
  LoaderCore(LoaderCore const&) = delete;
  LoaderCore& operator=(LoaderCore const&) = delete;

  /// `batch_class`: what batches become instances of, a subclass of _penstock.Batch.
  void open(LoaderOptions const& options, Object batch_class);
  /// Ends the loader's threads, and the wait of a thread that has its turn.
  void close();
  /// The same at the end of the process, unless a thread uses the loader: it is not waited for.
  void close_if_idle();
  [[nodiscard]] Parts const& parts() const { return *parts_; }

  /// What `act(loader)` returns; it runs without the GIL, and no other thread uses the loader meanwhile.
  template <class Act>
  auto use(Act const& act) {
    check_process();
    WithoutGil const others_run;
    Turn const turn(*this);
    return act(opened());
  }

  /// The same for what changes which batch comes next: iterators that were made before have ended.
  template <class Act>
  void place(Act const& act) {
    use([&](Loader& loader) {
      act(loader);
      ++iteration_;
      begun_.reset();
    });
  }

  /// The same for what any thread may do while another one has its turn.
  template <class Act>
  auto look(Act const& act) {
    check_process();
    WithoutGil const others_run;
    return act(*kept());
  }

  /// Goes on behind a restored state, or begins with an epoch: the next one, if batches of the one before are left.
  /// Returns the number of the iteration.
  [[nodiscard]] std::uint64_t begin_iteration();
  /// The next batch; none at the end of the epoch. Throws a Python exception if another iteration has begun since.
  [[nodiscard]] Object next(std::uint64_t iteration);

 private:
  /// The right to use the loader, waited for without the GIL.
  class Turn {
   public:
    explicit Turn(LoaderCore& core);
    ~Turn();
    Turn(Turn const&) = delete;
    Turn& operator=(Turn const&) = delete;

   private:
    LoaderCore& core_;
  };

  /// In a child process of fork() the loader's threads are not there.
  void check_process() const;
  [[nodiscard]] Loader& opened();
  /// The loader, which is not closed before it is given up.
  [[nodiscard]] std::shared_ptr<Loader> kept();
  void end_loader();
  /// What next() does in its turn.
  [[nodiscard]] bool take(Loader& loader, SharedBatch& batch, std::uint64_t iteration);

  std::timed_mutex mutex_;
  std::atomic<bool> is_closing_ = false;
  std::mutex loader_mutex_;         ///< of whoever opens, copies or ends `loader_`
  std::shared_ptr<Loader> loader_;  ///< null: closed

  // Whoever has its turn:
  std::atomic<std::thread::id> user_{};  ///< who has its turn
  std::uint64_t iteration_ = 0;
  std::uint64_t ended_ = 0;             ///< the last iteration that came to its end
  std::optional<std::uint64_t> begun_;  ///< the epoch of which batches were given, and are left perhaps

  // These stay as they are once the loader is open; only with the GIL:
  pid_t process_ = 0;
  std::shared_ptr<Parts const> parts_;
  Object batch_class_;
};

}  // namespace penstock::python
