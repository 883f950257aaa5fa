/// Linting of one record: everything that a message can have wrong in itself, and beside the first record.
/// Rules: formats/recordio/lint_rules.hpp; what is canonical: formats/recordio/README.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/recordio/decode.hpp"
#include "formats/recordio/framing.hpp"
#include "formats/recordio/lint_entries.hpp"
#include "formats/recordio/lint_finding.hpp"
#include "formats/recordio/lint_tensor.hpp"
#include "formats/recordio/lint_walk.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::recordio {

/// The first aligned word of `payload` that is the magic, or null. Payloads are aligned in their frames, and so in
/// files of frames.
inline std::byte const* find_magic(Bytes payload) {
  for (std::size_t at = 0; at + 4 <= payload.size(); at += 4)
    if (get_word(payload.data() + at) == magic) return payload.data() + at;
  return nullptr;
}

/// Lints payloads one after the other and remembers what the first well-formed one holds. Each rule is reported at most
/// once for each of a record's maps; a malformed record has no other finding. Memory is that of the longest list of
/// keys, and is reused.
class RecordLinter {
 public:
  explicit RecordLinter(FindingSink& sink) : report_(sink) {}

  /// Reports what is wrong with a record. `payload` is looked at during the call only.
  void lint(Bytes payload, RecordPlace const& place) {
    report_.begin(payload, place, false);
    if (payload.empty()) return report_.add(LintRule::empty_payload, {}, nullptr);
    magic_at_ = place.is_joined ? nullptr : find_magic(payload);
    magic_path_ = {};
    if (walk(payload)) compare();
    if (magic_at_ != nullptr) report_.add(LintRule::magic_in_payload, magic_path_, magic_at_);
  }

  /// Whether `payload` has no finding that is an error. Reports and remembers nothing.
  [[nodiscard]] bool is_sound(Bytes payload) {
    report_.begin(payload, {}, true);
    magic_at_ = nullptr;
    return walk(payload) && !report_.has_error();
  }

 private:
  /// False if it is malformed, for which decode_record() is asked: the linter refuses what the decoder refuses.
  bool walk(Bytes payload) {
    entries_.clear();
    RecordResult const result = decode_record(payload);
    if (result.status == RecordStatus::malformed) {
      report_.add(LintRule::malformed_record, {}, payload.data() + result.error_offset_bytes,
                  {static_cast<std::uint64_t>(result.error)});
      return false;
    }
    FieldPath const path;
    detail::lint_message(payload, {detail::record_fields, 0, path, report_},
                         [this](Field const& field, std::byte const* at) {
                           if (field.number == features_field || field.number == label_field) lint_entry(field, at);
                         });
    detail::lint_keys(entries_, report_);
    return true;
  }

  void lint_entry(Field const& field, std::byte const* at) {
    LintEntry entry;
    entry.map = field.number;
    entry.at = at;
    find_key(field.bytes, entry);
    if (!entry.has_key) report_.add(LintRule::entry_without_key, entry.path(), at);
    entry.facts = tensor_.lint({field.bytes, at, entry.path(), magic_at_, &magic_path_}, report_);
    if (entries_.add(entry)) report_.add(LintRule::duplicate_map_key, entry.path(), at);
  }

  /// The key may come last, but is part of every place in the entry.
  static void find_key(Bytes bytes, LintEntry& entry) {
    WireFault fault;
    FieldCursor cursor(bytes, detail::entry_depth, fault);
    for (Field field; cursor.next(field);) {
      if (field.number != key_field || field.type != WireType::bytes) continue;
      entry.key = field.bytes;
      entry.has_key = true;
    }
  }

  void compare() {
    if (has_first_) return lint_beside(first_, entries_, report_);
    first_ = entries_;
    has_first_ = true;
  }

  RecordReport report_;
  TensorLinter tensor_;
  std::byte const* magic_at_ = nullptr;  ///< the first aligned magic of the payload
  FieldPath magic_path_;                 ///< where it lies
  LintEntries entries_;
  LintEntries first_;  ///< of the first record; its keys are gone, their hashes count
  bool has_first_ = false;
};

}  // namespace penstock::recordio
