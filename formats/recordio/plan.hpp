/// What a decoder has to know about a RecordIO-protobuf input: the outcome of options and of the first record.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "formats/recordio/options.hpp"
#include "formats/recordio/record.hpp"
#include "penstock/batch.hpp"

namespace penstock::recordio {

/// Keys, and sizes that shapes give, are below it: indices are signed.
inline constexpr std::uint64_t keys_limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

struct Plan {
  BatchLayout layout;
  std::string features_key{values_key};
  std::string label_key{values_key};
  Padding padding = Padding::strict;
  Join join = Join::automatic;
  Duplicates duplicates = Duplicates::fault;
  /// Of sparse records: each has a shape, whose product is layout.features. Else a shape only bounds its record's keys.
  bool requires_shape = false;

  /// Views into this plan.
  [[nodiscard]] RecordKeys keys() const { return {features_key, label_key}; }
  /// Every key is below it.
  [[nodiscard]] std::uint64_t key_limit() const {
    bool const is_unknown = layout.features == 0 && !requires_shape;
    return is_unknown ? keys_limit : layout.features;
  }
};

/// The most that one record of `record_max` bytes can become. Every element takes bytes of its own: a value of float32
/// or float64 its size, one of int32 a varint, and so does a key.
inline BatchCapacity record_capacity(Plan const& plan, std::size_t record_max) {
  auto const value_bytes = [](DType type) { return type == DType::int32 ? 1 : size_bytes(type); };
  BatchLayout const& layout = plan.layout;
  BatchCapacity capacity{1, 0, 0, 0, 0};
  if (layout.is_sparse) capacity.pairs = record_max / (value_bytes(layout.feature_dtype) + 1);
  if (layout.labels_vary) capacity.labels = record_max / value_bytes(layout.label_dtype);
  if (layout.has_uid) capacity.uid_bytes = record_max;
  if (layout.has_metadata) capacity.metadata_bytes = record_max;
  return capacity;
}

}  // namespace penstock::recordio
