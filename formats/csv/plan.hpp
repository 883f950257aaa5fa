/// What a decoder has to know about a CSV text: the outcome of options, header and sniffing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "formats/csv/text.hpp"
#include "penstock/batch.hpp"

namespace penstock::csv {

/// What becomes of a column of the file: element `place` of a row of the role's tensor.
struct Column {
  Role role = Role::ignore;
  std::uint32_t place = 0;
  bool operator==(Column const&) const = default;
};

/// Everything a decoder needs to know. The spans belong to somebody else and outlive the decoder.
struct DecodePlan {
  CellRules rules;
  std::span<std::span<Column const> const> columns;  ///< by shard: the file's columns in the file's order
  BatchLayout layout;
  bool repairs_cells = false;  ///< FaultPolicy::null: bad cells of floating-point features become missing
  TextRules texts;             ///< of columns of text
};

/// Faults that one record of `columns` columns can make at most: a round goes on only while there is room for them.
constexpr std::size_t fault_room(DecodePlan const& plan, std::size_t columns) {
  return plan.repairs_cells ? columns + 1 : 1;
}

}  // namespace penstock::csv
