#include "host/app/text_columns.hpp"

#include <span>

#include "host/pipeline/csv_head.hpp"
#include "host/pipeline/csv_rules.hpp"
#include "host/pipeline/csv_sniff.hpp"

namespace penstock::app {

std::string text_columns(InputFile const& file, CsvOptions const& options) {
  CsvRules rules(options);
  CsvHead const head(file);
  HeadText const text = head.text();
  if (!options.delimiter) rules.set_delimiter(guess_delimiter(text, rules.dialect(), options.record_max).delimiter);
  SampledRecords const sample = sample_records(text, rules.dialect(), options.record_max);
  std::span<SampledRecord const> records = sample.whole;
  if (records.empty()) return {};
  std::size_t const width = records.front().cells.size();
  bool const has_header =
      options.header == HeaderMode::yes ||
      (options.header == HeaderMode::automatic && guess_header(records, rules.cells()) == HeaderGuess::yes);
  std::vector<SampledColumn> const columns = sample_columns(records.subspan(has_header ? 1 : 0), width, rules.cells());
  std::string list;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].is_text()) list += (list.empty() ? "#" : ",#") + std::to_string(i);
  }
  return list;
}

}  // namespace penstock::app
