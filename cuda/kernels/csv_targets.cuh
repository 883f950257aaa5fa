/// What becomes of columns and cells on the device: where their values go, and how the less usual ones are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "cuda/vocabulary.cuh"
#include "formats/csv/cell.hpp"
#include "formats/csv/grammar.hpp"
#include "formats/csv/text.hpp"
#include "penstock/dtype.hpp"

namespace penstock::cuda::csv {

using penstock::csv::ByteClasses;
using penstock::csv::Bytes;
using penstock::csv::Cell;
using penstock::csv::CellKind;
using penstock::csv::CellRules;

/// What kind of cell a column has: bits of Target::kind.
enum TargetKind : std::uint32_t {
  is_wanted = 1,         ///< it becomes a value
  is_plain_float = 2,    ///< a float32 that plain_float32() may decide
  allows_missing = 4,    ///< a missing cell is a value
  empty_is_missing = 8,  ///< and an empty cell is missing
  maps_names = 16,       ///< the label map applies
  is_feature = 32,
  is_text = 64,     ///< a text that a rule makes a number of: csv_texts.cuh
  dtype_shift = 8,  ///< from it on two bits: the DType
  text_shift = 10,  ///< from it on: the number of the column of text
};
inline constexpr std::uint32_t text_columns_max = 1u << (32 - text_shift);

PENSTOCK_HD inline DType dtype_of(std::uint32_t kind) { return static_cast<DType>(kind >> dtype_shift & 3); }

/// Where the values of a column go.
struct alignas(16) Target {
  std::byte* first = nullptr;  ///< of row 0 of the window
  std::uint32_t row_bytes = 0;
  std::uint32_t kind = 0;
};
static_assert(sizeof(Target) == 16);

__device__ inline Target load_target(Target const* from) {
  uint4 const words = load_16(reinterpret_cast<uint4 const*>(from));
  return {reinterpret_cast<std::byte*>(std::uint64_t{words.y} << 32 | words.x), words.z, words.w};
}
__device__ inline std::byte* place_of(Target const& target, std::uint32_t row) {
  return target.first + std::uint64_t{row} * target.row_bytes;
}

/// The plan, in device memory.
struct Table {
  CellRules rules;
  ByteClasses classes;
  bool repairs_cells;
  penstock::csv::TextRules texts;
  penstock::csv::NullFilter null_filter;
};

/// What a cell was, besides a value.
enum CellFlags : unsigned {
  cell_is_missing = 1,
  cell_is_inexact = 2,
  cell_needs_care = 4,  ///< at fault, or its text has to be rewritten, or it has more digits than a kernel likes
};

namespace detail {
template <class T>
PENSTOCK_HD unsigned store_text(Bytes text, CellRules const& rules, std::byte* to, std::uint32_t kind) {
  Cell<T> const cell =
      penstock::csv::read_short_text<T>(text, rules, (kind & allows_missing) != 0, (kind & maps_names) != 0);
  if (cell.kind == CellKind::fault) return cell_needs_care;
  *reinterpret_cast<T*>(to) = cell.value;
  return (cell.kind == CellKind::missing ? cell_is_missing : 0u) | (cell.is_inexact_integer ? cell_is_inexact : 0u);
}
}  // namespace detail

/// Where a text stands in a chunk: what is at the place of its number until that is known.
struct TextPlace {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};
PENSTOCK_HD inline std::uint64_t word_of(TextPlace place) { return std::uint64_t{place.end} << 32 | place.begin; }
PENSTOCK_HD inline TextPlace text_place(std::uint64_t word) {
  return {static_cast<std::uint32_t>(word), static_cast<std::uint32_t>(word >> 32)};
}

/// What a cell of the column of text number `column` is. `fits`, `text`, `memory`: of penstock::csv::cell_text().
PENSTOCK_HD_COLD inline Cell<double> read_category(Bytes text, bool fits, char const* memory, Table const& table,
                                                   std::uint32_t column) {
  Cell<double> cell{penstock::csv::missing_value<double>(), CellKind::fault, FaultCode::unknown_text, false};
  if (!penstock::csv::limit_text(text, fits, memory, table.texts.cuts)) return cell;
  cell.kind = CellKind::missing;
  if (penstock::csv::is_null(text, table.rules, table.null_filter)) return cell;
  return penstock::csv::read_category(text, table.texts.rules[column]);
}

/// Reads a cell whose text is a part of it, and stores its value unless it needs care. Returns CellFlags. `Feature` is
/// the type of features; other columns are float or std::int64_t.
template <class Feature>
PENSTOCK_HD_COLD unsigned store_cell(Bytes cell, Table const& table, std::byte* to, std::uint32_t kind) {
  Bytes text;
  if (!penstock::csv::is_plain_text(cell, table.rules.dialect, text)) return cell_needs_care;
  switch (dtype_of(kind)) {
    case DType::float32: return detail::store_text<float>(text, table.rules, to, kind);
    case DType::int64: return detail::store_text<std::int64_t>(text, table.rules, to, kind);
    default: break;
  }
  if constexpr (std::is_same_v<Feature, double> || std::is_same_v<Feature, std::int32_t>)
    return detail::store_text<Feature>(text, table.rules, to, kind);
  return cell_needs_care;
}

/// Whether a cell holds quotes or escapes other than one pair of quotes around it: with strict quotes, whether a stray
/// quote may be among them.
PENSTOCK_HD_COLD inline bool may_have_stray(Bytes cell, Table const& table) {
  Bytes text;
  if (!penstock::csv::is_plain_text(cell, table.rules.dialect, text)) return true;
  for (char const* p = text.begin; p < text.end; ++p)
    if (*p == table.rules.dialect.quote) return true;
  return false;
}

}  // namespace penstock::cuda::csv
