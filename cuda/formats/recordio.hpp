/// RecordIO-protobuf on a device, both ways.
#pragma once

#include <memory>

#include "cuda/exec/decoder.hpp"
#include "cuda/exec/stream.hpp"
#include "penstock/batch.hpp"

namespace penstock::recordio {
struct Plan;
struct WriteOptions;
}  // namespace penstock::recordio

namespace penstock::cuda {

/// A decoder of chunks of frames. For the CPU are plans with int32 tensors, lists of labels or texts; chunks with
/// rejects; chunks with a record at fault, a split one, or one in another form than writers give: dense records that
/// differ from the chunk's first one in more than their values, sparse ones whose keys do not ascend; and those with a
/// record of more pairs than a round has. Throws DeviceMemoryError if there is no room.
[[nodiscard]] std::unique_ptr<ChunkDecoder> make_recordio_decoder(penstock::recordio::Plan const& plan,
                                                                  DecoderLimits const& limits, Stream& stream);

/// An encoder of the bytes that recordio::Writer makes. Null where it is the CPU that does it: for int32 tensors, lists
/// of labels, texts, and records that are split at magics. Throws DeviceMemoryError if there is no room.
[[nodiscard]] std::unique_ptr<RowEncoder> make_recordio_encoder(BatchLayout const& layout,
                                                                penstock::recordio::WriteOptions const& options,
                                                                BatchCapacity const& capacity, Stream& stream);

}  // namespace penstock::cuda
