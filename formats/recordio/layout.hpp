/// Where the bytes of a canonical dense record lie: sizes, offsets and the constant bytes around the values.
/// Sizes are constexpr and marked for host and device, so that every engine computes them with this text.
/// The derivation of the sizes: formats/recordio/README.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/platform.hpp"
#include "formats/recordio/framing.hpp"
#include "formats/recordio/schema.hpp"
#include "formats/recordio/wire.hpp"
#include "penstock/batch.hpp"

namespace penstock::recordio {

/// Sizes, in bytes, of the messages around one packed list, from the inside out. A list without bytes is
/// absent: its map is not written at all.
struct EntryLayout {
  std::uint64_t values = 0;  ///< the packed list
  std::uint64_t tensor = 0;  ///< the Tensor message: tag, length, values
  std::uint64_t value = 0;   ///< the Value message: tag, length, tensor
  std::uint64_t entry = 0;   ///< the map entry: key, tag, length, value
  std::uint64_t prefix = 0;  ///< everything before the first value, from the entry's tag on
  [[nodiscard]] PENSTOCK_HD constexpr std::uint64_t total() const { return prefix + values; }
};

/// Tag, length and text of the key "values".
inline constexpr std::uint64_t key_bytes = 2 + values_key.size();
/// Most bytes of a prefix: the key and four tags of one byte with lengths of five.
inline constexpr std::size_t prefix_bytes_max = key_bytes + 4 * (1 + short_varint_bytes_max);

PENSTOCK_HD constexpr EntryLayout entry_layout(std::uint64_t values_bytes) {
  if (values_bytes == 0) return {};
  EntryLayout layout;
  layout.values = values_bytes;
  layout.tensor = 1 + varint_bytes(layout.values) + layout.values;
  layout.value = 1 + varint_bytes(layout.tensor) + layout.tensor;
  layout.entry = key_bytes + 1 + varint_bytes(layout.value) + layout.value;
  layout.prefix = 1 + varint_bytes(layout.entry) + layout.entry - layout.values;
  return layout;
}

/// Bytes of the two entries of a record, and so the size of its payload and frame.
struct RecordLayout {
  EntryLayout features;
  EntryLayout label;
  [[nodiscard]] PENSTOCK_HD constexpr std::uint64_t payload() const { return features.total() + label.total(); }
  [[nodiscard]] PENSTOCK_HD constexpr std::uint64_t frame() const { return frame_bytes(payload()); }
};

PENSTOCK_HD constexpr RecordLayout record_layout(std::uint64_t features_bytes, std::uint64_t label_bytes) {
  return {entry_layout(features_bytes), entry_layout(label_bytes)};
}

/// Most bytes that one value of `type` takes in a packed list: an int32 is a varint.
constexpr std::size_t packed_bytes_max(DType type) {
  return type == DType::int32 ? varint_bytes_max : size_bytes(type);
}

/// The layout of the largest record that rows of `batch` can become.
constexpr RecordLayout record_layout_max(BatchLayout const& batch) {
  return record_layout(batch.features * packed_bytes_max(batch.dtype(Role::feature)),
                       batch.labels * packed_bytes_max(batch.dtype(Role::label)));
}

/// Which map an entry belongs to and which member of Value holds its numbers.
struct EntryKind {
  std::uint32_t map_field = features_field;
  DType dtype = DType::float32;
};

PENSTOCK_HD constexpr std::byte* put_message_start(std::byte* into, std::uint32_t field, std::uint64_t size_bytes) {
  return put_varint(put_varint(into, tag_of(field, WireType::bytes)), size_bytes);
}

/// Writes the `layout.prefix` bytes before the values (none if the entry is absent); returns their end.
constexpr std::byte* put_entry_prefix(std::byte* into, EntryKind kind, EntryLayout const& layout) {
  if (layout.values == 0) return into;
  into = put_message_start(into, kind.map_field, layout.entry);
  into = put_message_start(into, key_field, values_key.size());
  for (char c : values_key) *into++ = static_cast<std::byte>(c);
  into = put_message_start(into, value_field, layout.value);
  into = put_message_start(into, tensor_field(kind.dtype), layout.tensor);
  return put_message_start(into, tensor_values_field, layout.values);
}

}  // namespace penstock::recordio
