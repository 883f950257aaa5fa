/// Elements of lists to float32 or integers, one lane each, as long as they are plain; records in which one is not are
/// marked. Which stops end an element of which list, the heads have found out (json_head_walk.cuh).
///
///     text      [ 1 . 5 , _ 2 ] , [ 3 , 4 ] ]        lists of dynamic_feat
///     stops     1 . . . 1 . . 1 1 1 . 1 . 1 1
///     element           1.5   2 . .   3   4 .        behind a bracket that opens, or a comma with no ']' before it
#pragma once

#include <cstdint>

#include "cuda/kernels/json_number.cuh"
#include "cuda/kernels/json_stops.cuh"
#include "cuda/kernels/json_tiles.hpp"
#include "cuda/kernels/number.cuh"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/json/grammar.hpp"
#include "formats/json/number.hpp"

namespace penstock::cuda::json {

/// What a list has. Numbers may be missing; integers have few digits, no sign, and a greatest; keys are integers that
/// ascend.
enum class Elements : std::uint8_t { none, numbers, integers, keys };

struct ConvertWork {
  ChunkText text;
  Masks masks;
  RowValues out;
  std::uint32_t integer_max = 0;  ///< of integers and keys
};

namespace detail {

/// An element as bytes; none: `begin` is `end`.
struct ElementSpan {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t stop = 0;   ///< the stop before, if it is near
  bool is_element = false;  ///< otherwise the stop stands between two lists
};

/// What ends at the stop at byte `end`, of a list whose head is plain. With more than 31 bytes it is not plain, and
/// none.
__device__ inline ElementSpan element_span(ConvertWork const& work, std::uint32_t end) {
  char const* const text = work.text.data;
  std::uint32_t const word = end / 32;
  std::uint32_t const low = word == 0 ? 0 : load_cached(work.masks.stops + word - 1);
  std::uint32_t const before = funnel_right(low, load_cached(work.masks.stops + word), end % 32);
  ElementSpan span{end, end, end, true};
  if (before == 0) return span;
  span.stop = end - 32 + highest_bit(before);
  span.is_element = load_cached(text + end) != '[' && load_cached(text + span.stop) != ']';
  span.begin = span.stop + 1;
  if (span.begin < end && penstock::json::is_space(load_cached(text + span.begin))) ++span.begin;
  if (span.begin < end && penstock::json::is_space(load_cached(text + end - 1))) --span.end;
  return span;
}

/// The elements of a warp's lanes, of up to 31 bytes. Lanes without one have an empty text. False: no answer.
__device__ inline bool plain_value(char const* begin, char const* end, float& value) {
  auto const length = static_cast<std::uint32_t>(end - begin);
  std::uint32_t const longest = warp_max(length);
  bool is_plain = false;
  if (longest <= plain_bytes_max(2))
    is_plain = plain_float32<2, false>(begin, end, value);
  else if (longest <= plain_bytes_max(3))
    is_plain = plain_float32<3, false>(begin, end, value);
  if (is_plain) return is_strict(begin, end);
  if (length == 0 || !plain_float32<6, true>(begin, end, value)) return false;
  return is_strict(begin, end) && has_strict_mantissa(begin, end);
}

/// Some digits, with no zero in front. 12 bytes before `end` are read.
__device__ inline bool plain_integer(char const* begin, char const* end, std::uint32_t& value) {
  auto const length = static_cast<int>(end - begin);
  if (length > plain_integer_max) return false;
  Mantissa const mantissa = read_mantissa<3>(end, length);
  value = static_cast<std::uint32_t>(mantissa.significand);
  return mantissa.is_plain && !mantissa.has_point && (length == 1 || load_cached(begin) != '0');
}

__device__ inline bool spells_missing(char const* begin, std::uint32_t length) {
  constexpr std::uint32_t null_word = 0x6c6c756e;        // null
  constexpr std::uint32_t quoted_nan_word = 0x6e616e22;  // "nan
  if (length == 4) return load_4_bytes(begin) == null_word;
  return length == 5 && (load_4_bytes(begin) | 0x20202000u) == quoted_nan_word && load_cached(begin + 4) == '"';
}

/// Which lists a lane's element is in.
struct ListsOfStop {
  bool is_in[lists_max] = {};
  bool is_first = false;  ///< of the second list

  __device__ bool is_any() const { return is_in[0] || is_in[1]; }
  template <Elements first, Elements second>
  __device__ bool is_of(Elements elements) const {
    return (is_in[0] && first == elements) || (is_in[1] && second == elements);
  }
};

__device__ inline ListsOfStop lists_of_stop(ConvertWork const& work, std::uint32_t row, std::uint32_t stop) {
  uint4 const lists = load_16(reinterpret_cast<uint4 const*>(work.out.lists + row));
  return {{stop - lists.x < lists.y - lists.x, stop - lists.z < lists.w - lists.z}, stop == lists.z};
}

/// Lanes with a key: whether it is above the one before. Keys of the lanes are `value`; that of lane 31 comes before
/// the next lanes' stops.
__device__ inline bool ascends(ConvertWork const& work, ListsOfStop const& in, ElementSpan const& span,
                               std::uint32_t value) {
  std::uint32_t before = __shfl_up_sync(all_lanes, value, 1);
  if (!in.is_in[1] || in.is_first) return true;
  if (lane_of_thread() == 0) {
    char const* const text = work.text.data;
    ElementSpan const last = element_span(work, span.stop);
    if (!plain_integer(text + last.begin, text + last.end, before)) return false;
  }
  return before < value;
}

/// Converts what ends at a lane's stop, number `stop` of the chunk, at byte `at`.
template <Elements first, Elements second>
__device__ void convert_stop(ConvertWork const& work, bool is_live, std::uint32_t row, std::uint32_t stop,
                             std::uint32_t at) {
  constexpr bool has_numbers = first == Elements::numbers || second == Elements::numbers;
  constexpr bool has_keys = second == Elements::keys;
  ListsOfStop in;
  if (is_live) in = lists_of_stop(work, row, stop);
  if (__any_sync(all_lanes, in.is_any()) == 0) return;
  ElementSpan span;
  if (in.is_any()) span = element_span(work, at);
  char const* const begin = work.text.data + span.begin;
  char const* const end = work.text.data + span.end;
  std::uint32_t value = 0;
  bool is_plain = false;
  if constexpr (has_numbers) {
    bool const is_number = in.is_of<first, second>(Elements::numbers);
    float number = 0;
    is_plain = plain_value(is_number ? begin : end, end, number) && is_number;
    value = bit_cast<std::uint32_t>(number);
    bool const is_missing = !is_plain && in.is_in[0] && spells_missing(begin, span.end - span.begin);
    if (is_missing) value = missing_float32_bits;
    is_plain = is_plain || is_missing;
  }
  if constexpr (second != Elements::numbers) {
    bool const is_integer = in.is_any() && !in.is_of<first, second>(Elements::numbers);
    if (is_integer) is_plain = plain_integer(begin, end, value) && value <= work.integer_max;
    if constexpr (has_keys) is_plain = ascends(work, in, span, value) && is_plain;
  }
  if (!in.is_any() || !span.is_element) return;
  work.out.values[stop] = value;
  if (!is_plain) atomic_or(work.out.marks[row / 32], 1u << row % 32);
}

}  // namespace detail

/// What ends at stops, for stops_kernel.
template <Elements first, Elements second>
struct ListElements {
  static constexpr bool needs_last_stop = false;

  ConvertWork work;

  __device__ void take(Stop const& stop) const {
    detail::convert_stop<first, second>(work, stop.is_live, stop.row, stop.number, stop.at);
  }
};

/// Converts all elements of a chunk that is not refused.
template <Elements first, Elements second>
void convert(Stream& stream, StopsWork const& stops, ConvertWork const& work) {
  take_stops("json_convert", stream, stops, ListElements<first, second>{work});
}

}  // namespace penstock::cuda::json
