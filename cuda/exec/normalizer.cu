// A normaliser's program over rows in device memory.
#include "cuda/exec/normalizer.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "cuda/exec/upload.hpp"
#include "cuda/kernels/normalize.cuh"
#include "formats/normalize/rows.hpp"
#include "penstock/error.hpp"

namespace penstock::cuda {
namespace {

using normalize::Kind;
using normalize::Parameters;
using normalize::Program;
using normalize::Run;

std::span<Run const> runs_of(Program const& program) { return {program.runs, program.run_count}; }

bool is_affine(Program const& program) {
  auto const runs = runs_of(program);
  return std::all_of(runs.begin(), runs.end(),
                     [](Run const& run) { return run.kind == Kind::affine && !run.takes_category; });
}

std::vector<std::uint32_t> run_numbers(Program const& program) {
  std::vector<std::uint32_t> numbers(program.columns);
  for (std::uint32_t r = 0; r < program.run_count; ++r)
    for (std::uint32_t c = 0; c < program.runs[r].count; ++c) numbers[program.runs[r].to + c] = r;
  return numbers;
}

/// The program says where a column's edges end, and not how many there are.
std::size_t edge_count(Program const& program) {
  std::size_t count = 0;
  for (std::uint32_t c = 0; c < program.columns; ++c)
    count = std::max<std::size_t>(count, program.parameters[c].edges_end);
  return count;
}

/// Threads are counted in 32 bits, and no more of them are launched than there are elements.
constexpr std::size_t elements_max = (std::size_t{1} << 32) - normalize_threads;

}  // namespace

DeviceNormalizer::DeviceNormalizer(Stream& stream, Program const& program, DType features, std::size_t rows_max)
    : stream_(stream),
      is_affine_(is_affine(program)),
      dtype_(normalize::normalized_dtype(features)),
      columns_(program.columns),
      runs_(uploaded<Run>(stream, runs_of(program), "the normaliser's runs")),
      run_of_(uploaded<std::uint32_t>(stream, run_numbers(program), "numbers of the normaliser's runs")),
      parameters_(uploaded<Parameters>(stream, {program.parameters, program.columns}, "the normaliser's parameters")),
      edges_(uploaded<double>(stream, {program.edges, edge_count(program)}, "the normaliser's edges")),
      rows_(rows_max * program.columns * size_bytes(dtype_), "normalised rows") {
  if (rows_max * program.columns > elements_max)
    throw DeviceError("a round of normalised rows has more than 2^32 elements", "a smaller --slot-size");
}

template <class U, class T>
void DeviceNormalizer::launch(Batch const& decoded) {
  NormalizeJob<U, T> job;
  job.program.program = {runs_.get(), static_cast<std::uint32_t>(runs_.size()), columns_, parameters_.get(),
                         edges_.get()};
  job.program.run_of = run_of_.get();
  job.program.is_affine = is_affine_;
  job.features = decoded.features.as<T>();
  job.categories = decoded.categories.as<double>();
  job.out = reinterpret_cast<U*>(rows_.get());
  job.rows = static_cast<std::uint32_t>(decoded.rows);
  job.feature_columns = static_cast<std::uint32_t>(decoded.features.columns);
  job.category_columns = static_cast<std::uint32_t>(decoded.categories.columns);
  job.stride = 0;
  normalize_rows(stream_, job);
}

Batch DeviceNormalizer::apply(Batch const& decoded) {
  switch (decoded.features.dtype) {
    case DType::float32: launch<float, float>(decoded); break;
    case DType::float64: launch<double, double>(decoded); break;
    case DType::int32: launch<float, std::int32_t>(decoded); break;
    case DType::int64: launch<float, std::int64_t>(decoded); break;
  }
  Batch batch = decoded;
  batch.features = {rows_.get(), dtype_, decoded.rows, columns_};
  batch.categories = {};
  return batch;
}

std::size_t DeviceNormalizer::device_bytes() const {
  return runs_.size_bytes() + run_of_.size_bytes() + parameters_.size_bytes() + edges_.size_bytes() +
         rows_.size_bytes();
}

}  // namespace penstock::cuda
