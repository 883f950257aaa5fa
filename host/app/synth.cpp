#include "host/app/synth.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <limits>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "host/app/synth_faults.hpp"
#include "host/io/interrupt.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

/// What is in a block.
struct Content {
  std::size_t size_bytes = 0;
  std::uint64_t records = 0;
  std::array<std::uint32_t, SynthFaults::faults_max> bad{};  ///< records with each fault of the kind
};

/// A block in memory that is taken once and used for many blocks.
struct Block {
  std::unique_ptr<char[]> memory;
  Content content;
  bool is_made = false;
};

std::size_t block_bytes_max(SynthKind const& kind) {
  return kind.block_rows * kind.record_bytes_max + synth_slack_bytes;
}

/// Which records an output consists of: those before `rows`, block by block.
struct Plan {
  SynthKind const& kind;
  std::uint64_t seed;
  std::uint64_t rows;
  SynthFaults faults;

  [[nodiscard]] std::uint64_t blocks() const { return rows / kind.block_rows + (rows % kind.block_rows != 0 ? 1 : 0); }
  /// Makes records of block `number` until it ends or holds `size_bytes_min` bytes.
  [[nodiscard]] Content make(std::uint64_t number, std::uint64_t size_bytes_min, char* memory) const {
    SynthRandom random(seed, number);
    std::uint64_t const first = number * kind.block_rows;
    std::uint64_t const end = first + std::min<std::uint64_t>(kind.block_rows, rows - first);
    Content content;
    char* out = memory;
    std::uint64_t record = first;
    for (; record < end && static_cast<std::uint64_t>(out - memory) < size_bytes_min; ++record)
      out = kind.record != nullptr ? kind.record(random, out) : make_dirty(random, record, out, content);
    content.size_bytes = static_cast<std::size_t>(out - memory);
    content.records = record - first;
    return content;
  }

 private:
  char* make_dirty(SynthRandom& random, std::uint64_t record, char* out, Content& content) const {
    SynthFault const* const fault = faults.of(record);
    if (fault != nullptr) ++content.bad[static_cast<std::size_t>(fault - kind.faults.data())];
    return kind.dirty_record(random, {record, fault}, out);
  }
};

Plan plan_of(SynthOptions const& options) {
  SynthKind const& kind = synth_kind(options.kind);
  return {kind, options.seed, options.rows != 0 ? options.rows : no_limit, {kind, options.bad, options.seed}};
}

/// Makes blocks ahead of the caller, who takes and gives them back in order. Block n lives in slot
/// n mod slots; a worker begins block n only when block n - slots was given back.
class BlockLine {
 public:
  BlockLine(Plan const& plan, unsigned threads) : plan_(plan), blocks_(threads > 1 ? 2 * threads : 1) {
    for (Block& block : blocks_) block.memory = std::make_unique_for_overwrite<char[]>(block_bytes_max(plan_.kind));
    for (unsigned i = 0; threads > 1 && i < threads; ++i) {
      workers_.emplace_back([this](std::stop_token stop) { work(stop); });
    }
  }
  /// The next block in order; the caller's until give_back().
  Block& take() {
    Block& block = slot(taken_);
    if (workers_.empty()) {
      block.content = plan_.make(taken_, no_limit, block.memory.get());
    } else {
      std::unique_lock lock(mutex_);
      made_.wait(lock, [&] { return block.is_made; });
    }
    return block;
  }
  void give_back() {
    std::lock_guard const lock(mutex_);
    slot(taken_++).is_made = false;
    given_back_.notify_one();
  }

 private:
  Block& slot(std::uint64_t number) { return blocks_[number % blocks_.size()]; }

  void work(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (begun_ < plan_.blocks()) {
      if (!given_back_.wait(lock, stop, [this] { return begun_ < taken_ + blocks_.size(); })) return;
      if (begun_ >= plan_.blocks()) return;
      std::uint64_t const number = begun_++;
      Block& block = slot(number);
      lock.unlock();
      Content const content = plan_.make(number, no_limit, block.memory.get());
      lock.lock();
      block.content = content;
      block.is_made = true;
      made_.notify_one();
    }
  }

  Plan plan_;
  std::vector<Block> blocks_;
  std::mutex mutex_;
  std::condition_variable made_;
  std::condition_variable_any given_back_;
  std::uint64_t begun_ = 0;            ///< blocks that workers have begun
  std::uint64_t taken_ = 0;            ///< blocks that the caller is done with
  std::vector<std::jthread> workers_;  ///< last, so that they end before what they use
};

void write(Sink& sink, std::string_view text) { sink.write(std::as_bytes(std::span(text.data(), text.size()))); }

void validate(SynthOptions const& options, SynthKind const& kind) {
  if ((options.rows == 0) == (options.size_bytes_min == 0)) {
    throw ConfigurationError("synthetic data needs either a number of rows or a size",
                             "give exactly one of them, and not 0");
  }
  if (options.header && kind.header.empty()) {
    throw ConfigurationError("data of the kind \"" + options.kind + "\" has no header record");
  }
}

void add(Content const& content, SynthSummary& summary) {
  summary.records += content.records;
  for (std::size_t i = 0; i < summary.bad.size(); ++i) summary.bad[i] += content.bad[i];
}

}  // namespace

SynthSummary synthesize(SynthOptions const& options, Sink& sink, unsigned threads) {
  Plan const plan = plan_of(options);
  validate(options, plan.kind);
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  std::uint64_t remaining = options.rows != 0 ? no_limit : options.size_bytes_min;
  if (options.header) {
    write(sink, plan.kind.header);
    remaining -= std::min<std::uint64_t>(remaining, plan.kind.header.size());
  }
  SynthSummary summary{0, std::vector<std::uint64_t>(plan.kind.faults.size())};
  BlockLine line(plan, static_cast<unsigned>(std::min<std::uint64_t>(threads, plan.blocks())));
  for (std::uint64_t number = 0; number < plan.blocks() && remaining > 0; ++number) {
    throw_if_interrupted();
    Block& block = line.take();
    if (block.content.size_bytes >= remaining) block.content = plan.make(number, remaining, block.memory.get());
    write(sink, {block.memory.get(), block.content.size_bytes});
    remaining -= std::min<std::uint64_t>(remaining, block.content.size_bytes);
    add(block.content, summary);
    line.give_back();
  }
  return summary;
}

std::string synthesize_block(SynthOptions const& options, std::uint64_t block) {
  Plan plan = plan_of(options);
  plan.rows = no_limit;
  std::string bytes(block_bytes_max(plan.kind), '\0');
  bytes.resize(plan.make(block, no_limit, bytes.data()).size_bytes);
  return bytes;
}

std::string synthesize_block(std::string_view kind, std::uint64_t seed, std::uint64_t block) {
  return synthesize_block({.kind = std::string(kind), .seed = seed}, block);
}

}  // namespace penstock::app
