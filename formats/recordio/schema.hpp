/// Field numbers of the `aialgs.data.Record` message, shared by encoder and decoder.
/// The schema and where it comes from: formats/recordio/README.md.
#pragma once

#include <cstdint>
#include <string_view>

#include "penstock/dtype.hpp"

namespace penstock::recordio {

// Record
inline constexpr std::uint32_t features_field = 1;
inline constexpr std::uint32_t label_field = 2;
inline constexpr std::uint32_t uid_field = 3;
inline constexpr std::uint32_t metadata_field = 4;
// Entry of either map
inline constexpr std::uint32_t key_field = 1;
inline constexpr std::uint32_t value_field = 2;
// Value: one of
inline constexpr std::uint32_t float32_field = 2;
inline constexpr std::uint32_t float64_field = 3;
inline constexpr std::uint32_t int32_field = 7;
inline constexpr std::uint32_t bytes_field = 9;
// Every tensor
inline constexpr std::uint32_t tensor_values_field = 1;
inline constexpr std::uint32_t tensor_keys_field = 2;
inline constexpr std::uint32_t tensor_shape_field = 3;

/// The key under which vector learners look for features and for labels.
inline constexpr std::string_view values_key = "values";

/// The member of Value that holds tensors of `type`; 0 for int64, which has none.
constexpr std::uint32_t tensor_field(DType type) {
  switch (type) {
    case DType::float32: return float32_field;
    case DType::float64: return float64_field;
    case DType::int32: return int32_field;
    case DType::int64: break;
  }
  return 0;
}

}  // namespace penstock::recordio
