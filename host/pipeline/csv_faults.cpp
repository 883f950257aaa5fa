#include "host/pipeline/csv_faults.hpp"

#include <string>
#include <string_view>

#include "formats/normalize/text_words.hpp"
#include "host/text/text_format.hpp"

namespace penstock {
namespace {

bool is_cell_fault(FaultCode code) { return code < FaultCode::too_few_fields || code == FaultCode::unknown_text; }

/// A cell that could not become the number that its column wants: options differ with role and type.
std::string_view cell_remedy(FaultReport const& report, DType dtype) {
  bool const is_feature = report.role == Role::feature, is_float = is_floating(dtype);
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
        return is_feature && dtype == DType::float32 ? "--dtype float64 holds more; --overflow inf makes it infinite"
                                                     : "--overflow inf makes it infinite";
      return is_feature ? "--dtype int64, float32 or float64 holds more" : "a qid is a 64-bit integer";
    case FaultCode::non_finite:
      return is_float ? "--inf clip or --inf pass takes it"
                      : "integers are finite; --dtype float32 with --inf pass takes it";
    case FaultCode::missing_value:
      return is_feature ? "integers cannot be missing; --dtype float32 or float64 makes them NaN"
                        : "only features can be missing; label, weight and qid cannot";
    case FaultCode::unknown_text: return normalize::text_remedy(normalize::Reading::vocabulary);
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

std::string remedy_of(FaultReport const& report, DType dtype) {
  return std::string(is_cell_fault(report.code) ? cell_remedy(report, dtype) : record_remedy(report.code));
}

std::string expected_of(FaultReport const& report, std::size_t fields_expected) {
  std::string what(words_of(report.code));
  bool const is_ragged = report.code == FaultCode::too_few_fields || report.code == FaultCode::too_many_fields;
  if (!is_ragged) return what;
  std::string const expected = std::to_string(fields_expected);
  if (report.code == FaultCode::too_many_fields) return what + ": expected " + expected;
  return what + ": " + std::to_string(report.column) + " fields, expected " + expected;
}

std::string subject_of(FaultReport const& report, std::size_t fields_expected) {
  bool const names_cell = report.column < fields_expected && report.code != FaultCode::record_too_long;
  if (!names_cell || report.code == FaultCode::too_few_fields) return "";
  return "column " + (report.column_name.empty() ? "" : "\"" + escape_for_display(report.column_name, 40) + "\" ") +
         "(#" + std::to_string(report.column) + ")";
}

std::string found_of(FaultReport const& report) {
  bool const shows_cell =
      is_cell_fault(report.code) && (report.code != FaultCode::missing_value || !report.cell.empty());
  return shows_cell ? "\"" + escape_for_display(report.cell, 40) + "\"" : "";
}

}  // namespace

void explain_csv_fault(Fault const& fault, CsvPlan const& plan, FaultReport& report) {
  auto const columns = plan.decode_plan().columns[report.shard];
  report.column_name = plan.column_name(report.shard, fault.column);
  report.role = fault.column < columns.size() ? columns[fault.column].role : Role::ignore;
  DType const dtype = plan.layout().dtype(report.role);
  report.subject = subject_of(report, columns.size());
  report.expected = expected_of(report, columns.size());
  csv::View<normalize::TextRule> const texts = plan.decode_plan().texts.rules;
  report.found = found_of(report);
  report.remedy = remedy_of(report, dtype);
  if (report.code == FaultCode::unknown_text && !texts.empty()) {
    normalize::Reading const reading = texts[columns[fault.column].place].reading;
    report.expected = normalize::expected_text(reading);
    report.remedy = normalize::text_remedy(reading);
  }
  if (is_cell_fault(report.code)) {
    if (!plan.has_header()) report.first_record_remedy = "--header yes takes the first record for column names";
    if ((report.role == Role::feature && is_floating(dtype)) || report.role == Role::category)
      report.go_on = "--on-error skip or quarantine goes on without such records, --on-error null without such cells";
  }
}

}  // namespace penstock
