/// Which records an epoch's batches have: a function of seed, epoch and numbers of records alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "host/loader/permutation.hpp"
#include "penstock/loader.hpp"

namespace penstock {

struct OrderOptions {
  Shuffle shuffle = Shuffle::none;
  std::uint64_t window = 1;
  std::uint64_t seed = 0;
  bool operator==(OrderOptions const&) const = default;
};

/// An epoch's records have positions, from 0, in the order in which they are learned from; and places, from 0, in the
/// order in which they are read: file after file. Not for several threads at once.
class EpochOrder {
 public:
  EpochOrder(OrderOptions const& options, std::uint64_t epoch) : options_(options), epoch_(epoch) {}

  /// The order in which `count` files are read.
  [[nodiscard]] std::vector<std::uint32_t> files(std::uint32_t count) const;
  /// The place of the record at `position`, of `records` in all.
  [[nodiscard]] std::uint64_t place(std::uint64_t position, std::uint64_t records);
  /// Whether every position is its place.
  [[nodiscard]] bool is_as_read() const { return options_.shuffle == Shuffle::none; }
  /// Places that have to be known before the record at `position` is: those below the result, if there are as many.
  [[nodiscard]] std::uint64_t places_needed(std::uint64_t position) const;
  /// Places that no position from `position` on has.
  [[nodiscard]] std::uint64_t places_done(std::uint64_t position) const;

 private:
  [[nodiscard]] Permutation const& permutation(std::uint64_t window, std::uint64_t size);

  OrderOptions options_;
  std::uint64_t epoch_;
  std::uint64_t window_ = 0;                ///< whose permutation it is
  std::optional<Permutation> permutation_;  ///< the last one that was used
};

/// Positions [begin, end) of a batch. Where the batch has more rows than that, the rest is padding.
struct BatchRange {
  std::uint64_t begin = 0, end = 0;
  [[nodiscard]] std::uint64_t size() const { return end - begin; }
};

/// How the positions from `first` on are divided into steps, and these among ranks.
struct Division {
  std::uint64_t first = 0;
  std::uint64_t batch_size = 1;
  unsigned rank = 0, world_size = 1;
  Remainder remainder = Remainder::keep;

  [[nodiscard]] std::uint64_t step_rows() const { return batch_size * world_size; }
  /// Steps of an epoch of `records` records. Throws ConfigurationError if some rank's last batch would be empty.
  [[nodiscard]] std::uint64_t steps(std::uint64_t records) const;
  /// Of this rank in `step`, which is below steps(records). Ranges of different ranks and steps do not overlap.
  [[nodiscard]] BatchRange range(std::uint64_t step, std::uint64_t records) const;
  /// Where the step behind `step` begins, for all ranks.
  [[nodiscard]] std::uint64_t step_end(std::uint64_t step, std::uint64_t records) const;
  [[nodiscard]] EpochPlan plan(std::uint64_t records) const;
};

}  // namespace penstock
