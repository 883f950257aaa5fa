/// The CPU engine: memory, and the fastest instruction set that the machine has.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "penstock/executor.hpp"

namespace penstock {

enum class InstructionSet : unsigned char { portable, avx2 };

/// The best one that this build and this machine have; the environment variable PENSTOCK_ISA=portable asks
/// for plain C++. It changes the speed, never a result.
InstructionSet best_instruction_set();
std::string_view name_of(InstructionSet isa);

/// Ordinary host memory.
class HostExecutor final : public Executor {
 public:
  [[nodiscard]] std::string_view name() const override { return "cpu"; }
  [[nodiscard]] std::unique_ptr<HostBuffer> host_buffer(std::size_t size_bytes) override;
};

}  // namespace penstock
