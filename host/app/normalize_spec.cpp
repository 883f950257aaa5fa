#include "host/app/normalize_spec.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <span>
#include <system_error>
#include <utility>

#include "formats/core/number.hpp"
#include "host/app/json.hpp"
#include "host/text/suggest.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

using normalize::CalendarPart;
using normalize::TimeFormat;
using normalize::Unknown;

constexpr std::pair<std::string_view, Transform> transforms[] = {
    {"none", Transform::none},           {"standardize", Transform::standardize},
    {"min-max", Transform::min_max},     {"max-abs", Transform::max_abs},
    {"robust", Transform::robust},       {"log1p", Transform::log1p},
    {"power", Transform::power},         {"clip", Transform::clip},
    {"bucketize", Transform::bucketize}, {"one-hot", Transform::one_hot},
    {"ordinal", Transform::ordinal},     {"hash", Transform::hash},
    {"boolean", Transform::boolean},     {"time", Transform::time},
};
constexpr std::pair<std::string_view, Unknown> unknowns[] = {
    {"fault", Unknown::fault}, {"ignore", Unknown::ignore}, {"other", Unknown::other}};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\r";
  std::size_t const begin = text.find_first_not_of(blanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// The parts of `text` between separators that stand neither in quotes nor in parentheses; `most`: no more than so
/// many.
std::vector<std::string_view> split(std::string_view text, char separator, std::size_t most = ~std::size_t{0}) {
  std::vector<std::string_view> parts;
  bool is_quoted = false;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size() && parts.size() + 1 < most; ++i) {
    char const c = text[i];
    if (c == '"') is_quoted = !is_quoted;
    if (is_quoted) continue;
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c != separator || depth > 0) continue;
    parts.push_back(trimmed(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  parts.push_back(trimmed(text.substr(begin)));
  return parts;
}

[[noreturn]] void throw_spec(std::string const& what, std::string const& hint = {}) {
  throw ConfigurationError("--normalize: " + what, hint);
}

/// NAME or NAME(ARGUMENT, ...).
struct Call {
  std::string_view name;
  std::vector<std::string_view> arguments;
};

Call call_of(std::string_view text) {
  std::size_t const open = text.find('(');
  if (open == text.npos) return {text, {}};
  if (!text.ends_with(')')) throw_spec("'" + escape_for_display(text, 60) + "': a parenthesis is not closed");
  std::string_view const inside = trimmed(text.substr(open + 1, text.size() - open - 2));
  Call call{trimmed(text.substr(0, open)), {}};
  if (!inside.empty()) call.arguments = split(inside, ',');
  return call;
}

/// Takes the arguments of a call, one by one.
class CallReader {
 public:
  explicit CallReader(Call const& call) : call_(call), is_taken_(call.arguments.size()) {}

  /// The next argument without a name.
  std::optional<std::string_view> next() {
    for (std::size_t i = 0; i < call_.arguments.size(); ++i) {
      if (is_taken_[i] || call_.arguments[i].find('=') != std::string_view::npos) continue;
      is_taken_[i] = true;
      return call_.arguments[i];
    }
    return std::nullopt;
  }
  std::optional<std::string_view> named(std::string_view name) {
    for (std::size_t i = 0; i < call_.arguments.size(); ++i) {
      std::vector<std::string_view> const sides = split(call_.arguments[i], '=', 2);
      if (sides.size() != 2 || sides[0] != name) continue;
      is_taken_[i] = true;
      return sides[1];
    }
    return std::nullopt;
  }
  double number(std::string_view text) const {
    auto const parsed = number::parse<double>(text.data(), text.data() + text.size());
    if (parsed.status != number::Status::ok) throw_argument(text, "a number");
    return parsed.value;
  }
  std::uint32_t count(std::string_view text, std::uint32_t least, std::uint32_t most) const {
    std::uint32_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    bool const is_number = error == std::errc{} && end == text.data() + text.size();
    if (!is_number || value < least || value > most)
      throw_argument(text, "a number from " + std::to_string(least) + " to " + std::to_string(most));
    return value;
  }
  [[noreturn]] void throw_argument(std::string_view text, std::string const& expected) const {
    throw_spec(std::string(call_.name) + ": '" + escape_for_display(text, 40) + "' where " + expected + " is expected");
  }
  void finish() const {
    for (std::size_t i = 0; i < is_taken_.size(); ++i)
      if (!is_taken_[i]) throw_argument(call_.arguments[i], "no argument, or another one,");
  }

 private:
  Call const& call_;
  std::vector<bool> is_taken_;
};

std::vector<std::string> names_of_transforms() {
  std::vector<std::string> names;
  for (auto const& each : transforms) names.emplace_back(each.first);
  return names;
}

Transform transform_named(std::string_view name) {
  for (auto const& each : transforms)
    if (each.first == name) return each.second;
  std::vector<std::string> const names = names_of_transforms();
  std::optional<std::string> const near = nearest(name, names);
  std::string const known = "Transforms are " + transform_names() + "; a file of that name does not exist either.";
  throw_spec("no transform is called '" + escape_for_display(name, 40) + "'",
             near ? "Did you mean " + *near + "?" : known);
}

std::string_view name_of(Transform transform) {
  for (auto const& each : transforms)
    if (each.second == transform) return each.first;
  return "";
}

void read_impute(Call const& call, TransformSpec& spec) {
  CallReader reader(call);
  spec.impute = Impute::mean;
  bool says_what = false;
  for (std::optional<std::string_view> word = reader.next(); word; word = reader.next()) {
    if (*word == "indicator") {
      spec.adds_indicator = true;
      continue;
    }
    if (std::exchange(says_what, true)) reader.throw_argument(*word, "indicator, or nothing,");
    if (*word == "mean") {
      spec.impute = Impute::mean;
    } else if (*word == "median") {
      spec.impute = Impute::median;
    } else {
      spec.impute = Impute::constant;
      spec.constant = reader.number(*word);
    }
  }
  reader.finish();
}

void read_unknown(CallReader& reader, TransformSpec& spec) {
  if (std::optional<std::string_view> const word = reader.named("unknown")) {
    auto const found =
        std::find_if(std::begin(unknowns), std::end(unknowns), [&](auto const& each) { return each.first == *word; });
    if (found == std::end(unknowns)) reader.throw_argument(*word, "fault, ignore or other");
    spec.unknown = found->second;
  }
  if (std::optional<std::string_view> const limit = reader.named("limit"))
    spec.limit = reader.count(*limit, 1, vocabulary_entries_max);
}

void read_parts(CallReader& reader, TransformSpec& spec) {
  if (std::optional<std::string_view> const word = reader.named("format")) {
    if (!normalize::find_named(*word, spec.time_format))
      reader.throw_argument(*word, "iso, us, european, epoch or epoch_ms");
  }
  for (std::optional<std::string_view> word = reader.next(); word; word = reader.next()) {
    CalendarPart part = CalendarPart::year;
    if (*word == "epoch")
      spec.parts.emplace_back();
    else if (normalize::find_named(*word, part))
      spec.parts.emplace_back(part);
    else
      reader.throw_argument(*word, "epoch, year, month, day, hour, minute, second, weekday or day_of_year");
  }
  if (spec.parts.empty()) spec.parts.emplace_back();
}

void read_arguments(Call const& call, TransformSpec& spec) {
  CallReader reader(call);
  auto const share = [&](std::string_view text) {
    double const value = reader.number(text);
    if (!(value >= 0 && value <= 1)) reader.throw_argument(text, "a share from 0 to 1");
    return value;
  };
  switch (spec.transform) {
    case Transform::min_max:
      if (auto const low = reader.next()) spec.low = reader.number(*low);
      if (auto const high = reader.next()) spec.high = reader.number(*high);
      if (!(spec.low < spec.high)) throw_spec("min-max: the range must ascend");
      break;
    case Transform::power:
      if (auto const exponent = reader.next()) spec.exponent = reader.number(*exponent);
      if (!(spec.exponent > 0)) throw_spec("power: the exponent must be above 0");
      break;
    case Transform::clip:
      spec.low = 0.01;
      spec.high = 0.99;
      if (auto const low = reader.next()) spec.low = share(*low);
      if (auto const high = reader.next()) spec.high = share(*high);
      if (!(spec.low < spec.high)) throw_spec("clip: the shares must ascend");
      break;
    case Transform::bucketize:
      if (auto const buckets = reader.next()) spec.buckets = reader.count(*buckets, 2, 65536);
      break;
    case Transform::hash:
      if (auto const bits = reader.next()) spec.hash_bits = reader.count(*bits, 1, 24);
      break;
    case Transform::one_hot:
    case Transform::ordinal: read_unknown(reader, spec); break;
    case Transform::time: read_parts(reader, spec); break;
    default: break;
  }
  reader.finish();
}

std::string number_text(double value) {
  Json json;
  json.value(value);
  std::string text = json.line();
  text.pop_back();
  return text;
}

std::string arguments_of(TransformSpec const& spec) {
  std::string text;
  auto const add = [&text](std::string const& word) { text += (text.empty() ? "" : ", ") + word; };
  switch (spec.transform) {
    case Transform::min_max:
    case Transform::clip:
      add(number_text(spec.low));
      add(number_text(spec.high));
      break;
    case Transform::power: add(number_text(spec.exponent)); break;
    case Transform::bucketize: add(std::to_string(spec.buckets)); break;
    case Transform::hash: add(std::to_string(spec.hash_bits)); break;
    case Transform::one_hot:
    case Transform::ordinal:
      for (auto const& each : unknowns)
        if (each.second == spec.unknown) add("unknown=" + std::string(each.first));
      if (spec.limit != 0) add("limit=" + std::to_string(spec.limit));
      break;
    case Transform::time:
      for (auto const& part : spec.parts) add(part ? std::string(normalize::name_of(*part)) : "epoch");
      add("format=" + std::string(normalize::name_of(spec.time_format)));
      break;
    default: break;
  }
  return text.empty() ? text : "(" + text + ")";
}

std::string impute_text(TransformSpec const& spec) {
  if (spec.impute == Impute::no) return {};
  std::string text = spec.impute == Impute::mean     ? "mean"
                     : spec.impute == Impute::median ? "median"
                                                     : number_text(spec.constant);
  if (spec.adds_indicator) text += ", indicator";
  return "impute(" + text + ") + ";
}

}  // namespace

bool TransformSpec::keeps_zero() const {
  if (impute != Impute::no) return false;
  return transform == Transform::none || transform == Transform::max_abs || transform == Transform::log1p ||
         transform == Transform::power;
}

std::string transform_names() {
  std::string list;
  for (auto const& each : transforms) list += (list.empty() ? "" : ", ") + std::string(each.first);
  return list;
}

TransformSpec parse_transform(std::string_view text) {
  TransformSpec spec;
  std::vector<std::string_view> steps = split(text, '+');
  if (steps.size() > 2 || (steps.size() == 2 && call_of(steps[0]).name != "impute"))
    throw_spec("'" + escape_for_display(text, 60) + "': only impute(...) may stand before a transform");
  Call call = call_of(steps[0]);
  if (call.name == "impute") {
    read_impute(call, spec);
    if (steps.size() == 1) return spec;
    call = call_of(steps[1]);
  }
  spec.transform = transform_named(call.name);
  if (spec.takes_text() && spec.impute != Impute::no)
    throw_spec("'" + escape_for_display(text, 60) + "': impute is for numbers");
  read_arguments(call, spec);
  return spec;
}

std::vector<SpecItem> parse_normalize(std::string_view text) {
  std::vector<SpecItem> items;
  bool has_rest = false;
  for (std::string_view const each : split(text, ';')) {
    if (each.empty()) continue;
    std::vector<std::string_view> const sides = split(each, '=', 2);
    SpecItem item{sides.size() == 2 ? std::string(sides[0]) : "", parse_transform(sides.back())};
    if (sides.size() == 2 && item.columns.empty()) throw_spec("'" + escape_for_display(each, 60) + "': no column");
    if (item.columns.empty() && item.spec.takes_text())
      throw_spec("'" + escape_for_display(each, 60) + "' is for columns of text, which have to be named",
                 "for example city,shop=" + std::string(each));
    if (item.columns.empty() && std::exchange(has_rest, true))
      throw_spec("two transforms are for all other columns", "Name the columns: age,price=standardize");
    items.push_back(std::move(item));
  }
  if (items.empty()) throw_spec("no transform is named", "Transforms are " + transform_names() + ".");
  return items;
}

std::string text_of(TransformSpec const& spec) {
  return impute_text(spec) + std::string(name_of(spec.transform)) + arguments_of(spec);
}

}  // namespace penstock::app
