/// What the first bytes of a CSV text show: its records, delimiter, header and kinds of columns. Everything here is
/// a function of those bytes and the dialect; nothing depends on how they were read.
/// Records are those of formats/csv/README.md, including the lines that are rejected.
#pragma once

#include "formats/csv/cell.hpp"
#include "formats/csv/grammar.hpp"
#include "formats/csv/options.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
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

/// The cells of a record as they stand there, quotes included. They are found while one goes over them, so a record of
/// millions of cells takes no memory for them. Views of the text and of the dialect's byte classes.
class SampledCells {
 public:
  class Iterator {
   public:
    using iterator_concept = std::forward_iterator_tag;
    using iterator_category = std::input_iterator_tag;  // in the old sense: cells are made on the way
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    using reference = std::string_view;
    using pointer = void;

    Iterator() = default;
    Iterator(std::string_view record, csv::ByteClasses const* classes) : record_(record), classes_(classes), next_(0) {
      ++*this;
    }

    [[nodiscard]] std::string_view operator*() const { return record_.substr(begin_, end_ - begin_); }
    Iterator& operator++();
    Iterator operator++(int) {
      Iterator const before = *this;
      ++*this;
      return before;
    }
    /// Of iterators over one record, or of one and the end.
    [[nodiscard]] bool operator==(Iterator const& other) const { return next_ == other.next_; }

   private:
    static constexpr std::size_t behind_all = ~std::size_t{0};

    std::string_view record_;
    csv::ByteClasses const* classes_ = nullptr;
    csv::State state_ = csv::State::record_start;
    std::size_t begin_ = 0, end_ = 0;  ///< the cell
    std::size_t next_ = behind_all;    ///< where the next one begins; behind the last: record_.size() + 1
  };

  SampledCells() = default;
  SampledCells(std::string_view record, std::size_t count, csv::ByteClasses const* classes)
      : record_(record), count_(count), classes_(classes) {}

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] Iterator begin() const { return count_ == 0 ? Iterator() : Iterator(record_, classes_); }
  [[nodiscard]] Iterator end() const { return {}; }
  /// The first `count_max` cells.
  [[nodiscard]] std::vector<std::string> first(std::size_t count_max) const;

 private:
  std::string_view record_;
  std::size_t count_ = 0;
  csv::ByteClasses const* classes_ = nullptr;
};

/// A record of a HeadText; its cells are views of that and of the SampledRecords that it is from.
struct SampledRecord {
  std::size_t begin = 0;  ///< offset of its first byte
  std::size_t end = 0;    ///< one past its last byte; the line end is not included
  SampledCells cells;
  bool has_stray_quote = false;
};

/// A line that begins a record without an end.
struct SampledReject {
  bool is_quote_open = false;  ///< where the record should have ended; else it is too long
  std::string line;            ///< what it begins with, some 100 bytes at most
};

/// The records of a HeadText, without blank lines and comments.
struct SampledRecords {
  std::vector<SampledRecord> whole;
  std::optional<SampledRecord> cut_off;       ///< the one that the text ends in, unless the file ends there too
  std::size_t rejects = 0;                    ///< lines that begin a record without an end
  bool begins_with_reject = false;            ///< one of them stands before every whole record
  std::optional<SampledReject> first_reject;  ///< there is one if there are rejects
  std::size_t rejects_end = 0;                ///< offset behind the last reject and its line end, or the text's size
  bool ends_in_reject = false;                ///< the text ends before that line end
  bool gave_up = false;                       ///< so many lines open a quote without an end that the rest was left
  std::shared_ptr<csv::ByteClasses const> classes = {};

  [[nodiscard]] bool empty() const { return whole.empty() && !cut_off && rejects == 0; }
};

/// Records that are sampled at most: as many as 64 KiB hold, which is what is looked at unless records are wide.
inline constexpr std::size_t sampled_max = std::size_t{1} << 15;

/// The records of `text`, the first `records_max` whole ones of them at most.
[[nodiscard]] SampledRecords sample_records(HeadText text, csv::Dialect const& dialect, std::size_t record_max,
                                            std::size_t records_max = sampled_max);

/// Passes over the blank lines and comments that a text begins with. The text may come in pieces.
class LeadingLines {
 public:
  /// `is_delimiter_known`: the dialect's delimiter is not yet to be guessed. With trimming, a line of tabs is blank
  /// only if the tab is not the delimiter.
  LeadingLines(csv::Dialect const& dialect, bool is_delimiter_known)
      : dialect_(dialect), is_delimiter_known_(is_delimiter_known) {}

  /// The bytes at the start of a piece that belong to such lines. The next piece begins behind them, and `text.bytes`
  /// then has more bytes or is_whole.
  [[nodiscard]] std::size_t pass(HeadText text);

 private:
  [[nodiscard]] bool is_blank(char byte) const;
  [[nodiscard]] std::size_t pass_line(HeadText text, std::size_t at);

  csv::Dialect dialect_;
  bool is_delimiter_known_;
  bool is_in_comment_ = false;
};

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
/// field throughout gives the comma. Where the comma would win, the semicolon does if it is consistent too and
/// explains the commas: each is the decimal comma of a number that is a field. The dialect's own delimiter is
/// not looked at.
[[nodiscard]] DelimiterGuess guess_delimiter(HeadText text, csv::Dialect dialect, std::size_t record_max);

enum class CellGuess { number, missing, text };

/// A class name of the label map is text, whatever else it could be.
[[nodiscard]] CellGuess guess_cell(std::string_view cell, csv::CellRules const& rules);

/// The text of a cell without quotes; nothing if it is longer than csv::rewritten_cell_max.
[[nodiscard]] std::optional<std::string> unquoted(std::string_view cell, csv::Dialect const& dialect);

/// What a text is instead of a number.
struct NearNumber {
  bool is_padded : 1 = false;          ///< a number, or missing, with blanks around it
  bool has_decimal_comma : 1 = false;  ///< `1,5`
  bool is_spaced : 1 = false;          ///< `1 2.5 3`: numbers with spaces between them

  NearNumber& operator|=(NearNumber other);
};

[[nodiscard]] NearNumber near_number(std::string_view text, csv::CellRules const& rules);

/// What helps to read such texts as numbers, in a sentence for a hint; empty if there is nothing.
[[nodiscard]] std::string advice_for(NearNumber found, csv::Dialect const& dialect);

enum class HeaderGuess { yes, no, undecided };

/// No: a cell of the first record is a number or missing. Yes: none is, and some cell below is a number.
/// Undecided: text throughout, or one record only.
[[nodiscard]] HeaderGuess guess_header(std::span<SampledRecord const> records, csv::CellRules const& rules);

/// Whether a first record that is no header for its numbers and missing cells could be one all the same (`,a,b`;
/// `2019,2020,x`): at least half of its texts, and one, stand above numbers.
[[nodiscard]] bool resembles_header(std::span<SampledRecord const> records, csv::CellRules const& rules);

/// What the sample shows of one column.
struct SampledColumn {
  bool has_number : 1 = false;
  bool has_text : 1 = false;  ///< a cell that is neither a number nor missing
  NearNumber near_numbers = {};

  [[nodiscard]] bool is_text() const { return has_text && !has_number; }
};

/// The columns [0, width), as records with that many fields show them.
[[nodiscard]] std::vector<SampledColumn> sample_columns(std::span<SampledRecord const> records, std::size_t width,
                                                        csv::CellRules const& rules);

/// For each of these columns, which ascend, the first text in it without quotes, in records of `width` fields; empty if
/// there is none.
[[nodiscard]] std::vector<std::string> first_texts(std::span<SampledRecord const> records, std::size_t width,
                                                   std::span<std::uint32_t const> columns, csv::CellRules const& rules);

/// The different texts in these columns, in bytewise order; numbers and missing cells are left out.
[[nodiscard]] std::vector<std::string> sample_names(std::span<SampledRecord const> records,
                                                    std::span<std::uint32_t const> columns,
                                                    csv::CellRules const& rules);

/// Physical line ends, as LineCounter counts them: CR, CR LF and LF each count once. `follows_cr`: the byte before is a
/// CR.
[[nodiscard]] std::size_t count_line_ends(std::string_view text, bool follows_cr = false);

}  // namespace penstock
