/// One record of Object2Vec: two lists of tokens and what relates them. One text for both engines.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/platform.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/keys.hpp"
#include "formats/json/number.hpp"
#include "formats/json/number_list.hpp"
#include "formats/json/places.hpp"
#include "formats/object2vec/plan.hpp"
#include "penstock/fault.hpp"

namespace penstock::object2vec {

enum class Key : std::uint8_t { in0, in1, label, unknown };

PENSTOCK_HD inline Key key_of(json::String key) {
  if (json::is_key(key, "in0")) return Key::in0;
  if (json::is_key(key, "in1")) return Key::in1;
  return json::is_key(key, "label") ? Key::label : Key::unknown;
}

/// Reads a record to its places; where a batch has none, values are counted.
class Record {
 public:
  PENSTOCK_HD Record(Plan const& plan, json::Places const& places) : plan_(plan), places_(places) {}

  PENSTOCK_HD json::Outcome read(char const* at) {
    if (read_members(at)) finish();
    return outcome_;
  }

 private:
  PENSTOCK_HD bool read_members(char const* at) {
    json::MemberWalk walk(at, plan_.text.is_lenient);
    while (walk.next(outcome_)) {
      Key const key = key_of(walk.key());
      if (key == Key::unknown) {
        if (!walk.pass_value(plan_.text.refuses_unknown_keys, outcome_)) return false;
        continue;
      }
      unsigned const bit = 1u << static_cast<unsigned>(key);
      if ((seen_ & bit) != 0) return walk.fail_key(FaultCode::duplicate_key, outcome_);
      seen_ |= bit;
      char const* const end = key == Key::label ? read_label(walk.value()) : read_tokens(walk.value(), key);
      if (end == nullptr) return false;
      walk.set_value_end(end);
    }
    object_end_ = walk.object_end();
    return !outcome_.is_fault;
  }

  PENSTOCK_HD char const* fail(FaultCode code, char const* begin, char const* end, json::Wanted wanted = {}) {
    outcome_.fail(code, begin, end, static_cast<std::uint32_t>(wanted));
    return nullptr;
  }

  PENSTOCK_HD_CALL char const* read_label(char const* at) {
    json::Number<float> const number = json::read_number<float>(at, 1, {.is_lenient = plan_.text.is_lenient});
    if (number.end.is_error()) {
      outcome_.fail(number.end);
      return nullptr;
    }
    char const* const end = number.end.at;
    if (number.is_fault) return fail(number.code, at, end, json::Wanted::number);
    if (plan_.layout.labels == 0) return fail(FaultCode::label_mismatch, at, end);
    if (places_.batch.label.data != nullptr)
      reinterpret_cast<float*>(places_.batch.label.data)[places_.used.rows] = number.value;
    outcome_.inexact_integers += number.is_inexact_integer ? 1 : 0;
    return end;
  }

  PENSTOCK_HD_CALL char const* read_tokens(char const* at, Key key) {
    auto const list = static_cast<std::size_t>(key);
    std::size_t const used = places_.used.list_values[list];
    std::int32_t* const tokens = reinterpret_cast<std::int32_t*>(places_.batch.lists[list].values) + used;
    json::ListPlaces<std::int32_t> into = {tokens, places_.capacity.list_values[list] - used};
    json::OneByOne one_by_one;
    json::ListRules const rules = {{.is_lenient = plan_.text.is_lenient}, json::Wanted::list_of_integers};
    char const* const end = json::read_number_list<std::int32_t>(at, rules, one_by_one, into, outcome_);
    if (end == nullptr) return nullptr;
    outcome_.taken.list_values[list] = into.count;
    if (into.count == 0) return fail(FaultCode::length_mismatch, at, end);
    outcome_.lacks_room = outcome_.lacks_room || into.count > into.room;
    std::size_t const stored = into.count < into.room ? into.count : into.room;
    for (std::size_t i = 0; i < stored; ++i) {
      if (tokens[i] < 0 || tokens[i] > plan_.token_max) return fail_token(at, i);
    }
    return end;
  }

  /// The list's ith token; all are integers.
  PENSTOCK_HD char const* fail_token(char const* at, std::size_t i) {
    at = json::skip_space(at + 1);
    for (; i > 0; --i) at = json::read_next(json::skip_number(at).at, ']').place.at;
    return fail(FaultCode::out_of_range, at, json::skip_number(at).at, json::Wanted::integer);
  }

  /// When the object has ended: what one key alone does not say.
  PENSTOCK_HD void finish() {
    unsigned const required = plan_.layout.labels != 0 ? 7 : 3;
    unsigned const missing = required & ~seen_;
    if (missing != 0) {
      auto const key = static_cast<std::uint32_t>(trailing_zeros(missing));
      outcome_.fail(FaultCode::missing_key, object_end_ - 1, object_end_, key);
      return;
    }
    json::Found const end = json::read_end(object_end_);
    if (end.is_error()) {
      outcome_.fail(end);
      return;
    }
    outcome_.end = end.at;
  }

  Plan const& plan_;
  json::Places const& places_;
  json::Outcome outcome_;
  unsigned seen_ = 0;
  char const* object_end_ = nullptr;
};

}  // namespace penstock::object2vec
