/// compact: label and 39 short integers and decimals, some cells empty.
#include "host/app/synth_compact.hpp"

#include <utility>

#include "host/app/synth_kinds.hpp"

namespace penstock::app::synth {
namespace {

constexpr std::size_t compact_columns = 40;

template <std::size_t... Before>
inline char* put_compact_record(SynthRandom& random, char* out, std::index_sequence<Before...>) {
  SynthRandom local = random;  // a copy that no store through `out` can alias: it stays in a register
  *out++ = static_cast<char>('0' + (local.next() >> 63));
  *out++ = ',';
  ((out = put_compact<Before + 1>(local.next(), out)), ...);
  out[-1] = '\n';
  random = local;
  return out;
}

char* compact_record(SynthRandom& random, char* out) {
  return put_compact_record(random, out, std::make_index_sequence<compact_columns - 1>());
}

constexpr std::string_view compact_header =
    "label,c1,c2,c3,c4,c5,c6,c7,c8,c9,c10,c11,c12,c13,c14,c15,c16,c17,c18,c19,"
    "c20,c21,c22,c23,c24,c25,c26,c27,c28,c29,c30,c31,c32,c33,c34,c35,c36,c37,c38,c39\n";

}  // namespace

/// Rows a block: about 0.55 MiB, so that a block is still in the second-level cache when it is written.
SynthKind compact_kind() {
  return {"compact",
          "CSV of short fields: label and 39 integers and decimals, 3 % of cells empty",
          compact_header,
          2048,
          compact_columns * compact_cell_max,
          compact_record};
}

}  // namespace penstock::app::synth
