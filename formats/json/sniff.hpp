/// Which kind of records a JSON line is, by the keys that stand at its head.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::json {

enum class Sniffed : std::uint8_t { none, deepar, vectors, object2vec, objects };

/// `head` is the beginning of an input, which may end anywhere. What begins with `{` and a quote or `}` is JSON; keys
/// are looked for as text, which a value could hold as well: so only keys with a colon behind them count.
constexpr Sniffed sniff(std::string_view head) {
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  constexpr std::string_view blanks = " \t\r\n";
  std::size_t const begin = head.find_first_not_of(blanks);
  if (begin == std::string_view::npos || head[begin] != '{') return Sniffed::none;
  head.remove_prefix(begin + 1);
  std::size_t const next = head.find_first_not_of(blanks);
  if (next == std::string_view::npos || (head[next] != '"' && head[next] != '}')) return Sniffed::none;
  // A key has a colon behind it; `value`: and then that byte, where that is asked for.
  auto const has_key = [head](std::string_view key, char value = 0) {
    for (std::size_t at = head.find(key); at != std::string_view::npos; at = head.find(key, at + 1)) {
      std::size_t const colon = head.find_first_not_of(" \t", at + key.size());
      if (colon == std::string_view::npos) return true;
      if (head[colon] != ':') continue;
      std::size_t const first = head.find_first_not_of(" \t", colon + 1);
      if (value == 0 || first == std::string_view::npos || head[first] == value) return true;
    }
    return false;
  };
  if (has_key("\"target\"", '[')) return Sniffed::deepar;
  if (has_key("\"start\"", '"') && (has_key("\"cat\"", '[') || has_key("\"dynamic_feat\"", '[')))
    return Sniffed::deepar;
  if (has_key("\"in0\"", '[') || has_key("\"in1\"", '[')) return Sniffed::object2vec;
  if (has_key("\"features\"", '[') || has_key("\"features\"", '{')) return Sniffed::vectors;
  return Sniffed::objects;
}

}  // namespace penstock::json
