#include "tests/support/simt/fiber.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#if defined(SIMT_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(SIMT_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

#if !defined(SIMT_USES_UCONTEXT)
/// Keeps what the calling convention says is kept, on the stack; stores the stack's pointer and takes another.
extern "C" void simt_switch_stacks(void** from, void* to);
asm(R"(
.text
.globl simt_switch_stacks
.type simt_switch_stacks, @function
simt_switch_stacks:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size simt_switch_stacks, . - simt_switch_stacks

.globl simt_first_frame
.type simt_first_frame, @function
simt_first_frame:
  movq %rbx, %rdi
  callq *%r12
  ud2
.size simt_first_frame, . - simt_first_frame
)");
extern "C" void simt_first_frame();
#endif

namespace simt::detail {
namespace {

#if defined(SIMT_ASAN)
constexpr std::size_t stack_bytes = std::size_t{512} << 10;  // frames are larger with red zones
#else
constexpr std::size_t stack_bytes = std::size_t{128} << 10;
#endif

std::size_t page_bytes() {
  static std::size_t const size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

Fiber::Fiber() {
#if defined(SIMT_TSAN)
  thread_ = __tsan_get_current_fiber();
#endif
}

Fiber::Fiber(void (*run)(void*), void* argument) : run_(run), argument_(argument), size_bytes_(stack_bytes) {
  void* const mapping = mmap(nullptr, stack_bytes + page_bytes(), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED || mprotect(mapping, page_bytes(), PROT_NONE) != 0) {
    std::perror("simt: a stack for a kernel's thread");
    std::abort();
  }
  mapping_ = static_cast<char*>(mapping);
  bottom_ = mapping_ + page_bytes();
#if defined(SIMT_TSAN)
  thread_ = __tsan_create_fiber(0);
#endif
  restart();
}

Fiber::~Fiber() {
  if (mapping_ == nullptr) return;
  forget_frames();
#if defined(SIMT_TSAN)
  __tsan_destroy_fiber(thread_);
#endif
  munmap(mapping_, size_bytes_ + page_bytes());
}

void Fiber::rename() {
#if defined(SIMT_TSAN)
  __tsan_destroy_fiber(thread_);
  thread_ = __tsan_create_fiber(0);
  // Fresh pages for those that were touched: what the old one did there is not the new one's.
  std::vector<unsigned char> is_touched(size_bytes_ / page_bytes());
  char* const stack = mapping_ + page_bytes();
  mincore(stack, size_bytes_, is_touched.data());
  std::size_t lowest = 0;
  while (lowest < is_touched.size() && (is_touched[lowest] & 1) == 0) ++lowest;
  std::size_t const offset = lowest * page_bytes();
  if (offset < size_bytes_)
    mmap(stack + offset, size_bytes_ - offset, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  restart();  // the new one's shadow stack is empty too
#endif
}

/// With detect_stack_use_after_return, frames are on a stack of the sanitizer's. It gives that back only where the one
/// whose frames they are is left for good: so it is told that this one runs, and ends.
SIMT_UNPOISONED void Fiber::forget_frames() {
#if defined(SIMT_ASAN)
  __asan_unpoison_memory_region(bottom_, size_bytes_);
  if (fake_stack_ == nullptr) return;
  void* caller = nullptr;
  void const* bottom = nullptr;
  std::size_t size_bytes = 0;
  __sanitizer_start_switch_fiber(&caller, bottom_, size_bytes_);
  __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &size_bytes);
  __sanitizer_start_switch_fiber(nullptr, bottom, size_bytes);
  __sanitizer_finish_switch_fiber(caller, nullptr, nullptr);
  fake_stack_ = nullptr;
#endif
}

void Fiber::restart() {
  forget_frames();
#if !defined(SIMT_USES_UCONTEXT)
  // What simt_switch_stacks pops: r15, r14, r13, r12, rbx, rbp, and where it returns to. At the call in there the stack
  // is aligned to 16 bytes.
  auto* const top = reinterpret_cast<void**>(mapping_ + page_bytes() + size_bytes_) - 2;
  void** const frame = top - 7;
  frame[0] = frame[1] = frame[2] = nullptr;
  frame[3] = reinterpret_cast<void*>(&Fiber::enter);
  frame[4] = this;
  frame[5] = nullptr;
  frame[6] = reinterpret_cast<void*>(&simt_first_frame);
  top[0] = top[1] = nullptr;
  stack_pointer_ = frame;
#else
  getcontext(&context_);
  context_.uc_stack.ss_sp = mapping_ + page_bytes();
  context_.uc_stack.ss_size = size_bytes_;
  context_.uc_link = nullptr;
  auto const address = reinterpret_cast<std::uintptr_t>(this);
  void (*const halves)(unsigned, unsigned) = [](unsigned low, unsigned high) {
    enter(reinterpret_cast<Fiber*>(std::uintptr_t{low} | std::uintptr_t{high} << 32));
  };
  makecontext(&context_, reinterpret_cast<void (*)()>(halves), 2, static_cast<unsigned>(address),
              static_cast<unsigned>(address >> 32));
#endif
}

#if defined(SIMT_ASAN)
namespace {
/// The one that is being left, whose stack the sanitizer says where it is.
thread_local void const** left_bottom = nullptr;
thread_local std::size_t* left_size_bytes = nullptr;
}  // namespace
#endif

SIMT_UNSEEN void Fiber::arrived() {
#if defined(SIMT_ASAN)
  void const* bottom = nullptr;
  std::size_t size_bytes = 0;
  __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &size_bytes);
  if (*left_bottom == nullptr) *left_bottom = bottom, *left_size_bytes = size_bytes;
#endif
}

SIMT_UNSEEN void Fiber::enter(Fiber* self) {
  self->arrived();
  self->run_(self->argument_);
}

SIMT_UNSEEN void Fiber::go_to(Fiber& next) {
#if defined(SIMT_ASAN)
  left_bottom = &bottom_;
  left_size_bytes = &size_bytes_;
  __sanitizer_start_switch_fiber(&fake_stack_, next.bottom_, next.size_bytes_);
#endif
#if defined(SIMT_TSAN)
  __tsan_switch_to_fiber(next.thread_, __tsan_switch_to_fiber_no_sync);
#endif
#if !defined(SIMT_USES_UCONTEXT)
  simt_switch_stacks(&stack_pointer_, next.stack_pointer_);
#else
  swapcontext(&context_, &next.context_);
#endif
  arrived();
}

void release([[maybe_unused]] void* object) {
#if defined(SIMT_TSAN)
  __tsan_release(object);
#endif
}
void acquire([[maybe_unused]] void* object) {
#if defined(SIMT_TSAN)
  __tsan_acquire(object);
#endif
}

}  // namespace simt::detail
