/// A short way through records in the form that writers give them, which is most of all records. What it reads, it
/// reads as formats/recordio/decode.hpp does; what has another form is left to that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "formats/recordio/record.hpp"
#include "formats/recordio/schema.hpp"
#include "formats/recordio/tensor.hpp"
#include "formats/recordio/varints.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::recordio::detail {

/// Reads a payload of the form
///   features {key, value {tensor {values? keys? shape?}}}  label {...}?  uid?  metadata?
/// with the wanted keys, tags of one byte, every list packed and not empty.
class CanonicalReader {
 public:
  CanonicalReader(Bytes payload, RecordKeys const& keys) : rest_(payload), keys_(keys) {}

  /// False: the payload has another form, or is broken; `record` means nothing then.
  bool read(RecordView& record) {
    if (!read_entry(features_field, keys_.features, record.features)) return false;
    if (begins_with(rest_, label_field) && !read_entry(label_field, keys_.label, record.label)) return false;
    record.has_uid = take(rest_, uid_field, record.uid);
    record.has_metadata = take(rest_, metadata_field, record.metadata);
    return rest_.empty();
  }

 private:
  static bool begins_with(Bytes bytes, std::uint32_t field) {
    return !bytes.empty() && bytes.front() == static_cast<std::byte>(tag_of(field, WireType::bytes));
  }

  /// Takes the field at the front of `from` if it is `field` and fits.
  [[gnu::always_inline]] static bool take(Bytes& from, std::uint32_t field, Bytes& content) {
    if (from.size() < 2 || !begins_with(from, field)) return false;
    std::size_t begin = 2;
    auto length = static_cast<std::size_t>(from[1]);
    if (length >= 0x80) {
      Varint const varint = read_varint(from.subspan(1), short_varint_bytes_max);
      if (varint.error != WireError::none) return false;
      begin = 1 + varint.size_bytes;
      length = varint.value;
    }
    if (length > from.size() - begin) return false;
    content = from.subspan(begin, length);
    from = from.subspan(begin + length);
    return true;
  }

  static bool is_key(Bytes key, std::string_view wanted) {
    if (key.size() != wanted.size()) return false;
    if (key.size() == values_key.size()) return std::memcmp(key.data(), wanted.data(), values_key.size()) == 0;
    return std::memcmp(key.data(), wanted.data(), key.size()) == 0;
  }

  bool read_entry(std::uint32_t map_field, std::string_view wanted, TensorView& view) {
    Bytes entry, key, value;
    if (!take(rest_, map_field, entry)) return false;
    view.has_entry = true;
    view.entry = entry;
    if (!take(entry, key_field, key) || !is_key(key, wanted)) return false;
    return take(entry, value_field, value) && entry.empty() && read_value(value, view);
  }

  static bool read_value(Bytes value, TensorView& view) {
    if (value.empty()) return false;
    auto const tag = static_cast<std::uint32_t>(value.front());
    view.kind = kind_of_field(tag >> 3);
    Bytes tensor;
    bool const is_tensor = view.kind != TensorKind::none && view.kind != TensorKind::bytes;
    if (!is_tensor || !take(value, tag >> 3, tensor) || !value.empty()) return false;
    view.first = tensor.data();
    return read_tensor(tensor, view);
  }

  static bool read_tensor(Bytes tensor, TensorView& view) {
    if (begins_with(tensor, tensor_values_field) && !read_values(tensor, view)) return false;
    if (begins_with(tensor, tensor_keys_field)) {
      if (!take(tensor, tensor_keys_field, view.packed_keys) || view.packed_keys.empty()) return false;
      if (count_varints(view.packed_keys, view.keys) != WireError::none) return false;
    }
    if (begins_with(tensor, tensor_shape_field)) {
      Bytes shape;
      if (!take(tensor, tensor_shape_field, shape) || shape.empty()) return false;
      if (count_varints(shape, view.rank) != WireError::none) return false;
      multiply_shape(shape, view.shape_product);
    }
    return tensor.empty();
  }

  static bool read_values(Bytes& tensor, TensorView& view) {
    if (!take(tensor, tensor_values_field, view.packed) || view.packed.empty()) return false;
    std::size_t const size = fixed_bytes(view.kind);
    if (size == 0) return count_varints(view.packed, view.count) == WireError::none;
    view.count = view.packed.size() / size;
    return view.packed.size() % size == 0;
  }

  Bytes rest_;
  RecordKeys const& keys_;
};

}  // namespace penstock::recordio::detail
