/// RecordIO-protobuf encoding: rows of dense tensors become frames, one record a frame, in the bytes that
/// libprotobuf writes for the same content. Layout and examples: formats/recordio/README.md.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

#include "formats/recordio/framing.hpp"
#include "formats/recordio/layout.hpp"
#include "formats/recordio/schema.hpp"
#include "formats/recordio/wire.hpp"
#include "penstock/batch.hpp"
#include "penstock/executor.hpp"

namespace penstock::recordio {

static_assert(std::endian::native == std::endian::little, "values are copied as they are stored");

namespace detail {

/// Bytes of a packed list of int32. Rows are below 2^29 / 10 values, so 32 bits hold the sum.
inline std::uint32_t packed_bytes(std::span<std::int32_t const> values) {
  std::uint32_t sum = 0;
  for (std::int32_t value : values) sum += int32_varint_bytes(value);
  return sum;
}

inline std::byte* put_packed(std::byte* into, std::span<std::int32_t const> values) {
  for (std::int32_t value : values) into = put_varint(into, varint_of(value));
  return into;
}

inline std::byte* put_bytes(std::byte* into, std::byte const* from, std::size_t size_bytes) {
  if (size_bytes != 0) std::memcpy(into, from, size_bytes);
  return into + size_bytes;
}

/// Copies the bytes before a tensor's values. They are 16 to 32 in all rows below 524,282 values: two copies
/// of 16 that overlap have a constant size; rows of 28 float32 and a label went from 11 to 27 GB/s with it
/// (g++ 12 -O2, one core of an EPYC, output in cache).
inline std::byte* put_prefix(std::byte* into, std::byte const* from, std::size_t size_bytes) {
  if (size_bytes < 16 || size_bytes > 32) return put_bytes(into, from, size_bytes);
  std::memcpy(into, from, 16);
  std::memcpy(into + size_bytes - 16, from + size_bytes - 16, 16);
  return into + size_bytes;
}

/// Copies a row of values; single labels are most frequent.
inline std::byte* put_row(std::byte* into, std::byte const* from, std::size_t size_bytes) {
  if (size_bytes != 4) return put_bytes(into, from, size_bytes);
  std::memcpy(into, from, 4);
  return into + 4;
}

/// Zeros up to the next multiple of four bytes from the start of the frame.
inline std::byte* put_pad(std::byte* into, std::uint64_t payload_bytes) {
  for (std::uint64_t i = payload_bytes; i < padded(payload_bytes); ++i) *into++ = std::byte{0};
  return into;
}

}  // namespace detail

/// Rows to frames. Features go under features["values"], all label columns as one list under
/// label["values"], each in the tensor of its element type; a role without columns has no map. Weight and
/// qid are not carried: a Record has no place for them, and the caller decides what to do about it.
/// One object serves one lane; no memory is taken.
class DenseEncoder final : public Encoder {
 public:
  /// Why rows of `layout` cannot become records, if so: int64 tensors, or records that could reach 512 MiB.
  static std::optional<std::string> unsupported(BatchLayout const& layout);

  /// `layout` is supported.
  explicit DenseEncoder(BatchLayout const& layout);

  /// The frame of a row; with int32 tensors the frame of a row of negative numbers (ten bytes each).
  [[nodiscard]] std::size_t row_bytes_max() const { return layout_.frame(); }
  [[nodiscard]] std::size_t bytes_max(BatchCapacity const& capacity) const override {
    return capacity.rows * row_bytes_max();
  }

  /// The tensors of `batch` are those of the layout.
  std::size_t encode(Batch const& batch, std::byte* into) override;

 private:
  /// Bytes that are the same in every row, before the values of one tensor.
  struct Prefix {
    std::array<std::byte, header_bytes + prefix_bytes_max> bytes{};
    std::size_t size_bytes = 0;
  };

  std::byte* encode_fixed(Batch const& batch, std::byte* into) const;
  std::byte* encode_varying(Batch const& batch, std::byte* into) const;
  [[nodiscard]] std::uint64_t values_bytes(Dense const& tensor, std::size_t row) const;
  static std::byte* put_values(std::byte* into, Dense const& tensor, std::size_t row);

  EntryKind features_;
  EntryKind label_;
  RecordLayout layout_;  ///< of every row, or of the largest one if rows vary
  bool is_fixed_ = true;
  Prefix features_prefix_;  ///< with the frame header; used if rows do not vary
  Prefix label_prefix_;
};

inline std::optional<std::string> DenseEncoder::unsupported(BatchLayout const& layout) {
  for (Role role : {Role::feature, Role::label})
    if (layout.columns(role) != 0 && tensor_field(layout.dtype(role)) == 0)
      return "a Record has no tensor for " + std::string(name_of(layout.dtype(role))) + " " +
             std::string(name_of(role)) + ": choose float32, float64 or int32";
  // The first test keeps the sizes below from overflowing.
  bool const is_too_wide = layout.features >= payload_limit_bytes || layout.labels >= payload_limit_bytes;
  if (is_too_wide || record_layout_max(layout).payload() >= payload_limit_bytes)
    return "a record of " + std::to_string(layout.features) + " features and " + std::to_string(layout.labels) +
           " labels can reach 512 MiB, which is more than a RecordIO frame can hold";
  return std::nullopt;
}

inline DenseEncoder::DenseEncoder(BatchLayout const& layout)
    : features_{features_field, layout.dtype(Role::feature)},
      label_{label_field, layout.dtype(Role::label)},
      layout_(record_layout_max(layout)) {
  is_fixed_ =
      (layout.features == 0 || features_.dtype != DType::int32) && (layout.labels == 0 || label_.dtype != DType::int32);
  std::byte* begin = features_prefix_.bytes.data();
  std::byte* end = put_header(begin, static_cast<std::uint32_t>(layout_.payload()));
  end = put_entry_prefix(end, features_, layout_.features);
  features_prefix_.size_bytes = static_cast<std::size_t>(end - begin);
  begin = label_prefix_.bytes.data();
  end = put_entry_prefix(begin, label_, layout_.label);
  label_prefix_.size_bytes = static_cast<std::size_t>(end - begin);
}

inline std::size_t DenseEncoder::encode(Batch const& batch, std::byte* into) {
  std::byte* const end = is_fixed_ ? encode_fixed(batch, into) : encode_varying(batch, into);
  return static_cast<std::size_t>(end - into);
}

inline std::byte* DenseEncoder::encode_fixed(Batch const& batch, std::byte* into) const {
  std::size_t const features_bytes = layout_.features.values;
  std::size_t const label_bytes = layout_.label.values;
  std::byte const* features = batch.features.data;
  std::byte const* label = batch.label.data;
  for (std::size_t row = 0; row < batch.rows; ++row) {
    into = detail::put_prefix(into, features_prefix_.bytes.data(), features_prefix_.size_bytes);
    into = detail::put_row(into, features, features_bytes);
    into = detail::put_prefix(into, label_prefix_.bytes.data(), label_prefix_.size_bytes);
    into = detail::put_row(into, label, label_bytes);
    into = detail::put_pad(into, layout_.payload());
    features += features_bytes;
    label += label_bytes;
  }
  return into;
}

inline std::byte* DenseEncoder::encode_varying(Batch const& batch, std::byte* into) const {
  for (std::size_t row = 0; row < batch.rows; ++row) {
    RecordLayout const layout = record_layout(values_bytes(batch.features, row), values_bytes(batch.label, row));
    into = put_header(into, static_cast<std::uint32_t>(layout.payload()));
    into = put_entry_prefix(into, features_, layout.features);
    into = put_values(into, batch.features, row);
    into = put_entry_prefix(into, label_, layout.label);
    into = put_values(into, batch.label, row);
    into = detail::put_pad(into, layout.payload());
  }
  return into;
}

inline std::uint64_t DenseEncoder::values_bytes(Dense const& tensor, std::size_t row) const {
  if (tensor.dtype != DType::int32) return tensor.row_bytes();
  return detail::packed_bytes({tensor.as<std::int32_t>() + row * tensor.columns, tensor.columns});
}

inline std::byte* DenseEncoder::put_values(std::byte* into, Dense const& tensor, std::size_t row) {
  if (tensor.columns == 0) return into;
  if (tensor.dtype == DType::int32)
    return detail::put_packed(into, {tensor.as<std::int32_t>() + row * tensor.columns, tensor.columns});
  return detail::put_bytes(into, tensor.data + row * tensor.row_bytes(), tensor.row_bytes());
}

}  // namespace penstock::recordio
