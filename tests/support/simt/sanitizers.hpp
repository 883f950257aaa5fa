/// Which sanitizer the compiler builds for, and what it shall not see.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define SIMT_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define SIMT_TSAN 1
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIMT_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define SIMT_TSAN 1
#endif
#endif

/// SIMT_UNSEEN: a function of the emulator's own bookkeeping, which kernel threads share within one host thread.
#if defined(SIMT_TSAN)
#define SIMT_UNSEEN __attribute__((no_sanitize("thread")))
extern "C" {
void AnnotateIgnoreReadsBegin(char const* file, int line);
void AnnotateIgnoreReadsEnd(char const* file, int line);
void AnnotateIgnoreWritesBegin(char const* file, int line);
void AnnotateIgnoreWritesEnd(char const* file, int line);
}
#else
#define SIMT_UNSEEN
#endif

/// SIMT_UNPOISONED: a function whose own frame the address sanitizer leaves alone.
#if defined(SIMT_ASAN)
#define SIMT_UNPOISONED __attribute__((no_sanitize("address")))
#else
#define SIMT_UNPOISONED
#endif

namespace simt::detail {

/// While it lives, nothing that its kernel thread does is seen, in whatever function.
class Quiet {
 public:
  Quiet() {
#if defined(SIMT_TSAN)
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
  }
  ~Quiet() {
#if defined(SIMT_TSAN)
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
  }
  Quiet(Quiet const&) = delete;
  Quiet& operator=(Quiet const&) = delete;
};

}  // namespace simt::detail
