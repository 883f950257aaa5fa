/// libsvm: a label and 100 pairs.
#include <cstring>

#include "host/app/synth_kinds.hpp"
#include "host/app/synth_text.hpp"

namespace penstock::app::synth {
namespace {

/// `Digits` decimal digits of a number that has so many.
template <unsigned Digits>
inline char* put_number(std::uint32_t number, char* out) {
  static_assert(Digits >= 1 && Digits <= 6);
  if constexpr (Digits <= 3) {
    std::memcpy(out, digits3[number].data() + (3 - Digits), Digits);
  } else if constexpr (Digits == 4) {
    std::memcpy(out, digits4[number].data(), 4);
  } else {
    std::uint32_t const high = number / 10'000;
    std::memcpy(out, digits3[high].data() + (7 - Digits), Digits - 4);
    std::memcpy(out + (Digits - 4), digits4[number % 10'000].data(), 4);
  }
  return out + Digits;
}

constexpr std::uint32_t power_of_ten(unsigned exponent) { return exponent == 0 ? 1 : 10 * power_of_ten(exponent - 1); }

/// Pairs whose indices have `Digits` digits: these indices are cut into `Count` stretches, and each gives one.
template <unsigned Digits, unsigned Count>
inline char* put_pairs(SynthRandom& random, char* out) {
  constexpr std::uint32_t begin = power_of_ten(Digits - 1);
  constexpr std::uint32_t stretch = 9 * begin / Count;
  for (std::uint32_t i = 0; i < Count; ++i) {
    std::uint64_t const bits = random.next();
    *out++ = ' ';
    out = put_number<Digits>(begin + i * stretch + below(bits, stretch), out);
    *out++ = ':';
    out = put_fraction(bits >> 32, out);
  }
  return out;
}

/// Low indices are dense, as of frequent words. 3.91 digits an index make 13.9 bytes a pair.
char* libsvm_record(SynthRandom& random, char* out) {
  SynthRandom local = random;  // a copy that no store through `out` can alias: it stays in a register
  *out++ = static_cast<char>('0' + (local.next() >> 63));
  out = put_pairs<1, 2>(local, out);
  out = put_pairs<2, 12>(local, out);
  out = put_pairs<3, 26>(local, out);
  out = put_pairs<4, 26>(local, out);
  out = put_pairs<5, 21>(local, out);
  out = put_pairs<6, 13>(local, out);
  *out++ = '\n';
  random = local;
  return out;
}

/// All records have this length.
constexpr std::size_t libsvm_bytes = 2 + 100 * 10 + (1 * 2 + 2 * 12 + 3 * 26 + 4 * 26 + 5 * 21 + 6 * 13);

}  // namespace

/// Rows a block: about 0.7 MiB, so that a block is still in the second-level cache when it is written.
SynthKind libsvm_kind() {
  return {"libsvm",     "libsvm: label 0 or 1 and 100 pairs, indices from 1 to 999,999, values such as 0.123456",
          "",           512,
          libsvm_bytes, libsvm_record};
}

}  // namespace penstock::app::synth
