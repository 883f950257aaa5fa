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

/// Bit i says whether byte i is a control character below a blank or a byte above 0x7f.
inline std::uint64_t block_beyond_ascii(Portable, char const* block) {
  constexpr std::uint64_t low7 = 0x7f7f7f7f7f7f7f7fu;
  std::uint64_t mask = 0;
  for (unsigned i = 0; i < 8; ++i) {
    std::uint64_t word;
    std::memcpy(&word, block + 8 * i, 8);
    std::uint64_t const not_control = (word & low7) + 0x6060606060606060u;
    std::uint64_t const flags = ((word | ~not_control) & ~low7) >> 7;
    mask |= (flags * 0x0102040810204080u >> 56) << 8 * i;
  }
  return mask;
}

/// Whether text is the same where `mask` is all ones, in the first `bytes` of 64 bytes; it is 0 behind those.
inline bool is_same_masked(Portable, char const* a, char const* b, char const* mask, std::size_t bytes) {
  auto const word = [](char const* from) {
    std::uint64_t value;
    std::memcpy(&value, from, 8);
    return value;
  };
  std::uint64_t different = 0;
  for (std::size_t i = 0; i < bytes; i += 8) different |= (word(a + i) ^ word(b + i)) & word(mask + i);
  return different == 0;
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

/// Whether [begin, end) is what plain_json_float32() takes; or false.
inline bool is_plain_json(Portable, char const* /*begin*/, char const* /*end*/) { return false; }

/// Whether an instruction set has block_digits() and plain_json_run() (host/exec/json_numbers_avx2.hpp), which decides
/// runs of what json::odd_numbers() lets pass.
template <class Isa>
inline constexpr bool has_plain_json_run = false;

}  // namespace penstock
