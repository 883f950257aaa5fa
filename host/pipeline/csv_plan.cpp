#include "host/pipeline/csv_plan.hpp"

#include "host/pipeline/column_list.hpp"
#include "host/pipeline/csv_head.hpp"
#include "host/pipeline/csv_header.hpp"
#include "host/pipeline/csv_roles.hpp"
#include "host/pipeline/csv_rules.hpp"
#include "host/pipeline/csv_sniff.hpp"
#include "penstock/error.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace penstock {
namespace {

/// One input, looked at.
struct PlannedFile {
  explicit PlannedFile(InputFile const& file) : head(file) {}

  CsvHead head;
  SampledRecords sample;  ///< its views are valid until the head is released
  std::string header_text;
  std::size_t begin = 0;  ///< bytes of the file before its records
  bool follows_cr = false;
  std::uint64_t first_line = 1;
  std::size_t table = 0;  ///< which of the plan's column tables is this file's
  bool has_records = true;
};

class PlannedCsv final : public CsvPlan {
 public:
  PlannedCsv(std::vector<InputFile> const& files, CsvOptions const& options) : options_(options), rules_(options) {
    files_.reserve(files.size());
    for (InputFile const& file : files) add_file(file);
    if (!names_) throw_no_records("no records");
    auto const has_records = [](PlannedFile const& file) { return file.has_records; };
    if (std::none_of(files_.begin(), files_.end(), has_records)) throw_no_records("no records, only a header");
    finish();
  }

  [[nodiscard]] csv::Dialect const& dialect() const override { return rules_.dialect(); }
  [[nodiscard]] bool has_header() const override { return names_->has_header(); }
  [[nodiscard]] std::vector<CsvColumn> const& columns() const override { return columns_; }
  [[nodiscard]] std::vector<std::string> names(Role role) const override {
    std::vector<std::string> names;
    if (role == Role::ignore) {
      for (CsvColumn const& column : columns_) {
        if (column.role == Role::ignore) names.push_back(column.name);
      }
      return names;
    }
    for (std::size_t column : roles_.of(role)) names.push_back(columns_[column].name);
    return names;
  }
  [[nodiscard]] std::string column_name(std::size_t shard, std::size_t column) const override {
    if (!has_header() || column >= columns_.size()) return {};
    std::vector<std::size_t> const& order = orders_[files_[shard].table];
    return columns_[order.empty() ? column : order[column]].name;
  }
  [[nodiscard]] BatchLayout const& layout() const override { return roles_.layout; }
  [[nodiscard]] csv::DecodePlan const& decode_plan() const override { return decode_plan_; }
  [[nodiscard]] std::string const& header_text(std::size_t shard) const override { return files_[shard].header_text; }
  [[nodiscard]] std::uint64_t first_line(std::size_t shard) const override { return files_[shard].first_line; }
  [[nodiscard]] std::vector<std::string> const& notes() const override { return notes_; }

  [[nodiscard]] std::vector<Shard> shards() override {
    std::vector<Shard> shards;
    shards.reserve(files_.size());
    for (PlannedFile& file : files_) shards.push_back(file.head.shard(file.begin, file.follows_cr));
    return shards;
  }

 private:
  // --- one file
  // --------------------------------------------------------------------------------------------------------

  /// The first file that is not empty decides; the others have to fit.
  void add_file(InputFile const& input) {
    PlannedFile& file = files_.emplace_back(input);
    file.begin = file.head.mark_bytes();
    std::optional<DelimiterGuess> guess;
    if (!names_ && !options_.delimiter) guess = sniff_delimiter(file.head);
    look(file);
    if (file.sample.empty() && file.head.text().is_whole) {
      file.has_records = false;
    } else if (!names_) {
      plan_columns(file, guess);
    } else {
      fit_columns(file);
    }
    file.sample = {};
    file.head.release();
  }

  DelimiterGuess sniff_delimiter(CsvHead const& head) {
    DelimiterGuess const guess = guess_delimiter(head.text(), rules_.dialect(), options_.record_max);
    rules_.set_delimiter(guess.delimiter);
    return guess;
  }

  /// Samples the file's head: two records at least, if there are two within the longest record's size. A wide
  /// file's header alone may be longer than the first look. More than two matter in the first file only.
  void look(PlannedFile& file) const {
    std::size_t const wanted = names_ ? 2 : all_records;
    do {
      file.sample = sample_records(file.head.text(), rules_.dialect(), options_.record_max, wanted);
    } while (file.sample.whole.size() < 2 && file.head.grow(options_.record_max + head_bytes));
  }

  /// Takes the header off the file's records.
  void pass_header(PlannedFile& file) const {
    std::string_view const text = file.head.text().bytes;
    SampledRecord const& header = file.sample.whole.front();
    file.header_text = std::string(text.substr(header.begin, header.end - header.begin)) + '\n';
    std::size_t const resume = std::min(header.end + 1, text.size());
    file.begin += resume;
    file.follows_cr = resume > header.end && text[header.end] == '\r';
    file.first_line = 1 + count_line_ends(text.substr(0, resume));
    bool const is_all = file.head.text().is_whole && !file.sample.cut_off;
    file.has_records = file.sample.whole.size() > 1 || file.sample.rejects > 0 || !is_all;
  }

  [[nodiscard]] HeaderRecord header_of(PlannedFile const& file) const {
    if (file.sample.begins_with_reject || file.sample.whole.empty()) {
      throw SchemaError(file.head.name() + ": the header record does not end within " +
                            std::to_string(options_.record_max) + " bytes, or a quote in it is never closed",
                        "If quotes have no meaning in this input, say --quote none.");
    }
    return {file.sample.whole.front(), rules_.cells(), file.head.name()};
  }

  // --- the first file
  // ----------------------------------------------------------------------------------------------------

  void plan_columns(PlannedFile& file, std::optional<DelimiterGuess> const& guess) {
    if (guess) note_delimiter(*guess);
    bool const has_header = decide_header(file);
    std::span<SampledRecord const> records = file.sample.whole;
    if (has_header) {
      names_.emplace(header_names(header_of(file)), true, file.head.name());
      pass_header(file);
      records = records.subspan(1);
    } else {
      names_.emplace(index_names(file), false, file.head.name());
    }
    roles_ = assign_roles(*names_, options_);
    require_numbers(*names_, roles_, options_, {records, rules_.cells()});
    tables_.push_back(roles_.columns);
    orders_.emplace_back();
    first_file_ = file.head.name();
  }

  bool decide_header(PlannedFile const& file) {
    if (options_.header != HeaderMode::automatic) return options_.header == HeaderMode::yes;
    std::span<SampledRecord const> const records = file.sample.whole;
    switch (records.empty() ? HeaderGuess::no : guess_header(records, rules_.cells())) {
      case HeaderGuess::yes:
        notes_.emplace_back("header: yes (assumed: the first record is text, and there are numbers below)");
        return true;
      case HeaderGuess::no:
        notes_.emplace_back("header: no (assumed: the first record has a number or a missing cell)");
        return false;
      case HeaderGuess::undecided: break;
    }
    std::vector<std::string> const cells(records.front().cells.begin(), records.front().cells.end());
    std::string const why = records.size() == 1 ? "it is the only one" : "no column below it holds a number";
    throw ConfigurationError(file.head.name() + ": cannot tell whether the first record is a header: " + why,
                             "Say --header yes or --header no. The first record is " + shown_list(cells, 5) + ".");
  }

  [[nodiscard]] std::vector<std::string> index_names(PlannedFile const& file) const {
    std::size_t const width = first_width(file);
    if (width > columns_max) {
      throw SchemaError(file.head.name() + ": " + std::to_string(width) + " columns, at most " +
                        std::to_string(columns_max) + " are possible");
    }
    std::vector<std::string> names(width);
    for (std::size_t i = 0; i < width; ++i) names[i] = std::to_string(i);
    return names;
  }

  [[nodiscard]] std::size_t first_width(PlannedFile const& file) const {
    if (!file.sample.whole.empty()) return file.sample.whole.front().cells.size();
    throw SchemaError(file.head.name() + ": no record ends within " + std::to_string(options_.record_max) +
                          " bytes, or a quote is never closed",
                      "If quotes have no meaning in this input, say --quote none.");
  }

  // --- the other files
  // -----------------------------------------------------------------------------------------------------

  void fit_columns(PlannedFile& file) {
    if (has_header()) {
      std::vector<std::size_t> matches = match_header(header_of(file), *names_, first_file_);
      pass_header(file);
      if (!std::is_sorted(matches.begin(), matches.end())) file.table = add_table(std::move(matches));
      return;
    }
    if (file.sample.whole.empty()) return;  // every line is rejected, so none is too narrow or too wide
    std::size_t const width = first_width(file);
    if (width == names_->size()) return;
    throw SchemaError(file.head.name() + ": its first record has " + std::to_string(width) +
                          (width == 1 ? " field, but " : " fields, but ") + first_file_ + " has " +
                          std::to_string(names_->size()) + (names_->size() == 1 ? " column" : " columns"),
                      "Files without a header are matched column by column.");
  }

  std::size_t add_table(std::vector<std::size_t> order) {
    auto const known = std::find(orders_.begin(), orders_.end(), order);
    if (known != orders_.end()) return static_cast<std::size_t>(known - orders_.begin());
    std::vector<csv::Column> table;
    table.reserve(order.size());
    for (std::size_t column : order) table.push_back(roles_.columns[column]);
    tables_.push_back(std::move(table));
    orders_.push_back(std::move(order));
    return tables_.size() - 1;
  }

  // --- all together
  // --------------------------------------------------------------------------------------------------------

  [[noreturn]] void throw_no_records(std::string const& what) const {
    if (files_.empty()) throw ConfigurationError("no input");
    std::string const others =
        files_.size() == 1 ? "" : " (nor in the other " + std::to_string(files_.size() - 1) + ")";
    throw DataError(files_.front().head.name() + ": " + what + others);
  }

  void finish() {
    columns_.reserve(names_->size());
    for (std::size_t i = 0; i < names_->size(); ++i) columns_.push_back({names_->all()[i], roles_.columns[i].role});
    for (PlannedFile const& file : files_) spans_.emplace_back(tables_[file.table]);
    decode_plan_.rules = rules_.cells();
    decode_plan_.columns = spans_;
    decode_plan_.layout = roles_.layout;
    decode_plan_.repairs_cells = options_.on_error == FaultPolicy::null;
    note_columns();
  }

  void note_delimiter(DelimiterGuess const& guess) {
    std::string note = "delimiter: " + byte_word(guess.delimiter);
    if (guess.fields == 1) {
      note += " (assumed: there is one column)";
    } else if (guess.is_consistent()) {
      note += " (sniffed)";
    } else {
      note += " (sniffed: " + std::to_string(guess.agreeing) + " of " + std::to_string(guess.records) +
              " records have " + std::to_string(guess.fields) + " fields)";
    }
    notes_.push_back(std::move(note));
  }

  /// `columns: 29 (28 features, label "0")`.
  void note_columns() {
    std::size_t const features = roles_.layout.features;
    std::string note = "columns: " + std::to_string(columns_.size()) + " (" + std::to_string(features) +
                       (features == 1 ? " feature" : " features");
    for (Role role : {Role::label, Role::weight, Role::qid}) {
      if (!roles_.of(role).empty()) note += ", " + std::string(name_of(role)) + " " + shown_list(names(role), 3);
    }
    auto const ignored = static_cast<std::size_t>(
        std::count_if(columns_.begin(), columns_.end(), [](CsvColumn const& c) { return c.role == Role::ignore; }));
    if (ignored > 0) note += ", " + std::to_string(ignored) + " ignored";
    notes_.push_back(note + ")");
  }

  CsvOptions options_;
  CsvRules rules_;
  std::vector<PlannedFile> files_;
  std::string first_file_;
  std::optional<ColumnNames> names_;
  ColumnRoles roles_;
  std::vector<std::vector<csv::Column>> tables_;  ///< the first file's, then one for each other order of columns
  std::vector<std::vector<std::size_t>>
      orders_;  ///< of each table: its columns' numbers in the first file; none: the same
  std::vector<std::span<csv::Column const>> spans_;
  std::vector<CsvColumn> columns_;
  csv::DecodePlan decode_plan_;
  std::vector<std::string> notes_;
};

}  // namespace

std::unique_ptr<CsvPlan> plan_csv(std::vector<InputFile> const& files, CsvOptions const& options) {
  return std::make_unique<PlannedCsv>(files, options);
}

}  // namespace penstock
