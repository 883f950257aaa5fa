/// The members of a record's object, one after the other.
#pragma once

#include <cstdint>

#include "formats/core/platform.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/places.hpp"
#include "penstock/fault.hpp"

namespace penstock::json {

/// Whether a key spells `name`, which has no escapes and ends with a zero byte.
PENSTOCK_HD_CALL inline bool is_key(String key, char const* name) {
  char const* at = key.begin;
  char const* rest = name;
  while (at != key.end && *rest != 0 && *at == *rest) ++at, ++rest;
  if (at == key.end) return *rest == 0;
  while (at != key.end && *at != '\\') ++at;
  if (at == key.end) return false;
  StringReader reader(key);
  for (; *name != 0; ++name) {
    if (reader.next() != static_cast<unsigned char>(*name)) return false;
  }
  return reader.next() < 0;
}

/// Walks over the members of the object at `at`. Whoever walks reads the value, or passes it over, and says where it
/// ends.
///
///     MemberWalk walk(at, is_lenient);
///     while (walk.next(outcome)) ... walk.key() ... walk.value() ... walk.set_value_end(end);
class MemberWalk {
 public:
  PENSTOCK_HD MemberWalk(char const* at, bool is_lenient, int depth = 1)
      : at_(at), depth_(depth), is_lenient_(is_lenient) {}

  /// False: the object has ended, or `outcome` has a fault.
  PENSTOCK_HD_CALL bool next(Outcome& outcome) {
    if (is_first_) {
      is_first_ = false;
      if (*at_ != '{') return outcome.fail({at_, Error::expected_object});
      at_ = skip_space(at_ + 1);
      if (*at_ == '}') return end(at_ + 1);
    } else {
      Next const next = read_next(at_, '}');
      if (next.after == After::error) return outcome.fail(next.place);
      if (next.after == After::end) return end(next.place.at);
      at_ = next.place.at;
    }
    member_ = read_key(at_);
    return !member_.value.is_error() || outcome.fail(member_.value);
  }

  [[nodiscard]] PENSTOCK_HD String key() const { return member_.key; }
  /// The value's first byte.
  [[nodiscard]] PENSTOCK_HD char const* value() const { return member_.value.at; }
  PENSTOCK_HD void set_value_end(char const* end) { at_ = end; }
  /// Behind the object, when it has ended.
  [[nodiscard]] PENSTOCK_HD char const* object_end() const { return at_; }

  /// The value of a key that nobody asks for.
  PENSTOCK_HD_CALL bool pass_value(bool is_refused, Outcome& outcome) {
    if (is_refused) return fail_key(FaultCode::unknown_key, outcome);
    Found const end = skip_value(value(), depth_, is_lenient_);
    if (end.is_error()) return outcome.fail(end);
    at_ = end.at;
    return true;
  }

  /// False, for the caller to return.
  PENSTOCK_HD bool fail_key(FaultCode code, Outcome& outcome) const {
    return outcome.fail(code, member_.quote, member_.key.end + 1, 0);
  }

 private:
  PENSTOCK_HD bool end(char const* at) {
    at_ = at;
    return false;
  }

  char const* at_;
  int depth_;
  bool is_lenient_;
  bool is_first_ = true;
  Member member_ = {};
};

}  // namespace penstock::json
