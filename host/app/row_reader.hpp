/// Rows of different lengths in arrays: ragged labels and CSR matrices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "host/app/array_reader.hpp"
#include "penstock/tensor.hpp"

namespace penstock::app {

/// Where rows of different lengths begin: the offsets of a ragged array or a CSR matrix, a window of rows at a time.
/// Whatever the array holds, the offsets that come out ascend from 0 to the number of elements.
class RowOffsets {
 public:
  /// `offsets` has rows + 1 elements, of which the first is 0 and the last is `elements`; SchemaError if not. The array
  /// is read as rows are looked at: what is wrong with its values is a SourceError then, which names the row.
  RowOffsets(ArrayReader offsets, std::uint64_t rows, std::uint64_t elements);

  /// How many of the next `rows` (at least 1, and there are as many) have `elements_max` elements together; at least 1,
  /// so that a single one may have more.
  [[nodiscard]] std::size_t look(std::size_t rows, std::size_t elements_max);
  /// Elements of the first `rows` of the rows that were looked at.
  [[nodiscard]] std::size_t elements(std::size_t rows) const;
  /// Puts the offsets of these rows into `into` (rows + 1 elements, the first 0), and moves on behind them.
  void take(std::size_t rows, std::int64_t* into);
  [[nodiscard]] std::uint64_t rows_taken() const { return rows_taken_; }
  /// Of the array of offsets.
  [[nodiscard]] std::string const& name() const { return offsets_.name(); }

 private:
  void check(std::size_t row) const;

  ArrayReader offsets_;
  std::uint64_t rows_;
  std::int64_t elements_;
  std::uint64_t rows_taken_ = 0;
  std::vector<std::int64_t> window_;  ///< where the next row begins, and the ends of it and its successors
};

/// Rows of labels whose number varies.
class RaggedReader {
 public:
  RaggedReader(ArrayReader values, ArrayReader offsets);
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] DType dtype() const { return values_.array().dtype; }
  [[nodiscard]] std::string const& name() const { return offsets_.name(); }
  [[nodiscard]] RowOffsets& offsets() { return offsets_; }
  /// The next rows, which were looked at and fit `into`.
  void read(Ragged const& into, std::size_t rows);

 private:
  ArrayReader values_;
  std::uint64_t rows_;
  RowOffsets offsets_;
};

/// The arrays of a CSR matrix as scipy.sparse.save_npz writes them.
struct CsrArrays {
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  ArrayReader indptr;
  ArrayReader indices;
  ArrayReader data;
};

/// Rows of a CSR matrix. Those whose indices do not ascend are sorted.
class CsrReader {
 public:
  /// Throws SchemaError if the arrays do not fit each other.
  explicit CsrReader(CsrArrays arrays);
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::uint64_t columns() const { return columns_; }
  [[nodiscard]] DType dtype() const { return data_.array().dtype; }
  [[nodiscard]] std::string const& name() const { return offsets_.name(); }
  [[nodiscard]] RowOffsets& offsets() { return offsets_; }
  /// The next rows, which were looked at and fit `into`. Throws SourceError if an index is not a column, and
  /// SchemaError if one stands twice in a row; both name the row.
  void read(Csr const& into, std::size_t rows);

 private:
  struct Pair {
    std::int64_t index;
    std::uint64_t value;  ///< its bits
  };
  [[nodiscard]] bool is_in_order(Csr const& csr, Extent pairs) const;
  void sort(Csr const& csr, Extent pairs);
  void check_sorted(std::uint64_t row) const;

  ArrayReader indices_;
  ArrayReader data_;
  std::uint64_t rows_;
  std::uint64_t columns_;
  RowOffsets offsets_;
  std::vector<Pair> pairs_;  ///< of the row that is sorted
};

}  // namespace penstock::app
