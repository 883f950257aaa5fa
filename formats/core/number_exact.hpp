/// Decimal text of any length against a binary floating-point number, exactly: the last resort of number.hpp.
#pragma once

#include <cstdint>

#include "formats/core/platform.hpp"

namespace penstock::number {

/// Walks the decimal digits of a mantissa ("12.34"), passing over the point; zeros without end behind it.
struct Digits {
  char const* at;
  char const* end;

  PENSTOCK_HD bool is_at_end() const { return at == end || (*at == '.' && at + 1 == end); }
  PENSTOCK_HD int next() {
    if (at != end && *at == '.') ++at;
    return at == end ? 0 : *at++ - '0';
  }
  /// Whether a digit other than 0 is still to come.
  PENSTOCK_HD bool has_nonzero() const {
    for (char const* p = at; p != end; ++p)
      if (*p != '0' && *p != '.') return true;
    return false;
  }
};

/// `odd * 2^exponent`: a binary floating-point number, or the point halfway between two.
struct Binary {
  std::uint64_t odd;  ///< not 0; need not be odd, at most 54 bits
  int exponent;
};

/// An unsigned integer of 64 * `words` bits, least significant word first. Loops have constant bounds, so that
/// a short one lives in registers.
template <int words>
struct Wide {
  std::uint64_t word[words] = {};

  PENSTOCK_HD std::uint64_t top() const { return word[words - 1]; }

  PENSTOCK_HD void multiply(std::uint64_t factor) {
    std::uint64_t carry = 0;
    for (int i = 0; i < words; ++i) {
      std::uint64_t const low = word[i] * factor + carry;
      carry = multiply_high(word[i], factor) + (low < carry ? 1 : 0);
      word[i] = low;
    }
  }
  PENSTOCK_HD void multiply_by_power_of_five(int exponent) {
    for (; exponent >= 27; exponent -= 27) multiply(7450580596923828125u);  // 5^27, the largest in 64 bits
    for (; exponent > 0; --exponent) multiply(5);
  }
  PENSTOCK_HD void shift_left(int bits) {
    for (; bits >= 64; bits -= 64) {
      for (int i = words - 1; i > 0; --i) word[i] = word[i - 1];
      word[0] = 0;
    }
    if (bits == 0) return;
    for (int i = words - 1; i > 0; --i) word[i] = word[i] << bits | word[i - 1] >> (64 - bits);
    word[0] <<= bits;
  }
  /// Subtracts `other * factor`, which is not larger than the number.
  PENSTOCK_HD void subtract(Wide const& other, std::uint64_t factor) {
    std::uint64_t borrow = 0;
    for (int i = 0; i < words; ++i) {
      std::uint64_t const low = other.word[i] * factor + borrow;
      borrow = multiply_high(other.word[i], factor) + (low < borrow ? 1 : 0) + (word[i] < low ? 1 : 0);
      word[i] -= low;
    }
  }
  PENSTOCK_HD bool is_less_than(Wide const& other) const {
    bool less = false;
    for (int i = 0; i < words; ++i) less = word[i] < other.word[i] || (word[i] == other.word[i] && less);
    return less;
  }
  PENSTOCK_HD bool is_zero() const {
    std::uint64_t all = 0;
    for (int i = 0; i < words; ++i) all |= word[i];
    return all == 0;
  }
  PENSTOCK_HD int bit_length() const {
    int length = 0;
    for (int i = 0; i < words; ++i)
      if (word[i] != 0) length = 64 * (i + 1) - leading_zeros(word[i]);
    return length;
  }
};

/// -1, 0 or 1: how the decimal 0.d1 d2 d3 ... * 10^point compares with `binary`. `digits` stands at d1, which is
/// not 0; `binary` is a number next to the decimal, so that binary / 10^point is less than 1.5.
///
/// The quotient, with common powers of two cancelled, is a fraction of two integers; long division yields its
/// decimal digits one by one, until they differ from the text's or the remainder is 0: at most about 770 steps.
/// The denominator is widest where numbers begin to be subnormal: 2^113 for float32 (10^-37, in units of 2^-150),
/// 2^768 for double (10^-307, 2^-1075); the numerator grows to 15 times that. Two words and 13 hold it, with the
/// four bits free that the estimate of a digit wants on top. For double that is 208 bytes of stack, which only
/// texts of more than 19 significant digits within 10^-18 of a halfway point touch; float32 needs four registers.
template <int words>
PENSTOCK_HD_COLD int compare(Digits digits, int point, Binary binary) {
  Wide<words> numerator;
  Wide<words> denominator;
  numerator.word[0] = binary.odd;
  denominator.word[0] = 1;
  (point < 0 ? numerator : denominator).multiply_by_power_of_five(point < 0 ? -point : point);
  int const twos = binary.exponent - point;
  (twos > 0 ? numerator : denominator).shift_left(twos > 0 ? twos : -twos);
  int const room = 64 * words - 4 - denominator.bit_length();
  numerator.shift_left(room);
  denominator.shift_left(room);
  for (;;) {
    if (numerator.is_zero()) return digits.has_nonzero() ? 1 : 0;
    if (digits.is_at_end()) return -1;
    numerator.multiply(10);
    // The denominator's top word is at least 2^59, so this is the digit or one less.
    int digit = static_cast<int>(numerator.top() / (denominator.top() + 1));
    numerator.subtract(denominator, static_cast<std::uint64_t>(digit));
    if (!numerator.is_less_than(denominator)) {
      numerator.subtract(denominator, 1);
      ++digit;
    }
    int const next = digits.next();
    if (next != digit) return next < digit ? -1 : 1;
  }
}

}  // namespace penstock::number
