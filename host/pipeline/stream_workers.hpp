/// What works on the slots of a stream: lanes, and a cutter.
#pragma once

#include <memory>
#include <vector>

#include "host/exec/lane_options.hpp"
#include "host/pipeline/input_plan.hpp"
#include "host/pipeline/record_stream.hpp"
#include "penstock/chunk.hpp"
#include "penstock/error.hpp"
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

/// What is tried next where a device has no room: smaller slots, if their size is not given, or, where nobody asked for
/// the device by name, the CPU. Changes `smaller` and `sizes`, and `options` where the device is given up. False:
/// nothing is left to try.
[[nodiscard]] bool make_smaller(InputPlan const& plan, DeviceError const& error, StreamOptions& options,
                                StreamOptions& smaller, StreamSizes& sizes);

/// What `make(options, sizes)` returns: with the sizes that a device has room for, which `sizes` become, or, where
/// `options` do not ask for the device by name, without it.
template <class Make>
[[nodiscard]] auto made_to_fit(InputPlan const& plan, StreamOptions& options, StreamSizes& sizes, Make make) {
  StreamOptions smaller = options;
  for (;;) {
    try {
      return make(smaller, sizes);
    } catch (DeviceError const& error) {
      if (!make_smaller(plan, error, options, smaller, sizes)) throw;
    }
  }
}

/// Lanes and a cutter for a stream.
[[nodiscard]] Workers make_workers_that_fit(InputPlan const& plan, StreamOptions& options, StreamSizes& sizes);

}  // namespace penstock
