#include "host/pipeline/column_list.hpp"

#include "host/text/suggest.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

namespace penstock {
namespace {

bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }
bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
bool is_all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

/// Nothing unless `text` is an index; beyond the range of the type, its largest value.
std::optional<std::size_t> index_from(std::string_view text) {
  if (!is_all_digits(text)) return std::nullopt;
  std::size_t index = 0;
  auto const parsed = std::from_chars(text.data(), text.data() + text.size(), index);
  return parsed.ec == std::errc{} ? index : std::numeric_limits<std::size_t>::max();
}

/// Splits one list, byte by byte.
class ListSplitter {
 public:
  ListSplitter(std::string_view list, std::string_view option) : list_(list), option_(option) {}

  std::vector<ListItem> run() {
    if (list_.empty()) return {};
    begin_item();
    while (at_ < list_.size()) pass_byte(list_[at_++]);
    end_item();
    return std::move(items_);
  }

 private:
  void pass_byte(char byte) {
    if (byte == ',') {
      end_item();
      begin_item();
    } else if (byte == '"' && can_open_) {
      pass_quoted();
    } else {
      if (byte == ':') item_.colons.push_back(item_.text.size());
      item_.text += byte;
      can_open_ = byte == ':' || (can_open_ && is_blank(byte));
    }
  }

  /// Blanks between the separator and the quote are dropped.
  void pass_quoted() {
    std::size_t const begin = item_.colons.empty() ? 0 : item_.colons.back() + 1;
    item_.text.resize(begin);
    item_.is_quoted |= begin == 0;
    can_open_ = false;
    for (; at_ < list_.size(); ++at_) {
      bool const is_quote = list_[at_] == '"';
      bool const is_doubled = is_quote && at_ + 1 < list_.size() && list_[at_ + 1] == '"';
      if (is_quote && !is_doubled) {
        ++at_;
        item_.quoted_end = item_.text.size();
        return;
      }
      item_.text += list_[at_];
      at_ += is_doubled ? 1 : 0;
    }
    throw ConfigurationError(std::string(option_) + ": a quote is not closed: " + shown(list_));
  }

  void begin_item() {
    item_ = {};
    can_open_ = true;
  }

  void end_item() {
    if (item_.quoted_end > 0) {
      std::string& text = item_.text;
      while (text.size() > item_.quoted_end && is_blank(text.back())) text.pop_back();
    }
    if (!item_.is_quoted && without_blanks(item_.text).empty()) {
      throw ConfigurationError(std::string(option_) + ": an item is empty: " + shown(list_),
                               "Items are separated by commas; names that hold one stand in double quotes.");
    }
    items_.push_back(std::move(item_));
  }

  std::string_view list_;
  std::string_view option_;
  std::size_t at_ = 0;
  bool can_open_ = true;  ///< a quote here opens a quoted part
  ListItem item_;
  std::vector<ListItem> items_;
};

}  // namespace

std::vector<ListItem> split_list(std::string_view list, std::string_view option) {
  return ListSplitter(list, option).run();
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string list_item(std::string_view name) {
  bool const is_plain = !name.empty() && name.find_first_of(",\":#") == name.npos && without_blanks(name) == name;
  if (is_plain) return std::string(name);
  std::string quoted = "\"";
  for (char byte : name) quoted.append(byte == '"' ? 2 : 1, byte);
  return quoted + '"';
}

std::string shell_word(std::string_view text) {
  auto const is_safe = [](char byte) {
    return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           std::string_view("_-+=.,:/@%").find(byte) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_safe)) return std::string(text);
  std::string word = "'";
  for (char byte : text) word += byte == '\'' ? "'\\''" : std::string(1, byte);
  return word + '\'';
}

std::string shown(std::string_view text) {
  constexpr std::size_t columns_max = 60;  // a long header name, and a cell of prose up to where it says what it is
  return '"' + escape_for_display(text, columns_max) + '"';
}

std::string shown_list(std::vector<std::string> const& names, std::size_t shown_max) {
  std::string words;
  std::size_t const count = std::min(names.size(), shown_max);
  for (std::size_t i = 0; i < count; ++i) words += (i == 0 ? "" : ", ") + shown(names[i]);
  if (count < names.size()) words += " and " + std::to_string(names.size() - count) + " more";
  return words;
}

std::string nearest_name(std::string_view name, std::vector<std::string> const& names) {
  return nearest(name, names).value_or("");
}

// --- ColumnNames -----------------------------------------------------------------------------------------------------

ColumnNames::ColumnNames(std::vector<std::string> names, bool has_header, std::string file)
    : count_(names.size()), has_header_(has_header), file_(std::move(file)) {
  if (!has_header_) return;
  names_ = std::move(names);
  index_of_.reserve(count_);
  for (std::size_t i = 0; i < count_; ++i) index_of_.emplace(names_[i], i);
}

ColumnNames::ColumnNames(std::size_t count, std::string file)
    : count_(count), has_header_(false), file_(std::move(file)) {}

std::string ColumnNames::name(std::size_t column) const {
  return has_header_ ? names_[column] : std::to_string(column);
}

std::optional<std::size_t> ColumnNames::find(std::string_view name) const {
  if (has_header_) {
    auto const found = index_of_.find(name);
    return found == index_of_.end() ? std::nullopt : std::optional(found->second);
  }
  bool const is_index = name == "0" || !name.starts_with('0');  // as to_string() writes it
  auto const index = is_index ? index_from(name) : std::nullopt;
  return index && *index < count_ ? index : std::nullopt;
}

std::string ColumnNames::word_for(std::size_t column) const {
  bool const is_named = has_header_ && !names_[column].empty();
  return is_named ? shown(names_[column]) : "column " + std::to_string(column);
}

std::string ColumnNames::item_for(std::size_t column) const {
  bool const is_named = has_header_ && !names_[column].empty();
  return is_named ? list_item(names_[column]) : std::to_string(column);
}

std::vector<std::size_t> ColumnNames::resolve(std::string_view list, std::string_view option) const {
  std::vector<std::size_t> columns;
  std::vector<bool> is_listed(list.empty() ? 0 : count_);
  for (ListItem const& item : split_list(list, option)) {
    auto const [first, last] = range_of(item, option);
    for (std::size_t column = first; column <= last; ++column) {
      if (is_listed[column]) {
        throw ConfigurationError(std::string(option) + ": " + word_for(column) + " is listed twice");
      }
      is_listed[column] = true;
      columns.push_back(column);
    }
  }
  return columns;
}

/// A column by name or index, which may be beyond the last column.
std::optional<std::size_t> ColumnNames::find_item(std::string_view text, bool is_quoted) const {
  if (is_quoted) return find(text);
  if (text.starts_with('#') && is_all_digits(text.substr(1))) return index_from(text.substr(1));
  if (auto const found = find(text)) return found;
  std::string_view const trimmed = without_blanks(text);
  if (trimmed.size() < text.size()) return find_item(trimmed, false);
  return index_from(text);
}

/// The first colon whose sides are both columns makes a range.
std::optional<ColumnNames::Range> ColumnNames::find_range(ListItem const& item) const {
  std::string_view const text = item.text;
  for (std::size_t colon : item.colons) {
    auto const first = find_item(text.substr(0, colon), item.is_quoted);
    auto const last = find_item(text.substr(colon + 1), item.quoted_end > colon);
    if (first && last) return Range{*first, *last};
  }
  return std::nullopt;
}

ColumnNames::Range ColumnNames::range_of(ListItem const& item, std::string_view option) const {
  bool const has_quoted_ends = item.quoted_end > 0 && !item.colons.empty();
  auto const column = has_quoted_ends ? std::nullopt : find_item(item.text, item.is_quoted);
  if (column) {
    if (*column >= count_) throw_out_of_range(item.text, option);
    return {*column, *column};
  }
  std::optional<Range> const range = find_range(item);
  if (!range) throw_unknown(item, option);
  if (range->first >= count_ || range->last >= count_) throw_out_of_range(item.text, option);
  if (range->first > range->last) {
    throw ConfigurationError(
        std::string(option) + ": the range " + shown(item.text) + " runs backwards",
        "Ranges follow the order of the columns in the file; list columns singly to reorder them.");
  }
  return *range;
}

/// A range of which one end exists is about the other end.
void ColumnNames::throw_unknown(ListItem const& item, std::string_view option) const {
  std::string_view name = item.text;
  for (std::size_t colon : item.colons) {
    std::string_view const first = name.substr(0, colon), last = name.substr(colon + 1);
    bool const has_first = find_item(first, item.is_quoted).has_value();
    if (!has_first && !find_item(last, item.quoted_end > colon)) continue;
    name = has_first ? last : first;
    break;
  }
  std::string_view const trimmed = without_blanks(name);
  if (trimmed.empty()) throw ConfigurationError(std::string(option) + ": " + shown(item.text) + " lacks an end");
  throw ConfigurationError(std::string(option) + ": " + file_ + " has no column " + shown(trimmed), hint_for(trimmed));
}

void ColumnNames::throw_out_of_range(std::string_view item, std::string_view option) const {
  std::string const count = std::to_string(count_);
  throw ConfigurationError(std::string(option) + ": " + std::string(without_blanks(item)) +
                               " is out of range: " + file_ + " has " + count + (count_ == 1 ? " column" : " columns"),
                           "Columns are numbered from 0 to " + std::to_string(count_ - 1) + ".");
}

std::string ColumnNames::hint_for(std::string_view name) const {
  constexpr std::size_t listed_max = 20;  // a handful of lines on a terminal
  if (!has_header_) {
    return "There is no header: columns are numbered from 0 to " + std::to_string(count_ - 1) +
           ". If the first record holds names, say --header yes.";
  }
  std::string hint;
  if (std::string const near = nearest_name(name, names_); !near.empty()) hint = "Did you mean " + shown(near) + "?";
  if (count_ > listed_max) return hint;
  return hint + (hint.empty() ? "" : " ") + "The columns are " + shown_list(names_, listed_max) + ".";
}

}  // namespace penstock
