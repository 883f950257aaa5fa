#include "host/pipeline/stream_workers.hpp"

#include <cstddef>
#include <utility>

#include "host/exec/engine.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

std::vector<std::unique_ptr<Lane>> make_lanes(InputPlan const& plan, StreamOptions const& options,
                                              StreamSizes const& sizes) {
  LaneOptions const lane = lane_options(plan, options, sizes);
  std::vector<std::unique_ptr<Lane>> lanes;
  for (unsigned i = 0; i < sizes.lanes; ++i) lanes.push_back(plan.make_lane(best_instruction_set(), lane));
  return lanes;
}

std::unique_ptr<Cutter> make_cutter(InputPlan const& plan, StreamOptions const& options, StreamSizes const& sizes) {
  std::unique_ptr<Cutter> cutter;
  if (options.device != nullptr && options.cuts_on_device) {
    try {
      cutter = plan.make_device_cutter(*options.device, {options.record_max, sizes.slot_bytes, sizes.slots});
    } catch (DeviceMemoryError const&) {  // lanes have taken what there was; the host cuts the same
    }
  }
  if (cutter == nullptr) cutter = plan.make_cutter(best_instruction_set(), options.record_max);
  return cutter;
}

}  // namespace

LaneOptions lane_options(InputPlan const& plan, StreamOptions const& options, StreamSizes const& sizes) {
  LaneOptions lane;
  lane.capacity = sizes.round;
  lane.faults_max = sizes.faults_max;
  lane.shaping = options.shaping;
  lane.grown_bytes_max = options.memory_bytes / 2;
  lane.keeps_record_begins = options.keeps_record_begins || checks_qid_order(plan);
  lane.text_bytes = sizes.slot_bytes;
  lane.device = options.device;
  lane.pool = options.pool;
  lane.trace = options.trace;
  bool const tolerates = options.on_error == FaultPolicy::skip || options.on_error == FaultPolicy::quarantine;
  lane.needs_rows = options.takes_batches || (options.judges_whole && plan.make_watch() != nullptr) ||
                    options.skip > 0 || options.limit.has_value() || options.row_files != nullptr;
  lane.needs_rows_with_faults = !tolerates || options.max_errors.has_value();
  // Rounds of which a part is handed out would need them.
  lane.leaves_features = options.leaves_features && options.skip == 0 && !options.limit && !options.judge_rows &&
                         options.row_files == nullptr && !lane.keeps_record_begins;
  if (options.row_files == nullptr) lane.make_encoder = options.make_encoder;
  return lane;
}

bool checks_qid_order(InputPlan const& plan) { return plan.checks_qid_order() && plan.layout().has_qid; }

bool make_smaller(InputPlan const& plan, DeviceError const& error, StreamOptions& options, StreamOptions& smaller,
                  StreamSizes& sizes) {
  constexpr std::size_t slot_bytes_least = std::size_t{256} << 10;
  bool const is_memory = dynamic_cast<DeviceMemoryError const*>(&error) != nullptr;
  if (is_memory && options.slot_bytes == 0 && sizes.slot_bytes > slot_bytes_least) {
    smaller.slot_bytes = sizes.slot_bytes / 2;
    smaller.threads = sizes.lanes;
  } else if (options.device != nullptr && !options.is_device_required) {
    options.device = nullptr;
    if (options.pool != nullptr) options.pool = std::make_shared<RoundPool>();  // what it has is the device's
    smaller = options;
  } else {
    return false;
  }
  sizes = plan_sizes(plan, smaller);
  return true;
}

Workers make_workers_that_fit(InputPlan const& plan, StreamOptions& options, StreamSizes& sizes) {
  return made_to_fit(plan, options, sizes, [&](StreamOptions const& smaller, StreamSizes const& fitting) {
    std::vector<std::unique_ptr<Lane>> lanes = make_lanes(plan, smaller, fitting);
    return Workers{std::move(lanes), make_cutter(plan, smaller, fitting)};
  });
}

}  // namespace penstock
