/// Faults of RecordIO-protobuf in words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/recordio/decode.hpp"
#include "formats/recordio/framing.hpp"
#include "formats/recordio/judge.hpp"
#include "formats/recordio/plan.hpp"
#include "penstock/fault.hpp"

namespace penstock::recordio {

/// "1 feature", "2 features".
inline std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

namespace detail {

inline std::string_view part_words(std::uint32_t column) {
  constexpr std::string_view texts[] = {"", "features", "label", "uid", "metadata"};
  return column < std::size(texts) ? texts[column] : "";
}

/// What a tensor is: "3 float32", "2 of float32 among 1000", "bytes".
inline std::string tensor_words(TensorView const& tensor) {
  if (tensor.kind == TensorKind::none) return "nothing";
  if (tensor.kind == TensorKind::bytes) return "bytes";
  std::string const type(name_of(dtype_of_kind(tensor.kind)));
  std::string words = counted(tensor.count, type + " value");
  if (tensor.is_sparse()) words += " with " + counted(tensor.keys, "key");
  if (tensor.rank != 0) words += ", shape of " + std::to_string(tensor.shape_product);
  return words;
}

inline std::string features_words(BatchLayout const& layout) {
  std::string const type(name_of(layout.feature_dtype));
  if (layout.is_sparse)
    return "a sparse " + type + " row" + (layout.features == 0 ? "" : " of " + std::to_string(layout.features));
  return counted(layout.features, type + " value");
}

inline std::string label_words(BatchLayout const& layout) {
  std::string const type(name_of(layout.label_dtype));
  if (layout.labels_vary) return "a list of " + type + " labels";
  return layout.labels == 0 ? "no label, as in the first record" : counted(layout.labels, type + " label");
}

/// The first key that is not below the limit, or stands twice.
inline std::string key_words(TensorView const& tensor, std::uint64_t limit) {
  std::optional<std::uint64_t> found;
  tensor.for_each_key([&](std::uint64_t key) {
    if (key >= limit && !found) found = key;
  });
  return found ? "key " + std::to_string(*found) : "";
}

inline void add_words_of_features(FaultCode code, TensorView const& tensor, Plan const& plan, FaultWords& words) {
  words.found = tensor_words(tensor);
  if (code == FaultCode::index_out_of_range) {
    bool const has_own = tensor.rank != 0 && tensor.shape_product < plan.key_limit();
    std::uint64_t const limit = has_own ? tensor.shape_product : plan.key_limit();
    words.expected = "expected keys below " + std::to_string(limit);
    words.found = key_words(tensor, limit);
  } else if (code == FaultCode::tensor_type_mismatch || code == FaultCode::density_mismatch ||
             code == FaultCode::width_mismatch) {
    words.expected = "expected " + features_words(plan.layout) + ", as in the first record";
  } else if (code == FaultCode::missing_features) {
    words.expected = "expected features under the key \"" + plan.features_key + "\"";
  } else if (code == FaultCode::duplicate_index) {
    words.expected = "a key stands twice";
    words.found = "";
  }
}

inline std::string_view remedy_of(FaultCode code) {
  switch (code) {
    case FaultCode::missing_padding: return "--padding lenient takes it";
    case FaultCode::missing_shape: return "--num-features N says how many features there are";
    case FaultCode::duplicate_index: return "--duplicates last or --duplicates sum takes such records";
    case FaultCode::missing_features: return "--features-key KEY names another entry";
    case FaultCode::label_mismatch: return "--multilabel takes any number of labels, --label-key KEY another entry";
    case FaultCode::record_too_long: return "--max-record-size allows longer records";
    case FaultCode::index_out_of_range:
      return "--num-features N allows more features than the shape of the first record";
    default: return "";
  }
}

/// What the codes of frames and of the container say, for problem_of().
inline std::string_view frame_words(FaultCode code) {
  switch (code) {
    case FaultCode::bad_magic: return describe(FrameStatus::bad_magic);
    case FaultCode::reserved_flag: return describe(FrameStatus::reserved_flag);
    case FaultCode::missing_padding: return describe(FrameStatus::truncated_pad);
    case FaultCode::truncated_frame: return "the input ends inside a frame";
    case FaultCode::bad_part_sequence: return "a part of a split record does not follow the parts before it";
    default: return "the record is longer than --max-record-size allows";
  }
}

inline std::string own_words(FaultCode code) {
  switch (code) {
    case FaultCode::malformed_record: return "it is no protobuf record";
    case FaultCode::bytes_value: return "it holds bytes instead of numbers";
    case FaultCode::shape_mismatch: return "its shape does not fit its values";
    case FaultCode::keys_mismatch: return "keys and values differ in number";
    case FaultCode::density_mismatch: return "its label is sparse";
    default: return "it has no features";
  }
}

}  // namespace detail

/// `record` is the record's frames, or what there is of them: only a record of one whole frame is looked into.
inline FaultWords words_of(Fault const& fault, Plan const& plan, std::string_view record) {
  FaultWords words;
  words.subject = detail::part_words(fault.column);
  words.remedy = detail::remedy_of(fault.code);
  if (fault.code == FaultCode::width_mismatch && plan.layout.is_sparse)
    words.remedy = "--num-features N takes sparse records of any shape up to it";
  Frame const frame = FrameCursor({reinterpret_cast<std::byte const*>(record.data()), record.size()}).next();
  bool const is_whole = frame.status == FrameStatus::ok || frame.status == FrameStatus::truncated_pad;
  if (!is_whole || frame.part != Part::whole) return words;
  RecordResult const result = decode_record(frame.payload, plan.keys());
  if (fault.code == FaultCode::malformed_record) {
    words.found = describe(result.error);
  } else if (fault.column == static_cast<std::uint32_t>(RecordPart::features)) {
    detail::add_words_of_features(fault.code, result.record.features, plan, words);
  } else if (fault.column == static_cast<std::uint32_t>(RecordPart::label)) {
    words.expected = "expected " + detail::label_words(plan.layout);
    words.found = detail::tensor_words(result.record.label);
  }
  return words;
}

/// Why an input cannot be planned: what is wrong with its first record.
inline Problem problem_of(FaultCode code) {
  bool const is_other_format = code == FaultCode::bad_magic || code == FaultCode::reserved_flag;
  return {"the first record cannot be read: " + std::string(detail::frame_words(code)),
          is_other_format ? "If the input is no RecordIO: --from FORMAT." : std::string(detail::remedy_of(code))};
}

inline Problem problem_of(Complaint const& complaint, RecordResult const& result, Options const& options) {
  Problem problem{"the first record cannot be used: " + detail::own_words(complaint.code)};
  if (complaint.code == FaultCode::malformed_record)
    problem.message += " (" + std::string(describe(result.error)) + ")";
  if (complaint.code == FaultCode::missing_features) {
    problem.message += " under the key \"" + options.features_key + "\"";
    if (result.record.has_other_features) problem.message += ", but under others";
    problem.hint = detail::remedy_of(complaint.code);
  }
  return problem;
}

}  // namespace penstock::recordio
