/// Vectors in JSON lines from rows. What is written is read back value for value; a missing value becomes null, an
/// infinity "Infinity".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

#include "formats/core/format.hpp"
#include "formats/core/number_text.hpp"
#include "formats/core/restrict.hpp"
#include "formats/jsonl/options.hpp"
#include "penstock/batch.hpp"
#include "penstock/executor.hpp"

namespace penstock::jsonl {

namespace detail {

inline constexpr std::string_view infinity_text = "\"-Infinity\"";

constexpr std::size_t value_bytes_max(DType type) {
  return number_bytes_max(type) > infinity_text.size() ? number_bytes_max(type) : infinity_text.size();
}

template <class T>
char* put_value(char* into, T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (value > std::numeric_limits<T>::max()) return put_text(into, "\"Infinity\"");
    if (value < std::numeric_limits<T>::lowest()) return put_text(into, infinity_text);
  }
  return put_number(into, value, "null");
}

template <class T>
char* put_values(char* into, T const* values, Extent extent) {
  *into++ = '[';
  for (std::size_t i = extent.begin; i < extent.end; ++i) {
    if (i != extent.begin) *into++ = ',';
    into = put_value(into, values[i]);
  }
  *into++ = ']';
  return into;
}

inline char* put_values(char* into, std::byte const* data, DType dtype, Extent extent) {
  switch (dtype) {
    case DType::float32: return put_values(into, reinterpret_cast<float const*>(data), extent);
    case DType::float64: return put_values(into, reinterpret_cast<double const*>(data), extent);
    case DType::int32: return put_values(into, reinterpret_cast<std::int32_t const*>(data), extent);
    case DType::int64: return put_values(into, reinterpret_cast<std::int64_t const*>(data), extent);
  }
  return into;
}

}  // namespace detail

/// One object serves one lane; no memory is taken.
class Writer final : public Encoder {
 public:
  /// Why rows of `layout` cannot be written, if so.
  static std::optional<Problem> unsupported(BatchLayout const& layout) {
    if (layout.has_lists())
      return Problem{"a line of vectors has no place for time series or tokens", "--to deepar writes time series"};
    if (layout.has_weight || layout.has_qid || layout.has_base_margin)
      return Problem{"a line of vectors has no place for weights, query ids and base margins",
                     "--drop leaves them out"};
    return std::nullopt;
  }

  Writer(BatchLayout const& layout, WriteOptions const& /*options*/) : layout_(layout) {}

  [[nodiscard]] std::size_t bytes_max(BatchCapacity const& capacity) const override {
    constexpr std::string_view frame =
        "{\"data\":{\"features\":{\"keys\":[],\"shape\":[],\"values\":[]}},\"label\":[]}\n";
    std::size_t const value = detail::value_bytes_max(layout_.feature_dtype) + 1;
    std::size_t const label = detail::value_bytes_max(layout_.label_dtype) + 1;
    std::size_t const index = number_bytes_max(DType::int64) + 1;
    std::size_t const row = frame.size() + index + layout_.columns(Role::feature) * value + layout_.labels * label;
    return capacity.rows * row + capacity.pairs * (index + value) + capacity.labels * label;
  }

  std::size_t encode(Batch const& rows, std::byte* into) override {
    Batch const batch = restricted(rows, layout_);
    auto* const begin = reinterpret_cast<char*>(into);
    char* at = begin;
    for (std::size_t row = 0; row < batch.rows; ++row) {
      at = batch.csr.indptr != nullptr ? put_sparse(at, batch.csr, row) : put_dense(at, batch.features, row);
      at = put_label(at, batch, row);
      at = put_text(at, "}\n");
    }
    return static_cast<std::size_t>(at - begin);
  }

 private:
  static char* put_dense(char* at, Dense const& features, std::size_t row) {
    at = put_text(at, "{\"features\":");
    return detail::put_values(at, features.data, features.dtype,
                              {row * features.columns, (row + 1) * features.columns});
  }

  static char* put_sparse(char* at, Csr const& csr, std::size_t row) {
    Extent const pairs = csr.row(row);
    at = detail::put_values(put_text(at, "{\"data\":{\"features\":{\"keys\":"), csr.indices, pairs);
    if (csr.columns != 0) {
      at = put_integer(put_text(at, ",\"shape\":["), static_cast<std::int64_t>(csr.columns));
      *at++ = ']';
    }
    at = detail::put_values(put_text(at, ",\"values\":"), csr.values, csr.dtype, pairs);
    return put_text(at, "}}");
  }

  static char* put_label(char* at, Batch const& batch, std::size_t row) {
    constexpr std::string_view key = ",\"label\":";
    if (batch.labels.offsets != nullptr)
      return detail::put_values(put_text(at, key), batch.labels.values, batch.labels.dtype, batch.labels.row(row));
    Dense const& label = batch.label;
    if (label.columns == 0) return at;
    at = put_text(at, key);
    Extent const extent = {row * label.columns, (row + 1) * label.columns};
    if (label.columns > 1) return detail::put_values(at, label.data, label.dtype, extent);
    char* const end = detail::put_values(at, label.data, label.dtype, extent);  // [1] becomes 1
    for (char* to = at; to + 2 < end; ++to) *to = to[1];
    return end - 2;
  }

  BatchLayout layout_;
};

}  // namespace penstock::jsonl
