/// quoted: a table as people keep them, with texts that hold commas, line ends and quotes.
#include <array>
#include <cstring>
#include <utility>

#include "host/app/synth_compact.hpp"
#include "host/app/synth_kinds.hpp"

namespace penstock::app::synth {
namespace {

/// A few words, as they stand inside quotes: 16 bytes, so that one load and one store move them.
struct Piece {
  char text[15];
  std::uint8_t size;
};
static_assert(sizeof(Piece) == 16);

/// Of 32 pieces eight hold commas, four doubled quotes, three line ends; their mean is 6.1 bytes.
constexpr std::array<Piece, 32> pieces = [] {
  constexpr std::string_view words[] = {
      "red ",     "blue ",        "large ", "small ",        "of steel, ",       "of oak, ",    "two, ",    "or so, ",
      "as new, ", "worn, ",       "and ",   "with ",         "without ",         "lid ",        "handle ",  "a box of ",
      "12 cm ",   "24\"\" ",      "5 kg ",  "\"\"best\"\" ", "said \"\"no\"\" ", "\"\"XL\"\" ", "a, b, c ", "1,000 ",
      "\n",       "see below:\n", "\r\n",   "caf\xc3\xa9 ",  "100 % ",           "it's ",       "; ",       "x",
  };
  std::array<Piece, 32> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i].size = static_cast<std::uint8_t>(words[i].size());
    for (std::size_t c = 0; c < words[i].size(); ++c) table[i].text[c] = words[i][c];
  }
  return table;
}();

/// `least` to `least + 2^spread_bits - 1` pieces, of five bits of `random` each, in quotes.
inline char* put_pieces(std::uint64_t random, unsigned least, unsigned spread_bits, char* out) {
  unsigned const count = least + static_cast<unsigned>(random & ((1u << spread_bits) - 1));
  *out++ = '"';
  for (unsigned i = 0; i < count; ++i) {
    random >>= 5;
    Piece const& piece = pieces[random & 31];
    std::memcpy(out, &piece, sizeof piece);
    out += piece.size;
  }
  *out++ = '"';
  return out;
}

/// A number in quotes: a price with two decimals, or a quantity.
template <bool IsPrice>
inline char* put_quoted_number(std::uint64_t random, char* out) {
  *out++ = '"';
  out = put_digits(below(random, 10'000), out);
  if constexpr (IsPrice) {
    *out = '.';
    std::memcpy(out + 1, digits3[below(random >> 32, 100) * 10].data(), 4);
    out += 3;
  }
  *out++ = '"';
  return out;
}

/// Columns of compact that are not integers: with a point, and empty for 3 % of records.
template <std::size_t... Number>
inline char* put_decimals(SynthRandom& random, char* out, std::index_sequence<Number...>) {
  ((out = put_compact<3 + 5 * (Number % 2)>(random.next(), out)), ...);
  return out;
}

constexpr std::size_t decimals = 7;

char* quoted_record(SynthRandom& random, char* out) {
  SynthRandom local = random;  // a copy that no store through `out` can alias: it stays in a register
  *out++ = static_cast<char>('0' + (local.next() >> 63));
  *out++ = ',';
  out = put_pieces(local.next(), 2, 2, out);
  *out++ = ',';
  out = put_decimals(local, out, std::make_index_sequence<decimals>());
  out = put_quoted_number<true>(local.next(), out);
  *out++ = ',';
  out = put_quoted_number<false>(local.next(), out);
  *out++ = ',';
  out = put_pieces(local.next(), 4, 3, out);
  *out++ = '\n';
  random = local;
  return out;
}

constexpr std::string_view quoted_header = "label,title,x1,x2,x3,x4,x5,x6,x7,price,quantity,comment\n";

}  // namespace

/// Rows a block: about 0.6 MiB, so that a block is still in the second-level cache when it is written. A record is
/// longest with 5 and 11 pieces of 12 bytes.
SynthKind quoted_kind() {
  return {
      "quoted",
      "CSV of 12 columns: label, 7 numbers, 2 numbers in quotes, and 2 texts (title, comment) with commas, quotes and "
      "line ends inside",
      quoted_header,
      4096,
      2 + 16 * 12 + 4 + 4 + decimals * compact_cell_max + 2 * 10 + 1,
      quoted_record};
}

}  // namespace penstock::app::synth
