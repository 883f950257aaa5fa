/// Tensors of a batch: views of rows in memory that somebody else owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "penstock/dtype.hpp"

namespace penstock {

/// A dense row-major matrix of `rows` x `columns` elements; it does not own `data`.
/// `columns == 0` means that the tensor is absent.
struct Dense {
  std::byte* data = nullptr;
  DType dtype = DType::float32;
  std::size_t rows = 0;
  std::size_t columns = 0;

  [[nodiscard]] constexpr std::size_t row_bytes() const { return columns * size_bytes(dtype); }
  /// The elements: the one in row i and column j is as<T>()[i * columns + j]. T is the type that `dtype` names.
  template <class T>
  [[nodiscard]] T* as() const {
    return reinterpret_cast<T*>(data);
  }
};

/// A stretch of elements of a ragged tensor or a CSR matrix.
struct Extent {
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] constexpr std::size_t size() const { return end - begin; }
};

/// A matrix of `rows` x `columns` in compressed sparse row form; it does not own its arrays. Row i consists of the
/// pairs (indices[k], values[k]) for k in [indptr[i], indptr[i + 1]); indices are 0-based, below `columns`, and ascend
/// strictly within a row. `indptr` has rows + 1 elements, of which the first need not be 0 (rows in the middle of a
/// matrix). `indptr == nullptr` means that the tensor is absent. What an index that is not there stands for, zero or a
/// missing value, is for the user to say: a CSR matrix does not know.
struct Csr {
  std::int64_t* indptr = nullptr;
  std::int64_t* indices = nullptr;
  std::byte* values = nullptr;
  DType dtype = DType::float32;  ///< of the values
  std::size_t rows = 0;
  std::size_t columns = 0;  ///< 0: not known, for the input has not been seen whole

  /// Where the pairs of row i are in `indices` and `values`.
  [[nodiscard]] constexpr Extent row(std::size_t i) const {
    return {static_cast<std::size_t>(indptr[i]), static_cast<std::size_t>(indptr[i + 1])};
  }
  /// All pairs of the rows of this view.
  [[nodiscard]] constexpr Extent pairs() const {
    return rows == 0 ? Extent{} : Extent{row(0).begin, row(rows - 1).end};
  }
  /// T is the type that `dtype` names.
  template <class T>
  [[nodiscard]] T* values_as() const {
    return reinterpret_cast<T*>(values);
  }
};

/// Rows of different lengths; it does not own its arrays. Row i consists of values[offsets[i]] to values[offsets[i +
/// 1]], the last one excluded; `offsets` has rows + 1 elements, of which the first need not be 0. `offsets == nullptr`
/// means that the tensor is absent.
struct Ragged {
  std::int64_t* offsets = nullptr;
  std::byte* values = nullptr;
  DType dtype = DType::float32;  ///< of the values
  std::size_t rows = 0;

  /// Where the values of row i are.
  [[nodiscard]] constexpr Extent row(std::size_t i) const {
    return {static_cast<std::size_t>(offsets[i]), static_cast<std::size_t>(offsets[i + 1])};
  }
  /// T is the type that `dtype` names.
  template <class T>
  [[nodiscard]] T* as() const {
    return reinterpret_cast<T*>(values);
  }
};

/// A stretch of bytes. Of a missing value (a null spelling) `begin` is missing_text.
struct TextCell {
  std::uint32_t begin = 0;
  std::uint32_t size = 0;
};
inline constexpr std::uint32_t missing_text = 0xffff'ffffu;

/// A matrix of `rows` x `columns` texts, row by row; it does not own its arrays. `columns == 0`: absent.
struct TextCells {
  TextCell* cells = nullptr;
  char* bytes = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;

  [[nodiscard]] constexpr bool is_missing(std::size_t row, std::size_t column) const {
    return cells[row * columns + column].begin == missing_text;
  }
  /// Empty where it is missing.
  [[nodiscard]] constexpr std::string_view at(std::size_t row, std::size_t column) const {
    TextCell const cell = cells[row * columns + column];
    return cell.begin == missing_text ? std::string_view{} : std::string_view{bytes + cell.begin, cell.size};
  }
};

/// A text for each row, laid out like Ragged; `offsets` count bytes. `offsets == nullptr`: absent.
struct Texts {
  std::int64_t* offsets = nullptr;
  char* bytes = nullptr;
  std::size_t rows = 0;

  [[nodiscard]] constexpr std::string_view row(std::size_t i) const {
    return {bytes + offsets[i], static_cast<std::size_t>(offsets[i + 1] - offsets[i])};
  }
};

}  // namespace penstock
