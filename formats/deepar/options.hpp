/// What can be said about DeepAR lines. The rules: formats/deepar/README.md.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/json/options.hpp"

namespace penstock::deepar {

struct Options {
  json::TextOptions text;
  std::size_t prediction_length = 0;  ///< by which dynamic_feat is longer than target
  bool checks_categories = true;      ///< every category of each position must occur
};

struct WriteOptions {};

inline constexpr FormatOption<Options> option_list[] = {
    json::lenient_option<Options>,
    json::unknown_keys_option<Options>,
    {"prediction-length", "N", "lists of dynamic_feat are N longer than target (default 0: as in training)",
     [](Options& o, std::string_view v) { return json::read_size(o.prediction_length, v); }},
    {"categories", "complete|any", "whether each category up to the largest must occur (default: it must)",
     [](Options& o, std::string_view v) {
       return json::choose(o.checks_categories, v, {"complete", "any"}, {true, false});
     }},
};

inline constexpr std::array<FormatOption<WriteOptions>, 0> write_option_list = {};

}  // namespace penstock::deepar
