/// JSON lines on a device: DeepAR, vectors, objects, Object2Vec.
#pragma once

#include <memory>

#include "cuda/exec/decoder.hpp"
#include "cuda/exec/stream.hpp"

namespace penstock::deepar {
struct Plan;
}
namespace penstock::jsonl {
struct Plan;
}
namespace penstock::object2vec {
struct Plan;
}
namespace penstock::objects {
struct Plan;
}

namespace penstock::cuda {

/// Decoders of chunks. For the CPU are chunks with rejects, with a record of more values than a round has, with one of
/// more than 64 KiB that is not plain, and such as are hardly of their format: most of their records at fault, more
/// brackets than a fourth of the text, 32 backslashes one behind the other. Of vectors also lists of labels
/// (BatchLayout::labels_vary); of objects surveys, and plans of more than 1,024 nodes. Throw DeviceMemoryError if there
/// is no room.
[[nodiscard]] std::unique_ptr<ChunkDecoder> make_deepar_decoder(penstock::deepar::Plan const& plan,
                                                                DecoderLimits const& limits, Stream& stream);
[[nodiscard]] std::unique_ptr<ChunkDecoder> make_jsonl_decoder(penstock::jsonl::Plan const& plan,
                                                               DecoderLimits const& limits, Stream& stream);
[[nodiscard]] std::unique_ptr<ChunkDecoder> make_object2vec_decoder(penstock::object2vec::Plan const& plan,
                                                                    DecoderLimits const& limits, Stream& stream);
[[nodiscard]] std::unique_ptr<ChunkDecoder> make_objects_decoder(penstock::objects::Plan const& plan,
                                                                 DecoderLimits const& limits, Stream& stream);

}  // namespace penstock::cuda
