/// Faults for people: where, what, and what to do about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "host/pipeline/input_plan.hpp"
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
  std::uint64_t line = 0;          ///< 1-based physical line (frame) of the file on which the cell (or quote) stands
  std::uint64_t line_column = 0;   ///< 1-based byte in that line (frame)
  std::uint64_t offset_bytes = 0;  ///< of the cell in the (decompressed) file, 0-based
  std::uint64_t record_offset_bytes = 0;
  std::uint32_t column = 0;  ///< Fault::column
  std::string column_name;   ///< of a named column, else empty
  std::string cell;          ///< the cell's raw bytes, at most 1 KiB of them
  std::string line_text;     ///< the physical line around the cell, at most 1 KiB on either side of it; bytes in hex
  std::size_t caret_begin = 0, caret_end = 0;  ///< the cell in line_text
  Role role = Role::ignore;                    ///< of a column

  std::string_view unit = "line";
  std::string subject;              ///< `column "age" (#2)`, `pair 3`; may be empty
  std::string expected;             ///< what is wrong, in words
  std::string found;                ///< what stands there, as it is shown; may be empty
  std::string remedy;               ///< the options that change it
  std::string first_record_remedy;  ///< one more, if it is the first record of all
  std::string go_on;                ///< which policies would go on behind this fault
};

/// Everything that can be said about a fault of `chunk`. `places` has been begun with the chunk and is moved to the
/// fault's line. Nothing in it depends on how the input was cut, if no record is longer than `record_max`.
FaultReport report_fault(Fault const& fault, Chunk const& chunk, InputPlan const& plan, PlaceFinder& places,
                         std::size_t record_max);

/// The words of a fault: what, where, excerpt with caret, what was expected, which option changes it. Several lines.
std::string describe(FaultReport const& report);
/// Which policies would go on behind this fault.
std::string policy_hint(FaultReport const& report);
/// The first of these lines: `a.csv:3:5: column "age" (#2): expected a number, found "4O"`.
std::string summary_of(FaultReport const& report);
std::string_view name_of(FaultCode code);
/// The general words of a code: `expected a number`.
std::string_view words_of(FaultCode code);

}  // namespace penstock
