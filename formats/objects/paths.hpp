/// Paths to values, `a.b[2]`, and the lists that options hold.
///
/// A path is keys, joined by points, and places of lists, from 0 on, in brackets. A key in double quotes may hold any
/// byte, "" in it is one quote. Items of a list stand between commas; blanks around an item are not part of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/json/grammar.hpp"

namespace penstock::objects {

/// A key, or a place of a list.
struct Step {
  std::string key;
  std::uint32_t index = 0;
  bool is_index = false;
  bool operator==(Step const&) const = default;
};
using Path = std::vector<Step>;

/// A path has as many steps as levels can be open around its value.
inline constexpr std::size_t steps_max = json::depth_max - 1;

inline bool is_plain_key(std::string_view key) {
  constexpr std::string_view special = ".,[]\"= \t";
  return !key.empty() && key.find_first_of(special) == std::string_view::npos;
}

inline std::string quoted_key(std::string_view text) {
  std::string out = "\"";
  for (char const c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

/// As an item of a list that reads as the same path.
inline std::string text_of(Path const& path) {
  std::string text;
  for (Step const& step : path) {
    if (step.is_index) {
      text += "[" + std::to_string(step.index) + "]";
      continue;
    }
    if (!text.empty()) text += '.';
    text += is_plain_key(step.key) ? step.key : quoted_key(step.key);
  }
  return text;
}

/// Reads one list from its first byte on.
class ListReader {
 public:
  explicit ListReader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool is_end() const { return at_ >= text_.size(); }

  /// Text in double quotes, whose first one is next; nothing if no quote closes it.
  std::optional<std::string> read_quoted() {
    std::string text;
    for (++at_; at_ < text_.size(); ++at_) {
      bool const is_quote = text_[at_] == '"';
      if (is_quote && at_ + 1 < text_.size() && text_[at_ + 1] == '"')
        ++at_;
      else if (is_quote) {
        ++at_;
        return text;
      }
      text += text_[at_];
    }
    return std::nullopt;
  }

  /// Text up to one of `stops`.
  std::string read_until(std::string_view stops) {
    std::size_t const end = std::min(text_.find_first_of(stops, at_), text_.size());
    std::string text(text_.substr(at_, end - at_));
    at_ = end;
    return text;
  }

  void skip_blanks() {
    while (is_next(' ') || is_next('\t')) ++at_;
  }
  [[nodiscard]] bool is_next(char c) const { return !is_end() && text_[at_] == c; }
  bool take(char c) {
    bool const is_there = is_next(c);
    at_ += is_there ? 1 : 0;
    return is_there;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

namespace detail {

inline void trim_end(std::string& text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
}

inline std::optional<Step> read_index(ListReader& in) {
  std::string const digits = in.read_until("],");
  Step step;
  step.is_index = true;
  bool const is_number =
      !digits.empty() && digits.size() <= 9 && digits.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number || !in.take(']')) return std::nullopt;
  step.index = static_cast<std::uint32_t>(std::stoul(digits));
  return step;
}

inline std::optional<Step> read_key(ListReader& in) {
  Step step;
  if (in.is_next('"')) {
    auto text = in.read_quoted();
    if (!text) return std::nullopt;
    step.key = std::move(*text);
    return step;
  }
  step.key = in.read_until(".,[");
  trim_end(step.key);
  if (step.key.empty()) return std::nullopt;
  return step;
}

}  // namespace detail

/// Nothing if a path is none.
inline std::optional<Path> read_path(ListReader& in) {
  Path path;
  in.skip_blanks();
  for (bool is_first = true;; is_first = false) {
    std::optional<Step> step;
    if (is_first || in.take('.'))
      step = detail::read_key(in);
    else if (in.take('['))
      step = detail::read_index(in);
    else
      break;
    if (!step || path.size() == steps_max) return std::nullopt;
    path.push_back(std::move(*step));
  }
  in.skip_blanks();
  if (!in.is_end() && !in.is_next(',')) return std::nullopt;
  return path;
}

/// Nothing if some item is no path. An empty list has no items.
inline std::optional<std::vector<Path>> read_paths(std::string_view list) {
  std::vector<Path> paths;
  if (list.empty()) return paths;
  ListReader in(list);
  do {
    auto path = read_path(in);
    if (!path) return std::nullopt;
    paths.push_back(std::move(*path));
  } while (in.take(','));
  return paths;
}

/// Texts between commas, each quoted or not; nothing if a quote is not closed. An empty list is one empty text.
inline std::optional<std::vector<std::string>> read_texts(std::string_view list) {
  std::vector<std::string> texts;
  ListReader in(list);
  do {
    std::optional<std::string> text = in.is_next('"') ? in.read_quoted() : in.read_until(",");
    if (!text) return std::nullopt;
    texts.push_back(std::move(*text));
  } while (in.take(','));
  if (!in.is_end()) return std::nullopt;
  return texts;
}

struct NamedNumber {
  std::string name;
  std::string number;
};

/// `name=0,"a=b"=1`; nothing if an item is something else.
inline std::optional<std::vector<NamedNumber>> read_named_numbers(std::string_view list) {
  std::vector<NamedNumber> items;
  if (list.empty()) return items;
  ListReader in(list);
  do {
    NamedNumber item;
    in.skip_blanks();
    if (in.is_next('"')) {
      auto name = in.read_quoted();
      if (!name) return std::nullopt;
      item.name = std::move(*name);
    } else {
      item.name = in.read_until("=,");
      detail::trim_end(item.name);
    }
    in.skip_blanks();
    if (!in.take('=')) return std::nullopt;
    in.skip_blanks();
    item.number = in.read_until(",");
    detail::trim_end(item.number);
    items.push_back(std::move(item));
  } while (in.take(','));
  if (!in.is_end()) return std::nullopt;
  return items;
}

}  // namespace penstock::objects
