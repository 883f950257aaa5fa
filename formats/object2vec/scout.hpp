/// Whether Object2Vec records have labels: as the first one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/core/format.hpp"
#include "formats/json/lines.hpp"
#include "formats/object2vec/options.hpp"
#include "formats/object2vec/plan.hpp"
#include "formats/object2vec/record.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"

namespace penstock::object2vec {

/// The first line that is an object with in0 and in1 decides.
class Scout {
 public:
  Scout(Options const& options, ScoutContext const& /*context*/) {
    plan_.text = options.text;
    if (options.vocab_size != 0)
      plan_.token_max = std::min(plan_.token_max, static_cast<std::int64_t>(options.vocab_size) - 1);
  }

  bool look(Chunk const& chunk) {
    is_found_ = first_.find(chunk, [this](char const* at) { return look_at(at); });
    if (is_found_) plan_.first_line = first_.line();
    return is_found_;
  }

  [[nodiscard]] std::vector<Problem> problem() const {
    if (is_found_ || is_json_ || !first_.has_bytes()) return {};
    return {{"no line is an object with two lists of tokens: {\"label\": 0, \"in0\": [6, 17], \"in1\": [16]}",
             "--from jsonl or --from objects for other JSON lines"}};
  }
  /// Lines that are objects, perhaps, though none can serve as the first.
  [[nodiscard]] bool has_records() const { return is_json_; }
  [[nodiscard]] bool wants_survey() const { return false; }
  [[nodiscard]] Plan survey_plan() const { return plan_; }
  void see(Batch const& /*rows*/) {}
  [[nodiscard]] Plan plan() const { return plan_; }

  [[nodiscard]] std::vector<std::string> notes() const {
    if (!is_found_) return {};
    return {"labels: " + std::to_string(plan_.layout.labels) + " (as in the first record, line " +
            std::to_string(plan_.first_line) + ")"};
  }

 private:
  bool look_at(char const* at) {
    is_json_ = is_json_ || *at == '{';
    unsigned seen = 0;
    bool const is_object = json::for_each_member(at, plan_.text.is_lenient, true, [&](json::String key, char const*) {
      seen |= 1u << static_cast<unsigned>(key_of(key));
    });
    if (!is_object || (seen & 3u) != 3u) return false;
    plan_.layout.labels = (seen & 1u << static_cast<unsigned>(Key::label)) != 0 ? 1 : 0;
    return true;
  }

  Plan plan_;
  json::FirstRecord first_;
  bool is_found_ = false;
  bool is_json_ = false;  ///< some line begins as an object does: if it is none, its fault says why
};

}  // namespace penstock::object2vec
