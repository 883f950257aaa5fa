/// Sums over a column in one association, so that every engine, schedule and size of batch gives the same bits.
///
/// A column's values lie in tiles of 1,024 consecutive rows of the whole input. Value i of a tile goes to sum i mod 32,
/// in order of i / 32; then halves are added: 16, 8, 4, 2, 1. Tiles are merged one at a time, in order (Chan, Golub and
/// LeVeque 1979; the third moment: Pebay 2008).
///
///     rows      0    1   ...  31 | 32   33  ...  63 | ...        sums   s[0] = x[0] + x[32] + ...
///     sums      s[0] s[1]    s[31] s[0] s[1]    s[31]            then   s[i] += s[i + 16], s[i] += s[i + 8], ...
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/platform.hpp"

namespace penstock::statistics {

inline constexpr std::size_t tile_rows = 1024;
inline constexpr std::size_t tile_sums = 32;

/// Of `count` finite values: their mean, and the sums of the second and third powers of what they differ from it by.
struct Moments {
  std::uint64_t count = 0;
  double mean = 0;
  double m2 = 0;
  double m3 = 0;

  bool operator==(Moments const&) const = default;
};

/// Those of the values of `a` followed by those of `b`.
PENSTOCK_HD inline Moments merged(Moments const& a, Moments const& b) {
  if (b.count == 0) return a;
  if (a.count == 0) return b;
  auto const na = static_cast<double>(a.count), nb = static_cast<double>(b.count);
  double const n = na + nb, difference = b.mean - a.mean, share = nb / n;
  double const spread = difference * difference * na * share;
  Moments all;
  all.count = a.count + b.count;
  all.mean = a.mean + difference * share;
  all.m2 = a.m2 + b.m2 + spread;
  all.m3 = a.m3 + b.m3 + spread * difference * ((na - nb) / n) + 3.0 * difference * (na * b.m2 - nb * a.m2) / n;
  return all;
}

/// What a column holds. Missing values are NaN; infinite ones are counted and in no sum, and neither least nor
/// greatest. -0 counts as 0.
struct Summary {
  std::uint64_t missing = 0;
  std::uint64_t infinite = 0;
  std::uint64_t zeros = 0;
  double least = 0;     ///< of finite values, if there are any
  double greatest = 0;  ///< the same
  Moments moments;

  bool operator==(Summary const&) const = default;
};

/// Of the rows of `a` followed by those of `b`.
PENSTOCK_HD inline Summary merged(Summary const& a, Summary const& b) {
  Summary all = a;
  all.missing += b.missing;
  all.infinite += b.infinite;
  all.zeros += b.zeros;
  bool const is_first = a.moments.count == 0, is_any = b.moments.count != 0;
  if (is_any && (is_first || b.least < a.least)) all.least = b.least;
  if (is_any && (is_first || b.greatest > a.greatest)) all.greatest = b.greatest;
  all.moments = merged(a.moments, b.moments);
  return all;
}

}  // namespace penstock::statistics
