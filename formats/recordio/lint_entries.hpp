/// The entries of a record's maps as the linter compares them: within a record, and with the first record.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "formats/recordio/lint_finding.hpp"
#include "formats/recordio/lint_tensor.hpp"
#include "formats/recordio/lint_walk.hpp"
#include "formats/recordio/schema.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::recordio {

/// One entry: of which map, under which key, holding what.
struct LintEntry {
  std::uint32_t map = 0;
  Bytes key;                   ///< valid while its record is being linted
  bool has_key = false;        ///< stored, if only as an empty one
  std::uint64_t key_hash = 0;  ///< instead of the key, between records
  std::byte const* at = nullptr;
  TensorFacts facts;

  [[nodiscard]] FieldPath path() const { return {map, true, key, TensorList::none, FieldPath::no_index}; }
};

/// The entries of one record. Only the first 64 different keys are kept and compared: learners know of two, and a list
/// of fixed size needs no memory. All are counted.
class LintEntries {
 public:
  void clear() { size_ = total_ = 0; }

  /// A key that is known in its map replaces what was there, as in libprotobuf; true if so.
  bool add(LintEntry entry) {
    entry.key_hash = hash_of(entry.key);
    for (LintEntry& known : std::span(list_).first(size_)) {
      if (known.map != entry.map || detail::text_of_key(known.key) != detail::text_of_key(entry.key)) continue;
      known = entry;
      return true;
    }
    ++total_;
    if (size_ < list_.size()) list_[size_++] = entry;
    return false;
  }

  [[nodiscard]] std::span<LintEntry const> kept() const { return std::span(list_).first(size_); }
  /// With those that were not kept.
  [[nodiscard]] std::size_t total() const { return total_; }

  /// The entry of the same name, possibly of another record; null if there is none.
  [[nodiscard]] LintEntry const* find(LintEntry const& entry) const { return find(entry.map, entry.key_hash); }
  /// The entry that vector learners look for.
  [[nodiscard]] LintEntry const* find_values(std::uint32_t map) const {
    return find(map, hash_of(std::as_bytes(std::span(values_key))));
  }
  /// Whether a learner finds a label.
  [[nodiscard]] bool has_label() const {
    LintEntry const* const label = find_values(label_field);
    return label != nullptr && label->facts.count != 0;
  }

 private:
  /// FNV-1a: short, and good enough to tell names apart that nobody chose in order to confuse a linter.
  static constexpr std::uint64_t hash_of(Bytes key) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (std::byte byte : key) hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3u;
    return hash;
  }

  [[nodiscard]] LintEntry const* find(std::uint32_t map, std::uint64_t key_hash) const {
    for (LintEntry const& known : kept())
      if (known.map == map && known.key_hash == key_hash) return &known;
    return nullptr;
  }

  std::array<LintEntry, 64> list_;
  std::size_t size_ = 0;
  std::size_t total_ = 0;
};

namespace detail {

/// Keys other than "values", and records without that one. An entry that lacks its key has been reported for that.
inline void lint_keys(LintEntries const& entries, RecordReport& report) {
  bool const has_values = entries.find_values(features_field) != nullptr;
  FieldPath features;
  features.record_field = features_field;
  if (!has_values) report.add(LintRule::no_values_key, features, nullptr);
  for (LintEntry const& entry : entries.kept()) {
    bool const is_expected = is_values_key(entry.key) || !entry.has_key || (entry.map == features_field && !has_values);
    if (!is_expected) report.add(LintRule::other_key, entry.path(), entry.at);
  }
}

/// One finding: a tensor of another type or density has no width to speak of. A label without values is no label.
inline void compare_entries(LintEntry const& entry, LintEntry const& first, RecordReport& report) {
  TensorFacts const& now = entry.facts;
  TensorFacts const& then = first.facts;
  if (now.kind == TensorKind::none || then.kind == TensorKind::none) return;
  if (now.kind != then.kind)
    report.add(LintRule::tensor_type_mismatch, entry.path(), entry.at,
               {static_cast<std::uint64_t>(now.kind), static_cast<std::uint64_t>(then.kind)});
  else if (now.is_sparse() != then.is_sparse())
    report.add(LintRule::density_mismatch, entry.path(), entry.at, {now.is_sparse() ? 1u : 0u});
  else if (now.has_width() && then.has_width() && now.width() != then.width())
    report.add(LintRule::width_mismatch, entry.path(), entry.at, {now.width(), then.width()});
}

/// Names but for the label: its absence has a rule of its own.
inline std::size_t names_in(LintEntries const& entries) {
  return entries.total() - (entries.find_values(label_field) != nullptr ? 1 : 0);
}

}  // namespace detail

/// Reports how a record differs from the first one, as ml-io and the XGBoost container see it.
inline void lint_beside(LintEntries const& first, LintEntries const& entries, RecordReport& report) {
  bool has_other_names = detail::names_in(entries) != detail::names_in(first);
  bool const has_one_label = entries.has_label() != first.has_label();
  LintEntry const* const label = entries.find_values(label_field);
  for (LintEntry const& entry : entries.kept()) {
    LintEntry const* const known = first.find(entry);
    if (known == nullptr)
      has_other_names = has_other_names || &entry != label;
    else if (&entry != label || !has_one_label)
      detail::compare_entries(entry, *known, report);
  }
  if (has_other_names) report.add(LintRule::names_mismatch, {}, nullptr);
  FieldPath labels;
  labels.record_field = label_field;
  if (has_one_label) report.add(LintRule::label_mismatch, labels, nullptr);
}

}  // namespace penstock::recordio
