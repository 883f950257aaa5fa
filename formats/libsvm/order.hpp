/// Pairs that do not ascend: sorted in place, in O(n log n), without memory of their own.
///
/// While a record is read its values are known to be good, so they can be read again: for the time of sorting each
/// value's place in the batch holds the offset of its item in the text, which is both the tie-breaker (the order of
/// occurrence) and the way back to the value.
///
///     text      5:0.5 2:9 5:1      indices  5    2    5        sorted   2    5    5       values   9  0.5  1
///     offset    0     6   10       values   0.5  9    1        offsets  6    0   10
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "formats/core/platform.hpp"
#include "formats/libsvm/grammar.hpp"
#include "penstock/dtype.hpp"
#include "penstock/fault.hpp"

namespace penstock::libsvm {

/// The pairs of one record, in the batch's memory. `text` is what offsets count from.
template <class T>
struct Pairs {
  char const* text = nullptr;
  std::int64_t* indices = nullptr;
  T* values = nullptr;
  std::size_t count = 0;
};

/// What became of them.
struct Ordered {
  std::size_t count = 0;  ///< pairs that are left
  bool is_fault = false;  ///< the one at the lowest offset
  FaultCode code = FaultCode::duplicate_index;
  std::uint32_t item = 0;  ///< the offset of the item at fault
};

namespace detail {

template <class T>
PENSTOCK_HD std::uint32_t offset_in(T const& value) {
  std::uint32_t offset;
  __builtin_memcpy(&offset, &value, sizeof offset);
  return offset;
}
template <class T>
PENSTOCK_HD void put_offset(T& value, std::uint32_t offset) {
  __builtin_memcpy(&value, &offset, sizeof offset);
}

struct Key {
  std::int64_t index;
  std::uint32_t offset;
  PENSTOCK_HD bool operator<(Key const& other) const {
    return index != other.index ? index < other.index : offset < other.offset;
  }
};
template <class T>
PENSTOCK_HD Key key_at(Pairs<T> const& pairs, std::size_t i) {
  return {pairs.indices[i], offset_in(pairs.values[i])};
}
template <class T>
PENSTOCK_HD void put_key(Pairs<T> const& pairs, std::size_t i, Key key) {
  pairs.indices[i] = key.index;
  put_offset(pairs.values[i], key.offset);
}

/// 16 KiB of the stack: records of usual size are sorted there, several times as fast as in two arrays.
inline constexpr std::size_t keys_max = 1024;

template <class T>
void sort_on_stack(Pairs<T> const& pairs) {
  Key keys[keys_max];
  for (std::size_t i = 0; i < pairs.count; ++i) keys[i] = key_at(pairs, i);
  std::sort(keys, keys + pairs.count);
  for (std::size_t i = 0; i < pairs.count; ++i) put_key(pairs, i, keys[i]);
}

/// Lets the key at `hole` sink below larger ones among the first `count`.
template <class T>
PENSTOCK_HD void sink(Pairs<T> const& pairs, std::size_t hole, std::size_t count) {
  Key const key = key_at(pairs, hole);
  for (std::size_t child = 2 * hole + 1; child < count; child = 2 * hole + 1) {
    if (child + 1 < count && key_at(pairs, child) < key_at(pairs, child + 1)) ++child;
    Key const larger = key_at(pairs, child);
    if (!(key < larger)) break;
    put_key(pairs, hole, larger);
    hole = child;
  }
  put_key(pairs, hole, key);
}

template <class T>
PENSTOCK_HD void heap_sort(Pairs<T> const& pairs) {
  for (std::size_t i = pairs.count / 2; i > 0; --i) sink(pairs, i - 1, pairs.count);
  for (std::size_t last = pairs.count; last > 1; --last) {
    Key const largest = key_at(pairs, 0);
    put_key(pairs, 0, key_at(pairs, last - 1));
    put_key(pairs, last - 1, largest);
    sink(pairs, 0, last - 1);
  }
}

/// The sum in the type's own arithmetic; any NaN is the missing value. False: beyond the range.
template <class T>
PENSTOCK_HD bool add(T& sum, T value, Overflow overflow) {
  if constexpr (std::is_floating_point_v<T>) {
    constexpr T largest = std::numeric_limits<T>::max();
    bool const was_finite = sum >= -largest && sum <= largest && value >= -largest && value <= largest;
    sum += value;
    if (sum != sum) {  // one NaN by its bits, whatever a processor makes of infinity - infinity
      if constexpr (sizeof(T) == sizeof missing_float32_bits)
        sum = bit_cast<T>(missing_float32_bits);
      else
        sum = bit_cast<T>(missing_float64_bits);
    }
    return !was_finite || overflow == Overflow::infinity || (sum >= -largest && sum <= largest);
  } else {
    using Bits = std::make_unsigned_t<T>;
    T const total = static_cast<T>(static_cast<Bits>(sum) + static_cast<Bits>(value));
    bool const is_beyond = ((sum ^ total) & (value ^ total)) < 0;  // both have the sign that the total lacks
    sum = total;
    return !is_beyond;
  }
}

/// The offset of the second of two alike, the lowest; or none.
template <class T>
PENSTOCK_HD Ordered find_duplicate(Pairs<T> const& pairs) {
  Ordered ordered;
  ordered.count = pairs.count;
  for (std::size_t i = 1; i < pairs.count; ++i) {
    if (pairs.indices[i] != pairs.indices[i - 1]) continue;
    std::uint32_t const item = offset_in(pairs.values[i]);
    if (!ordered.is_fault || item < ordered.item) ordered.item = item;
    ordered.is_fault = true;
  }
  return ordered;
}

/// Offsets become values again, and pairs of the same index one.
template <class T>
PENSTOCK_HD Ordered join_duplicates(Pairs<T> const& pairs, ItemRules const& rules, Duplicates duplicates) {
  Ordered ordered;
  for (std::size_t i = 0; i < pairs.count; ++i) {
    std::uint32_t const offset = offset_in(pairs.values[i]);
    T const value = item_value<T>(read_item(pairs.text + offset, rules.syntax), rules).value;
    bool const is_again = i > 0 && pairs.indices[i] == pairs.indices[ordered.count - 1];
    if (!is_again) {
      pairs.indices[ordered.count] = pairs.indices[i];
      pairs.values[ordered.count++] = value;
    } else if (duplicates != Duplicates::sum) {
      pairs.values[ordered.count - 1] = value;
    } else if (!add(pairs.values[ordered.count - 1], value, rules.overflow)) {
      if (!ordered.is_fault || offset < ordered.item) ordered.item = offset;
      ordered.is_fault = true;
      ordered.code = FaultCode::out_of_range;
    }
  }
  return ordered;
}

}  // namespace detail

/// How keys are sorted: where they stand, by a host or a device.
struct SortInPlace {
  template <class T>
  PENSTOCK_HD void operator()(Pairs<T> const& pairs) const {
    detail::heap_sort(pairs);
  }
};
/// The same, by a host: few of them on its stack.
struct SortOnStack {
  template <class T>
  void operator()(Pairs<T> const& pairs) const {
    if (pairs.count <= detail::keys_max)
      detail::sort_on_stack(pairs);
    else
      detail::heap_sort(pairs);
  }
};

/// Sorts pairs, whose items begin at `items` in the text and are all good, and joins or refuses those of the same
/// index.
template <class Sort, class T>
PENSTOCK_HD_COLD Ordered order_pairs(Pairs<T> const& pairs, char const* items, ItemRules const& rules,
                                     Duplicates duplicates) {
  for (std::size_t i = 0; i < pairs.count; ++i) {
    items = skip_blanks(items);
    detail::put_offset(pairs.values[i], static_cast<std::uint32_t>(items - pairs.text));
    items = read_item(items, rules.syntax).all.end;
  }
  Sort{}(pairs);
  if (duplicates == Duplicates::fault) {
    Ordered const found = detail::find_duplicate(pairs);
    if (found.is_fault) return found;
  }
  return detail::join_duplicates(pairs, rules, duplicates);
}

}  // namespace penstock::libsvm
