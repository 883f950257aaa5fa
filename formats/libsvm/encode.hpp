/// libsvm text from rows: `label[:weight] [qid:N] index:value ...`, one line a row. What is written is what the reader
/// of formats/libsvm/README.md reads back, value for value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/core/number_text.hpp"
#include "formats/core/restrict.hpp"
#include "formats/libsvm/grammar.hpp"
#include "formats/libsvm/options.hpp"
#include "penstock/batch.hpp"
#include "penstock/executor.hpp"

namespace penstock::libsvm {

namespace detail {

/// Calls `use` with a pointer to the elements, in their own type.
template <class Use>
void with_elements(std::byte const* data, DType dtype, Use use) {
  switch (dtype) {
    case DType::float32: return use(reinterpret_cast<float const*>(data));
    case DType::float64: return use(reinterpret_cast<double const*>(data));
    case DType::int32: return use(reinterpret_cast<std::int32_t const*>(data));
    case DType::int64: return use(reinterpret_cast<std::int64_t const*>(data));
  }
}

/// A list with commas; an empty one, which no line can begin with, becomes `nan`, which no reader takes for a label.
inline char* put_labels(char* into, std::byte const* data, DType dtype, Extent extent) {
  if (extent.size() == 0) return put_text(into, "nan");
  with_elements(data, dtype, [&](auto const* labels) {
    for (std::size_t i = extent.begin; i < extent.end; ++i) {
      if (i != extent.begin) *into++ = ',';
      into = put_number(into, labels[i], "nan");
    }
  });
  return into;
}

/// ` index:value`
template <class T>
char* put_pair(char* into, std::uint64_t index, T value) {
  *into++ = ' ';
  into = std::to_chars(into, into + number_bytes_max(DType::int64), index).ptr;
  *into++ = ':';
  return put_number(into, value, "nan");
}

}  // namespace detail

/// Rows to lines that end with LF. Of dense features every cell becomes a pair, zeros and missing values (`nan`) too: a
/// pair that is left out would say something else. One object serves one lane; no memory is taken.
class Writer final : public Encoder {
 public:
  /// Why rows of `layout` cannot be written, if so.
  static std::optional<Problem> unsupported(BatchLayout const& layout, WriteOptions const& options);

  /// The arguments are supported.
  Writer(BatchLayout const& layout, WriteOptions const& options)
      : layout_(layout),
        base_(static_cast<std::uint64_t>(options.index_base)),
        row_bytes_(row_bytes_max(layout)),
        pair_bytes_(pair_bytes_max(layout.feature_dtype)),
        label_bytes_(number_bytes_max(layout.label_dtype) + 1) {}

  [[nodiscard]] std::size_t bytes_max(BatchCapacity const& capacity) const override {
    return capacity.rows * row_bytes_ + capacity.pairs * pair_bytes_ + capacity.labels * label_bytes_;
  }

  /// `batch` has the tensors of the layout; others are left out.
  std::size_t encode(Batch const& rows, std::byte* into) override;

 private:
  static constexpr std::size_t pair_bytes_max(DType type) {
    return std::string_view(" 9223372036854775807:").size() + number_bytes_max(type);
  }
  /// Of everything whose number does not vary, with `nan` for labels that are none and the line end.
  static constexpr std::size_t row_bytes_max(BatchLayout const& layout) {
    std::size_t bytes = std::string_view("nan\n").size() + layout.labels * (number_bytes_max(layout.label_dtype) + 1);
    if (layout.has_weight) bytes += 1 + number_bytes_max(DType::float32);
    if (layout.has_qid) bytes += std::string_view(" qid:").size() + number_bytes_max(DType::int64);
    return bytes + layout.columns(Role::feature) * pair_bytes_max(layout.feature_dtype);
  }

  static char* put_head(char* into, Batch const& batch, std::size_t row);
  char* put_sparse(char* into, Csr const& csr, std::size_t row) const;
  char* put_dense(char* into, Dense const& features, std::size_t row) const;

  BatchLayout layout_;
  std::uint64_t base_;
  std::size_t row_bytes_;
  std::size_t pair_bytes_;
  std::size_t label_bytes_;
};

inline std::optional<Problem> Writer::unsupported(BatchLayout const& layout, WriteOptions const& options) {
  if (layout.labels == 0 && !layout.labels_vary)
    return Problem{"a libsvm line begins with a label, and these rows have none", "a label column, or another format"};
  if (layout.has_base_margin)
    return Problem{"a libsvm line has no place for a base margin", "leave it out, or write it to a file of its own"};
  if (layout.has_uid || layout.has_metadata)
    return Problem{"a libsvm line has no place for uid and metadata", "leave them out, or write RecordIO"};
  if (layout.features > index_max + 1 - static_cast<std::uint64_t>(options.index_base))
    return Problem{"the last index would be beyond 2^63 - 2", "--output-index-base 0"};
  return std::nullopt;
}

inline char* Writer::put_head(char* into, Batch const& batch, std::size_t row) {
  if (batch.labels.offsets != nullptr) {
    into = detail::put_labels(into, batch.labels.values, batch.labels.dtype, batch.labels.row(row));
  } else {
    Dense const& label = batch.label;
    into = detail::put_labels(into, label.data, label.dtype, {row * label.columns, (row + 1) * label.columns});
  }
  if (batch.weight.columns != 0) {
    *into++ = ':';
    into = put_number(into, batch.weight.as<float>()[row], "nan");
  }
  if (batch.qid.columns == 0) return into;
  into = put_text(into, " qid:");
  return put_integer(into, batch.qid.as<std::int64_t>()[row]);
}

inline char* Writer::put_sparse(char* into, Csr const& csr, std::size_t row) const {
  Extent const pairs = csr.row(row);
  detail::with_elements(csr.values, csr.dtype, [&](auto const* values) {
    for (std::size_t i = pairs.begin; i < pairs.end; ++i) {
      into = detail::put_pair(into, static_cast<std::uint64_t>(csr.indices[i]) + base_, values[i]);
    }
  });
  return into;
}

inline char* Writer::put_dense(char* into, Dense const& features, std::size_t row) const {
  detail::with_elements(features.data, features.dtype, [&](auto const* values) {
    for (std::size_t i = 0; i < features.columns; ++i) {
      into = detail::put_pair(into, i + base_, values[row * features.columns + i]);
    }
  });
  return into;
}

inline std::size_t Writer::encode(Batch const& rows, std::byte* into) {
  Batch const batch = restricted(rows, layout_);
  auto* const begin = reinterpret_cast<char*>(into);
  char* at = begin;
  for (std::size_t row = 0; row < batch.rows; ++row) {
    at = put_head(at, batch, row);
    if (batch.csr.indptr != nullptr) at = put_sparse(at, batch.csr, row);
    if (batch.features.columns != 0) at = put_dense(at, batch.features, row);
    *at++ = '\n';
  }
  return static_cast<std::size_t>(at - begin);
}

}  // namespace penstock::libsvm
