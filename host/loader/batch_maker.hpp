/// What both ways of making an epoch's batches have in common: in a stream, and at random with an index.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host/loader/epoch_order.hpp"
#include "host/pipeline/record_stream.hpp"
#include "penstock/shared_batch.hpp"

namespace penstock {

/// An epoch, or what is left of it behind Division::first.
struct EpochTask {
  OrderOptions order;
  Division division;
  std::uint64_t epoch = 0;
  std::uint64_t steps_before = 0;        ///< of the rank's batches, for SharedBatch::step
  std::optional<std::uint64_t> records;  ///< in all, where they were counted
  std::optional<StreamPlace> start;      ///< at or before every place that is needed; nothing: the start
};

/// A batch, and how the epoch goes on behind it.
struct MadeBatch {
  SharedBatch batch;
  std::uint64_t position = 0;        ///< of the next step, for all ranks
  std::optional<StreamPlace> place;  ///< where a stream can begin for the rest; nothing: at the start, or needs none
  std::size_t bytes = 0;             ///< of its elements
};

/// Bytes that the elements of a batch take.
[[nodiscard]] std::size_t element_bytes(Batch const& batch);

}  // namespace penstock
