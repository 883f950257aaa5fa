/// A normaliser's program over the rows of a batch, as the CPU does it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/normalize/program.hpp"
#include "penstock/batch.hpp"
#include "penstock/dtype.hpp"
#include "penstock/tensor.hpp"

namespace penstock::normalize {

namespace detail {

/// The usual run: no branch on the data, so that compilers do several columns at once.
template <class U, class T>
void apply_affine(Parameters const* parameters, std::uint32_t count, T const* from, U* to) {
  for (std::uint32_t c = 0; c < count; ++c) {
    double const given = static_cast<double>(from[c]);
    double const x = is_missing(given) ? parameters[c].fill : given;
    to[c] = rounded<U>((x - parameters[c].a) * parameters[c].b);
  }
}

template <class U>
void apply_one_hot(std::uint32_t count, double x, U* to) {
  for (std::uint32_t c = 0; c < count; ++c) to[c] = U{0};
  if (x >= 0 && x < static_cast<double>(count)) to[static_cast<std::uint32_t>(x)] = U{1};
}

}  // namespace detail

/// Whether a run is of the usual kind: columns of numbers, each moved and scaled.
constexpr bool is_affine_of_numbers(Run const& run) {
  return run.kind == Kind::affine && !run.takes_category && !run.takes_one;
}

/// The columns of a run in one row. U: the element type of what comes out.
template <class U, class T>
void apply_run(Program const& program, Run const& run, T const* features, double const* categories, U* to) {
  if (is_affine_of_numbers(run)) {
    detail::apply_affine(program.parameters + run.to, run.count, features + run.from, to + run.to);
  } else if (run.kind == Kind::one_hot && run.takes_category) {
    detail::apply_one_hot(run.count, categories[run.from], to + run.to);
  } else {
    for (std::uint32_t c = 0; c < run.count; ++c) to[run.to + c] = apply<U>(program, run, c, features, categories);
  }
}

/// One row.
template <class U, class T>
void apply_row(Program const& program, T const* features, double const* categories, U* to) {
  for (std::uint32_t r = 0; r < program.run_count; ++r) apply_run(program, program.runs[r], features, categories, to);
}

namespace detail {

template <class U, class T>
void apply_rows(Program const& program, Batch const& batch, Dense const& out) {
  T const* features = batch.features.as<T>();
  double const* categories = batch.categories.as<double>();
  U* to = out.as<U>();
  for (std::size_t row = 0; row < batch.rows; ++row) {
    apply_row<U>(program, features, categories, to);
    features += batch.features.columns;
    categories += batch.categories.columns;
    to += out.columns;
  }
}

}  // namespace detail

/// The element type of what comes out.
constexpr DType normalized_dtype(DType features) {
  return features == DType::float64 ? DType::float64 : DType::float32;
}

/// Features and categories of `batch` to rows of `out`, which has program.columns columns of normalized_dtype().
inline void apply_rows(Program const& program, Batch const& batch, Dense const& out) {
  switch (batch.features.dtype) {
    case DType::float32: return detail::apply_rows<float, float>(program, batch, out);
    case DType::float64: return detail::apply_rows<double, double>(program, batch, out);
    case DType::int32: return detail::apply_rows<float, std::int32_t>(program, batch, out);
    case DType::int64: return detail::apply_rows<float, std::int64_t>(program, batch, out);
  }
}

}  // namespace penstock::normalize
