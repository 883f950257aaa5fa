/// Decimal digits from tables, for the kinds of synthetic data that are text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace penstock::app::synth {

/// `Width` decimal digits, zero padded, of every number below 10^Width, in entries of four bytes.
template <unsigned Width>
constexpr auto make_digits() {
  constexpr unsigned count = Width == 3 ? 1000 : 10000;
  std::array<std::array<char, 4>, count> table{};
  for (unsigned i = 0; i < count; ++i) {
    unsigned rest = i;
    for (unsigned at = Width; at-- > 0; rest /= 10) table[i][at] = static_cast<char>('0' + rest % 10);
  }
  return table;
}
inline constexpr auto digits3 = make_digits<3>();
inline constexpr auto digits4 = make_digits<4>();

/// A whole number below `count`, from the 32 lowest bits of `random`.
inline std::uint32_t below(std::uint64_t random, std::uint32_t count) {
  return static_cast<std::uint32_t>((random & 0xffffffffu) * count >> 32);
}

/// The digits of a number below 10,000, without zeros before them. Stores four bytes.
inline char* put_digits(std::uint32_t number, char* out) {
  unsigned const zeros = number < 10 ? 3 : number < 100 ? 2 : number < 1000 ? 1 : 0;
  std::uint32_t word;
  std::memcpy(&word, digits4[number].data(), 4);
  word >>= 8 * zeros;
  std::memcpy(out, &word, 4);
  return out + (4 - zeros);
}

/// 0.001000 to 0.999999, from the 32 lowest bits of `random`. Stores one byte more than its eight.
inline char* put_fraction(std::uint64_t random, char* out) {
  std::memcpy(out, "0.", 2);
  std::memcpy(out + 2, digits3[1 + ((random & 0xffff) * 999 >> 16)].data(), 4);
  std::memcpy(out + 5, digits3[((random >> 16) & 0xffff) * 1000 >> 16].data(), 4);
  return out + 8;
}

/// `text` as it is; returns its end.
inline char* put_text(std::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

}  // namespace penstock::app::synth
