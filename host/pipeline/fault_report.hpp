/// Faults for people: where, what, and what to do about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "host/pipeline/csv_plan.hpp"
#include "host/pipeline/line_counter.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"
#include "penstock/fault.hpp"

namespace penstock {

/// A fault with everything that can be said about it, independent of how the input was cut.
struct FaultReport {
  FaultCode code = FaultCode::not_a_number;
  bool is_repaired = false;
  std::string file;
  std::uint32_t shard = 0;
  std::uint64_t record = 0;        ///< 1-based number of the record in its stream of all records
  std::uint64_t line = 0;          ///< 1-based physical line of the file on which the cell (or quote) stands
  std::uint64_t line_column = 0;   ///< 1-based byte column in that line
  std::uint64_t offset_bytes = 0;  ///< of the cell in the (decompressed) file, 0-based
  std::uint64_t record_offset_bytes = 0;
  std::uint32_t column = 0;  ///< 0-based column of the file
  std::string column_name;   ///< empty if the column has none
  std::string cell;          ///< the cell's raw bytes, at most 1 KiB of them
  std::string line_text;     ///< the physical line around the cell, at most 1 KiB on either side of it
  std::size_t caret_begin = 0, caret_end = 0;  ///< the cell in line_text
  std::size_t fields_expected = 0;
  Role role = Role::ignore;  ///< and type of the column: remedies depend on them
  DType dtype = DType::float32;
  bool has_header = false;
};

/// Everything that can be said about a fault of `chunk`. `lines` has been begun with the chunk and is moved to the
/// fault's line. Nothing in it depends on how the input was cut, if no record is longer than `record_max`.
FaultReport report_fault(Fault const& fault, Chunk const& chunk, CsvPlan const& plan, LineCounter& lines,
                         std::size_t record_max);

/// The words of a fault: what, where, excerpt with caret, what was expected, which option changes it. Several lines.
std::string describe(FaultReport const& report);
/// Which policies would go on behind this fault.
std::string policy_hint(FaultReport const& report);
/// The first of these lines: `a.csv:3:5: column "age" (#2): expected a number, found "4O"`.
std::string summary_of(FaultReport const& report);
std::string_view name_of(FaultCode code);

}  // namespace penstock
