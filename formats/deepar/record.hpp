/// One record of DeepAR: a time series, with its categories and the features that go with it. One text for both
/// engines.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/platform.hpp"
#include "formats/deepar/plan.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/keys.hpp"
#include "formats/json/number.hpp"
#include "formats/json/number_list.hpp"
#include "formats/json/places.hpp"
#include "formats/json/time.hpp"
#include "penstock/fault.hpp"

namespace penstock::deepar {

enum class Key : std::uint8_t { start, target, cat, dynamic_feat, unknown };

/// GluonTS has two names of its own.
PENSTOCK_HD inline Key key_of(json::String key) {
  if (json::is_key(key, "target")) return Key::target;
  if (json::is_key(key, "start")) return Key::start;
  if (json::is_key(key, "cat") || json::is_key(key, "feat_static_cat")) return Key::cat;
  if (json::is_key(key, "dynamic_feat") || json::is_key(key, "feat_dynamic_real")) return Key::dynamic_feat;
  return Key::unknown;
}

/// Reads a record to its places. `Numbers`: how lists of numbers are taken (formats/json/number_list.hpp).
template <class Numbers>
class Record {
 public:
  PENSTOCK_HD Record(Plan const& plan, json::Places const& places, Numbers& numbers)
      : plan_(plan), places_(places), numbers_(numbers) {}

  PENSTOCK_HD json::Outcome read(char const* at) {
    if (read_members(at)) finish();
    return outcome_;
  }

 private:
  struct List {
    char const* begin = nullptr;
    char const* end = nullptr;
    std::size_t count = 0;
  };

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
      char const* const end = read_value(key, walk.value());
      if (end == nullptr) return false;
      walk.set_value_end(end);
    }
    object_end_ = walk.object_end();
    return !outcome_.is_fault;
  }

  PENSTOCK_HD char const* read_value(Key key, char const* at) {
    switch (key) {
      case Key::start: return read_start(at);
      case Key::target: return read_target(at);
      case Key::cat: return read_cat(at);
      default: return read_dynamic_feat(at);
    }
  }

  /// Null, for the caller to return.
  PENSTOCK_HD char const* fail(FaultCode code, char const* begin, char const* end, json::Wanted wanted = {}) {
    outcome_.fail(code, begin, end, static_cast<std::uint32_t>(wanted));
    return nullptr;
  }

  PENSTOCK_HD char const* read_start(char const* at) {
    json::Found const end = json::skip_value(at, 1, plan_.text.is_lenient);
    if (end.is_error()) {
      outcome_.fail(end);
      return nullptr;
    }
    if (*at != '"') return fail(FaultCode::wrong_type, at, end.at, json::Wanted::text);
    char text[json::date_time_bytes + 1];
    int bytes = 0;
    json::StringReader reader({at + 1, end.at - 1});
    for (int byte = reader.next(); byte >= 0 && bytes <= json::date_time_bytes; byte = reader.next())
      text[bytes++] = static_cast<char>(byte);
    json::Time const time = json::read_time(text, bytes);
    if (!time.is_valid) return fail(FaultCode::bad_time, at, end.at);
    reinterpret_cast<std::int64_t*>(places_.batch.start.data)[places_.used.rows] = time.seconds;
    return end.at;
  }

  PENSTOCK_HD char const* read_target(char const* at) {
    json::NumberRules const numbers = {.takes_missing = true, .is_lenient = plan_.text.is_lenient};
    json::ListPlaces<float> into = list_places(0);
    char const* const end = json::read_number_list<float>(at, {numbers}, numbers_, into, outcome_);
    if (end == nullptr) return nullptr;
    target_ = {at, end, into.count};
    outcome_.taken.list_values[0] = into.count;
    if (into.count == 0) return fail(FaultCode::length_mismatch, at, end);
    return end;
  }

  PENSTOCK_HD char const* read_cat(char const* at) {
    json::OneByOne one_by_one;
    json::ListRules const rules = {{.is_lenient = plan_.text.is_lenient}, json::Wanted::list_of_integers};
    std::size_t const cats = plan_.layout.cats;
    std::int32_t* const values =
        cats == 0 ? nullptr : reinterpret_cast<std::int32_t*>(places_.batch.cat.data) + places_.used.rows * cats;
    json::ListPlaces<std::int32_t> into = {values, cats};
    char const* const end = json::read_number_list<std::int32_t>(at, rules, one_by_one, into, outcome_);
    if (end == nullptr) return nullptr;
    if (into.count != cats) return fail(FaultCode::length_mismatch, at, end);
    for (std::size_t i = 0; i < cats; ++i) {
      if (values[i] < 0) return fail_negative(at, i);
    }
    return end;
  }

  /// The element is the list's ith, of which all are integers.
  PENSTOCK_HD char const* fail_negative(char const* at, std::size_t i) {
    json::Found element = {json::skip_space(at + 1), json::Error::none};
    for (; i > 0; --i) element = json::read_next(json::skip_number(element.at).at, ']').place;
    return fail(FaultCode::out_of_range, element.at, json::skip_number(element.at).at, json::Wanted::integer);
  }

  PENSTOCK_HD char const* read_dynamic_feat(char const* at) {
    if (*at != '[') {
      json::Found const end = json::skip_value(at, 1, plan_.text.is_lenient);
      if (!end.is_error()) return fail(FaultCode::wrong_type, at, end.at, json::Wanted::list_of_lists);
      outcome_.fail(end);
      return nullptr;
    }
    char const* const begin = at;
    json::ListPlaces<float> into = list_places(1);
    at = json::skip_space(at + 1);
    bool is_done = *at == ']';
    if (is_done) ++at;
    while (!is_done) {
      List list = {at, nullptr, into.count};
      json::ListRules const rules = {{.is_lenient = plan_.text.is_lenient}, json::Wanted::list_of_numbers, 2};
      list.end = json::read_number_list<float>(at, rules, numbers_, into, outcome_);
      if (list.end == nullptr) return nullptr;
      list.count = into.count - list.count;
      note_feature(list);
      json::Next const next = json::read_next(list.end, ']');
      if (next.after == json::After::error) {
        outcome_.fail(next.place);
        return nullptr;
      }
      at = next.place.at;
      is_done = next.after == json::After::end;
    }
    outcome_.taken.list_values[1] = into.count;
    if (features_ != plan_.dynamic_feats()) return fail(FaultCode::length_mismatch, begin, at);
    return at;
  }

  PENSTOCK_HD void note_feature(List const& list) {
    if (features_ == 0) first_feature_ = list;
    bool const is_other = list.count != first_feature_.count;
    if (is_other && other_feature_.begin == nullptr) other_feature_ = list;
    ++features_;
  }

  /// When the object has ended: what one key alone does not say.
  PENSTOCK_HD void finish() {
    unsigned required = 1u << static_cast<unsigned>(Key::start) | 1u << static_cast<unsigned>(Key::target);
    if (plan_.layout.cats != 0) required |= 1u << static_cast<unsigned>(Key::cat);
    if (plan_.dynamic_feats() != 0) required |= 1u << static_cast<unsigned>(Key::dynamic_feat);
    unsigned const missing = required & ~seen_;
    if (missing != 0) {
      auto const key = static_cast<std::uint32_t>(trailing_zeros(missing));
      outcome_.fail(FaultCode::missing_key, object_end_ - 1, object_end_, key);
      return;
    }
    std::size_t const wanted = target_.count + plan_.prediction_length;
    List const* wrong = nullptr;
    if (features_ != 0 && first_feature_.count != wanted) wrong = &first_feature_;
    if (wrong == nullptr && other_feature_.begin != nullptr) wrong = &other_feature_;
    if (wrong != nullptr) {
      outcome_.fail(FaultCode::length_mismatch, wrong->begin, wrong->end, 0);
      return;
    }
    json::Found const end = json::read_end(object_end_);
    if (end.is_error()) {
      outcome_.fail(end);
      return;
    }
    outcome_.end = end.at;
  }

  /// No places where the layout has no such list: values are counted.
  PENSTOCK_HD json::ListPlaces<float> list_places(std::size_t list) const {
    Ragged const& ragged = places_.batch.lists[list];
    if (ragged.offsets == nullptr) return {nullptr};
    std::size_t const used = places_.used.list_values[list];
    return {reinterpret_cast<float*>(ragged.values) + used, places_.capacity.list_values[list] - used};
  }

  Plan const& plan_;
  json::Places const& places_;
  Numbers& numbers_;
  json::Outcome outcome_;
  unsigned seen_ = 0;
  char const* object_end_ = nullptr;
  List target_;
  List first_feature_;
  List other_feature_;  ///< the first of another length than the first
  std::size_t features_ = 0;
};

}  // namespace penstock::deepar
