/// A second stack on the same host thread, and going from one to another.
#pragma once

#include <cstddef>

#include "tests/support/simt/sanitizers.hpp"

#if !defined(__x86_64__) || defined(SIMT_UCONTEXT)
#define SIMT_USES_UCONTEXT 1
#include <ucontext.h>
#endif

namespace simt::detail {

/// Either the host thread's own stack or one with a guard page below it. Goes on where it left off.
class Fiber {
 public:
  /// The host thread's own.
  Fiber();
  /// A stack of its own on which `run` is called with `argument` when it is first resumed. `run` never returns.
  Fiber(void (*run)(void*), void* argument);
  ~Fiber();
  Fiber(Fiber const&) = delete;
  Fiber& operator=(Fiber const&) = delete;

  /// Leaves this one, which runs, for `next`; returns when somebody goes back to this one.
  void go_to(Fiber& next);
  /// Begins again from run(); what was on the stack is forgotten. It does not run now.
  void restart();
  /// Makes the thread sanitizer, if there is one, take this for another thread from now on, and restarts it then. run()
  /// waits for what comes next, or has not begun.
  void rename();

 private:
  static void enter(Fiber* self);
  void arrived();
  void forget_frames();

  void (*run_)(void*) = nullptr;
  void* argument_ = nullptr;
  char* mapping_ = nullptr;
  void const* bottom_ = nullptr;  ///< of the stack
  std::size_t size_bytes_ = 0;
#if defined(SIMT_ASAN)
  void* fake_stack_ = nullptr;
#endif
#if defined(SIMT_TSAN)
  void* thread_ = nullptr;  ///< the sanitizer's
#endif
#if !defined(SIMT_USES_UCONTEXT)
  void* stack_pointer_ = nullptr;
#else
  ucontext_t context_{};
#endif
};

/// For the thread sanitizer: what was done before release() is ordered before what is done behind acquire().
void release(void* object);
void acquire(void* object);

}  // namespace simt::detail
