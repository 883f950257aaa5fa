/// DeepAR lines from rows. What is written is read back bit for bit; a missing value of target becomes "NaN".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/core/number_text.hpp"
#include "formats/core/restrict.hpp"
#include "formats/deepar/options.hpp"
#include "formats/json/time.hpp"
#include "penstock/batch.hpp"
#include "penstock/executor.hpp"

namespace penstock::deepar {

/// One object serves one lane; no memory is taken.
class Writer final : public Encoder {
 public:
  /// Why rows of `layout` cannot be written, if so.
  static std::optional<Problem> unsupported(BatchLayout const& layout) {
    bool const is_series = layout.has_start && layout.lists[0].role == ListRole::target;
    bool const has_more = layout.is_sparse || layout.columns(Role::feature) != 0 || layout.labels_vary;
    if (is_series && has_more)
      return Problem{"a DeepAR line has no place for features and labels beside a time series", ".npz holds both"};
    if (is_series) return std::nullopt;
    return Problem{"a DeepAR line is a time series, and these rows have no start and target",
                   "--series-id, --time and --target make time series of a table; --to jsonl writes features"};
  }

  Writer(BatchLayout const& layout, WriteOptions const& /*options*/) : layout_(layout) {}

  [[nodiscard]] std::size_t bytes_max(BatchCapacity const& capacity) const override {
    constexpr std::string_view frame = R"({"start":"0000-00-00 00:00:00","target":[],"cat":[],"dynamic_feat":[]})";
    std::size_t const parts = layout_.lists[1].role == ListRole::none ? 0 : layout_.lists[1].parts;
    std::size_t const row = frame.size() + 1 + layout_.cats * (number_bytes_max(DType::int32) + 1) + parts * 3;
    std::size_t const value = number_bytes_max(DType::float32) + 1;
    return capacity.rows * row + (capacity.list_values[0] + capacity.list_values[1]) * value;
  }

  std::size_t encode(Batch const& rows, std::byte* into) override {
    Batch const batch = restricted(rows, layout_);
    auto* const begin = reinterpret_cast<char*>(into);
    char* at = begin;
    for (std::size_t row = 0; row < batch.rows; ++row) {
      at = put_text(at, "{\"start\":\"");
      json::write_time(batch.start.as<std::int64_t>()[row], at);
      at = put_text(at + json::date_time_bytes, "\",\"target\":");
      Ragged const& target = batch.lists[0];
      at = put_list(at, target.as<float>(), target.row(row));
      if (batch.cat.columns != 0) at = put_cat(put_text(at, ",\"cat\":"), batch.cat, row);
      if (batch.lists[1].offsets != nullptr) at = put_features(put_text(at, ",\"dynamic_feat\":"), batch.lists[1], row);
      at = put_text(at, "}\n");
    }
    return static_cast<std::size_t>(at - begin);
  }

 private:
  static char* put_list(char* at, float const* values, Extent extent) {
    *at++ = '[';
    for (std::size_t i = extent.begin; i < extent.end; ++i) {
      if (i != extent.begin) *at++ = ',';
      at = put_number(at, values[i], "\"NaN\"");
    }
    *at++ = ']';
    return at;
  }

  static char* put_cat(char* at, Dense const& cat, std::size_t row) {
    auto const* const values = cat.as<std::int32_t>() + row * cat.columns;
    *at++ = '[';
    for (std::size_t i = 0; i < cat.columns; ++i) {
      if (i != 0) *at++ = ',';
      at = put_integer(at, values[i]);
    }
    *at++ = ']';
    return at;
  }

  char* put_features(char* at, Ragged const& features, std::size_t row) const {
    Extent const all = features.row(row);
    std::size_t const parts = layout_.lists[1].parts;
    std::size_t const length = all.size() / parts;
    *at++ = '[';
    for (std::size_t part = 0; part < parts; ++part) {
      if (part != 0) *at++ = ',';
      std::size_t const first = all.begin + part * length;
      at = put_list(at, features.as<float>(), {first, first + length});
    }
    *at++ = ']';
    return at;
  }

  BatchLayout layout_;
};

}  // namespace penstock::deepar
