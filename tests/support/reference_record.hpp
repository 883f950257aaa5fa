/// One payload of RecordIO-protobuf the slow way: every rule as formats/recordio/README.md says it, nothing shared with
/// formats/recordio but the words for options and plans.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/recordio/plan.hpp"
#include "tests/support/format_run.hpp"

namespace penstock::testing::reference {

/// A list of numbers as bits: float32 and int32 in 32 of them.
using Numbers = std::vector<std::uint64_t>;

struct Malformed {
  std::size_t at = 0;  ///< in the payload
};

struct WireField {
  std::uint64_t number = 0;
  int type = 0;
  std::uint64_t value = 0;       ///< of a varint
  std::size_t begin = 0;         ///< of the tag
  std::size_t content = 0;       ///< where the content begins
  std::size_t content_size = 0;  ///< of all but varints; groups with their end
};

inline std::size_t type_size(DType type) { return size_bytes(type); }

/// Reads messages out of one payload; positions are positions in it. Throws Malformed.
class WireReader {
 public:
  explicit WireReader(std::string_view payload) : payload_(payload) {}

  [[nodiscard]] std::string_view text(WireField const& field) const {
    return payload_.substr(field.content, field.content_size);
  }

  std::uint64_t varint(std::size_t& at, std::size_t end, std::size_t bytes_max, std::size_t blame) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes_max; ++i) {
      if (at == end) throw Malformed{blame};
      auto const byte = static_cast<unsigned char>(payload_[at++]);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value;
    }
    throw Malformed{blame};
  }

  /// The field at `at`, which is moved behind it.
  WireField field(std::size_t& at, std::size_t end, int depth) const {
    WireField field;
    field.begin = at;
    field = tag(at, end, field.begin);
    if (field.type == 4) throw Malformed{field.begin};
    skip(field, at, end, depth);
    return field;
  }

  /// All numbers of a list's fields: one integer, or a packed run.
  Numbers integers(WireField const& field) const {
    if (field.type == 0) return {field.value};
    Numbers numbers;
    for (std::size_t at = field.content; at < field.content + field.content_size;)
      numbers.push_back(varint(at, field.content + field.content_size, 10, field.content));
    return numbers;
  }

  Numbers fixed(WireField const& field, std::size_t size) const {
    if (field.content_size % size != 0) throw Malformed{field.content};
    Numbers numbers;
    for (std::size_t at = 0; at < field.content_size; at += size) {
      std::uint64_t bits = 0;
      for (std::size_t i = 0; i < size; ++i)
        bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(payload_[field.content + at + i])) << (8 * i);
      numbers.push_back(bits);
    }
    return numbers;
  }

 private:
  WireField tag(std::size_t& at, std::size_t end, std::size_t blame) const {
    WireField field;
    field.begin = blame;
    std::uint64_t const word = varint(at, end, 5, blame) & 0xffffffffu;
    field.number = word >> 3;
    field.type = static_cast<int>(word & 7);
    if (field.type > 5 || field.number == 0) throw Malformed{blame};
    return field;
  }

  void skip(WireField& field, std::size_t& at, std::size_t end, int depth) const {
    field.content = at;
    if (field.type == 0) field.value = varint(at, end, 10, field.begin);
    if (field.type == 2) {
      std::uint64_t const size = varint(at, end, 5, field.begin);
      field.content = at;
      if (size > end - at) throw Malformed{field.begin};
      at += size;
    }
    std::size_t const width = field.type == 1 ? 8 : field.type == 5 ? 4 : 0;
    if (width > end - at) throw Malformed{field.begin};
    at += width;
    if (field.type == 3) skip_group(field, at, end, depth);
    field.content_size = at - field.content;
  }

  void skip_group(WireField const& group, std::size_t& at, std::size_t end, int depth) const {
    if (depth >= 100) throw Malformed{group.begin};
    for (;;) {
      if (at == end) throw Malformed{group.begin};
      WireField inner = tag(at, end, group.begin);
      if (inner.type == 4 && inner.number != group.number) throw Malformed{group.begin};
      if (inner.type == 4) return;
      skip(inner, at, end, depth + 1);
    }
  }

  std::string_view payload_;
};

/// A tensor, or what stands in its place.
struct Tensor {
  bool has_entry = false;
  std::size_t begin = 0, end = 0;  ///< of the map entry's content
  std::uint64_t member = 0;        ///< field number in Value: 2 float32, 3 float64, 7 int32, 9 bytes, 0 none
  Numbers values, keys, shape;

  [[nodiscard]] bool is_sparse() const { return !keys.empty() || (values.empty() && !shape.empty()); }
  [[nodiscard]] bool is_blank() const { return values.empty() && keys.empty() && shape.empty(); }
  [[nodiscard]] DType dtype() const {
    return member == 3 ? DType::float64 : member == 7 ? DType::int32 : DType::float32;
  }
  /// Of the shape; nothing if it is beyond 64 bits.
  [[nodiscard]] std::optional<std::uint64_t> size() const {
    if (std::find(shape.begin(), shape.end(), 0u) != shape.end()) return 0;
    std::uint64_t product = 1;
    for (std::uint64_t const extent : shape) {
      if (product > ~std::uint64_t{0} / extent) return std::nullopt;
      product *= extent;
    }
    return product;
  }
};

struct Record {
  std::map<std::string, Tensor, std::less<>> features, label;
  std::string uid, metadata;
  std::size_t uid_begin = 0, metadata_begin = 0;
};

inline void read_tensor(WireReader const& wire, WireField const& member, Tensor& tensor) {
  int const single = member.number == 2 ? 5 : member.number == 3 ? 1 : 0;
  std::size_t const end = member.content + member.content_size;
  for (std::size_t at = member.content; at < end;) {
    WireField const field = wire.field(at, end, 3);
    if (member.number == 9) continue;
    auto const append = [](Numbers& to, Numbers const& more) { to.insert(to.end(), more.begin(), more.end()); };
    if (field.number == 1 && (field.type == 2 || field.type == single)) {
      append(tensor.values, single == 0 ? wire.integers(field) : wire.fixed(field, single == 5 ? 4 : 8));
    } else if (field.number == 2 && (field.type == 2 || field.type == 0)) {
      append(tensor.keys, wire.integers(field));
    } else if (field.number == 3 && (field.type == 2 || field.type == 0)) {
      append(tensor.shape, wire.integers(field));
    }
  }
}

inline void read_value(WireReader const& wire, WireField const& value, Tensor& tensor) {
  std::size_t const end = value.content + value.content_size;
  for (std::size_t at = value.content; at < end;) {
    WireField const member = wire.field(at, end, 2);
    bool const is_known = member.number == 2 || member.number == 3 || member.number == 7 || member.number == 9;
    if (member.type != 2 || !is_known) continue;
    if (member.number != tensor.member) tensor.values = tensor.keys = tensor.shape = {};
    tensor.member = member.number;
    read_tensor(wire, member, tensor);
  }
}

inline void read_entry(WireReader const& wire, WireField const& entry,
                       std::map<std::string, Tensor, std::less<>>& tensors) {
  Tensor tensor;
  std::string key;
  tensor.has_entry = true;
  tensor.begin = entry.content;
  tensor.end = entry.content + entry.content_size;
  for (std::size_t at = tensor.begin; at < tensor.end;) {
    WireField const field = wire.field(at, tensor.end, 1);
    if (field.type == 2 && field.number == 1) key = wire.text(field);
    if (field.type == 2 && field.number == 2) read_value(wire, field, tensor);
  }
  if (tensor.member == 7)
    for (std::uint64_t& value : tensor.values) value &= 0xffffffffu;
  tensors[key] = tensor;
}

inline Record read_record(std::string_view payload) {
  WireReader const wire(payload);
  Record record;
  for (std::size_t at = 0; at < payload.size();) {
    WireField const field = wire.field(at, payload.size(), 0);
    if (field.type != 2) continue;
    if (field.number == 1) read_entry(wire, field, record.features);
    if (field.number == 2) read_entry(wire, field, record.label);
    if (field.number == 3) record.uid = wire.text(field), record.uid_begin = field.content;
    if (field.number == 4) record.metadata = wire.text(field), record.metadata_begin = field.content;
  }
  return record;
}

/// A fault in a payload; without a place begin is npos.
struct PayloadFault {
  FaultCode code;
  std::uint32_t column = 0;
  std::size_t begin = std::string::npos, end = 0;
};

/// One payload beside a plan: a row, or what is wrong.
class RecordReader {
 public:
  RecordReader(std::string_view payload, recordio::Plan const& plan) : payload_(payload), plan_(plan) {
    try {
      record_ = read_record(payload);
      features_ = find(record_.features, plan.features_key);
      label_ = find(record_.label, plan.label_key);
      judge();
    } catch (Malformed const& malformed) {
      fault = {FaultCode::malformed_record, 0, malformed.at, payload.size()};
    }
    is_sound = !fault;
    if (!fault) fill();
  }

  std::optional<PayloadFault> fault;
  bool is_sound = false;  ///< nothing is wrong but, perhaps, the values of keys
  bool has_other_entries = false;
  RunRow row;

 private:
  static Tensor find(std::map<std::string, Tensor, std::less<>> const& tensors, std::string const& key) {
    auto const found = tensors.find(key);
    return found == tensors.end() ? Tensor{} : found->second;
  }

  void blame(FaultCode code, std::uint32_t column, Tensor const& tensor) {
    if (fault) return;
    fault = PayloadFault{code, column, tensor.has_entry ? tensor.begin : std::string::npos, tensor.end};
  }

  void judge() {
    auto const f = [&](bool is_wrong, FaultCode code) {
      if (is_wrong) blame(code, 1, features_);
    };
    auto const l = [&](bool is_wrong, FaultCode code) {
      if (is_wrong) blame(code, 2, label_);
    };
    auto const is_misshapen = [](Tensor const& t) { return !t.shape.empty() && t.size() != t.values.size(); };
    BatchLayout const& layout = plan_.layout;
    bool const is_sparse = features_.is_sparse();
    f(features_.member == 0, FaultCode::missing_features);
    f(features_.member == 9, FaultCode::bytes_value);
    f(is_sparse && features_.keys.size() != features_.values.size(), FaultCode::keys_mismatch);
    f(is_sparse && features_.size().value_or(~0ull) > 0x7fffffffffffffff, FaultCode::shape_mismatch);
    f(!is_sparse && is_misshapen(features_), FaultCode::shape_mismatch);
    l(label_.member == 9, FaultCode::bytes_value);
    l(label_.is_sparse(), FaultCode::density_mismatch);
    l(is_misshapen(label_), FaultCode::shape_mismatch);
    f(features_.dtype() != layout.feature_dtype, FaultCode::tensor_type_mismatch);
    f(is_sparse && !layout.is_sparse, FaultCode::density_mismatch);
    f(!is_sparse && layout.is_sparse && !features_.is_blank(), FaultCode::density_mismatch);
    f(!layout.is_sparse && features_.values.size() != layout.features, FaultCode::width_mismatch);
    f(plan_.requires_shape && features_.shape.empty(), FaultCode::missing_shape);
    f(plan_.requires_shape && features_.size() != layout.features, FaultCode::width_mismatch);
    l(!layout.labels_vary && label_.values.size() != layout.labels, FaultCode::label_mismatch);
    l(!label_.values.empty() && label_.dtype() != layout.label_dtype, FaultCode::tensor_type_mismatch);
    auto const text = [&](bool is_taken, std::string const& what, std::size_t begin, std::uint32_t column) {
      if (!fault && !is_taken && !what.empty())
        fault = PayloadFault{FaultCode::unexpected_text, column, begin, begin + what.size()};
    };
    text(layout.has_uid, record_.uid, record_.uid_begin, 3);
    text(layout.has_metadata, record_.metadata, record_.metadata_begin, 4);
  }

  void fill() {
    row.labels = label_.values;
    if (plan_.layout.has_uid) row.uid = record_.uid;
    if (plan_.layout.has_metadata) row.metadata = record_.metadata;
    has_other_entries = record_.features.size() > record_.features.count(plan_.features_key) ||
                        record_.label.size() > record_.label.count(plan_.label_key);
    if (!plan_.layout.is_sparse)
      row.features = features_.values;
    else
      fill_pairs();
  }

  /// Pairs in the order of their keys; where a key stands twice, in the order of the record.
  void fill_pairs() {
    bool const is_unknown = plan_.layout.features == 0 && !plan_.requires_shape;
    std::uint64_t limit = is_unknown ? 0x7fffffffffffffff : plan_.layout.features;
    if (!features_.shape.empty()) limit = std::min(limit, *features_.size());
    for (std::uint64_t const key : features_.keys)
      if (key >= limit) return blame(FaultCode::index_out_of_range, 1, features_);
    std::map<std::uint64_t, std::uint64_t> pairs;
    for (std::size_t i = 0; i < features_.keys.size(); ++i) {
      auto const [place, is_new] = pairs.emplace(features_.keys[i], features_.values[i]);
      if (is_new) continue;
      if (plan_.duplicates == recordio::Duplicates::fault) return blame(FaultCode::duplicate_index, 1, features_);
      if (plan_.duplicates == recordio::Duplicates::last) place->second = features_.values[i];
    }
    for (auto const& [key, value] : pairs) {
      row.indices.push_back(static_cast<std::int64_t>(key));
      row.values.push_back(value);
    }
  }

  std::string_view payload_;
  recordio::Plan const& plan_;
  Record record_;
  Tensor features_, label_;
};

}  // namespace penstock::testing::reference
