#include "host/pipeline/csv_plan.hpp"

#include "host/pipeline/column_list.hpp"
#include "host/pipeline/csv_head.hpp"
#include "host/pipeline/csv_header.hpp"
#include "host/pipeline/csv_roles.hpp"
#include "host/pipeline/csv_rules.hpp"
#include "host/pipeline/csv_sniff.hpp"
#include "penstock/error.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

namespace penstock {
namespace {

/// One input, looked at.
struct PlannedFile {
  explicit PlannedFile(InputFile const& file) : head(file) {}

  CsvHead head;
  SampledRecords sample;                      ///< its views are valid until the head is released
  std::optional<SampledReject> first_reject;  ///< of the lines that were passed over and dropped
  std::size_t passed_rejects = 0;
  std::string header_text;
  ShardStart start;       ///< of its records
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
  [[nodiscard]] std::vector<CsvColumn> const& columns() const override {
    std::call_once(columns_made_, [this] {
      columns_.reserve(names_->size());
      for (std::size_t i = 0; i < names_->size(); ++i) columns_.push_back({names_->name(i), tables_.front()[i].role});
    });
    return columns_;
  }
  [[nodiscard]] std::vector<std::string> names(Role role) const override {
    std::vector<std::string> names;
    if (role == Role::ignore) {
      for (std::size_t i = 0; i < names_->size(); ++i) {
        if (tables_.front()[i].role == Role::ignore) names.push_back(names_->name(i));
      }
      return names;
    }
    names.reserve(roles_.of(role).size());
    for (std::size_t column : roles_.of(role)) names.push_back(names_->name(column));
    return names;
  }
  [[nodiscard]] std::string column_name(std::size_t shard, std::size_t column) const override {
    if (!has_header() || column >= names_->size()) return {};
    std::vector<std::size_t> const& order = orders_[files_[shard].table];
    return names_->name(order.empty() ? column : order[column]);
  }
  [[nodiscard]] BatchLayout const& layout() const override { return roles_.layout; }
  [[nodiscard]] csv::DecodePlan const& decode_plan() const override { return decode_plan_; }
  [[nodiscard]] std::string header_text(std::size_t shard) const override { return files_[shard].header_text; }
  [[nodiscard]] std::uint64_t first_line(std::size_t shard) const override { return files_[shard].start.line; }
  [[nodiscard]] std::vector<std::string> const& notes() const override { return notes_; }

  [[nodiscard]] std::vector<Shard> shards() override {
    std::vector<Shard> shards;
    shards.reserve(files_.size());
    for (PlannedFile& file : files_) {
      shards.push_back(file.head.shard(file.start.offset_bytes, file.start.follows_cr));
    }
    return shards;
  }

 private:
  // --- one file
  // --------------------------------------------------------------------------------------------------------

  /// The first file that is not empty decides; the others have to fit.
  void add_file(InputFile const& input) {
    PlannedFile& file = files_.emplace_back(input);
    pass_leading_lines(file.head);
    file.start = file.head.start();
    std::optional<DelimiterGuess> guess;
    if (!names_ && !options_.delimiter) guess = sniff_delimiter(file.head);
    bool const looked_further = look(file);
    if (guess && looked_further) {
      char const delimiter = guess->delimiter;
      guess = sniff_delimiter(file.head);
      if (guess->delimiter != delimiter) look(file);
    }
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

  /// Blank lines and comments before the first record are none of the bytes that are looked at.
  void pass_leading_lines(CsvHead& head) const {
    LeadingLines lines(rules_.dialect(), names_ || options_.delimiter);
    while (std::size_t const passed = lines.pass(head.text())) head.drop(passed);
  }

  DelimiterGuess sniff_delimiter(CsvHead const& head) {
    DelimiterGuess const guess = guess_delimiter(head.text(), rules_.dialect(), options_.record_max);
    rules_.set_delimiter(guess.delimiter);
    return guess;
  }

  /// The most bytes of a head: a record that is as long as possible, and some more to see that it ends.
  [[nodiscard]] std::size_t head_max() const { return options_.record_max + head_bytes; }

  /// Samples the file's head: two records at least, if there are two within the longest record's size. A wide
  /// file's header alone may be longer than the first look. More than two matter in the first file only. True if
  /// it looked further than the first head_bytes.
  bool look(PlannedFile& file) const {
    std::size_t const wanted = names_ ? 2 : sampled_max;
    bool looked_further = false;
    while (true) {
      file.sample = sample_records(file.head.text(), rules_.dialect(), options_.record_max, wanted);
      bool const is_enough = file.sample.whole.size() >= 2;
      if (is_enough || !(file.head.grow(head_max()) || pass_rejects(file))) break;
      looked_further = true;
    }
    if (file.passed_rejects == 0) return looked_further;
    file.sample.rejects += file.passed_rejects;
    file.sample.begins_with_reject = true;
    file.sample.first_reject = file.first_reject;
    return looked_further;
  }

  /// If the head holds nothing but lines that begin a record without an end: goes on behind them, as the reader
  /// does. Of an input that is read once the reader needs them, so one more head is all that is read of it.
  bool pass_rejects(PlannedFile& file) const {
    SampledRecords const& sample = file.sample;
    if (file.head.text().is_whole || !sample.whole.empty() || sample.rejects == 0 || sample.gave_up) return false;
    if (!file.head.is_reopened()) return file.head.grow(2 * head_max());
    if (!file.first_reject) file.first_reject = sample.first_reject;
    file.passed_rejects += sample.rejects;
    file.head.drop(sample.rejects_end);
    if (sample.ends_in_reject) file.head.drop_line();
    pass_leading_lines(file.head);
    return true;
  }

  /// Takes the header off the file's records.
  void pass_header(PlannedFile& file) const {
    CsvHead const& head = file.head;
    std::string_view const text = head.text().bytes;
    SampledRecord const& header = file.sample.whole.front();
    file.header_text = std::string(text.substr(header.begin, header.end - header.begin)) + '\n';
    std::size_t const resume = std::min(header.end + 1, text.size());
    file.start.offset_bytes = head.offset_bytes() + resume;
    file.start.line = head.line() + count_line_ends(text.substr(0, resume), head.follows_cr());
    file.start.follows_cr = resume > header.end && text[header.end] == '\r';
    bool const is_all = head.text().is_whole && !file.sample.cut_off;
    file.has_records = file.sample.whole.size() > 1 || file.sample.rejects > 0 || !is_all;
  }

  [[nodiscard]] HeaderRecord header_of(PlannedFile const& file) const {
    if (file.sample.begins_with_reject || file.sample.whole.empty()) {
      throw_endless(file, "the header record does not end", "a quote in it is never closed");
    }
    return {file.sample.whole.front(), rules_.cells(), file.head.name()};
  }

  /// `what` does not end, as the first line shows that begins a record without an end.
  [[noreturn]] void throw_endless(PlannedFile const& file, std::string const& what, std::string const& quote) const {
    std::optional<SampledReject> const& seen = file.sample.first_reject;
    std::string const begin = seen ? "; it begins with " + shown(seen->line) : "";
    if (seen && seen->is_quote_open) {
      throw SchemaError(file.head.name() + ": " + what + ": " + quote + begin,
                        "If quotes have no meaning in this input, say --quote none.");
    }
    throw SchemaError(
        file.head.name() + ": " + what + " within " + std::to_string(options_.record_max) + " bytes" + begin,
        "Records may be longer with --max-record-size.");
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
      names_.emplace(first_width(file), file.head.name());
    }
    roles_ = assign_roles(*names_, options_);
    require_numbers(*names_, roles_, options_, {records, rules_.cells()});
    tables_.push_back(std::move(roles_.columns));
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
      case HeaderGuess::no: note_no_header(records); return false;
      case HeaderGuess::undecided: break;
    }
    throw_undecided(file);
  }

  void note_no_header(std::span<SampledRecord const> records) {
    std::string note = "header: no (assumed: the first record has a number or a missing cell";
    if (resembles_header(records, rules_.cells())) note += "; --header yes if it names columns";
    notes_.push_back(note + ")");
  }

  [[noreturn]] void throw_undecided(PlannedFile const& file) const {
    constexpr std::size_t listed_max = 5;
    std::span<SampledRecord const> const records = file.sample.whole;
    SampledCells const& first = records.front().cells;
    std::string const why = records.size() == 1 ? "it is the only one" : "no column below it holds a number";
    std::string hint =
        "Say --header yes or --header no. The first record is " + shown_list(first.first(listed_max), listed_max);
    if (first.size() > listed_max) hint += " and " + std::to_string(first.size() - listed_max) + " more";
    NearNumber found;
    for (SampledRecord const& record : records) {
      for (SampledColumn const& column : sample_columns({&record, 1}, record.cells.size(), rules_.cells())) {
        found |= column.near_numbers;
      }
    }
    std::string const advice = advice_for(found, rules_.dialect());
    throw ConfigurationError(file.head.name() + ": cannot tell whether the first record is a header: " + why,
                             hint + '.' + (advice.empty() ? "" : ' ' + advice));
  }

  /// Of the first record.
  [[nodiscard]] std::size_t first_width(PlannedFile const& file) const {
    if (file.sample.whole.empty()) throw_endless(file, "no record ends", "a quote is never closed");
    std::size_t const width = file.sample.whole.front().cells.size();
    if (width <= columns_max) return width;
    throw SchemaError(file.head.name() + ": " + std::to_string(width) + " columns, at most " +
                      std::to_string(columns_max) + " are possible");
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
    for (std::size_t column : order) table.push_back(tables_.front()[column]);
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
    for (PlannedFile const& file : files_) spans_.emplace_back(tables_[file.table]);
    decode_plan_.rules = rules_.cells();
    decode_plan_.columns = spans_;
    roles_.layout.keeps_texts = roles_.layout.categories != 0 && options_.text_rules.empty();
    decode_plan_.layout = roles_.layout;
    decode_plan_.texts = {options_.text_rules, options_.cuts_texts && roles_.layout.keeps_texts};
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
    std::string note = "columns: " + std::to_string(names_->size()) + " (" + std::to_string(features) +
                       (features == 1 ? " feature" : " features");
    std::size_t ignored = names_->size() - features;
    for (Role role : {Role::category, Role::label, Role::weight, Role::qid}) {
      ignored -= roles_.of(role).size();
      if (!roles_.of(role).empty()) note += ", " + std::string(name_of(role)) + " " + shown_list(names(role), 3);
    }
    if (ignored > 0) note += ", " + std::to_string(ignored) + " ignored";
    notes_.push_back(note + ")");
  }

  CsvOptions options_;
  CsvRules rules_;
  std::vector<PlannedFile> files_;
  std::string first_file_;
  std::optional<ColumnNames> names_;
  ColumnRoles roles_;                             ///< its columns are the first table
  std::vector<std::vector<csv::Column>> tables_;  ///< the first file's, then one for each other order of columns
  std::vector<std::vector<std::size_t>>
      orders_;  ///< of each table: its columns' numbers in the first file; none: the same
  std::vector<std::span<csv::Column const>> spans_;
  mutable std::once_flag columns_made_;
  mutable std::vector<CsvColumn> columns_;
  csv::DecodePlan decode_plan_;
  std::vector<std::string> notes_;
};

}  // namespace

std::unique_ptr<CsvPlan> plan_csv(std::vector<InputFile> const& files, CsvOptions const& options) {
  return std::make_unique<PlannedCsv>(files, options);
}

}  // namespace penstock
