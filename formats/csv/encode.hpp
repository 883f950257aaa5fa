/// CSV text from rows: one line a row, in the column order that SageMaker's learners expect.
/// What is written is what the reader of formats/csv/README.md reads back, value for value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/core/number_text.hpp"
#include "formats/core/restrict.hpp"
#include "penstock/batch.hpp"
#include "penstock/dtype.hpp"
#include "penstock/executor.hpp"

namespace penstock::csv {

/// The order of columns in a line: label columns, weight, qid, features.
inline constexpr Role column_order[] = {Role::label, Role::weight, Role::qid, Role::feature};

namespace detail {

/// One cell without quotes; a NaN of any bits becomes an empty one, which is how missing values are read.
template <class T>
char* put_cell(char* into, T value) {
  return put_number(into, value, "");
}

template <class T>
char* put_cells(char* into, Dense const& tensor, std::size_t row, char delimiter) {
  T const* const cells = tensor.as<T>() + row * tensor.columns;
  for (std::size_t i = 0; i < tensor.columns; ++i) {
    into = put_cell(into, cells[i]);
    *into++ = delimiter;
  }
  return into;
}

/// All cells of one row of `tensor`, each with a delimiter behind it.
inline char* put_row(char* into, Dense const& tensor, std::size_t row, char delimiter) {
  if (tensor.columns == 0) return into;
  switch (tensor.dtype) {
    case DType::float32: return put_cells<float>(into, tensor, row, delimiter);
    case DType::float64: return put_cells<double>(into, tensor, row, delimiter);
    case DType::int32: return put_cells<std::int32_t>(into, tensor, row, delimiter);
    case DType::int64: return put_cells<std::int64_t>(into, tensor, row, delimiter);
  }
  return into;
}

inline std::size_t columns(BatchLayout const& layout) {
  std::size_t sum = 0;
  for (Role role : column_order) sum += layout.columns(role);
  return sum;
}

}  // namespace detail

/// Rows to lines that end with LF. Cells are never quoted, with one exception: where a line has one column,
/// a missing value is written as `""`, because a blank line is no record. One object serves one lane; no
/// memory is taken.
class RowEncoder : public Encoder {
 public:
  /// Why rows of `layout` cannot be written with `delimiter`, if so: there is no column at all, or the
  /// delimiter is a line end, a quote, or a byte that occurs in numbers.
  static std::optional<std::string> unsupported(BatchLayout const& layout, char delimiter = ',');

  /// The arguments are supported.
  explicit RowEncoder(BatchLayout const& layout, char delimiter = ',');

  [[nodiscard]] std::size_t row_bytes_max() const { return row_bytes_max_; }
  [[nodiscard]] std::size_t bytes_max(BatchCapacity const& capacity) const override {
    return capacity.rows * row_bytes_max();
  }

  /// `batch` has the tensors of the layout; others are left out.
  std::size_t encode(Batch const& rows, std::byte* into) override;

 private:
  BatchLayout layout_;
  char delimiter_;
  bool has_one_column_;
  std::size_t row_bytes_max_ = 0;
};

inline std::optional<std::string> RowEncoder::unsupported(BatchLayout const& layout, char delimiter) {
  if (detail::columns(layout) == 0) return "rows without columns cannot be told apart in CSV";
  constexpr std::string_view refused("+-.0123456789efin\"\r\n\0", 21);
  if (refused.find(delimiter) != std::string_view::npos)
    return "this delimiter cannot be written: line ends, quotes, NUL and the characters of numbers "
           "(+-.0123456789efin) are refused";
  return std::nullopt;
}

inline RowEncoder::RowEncoder(BatchLayout const& layout, char delimiter)
    : layout_(layout), delimiter_(delimiter), has_one_column_(detail::columns(layout) == 1) {
  for (Role role : column_order) row_bytes_max_ += layout.columns(role) * (number_bytes_max(layout.dtype(role)) + 1);
}

inline std::size_t RowEncoder::encode(Batch const& rows, std::byte* into) {
  Batch const batch = restricted(rows, layout_);
  auto* const begin = reinterpret_cast<char*>(into);
  char* at = begin;
  for (std::size_t row = 0; row < batch.rows; ++row) {
    char* const line = at;
    for (Role role : column_order) at = detail::put_row(at, batch.tensor(role), row, delimiter_);
    --at;  // the delimiter behind the last cell gives way to the line end
    if (has_one_column_ && at == line) at = put_text(at, "\"\"");
    *at++ = '\n';
  }
  return static_cast<std::size_t>(at - begin);
}

namespace detail {

/// RFC 4180 asks for quotes around delimiters, quotes and line ends. Blanks at the ends and empty names are
/// quoted too, because some readers trim the former and skip lines of nothing but the latter.
inline bool needs_quotes(std::string_view name, char delimiter) {
  if (name.empty()) return true;
  auto const is_blank = [](char c) { return c == ' ' || c == '\t'; };
  if (is_blank(name.front()) || is_blank(name.back())) return true;
  return name.find_first_of("\"\r\n") != std::string_view::npos || name.find(delimiter) != std::string_view::npos;
}

inline void append_name(std::string& line, std::string_view name, char delimiter) {
  if (!needs_quotes(name, delimiter)) {
    line += name;
    return;
  }
  line += '"';
  for (char c : name) line.append(c == '"' ? 2 : 1, c);
  line += '"';
}

}  // namespace detail

/// The header of a file whose columns have these names, in the order of the lines' columns, with its LF.
inline std::string header_line(std::span<std::string const> names, char delimiter = ',') {
  std::string line;
  for (std::string const& name : names) {
    if (&name != names.data()) line += delimiter;
    detail::append_name(line, name, delimiter);
  }
  line += '\n';
  return line;
}

}  // namespace penstock::csv
