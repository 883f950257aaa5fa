/// What a normaliser does to a row: columns that come out, each a function of one value that goes in.
///
/// Arithmetic is in float64, whatever the tensors hold, and rounded once at the end, in one text for all engines: the
/// same value and parameters give the same bits everywhere. A missing value (NaN) is replaced by the column's `fill`
/// or, where there is none, comes out as the missing value; nothing else makes one, but what a kind below says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "formats/core/platform.hpp"
#include "formats/normalize/calendar.hpp"
#include "formats/normalize/elementary.hpp"
#include "penstock/dtype.hpp"

namespace penstock::normalize {

/// What happens to a value x; a and b are the column's parameters.
enum class Kind : std::uint8_t {
  affine,     ///< (x - a) * b
  log1p,      ///< log(1 + x); missing where x <= -1
  expm1,      ///< exp(x) - 1
  power,      ///< |x|^a with the sign of x
  clip,       ///< a where x is below, b where x is above
  bucket,     ///< how many of the column's edges are not above x; they ascend
  indicator,  ///< 1 if x is missing, else 0; a `fill` has no say
  one_hot,    ///< 1 in the run's column x, counted from 0, else 0, also where x is missing
  part,       ///< the CalendarPart of number a of the time x, in seconds since 1970; missing but in years 1 to 9999
};

/// Consecutive columns to which the same happens. Column to + i takes column from + i, or all take column `from`.
struct Run {
  Kind kind = Kind::affine;
  bool takes_category = false;  ///< from the categories (Role::category), else from the features
  bool takes_one = false;       ///< all columns take the same one
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint32_t count = 0;
};

/// Parameters of a column that comes out.
struct Parameters {
  double a = 0;
  double b = 1;
  double fill = 0;  ///< instead of a missing value; NaN: none
  std::uint32_t edges_begin = 0, edges_end = 0;
};

/// Views; somebody else owns the memory. Every column that comes out is in one run.
struct Program {
  Run const* runs = nullptr;
  std::uint32_t run_count = 0;
  std::uint32_t columns = 0;  ///< that come out
  Parameters const* parameters = nullptr;
  double const* edges = nullptr;
};

namespace detail {

PENSTOCK_HD inline bool is_missing(double x) { return x != x; }

PENSTOCK_HD inline double missing() {
  std::uint64_t const bits = missing_float64_bits;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

PENSTOCK_HD inline double signed_power(double x, double exponent) {
  return x < 0 ? -pow_of(-x, exponent) : pow_of(x, exponent);
}

PENSTOCK_HD inline double bucket_of(double x, double const* begin, double const* end) {
  double const* const first = begin;
  while (begin < end) {
    double const* const middle = begin + (end - begin) / 2;
    if (*middle <= x)
      begin = middle + 1;
    else
      end = middle;
  }
  return static_cast<double>(begin - first);
}

/// Of a time in seconds, the fraction of which does not matter.
PENSTOCK_HD inline double part_at(double seconds, double part) {
  bool const has_date = seconds >= static_cast<double>(first_second) && seconds < static_cast<double>(end_second);
  if (!has_date) return missing();
  auto whole = static_cast<std::int64_t>(seconds);
  if (static_cast<double>(whole) > seconds) --whole;
  return part_of(Instant{whole, 0}, static_cast<CalendarPart>(static_cast<int>(part)));
}

}  // namespace detail

/// What x becomes in the run's column `number`, in float64; a NaN stands for a missing value whatever its bits.
PENSTOCK_HD inline double value_of(Kind kind, std::uint32_t number, Parameters const& column, double const* edges,
                                   double x) {
  if (kind == Kind::indicator) return detail::is_missing(x) ? 1.0 : 0.0;
  if (kind == Kind::one_hot) return x == static_cast<double>(number) ? 1.0 : 0.0;
  if (detail::is_missing(x)) x = column.fill;
  if (detail::is_missing(x)) return detail::missing();
  switch (kind) {
    case Kind::affine: return (x - column.a) * column.b;
    case Kind::log1p: return x > -1.0 ? log1p_of(x) : detail::missing();
    case Kind::expm1: return exp_of(x) - 1.0;
    case Kind::power: return detail::signed_power(x, column.a);
    case Kind::clip: return x < column.a ? column.a : x > column.b ? column.b : x;
    case Kind::bucket: return detail::bucket_of(x, edges + column.edges_begin, edges + column.edges_end);
    case Kind::part: return detail::part_at(x, column.a);
    default: return x;
  }
}

/// Rounds to the element type of what comes out: float or double.
template <class T>
PENSTOCK_HD T rounded(double y) {
  if constexpr (sizeof(T) == 4) {
    std::uint32_t const missing = missing_float32_bits;
    float value;
    memcpy(&value, &missing, sizeof value);
    return detail::is_missing(y) ? value : static_cast<float>(y);
  } else {
    return detail::is_missing(y) ? detail::missing() : y;
  }
}

/// What the run's column `number` makes of a row. T: float, double or an integer.
template <class U, class T>
PENSTOCK_HD U apply(Program const& program, Run const& run, std::uint32_t number, T const* features,
                    double const* categories) {
  std::uint32_t const from = run.takes_one ? run.from : run.from + number;
  double const x = run.takes_category ? categories[from] : static_cast<double>(features[from]);
  return rounded<U>(value_of(run.kind, number, program.parameters[run.to + number], program.edges, x));
}

}  // namespace penstock::normalize
