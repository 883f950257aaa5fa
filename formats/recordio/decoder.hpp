/// Decoding many records of one shape: decode_record() once, then a comparison of constant bytes a record.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>

#include "formats/recordio/decode.hpp"
#include "formats/recordio/layout.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::recordio {

/// Decodes payload after payload with the results of decode_record(). Rows of one file differ only in their
/// values, so it remembers the last record whose features, and label if any, are one packed run of floats
/// each, label last. What a parser does depends on the bytes outside of such runs alone: a payload of the
/// same size with the same bytes there means the same, with the runs in the same places.
/// The text of the keys outlives it. One object serves one thread; no memory is taken.
class RecordDecoder {
 public:
  explicit RecordDecoder(RecordKeys const& keys = {}) : keys_(keys) {}

  /// As decode_record(payload, keys).
  RecordResult decode(Bytes payload) {
    if (!is_known(payload)) {
      RecordResult const result = decode_record(payload, keys_);
      learn(payload, result);
      return result;
    }
    RecordResult result = known_;
    features_.place(result.record.features, payload);
    if (result.record.label.has_entry) label_.place(result.record.label, payload);
    return result;
  }

  /// Whether the payload is like the one that is remembered in everything but the values of its runs.
  [[nodiscard]] bool is_known(Bytes payload) const {
    return known_size_ != 0 && payload.size() == known_size_ && gaps_[0].is_in(payload) && gaps_[1].is_in(payload);
  }
  /// Where the packed values of a payload that is known begin. Without a label the latter means nothing.
  [[nodiscard]] std::byte const* features_of(Bytes payload) const { return payload.data() + features_.packed; }
  [[nodiscard]] std::byte const* label_of(Bytes payload) const { return payload.data() + label_.packed; }

 private:
  /// Where the parts of a tensor lie in the payload. Offsets, because the remembered payload may be gone.
  struct Offsets {
    std::size_t entry = 0;
    std::size_t first = 0;
    std::size_t packed = 0;
    void learn(TensorView const& view, Bytes payload) {
      entry = static_cast<std::size_t>(view.entry.data() - payload.data());
      first = static_cast<std::size_t>(view.first - payload.data());
      packed = static_cast<std::size_t>(view.packed.data() - payload.data());
    }
    void place(TensorView& view, Bytes payload) const {
      view.entry = payload.subspan(entry, view.entry.size());
      view.first = payload.data() + first;
      view.packed = payload.subspan(packed, view.packed.size());
    }
  };

  /// The constant bytes before a run: a canonical record has at most prefix_bytes_max.
  struct Gap {
    std::array<std::byte, prefix_bytes_max> bytes{};
    std::size_t begin = 0;
    std::size_t size_bytes = 0;
    [[nodiscard]] bool is_in(Bytes payload) const {
      return std::memcmp(bytes.data(), payload.data() + begin, size_bytes) == 0;
    }
  };

  static bool is_one_float_run(TensorView const& view) { return fixed_bytes(view.kind) != 0 && !view.packed.empty(); }

  static bool set_gap(Gap& gap, Bytes payload, std::size_t begin, std::size_t end) {
    if (end < begin || end - begin > gap.bytes.size()) return false;
    gap.begin = begin;
    gap.size_bytes = end - begin;
    if (gap.size_bytes != 0) std::memcpy(gap.bytes.data(), payload.data() + begin, gap.size_bytes);
    return true;
  }

  void learn(Bytes payload, RecordResult const& result) {
    known_size_ = 0;
    TensorView const& features = result.record.features;
    TensorView const& label = result.record.label;
    if (result.status != RecordStatus::ok || !is_one_float_run(features)) return;
    if (label.has_entry && !is_one_float_run(label)) return;
    if (result.record.has_uid || result.record.has_metadata) return;
    features_.learn(features, payload);
    if (label.has_entry) label_.learn(label, payload);
    std::size_t const features_end = features_.packed + features.packed.size();
    std::size_t const label_begin = label.has_entry ? label_.packed : payload.size();
    if (label_begin + label.packed.size() != payload.size()) return;
    if (!set_gap(gaps_[0], payload, 0, features_.packed)) return;
    if (!set_gap(gaps_[1], payload, features_end, label_begin)) return;
    known_ = result;
    known_size_ = payload.size();
  }

  RecordKeys keys_;
  RecordResult known_;  ///< its views are replaced before it is handed out
  Offsets features_;
  Offsets label_;
  std::size_t known_size_ = 0;  ///< 0 while nothing is known
  std::array<Gap, 2> gaps_;
};

}  // namespace penstock::recordio
