/// Dense records that differ in nothing but their values: a comparison of constant bytes and a copy.
///
///     frame     header | prefix | features | prefix | label | padding      frame_bytes in every one
///     items     constant words, then words of features, then words of the label
///
/// A constant word is one that holds a byte of the header, or of the payload outside of the two runs of values.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/kernels/recordio_bytes.cuh"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"

namespace penstock::cuda::recordio {

inline constexpr unsigned dense_threads = 256;
inline constexpr unsigned dense_items_per_thread = 8;

/// A word of a frame, and which of its bits are the same in all frames.
struct ConstantWord {
  std::uint32_t word = 0;  ///< from the frame's start
  std::uint32_t bits = 0;
  std::uint32_t mask = 0;
};

/// Words of values at any byte of a frame, and the tensor that they go to.
struct ValueRun {
  std::uint32_t begin = 0;  ///< from the frame's start
  std::uint32_t words = 0;  ///< 0: is not copied
  std::uint32_t* into = nullptr;
};

/// What is done with the frames [first, first + frames) of a chunk. Rows are written from the tensors' first on.
struct DenseWork {
  FrameText text;
  std::uint32_t frame_bytes = 0;
  std::uint32_t first = 0;
  std::uint32_t frames = 0;
  ConstantWord const* constants = nullptr;
  std::uint32_t constant_count = 0;  ///< 0: nothing is compared
  ValueRun features;
  ValueRun label;
  std::uint32_t* begins = nullptr;   ///< where each frame begins, may be null
  std::uint32_t* differs = nullptr;  ///< in mapped memory: becomes 1 if a constant does

  [[nodiscard]] PENSTOCK_HD std::uint32_t items() const { return constant_count + features.words + label.words; }
};

namespace detail {

/// An item: constant number `k`, or word `k` of a run.
struct DenseItem {
  std::uint32_t frame = 0;  ///< of the window
  std::uint32_t k = 0;
  bool is_constant = false;
  bool is_feature = false;
};

__device__ inline DenseItem item_at(DenseWork const& work, Divisor const& items, std::uint32_t number) {
  DenseItem item;
  item.frame = items.quotient(number);
  item.k = number - item.frame * items.number();
  item.is_constant = item.k < work.constant_count;
  item.is_feature = !item.is_constant && item.k - work.constant_count < work.features.words;
  if (!item.is_constant) item.k -= work.constant_count + (item.is_feature ? 0 : work.features.words);
  return item;
}

__device__ inline std::uint32_t frame_begin(DenseWork const& work, DenseItem const& item) {
  return (work.first + item.frame) * work.frame_bytes;
}

/// What stands in the text there.
__device__ inline std::uint32_t load_item(DenseWork const& work, DenseItem const& item) {
  std::uint32_t at = (item.is_feature ? work.features.begin : work.label.begin) + 4 * item.k;
  if (item.is_constant) at = 4 * load_cached(&work.constants[item.k].word);
  return word_at(work.text.words, frame_begin(work, item) + at);
}

/// Compares a constant, or stores a value. Returns whether the constant is as it should be.
__device__ inline bool finish_item(DenseWork const& work, DenseItem const& item, std::uint32_t word) {
  if (item.is_constant) {
    ConstantWord const* const constant = work.constants + item.k;
    return ((word ^ load_cached(&constant->bits)) & load_cached(&constant->mask)) == 0;
  }
  ValueRun const& run = item.is_feature ? work.features : work.label;
  run.into[std::size_t{item.frame} * run.words + item.k] = word;
  return true;
}

}  // namespace detail

/// A thread does every 256th of its block's 2,048 items, four at a time: compares a word, or copies one.
/// features and label: `frames` rows, as the runs say. Launch: a block for 2,048 items. Shared: none.
/// Work: about 35 operations for 4 bytes.
static __global__ void PENSTOCK_BOUNDS(dense_threads, 6) dense_kernel(DenseWork work, Divisor items) {
  constexpr unsigned at_a_time = 4;
  std::uint32_t const total = work.frames * items.number();
  std::uint32_t const begin = blockIdx.x * dense_threads * dense_items_per_thread + threadIdx.x;
  bool is_good = true;
  for (unsigned step = 0; step < dense_items_per_thread; step += at_a_time) {
    std::uint32_t words[at_a_time];
    std::uint32_t const first = begin + step * dense_threads;
    for (unsigned i = 0; i < at_a_time; ++i) {
      std::uint32_t const number = first + i * dense_threads;
      words[i] = detail::load_item(work, detail::item_at(work, items, number < total ? number : 0));
    }
    for (unsigned i = 0; i < at_a_time; ++i) {
      std::uint32_t const number = first + i * dense_threads;
      if (number >= total) break;
      detail::DenseItem const item = detail::item_at(work, items, number);
      is_good &= detail::finish_item(work, item, words[i]);
      bool const is_first = number == item.frame * items.number();
      if (is_first && work.begins != nullptr) work.begins[item.frame] = detail::frame_begin(work, item);
    }
  }
  if (!is_good) store_relaxed(work.differs, 1u);
}

/// `work` has items. There are fewer than 2^32 of them: a word of text is at most two.
inline void decode_dense(Stream& stream, DenseWork const& work) {
  std::size_t const items = std::size_t{work.frames} * work.items();
  launch("recordio_dense", stream, {blocks_for(items, dense_threads * dense_items_per_thread), dense_threads},
         dense_kernel, work, Divisor(work.items()));
}

}  // namespace penstock::cuda::recordio
