/// What keys a record has: written to its row's metadata by a decoder that surveys, read by the scout.
///
///     members := ( kind key 0xff members? )*      what an object holds follows it, and ends with `}`
///
/// No key has a byte 0xff. A member takes no more bytes than it has in the record.
#pragma once

#include <cstddef>

#include "formats/core/platform.hpp"
#include "formats/json/grammar.hpp"
#include "formats/objects/plan.hpp"
#include "formats/objects/values.hpp"

namespace penstock::objects {

/// The kinds of a surveyed value, each a letter.
namespace kind {
inline constexpr char integer = 'i';
inline constexpr char number = 'n';
inline constexpr char boolean = 'b';
inline constexpr char null = '0';
inline constexpr char text = 't';
inline constexpr char list = 'l';
inline constexpr char object = 'o';
inline constexpr char object_end = '}';
inline constexpr char key_end = '\xff';
}  // namespace kind

/// Goes over a record that is valid.
class SurveyWriter {
 public:
  PENSTOCK_HD SurveyWriter(Rules const& rules, char* into, std::size_t room)
      : rules_(rules), into_(into), room_(room) {}

  /// `at` stands at the record's object. The bytes that were written, or would have been with more room.
  PENSTOCK_HD std::size_t write(char const* at) {
    at = open(at);
    while (open_ != 0) {
      json::Member const member = json::read_key(at);
      char const* const value = member.value.at;
      char const what = kind_of(value);
      put(what);
      json::StringReader reader(member.key);
      for (int byte = reader.next(); byte >= 0; byte = reader.next()) put(static_cast<char>(byte));
      put(kind::key_end);
      at = what == kind::object ? open(value) : close(json::skip_value(value, open_, rules_.text.is_lenient).at);
    }
    return bytes_;
  }

 private:
  PENSTOCK_HD void put(char c) {
    if (bytes_ < room_) into_[bytes_] = c;
    ++bytes_;
  }

  /// The first member, or what comes behind an empty object.
  PENSTOCK_HD char const* open(char const* at) {
    ++open_;
    at = json::skip_space(at + 1);
    if (*at != '}') return at;
    return end_object(at + 1);
  }

  /// Behind a value: the next member.
  PENSTOCK_HD char const* close(char const* at) {
    json::Next const next = json::read_next(at, '}');
    return next.after == json::After::end ? end_object(next.place.at) : next.place.at;
  }

  PENSTOCK_HD char const* end_object(char const* at) {
    for (;;) {
      --open_;
      if (open_ == 0) return at;
      put(kind::object_end);
      json::Next const next = json::read_next(at, '}');
      at = next.place.at;
      if (next.after != json::After::end) return at;
    }
  }

  [[nodiscard]] PENSTOCK_HD char kind_of(char const* at) const {
    json::Kind const what = json::kind_at(at, rules_.text.is_lenient);
    switch (what) {
      case json::Kind::object: return kind::object;
      case json::Kind::list: return kind::list;
      case json::Kind::boolean: return kind::boolean;
      case json::Kind::null: return kind::null;
      case json::Kind::string: {
        json::String const string = {at + 1, json::skip_string(at + 1).at - 1};
        return is_null(string, rules_.tables) ? kind::null : kind::text;
      }
      case json::Kind::lenient_number: return *at == 'N' ? kind::null : kind::number;
      default: break;
    }
    if (*at == '-') ++at;
    at = json::detail::skip_digits(at);
    return *at == '.' || (*at | 0x20) == 'e' ? kind::number : kind::integer;
  }

  Rules const& rules_;
  char* into_;
  std::size_t room_;
  std::size_t bytes_ = 0;
  int open_ = 0;
};

}  // namespace penstock::objects
