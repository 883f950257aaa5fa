/// RecordIO-protobuf decoding: one payload becomes a RecordView, without allocation and without copying
/// until the caller asks for the numbers. Rules and examples: formats/recordio/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/recordio/canonical.hpp"
#include "formats/recordio/record.hpp"
#include "formats/recordio/schema.hpp"
#include "formats/recordio/tensor.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::recordio {

enum class RecordStatus : std::uint8_t {
  ok,              ///< well-formed; both tensors are dense or absent
  sparse,          ///< well-formed; a tensor has keys, or a shape and no values: copy_to() is not enough
  bytes_value,     ///< well-formed; a wanted entry holds bytes instead of numbers
  shape_mismatch,  ///< well-formed; a dense tensor's shape does not multiply to its number of values
  malformed,       ///< no protobuf message of this kind; the view is empty
};

constexpr std::string_view describe(RecordStatus status) {
  constexpr std::string_view texts[] = {
      "a dense record",
      "a sparse record",
      "a record that holds bytes instead of numbers",
      "a dense tensor whose shape does not fit its number of values",
      "not a protobuf record",
  };
  return texts[static_cast<std::size_t>(status)];
}

struct RecordResult {
  RecordStatus status = RecordStatus::ok;
  WireError error = WireError::none;   ///< says more if malformed
  std::size_t error_offset_bytes = 0;  ///< from the payload's start, if malformed
  RecordView record;
};

namespace detail {

/// Both maps keep the last entry of a key, whatever an earlier one held.
inline bool read_map_entry(Bytes entry, std::string_view wanted, TensorView& view, bool& has_other, WireFault& fault) {
  TensorReader reader(entry);
  if (!walk_entry(entry, reader, fault)) return false;
  if (text_of(reader.key()) == wanted)
    view = reader.view();
  else
    has_other = true;
  return true;
}

/// Strings keep the last one.
inline void read_text(Field const& field, RecordView& record) {
  if (field.number == uid_field) {
    record.has_uid = true;
    record.uid = field.bytes;
  } else if (field.number == metadata_field) {
    record.has_metadata = true;
    record.metadata = field.bytes;
  }
}

/// Any well-formed payload.
inline bool read_record(Bytes payload, RecordKeys const& keys, RecordView& record, WireFault& fault) {
  FieldCursor cursor(payload, 0, fault);
  for (Field field; cursor.next(field);) {
    if (field.type != WireType::bytes) continue;
    bool is_read = true;
    if (field.number == features_field)
      is_read = read_map_entry(field.bytes, keys.features, record.features, record.has_other_features, fault);
    else if (field.number == label_field)
      is_read = read_map_entry(field.bytes, keys.label, record.label, record.has_other_labels, fault);
    else
      read_text(field, record);
    if (!is_read) return false;
  }
  return fault.error == WireError::none;
}

inline RecordStatus status_of(TensorView const& tensor) {
  if (tensor.kind == TensorKind::bytes) return RecordStatus::bytes_value;
  if (tensor.is_sparse()) return RecordStatus::sparse;
  return tensor.rank != 0 && tensor.shape_product != tensor.count ? RecordStatus::shape_mismatch : RecordStatus::ok;
}

inline RecordStatus status_of(RecordView const& record) {
  RecordStatus const features = status_of(record.features);
  return features == RecordStatus::ok ? status_of(record.label) : features;
}

/// decode_record() by the long way, for every payload.
inline RecordResult decode_any_record(Bytes payload, RecordKeys const& keys) {
  RecordResult result;
  WireFault fault;
  if (payload.size() > message_bytes_max) {
    result.status = RecordStatus::malformed;
    result.error = WireError::too_big;
  } else if (!read_record(payload, keys, result.record, fault)) {
    result.status = RecordStatus::malformed;
    result.error = fault.error;
    result.error_offset_bytes = static_cast<std::size_t>(fault.at - payload.data());
    result.record = {};
  } else {
    result.status = status_of(result.record);
  }
  return result;
}

}  // namespace detail

/// Decodes the payload of one whole frame. Reads every byte of it and none outside; `payload` must outlive
/// the views in the result. An empty payload is a record without entries (status ok, both tensors absent).
/// Features are judged before the label where both have something to say.
inline RecordResult decode_record(Bytes payload, RecordKeys const& keys = {}) {
  RecordResult result;
  bool const is_canonical =
      payload.size() <= message_bytes_max && detail::CanonicalReader(payload, keys).read(result.record);
  if (!is_canonical) return detail::decode_any_record(payload, keys);
  result.status = detail::status_of(result.record);
  return result;
}

}  // namespace penstock::recordio
