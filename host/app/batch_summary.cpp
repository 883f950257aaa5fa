#include "host/app/batch_summary.hpp"

#include <algorithm>
#include <charconv>

#include "host/text/text_format.hpp"

namespace penstock::app {
namespace {

std::string shortest(double value) {
  char digits[32];  // the longest is -2.2250738585072014e-308
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

double number_at(Dense const& tensor, std::size_t index) {
  switch (tensor.dtype) {
    case DType::float64: return tensor.as<double>()[index];
    case DType::int32: return tensor.as<std::int32_t>()[index];
    case DType::int64: return static_cast<double>(tensor.as<std::int64_t>()[index]);
    default: return tensor.as<float>()[index];
  }
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

std::string summary_number(double value) {
  auto const narrow = static_cast<float>(value);
  if (static_cast<double>(narrow) != value) return shortest(value);
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, narrow).ptr};
}

std::string LabelSummary::text() const {
  std::string text;
  if (has_too_many) text = summary_number(least) + " .. " + summary_number(greatest);
  for (auto const& [value, rows] : values)
    text += (text.empty() ? "" : ", ") + summary_number(value) + " (" + format_count(rows) + ")";
  if (missing != 0) text += (text.empty() ? "" : ", ") + std::string("NaN (") + format_count(missing) + ")";
  return text;
}

void LengthSummary::add(std::uint64_t length) {
  least = rows == 0 ? length : std::min(least, length);
  greatest = std::max(greatest, length);
  ++rows;
  elements += length;
  empty_rows += length == 0 ? 1 : 0;
}

double LengthSummary::mean() const { return rows == 0 ? 0 : static_cast<double>(elements) / static_cast<double>(rows); }

BatchSummary::BatchSummary(BatchLayout const& layout)
    : missing_(layout.features <= missing_columns_max ? layout.features : 0),
      labels_(layout.labels_vary ? 1 : std::min(layout.labels, label_columns_max)),
      categories_(std::min(layout.cats, label_columns_max), -1) {
  for (ListLayout const& list : layout.lists) lists_.resize(lists_.size() + (list.role != ListRole::none ? 1 : 0));
}

void BatchSummary::add(Batch const& batch) {
  if (batch.start.columns != 0) add_times(batch.start, rows_ == 0);
  if (batch.cat.columns != 0) add_categories(batch.cat);
  for (std::size_t i = 0; i < lists_.size(); ++i) add_list(lists_[i], batch.lists[i]);
  rows_ += batch.rows;
  if (batch.features.columns != 0 && batch.features.dtype == DType::float32) add_dense<float>(batch.features);
  if (batch.features.columns != 0 && batch.features.dtype == DType::float64) add_dense<double>(batch.features);
  if (batch.csr.indptr != nullptr) add_csr(batch.csr);
  if (batch.label.columns != 0) add_labels(batch.label);
  if (batch.labels.offsets != nullptr) add_label_lists(batch.labels);
}

void BatchSummary::add_missing(std::size_t column) {
  ++missing_cells_;
  if (column < missing_.size()) ++missing_[column];
}

template <class T>
void BatchSummary::add_dense(Dense const& features) {
  T const* const values = features.as<T>();
  for (std::size_t row = 0; row < features.rows; ++row) {
    for (std::size_t column = 0; column < features.columns; ++column) {
      T const value = values[row * features.columns + column];
      if (value != value) add_missing(column);
    }
  }
}

void BatchSummary::add_csr(Csr const& csr) {
  for (std::size_t row = 0; row < csr.rows; ++row) {
    Extent const pairs = csr.row(row);
    pairs_.lengths.add(pairs.size());
    if (pairs.size() == 0) continue;
    std::int64_t const first = csr.indices[pairs.begin];  // they ascend
    std::int64_t const last = csr.indices[pairs.end - 1];
    pairs_.least_column = pairs_.greatest_column ? std::min(pairs_.least_column, first) : first;
    pairs_.greatest_column = std::max(pairs_.greatest_column.value_or(last), last);
  }
  switch (csr.dtype) {
    case DType::float32: return add_pair_values<float>(csr);
    case DType::float64: return add_pair_values<double>(csr);
    case DType::int32: return add_pair_values<std::int32_t>(csr);
    case DType::int64: return add_pair_values<std::int64_t>(csr);
  }
}

template <class T>
void BatchSummary::add_pair_values(Csr const& csr) {
  T const* const values = csr.values_as<T>();
  Extent const pairs = csr.pairs();
  for (std::size_t i = pairs.begin; i < pairs.end; ++i) {
    pairs_.zeros += values[i] == T{0} ? 1 : 0;
    if (values[i] != values[i]) add_missing(static_cast<std::size_t>(csr.indices[i]));
  }
}

void BatchSummary::add_labels(Dense const& label) {
  for (std::size_t row = 0; row < label.rows; ++row) {
    for (std::size_t column = 0; column < labels_.size(); ++column)
      add_value(labels_[column], number_at(label, row * label.columns + column));
  }
}

void BatchSummary::add_label_lists(Ragged const& labels) {
  Dense const values{labels.values, labels.dtype, 0, 1};
  for (std::size_t row = 0; row < labels.rows; ++row) {
    Extent const list = labels.row(row);
    label_counts_.add(list.size());
    for (std::size_t i = list.begin; i < list.end; ++i) add_value(labels_.front(), number_at(values, i));
  }
}

void BatchSummary::add_list(ListSummary& summary, Ragged const& list) {
  Dense const values{list.values, list.dtype, 0, 1};
  for (std::size_t row = 0; row < list.rows; ++row) {
    Extent const extent = list.row(row);
    summary.lengths.add(extent.size());
    for (std::size_t i = extent.begin; i < extent.end; ++i) {
      double const value = number_at(values, i);
      bool const is_first = summary.lengths.elements - extent.size() + (i - extent.begin) == summary.missing;
      if (value != value) {
        ++summary.missing;
        ++missing_cells_;
        continue;
      }
      summary.least = is_first ? value : std::min(summary.least, value);
      summary.greatest = is_first ? value : std::max(summary.greatest, value);
    }
  }
}

void BatchSummary::add_times(Dense const& start, bool is_first) {
  auto const* const seconds = start.as<std::int64_t>();
  for (std::size_t row = 0; row < start.rows; ++row, is_first = false) {
    start_.first = is_first ? seconds[row] : std::min(start_.first, seconds[row]);
    start_.last = is_first ? seconds[row] : std::max(start_.last, seconds[row]);
  }
}

void BatchSummary::add_categories(Dense const& cat) {
  auto const* const values = cat.as<std::int32_t>();
  for (std::size_t row = 0; row < cat.rows; ++row) {
    for (std::size_t column = 0; column < categories_.size(); ++column)
      categories_[column] = std::max(categories_[column], values[row * cat.columns + column]);
  }
}

}  // namespace penstock::app
