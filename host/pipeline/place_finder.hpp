/// Place counters of formats as PlaceFinders.
#pragma once

#include <cstdint>

#include "host/pipeline/input_plan.hpp"
#include "penstock/chunk.hpp"

namespace penstock {

template <class Counter>
class CountingPlaceFinder final : public PlaceFinder {
 public:
  void begin(Chunk const& chunk, std::uint64_t first_unit) override { counter_.begin(chunk, first_unit); }
  void advance(std::uint32_t offset) override { counter_.advance(offset); }
  [[nodiscard]] std::uint64_t unit() const override { return counter_.line(); }
  [[nodiscard]] std::uint32_t unit_begin() const override { return counter_.line_begin(); }

 private:
  Counter counter_;
};

}  // namespace penstock
