/// What can be said about objects that become rows. The rules: formats/objects/README.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/json/options.hpp"
#include "formats/normalize/text_rule.hpp"
#include "penstock/dtype.hpp"

namespace penstock::objects {

/// Lists are kept as they were given: a scout reads them and says what is wrong.
struct Options {
  json::TextOptions text;
  std::string columns;  ///< empty: all keys that hold numbers
  std::string label;
  std::string weight;
  std::string qid;
  std::string ignore;
  std::string label_map;
  std::string nulls = ",nan,NA,null";
  DType dtype = DType::float32;
  bool requires_keys = false;   ///< a key of a column that is absent is a fault, and not a missing value
  bool clips_overflow = false;  ///< numbers beyond a floating-point type become infinite
  bool takes_infinite = false;  ///< infinities that are spelled out
  std::string texts;            ///< columns of text, those of `columns` or others: for a normaliser
  /// What is done with each of them; empty: their texts are kept. Outlives the plan.
  std::span<normalize::TextRule const> text_rules = {};
  /// Without `columns`: keys that hold texts are columns of text too. Texts that are too long are cut.
  bool finds_texts = false;
};

inline constexpr FormatOption<Options> option_list[] = {
    json::lenient_option<Options>,
    json::unknown_keys_option<Options>,
    {"missing-keys", "missing|error", "a column's key that is absent: a missing value (default) or a fault",
     [](Options& o, std::string_view v) {
       return json::choose(o.requires_keys, v, {"missing", "error"}, {false, true});
     }},
    {"columns", "LIST", "the features, in this order: paths such as a, a.b or a.b[2]; \"a.b\" is a key with a point",
     [](Options& o, std::string_view v) { return o.columns = v, true; }},
    {"label", "LIST", "labels: paths", [](Options& o, std::string_view v) { return o.label = v, true; }},
    {"weight", "PATH", "the record's weight", [](Options& o, std::string_view v) { return o.weight = v, true; }},
    {"qid", "PATH", "the query id (an integer)", [](Options& o, std::string_view v) { return o.qid = v, true; }},
    {"ignore", "LIST", "paths to leave out", [](Options& o, std::string_view v) { return o.ignore = v, true; }},
    {"label-map", "LIST", "strings that are labels, as numbers: 'setosa=0,versicolor=1'",
     [](Options& o, std::string_view v) { return o.label_map = v, true; }},
    {"null", "LIST", "strings that count as missing (default ',nan,NA,null')",
     [](Options& o, std::string_view v) { return o.nulls = v, true; }},
    {"dtype", "float32|float64|int32|int64", "the type of the features",
     [](Options& o, std::string_view v) {
       return json::choose(o.dtype, v, {"float32", "float64", "int32", "int64"},
                           {DType::float32, DType::float64, DType::int32, DType::int64});
     }},
    {"texts", "LIST", "",  // set by a normaliser, not by users
     [](Options& o, std::string_view v) { return o.texts = v, true; }},
    {"overflow", "error|inf", "numbers beyond the range of their type",
     [](Options& o, std::string_view v) {
       return json::choose(o.clips_overflow, v, {"error", "inf"}, {false, true});
     }},
    {"inf", "error|pass", "strings that spell infinity, and Infinity where --lenient reads it",
     [](Options& o, std::string_view v) {
       return json::choose(o.takes_infinite, v, {"error", "pass"}, {false, true});
     }},
};

}  // namespace penstock::objects
