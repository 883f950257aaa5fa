#include "host/exec/csv_lane.hpp"
#include "host/exec/csv_lane_isa.hpp"

namespace penstock {

std::unique_ptr<Lane> make_csv_lane_portable(csv::DecodePlan const& plan, LaneOptions const& options) {
  return std::make_unique<CsvLane<Portable>>(plan, options);
}

std::unique_ptr<Cutter> make_csv_cutter_portable(csv::Dialect const& dialect, std::size_t record_max) {
  return std::make_unique<csv::RecordCutter<Portable>>(dialect, record_max);
}

}  // namespace penstock
