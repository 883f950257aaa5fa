/// Texts to numbers: formats/normalize/text_rule.hpp, in device memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/launch.cuh"
#include "formats/normalize/program.hpp"
#include "formats/normalize/text_rule.hpp"
#include "penstock/tensor.hpp"

namespace penstock::cuda {

inline constexpr unsigned read_texts_threads = 256;

/// A column of texts, and where their numbers go. Everything lies in device memory, the rule's vocabulary too.
struct TextsJob {
  TextCell const* cells;  ///< of the column's first text
  char const* bytes;
  std::uint32_t rows;
  std::uint32_t stride;  ///< cells, numbers and faults of a row
  normalize::TextRule rule;
  double* numbers;
  std::uint8_t* faults;
};

/// A thread reads a text: a missing one and one that is to be ignored are the missing value; what the rule refuses is
/// that too, and has 1 as its fault. Texts are short, and those of neighbours lie close together, so that their bytes
/// are in the cache; a slot of the vocabulary is at a place that nobody knows before, and more threads, not more lanes
/// for a text, have more of those on their way. Launch: a thread for a text. Shared: none. Work: two products of 64
/// bits for eight bytes, a load for each slot that is looked at, and a second walk over the bytes where the tag is
/// right.
__global__ void PENSTOCK_BOUNDS(read_texts_threads, 4) read_texts_kernel(TextsJob job) {
  std::uint32_t const row = blockIdx.x * read_texts_threads + threadIdx.x;
  if (row >= job.rows) return;
  std::size_t const place = std::size_t{row} * job.stride;
  TextCell const cell = job.cells[place];
  normalize::TextValue read{normalize::TextValue::missing, 0};
  if (cell.begin != missing_text) read = normalize::read_text(job.rule, job.bytes + cell.begin, cell.size);
  job.numbers[place] = read.kind == normalize::TextValue::value ? read.number : normalize::detail::missing();
  job.faults[place] = read.kind == normalize::TextValue::fault ? 1 : 0;
}

/// Enqueues.
inline void read_texts(Stream& stream, TextsJob const& job) {
  Grid const grid{blocks_for(job.rows, read_texts_threads), read_texts_threads};
  launch("read_texts", stream, grid, read_texts_kernel, job);
}

}  // namespace penstock::cuda
