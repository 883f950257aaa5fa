/// What works on the slots of a stream: lanes, and a cutter.
#pragma once

#include <memory>
#include <vector>

#include "host/exec/lane_options.hpp"
#include "host/pipeline/input_plan.hpp"
#include "host/pipeline/record_stream.hpp"
#include "penstock/chunk.hpp"
#include "penstock/executor.hpp"

namespace penstock {

/// Whether records are rejected whose query ids are below those of the record before.
[[nodiscard]] bool checks_qid_order(InputPlan const& plan);

/// What lanes of a stream are made with.
[[nodiscard]] LaneOptions lane_options(InputPlan const& plan, StreamOptions const& options, StreamSizes const& sizes);

struct Workers {
  std::vector<std::unique_ptr<Lane>> lanes;
  std::unique_ptr<Cutter> cutter;
};

/// Workers, and the sizes they were made with: a device without room for them gets smaller slots, if sizes are not
/// given. A device that nobody asked for by name is left alone if it cannot be used.
[[nodiscard]] Workers make_workers_that_fit(InputPlan const& plan, StreamOptions& options, StreamSizes& sizes);

}  // namespace penstock
