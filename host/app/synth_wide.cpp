/// wide: like MNIST as CSV. A digit and the 28 x 28 pixels of an image, of which about 81 % are 0.
#include <array>
#include <cstring>
#include <string>

#include "host/app/synth_kinds.hpp"
#include "host/app/synth_text.hpp"

namespace penstock::app::synth {
namespace {

constexpr unsigned image_side = 28;
/// Rows above and below, and columns left and right, that are always 0.
constexpr unsigned margin = 4;
constexpr unsigned stroke_max = 14;  ///< pixels: 7.5 of 28 on average, in 20 of 28 rows, are 19.1 % of all

/// A pixel and the comma before it, and how long they are.
struct Pixel {
  char text[4] = {};
};
struct Pixels {
  std::array<Pixel, 256> texts;
  std::array<std::uint8_t, 256> sizes;
};

/// What random bytes stand for: ink is mostly black (253 to 255), and grey (1 to 252) at the edges.
constexpr Pixels pixels = [] {
  Pixels table{};
  for (unsigned i = 0; i < 256; ++i) {
    unsigned const value = i < 144 ? 1 + i * 7 / 4 : 253 + i % 3;
    unsigned size = 0;
    auto const put = [&](unsigned byte) { table.texts[i].text[size++] = static_cast<char>(byte); };
    put(',');
    if (value >= 100) put('0' + value / 100);
    if (value >= 10) put('0' + value / 10 % 10);
    put('0' + value % 10);
    table.sizes[i] = static_cast<std::uint8_t>(size);
  }
  return table;
}();

constexpr std::array<char, 2 * image_side> zeros = [] {
  std::array<char, 2 * image_side> text{};
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = i % 2 == 0 ? ',' : '0';
  return text;
}();

/// At most a row of zeros. All of `zeros` is stored: what is too much is written over.
inline char* put_zeros(unsigned count, char* out) {
  std::memcpy(out, zeros.data(), zeros.size());
  return out + 2 * std::size_t{count};
}

inline char* put_ink(std::uint64_t random, unsigned count, char* out) {
  for (unsigned i = 0; i < count; ++i, random >>= 8) {
    std::memcpy(out, &pixels.texts[random & 255], sizeof(Pixel));
    out += pixels.sizes[random & 255];
  }
  return out;
}

/// A row with one stroke.
inline char* put_image_row(SynthRandom& random, char* out) {
  std::uint64_t const place = random.next();
  std::uint64_t const first = random.next(), second = SynthRandom::mix(first);
  unsigned const length = 1 + below(place, stroke_max);
  unsigned const begin = margin + below(place >> 32, image_side - 2 * margin - length + 1);
  out = put_zeros(begin, out);
  out = put_ink(first, length < 8 ? length : 8, out);
  if (length > 8) out = put_ink(second, length - 8, out);
  return put_zeros(image_side - begin - length, out);
}

inline char* put_empty_rows(char* out) {
  for (unsigned row = 0; row < margin; ++row) out = put_zeros(image_side, out);
  return out;
}

char* wide_record(SynthRandom& random, char* out) {
  SynthRandom local = random;  // a copy that no store through `out` can alias: it stays in a register
  *out++ = static_cast<char>('0' + below(local.next(), 10));
  out = put_empty_rows(out);
  for (unsigned row = margin; row < image_side - margin; ++row) out = put_image_row(local, out);
  out = put_empty_rows(out);
  *out++ = '\n';
  random = local;
  return out;
}

std::string_view wide_header() {
  static std::string const header = [] {
    std::string names = "label";
    for (unsigned i = 0; i < image_side * image_side; ++i) names += ",p" + std::to_string(i);
    return names + '\n';
  }();
  return header;
}

/// The longest record has the longest stroke of the longest numbers in every row.
constexpr std::size_t wide_bytes_max =
    2 + 2 * image_side * image_side + (image_side - 2 * margin) * 2 * std::size_t{stroke_max};

}  // namespace

/// Rows a block: about 0.9 MiB, so that a block is still in the second-level cache when it is written.
SynthKind wide_kind() {
  return {"wide",         "CSV like MNIST: label and 784 integers from 0 to 255, 81 % of them 0",
          wide_header(),  512,
          wide_bytes_max, wide_record};
}

}  // namespace penstock::app::synth
