#include "host/pipeline/fault_report.hpp"

#include <algorithm>
#include <array>

#include "formats/csv/grammar.hpp"
#include "host/text/text_format.hpp"

namespace penstock {
namespace {

/// Enough of a line to see a cell in its surroundings, little enough to keep reports small.
constexpr std::size_t excerpt_max = 1024;

struct Words {
  FaultCode code;
  std::string_view name;
  std::string_view what;
};

constexpr std::array<Words, fault_codes> words = {{
    {FaultCode::not_a_number, "not_a_number", "expected a number"},
    {FaultCode::not_an_integer, "not_an_integer", "expected an integer without fraction or exponent"},
    {FaultCode::out_of_range, "out_of_range", "the number is out of the range of its type"},
    {FaultCode::non_finite, "non_finite", "the number is not finite"},
    {FaultCode::missing_value, "missing_value", "a value is missing where none may be"},
    {FaultCode::unmapped_label, "unmapped_label", "the label map does not list this class"},
    {FaultCode::too_few_fields, "too_few_fields", "the record ends early"},
    {FaultCode::too_many_fields, "too_many_fields", "the record has too many fields"},
    {FaultCode::unterminated_quote, "unterminated_quote", "this quote is never closed"},
    {FaultCode::stray_quote, "stray_quote", "a quote stands inside a field"},
    {FaultCode::record_too_long, "record_too_long", "the record is longer than allowed"},
}};

bool is_cell_fault(FaultCode code) { return code < FaultCode::too_few_fields; }

/// A cell that could not become the number that its column wants: options differ with role and type.
std::string_view cell_remedy(FaultReport const& report) {
  bool const is_feature = report.role == Role::feature, is_float = is_floating(report.dtype);
  switch (report.code) {
    case FaultCode::not_a_number:
      if (report.role == Role::label)
        return "--label-map NAME=VALUE,... gives class names numbers; --trim removes blanks around cells";
      return is_feature && is_float
                 ? "--null lists the spellings of missing values; --ignore leaves a column out; --trim removes "
                   "blanks around cells"
                 : "--ignore leaves a column out; --trim removes blanks around cells";
    case FaultCode::not_an_integer:
      return is_feature ? "--dtype float32 or float64 takes fractions" : "a qid is an integer";
    case FaultCode::out_of_range:
      if (is_float)
        return is_feature && report.dtype == DType::float32
                   ? "--dtype float64 holds more; --overflow inf makes it infinite"
                   : "--overflow inf makes it infinite";
      return is_feature ? "--dtype int64, float32 or float64 holds more" : "a qid is a 64-bit integer";
    case FaultCode::non_finite:
      return is_float ? "--inf clip or --inf pass takes it"
                      : "integers are finite; --dtype float32 with --inf pass takes it";
    case FaultCode::missing_value:
      return is_feature ? "integers cannot be missing; --dtype float32 or float64 makes them NaN"
                        : "only features can be missing; label, weight and qid cannot";
    default: return "--label-map NAME=VALUE,... names every class";
  }
}

std::string_view record_remedy(FaultCode code) {
  switch (code) {
    case FaultCode::unterminated_quote:
      return "--quote none reads quotes as text; --max-record-size allows longer records";
    case FaultCode::stray_quote: return "--quotes lenient reads it as text";
    case FaultCode::record_too_long: return "--max-record-size allows longer records";
    default: return "--delimiter and --quote say how the text is to be read";
  }
}

std::string remedy_of(FaultReport const& report) {
  std::string const remedy(is_cell_fault(report.code) ? cell_remedy(report) : record_remedy(report.code));
  bool const may_be_header = report.record == 1 && !report.has_header && is_cell_fault(report.code);
  return may_be_header ? "--header yes takes the first record for column names; " + remedy : remedy;
}

Words const& words_of(FaultCode code) { return words[static_cast<std::size_t>(code)]; }

std::string_view part(Chunk const& chunk, std::size_t begin, std::size_t end) {
  std::size_t const size = chunk.text.size - (chunk.has_added_line_end ? 1 : 0);
  begin = std::min(begin, size);
  return {chunk.text.data + begin, std::min(end, size) - std::min(begin, std::min(end, size))};
}

std::string what_of(FaultReport const& report) {
  std::string what(words_of(report.code).what);
  bool const is_ragged = report.code == FaultCode::too_few_fields || report.code == FaultCode::too_many_fields;
  if (!is_ragged) return what;
  std::string const expected = std::to_string(report.fields_expected);
  if (report.code == FaultCode::too_many_fields) return what + ": expected " + expected;
  return what + ": " + std::to_string(report.column) + " fields, expected " + expected;
}

std::string place_of(FaultReport const& report) {
  return report.file + ":" + std::to_string(report.line) + ":" + std::to_string(report.line_column);
}

}  // namespace

FaultReport report_fault(Fault const& fault, Chunk const& chunk, CsvPlan const& plan, LineCounter& lines,
                         std::size_t record_max) {
  FaultReport report;
  report.code = fault.code;
  report.is_repaired = fault.is_repaired;
  report.shard = chunk.stamp.shard;
  report.column = fault.column;
  report.column_name = plan.column_name(chunk.stamp.shard, fault.column);
  auto const columns = plan.decode_plan().columns[chunk.stamp.shard];
  report.fields_expected = columns.size();
  report.role = fault.column < columns.size() ? columns[fault.column].role : Role::ignore;
  report.dtype = plan.layout().dtype(report.role);
  report.has_header = plan.has_header();
  report.offset_bytes = chunk.stamp.offset_bytes + fault.cell_begin;
  report.record_offset_bytes = chunk.stamp.offset_bytes + fault.record_begin;
  // A quote that opens on a later line of a rejected first line is told by its byte; line and excerpt are the reject's.
  bool const is_behind = fault.cell_begin > fault.record_end;
  std::uint32_t const shown = is_behind ? fault.record_begin : fault.cell_begin;
  std::size_t const shown_end = is_behind ? shown : fault.cell_end;
  lines.advance(shown);
  report.line = lines.line();
  report.line_column = shown - lines.line_begin() + 1;
  report.cell = std::string(part(chunk, shown, std::min<std::size_t>(shown_end, shown + excerpt_max)));
  std::size_t const begin = std::max<std::size_t>(lines.line_begin(), shown < excerpt_max ? 0 : shown - excerpt_max);
  std::size_t const end = std::min<std::size_t>({std::size_t{shown} + report.cell.size() + excerpt_max,
                                                 fault.record_begin + record_max, std::max(fault.record_end, shown)});
  std::string_view line = part(chunk, begin, end);
  line = line.substr(0, line.find_first_of("\r\n", shown - begin));
  report.line_text = std::string(line);
  report.caret_begin = shown - begin;
  report.caret_end = std::min(report.caret_begin + report.cell.size(), report.line_text.size());
  return report;
}

std::string_view name_of(FaultCode code) { return words_of(code).name; }

std::string summary_of(FaultReport const& report) {
  std::string column;
  bool const names_cell = report.column < report.fields_expected && report.code != FaultCode::record_too_long;
  if (names_cell && report.code != FaultCode::too_few_fields) {
    column = "column " + (report.column_name.empty() ? "" : "\"" + escape_for_display(report.column_name, 40) + "\" ") +
             "(#" + std::to_string(report.column) + "): ";
  }
  std::string found;
  bool const shows_cell = report.code < FaultCode::too_few_fields && report.code != FaultCode::missing_value;
  if (shows_cell) found = ", found \"" + escape_for_display(report.cell, 40) + "\"";
  if (report.code == FaultCode::missing_value && !report.cell.empty())
    found = ", found \"" + escape_for_display(report.cell, 40) + "\"";
  return place_of(report) + ": " + column + what_of(report) + found;
}

std::string describe(FaultReport const& report) {
  auto const excerpt = caret_line(report.line_text, report.caret_begin, report.caret_end);
  return summary_of(report) + " (byte " + format_count(report.offset_bytes) + ", record " +
         format_count(report.record) + ")\n    " + excerpt.text + "\n    " + excerpt.marker + "\n  " +
         remedy_of(report);
}

std::string policy_hint(FaultReport const& report) {
  bool const can_be_missing = is_cell_fault(report.code) && report.role == Role::feature && is_floating(report.dtype);
  return can_be_missing
             ? "--on-error skip or quarantine goes on without such records, --on-error null without such cells"
             : "--on-error skip or quarantine goes on without such records";
}

}  // namespace penstock
