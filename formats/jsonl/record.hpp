/// One record of vectors: features, dense or sparse, and labels, in every spelling of formats/jsonl/README.md. One text
/// for both engines.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/platform.hpp"
#include "formats/core/sort_pairs.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/keys.hpp"
#include "formats/json/number.hpp"
#include "formats/json/number_list.hpp"
#include "formats/json/places.hpp"
#include "formats/jsonl/keys.hpp"
#include "formats/jsonl/plan.hpp"
#include "penstock/fault.hpp"

namespace penstock::jsonl {

/// Reads a record to its places; where a batch has none, values are counted. T: the type of the values. `Numbers`: how
/// lists of numbers are taken (formats/json/number_list.hpp).
template <class T, class Numbers>
class Record {
 public:
  PENSTOCK_HD Record(Plan const& plan, json::Places const& places, Numbers& numbers)
      : plan_(plan), places_(places), numbers_(numbers) {}

  PENSTOCK_HD json::Outcome read(char const* at) {
    char const* const end = read_members<false>(at);
    if (end != nullptr) finish(end);
    return outcome_;
  }

 private:
  struct List {
    char const* begin = nullptr;
    char const* end = nullptr;
    std::size_t count = 0;

    PENSTOCK_HD bool is_there() const { return begin != nullptr; }
  };

  PENSTOCK_HD char const* fail(FaultCode code, char const* begin, char const* end, std::uint32_t detail = 0) {
    outcome_.fail(code, begin, end, detail);
    return nullptr;
  }
  PENSTOCK_HD char const* fail(json::Found place) {
    outcome_.fail(place);
    return nullptr;
  }
  PENSTOCK_HD_CALL char const* fail_type(char const* at, int depth, json::Wanted wanted) {
    json::Found const end = json::skip_value(at, depth, plan_.text.is_lenient);
    if (end.is_error()) return fail(end);
    return fail(FaultCode::wrong_type, at, end.at, static_cast<std::uint32_t>(wanted));
  }

  /// Of a value whose key was seen before.
  PENSTOCK_HD bool is_second(Key key) {
    unsigned const bit = 1u << static_cast<unsigned>(key);
    bool const was_seen = (seen_ & bit) != 0;
    seen_ |= bit;
    return was_seen;
  }

  /// The members of the record's object, or of data; returns what is behind. Null: there is a fault.
  template <bool is_data>
  PENSTOCK_HD char const* read_members(char const* at) {
    json::MemberWalk walk(at, plan_.text.is_lenient, is_data ? 2 : 1);
    while (walk.next(outcome_)) {
      Key const key = record_key(walk.key(), is_data);
      if (key == Key::unknown) {
        if (!walk.pass_value(plan_.text.refuses_unknown_keys, outcome_)) return nullptr;
        continue;
      }
      if (is_second(key)) {
        walk.fail_key(FaultCode::duplicate_key, outcome_);
        return nullptr;
      }
      char const* const end = read_value<is_data>(key, walk.value());
      if (end == nullptr) return nullptr;
      walk.set_value_end(end);
    }
    return outcome_.is_fault ? nullptr : walk.object_end();
  }

  template <bool is_in_data>
  PENSTOCK_HD char const* read_value(Key key, char const* at) {
    constexpr int depth = is_in_data ? 2 : 1;
    if (key == Key::label) return read_label(at, depth);
    if (key == Key::features) {
      if (*at == '[') return read_values(at, depth);
      return *at == '{' ? read_tensor(at, depth) : fail_type(at, depth, json::Wanted::list_of_numbers);
    }
    if constexpr (!is_in_data) {  // there is no data in data
      if (*at == '{') return read_members<true>(at);
    }
    return fail_type(at, depth, json::Wanted::object);
  }

  // --- labels --------------------------------------------------------------------------------------------------------

  PENSTOCK_HD_CALL char const* read_label(char const* at, int depth) {
    json::NumberRules const numbers = {.is_lenient = plan_.text.is_lenient};
    bool const is_list = *at == '[';
    if (plan_.layout.labels_vary && !is_list) return fail_type(at, depth, json::Wanted::list_of_numbers);
    json::ListPlaces<float> into = label_places();
    char const* end = nullptr;
    if (is_list) {
      json::OneByOne one_by_one;
      end = json::read_number_list<float>(at, {numbers, json::Wanted::list_of_numbers, depth}, one_by_one, into,
                                          outcome_);
      if (end == nullptr) return nullptr;
    } else {
      json::Number<float> const number = json::read_number<float>(at, depth, numbers);
      if (number.end.is_error()) return fail(number.end);
      end = number.end.at;
      if (number.is_fault) return fail(number.code, at, end, static_cast<std::uint32_t>(json::Wanted::number_or_list));
      into.put(number.value);
      outcome_.inexact_integers += number.is_inexact_integer ? 1 : 0;
    }
    outcome_.taken.labels = plan_.layout.labels_vary ? into.count : 0;
    if (!plan_.layout.labels_vary && into.count != plan_.layout.labels) return fail(FaultCode::label_mismatch, at, end);
    return end;
  }

  PENSTOCK_HD json::ListPlaces<float> label_places() const {
    if (plan_.layout.labels_vary) {
      std::size_t const used = places_.used.labels;
      return {reinterpret_cast<float*>(places_.batch.labels.values) + used, places_.capacity.labels - used};
    }
    std::size_t const labels = plan_.layout.labels;
    if (labels == 0 || places_.batch.label.data == nullptr) return {nullptr};
    return {reinterpret_cast<float*>(places_.batch.label.data) + places_.used.rows * labels, labels};
  }

  // --- features ------------------------------------------------------------------------------------------------------

  /// {"keys": [...], "shape": [N], "values": [...]}
  PENSTOCK_HD_CALL char const* read_tensor(char const* at, int depth) {
    json::MemberWalk walk(at, plan_.text.is_lenient, depth + 1);
    while (walk.next(outcome_)) {
      Key const key = tensor_key(walk.key());
      if (key == Key::unknown) {
        if (!walk.pass_value(plan_.text.refuses_unknown_keys, outcome_)) return nullptr;
        continue;
      }
      if (is_second(key)) {
        walk.fail_key(FaultCode::duplicate_key, outcome_);
        return nullptr;
      }
      char const* const value = walk.value();
      char const* const end = key == Key::values ? read_values(value, depth + 1)
                              : key == Key::keys ? read_keys(value, depth + 1)
                                                 : read_shape(value, depth + 1);
      if (end == nullptr) return nullptr;
      walk.set_value_end(end);
    }
    return outcome_.is_fault ? nullptr : walk.object_end();
  }

  PENSTOCK_HD_CALL char const* read_values(char const* at, int depth) {
    json::NumberRules const numbers = {true, true, plan_.clips_overflow, plan_.text.is_lenient};
    json::Wanted const wanted =
        is_floating(plan_.layout.feature_dtype) ? json::Wanted::list_of_numbers : json::Wanted::list_of_integers;
    json::ListPlaces<T> into = value_places();
    char const* const end = json::read_number_list<T>(at, {numbers, wanted, depth}, numbers_, into, outcome_);
    if (end != nullptr) values_ = {at, end, into.count};
    return end;
  }

  PENSTOCK_HD json::ListPlaces<T> value_places() const {
    if (plan_.layout.is_sparse) {
      std::size_t const used = places_.used.pairs;
      return {reinterpret_cast<T*>(places_.batch.csr.values) + used, places_.capacity.pairs - used};
    }
    if (places_.batch.features.data == nullptr) return {nullptr};
    std::size_t const columns = plan_.layout.features;
    return {reinterpret_cast<T*>(places_.batch.features.data) + places_.used.rows * columns, columns};
  }

  PENSTOCK_HD_CALL char const* read_keys(char const* at, int depth) {
    json::OneByOne one_by_one;
    json::ListPlaces<std::int64_t> into = {nullptr};
    if (plan_.layout.is_sparse)
      into = {places_.batch.csr.indices + places_.used.pairs, places_.capacity.pairs - places_.used.pairs};
    json::ListRules const rules = {{.is_lenient = plan_.text.is_lenient}, json::Wanted::list_of_integers, depth};
    char const* const end = json::read_number_list<std::int64_t>(at, rules, one_by_one, into, outcome_);
    if (end != nullptr) keys_ = {at, end, into.count};
    return end;
  }

  /// One number from 1 on.
  PENSTOCK_HD_CALL char const* read_shape(char const* at, int depth) {
    json::OneByOne one_by_one;
    std::int64_t shape = 0;
    json::ListPlaces<std::int64_t> into = {&shape, 1};
    json::ListRules const rules = {{.is_lenient = plan_.text.is_lenient}, json::Wanted::list_of_integers, depth};
    char const* const end = json::read_number_list<std::int64_t>(at, rules, one_by_one, into, outcome_);
    if (end == nullptr) return nullptr;
    shape_ = {at, end, static_cast<std::size_t>(shape)};
    return into.count == 1 && shape > 0 ? end : fail(FaultCode::shape_mismatch, at, end);
  }

  // --- the end -------------------------------------------------------------------------------------------------------

  PENSTOCK_HD void finish(char const* object_end) {
    char const* const brace = object_end - 1;
    if (!values_.is_there()) {
      fail(FaultCode::missing_features, brace, object_end);
      return;
    }
    bool const lacks_label = (seen_ & 1u << static_cast<unsigned>(Key::label)) == 0 &&
                             (plan_.layout.labels != 0 || plan_.layout.labels_vary);
    if (lacks_label) {
      fail(FaultCode::missing_label, brace, object_end);
      return;
    }
    if (keys_.is_there() != plan_.layout.is_sparse) {
      List const& list = keys_.is_there() ? keys_ : values_;
      fail(FaultCode::density_mismatch, list.begin, list.end);
      return;
    }
    if (!(plan_.layout.is_sparse ? finish_sparse() : finish_dense())) return;
    json::Found const end = json::read_end(object_end);
    if (end.is_error()) {
      fail(end);
      return;
    }
    outcome_.end = end.at;
  }

  PENSTOCK_HD bool finish_dense() {
    std::size_t const columns = plan_.layout.features;
    if (values_.count != columns) return outcome_.fail(FaultCode::width_mismatch, values_.begin, values_.end, 0);
    if (shape_.is_there() && shape_.count != columns)
      return outcome_.fail(FaultCode::shape_mismatch, shape_.begin, shape_.end, 0);
    return true;
  }

  PENSTOCK_HD bool finish_sparse() {
    if (keys_.count != values_.count) return outcome_.fail(FaultCode::keys_mismatch, keys_.begin, keys_.end, 0);
    bool const has_other_shape =
        shape_.is_there() && plan_.layout.features != 0 && shape_.count != plan_.layout.features;
    if (has_other_shape && plan_.checks_shape)
      return outcome_.fail(FaultCode::shape_mismatch, shape_.begin, shape_.end, 0);
    outcome_.taken.pairs = keys_.count;
    outcome_.lacks_room = keys_.count > places_.capacity.pairs - places_.used.pairs;
    return outcome_.lacks_room || order();
  }

  /// Puts pairs in order. False: an index is bad.
  PENSTOCK_HD_CALL bool order() {
    std::int64_t* const indices = places_.batch.csr.indices + places_.used.pairs;
    constexpr std::int64_t index_max = 0x7ffffffffffffffe;  // one more is a width
    std::size_t const limit = plan_.layout.features != 0 ? plan_.layout.features : shape_.count;
    bool is_ascending = true;
    for (std::size_t i = 0; i < keys_.count; ++i) {
      if (indices[i] < 0 || indices[i] > index_max) return fail_key(i, FaultCode::bad_index);
      if (limit != 0 && static_cast<std::uint64_t>(indices[i]) >= limit)
        return fail_key(i, FaultCode::index_out_of_range);
      is_ascending = is_ascending && (i == 0 || indices[i] > indices[i - 1]);
    }
    if (is_ascending) return true;
    sort_pairs(indices, reinterpret_cast<T*>(places_.batch.csr.values) + places_.used.pairs, keys_.count);
    for (std::size_t i = 1; i < keys_.count; ++i) {
      if (indices[i] == indices[i - 1]) return fail_duplicate(indices[i]);
    }
    return true;
  }

  /// The ith of the keys, of which all are integers.
  PENSTOCK_HD_CALL bool fail_key(std::size_t i, FaultCode code) {
    char const* at = json::skip_space(keys_.begin + 1);
    for (; i > 0; --i) at = json::read_next(json::skip_number(at).at, ']').place.at;
    return outcome_.fail(code, at, json::skip_number(at).at, 0);
  }

  /// The second place at which the lowest of the keys stands that stand twice.
  PENSTOCK_HD_CALL bool fail_duplicate(std::int64_t index) {
    std::size_t place = 0;
    bool is_second = false;
    for (char const* at = json::skip_space(keys_.begin + 1);; ++place) {
      json::Found const end = json::skip_number(at);
      if (number::parse<std::int64_t>(at, end.at).value == index) {
        if (is_second) return fail_key(place, FaultCode::duplicate_index);
        is_second = true;
      }
      at = json::read_next(end.at, ']').place.at;
    }
  }

  Plan const& plan_;
  json::Places const& places_;
  Numbers& numbers_;
  json::Outcome outcome_;
  unsigned seen_ = 0;
  List values_;
  List keys_;
  List shape_;  ///< `count` is the number in it
};

}  // namespace penstock::jsonl
