/// Rounds of the CPU engine.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "penstock/batch.hpp"
#include "penstock/executor.hpp"
#include "penstock/fault.hpp"

namespace penstock {

/// A round in host memory.
struct HostRound final : Round {
  HostRound(BatchLayout const& layout, std::size_t rows_max, std::size_t faults_max, std::size_t window_bytes)
      : rows(layout, rows_max),
        fault_memory(faults_max),
        window(std::make_unique_for_overwrite<std::byte[]>(window_bytes)) {}

  BatchBuffer rows;
  std::vector<Fault> fault_memory;
  std::unique_ptr<std::byte[]> window;
};

}  // namespace penstock
