/// Lanes and cutters of a format for an instruction set.
///
/// Every format runs as plain C++. One that has passes for AVX2 too says `static constexpr bool has_avx2 = true` in its
/// Format and adds a unit host/exec/NAME_lane_avx2.cpp with the two functions below.
#pragma once

#include <cstddef>
#include <memory>

#include "formats/core/block.hpp"
#include "host/exec/engine.hpp"
#include "host/exec/format_lane.hpp"
#include "penstock/chunk.hpp"
#include "penstock/executor.hpp"

namespace penstock {

template <class Format>
concept HasAvx2 = requires {
  requires Format::has_avx2;
};

template <class Format>
std::unique_ptr<Lane> make_lane_avx2(typename Format::Plan const& plan, LaneOptions const& options);
template <class Format>
std::unique_ptr<Cutter> make_cutter_avx2(typename Format::Plan const& plan, std::size_t record_max);

/// A lane that decodes the format. Everything that `plan` points to must outlive it.
template <class Format>
std::unique_ptr<Lane> make_lane(InstructionSet isa, typename Format::Plan const& plan, LaneOptions const& options) {
#if defined(__x86_64__)
  if constexpr (HasAvx2<Format>) {
    if (isa == InstructionSet::avx2) return make_lane_avx2<Format>(plan, options);
  }
#endif
  (void)isa;
  return std::make_unique<FormatLane<Portable, Format>>(plan, options);
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
