/// statistics::summarize_tile of float32 in the instructions that the machine has.
#pragma once

#include <cstddef>

#include "formats/statistics/moments.hpp"
#include "host/exec/engine.hpp"

namespace penstock {

/// Of up to statistics::tile_rows rows, each `stride` values after the one before: a summary of each column, the same
/// bits for every instruction set.
void summarize_tile(InstructionSet isa, float const* values, std::size_t rows, std::size_t stride, std::size_t columns,
                    statistics::Summary* summaries);

}  // namespace penstock
