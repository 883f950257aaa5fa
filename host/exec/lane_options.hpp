/// What a lane needs besides its format's plan, and the memory that follows from it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "formats/core/reshape.hpp"
#include "host/exec/host_round.hpp"
#include "host/exec/normalizer.hpp"
#include "penstock/batch.hpp"
#include "penstock/device.hpp"
#include "penstock/executor.hpp"
#include "penstock/trace.hpp"

namespace penstock {

/// What becomes of rows between decoder and encoder.
struct Shaping {
  std::shared_ptr<Normalizer const> normalizer;  ///< given: features and columns of text become other features, first
  /// Given: sparse features become dense ones or the reverse; this is what an index that is not there means.
  std::optional<Absent> reshape;

  [[nodiscard]] bool is_any() const { return normalizer != nullptr || reshape.has_value(); }
};

struct LaneOptions {
  BatchCapacity capacity;                                  ///< of a round
  std::size_t text_bytes = 0;                              ///< of a slot
  std::size_t faults_max = 0;                              ///< in a round
  std::function<std::unique_ptr<Encoder>()> make_encoder;  ///< empty: rounds carry batches only
  Shaping shaping;
  std::size_t grown_bytes_max = 0;   ///< of a round that holds one record which is larger than its capacity
  bool keeps_record_begins = false;  ///< rounds' batches say where their records begin
  /// Given: chunks are decoded on it where it can, and rounds lie in its pinned memory.
  std::shared_ptr<Device> device;
  std::shared_ptr<RoundPool> pool;  ///< given: rounds lend their memory (Round::lease)
  /// Rounds may be handed out in part: their rows are needed on the host, whatever the device has encoded. Always, or
  /// only where a round has faults.
  bool needs_rows = false;
  bool needs_rows_with_faults = false;
  /// Dense features stay on the device (Round::device_rows): of rounds that lend their memory all but reshaped ones,
  /// else float32 ones that are not shaped at all. Not where there is an encoder.
  bool leaves_features = false;
  Trace* trace = nullptr;
};

/// The layout of what a lane hands out.
[[nodiscard]] BatchLayout shaped_layout(BatchLayout const& decoded, Shaping const& shaping);

/// The memory of a round for batches of `capacity`; `encoder` may be null.
[[nodiscard]] RoundMemory round_memory(BatchLayout const& decoded, BatchCapacity const& capacity,
                                       Shaping const& shaping, Encoder const* encoder);

/// Rows in a round's memory, with the features as they are decoded or as they are normalised.
[[nodiscard]] Batch rows_view(HostRound::Buffers const& memory, std::size_t rows, bool is_normalized);

/// What happens to a round between decoder and sequencer.
struct RoundFinish {
  LaneOptions const& options;
  Encoder* encoder = nullptr;   ///< null: rounds are not encoded
  bool counts_missing = false;  ///< the decoder has counted missing values
  bool is_normalized = false;   ///< and a device has normalised the features
};
/// Shapes and encodes the `rows` rows in the round's memory, as options say.
void finish_round(HostRound& round, std::size_t rows, RoundFinish const& finish);

/// The features of `decoded` in the other form, in the memory of `into`; everything else is shared.
[[nodiscard]] Batch reshaped(Batch const& decoded, Batch const& into, Absent absent);

}  // namespace penstock
