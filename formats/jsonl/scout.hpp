/// What a record of vectors is: dense or sparse, how wide, with how many labels. As the first one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/core/format.hpp"
#include "formats/core/number.hpp"
#include "formats/json/lines.hpp"
#include "formats/json/words.hpp"
#include "formats/jsonl/keys.hpp"
#include "formats/jsonl/options.hpp"
#include "formats/jsonl/plan.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"

namespace penstock::jsonl {

/// The first line that is an object with features decides. The width of sparse records that do not say it is the
/// largest index of the whole input plus 1, where the output needs it.
class Scout {
 public:
  Scout(Options const& options, ScoutContext const& context) : options_(options), context_(context) {
    plan_.text = options.text;
    plan_.clips_overflow = options.clips_overflow;
    plan_.layout.feature_dtype = options.dtype;
    plan_.layout.labels_vary = options.multilabel;
    plan_.layout.features = 1;  // of no rows: a shape of nothing is no shape
  }

  bool look(Chunk const& chunk) {
    bool const is_found = first_.find(chunk, [this](char const* at) { return look_at(at); });
    if (is_found) plan_.first_line = first_.line();
    return is_found;
  }

  [[nodiscard]] std::vector<Problem> problem() const {
    if (!is_found_ && !is_json_ && first_.has_bytes())
      return {{"no line is an object with features: {\"features\": [1.5, 16.0], \"label\": 1}",
               "--from objects --columns KEY,... reads other keys as columns"}};
    if (is_found_ && wants_survey() && !context_.is_read_twice)
      return {{"the number of features is the largest index of the whole input, which can be read but once",
               "--num-features N"}};
    return {};
  }

  /// Lines that are objects, perhaps, though none can serve as the first.
  [[nodiscard]] bool has_records() const { return is_json_; }
  [[nodiscard]] bool wants_survey() const {
    return is_found_ && plan_.layout.is_sparse && plan_.layout.features == 0 && context_.needs_width;
  }
  [[nodiscard]] Plan survey_plan() const { return plan_; }
  void see(Batch const& rows) {
    if (rows.csr.indptr == nullptr) return;
    for (std::size_t row = 0; row < rows.rows; ++row) {
      Extent const pairs = rows.csr.row(row);
      if (pairs.size() != 0) greatest_ = std::max(greatest_, rows.csr.indices[pairs.end - 1]);  // they ascend
    }
  }
  [[nodiscard]] Plan plan() const {
    Plan plan = plan_;
    if (wants_survey()) plan.layout.features = static_cast<std::size_t>(greatest_ + 1);
    return plan;
  }

  [[nodiscard]] std::vector<std::string> notes() const {
    if (!is_found_) return {};
    std::string const where = " (as in the first record, line " + std::to_string(plan_.first_line) + ")";
    BatchLayout const layout = plan().layout;
    std::string features = layout.is_sparse ? "features: sparse" : "features: dense";
    if (layout.features != 0) features += ", " + std::to_string(layout.features);
    if (wants_survey()) features += " (the largest index is " + std::to_string(greatest_) + ")";
    bool const is_said = layout.is_sparse && (options_.num_features != 0 || wants_survey());
    std::vector<std::string> notes = {features + (is_said ? "" : where)};
    if (layout.labels_vary)
      notes.emplace_back("labels: a list in each record");
    else
      notes.push_back("labels: " + std::to_string(layout.labels) + where);
    return notes;
  }

 private:
  /// What the first record says of itself.
  struct Found {
    bool has_values = false;
    bool has_keys = false;
    std::size_t values = 0;
    std::size_t shape = 0;
    std::size_t labels = 0;
  };

  bool look_at(char const* at) {
    is_json_ = is_json_ || *at == '{';
    Found found;
    bool const is_object = look_at_members(at, false, found);
    if (!is_object || !found.has_values) return false;
    is_found_ = true;
    BatchLayout& layout = plan_.layout;
    layout.is_sparse = found.has_keys;
    layout.features = found.has_keys ? found.shape : found.values;
    plan_.checks_shape = options_.num_features == 0;
    if (found.has_keys && options_.num_features != 0) layout.features = options_.num_features;
    layout.labels = layout.labels_vary ? 0 : found.labels;
    return true;
  }

  bool look_at_members(char const* at, bool is_data, Found& found) {
    bool is_valid = true;
    bool const is_object =
        json::for_each_member(at, plan_.text.is_lenient, !is_data, [&](json::String key, char const* value) {
          switch (record_key(key, is_data)) {
            case Key::label: found.labels = *value == '[' ? json::count_elements(value) : 1; break;
            case Key::data:
              if (*value == '{') is_valid = is_valid && look_at_members(value, true, found);
              break;
            case Key::features: look_at_features(value, found); break;
            default: break;
          }
        });
    return is_object && is_valid;
  }

  void look_at_features(char const* at, Found& found) {
    if (*at == '[') {
      found.has_values = true;
      found.values = json::count_elements(at);
    }
    if (*at != '{') return;
    json::for_each_member(at, plan_.text.is_lenient, false, [&](json::String key, char const* value) {
      if (*value != '[') return;
      switch (tensor_key(key)) {
        case Key::values:
          found.has_values = true;
          found.values = json::count_elements(value);
          break;
        case Key::keys: found.has_keys = true; break;
        case Key::shape: found.shape = first_number(value); break;
        default: break;
      }
    });
  }

  static std::size_t first_number(char const* list) {
    char const* const at = json::skip_space(list + 1);
    if (!json::is_digit(*at)) return 0;
    auto const parsed = number::parse<std::int64_t>(at, json::skip_number(at).at);
    return parsed.status == number::Status::ok ? static_cast<std::size_t>(parsed.value) : 0;
  }

  Options options_;
  ScoutContext context_;
  Plan plan_;
  json::FirstRecord first_;
  bool is_found_ = false;
  bool is_json_ = false;  ///< some line begins as an object does: if it is none, its fault says why
  std::int64_t greatest_ = 0;
};

}  // namespace penstock::jsonl
