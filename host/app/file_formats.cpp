#include "host/app/file_formats.hpp"

#include <algorithm>

#include "formats/core/format_list.hpp"
#include "formats/dense/npy_layout.hpp"
#include "formats/formats.hpp"
#include "host/app/batch_reader.hpp"
#include "host/app/options_values.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// `options` is a range of FormatOption.
template <class Range>
std::vector<OptionWords> words_of(Range const& options) {
  std::vector<OptionWords> words;
  for (auto const& option : options) words.push_back({option.name, option.argument, option.help});
  return words;
}

/// The options as the user gave them, the rest by default.
template <class Options, class Range>
Options parse(Range const& options, Arguments const& arguments) {
  Options parsed;
  for (auto const& option : options) {
    std::optional<std::string> value = arguments.value(option.name);
    if (option.argument.empty()) value = arguments.has(option.name) ? std::optional<std::string>("true") : std::nullopt;
    if (value && !option.set(parsed, *value))
      throw_bad_value(option.name, *value, "expected " + std::string(option.argument));
  }
  return parsed;
}

/// What is read of a format: options and planning. CSV is planned in a way of its own.
template <class Format>
struct Reading {
  static std::vector<OptionWords> options() { return words_of(Format::options); }
  static std::unique_ptr<InputPlan> plan(std::vector<InputFile> const& files, Arguments const& arguments,
                                         PlanRequest const& request) {
    auto options = parse<typename Format::Options>(Format::options, arguments);
    if constexpr (requires { options.text_rules; }) {
      options.text_rules = request.text_rules;
      options.finds_texts = request.finds_texts;
    }
    return std::make_unique<FormatPlan<Format>>(files, options, request);
  }
};

template <>
struct Reading<csv::Format> {
  static std::vector<OptionWords> options() {
    constexpr std::string_view names[] = {"columns", "label",  "weight", "qid",      "ignore",   "label-map",
                                          "dtype",   "header", "null",   "quote",    "escape",   "comment",
                                          "trim",    "quotes", "inf",    "overflow", "delimiter"};
    std::vector<OptionWords> words;
    for (std::string_view const name : names) words.push_back({name, {}, {}});
    return words;
  }
  static std::unique_ptr<InputPlan> plan(std::vector<InputFile> const& files, Arguments const& arguments,
                                         PlanRequest const& request) {
    CsvOptions options = csv_options(arguments);
    options.text_rules = request.text_rules;
    return plan_csv(files, options);
  }
};

/// A format of formats/formats.hpp.
template <class Format>
class ListedFormat final : public FileFormat {
 public:
  [[nodiscard]] FormatInfo const& info() const override { return Format::info; }
  [[nodiscard]] bool bears_mark(std::string_view head) const override { return Format::bears_mark(head); }

  [[nodiscard]] bool looks_like(std::string_view head) const override {
    if constexpr (requires { Format::looks_like(head); }) return Format::looks_like(head);
    return false;
  }
  [[nodiscard]] bool is_planned() const override { return IsRead<Format>; }
  [[nodiscard]] std::vector<OptionWords> read_options() const override {
    if constexpr (IsRead<Format>) return Reading<Format>::options();
    return {};
  }
  [[nodiscard]] std::unique_ptr<InputPlan> plan(std::vector<InputFile> const& files, Arguments const& arguments,
                                                PlanRequest const& request) const override {
    if constexpr (IsRead<Format>) return Reading<Format>::plan(files, arguments, request);
    return FileFormat::plan(files, arguments, request);
  }

  [[nodiscard]] bool is_written() const override { return IsWritten<Format>; }
  [[nodiscard]] std::vector<OptionWords> write_options() const override {
    if constexpr (IsWritten<Format>) return words_of(Format::write_options);
    return {};
  }
  [[nodiscard]] bool holds(Role role) const override {
    if constexpr (requires { Format::holds(role); }) return Format::holds(role);
    return FileFormat::holds(role);
  }
  [[nodiscard]] bool holds_texts() const override {
    if constexpr (requires { Format::holds_texts; }) return Format::holds_texts;
    return false;
  }
  [[nodiscard]] bool holds_sparse() const override {
    if constexpr (requires { Format::holds_sparse; }) return Format::holds_sparse;
    return false;
  }
  [[nodiscard]] bool holds_lists() const override {
    if constexpr (requires { Format::holds_lists; }) return Format::holds_lists;
    return false;
  }
  [[nodiscard]] bool lists_pairs() const override {
    if constexpr (requires { Format::lists_pairs; }) return Format::lists_pairs;
    return false;
  }
  [[nodiscard]] std::optional<std::string> header(std::span<std::string const> names) const override {
    if constexpr (requires { Format::header(names); }) return Format::header(names);
    return FileFormat::header(names);
  }
  [[nodiscard]] std::optional<Problem> unsupported(BatchLayout const& layout, BatchCapacity const& record,
                                                   Arguments const& arguments) const override {
    if constexpr (IsWritten<Format>)
      return Format::unsupported(layout, record,
                                 parse<typename Format::WriteOptions>(Format::write_options, arguments));
    return FileFormat::unsupported(layout, record, arguments);
  }
  [[nodiscard]] std::function<std::unique_ptr<Encoder>()> encoder_maker(BatchLayout const& layout,
                                                                        Arguments const& arguments) const override {
    if constexpr (IsWritten<Format>) {
      auto const options = parse<typename Format::WriteOptions>(Format::write_options, arguments);
      return [layout, options] { return std::make_unique<typename Format::Writer>(layout, options); };
    }
    return FileFormat::encoder_maker(layout, arguments);
  }
};

constexpr std::string_view npy_suffixes[] = {".npy"};
constexpr std::string_view npz_suffixes[] = {".npz"};
constexpr FormatInfo npy_info = {"npy", ".npy", npy_suffixes, false, "row"};
constexpr FormatInfo npz_info = {"npz", ".npz", npz_suffixes, false, "row"};

class NpyFormat final : public FileFormat {
 public:
  [[nodiscard]] FormatInfo const& info() const override { return npy_info; }
  [[nodiscard]] bool bears_mark(std::string_view head) const override { return head.starts_with(npy::magic); }
  [[nodiscard]] bool is_array() const override { return true; }
  [[nodiscard]] std::unique_ptr<BatchReader> open(InputFile const& file) const override { return open_npy(file); }
  [[nodiscard]] bool is_written() const override { return true; }
  [[nodiscard]] OutputKind output_kind() const override { return OutputKind::npy; }
  [[nodiscard]] bool holds(Role role) const override { return role == Role::feature; }
  [[nodiscard]] std::optional<Problem> unsupported(BatchLayout const& layout, BatchCapacity const&,
                                                   Arguments const&) const override {
    if (layout.features != 0) return std::nullopt;
    return Problem{".npy holds the features only, and there are none", "--columns names the features"};
  }
};

class NpzFormat final : public FileFormat {
 public:
  [[nodiscard]] FormatInfo const& info() const override { return npz_info; }
  /// Spreadsheets and other documents are zip archives too: an array's name comes first (APPNOTE.TXT, 4.3.7). A name
  /// that is longer than what is looked at is some array's for all that is known.
  [[nodiscard]] bool bears_mark(std::string_view head) const override {
    using namespace std::string_view_literals;
    constexpr std::size_t size_at = 26;
    constexpr std::size_t name_at = 30;
    if (head.starts_with("PK\x05\x06"sv)) return true;
    if (!head.starts_with("PK\x03\x04"sv)) return false;
    if (head.size() < name_at) return true;
    auto const byte = [head](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(head[at])); };
    std::size_t const size = byte(size_at) | byte(size_at + 1) << 8;
    return name_at + size > head.size() || head.substr(name_at, size).ends_with(".npy");
  }
  [[nodiscard]] bool is_array() const override { return true; }
  [[nodiscard]] std::unique_ptr<BatchReader> open(InputFile const& file) const override { return open_npz(file); }
  [[nodiscard]] bool is_written() const override { return true; }
  [[nodiscard]] OutputKind output_kind() const override { return OutputKind::npz; }
  [[nodiscard]] bool holds(Role) const override { return true; }
  [[nodiscard]] bool holds_sparse() const override { return true; }
  [[nodiscard]] bool holds_lists() const override { return true; }
  [[nodiscard]] std::optional<Problem> unsupported(BatchLayout const&, BatchCapacity const&,
                                                   Arguments const&) const override {
    return std::nullopt;
  }
};

struct AllFormats {
  AllFormats() {
    for_each_format([this]<class Format>() { owned.push_back(std::make_unique<ListedFormat<Format>>()); });
    owned.push_back(std::make_unique<NpyFormat>());
    owned.push_back(std::make_unique<NpzFormat>());
    for (auto const& format : owned) list.push_back(format.get());
  }
  std::vector<std::unique_ptr<FileFormat>> owned;
  std::vector<FileFormat const*> list;
};

std::string list_of(std::vector<std::string_view> const& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += std::string(i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + std::string(words[i]);
  return text;
}

bool has_option(std::vector<OptionWords> const& options, std::string_view name) {
  return std::any_of(options.begin(), options.end(), [name](OptionWords const& option) { return option.name == name; });
}

/// Throws if `name` was given and is known by some format, but by none that takes part.
void check_option(std::string_view name, std::vector<FileFormat const*> const& read, FileFormat const* written) {
  for (FileFormat const* const format : read) {
    if (has_option(format->read_options(), name)) return;
  }
  if (written != nullptr && has_option(written->write_options(), name)) return;
  std::vector<std::string_view> owners;
  for (FileFormat const* const format : file_formats()) {
    bool const is_owner = has_option(format->read_options(), name) || has_option(format->write_options(), name);
    if (is_owner) owners.push_back(format->info().title);
  }
  if (owners.empty()) return;
  throw ConfigurationError("--" + std::string(name) + " belongs to " + list_of(owners) + ", which is not used here",
                           "--from and --to say which formats are used.");
}

}  // namespace

std::unique_ptr<InputPlan> FileFormat::plan(std::vector<InputFile> const&, Arguments const&, PlanRequest const&) const {
  throw ConfigurationError(std::string(info().title) + " cannot be read");
}

std::unique_ptr<BatchReader> FileFormat::open(InputFile const&) const {
  throw ConfigurationError(std::string(info().title) + " cannot be read");
}

std::optional<Problem> FileFormat::unsupported(BatchLayout const&, BatchCapacity const&, Arguments const&) const {
  return Problem{std::string(info().title) + " cannot be written"};
}

std::function<std::unique_ptr<Encoder>()> FileFormat::encoder_maker(BatchLayout const&, Arguments const&) const {
  return {};
}

std::optional<std::string> FileFormat::header(std::span<std::string const>) const { return std::nullopt; }

std::span<FileFormat const* const> file_formats() {
  static AllFormats const formats;
  return formats.list;
}

FileFormat const* format_named(std::string_view name) {
  for (FileFormat const* const format : file_formats()) {
    if (format->is(name)) return format;
  }
  return nullptr;
}

FileFormat const* format_of_suffix(std::string_view path) {
  for (FileFormat const* const format : file_formats()) {
    for (std::string_view const suffix : format->info().suffixes) {
      if (path.ends_with(suffix)) return format;
    }
  }
  return nullptr;
}

std::string names_of_read_formats() {
  std::vector<std::string_view> names;
  for (FileFormat const* const format : file_formats()) {
    if (format->is_planned() || format->is_array()) names.push_back(format->name());
  }
  return list_of(names);
}

std::string names_of_written_formats() {
  std::vector<std::string_view> names;
  for (FileFormat const* const format : file_formats()) {
    if (format->is_written()) names.push_back(format->name());
  }
  return list_of(names);
}

FileFormat const* format_option(Arguments const& arguments, std::string_view option, bool is_written) {
  std::vector<std::string_view> names;
  for (FileFormat const* const format : file_formats()) {
    bool const is_usable = is_written ? format->is_written() : format->is_planned() || format->is_array();
    if (is_usable) names.push_back(format->name());
  }
  std::optional<std::size_t> const found = word_of(arguments, option, names);
  return found ? format_named(names[*found]) : nullptr;
}

void check_format_options(Arguments const& arguments, std::vector<FileFormat const*> const& read,
                          FileFormat const* written) {
  for (auto const& given : arguments.given()) check_option(given.first, read, written);
}

}  // namespace penstock::app
