#include "host/app/options_values.hpp"

#include <charconv>
#include <limits>

#include "host/text/suggest.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// The longest record that the grammar allows (formats/csv/README.md), and the shortest limit.
constexpr std::uint64_t record_max_most = std::uint64_t{1} << 30;
constexpr std::uint64_t record_max_least = 64;
/// Chunks are below 4 GiB; beyond a GiB a slot has nothing to gain.
constexpr std::uint64_t slot_bytes_most = std::uint64_t{1} << 30;
constexpr std::uint64_t slot_bytes_least = 64;
constexpr std::uint64_t threads_most = 1024;

template <class T>
std::optional<T> parse_all(std::string_view text) {
  T value{};
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::uint64_t size_between(Arguments const& arguments, std::string_view name, std::uint64_t least, std::uint64_t most) {
  std::uint64_t const size = *size_of(arguments, name);
  if (size >= least && size <= most) return size;
  throw_bad_value(name, *arguments.value(name), "not between " + format_bytes(least) + " and " + format_bytes(most));
}

/// A special byte of the text: itself, or a word for it. Nothing for `none`.
std::optional<char> byte_of(Arguments const& arguments, std::string_view name) {
  constexpr std::pair<std::string_view, char> names[] = {
      {"tab", '\t'},  {"\\t", '\t'},   {"comma", ','},   {"semicolon", ';'},  {"pipe", '|'},
      {"space", ' '}, {"double", '"'}, {"single", '\''}, {"backslash", '\\'}, {"hash", '#'}};
  std::string const value = *arguments.value(name);
  if (value == "none") return std::nullopt;
  for (auto const& [word, byte] : names) {
    if (value == word) return byte;
  }
  if (value.size() == 1 && value[0] != '\0') return value[0];
  throw_bad_value(name, value, "expected one byte, or a word such as tab, comma, semicolon, pipe, space or none");
}

char byte_or(Arguments const& arguments, std::string_view name, char fallback) {
  return arguments.value(name) ? byte_of(arguments, name).value_or('\0') : fallback;
}

void read_dialect(Arguments const& arguments, CsvOptions& options) {
  if (std::optional<std::string> const given = arguments.value("delimiter")) {
    options.delimiter = byte_of(arguments, "delimiter");
    if (!options.delimiter)
      throw_bad_value("delimiter", *given, "fields need a delimiter; for one column any byte will do");
    if (*options.delimiter == '\n' || *options.delimiter == '\r')
      throw_bad_value("delimiter", *given, "a line end cannot be the delimiter");
  }
  options.quote = byte_or(arguments, "quote", options.quote);
  options.escape = byte_or(arguments, "escape", options.escape);
  options.comment = byte_or(arguments, "comment", options.comment);
  options.trim = arguments.has("trim");
  constexpr std::pair<std::string_view, bool> quotes[] = {{"lenient", false}, {"strict", true}};
  options.strict_quotes = choice_of(arguments, "quotes", quotes).value_or(options.strict_quotes);
  constexpr std::pair<std::string_view, HeaderMode> headers[] = {
      {"auto", HeaderMode::automatic}, {"yes", HeaderMode::yes}, {"no", HeaderMode::no}};
  options.header = choice_of(arguments, "header", headers).value_or(options.header);
}

void read_cells(Arguments const& arguments, CsvOptions& options) {
  if (std::optional<std::string> const nulls = arguments.value("null")) options.nulls = csv_items("null", *nulls);
  constexpr std::pair<std::string_view, DType> types[] = {
      {"float32", DType::float32}, {"float64", DType::float64}, {"int32", DType::int32}, {"int64", DType::int64}};
  options.dtype = choice_of(arguments, "dtype", types).value_or(options.dtype);
  constexpr std::pair<std::string_view, csv::NonFinitePolicy> infinities[] = {{"error", csv::NonFinitePolicy::fault},
                                                                              {"clip", csv::NonFinitePolicy::clip},
                                                                              {"pass", csv::NonFinitePolicy::pass}};
  options.non_finite = choice_of(arguments, "inf", infinities).value_or(options.non_finite);
  constexpr std::pair<std::string_view, csv::OverflowPolicy> overflows[] = {{"error", csv::OverflowPolicy::fault},
                                                                            {"inf", csv::OverflowPolicy::infinity}};
  options.overflow = choice_of(arguments, "overflow", overflows).value_or(options.overflow);
}

FaultPolicy fault_policy(Arguments const& arguments) {
  constexpr std::pair<std::string_view, FaultPolicy> policies[] = {{"fail", FaultPolicy::fail},
                                                                   {"skip", FaultPolicy::skip},
                                                                   {"null", FaultPolicy::null},
                                                                   {"quarantine", FaultPolicy::quarantine}};
  FaultPolicy const policy = choice_of(arguments, "on-error", policies).value_or(FaultPolicy::fail);
  if (policy == FaultPolicy::quarantine && arguments.verb().bit != convert_verb)
    throw_bad_value("on-error", "quarantine", "only convert writes rejected records to files", "--on-error skip");
  return policy;
}

std::size_t record_max(Arguments const& arguments, std::size_t fallback) {
  if (!arguments.value("max-record-size")) return fallback;
  return size_between(arguments, "max-record-size", record_max_least, record_max_most);
}

/// --max-errors: a number of records, or a share of them.
void read_budget(Arguments const& arguments, StreamOptions& options) {
  std::optional<std::string> const given = arguments.value("max-errors");
  if (!given) return;
  if (options.on_error == FaultPolicy::fail || options.on_error == FaultPolicy::null)
    throw_bad_value("max-errors", *given, "nothing is rejected without --on-error skip or quarantine",
                    "--on-error skip or --on-error quarantine");
  if (given->ends_with('%')) {
    std::string const number = given->substr(0, given->size() - 1);
    auto const percent = parse_all<double>(number);
    if (!percent || !(*percent >= 0 && *percent <= 100))
      throw_bad_value("max-errors", *given, "expected a share between 0% and 100%");
    // Rounded once: 0.7 % is 7 of 1000, but 0.7 / 100 is less. A number that has an exponent takes no other.
    options.max_errors_share = parse_all<double>(number + "e-2").value_or(*percent / 100);
  } else {
    options.max_errors = count_of(arguments, "max-errors");
  }
}

}  // namespace

void throw_bad_value(std::string_view name, std::string_view value, std::string const& what, std::string const& hint) {
  throw ConfigurationError("--" + std::string(name) + " \"" + std::string(value) + "\": " + what, hint);
}

std::optional<std::uint64_t> count_of(Arguments const& arguments, std::string_view name) {
  std::optional<std::string> const value = arguments.value(name);
  if (!value) return std::nullopt;
  auto const count = parse_all<std::uint64_t>(*value);
  if (!count) throw_bad_value(name, *value, "expected a whole number");
  return count;
}

std::optional<std::uint64_t> size_of(Arguments const& arguments, std::string_view name) {
  std::optional<std::string> const value = arguments.value(name);
  if (!value) return std::nullopt;
  std::optional<std::uint64_t> const size = parse_size(*value);
  if (!size) throw_bad_value(name, *value, "expected a size such as 4096, 64MiB or 1.5GB");
  return size;
}

std::optional<std::size_t> word_of(Arguments const& arguments, std::string_view name,
                                   std::span<std::string_view const> words) {
  std::optional<std::string> const value = arguments.value(name);
  if (!value) return std::nullopt;
  std::vector<std::string> known;
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (*value == words[i]) return i;
    known.emplace_back(words[i]);
    list += std::string(i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + known.back();
  }
  std::optional<std::string> const near = nearest(*value, known);
  throw_bad_value(name, *value, "expected " + list, near ? "Did you mean " + *near + "?" : "");
}

std::vector<std::string> csv_items(std::string_view name, std::string_view list) {
  std::vector<std::string> items(1);
  bool is_quoted = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    char const c = list[i];
    if (is_quoted && c == '"' && i + 1 < list.size() && list[i + 1] == '"')
      items.back() += list[++i];
    else if (c == '"')
      is_quoted = !is_quoted;
    else if (c == ',' && !is_quoted)
      items.emplace_back();
    else
      items.back() += c;
  }
  if (is_quoted) throw_bad_value(name, list, "a quote is never closed");
  return items;
}

std::optional<Absent> absent_of(Arguments const& arguments) {
  constexpr std::pair<std::string_view, Absent> words[] = {{"zero", Absent::zero}, {"missing", Absent::missing}};
  return choice_of(arguments, "absent", words);
}

std::optional<bool> is_sparse_wanted(Arguments const& arguments) {
  constexpr std::pair<std::string_view, bool> forms[] = {{"dense", false}, {"sparse", true}};
  return choice_of(arguments, "features", forms);
}

Absent reshape_of(std::optional<Absent> absent, bool becomes_sparse, DType dtype) {
  std::string const how = becomes_sparse ? "dense features become sparse: are zeros left out, or missing values?"
                                         : "sparse features become dense: are absent ones zero, or missing?";
  if (!absent)
    throw ConfigurationError(
        how, "--absent zero (as linear learners read sparse data) or --absent missing (as XGBoost does)");
  if (auto const problem = unsupported_reshape(dtype, *absent))
    throw ConfigurationError(problem->message, problem->hint);
  return *absent;
}

CsvOptions csv_options(Arguments const& arguments) {
  CsvOptions options;
  read_dialect(arguments, options);
  read_cells(arguments, options);
  options.columns = arguments.value_or("columns", "");
  options.label = arguments.value_or("label", "");
  options.weight = arguments.value_or("weight", "");
  options.qid = arguments.value_or("qid", "");
  options.ignore = arguments.value_or("ignore", "");
  options.label_map = arguments.value_or("label-map", "");
  options.texts = arguments.value_or("texts", "");  // set by a normaliser, not by users
  options.on_error = fault_policy(arguments);
  options.record_max = record_max(arguments, options.record_max);
  return options;
}

StreamOptions stream_options(Arguments const& arguments) {
  StreamOptions options;
  options.memory_bytes = size_of(arguments, "memory").value_or(options.memory_bytes);
  if (arguments.value("slot-size"))
    options.slot_bytes = size_between(arguments, "slot-size", slot_bytes_least, slot_bytes_most);
  std::uint64_t const threads = count_of(arguments, "threads").value_or(0);
  if (threads > threads_most)
    throw_bad_value("threads", *arguments.value("threads"), "at most " + std::to_string(threads_most));
  options.threads = static_cast<unsigned>(threads);
  options.on_error = fault_policy(arguments);
  options.record_max = record_max(arguments, options.record_max);
  read_budget(arguments, options);
  options.skip = count_of(arguments, "skip").value_or(0);
  options.limit = count_of(arguments, "limit");
  return options;
}

}  // namespace penstock::app
