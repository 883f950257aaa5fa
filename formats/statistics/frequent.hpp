/// How often a column has each of its values: exact counts, up to a limit of different values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "formats/statistics/distinct.hpp"
#include "formats/statistics/hash.hpp"

namespace penstock::statistics {

/// Different values of one column up to which they are counted.
inline constexpr std::size_t counted_values_default = 65536;

struct ValueCount {
  double value;
  std::uint64_t count;
  bool operator==(ValueCount const&) const = default;
};

/// Values of a column and their counts, until there are more than `limit` different ones; from then on it is known that
/// there are too many, and only about how many (distinct.hpp). -0 is 0. Neither order nor parts matter. Memory: 32 to
/// 64 bytes a different value; beyond the limit 16 KiB.
class ValueCounts {
 public:
  explicit ValueCounts(std::size_t limit = counted_values_default) : limit_(limit) {}

  /// A value; not a missing one.
  void add(double value) { add(value, 1); }
  void add(double value, std::uint64_t times) {
    if (is_beyond_) return sketch_[0].add(value);
    if (slots_.empty() || 2 * size_ > slots_.size()) grow();
    ValueCount& slot = slots_[slot_of(value)];
    size_ += slot.count == 0 ? 1 : 0;
    slot.value = value + 0.0;
    slot.count += times;
    if (size_ > limit_) give_up();
  }
  /// Those of `other` as well, which has the same limit.
  void merge(ValueCounts const& other) {
    for (ValueCount const& slot : other.slots_)
      if (slot.count != 0) add(slot.value, slot.count);
    if (!other.is_beyond_) return;
    if (!is_beyond_) give_up();
    sketch_[0].merge(other.sketch_[0]);
  }

  /// Whether there are no more different values than the limit.
  [[nodiscard]] bool is_exact() const { return !is_beyond_; }
  /// How many different values; beyond the limit about how many.
  [[nodiscard]] std::uint64_t distinct() const { return is_beyond_ ? sketch_[0].estimate() : size_; }
  /// The `count` most frequent values, or all of them if there are fewer: by how often they are there, the least value
  /// first among equals. None beyond the limit.
  [[nodiscard]] std::vector<ValueCount> most_frequent(std::size_t count) const {
    std::vector<ValueCount> values;
    for (ValueCount const& slot : slots_)
      if (slot.count != 0) values.push_back(slot);
    auto const is_before = [](ValueCount const& a, ValueCount const& b) {
      return a.count != b.count ? a.count > b.count : a.value < b.value;
    };
    auto const end = values.begin() + static_cast<std::ptrdiff_t>(std::min(count, values.size()));
    std::partial_sort(values.begin(), end, values.end(), is_before);
    values.erase(end, values.end());
    return values;
  }

 private:
  /// Where `value` is, or a free slot for it.
  [[nodiscard]] std::size_t slot_of(double value) const {
    std::size_t const mask = slots_.size() - 1;
    std::uint64_t const bits = value_bits(value);
    std::size_t at = mixed_bits(bits) & mask;
    while (slots_[at].count != 0 && value_bits(slots_[at].value) != bits) at = (at + 1) & mask;
    return at;
  }
  void grow() {
    std::vector<ValueCount> before(slots_.empty() ? 16 : 2 * slots_.size());
    before.swap(slots_);
    for (ValueCount const& slot : before)
      if (slot.count != 0) slots_[slot_of(slot.value)] = slot;
  }
  void give_up() {
    is_beyond_ = true;
    sketch_.resize(1);
    for (ValueCount const& slot : slots_)
      if (slot.count != 0) sketch_[0].add(slot.value);
    slots_ = {};
  }

  std::size_t limit_;
  std::size_t size_ = 0;
  bool is_beyond_ = false;
  std::vector<ValueCount> slots_;       ///< a power of two of them, at most one value over half full; free: count 0
  std::vector<DistinctSketch> sketch_;  ///< one, beyond the limit
};

}  // namespace penstock::statistics
