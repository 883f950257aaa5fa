/// Lists in options: `a,c:e,#7` for columns, `setosa=0,versicolor=1` for class names.
///
/// Items are separated by commas. An item, or either end of a range, may stand in double quotes; then commas and colons
/// in it are text and "" is one quote. A column is
///   - a name; quoted it is nothing else;
///   - a 0-based index, unless a column has that name; `#7` is an index in any case;
///   - an inclusive range of columns in the file's order, `a:e` or `3:7`, unless the whole item, with nothing in
///     quotes, is a name.
/// Blanks around an item that is not quoted count only if a name has them too.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace penstock {

/// One item of a list, without quotes.
struct ListItem {
  std::string text;
  bool is_quoted = false;           ///< it begins with a quote
  std::vector<std::size_t> colons;  ///< offsets in `text` of colons outside quotes
  std::size_t quoted_end = 0;       ///< one past the last byte of `text` that was quoted
};

/// Splits a list. `option` is what messages call it ("--columns"). An empty list has no items. Throws
/// ConfigurationError for empty items and for quotes that are not closed.
[[nodiscard]] std::vector<ListItem> split_list(std::string_view list, std::string_view option);

/// `text` without the blanks (space, tab) around it.
[[nodiscard]] std::string_view without_blanks(std::string_view text);

/// `name` as an item that stands for nothing else: quoted where it has to be.
[[nodiscard]] std::string list_item(std::string_view name);

/// Text as one word of a POSIX shell: in single quotes where it has to be.
[[nodiscard]] std::string shell_word(std::string_view text);

/// A name or a cell in a message: in double quotes, as escape_for_display() shows it, at most 60 columns wide.
[[nodiscard]] std::string shown(std::string_view text);

/// `count` shown() names joined with commas; of more than `shown_max` the rest is counted.
[[nodiscard]] std::string shown_list(std::vector<std::string> const& names, std::size_t shown_max);

/// The nearest() of `names`; empty if there is none.
[[nodiscard]] std::string nearest_name(std::string_view name, std::vector<std::string> const& names);

/// The names of a file's columns, and what lists of columns mean there. Does not move: it holds views of itself.
class ColumnNames {
 public:
  /// `names` in the file's order, pairwise different. `file` is what messages call the file. Without a header the
  /// names are indices, and not kept.
  ColumnNames(std::vector<std::string> names, bool has_header, std::string file);
  /// The columns of a file without a header: their names are 0-based indices, which take no memory, and messages
  /// say so.
  ColumnNames(std::size_t count, std::string file);
  ColumnNames(ColumnNames const&) = delete;
  ColumnNames& operator=(ColumnNames const&) = delete;

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool has_header() const { return has_header_; }
  [[nodiscard]] std::string name(std::size_t column) const;
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;
  /// What messages call a column: its name in quotes, or "column 3" where it has none.
  [[nodiscard]] std::string word_for(std::size_t column) const;
  /// An item of a list that stands for a column.
  [[nodiscard]] std::string item_for(std::size_t column) const;

  /// The columns that `list` names, in its order. Throws ConfigurationError, with a hint, for columns that do
  /// not exist and columns that are named twice.
  [[nodiscard]] std::vector<std::size_t> resolve(std::string_view list, std::string_view option) const;

 private:
  struct Range {
    std::size_t first;
    std::size_t last;
  };

  [[nodiscard]] std::optional<std::size_t> find_item(std::string_view text, bool is_quoted) const;
  [[nodiscard]] std::optional<Range> find_range(ListItem const& item) const;
  [[nodiscard]] Range range_of(ListItem const& item, std::string_view option) const;
  [[noreturn]] void throw_unknown(ListItem const& item, std::string_view option) const;
  [[noreturn]] void throw_out_of_range(std::string_view item, std::string_view option) const;
  [[nodiscard]] std::string hint_for(std::string_view name) const;

  std::vector<std::string> names_;  ///< none without a header
  std::size_t count_;
  bool has_header_;
  std::string file_;
  std::unordered_map<std::string_view, std::size_t> index_of_;
};

}  // namespace penstock
