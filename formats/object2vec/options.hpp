/// What can be said about Object2Vec lines. The rules: formats/object2vec/README.md.
#pragma once

#include <cstddef>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/json/options.hpp"

namespace penstock::object2vec {

struct Options {
  json::TextOptions text;
  std::size_t vocab_size = 0;  ///< tokens are below it; 0: not given
};

inline constexpr FormatOption<Options> option_list[] = {
    json::lenient_option<Options>,
    json::unknown_keys_option<Options>,
    {"vocab-size", "N", "a token from N on is a fault (default: any up to 2147483647)",
     [](Options& o, std::string_view v) { return json::read_size(o.vocab_size, v) && o.vocab_size != 0; }},
};

}  // namespace penstock::object2vec
