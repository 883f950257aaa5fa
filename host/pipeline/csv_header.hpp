/// Header records: names of columns, and how a file's columns relate to those of the first file.
#pragma once

#include "formats/csv/cell.hpp"
#include "host/pipeline/column_list.hpp"
#include "host/pipeline/csv_sniff.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {

/// Columns of a file at most (formats/csv/README.md, "Limits").
inline constexpr std::size_t columns_max = std::size_t{1} << 24;

/// A file's header record with what is needed to read it and to complain about it.
struct HeaderRecord {
  SampledRecord const& record;
  csv::CellRules const& rules;
  std::string const& file;
};

/// The names in a header, in its order. Throws SchemaError for names that occur twice (also empty ones), names
/// longer than csv::rewritten_cell_max with quotes inside, stray quotes if quotes are strict, and too
/// many columns.
[[nodiscard]] std::vector<std::string> header_names(HeaderRecord const& header);

/// For each column of the header its number among `expected`, which are the columns of `first_file`. Throws
/// SchemaError, with what is missing and what is extra, unless the header holds the same names in any order.
[[nodiscard]] std::vector<std::size_t> match_header(HeaderRecord const& header, ColumnNames const& expected,
                                                    std::string_view first_file);

}  // namespace penstock
