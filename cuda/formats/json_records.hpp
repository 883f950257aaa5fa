/// JSON lines other than DeepAR's on a device: vectors, objects, Object2Vec. One thread reads a record.
#pragma once

#include <memory>

#include "cuda/exec/decoder.hpp"
#include "cuda/exec/stream.hpp"

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

/// Decoders of chunks. For the CPU are chunks with rejects, with a line of more than 64 KiB, with more than a record
/// for eight bytes, with a record that is larger than a round; of vectors lists of labels (BatchLayout::labels_vary);
/// of objects surveys, and plans of more than 1,024 nodes. Throw DeviceMemoryError if there is no room.
[[nodiscard]] std::unique_ptr<ChunkDecoder> make_jsonl_decoder(penstock::jsonl::Plan const& plan,
                                                               DecoderLimits const& limits, Stream& stream);
[[nodiscard]] std::unique_ptr<ChunkDecoder> make_object2vec_decoder(penstock::object2vec::Plan const& plan,
                                                                    DecoderLimits const& limits, Stream& stream);
[[nodiscard]] std::unique_ptr<ChunkDecoder> make_objects_decoder(penstock::objects::Plan const& plan,
                                                                 DecoderLimits const& limits, Stream& stream);

}  // namespace penstock::cuda
