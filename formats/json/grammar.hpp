/// The grammar of JSON (RFC 8259) over the bytes of one line: where strings, numbers and values end, and where text is
/// no JSON. The rules, and what is left to options: formats/json/README.md.
///
/// Everything reads forwards from a place in a line and never goes behind the line's end: the byte there, LF or CR, is
/// part of no token. Up to seven bytes behind it are loaded, whatever they hold.
#pragma once

#include <cstdint>

#include "formats/core/line_ends.hpp"
#include "formats/core/platform.hpp"

namespace penstock::json {

/// Why text is no JSON. Faults carry it in `column`; words.hpp says it in words.
enum class Error : std::uint8_t {
  none,
  expected_object,   ///< the line is no object
  expected_key,      ///< no string where a key belongs
  expected_colon,    ///< no `:` behind a key
  expected_value,    ///< nothing that begins a value
  expected_comma,    ///< neither `,` nor `}` behind a member
  expected_bracket,  ///< neither `,` nor `]` behind an element
  text_behind,       ///< the object has ended, the line has not
  truncated,         ///< the line ends inside the object
  trailing_comma,    ///< a `,` before `}` or `]`
  leading_zero,      ///< 01
  bare_point,        ///< .5 or 1.
  plus_sign,         ///< +1
  bad_number,        ///< - or 1e without digits
  lenient_word,      ///< NaN or Infinity, which --lenient reads
  bad_word,          ///< a word other than true, false and null
  single_quote,      ///< 'text'
  control,           ///< a control character inside a string
  bad_escape,        ///< \x, or \u without four digits
  lone_surrogate,    ///< half of a surrogate pair
  bad_utf8,          ///< bytes that are no UTF-8
  too_deep,          ///< more than depth_max levels
};

/// Levels of objects and lists, the record's own object counted.
inline constexpr int depth_max = 64;

/// The place behind what was read, or, with an error, the place that is wrong.
struct Found {
  char const* at;
  Error error;

  PENSTOCK_HD bool is_error() const { return error != Error::none; }
};

PENSTOCK_HD_HOT bool is_space(char c) { return c == ' ' || c == '\t'; }

PENSTOCK_HD_HOT char const* skip_space(char const* at) {
  while (is_space(*at)) ++at;
  return at;
}

PENSTOCK_HD_HOT bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

// --- strings
// -----------------------------------------------------------------------------------------------------------

namespace detail {

/// One bit a byte, its highest: a quote, a backslash, a control character or a byte above 0x7f. Exact up to the first.
PENSTOCK_HD_HOT std::uint64_t unusual_bytes(std::uint64_t text) {
  constexpr std::uint64_t ones = 0x0101010101010101u;
  constexpr std::uint64_t high = 0x8080808080808080u;
  std::uint64_t const quote = text ^ (ones * '"');
  std::uint64_t const backslash = text ^ (ones * '\\');
  return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | (text - ones * 0x20) | text) & high;
}

PENSTOCK_HD_HOT int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  char const lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The value of four hexadecimal digits, or -1.
PENSTOCK_HD inline int read_hex(char const* at) {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    int const digit = hex_value(at[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

}  // namespace detail

/// What an escape stands for.
struct Escape {
  char const* at;            ///< behind it
  std::uint32_t code_point;  ///< if there is no error
  Error error;
};

/// `at` stands at the backslash.
PENSTOCK_HD inline Escape read_escape(char const* at) {
  auto const of = [&](char c) { return Escape{at + 2, static_cast<std::uint32_t>(c), Error::none}; };
  switch (at[1]) {
    case '"':
    case '\\':
    case '/': return of(at[1]);
    case 'b': return of('\b');
    case 'f': return of('\f');
    case 'n': return of('\n');
    case 'r': return of('\r');
    case 't': return of('\t');
    case 'u': break;
    default: return {at, 0, Error::bad_escape};
  }
  int const first = detail::read_hex(at + 2);
  if (first < 0) return {at, 0, Error::bad_escape};
  if (first < 0xd800 || first > 0xdfff) return {at + 6, static_cast<std::uint32_t>(first), Error::none};
  bool const has_second = first < 0xdc00 && at[6] == '\\' && at[7] == 'u';
  int const second = has_second ? detail::read_hex(at + 8) : -1;
  if (second < 0xdc00 || second > 0xdfff) return {at, 0, Error::lone_surrogate};
  int const code_point = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
  return {at + 12, static_cast<std::uint32_t>(code_point), Error::none};
}

/// Bytes of the UTF-8 sequence at `at`, which is not ASCII (RFC 3629); 0: none begins there.
PENSTOCK_HD inline int utf8_bytes(char const* at) {
  auto const byte = [&](int i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(at[i])); };
  auto const follows = [&](int i) { return (byte(i) & 0xc0) == 0x80; };
  std::uint32_t const first = byte(0);
  if (first < 0xc2 || first > 0xf4 || !follows(1)) return 0;
  if (first < 0xe0) return 2;
  std::uint32_t const second = byte(1);
  bool const is_wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  if (is_wrong || !follows(2)) return 0;
  if (first < 0xf0) return 3;
  return follows(3) ? 4 : 0;
}

/// From behind the opening quote to behind the closing one.
PENSTOCK_HD inline Found skip_string(char const* at) {
  for (;;) {
    std::uint64_t const unusual = detail::unusual_bytes(load_8_bytes(at));
    if (unusual == 0) {
      at += 8;
      continue;
    }
    at += trailing_zeros(unusual) >> 3;
    char const c = *at;
    if (c == '"') return {at + 1, Error::none};
    if (c == '\\') {
      Escape const escape = read_escape(at);
      if (escape.error != Error::none) return {at, escape.error};
      at = escape.at;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      return {at, ends_line(c) ? Error::truncated : Error::control};
    } else {
      int const bytes = utf8_bytes(at);
      if (bytes == 0) return {at, Error::bad_utf8};
      at += bytes;
    }
  }
}

/// A string without its quotes, as it is written.
struct String {
  char const* begin = nullptr;
  char const* end = nullptr;

  PENSTOCK_HD bool is_there() const { return begin != nullptr; }
};

/// The bytes that a valid string spells, one after the other.
class StringReader {
 public:
  PENSTOCK_HD explicit StringReader(String text) : at_(text.begin), end_(text.end) {}

  /// The next byte; -1 at the end.
  PENSTOCK_HD int next() {
    if (pending_ != 0) {
      int const byte = static_cast<int>(pending_ & 0xff);
      pending_ >>= 8;
      return byte;
    }
    if (at_ == end_) return -1;
    if (*at_ != '\\') return static_cast<unsigned char>(*at_++);
    Escape const escape = read_escape(at_);
    at_ = escape.at;
    return first_of(escape.code_point);
  }

 private:
  /// UTF-8, whose bytes behind the first wait; none of them is 0.
  PENSTOCK_HD int first_of(std::uint32_t code) {
    auto const tail = [&](int shift) { return 0x80u | (code >> shift & 0x3f); };
    if (code < 0x80) return static_cast<int>(code);
    if (code < 0x800) {
      pending_ = tail(0);
      return static_cast<int>(0xc0 | code >> 6);
    }
    if (code < 0x10000) {
      pending_ = tail(6) | tail(0) << 8;
      return static_cast<int>(0xe0 | code >> 12);
    }
    pending_ = tail(12) | tail(6) << 8 | tail(0) << 16;
    return static_cast<int>(0xf0 | code >> 18);
  }

  char const* at_;
  char const* end_;
  std::uint32_t pending_ = 0;
};

/// Whether two valid strings spell the same text.
PENSTOCK_HD inline bool is_same_text(String a, String b) {
  StringReader reader_a(a);
  StringReader reader_b(b);
  for (;;) {
    int const byte = reader_a.next();
    if (byte != reader_b.next()) return false;
    if (byte < 0) return true;
  }
}

// --- numbers
// -----------------------------------------------------------------------------------------------------------

namespace detail {

PENSTOCK_HD_HOT char const* skip_digits(char const* at) {
  while (is_digit(*at)) ++at;
  return at;
}

/// Whether `word` stands at `at`. `word` ends with a zero byte.
PENSTOCK_HD inline bool has_word(char const* at, char const* word) {
  for (; *word != 0; ++at, ++word) {
    if (*at != *word) return false;
  }
  return true;
}

/// Characters that make a word longer: what they follow is no number and no literal.
PENSTOCK_HD inline bool is_word(char c) {
  char const lower = static_cast<char>(c | 0x20);
  return is_digit(c) || (lower >= 'a' && lower <= 'z') || c == '_' || c == '.' || c == '+' || c == '-';
}

}  // namespace detail

/// Strictly as RFC 8259 has them: no plus sign, no zeros in front, digits on both sides of a point. `at` stands at a
/// digit or a minus sign.
PENSTOCK_HD inline Found skip_number(char const* at) {
  char const* const begin = at;
  if (*at == '-') ++at;
  if (!is_digit(*at)) {
    bool const is_word = detail::has_word(at, "Infinity") || detail::has_word(at, "NaN");
    if (is_word) return {begin, Error::lenient_word};
    return {begin, *at == '.' ? Error::bare_point : Error::bad_number};
  }
  if (*at == '0' && is_digit(at[1])) return {begin, Error::leading_zero};
  at = detail::skip_digits(at);
  if (*at == '.') {
    if (!is_digit(at[1])) return {begin, Error::bare_point};
    at = detail::skip_digits(at + 1);
  }
  if ((*at | 0x20) == 'e') {
    ++at;
    if (*at == '+' || *at == '-') ++at;
    if (!is_digit(*at)) return {begin, Error::bad_number};
    at = detail::skip_digits(at);
  }
  return detail::is_word(*at) ? Found{begin, Error::bad_number} : Found{at, Error::none};
}

// --- values
// ------------------------------------------------------------------------------------------------------------

/// What a value is, by its first byte.
enum class Kind : std::uint8_t { object, list, string, number, boolean, null, lenient_number, none };

/// Says what begins at `at`; only the first byte decides, except that words must be whole.
PENSTOCK_HD inline Kind kind_at(char const* at, bool is_lenient) {
  switch (*at) {
    case '{': return Kind::object;
    case '[': return Kind::list;
    case '"': return Kind::string;
    case 't': return detail::has_word(at, "true") && !detail::is_word(at[4]) ? Kind::boolean : Kind::none;
    case 'f': return detail::has_word(at, "false") && !detail::is_word(at[5]) ? Kind::boolean : Kind::none;
    case 'n': return detail::has_word(at, "null") && !detail::is_word(at[4]) ? Kind::null : Kind::none;
    case 'N':
      return is_lenient && detail::has_word(at, "NaN") && !detail::is_word(at[3]) ? Kind::lenient_number : Kind::none;
    case 'I':
      return is_lenient && detail::has_word(at, "Infinity") && !detail::is_word(at[8]) ? Kind::lenient_number
                                                                                       : Kind::none;
    case '-':
      return is_lenient && detail::has_word(at, "-Infinity") && !detail::is_word(at[9]) ? Kind::lenient_number
                                                                                        : Kind::number;
    default: return is_digit(*at) ? Kind::number : Kind::none;
  }
}

/// Why nothing begins at `at`.
PENSTOCK_HD inline Error error_at(char const* at) {
  char const c = *at;
  if (ends_line(c)) return Error::truncated;
  if (c == '+') return Error::plus_sign;
  if (c == '.') return Error::bare_point;
  if (c == '\'') return Error::single_quote;
  if (detail::has_word(at, "NaN") || detail::has_word(at, "Infinity")) return Error::lenient_word;
  return detail::is_word(c) ? Error::bad_word : Error::expected_value;
}

/// A value that is neither object nor list, from its first byte on.
PENSTOCK_HD inline Found skip_scalar(char const* at, Kind kind) {
  switch (kind) {
    case Kind::string: return skip_string(at + 1);
    case Kind::number: return skip_number(at);
    case Kind::boolean: return {at + (*at == 't' ? 4 : 5), Error::none};
    case Kind::null: return {at + 4, Error::none};
    case Kind::lenient_number: return {at + (*at == 'N' ? 3 : *at == 'I' ? 8 : 9), Error::none};
    default: return {at, error_at(at)};
  }
}

/// A key, from its opening quote to the first byte of its value. `at` may stand at blanks.
struct Member {
  String key;
  char const* quote;  ///< the key's opening quote
  Found value;        ///< at its first byte
};
PENSTOCK_HD_CALL inline Member read_key(char const* at) {
  at = skip_space(at);
  char const* const quote = at;
  if (*at != '"') {
    Error const error = ends_line(*at) ? Error::truncated : *at == '\'' ? Error::single_quote : Error::expected_key;
    return {{}, quote, {at, error}};
  }
  Found const end = skip_string(at + 1);
  if (end.is_error()) return {{}, quote, end};
  String const key = {at + 1, end.at - 1};
  at = skip_space(end.at);
  if (*at != ':') return {key, quote, {at, ends_line(*at) ? Error::truncated : Error::expected_colon}};
  return {key, quote, {skip_space(at + 1), Error::none}};
}

/// Behind a member or an element.
enum class After : std::uint8_t { more, end, error };
struct Next {
  Found place;  ///< behind the comma and blanks, or behind the bracket
  After after;
};
PENSTOCK_HD_HOT Next read_next(char const* at, char closing) {
  at = skip_space(at);
  if (*at == closing) return {{at + 1, Error::none}, After::end};
  if (*at != ',') {
    Error const error = closing == '}' ? Error::expected_comma : Error::expected_bracket;
    return {{at, ends_line(*at) ? Error::truncated : error}, After::error};
  }
  char const* const behind = skip_space(at + 1);
  if (*behind == closing) return {{at, Error::trailing_comma}, After::error};
  return {{behind, Error::none}, After::more};
}

/// Any value, whatever is in it. `at` stands at its first byte; `depth` levels are open around it.
PENSTOCK_HD_CALL inline Found skip_value(char const* at, int depth, bool is_lenient) {
  std::uint64_t objects = 0;  // bit i: of the levels opened here, the ith from the inside is an object
  int levels = 0;
  for (;;) {
    Kind const kind = kind_at(at, is_lenient);
    bool is_open = kind == Kind::object || kind == Kind::list;
    if (is_open) {
      if (depth + levels == depth_max) return {at, Error::too_deep};
      bool const is_object = kind == Kind::object;
      objects = objects << 1 | (is_object ? 1 : 0);
      ++levels;
      at = skip_space(at + 1);
      if (*at == (is_object ? '}' : ']')) {
        ++at;
        objects >>= 1;
        --levels;
        is_open = false;
      }
    } else {
      Found const end = skip_scalar(at, kind);
      if (end.is_error()) return end;
      at = end.at;
    }
    while (!is_open) {
      if (levels == 0) return {at, Error::none};
      Next const next = read_next(at, (objects & 1) != 0 ? '}' : ']');
      if (next.after == After::error) return next.place;
      at = next.place.at;
      if (next.after == After::more) break;
      objects >>= 1;
      --levels;
    }
    if ((objects & 1) != 0) {
      Member const member = read_key(at);
      if (member.value.is_error()) return member.value;
      at = member.value.at;
    }
  }
}

/// Behind a record's object: nothing but blanks up to the line's end.
PENSTOCK_HD inline Found read_end(char const* at) {
  at = skip_space(at);
  return {at, ends_line(*at) ? Error::none : Error::text_behind};
}

}  // namespace penstock::json
