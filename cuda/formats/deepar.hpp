/// DeepAR's JSON lines on a device.
#pragma once

#include <memory>

#include "cuda/exec/decoder.hpp"
#include "cuda/exec/stream.hpp"

namespace penstock::deepar {
struct Plan;
}

namespace penstock::cuda {

/// A decoder of chunks of DeepAR's lines. For the CPU are chunks with rejects, with a record of more values than a
/// round has, with one of more than 64 KiB that is not plain, and such as are hardly of this format: most of their
/// records at fault, 65,536 that are not plain, 32 backslashes one behind the other. Throws DeviceMemoryError if there
/// is no room.
[[nodiscard]] std::unique_ptr<ChunkDecoder> make_deepar_decoder(penstock::deepar::Plan const& plan,
                                                                DecoderLimits const& limits, Stream& stream);

}  // namespace penstock::cuda
