/// What can be said about vectors in JSON lines. The rules: formats/jsonl/README.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/json/options.hpp"
#include "penstock/dtype.hpp"

namespace penstock::jsonl {

struct Options {
  json::TextOptions text;
  DType dtype = DType::float32;
  std::size_t num_features = 0;  ///< of sparse records; 0: not given
  bool multilabel = false;       ///< records have lists of labels of any length
  bool clips_overflow = false;   ///< numbers beyond a floating-point type become infinite
};

struct WriteOptions {};

inline constexpr FormatOption<Options> option_list[] = {
    json::lenient_option<Options>,
    json::unknown_keys_option<Options>,
    {"num-features", "N", "columns of sparse features that do not say their shape",
     [](Options& o, std::string_view v) { return json::read_size(o.num_features, v) && o.num_features != 0; }},
    {"multilabel", "", "a record has a list of labels, of any length",
     [](Options& o, std::string_view v) { return json::set_flag(o.multilabel, v); }},
    {"dtype", "float32|float64|int32|int64", "the type of the values",
     [](Options& o, std::string_view v) {
       return json::choose(o.dtype, v, {"float32", "float64", "int32", "int64"},
                           {DType::float32, DType::float64, DType::int32, DType::int64});
     }},
    {"overflow", "error|inf", "values beyond the range of their type",
     [](Options& o, std::string_view v) {
       return json::choose(o.clips_overflow, v, {"error", "inf"}, {false, true});
     }},
};

inline constexpr std::array<FormatOption<WriteOptions>, 0> write_option_list = {};

}  // namespace penstock::jsonl
