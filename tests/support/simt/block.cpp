#include "tests/support/simt/block.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "tests/support/simt/cuda_runtime.h"
#include "tests/support/simt/simt.hpp"

constinit thread_local uint3 threadIdx{};
constinit thread_local uint3 blockIdx{};
constinit thread_local dim3 blockDim{};
constinit thread_local dim3 gridDim{};

namespace simt::detail {

constinit thread_local Now now{};

namespace {
/// Each block's threads are others to the thread sanitizer. gcc's takes a millisecond to make one: there, thread i of
/// one block counts as ordered behind thread i of the block before.
#if defined(__clang__)
constexpr bool renames_threads = true;
#else
constexpr bool renames_threads = false;
#endif
}  // namespace

// --- blocks --------------------------------------------------------------------------------------------------------

void Block::prepare(char const* kernel, unsigned threads) {
  kernel_ = kernel;
  count_ = returned_ = threads;
  while (threads_.size() < threads) {
    threads_.emplace_back();
    threads_.back().fiber = std::make_unique<Fiber>(run_, argument_);
  }
  while (warps_.size() < threads / lanes) {
    warps_.emplace_back();
    warps_.back().by_lowest_lane = std::make_unique<Meeting[]>(lanes);
    orders_ = nullptr;
  }
  if (orders_ == nullptr) renew_orders();
  arrays_of_launch_.clear();
}

/// New objects at new addresses: otherwise the sanitizer would take this block for ordered behind the one before.
void Block::renew_orders() {
  orders_ = std::make_unique<SyncObject[]>(2 + 2 * lanes * warps_.size());
  SyncObject* next = orders_.get() + 2;
  for (Warp& warp : warps_)
    for (unsigned i = 0; i < lanes; ++i)
      for (SyncObject*& order : warp.by_lowest_lane[i].order) order = next++;
}

void Block::begin(unsigned number) {
  number_ = number;
  began_ = ++barriers_;
  at_barrier_ = returned_ = 0;
  for (Warp& warp : warps_) warp.returned = 0;
#if defined(SIMT_TSAN)
  renew_orders();
#endif
  for (unsigned i = 0; i < count_; ++i) {
    if (renames_threads) threads_[i].fiber->rename();
    set_ready(i);
  }
}

void Block::forget() {
  // Whoever is left behind in a meeting has released its object; the host goes on behind them all.
  for (std::size_t i = 0; i < 2 + 2 * lanes * warps_.size(); ++i) acquire(&orders_[i]);
  for (Thread& thread : threads_) {
    if (thread.state == State::returned) continue;
    thread.fiber->rename();
    thread.fiber->restart();
    thread.state = State::returned;
  }
  for (Warp& warp : warps_) {
    warp.ready = 0;
    for (unsigned i = 0; i < lanes; ++i) warp.by_lowest_lane[i].arrived = 0;
  }
  ready_warps_ = 0;
  returned_ = count_;
}

void Block::set_ready(unsigned thread) {
  threads_[thread].state = State::ready;
  warps_[thread / lanes].ready |= 1u << thread % lanes;
  ready_warps_ |= 1u << thread / lanes;
}

void Block::take_turn(unsigned thread) {
  Warp& warp = warps_[thread / lanes];
  warp.ready &= ~(1u << thread % lanes);
  if (warp.ready == 0) ready_warps_ &= ~(1u << thread / lanes);
  running_ = thread;
  threadIdx.x = thread;
  blockIdx.x = number_;
  now.thread = thread;
  now.barriers = barriers_;
  now.block_began = began_;
  now.meetings = warp.meetings;
}

void Block::retire() {
  Quiet const quiet;
  threads_[running_].state = State::returned;
  warps_[running_ / lanes].returned |= 1u << running_ % lanes;
  ++returned_;
}

// --- meetings ------------------------------------------------------------------------------------------------------

SyncObject* Block::barrier_order() {
  Quiet const quiet;
  return &orders_[barriers_ % 2];
}

Outcome Block::arrive_at_barrier(Site site) {
  Quiet const quiet;
  Thread& self = threads_[running_];
  self.word = "__syncthreads";
  self.site = site;
  self.state = State::at_barrier;
  if (++at_barrier_ < count_) return Outcome::wait;
  return release_barrier();
}

/// All threads are at a barrier; the running one came last.
Outcome Block::release_barrier() {
  Site const site = threads_[running_].site;
  for (unsigned i = 0; i < count_; ++i)
    if (threads_[i].site != site) return divergence("threads wait at different barriers");
  at_barrier_ = 0;
  now.barriers = ++barriers_;
  for (unsigned i = 0; i < count_; ++i)
    if (i != running_) set_ready(i);
  return Outcome::go_on;
}

Meeting& Block::meeting_of(unsigned mask) {
  Quiet const quiet;
  return warps_[running_ / lanes].by_lowest_lane[static_cast<unsigned>(std::countr_zero(mask)) % lanes];
}

Outcome Block::arrive_at_meeting(Meeting& meeting, Purpose const& purpose, std::uint64_t value) {
  Quiet const quiet;
  unsigned const lane = running_ % lanes;
  Thread& self = threads_[running_];
  self.word = purpose.word;
  self.site = purpose.site;
  self.state = State::at_meeting;
  if ((purpose.mask >> lane & 1) == 0) return divergence("a lane that its own mask does not name");
  if ((purpose.mask & warps_[running_ / lanes].returned) != 0)
    return divergence("the mask names a lane that has returned");
  if (meeting.arrived != 0 && !(meeting.purpose == purpose))
    return divergence("lanes of a warp meet at different places");
  meeting.purpose = purpose;
  meeting.rows[meeting.rounds % 2][lane] = value;
  meeting.arrived |= 1u << lane;
  if (meeting.arrived != purpose.mask) return Outcome::wait;
  complete(meeting, running_ / lanes);
  return Outcome::go_on;
}

/// The running lane was the last to arrive.
void Block::complete(Meeting& meeting, unsigned warp) {
  meeting.arrived = 0;
  ++meeting.rounds;
  // Only __syncwarp makes what lanes did to memory visible to others; among some lanes it says nothing of the rest.
  bool const orders = meeting.purpose.mask == ~0u && std::strcmp(meeting.purpose.word, "__syncwarp") == 0;
  if (orders) now.meetings = ++warps_[warp].meetings;
  for (unsigned lane = 0; lane < lanes; ++lane)
    if ((meeting.purpose.mask >> lane & 1) != 0 && warp * lanes + lane != running_) set_ready(warp * lanes + lane);
}

// --- what goes wrong -----------------------------------------------------------------------------------------------

void Block::report_deadlock() const {
  bool const in_meeting = std::any_of(threads_.begin(), threads_.begin() + count_,
                                      [](Thread const& thread) { return thread.state == State::at_meeting; });
  report(Kind::divergence, std::string(in_meeting ? "lanes wait for others of their warp that do not come"
                                                  : "threads wait at a barrier that others never reach") +
                               " (" + kernel_ + ", block " + std::to_string(number_) + ")" + threads_text());
}

Outcome Block::divergence(std::string const& what) const {
  report(Kind::divergence, what + " (" + where() + ")" + threads_text());
  return Outcome::give_up;
}

std::string Block::where() const {
  return std::string(kernel_) + ", block " + std::to_string(number_) + ", thread " + std::to_string(running_);
}

std::string Block::state_text(unsigned i) const {
  Thread const& thread = threads_[i];
  if (thread.state == State::returned) return "has returned";
  if (thread.state == State::ready) return "runs";
  return std::string("waits in ") + thread.word + " at " + text_of(thread.site);
}

std::string Block::threads_text() const {
  std::string text;
  for (unsigned i = 0; i < count_;) {  // neighbours that do the same share a line
    unsigned end = i + 1;
    std::string const state = state_text(i);
    while (end < count_ && state_text(end) == state) ++end;
    text += "\n  thread" +
            (end - i > 1 ? "s " + std::to_string(i) + " to " + std::to_string(end - 1) : " " + std::to_string(i)) +
            " " + state;
    i = end;
    if (text.size() > 4000) return text + "\n  ...";
  }
  return text;
}

// --- shared memory -------------------------------------------------------------------------------------------------

SharedArray& Block::shared_array(Site declared, std::size_t count, std::size_t size_bytes, void const* type) {
  Quiet const quiet;
  auto const is_it = [&](SharedArray const* array) { return array->type == type && array->declared == declared; };
  for (SharedArray* array : arrays_of_launch_)
    if (is_it(array)) return *array;
  SharedArray* array = nullptr;
  for (auto const& storage : arrays_)
    if (is_it(&storage->array)) array = &storage->array;
  if (array == nullptr) {
    Storage& storage = *arrays_.emplace_back(std::make_unique<Storage>());
    storage.data.resize((count + 1) * size_bytes, 0xcd);
    storage.elements.resize(count + 1);
    storage.array = {declared, count, size_bytes, type, storage.data.data(), storage.elements.data()};
    array = &storage.array;
  }
  arrays_of_launch_.push_back(array);
  std::size_t total = 0;
  for (SharedArray const* one : arrays_of_launch_) total += one->count * one->size_bytes;
  if (total > shared_bytes_max)
    report(Kind::misuse, "more than 48 KiB of shared memory: " + std::to_string(total) + " bytes with the array at " +
                             text_of(declared) + " (" + where() + ")");
  return *array;
}

}  // namespace simt::detail
