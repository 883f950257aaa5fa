/// Which keys become columns: those that options name, or all that hold numbers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/core/format.hpp"
#include "formats/core/number.hpp"
#include "formats/json/lines.hpp"
#include "formats/objects/options.hpp"
#include "formats/objects/paths.hpp"
#include "formats/objects/plan.hpp"
#include "formats/objects/survey_tree.hpp"
#include "formats/objects/tables.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"

namespace penstock::objects {

/// Keys that a note lists.
inline constexpr std::size_t listed_max = 10;
/// A row of more is rarely meant: ids as keys make such.
inline constexpr std::size_t usual_columns_max = 1000;

class Scout {
 public:
  Scout(Options const& options, ScoutContext const& context) : options_(options), context_(context) {
    features_ = paths_of(options.columns, "--columns");
    labels_ = paths_of(options.label, "--label");
    weight_ = one_path_of(options.weight, "--weight");
    qid_ = one_path_of(options.qid, "--qid");
    ignored_ = paths_of(options.ignore, "--ignore");
    texts_ = paths_of(options.texts, "--normalize");
    take_texts_out();
    read_nulls();
    read_label_map();
    Made const made = make_plan(wants_survey());
    if (made.problem) refuse(made.problem->message, made.problem->hint);
  }

  bool look(Chunk const& chunk) {
    return first_.find(chunk, [this](char const* at) { return is_found_ = *at == '{'; });
  }

  [[nodiscard]] std::vector<Problem> problem() const {
    if (problem_) return {*problem_};
    if (!is_found_ && first_.has_bytes())
      return {{"no line is an object: {\"key\": value, ...}", "--from says what the input is"}};
    if (!wants_survey()) return {};
    if (!context_.is_read_twice)
      return {{"which keys hold numbers can only be told from the whole input, which can be read but once",
               "--columns names the keys"}};
    if (tree_.is_full())
      return {{"records have more than " + std::to_string(surveyed_keys_max) + " different keys",
               "--columns names the keys"}};
    if (tree_.records() != 0 && found_features().empty() && found_texts().empty())
      return {{"no key holds numbers in every record that has it", "--columns names the keys"}};
    return {};
  }

  [[nodiscard]] bool wants_survey() const { return options_.columns.empty(); }
  [[nodiscard]] Plan survey_plan() const { return make_plan(wants_survey()).plan; }

  void see(Batch const& rows) {
    for (std::size_t i = 0; i < rows.rows; ++i) tree_.see(rows.metadata.row(i));
  }

  [[nodiscard]] Plan plan() const { return make_plan(false).plan; }

  [[nodiscard]] std::vector<std::string> notes() const {
    if (!wants_survey()) return {};
    std::vector<std::string> taken, left_out;
    for (std::uint32_t key = 0; key < tree_.keys().size(); ++key) {
      SurveyedKey const& found = tree_.keys()[key];
      if (is_given(key)) continue;
      if (found.is_numeric() || (options_.finds_texts && found.is_text()))
        taken.push_back(text_of(tree_.path_of(key)) + " (" + words_of(found) + ")");
      else if (found.holds(kind::text) || found.holds(kind::list))
        left_out.push_back(text_of(tree_.path_of(key)) + " (" + words_of(found) + ")");
    }
    std::vector<std::string> notes;
    if (!taken.empty()) notes.push_back("features: " + listed(taken));
    if (!left_out.empty()) notes.push_back("left out, for they hold text or lists: " + listed(left_out));
    if (taken.size() > usual_columns_max)
      notes.push_back("rows are " + std::to_string(taken.size()) + " values wide: --columns chooses fewer");
    return notes;
  }

 private:
  struct Made {
    Plan plan;
    std::optional<Problem> problem;
  };

  // --- what options say

  void refuse(std::string message, std::string hint) {
    if (!problem_) problem_ = Problem{std::move(message), std::move(hint)};
  }

  std::vector<Path> paths_of(std::string const& list, std::string const& option) {
    auto paths = read_paths(list);
    if (!paths) {
      refuse(option + " '" + list + "': not a list of paths such as a, a.b or a.b[2]",
             "A key that holds '.', ',' or '[' stands in double quotes.");
      return {};
    }
    return std::move(*paths);
  }

  std::vector<Path> one_path_of(std::string const& list, std::string const& option) {
    auto paths = paths_of(list, option);
    if (paths.size() > 1) refuse(option + " takes one path, not " + std::to_string(paths.size()), {});
    return paths;
  }

  /// Columns of text that `columns` names are none of the numbers, and come in its order; others behind them.
  void take_texts_out() {
    std::vector<Path> numbers, texts;
    auto const holds = [](std::vector<Path> const& paths, Path const& path) {
      return std::find(paths.begin(), paths.end(), path) != paths.end();
    };
    for (Path const& path : features_) (holds(texts_, path) ? texts : numbers).push_back(path);
    std::vector<Path> const named = texts;
    for (Path const& path : texts_)
      if (!holds(named, path)) texts.push_back(path);
    features_ = std::move(numbers);
    texts_ = std::move(texts);
  }

  void read_nulls() {
    auto const texts = read_texts(options_.nulls);
    if (!texts) return refuse("--null '" + options_.nulls + "': a quote is not closed", {});
    for (std::string const& text : *texts) {
      bool const is_nan = text.size() == 3 && (text[0] | 32) == 'n' && (text[1] | 32) == 'a' && (text[2] | 32) == 'n';
      nan_is_null_ = nan_is_null_ || is_nan;
      nulls_.push_back(text);
    }
  }

  void read_label_map() {
    std::string const hint = "Write one number for each text: --label-map setosa=0,versicolor=1";
    auto const items = read_named_numbers(options_.label_map);
    if (!items) return refuse("--label-map '" + options_.label_map + "': not NAME=NUMBER,...", hint);
    for (NamedNumber const& item : *items) {
      auto const parsed = number::parse<float>(item.number.data(), item.number.data() + item.number.size());
      if (parsed.status != number::Status::ok) return refuse("--label-map: " + item.number + " is no number", hint);
      auto const is_same = [&item](auto const& other) { return other.first == item.name; };
      if (std::any_of(label_map_.begin(), label_map_.end(), is_same))
        return refuse("--label-map names " + item.name + " twice", hint);
      label_map_.emplace_back(item.name, parsed.value);
    }
    if (!label_map_.empty() && labels_.empty())
      refuse("--label-map needs --label", "--label names the key that holds the texts");
  }

  // --- plans

  Made make_plan(bool is_survey) const {
    Made made;
    TableBuilder tables;
    auto const add = [&](Role role, std::vector<Path> const& paths) {
      for (std::size_t i = 0; i < paths.size(); ++i) {
        std::string const other = tables.add(role, static_cast<std::uint32_t>(i), paths[i]);
        if (!other.empty() && !made.problem) made.problem = clash(text_of(paths[i]), other);
      }
    };
    bool const was_surveyed = wants_survey() && !is_survey;
    std::vector<Path> const features = was_surveyed ? found_features() : features_;
    std::vector<Path> const texts = was_surveyed ? found_texts() : texts_;
    add(Role::feature, features);
    add(Role::label, labels_);
    add(Role::weight, weight_);
    add(Role::qid, qid_);
    add(Role::category, texts);
    add(Role::ignore, ignored_);
    for (std::string const& text : nulls_) tables.add_null(text);
    for (auto const& [name, value] : label_map_) tables.add_label(name, value);
    Plan& plan = made.plan;
    plan.layout.feature_dtype = options_.dtype;
    plan.layout.features = features.size();
    plan.layout.labels = labels_.size();
    plan.layout.has_weight = !weight_.empty();
    plan.layout.has_qid = !qid_.empty();
    plan.layout.has_metadata = is_survey;
    plan.layout.categories = texts.size();
    plan.layout.keeps_texts = !texts.empty() && options_.text_rules.empty();
    plan.rules.dtype = options_.dtype;
    plan.rules.text = options_.text;
    plan.rules.requires_keys = options_.requires_keys;
    plan.rules.clips_overflow = options_.clips_overflow;
    plan.rules.takes_infinite = options_.takes_infinite;
    plan.is_survey = is_survey;
    plan.was_surveyed = was_surveyed;
    if (is_survey) plan.rules.text.refuses_unknown_keys = false;
    tables.finish(plan);
    plan.rules.tables.nan_is_null = nan_is_null_;
    plan.rules.texts = {options_.text_rules.data(), options_.finds_texts};
    return made;
  }

  static Problem clash(std::string const& path, std::string const& other) {
    if (path == other) return {path + " is named twice", "A value goes to one place."};
    return {"of " + path + " and " + other + " one is inside the other", "A path ends at a number."};
  }

  // --- what a survey says

  [[nodiscard]] std::vector<Path> found_features() const {
    std::vector<Path> features;
    for (std::uint32_t key = 0; key < tree_.keys().size(); ++key) {
      if (tree_.keys()[key].is_numeric() && !is_given(key)) features.push_back(tree_.path_of(key));
    }
    return features;
  }

  /// Those that were named, and others that hold texts, if they are wanted.
  [[nodiscard]] std::vector<Path> found_texts() const {
    std::vector<Path> texts = texts_;
    if (!options_.finds_texts) return texts;
    for (std::uint32_t key = 0; key < tree_.keys().size(); ++key) {
      if (tree_.keys()[key].is_text() && !is_given(key)) texts.push_back(tree_.path_of(key));
    }
    return texts;
  }

  /// The key has a role or is left out, or lies inside one that is; or a text is looked for inside it.
  [[nodiscard]] bool is_given(std::uint32_t key) const {
    Path const path = tree_.path_of(key);
    auto const holds_it = [&path](Path const& other) {
      return other.size() <= path.size() && std::equal(other.begin(), other.end(), path.begin());
    };
    for (auto const* paths : {&labels_, &weight_, &qid_, &ignored_, &texts_}) {
      if (std::any_of(paths->begin(), paths->end(), holds_it)) return true;
    }
    auto const lies_inside = [&path](Path const& text) {
      return text.size() > path.size() && std::equal(path.begin(), path.end(), text.begin());
    };
    return std::any_of(texts_.begin(), texts_.end(), lies_inside);
  }

  [[nodiscard]] std::string words_of(SurveyedKey const& key) const {
    std::string words;
    auto const add = [&](bool is_there, std::string_view word) {
      if (is_there) words += (words.empty() ? "" : ", ") + std::string(word);
    };
    add(key.holds(kind::integer) && !key.holds(kind::number), "integer");
    add(key.holds(kind::number), "number");
    add(key.holds(kind::boolean), "boolean");
    add(key.holds(kind::text), "text");
    add(key.holds(kind::object), "object");
    add(key.holds(kind::list), "list");
    add(words.empty(), "nothing but null");
    std::uint64_t const lacking = tree_.records() - key.records;
    if (lacking != 0) words += "; " + std::to_string(lacking) + " of " + std::to_string(tree_.records()) + " lack it";
    return words;
  }

  static std::string listed(std::vector<std::string> const& texts) {
    std::string words = std::to_string(texts.size()) + ": ";
    std::size_t const shown = std::min(texts.size(), listed_max);
    for (std::size_t i = 0; i < shown; ++i) words += (i == 0 ? "" : ", ") + texts[i];
    if (texts.size() > shown) words += " and " + std::to_string(texts.size() - shown) + " more";
    return words;
  }

  Options options_;
  ScoutContext context_;
  std::optional<Problem> problem_;
  std::vector<Path> features_;
  std::vector<Path> labels_;
  std::vector<Path> weight_;
  std::vector<Path> qid_;
  std::vector<Path> ignored_;
  std::vector<Path> texts_;
  std::vector<std::string> nulls_;
  bool nan_is_null_ = false;
  std::vector<std::pair<std::string, float>> label_map_;
  json::FirstRecord first_;
  bool is_found_ = false;
  SurveyTree tree_;
};

}  // namespace penstock::objects
