/// Options that all kinds of JSON lines share, and how options are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/core/format.hpp"

namespace penstock::json {

struct TextOptions {
  bool is_lenient = false;            ///< NaN, Infinity and -Infinity may stand without quotes
  bool refuses_unknown_keys = false;  ///< else keys that are not asked for are passed over
};

/// One of `words` as the value at its place.
template <class T, std::size_t n>
bool choose(T& into, std::string_view word, std::string_view const (&words)[n], T const (&values)[n]) {
  for (std::size_t i = 0; i < n; ++i) {
    if (word != words[i]) continue;
    into = values[i];
    return true;
  }
  return false;
}

/// Decimal digits, up to 2^40.
inline bool read_size(std::size_t& into, std::string_view text) {
  constexpr std::size_t size_max = std::size_t{1} << 40;
  std::size_t size = 0;
  for (char const c : text) {
    if (c < '0' || c > '9') return false;
    size = size * 10 + static_cast<std::size_t>(c - '0');
    if (size > size_max) return false;
  }
  if (text.empty()) return false;
  into = size;
  return true;
}

inline bool set_flag(bool& into, std::string_view value) {
  into = value == "true";
  return into;
}

/// `Options` has a member `text`.
template <class Options>
inline constexpr FormatOption<Options> lenient_option = {
    "lenient", "",
    "numbers may be NaN, Infinity or -Infinity without quotes, as Python writes them (all kinds of JSON lines)",
    [](Options& o, std::string_view v) { return set_flag(o.text.is_lenient, v); }};

template <class Options>
inline constexpr FormatOption<Options> unknown_keys_option = {
    "unknown-keys", "ignore|error", "keys that nothing asks for (all kinds of JSON lines; default: they are ignored)",
    [](Options& o, std::string_view v) {
      return choose(o.text.refuses_unknown_keys, v, {"ignore", "error"}, {false, true});
    }};

}  // namespace penstock::json
