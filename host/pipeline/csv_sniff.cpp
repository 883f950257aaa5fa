#include "host/pipeline/csv_sniff.hpp"

#include "formats/core/number.hpp"
#include "formats/csv/grammar.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace penstock {
namespace {

csv::Bytes bytes_of(std::string_view text) { return {text.data(), text.data() + text.size()}; }

/// The automaton over one text, record by record.
class RecordWalk {
 public:
  RecordWalk(HeadText text, csv::Dialect const& dialect, std::size_t record_max)
      : text_(text), dialect_(dialect), classes_(dialect), record_max_(record_max) {}

  SampledRecords run(std::size_t records_max) {
    std::size_t const rescanned_max = rescans_max * text_.bytes.size();
    while (at_ < text_.bytes.size() && found_.whole.size() < records_max && rescanned_ <= rescanned_max) pass_record();
    return std::move(found_);
  }

 private:
  /// A text whose lines each open a quote that nothing closes is scanned once for each of them. It shows
  /// nothing new then, and this bounds the time to some milliseconds for the usual sample.
  static constexpr std::size_t rescans_max = 16;

  void pass_record() {
    SampledRecord record{.begin = at_, .end = at_, .cells = {}};
    csv::State state = csv::State::record_start;
    std::size_t cell_begin = at_;
    for (std::size_t i = at_; i < text_.bytes.size(); ++i) {
      if (i - at_ > record_max_) return reject(i);
      csv::Class const byte_class = classes_[text_.bytes[i]];
      csv::Step const step = csv::step(state, byte_class);
      state = step.next;
      record.has_stray_quote |= step.is_stray;
      if (!step.ends_field) continue;
      record.cells.push_back(text_.bytes.substr(cell_begin, i - cell_begin));
      cell_begin = i + 1;
      if (byte_class == csv::Class::line_end) return accept(std::move(record), i);
    }
    record.cells.push_back(text_.bytes.substr(cell_begin));
    end_text(std::move(record), state);
  }

  /// The text ends inside a record. If the file ends too, that ends the record, unless a quote is open.
  void end_text(SampledRecord record, csv::State state) {
    std::size_t const end = text_.bytes.size();
    bool const is_quoted = state == csv::State::quoted || state == csv::State::escaped_quoted;
    if (text_.is_whole && (is_quoted || end - at_ > record_max_)) return reject(end);
    if (text_.is_whole) return accept(std::move(record), end);
    record.end = at_ = end;
    if (!is_skipped(record)) found_.cut_off = std::move(record);
  }

  void accept(SampledRecord record, std::size_t end) {
    record.end = end;
    at_ = end + 1;
    if (!is_skipped(record)) found_.whole.push_back(std::move(record));
  }

  /// Scanned up to `end`, the record is none: its first line is lost, and what follows begins a record.
  void reject(std::size_t end) {
    ++found_.rejects;
    rescanned_ += end - at_;
    found_.begins_with_reject |= found_.whole.empty();
    while (at_ < text_.bytes.size() && !csv::is_line_end(text_.bytes[at_])) ++at_;
    ++at_;
  }

  [[nodiscard]] bool is_skipped(SampledRecord const& record) const {
    if (record.cells.size() != 1) return false;
    std::string_view const cell = record.cells.front();
    bool const is_comment = dialect_.comment != 0 && cell.starts_with(dialect_.comment);
    return is_comment || csv::trimmed(bytes_of(cell), dialect_).size() == 0;
  }

  HeadText text_;
  csv::Dialect dialect_;
  csv::ByteClasses classes_;
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

bool is_class_name(csv::Bytes text, csv::CellRules const& rules) {
  return std::any_of(rules.labels.begin(), rules.labels.end(),
                     [text](csv::LabelName const& label) { return label.name == text; });
}

}  // namespace

SampledRecords sample_records(HeadText text, csv::Dialect const& dialect, std::size_t record_max,
                              std::size_t records_max) {
  return RecordWalk(text, dialect, record_max).run(records_max);
}

DelimiterGuess guess_delimiter(HeadText text, csv::Dialect dialect, std::size_t record_max) {
  std::optional<DelimiterGuess> best;
  for (char candidate : {',', '\t', ';', '|'}) {
    if (candidate == dialect.quote || candidate == dialect.escape || candidate == dialect.comment) continue;
    dialect.delimiter = candidate;
    DelimiterGuess const fit = fit_of(sample_records(text, dialect, record_max), candidate);
    if (!best || fits_better(fit, *best)) best = fit;
  }
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

HeaderGuess guess_header(std::span<SampledRecord const> records, csv::CellRules const& rules) {
  if (records.empty()) return HeaderGuess::undecided;
  auto const is_text = [&](std::string_view cell) { return guess_cell(cell, rules) == CellGuess::text; };
  auto const& first = records.front().cells;
  if (!std::all_of(first.begin(), first.end(), is_text)) return HeaderGuess::no;
  auto const has_number = [&](SampledRecord const& record) {
    return std::any_of(record.cells.begin(), record.cells.end(),
                       [&](std::string_view cell) { return guess_cell(cell, rules) == CellGuess::number; });
  };
  auto const below = records.subspan(1);
  return std::any_of(below.begin(), below.end(), has_number) ? HeaderGuess::yes : HeaderGuess::undecided;
}

std::vector<SampledColumn> sample_columns(std::span<SampledRecord const> records, std::size_t width,
                                          csv::CellRules const& rules) {
  std::vector<SampledColumn> columns(width);
  for (SampledRecord const& record : records) {
    if (record.cells.size() != width) continue;
    for (std::size_t i = 0; i < width; ++i) {
      if (columns[i].has_number) continue;
      CellGuess const guess = guess_cell(record.cells[i], rules);
      columns[i].has_number = guess == CellGuess::number;
      if (guess != CellGuess::text || columns[i].text) continue;
      columns[i].text = unquoted(record.cells[i], rules.dialect).value_or(std::string(record.cells[i]));
    }
  }
  return columns;
}

std::vector<std::string> sample_names(std::span<SampledRecord const> records, std::span<std::size_t const> columns,
                                      csv::CellRules const& rules) {
  std::set<std::string> names;
  for (SampledRecord const& record : records) {
    for (std::size_t column : columns) {
      if (column >= record.cells.size()) continue;
      if (guess_cell(record.cells[column], rules) != CellGuess::text) continue;
      std::optional<std::string> name = unquoted(record.cells[column], rules.dialect);
      if (name) names.insert(*std::move(name));
    }
  }
  return {names.begin(), names.end()};
}

std::size_t count_line_ends(std::string_view text) {
  std::size_t count = 0;
  bool follows_cr = false;
  for (char byte : text) {
    if (csv::is_line_end(byte) && !(byte == '\n' && follows_cr)) ++count;
    follows_cr = byte == '\r';
  }
  return count;
}

}  // namespace penstock
