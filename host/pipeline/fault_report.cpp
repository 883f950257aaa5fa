#include "host/pipeline/fault_report.hpp"

#include <algorithm>
#include <array>

#include "host/text/text_format.hpp"

namespace penstock {
namespace {

/// Enough of a line to see a cell in its surroundings, little enough to keep reports small.
constexpr std::size_t excerpt_max = 1024;
/// Bytes are three characters each in hex, and a screen is narrow.
constexpr std::size_t hex_excerpt_max = 16;

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
    {FaultCode::missing_label, "missing_label", "the record has no label"},
    {FaultCode::several_labels, "several_labels", "there are several labels"},
    {FaultCode::bad_index, "bad_index", "expected an index:value pair whose index is a non-negative integer"},
    {FaultCode::index_below_base, "index_below_base", "indices count from 1"},
    {FaultCode::index_out_of_range, "index_out_of_range", "the index is beyond the number of features"},
    {FaultCode::duplicate_index, "duplicate_index", "the index stands twice in this record"},
    {FaultCode::missing_separator, "missing_separator", "expected index:value without blanks around the colon"},
    {FaultCode::misplaced_qid, "misplaced_qid", "the query id stands once, right behind the label"},
    {FaultCode::unexpected_weight, "unexpected_weight", "this record has a weight, but the first record has none"},
    {FaultCode::missing_weight, "missing_weight", "this record has no weight, but the first record has one"},
    {FaultCode::unexpected_qid, "unexpected_qid", "this record has a query id, but the first record has none"},
    {FaultCode::missing_qid, "missing_qid", "this record has no query id, but the first record has one"},
    {FaultCode::qid_out_of_order, "qid_out_of_order", "the query id is lower than the one of the record before"},
    {FaultCode::too_many_pairs, "too_many_pairs", "the record has more pairs than its size allows"},
    {FaultCode::bad_magic, "bad_magic", "no frame begins here (the magic number 0xced7230a is missing)"},
    {FaultCode::reserved_flag, "reserved_flag", "the frame has an unassigned flag (4 to 7)"},
    {FaultCode::truncated_frame, "truncated_frame", "the input ends inside a frame"},
    {FaultCode::missing_padding, "missing_padding", "the input ends before the padding of its last frame"},
    {FaultCode::bad_part_sequence, "bad_part_sequence", "a part of a split record does not follow the parts before it"},
    {FaultCode::malformed_record, "malformed_record", "not a protobuf record"},
    {FaultCode::bytes_value, "bytes_value", "the record holds bytes instead of numbers"},
    {FaultCode::missing_features, "missing_features", "the record has no features"},
    {FaultCode::tensor_type_mismatch, "tensor_type_mismatch", "the element type is not that of the first record"},
    {FaultCode::density_mismatch, "density_mismatch", "sparse records and dense records are mixed"},
    {FaultCode::width_mismatch, "width_mismatch", "the number of features is not that of the first record"},
    {FaultCode::label_mismatch, "label_mismatch", "the number of labels is not that of the first record"},
    {FaultCode::shape_mismatch, "shape_mismatch", "the shape does not fit the number of values"},
    {FaultCode::missing_shape, "missing_shape", "a sparse tensor has no shape"},
    {FaultCode::keys_mismatch, "keys_mismatch", "keys and values differ in number"},
    {FaultCode::unexpected_text, "unexpected_text", "uid or metadata are here, but not in the first record"},
    {FaultCode::malformed_json, "malformed_json", "not a JSON object"},
    {FaultCode::nested_too_deep, "nested_too_deep", "objects and lists are nested too deep"},
    {FaultCode::duplicate_key, "duplicate_key", "the key stands twice in its object"},
    {FaultCode::missing_key, "missing_key", "a key is missing"},
    {FaultCode::unknown_key, "unknown_key", "the key is none of those asked for"},
    {FaultCode::wrong_type, "wrong_type", "the value is of another type"},
    {FaultCode::length_mismatch, "length_mismatch", "the list has another length than it must have"},
    {FaultCode::bad_time, "bad_time", "expected a date and time as 2009-11-01 00:00:00 or 2009-11-01"},
    {FaultCode::unknown_text, "unknown_text", "this text is not one that the column's normaliser knows"},
}};

Words const& entry_of(FaultCode code) { return words[static_cast<std::size_t>(code)]; }

std::string_view part(Chunk const& chunk, std::size_t begin, std::size_t end) {
  std::size_t const size = chunk.text.size - (chunk.has_added_line_end ? 1 : 0);
  begin = std::min(begin, size);
  return {chunk.text.data + begin, std::min(end, size) - std::min(begin, std::min(end, size))};
}

void show_text(Fault const& fault, Chunk const& chunk, std::uint32_t shown, std::size_t line_begin,
               std::size_t record_max, FaultReport& report) {
  std::size_t const begin = std::max<std::size_t>(line_begin, shown < excerpt_max ? 0 : shown - excerpt_max);
  std::size_t const end = std::min<std::size_t>({std::size_t{shown} + report.cell.size() + excerpt_max,
                                                 fault.record_begin + record_max, std::max(fault.record_end, shown)});
  std::string_view line = part(chunk, begin, end);
  line = line.substr(0, line.find_first_of("\r\n", shown - begin));
  report.line_text = std::string(line);
  report.caret_begin = shown - begin;
  report.caret_end = std::min(report.caret_begin + report.cell.size(), report.line_text.size());
}

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (char const c : bytes) {
    auto const byte = static_cast<unsigned char>(c);
    if (!text.empty()) text += ' ';
    text += {digits[byte >> 4], digits[byte & 15]};
  }
  return text;
}

/// The cell's bytes and those of its record before it. What lies behind may lie in another chunk.
void show_bytes(Fault const& fault, Chunk const& chunk, std::uint32_t shown, FaultReport& report) {
  std::size_t const begin =
      std::max<std::size_t>(fault.record_begin, shown < hex_excerpt_max ? 0 : shown - hex_excerpt_max);
  std::size_t const cell = std::min(report.cell.size(), 2 * hex_excerpt_max);
  report.line_text = hex_of(part(chunk, begin, shown + cell));
  report.caret_begin = std::min(report.line_text.size(), 3 * (shown - begin));
  report.caret_end = report.line_text.size();
}

std::string place_of(FaultReport const& report) {
  if (report.unit == "line")
    return report.file + ":" + std::to_string(report.line) + ":" + std::to_string(report.line_column);
  return report.file + ": " + std::string(report.unit) + " " + format_count(report.line);
}

}  // namespace

FaultReport report_fault(Fault const& fault, Chunk const& chunk, InputPlan const& plan, PlaceFinder& places,
                         std::size_t record_max) {
  FaultReport report;
  report.code = fault.code;
  report.is_repaired = fault.is_repaired;
  report.shard = chunk.stamp.shard;
  report.column = fault.column;
  report.unit = plan.format().unit;
  report.offset_bytes = chunk.stamp.offset_bytes + fault.cell_begin;
  report.record_offset_bytes = chunk.stamp.offset_bytes + fault.record_begin;
  // A quote that opens on a later line of a rejected first line is told by its byte; line and excerpt are the reject's.
  bool const is_behind = fault.cell_begin > fault.record_end;
  std::uint32_t const shown = is_behind ? fault.record_begin : fault.cell_begin;
  // A frame that should not follow the record is told by its byte: it may lie in the next chunk.
  bool const is_next_frame = !plan.format().is_text && fault.cell_begin >= fault.record_end;
  std::size_t const shown_end = is_behind || is_next_frame ? shown : fault.cell_end;
  places.advance(shown);
  report.line = places.unit();
  report.line_column = shown - places.unit_begin() + 1;
  report.cell = std::string(part(chunk, shown, std::min<std::size_t>(shown_end, shown + excerpt_max)));
  if (plan.format().is_text)
    show_text(fault, chunk, shown, places.unit_begin(), record_max, report);
  else
    show_bytes(fault, chunk, shown, report);
  plan.explain(fault, chunk, report);
  if (report.expected.empty()) report.expected = words_of(fault.code);
  if (report.go_on.empty()) report.go_on = "--on-error skip or quarantine goes on without such records";
  return report;
}

std::string_view name_of(FaultCode code) { return entry_of(code).name; }

std::string_view words_of(FaultCode code) { return entry_of(code).what; }

std::string summary_of(FaultReport const& report) {
  return place_of(report) + ": " + (report.subject.empty() ? "" : report.subject + ": ") + report.expected +
         (report.found.empty() ? "" : ", found " + report.found);
}

std::string describe(FaultReport const& report) {
  auto const excerpt = caret_line(report.line_text, report.caret_begin, report.caret_end);
  bool const is_first = report.record == 1 && !report.first_record_remedy.empty();
  std::string const remedy = is_first ? report.first_record_remedy + "; " + report.remedy : report.remedy;
  return summary_of(report) + " (byte " + format_count(report.offset_bytes) + ", record " +
         format_count(report.record) + ")\n    " + excerpt.text + "\n    " + excerpt.marker +
         (remedy.empty() ? "" : "\n  " + remedy);
}

std::string policy_hint(FaultReport const& report) { return report.go_on; }

}  // namespace penstock
