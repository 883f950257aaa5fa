/// One record: the values at a plan's paths, to their columns. One text for both engines.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/platform.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/number.hpp"
#include "formats/json/places.hpp"
#include "formats/objects/no_guess.hpp"
#include "formats/objects/plan.hpp"
#include "formats/objects/texts.hpp"
#include "formats/objects/values.hpp"
#include "penstock/batch.hpp"
#include "penstock/dtype.hpp"
#include "penstock/fault.hpp"

namespace penstock::objects {

/// Reads a record to its row, if Guess::keeps_values.
template <class Guess>
class Record {
 public:
  /// `seen` has seen_words() words.
  PENSTOCK_HD Record(Rules const& rules, json::Places const& places, Guess& guess, std::uint64_t* seen)
      : rules_(rules), places_(places), guess_(guess), seen_(seen) {}

  PENSTOCK_HD json::Outcome read(char const* at) {
    for (std::uint32_t i = 0; i < seen_words(rules_.tables); ++i) seen_[i] = 0;
    if (read_object(at) && fill_absent()) finish();
    return outcome_;
  }

 private:
  /// An object or a list that is open.
  struct Level {
    std::uint32_t node;
    std::uint32_t index;    ///< of a list: the place that is read
    std::uint32_t element;  ///< of a list: the first of the node's elements that is not before that place
    bool is_object;
  };
  struct Target {
    std::uint32_t node;
    char const* value;  ///< null: `outcome_` has the fault
  };

  PENSTOCK_HD bool read_object(char const* at) {
    if (*at != '{') return outcome_.fail({at, json::Error::expected_object});
    guess_.begin(at);
    at = open(0, true, at);
    if (at == nullptr) return true;
    for (;;) {
      Level const& level = levels_[open_ - 1];
      Target const target = !level.is_object ? next_element(at) : open_ == 1 ? next_member(at) : next_key(at);
      if (target.value == nullptr) return false;
      int const open_before = open_;
      at = read_target(target);
      if (at == nullptr) return false;
      if (open_ > open_before) continue;
      at = go_on(at);
      if (at == nullptr) return !outcome_.is_fault;
    }
  }

  /// Opens what begins at `at`; the first member or element. Null: it is the record's object, and empty.
  PENSTOCK_HD char const* open(std::uint32_t node, bool is_object, char const* at) {
    at = json::skip_space(at + 1);
    levels_[open_++] = {node, 0, 0, is_object};
    if (*at != '}' || open_ != 1) return at;
    object_end_ = at + 1;
    return nullptr;
  }

  /// From behind a value to the next member or element. Null: the record's object has ended, or there is a fault.
  PENSTOCK_HD_HOT char const* go_on(char const* at) {
    char const* const next = open_ == 1 ? usual_next(at) : nullptr;
    return next != nullptr ? next : end_levels(at);
  }

  /// The next key's quote behind a comma and at most one blank; or null.
  PENSTOCK_HD_HOT static char const* usual_next(char const* at) {
    char const* const usual = at + 1 + (at[1] == ' ' ? 1 : 0);
    return *at == ',' && *usual == '"' ? usual : nullptr;
  }

  PENSTOCK_HD_COLD char const* end_levels(char const* at) {
    for (;;) {
      Level& level = levels_[open_ - 1];
      json::Next const next = json::read_next(at, level.is_object ? '}' : ']');
      at = next.place.at;
      if (next.after == json::After::error) {
        outcome_.fail(next.place);
        return nullptr;
      }
      ++level.index;
      if (next.after == json::After::more) return at;
      --open_;
      if (open_ != 0) continue;
      object_end_ = at;
      return nullptr;
    }
  }

  /// The next member of the record's object that somebody asks for; or that is not as guessed, or the last.
  PENSTOCK_HD_HOT Target next_member(char const* at) {
    for (;;) {
      Guessed const guessed = guess_.key(at);
      if (guessed.value == nullptr) return learn_member(at);
      if (guessed.node != none)
        return mark(guessed.node) ? Target{guessed.node, guessed.value} : refuse_key(FaultCode::duplicate_key, at);
      char const* const end = guess_.pass(guessed.value);
      at = end == nullptr ? nullptr : usual_next(end);
      if (at == nullptr) return {none, guessed.value};
    }
  }

  PENSTOCK_HD_COLD Target learn_member(char const* at) {
    Target const target = next_key(at);
    if (target.value != nullptr) guess_.learn(at, {target.node, target.value});
    return target;
  }

  PENSTOCK_HD Target next_key(char const* at) {
    json::Member const member = json::read_key(at);
    if (member.value.is_error()) {
      outcome_.fail(member.value);
      return {none, nullptr};
    }
    std::uint32_t const node = rules_.tables.child(levels_[open_ - 1].node, member.key);
    if (node == none && rules_.text.refuses_unknown_keys) return refuse_key(FaultCode::unknown_key, member.quote);
    if (node != none && !mark(node)) return refuse_key(FaultCode::duplicate_key, member.quote);
    return {node, member.value.at};
  }

  PENSTOCK_HD Target next_element(char const* at) {
    Level& level = levels_[open_ - 1];
    Node const& node = rules_.tables.nodes[level.node];
    if (level.element == node.elements) return {none, at};
    Element const element = rules_.tables.elements[node.first_element + level.element];
    if (element.index != level.index) return {none, at};
    ++level.element;
    mark(element.node);
    return {element.node, at};
  }

  /// False: the node was seen before, and that matters.
  PENSTOCK_HD_HOT bool mark(std::uint32_t node) {
    std::uint64_t& word = seen_[node / 64];
    std::uint64_t const bit = std::uint64_t{1} << node % 64;
    bool const is_new = (word & bit) == 0;
    word |= bit;
    return is_new || rules_.tables.nodes[node].is_ignored;
  }
  [[nodiscard]] PENSTOCK_HD bool is_seen(std::uint32_t node) const { return (seen_[node / 64] >> node % 64 & 1) != 0; }

  /// `quote` is the key's first byte; the key is valid.
  PENSTOCK_HD Target refuse_key(FaultCode code, char const* quote) {
    outcome_.fail(code, quote, json::skip_string(quote + 1).at, 0);
    return {none, nullptr};
  }

  /// Behind the value, or at the first member or element of what was opened. Null: there is a fault.
  PENSTOCK_HD_HOT char const* read_target(Target target) {
    if (target.node == none) return pass(target.value);
    Node const& node = rules_.tables.nodes[target.node];
    if (node.column != none) return read_column(rules_.tables.columns[node.column], target.value);
    bool const is_object = *target.value == '{';
    bool const goes_on = (is_object && node.has_keys) || (*target.value == '[' && node.elements != 0);
    if (!goes_on) return pass(target.value);
    char const* const first = json::skip_space(target.value + 1);
    if (*first == (is_object ? '}' : ']')) return first + 1;
    return open(target.node, is_object, target.value);
  }

  PENSTOCK_HD_HOT char const* pass(char const* at) {
    char const* const guessed = guess_.pass(at);
    return guessed != nullptr ? guessed : pass_any(at);
  }

  PENSTOCK_HD_COLD char const* pass_any(char const* at) {
    json::Found const end = json::skip_value(at, open_, rules_.text.is_lenient);
    if (!end.is_error()) return end.at;
    outcome_.fail(end);
    return nullptr;
  }

  PENSTOCK_HD_HOT char const* read_column(Column column, char const* at) {
    ++columns_seen_;
    if (column.role == Role::qid) return read<std::int64_t>(column, at);
    if (column.role != Role::feature) return read_other(column, at);
    switch (rules_.dtype) {
      case DType::float64: return read<double>(column, at);
      case DType::int32: return read<std::int32_t>(column, at);
      case DType::int64: return read<std::int64_t>(column, at);
      default: return read<float>(column, at);
    }
  }

  /// A label, a weight or a text.
  PENSTOCK_HD_HOT char const* read_other(Column column, char const* at) {
    if constexpr (Guess::reads_texts) {
      if (column.role == Role::category) [[unlikely]]
        return read_text(column, at);
    }
    return read<float>(column, at);
  }

  template <class T>
  PENSTOCK_HD char const* read(Column column, char const* at) {
    T nowhere;
    T* place = &nowhere;
    if constexpr (Guess::keeps_values) place = reinterpret_cast<T*>(place_of(places_.batch, column, places_.used.rows));
    if (*at == 't' || *at == 'f') {
      char const* const end = guess_.word(at);
      *place = *at == 't' ? T(1) : T(0);
      if (end != nullptr) return end;
    }
    if constexpr (sizeof(T) == 4 && T(0.5) != T(0)) {
      char const* const end = guess_.number(at, *place);
      if (end != nullptr) return end;
    }
    char const* const end = guess_.number_end(at);
    json::Number<T> const number =
        end != nullptr ? json::detail::converted<T>(at, {end, json::Error::none}, number_rules(rules_, column.role))
                       : read_value<T>(at, open_, rules_, column.role);
    if (number.end.is_error()) {
      outcome_.fail(number.end);
      return nullptr;
    }
    if (number.is_fault) {
      outcome_.fail(number.code, at, number.end.at, rules_.tables.nodes[column.node].column);
      return nullptr;
    }
    *place = number.value;
    outcome_.missing += number.is_missing ? 1 : 0;
    outcome_.inexact_integers += number.is_inexact_integer ? 1 : 0;
    return number.end.at;
  }

  /// A value of a column of text: what a string spells; of numbers and words what stands there.
  PENSTOCK_HD_COLD char const* read_text(Column column, char const* at) {
    json::Kind const kind = json::kind_at(at, rules_.text.is_lenient);
    bool const is_open = kind == json::Kind::object || kind == json::Kind::list;
    char const* const guessed = kind == json::Kind::string ? guess_.pass(at) : nullptr;
    json::Found const end = guessed != nullptr ? json::Found{guessed, json::Error::none}
                            : is_open          ? json::skip_value(at, open_, rules_.text.is_lenient)
                                               : json::skip_scalar(at, kind);
    if (end.is_error()) {
      outcome_.fail(end);
      return nullptr;
    }
    RowTexts texts(rules_, places_, outcome_);
    bool const is_missing = kind == json::Kind::null || (kind == json::Kind::lenient_number && *at == 'N');
    json::String const text = kind == json::Kind::string ? json::String{at + 1, end.at - 1} : json::String{at, end.at};
    if (is_missing) {
      texts.set_missing(column.place);
    } else if (is_open || !texts.read(column.place, text)) {
      FaultCode const code = is_open ? FaultCode::wrong_type : FaultCode::unknown_text;
      outcome_.fail(code, at, end.at, rules_.tables.nodes[column.node].column);
      return nullptr;
    }
    return end.at;
  }

  /// Columns whose values are not there. False: one of them has to be.
  PENSTOCK_HD bool fill_absent() {
    if (columns_seen_ == rules_.tables.column_count) return true;
    bool const can_miss = !rules_.requires_keys && is_floating(rules_.dtype);
    for (std::uint32_t i = 0; i < rules_.tables.column_count; ++i) {
      Column const column = rules_.tables.columns[i];
      if (is_seen(column.node)) continue;
      bool const is_text = column.role == Role::category;
      if (is_text ? rules_.requires_keys : !can_miss || column.role != Role::feature) {
        FaultCode const code = rules_.requires_keys ? FaultCode::missing_key : FaultCode::missing_value;
        return outcome_.fail(code, object_end_ - 1, object_end_, i);
      }
      if constexpr (Guess::reads_texts) {
        if (is_text) {
          RowTexts(rules_, places_, outcome_).set_missing(column.place);
          continue;
        }
      }
      if constexpr (Guess::keeps_values) {
        std::byte* const place = place_of(places_.batch, column, places_.used.rows);
        if (rules_.dtype == DType::float32)
          *reinterpret_cast<float*>(place) = json::missing_value<float>();
        else
          *reinterpret_cast<double*>(place) = json::missing_value<double>();
      }
      ++outcome_.missing;
    }
    return true;
  }

  PENSTOCK_HD void finish() {
    json::Found const end = json::read_end(object_end_);
    if (end.is_error())
      outcome_.fail(end);
    else
      outcome_.end = end.at;
  }

  Rules const& rules_;
  json::Places const& places_;
  Guess& guess_;
  std::uint64_t* seen_;
  json::Outcome outcome_;
  char const* object_end_ = nullptr;
  std::uint32_t columns_seen_ = 0;
  int open_ = 0;
  Level levels_[json::depth_max];
};

}  // namespace penstock::objects
