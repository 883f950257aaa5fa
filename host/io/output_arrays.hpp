/// Arrays on their way into an archive.
#pragma once

#include "formats/dense/crc32.hpp"
#include "formats/dense/npy.hpp"
#include "formats/dense/zip.hpp"
#include "host/io/output_files.hpp"
#include "host/io/sink.hpp"
#include "penstock/batch.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace penstock {

/// The shape of an array but for the number of its rows.
struct ArrayShape {
  enum class Kind : std::uint8_t {
    matrix,  ///< (rows, columns)
    vector,  ///< (rows,)
    text,    ///< no dimensions: one bytes object of `rows` bytes
    flags,   ///< (rows,) of bool: bytes of 0 and 1
  };
  Kind kind = Kind::vector;
  DType dtype = DType::float32;
  std::size_t columns = 1;  ///< of a matrix

  [[nodiscard]] constexpr std::size_t row_bytes() const {
    return kind == Kind::text || kind == Kind::flags ? 1 : size_bytes(dtype) * columns;
  }
};

/// A .npy file whose number of rows is known last. Its elements come in pieces and wait in a spool, or stream straight
/// into the archive.
class ArrayMember {
 public:
  /// `name` without ".npy". What waits does so near `beside_path`.
  ArrayMember(std::string const& name, ArrayShape const& shape, std::string const& beside_path)
      : name_(name + ".npy"), shape_(shape), spool_(beside_path) {}
  virtual ~ArrayMember() = default;
  ArrayMember(ArrayMember const&) = delete;
  ArrayMember& operator=(ArrayMember const&) = delete;

  /// From now on elements go to `file`, behind headers that finish() replaces. Before the first append(); the file is
  /// seekable, and this is the archive's first member.
  void stream_to(OutputFile& file);
  /// `rows` more rows.
  void append(std::span<std::byte const> bytes, std::uint64_t rows);
  /// Brings the final headers and all elements into the archive.
  void finish(OutputFile& file);

  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] DType dtype() const { return shape_.dtype; }
  [[nodiscard]] npy::HeaderBytes header() const;
  /// What finish() brings: local header, the array's header, elements.
  [[nodiscard]] std::uint64_t archived_bytes() const {
    return zip::local_header_bytes(name_) + npy::header_bytes + data_bytes();
  }
  [[nodiscard]] zip::Entry entry(std::uint64_t header_offset_bytes) const;

 protected:
  /// Elements of another type instead of all those that wait.
  void replace(DType dtype, Spool spool, Crc32 data_crc);
  [[nodiscard]] Spool& spool() { return *spool_; }

 private:
  [[nodiscard]] std::uint64_t data_bytes() const { return rows_ * shape_.row_bytes(); }
  void write_headers(OutputFile& file) const;

  std::string name_;
  ArrayShape shape_;
  std::uint64_t rows_ = 0;
  Crc32 data_crc_;
  std::optional<Spool> spool_;
  OutputFile* stream_ = nullptr;
};

/// A vector of integers: int32 until it is widened, then int64. It always waits.
class IndexMember final : public ArrayMember {
 public:
  IndexMember(std::string const& name, std::string const& beside_path)
      : ArrayMember(name, {ArrayShape::Kind::vector, DType::int32}, beside_path), beside_path_(beside_path) {}

  /// Appends value + shift for each value. The sums fit the type.
  void append_shifted(std::span<std::int64_t const> values, std::int64_t shift);
  /// int64 from now on, and for what was appended before. Does nothing the second time.
  void widen();

 private:
  template <class Integer>
  void append_as(std::span<std::int64_t const> values, std::int64_t shift);

  std::string beside_path_;
};

}  // namespace penstock
