/// Cells of a few bytes, as compact and other kinds of synthetic CSV hold them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "host/app/synth_text.hpp"

namespace penstock::app::synth {

/// How a cell begins (sign, up to three digits, the point of a decimal) and how many digits follow it.
/// Eight bytes, so that one load and one store move it.
struct Head {
  char text[6];
  std::uint8_t size;
  std::uint8_t tail;
};
static_assert(sizeof(Head) == 8);
using Heads = std::array<Head, 1024>;

constexpr Head make_head(bool is_negative, unsigned value, bool has_point, unsigned tail) {
  Head head{};
  auto const put = [&head](char c) { head.text[head.size++] = c; };
  if (is_negative) put('-');
  if (value >= 100) put(static_cast<char>('0' + value / 100));
  if (value >= 10) put(static_cast<char>('0' + value / 10 % 10));
  put(static_cast<char>('0' + value % 10));
  if (has_point) put('.');
  head.tail = static_cast<std::uint8_t>(tail);
  return head;
}

/// Decimals as %.6g shows them: six significant digits, for one in four fewer. An entry's lowest bit is the
/// sign, the rest its rank in order of magnitude.
constexpr Head decimal_head(unsigned entry, unsigned value) {
  unsigned const tail = value >= 100 ? 3 : value >= 10 ? 4 : value >= 1 ? 5 : 6;
  unsigned const spread = entry / 2 % 8;
  return make_head(entry % 2 != 0, value, true, spread == 0 ? 1 : spread == 1 ? tail - 2 : tail);
}

/// Whole parts of |x| for x of deviation 1: shares of a normal distribution in 512ths.
inline constexpr Heads unit_heads = [] {
  Heads heads{};
  for (unsigned i = 0; i < heads.size(); ++i) {
    unsigned const rank = i / 2;
    heads[i] = decimal_head(i, rank < 350 ? 0 : rank < 489 ? 1 : rank < 511 ? 2 : 3);
  }
  return heads;
}();

/// Whole parts below 1000, small ones more often (the square of a uniform number).
inline constexpr Heads wide_heads = [] {
  Heads heads{};
  for (unsigned i = 0; i < heads.size(); ++i) heads[i] = decimal_head(i, (i / 2) * (i / 2) * 999 / (511 * 511));
  return heads;
}();

/// Integers of one to six digits, each length about as often; of signed ones an eighth are negative.
constexpr Heads make_integer_heads(bool is_signed) {
  Heads heads{};
  for (unsigned i = 0; i < heads.size(); ++i) {
    unsigned const rank = i / 2;
    unsigned const digits = 1 + rank * 6 / 512;
    unsigned const value = digits == 1 ? rank % 10 : digits == 2 ? 10 + rank * 7 % 90 : 100 + rank * 613 % 900;
    bool const is_negative = is_signed && i % 8 == 1 && value != 0;
    heads[i] = make_head(is_negative, value, false, digits > 3 ? digits - 3 : 0);
  }
  return heads;
}
inline constexpr Heads count_heads = make_integer_heads(false);
inline constexpr Heads signed_heads = make_integer_heads(true);

/// One cell and the comma after it. Bits of `random`: 10 choose the head, 2 x 16 the digits that follow,
/// 9 the last digit of a decimal (not zero: %.6g drops those), 13 whether the cell is empty (246 / 2^13 = 3 %).
/// No branch depends on them: an empty cell is written like any other and then not kept.
template <bool IsDecimal>
[[gnu::always_inline]] inline char* put_cell(Heads const& heads, std::uint64_t random, char* out) {
  Head const& head = heads[random & 1023];
  std::memcpy(out, &head, sizeof head);
  char* const tail = out + head.size;
  std::memcpy(tail, digits3[1 + (((random >> 10) & 0xffff) * 999 >> 16)].data(), 4);
  if constexpr (IsDecimal) {
    std::memcpy(tail + 3, digits3[((random >> 26) & 0xffff) * 1000 >> 16].data(), 4);
    tail[head.tail - 1] = static_cast<char>('1' + (((random >> 42) & 511) * 9 >> 9));
  }
  std::size_t const is_kept = (random >> 51) >= 246 ? 1 : 0;
  out += is_kept * (std::size_t{head.size} + head.tail);
  *out = ',';
  return out + 1;
}

/// No cell is longer, the comma included: -0.123456
inline constexpr std::size_t compact_cell_max = 10;

/// The cell of a column of the kind compact, and the comma after it.
template <std::size_t Column>
inline char* put_compact(std::uint64_t random, char* out) {
  if constexpr (Column % 5 >= 2) return put_cell<true>(Column % 3 == 0 ? wide_heads : unit_heads, random, out);
  return put_cell<false>(Column % 10 == 1 ? signed_heads : count_heads, random, out);
}

}  // namespace penstock::app::synth
