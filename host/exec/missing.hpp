/// How many values of a batch are missing.
#pragma once

#include <cstdint>

#include "penstock/batch.hpp"

namespace penstock {

/// NaNs, of any bits, among the dense features, the values of the CSR matrix and those of lists. Integers are never
/// missing.
[[nodiscard]] std::uint64_t count_missing(Batch const& batch);

}  // namespace penstock
