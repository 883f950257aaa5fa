/// Random rows of tensors that become records: values of every kind, magics among them, keys of every length.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "formats/recordio/write_rows.hpp"
#include "penstock/batch.hpp"
#include "tests/support/wire_recordio.hpp"

namespace penstock::testing {

/// Bits of a float32, or of a float64 in whose halves are such words.
inline std::uint64_t record_value(wire::Random& random, DType dtype) {
  constexpr std::uint32_t words[] = {0xced7230a, 0x3f000000, 0, 0x7fc00000, 0x80000000, 24, 0xff800000};
  auto const word = [&]() -> std::uint64_t {
    return random.one_in(2) ? words[random.below(7)] : random.bits() & 0xffffffff;
  };
  std::uint64_t const low = word();
  return dtype == DType::float32 ? low : word() << 32 | low;
}

/// Ascending keys below `width`, short and long ones.
inline std::vector<std::int64_t> record_keys(wire::Random& random, std::size_t count, std::uint64_t width) {
  std::set<std::int64_t> keys;
  for (std::size_t tries = 0; tries < 2 * count && keys.size() < count; ++tries)
    keys.insert(static_cast<std::int64_t>((random.bits() >> (1 + random.below(63))) % width));
  if (count != 0 && random.one_in(3)) keys.insert(static_cast<std::int64_t>(width - 1));
  while (keys.size() > count) keys.erase(keys.begin());
  return {keys.begin(), keys.end()};
}

/// Rows of dense or sparse floats with dense labels.
class RecordRows {
 public:
  /// Sparse rows have at most `pairs` pairs, every fourth none.
  RecordRows(BatchLayout const& layout, std::size_t rows, std::size_t pairs, std::uint64_t seed)
      : layout_(layout), buffer_(layout, {rows, layout.is_sparse ? rows * pairs : 0, 0, 0, 0}), random_(seed) {
    Batch const batch = buffer_.view(rows);
    for (Role const role : {Role::feature, Role::label})
      fill(batch.tensor(role).data, rows * layout.columns(role), layout.dtype(role));
    std::size_t end = 0;
    for (std::size_t row = 0; layout.is_sparse && row < rows; ++row) {
      auto const keys = record_keys(random_, random_.one_in(4) ? 0 : random_.below(pairs + 1), layout.features);
      std::copy(keys.begin(), keys.end(), batch.csr.indices + end);
      fill(batch.csr.values + end * size_bytes(layout.feature_dtype), keys.size(), layout.feature_dtype);
      end += keys.size();
      batch.csr.indptr[row + 1] = static_cast<std::int64_t>(end);
    }
  }

  [[nodiscard]] Batch batch() const { return buffer_.view(buffer_.rows_max()); }
  [[nodiscard]] BatchCapacity capacity() const { return buffer_.capacity(); }

  /// As the CPU writes them.
  [[nodiscard]] std::string frames(recordio::WriteOptions const& options = {}) const {
    return frames(batch(), options);
  }
  [[nodiscard]] std::string frames(Batch const& batch, recordio::WriteOptions const& options) const {
    recordio::Writer writer(layout_, options);
    std::string bytes(writer.bytes_max(capacity_of(batch)), '\xee');
    bytes.resize(writer.encode(batch, reinterpret_cast<std::byte*>(bytes.data())));
    return bytes;
  }

 private:
  void fill(std::byte* into, std::size_t count, DType dtype) {
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t const value = record_value(random_, dtype);
      std::memcpy(into + i * size_bytes(dtype), &value, size_bytes(dtype));
    }
  }

  BatchLayout layout_;
  BatchBuffer buffer_;
  wire::Random random_;
};

}  // namespace penstock::testing
