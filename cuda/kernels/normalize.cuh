/// A normaliser's program over dense rows: formats/normalize/program.hpp, in device memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/launch.cuh"
#include "formats/normalize/program.hpp"

namespace penstock::cuda {

inline constexpr unsigned normalize_threads = 256;
inline constexpr unsigned normalize_rows_per_thread = 8;

/// A program whose arrays lie in device memory, and what a thread asks it first.
struct DeviceProgram {
  normalize::Program program;
  std::uint32_t const* run_of = nullptr;  ///< by column that comes out: the number of its run
  bool is_affine = false;                 ///< nothing but Kind::affine of features
};

/// Rows in device memory, and where those that come out go. T and U: as of normalize::apply().
template <class U, class T>
struct NormalizeJob {
  DeviceProgram program;
  T const* features;
  double const* categories;  ///< null where there are none
  U* out;
  std::uint32_t rows;
  std::uint32_t feature_columns;
  std::uint32_t category_columns;
  std::uint32_t stride;  ///< of the rows that a thread takes
};

/// A thread makes a column of up to eight rows, `stride` rows one from the next, so that it looks at the column's run
/// and parameters once. Neighbours in a warp write neighbouring elements, whatever the number of columns; the first
/// `stride` rows have a thread for each of their elements. is_affine: programs that do nothing else, without the code
/// of the others. Launch: a thread for an element of `stride` rows. Shared: none. Work: of an affine column 2
/// operations in float64 and two conversions an element, of a power some 200; a warp whose columns are of several kinds
/// does one kind after the other.
template <class U, class T, bool is_affine>
__global__ void PENSTOCK_BOUNDS(normalize_threads, is_affine ? 6 : 3) normalize_kernel(NormalizeJob<U, T> job) {
  normalize::Program const& program = job.program.program;
  std::uint32_t const i = blockIdx.x * normalize_threads + threadIdx.x;
  std::uint32_t row = i / program.columns;
  std::uint32_t const column = i - row * program.columns;
  if (row >= job.stride) return;
  normalize::Run const run = program.runs[load_cached(job.program.run_of + column)];
  normalize::Parameters const parameters = program.parameters[column];
  std::uint32_t const number = column - run.to;
  std::uint32_t const from = run.takes_one ? run.from : run.from + number;
  for (unsigned k = 0; k < normalize_rows_per_thread && row < job.rows; ++k, row += job.stride) {
    std::size_t const place = std::size_t{row} * program.columns + column;
    double x;
    if (!is_affine && run.takes_category)
      x = load_cached(job.categories + std::size_t{row} * job.category_columns + from);
    else
      x = static_cast<double>(load_cached(job.features + std::size_t{row} * job.feature_columns + from));
    normalize::Kind const kind = is_affine ? normalize::Kind::affine : run.kind;
    job.out[place] = normalize::rounded<U>(normalize::value_of(kind, number, parameters, program.edges, x));
  }
}

/// Enqueues. The rows' elements are fewer than 2^32 - 256.
template <class U, class T>
void normalize_rows(Stream& stream, NormalizeJob<U, T> job) {
  constexpr std::uint32_t aligned_rows = 32;  // elements of a warp then begin at a multiple of 32 in all its rows
  std::uint32_t const each = (job.rows + normalize_rows_per_thread - 1) / normalize_rows_per_thread;
  std::uint32_t const aligned = (each + aligned_rows - 1) / aligned_rows * aligned_rows;
  job.stride = aligned < job.rows ? aligned : job.rows;
  std::size_t const threads = std::size_t{job.stride} * job.program.program.columns;
  Grid const grid{blocks_for(threads, normalize_threads), normalize_threads};
  if (job.program.is_affine)
    launch("normalize_affine", stream, grid, normalize_kernel<U, T, true>, job);
  else
    launch("normalize", stream, grid, normalize_kernel<U, T, false>, job);
}

}  // namespace penstock::cuda
