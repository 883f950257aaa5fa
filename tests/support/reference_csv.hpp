/// A slow, obvious CSV decoder: the page formats/csv/README.md in the plainest C++ there is. It holds a
/// whole shard in memory, knows no blocks, slots or threads, and shares no code with the reader it checks.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/csv/options.hpp"
#include "penstock/batch.hpp"
#include "penstock/dtype.hpp"
#include "penstock/fault.hpp"

namespace penstock::reference {

inline std::string text_cell(std::string_view text) { return "text " + std::string(text); }
inline std::string const missing_text_cell = "missing";

struct Rules {
  csv::Dialect dialect;
  std::size_t record_max = 1 << 20;
  std::vector<std::string> nulls = {"", "NA", "null"};  ///< and nan, in any case and sign
  std::map<std::string, float> labels;
  csv::NonFinitePolicy non_finite = csv::NonFinitePolicy::fault;
  csv::OverflowPolicy overflow = csv::OverflowPolicy::fault;
  bool repairs_cells = false;
  std::vector<Role> roles;  ///< by column
};

/// A fault with offsets from the shard's start.
struct Complaint {
  FaultCode code;
  bool is_repaired;
  std::uint64_t record_begin, cell_begin;
  std::uint32_t column;
  bool operator==(Complaint const&) const = default;
};

/// One record: the bytes of its values in column order (ignored columns left out), or a complaint.
struct Outcome {
  bool is_accepted = true;
  std::vector<std::string>
      cells;  ///< the values' bytes; of a column of text what text_cell() and missing_text_cell say
  std::vector<Complaint> complaints;
  bool operator==(Outcome const&) const = default;
};

class Decoder {
 public:
  Decoder(Rules rules, std::string_view text) : rules_(std::move(rules)), text_(text) {}

  std::vector<Outcome> decode() {
    while (at_ < text_.size()) decode_record();
    return outcomes_;
  }

 private:
  struct Field {
    std::size_t begin, end;
  };
  struct Record {
    std::vector<Field> fields;
    std::size_t end = 0;     ///< of its text
    bool has_ended = false;  ///< by a line end or the end of the text
    bool is_comment = false;
    bool is_quote_open = false;
    std::size_t quote = 0;  ///< the last opening quote
    std::size_t stray = std::string_view::npos;
  };

  static bool is_line_end(char c) { return c == '\n' || c == '\r'; }
  bool is_blank(char c) const {
    return rules_.dialect.trim && (c == ' ' || c == '\t') && c != rules_.dialect.delimiter;
  }
  bool is_byte(char c, char special) const { return special != 0 && c == special; }

  /// Reads fields from `at_` on, at most record_max bytes.
  Record scan() const {
    auto const& d = rules_.dialect;
    Record record;
    std::size_t const limit = std::min(text_.size(), at_ + rules_.record_max);
    std::size_t i = at_;
    if (is_byte(text_[i], d.comment)) {
      record.is_comment = true;
      while (i < limit && !is_line_end(text_[i])) ++i;
      record.end = i;
      record.has_ended = i == text_.size() || is_line_end(text_[i]);
      return record;
    }
    std::size_t begin = i;
    bool at_field_start = true, quoted = false,
         was_quoted = false;  // was_quoted: right behind a closing quote (and blanks)
    bool blanks_after_quote = false;
    while (true) {
      if (i == text_.size() && !quoted) break;
      if (i == limit) {
        if (i < text_.size() && !quoted && is_line_end(text_[i])) break;
        record.is_quote_open = quoted;
        return record;
      }
      char const c = text_[i];
      if (quoted) {
        if (is_byte(c, d.escape)) {
          ++i;
          if (i == limit) {
            record.is_quote_open = true;
            return record;
          }
        } else if (c == d.quote) {
          quoted = false;
          was_quoted = true;
          blanks_after_quote = false;
        }
        ++i;
        continue;
      }
      if (is_line_end(c)) break;
      if (c == d.delimiter) {
        record.fields.push_back({begin, i});
        begin = ++i;
        at_field_start = true;
        was_quoted = false;
        continue;
      }
      if (is_byte(c, d.escape)) {
        if (was_quoted && record.stray == std::string_view::npos) record.stray = i;
        at_field_start = was_quoted = false;
        ++i;
        if (i < limit && !is_line_end(text_[i])) ++i;
        continue;
      }
      if (is_blank(c) && (at_field_start || was_quoted)) {
        blanks_after_quote = true;
        ++i;
        continue;
      }
      if (is_byte(c, d.quote) && at_field_start) {
        quoted = true;
        at_field_start = false;
        record.quote = i++;
        continue;
      }
      if (is_byte(c, d.quote) && was_quoted && !blanks_after_quote) {
        quoted = true;
        was_quoted = false;
        ++i;
        continue;
      }
      if ((is_byte(c, d.quote) || was_quoted) && record.stray == std::string_view::npos) record.stray = i;
      at_field_start = was_quoted = false;
      ++i;
    }
    record.fields.push_back({begin, i});
    record.end = i;
    record.has_ended = true;
    return record;
  }

  void decode_record() {
    Record const record = scan();
    if (!record.has_ended) return reject_line(record);
    bool const is_empty = record.fields.size() == 1 && trim(record.fields[0]).empty();
    if (!record.is_comment && !is_empty) convert(record);
    at_ = record.end + 1;
  }

  void reject_line(Record const& record) {
    Complaint complaint{record.is_quote_open ? FaultCode::unterminated_quote : FaultCode::record_too_long, false, at_,
                        record.is_quote_open ? record.quote : at_, 0};
    std::size_t end = at_;
    while (end < text_.size() && !is_line_end(text_[end])) ++end;
    // The column of a quote on the first line: separators before it, told by a scan of the line up to it.
    complaint.column = column_before(std::min<std::size_t>(end, complaint.cell_begin));
    outcomes_.push_back({false, {}, {complaint}});
    at_ = end + 1;
  }

  std::uint32_t column_before(std::size_t stop) const {
    Decoder part(rules_, text_.substr(0, stop));
    part.at_ = at_;
    if (stop == at_) return 0;
    Record const record = part.scan();
    return static_cast<std::uint32_t>(record.fields.empty() ? 0 : record.fields.size() - (record.has_ended ? 1 : 0));
  }

  std::string_view trim(Field field) const {
    std::string_view cell = text_.substr(field.begin, field.end - field.begin);
    if (!rules_.dialect.trim) return cell;
    while (!cell.empty() && (cell.front() == ' ' || cell.front() == '\t')) cell.remove_prefix(1);
    while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\t')) cell.remove_suffix(1);
    return cell;
  }

  /// The cell without quotes and escapes.
  std::string plain(Field field) const {
    auto const& d = rules_.dialect;
    std::string_view const cell = trim(field);
    std::string out;
    std::size_t i = 0;
    bool quoted = !cell.empty() && is_byte(cell[0], d.quote);
    bool closed = false;
    if (quoted) ++i;
    for (; i < cell.size(); ++i) {
      char const c = cell[i];
      if (is_byte(c, d.escape)) {
        out += i + 1 < cell.size() ? cell[++i] : c;
        closed = false;
      } else if (quoted && c == d.quote) {
        quoted = false;
        closed = true;
      } else if (closed && c == d.quote) {
        out += c;
        quoted = true;
        closed = false;
      } else if (closed && is_blank(c)) {
        // Blanks behind a closing quote are no text; a quote behind them is.
        while (i + 1 < cell.size() && is_blank(cell[i + 1])) ++i;
        closed = false;
      } else {
        out += c;
        closed = false;
      }
    }
    return out;
  }

  void convert(Record const& record) {
    Outcome outcome;
    std::size_t const width = rules_.roles.size();
    bool const is_strict = rules_.dialect.strict_quotes;
    std::size_t const stray = is_strict ? record.stray : std::string_view::npos;
    auto const rejected = [&](FaultCode code, std::size_t cell, std::size_t column) {
      outcomes_.push_back({false, {}, {{code, false, at_, cell, static_cast<std::uint32_t>(column)}}});
    };
    auto const stray_column = [&] {
      std::size_t column = 0;
      while (record.fields[column].end < stray) ++column;
      return column;
    };
    for (std::size_t c = 0; c < std::min(width, record.fields.size()); ++c) {
      Field const field = record.fields[c];
      if (stray < field.begin) return rejected(FaultCode::stray_quote, stray, stray_column());
      if (record.fields.size() < width && field.begin == record.end) break;  // structure before cell
      FaultCode code{};
      if (rules_.roles[c] == Role::ignore || convert_cell(field, rules_.roles[c], outcome.cells, code)) continue;
      bool const is_text = rules_.roles[c] == Role::category;
      if (rules_.repairs_cells && (is_text || rules_.roles[c] == Role::feature)) {
        if (is_text)
          outcome.cells.push_back(missing_text_cell);
        else
          append(missing_float32_bits, outcome.cells);
        outcome.complaints.push_back({code, true, at_, field.begin, static_cast<std::uint32_t>(c)});
      } else {
        return rejected(code, field.begin, c);
      }
    }
    if (record.fields.size() > width) {
      Field const extra = record.fields[width];
      if (stray < extra.begin) return rejected(FaultCode::stray_quote, stray, stray_column());
      return rejected(FaultCode::too_many_fields, extra.begin, width);
    }
    if (stray != std::string_view::npos) return rejected(FaultCode::stray_quote, stray, stray_column());
    if (record.fields.size() < width) return rejected(FaultCode::too_few_fields, record.end, record.fields.size());
    outcomes_.push_back(outcome);
  }

  static bool is_nan(std::string_view text) {
    if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
    return text.size() == 3 && (text[0] | 32) == 'n' && (text[1] | 32) == 'a' && (text[2] | 32) == 'n';
  }

  bool is_null(std::string const& text) const {
    return is_nan(text) || std::find(rules_.nulls.begin(), rules_.nulls.end(), text) != rules_.nulls.end();
  }

  bool convert_text(std::string const& text, std::vector<std::string>& cells, FaultCode& code) const {
    code = FaultCode::unknown_text;
    if (text.size() > 4096) return false;
    cells.push_back(is_null(text) ? missing_text_cell : text_cell(text));
    return true;
  }

  /// Appends the value's bytes. False: `code` says what is wrong.
  bool convert_cell(Field field, Role role, std::vector<std::string>& cells, FaultCode& code) const {
    std::string const text = plain(field);
    if (role == Role::category) return convert_text(text, cells, code);
    if (role == Role::label && !rules_.labels.empty()) {
      auto const found = rules_.labels.find(text);
      if (found != rules_.labels.end()) return append(found->second, cells);
    }
    if (is_null(text)) {
      if (role == Role::feature) return append(missing_float32_bits, cells);
      code = FaultCode::missing_value;
      return false;
    }
    if (role == Role::label && !rules_.labels.empty()) {
      code = FaultCode::unmapped_label;
      return false;
    }
    return role == Role::qid ? convert_integer(text, cells, code) : convert_float(text, cells, code);
  }

  template <class T>
  static bool append(T value, std::vector<std::string>& cells) {
    cells.emplace_back(reinterpret_cast<char const*>(&value), sizeof value);
    return true;
  }

  /// Number syntax by hand, value by the standard library.
  static bool is_number(std::string_view text, bool& is_integer) {
    std::size_t i = 0, digits = 0;
    is_integer = true;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) ++digits;
    if (i < text.size() && text[i] == '.') {
      is_integer = false;
      for (++i; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) ++digits;
    }
    if (digits == 0) return false;
    if (i < text.size() && (text[i] | 32) == 'e') {
      is_integer = false;
      ++i;
      if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
      std::size_t const first = i;
      for (; i < text.size() && text[i] >= '0' && text[i] <= '9';) ++i;
      if (i == first) return false;
    }
    return i == text.size();
  }

  static bool is_infinity(std::string_view text, bool& negative) {
    negative = !text.empty() && text[0] == '-';
    if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
    std::string lower;
    for (char const c : text) lower += static_cast<char>(c | 32);
    return lower == "inf" || lower == "infinity";
  }

  bool convert_float(std::string const& text, std::vector<std::string>& cells, FaultCode& code) const {
    bool is_integer, negative;
    if (is_infinity(text, negative)) {
      code = FaultCode::non_finite;
      float const largest = rules_.non_finite == csv::NonFinitePolicy::clip ? std::numeric_limits<float>::max()
                                                                            : std::numeric_limits<float>::infinity();
      return rules_.non_finite != csv::NonFinitePolicy::fault && append(negative ? -largest : largest, cells);
    }
    code = FaultCode::not_a_number;
    if (!is_number(text, is_integer)) return false;
    float const value = std::strtof(text.c_str(), nullptr);
    code = FaultCode::out_of_range;
    bool const is_infinite = value > std::numeric_limits<float>::max() || value < -std::numeric_limits<float>::max();
    if (is_infinite && rules_.overflow == csv::OverflowPolicy::fault) return false;
    return append(value, cells);
  }

  static bool convert_integer(std::string const& text, std::vector<std::string>& cells, FaultCode& code) {
    bool is_integer, negative;
    code = FaultCode::non_finite;
    if (is_infinity(text, negative)) return false;
    code = FaultCode::not_a_number;
    if (!is_number(text, is_integer)) return false;
    code = FaultCode::not_an_integer;
    if (!is_integer) return false;
    std::int64_t value = 0;
    char const* const begin = text.c_str() + (text[0] == '+' ? 1 : 0);
    code = FaultCode::out_of_range;
    return std::from_chars(begin, text.c_str() + text.size(), value).ec == std::errc{} && append(value, cells);
  }

  Rules rules_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Outcome> outcomes_;
};

}  // namespace penstock::reference
