/// libsvm on a device.
#pragma once

#include <memory>

#include "cuda/exec/decoder.hpp"
#include "cuda/exec/stream.hpp"

namespace penstock::libsvm {
struct Plan;
}

namespace penstock::cuda {

/// A decoder of chunks of libsvm text. Lists of labels (BatchLayout::labels_vary), chunks with rejects, with a record
/// of more pairs than a round has, or with a long record that is not plain are for the CPU. Throws DeviceMemoryError if
/// there is no room.
[[nodiscard]] std::unique_ptr<ChunkDecoder> make_libsvm_decoder(penstock::libsvm::Plan const& plan,
                                                                DecoderLimits const& limits, Stream& stream);

}  // namespace penstock::cuda
