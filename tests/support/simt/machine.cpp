#include "tests/support/simt/machine.hpp"

#include <bit>
#include <utility>

#include "tests/support/simt/cuda_runtime.h"

namespace simt::detail {

constinit thread_local Machine* Machine::running_machine = nullptr;

Machine::Machine() = default;
Machine::~Machine() = default;

Machine& Machine::of_this_host_thread() {
  thread_local Machine machine;
  return machine;
}

// --- launches ------------------------------------------------------------------------------------------------------

bool Machine::run(Launch const& launch, Schedule schedule) {
  Quiet const quiet;
  launch_ = launch;
  schedule_ = schedule;
  random_ = schedule.seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
  is_given_up_ = false;
  std::vector<unsigned> blocks(launch.blocks);
  for (unsigned i = 0; i < launch.blocks; ++i) blocks[i] = schedule.order == Order::reverse ? launch.blocks - 1 - i : i;
  if (schedule.order == Order::random)
    for (unsigned i = launch.blocks; i > 1; --i) std::swap(blocks[i - 1], blocks[draw() % i]);
  gridDim = dim3(launch.blocks);
  blockDim = dim3(launch.threads);
  running_machine = this;
  release(&begin_);
  now.in_kernel = true;
  run_blocks(blocks);
  now.in_kernel = false;
  acquire(&end_);
  return !is_given_up_;
}

void Machine::prepare() {
  resident_ = schedule_.order == Order::random ? resident_max : 1;
  while (slots_.size() < resident_) slots_.push_back(std::make_unique<Block>(&Machine::run_thread, this));
  for (unsigned i = 0; i < resident_; ++i) slots_[i]->prepare(launch_.name, launch_.threads);
}

void Machine::run_blocks(std::vector<unsigned> const& blocks) {
  prepare();
  std::size_t begun = 0;
  for (;;) {
    bool is_done = true, is_ready = false;
    for (unsigned i = 0; i < resident_; ++i) {
      if (slots_[i]->is_done() && begun < blocks.size()) slots_[i]->begin(blocks[begun++]);
      is_done = is_done && slots_[i]->is_done();
      is_ready = is_ready || slots_[i]->ready_warps() != 0;
    }
    if (is_done) return;
    if (!is_ready) {
      for (unsigned i = 0; i < resident_; ++i)
        if (!slots_[i]->is_done()) slots_[i]->report_deadlock();
      is_given_up_ = true;
    }
    if (!is_given_up_) host_.go_to(next());
    if (is_given_up_) {
      for (unsigned i = 0; i < resident_; ++i) slots_[i]->forget();
      return;
    }
  }
}

SIMT_UNSEEN void Machine::run_thread(void* self) { static_cast<Machine*>(self)->thread_body(); }

SIMT_UNSEEN void Machine::thread_body() {
  for (;;) {
    acquire(&begin_);
    launch_.run(launch_.kernel);
    release(&end_);
    running_block_->retire();
    leave();
  }
}

// --- turns ---------------------------------------------------------------------------------------------------------

std::uint64_t Machine::draw() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_ >> 16;
}

unsigned Machine::pick(unsigned from) {
  if (schedule_.order == Order::forward) return static_cast<unsigned>(std::countr_zero(from));
  if (schedule_.order == Order::reverse) return 31u - static_cast<unsigned>(std::countl_zero(from));
  auto const turn = static_cast<unsigned>(draw() % 32);
  return (static_cast<unsigned>(std::countr_zero(std::rotr(from, static_cast<int>(turn)))) + turn) % 32;
}

/// A thread's turn lasts until it waits for others. The host's own stack goes on when a block is done or nobody is
/// ready.
Fiber& Machine::next() {
  Quiet const quiet;
  unsigned ready_blocks = 0;
  for (unsigned i = 0; i < resident_; ++i)
    if (slots_[i]->ready_warps() != 0) ready_blocks |= 1u << i;
  bool const is_block_done = running_block_ != nullptr && running_block_->is_done();
  if (ready_blocks == 0 || is_block_done || is_given_up_) {
    running_block_ = nullptr;
    return host_;
  }
  Block& block = *slots_[pick(ready_blocks)];
  running_block_ = &block;
  unsigned const warp = pick(block.ready_warps());
  block.take_turn(warp * lanes + pick(block.ready_lanes(warp)));
  return block.running_fiber();
}

/// Ends the running thread's turn. No Quiet lives in it meanwhile: the sanitizer wants that of threads that end.
SIMT_UNSEEN void Machine::leave() {
  Fiber* self = nullptr;
  Fiber* other = nullptr;
  {
    Quiet const quiet;
    self = &running_block_->running_fiber();
    other = &next();
  }
  self->go_to(*other);
}

SIMT_UNSEEN void Machine::go_on_as(Outcome outcome) {
  if (outcome == Outcome::go_on) return;
  if (outcome == Outcome::give_up) is_given_up_ = true;  // and nobody comes back
  leave();
}

// --- meetings ------------------------------------------------------------------------------------------------------

SIMT_UNSEEN void Machine::meet_block(Site site) {
  if (is_skipped(site, "__syncthreads", launch_.name)) return;
  SyncObject* const order = running_block_->barrier_order();
  release(order);
  go_on_as(running_block_->arrive_at_barrier(site));
  acquire(order);
}

SIMT_UNSEEN void Machine::meet_warp_in_order(unsigned mask, Site site) {
  if (is_skipped(site, "__syncwarp", launch_.name)) return;
  meet_warp(mask, 0, "__syncwarp", site);
}

SIMT_UNSEEN std::uint64_t const* Machine::meet_warp(unsigned mask, std::uint64_t value, char const* word, Site site) {
  Meeting& meeting = running_block_->meeting_of(mask);
  unsigned const round = meeting.rounds % 2;
  release(meeting.order[round]);
  go_on_as(running_block_->arrive_at_meeting(meeting, {mask, word, site}, value));
  acquire(meeting.order[round]);
  return meeting.rows[round];
}

SharedArray& Machine::shared_array(Site declared, std::size_t count, std::size_t size_bytes, void const* type) {
  return running_block_->shared_array(declared, count, size_bytes, type);
}

}  // namespace simt::detail
