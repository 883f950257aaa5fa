#include "host/pipeline/csv_sniff.hpp"

#include "formats/core/line_counter.hpp"
#include "formats/core/number.hpp"
#include "formats/csv/grammar.hpp"
#include "host/pipeline/column_list.hpp"
#include "penstock/chunk.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace penstock {
namespace {

csv::Bytes bytes_of(std::string_view text) { return {text.data(), text.data() + text.size()}; }

constexpr std::size_t excerpt_max = 100;  // more than a message shows

/// The automaton over one text, record by record.
class RecordWalk {
 public:
  RecordWalk(HeadText text, csv::Dialect const& dialect, std::size_t record_max)
      : text_(text), dialect_(dialect), record_max_(record_max) {
    found_.classes = std::make_shared<csv::ByteClasses const>(dialect);
  }

  SampledRecords run(std::size_t records_max) {
    std::size_t const rescanned_max = rescans_max * text_.bytes.size();
    while (at_ < text_.bytes.size() && found_.whole.size() < records_max && !found_.gave_up) {
      pass_record();
      found_.gave_up = rescanned_ > rescanned_max;
    }
    return std::move(found_);
  }

 private:
  /// A text whose lines each open a quote that nothing closes is scanned once for each of them. It shows
  /// nothing new then, and this bounds the time to some milliseconds for the usual sample.
  static constexpr std::size_t rescans_max = 16;

  void pass_record() {
    csv::ByteClasses const& classes = *found_.classes;
    SampledRecord record{.begin = at_, .end = at_, .cells = {}};
    csv::State state = csv::State::record_start;
    std::size_t fields = 1;
    for (std::size_t i = at_; i < text_.bytes.size(); ++i) {
      if (i - at_ > record_max_) return reject(i, state);
      csv::Class const byte_class = classes[text_.bytes[i]];
      csv::Step const step = csv::step(state, byte_class);
      state = step.next;
      record.has_stray_quote |= step.is_stray;
      if (!step.ends_field) continue;
      if (byte_class == csv::Class::line_end) return accept(record, i, fields);
      ++fields;
    }
    end_text(record, state, fields);
  }

  /// The text ends inside a record. If the file ends too, that ends the record, unless a quote is open.
  void end_text(SampledRecord& record, csv::State state, std::size_t fields) {
    std::size_t const end = text_.bytes.size();
    if (text_.is_whole && (is_quoted(state) || end - at_ > record_max_)) return reject(end, state);
    if (text_.is_whole) return accept(record, end, fields);
    finish(record, end, fields);
    at_ = end;
    if (!is_skipped(record)) found_.cut_off = record;
  }

  void accept(SampledRecord& record, std::size_t end, std::size_t fields) {
    finish(record, end, fields);
    at_ = end + 1;
    if (!is_skipped(record)) found_.whole.push_back(record);
  }

  void finish(SampledRecord& record, std::size_t end, std::size_t fields) const {
    record.end = end;
    record.cells = {text_of(record), fields, found_.classes.get()};
  }

  /// Scanned up to `end`, the record is none: its first line is lost, and what follows begins a record.
  void reject(std::size_t end, csv::State state) {
    std::size_t const begin = at_;
    rescanned_ += end - begin;
    while (at_ < text_.bytes.size() && !csv::is_line_end(text_.bytes[at_])) ++at_;
    if (found_.rejects == 0) {
      std::size_t const size = std::min(at_ - begin, excerpt_max);
      found_.first_reject = {is_quoted(state), std::string(text_.bytes.substr(begin, size))};
    }
    ++found_.rejects;
    found_.begins_with_reject |= found_.whole.empty();
    found_.ends_in_reject = at_ == text_.bytes.size() && !text_.is_whole;
    found_.rejects_end = std::min(++at_, text_.bytes.size());
  }

  [[nodiscard]] static bool is_quoted(csv::State state) {
    return state == csv::State::quoted || state == csv::State::escaped_quoted;
  }

  [[nodiscard]] std::string_view text_of(SampledRecord const& record) const {
    return text_.bytes.substr(record.begin, record.end - record.begin);
  }

  [[nodiscard]] bool is_skipped(SampledRecord const& record) const {
    if (record.cells.size() != 1) return false;
    std::string_view const cell = text_of(record);
    bool const is_comment = dialect_.comment != 0 && cell.starts_with(dialect_.comment);
    return is_comment || csv::trimmed(bytes_of(cell), dialect_).size() == 0;
  }

  HeadText text_;
  csv::Dialect dialect_;
  std::size_t record_max_;
  std::size_t at_ = 0;
  std::size_t rescanned_ = 0;  ///< bytes of rejected scans
  SampledRecords found_;
};

/// The number of fields that most records have; of equally many records, the larger one.
DelimiterGuess fit_of(SampledRecords const& sample, char delimiter) {
  std::vector<std::size_t> counts;
  for (SampledRecord const& record : sample.whole) counts.push_back(record.cells.size());
  if (counts.empty() && sample.cut_off) counts.push_back(sample.cut_off->cells.size());
  std::sort(counts.begin(), counts.end());
  DelimiterGuess fit{.delimiter = delimiter, .records = counts.size()};
  for (auto first = counts.begin(); first != counts.end();) {
    auto const last = std::upper_bound(first, counts.end(), *first);
    auto const agreeing = static_cast<std::size_t>(last - first);
    if (agreeing >= fit.agreeing) {
      fit.fields = *first;
      fit.agreeing = agreeing;
    }
    first = last;
  }
  return fit;
}

bool fits_better(DelimiterGuess const& a, DelimiterGuess const& b) {
  if ((a.fields > 1) != (b.fields > 1)) return a.fields > 1;
  if (a.is_consistent() != b.is_consistent()) return a.is_consistent();
  if (a.is_consistent()) return a.fields > b.fields;
  return std::pair(a.agreeing, a.fields) > std::pair(b.agreeing, b.fields);
}

bool is_number(std::string_view text) {
  switch (number::parse<double>(text.data(), text.data() + text.size()).status) {
    case number::Status::ok:
    case number::Status::out_of_range:
    case number::Status::nan:
    case number::Status::infinite: return true;
    case number::Status::malformed:
    case number::Status::not_an_integer: break;
  }
  return false;
}

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

/// A number whose point is one comma, between digits.
bool is_decimal_comma(std::string_view text) {
  std::size_t const comma = text.find(',');
  if (comma == text.npos || comma == 0 || comma + 1 == text.size()) return false;
  if (!is_digit(text[comma - 1]) || !is_digit(text[comma + 1])) return false;
  std::string point(text);
  point[comma] = '.';
  return is_number(point);
}

/// Two numbers or more with spaces between them.
bool is_spaced(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    std::size_t const size = std::min(text.find(' '), text.size());
    if (size > 0 && !is_number(text.substr(0, size))) return false;
    count += size > 0 ? 1 : 0;
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return count > 1;
}

/// Whether a text that commas could separate is separated by semicolons: outside quotes, the commas are those of
/// decimal numbers.
bool has_only_decimal_commas(SampledRecords const& sample, csv::Dialect const& dialect) {
  bool has_comma = false;
  auto const is_explained = [&](std::string_view cell) {
    if (cell.find(',') == cell.npos || (dialect.quote != 0 && cell.starts_with(dialect.quote))) return true;
    has_comma = true;
    return is_decimal_comma(without_blanks(cell));
  };
  for (SampledRecord const& record : sample.whole) {
    if (!std::all_of(record.cells.begin(), record.cells.end(), is_explained)) return false;
  }
  return has_comma;
}

bool is_class_name(csv::Bytes text, csv::CellRules const& rules) {
  return std::any_of(rules.labels.begin(), rules.labels.end(),
                     [text](csv::LabelName const& label) { return label.name == text; });
}

/// The text without quotes, or the cell as it stands if that is too long.
std::string text_or_cell(std::string_view cell, csv::CellRules const& rules) {
  return unquoted(cell, rules.dialect).value_or(std::string(cell));
}

/// Calls `see(i, cell)` for those `columns`, which ascend, that the record has.
template <class See>
void for_each_of(SampledCells const& cells, std::span<std::uint32_t const> columns, See const& see) {
  std::size_t i = 0, column = 0;
  for (auto cell = cells.begin(); i < columns.size() && cell != cells.end(); ++cell, ++column) {
    if (columns[i] == column) see(i++, *cell);
  }
}

}  // namespace

SampledCells::Iterator& SampledCells::Iterator::operator++() {
  if (next_ > record_.size()) {
    next_ = behind_all;
    return *this;
  }
  begin_ = next_;
  for (end_ = begin_; end_ < record_.size(); ++end_) {
    csv::Step const step = csv::step(state_, (*classes_)[record_[end_]]);
    state_ = step.next;
    if (step.ends_field) break;
  }
  next_ = end_ + 1;
  return *this;
}

std::vector<std::string> SampledCells::first(std::size_t count_max) const {
  std::vector<std::string> cells;
  for (auto cell = begin(); cell != end() && cells.size() < count_max; ++cell) cells.emplace_back(*cell);
  return cells;
}

std::size_t LeadingLines::pass(HeadText text) {
  std::size_t at = 0;
  while (at < text.bytes.size()) {
    std::size_t const next = pass_line(text, at);
    if (next == at) break;
    at = next;
  }
  return at;
}

bool LeadingLines::is_blank(char byte) const {
  if (!dialect_.trim || (is_delimiter_known_ && byte == dialect_.delimiter)) return false;
  return byte == ' ' || (byte == '\t' && is_delimiter_known_);
}

/// Where the next line begins; `at` if this one is to be kept, or cannot be told yet.
std::size_t LeadingLines::pass_line(HeadText text, std::size_t at) {
  std::string_view const bytes = text.bytes;
  is_in_comment_ |= dialect_.comment != 0 && bytes[at] == dialect_.comment;
  std::size_t end = at;
  while (end < bytes.size() && (is_in_comment_ ? !csv::is_line_end(bytes[end]) : is_blank(bytes[end]))) ++end;
  if (end == bytes.size()) return is_in_comment_ || text.is_whole ? end : at;
  bool const is_passed = is_in_comment_ || csv::is_line_end(bytes[end]);
  is_in_comment_ = false;
  return is_passed ? end + 1 : at;
}

SampledRecords sample_records(HeadText text, csv::Dialect const& dialect, std::size_t record_max,
                              std::size_t records_max) {
  return RecordWalk(text, dialect, record_max).run(records_max);
}

DelimiterGuess guess_delimiter(HeadText text, csv::Dialect dialect, std::size_t record_max) {
  std::optional<DelimiterGuess> best;
  std::optional<DelimiterGuess> semicolon;
  for (char candidate : {',', '\t', ';', '|'}) {
    if (candidate == dialect.quote || candidate == dialect.escape || candidate == dialect.comment) continue;
    dialect.delimiter = candidate;
    SampledRecords const sample = sample_records(text, dialect, record_max);
    DelimiterGuess const fit = fit_of(sample, candidate);
    if (!best || fits_better(fit, *best)) best = fit;
    bool const is_fit = candidate == ';' && fit.fields > 1 && fit.is_consistent();
    if (is_fit && has_only_decimal_commas(sample, dialect)) semicolon = fit;
  }
  if (best && best->delimiter == ',' && semicolon) return *semicolon;
  return best.value_or(DelimiterGuess{});
}

std::optional<std::string> unquoted(std::string_view cell, csv::Dialect const& dialect) {
  std::array<char, csv::rewritten_cell_max> memory;
  csv::Bytes text;
  if (!csv::cell_text(bytes_of(cell), dialect, memory.data(), text)) return std::nullopt;
  return std::string(text.begin, text.end);
}

CellGuess guess_cell(std::string_view cell, csv::CellRules const& rules) {
  std::optional<std::string> const text = unquoted(cell, rules.dialect);
  if (!text || is_class_name(bytes_of(*text), rules)) return CellGuess::text;
  if (csv::is_null(bytes_of(*text), rules)) return CellGuess::missing;
  return is_number(*text) ? CellGuess::number : CellGuess::text;
}

NearNumber& NearNumber::operator|=(NearNumber other) {
  is_padded |= other.is_padded;
  has_decimal_comma |= other.has_decimal_comma;
  is_spaced |= other.is_spaced;
  return *this;
}

NearNumber near_number(std::string_view text, csv::CellRules const& rules) {
  std::string_view const inner = without_blanks(text);
  NearNumber found;
  found.is_padded = inner.size() < text.size() && guess_cell(inner, rules) != CellGuess::text;
  found.has_decimal_comma = is_decimal_comma(inner);
  found.is_spaced = is_spaced(inner);
  return found;
}

std::string advice_for(NearNumber found, csv::Dialect const& dialect) {
  std::string advice;
  auto const add = [&](std::string_view sentence) {
    if (!advice.empty()) advice += ' ';
    advice += sentence;
  };
  bool const is_comma = dialect.delimiter == ',';
  if (found.is_padded && !dialect.trim) add("Blanks around numbers are taken off by --trim.");
  if (found.has_decimal_comma && is_comma) add("Decimal commas are not read: convert them to points.");
  if (found.has_decimal_comma && !is_comma) {
    add("Decimal commas are not read: convert them to points, for example with sed 's/,/./g'; if commas separate the "
        "fields, say --delimiter comma.");
  }
  if (found.is_spaced && dialect.delimiter != ' ') add("If spaces separate the fields, say --delimiter space.");
  return advice;
}

HeaderGuess guess_header(std::span<SampledRecord const> records, csv::CellRules const& rules) {
  if (records.empty()) return HeaderGuess::undecided;
  auto const is_text = [&](std::string_view cell) { return guess_cell(cell, rules) == CellGuess::text; };
  SampledCells const& first = records.front().cells;
  if (!std::all_of(first.begin(), first.end(), is_text)) return HeaderGuess::no;
  auto const has_number = [&](SampledRecord const& record) {
    return std::any_of(record.cells.begin(), record.cells.end(),
                       [&](std::string_view cell) { return guess_cell(cell, rules) == CellGuess::number; });
  };
  auto const below = records.subspan(1);
  return std::any_of(below.begin(), below.end(), has_number) ? HeaderGuess::yes : HeaderGuess::undecided;
}

bool resembles_header(std::span<SampledRecord const> records, csv::CellRules const& rules) {
  if (records.size() < 2) return false;
  SampledCells const& first = records.front().cells;
  std::vector<SampledColumn> const below = sample_columns(records.subspan(1), first.size(), rules);
  std::size_t column = 0, texts = 0, above_numbers = 0;
  for (std::string_view cell : first) {
    bool const is_text = guess_cell(cell, rules) == CellGuess::text;
    texts += is_text ? 1 : 0;
    above_numbers += is_text && below[column].has_number ? 1 : 0;
    ++column;
  }
  return above_numbers > 0 && 2 * above_numbers >= texts;
}

std::vector<SampledColumn> sample_columns(std::span<SampledRecord const> records, std::size_t width,
                                          csv::CellRules const& rules) {
  std::vector<SampledColumn> columns(width);
  for (SampledRecord const& record : records) {
    if (record.cells.size() != width) continue;
    auto column = columns.begin();
    for (std::string_view cell : record.cells) {
      SampledColumn& shown = *column++;
      if (shown.has_number) continue;
      CellGuess const guess = guess_cell(cell, rules);
      shown.has_number = guess == CellGuess::number;
      if (guess != CellGuess::text) continue;
      shown.has_text = true;
      shown.near_numbers |= near_number(text_or_cell(cell, rules), rules);
    }
  }
  return columns;
}

std::vector<std::string> first_texts(std::span<SampledRecord const> records, std::size_t width,
                                     std::span<std::uint32_t const> columns, csv::CellRules const& rules) {
  std::vector<std::string> texts(columns.size());
  std::vector<bool> is_found(columns.size());
  for (SampledRecord const& record : records) {
    if (record.cells.size() != width) continue;
    for_each_of(record.cells, columns, [&](std::size_t i, std::string_view cell) {
      if (is_found[i] || guess_cell(cell, rules) != CellGuess::text) return;
      texts[i] = text_or_cell(cell, rules);
      is_found[i] = true;
    });
  }
  return texts;
}

std::vector<std::string> sample_names(std::span<SampledRecord const> records, std::span<std::uint32_t const> columns,
                                      csv::CellRules const& rules) {
  std::vector<std::uint32_t> ascending(columns.begin(), columns.end());
  std::sort(ascending.begin(), ascending.end());
  std::set<std::string> names;
  for (SampledRecord const& record : records) {
    for_each_of(record.cells, ascending, [&](std::size_t, std::string_view cell) {
      if (guess_cell(cell, rules) != CellGuess::text) return;
      std::optional<std::string> name = unquoted(cell, rules.dialect);
      if (name) names.insert(*std::move(name));
    });
  }
  return {names.begin(), names.end()};
}

std::size_t count_line_ends(std::string_view text, bool follows_cr) {
  Chunk chunk;
  chunk.text = {text.data(), text.size()};
  chunk.follows_cr = follows_cr;
  LineCounter counter;
  counter.begin(chunk, 0);
  counter.advance(static_cast<std::uint32_t>(text.size()));
  return counter.line();
}

}  // namespace penstock
