/// What a record says. Rules: formats/recordio/README.md.
#pragma once

#include <string_view>

#include "formats/recordio/schema.hpp"
#include "formats/recordio/tensor.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::recordio {

/// Which entries of the two maps are wanted; the rest is checked for well-formedness and passed over.
struct RecordKeys {
  std::string_view features = values_key;
  std::string_view label = values_key;
};

/// What a record says. Views into the payload that was decoded.
struct RecordView {
  TensorView features;
  TensorView label;
  bool has_other_features = false;  ///< the features map has entries under other keys
  bool has_other_labels = false;
  bool has_uid = false;
  bool has_metadata = false;
  Bytes uid;
  Bytes metadata;

  [[nodiscard]] bool has_other_entries() const { return has_other_features || has_other_labels; }
};

namespace detail {
inline std::string_view text_of(Bytes bytes) { return {reinterpret_cast<char const*>(bytes.data()), bytes.size()}; }
}  // namespace detail

}  // namespace penstock::recordio
