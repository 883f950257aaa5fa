/// Arrays of .npy files as streams of rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "formats/dense/npy_layout.hpp"
#include "penstock/dtype.hpp"
#include "penstock/source.hpp"

namespace penstock::app {

/// A row of more bytes is refused: as long as the longest record of RecordIO.
inline constexpr std::uint64_t row_bytes_max = std::uint64_t{1} << 29;

/// One array, row by row.
class ArrayReader {
 public:
  /// Reads the header. `name` is what messages call the array. Throws SourceError if the array cannot be read, and
  /// DeviceError if its rows are too long.
  ArrayReader(std::unique_ptr<Source> source, std::string name);

  [[nodiscard]] npy::Array const& array() const { return array_; }
  [[nodiscard]] std::uint64_t row_bytes() const { return array_.columns() * size_bytes(array_.dtype); }
  [[nodiscard]] std::string const& name() const { return name_; }

  /// Fills `into` with the next bytes of the array, and returns how many there are: fewer only at the end of the file.
  std::size_t read(std::span<std::byte> into);
  /// As read(), and throws SourceError if there are fewer.
  void read_all(std::span<std::byte> into);
  /// The next elements of an array of int32 or int64. Throws SourceError if there are fewer.
  void read_integers(std::span<std::int64_t> into);
  [[noreturn]] void throw_truncated() const;

 private:
  bool grow_head();

  std::unique_ptr<Source> source_;
  std::string name_;
  std::string head_;  ///< the first bytes; from given_ on they are data that was not handed out
  std::size_t given_ = 0;
  npy::Array array_;
};

/// Throws SchemaError unless the array is a vector of `rows` elements of int32 or int64.
void expect_integers(ArrayReader const& reader, std::uint64_t rows);

}  // namespace penstock::app
