// The decoder compiled for AVX2. Everything that does not name the tag is included before the region, so that
// no shared inline function is compiled for AVX2.
#if defined(__x86_64__)

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "formats/core/format.hpp"
#include "formats/csv/cell.hpp"
#include "formats/csv/encode.hpp"
#include "formats/csv/plan.hpp"
#include "formats/csv/record.hpp"
#include "host/exec/avx2.hpp"
#include "host/exec/host_round.hpp"
#include "host/exec/lane_options.hpp"
#include "penstock/error.hpp"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2")
#endif

#include "formats/csv/cut.hpp"
#include "formats/csv/decode.hpp"
#include "formats/csv/format.hpp"
#include "formats/csv/scan.hpp"
#include "host/exec/format_lane.hpp"

namespace penstock {

template class FormatLane<Avx2, csv::Format>;
template class csv::RecordCutter<Avx2>;

}  // namespace penstock

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#include "host/exec/lanes.hpp"

namespace penstock {

template <>
std::unique_ptr<Lane> make_lane_avx2<csv::Format>(csv::DecodePlan const& plan, LaneOptions const& options) {
  return std::make_unique<FormatLane<Avx2, csv::Format>>(plan, options);
}

template <>
std::unique_ptr<Cutter> make_cutter_avx2<csv::Format>(csv::DecodePlan const& plan, std::size_t record_max) {
  return std::make_unique<csv::RecordCutter<Avx2>>(plan, record_max);
}

}  // namespace penstock

#endif
