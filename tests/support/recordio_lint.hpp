/// RecordIO files by hand, and what the linter says about them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "formats/recordio/lint.hpp"

namespace penstock::recordio {

/// How GoogleTest shows a rule.
inline void PrintTo(LintRule rule, std::ostream* out) { *out << name_of(rule); }

}  // namespace penstock::recordio

namespace penstock::lint_support {

using namespace penstock::recordio;
using Rules = std::vector<LintRule>;

inline std::string varint(std::uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7) text += static_cast<char>((value & 0x7f) | 0x80);
  return text += static_cast<char>(value);
}

inline std::string word(std::uint32_t value) {
  std::string text;
  for (int i = 0; i < 4; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

/// A length-delimited field.
inline std::string field(std::uint32_t number, std::string const& content) {
  return varint(number << 3 | 2) + varint(content.size()) + content;
}

inline std::string frame(std::string const& payload, std::uint32_t flag = 0) {
  std::string text = word(magic) + word(flag << 29 | static_cast<std::uint32_t>(payload.size())) + payload;
  return text.append((4 - payload.size() % 4) % 4, '\0');
}

inline std::string floats(std::vector<float> const& values) {
  std::string text;
  for (float value : values) text += word(std::bit_cast<std::uint32_t>(value));
  return text;
}

inline std::string doubles(std::vector<double> const& values) {
  std::string text(values.size() * 8, '\0');
  std::memcpy(text.data(), values.data(), text.size());
  return text;
}

inline std::string varints(std::vector<std::uint64_t> const& values) {
  std::string text;
  for (std::uint64_t value : values) text += varint(value);
  return text;
}

inline std::string const key_values = field(1, "values");

/// An entry of a map whose Value is `value`.
inline std::string entry(std::uint32_t map, std::string const& value, std::string const& key = "values") {
  return field(map, field(1, key) + field(2, value));
}
inline std::string features(std::string const& tensor, std::uint32_t member = 2) {
  return entry(1, field(member, tensor));
}
inline std::string label(std::string const& tensor, std::uint32_t member = 2) {
  return entry(2, field(member, tensor));
}
inline std::string dense(std::vector<float> const& values) { return field(1, floats(values)); }
inline std::string sparse(std::vector<float> const& values, std::vector<std::uint64_t> const& keys,
                          std::uint64_t columns) {
  return dense(values) + field(2, varints(keys)) + field(3, varint(columns));
}

inline std::string const row = features(dense({1, 2})) + label(dense({1}));
inline std::string const sparse_row = features(sparse({7, 8}, {0, 3}, 5)) + label(dense({1}));

inline std::string hex(std::string const& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += text[i] == ' ' ? 1 : 2)
    if (text[i] != ' ') bytes += static_cast<char>(std::strtoul(text.substr(i, 2).c_str(), nullptr, 16));
  return bytes;
}

/// A finding with everything that it says, as text: comparable, and its key is copied in time.
struct Said {
  LintRule rule;
  std::uint64_t frame;
  std::uint64_t frame_offset;
  std::uint64_t offset;
  std::string field;
  std::string sentence;
  bool operator==(Said const&) const = default;
};
inline std::ostream& operator<<(std::ostream& out, Said const& said) {
  return out << name_of(said.rule) << " in frame " << said.frame << " (" << said.frame_offset << ") at " << said.offset
             << " " << said.field << ": " << said.sentence;
}

struct Collector final : FindingSink {
  void add(Finding const& each) override {
    said.push_back(
        {each.rule, each.frame, each.frame_offset_bytes, each.offset_bytes, field_text(each.field), sentence(each)});
  }
  std::vector<Said> said;
};

/// Lints `file` with windows that grow by `step` bytes, in memory that ends exactly where the window does.
inline std::vector<Said> lint_in_steps(std::string const& file, std::size_t step, LintOptions const& options = {}) {
  Collector collector;
  Linter linter(options, collector);
  linter.begin_input();
  std::size_t begin = 0;
  std::size_t end = 0;
  while (true) {
    end = std::min(file.size(), end + step);
    bool const is_end = end == file.size();
    std::vector<char> const window(file.begin() + static_cast<std::ptrdiff_t>(begin),
                                   file.begin() + static_cast<std::ptrdiff_t>(end));
    std::size_t const done = linter.lint(std::as_bytes(std::span(window)), is_end);
    EXPECT_LE(done, window.size());
    begin += done;
    EXPECT_EQ(linter.offset_bytes(), begin);
    if (is_end) {
      EXPECT_EQ(done, window.size());
      return collector.said;
    }
  }
}

inline std::vector<Said> lint(std::string const& file, LintOptions const& options = {}) {
  return lint_in_steps(file, std::max<std::size_t>(file.size(), 1), options);
}

inline Rules rules_of(std::vector<Said> const& said) {
  Rules rules;
  for (Said const& each : said) rules.push_back(each.rule);
  return rules;
}

}  // namespace penstock::lint_support
