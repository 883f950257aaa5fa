/// Lists of numbers: most elements at once, where somebody can (plain_numbers.hpp); what is not plain one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "formats/core/platform.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/number.hpp"
#include "formats/json/places.hpp"

namespace penstock::json {

/// Elements of a list that were taken at once.
struct Taken {
  char const* at;  ///< behind the last of them and its comma, or behind the list's bracket
  std::size_t count = 0;
  std::size_t missing = 0;
  bool is_end = false;  ///< the list has ended
};

/// No elements are plain: for readers that take them one by one.
struct OneByOne {
  PENSTOCK_HD static Taken take(char const* at, float*, std::size_t, NumberRules const&) { return {at}; }
  PENSTOCK_HD static Taken pass(char const* at, NumberRules const&) { return {at}; }
};

/// A list's values: behind the first `count` of `room` places.
template <class T>
struct ListPlaces {
  T* values;
  std::size_t room = 0;
  std::size_t count = 0;  ///< of the values so far, those that found no place included

  PENSTOCK_HD void put(T value) {
    if (count < room) values[count] = value;
    ++count;
  }
};

/// How a list is read.
struct ListRules {
  NumberRules numbers;
  Wanted wanted = Wanted::list_of_numbers;
  int depth = 1;  ///< levels that are open around it
};

/// The list at `at`, into `places`; returns what stands behind it. Null: `outcome` has the fault. (`Numbers`: OneByOne,
/// or PlainNumbers for float.)
template <class T, class Numbers>
PENSTOCK_HD_CALL char const* read_number_list(char const* at, ListRules const& rules, Numbers& numbers,
                                              ListPlaces<T>& places, Outcome& outcome) {
  auto const fail = [&](Found place) {
    outcome.fail(place);
    return static_cast<char const*>(nullptr);
  };
  if (*at != '[') {
    Found const end = skip_value(at, rules.depth, rules.numbers.is_lenient);
    if (end.is_error()) return fail(end);
    outcome.fail(FaultCode::wrong_type, at, end.at, static_cast<std::uint32_t>(rules.wanted));
    return nullptr;
  }
  if (rules.depth == depth_max) return fail({at, Error::too_deep});
  at = skip_space(at + 1);
  if (*at == ']') return at + 1;
  for (;;) {
    if constexpr (std::is_same_v<T, float>) {
      bool const has_room = places.count < places.room;
      Taken const taken =
          has_room ? numbers.take(at, places.values + places.count, places.room - places.count, rules.numbers)
                   : numbers.pass(at, rules.numbers);
      places.count += taken.count;
      outcome.missing += static_cast<std::uint32_t>(taken.missing);
      if (taken.is_end) return taken.at;
      at = skip_space(taken.at);
      if (taken.count != 0 && *at == ']') return fail({taken.at - 1, Error::trailing_comma});
      if (taken.count != 0 && has_room && places.count == places.room) continue;
    }
    Number<T> const number = read_number<T>(at, rules.depth + 1, rules.numbers);
    if (number.end.is_error()) return fail(number.end);
    if (number.is_fault) {
      Wanted const wanted = rules.wanted == Wanted::list_of_integers ? Wanted::integer : Wanted::number;
      outcome.fail(number.code, at, number.end.at, static_cast<std::uint32_t>(wanted));
      return nullptr;
    }
    places.put(number.value);
    outcome.missing += number.is_missing ? 1 : 0;
    outcome.inexact_integers += number.is_inexact_integer ? 1 : 0;
    Next const next = read_next(number.end.at, ']');
    if (next.after == After::error) return fail(next.place);
    at = next.place.at;
    if (next.after == After::end) return at;
  }
}

}  // namespace penstock::json
