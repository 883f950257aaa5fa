/// The CPU engine: cutters, lanes and memory, in the fastest instruction set that the machine has.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "formats/csv/plan.hpp"
#include "penstock/chunk.hpp"
#include "penstock/executor.hpp"

namespace penstock {

enum class InstructionSet : unsigned char { portable, avx2 };

/// The best one that this build and this machine have; the environment variable PENSTOCK_ISA=portable asks
/// for plain C++. It changes the speed, never a result.
InstructionSet best_instruction_set();
std::string_view name_of(InstructionSet isa);

/// What a lane needs besides its format's plan.
struct LaneOptions {
  std::size_t rows_max = 0;                                ///< rows in a round
  std::size_t faults_max = 0;                              ///< faults in a round
  std::function<std::unique_ptr<Encoder>()> make_encoder;  ///< empty: rounds carry batches only
};

/// A lane that decodes CSV. Everything that `plan` points to must outlive it.
std::unique_ptr<Lane> make_csv_lane(InstructionSet isa, csv::DecodePlan const& plan, LaneOptions const& options);
std::unique_ptr<Cutter> make_csv_cutter(InstructionSet isa, csv::Dialect const& dialect, std::size_t record_max);

/// Ordinary host memory.
class HostExecutor final : public Executor {
 public:
  [[nodiscard]] std::string_view name() const override { return "cpu"; }
  [[nodiscard]] std::unique_ptr<HostBuffer> host_buffer(std::size_t size_bytes) override;
};

}  // namespace penstock
