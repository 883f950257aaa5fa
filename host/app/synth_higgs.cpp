/// higgs: label and 28 features, each as printf's %.18e would show a float32.
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "host/app/synth_kinds.hpp"
#include "host/app/synth_text.hpp"

namespace penstock::app::synth {
namespace {

__extension__ using Uint128 = unsigned __int128;

/// Magnitudes are fixed-point numbers with this many fraction bits, below 10.
constexpr unsigned fraction_bits = 32;
constexpr std::uint64_t fixed_one = std::uint64_t{1} << fraction_bits;

/// Leading decimal places: magnitude * scale lies in [1, 10).
struct Decade {
  std::uint64_t scale;
  char exponent[4];
};
constexpr std::array<Decade, 11> decades = [] {
  std::array<Decade, 11> table{};
  std::uint64_t scale = 1;
  for (unsigned i = 0; i < table.size(); ++i, scale *= 10) {
    table[i] = {scale, {'e', i == 0 ? '+' : '-', static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10)}};
  }
  return table;
}();

/// The decade of the largest number of each bit width; a smaller number may belong to the next.
constexpr std::array<std::uint8_t, 37> decade_of_width = [] {
  std::array<std::uint8_t, 37> table{};
  for (unsigned width = 1; width < table.size(); ++width) {
    std::uint64_t const largest = (std::uint64_t{1} << width) - 1;
    while (largest * decades[table[width]].scale < fixed_one) ++table[width];
  }
  return table;
}();

/// A mask of the 24 leading bits of numbers of each bit width.
constexpr std::array<std::uint64_t, 37> leading_bits = [] {
  std::array<std::uint64_t, 37> table{};
  for (unsigned width = 0; width < table.size(); ++width) {
    table[width] = ~std::uint64_t{0} << (width > 24 ? width - 24 : 0);
  }
  return table;
}();

/// A signed fixed-point number.
struct Signed {
  bool is_negative;
  std::uint64_t magnitude;
};

/// 19 digits as "d.dddddddddddddddddd" (20 bytes). `value` < 10^19.
inline void put_19_digits(std::uint64_t value, char* out) {
  constexpr std::uint32_t e8 = 100'000'000;
  std::uint64_t const upper = value / e8;
  auto const top = static_cast<std::uint32_t>(upper / e8);
  auto const high = static_cast<std::uint32_t>(upper - std::uint64_t{top} * e8);
  auto const low = static_cast<std::uint32_t>(value - upper * e8);
  std::memcpy(out + 1, digits3[top].data(), 3);
  out[0] = out[1];
  out[1] = '.';
  std::memcpy(out + 4, digits4[high / 10'000].data(), 4);
  std::memcpy(out + 8, digits4[high % 10'000].data(), 4);
  std::memcpy(out + 12, digits4[low / 10'000].data(), 4);
  std::memcpy(out + 16, digits4[low % 10'000].data(), 4);
}

/// A number, cut to its 24 leading bits (an exact float32, never zero), as %.18e shows it: exact, ties to even.
inline char* put_scientific(Signed number, char* out) {
  std::uint64_t const magnitude = number.magnitude | 1;
  auto const width = static_cast<unsigned>(std::bit_width(magnitude));
  std::uint64_t const x = magnitude & leading_bits[width];
  unsigned const guess = decade_of_width[width];
  Decade const& decade = decades[guess + (x * decades[guess].scale < fixed_one ? 1u : 0u)];
  Uint128 const product = Uint128{x * decade.scale} * 1'000'000'000'000'000'000u;
  auto const floor = static_cast<std::uint64_t>(product >> fraction_bits);
  std::uint64_t const rest = static_cast<std::uint64_t>(product) & (fixed_one - 1);
  bool const rounds_up = rest + (floor & 1) > fixed_one / 2;
  *out = '-';
  out += number.is_negative ? 1 : 0;
  put_19_digits(floor + (rounds_up ? 1 : 0), out);
  std::memcpy(out + 20, decade.exponent, 4);
  return out + 24;
}

std::uint64_t lane(std::uint64_t random, unsigned number) { return (random >> (16 * number)) & 0xffff; }

/// Positive and skewed to the right, as momenta and masses are: the product of two triangles over [0, 2),
/// which has mean 1, moved up by `offset`.
Signed skewed(std::uint64_t random, std::uint64_t offset) {
  std::uint64_t const first = lane(random, 0) + lane(random, 1);
  std::uint64_t const second = lane(random, 2) + lane(random, 3);
  return {false, first * second + offset};
}

/// Bell-shaped, mean 0, deviation 1: four uniform numbers times sqrt(3), whose 16-bit steps are filled
/// with bits of a product of the same random number.
Signed normal(std::uint64_t random) {
  constexpr std::uint64_t step = 113'512;  // 2^16 * sqrt(3)
  auto const sum = static_cast<std::int64_t>(lane(random, 0) + lane(random, 1) + lane(random, 2) + lane(random, 3));
  std::int64_t const centred = sum - 2 * 0xffff;
  auto const steps = static_cast<std::uint64_t>(centred < 0 ? -centred : centred);
  return {centred < 0, steps * step + ((random * 0xd1342543de82ef95u) >> 48)};
}

/// Uniform in (-1.75, 1.75): an angle in units of its deviation.
Signed angle(std::uint64_t random) { return {(random & 1) != 0, (random >> 32) * 7 / 4}; }

enum class HiggsField : std::uint8_t { momentum, normal, angle, tag, mass };

/// What the 28 features are: a lepton, the missing energy, four jets with their tags, seven masses.
constexpr std::array<HiggsField, 28> higgs_fields = [] {
  using enum HiggsField;
  return std::array{momentum, normal, angle, momentum, angle,                         //
                    momentum, normal, angle, tag,      momentum, normal, angle, tag,  //
                    momentum, normal, angle, tag,      momentum, normal, angle, tag,  //
                    mass,     mass,   mass,  mass,     mass,     mass,   mass};
}();

constexpr std::string_view higgs_zero = "0.000000000000000000e+00";
constexpr std::string_view higgs_one = "1.000000000000000000e+00";
/// What the tag of each of the four jets can be; jet n has its tag at feature 8 + 4 n.
constexpr std::string_view jet_tags[4][3] = {
    {higgs_zero, "1.086538076400756836e+00", "2.173076152801513672e+00"},
    {higgs_zero, "1.107436060905456543e+00", "2.214872121810913086e+00"},
    {higgs_zero, "1.274112224578857422e+00", "2.548224449157714844e+00"},
    {higgs_zero, "1.550980687141418457e+00", "3.101961374282836914e+00"},
};

char* put_constant(std::string_view text, char* out) {
  std::memcpy(out, text.data(), higgs_zero.size());
  return out + higgs_zero.size();
}

/// One feature and the comma before it.
template <std::size_t Feature>
inline char* put_higgs(std::uint64_t random, bool label, char* out) {
  constexpr HiggsField field = higgs_fields[Feature];
  *out++ = ',';
  if constexpr (field == HiggsField::tag) return put_constant(jet_tags[Feature / 4 - 2][(random >> 32) * 3 >> 32], out);
  if constexpr (field == HiggsField::normal) return put_scientific(normal(random), out);
  if constexpr (field == HiggsField::angle) return put_scientific(angle(random), out);
  // Masses of label 0 lie half a unit higher, so that there is something to learn.
  bool const is_high = field == HiggsField::mass && !label;
  return put_scientific(skewed(random, is_high ? fixed_one * 3 / 4 : fixed_one / 4), out);
}

template <std::size_t... Feature>
inline char* put_higgs_record(SynthRandom& random, char* out, std::index_sequence<Feature...>) {
  SynthRandom local = random;  // a copy that no store through `out` can alias: it stays in a register
  bool const label = (local.next() >> 63) != 0;
  out = put_constant(label ? higgs_one : higgs_zero, out);
  ((out = put_higgs<Feature>(local.next(), label, out)), ...);
  *out++ = '\n';
  random = local;
  return out;
}

char* higgs_record(SynthRandom& random, char* out) {
  return put_higgs_record(random, out, std::make_index_sequence<higgs_fields.size()>());
}

constexpr std::string_view higgs_header =
    "label,lepton_pt,lepton_eta,lepton_phi,missing_energy,missing_energy_phi,"
    "jet1_pt,jet1_eta,jet1_phi,jet1_tag,jet2_pt,jet2_eta,jet2_phi,jet2_tag,"
    "jet3_pt,jet3_eta,jet3_phi,jet3_tag,jet4_pt,jet4_eta,jet4_phi,jet4_tag,"
    "m_jj,m_jjj,m_lv,m_jlv,m_bb,m_wbb,m_wwbb\n";

}  // namespace

/// Rows a block: about 0.75 MiB, so that a block is still in the second-level cache when it is written.
SynthKind higgs_kind() {
  return {"higgs",      "CSV like the HIGGS set: label and 28 features, every field as %.18e",
          higgs_header, 1024,
          29 * 26,      higgs_record};
}

}  // namespace penstock::app::synth
