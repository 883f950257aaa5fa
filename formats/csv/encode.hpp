/// CSV text from rows: one line a row, in the column order that SageMaker's learners expect.
/// What is written is what the reader of formats/csv/README.md reads back, value for value.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "penstock/batch.hpp"
#include "penstock/dtype.hpp"
#include "penstock/executor.hpp"

namespace penstock::csv {

/// The order of columns in a line: label columns, weight, qid, features.
inline constexpr Role column_order[] = {Role::label, Role::weight, Role::qid, Role::feature};

/// Longest text of one cell: "-1.1754944e-38", "-2.2250738585072014e-308" and the lowest integers, with at
/// most nine or seventeen significant digits for the floating-point types.
constexpr std::size_t cell_bytes_max(DType type) {
  switch (type) {
    case DType::float32: return std::string_view("-1.23456789e-38").size();
    case DType::float64: return std::string_view("-1.2345678901234567e-308").size();
    case DType::int32: return std::string_view("-2147483648").size();
    case DType::int64: return std::string_view("-9223372036854775808").size();
  }
  return 0;
}

namespace detail {

inline char* put_text(char* into, std::string_view text) { return std::copy(text.begin(), text.end(), into); }

template <class T>
char* put_integer(char* into, T value) {
  return std::to_chars(into, into + cell_bytes_max(dtype_of<T>), value).ptr;
}

/// The shortest text that reads back as `value`. Whole numbers below 100,000 are written as integers, which
/// is what std::to_chars gives for them (from there on exponents can be shorter), in less time. -0 is not one.
template <class T>
char* put_finite(char* into, T value) {
  if (value > T{-100000} && value < T{100000}) {
    auto const whole = static_cast<std::int32_t>(value);
    bool const is_same = static_cast<T>(whole) == value && !(whole == 0 && std::signbit(value));
    if (is_same) return put_integer(into, whole);
  }
  return std::to_chars(into, into + cell_bytes_max(dtype_of<T>), value).ptr;
}

/// One cell without quotes; a NaN of any bits becomes an empty one, which is how missing values are read.
template <class T>
char* put_cell(char* into, T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (value != value) return into;
    if (value > std::numeric_limits<T>::max()) return put_text(into, "inf");
    if (value < std::numeric_limits<T>::lowest()) return put_text(into, "-inf");
    return put_finite(into, value);
  } else {
    return put_integer(into, value);
  }
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
class RowEncoder final : public Encoder {
 public:
  /// Why rows of `layout` cannot be written with `delimiter`, if so: there is no column at all, or the
  /// delimiter is a line end, a quote, or a byte that occurs in numbers.
  static std::optional<std::string> unsupported(BatchLayout const& layout, char delimiter = ',');

  /// The arguments are supported.
  explicit RowEncoder(BatchLayout const& layout, char delimiter = ',');

  [[nodiscard]] std::size_t row_bytes_max() const override { return row_bytes_max_; }

  /// The tensors of `batch` are those of the layout.
  std::size_t encode(Batch const& batch, std::byte* into) override;

 private:
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
    : delimiter_(delimiter), has_one_column_(detail::columns(layout) == 1) {
  for (Role role : column_order) row_bytes_max_ += layout.columns(role) * (cell_bytes_max(layout.dtype(role)) + 1);
}

inline std::size_t RowEncoder::encode(Batch const& batch, std::byte* into) {
  auto* const begin = reinterpret_cast<char*>(into);
  char* at = begin;
  for (std::size_t row = 0; row < batch.rows; ++row) {
    char* const line = at;
    for (Role role : column_order) at = detail::put_row(at, batch.tensor(role), row, delimiter_);
    --at;  // the delimiter behind the last cell gives way to the line end
    if (has_one_column_ && at == line) at = detail::put_text(at, "\"\"");
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
