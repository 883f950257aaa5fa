/// The runtime: a reader fills slots, lanes decode them, and the caller takes rounds in input order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/chunk.hpp"
#include "penstock/executor.hpp"
#include "penstock/source.hpp"
#include "penstock/trace.hpp"

namespace penstock {

/// One input, from the byte on where its records begin.
struct Shard {
  std::string name;                               ///< what messages call it
  std::function<std::unique_ptr<Source>()> open;  ///< called once, on the reader's thread
  std::uint64_t offset_bytes = 0;                 ///< decompressed bytes before the first byte that the source yields
  bool follows_cr = false;                        ///< the byte before that one is a CR
  /// What Stamp::shard says of its chunks; not given: its place among the shards that the pipeline was given.
  std::optional<std::uint32_t> number = {};
};

/// Sizes that are taken once, when the pipeline starts. None of them shows in what comes out.
struct PipelineLimits {
  std::size_t slot_bytes = std::size_t{1} << 20;   ///< text that a lane decodes at a time
  std::size_t record_max = std::size_t{16} << 20;  ///< longest record: two long slots hold one and a slot more
  std::size_t slots = 4;                           ///< lanes + 2 keep reader and lanes busy
};

/// A round with where it comes from. Valid until the next call of ChunkPipeline::next().
struct Delivery {
  Round* round = nullptr;
  Chunk const* chunk = nullptr;
  bool begins_chunk = false;
};

/// Runs one thread that reads and cuts, and one for each lane. The caller's thread is the sequencer.
class ChunkPipeline {
 public:
  ChunkPipeline(std::vector<Shard> shards, std::unique_ptr<Cutter> cutter, std::vector<std::unique_ptr<Lane>> lanes,
                Executor& executor, PipelineLimits const& limits, Trace* trace = nullptr);
  /// Stops all threads; rounds that were not taken are dropped.
  ~ChunkPipeline();
  ChunkPipeline(ChunkPipeline const&) = delete;
  ChunkPipeline& operator=(ChunkPipeline const&) = delete;

  /// The next round in input order; a null round at the end. Hands the round before back to its lane. Throws
  /// what a source threw, after the rounds of everything read before.
  Delivery next();

  /// Ends all work; a call of next() that waits, and every later one, throws InterruptedError. Any thread may call it.
  void stop();

  /// Stored (compressed) bytes read so far, for progress.
  [[nodiscard]] std::uint64_t stored_bytes_read() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace penstock
