/// Cells of columns of text: what a normaliser reads, beside numbers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/platform.hpp"
#include "formats/csv/cell.hpp"
#include "formats/normalize/text_rule.hpp"

namespace penstock::csv {

/// What decides the meaning of columns of text, besides CellRules.
struct TextRules {
  View<normalize::TextRule> rules;  ///< of each; none: their texts are kept as they are
  bool cuts = false;                ///< texts that are too long are taken as far as they may be; else they are faults
};

/// Makes of a text one that is not too long. False: that is a fault. `fits`, `text` and `memory`: of cell_text().
PENSTOCK_HD inline bool limit_text(Bytes& text, bool fits, char const* memory, bool cuts) {
  if (fits && text.size() <= rewritten_cell_max) return true;
  if (!fits) text.begin = memory;
  text.end = text.begin + rewritten_cell_max;
  return cuts;
}

/// A column's cell that is not missing, by its rule. `head` is normalize::head_of() the text.
PENSTOCK_HD_HOT Cell<double> read_category(Bytes text, std::uint64_t head, normalize::TextRule const& rule) {
  normalize::TextValue const read = normalize::read_text(rule, head, text.begin, text.size());
  if (read.kind == normalize::TextValue::value) return {read.number, CellKind::value, {}, false};
  bool const is_missing = read.kind == normalize::TextValue::missing;
  return {missing_value<double>(), is_missing ? CellKind::missing : CellKind::fault, FaultCode::unknown_text, false};
}
PENSTOCK_HD inline Cell<double> read_category(Bytes text, normalize::TextRule const& rule) {
  return read_category(text, normalize::head_of(text.begin, text.size()), rule);
}

}  // namespace penstock::csv
