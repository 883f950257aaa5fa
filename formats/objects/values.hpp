/// What one value becomes in its column. The rules: formats/objects/README.md, "Values".
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "formats/core/number.hpp"
#include "formats/core/platform.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/number.hpp"
#include "formats/objects/plan.hpp"
#include "penstock/batch.hpp"
#include "penstock/dtype.hpp"
#include "penstock/fault.hpp"

namespace penstock::objects {

/// A label, a weight and a query id cannot be missing, and are finite.
PENSTOCK_HD inline json::NumberRules number_rules(Rules const& record, Role role) {
  bool const is_feature = role == Role::feature;
  json::NumberRules rules;
  rules.takes_missing = is_feature;
  rules.takes_infinite = is_feature && record.takes_infinite;
  rules.clips_overflow = is_feature && record.clips_overflow;
  rules.is_lenient = record.text.is_lenient;
  return rules;
}

namespace detail {

/// The longest spelling of a number that is none: -infinity.
inline constexpr int special_max = 9;

/// A string that spells NaN or an infinity, in any case; else malformed.
template <class T>
PENSTOCK_HD number::Parsed<T> read_special(json::String string) {
  char text[special_max];
  int bytes = 0;
  json::StringReader reader(string);
  for (int byte = reader.next(); byte >= 0; byte = reader.next()) {
    if (bytes == special_max) return number::parse_special<T>(text, text);
    text[bytes++] = static_cast<char>(byte);
  }
  return number::parse_special<T>(text, text + bytes);
}

template <class T>
PENSTOCK_HD json::Number<T> number_of(T value, json::Found end) {
  json::Number<T> number = {};
  number.value = value;
  number.end = end;
  return number;
}

/// `parsed` is NaN or infinite, or nothing that is known.
template <class T>
PENSTOCK_HD json::Number<T> special_of(number::Parsed<T> parsed, json::Found end, json::NumberRules const& rules) {
  if (parsed.status == number::Status::malformed) return json::detail::refused<T>(end, FaultCode::wrong_type);
  if (!rules.takes_infinite || !std::is_floating_point_v<T>)
    return json::detail::refused<T>(end, FaultCode::non_finite);
  if (parsed.status == number::Status::nan) return json::detail::missing<T>(end, rules);
  return number_of(parsed.value, end);
}

}  // namespace detail

PENSTOCK_HD inline bool is_null(json::String string, Tables const& tables) {
  for (std::uint32_t i = 0; i < tables.null_count; ++i) {
    if (spells(string, tables.nulls[i])) return true;
  }
  return tables.nan_is_null && detail::read_special<float>(string).status == number::Status::nan;
}

/// A string: a label's name, one that stands for a missing value, or one that spells an infinity.
template <class T>
PENSTOCK_HD json::Number<T> read_string(json::String string, json::Found end, Rules const& rules, Role role) {
  json::NumberRules const numbers = number_rules(rules, role);
  if constexpr (std::is_same_v<T, float>) {
    LabelName const* const label = role == Role::label ? rules.tables.label(string) : nullptr;
    if (label != nullptr) return detail::number_of(label->value, end);
  }
  if (is_null(string, rules.tables)) return json::detail::missing<T>(end, numbers);
  if (role == Role::label && rules.tables.label_count != 0)
    return json::detail::refused<T>(end, FaultCode::unmapped_label);
  return detail::special_of(detail::read_special<T>(string), end, numbers);
}

/// A bare word that --lenient reads: NaN is missing.
template <class T>
PENSTOCK_HD json::Number<T> read_word(char const* at, json::Found end, json::NumberRules const& rules) {
  number::Parsed<T> const parsed = number::parse_special<T>(at, end.at);
  if (parsed.status == number::Status::nan) return json::detail::missing<T>(end, rules);
  return detail::special_of(parsed, end, rules);
}

/// The value at `at`, which stands at its first byte; `depth` levels are open around it.
template <class T>
PENSTOCK_HD_CALL json::Number<T> read_value(char const* at, int depth, Rules const& rules, Role role) {
  json::NumberRules const numbers = number_rules(rules, role);
  json::Kind const kind = json::kind_at(at, numbers.is_lenient);
  bool const is_open = kind == json::Kind::object || kind == json::Kind::list;
  json::Found const end = is_open ? json::skip_value(at, depth, numbers.is_lenient) : json::skip_scalar(at, kind);
  if (end.is_error()) return {T{}, end};
  switch (kind) {
    case json::Kind::number: return json::detail::converted<T>(at, end, numbers);
    case json::Kind::boolean: return detail::number_of(static_cast<T>(*at == 't' ? 1 : 0), end);
    case json::Kind::null: return json::detail::missing<T>(end, numbers);
    case json::Kind::string: return read_string<T>({at + 1, end.at - 1}, end, rules, role);
    case json::Kind::lenient_number: return read_word<T>(at, end, numbers);
    default: return json::detail::refused<T>(end, FaultCode::wrong_type);
  }
}

/// Where a column's element of a row lies.
PENSTOCK_HD inline std::byte* place_of(Batch const& batch, Column column, std::size_t row) {
  Dense const& tensor = column.role == Role::feature ? batch.features
                        : column.role == Role::label ? batch.label
                        : column.role == Role::qid   ? batch.qid
                                                     : batch.weight;
  std::size_t const size = tensor.dtype == DType::float32 || tensor.dtype == DType::int32 ? 4 : 8;
  return tensor.data + (row * tensor.columns + column.place) * size;
}

}  // namespace penstock::objects
