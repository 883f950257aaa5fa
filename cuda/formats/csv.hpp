/// CSV on a device.
#pragma once

#include <memory>

#include "cuda/exec/decoder.hpp"
#include "cuda/exec/stream.hpp"

namespace penstock::csv {
struct DecodePlan;
}

namespace penstock::cuda {

/// A decoder of chunks of CSV. Chunks with rejects are for the CPU. Throws DeviceMemoryError if there is no room; waits
/// for the stream.
[[nodiscard]] std::unique_ptr<ChunkDecoder> make_csv_decoder(penstock::csv::DecodePlan const& plan,
                                                             DecoderLimits const& limits, Stream& stream);

}  // namespace penstock::cuda
