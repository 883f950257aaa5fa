#include "host/app/normalizer_vocabulary.hpp"

#include <algorithm>
#include <utility>

#include "formats/core/number.hpp"
#include "host/pipeline/column_list.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// One-hot columns are as many as the vocabulary has entries; more are hardly meant.
constexpr std::uint32_t one_hot_limit_default = 1000;

constexpr std::size_t classes_max = 10'000;

/// Class names in the order of their numbers: numbers by value if all are, else by bytes.
std::vector<std::string> class_order(CategoryCounts const& counts) {
  std::vector<std::pair<double, std::string>> classes;
  bool are_numbers = true;
  for (auto const& [text, count] : counts.by_count()) {
    auto const parsed = number::parse<double>(text.data(), text.data() + text.size());
    are_numbers = are_numbers && parsed.status == number::Status::ok;
    classes.emplace_back(are_numbers ? parsed.value : 0.0, text);
  }
  if (!are_numbers)
    for (auto& each : classes) each.first = 0;
  std::sort(classes.begin(), classes.end());
  std::vector<std::string> names;
  for (auto& each : classes) names.push_back(std::move(each.second));
  return names;
}

/// As --label-map takes it: what stands behind the first `=` of a name without quotes may be taken for its number.
std::string class_name(std::string const& name) {
  std::string const item = list_item(name);
  return item.front() == '"' || name.find('=') == name.npos ? item : '"' + item + '"';
}

}  // namespace

std::vector<std::string> vocabulary_of(std::string const& name, TransformSpec const& spec, CategoryCounts const& counts,
                                       std::vector<std::string>& notes) {
  std::uint32_t const usual = spec.transform == Transform::one_hot ? one_hot_limit_default : vocabulary_entries_max;
  std::uint32_t const limit = spec.limit != 0 ? spec.limit : usual;
  if (counts.size() == 0)
    throw DataError(shown(name) + ": has no text, so that there is no vocabulary", "Leave it out of --normalize.");
  if (counts.size() > limit && spec.unknown == normalize::Unknown::fault)
    throw DataError(
        shown(name) + ": has " + format_count(counts.size()) + " different texts, more than " + format_count(limit),
        "(limit=N, unknown=other) keeps the N most frequent; ordinal and hash(BITS) make one column.");
  std::vector<std::string> vocabulary;
  for (auto& [text, count] : counts.by_count()) {
    if (vocabulary.size() == limit) break;
    vocabulary.push_back(std::move(text));
  }
  std::string note =
      shown(name) + ": " + format_count(vocabulary.size()) + (vocabulary.size() == 1 ? " category" : " categories");
  if (counts.size() > limit) note += " of " + format_count(counts.size()) + ", the most frequent ones";
  notes.push_back(note);
  return vocabulary;
}

std::string label_map_of(std::string const& label, CategoryCounts const& counts, FitOptions const& options,
                         std::vector<std::string>& notes) {
  if (counts.size() > classes_max)
    throw DataError("the label " + shown(label) + " has " + format_count(counts.size()) +
                        " different values, which are hardly classes",
                    "Labels that are numbers need neither --classes nor --positive.");
  std::vector<std::string> const names = class_order(counts);
  if (options.positive && std::ranges::find(names, *options.positive) == names.end())
    throw DataError("--positive " + shown(*options.positive) + ": the label " + shown(label) +
                    " has no such class: " + shown_list(names, 20));
  std::string map, note = "label " + shown(label) + ": " + std::to_string(names.size()) +
                          (names.size() == 1 ? " class: " : " classes: ");
  constexpr std::size_t listed_max = 10;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::size_t const number = options.positive ? (names[i] == *options.positive ? 1 : 0) : i;
    std::string const item = class_name(names[i]) + "=" + std::to_string(number);
    map += (i == 0 ? "" : ",") + item;
    if (i < listed_max) note += (i == 0 ? "" : ", ") + item;
  }
  notes.push_back(note + (names.size() > listed_max ? ", ..." : ""));
  return map;
}

}  // namespace penstock::app
