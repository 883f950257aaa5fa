/// What a libsvm input does not say in one place: whether there are weights and query ids, where indices begin, how
/// many columns there are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/core/format.hpp"
#include "formats/core/line_ends.hpp"
#include "formats/libsvm/grammar.hpp"
#include "formats/libsvm/plan.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"

namespace penstock::libsvm {

/// The first record decides whether records have weights and query ids: its bytes do, whatever they are worth. The
/// smallest and the largest index of the whole input decide the rest, unless the options do.
class Scout {
 public:
  Scout(Options const& options, ScoutContext const& context) : options_(options), context_(context) {}

  /// Lines that are rejected for their length are no first record.
  bool look(Chunk const& chunk) {
    std::uint32_t at = 0;
    for (Reject const& reject : chunk.rejects) {
      if (look_at_lines(chunk, at, reject.begin)) return true;
      at = reject.resume;
    }
    return look_at_lines(chunk, at, static_cast<std::uint32_t>(chunk.text.size));
  }

  [[nodiscard]] std::vector<Problem> problem() const {
    if (options_.libfm && !options_.drops_libfm_fields)
      return {{"the fields of libfm triples have no place in the output: a row is index:value pairs",
               "--libfm-fields drop, if the indices are unique without their fields"}};
    if (!wants_survey() || context_.is_read_twice) return {};
    if (wants_base())
      return {
          {"whether indices count from 0 or from 1 can only be told from the whole input, which can be read but once",
           wants_width() ? "--index-base 0 or --index-base 1, and --num-features N"
                         : "--index-base 0 or --index-base 1"}};
    return {{"the number of features is the largest index of the whole input, which can be read but once",
             "--num-features N"}};
  }

  [[nodiscard]] bool wants_survey() const { return wants_base() || wants_width(); }

  /// Indices as they are written, however large.
  [[nodiscard]] Plan survey_plan() const {
    Plan plan = plan_without_indices();
    if (options_.index_base == IndexBase::one) plan.items.base = 1;
    plan.items.columns = index_max + 1;  // the base may turn out to be 1
    return plan;
  }

  void see(Batch const& rows) {
    for (std::size_t i = 0; i < rows.rows; ++i) {
      Extent const pairs = rows.csr.row(i);
      if (pairs.size() == 0) continue;
      least_ = std::min(least_, rows.csr.indices[pairs.begin]);  // they ascend
      greatest_ = std::max(greatest_, rows.csr.indices[pairs.end - 1]);
    }
  }

  [[nodiscard]] Plan plan() const {
    Plan plan = plan_without_indices();
    plan.items.base = base();
    plan.layout.features = width();
    if (options_.num_features != 0) plan.items.columns = options_.num_features;
    return plan;
  }

  [[nodiscard]] std::vector<std::string> notes() const {
    std::vector<std::string> notes;
    std::string const base_text = std::to_string(base());
    if (options_.index_base == IndexBase::automatic && wants_survey())
      notes.push_back(
          "index base: " + base_text +
          (has_pairs() ? " (the smallest index is " + std::to_string(least_) + ")" : " (there are no pairs)"));
    if (options_.num_features == 0 && width() != 0)
      notes.push_back("features: " + std::to_string(width()) +
                      (has_pairs() ? " (the largest index is " + std::to_string(written(greatest_)) + ")"
                                   : " (there are no pairs)"));
    if (has_weight_) notes.push_back("weights: behind the labels, as in the first record");
    if (has_qid_) notes.push_back("query ids: in all records, as in the first");
    if (options_.libfm) notes.push_back("fields of libfm triples: dropped");
    return notes;
  }

 private:
  static constexpr std::int64_t no_index = -1;

  [[nodiscard]] bool wants_base() const { return options_.index_base == IndexBase::automatic; }
  [[nodiscard]] bool wants_width() const { return options_.num_features == 0 && context_.needs_width; }
  [[nodiscard]] bool has_pairs() const { return greatest_ != no_index; }

  [[nodiscard]] std::uint64_t base() const {
    if (options_.index_base != IndexBase::automatic) return options_.index_base == IndexBase::one ? 1 : 0;
    return has_pairs() && least_ >= 1 ? 1 : 0;
  }
  /// A surveyed index as it stands in the text.
  [[nodiscard]] std::uint64_t written(std::int64_t index) const {
    return static_cast<std::uint64_t>(index) + (options_.index_base == IndexBase::one ? 1 : 0);
  }
  /// 0: not known. An input without pairs has one column, which is empty: a shape of none is no shape.
  [[nodiscard]] std::uint64_t width() const {
    if (options_.num_features != 0) return options_.num_features;
    if (has_pairs()) return written(greatest_) - base() + 1;
    return wants_width() ? 1 : 0;
  }

  [[nodiscard]] Plan plan_without_indices() const {
    Plan plan;
    plan.layout.feature_dtype = options_.dtype;
    plan.layout.labels = options_.multilabel ? 0 : 1;
    plan.layout.labels_vary = options_.multilabel;
    plan.layout.has_weight = has_weight_;
    plan.layout.has_qid = has_qid_;
    plan.items.syntax = {options_.dmlc, options_.libfm};
    plan.items.overflow = options_.overflow;
    plan.duplicates = options_.duplicates;
    plan.checks_qid_order = options_.checks_qid_order;
    plan.pairs_max = pairs_max(context_.record_max, plan.items.syntax);
    return plan;
  }

  /// Whole lines of [at, end), up to the first record.
  bool look_at_lines(Chunk const& chunk, std::uint32_t at, std::uint32_t end) {
    char const* const text = chunk.text.data;
    if (at == 0 && end > 0) at = mark_bytes(chunk);
    while (at < end) {
      char const* const content = skip_blanks(text + at);
      if (!ends_content(*content)) {
        Head const head = read_head(content);
        has_weight_ = head.weight.is_there() && !lacks_label(head);
        has_qid_ = head.qid.is_there();
        return true;
      }
      while (!ends_line(text[at])) ++at;
      ++at;
    }
    return false;
  }

  Options options_;
  ScoutContext context_;
  bool has_weight_ = false;
  bool has_qid_ = false;
  std::int64_t least_ = INT64_MAX;
  std::int64_t greatest_ = no_index;
};

}  // namespace penstock::libsvm
