#include "host/app/batch_summary.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "host/text/text_format.hpp"

namespace penstock::app {
namespace {

std::string shortest(double value) {
  char digits[32];  // the longest is -2.2250738585072014e-308
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

template <class T>
void count_missing(Dense const& tensor, std::vector<std::uint64_t>& missing) {
  T const* const values = tensor.as<T>();
  for (std::size_t row = 0; row < tensor.rows; ++row) {
    for (std::size_t column = 0; column < tensor.columns; ++column) {
      T const value = values[row * tensor.columns + column];
      missing[column] += value != value ? 1 : 0;
    }
  }
}

double number_at(Dense const& tensor, std::size_t index) {
  switch (tensor.dtype) {
    case DType::float64: return tensor.as<double>()[index];
    case DType::int32: return tensor.as<std::int32_t>()[index];
    case DType::int64: return static_cast<double>(tensor.as<std::int64_t>()[index]);
    default: return tensor.as<float>()[index];
  }
}

/// The shortest text of a float32 that was widened is that of the float32.
std::string label_text(double value) {
  auto const narrow = static_cast<float>(value);
  if (static_cast<double>(narrow) != value) return shortest(value);
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, narrow).ptr};
}

void add_value(LabelSummary& summary, double value) {
  if (value != value) {
    ++summary.missing;
    return;
  }
  bool const is_first = summary.values.empty() && !summary.has_too_many;
  summary.least = is_first ? value : std::min(summary.least, value);
  summary.greatest = is_first ? value : std::max(summary.greatest, value);
  if (summary.has_too_many) return;
  ++summary.values[value];
  if (summary.values.size() <= label_values_max) return;
  summary.has_too_many = true;
  summary.values.clear();
}

}  // namespace

std::string LabelSummary::text() const {
  std::string text;
  if (has_too_many) text = label_text(least) + " .. " + label_text(greatest);
  for (auto const& [value, rows] : values)
    text += (text.empty() ? "" : ", ") + label_text(value) + " (" + format_count(rows) + ")";
  if (missing != 0) text += (text.empty() ? "" : ", ") + std::string("NaN (") + format_count(missing) + ")";
  return text;
}

BatchSummary::BatchSummary(BatchLayout const& layout) : missing_(layout.features), labels_(layout.labels) {}

void BatchSummary::add(Batch const& batch) {
  rows_ += batch.rows;
  if (batch.features.columns != 0 && batch.features.dtype == DType::float32)
    count_missing<float>(batch.features, missing_);
  if (batch.features.columns != 0 && batch.features.dtype == DType::float64)
    count_missing<double>(batch.features, missing_);
  if (batch.label.columns != 0) add_labels(batch.label);
}

void BatchSummary::add_labels(Dense const& label) {
  for (std::size_t row = 0; row < label.rows; ++row) {
    for (std::size_t column = 0; column < label.columns; ++column)
      add_value(labels_[column], number_at(label, row * label.columns + column));
  }
}

std::uint64_t BatchSummary::missing_cells() const {
  return std::accumulate(missing_.begin(), missing_.end(), std::uint64_t{0});
}

}  // namespace penstock::app
