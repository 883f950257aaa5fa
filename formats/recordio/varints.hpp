/// Packed lists of varints, many at a time: counting, reading, and writing ascending ones. The rules of one varint are
/// in formats/recordio/wire.hpp.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "formats/recordio/wire.hpp"

namespace penstock::recordio {

namespace detail {

/// The bit of every byte that says that the varint goes on.
inline constexpr std::uint64_t goes_on_bits = 0x8080808080808080u;

inline std::uint64_t load_8(std::byte const* from) {
  static_assert(std::endian::native == std::endian::little, "the first byte is the lowest");
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// How many of the eight bytes have a flag; other bits of `flags` are 0. (A multiplication sums the bytes.)
constexpr unsigned flagged_bytes(std::uint64_t flags) {
  return static_cast<unsigned>((flags >> 7) * 0x0101010101010101u >> 56);
}

/// Joins the groups of seven bits of eight bytes, the lowest byte first, whose flags are cleared: pairs of bytes, then
/// pairs of pairs.
///   0ggggggg 0fffffff ... 0bbbbbbb 0aaaaaaa  ->  ... bbbbbbbaaaaaaa
[[gnu::always_inline]] constexpr std::uint64_t join_groups(std::uint64_t word) {
  word = (word & 0x007f007f007f007fu) | (word & 0x7f007f007f007f00u) >> 1;
  word = (word & 0x00003fff00003fffu) | (word & 0x3fff00003fff0000u) >> 2;
  return (word & 0x000000000fffffffu) | (word & 0x0fffffff00000000u) >> 4;
}

/// The last `count` bytes of `run`, at most seven, as the lowest of a word.
inline std::uint64_t last_bytes(Bytes run, unsigned count) {
  if (count == 0) return 0;
  if (run.size() >= 8) return load_8(run.data() + run.size() - 8) >> 8 * (8 - count);
  std::uint64_t word = 0;
  for (std::size_t i = run.size() - count; i < run.size(); ++i)
    word |= static_cast<std::uint64_t>(run[i]) << 8 * (i - (run.size() - count));
  return word;
}

}  // namespace detail

/// Adds the number of varints of `run` to `count`. Every one must end inside the run and have at most varint_bytes_max
/// bytes; else the first one that breaks this says which error it is, and `count` means nothing.
inline WireError count_varints(Bytes run, std::size_t& count) {
  using namespace detail;
  std::size_t unfinished = 0;  // bytes since the last end of a varint
  std::size_t at = 0;
  for (; at + 8 <= run.size(); at += 8) {
    std::uint64_t const ends = ~load_8(run.data() + at) & goes_on_bits;
    if (ends == 0) {
      unfinished += 8;
      if (unfinished >= varint_bytes_max) return WireError::varint_too_long;
      continue;
    }
    unfinished += static_cast<unsigned>(std::countr_zero(ends)) / 8;
    if (unfinished >= varint_bytes_max) return WireError::varint_too_long;
    unfinished = static_cast<unsigned>(std::countl_zero(ends)) / 8;
    count += flagged_bytes(ends);
  }
  for (; at < run.size(); ++at) {
    bool const is_end = (static_cast<unsigned>(run[at]) & 0x80) == 0;
    unfinished = is_end ? 0 : unfinished + 1;
    if (unfinished >= varint_bytes_max) return WireError::varint_too_long;
    count += is_end ? 1 : 0;
  }
  return unfinished == 0 ? WireError::none : WireError::truncated;
}

/// Calls `use(std::uint64_t)` for every varint of a run that count_varints() has found sound. Reads no byte outside.
/// One to eight bytes take no loop over bytes. Where the next varint begins is known only when the last one's end is
/// found, so two are taken of each load if it has them: keys of up to four bytes always come in pairs. Inlined, because
/// what `use` changes would else go through memory with every number.
template <class Use>
[[gnu::always_inline]] inline void read_varints(Bytes run, Use use) {
  using namespace detail;
  std::byte const* at = run.data();
  std::byte const* const end = at + run.size();
  while (end - at >= 8) {
    std::uint64_t const word = load_8(at);
    std::uint64_t const ends = ~word & goes_on_bits;
    std::uint64_t const later_ends = ends & (ends - 1);
    std::uint64_t const first_bytes = ends ^ (ends - 1);  // up to the lowest flag
    if (ends == goes_on_bits) {
      for (int i = 0; i < 8; ++i) use(word >> 8 * i & 0x7f);
      at += 8;
    } else if (later_ends != 0) [[likely]] {
      std::uint64_t const both_bytes = later_ends ^ (later_ends - 1);
      std::uint64_t const groups = word & both_bytes & ~goes_on_bits;
      use(join_groups(groups & first_bytes));
      use(join_groups((groups & ~first_bytes) >> (std::countr_zero(ends) + 1)));
      at += (static_cast<unsigned>(std::countr_zero(later_ends)) + 1) / 8;
    } else if (ends != 0) {
      use(join_groups(word & first_bytes & ~goes_on_bits));
      at += (static_cast<unsigned>(std::countr_zero(ends)) + 1) / 8;
    } else {
      Varint const varint = read_varint({at, end});
      use(varint.value);
      at += varint.size_bytes;
    }
  }
  auto const left = static_cast<unsigned>(end - at);
  std::uint64_t word = last_bytes(run, left);
  std::uint64_t ends = ~word & goes_on_bits & ((std::uint64_t{1} << 8 * left) - 1);
  while (ends != 0) {
    int const its_bits = std::countr_zero(ends) + 1;
    use(join_groups(word & (ends ^ (ends - 1)) & ~goes_on_bits));
    word >>= its_bits;  // at most 56, for there are seven bytes
    ends >>= its_bits;
  }
}

/// Bytes of the varints of ascending numbers, none negative.
inline std::uint64_t ascending_varint_bytes(std::span<std::int64_t const> numbers) {
  if (numbers.empty()) return 0;
  if (numbers.back() >= std::int64_t{1} << 28) {
    std::uint64_t sum = 0;
    for (std::int64_t const number : numbers) sum += varint_bytes(static_cast<std::uint64_t>(number));
    return sum;
  }
  std::uint64_t longer = 0;  // bytes behind the first of each
  for (std::int64_t const number : numbers)
    longer += static_cast<std::uint64_t>((number >= 1 << 7) + (number >= 1 << 14) + (number >= 1 << 21));
  return numbers.size() + longer;
}

/// Bytes behind the end that put_ascending_varints() may overwrite.
inline constexpr std::size_t varint_slack_bytes = 8;

/// Writes the varints of ascending numbers, none negative; returns their end. Lengths only grow along the list, so each
/// length has a loop of its own without decisions about bytes.
inline std::byte* put_ascending_varints(std::byte* into, std::span<std::int64_t const> numbers) {
  auto const put = [&into](std::uint64_t bytes, unsigned size_bytes) {
    std::memcpy(into, &bytes, sizeof bytes);
    into += size_bytes;
  };
  std::size_t i = 0;
  auto const is_below = [&](int bits) { return i < numbers.size() && numbers[i] < std::int64_t{1} << bits; };
  auto const group = [&](int place) {
    return (static_cast<std::uint64_t>(numbers[i]) << place) & 0x7full << 8 * place;
  };
  for (; is_below(7); ++i) *into++ = static_cast<std::byte>(numbers[i]);
  for (; is_below(14); ++i) put(group(0) | 0x80 | group(1), 2);
  for (; is_below(21); ++i) put(group(0) | 0x8080 | group(1) | group(2), 3);
  for (; is_below(28); ++i) put(group(0) | 0x808080 | group(1) | group(2) | group(3), 4);
  for (; i < numbers.size(); ++i) into = put_varint(into, static_cast<std::uint64_t>(numbers[i]));
  return into;
}

}  // namespace penstock::recordio
