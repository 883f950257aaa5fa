/// What `inspect` found out, and how it says so.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "host/app/batch_summary.hpp"
#include "host/app/file_formats.hpp"
#include "host/app/reject_summary.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/csv_plan.hpp"

namespace penstock::app {

/// An input of any kind, and what its rows hold.
struct Inspection {
  std::vector<InputFile> const& files;
  FileFormat const& format;
  std::unique_ptr<BatchReader> reader = {};
  PlannedReader* planned = nullptr;  ///< the reader, if records come through lanes
  CsvPlan const* csv = nullptr;      ///< the reader's plan, if it reads CSV
  std::string ignored_text = {};     ///< columns of text that were left out, as --ignore takes them
  std::vector<std::size_t> text_columns = {};
  std::vector<std::string> nulls = {};  ///< spellings of a missing value in CSV, in force
  RejectKinds kinds = {};
  std::optional<RejectSummary> rejects = {};  ///< of CSV
  std::optional<BatchSummary> summary = {};

  /// Records that were rejected; none of arrays.
  [[nodiscard]] std::uint64_t rejected() const { return planned == nullptr ? 0 : planned->stream().counts().rejected; }
  /// By column of the CSV file: missing cells of the features. Empty if they were not counted by column.
  [[nodiscard]] std::vector<std::uint64_t> missing_by_column() const;
  /// Columns of the features, as far as they are known: of sparse features without a width those that were seen.
  [[nodiscard]] std::size_t width() const;
  /// Pairs by places in the matrix, from 0 to 1; nothing where there are no places.
  [[nodiscard]] std::optional<double> density() const;
};

/// For people, many lines.
[[nodiscard]] std::string inspection_text(Inspection const& inspection);
/// One line. docs/cli.md names the members.
[[nodiscard]] std::string inspection_json(Inspection const& inspection);

}  // namespace penstock::app
