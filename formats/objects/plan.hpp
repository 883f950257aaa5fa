/// What a decoder has to know about objects: which keys become which columns. Tables of plain values, so that both
/// engines can read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "formats/core/platform.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/options.hpp"
#include "formats/normalize/text_rule.hpp"
#include "penstock/batch.hpp"
#include "penstock/dtype.hpp"

namespace penstock::objects {

/// Bytes that somebody else owns.
struct Text {
  char const* begin = nullptr;
  std::uint32_t bytes = 0;
};

/// Whether a valid string spells `text`.
PENSTOCK_HD_CALL inline bool spells(json::String string, Text text) {
  char const* at = string.begin;
  std::uint32_t same = 0;
  while (at != string.end && same != text.bytes && *at == text.begin[same] && *at != '\\') ++at, ++same;
  if (at == string.end) return same == text.bytes;
  if (*at != '\\') return false;
  json::StringReader reader({at, string.end});
  for (; same != text.bytes; ++same) {
    if (reader.next() != static_cast<unsigned char>(text.begin[same])) return false;
  }
  return reader.next() < 0;
}

inline constexpr std::uint32_t none = ~std::uint32_t{0};

/// What becomes of a value: element `place` of a row of the role's tensor.
struct Column {
  Role role = Role::feature;
  std::uint32_t place = 0;
  std::uint32_t node = 0;
};

/// A step of the paths: they share what they begin with. Node 0 is the record's object.
struct Node {
  std::uint32_t column = none;  ///< the path ends here
  std::uint32_t first_element = 0;
  std::uint32_t elements = 0;  ///< places of a list that paths go on from, ascending
  bool has_keys = false;
  bool is_ignored = false;  ///< only paths to leave out go through it
};

struct Element {
  std::uint32_t index = 0;
  std::uint32_t node = 0;
};

/// A key of an object, in a table of hashes; `node` none: a free slot.
struct Key {
  std::uint32_t parent = 0;
  std::uint32_t node = none;
  Text name;
};

/// A class name, in a table of hashes.
struct LabelName {
  Text name;
  float value = 0;
  bool is_taken = false;  ///< else a free slot
};

/// The hash of a key, which is a valid string or plain text. (FNV-1a.)
class KeyHash {
 public:
  PENSTOCK_HD explicit KeyHash(std::uint32_t parent) : hash_((2166136261u ^ parent) * 16777619u) {}
  PENSTOCK_HD void add(int byte) { hash_ = (hash_ ^ static_cast<std::uint32_t>(byte)) * 16777619u; }
  [[nodiscard]] PENSTOCK_HD std::uint32_t value() const { return hash_ ^ hash_ >> 15; }

 private:
  std::uint32_t hash_;
};

PENSTOCK_HD inline std::uint32_t hash_of(std::uint32_t parent, json::String key) {
  KeyHash hash(parent);
  json::StringReader reader(key);
  for (int byte = reader.next(); byte >= 0; byte = reader.next()) hash.add(byte);
  return hash.value();
}

/// Views of what a plan owns.
struct Tables {
  Node const* nodes = nullptr;
  Element const* elements = nullptr;
  Key const* keys = nullptr;
  std::uint32_t key_mask = 0;  ///< slots less one
  Column const* columns = nullptr;
  std::uint32_t node_count = 0;
  std::uint32_t column_count = 0;
  Text const* nulls = nullptr;
  std::uint32_t null_count = 0;
  LabelName const* labels = nullptr;
  std::uint32_t label_count = 0;  ///< slots, a power of two; 0: no name is known
  bool nan_is_null = false;       ///< `nan` in any case, with or without sign

  /// Where a key leads, or none.
  [[nodiscard]] PENSTOCK_HD std::uint32_t child(std::uint32_t parent, json::String key) const {
    for (std::uint32_t slot = hash_of(parent, key) & key_mask;; slot = (slot + 1) & key_mask) {
      Key const& entry = keys[slot];
      if (entry.node == none) return none;
      if (entry.parent == parent && spells(key, entry.name)) return entry.node;
    }
  }

  /// The class of that name, or null.
  [[nodiscard]] PENSTOCK_HD LabelName const* label(json::String name) const {
    if (label_count == 0) return nullptr;
    std::uint32_t const mask = label_count - 1;
    for (std::uint32_t slot = hash_of(0, name) & mask; labels[slot].is_taken; slot = (slot + 1) & mask) {
      if (spells(name, labels[slot].name)) return labels + slot;
    }
    return nullptr;
  }
};

/// 64 nodes a word.
PENSTOCK_HD inline std::uint32_t seen_words(Tables const& tables) { return (tables.node_count + 63) / 64; }

/// Bytes that a text of a column of text has at most, as in CSV.
inline constexpr std::size_t text_bytes_max = 4096;

/// What is done with columns of text. Only the CPU reads them.
struct TextColumns {
  normalize::TextRule const* rules = nullptr;  ///< by place; null: the layout keeps the texts
  bool cuts = false;  ///< texts that are too long are kept as far as they may be; else they are faults
};

/// What a record is read by, on either engine.
struct Rules {
  json::TextOptions text;
  DType dtype = DType::float32;  ///< of the features
  bool requires_keys = false;
  bool clips_overflow = false;
  bool takes_infinite = false;
  Tables tables;
  TextColumns texts;
};

struct Store;

/// A plain value.
struct Plan {
  BatchLayout layout;
  Rules rules;
  bool is_survey = false;              ///< what keys there are goes to the rows' metadata: survey.hpp
  bool was_surveyed = false;           ///< the features were found out
  std::shared_ptr<Store const> store;  ///< what the tables point to
};

/// The memory of a plan's tables, and its paths as text.
struct Store {
  std::vector<Node> nodes;
  std::vector<Element> elements;
  std::vector<Key> keys;
  std::vector<Column> columns;
  std::vector<std::string> names;  ///< of the columns
  std::vector<Text> nulls;
  std::vector<LabelName> labels;
  std::vector<std::unique_ptr<std::string const>> texts;  ///< that Text points to
};

}  // namespace penstock::objects
