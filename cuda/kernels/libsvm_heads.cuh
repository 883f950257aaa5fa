/// What the heads of libsvm records say, label[:weight] [qid:N], and which rows a round's memory holds.
#pragma once

#include <cstdint>

#include "cuda/kernels/libsvm_words.cuh"
#include "cuda/launch.cuh"

namespace penstock::cuda::libsvm {

struct HeadRules {
  bool has_weight = false;
  bool has_qid = false;
  std::uint32_t pairs_capacity = 0;  ///< of the window
  std::uint64_t pairs_max = 0;       ///< of a record: with more words behind the first it is not plain
};

struct HeadsWork {
  WordText text;
  HeadRules rules;
  Totals const* totals = nullptr;
  RowTable rows;
  RowArrays out;
  Window* window = nullptr;        ///< empty; is written
  std::uint32_t* marks = nullptr;  ///< a bit a row: it is not plain. Written for every warp's rows
};

inline constexpr unsigned heads_threads = 256;

namespace detail {

/// Whether row i of the table belongs to the window.
__device__ inline bool is_in_window(HeadsWork const& work, std::uint32_t i) {
  if (i >= work.rows.rows_max || work.rows.first_row + i >= work.totals->rows) return false;
  return work.rows.items[i + 1] - work.rows.items[0] <= work.rules.pairs_capacity;
}

/// A label or a weight of up to 31 bytes at `at`; moves to the stop behind it.
__device__ inline bool take_float32(WordText const& text, std::uint32_t& at, float& value) {
  char const* const begin = text.data + at;
  std::uint32_t const length = text.stop_distance(at);
  at += length;
  return length < 32 && fast_float32(begin, text.data + at, value);
}

/// ` qid:N` at `at`.
__device__ inline bool take_qid(WordText const& text, std::uint32_t at, std::int64_t& qid) {
  std::uint32_t const begin = static_cast<std::uint32_t>(penstock::libsvm::skip_blanks(text.data + at) - text.data);
  if (begin == at || !penstock::libsvm::begins_with_qid(text.data + begin)) return false;
  std::uint32_t const length = text.stop_distance(begin + 4);
  std::uint64_t number = 0;
  bool const is_number = plain_digits<4>(text.data + begin + 4 + length, length, number);
  qid = static_cast<std::int64_t>(number);
  return is_number && text.at(begin + 4 + length) != ':';
}

/// Stores the head of row i. False: it is not plain.
__device__ inline bool take_head(HeadsWork const& work, std::uint32_t i) {
  WordText const& text = work.text;
  char const* const content = penstock::libsvm::skip_blanks(text.data + work.rows.begins[i]);
  auto at = static_cast<std::uint32_t>(content - text.data);
  if (!take_float32(text, at, work.out.label[i])) return false;
  if ((text.at(at) == ':') != work.rules.has_weight) return false;
  if (work.rules.has_weight) {
    ++at;
    if (!take_float32(text, at, work.out.weight[i]) || text.at(at) == ':') return false;
  }
  return !work.rules.has_qid || take_qid(text, at, work.out.qid[i]);
}

}  // namespace detail

/// A thread takes a row of the table: its head to the dense tensors, its first pair's place to indptr. The thread of
/// the window's last row writes what the window is. Launch: 256 threads for 256 rows of the table, all of rows_max or
/// as many as the chunk can have. Shared: none. Work: about 200 operations a row; 8 bytes of table and a sector or two
/// of text read.
static __global__ void PENSTOCK_BOUNDS(heads_threads, 4) heads_kernel(HeadsWork work) {
  std::uint32_t const i = blockIdx.x * heads_threads + threadIdx.x;
  bool const is_in = detail::is_in_window(work, i);
  bool is_marked = false;
  std::uint32_t length = 0;
  if (is_in) {
    length = length_of_row(work.rows, i);
    std::uint32_t const items = work.rows.items[i + 1] - work.rows.items[i];
    is_marked = items > work.rules.pairs_max || !detail::take_head(work, i);
    if (is_marked) atomic_max(work.window->longest_marked, length);
    work.out.indptr[i] = work.rows.items[i] - work.rows.items[0];
    if (!detail::is_in_window(work, i + 1)) {
      std::uint32_t const all_items = work.rows.items[i + 1] - work.rows.items[0];
      work.out.indptr[i + 1] = all_items;
      work.window->rows = i + 1;
      work.window->first_item = work.rows.items[0];
      work.window->items = all_items;
      work.window->begin = work.rows.begins[0];
      work.window->end = work.rows.begins[i + 1];
    }
  }
  std::uint32_t const marks = __ballot_sync(all_lanes, is_marked), longest = warp_max(length);
  if (lane_of_thread() != 0) return;
  if (longest != 0) atomic_max(work.window->longest, longest);
  work.marks[i / warp_lanes] = marks;
  if (marks != 0) atomic_add(work.window->marked, count_bits(marks));
}

/// `rows`: the most that the table has.
inline void take_heads(Stream& stream, HeadsWork const& work, std::uint32_t rows) {
  launch("libsvm_heads", stream, {blocks_for(rows, heads_threads), heads_threads}, heads_kernel, work);
}

}  // namespace penstock::cuda::libsvm
