/// A block that runs: its threads, which of them are ready, how they meet, and its shared memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/simt/fiber.hpp"
#include "tests/support/simt/shared.hpp"
#include "tests/support/simt/site.hpp"

namespace simt::detail {

inline constexpr unsigned lanes = 32;
inline constexpr unsigned threads_max = 1024;
inline constexpr std::size_t shared_bytes_max = std::size_t{48} << 10;

/// What the thread sanitizer takes for the object that orders threads; apart, because it looks at 8-byte cells.
struct alignas(64) SyncObject {};

/// What lanes meet for.
struct Purpose {
  unsigned mask = 0;
  char const* word = "";
  Site site;
  [[nodiscard]] bool operator==(Purpose const& other) const {
    bool const is_word = word == other.word || std::strcmp(word, other.word) == 0;
    return is_word && mask == other.mask && site == other.site;
  }
};

/// Lanes of one mask that come together; masks that are disjoint have different ones.
struct Meeting {
  unsigned arrived = 0;
  unsigned rounds = 0;
  Purpose purpose;
  std::uint64_t rows[2][lanes] = {};  ///< a lane may be in the next round while others still read this one's
  SyncObject* order[2] = {};
};

/// What becomes of a thread that has come to a meeting.
enum class Outcome { go_on, wait, give_up };

/// Its stacks and shared arrays are used again for blocks that come later. Whatever "the running thread" is meant for,
/// is called on that thread's stack.
class Block {
 public:
  /// A thread's stack begins with run(argument).
  Block(void (*run)(void*), void* argument) : run_(run), argument_(argument) {}

  /// Before a launch: `kernel` outlives it.
  void prepare(char const* kernel, unsigned threads);
  /// All threads of block `number` are ready.
  void begin(unsigned number);
  /// What is left of a block that cannot go on is forgotten.
  void forget();

  [[nodiscard]] bool is_done() const { return returned_ == count_; }
  [[nodiscard]] unsigned ready_warps() const { return ready_warps_; }
  [[nodiscard]] unsigned ready_lanes(unsigned warp) const { return warps_[warp].ready; }
  /// This thread runs now; it was ready.
  void take_turn(unsigned thread);
  [[nodiscard]] Fiber& running_fiber() { return *threads_[running_].fiber; }

  // The running thread comes to a barrier, a meeting of its warp, its end.
  [[nodiscard]] SyncObject* barrier_order();
  [[nodiscard]] Outcome arrive_at_barrier(Site site);
  [[nodiscard]] Meeting& meeting_of(unsigned mask);
  [[nodiscard]] Outcome arrive_at_meeting(Meeting& meeting, Purpose const& purpose, std::uint64_t value);
  void retire();

  SharedArray& shared_array(Site declared, std::size_t count, std::size_t size_bytes, void const* type);
  /// `kernel, block 3, thread 17`: the running thread.
  [[nodiscard]] std::string where() const;
  /// Nobody is ready, and not all have returned.
  void report_deadlock() const;

 private:
  enum class State : unsigned char { ready, at_barrier, at_meeting, returned };
  struct Thread {
    std::unique_ptr<Fiber> fiber;
    State state = State::returned;
    char const* word = "";  ///< what it waits in, and where
    Site site;
  };
  struct Warp {
    unsigned ready = 0;     ///< lanes
    unsigned returned = 0;  ///< lanes
    std::uint32_t meetings = 0;
    std::unique_ptr<Meeting[]> by_lowest_lane;
  };
  struct Storage {
    SharedArray array;
    std::vector<unsigned char> data;
    std::vector<Element> elements;
  };

  void set_ready(unsigned thread);
  void renew_orders();
  [[nodiscard]] Outcome release_barrier();
  void complete(Meeting& meeting, unsigned warp);
  [[nodiscard]] Outcome divergence(std::string const& what) const;
  [[nodiscard]] std::string state_text(unsigned thread) const;
  [[nodiscard]] std::string threads_text() const;

  void (*run_)(void*);
  void* argument_;
  char const* kernel_ = "";
  unsigned number_ = 0;
  unsigned count_ = 0;  ///< of threads
  unsigned running_ = 0;
  unsigned ready_warps_ = 0;
  unsigned at_barrier_ = 0;
  unsigned returned_ = 0;
  std::uint32_t barriers_ = 0;  ///< of all blocks so far
  std::uint32_t began_ = 0;     ///< `barriers_` when this one began
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::unique_ptr<SyncObject[]> orders_;
  std::vector<std::unique_ptr<Storage>> arrays_;  ///< of all launches so far
  std::vector<SharedArray*> arrays_of_launch_;
};

}  // namespace simt::detail
