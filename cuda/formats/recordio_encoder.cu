// Rows in device memory to frames of RecordIO-protobuf in device memory.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "cuda/exec/backend.cuh"
#include "cuda/exec/memory.hpp"
#include "cuda/formats/recordio.hpp"
#include "cuda/kernels/recordio_encode.cuh"
#include "formats/recordio/layout.hpp"
#include "formats/recordio/message.hpp"
#include "formats/recordio/write_rows.hpp"

namespace penstock::cuda {
namespace recordio {
namespace {

using penstock::recordio::EmptySparse;
using penstock::recordio::EntryKind;
using penstock::recordio::EntryLayout;
using penstock::recordio::WriteOptions;

std::uint32_t to_u32(std::size_t number) { return static_cast<std::uint32_t>(number); }

std::uint32_t const* words_of(Dense const& tensor) { return reinterpret_cast<std::uint32_t const*>(tensor.data); }

EntryKind features_kind(BatchLayout const& layout) {
  return {penstock::recordio::features_field, layout.feature_dtype};
}
EntryKind label_kind(BatchLayout const& layout) { return {penstock::recordio::label_field, layout.label_dtype}; }

/// Constant bytes on the device.
class Constants {
 public:
  static constexpr std::size_t bytes_max = 128;

  Constants() : device_(bytes_max, "constant bytes"), host_(bytes_max, "constant bytes") {
    std::fill_n(host_.get(), bytes_max, std::byte{0});
  }
  [[nodiscard]] std::byte* host() const { return host_.get(); }
  [[nodiscard]] std::byte const* device() const { return device_.get(); }
  void copy(Stream& stream) const {
    stream.copy(device_.get(), host_.get(), bytes_max, "copy in");
    stream.wait();
  }

 private:
  DeviceArray<std::byte> device_;
  MappedArray<std::byte> host_;
};

// --- dense ---------------------------------------------------------------------------------------------------------

class DenseRowEncoder final : public RowEncoder {
 public:
  DenseRowEncoder(BatchLayout const& layout, BatchCapacity const& capacity, Stream& stream)
      : stream_(stream),
        layout_(penstock::recordio::record_layout(layout.row_bytes(Role::feature), layout.row_bytes(Role::label))),
        out_((capacity.rows * layout_.frame() + 15) / 16 * 16, "frames") {
    // Where the constants of the label begin in the frame, and so in their first word.
    std::size_t const front_end = penstock::recordio::header_bytes + layout_.features.prefix;
    std::size_t const back = front_end + layout_.features.values, back_end = back + layout_.label.prefix;
    std::size_t const front_words = (front_end + 3) / 4;
    std::byte* const host = constants_.host();
    std::byte* const end = penstock::recordio::put_header(host, to_u32(layout_.payload()));
    put_entry_prefix(end, features_kind(layout), layout_.features);
    put_entry_prefix(host + 4 * front_words + back % 4, label_kind(layout), layout_.label);
    constants_.copy(stream);
    auto const* const words = reinterpret_cast<std::uint32_t const*>(constants_.device());
    frames_.front = {words, 0, to_u32(front_words)};
    frames_.back = {words + front_words, to_u32(back / 4), to_u32((back_end + 3) / 4 - back / 4)};
    frames_.features = {nullptr, to_u32(layout_.features.values / 4), to_u32(front_end)};
    frames_.label = {nullptr, to_u32(layout_.label.values / 4), to_u32(back_end)};
  }

  [[nodiscard]] std::size_t device_bytes() const override { return out_.size_bytes(); }

  [[nodiscard]] Encoded encode(Batch const& batch) override {
    DenseFrames frames = frames_;
    frames.rows = to_u32(batch.rows);
    frames.features.rows = words_of(batch.features);
    frames.label.rows = words_of(batch.label);
    encode_dense(stream_, frames, to_u32(layout_.frame() / 4), reinterpret_cast<std::uint32_t*>(out_.get()));
    return {out_.get(), batch.rows * layout_.frame()};
  }

 private:
  Stream& stream_;
  penstock::recordio::RecordLayout layout_;
  Constants constants_;
  DeviceArray<std::byte> out_;
  DenseFrames frames_;
};

// --- sparse --------------------------------------------------------------------------------------------------------

class SparseRowEncoder final : public RowEncoder {
 public:
  SparseRowEncoder(BatchLayout const& layout, WriteOptions const& options, BatchCapacity const& capacity,
                   Stream& stream)
      : stream_(stream),
        backend_(stream, capacity.rows + 1),
        key_bytes_(capacity.rows, "sizes of keys"),
        frames_(capacity.rows + 1, "sizes of frames"),
        size_(1, "the size of all frames"),
        out_(penstock::recordio::Writer(layout, options).bytes_max(capacity), "frames") {
    form_.value_words = to_u32(size_bytes(layout.feature_dtype) / 4);
    form_.label_words = to_u32(layout.row_bytes(Role::label) / 4);
    std::uint32_t const field = penstock::recordio::tensor_field(layout.feature_dtype);
    form_.tensor_tag = penstock::recordio::tag_of(field, penstock::recordio::WireType::bytes);
    form_.pads_empty = options.empty_sparse != EmptySparse::shape;
    if (options.empty_sparse == EmptySparse::nan)
      form_.empty_value = layout.feature_dtype == DType::float64 ? missing_float64_bits : missing_float32_bits;
    make_tail(layout);
  }

  [[nodiscard]] std::size_t device_bytes() const override {
    return out_.size_bytes() + key_bytes_.size_bytes() + frames_.size_bytes() + backend_.device_bytes();
  }

  [[nodiscard]] Encoded encode(Batch const& batch) override {
    if (batch.rows == 0) return {out_.get(), 0};
    SparseRows const rows{to_u32(batch.rows), batch.csr.indptr, batch.csr.indices,
                          reinterpret_cast<std::uint32_t const*>(batch.csr.values), words_of(batch.label)};
    RowSizes const sizes{key_bytes_.get(), frames_.get()};
    size_sparse(stream_, rows, form_, sizes);
    backend_.exclusive_sum(sizes.frames, sizes.frames, batch.rows + 1);
    stream_.copy(size_.get(), sizes.frames + batch.rows, sizeof(std::uint64_t), "copy out");
    stream_.wait();
    encode_sparse(stream_, rows, form_, sizes, reinterpret_cast<unsigned char*>(out_.get()));
    return {out_.get(), size_[0]};
  }

 private:
  void make_tail(BatchLayout const& layout) {
    using namespace penstock::recordio;
    EntryLayout const label = entry_layout(layout.row_bytes(Role::label));
    form_.shape_bytes = varint_bytes(layout.features);
    form_.label_bytes = to_u32(label.total());
    std::byte* end = put_message_start(constants_.host(), tensor_shape_field, form_.shape_bytes);
    end = put_varint(end, layout.features);
    end = put_entry_prefix(end, label_kind(layout), label);
    constants_.copy(stream_);
    form_.tail = reinterpret_cast<unsigned char const*>(constants_.device());
    form_.tail_bytes = to_u32(static_cast<std::size_t>(end - constants_.host()));
  }

  Stream& stream_;
  Backend backend_;
  DeviceArray<std::uint32_t> key_bytes_;
  DeviceArray<std::uint64_t> frames_;
  MappedArray<std::uint64_t> size_;
  Constants constants_;
  DeviceArray<std::byte> out_;
  SparseForm form_;
};

bool is_encoded(BatchLayout const& layout, WriteOptions const& options) {
  if (options.escape != penstock::recordio::Escape::none) return false;
  if (layout.labels_vary || layout.has_uid || layout.has_metadata) return false;
  bool const has_features = layout.is_sparse || layout.features != 0;
  return (!has_features || is_floating(layout.feature_dtype)) &&
         (layout.labels == 0 || is_floating(layout.label_dtype)) && !(layout.is_sparse && layout.features == 0);
}

/// The kernel counts words of output in 32 bits.
bool fits(BatchLayout const& layout, BatchCapacity const& capacity) {
  auto const record = penstock::recordio::record_layout(layout.row_bytes(Role::feature), layout.row_bytes(Role::label));
  return layout.is_sparse ? capacity.rows + 1 < (std::size_t{1} << 31)
                          : record.payload() < penstock::recordio::payload_limit_bytes &&
                                capacity.rows < (std::size_t{1} << 33) / record.frame();
}

}  // namespace
}  // namespace recordio

std::unique_ptr<RowEncoder> make_recordio_encoder(BatchLayout const& layout,
                                                  penstock::recordio::WriteOptions const& options,
                                                  BatchCapacity const& capacity, Stream& stream) {
  if (!recordio::is_encoded(layout, options) || !recordio::fits(layout, capacity)) return nullptr;
  if (layout.is_sparse) return std::make_unique<recordio::SparseRowEncoder>(layout, options, capacity, stream);
  return std::make_unique<recordio::DenseRowEncoder>(layout, capacity, stream);
}

}  // namespace penstock::cuda
