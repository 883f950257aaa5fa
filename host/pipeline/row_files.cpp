#include "host/pipeline/row_files.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "formats/core/number.hpp"
#include "host/io/source.hpp"
#include "host/text/text_format.hpp"

namespace penstock {
namespace {

// ---- which files -----------------------------------------------------------------------------------------

constexpr std::string_view weight_suffixes[] = {".weight"};
constexpr std::string_view group_suffixes[] = {".query", ".group"};
constexpr std::string_view base_margin_suffixes[] = {".base_margin"};

/// What there is to say about a role with side files.
struct RowRole {
  Role role;
  std::string RowFileOptions::*option;
  std::string_view option_name;
  std::string_view one, many;  ///< what a line holds
  std::span<std::string_view const> suffixes;
};
constexpr RowRole row_roles[] = {
    {Role::weight, &RowFileOptions::weight, "--weight-file", "weight", "weights", weight_suffixes},
    {Role::qid, &RowFileOptions::group, "--group-file", "group size", "groups", group_suffixes},
    {Role::base_margin, &RowFileOptions::base_margin, "--base-margin-file", "base margin", "base margins",
     base_margin_suffixes},
};

RowRole const& about(Role role) { return *std::ranges::find(row_roles, role, &RowRole::role); }

/// `path`, and `path` without the last suffix of its name if it has one.
std::vector<std::string> stems_of(std::string const& path) {
  std::size_t const name = path.find_last_of('/') + 1;  // npos + 1 is 0
  std::size_t const dot = path.find_last_of('.');
  bool const has_suffix = dot != std::string::npos && dot > name;  // ".hidden" has none
  return has_suffix ? std::vector{path, path.substr(0, dot)} : std::vector{path};
}

std::string joined(std::vector<std::string> const& names, std::string_view separator) {
  std::string text;
  for (std::string const& name : names) text += (text.empty() ? "" : std::string(separator)) + name;
  return text;
}

InputFile beside(InputFile const& input, RowRole const& role, FileExists const& exists) {
  std::string const option(role.option_name);
  if (input.is_stdin)
    throw ConfigurationError(option + " auto: there is no file beside standard input",
                             "Name the file: " + option + " PATH.");
  std::vector<std::string> tried;
  for (std::string const& stem : stems_of(input.path)) {
    std::vector<std::string> found;
    for (std::string_view suffix : role.suffixes) {
      tried.push_back(stem + std::string(suffix));
      if (exists(tried.back())) found.push_back(tried.back());
    }
    if (found.size() > 1)
      throw ConfigurationError(option + " auto: beside " + input.path + " there are both " + joined(found, " and "),
                               "Say which: " + option + " PATH.");
    if (!found.empty()) return {.path = found.front()};
  }
  throw SourceError(option + " auto: no file of " + std::string(role.many) + " beside " + input.path + "; tried " +
                        joined(tried, ", "),
                    "Name the file: " + option + " PATH. It then has a line for every record of all inputs.");
}

RowFileSet files_of(RowRole const& role, std::string const& value, std::span<InputFile const> inputs,
                    FileExists const& exists) {
  RowFileSet set{role.role, value == "auto", {}};
  if (!set.is_per_shard) {
    set.files.push_back({.path = value, .is_stdin = value == "-"});
    return set;
  }
  for (InputFile const& input : inputs) set.files.push_back(beside(input, role, exists));
  return set;
}

/// An input that is taken for a side file as well is a folder or pattern that takes too much.
void refuse_inputs(RowFilePlan const& plan) {
  std::vector<std::string_view> inputs(plan.inputs.begin(), plan.inputs.end());
  std::ranges::sort(inputs);
  for (RowFileSet const& set : plan.sets) {
    for (InputFile const& file : set.files) {
      if (file.is_stdin || !std::ranges::binary_search(inputs, std::string_view(file.path))) continue;
      throw ConfigurationError(
          file.path + " is an input and, by " + std::string(about(set.role).option_name) + ", a file beside one",
          "Name inputs so that side files are not among them, as in 'shards/*.csv'.");
    }
  }
}

void refuse_shared_stdin(RowFilePlan const& plan, std::span<InputFile const> inputs) {
  auto uses = std::ranges::count_if(inputs, &InputFile::is_stdin);
  for (RowFileSet const& set : plan.sets) uses += std::ranges::count_if(set.files, &InputFile::is_stdin);
  bool const is_side_file = std::ranges::any_of(
      plan.sets, [](RowFileSet const& set) { return std::ranges::any_of(set.files, &InputFile::is_stdin); });
  if (is_side_file && uses > 1)
    throw ConfigurationError(
        "standard input (-) is wanted for a side file and for something else; it can be read only once");
}

// ---- lines -----------------------------------------------------------------------------------------------

/// The lines of a file that hold something.
class RowLines {
 public:
  enum class Kind : std::uint8_t { value, end, too_long };

  explicit RowLines(InputFile const& file) : source_(open_source(file)), buffer_(buffer_bytes) {}

  /// Goes on to the next line that is not blank.
  Kind next() {
    blank_line_ = 0;
    while (read_line()) {
      ++line_;
      if (text_.size() > row_line_bytes_max) return Kind::too_long;
      if (line_ == 1 && text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
      trim();
      if (!text_.empty()) return Kind::value;
      if (blank_line_ == 0) blank_line_ = line_;
    }
    return Kind::end;
  }
  /// The line that next() found, without blanks around it; of one that is too long, its beginning.
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::uint64_t line() const { return line_; }  ///< its number, from 1
  [[nodiscard]] std::uint64_t blank_line() const {
    return blank_line_;
  }  ///< of the first blank line before it; 0: none
  [[nodiscard]] std::string const& name() const { return source_->name(); }

 private:
  static constexpr std::size_t buffer_bytes = std::size_t{1} << 16;  // as much as a pipe gives; far beyond a line
  static constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

  /// Text up to a line end, which is passed; false at the end of the file. A line that is too long is cut somewhere.
  bool read_line() {
    if (at_ == end_ && !refill()) return false;
    if (follows_cr_ && buffer_[at_] == '\n' && ++at_ == end_ && !refill()) return false;
    follows_cr_ = false;
    for (std::size_t size = 0;; ++size) {
      bool const is_used_up = at_ + size == end_;
      if (is_used_up && (size > row_line_bytes_max || !refill())) return give(size, size);
      char const byte = buffer_[at_ + size];
      if (byte != '\n' && byte != '\r') continue;
      follows_cr_ = byte == '\r';
      return give(size, size + 1);
    }
  }
  bool give(std::size_t size, std::size_t passed) {
    text_ = {buffer_.data() + at_, size};
    at_ += passed;
    return true;
  }
  /// Reads on behind what is left; false if there is nothing more.
  bool refill() {
    std::memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
    end_ -= std::exchange(at_, 0);
    std::size_t const got = source_->read(buffer_.data() + end_, buffer_.size() - end_);
    end_ += got;
    return got != 0;
  }
  void trim() {
    std::size_t const begin = text_.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return text_.remove_prefix(text_.size());
    text_ = text_.substr(begin, text_.find_last_not_of(" \t") + 1 - begin);
  }

  std::unique_ptr<Source> source_;
  std::vector<char> buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  bool follows_cr_ = false;
  std::string_view text_;
  std::uint64_t line_ = 0;
  std::uint64_t blank_line_ = 0;
};

// ---- values ----------------------------------------------------------------------------------------------

/// What is wrong with a side file.
struct RowProblem {
  std::string message;
  std::string hint = {};
};

constexpr std::string_view record_hint =
    "A side file counts all records of the input in order, rejected ones included; header lines are none.";
constexpr std::string_view group_hint =
    "A group file holds the number of records of each group, one a line, and not the query of each record.";

/// Why `text` is not the one finite number that a line has to be.
std::string words_for(std::string_view text, number::Status status, RowRole const& role) {
  bool const is_group = role.role == Role::qid;
  std::string const found = "'" + escape_for_display(text, 40) + "'";
  std::string const one(role.one);
  bool const has_separator = text.find_first_of(" \t,;") != std::string_view::npos;
  if (status == number::Status::out_of_range)
    return found + " does not fit a " + one + ", which is a " + (is_group ? "64-bit integer" : "32-bit float");
  if (has_separator && role.role == Role::base_margin)
    return found + ": one base margin for each record is supported, several (of several classes) are not";
  if (has_separator) return found + ": expected one " + one + " on a line";
  return found + " is no " + one + (is_group ? ": expected a whole number, 0 or more" : ": expected a finite number");
}

/// The values of one role: T is float, or std::int64_t for query ids. A line is a run: a value for so many records.
template <class T>
class RowColumn {
 public:
  RowColumn(RowFileSet set, std::vector<std::string> const& inputs)
      : set_(std::move(set)), inputs_(inputs), role_(about(set_.role)) {
    if (!set_.files.empty()) lines_.emplace(set_.files.front());
  }

  /// The values of `count` records of the shard, or of as many as have one: problem() then says why.
  std::size_t take(std::size_t count, std::span<T> into) {
    std::size_t done = 0;
    while (done < count && (run_left_ != 0 || next_run())) {
      auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(run_left_, count - done));
      if (!into.empty()) std::fill_n(into.begin() + static_cast<std::ptrdiff_t>(done), size, value_);
      run_left_ -= size;
      records_ += size;
      done += size;
    }
    if (done < count && !problem_) problem_ = too_short();
    return done;
  }

  /// There are no more records in the shards before `shard`. False: problem() says what is left over.
  bool finish_before(std::size_t shard) {
    for (; shard_ < shard; ++shard_) {
      if (!set_.is_per_shard && shard_ + 1 < inputs_.size()) continue;
      if (!finish_file()) return false;
      if (shard_ + 1 < set_.files.size()) open(shard_ + 1);
    }
    return true;
  }
  [[nodiscard]] RowProblem const& problem() const { return *problem_; }

 private:
  static constexpr bool is_group = !std::is_same_v<T, float>;

  void open(std::size_t file) {
    lines_.emplace(set_.files[file]);
    runs_ = run_line_ = covered_ = run_left_ = records_ = 0;
  }

  /// Reads a line; false at the end of the file, and with a problem.
  bool next_run() {
    RowLines::Kind const kind = lines_->next();
    if (kind == RowLines::Kind::end) return false;
    if (kind == RowLines::Kind::too_long)
      return fail(lines_->line(), "the line is longer than " + format_count(row_line_bytes_max) + " bytes: '" +
                                      escape_for_display(lines_->text(), 40) + "'");
    if (lines_->blank_line() != 0)
      return fail(lines_->blank_line(), "the line is blank, but the file goes on behind it");
    std::string_view const text = lines_->text();
    number::Parsed<T> const parsed = number::parse<T>(text.data(), text.data() + text.size());
    if (parsed.status != number::Status::ok || (is_group && parsed.value < 0))
      return fail(lines_->line(), words_for(text, parsed.status, role_), is_group ? group_hint : "");
    begin_run(parsed.value);
    return true;
  }
  void begin_run(T number) {
    if constexpr (is_group) {
      value_ = groups_++;
      run_left_ = static_cast<std::uint64_t>(number);
    } else {
      value_ = number;
      run_left_ = 1;
    }
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    covered_ = run_left_ > most - covered_ ? most : covered_ + run_left_;
    run_line_ = lines_->line();
    ++runs_;
  }

  bool fail(std::uint64_t line, std::string const& what, std::string_view hint = "") {
    problem_ = {place(line) + what, std::string(hint)};
    return false;
  }
  [[nodiscard]] std::string place(std::uint64_t line) const {
    return lines_->name() + ":" + std::to_string(line) + ": ";
  }
  /// Whose records the file counts.
  [[nodiscard]] std::string scope() const {
    if (set_.is_per_shard) return inputs_[shard_];
    return inputs_.size() == 1 ? inputs_.front() : "the " + format_count(inputs_.size()) + " inputs together";
  }
  [[nodiscard]] std::string verb() const { return set_.is_per_shard || inputs_.size() == 1 ? " has " : " have "; }

  [[nodiscard]] RowProblem too_short() const {
    std::string text = place(std::max<std::uint64_t>(run_line_, 1)) + "the file ends after " + format_count(runs_) +
                       " " + std::string(runs_ == 1 && !is_group ? role_.one : role_.many);
    if (is_group) text += " of " + format_count(covered_) + " records in all";
    text += ", but " + scope() + verb() + "a record " + format_count(records_ + 1);
    return {text, std::string(is_group ? group_hint : record_hint)};
  }

  bool finish_file() {
    while (run_left_ == 0 && next_run()) {
    }
    if (problem_) return false;
    if (run_left_ == 0) return true;
    std::uint64_t const first_line = run_line_;
    while (next_run()) {
    }
    if (problem_) return false;
    std::string const values = is_group ? "the groups have " + format_count(covered_) + " records in all"
                                        : "the file has " + format_count(covered_) + " " + std::string(role_.many);
    return fail(first_line, values + ", but " + scope() + verb() + format_count(records_) + " records",
                is_group ? group_hint : record_hint);
  }

  RowFileSet set_;
  std::vector<std::string> const& inputs_;
  RowRole const& role_;
  std::optional<RowLines> lines_;
  std::size_t shard_ = 0;
  std::int64_t groups_ = 0;     ///< in all files so far
  std::uint64_t runs_ = 0;      ///< of this file, as the rest
  std::uint64_t run_line_ = 0;  ///< of the last run
  std::uint64_t covered_ = 0;   ///< records of all runs read; beyond 64 bits, the largest number
  std::uint64_t run_left_ = 0;  ///< records that the last run is still for
  std::uint64_t records_ = 0;   ///< that have got a value
  T value_ = 0;
  std::optional<RowProblem> problem_;
};

}  // namespace

RowFilePlan resolve_row_files(RowFileOptions const& options, std::span<InputFile const> inputs,
                              FileExists const& exists) {
  RowFilePlan plan;
  for (InputFile const& input : inputs) plan.inputs.push_back(input.is_stdin ? "<stdin>" : input.path);
  for (RowRole const& role : row_roles) {
    std::string const& value = options.*role.option;
    if (!value.empty()) plan.sets.push_back(files_of(role, value, inputs, exists));
  }
  refuse_inputs(plan);
  refuse_shared_stdin(plan, inputs);
  return plan;
}

RowFilePlan resolve_row_files(RowFileOptions const& options, std::span<InputFile const> inputs) {
  return resolve_row_files(options, inputs, [](std::string const& path) {
    std::error_code error;  // what cannot be looked at is not there
    std::filesystem::file_status const status = std::filesystem::status(path, error);
    return std::filesystem::exists(status) && !std::filesystem::is_directory(status);
  });
}

struct RowFiles::Columns {
  std::vector<std::string> inputs;
  std::optional<RowColumn<float>> weight;
  std::optional<RowColumn<std::int64_t>> qid;
  std::optional<RowColumn<float>> base_margin;

  /// Calls `use` with every column that there is, in the order of tensor_roles, and with where its values go.
  template <class Use>
  void each(RowValues const& into, Use use) {
    if (weight) use(*weight, into.weights);
    if (qid) use(*qid, into.qids);
    if (base_margin) use(*base_margin, into.base_margins);
  }
  void finish_before(std::size_t shard) {
    each({}, [&](auto& column, auto) {
      if (!column.finish_before(shard)) throw RowFileError(column.problem().message, column.problem().hint, 0);
    });
  }
};

RowFiles::RowFiles(RowFilePlan plan) : columns_(std::make_unique<Columns>()) {
  columns_->inputs = std::move(plan.inputs);
  for (RowFileSet& set : plan.sets) {
    if (set.role == Role::qid)
      columns_->qid.emplace(std::move(set), columns_->inputs);
    else
      (set.role == Role::weight ? columns_->weight : columns_->base_margin).emplace(std::move(set), columns_->inputs);
  }
}
RowFiles::~RowFiles() = default;
RowFiles::RowFiles(RowFiles&&) noexcept = default;
RowFiles& RowFiles::operator=(RowFiles&&) noexcept = default;

bool RowFiles::has(Role role) const {
  switch (role) {
    case Role::weight: return columns_->weight.has_value();
    case Role::qid: return columns_->qid.has_value();
    case Role::base_margin: return columns_->base_margin.has_value();
    default: return false;
  }
}

void RowFiles::take(std::uint32_t shard, std::size_t count, RowValues const& into) {
  columns_->finish_before(shard);
  std::size_t before = count;
  RowProblem const* first = nullptr;  // of the record that comes first, in the order of roles
  columns_->each(into, [&](auto& column, auto values) {
    std::size_t const done = column.take(count, values);
    if (done >= before) return;
    before = done;
    first = &column.problem();
  });
  if (first != nullptr) throw RowFileError(first->message, first->hint, before);
}

void RowFiles::finish_shard(std::uint32_t shard) { columns_->finish_before(std::size_t{shard} + 1); }

void RowFiles::finish() { columns_->finish_before(columns_->inputs.size()); }

}  // namespace penstock
