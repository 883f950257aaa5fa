/// JSON lines: time series for DeepAR, and flat objects.
#include "host/app/synth_kinds.hpp"
#include "host/app/synth_text.hpp"

namespace penstock::app::synth {
namespace {

// --- deepar ----------------------------------------------------------------------------------------------------------

constexpr std::uint32_t values_min = 400;
constexpr std::uint32_t values_max = 600;

/// `0.00` to `9999.99`, or null for one in sixty-four.
char* put_target(std::uint64_t random, char* out) {
  if ((random & 63) == 0) return put_text("null", out);
  out = put_digits(below(random >> 6, 10'000), out);
  *out++ = '.';
  std::memcpy(out, digits3[below(random >> 32, 1'000)].data(), 4);
  return out + 2;
}

char* put_feature(std::uint64_t random, char* out) {
  if ((random & 1) != 0) *out++ = '-';
  return put_fraction(random >> 1, out);
}

template <class Put>
char* put_list(SynthRandom& random, std::uint32_t count, Put put, char* out) {
  *out++ = '[';
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i != 0) out = put_text(", ", out);
    out = put(random.next(), out);
  }
  *out++ = ']';
  return out;
}

/// As json.dumps writes it. Every category of both places comes soon.
char* deepar_record(SynthRandom& random, char* out) {
  std::uint64_t const head = random.next();
  std::uint32_t const count = values_min + below(head, values_max - values_min + 1);
  out = put_text(R"({"start": "20)", out);
  std::memcpy(out, digits3[110 + below(head >> 8, 10)].data() + 1, 2);
  out = put_text("-01-01 00:00:00\", \"target\": ", out + 2);
  out = put_list(random, count, put_target, out);
  out = put_text(", \"cat\": [", out);
  *out++ = static_cast<char>('0' + (head >> 40) % 8);
  out = put_text(", ", out);
  *out++ = static_cast<char>('0' + (head >> 44) % 4);
  out = put_text("], \"dynamic_feat\": [", out);
  out = put_list(random, count, put_feature, out);
  return put_text("]}\n", out);
}

constexpr std::size_t deepar_bytes_max = 128 + values_max * (9 + 11);

// --- objects ---------------------------------------------------------------------------------------------------------

constexpr std::string_view words[] = {
    "\"alpha\"",         "\"beta\"", "\"gamma ray\"", "\"delta \\\"quoted\\\"\"", "\"epsilon, the fifth\"",
    "\"z\xc3\xa4hler\"", "\"\"",     "null"};

/// Twenty keys: of every four two numbers, a word and a truth value.
char* objects_record(SynthRandom& random, char* out) {
  static constexpr std::string_view keys[] = {
      "{\"id\": ",           ", \"price\": ",  ", \"name\": ",     ", \"is_new\": ",   ", \"count\": ",
      ", \"weight_kg\": ",   ", \"color\": ",  ", \"in_stock\": ", ", \"visits\": ",   ", \"rating\": ",
      ", \"city\": ",        ", \"member\": ", ", \"quantity\": ", ", \"latitude\": ", ", \"brand\": ",
      ", \"is_returned\": ", ", \"clicks\": ", ", \"discount\": ", ", \"campaign\": ", ", \"is_gift\": "};
  for (std::size_t i = 0; i < std::size(keys); ++i) {
    std::uint64_t const bits = random.next();
    out = put_text(keys[i], out);
    switch (i % 4) {
      case 0: out = put_digits(below(bits, 10'000), out); break;
      case 1: out = put_feature(bits, out); break;
      case 2: out = put_text(words[bits >> 61], out); break;
      default: out = put_text((bits >> 63) != 0 ? "true" : "false", out); break;
    }
  }
  return put_text("}\n", out);
}

}  // namespace

SynthKind deepar_kind() {
  return {"deepar",
          "JSON lines for DeepAR: 400 to 600 values, two categories, one dynamic feature",
          "",
          64,
          deepar_bytes_max,
          deepar_record};
}

SynthKind objects_kind() {
  return {"objects", "JSON lines of 20 keys: numbers, words, truth values", "", 1024, 1024, objects_record};
}

}  // namespace penstock::app::synth
