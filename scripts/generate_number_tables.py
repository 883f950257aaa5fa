#!/usr/bin/env python3
"""Writes formats/core/number_tables.hpp: powers of ten for turning decimal text into binary floating point.

Usage: python3 scripts/generate_number_tables.py > formats/core/number_tables.hpp

Everything is computed with exact integers and fractions; running it again gives the same bytes.
"""
from fractions import Fraction

# 10**-342 is the smallest power for which a 64-bit significand can still become a double above zero
# (2**64 * 10**-343 < 2**-1075), 10**308 the largest that fits.
SMALLEST_EXPONENT = -342
LARGEST_EXPONENT = 308
# The same limits for float32: 2**64 * 10**-65 < 2**-150, and 10**38.
SMALLEST_EXPONENT_FLOAT32 = -64
LARGEST_EXPONENT_FLOAT32 = 38


def significand128(exponent):
    """The top 128 bits of 5**exponent, leading bit set: cut off for positive exponents, and one above the
    cut-off quotient for negative ones, so that the product with a significand errs to one known side."""
    if exponent >= 0:
        power = 5**exponent
        bits = power.bit_length()
        return power << (128 - bits) if bits <= 128 else power >> (bits - 128)
    power = 5**-exponent
    shift = (power - 1).bit_length() + 127
    quotient = 2**shift // power + 1
    return quotient >> 1 if quotient >= 2**128 else quotient


def nearest_double(value):
    """Python's division of integers is correctly rounded."""
    return value.numerator / value.denominator


def rows(cells, per_line):
    for start in range(0, len(cells), per_line):
        yield "    " + " ".join(cell + "," for cell in cells[start:start + per_line])


def main():
    powers = [significand128(q) for q in range(SMALLEST_EXPONENT, LARGEST_EXPONENT + 1)]
    assert all(power.bit_length() == 128 for power in powers)
    pairs = [f"{{0x{power >> 64:016x}u, 0x{power & (2**64 - 1):016x}u}}" for power in powers]
    doubles = [nearest_double(Fraction(10)**q).hex()
               for q in range(SMALLEST_EXPONENT_FLOAT32, LARGEST_EXPONENT_FLOAT32 + 1)]
    integers = [f"{10**i}u" for i in range(20)]
    print(f"""/// Powers of ten for number.hpp. Written by scripts/generate_number_tables.py: change that, not this file.
#pragma once

#include <cstdint>

#include "formats/core/platform.hpp"

namespace penstock::number {{

/// The top 128 bits of a power of five, leading bit set.
struct Power {{
  std::uint64_t high;
  std::uint64_t low;
}};

inline constexpr int power_exponent_min = {SMALLEST_EXPONENT};
inline constexpr int power_exponent_max = {LARGEST_EXPONENT};
inline constexpr int power_float32_exponent_min = {SMALLEST_EXPONENT_FLOAT32};
inline constexpr int power_float32_exponent_max = {LARGEST_EXPONENT_FLOAT32};

/// 5^(power_exponent_min + i), cut off (rounded up for negative exponents).
struct PowerTable {{
  Power at[{len(pairs)}];
}};
/// The double nearest to 10^(power_float32_exponent_min + i).
struct DoubleTable {{
  double at[{len(doubles)}];
}};

/// 10^i, as far as it fits.
struct IntegerTable {{
  std::uint64_t at[{len(integers)}];
}};

// clang-format off
inline constexpr IntegerTable integer_table = {{{{""")
    print("\n".join(rows(integers, 4)))
    print("""}};

inline constexpr DoubleTable double_table = {{""")
    print("\n".join(rows(doubles, 4)))
    print("""}};

inline constexpr PowerTable power_table = {{""")
    print("\n".join(rows(pairs, 2)))
    print("""}};
// clang-format on

#if defined(__CUDACC__)
// The device cannot see the host's tables: copies in its own memory, one a translation unit.
static __device__ IntegerTable const device_integer_table = integer_table;
static __device__ DoubleTable const device_double_table = double_table;
static __device__ PowerTable const device_power_table = power_table;
#endif

/// 5^exponent for power_exponent_min <= exponent <= power_exponent_max.
PENSTOCK_HD inline Power power_of_five(int exponent) {
#if defined(__CUDA_ARCH__)
  return device_power_table.at[exponent - power_exponent_min];
#else
  return power_table.at[exponent - power_exponent_min];
#endif
}

/// 10^exponent for 0 <= exponent <= 19.
PENSTOCK_HD inline std::uint64_t small_power_of_ten(int exponent) {
#if defined(__CUDA_ARCH__)
  return device_integer_table.at[exponent];
#else
  return integer_table.at[exponent];
#endif
}

/// 10^exponent for power_float32_exponent_min <= exponent <= power_float32_exponent_max.
PENSTOCK_HD inline double power_of_ten(int exponent) {
#if defined(__CUDA_ARCH__)
  return device_double_table.at[exponent - power_float32_exponent_min];
#else
  return double_table.at[exponent - power_float32_exponent_min];
#endif
}

}  // namespace penstock::number""")


if __name__ == "__main__":
    main()
