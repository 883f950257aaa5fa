/// What runs a launch: which blocks are there at a time, and whose turn it is.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/simt/block.hpp"
#include "tests/support/simt/fiber.hpp"
#include "tests/support/simt/simt.hpp"
#include "tests/support/simt/site.hpp"

namespace simt::detail {

/// How many blocks take turns with each other, where turns are random. Otherwise one runs behind another.
inline constexpr unsigned resident_max = 3;

/// One per host thread that launches kernels.
class Machine {
 public:
  Machine();
  ~Machine();
  [[nodiscard]] static Machine& of_this_host_thread();
  /// In kernels: that of this host thread.
  [[nodiscard]] static Machine& running() { return *running_machine; }

  /// False: it was given up.
  bool run(Launch const& launch, Schedule schedule);

  // Called by kernel threads.
  void meet_block(Site site);
  void meet_warp_in_order(unsigned mask, Site site);
  std::uint64_t const* meet_warp(unsigned mask, std::uint64_t value, char const* word, Site site);
  SharedArray& shared_array(Site declared, std::size_t count, std::size_t size_bytes, void const* type);
  [[nodiscard]] std::string where() const { return running_block_->where(); }

 private:
  static void run_thread(void* self);
  void thread_body();
  void prepare();
  void run_blocks(std::vector<unsigned> const& blocks);
  [[nodiscard]] std::uint64_t draw();
  [[nodiscard]] unsigned pick(unsigned from);
  [[nodiscard]] Fiber& next();
  void leave();
  void go_on_as(Outcome outcome);

  static constinit thread_local Machine* running_machine;

  Launch launch_{};
  Schedule schedule_;
  std::uint64_t random_ = 0;
  bool is_given_up_ = false;
  Fiber host_;
  std::vector<std::unique_ptr<Block>> slots_;
  unsigned resident_ = 0;
  Block* running_block_ = nullptr;
  SyncObject begin_, end_;
};

/// Somebody wants a list of barriers, or one of them to do nothing.
extern std::atomic<bool> are_barriers_watched;
/// Whether a barrier here does nothing; and it is noted, where somebody wants a list.
[[nodiscard]] bool is_skipped_if_watched(Site site, char const* word, char const* kernel);
[[nodiscard]] inline bool is_skipped(Site site, char const* word, char const* kernel) {
  return are_barriers_watched.load(std::memory_order_relaxed) && is_skipped_if_watched(site, word, kernel);
}

}  // namespace simt::detail
