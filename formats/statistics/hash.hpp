/// A fixed hash of 64 bits, the same on every engine.
#pragma once

#include <cstdint>

#include "formats/core/platform.hpp"

namespace penstock::statistics {

/// Every bit of the result depends on every bit of `value`, and no two values share a result (the finalizer of
/// SplitMix64: Steele, Lea and Flood 2014).
PENSTOCK_HD constexpr std::uint64_t mixed_bits(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

}  // namespace penstock::statistics
