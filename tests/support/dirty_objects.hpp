/// Lines of objects with everything that can be wrong with them, and what to ask of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "formats/objects/options.hpp"
#include "formats/objects/paths.hpp"
#include "formats/objects/tables.hpp"
#include "penstock/batch.hpp"

namespace penstock::testing {

/// Options, and what is in their lists.
struct ObjectsSetup {
  objects::Options options;
  std::vector<std::pair<Role, objects::Path>> columns;
  std::vector<objects::Path> ignored;
  std::size_t record_max = 1 << 16;
};

class DirtyObjects {
 public:
  explicit DirtyObjects(std::uint64_t seed) : random_(seed) {
    colon_ = pick({":", ":", ": ", " : "});
    comma_ = pick({",", ",", ", ", " ,\t"});
    for (std::size_t i = 4 + below(8); i > 0; --i) keys_.push_back(any_key());
    for (std::size_t i = 0; i < keys_.size(); ++i) kinds_.push_back(below(8));
  }

  std::string shard() {
    std::string text = one_in(8) ? "\xef\xbb\xbf" : "";
    for (std::size_t i = below(30); i > 0; --i) {
      std::string line = one_in(20) ? "" : object();
      if (one_in(12)) line = mutated(line);
      if (one_in(20)) line = " " + line + "\t";
      text += line + pick({"\n", "\n", "\n", "\r\n", "\r"});
    }
    if (one_in(3)) text += object();
    return text;
  }

  std::string any_key() {
    return pick({"a", "b", "c", "d", "e", "ab", "y", "w", "q", "long_key_of_more_than_sixteen_bytes", "x", "z",
                 "a_key_that_is_longer_than_any_that_is_guessed_for_it_takes_more_than_sixty_four_bytes", "h\xc3\xbcte",
                 "", "a.b"});
  }

  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  std::string pick(std::vector<std::string> const& words) { return words[below(words.size())]; }

 private:
  std::string object() {
    std::string text = "{";
    bool is_first = true;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (one_in(25)) continue;
      std::size_t const k = one_in(40) ? below(keys_.size()) : i;
      if (!is_first) text += comma_;
      is_first = false;
      text += spelled(keys_[k]) + colon_ + value(one_in(15) ? below(9) : kinds_[k], 0);
    }
    return text + "}";
  }

  std::string spelled(std::string const& key) {
    if (!one_in(60) || key.empty() || static_cast<unsigned char>(key[0]) > 127) return "\"" + key + "\"";
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(key[0]));
    return "\"" + std::string(escape) + key.substr(1) + "\"";
  }

  std::string digits(std::size_t bytes_max) {
    std::string text;
    for (std::size_t i = 1 + below(bytes_max); i > 0; --i) text += static_cast<char>('0' + below(10));
    while (text.size() > 1 && text[0] == '0' && !one_in(60)) text.erase(0, 1);
    return text;
  }

  std::string value(std::size_t kind, int depth) {
    std::string const sign = one_in(4) ? "-" : "";
    switch (kind) {
      case 0: return sign + digits(one_in(6) ? 22 : 7);
      case 1: return sign + digits(4) + "." + digits(one_in(6) ? 30 : 6);
      case 2: return sign + digits(3) + (one_in(2) ? "." + digits(3) : "") + pick({"e", "E", "e-", "e+"}) + digits(2);
      case 3: return pick({"true", "false"});
      case 4:
        return pick(
            {"null", "null", "\"\"", "\"NA\"", "\"nan\"", "\"-NaN\"", "\"\\u004eA\"", "\"inf\"", "\"-Infinity\""});
      case 5: return string();
      case 6: return depth > 2 ? "{}" : nested_object(depth);
      case 7: return depth > 2 ? "[]" : nested_list(depth);
      default:
        return pick({"01",
                     ".5",
                     "1.",
                     "1.e5",
                     "+1",
                     "-",
                     "NaN",
                     "Infinity",
                     "tru",
                     "nul",
                     "1e39",
                     "-1e39",
                     "1e-60",
                     "\"yes\"",
                     "\"1\"",
                     "'a'",
                     "{",
                     "]",
                     "1 2",
                     "truex",
                     "1.5.2",
                     "1-2",
                     "--1",
                     "16777217",
                     "2147483648",
                     "-2147483648",
                     "9223372036854775807",
                     "9223372036854775808",
                     "0",
                     "-0",
                     "00",
                     "-01",
                     "1e",
                     "1,"});
    }
  }

  std::string string() {
    std::string text;
    for (std::size_t i = below(one_in(8) ? 90 : 12); i > 0; --i) {
      if (one_in(60))
        text += pick({"\\n", "\\\"", "\\\\", "\\u00e4", "\\ud83d\\ude00", "\\x", "\\u12", "\\ud83d", "\xc3\xa4", "\xff",
                      "\xf0\x9f\x98\x80", "\xc3", "\x01", "\t"});
      else
        text += pick({"a", "b", " ", ",", "}", "{", ":", "7", "."});
    }
    return "\"" + text + "\"";
  }

  std::string nested_object(int depth) {
    std::string text = "{";
    for (std::size_t i = below(4); i > 0; --i) {
      text += "\"" + pick({"a", "b", "c", "a"}) + "\":" + value(below(8), depth + 1) + (i > 1 ? comma_ : "");
    }
    return text + "}";
  }
  std::string nested_list(int depth) {
    std::string text = one_in(3) ? "[ " : "[";
    for (std::size_t i = below(4); i > 0; --i) text += value(below(8), depth + 1) + (i > 1 ? comma_ : "");
    return text + "]";
  }

  std::string mutated(std::string line) {
    if (line.empty()) return line;
    for (std::size_t i = 1 + below(2); i > 0; --i) {
      std::size_t const at = below(line.size());
      std::string const byte =
          pick({"\"", ",", "}", "{", "\\", " ", ":", "0", "-", "e", ".", "\x80", std::string(1, '\0'), ""});
      line.replace(at, below(2), byte);
      if (line.empty()) break;
    }
    return line;
  }

  std::mt19937_64 random_;
  std::string colon_;
  std::string comma_;
  std::vector<std::string> keys_;
  std::vector<std::size_t> kinds_;
};

/// A path for the role, unless it clashes with another one. `list` is the option's.
inline void add_path(ObjectsSetup& setup, DirtyObjects& dirty, Role role, std::string& list) {
  objects::Path path = {{dirty.any_key()}};
  for (std::size_t i = dirty.one_in(3) ? 1 + dirty.below(2) : 0; i > 0; --i) {
    if (dirty.one_in(2))
      path.push_back({dirty.pick({"a", "b", "c"})});
    else
      path.push_back({{}, static_cast<std::uint32_t>(dirty.below(3)), true});
  }
  objects::TableBuilder trial;
  for (auto const& [other_role, other] : setup.columns) trial.add(other_role, 0, other);
  for (objects::Path const& other : setup.ignored) trial.add(Role::ignore, 0, other);
  if (!trial.add(role, 0, path).empty()) return;
  list += (list.empty() ? "" : ",") + objects::text_of(path);
  if (role == Role::ignore)
    setup.ignored.push_back(path);
  else
    setup.columns.emplace_back(role, path);
}

inline ObjectsSetup random_setup(DirtyObjects& dirty) {
  ObjectsSetup setup;
  auto const add = [&](Role role, std::string& list) { add_path(setup, dirty, role, list); };
  objects::Options& options = setup.options;
  for (std::size_t i = 1 + dirty.below(4); i > 0; --i) add(Role::feature, options.columns);
  if (options.columns.empty()) return random_setup(dirty);
  if (dirty.one_in(4)) add(Role::label, options.label);
  if (dirty.one_in(8)) add(Role::weight, options.weight);
  if (dirty.one_in(8)) add(Role::qid, options.qid);
  for (std::size_t i = dirty.below(3); i > 0; --i) add(Role::ignore, options.ignore);
  if (dirty.one_in(2) && !options.label.empty()) options.label_map = "yes=7,\"n,o\"=1";
  constexpr DType types[] = {DType::float32, DType::float32, DType::float64, DType::int32, DType::int64};
  options.dtype = types[dirty.below(5)];
  options.requires_keys = dirty.one_in(5);
  options.clips_overflow = dirty.one_in(3);
  options.takes_infinite = dirty.one_in(3);
  options.text.refuses_unknown_keys = dirty.one_in(10);
  if (dirty.one_in(4)) setup.record_max = 20 + dirty.below(200);
  return setup;
}

/// The same with columns of text.
inline ObjectsSetup random_setup_with_texts(DirtyObjects& dirty) {
  ObjectsSetup setup = random_setup(dirty);
  for (std::size_t i = 3 + dirty.below(4); i > 0; --i) add_path(setup, dirty, Role::category, setup.options.texts);
  return setup;
}

}  // namespace penstock::testing
