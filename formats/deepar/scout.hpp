/// How many categories and dynamic features each record of a DeepAR input has: as many as the first one.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "formats/core/format.hpp"
#include "formats/deepar/options.hpp"
#include "formats/deepar/plan.hpp"
#include "formats/deepar/record.hpp"
#include "formats/json/lines.hpp"
#include "formats/json/words.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"

namespace penstock::deepar {

/// The first line that is an object with a target decides.
class Scout {
 public:
  Scout(Options const& options, ScoutContext const& /*context*/) {
    plan_.text = options.text;
    plan_.prediction_length = options.prediction_length;
    plan_.checks_categories = options.checks_categories;
  }

  bool look(Chunk const& chunk) {
    bool const is_found = first_.find(chunk, [this](char const* at) { return look_at(at); });
    if (is_found) plan_.first_line = first_.line();
    return is_found;
  }

  [[nodiscard]] std::vector<Problem> problem() const {
    if (is_found_ || is_json_ || !first_.has_bytes()) return {};
    return {{"no line is an object with a target: {\"start\": \"2009-11-01 00:00:00\", \"target\": [4.3, 10.3]}",
             "--from jsonl or --from objects for other JSON lines"}};
  }
  /// Lines that are objects, perhaps, though none can serve as the first.
  [[nodiscard]] bool has_records() const { return is_json_; }
  [[nodiscard]] bool wants_survey() const { return false; }
  [[nodiscard]] Plan survey_plan() const { return plan_; }
  void see(Batch const& /*rows*/) {}
  [[nodiscard]] Plan plan() const { return plan_; }

  [[nodiscard]] std::vector<std::string> notes() const {
    std::string const where = " (as in the first record, line " + std::to_string(plan_.first_line) + ")";
    std::vector<std::string> notes;
    if (plan_.layout.cats != 0) notes.push_back("categories a record: " + std::to_string(plan_.layout.cats) + where);
    if (plan_.dynamic_feats() != 0)
      notes.push_back("dynamic features a record: " + std::to_string(plan_.dynamic_feats()) + where);
    return notes;
  }

 private:
  bool look_at(char const* at) {
    is_json_ = is_json_ || *at == '{';
    std::size_t cats = 0;
    std::size_t features = 0;
    bool has_target = false;
    bool const is_object =
        json::for_each_member(at, plan_.text.is_lenient, true, [&](json::String key, char const* value) {
          switch (key_of(key)) {
            case Key::target: has_target = *value == '['; break;
            case Key::cat: cats = json::count_elements(value); break;
            case Key::dynamic_feat: features = json::count_elements(value); break;
            default: break;
          }
        });
    if (!is_object || !has_target) return false;
    plan_.layout.cats = cats;
    if (features != 0) plan_.layout.lists[1] = {ListRole::dynamic_feat, DType::float32, features};
    is_found_ = true;
    return true;
  }

  Plan plan_;
  json::FirstRecord first_;
  bool is_found_ = false;
  bool is_json_ = false;  ///< some line begins as an object does: if it is none, its fault says why
};

}  // namespace penstock::deepar
