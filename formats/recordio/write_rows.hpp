/// Rows of any layout to records: sparse features, lists of labels, texts, and splitting at magics. Rows of dense
/// tensors alone go the faster way of formats/recordio/encode.hpp. Layout and examples: formats/recordio/README.md.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/recordio/encode.hpp"
#include "formats/recordio/escape.hpp"
#include "formats/recordio/message.hpp"
#include "formats/recordio/options.hpp"
#include "formats/recordio/varints.hpp"
#include "penstock/batch.hpp"
#include "penstock/executor.hpp"

namespace penstock::recordio {

/// What a sparse row without pairs becomes. Readers differ about a tensor that has a shape and nothing else.
enum class EmptySparse : std::uint8_t { shape, zero, nan };
enum class Escape : std::uint8_t { none, dmlc };

struct WriteOptions {
  EmptySparse empty_sparse = EmptySparse::shape;
  Escape escape = Escape::none;
};

namespace detail {
inline bool set_empty_sparse(WriteOptions& options, std::string_view value) {
  return set_named(options.empty_sparse, value, {"shape", "zero", "nan"});
}
inline bool set_escape(WriteOptions& options, std::string_view value) {
  return set_named(options.escape, value, {"none", "dmlc"});
}
}  // namespace detail

inline constexpr FormatOption<WriteOptions> record_write_options[] = {
    {"empty-sparse", "shape|zero|nan",
     "a sparse row without values: its shape alone (default), or key 0 with the value 0 or NaN",
     detail::set_empty_sparse},
    {"recordio-escape", "none|dmlc", "dmlc: split records where they hold the magic number (default none)",
     detail::set_escape},
};

/// Rows to frames, one record a row. The bytes are those of libprotobuf.
class RowWriter {
 public:
  RowWriter(BatchLayout const& layout, WriteOptions const& options)
      : layout_(layout),
        options_(options),
        features_{features_field, layout.feature_dtype},
        label_{label_field, layout.label_dtype},
        shape_bytes_(layout.is_sparse ? varint_bytes(layout.features) : 0) {
    put_varint(shape_.data(), layout.features);
  }

  /// Linear in the capacity.
  [[nodiscard]] std::size_t bytes_max(BatchCapacity const& capacity) const {
    std::size_t const bytes = capacity.rows * row_bytes_max() + capacity.pairs * pair_bytes_max() +
                              capacity.labels * (layout_.labels_vary ? packed_bytes_max(layout_.label_dtype) : 0) +
                              (layout_.has_uid ? capacity.uid_bytes : 0) +
                              (layout_.has_metadata ? capacity.metadata_bytes : 0);
    return options_.escape == Escape::none ? bytes : escaped_bytes_max(bytes);
  }

  std::size_t encode(Batch const& batch, std::byte* into) const {
    std::byte* end = into;
    for (std::size_t row = 0; row < batch.rows; ++row) end = put_row(batch, row, end);
    return static_cast<std::size_t>(end - into);
  }

 private:
  /// The numbers of one tensor of one row.
  struct Numbers {
    DType dtype = DType::float32;
    std::byte const* data = nullptr;
    std::size_t count = 0;
    std::span<std::int64_t const> keys;
  };

  // --- sizes -------------------------------------------------------------------------------------------------------

  [[nodiscard]] std::size_t pair_bytes_max() const {
    if (!layout_.is_sparse) return 0;
    return packed_bytes_max(layout_.feature_dtype) + varint_bytes(layout_.features - 1);
  }

  [[nodiscard]] std::size_t row_bytes_max() const {
    std::size_t const dense_features = layout_.columns(Role::feature) * packed_bytes_max(layout_.feature_dtype);
    std::size_t const dense_labels = layout_.labels * packed_bytes_max(layout_.label_dtype);
    std::size_t bytes = header_bytes + 3 + varint_slack_bytes;  // 3 of padding
    if (layout_.is_sparse) {
      bytes += tensor_start_bytes_max + 3 * list_start_bytes_max + shape_bytes_;
      bytes += options_.empty_sparse == EmptySparse::shape ? 0 : 1 + size_bytes(layout_.feature_dtype);
    } else {
      bytes += entry_layout(dense_features).total();
    }
    bytes += layout_.labels_vary ? tensor_start_bytes_max + list_start_bytes_max : entry_layout(dense_labels).total();
    return bytes + (layout_.has_uid ? list_start_bytes_max : 0) + (layout_.has_metadata ? list_start_bytes_max : 0);
  }

  static std::uint64_t values_bytes(Numbers const& numbers) {
    if (numbers.dtype != DType::int32) return numbers.count * size_bytes(numbers.dtype);
    return detail::packed_bytes({reinterpret_cast<std::int32_t const*>(numbers.data), numbers.count});
  }

  // --- numbers of a row --------------------------------------------------------------------------------------------

  static Numbers numbers_of(Dense const& tensor, std::size_t row) {
    if (tensor.columns == 0) return {};
    return {tensor.dtype, tensor.data + row * tensor.row_bytes(), tensor.columns, {}};
  }

  [[nodiscard]] Numbers features_of(Batch const& batch, std::size_t row) const {
    if (!layout_.is_sparse) return numbers_of(batch.features, row);
    Csr const& csr = batch.csr;
    Extent const pairs = csr.row(row);
    if (pairs.size() == 0) return empty_row();
    return {csr.dtype,
            csr.values + pairs.begin * size_bytes(csr.dtype),
            pairs.size(),
            {csr.indices + pairs.begin, pairs.size()}};
  }

  [[nodiscard]] Numbers empty_row() const {
    static constexpr std::int64_t zero = 0;
    static constexpr std::uint64_t nan = missing_float64_bits;
    static constexpr std::uint32_t nan_32 = missing_float32_bits;
    void const* value = &zero;
    if (options_.empty_sparse == EmptySparse::nan)
      value = layout_.feature_dtype == DType::float64 ? static_cast<void const*>(&nan) : &nan_32;
    Numbers numbers{layout_.feature_dtype, static_cast<std::byte const*>(value), 1, {&zero, 1}};
    if (options_.empty_sparse == EmptySparse::shape) numbers.count = 0;
    if (options_.empty_sparse == EmptySparse::shape) numbers.keys = {};
    return numbers;
  }

  [[nodiscard]] Numbers label_of(Batch const& batch, std::size_t row) const {
    if (!layout_.labels_vary) return numbers_of(batch.label, row);
    Extent const labels = batch.labels.row(row);
    return {batch.labels.dtype, batch.labels.values + labels.begin * size_bytes(batch.labels.dtype), labels.size(), {}};
  }

  static std::string_view text_of(Texts const& texts, bool is_there, std::size_t row) {
    return is_there ? texts.row(row) : std::string_view{};
  }

  // --- rows to bytes -----------------------------------------------------------------------------------------------

  std::byte* put_row(Batch const& batch, std::size_t row, std::byte* into) const {
    Numbers const features = features_of(batch, row);
    Numbers const label = label_of(batch, row);
    std::string_view const uid = text_of(batch.uid, layout_.has_uid, row);
    std::string_view const metadata = text_of(batch.metadata, layout_.has_metadata, row);
    TensorLayout const sizes =
        tensor_layout({values_bytes(features), ascending_varint_bytes(features.keys), shape_bytes_});
    TensorLayout const label_sizes = tensor_layout({values_bytes(label), 0, 0});
    std::uint64_t const payload =
        sizes.total() + label_sizes.total() + field_bytes(uid.size()) + field_bytes(metadata.size());
    std::byte* const frame = into;
    into = put_header(into, static_cast<std::uint32_t>(payload));
    into = put_tensor(into, features_, sizes, features);
    into = put_tensor(into, label_, label_sizes, label);
    into = put_text(into, uid_field, uid);
    into = put_text(into, metadata_field, metadata);
    if (options_.escape == Escape::none) return detail::put_pad(into, payload);
    into = split_at_magics(frame, payload);
    return detail::put_pad(into, payload);  // parts before the last are multiples of four: they have no padding
  }

  std::byte* put_tensor(std::byte* into, EntryKind kind, TensorLayout const& sizes, Numbers const& numbers) const {
    if (sizes.entry == 0) return into;
    into = put_tensor_start(into, kind, sizes);
    if (numbers.count != 0)
      into = put_values(put_message_start(into, tensor_values_field, sizes.lists.values), numbers);
    if (!numbers.keys.empty()) {
      into = put_message_start(into, tensor_keys_field, sizes.lists.keys);
      into = put_ascending_varints(into, numbers.keys);
    }
    if (sizes.lists.shape == 0) return into;
    into = put_message_start(into, tensor_shape_field, sizes.lists.shape);
    return detail::put_bytes(into, shape_.data(), shape_bytes_);
  }

  static std::byte* put_values(std::byte* into, Numbers const& numbers) {
    if (numbers.dtype == DType::int32)
      return detail::put_packed(into, {reinterpret_cast<std::int32_t const*>(numbers.data), numbers.count});
    return detail::put_bytes(into, numbers.data, numbers.count * size_bytes(numbers.dtype));
  }

  static std::byte* put_text(std::byte* into, std::uint32_t field, std::string_view text) {
    if (text.empty()) return into;
    into = put_message_start(into, field, text.size());
    return detail::put_bytes(into, reinterpret_cast<std::byte const*>(text.data()), text.size());
  }

  BatchLayout layout_;
  WriteOptions options_;
  EntryKind features_;
  EntryKind label_;
  std::array<std::byte, varint_bytes_max> shape_{};  ///< the list of one number, the width
  std::uint64_t shape_bytes_;
};

/// Rows to frames, by the way that suits their layout. Features go under features["values"], labels under
/// label["values"], each in the tensor of its element type; what has no elements has no entry. Weight, qid and base
/// margin are not carried: a Record has no place for them, and the caller decides what to do about it.
/// One object serves one lane; no memory is taken.
class Writer final : public Encoder {
 public:
  /// `layout` and `options` are supported.
  Writer(BatchLayout const& layout, WriteOptions const& options)
      : layout_(layout), options_(options), rows_(layout, options) {
    if (layout.is_dense() && options.escape == Escape::none) dense_.emplace(layout);
  }
  [[nodiscard]] std::size_t bytes_max(BatchCapacity const& capacity) const override {
    return dense_ ? dense_->bytes_max(capacity) : rows_.bytes_max(capacity);
  }
  std::size_t encode(Batch const& batch, std::byte* into) override {
    return dense_ ? dense_->encode(batch, into) : rows_.encode(batch, into);
  }
  /// For engines that write the same bytes in their own way.
  [[nodiscard]] BatchLayout const& layout() const { return layout_; }
  [[nodiscard]] WriteOptions const& options() const { return options_; }

 private:
  BatchLayout layout_;
  WriteOptions options_;
  std::optional<DenseEncoder> dense_;
  RowWriter rows_;
};

namespace detail {

inline std::optional<Problem> unsupported_type(DType type, std::string_view what) {
  if (tensor_field(type) != 0) return std::nullopt;
  return Problem{"a Record has no tensor for " + std::string(name_of(type)) + " " + std::string(what),
                 "choose float32, float64 or int32"};
}

}  // namespace detail

/// Why rows of this layout, none larger than `record`, cannot become records: a type without a tensor, sparse rows
/// whose width is not known, or records that could reach the limit of a frame.
inline std::optional<Problem> unsupported(BatchLayout const& layout, BatchCapacity const& record,
                                          WriteOptions const& options) {
  bool const has_features = layout.is_sparse || layout.features != 0;
  bool const has_labels = layout.labels_vary || layout.labels != 0;
  if (has_features)
    if (auto const problem = detail::unsupported_type(layout.feature_dtype, "features")) return problem;
  if (has_labels)
    if (auto const problem = detail::unsupported_type(layout.label_dtype, "labels")) return problem;
  if (layout.is_sparse && layout.features == 0)
    return Problem{"sparse records say how many features there are, which is not known here",
                   "--num-features N says it"};
  if (layout.is_sparse && layout.feature_dtype == DType::int32 && options.empty_sparse == EmptySparse::nan)
    return Problem{"int32 features cannot hold NaN", "--empty-sparse shape or zero"};
  // The first test keeps sums below from overflowing.
  bool const is_huge = std::max({layout.is_sparse ? 0 : layout.features, layout.labels, record.pairs, record.labels,
                                 record.uid_bytes, record.metadata_bytes}) >= payload_limit_bytes;
  WriteOptions plain = options;
  plain.escape = Escape::none;  // a split record is joined before anybody counts
  BatchCapacity one = record;
  one.rows = 1;
  if (is_huge || Writer(layout, plain).bytes_max(one) >= payload_limit_bytes)
    return Problem{"a record can reach 512 MiB, which is more than a RecordIO frame can hold"};
  return std::nullopt;
}

}  // namespace penstock::recordio
