/// What one cell means. The rules: formats/csv/README.md, "Cells".
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <type_traits>

#include "formats/core/number.hpp"
#include "formats/csv/grammar.hpp"
#include "penstock/dtype.hpp"
#include "penstock/fault.hpp"

namespace penstock::csv {

/// A stretch of bytes: a cell, a name, a null spelling.
struct Bytes {
  char const* begin = nullptr;
  char const* end = nullptr;

  PENSTOCK_HD constexpr std::size_t size() const { return static_cast<std::size_t>(end - begin); }
  PENSTOCK_HD constexpr bool operator==(Bytes other) const {
    if (size() != other.size()) return false;
    for (std::size_t i = 0; i < size(); ++i) {
      if (begin[i] != other.begin[i]) return false;
    }
    return true;
  }
};

/// A class name and the number that stands for it.
struct LabelName {
  Bytes name;
  float value = 0;
};

/// Elements that belong to somebody else. (Not std::span: no std:: function in device code.)
template <class T>
struct View {
  T const* first = nullptr;
  std::size_t count = 0;

  constexpr View() = default;
  /// Of a vector, an array or a span that outlives it.
  template <class Range>
  constexpr View(Range const& range) : first(std::data(range)), count(std::size(range)) {}

  PENSTOCK_HD constexpr T const* begin() const { return first; }
  PENSTOCK_HD constexpr T const* end() const { return first + count; }
  PENSTOCK_HD constexpr std::size_t size() const { return count; }
  PENSTOCK_HD constexpr bool empty() const { return count == 0; }
  PENSTOCK_HD constexpr T const& operator[](std::size_t i) const { return first[i]; }
};

/// What decides the meaning of cells. The spans belong to somebody else.
struct CellRules {
  Dialect dialect;
  View<Bytes> nulls;        ///< spellings of a missing value, `nan` excepted
  bool nan_is_null = true;  ///< `nan` in any case, with or without sign, is missing
  View<LabelName> labels;   ///< empty: labels are numbers
  NonFinitePolicy non_finite = NonFinitePolicy::fault;
  OverflowPolicy overflow = OverflowPolicy::fault;
};

enum class CellKind : std::uint8_t { value, missing, fault };

/// What a cell became.
template <class T>
struct Cell {
  T value{};
  CellKind kind = CellKind::value;
  FaultCode code = FaultCode::not_a_number;
  bool is_inexact_integer = false;
};

/// The largest finite value of a floating-point type.
template <class T>
PENSTOCK_HD constexpr T largest_value() {
  if constexpr (sizeof(T) == 4) return bit_cast<T>(std::uint32_t{0x7f7fffffu});
  if constexpr (sizeof(T) == 8) return bit_cast<T>(std::uint64_t{0x7fefffffffffffffu});
}

/// The bits of a missing value.
template <class T>
PENSTOCK_HD T missing_value() {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  Bits bits = 0;
  if constexpr (std::is_same_v<T, float>) bits = missing_float32_bits;
  if constexpr (std::is_same_v<T, double>) bits = missing_float64_bits;
  T value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/// Longest cell with quotes or escapes inside it that is still compared and parsed. It is a property of
/// the format, not of memory: no number and no sensible class name is longer.
inline constexpr std::size_t rewritten_cell_max = 4096;

PENSTOCK_HD inline Bytes trimmed(Bytes cell, Dialect const& dialect) {
  if (!dialect.trim) return cell;
  while (cell.begin < cell.end && is_blank(*cell.begin)) ++cell.begin;
  while (cell.begin < cell.end && is_blank(cell.end[-1])) --cell.end;
  return cell;
}

/// `"..."` with no quote between the first and the last byte.
PENSTOCK_HD inline bool is_plainly_quoted(Bytes cell) {
  char const quote = *cell.begin;
  if (cell.size() < 2 || cell.end[-1] != quote) return false;
  for (char const* p = cell.begin + 1; p < cell.end - 1; ++p) {
    if (*p == quote) return false;
  }
  return true;
}

PENSTOCK_HD constexpr bool is_escape(State state) { return state == State::escaped || state == State::escaped_quoted; }

/// The cell's text without quotes and escapes, if that is a part of the cell. False: it has to be rewritten, and `text`
/// is what of the cell is not trimmed away.
PENSTOCK_HD inline bool is_plain_text(Bytes cell, Dialect const& dialect, Bytes& text) {
  text = cell = trimmed(cell, dialect);
  bool const is_quoted = dialect.quote != 0 && cell.size() > 0 && *cell.begin == dialect.quote;
  bool has_escape = false;
  if (dialect.escape != 0) {
    for (char const* p = cell.begin; p < cell.end; ++p) has_escape |= *p == dialect.escape;
  }
  if (!is_quoted && !has_escape) return true;
  if (has_escape || !is_plainly_quoted(cell)) return false;
  text = {cell.begin + 1, cell.end - 1};
  return true;
}

/// Writes a trimmed cell's text without quotes and escapes to `memory`: at most rewritten_cell_max bytes and no more
/// than the cell has. False if it does not fit.
PENSTOCK_HD inline bool rewrite_cell(Bytes cell, ByteClasses const& classes, char* memory, Bytes& text) {
  State state = State::field_start;
  std::size_t size = 0;
  for (char const* p = cell.begin; p < cell.end; ++p) {
    State const before = state;
    state = step(before, classes[*p]).next;
    bool const is_syntax = state == State::quote_in_quoted || state == State::closed || is_escape(state) ||
                           (state == State::quoted && before == State::field_start);
    bool const is_lone_escape = is_escape(state) && p + 1 == cell.end;
    if (is_syntax && !is_lone_escape) continue;
    if (size == rewritten_cell_max) return false;
    memory[size++] = *p;
  }
  text = {memory, memory + size};
  return true;
}

/// The cell's text without quotes and escapes: a part of the cell where that is possible, else rewritten to
/// `memory`, which holds rewritten_cell_max bytes. False if it does not fit.
PENSTOCK_HD inline bool cell_text(Bytes cell, Dialect const& dialect, char* memory, Bytes& text) {
  return is_plain_text(cell, dialect, text) || rewrite_cell(text, ByteClasses(dialect), memory, text);
}

PENSTOCK_HD constexpr bool is_spelled_nan(Bytes text) {
  if (text.size() > 0 && (*text.begin == '-' || *text.begin == '+')) ++text.begin;
  return text.size() == 3 && (text.begin[0] | 32) == 'n' && (text.begin[1] | 32) == 'a' && (text.begin[2] | 32) == 'n';
}

PENSTOCK_HD inline bool is_null(Bytes text, CellRules const& rules) {
  if (rules.nan_is_null && is_spelled_nan(text)) return true;
  for (Bytes null : rules.nulls) {
    if (null == text) return true;
  }
  return false;
}

/// Which texts may be null spellings, by their length and first byte. Most are not.
struct NullFilter {
  std::uint64_t lengths = 0;     ///< a bit each; the highest stands for all that are longer
  std::uint64_t firsts[4] = {};  ///< a bit for each byte

  constexpr NullFilter() = default;
  PENSTOCK_HD explicit NullFilter(CellRules const& rules) {
    for (Bytes const null : rules.nulls) {
      lengths |= std::uint64_t{1} << (null.size() < 63 ? null.size() : 63);
      if (null.size() != 0) add_first(*null.begin);
    }
    if (!rules.nan_is_null) return;
    lengths |= std::uint64_t{3} << 3;  // nan, -nan
    for (char const first : {'n', 'N', '-', '+'}) add_first(first);
  }
  PENSTOCK_HD bool passes(Bytes text) const {
    std::size_t const size = text.size();
    if ((lengths >> (size < 63 ? size : 63) & 1) == 0) return false;
    if (size == 0) return true;
    auto const first = static_cast<unsigned char>(*text.begin);
    return (firsts[first / 64] >> first % 64 & 1) != 0;
  }

 private:
  PENSTOCK_HD void add_first(char first) {
    auto const byte = static_cast<unsigned char>(first);
    firsts[byte / 64] |= std::uint64_t{1} << byte % 64;
  }
};

PENSTOCK_HD inline bool is_null(Bytes text, CellRules const& rules, NullFilter const& filter) {
  return filter.passes(text) && is_null(text, rules);
}

namespace detail {
template <class T>
PENSTOCK_HD Cell<T> fault_cell(FaultCode code) {
  return {missing_value<T>(), CellKind::fault, code, false};
}

/// `value` is infinite or NaN as spelled.
template <class T>
PENSTOCK_HD Cell<T> non_finite_cell(T value, bool is_nan, NonFinitePolicy policy) {
  if constexpr (std::is_floating_point_v<T>) {
    if (policy == NonFinitePolicy::fault) return fault_cell<T>(FaultCode::non_finite);
    if (is_nan) return {missing_value<T>(), CellKind::missing, {}, false};
    if (policy == NonFinitePolicy::pass) return {value, CellKind::value, {}, false};
    T const largest = largest_value<T>();
    return {value < T{0} ? -largest : largest, CellKind::value, {}, false};
  } else {
    return fault_cell<T>(FaultCode::non_finite);
  }
}

template <class T>
PENSTOCK_HD Cell<T> number_cell(number::Parsed<T> parsed, CellRules const& rules) {
  switch (parsed.status) {
    case number::Status::ok: return {parsed.value, CellKind::value, {}, parsed.is_inexact_integer};
    case number::Status::malformed: return fault_cell<T>(FaultCode::not_a_number);
    case number::Status::not_an_integer: return fault_cell<T>(FaultCode::not_an_integer);
    case number::Status::nan: return non_finite_cell<T>(parsed.value, true, rules.non_finite);
    case number::Status::infinite: return non_finite_cell<T>(parsed.value, false, rules.non_finite);
    case number::Status::out_of_range: break;
  }
  if (std::is_floating_point_v<T> && rules.overflow == OverflowPolicy::infinity) {
    return {parsed.value, CellKind::value, {}, false};
  }
  return fault_cell<T>(FaultCode::out_of_range);
}

PENSTOCK_HD inline Cell<float> label_cell(Bytes text, CellRules const& rules) {
  for (LabelName const& label : rules.labels) {
    if (label.name == text) return {label.value, CellKind::value, {}, false};
  }
  return fault_cell<float>(FaultCode::unmapped_label);
}
}  // namespace detail

/// What a cell is whose text is longer than rewritten_cell_max.
template <class T>
PENSTOCK_HD Cell<T> overlong_cell(bool maps_names) {
  return detail::fault_cell<T>(maps_names ? FaultCode::unmapped_label : FaultCode::not_a_number);
}

namespace detail {
/// Everything that a cell's text can be but a number. False: it is one, or nothing.
template <class T>
PENSTOCK_HD bool read_name(Bytes text, CellRules const& rules, bool allows_missing, bool maps_names, Cell<T>& cell) {
  if constexpr (std::is_same_v<T, float>) {
    // A listed class name wins over a null spelling: `NA=2` in a label map means what it says.
    if (maps_names) {
      cell = label_cell(text, rules);
      if (cell.kind == CellKind::value || !is_null(text, rules)) return true;
    }
  }
  if (!is_null(text, rules)) return false;
  cell = allows_missing ? Cell<T>{missing_value<T>(), CellKind::missing, {}, false}
                        : fault_cell<T>(FaultCode::missing_value);
  return true;
}
}  // namespace detail

/// Reads a cell's text (see cell_text) for a tensor of T. `allows_missing`: a missing cell is a value here
/// (floating-point features), else a fault. `maps_names`: the label map applies.
template <class T>
PENSTOCK_HD Cell<T> read_text(Bytes text, CellRules const& rules, bool allows_missing, bool maps_names) {
  Cell<T> cell;
  if (detail::read_name(text, rules, allows_missing, maps_names, cell)) return cell;
  return detail::number_cell(number::parse<T>(text.begin, text.end), rules);
}
/// The same, but a number of very many digits may be a fault here: number::parse_short() says why.
template <class T>
PENSTOCK_HD Cell<T> read_short_text(Bytes text, CellRules const& rules, bool allows_missing, bool maps_names) {
  Cell<T> cell;
  if (detail::read_name(text, rules, allows_missing, maps_names, cell)) return cell;
  return detail::number_cell(number::parse_short<T>(text.begin, text.end), rules);
}

/// Reads a cell for a tensor of T.
template <class T>
PENSTOCK_HD Cell<T> read_cell(Bytes cell, CellRules const& rules, bool allows_missing, bool maps_names) {
  char memory[rewritten_cell_max];
  Bytes text;
  if (!cell_text(cell, rules.dialect, memory, text)) return overlong_cell<T>(maps_names);
  return read_text<T>(text, rules, allows_missing, maps_names);
}

/// Whether a null spelling is a number: no cell may then be taken for one before it was compared with them.
inline bool has_numeric_null(CellRules const& rules) {
  bool has = false;
  for (Bytes const null : rules.nulls)
    has |= number::parse<double>(null.begin, null.end).status != number::Status::malformed;
  return has;
}

}  // namespace penstock::csv
