/// A lane with nothing around it: a stream, a decoder, and memory for faults.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "bench/gpu/input.hpp"
#include "bench/gpu/texts.hpp"
#include "cuda/exec/decoder.hpp"
#include "cuda/exec/engine.hpp"
#include "cuda/exec/stream.hpp"

namespace penstock::bench {

class BenchLane {
 public:
  BenchLane(cuda::Engine const& engine, Input const& input, std::size_t slot_bytes, cuda::StreamOptions const& options);

  /// Decodes chunk `i` of `slots` to rows in device memory, and waits for them. Throws std::runtime_error if the
  /// decoder leaves it to the CPU, or if its rows and faults are not as many as its records.
  void decode(Slots const& slots, std::size_t i);
  /// The same; the rows of the first round stay, as `rows`.
  void decode_for_rows(Slots const& slots, std::size_t i, Batch& rows);

  [[nodiscard]] cuda::Stream& stream() { return stream_; }
  [[nodiscard]] std::size_t device_bytes() const { return decoder_->device_bytes(); }
  [[nodiscard]] cuda::DecoderLimits const& limits() const { return limits_; }

 private:
  bool next(Batch& rows);

  cuda::DecoderLimits limits_;
  cuda::Stream stream_;
  std::unique_ptr<cuda::ChunkDecoder> decoder_;
  std::vector<Fault> faults_;
  std::size_t found_ = 0;  ///< rows and faults of the chunk
};

}  // namespace penstock::bench
