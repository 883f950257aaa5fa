/// What a decoder has to know about Object2Vec lines: the outcome of options and scouting.
#pragma once

#include <cstdint>

#include "formats/json/options.hpp"
#include "penstock/batch.hpp"

namespace penstock::object2vec {

/// A plain value.
struct Plan {
  BatchLayout layout = {.lists = {ListLayout{ListRole::in0, DType::int32}, ListLayout{ListRole::in1, DType::int32}}};
  json::TextOptions text;
  std::int64_t token_max = 0x7fffffff;
  std::uint64_t first_line = 1;  ///< of the record that decides whether there are labels; in the first file
};

}  // namespace penstock::object2vec
