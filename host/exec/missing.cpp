#include "host/exec/missing.hpp"

#include <cstddef>

namespace penstock {
namespace {

/// A NaN is beyond infinity as a number without sign.
template <class Bits>
std::uint64_t count_nans(std::byte const* values, std::size_t count, Bits infinity) {
  auto const* const bits = reinterpret_cast<Bits const*>(values);
  Bits const without_sign = static_cast<Bits>(~Bits{0}) >> 1;
  std::uint64_t nans = 0;
  for (std::size_t i = 0; i < count; ++i) nans += (bits[i] & without_sign) > infinity ? 1 : 0;
  return nans;
}

std::uint64_t count_nans(std::byte const* values, std::size_t count, DType dtype) {
  if (dtype == DType::float32) return count_nans<std::uint32_t>(values, count, 0x7f800000u);
  if (dtype == DType::float64) return count_nans<std::uint64_t>(values, count, 0x7ff0000000000000u);
  return 0;
}

}  // namespace

std::uint64_t count_missing(Batch const& batch) {
  std::uint64_t missing = 0;
  Dense const& dense = batch.features;
  if (dense.columns != 0) missing += count_nans(dense.data, dense.rows * dense.columns, dense.dtype);
  Csr const& csr = batch.csr;
  if (csr.indptr == nullptr) return missing;
  Extent const pairs = csr.pairs();
  return missing + count_nans(csr.values + pairs.begin * size_bytes(csr.dtype), pairs.size(), csr.dtype);
}

}  // namespace penstock
