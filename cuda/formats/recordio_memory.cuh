/// Memory that both decoders of RecordIO-protobuf have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "cuda/exec/decoder.hpp"
#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/kernels/recordio_bytes.cuh"
#include "formats/recordio/plan.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"

namespace penstock::cuda::recordio {

/// Readable bytes behind a text.
inline constexpr std::size_t text_reach = 16;

inline std::uint32_t to_u32(std::size_t number) { return static_cast<std::uint32_t>(number); }

/// The text of a chunk on its way to the device.
class TextMemory {
 public:
  explicit TextMemory(std::size_t text_bytes) : bytes_(text_bytes + text_reach, "text"), text_bytes_(text_bytes) {}

  [[nodiscard]] bool takes(Chunk const& chunk) const { return chunk.rejects.empty() && chunk.text.size <= text_bytes_; }
  [[nodiscard]] FrameText copy(Stream& stream, Text text) const {
    stream.copy(bytes_.get(), text.data, text.size, "copy in");
    return {reinterpret_cast<std::uint32_t const*>(bytes_.get()), to_u32(text.size)};
  }
  [[nodiscard]] std::size_t device_bytes() const { return bytes_.size_bytes(); }

 private:
  DeviceArray<std::byte> bytes_;
  std::size_t text_bytes_;
};

/// A dense tensor of the rows of a round.
class TensorMemory {
 public:
  TensorMemory(BatchLayout const& layout, Role role, std::size_t rows)
      : layout_(layout), role_(role), bytes_(rows * layout.row_bytes(role), "a tensor") {}

  [[nodiscard]] std::uint32_t* words() const { return reinterpret_cast<std::uint32_t*>(bytes_.get()); }
  [[nodiscard]] std::uint32_t row_words() const { return to_u32(layout_.row_bytes(role_) / 4); }
  [[nodiscard]] Dense view() const { return {bytes_.get(), layout_.dtype(role_), 0, layout_.columns(role_)}; }
  [[nodiscard]] std::size_t device_bytes() const { return bytes_.size_bytes(); }

 private:
  BatchLayout layout_;
  Role role_;
  DeviceArray<std::byte> bytes_;
};

/// For plans with sparse features that there are kernels for.
[[nodiscard]] std::unique_ptr<ChunkDecoder> make_sparse_decoder(penstock::recordio::Plan const& plan,
                                                                DecoderLimits const& limits, Stream& stream);

}  // namespace penstock::cuda::recordio
