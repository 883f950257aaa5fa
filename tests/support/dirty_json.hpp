/// JSON lines of DeepAR and of vectors for tests: mostly good, in many spellings, with most faults once in a while.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "formats/deepar/plan.hpp"
#include "formats/jsonl/plan.hpp"

namespace penstock::testing {

/// Lines that are mostly good, in many spellings.
class DirtyLines {
 public:
  explicit DirtyLines(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  bool one_in(std::size_t n) { return below(n) == 0; }

  template <std::size_t n>
  std::string one_of(std::string_view const (&words)[n]) {
    return std::string(words[below(n)]);
  }

  std::string blank() { return one_in(4) ? one_of({" ", "\t", "  ", " \t "}) : ""; }

  std::string number() {
    switch (below(12)) {
      case 0:
        return one_of({"0", "-0", "1e5", "1E-5", "0.1", "-0.0", "123456789012345678", "16777217", "1e-46", "3e38"});
      case 1:
        return one_of({"1.17549435e-38", "0.30000001192092896", "8388609.5", "1e+2", "-1.5e-3", "9007199254740993"});
      case 2: return std::to_string(static_cast<std::int64_t>(random_()) >> below(60));
      case 3: {
        std::string digits = std::to_string(below(10)) + ".";
        for (std::size_t i = 0; i < 1 + below(24); ++i) digits += static_cast<char>('0' + below(10));
        return digits;
      }
      default: {
        char text[40];
        std::snprintf(text, sizeof text, below(2) == 0 ? "%.2f" : "%.6g",
                      (static_cast<double>(below(2000000)) - 1e6) * 1e-3);
        return text;
      }
    }
  }

  std::string value(bool has_missing) {
    if (has_missing && one_in(12)) return one_of({"null", "\"NaN\"", "\"nan\"", "\"Nan\"", "\"\\u006ean\""});
    if (one_in(150))
      return one_of({"01",    "1.",   ".5",      "+1",   "NaN", "\"x\"",     "true",          "[1]",
                     "{}",    "1e39", "\"inf\"", "-",    "1e",  "--1",       "\"-Infinity\"", "0x1",
                     "\"1\"", "null", "-01",     "1.e3", "",    "\"unclosed"});
    return number();
  }

  std::string list(std::size_t count, bool has_missing) {
    std::string text = "[" + blank();
    for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : "," + blank()) + value(has_missing) + blank();
    return text + "]";
  }

  /// Members in any order.
  std::string object(std::vector<std::string> members) {
    std::shuffle(members.begin(), members.end(), random_);
    std::string text = "{" + blank();
    for (std::size_t i = 0; i < members.size(); ++i) text += (i == 0 ? "" : "," + blank()) + members[i] + blank();
    return text + "}";
  }
  std::string member(std::string_view key, std::string const& value) {
    return "\"" + std::string(key) + "\"" + blank() + ":" + blank() + value;
  }

  std::string ignored() {
    return member(one_of({"id", "x\\\"y", "targets", "\xc3\xa4"}),
                  one_of({"\"a\\\\\\\"b\"", "{\"target\":[1,{\"start\":null}]}", "[[],{},\"]}\"]", "true", "-1.5e3",
                          "\"\\ud83d\\ude00, {[\"", "\"0123456789abcdef0123456789abcdef\"", "\"\xf0\x9f\x98\x80\""}));
  }

  /// A byte more, less, or another, at any place, seldom.
  std::string bitten(std::string line) {
    if (!one_in(6) || line.empty()) return line;
    constexpr std::string_view bytes = "\"\\{}[],:0129.eE+-nNtfu \t/x\x01\x7f\x80\xc3";
    std::size_t const at = below(line.size());
    char const byte = bytes[below(bytes.size())];
    switch (below(4)) {
      case 0: line.erase(at, 1); break;
      case 1: line.insert(at, 1, byte); break;
      case 2: line[at] = byte; break;
      default: line.resize(at); break;
    }
    return line;
  }

  std::string deepar(deepar::Plan const& plan) {
    std::size_t const count = one_in(20) ? 0 : 1 + below(one_in(5) ? 60 : 6);
    std::vector<std::string> members;
    if (!one_in(40)) members.push_back(member("target", list(count, true)));
    if (!one_in(40))
      members.push_back(member(one_in(10) ? "st\\u0061rt" : "start",
                               one_of({"\"2009-11-01 00:00:00\"", "\"2000-02-29\"", "\"1969-12-31 23:59:59\"",
                                       "\"2020-01-01 12:34:56\"", "\"2020-01-01 12:34:56\"", "\"2001-02-29\"", "null",
                                       "\"2020-01-01T00:00:00\"", "\"2\\u003020-01-01\""})));
    if (plan.layout.cats != 0 || one_in(30)) {
      std::string cats = "[";
      std::size_t const n = one_in(30) ? below(4) : plan.layout.cats;
      for (std::size_t i = 0; i < n; ++i)
        cats += (i == 0 ? "" : ",") + (one_in(40) ? value(true) : std::to_string(below(5)));
      members.push_back(member(one_in(10) ? "feat_static_cat" : "cat", cats + "]"));
    }
    std::size_t const features = one_in(30) ? below(3) : plan.dynamic_feats();
    if (features != 0) {
      std::string lists = "[";
      for (std::size_t i = 0; i < features; ++i)
        lists += (i == 0 ? "" : ",") + list(one_in(30) ? below(5) : count + plan.prediction_length, one_in(30));
      members.push_back(member("dynamic_feat", lists + "]"));
    }
    if (one_in(3)) members.push_back(ignored());
    if (one_in(50) && !members.empty()) members.push_back(members.front());
    return bitten(object(members));
  }

  std::string vector(jsonl::Plan const& plan) {
    bool const is_sparse = one_in(40) != plan.layout.is_sparse;
    std::size_t const width = is_sparse ? below(8) : one_in(10) ? below(4) : plan.layout.features;
    std::vector<std::string> tensor = {member("values", list(width, true))};
    if (is_sparse) {
      std::string keys = "[";
      std::size_t index = 0;
      for (std::size_t i = 0; i < (one_in(40) ? width + 1 : width); ++i) {
        index = one_in(6) ? below(40) : index + 1 + below(3);
        keys += (i == 0 ? "" : ", ") + std::to_string(index);
      }
      tensor.push_back(member("keys", keys + "]"));
    }
    if (one_in(4)) tensor.push_back(member("shape", "[" + std::to_string(one_in(20) ? 3 : plan.layout.features) + "]"));
    bool const is_plain = tensor.size() == 1 && one_in(2);
    std::string const features = member("features", is_plain ? list(width, true) : object(tensor));
    std::vector<std::string> members = {one_in(3) ? member("data", object({features})) : features};
    if (plan.layout.labels_vary)
      members.push_back(member("label", list(below(4), one_in(30))));
    else if (plan.layout.labels != 0 && !one_in(40))
      members.push_back(member("label", plan.layout.labels == 1 && one_in(2)
                                            ? value(one_in(30))
                                            : list(one_in(12) ? below(4) : plan.layout.labels, one_in(30))));
    if (one_in(30)) members.push_back(features);
    if (one_in(3)) members.push_back(ignored());
    return bitten(object(members));
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace penstock::testing
