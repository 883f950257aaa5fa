/// The options that say what bytes and cells mean, checked and in the decoder's words.
#pragma once

#include "formats/csv/cell.hpp"
#include "formats/csv/options.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "host/pipeline/csv_roles.hpp"

#include <string>
#include <vector>

namespace penstock {

/// The decoder's rules and the memory that they point into. Stays where it is made.
class CsvRules {
 public:
  /// Throws ConfigurationError for options that make no sense, alone or together.
  explicit CsvRules(CsvOptions const& options);
  CsvRules(CsvRules const&) = delete;
  CsvRules& operator=(CsvRules const&) = delete;

  [[nodiscard]] csv::CellRules const& cells() const { return cells_; }
  [[nodiscard]] csv::Dialect const& dialect() const { return cells_.dialect; }
  void set_delimiter(char delimiter) { cells_.dialect.delimiter = delimiter; }

 private:
  std::vector<std::string> nulls_;
  std::vector<csv::Bytes> null_bytes_;
  LabelMap label_map_;
  csv::CellRules cells_;
};

/// A byte in a message: "tab", "comma" or the byte in quotes.
[[nodiscard]] std::string byte_word(char byte);

}  // namespace penstock
