/// Words over blocks of 64 bytes, in portable form. An instruction set is a tag type; faster versions are
/// overloads for other tags (host/exec/avx2.hpp), each tested against these.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "formats/core/number.hpp"

namespace penstock {

/// The tag of plain C++.
struct Portable {};

inline constexpr std::size_t block_bytes = 64;

/// A byte to look for, or none.
struct BlockNeedle {
  char byte = 0;
  std::uint64_t present = 0;  ///< all ones, or 0 for a needle that is looked for in vain

  constexpr BlockNeedle() = default;
  constexpr explicit BlockNeedle(char b) : byte(b), present(b == 0 ? 0 : ~std::uint64_t{0}) {}
};

/// Bit i says whether byte i of a 64-byte block equals `byte`.
/// Eight bytes at a time: a byte of x is zero where it equals the needle; the exact zero-byte test keeps
/// one flag a byte (no carries between bytes), and a multiplication gathers the flags.
inline std::uint64_t block_equal(Portable, char const* block, char byte) {
  constexpr std::uint64_t low7 = 0x7f7f7f7f7f7f7f7fu;
  std::uint64_t const pattern = 0x0101010101010101u * static_cast<unsigned char>(byte);
  std::uint64_t mask = 0;
  for (unsigned i = 0; i < 8; ++i) {
    std::uint64_t word;
    std::memcpy(&word, block + 8 * i, 8);
    std::uint64_t const x = word ^ pattern;
    std::uint64_t const flags = ~(((x & low7) + low7) | x | low7) >> 7;
    mask |= (flags * 0x0102040810204080u >> 56) << 8 * i;
  }
  return mask;
}

inline std::uint64_t block_equal(Portable tag, char const* block, BlockNeedle needle) {
  return needle.present == 0 ? 0 : block_equal(tag, block, needle.byte);
}

/// Bit i becomes the parity of bits 0..i.
inline std::uint64_t prefix_xor(std::uint64_t bits) {
  for (unsigned shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

/// Decides what most cells are; false leaves the cell to number::parse and its neighbours.
inline bool fast_float32(Portable, char const* begin, std::uint32_t length, float& value) {
  auto const parsed = number::parse<float>(begin, begin + length);
  value = parsed.value;
  return parsed.status == number::Status::ok && !parsed.is_inexact_integer;
}

/// The same for numbers of JSON; false for whatever is not most usual there.
inline bool plain_json_float32(Portable, char const* /*begin*/, char const* /*end*/, float& /*value*/) { return false; }

}  // namespace penstock
