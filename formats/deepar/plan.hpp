/// What a decoder has to know about DeepAR lines: the outcome of options and scouting.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/json/options.hpp"
#include "penstock/batch.hpp"

namespace penstock::deepar {

/// A plain value.
struct Plan {
  BatchLayout layout = {.has_start = true, .lists = {ListLayout{ListRole::target}}};
  json::TextOptions text;
  std::size_t prediction_length = 0;
  bool checks_categories = true;
  std::uint64_t first_line = 1;  ///< of the record that decides about cat and dynamic_feat; in the first file

  /// Lists in each dynamic_feat.
  [[nodiscard]] constexpr std::size_t dynamic_feats() const {
    return layout.lists[1].role == ListRole::none ? 0 : layout.lists[1].parts;
  }
};

}  // namespace penstock::deepar
