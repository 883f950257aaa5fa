#include "host/app/row_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

std::string row_number(std::uint64_t row) { return "row " + format_count(row + 1); }

}  // namespace

RowOffsets::RowOffsets(ArrayReader offsets, std::uint64_t rows, std::uint64_t elements)
    : offsets_(std::move(offsets)), rows_(rows), elements_(static_cast<std::int64_t>(elements)), window_(1) {
  expect_integers(offsets_, rows + 1);
  offsets_.read_integers(window_);
  if (window_[0] != 0) throw SourceError(offsets_.name() + ": begins with " + std::to_string(window_[0]) + ", not 0");
  if (rows == 0 && elements != 0) check(0);
}

std::size_t RowOffsets::look(std::size_t rows, std::size_t elements_max) {
  std::size_t const known = window_.size() - 1;
  if (rows > known) {
    window_.resize(rows + 1);
    offsets_.read_integers(std::span(window_).subspan(known + 1));
    for (std::size_t row = known; row < rows; ++row) check(row);
  }
  auto const limit = static_cast<std::uint64_t>(window_[0]) + elements_max;
  auto const end = std::upper_bound(
      window_.begin() + 1, window_.begin() + static_cast<std::ptrdiff_t>(rows) + 1, limit,
      [](std::uint64_t value, std::int64_t offset) { return value < static_cast<std::uint64_t>(offset); });
  return std::max<std::size_t>(static_cast<std::size_t>(end - window_.begin()) - 1, 1);
}

std::size_t RowOffsets::elements(std::size_t rows) const {
  return static_cast<std::size_t>(window_[rows] - window_[0]);
}

void RowOffsets::take(std::size_t rows, std::int64_t* into) {
  for (std::size_t i = 0; i <= rows; ++i) into[i] = window_[i] - window_[0];
  window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(rows));
  rows_taken_ += rows;
}

/// That the end of a row in the window is right, given its begin.
void RowOffsets::check(std::size_t row) const {
  std::uint64_t const number = rows_taken_ + row;
  std::int64_t const begin = window_[row];
  std::int64_t const end = row + 1 < window_.size() ? window_[row + 1] : begin;
  std::string const& name = offsets_.name();
  if (end < begin)
    throw SourceError(name + ": " + row_number(number) + " ends at " + std::to_string(end) + ", before its begin at " +
                      std::to_string(begin));
  bool const is_last = number + 1 >= rows_;
  if (end > elements_ || (is_last && end != elements_))
    throw SourceError(name + ": " + (is_last ? "the last row" : row_number(number)) + " ends at " +
                          std::to_string(end) + ", but there are " + std::to_string(elements_) + " elements",
                      is_last && end < elements_ ? "SciPy's prune() drops what no row uses." : "");
}

RaggedReader::RaggedReader(ArrayReader values, ArrayReader offsets)
    : values_(std::move(values)),
      rows_(offsets.array().rows() == 0 ? 0 : offsets.array().rows() - 1),
      offsets_(std::move(offsets), rows_, values_.array().rows()) {
  if (values_.array().dimensions != 1) throw SchemaError(values_.name() + ": expected a vector");
}

void RaggedReader::read(Ragged const& into, std::size_t rows) {
  std::size_t const elements = offsets_.elements(rows);
  offsets_.take(rows, into.offsets);
  values_.read_all({into.values, elements * size_bytes(dtype())});
}

CsrReader::CsrReader(CsrArrays arrays)
    : indices_(std::move(arrays.indices)),
      data_(std::move(arrays.data)),
      rows_(arrays.rows),
      columns_(arrays.columns),
      offsets_(std::move(arrays.indptr), rows_, data_.array().rows()) {
  if (data_.array().dimensions != 1) throw SchemaError(data_.name() + ": expected a vector");
  expect_integers(indices_, data_.array().rows());
}

void CsrReader::read(Csr const& into, std::size_t rows) {
  std::uint64_t const first = offsets_.rows_taken();
  std::size_t const pairs = offsets_.elements(rows);
  offsets_.take(rows, into.indptr);
  indices_.read_integers({into.indices, pairs});
  data_.read_all({into.values, pairs * size_bytes(dtype())});
  for (std::size_t row = 0; row < rows; ++row) {
    if (is_in_order(into, into.row(row))) continue;
    sort(into, into.row(row));
    check_sorted(first + row);
  }
}

/// Whether indices ascend strictly and lie below columns_.
bool CsrReader::is_in_order(Csr const& csr, Extent pairs) const {
  std::int64_t last = -1;
  bool do_ascend = true;
  for (std::size_t k = pairs.begin; k < pairs.end; ++k) {
    do_ascend &= csr.indices[k] > last;
    last = csr.indices[k];
  }
  return do_ascend && (last < 0 || static_cast<std::uint64_t>(last) < columns_);
}

/// Sorts a row's pairs, of which pairs_ keeps a copy.
void CsrReader::sort(Csr const& csr, Extent pairs) {
  std::size_t const value_bytes = size_bytes(dtype());
  pairs_.resize(pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs_[i] = {csr.indices[pairs.begin + i], 0};
    std::memcpy(&pairs_[i].value, csr.values + (pairs.begin + i) * value_bytes, value_bytes);
  }
  std::sort(pairs_.begin(), pairs_.end(), [](Pair const& a, Pair const& b) { return a.index < b.index; });
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    csr.indices[pairs.begin + i] = pairs_[i].index;
    std::memcpy(csr.values + (pairs.begin + i) * value_bytes, &pairs_[i].value, value_bytes);
  }
}

void CsrReader::check_sorted(std::uint64_t row) const {
  std::int64_t const low = pairs_.front().index;
  std::int64_t const high = pairs_.back().index;
  if (low < 0 || static_cast<std::uint64_t>(high) >= columns_)
    throw SourceError(indices_.name() + ": " + row_number(row) + ": index " + std::to_string(low < 0 ? low : high) +
                      " is no column of " + format_count(columns_));
  auto const twice =
      std::adjacent_find(pairs_.begin(), pairs_.end(), [](Pair const& a, Pair const& b) { return a.index == b.index; });
  if (twice != pairs_.end())
    throw SchemaError(
        indices_.name() + ": " + row_number(row) + ": index " + std::to_string(twice->index) + " stands twice",
        "SciPy means their sum: call sum_duplicates() before saving.");
}

}  // namespace penstock::app
