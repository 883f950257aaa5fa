/// What a lane needs besides its format's plan, and the memory that follows from it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "formats/core/reshape.hpp"
#include "host/exec/host_round.hpp"
#include "penstock/batch.hpp"
#include "penstock/executor.hpp"

namespace penstock {

struct LaneOptions {
  BatchCapacity capacity;                                  ///< of a round
  std::size_t faults_max = 0;                              ///< in a round
  std::function<std::unique_ptr<Encoder>()> make_encoder;  ///< empty: rounds carry batches only
  /// Given: sparse features become dense ones or the reverse; this is what an index that is not there means.
  std::optional<Absent> reshape;
  std::size_t grown_bytes_max = 0;   ///< of a round that holds one record which is larger than its capacity
  bool keeps_record_begins = false;  ///< rounds' batches say where their records begin
};

/// The layout of what a lane hands out.
[[nodiscard]] BatchLayout shaped_layout(BatchLayout const& decoded, std::optional<Absent> reshape);

/// The memory of a round for batches of `capacity`; `encoder` may be null.
[[nodiscard]] RoundMemory round_memory(BatchLayout const& decoded, BatchCapacity const& capacity,
                                       std::optional<Absent> reshape, Encoder const* encoder);

/// The features of `decoded` in the other form, in the memory of `into`; everything else is shared.
[[nodiscard]] Batch reshaped(Batch const& decoded, Batch const& into, Absent absent);

}  // namespace penstock
