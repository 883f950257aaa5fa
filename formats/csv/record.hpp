/// Records that are not plain: which lines are none, what rejects a record, and what is said about it. The rules
/// (formats/csv/README.md, "Cells") stand here once for all engines; a Record knows where its cells end and takes their
/// values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "formats/csv/cell.hpp"
#include "formats/csv/grammar.hpp"
#include "formats/csv/plan.hpp"
#include "penstock/fault.hpp"

namespace penstock::csv {

/// Whether a line that is one cell is no record: blank, or a comment.
PENSTOCK_HD inline bool is_skipped_line(Bytes cell, Dialect const& dialect) {
  return (dialect.comment != 0 && cell.size() > 0 && *cell.begin == dialect.comment) ||
         trimmed(cell, dialect).size() == 0;
}

inline constexpr std::uint32_t no_stray = ~std::uint32_t{0};

/// The first stray quote of the record that begins at `begin`, if it lies before `end`.
PENSTOCK_HD inline std::uint32_t find_stray(char const* text, std::uint32_t begin, std::uint32_t end,
                                            ByteClasses const& classes) {
  State state = State::record_start;
  for (std::uint32_t i = begin; i < end; ++i) {
    Step const s = step(state, classes[text[i]]);
    if (s.is_stray) return i;
    state = s.next;
  }
  return no_stray;
}

/// What the functions below ask of a record. Offsets count from the start of the chunk's text.
struct RecordExample {
  [[nodiscard]] std::uint32_t width() const;   ///< fields that it should have
  [[nodiscard]] std::uint32_t fields() const;  ///< fields that it has; width() + 1 stands for any larger number
  [[nodiscard]] bool is_complete() const;      ///< its last field is among them
  [[nodiscard]] std::uint32_t begin() const;
  /// Where field `column` of fields() ends.
  [[nodiscard]] std::uint32_t end_of(std::uint32_t column);
  /// With strict quotes the first stray quote before `end`; else no_stray.
  [[nodiscard]] std::uint32_t stray_before(std::uint32_t end) const;
  /// Reads the cell that `fault` describes. False: it rejects the record, and `fault.code` says why.
  [[nodiscard]] bool convert(Fault& fault);
  [[nodiscard]] bool repairs_cells() const;
  /// Takes note of a cell that became a missing value.
  void repair(Fault const& fault);
};

namespace detail {
template <class Record>
PENSTOCK_HD std::uint32_t column_of(Record& record, std::uint32_t offset) {
  std::uint32_t column = 0;
  while (record.end_of(column) < offset) ++column;
  return column;
}
}  // namespace detail

/// Walks the record's cells in order, converting and, if the policy says so, repairing. True: `fault`, the one at the
/// lowest byte, rejects the record (its `record_end` lies further on if the record is not complete).
template <class Record>
PENSTOCK_HD bool find_fault(Record& record, Fault& fault) {
  std::uint32_t const width = record.width(), fields = record.fields();
  std::uint32_t const expected = fields < width ? fields : width;
  fault.record_begin = record.begin();
  fault.record_end = record.end_of(fields - 1);
  std::uint32_t const stray = record.stray_before(fault.record_end);
  std::uint32_t begin = fault.record_begin;
  for (std::uint32_t c = 0; c < expected; ++c) {
    fault.column = c;
    fault.cell_begin = begin;
    fault.cell_end = record.end_of(c);
    bool const is_at_early_end = fields < width && begin == fault.record_end;  // that it ends there comes first
    if (stray < begin || is_at_early_end) break;
    if (!record.convert(fault)) return true;
    begin = fault.cell_end + 1;
  }
  if (stray != no_stray && (fields <= width || stray < begin)) {
    fault.cell_begin = stray;
    fault.cell_end = stray + 1;
    fault.column = detail::column_of(record, stray);
    fault.code = FaultCode::stray_quote;
    return true;
  }
  if (record.is_complete() && fields == width) return false;
  fault.column = expected;
  fault.code = fields < width ? FaultCode::too_few_fields : FaultCode::too_many_fields;
  fault.cell_begin = fields < width ? fault.record_end : begin;
  fault.cell_end = fields < width ? fault.record_end : record.end_of(width);
  return true;
}

/// What becomes of the feature cell that `fault` describes. False: it rejects the record.
template <class T, class Record>
PENSTOCK_HD bool settle_feature(Record& record, Cell<T> const& cell, Fault& fault) {
  if (cell.kind != CellKind::fault) return true;
  fault.code = cell.code;
  if (!record.repairs_cells() || !std::is_floating_point_v<T>) return false;
  Fault repaired = fault;
  repaired.is_repaired = true;
  record.repair(repaired);
  return true;
}

}  // namespace penstock::csv
