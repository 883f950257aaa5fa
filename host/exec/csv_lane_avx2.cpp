// The decoder compiled for AVX2. Everything that does not name the tag is included before the region, so that
// no shared inline function is compiled for AVX2.
#if defined(__x86_64__)

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "formats/csv/cell.hpp"
#include "formats/csv/plan.hpp"
#include "host/exec/avx2.hpp"
#include "host/exec/csv_lane_isa.hpp"
#include "host/exec/host_round.hpp"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2")
#endif

#include "formats/csv/cut.hpp"
#include "formats/csv/decode.hpp"
#include "formats/csv/scan.hpp"
#include "host/exec/csv_lane.hpp"

namespace penstock {

template class CsvLane<Avx2>;
template class csv::RecordCutter<Avx2>;

}  // namespace penstock

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace penstock {

std::unique_ptr<Lane> make_csv_lane_avx2(csv::DecodePlan const& plan, LaneOptions const& options) {
  return std::make_unique<CsvLane<Avx2>>(plan, options);
}

std::unique_ptr<Cutter> make_csv_cutter_avx2(csv::Dialect const& dialect, std::size_t record_max) {
  return std::make_unique<csv::RecordCutter<Avx2>>(dialect, record_max);
}

}  // namespace penstock

#endif
