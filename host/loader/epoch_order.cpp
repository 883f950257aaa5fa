#include "host/loader/epoch_order.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

/// What keys are for: permutations of different things have nothing to do with each other.
enum class KeyUse : std::uint64_t { files = 1, window = 2, records = 3 };

}  // namespace

std::string_view name_of(Shuffle shuffle) {
  constexpr std::string_view names[] = {"none", "window", "exact"};
  return names[static_cast<std::size_t>(shuffle)];
}

std::string_view name_of(Remainder remainder) {
  constexpr std::string_view names[] = {"keep", "drop", "pad"};
  return names[static_cast<std::size_t>(remainder)];
}

std::vector<std::uint32_t> EpochOrder::files(std::uint32_t count) const {
  Permutation const order(key_of(options_.seed, epoch_, KeyUse::files), count);
  std::vector<std::uint32_t> files(count);
  for (std::uint32_t i = 0; i < count; ++i)
    files[i] = options_.shuffle == Shuffle::window ? static_cast<std::uint32_t>(order(i)) : i;
  return files;
}

std::uint64_t EpochOrder::place(std::uint64_t position, std::uint64_t records) {
  if (options_.shuffle == Shuffle::none) return position;
  if (options_.shuffle == Shuffle::exact) return permutation(0, records)(position);
  std::uint64_t const window = position / options_.window;
  std::uint64_t const begin = window * options_.window;
  return begin + permutation(window, std::min(options_.window, records - begin))(position - begin);
}

std::uint64_t EpochOrder::places_needed(std::uint64_t position) const {
  if (options_.shuffle == Shuffle::none) return position + 1;
  if (options_.shuffle == Shuffle::exact) return std::numeric_limits<std::uint64_t>::max();
  return (position / options_.window + 1) * options_.window;
}

std::uint64_t EpochOrder::places_done(std::uint64_t position) const {
  if (options_.shuffle == Shuffle::none) return position;
  if (options_.shuffle == Shuffle::exact) return 0;
  return position / options_.window * options_.window;
}

Permutation const& EpochOrder::permutation(std::uint64_t window, std::uint64_t size) {
  if (permutation_ && window_ == window && permutation_->size() == size) return *permutation_;
  KeyUse const use = options_.shuffle == Shuffle::exact ? KeyUse::records : KeyUse::window;
  permutation_.emplace(key_of(options_.seed, epoch_, use, window), size);
  window_ = window;
  return *permutation_;
}

std::uint64_t Division::steps(std::uint64_t records) const {
  std::uint64_t const left = records - std::min(first, records);
  std::uint64_t const whole = left / step_rows();
  std::uint64_t const rest = left % step_rows();
  if (rest == 0 || remainder == Remainder::drop) return whole;
  // Fewer records than ranks: the step before gives some up, unless it has one record a rank itself.
  bool const is_short = rest < world_size;
  if (remainder == Remainder::keep && is_short && (whole == 0 || batch_size == 1))
    throw ConfigurationError(format_count(left) + " records in batches of " + std::to_string(batch_size) + " on " +
                                 std::to_string(world_size) + " ranks are " + format_count(whole) + " steps, and " +
                                 std::to_string(rest) + (rest == 1 ? " record" : " records") +
                                 " for the last one: not every rank would have a batch in it",
                             "remainder drop leaves them out, and pad fills the batches up; or fewer ranks");
  return whole + 1;
}

std::uint64_t Division::step_end(std::uint64_t step, std::uint64_t records) const {
  std::uint64_t const end = first + (step + 1) * step_rows();
  if (remainder != Remainder::keep || world_size == 1) return std::min(end, records);
  bool const is_last_but_one = end < records && records - end < world_size;
  return is_last_but_one ? records - world_size : std::min(end, records);
}

BatchRange Division::range(std::uint64_t step, std::uint64_t records) const {
  std::uint64_t const begin = step == 0 ? first : step_end(step - 1, records);
  std::uint64_t const end = step_end(step, records);
  if (remainder == Remainder::keep) {
    std::uint64_t const rows = end - begin;
    return {begin + rows * rank / world_size, begin + rows * (rank + 1) / world_size};
  }
  std::uint64_t const own = begin + rank * batch_size;
  return {std::min(own, end), std::min(own + batch_size, end)};
}

EpochPlan Division::plan(std::uint64_t records) const {
  EpochPlan plan;
  plan.records = records;
  plan.steps = steps(records);
  plan.batch_size = batch_size;
  plan.rank = rank;
  plan.world_size = world_size;
  std::uint64_t const left = records - std::min(first, records);
  std::uint64_t const rows = plan.steps * step_rows();
  plan.last_rows = plan.steps == 0 ? 0 : range(plan.steps - 1, records).size();
  plan.dropped = remainder == Remainder::drop ? left - rows : 0;
  plan.padded = remainder == Remainder::pad ? rows - left : 0;
  return plan;
}

}  // namespace penstock
