#include "host/exec/tile_summary.hpp"

#include "formats/statistics/tile.hpp"
#include "host/exec/tile_avx2.hpp"

namespace penstock {

void summarize_tile([[maybe_unused]] InstructionSet isa, float const* values, std::size_t rows, std::size_t stride,
                    std::size_t columns, statistics::Summary* summaries) {
#if defined(__x86_64__)
  if (isa == InstructionSet::avx2) return avx2::summarize_tile(values, rows, stride, columns, summaries);
#endif
  statistics::summarize_tile(values, rows, stride, columns, summaries);
}

}  // namespace penstock
