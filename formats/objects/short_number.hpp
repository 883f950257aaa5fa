/// Numbers of up to 32 bytes, told from anything else without a branch a byte.
#pragma once

#include <cstdint>

#include "formats/core/line_ends.hpp"
#include "formats/core/platform.hpp"
#include "formats/json/grammar.hpp"

namespace penstock::objects {

/// Any double that is written to be read back is no longer.
inline constexpr unsigned short_number_max = 32;
inline constexpr unsigned shorter_number_max = 16;

namespace detail {

/// The highest bit of each byte, one behind the other.
PENSTOCK_HD_HOT std::uint64_t gather_bits(std::uint64_t flags) { return (flags >> 7) * 0x0102040810204080u >> 56; }

/// Bit i: byte i of the 8 at `at` is no digit. (Values from 10 to 0x7f carry into the highest bit, others have it.)
PENSTOCK_HD_HOT std::uint64_t other_than_digits(char const* at) {
  constexpr std::uint64_t low7 = 0x7f7f7f7f7f7f7f7fu;
  std::uint64_t const values = load_8_bytes(at) ^ 0x3030303030303030u;
  return gather_bits((((values & low7) + 0x7676767676767676u) | values) & ~low7);
}

}  // namespace detail

/// Whether the `bytes` bytes at `at`, at most short_number_max, are digits as JSON has them, with at most one point
/// among them and one minus sign in front. short_number_max bytes are read at most.
///
///     text      - 1 2 . 5 ,        others    1 0 0 1 0 1        behind the sign, before the end    0 0 1 0
PENSTOCK_HD_HOT bool is_short_number(char const* at, unsigned bytes) {
  std::uint64_t all = detail::other_than_digits(at) | detail::other_than_digits(at + 8) << 8;
  if (bytes > shorter_number_max)
    all |= detail::other_than_digits(at + 16) << 16 | detail::other_than_digits(at + 24) << 24;
  unsigned const minus = *at == '-' ? 1 : 0;
  if (bytes <= minus) return false;
  unsigned const rest = bytes - minus;
  std::uint64_t const others = (all & first_bits(bytes)) >> minus;
  bool const has_zero = at[minus] == '0' && (others & 2) == 0 && rest > 1;
  bool const is_framed = (others & 1) == 0 && others >> (rest - 1) == 0 && !has_zero;
  bool const is_single = (others & (others - 1)) == 0;
  return is_framed && is_single && (others == 0 || at[minus + static_cast<unsigned>(trailing_zeros(others))] == '.');
}

/// Whether one of the `bytes` bytes at `at`, at most shorter_number_max, has the bit that letters have, and no byte of
/// a number without an exponent has. 16 bytes are read.
PENSTOCK_HD_HOT bool has_letter(char const* at, unsigned bytes) {
  std::uint64_t const first = load_8_bytes(at) & first_bits(8 * bytes);
  std::uint64_t const second = bytes > 8 ? load_8_bytes(at + 8) & first_bits(8 * (bytes - 8)) : 0;
  return ((first | second) & 0x4040404040404040u) != 0;
}

}  // namespace penstock::objects
