/// Looking at the first record of a RecordIO-protobuf input: what every other must be like.
/// Rules: formats/recordio/README.md, "The first record".
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/core/format.hpp"
#include "formats/recordio/decode.hpp"
#include "formats/recordio/join.hpp"
#include "formats/recordio/judge.hpp"
#include "formats/recordio/options.hpp"
#include "formats/recordio/plan.hpp"
#include "formats/recordio/words.hpp"

namespace penstock::recordio {

/// Records that may be at fault before one is found that can serve as the first. Enough for a damaged beginning, few
/// enough that an input of something else ends soon.
inline constexpr std::size_t first_records_max = 16;

class Scout {
 public:
  Scout(Options const& options, ScoutContext const& context) : options_(options), context_(context) {
    plan_.features_key = options.features_key;
    plan_.label_key = options.label_key;
    plan_.padding = options.padding;
    plan_.join = options.join;
    plan_.duplicates = options.duplicates;
    plan_.layout.labels_vary = options.has_label_lists;
  }

  bool look(Chunk const& chunk) {
    Bytes const bytes{reinterpret_cast<std::byte const*>(chunk.text.data), chunk.text.size};
    std::size_t at = 0;
    for (Reject const& reject : chunk.rejects) {
      if (look_at(bytes.subspan(at, reject.begin - at)) || look_at(reject)) return true;
      at = reject.resume;
    }
    return look_at(bytes.subspan(at));
  }

  [[nodiscard]] std::vector<Problem> problem() const {
    if (!is_planned_) return {first_problem_.message.empty() ? Problem{"the input has no records"} : first_problem_};
    if (wants_width() && !context_.is_read_twice && surveyed_width_ == 0)
      return {Problem{"the records are sparse and have no shape, and the input cannot be read twice to find the width",
                      "--num-features N says it"}};
    bool const is_other = !plan_.layout.is_sparse && options_.num_features != 0;
    if (is_other && plan_.layout.features != options_.num_features)
      return {Problem{"the first record has " + counted(plan_.layout.features, "feature") +
                      ", but --num-features says " + std::to_string(options_.num_features)}};
    return {};
  }

  /// Sparse records without shapes: the width is the largest key plus 1.
  [[nodiscard]] bool wants_survey() const { return is_planned_ && wants_width() && context_.is_read_twice; }
  [[nodiscard]] Plan survey_plan() const { return plan_; }
  void see(Batch const& rows) {
    for (std::size_t i = 0; i < rows.rows; ++i) {
      Extent const pairs = rows.csr.row(i);
      if (pairs.size() == 0) continue;
      auto const last = static_cast<std::size_t>(rows.csr.indices[pairs.end - 1]);
      surveyed_width_ = std::max(surveyed_width_, last + 1);
    }
  }

  [[nodiscard]] Plan plan() const {
    Plan plan = plan_;
    if (wants_width()) plan.layout.features = surveyed_width_;
    return plan;
  }

  [[nodiscard]] std::vector<std::string> notes() const {
    std::vector<std::string> notes;
    if (!is_planned_) return notes;
    if (plan_.layout.is_sparse) notes.push_back("sparse features: " + width_words());
    if (rank_ > 1) notes.emplace_back("features of several dimensions are taken as one row, the last dimension first");
    if (skipped_ != 0)
      notes.push_back(counted(skipped_, "record") + " at the beginning cannot be used; the next decides");
    return notes;
  }

 private:
  [[nodiscard]] bool wants_width() const {
    return plan_.layout.is_sparse && plan_.layout.features == 0 && !plan_.requires_shape && context_.needs_width;
  }

  [[nodiscard]] std::string width_words() const {
    if (options_.num_features != 0) return "width " + std::to_string(options_.num_features) + " (--num-features)";
    if (plan_.requires_shape) return "width " + std::to_string(plan_.layout.features) + " (shape of the first record)";
    if (surveyed_width_ != 0) return "width " + std::to_string(surveyed_width_) + " (largest key of all records)";
    return "width not known";
  }

  /// Records from front to back. True: enough was seen.
  bool look_at(Bytes records) {
    while (!records.empty()) {
      RecordFrames const frames = frames_at(records);
      if (look_at(frames, records.first(frames.size_bytes))) return true;
      records = records.subspan(frames.size_bytes);
    }
    return false;
  }

  bool look_at(RecordFrames const& frames, Bytes bytes) {
    if (!frames.is_split) {
      auto const complaint = look_at_payload(frames.payload);
      return !complaint || skip(problem_of(*complaint, decode_record(frames.payload, plan_.keys()), options_));
    }
    bool const is_known = plan_.join != Join::automatic;
    bool const may_have_magic = is_known ? plan_.join == Join::with_magic : Joiner::may_have_magic(bytes);
    auto complaint = look_at_payload(joiner_.join(bytes, may_have_magic));
    if (!complaint) return true;
    if (may_have_magic && !is_known && !look_at_payload(joiner_.join(bytes, false))) return true;
    Bytes const payload = joiner_.join(bytes, may_have_magic);
    return skip(problem_of(*complaint, decode_record(payload, plan_.keys()), options_));
  }

  bool look_at(Reject const& reject) { return !reject.is_continued && skip(problem_of(reject.fault.code)); }

  bool skip(Problem const& problem) {
    if (skipped_ == 0) first_problem_ = problem;
    return ++skipped_ == first_records_max;
  }

  /// Makes the plan, or says why this record cannot be the first.
  std::optional<Complaint> look_at_payload(Bytes payload) {
    RecordResult const result = decode_record(payload, plan_.keys());
    if (auto const complaint = own_fault(result, payload)) return complaint;
    RecordView const& record = result.record;
    if (record.features.is_blank())
      return Complaint{FaultCode::missing_features, RecordPart::features, record.features.entry};
    take_features(record.features);
    if (record.label.count != 0) plan_.layout.label_dtype = dtype_of_kind(record.label.kind);
    if (!plan_.layout.labels_vary) plan_.layout.labels = record.label.count;
    plan_.layout.has_uid = record.has_uid;
    plan_.layout.has_metadata = record.has_metadata;
    is_planned_ = true;
    return std::nullopt;
  }

  void take_features(TensorView const& features) {
    plan_.layout.feature_dtype = dtype_of_kind(features.kind);
    plan_.layout.is_sparse = features.is_sparse();
    plan_.requires_shape = features.is_sparse() && features.rank != 0 && options_.num_features == 0;
    plan_.layout.features = features.count;
    if (features.is_sparse())
      plan_.layout.features = plan_.requires_shape ? features.shape_product : options_.num_features;
    rank_ = features.rank;
  }

  Options options_;
  ScoutContext context_;
  Plan plan_;
  Joiner joiner_;
  bool is_planned_ = false;
  Problem first_problem_;
  std::size_t skipped_ = 0;  ///< records before the first that could be used
  std::size_t rank_ = 0;     ///< of the first record's shape
  std::size_t surveyed_width_ = 0;
};

}  // namespace penstock::recordio
