/// Sizes and bytes of the messages around a tensor with any of its three lists, and of texts.
/// formats/recordio/layout.hpp has the case of values alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/core/platform.hpp"
#include "formats/recordio/layout.hpp"
#include "formats/recordio/schema.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::recordio {

/// Bytes of a field whose content has `content_bytes`: tag, length and content. Nothing is written for an empty one.
PENSTOCK_HD constexpr std::uint64_t field_bytes(std::uint64_t content_bytes) {
  return content_bytes == 0 ? 0 : 1 + varint_bytes(content_bytes) + content_bytes;
}

/// Bytes of the packed lists of a tensor.
struct ListBytes {
  std::uint64_t values = 0;
  std::uint64_t keys = 0;
  std::uint64_t shape = 0;
};

/// Sizes, in bytes, of the messages around a tensor, from the inside out. A tensor without lists has no entry.
struct TensorLayout {
  ListBytes lists;
  std::uint64_t tensor = 0;
  std::uint64_t value = 0;
  std::uint64_t entry = 0;
  [[nodiscard]] PENSTOCK_HD constexpr std::uint64_t total() const { return field_bytes(entry); }
};

PENSTOCK_HD constexpr TensorLayout tensor_layout(ListBytes lists) {
  TensorLayout layout;
  layout.lists = lists;
  layout.tensor = field_bytes(lists.values) + field_bytes(lists.keys) + field_bytes(lists.shape);
  layout.value = field_bytes(layout.tensor);
  layout.entry = layout.value == 0 ? 0 : key_bytes + field_bytes(layout.value);
  return layout;
}

/// Writes everything before the tensor's first list; returns its end. The layout has an entry.
constexpr std::byte* put_tensor_start(std::byte* into, EntryKind kind, TensorLayout const& layout) {
  into = put_message_start(into, kind.map_field, layout.entry);
  into = put_message_start(into, key_field, values_key.size());
  for (char const c : values_key) *into++ = static_cast<std::byte>(c);
  into = put_message_start(into, value_field, layout.value);
  return put_message_start(into, tensor_field(kind.dtype), layout.tensor);
}

/// Most bytes of everything before the values of a tensor, and of the start of one more list.
inline constexpr std::size_t list_start_bytes_max = 1 + short_varint_bytes_max;
inline constexpr std::size_t tensor_start_bytes_max = key_bytes + 3 * list_start_bytes_max;

}  // namespace penstock::recordio
