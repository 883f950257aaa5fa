/// What RapidJSON makes of lines, and what of that is a time series or a vector: slow, and sharing nothing with the
/// readers of formats/ but the nouns. Numbers are converted from their text by the standard library.
#pragma once

#include <algorithm>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <rapidjson/document.h>

#include "formats/deepar/plan.hpp"
#include "formats/jsonl/plan.hpp"
#include "tests/support/format_run_outcome.hpp"

namespace penstock::reference {

using testing::RunRow;
using Value = rapidjson::Value;

/// With numbers as strings whose first character is `#`, which tells them from the strings that are there.
class JsonLine {
 public:
  explicit JsonLine(std::string const& line) {
    constexpr unsigned flags = rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag;
    plain_.Parse<rapidjson::kParseFullPrecisionFlag | rapidjson::kParseValidateEncodingFlag>(line.data(), line.size());
    document_.Parse<flags>(line.data(), line.size());
  }
  [[nodiscard]] bool is_object() const {
    return !plain_.HasParseError() && !document_.HasParseError() && document_.IsObject();
  }
  /// The same place in both: one tells numbers from strings, the other has their text.
  [[nodiscard]] Value const& typed() const { return plain_; }
  [[nodiscard]] Value const& text() const { return document_; }

 private:
  rapidjson::Document plain_;
  rapidjson::Document document_;
};

/// A value in both documents.
struct Pair {
  Value const* typed = nullptr;
  Value const* text = nullptr;

  [[nodiscard]] std::string_view string() const { return {text->GetString(), text->GetStringLength()}; }
  [[nodiscard]] std::vector<Pair> elements() const {
    std::vector<Pair> out;
    for (rapidjson::SizeType i = 0; i < typed->Size(); ++i) out.push_back({&(*typed)[i], &(*text)[i]});
    return out;
  }
};

/// The value of the last key that is one of some names, and how many there are.
struct Found {
  Pair value;
  int count = 0;
};

inline Found member_of(Pair object, std::set<std::string_view> const& names) {
  Found found;
  auto text = object.text->MemberBegin();
  for (auto member = object.typed->MemberBegin(); member != object.typed->MemberEnd(); ++member, ++text) {
    if (names.count({member->name.GetString(), member->name.GetStringLength()}) == 0) continue;
    found.value = {&member->value, &text->value};
    ++found.count;
  }
  return found;
}

inline int depth_of(Value const& value) {
  int depth = 0;
  if (value.IsArray()) {
    for (Value const& element : value.GetArray()) depth = std::max(depth, depth_of(element));
    return depth + 1;
  }
  if (!value.IsObject()) return 0;
  for (auto const& member : value.GetObject()) depth = std::max(depth, depth_of(member.value));
  return depth + 1;
}

/// The bits of a number, of null and of spelled specials; none if it is not taken.
struct NumberPolicy {
  bool takes_missing = true;
  bool takes_infinite = false;
};
inline std::optional<std::uint64_t> float_bits(Pair value, NumberPolicy policy) {
  auto const missing = policy.takes_missing ? std::optional<std::uint64_t>(missing_float32_bits) : std::nullopt;
  if (value.typed->IsNull()) return missing;
  if (value.typed->IsNumber()) {
    std::string_view const digits = value.string();
    float parsed = 0;
    auto const result = std::from_chars(digits.data(), digits.data() + digits.size(), parsed);
    if (result.ec == std::errc::result_out_of_range) {  // too large, or too small, which is a zero
      double wide = 0;
      std::from_chars(digits.data(), digits.data() + digits.size(), wide);
      if (std::abs(wide) > 1) return std::nullopt;
      parsed = static_cast<float>(std::strtof(std::string(digits).c_str(), nullptr));
    }
    return std::bit_cast<std::uint32_t>(parsed);
  }
  if (!value.typed->IsString()) return std::nullopt;
  std::string word(value.string());
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  bool const is_negative = word.starts_with('-');
  if (word.starts_with('-') || word.starts_with('+')) word.erase(0, 1);
  if (word == "nan") return missing;
  bool const is_infinite = (word == "inf" || word == "infinity") && policy.takes_infinite;
  return is_infinite ? std::optional<std::uint64_t>(is_negative ? 0xff800000u : 0x7f800000u) : std::nullopt;
}

/// Integers are digits without point and exponent.
inline std::optional<std::int64_t> integer(Pair value) {
  if (!value.typed->IsNumber()) return std::nullopt;
  std::string_view const digits = value.string();
  std::int64_t parsed = 0;
  auto const result = std::from_chars(digits.data(), digits.data() + digits.size(), parsed);
  bool const is_whole = result.ec == std::errc{} && result.ptr == digits.data() + digits.size();
  return is_whole ? std::optional(parsed) : std::nullopt;
}

inline bool append_floats(Pair list, NumberPolicy policy, std::vector<std::uint64_t>& into) {
  if (!list.typed->IsArray()) return false;
  for (Pair const element : list.elements()) {
    auto const bits = float_bits(element, policy);
    if (!bits) return false;
    into.push_back(*bits);
  }
  return true;
}

inline std::optional<std::int64_t> seconds_of(std::string_view text) {
  bool const has_time = text.size() == 19;
  if (!has_time && text.size() != 10) return std::nullopt;
  std::string_view const shape = "dddd-dd-dd dd:dd:dd";
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool const is_digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == 'd' ? !is_digit : text[i] != shape[i]) return std::nullopt;
  }
  auto const number = [text](std::size_t at, std::size_t n) { return std::stoi(std::string(text.substr(at, n))); };
  using namespace std::chrono;
  year_month_day const date{year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2)))};
  if (!date.ok() || number(0, 4) == 0) return std::nullopt;
  std::int64_t seconds = sys_days(date).time_since_epoch().count() * std::int64_t{86400};
  if (!has_time) return seconds;
  if (number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) return std::nullopt;
  return seconds + number(11, 2) * 3600 + number(14, 2) * 60 + number(17, 2);
}

/// The row that a line becomes; none if it is at fault.
inline std::optional<RunRow> deepar_row(deepar::Plan const& plan, std::string const& line) {
  JsonLine const json(line);
  if (!json.is_object() || depth_of(json.typed()) > 64) return std::nullopt;
  Pair const record = {&json.typed(), &json.text()};
  auto const start = member_of(record, {"start"});
  auto const target = member_of(record, {"target"});
  auto const cat = member_of(record, {"cat", "feat_static_cat"});
  auto const features = member_of(record, {"dynamic_feat", "feat_dynamic_real"});
  if (start.count != 1 || target.count != 1 || cat.count > 1 || features.count > 1) return std::nullopt;
  RunRow row;
  if (!start.value.typed->IsString()) return std::nullopt;
  auto const seconds = seconds_of(start.value.string());
  if (!seconds) return std::nullopt;
  row.start = static_cast<std::uint64_t>(*seconds);
  if (!append_floats(target.value, {}, row.lists[0]) || row.lists[0].empty()) return std::nullopt;
  if (cat.count == 1) {
    if (!cat.value.typed->IsArray()) return std::nullopt;
    for (Pair const element : cat.value.elements()) {
      auto const value = integer(element);
      if (!value || *value < 0 || *value > 0x7fffffff) return std::nullopt;
      row.cat.push_back(static_cast<std::uint32_t>(*value));
    }
  }
  if (row.cat.size() != plan.layout.cats || (plan.layout.cats != 0 && cat.count == 0)) return std::nullopt;
  std::size_t lists = 0;
  if (features.count == 1) {
    if (!features.value.typed->IsArray()) return std::nullopt;
    for (Pair const list : features.value.elements()) {
      std::size_t const before = row.lists[1].size();
      if (!append_floats(list, {.takes_missing = false}, row.lists[1])) return std::nullopt;
      if (row.lists[1].size() - before != row.lists[0].size() + plan.prediction_length) return std::nullopt;
      ++lists;
    }
  }
  return lists == plan.dynamic_feats() ? std::optional(row) : std::nullopt;
}

inline std::optional<RunRow> vector_row(jsonl::Plan const& plan, std::string const& line) {
  JsonLine const json(line);
  if (!json.is_object() || depth_of(json.typed()) > 64) return std::nullopt;
  Pair const record = {&json.typed(), &json.text()};
  auto features = member_of(record, {"features"});
  auto label = member_of(record, {"label"});
  auto const data = member_of(record, {"data"});
  if (data.count > 1 || (data.count == 1 && !data.value.typed->IsObject())) return std::nullopt;
  auto const join = [](Found& a, Found const& b) {
    if (b.count != 0) a.value = b.value;
    a.count += b.count;
  };
  if (data.count == 1) {
    join(features, member_of(data.value, {"features"}));
    join(label, member_of(data.value, {"label"}));
  }
  if (features.count != 1 || label.count > 1) return std::nullopt;
  RunRow row;
  std::vector<std::uint64_t> values;
  NumberPolicy const policy = {true, true};
  std::size_t shape = plan.layout.features;
  bool is_sparse = false;
  if (features.value.typed->IsArray()) {
    if (!append_floats(features.value, policy, values)) return std::nullopt;
  } else {
    if (!features.value.typed->IsObject()) return std::nullopt;
    auto const value_list = member_of(features.value, {"values"});
    auto const keys = member_of(features.value, {"keys"});
    auto const extent = member_of(features.value, {"shape"});
    if (value_list.count != 1 || keys.count > 1 || extent.count > 1) return std::nullopt;
    if (!append_floats(value_list.value, policy, values)) return std::nullopt;
    if (extent.count == 1) {
      if (!extent.value.typed->IsArray() || extent.value.typed->Size() != 1) return std::nullopt;
      auto const said = integer(extent.value.elements().front());
      if (!said || *said < 1) return std::nullopt;
      if (shape != 0 && static_cast<std::size_t>(*said) != shape) return std::nullopt;
      shape = static_cast<std::size_t>(*said);
    }
    is_sparse = keys.count == 1;
    if (is_sparse) {
      if (!keys.value.typed->IsArray() || keys.value.typed->Size() != values.size()) return std::nullopt;
      std::vector<std::pair<std::int64_t, std::uint64_t>> pairs;
      for (Pair const element : keys.value.elements()) {
        auto const index = integer(element);
        if (!index || *index < 0 || *index == INT64_MAX || (shape != 0 && static_cast<std::size_t>(*index) >= shape))
          return std::nullopt;
        pairs.emplace_back(*index, values[pairs.size()]);
      }
      std::sort(pairs.begin(), pairs.end());
      for (auto const& [index, value] : pairs) {
        if (!row.indices.empty() && row.indices.back() == index) return std::nullopt;
        row.indices.push_back(index);
        row.values.push_back(value);
      }
    }
  }
  if (is_sparse != plan.layout.is_sparse) return std::nullopt;
  if (!is_sparse && values.size() != plan.layout.features) return std::nullopt;
  if (!is_sparse) row.features = values;
  if (label.count == 1) {
    bool const is_list = label.value.typed->IsArray();
    if (plan.layout.labels_vary && !is_list) return std::nullopt;
    if (is_list && !append_floats(label.value, {.takes_missing = false}, row.labels)) return std::nullopt;
    if (!is_list) {
      auto const bits = float_bits(label.value, {.takes_missing = false});
      if (!bits) return std::nullopt;
      row.labels.push_back(*bits);
    }
  }
  bool const wants_label = plan.layout.labels_vary || plan.layout.labels != 0;
  if (label.count == 0 && wants_label) return std::nullopt;
  if (!plan.layout.labels_vary && row.labels.size() != plan.layout.labels) return std::nullopt;
  return row;
}

}  // namespace penstock::reference
