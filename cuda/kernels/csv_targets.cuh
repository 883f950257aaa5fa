/// What becomes of columns and cells on the device: where their values go, and how the less usual ones are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "cuda/vocabulary.cuh"
#include "formats/csv/cell.hpp"
#include "formats/csv/grammar.hpp"
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
  dtype_shift = 8,  ///< above it: the DType
};

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

/// Reads a cell whose text is a part of it, and stores its value unless it needs care. Returns CellFlags. `Feature` is
/// the type of features; other columns are float or std::int64_t.
template <class Feature>
PENSTOCK_HD_COLD unsigned store_cell(Bytes cell, Table const& table, std::byte* to, std::uint32_t kind) {
  Bytes text;
  if (!penstock::csv::is_plain_text(cell, table.rules.dialect, text)) return cell_needs_care;
  switch (static_cast<DType>(kind >> dtype_shift)) {
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
