/// Why records were rejected: kinds and examples of any input; of CSV columns, the commonest bad cells, and what would
/// help.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/pipeline/csv_plan.hpp"
#include "host/pipeline/fault_report.hpp"

namespace penstock::app {

/// A spelling that is no value, and how often it stands there.
struct BadCell {
  std::string cell;  ///< without quotes; cut after spelling_bytes_max
  std::uint64_t records = 0;
};
inline constexpr std::size_t spelling_bytes_max = 32;
/// Of a column's spellings these are told; a column of many spellings is text, whichever they are.
inline constexpr std::size_t spellings_told_max = 5;

/// Counts rejected records by the first fault of each, and keeps the first of each kind in words.
class RejectKinds {
 public:
  void add(FaultReport const& report);

  struct Kind {
    FaultCode code;
    std::uint64_t records = 0;
    std::string example;  ///< summary_of() the first

    /// "bad index".
    [[nodiscard]] std::string words() const;
  };
  /// In the order of the codes.
  [[nodiscard]] std::vector<Kind> found() const;

 private:
  std::array<std::uint64_t, fault_codes> records_{};
  std::array<std::string, fault_codes> examples_;
};

/// Rejected records of CSV by the cell that was first at fault. Memory: at most a kilobyte or two for each column with
/// faults.
class RejectSummary {
 public:
  explicit RejectSummary(CsvPlan const& plan);

  void add(FaultReport const& report);

  /// Records that were rejected for a cell of this column of the first file.
  [[nodiscard]] std::uint64_t rejecting(std::size_t column) const;
  /// The commonest spellings, the commonest first, among those that came early enough to be counted.
  [[nodiscard]] std::vector<BadCell> bad_cells(std::size_t column) const;
  /// Options that would make values of most bad cells, ready to be pasted; empty if none would. `nulls` are the
  /// spellings in force.
  [[nodiscard]] std::string suggestion(std::vector<std::string> const& nulls) const;

 private:
  struct Column {
    std::uint64_t records = 0;
    std::vector<BadCell> cells;  ///< in the order in which they came first
  };

  [[nodiscard]] std::size_t column_of(FaultReport const& report) const;
  void add_cell(Column& column, FaultReport const& report);

  CsvPlan const& plan_;
  std::unordered_map<std::string, std::size_t> index_of_;  ///< columns by name: files may have other orders
  std::unordered_map<std::size_t, Column> columns_;
  std::vector<std::string> nulls_;  ///< spellings that other programs write for a missing value, as they stand there
  bool wants_trim_ = false;
};

}  // namespace penstock::app
