// What the runtime asks of a CSV plan.

#include <algorithm>

#include "formats/csv/format.hpp"
#include "host/exec/lanes.hpp"
#include "host/pipeline/csv_faults.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "host/pipeline/place_finder.hpp"

namespace penstock {

FormatInfo const& CsvPlan::format() const { return csv::Format::info; }

bool CsvPlan::decodes_alike(std::size_t shard, std::size_t other) const {
  auto const& columns = decode_plan().columns;
  return std::ranges::equal(columns[shard], columns[other]);
}

std::unique_ptr<Cutter> CsvPlan::make_cutter(InstructionSet isa, std::size_t record_max) const {
  return penstock::make_cutter<csv::Format>(isa, decode_plan(), record_max);
}

std::unique_ptr<Cutter> CsvPlan::make_device_cutter(Device& device, CutterOptions const& options) const {
  if (dialect().quote == 0 && dialect().escape == 0) return nullptr;  // the host looks at the end alone
  if (options.slot_bytes > options.record_max) return nullptr;        // a slot may hold records that are too long
  return penstock::make_device_cutter<csv::Format>(device, decode_plan(),
                                                   make_cutter(best_instruction_set(), options.record_max), options);
}

std::unique_ptr<Lane> CsvPlan::make_lane(InstructionSet isa, LaneOptions const& options) const {
  return penstock::make_lane<csv::Format>(isa, decode_plan(), options);
}

std::unique_ptr<PlaceFinder> CsvPlan::make_place_finder() const {
  return std::make_unique<CountingPlaceFinder<LineCounter>>();
}

BatchCapacity CsvPlan::record_capacity(std::size_t record_max) const {
  return csv::Format::record_capacity(decode_plan(), record_max);
}

std::size_t CsvPlan::widest_shard() const {
  std::size_t columns = 0;
  for (auto const& shard : decode_plan().columns) columns = std::max(columns, shard.size());
  return columns;
}

std::size_t CsvPlan::fault_room() const { return csv::fault_room(decode_plan(), widest_shard()); }

std::size_t CsvPlan::decoder_bytes() const { return widest_shard() * sizeof(std::uint32_t) + (std::size_t{64} << 10); }

void CsvPlan::explain(Fault const& fault, Chunk const&, FaultReport& report) const {
  explain_csv_fault(fault, *this, report);
}

}  // namespace penstock
