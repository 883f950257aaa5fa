#include "host/pipeline/pipeline.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "host/io/interrupt.hpp"
#include "host/pipeline/reader.hpp"
#include "host/ring/ring.hpp"
#include "penstock/error.hpp"

namespace penstock {

/// One lock guards everything that moves: it is taken a few times a slot, so it never shows in a profile.
class ChunkPipeline::State {
 public:
  State(std::vector<Shard> shards, std::unique_ptr<Cutter> cutter, std::vector<std::unique_ptr<Lane>> lanes,
        Executor& executor, PipelineLimits const& limits, Trace* trace)
      : trace_(trace),
        ring_(executor, limits.slots, limits.slot_bytes, limits.record_max + limits.slot_bytes),
        reader_(std::move(shards), std::move(cutter), exchange(), trace) {
    for (auto& lane : lanes) lanes_.push_back(LaneState{static_cast<unsigned>(lanes_.size()), {}, {}, std::move(lane)});
    for (LaneState& lane : lanes_) {
      for (auto& round : lane.rounds) {
        round = lane.lane->make_round();
        lane.free.push_back(round.get());
      }
    }
    try {
      start_threads();
    } catch (std::system_error const& error) {
      stop();
      for (std::thread& thread : threads_) thread.join();
      throw DeviceError("cannot start " + std::to_string(lanes_.size() + 1) + " threads: " + error.code().message(),
                        "a smaller -j");
    }
  }

  ~State() {
    stop();
    for (std::thread& thread : threads_) thread.join();
  }

  void stop() {
    {
      std::lock_guard const lock(mutex_);
      is_stopping_ = true;
    }
    changed_.notify_all();
    reader_stop_.request();
  }

  Delivery next() {
    TraceSpan const span(trace_, "wait for a round", sequencer_track);
    std::unique_lock lock(mutex_);
    hand_back();
    changed_.wait(lock, [this] {
      return is_stopping_ || lane_error_ != nullptr || (!in_order_.empty() && !in_order_.front()->rounds.empty()) ||
             (in_order_.empty() && is_reader_done_);
    });
    if (is_stopping_) throw InterruptedError();
    if (lane_error_ != nullptr) std::rethrow_exception(lane_error_);
    if (in_order_.empty()) {
      if (reader_error_ != nullptr) std::rethrow_exception(reader_error_);
      return {};
    }
    Slot& slot = *in_order_.front();
    current_ = slot.rounds.front();
    slot.rounds.pop_front();
    bool const begins_chunk = !is_inside_chunk_;
    is_inside_chunk_ = !current_->ends_chunk;
    return {current_, &slot.chunk, begins_chunk};
  }

  [[nodiscard]] std::uint64_t stored_bytes_read() const { return reader_.stored_bytes_read(); }

 private:
  /// Two rounds: a lane fills one while the sequencer has the other.
  struct LaneState {
    unsigned number = 0;
    std::unique_ptr<Round> rounds[2];
    std::vector<Round*> free;
    std::unique_ptr<Lane> lane;  ///< goes before its rounds, into which a device may still copy
  };

  void start_threads() {
    threads_.reserve(lanes_.size() + 1);
    threads_.emplace_back(for_current_work([this] { run_guarded([this] { run_reader(); }, true); }));
    for (LaneState& lane : lanes_) {
      threads_.emplace_back(for_current_work([this, &lane] { run_guarded([this, &lane] { run_lane(lane); }, false); }));
    }
  }

  SlotExchange exchange() {
    return {[this](bool is_long) { return take_slot(is_long); }, [this](Slot* slot) { give_slot_back(slot); },
            [this](Slot* slot) { return publish(slot); }};
  }

  template <class Run>
  void run_guarded(Run run, bool is_reader) {
    std::exception_ptr error;
    try {
      run();
    } catch (...) {
      error = std::current_exception();
    }
    {
      std::lock_guard const lock(mutex_);
      is_reader_done_ |= is_reader;
      if (error != nullptr) (is_reader ? reader_error_ : lane_error_) = error;
    }
    changed_.notify_all();
  }

  // --- the reader's side --------------------------------------------------------------------------------------

  void run_reader() {
    WaitStop::Listener const listener(reader_stop_);
    reader_.run();
  }

  Slot* take_slot(bool is_long) {
    std::unique_lock lock(mutex_);
    Slot* slot = nullptr;
    changed_.wait(lock, [&] { return is_stopping_ || (slot = ring_.take(is_long)) != nullptr; });
    return slot;
  }

  void give_slot_back(Slot* slot) {
    std::lock_guard const lock(mutex_);
    ring_.give_back(slot);
  }

  bool publish(Slot* slot) {
    {
      std::lock_guard const lock(mutex_);
      if (is_stopping_) return false;
      in_order_.push_back(slot);
      ready_.push_back(slot);
    }
    changed_.notify_all();
    return true;
  }

  // --- the lanes' side ----------------------------------------------------------------------------------------

  /// Takes chunks in order. A lane waits only for rounds of chunks that come before its own or of its own, and
  /// the sequencer takes those first: no lane waits for a later one.
  void run_lane(LaneState& lane) {
    while (Slot* const slot = take_ready()) {
      {
        TraceSpan const span(trace_, "begin chunk", lane.number);
        lane.lane->begin(slot->chunk);
      }
      for (bool ends_chunk = false; !ends_chunk;) {
        Round* const round = take_round(lane);
        if (round == nullptr) return;
        {
          TraceSpan const span(trace_, "make round", lane.number);
          lane.lane->next(*round);
        }
        if (round->wants_turn) {
          if (!wait_for_turn(*slot)) return;
          round->has_turn = true;
          lane.lane->next(*round);
          round->has_turn = false;
        }
        ends_chunk = round->ends_chunk;
        deliver(*slot, round);
      }
    }
  }

  Slot* take_ready() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_stopping_ || !ready_.empty() || is_reader_done_; });
    if (is_stopping_ || ready_.empty()) return nullptr;
    Slot* const slot = ready_.front();
    ready_.pop_front();
    return slot;
  }

  Round* take_round(LaneState& lane) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_stopping_ || !lane.free.empty(); });
    if (is_stopping_) return nullptr;
    Round* const round = lane.free.back();
    lane.free.pop_back();
    return round;
  }

  /// Until the sequencer has handed back every round before the one that is next in `slot`: a round that takes more
  /// memory than it was made with is then the only one, and no lane waits for a later one.
  bool wait_for_turn(Slot const& slot) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      return is_stopping_ || (current_ == nullptr && in_order_.front() == &slot && slot.rounds.empty());
    });
    return !is_stopping_;
  }

  void deliver(Slot& slot, Round* round) {
    {
      std::lock_guard const lock(mutex_);
      slot.rounds.push_back(round);
    }
    changed_.notify_all();
  }

  // --- the sequencer's side -------------------------------------------------------------------------------------

  void hand_back() {
    if (current_ == nullptr) return;
    current_->trim();
    for (LaneState& lane : lanes_) {
      bool const is_its_own = current_ == lane.rounds[0].get() || current_ == lane.rounds[1].get();
      if (is_its_own) lane.free.push_back(current_);
    }
    if (current_->ends_chunk) {
      ring_.give_back(in_order_.front());
      in_order_.pop_front();
    }
    current_ = nullptr;
    changed_.notify_all();
  }

  Trace* trace_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Ring ring_;
  Reader reader_;
  std::vector<LaneState> lanes_;
  std::deque<Slot*> ready_;     ///< published, not yet taken by a lane
  std::deque<Slot*> in_order_;  ///< published, not yet used up by the sequencer
  Round* current_ = nullptr;
  bool is_inside_chunk_ = false;
  bool is_reader_done_ = false;
  bool is_stopping_ = false;
  WaitStop reader_stop_;  ///< ends a read from a pipe that is silent
  std::exception_ptr reader_error_;
  std::exception_ptr lane_error_;
  std::vector<std::thread> threads_;
};

ChunkPipeline::ChunkPipeline(std::vector<Shard> shards, std::unique_ptr<Cutter> cutter,
                             std::vector<std::unique_ptr<Lane>> lanes, Executor& executor, PipelineLimits const& limits,
                             Trace* trace)
    : state_(std::make_unique<State>(std::move(shards), std::move(cutter), std::move(lanes), executor, limits, trace)) {
}

ChunkPipeline::~ChunkPipeline() = default;

Delivery ChunkPipeline::next() { return state_->next(); }

void ChunkPipeline::stop() { state_->stop(); }

std::uint64_t ChunkPipeline::stored_bytes_read() const { return state_->stored_bytes_read(); }

}  // namespace penstock
