/// Numbers as values of JSON, and what stands for them: null, strings that spell NaN or infinity, and bare words where
/// they are allowed.
#pragma once

#include <cstdint>
#include <type_traits>

#include "formats/core/number.hpp"
#include "formats/core/platform.hpp"
#include "formats/json/grammar.hpp"
#include "penstock/dtype.hpp"
#include "penstock/fault.hpp"

namespace penstock::json {

/// Which values of a key are taken.
struct NumberRules {
  bool takes_missing = false;   ///< null, "NaN"
  bool takes_infinite = false;  ///< "Infinity"
  bool clips_overflow = false;  ///< numbers beyond a floating-point type become infinite; else they are faults
  bool is_lenient = false;      ///< NaN, Infinity, -Infinity without quotes
};

/// What a value of another kind should have been. Faults of the code wrong_type carry it in `column`.
enum class Wanted : std::uint8_t {
  number,
  integer,
  number_or_list,
  list_of_numbers,
  list_of_integers,
  list_of_lists,
  text,
  object,
};

/// One value, read as a number of type T.
template <class T>
struct Number {
  T value;
  Found end;  ///< behind the value, or the place that is no JSON
  FaultCode code = FaultCode::not_a_number;
  bool is_fault = false;  ///< `code` says why; `end` is valid all the same
  bool is_missing = false;
  bool is_inexact_integer = false;
};

template <class T>
PENSTOCK_HD T missing_value() {
  if constexpr (std::is_same_v<T, float>)
    return bit_cast<float>(missing_float32_bits);
  else if constexpr (std::is_same_v<T, double>)
    return bit_cast<double>(missing_float64_bits);
  else
    return 0;
}

namespace detail {

template <class T>
PENSTOCK_HD Number<T> refused(Found end, FaultCode code) {
  Number<T> number = {};
  number.end = end;
  number.code = code;
  number.is_fault = true;
  return number;
}

template <class T>
PENSTOCK_HD Number<T> missing(Found end, NumberRules const& rules) {
  if (!rules.takes_missing || !std::is_floating_point_v<T>) return refused<T>(end, FaultCode::missing_value);
  Number<T> number = {};
  number.value = missing_value<T>();
  number.end = end;
  number.is_missing = true;
  return number;
}

/// `begin` to `finish` spell NaN or an infinity, or nothing that is known.
template <class T>
PENSTOCK_HD Number<T> special(char const* begin, char const* finish, Found end, NumberRules const& rules) {
  number::Parsed<T> const parsed = number::parse_special<T>(begin, finish);
  if (parsed.status == number::Status::nan) return missing<T>(end, rules);
  if (parsed.status != number::Status::infinite) return refused<T>(end, FaultCode::wrong_type);
  if (!rules.takes_infinite || !std::is_floating_point_v<T>) return refused<T>(end, FaultCode::non_finite);
  Number<T> number = {};
  number.value = parsed.value;
  number.end = end;
  return number;
}

/// What a string spells.
template <class T>
PENSTOCK_HD Number<T> special_text(String text, Found end, NumberRules const& rules) {
  constexpr int bytes_max = 9;  // -infinity
  char word[bytes_max + 1];
  int bytes = 0;
  StringReader reader(text);
  for (int byte = reader.next(); byte >= 0; byte = reader.next()) {
    if (bytes == bytes_max) return refused<T>(end, FaultCode::wrong_type);
    word[bytes++] = static_cast<char>(byte);
  }
  return special<T>(word, word + bytes, end, rules);
}

template <class T>
PENSTOCK_HD_CALL Number<T> converted(char const* begin, Found end, NumberRules const& rules) {
  number::Parsed<T> const parsed = number::parse<T>(begin, end.at);
  bool const is_clipped =
      parsed.status == number::Status::out_of_range && rules.clips_overflow && std::is_floating_point_v<T>;
  Number<T> number = {};
  number.value = parsed.value;
  number.end = end;
  number.is_inexact_integer = parsed.is_inexact_integer;
  number.is_fault = parsed.status != number::Status::ok && !is_clipped;
  number.code = parsed.status == number::Status::out_of_range ? FaultCode::out_of_range : FaultCode::not_an_integer;
  return number;
}

}  // namespace detail

/// The value at `at`, which stands at its first byte; `depth` levels are open around it. Objects and lists are passed
/// over as values of the wrong type.
template <class T>
PENSTOCK_HD_CALL Number<T> read_number(char const* at, int depth, NumberRules const& rules) {
  Kind const kind = kind_at(at, rules.is_lenient);
  Found const end =
      kind == Kind::object || kind == Kind::list ? skip_value(at, depth, rules.is_lenient) : skip_scalar(at, kind);
  if (end.is_error()) return {T{}, end};
  switch (kind) {
    case Kind::number: return detail::converted<T>(at, end, rules);
    case Kind::null: return detail::missing<T>(end, rules);
    case Kind::string: return detail::special_text<T>({at + 1, end.at - 1}, end, rules);
    case Kind::lenient_number: return detail::special<T>(at, end.at, end, rules);
    default: return detail::refused<T>(end, FaultCode::wrong_type);
  }
}

}  // namespace penstock::json
