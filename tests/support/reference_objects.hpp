/// What lines of objects become, read slowly with RapidJSON: which are accepted, and the values.
#pragma once

#include <gtest/gtest.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/dirty_objects.hpp"
#include "tests/support/format_run.hpp"

namespace penstock::reference {

struct Value {
  enum class Kind { null, boolean, number, string, object, list } kind = Kind::null;
  bool flag = false;
  std::string text;
  std::vector<std::pair<std::string, Value>> members;  ///< of a list without keys
};

class TreeHandler {
 public:
  Value root;

  bool Null() { return put({}); }
  bool Bool(bool flag) { return put({Value::Kind::boolean, flag, {}, {}}); }
  bool RawNumber(char const* text, unsigned size, bool) { return put({Value::Kind::number, false, {text, size}, {}}); }
  bool String(char const* text, unsigned size, bool) { return put({Value::Kind::string, false, {text, size}, {}}); }
  bool Key(char const* text, unsigned size, bool) {
    key_.assign(text, size);
    return true;
  }
  bool StartObject() { return start(Value::Kind::object); }
  bool StartArray() { return start(Value::Kind::list); }
  bool EndObject(unsigned) { return end(); }
  bool EndArray(unsigned) { return end(); }
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

 private:
  bool put(Value value) {
    if (open_.empty())
      root = std::move(value);
    else
      open_.back()->members.emplace_back(key_, std::move(value));
    return true;
  }
  bool start(Value::Kind kind) {
    Value value;
    value.kind = kind;
    put(std::move(value));
    open_.push_back(open_.empty() ? &root : &open_.back()->members.back().second);
    return true;
  }
  bool end() {
    open_.pop_back();
    return true;
  }
  std::string key_;
  std::vector<Value*> open_;
};

/// A number beyond double, wherever it stands: RapidJSON does not go on.
struct TooBig {};

inline std::optional<Value> parse(std::string_view line) {
  if (line.find('\0') != std::string_view::npos) return std::nullopt;
  rapidjson::MemoryStream stream(line.data(), line.size());
  rapidjson::Reader reader;
  TreeHandler handler;
  constexpr unsigned flags = rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag;
  auto const parsed = reader.Parse<flags>(stream, handler);
  if (parsed.Code() == rapidjson::kParseErrorNumberTooBig) throw TooBig{};
  if (parsed.IsError() || handler.root.kind != Value::Kind::object) return std::nullopt;
  return handler.root;
}

struct Rejected {};

class Reference {
 public:
  explicit Reference(testing::ObjectsSetup const& setup) : setup_(setup), options_(setup.options) {}

  std::uint64_t missing = 0;
  std::uint64_t inexact = 0;

  std::optional<testing::RunRow> row(std::string_view line) {
    auto const value = parse(line);
    if (!value) return std::nullopt;
    std::uint64_t const missing_before = missing, inexact_before = inexact;
    try {
      found_.clear();
      walk(*value, {});
      testing::RunRow row;
      for (std::size_t i = 0; i < setup_.columns.size(); ++i) put(setup_.columns[i].first, value_of(i), row);
      return row;
    } catch (Rejected const&) {
      missing = missing_before;
      inexact = inexact_before;
      return std::nullopt;
    }
  }

 private:
  static bool begins_with(objects::Path const& path, objects::Path const& head) {
    return head.size() <= path.size() && std::equal(head.begin(), head.end(), path.begin());
  }
  bool is_chosen(objects::Path const& path) const {
    return std::any_of(setup_.columns.begin(), setup_.columns.end(),
                       [&](auto const& column) { return begins_with(column.second, path); });
  }
  bool is_known(objects::Path const& path) const {
    return is_chosen(path) || std::any_of(setup_.ignored.begin(), setup_.ignored.end(),
                                          [&](objects::Path const& other) { return begins_with(other, path); });
  }
  /// Some path goes on from `path` by a key.
  bool has_keys(objects::Path const& path) const {
    auto const goes_on = [&](objects::Path const& other) {
      return other.size() > path.size() && begins_with(other, path) && !other[path.size()].is_index;
    };
    return std::any_of(setup_.columns.begin(), setup_.columns.end(),
                       [&](auto const& c) { return goes_on(c.second); }) ||
           std::any_of(setup_.ignored.begin(), setup_.ignored.end(), goes_on);
  }

  void walk(Value const& value, objects::Path const& path) {
    for (std::size_t i = 0; i < setup_.columns.size(); ++i) {
      if (setup_.columns[i].second == path) found_[i] = &value;
    }
    if (value.kind == Value::Kind::object && has_keys(path)) {
      std::vector<std::string> seen;
      for (auto const& [key, member] : value.members) {
        objects::Path next = path;
        next.push_back({key});
        if (!is_known(next) && options_.text.refuses_unknown_keys) throw Rejected{};
        if (is_chosen(next)) {
          if (std::find(seen.begin(), seen.end(), key) != seen.end()) throw Rejected{};
          seen.push_back(key);
        }
        if (is_known(next)) walk(member, next);
      }
    }
    if (value.kind == Value::Kind::list) {
      for (std::size_t i = 0; i < value.members.size(); ++i) {
        objects::Path next = path;
        next.push_back({{}, static_cast<std::uint32_t>(i), true});
        if (is_known(next)) walk(value.members[i].second, next);
      }
    }
  }

  struct Read {
    Value const* value;
    bool is_missing;
  };
  Read value_of(std::size_t column) {
    auto const found = found_.find(column);
    if (found == found_.end() && options_.requires_keys) throw Rejected{};
    if (found == found_.end()) return {nullptr, true};
    Value const& value = *found->second;
    bool const is_mapped =
        setup_.columns[column].first == Role::label && value.text == "yes" && !options_.label_map.empty();
    bool const is_null = value.kind == Value::Kind::null ||
                         (value.kind == Value::Kind::string && !is_mapped &&
                          (value.text.empty() || value.text == "NA" || value.text == "null" || is_nan(value.text)));
    return {&value, is_null};
  }

 public:
  /// Without a sign.
  static std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.erase(0, 1);
    return text;
  }

 private:
  static bool is_nan(std::string const& text) { return lower(text) == "nan"; }

  void put(Role role, Read read, testing::RunRow& row) {
    if (role == Role::feature)
      row.features.push_back(bits(options_.dtype, role, read));
    else if (role == Role::label)
      row.labels.push_back(bits(DType::float32, role, read));
    else if (role == Role::category)
      row.texts.push_back(text(read));
    else if (role == Role::weight)
      row.weight = bits(DType::float32, role, read);
    else
      row.qid = bits(DType::int64, role, read);
  }

  std::optional<std::string> text(Read read) {
    if (read.is_missing) {
      ++missing;
      return std::nullopt;
    }
    Value const& value = *read.value;
    bool const is_open = value.kind == Value::Kind::object || value.kind == Value::Kind::list;
    if (is_open || value.text.size() > 4096) throw Rejected{};
    return value.kind == Value::Kind::boolean ? (value.flag ? "true" : "false") : value.text;
  }

  std::uint64_t bits(DType dtype, Role role, Read read) {
    if (read.is_missing) {
      if (role != Role::feature || !is_floating(dtype)) throw Rejected{};
      ++missing;
      return dtype == DType::float32 ? 0x7fc00000u : 0x7ff8000000000000u;
    }
    switch (dtype) {
      case DType::float32: return std::bit_cast<std::uint32_t>(real<float>(role, *read.value));
      case DType::float64: return std::bit_cast<std::uint64_t>(real<double>(role, *read.value));
      case DType::int32: return static_cast<std::uint32_t>(integer(*read.value, INT32_MIN, INT32_MAX));
      default: return static_cast<std::uint64_t>(integer(*read.value, INT64_MIN, INT64_MAX));
    }
  }

  template <class T>
  T real(Role role, Value const& value) {
    if (value.kind == Value::Kind::boolean) return value.flag ? 1 : 0;
    bool const is_feature = role == Role::feature;
    if (value.kind == Value::Kind::string) {
      if (role == Role::label && !options_.label_map.empty() && value.text == "yes") return 7;
      std::string const word = lower(value.text);
      bool const passes = (word == "inf" || word == "infinity") && options_.takes_infinite && is_feature;
      if (!passes) throw Rejected{};
      return value.text[0] == '-' ? -HUGE_VALF : HUGE_VALF;
    }
    if (value.kind != Value::Kind::number) throw Rejected{};
    T const number = sizeof(T) == 4 ? static_cast<T>(std::strtof(value.text.c_str(), nullptr))
                                    : static_cast<T>(std::strtod(value.text.c_str(), nullptr));
    bool const is_infinite = number - number != 0;
    if (is_infinite && !(options_.clips_overflow && is_feature)) throw Rejected{};
    bool const is_integer = value.text.find_first_of(".eE") == std::string::npos;
    if (is_integer && !is_infinite) {
      char text[400];
      std::snprintf(text, sizeof text, "%.0f", static_cast<double>(number));
      inexact += text == value.text ? 0 : 1;
    }
    return number;
  }

  static std::int64_t integer(Value const& value, std::int64_t least, std::int64_t greatest) {
    if (value.kind == Value::Kind::boolean) return value.flag ? 1 : 0;
    if (value.kind != Value::Kind::number || value.text.find_first_of(".eE") != std::string::npos) throw Rejected{};
    errno = 0;
    std::int64_t const number = std::strtoll(value.text.c_str(), nullptr, 10);
    if (errno != 0 || number < least || number > greatest) throw Rejected{};
    return number;
  }

  testing::ObjectsSetup const& setup_;
  objects::Options const& options_;
  std::map<std::size_t, Value const*> found_;
};

/// What each line of the shards becomes; blank lines are none. Lines that RapidJSON cannot judge throw TooBig.
inline void expect_lines(testing::ObjectsSetup const& setup, std::vector<std::string> const& shards,
                         testing::FormatRun const& run) {
  Reference reference(setup);
  std::vector<testing::RunRow> rows;
  std::vector<std::uint64_t> rejected;
  for (std::string shard : shards) {
    std::uint64_t const mark = shard.starts_with("\xef\xbb\xbf") ? 3 : 0;
    for (std::size_t begin = 0; begin < shard.size();) {
      std::size_t const end = std::min(shard.find_first_of("\r\n", begin), shard.size());
      std::size_t const first = begin == 0 ? mark : begin;
      std::string_view const line = std::string_view(shard).substr(first, end - first);
      bool const is_blank = line.find_first_not_of(" \t") == std::string_view::npos;
      bool const is_long = end - begin > setup.record_max;
      if (is_long || !is_blank) {
        auto row = is_long ? std::nullopt : reference.row(line);
        if (row)
          rows.push_back(*row);
        else
          rejected.push_back(is_long ? begin : first);
      }
      begin = end + 1;
    }
  }
  std::vector<std::uint64_t> found;
  for (auto const& fault : run.faults) found.push_back(fault.record_begin);
  ASSERT_EQ(rejected, found);
  ASSERT_EQ(rows.size(), run.rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(testing::words(rows[i]), testing::words(run.rows[i])) << i;
  ASSERT_EQ(reference.missing, run.counts.missing_cells);
  ASSERT_EQ(reference.inexact, run.counts.inexact_integers);
}

inline void expect_objects(testing::ObjectsSetup const& setup, std::vector<std::string> const& shards,
                           testing::FormatRun const& run) {
  try {
    expect_lines(setup, shards, run);
  } catch (TooBig const&) {
  }
}

/// The keys that hold numbers, booleans or null in every record, in the order in which they first appear.
class SurveyedObjects {
 public:
  void see(Value const& object, objects::Path const& path) {
    for (auto const& [key, member] : object.members) {
      objects::Path next = path;
      next.push_back({key});
      auto const is_it = [&](auto const& entry) { return entry.first == next; };
      auto found = std::find_if(keys_.begin(), keys_.end(), is_it);
      if (found == keys_.end()) found = keys_.insert(keys_.end(), {next, true});
      std::string const text = Reference::lower(member.text);
      bool const is_null = member.text.empty() || member.text == "NA" || member.text == "null" || text == "nan";
      bool const is_text = member.kind == Value::Kind::string && !is_null;
      if (is_text || member.kind == Value::Kind::object || member.kind == Value::Kind::list) found->second = false;
      if (member.kind == Value::Kind::object) see(member, next);
    }
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (auto const& [path, is_numeric] : keys_) {
      if (is_numeric) names.push_back(objects::text_of(path));
    }
    return names;
  }

 private:
  std::vector<std::pair<objects::Path, bool>> keys_;
};

/// Of lines that end with LF and are not long. Nothing where RapidJSON cannot judge.
inline std::optional<std::vector<std::string>> surveyed_names(std::string const& shard) {
  SurveyedObjects keys;
  try {
    for (std::size_t begin = 0; begin < shard.size();) {
      std::size_t const end = std::min(shard.find_first_of("\r\n", begin), shard.size());
      auto const value = parse(std::string_view(shard).substr(begin, end - begin));
      if (value) keys.see(*value, {});
      begin = end + 1;
    }
  } catch (TooBig const&) {
    return std::nullopt;
  }
  return keys.names();
}

}  // namespace penstock::reference
