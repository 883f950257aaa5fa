/// A text with the plan that its decoder follows.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "bench/gpu/texts.hpp"
#include "cuda/exec/decoder.hpp"
#include "cuda/exec/engine.hpp"
#include "cuda/exec/stream.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"
#include "penstock/device.hpp"

namespace penstock::bench {

class Input {
 public:
  virtual ~Input() = default;
  [[nodiscard]] virtual BatchLayout const& layout() const = 0;
  [[nodiscard]] virtual std::unique_ptr<cuda::ChunkDecoder> make_decoder(cuda::DecoderLimits const& limits,
                                                                         cuda::Stream& stream) const = 0;
  /// Of CSV, on the device, or on the host where `engine` is null; null for other formats.
  [[nodiscard]] virtual std::unique_ptr<Cutter> make_cutter(cuda::Engine* /*engine*/,
                                                            CutterOptions const& /*options*/) const {
    return nullptr;
  }

  std::string name;
  Text text;
};
/// At least `size_bytes` of text.
[[nodiscard]] std::unique_ptr<Input> make_input(TextKind const& kind, std::size_t size_bytes);

/// What a stream with such slots makes its lanes' rounds of (host/pipeline/stream_sizes.cpp).
[[nodiscard]] cuda::DecoderLimits limits_for(BatchLayout const& layout, std::size_t slot_bytes);

}  // namespace penstock::bench
