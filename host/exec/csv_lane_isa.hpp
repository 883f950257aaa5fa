/// One pair of functions for each instruction set; engine.cpp chooses.
#pragma once

#include <cstddef>
#include <memory>

#include "host/exec/engine.hpp"

namespace penstock {

std::unique_ptr<Lane> make_csv_lane_portable(csv::DecodePlan const& plan, LaneOptions const& options);
std::unique_ptr<Cutter> make_csv_cutter_portable(csv::Dialect const& dialect, std::size_t record_max);

#if defined(__x86_64__)
std::unique_ptr<Lane> make_csv_lane_avx2(csv::DecodePlan const& plan, LaneOptions const& options);
std::unique_ptr<Cutter> make_csv_cutter_avx2(csv::Dialect const& dialect, std::size_t record_max);
#endif

}  // namespace penstock
