#include "host/exec/missing.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace penstock {
namespace {

/// A NaN is beyond infinity as a number without sign. Counted in the elements' width, a block at a time, so that
/// compilers count several at once; every value of a batch passes here.
template <class Bits>
std::uint64_t count_nans(std::byte const* values, std::size_t count, Bits infinity) {
  constexpr std::size_t block = 4096;
  auto const* const bits = reinterpret_cast<Bits const*>(values);
  constexpr Bits without_sign = std::numeric_limits<Bits>::max();
  std::uint64_t nans = 0;
  for (std::size_t begin = 0; begin < count; begin += block) {
    std::size_t const end = begin + std::min(block, count - begin);
    Bits found = 0;
    for (std::size_t i = begin; i < end; ++i) found += (bits[i] & without_sign) > infinity ? Bits{1} : Bits{0};
    nans += static_cast<std::uint64_t>(found);
  }
  return nans;
}

std::uint64_t count_nans(std::byte const* values, std::size_t count, DType dtype) {
  if (dtype == DType::float32) return count_nans<std::int32_t>(values, count, 0x7f800000);
  if (dtype == DType::float64) return count_nans<std::int64_t>(values, count, 0x7ff0000000000000);
  return 0;
}

}  // namespace

std::uint64_t count_missing(Batch const& batch) {
  std::uint64_t missing = 0;
  Dense const& dense = batch.features;
  if (dense.columns != 0) missing += count_nans(dense.data, dense.rows * dense.columns, dense.dtype);
  for (Ragged const& list : batch.lists) {
    if (list.offsets == nullptr || batch.rows == 0) continue;
    Extent const all = {list.row(0).begin, list.row(batch.rows - 1).end};
    missing += count_nans(list.values + all.begin * size_bytes(list.dtype), all.size(), list.dtype);
  }
  Csr const& csr = batch.csr;
  if (csr.indptr == nullptr) return missing;
  Extent const pairs = csr.pairs();
  return missing + count_nans(csr.values + pairs.begin * size_bytes(csr.dtype), pairs.size(), csr.dtype);
}

}  // namespace penstock
