/// How many features of a batch are missing.
#pragma once

#include <cstdint>

#include "penstock/batch.hpp"

namespace penstock {

/// NaNs, of any bits, among the dense features or the values of the CSR matrix. Integers are never missing.
[[nodiscard]] std::uint64_t count_missing(Batch const& batch);

}  // namespace penstock
