/// The keys of a record of vectors.
#pragma once

#include <cstdint>

#include "formats/core/platform.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/keys.hpp"

namespace penstock::jsonl {

/// `values`, `keys` and `shape` stand in the object of `features`; that in the record or in its `data`.
enum class Key : std::uint8_t { features, label, data, values, keys, shape, unknown };

/// Of the record's own object, and of data.
PENSTOCK_HD inline Key record_key(json::String key, bool is_data) {
  if (json::is_key(key, "features")) return Key::features;
  if (json::is_key(key, "label")) return Key::label;
  return !is_data && json::is_key(key, "data") ? Key::data : Key::unknown;
}

PENSTOCK_HD inline Key tensor_key(json::String key) {
  if (json::is_key(key, "values")) return Key::values;
  if (json::is_key(key, "keys")) return Key::keys;
  return json::is_key(key, "shape") ? Key::shape : Key::unknown;
}

}  // namespace penstock::jsonl
