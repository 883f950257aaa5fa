/// What the first bytes of a CSV text show: its records, delimiter, header and kinds of columns. Everything here is
/// a function of those bytes and the dialect; nothing depends on how they were read.
/// Records are those of formats/csv/README.md, including the lines that are rejected.
#pragma once

#include "formats/csv/cell.hpp"
#include "formats/csv/options.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {

/// The first bytes of a file, behind its byte order mark.
struct HeadText {
  std::string_view bytes;
  bool is_whole = false;  ///< the file has no others
};

/// A record of a HeadText; the views point into it.
struct SampledRecord {
  std::size_t begin = 0;                ///< offset of its first byte
  std::size_t end = 0;                  ///< one past its last byte; the line end is not included
  std::vector<std::string_view> cells;  ///< as they stand there, quotes included
  bool has_stray_quote = false;
};

/// The records of a HeadText, without blank lines and comments.
struct SampledRecords {
  std::vector<SampledRecord> whole;
  std::optional<SampledRecord> cut_off;  ///< the one that the text ends in, unless the file ends there too
  std::size_t rejects = 0;               ///< lines that begin a record without an end
  bool begins_with_reject = false;       ///< one of them stands before every whole record

  [[nodiscard]] bool empty() const { return whole.empty() && !cut_off && rejects == 0; }
};

/// As many records as a text has.
inline constexpr std::size_t all_records = ~std::size_t{0};

/// The records of `text`, the first `records_max` whole ones of them at most.
[[nodiscard]] SampledRecords sample_records(HeadText text, csv::Dialect const& dialect, std::size_t record_max,
                                            std::size_t records_max = all_records);

/// A delimiter and how well it fits.
struct DelimiterGuess {
  char delimiter = ',';
  std::size_t fields = 1;    ///< that most records have
  std::size_t agreeing = 0;  ///< records with that many
  std::size_t records = 0;

  [[nodiscard]] bool is_consistent() const { return agreeing == records; }
};

/// The one of , TAB ; | that gives every whole record the same number of fields, the most of those; if none does,
/// the one on which most records agree. A record that is cut off counts only if it is the only one. One
/// field throughout gives the comma. The dialect's own delimiter is not looked at.
[[nodiscard]] DelimiterGuess guess_delimiter(HeadText text, csv::Dialect dialect, std::size_t record_max);

enum class CellGuess { number, missing, text };

/// A class name of the label map is text, whatever else it could be.
[[nodiscard]] CellGuess guess_cell(std::string_view cell, csv::CellRules const& rules);

/// The text of a cell without quotes; nothing if it is longer than csv::rewritten_cell_max.
[[nodiscard]] std::optional<std::string> unquoted(std::string_view cell, csv::Dialect const& dialect);

enum class HeaderGuess { yes, no, undecided };

/// No: a cell of the first record is a number or missing. Yes: none is, and some cell below is a number.
/// Undecided: text throughout, or one record only.
[[nodiscard]] HeaderGuess guess_header(std::span<SampledRecord const> records, csv::CellRules const& rules);

/// What the sample shows of one column.
struct SampledColumn {
  bool has_number = false;
  std::optional<std::string> text;  ///< the first cell that is neither a number nor missing, without quotes

  [[nodiscard]] bool is_text() const { return text && !has_number; }
};

/// The columns [0, width), as records with that many fields show them.
[[nodiscard]] std::vector<SampledColumn> sample_columns(std::span<SampledRecord const> records, std::size_t width,
                                                        csv::CellRules const& rules);

/// The different texts in these columns, in bytewise order; numbers and missing cells are left out.
[[nodiscard]] std::vector<std::string> sample_names(std::span<SampledRecord const> records,
                                                    std::span<std::size_t const> columns, csv::CellRules const& rules);

/// Physical line ends: CR, CR LF and LF each count once.
[[nodiscard]] std::size_t count_line_ends(std::string_view text);

}  // namespace penstock
