/// Dense matrices to CSR ones and back.
///
/// A CSR matrix does not say what an index that is not there stands for; Absent does, and both directions must be given
/// the same one:
///
///     sparse row            densify, zero     densify, missing    and sparsify with the same meaning
///     1:5 4:-0.0            0 5 0 0 -0        - 5 - - -0          1:5 4:-0.0 both times
///     0:0 1:5 (5 columns)   0 5 0 0 0         0 5 - - -           1:5                0:0 1:5
///     0:- 1:5 (5 columns)   - 5 0 0 0         - 5 - - -           0:- 1:5            1:5          ("-": a missing
///     value)
///
/// So nothing is lost in meaning, but a pair that says what its absence would say too (an explicit zero under
/// Absent::zero, a missing value under Absent::missing) does not come back. Where no row has such pairs, sparsify
/// undoes densify; and densify always undoes sparsify, but that under Absent::missing every NaN becomes the canonical
/// one.
///
/// Values are moved as bits. Rows are independent of each other: any cut into batches gives the same rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "formats/core/format.hpp"
#include "penstock/batch.hpp"
#include "penstock/dtype.hpp"
#include "penstock/tensor.hpp"

namespace penstock {

/// What an index that is not there means.
enum class Absent : std::uint8_t { zero, missing };

/// Why matrices of this element type cannot be reshaped with this meaning of what is absent: integers have no missing
/// value to fill in, and none to leave away.
[[nodiscard]] inline std::optional<Problem> unsupported_reshape(DType dtype, Absent absent) {
  if (absent == Absent::zero || is_floating(dtype)) return std::nullopt;
  return Problem{"features of type " + std::string(name_of(dtype)) + " have no missing value for what is absent",
                 "say that absent features are zero, or use float32 or float64"};
}

/// What the rows of a dense matrix can become at most: a pair for each cell.
[[nodiscard]] constexpr BatchCapacity sparse_capacity(Dense const& in) {
  return BatchCapacity{in.rows, in.rows * in.columns, 0, 0, 0};
}

/// Bytes of the dense matrix of this many rows and columns; nothing if 64 bits cannot count them. CSR rows may be far
/// wider than their pairs are many, so this is to be compared with what memory allows before it is taken.
[[nodiscard]] constexpr std::optional<std::uint64_t> dense_bytes(std::size_t rows, std::size_t columns, DType dtype) {
  std::uint64_t bytes = 0;
  bool const is_too_much =
      __builtin_mul_overflow(rows, columns, &bytes) || __builtin_mul_overflow(bytes, size_bytes(dtype), &bytes);
  return is_too_much ? std::nullopt : std::optional(bytes);
}

namespace reshape_detail {

/// An element by its bits: of float32 and int32, or of float64 and int64.
template <class Bits>
constexpr Bits missing_bits = sizeof(Bits) == 4 ? Bits{missing_float32_bits} : static_cast<Bits>(missing_float64_bits);

/// Whether a float of these bits is a NaN: above infinity, the sign aside.
template <class Bits>
constexpr bool is_nan(Bits bits) {
  constexpr Bits infinity = sizeof(Bits) == 4 ? Bits{0x7f800000u} : static_cast<Bits>(0x7ff0000000000000u);
  constexpr Bits without_sign = static_cast<Bits>(~Bits{0}) >> 1;
  return (bits & without_sign) > infinity;
}

/// Rows whose indices all lie below `columns`, up to the first that has another one. Indices ascend, so the ends tell.
inline std::size_t rows_within(Csr const& in, std::size_t columns) {
  for (std::size_t row = 0; row < in.rows; ++row) {
    Extent const pairs = in.row(row);
    if (pairs.size() == 0) continue;
    bool const is_within = in.indices[pairs.begin] >= 0 &&  // as unsigned, negative ones are beyond every matrix
                           static_cast<std::uint64_t>(in.indices[pairs.end - 1]) < columns;
    if (!is_within) return row;
  }
  return in.rows;
}

template <class Bits>
void densify(Csr const& in, Dense const& out, std::size_t rows, Bits fill) {
  Bits const* const values = in.values_as<Bits>();
  for (std::size_t row = 0; row < rows; ++row) {
    Bits* const cells = out.as<Bits>() + row * out.columns;
    for (std::size_t column = 0; column < out.columns; ++column) cells[column] = fill;
    Extent const pairs = in.row(row);
    for (std::size_t k = pairs.begin; k < pairs.end; ++k) cells[in.indices[k]] = values[k];
  }
}

/// Every cell is written where the next pair goes, and stays there if it is kept: no branch on the data. `out` has room
/// for all cells, so the write is always inside.
template <class Bits, class Keep>
void sparsify(Dense const& in, Csr const& out, Keep keep) {
  Bits const* cells = in.as<Bits>();
  Bits* const values = out.values_as<Bits>();
  std::int64_t pairs = 0;
  out.indptr[0] = 0;
  for (std::size_t row = 0; row < in.rows; ++row, cells += in.columns) {
    for (std::size_t column = 0; column < in.columns; ++column) {
      out.indices[pairs] = static_cast<std::int64_t>(column);
      values[pairs] = cells[column];
      pairs += static_cast<std::int64_t>(keep(cells[column]));
    }
    out.indptr[row + 1] = pairs;
  }
}

template <class Bits>
void sparsify(Dense const& in, Csr const& out, Absent absent) {
  if (absent == Absent::zero)
    sparsify<Bits>(in, out, [](Bits bits) { return bits != 0; });
  else
    sparsify<Bits>(in, out, [](Bits bits) { return !is_nan(bits); });
}

}  // namespace reshape_detail

/// The rows of `in` as rows of `out`, which has in.rows rows of out.columns columns and the same element type. Returns
/// the rows done: fewer than all if the next has an index that is not a column of `out` (which can be where
/// in.columns was not known); none of its cells is written. Precondition: no unsupported_reshape().
[[nodiscard]] inline std::size_t densify(Csr const& in, Dense const& out, Absent absent) {
  std::size_t const rows = reshape_detail::rows_within(in, out.columns);
  bool const is_missing = absent == Absent::missing;
  if (size_bytes(in.dtype) == 4) {
    using Bits = std::uint32_t;
    reshape_detail::densify<Bits>(in, out, rows, is_missing ? reshape_detail::missing_bits<Bits> : 0);
  } else {
    using Bits = std::uint64_t;
    reshape_detail::densify<Bits>(in, out, rows, is_missing ? reshape_detail::missing_bits<Bits> : 0);
  }
  return rows;
}
[[nodiscard]] inline std::size_t densify(Batch const& in, Dense const& out, Absent absent) {
  return densify(in.csr, out, absent);
}

/// The rows of `in` as rows of `out`, which has room for sparse_capacity(in) (also where fewer pairs are kept) and the
/// same element type; its indptr begins with 0. Left away are, under Absent::zero, cells that are +0 (not -0, whose
/// sign would be lost) and, under Absent::missing, all NaNs. Precondition: no unsupported_reshape().
inline void sparsify(Dense const& in, Csr const& out, Absent absent) {
  if (size_bytes(in.dtype) == 4)
    reshape_detail::sparsify<std::uint32_t>(in, out, absent);
  else
    reshape_detail::sparsify<std::uint64_t>(in, out, absent);
}

}  // namespace penstock
