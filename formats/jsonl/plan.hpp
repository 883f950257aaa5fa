/// What a decoder has to know about vectors in JSON lines: the outcome of options and scouting.
#pragma once

#include <cstdint>

#include "formats/json/options.hpp"
#include "penstock/batch.hpp"

namespace penstock::jsonl {

/// A plain value.
struct Plan {
  BatchLayout layout;
  json::TextOptions text;
  bool clips_overflow = false;
  bool checks_shape = true;      ///< a shape that a sparse record says must be the number of features
  std::uint64_t first_line = 1;  ///< of the record that decides about form, width and labels; in the first file
};

}  // namespace penstock::jsonl
