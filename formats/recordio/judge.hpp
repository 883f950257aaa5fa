/// What is wrong with a record: by itself, and beside the first record of the input.
/// Rules and their order: formats/recordio/README.md, "Faults".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "formats/recordio/decode.hpp"
#include "formats/recordio/plan.hpp"
#include "formats/recordio/tensor.hpp"
#include "penstock/dtype.hpp"
#include "penstock/fault.hpp"

namespace penstock::recordio {

/// Which part of a record a fault is about: Fault::column.
enum class RecordPart : std::uint8_t { frame, features, label, uid, metadata };

/// A fault of a record. `cell` lies in the payload; empty and null if nothing in it is at fault.
struct Complaint {
  FaultCode code = FaultCode::malformed_record;
  RecordPart part = RecordPart::frame;
  Bytes cell;
};

/// Element type of a tensor that has one.
constexpr DType dtype_of_kind(TensorKind kind) {
  return kind == TensorKind::float64 ? DType::float64 : kind == TensorKind::int32 ? DType::int32 : DType::float32;
}

namespace detail {

inline std::optional<FaultCode> fault_of_shape(TensorView const& tensor) {
  if (!tensor.is_sparse()) {
    bool const fits = tensor.rank == 0 || tensor.shape_product == tensor.count;
    return fits ? std::nullopt : std::optional(FaultCode::shape_mismatch);
  }
  if (tensor.keys != tensor.count) return FaultCode::keys_mismatch;
  bool const is_too_large = tensor.rank != 0 && tensor.shape_product > keys_limit;
  return is_too_large ? std::optional(FaultCode::shape_mismatch) : std::nullopt;
}

inline std::optional<FaultCode> own_fault_of_features(TensorView const& tensor) {
  if (tensor.kind == TensorKind::none) return FaultCode::missing_features;
  if (tensor.kind == TensorKind::bytes) return FaultCode::bytes_value;
  return fault_of_shape(tensor);
}

inline std::optional<FaultCode> own_fault_of_label(TensorView const& tensor) {
  if (tensor.kind == TensorKind::bytes) return FaultCode::bytes_value;
  if (tensor.is_sparse()) return FaultCode::density_mismatch;
  return fault_of_shape(tensor);
}

inline std::optional<FaultCode> plan_fault_of_features(TensorView const& tensor, Plan const& plan) {
  BatchLayout const& layout = plan.layout;
  if (dtype_of_kind(tensor.kind) != layout.feature_dtype) return FaultCode::tensor_type_mismatch;
  if (!layout.is_sparse) {
    if (tensor.is_sparse()) return FaultCode::density_mismatch;
    return tensor.count == layout.features ? std::nullopt : std::optional(FaultCode::width_mismatch);
  }
  if (!tensor.is_sparse() && !tensor.is_blank()) return FaultCode::density_mismatch;
  if (!plan.requires_shape) return std::nullopt;
  if (tensor.rank == 0) return FaultCode::missing_shape;
  return tensor.shape_product == layout.features ? std::nullopt : std::optional(FaultCode::width_mismatch);
}

inline std::optional<FaultCode> plan_fault_of_label(TensorView const& tensor, BatchLayout const& layout) {
  bool const has_number = layout.labels_vary || tensor.count == layout.labels;
  if (!has_number) return FaultCode::label_mismatch;
  bool const has_type = tensor.count == 0 || dtype_of_kind(tensor.kind) == layout.label_dtype;
  return has_type ? std::nullopt : std::optional(FaultCode::tensor_type_mismatch);
}

}  // namespace detail

/// What is wrong with the record by itself.
inline std::optional<Complaint> own_fault(RecordResult const& result, Bytes payload) {
  if (result.status == RecordStatus::malformed)
    return Complaint{FaultCode::malformed_record, RecordPart::frame, payload.subspan(result.error_offset_bytes)};
  RecordView const& record = result.record;
  if (auto const code = detail::own_fault_of_features(record.features))
    return Complaint{*code, RecordPart::features, record.features.entry};
  if (auto const code = detail::own_fault_of_label(record.label))
    return Complaint{*code, RecordPart::label, record.label.entry};
  return std::nullopt;
}

/// What is wrong with a record that is right by itself, but for the values of its keys.
inline std::optional<Complaint> plan_fault(RecordView const& record, Plan const& plan) {
  if (auto const code = detail::plan_fault_of_features(record.features, plan))
    return Complaint{*code, RecordPart::features, record.features.entry};
  if (auto const code = detail::plan_fault_of_label(record.label, plan.layout))
    return Complaint{*code, RecordPart::label, record.label.entry};
  if (!plan.layout.has_uid && !record.uid.empty())
    return Complaint{FaultCode::unexpected_text, RecordPart::uid, record.uid};
  if (!plan.layout.has_metadata && !record.metadata.empty())
    return Complaint{FaultCode::unexpected_text, RecordPart::metadata, record.metadata};
  return std::nullopt;
}

inline std::optional<Complaint> judge(RecordResult const& result, Bytes payload, Plan const& plan) {
  auto const own = own_fault(result, payload);
  return own ? own : plan_fault(result.record, plan);
}

}  // namespace penstock::recordio
