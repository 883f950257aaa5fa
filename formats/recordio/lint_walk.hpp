/// What the parts of the record linter share: reporting at a place, and the walk over the fields of a message that
/// finds everything not canonical about how they are stored.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "formats/recordio/framing.hpp"
#include "formats/recordio/lint_finding.hpp"
#include "formats/recordio/schema.hpp"
#include "formats/recordio/tensor.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::recordio {

/// Where a payload lies.
struct RecordPlace {
  std::uint64_t frame = 0;               ///< ordinal, from 1
  std::uint64_t frame_offset_bytes = 0;  ///< of its header
  bool is_joined = false;                ///< put together from parts: offsets are then the frame's
};

/// The numbers of a finding; see Finding.
struct LintNumbers {
  std::uint64_t found = 0;
  std::uint64_t expected = 0;
};

/// Findings of one record: each rule at most once in the record itself and in each of its two maps, at the first place
/// that is reported. So a record has a bounded number of them.
class RecordReport {
 public:
  explicit RecordReport(FindingSink& sink) : sink_(&sink) {}

  /// A new record. A muted report tells the sink nothing and remembers only whether there was an error.
  void begin(Bytes payload, RecordPlace const& place, bool is_muted) {
    payload_ = payload;
    place_ = place;
    is_muted_ = is_muted;
    has_error_ = false;
    reported_ = {};
  }

  /// `at` is in the payload, or null for the record as a whole.
  void add(LintRule rule, FieldPath const& path, std::byte const* at, LintNumbers numbers = {}) {
    if (severity_of(rule) == Severity::error) has_error_ = true;
    auto& reported = reported_[path.record_field];
    auto const bit = static_cast<std::size_t>(rule);
    if (is_muted_ || reported[bit]) return;
    reported[bit] = true;
    std::uint64_t offset_bytes = place_.frame_offset_bytes;
    if (at != nullptr && !place_.is_joined)
      offset_bytes += header_bytes + static_cast<std::uint64_t>(at - payload_.data());
    sink_->add({rule, place_.frame, place_.frame_offset_bytes, offset_bytes, path, numbers.found, numbers.expected});
  }

  [[nodiscard]] bool has_error() const { return has_error_; }

 private:
  FindingSink* sink_;
  Bytes payload_;
  RecordPlace place_;
  bool is_muted_ = false;
  bool has_error_ = false;
  std::array<std::bitset<lint_rules>, 3> reported_;  ///< by FieldPath::record_field
};

namespace detail {

/// A field of a message. A list of numbers may be packed, whatever its type is.
struct KnownField {
  std::uint32_t number = 0;
  WireType type = WireType::bytes;
  bool is_repeated = false;
  bool is_list = false;
};

inline constexpr KnownField record_fields[] = {{features_field, WireType::bytes, true},
                                               {label_field, WireType::bytes, true},
                                               {3, WireType::bytes},   // uid
                                               {4, WireType::bytes},   // metadata
                                               {5, WireType::bytes}};  // configuration
inline constexpr KnownField entry_fields[] = {{key_field, WireType::bytes}, {value_field, WireType::bytes}};
// Members of a oneof have rules of their own when they are repeated.
inline constexpr KnownField value_fields[] = {{float32_field, WireType::bytes, true},
                                              {float64_field, WireType::bytes, true},
                                              {int32_field, WireType::bytes, true},
                                              {bytes_field, WireType::bytes, true}};
inline constexpr KnownField bytes_fields[] = {{1, WireType::bytes, true}, {2, WireType::bytes}};

constexpr std::array<KnownField, 3> tensor_fields(TensorKind kind) {
  return {{{tensor_values_field, wire_type_of(kind), true, true},
           {tensor_keys_field, WireType::varint, true, true},
           {tensor_shape_field, WireType::varint, true, true}}};
}

constexpr KnownField const* find_field(std::span<KnownField const> fields, std::uint32_t number) {
  for (KnownField const& field : fields)
    if (field.number == number) return &field;
  return nullptr;
}

inline std::string_view text_of_key(Bytes key) { return {reinterpret_cast<char const*>(key.data()), key.size()}; }
inline bool is_values_key(Bytes key) { return text_of_key(key) == values_key; }

/// One level of a record: the message's fields, its depth (as FieldCursor counts) and its place.
struct MessageLevel {
  std::span<KnownField const> fields;
  int depth = 0;
  FieldPath const& path;
  RecordReport& report;
};

/// Tags and lengths in no more bytes than they need. `at` is where the field begins.
inline void lint_varints(Field const& field, std::byte const* at, MessageLevel const& level) {
  std::uint64_t needed = varint_bytes(tag_of(field.number, field.type));
  if (field.type == WireType::bytes) needed += varint_bytes(field.bytes.size());
  std::uint64_t taken = static_cast<std::uint64_t>(field.bytes.data() - at);
  if (field.type == WireType::varint) {
    needed += varint_bytes(field.value);
    taken += field.bytes.size();
  }
  if (taken != needed) level.report.add(LintRule::overlong_varint, level.path, at, {taken, needed});
}

/// Walks a message that is well-formed, reports what is wrong with the order and kind of its fields, and calls
/// `use(Field const&, where it begins)` for those that are known.
template <class Use>
void lint_message(Bytes message, MessageLevel const& level, Use use) {
  WireFault fault;
  FieldCursor cursor(message, level.depth, fault);
  std::byte const* at = message.data();
  std::uint32_t before = 0;
  std::uint32_t seen = 0;  // bits: numbers of known fields are below 32
  for (Field field; cursor.next(field); at = field.bytes.data() + field.bytes.size()) {
    lint_varints(field, at, level);
    KnownField const* const known = find_field(level.fields, field.number);
    if (known == nullptr) {
      level.report.add(LintRule::unknown_field, level.path, at, {field.number});
      continue;
    }
    if (field.type != known->type && !(known->is_list && field.type == WireType::bytes)) {
      level.report.add(LintRule::wrong_wire_type, level.path, at,
                       {field.number, static_cast<std::uint64_t>(field.type)});
      continue;
    }
    if (field.number < before) level.report.add(LintRule::fields_out_of_order, level.path, at, {field.number, before});
    if (!known->is_repeated && (seen >> field.number & 1) != 0)
      level.report.add(LintRule::repeated_field, level.path, at, {field.number});
    before = field.number;
    seen |= 1u << field.number;
    use(field, at);
  }
}

}  // namespace detail
}  // namespace penstock::recordio
