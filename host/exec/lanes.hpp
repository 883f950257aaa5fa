/// Lanes and cutters of a format for an instruction set.
///
/// Every format runs as plain C++. One that has passes for AVX2 too says `static constexpr bool has_avx2 = true` in its
/// Format and adds a unit host/exec/NAME_lane_avx2.cpp with the two functions below. One that has kernels says `static
/// constexpr bool has_device = true` and adds its line to host/exec/make_executor.cpp; if they read columns of text by
/// a normaliser's rules, it says `static constexpr bool has_device_texts = true`.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "formats/core/block.hpp"
#include "host/exec/device_lane.hpp"
#include "host/exec/engine.hpp"
#include "host/exec/format_lane.hpp"
#include "host/exec/make_executor.hpp"
#include "penstock/chunk.hpp"
#include "penstock/executor.hpp"

namespace penstock {

template <class Format>
concept HasAvx2 = requires {
  requires Format::has_avx2;
};

template <class Format>
concept HasDevice = requires {
  requires Format::has_device;
};

/// Texts that are kept as they are stay with the CPU, which counts them.
template <class Format>
constexpr bool suits_device(BatchLayout const& layout) {
  if (layout.categories == 0) return true;
  return !layout.keeps_texts && requires { requires Format::has_device_texts; };
}

template <class Format>
std::unique_ptr<Lane> make_lane_avx2(typename Format::Plan const& plan, LaneOptions const& options);
template <class Format>
std::unique_ptr<Cutter> make_cutter_avx2(typename Format::Plan const& plan, std::size_t record_max);

/// A lane that decodes the format on the CPU.
template <class Format>
std::unique_ptr<Lane> make_host_lane(InstructionSet isa, typename Format::Plan const& plan,
                                     LaneOptions const& options) {
#if defined(__x86_64__)
  if constexpr (HasAvx2<Format>) {
    if (isa == InstructionSet::avx2) return make_lane_avx2<Format>(plan, options);
  }
#endif
  (void)isa;
  return std::make_unique<FormatLane<Portable, Format>>(plan, options);
}

/// A lane that decodes the format, on the device that options name if there are kernels for it. Everything that `plan`
/// points to must outlive it.
template <class Format>
std::unique_ptr<Lane> make_lane(InstructionSet isa, typename Format::Plan const& plan, LaneOptions const& options) {
  std::unique_ptr<Lane> lane = make_host_lane<Format>(isa, plan, options);
  if constexpr (HasDevice<Format>) {
    if (options.device == nullptr || !suits_device<Format>(plan.layout)) return lane;
    std::unique_ptr<Encoder> const encoder = options.make_encoder ? options.make_encoder() : nullptr;
    WorkerOptions const worker = worker_options(options, plan.layout, encoder.get(), CountsMissing<Format>);
    return std::make_unique<DeviceLane>(std::move(lane), make_device_worker<Format>(*options.device, plan, worker),
                                        options, leaves_features_of(options, plan.layout));
  }
  return lane;
}

template <class Format>
std::unique_ptr<Cutter> make_cutter(InstructionSet isa, typename Format::Plan const& plan, std::size_t record_max) {
#if defined(__x86_64__)
  if constexpr (HasAvx2<Format>) {
    if (isa == InstructionSet::avx2) return make_cutter_avx2<Format>(plan, record_max);
  }
#endif
  (void)isa;
  return std::make_unique<typename Format::template Cutter<Portable>>(plan, record_max);
}

}  // namespace penstock
