/// Which elements of a list are plain numbers, told from where the bytes of each kind stand in 64 bytes of text.
#pragma once

#include <cstdint>

namespace penstock::json {

/// Where bytes of each kind stand in a block, a bit a byte; zeros are digits too.
struct NumberBytes {
  std::uint64_t digits;
  std::uint64_t zeros;
  std::uint64_t points;
  std::uint64_t minuses;
  std::uint64_t blanks;
};

/// Of the separators, those that end what is no plain number: at most one blank, and then a number as JSON has them,
/// without an exponent. An element begins with the block.
///
///     text            1 . 5 0 ,   - 0 7 , 2
///     first digits    x             x     x        where a digit has to be
///     wrong                           x            here a zero in front
///     odd                               x          the separator that ends what is wrong
[[gnu::always_inline]] inline std::uint64_t odd_numbers(NumberBytes const& bytes, std::uint64_t separators) {
  std::uint64_t const firsts = separators << 1 | 1;
  std::uint64_t const blanks = bytes.blanks & firsts;
  std::uint64_t const begins = (firsts ^ blanks) | blanks << 1;
  std::uint64_t const minuses = bytes.minuses & begins;
  std::uint64_t const first_digits = (begins ^ minuses) | minuses << 1;
  std::uint64_t const zeros = bytes.zeros & first_digits;
  std::uint64_t const others = ~(bytes.digits | bytes.points | minuses | blanks | separators);
  // From behind a point a sum carries to the first byte that is no digit: that may be no other point.
  std::uint64_t const ends_of_fractions = bytes.digits + (bytes.points << 1);
  std::uint64_t const wrong = others | (bytes.digits & zeros << 1) |
                              (~bytes.digits & (first_digits | bytes.points << 1)) |
                              (bytes.points & (ends_of_fractions | ~(bytes.digits << 1)));
  // From what is wrong, to the next separator.
  return ((~separators + (wrong & ~separators)) | wrong) & separators;
}

}  // namespace penstock::json
