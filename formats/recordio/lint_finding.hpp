/// What the RecordIO linter says: a finding, who is told, and the words for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/recordio/lint_rules.hpp"
#include "formats/recordio/schema.hpp"
#include "formats/recordio/tensor.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::recordio {

/// Lists of a tensor, by their field numbers.
enum class TensorList : std::uint8_t {
  none = 0,
  values = tensor_values_field,
  keys = tensor_keys_field,
  shape = tensor_shape_field,
};

/// A place in a record: `features["values"].keys[3]`.
struct FieldPath {
  static constexpr std::uint64_t no_index = UINT64_MAX;
  std::uint32_t record_field = 0;  ///< features_field, label_field, or 0: no field in particular
  bool has_key = false;            ///< an entry of the map is meant, not the map
  Bytes key;                       ///< of that entry
  TensorList list = TensorList::none;
  std::uint64_t index = no_index;  ///< of an element of the list
};

/// One thing that is wrong. `found` and `expected` are what the rule's sentence is about.
struct Finding {
  LintRule rule = LintRule::bad_magic;
  std::uint64_t frame = 0;               ///< ordinal in the input, from 1; of a split record its first frame
  std::uint64_t frame_offset_bytes = 0;  ///< of that frame's header, from the start of the (decompressed) input
  std::uint64_t offset_bytes = 0;        ///< of what is wrong; the frame's for split records, which lie in no one place
  FieldPath field;                       ///< its key is valid during FindingSink::add only
  std::uint64_t found = 0;
  std::uint64_t expected = 0;
};

/// Who is told.
class FindingSink {
 public:
  virtual ~FindingSink() = default;
  virtual void add(Finding const& finding) = 0;
};

namespace detail {

constexpr std::string_view kind_word(TensorKind kind) {
  constexpr std::string_view names[] = {"nothing", "float32", "float64", "int32", "bytes"};
  return names[static_cast<std::size_t>(kind)];
}

inline std::string lint_number(Finding const& finding, std::string_view place) {
  if (place == "found") return std::to_string(finding.found);
  if (place == "expected") return std::to_string(finding.expected);
  if (place == "kind") return std::string(kind_word(static_cast<TensorKind>(finding.found)));
  if (place == "expected_kind") return std::string(kind_word(static_cast<TensorKind>(finding.expected)));
  if (place == "wire") return std::string(describe(static_cast<WireError>(finding.found)));
  if (place == "flags") return finding.expected == 0 ? "0 or 1" : "2 or 3";
  return finding.found != 0 ? "sparse" : "dense";
}

}  // namespace detail

/// What is wrong and which readers mind, in one sentence without a full stop.
inline std::string sentence(Finding const& finding) {
  std::string text;
  std::string_view rest = info_of(finding.rule).text;
  for (std::size_t open = rest.find('{'); open != rest.npos; open = rest.find('{')) {
    std::size_t const close = rest.find('}', open);
    text += rest.substr(0, open);
    text += detail::lint_number(finding, rest.substr(open + 1, close - open - 1));
    rest.remove_prefix(close + 1);
  }
  return text += rest;
}

/// `features["values"].keys[3]`; empty where no field is meant. At most 64 bytes of the key, which may be any bytes:
/// longer than any name in use, and enough to recognise one.
inline std::string field_text(FieldPath const& field) {
  constexpr std::size_t key_bytes_max = 64;
  constexpr std::string_view lists[] = {"", ".values", ".keys", ".shape"};
  if (field.record_field == 0) return {};
  std::string text = field.record_field == features_field ? "features" : "label";
  if (!field.has_key) return text;
  std::string_view const key(reinterpret_cast<char const*>(field.key.data()), field.key.size());
  text += "[\"";
  text += key.substr(0, key_bytes_max);
  text += key.size() > key_bytes_max ? "...\"]" : "\"]";
  text += lists[static_cast<std::size_t>(field.list)];
  if (field.index != FieldPath::no_index) text += "[" + std::to_string(field.index) + "]";
  return text;
}

}  // namespace penstock::recordio
