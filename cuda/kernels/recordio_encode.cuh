/// Rows to frames, byte for byte what formats/recordio/encode.hpp and write_rows.hpp write. Frames are multiples of
/// four bytes and begin at one.
///
/// Dense rows of floats have frames of one size, which are written as words, whatever row they belong to:
///
///     frame    header, prefix | features ............ | prefix | label | padding
///     front    xxxx xxxx xxxx 000x                              words of constant bytes, zeros elsewhere
///     back                                       xx00 xxxx 0000
///
/// Sparse rows are sized first, and then written by a warp each.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/kernels/recordio_bytes.cuh"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/recordio/framing.hpp"
#include "formats/recordio/message.hpp"
#include "formats/recordio/schema.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::cuda::recordio {

inline constexpr unsigned encode_threads = 256;
inline constexpr unsigned frame_words_per_thread = 4;
inline constexpr unsigned steps_per_thread = 4;

// --- dense ---------------------------------------------------------------------------------------------------------

/// Words of a tensor's row and where they lie in the frame.
struct RowRun {
  std::uint32_t const* rows = nullptr;
  std::uint32_t words = 0;  ///< of a row
  std::uint32_t begin = 0;  ///< from the frame's start, in bytes
};

/// Constant bytes: words of the frame from `first` on.
struct ConstantRun {
  std::uint32_t const* words = nullptr;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

struct DenseFrames {
  std::uint32_t rows = 0;
  ConstantRun front, back;
  RowRun features, label;
};

namespace detail {

/// What a run of row `row` puts into word `k` of the frame; zeros where the run is not. No branches, so that all loads
/// of a thread are under way together.
///   shift 1     . r0 r0 r0 | r0 r1 r1 r1 | r1 . . .
__device__ inline std::uint32_t run_word(RowRun const& run, std::uint32_t row, std::uint32_t k) {
  std::uint32_t const i = k - run.begin / 4;  // huge before the run, and so is i - 1 at its front
  std::size_t const row_begin = std::size_t{row} * run.words;
  unsigned const shift = 8 * (run.begin % 4);
  std::uint32_t const high = i < run.words ? load_cached(run.rows + row_begin + i) : 0;
  std::uint32_t const low = shift != 0 && i - 1 < run.words ? load_cached(run.rows + row_begin + (i - 1)) : 0;
  return shift == 0 ? high : funnel_right(low, high, 32 - shift);
}

__device__ inline std::uint32_t constant_word(ConstantRun const& run, std::uint32_t k) {
  std::uint32_t const i = k - run.first;
  return i < run.count ? load_cached(run.words + i) : 0;
}

__device__ inline std::uint32_t frame_word(DenseFrames const& frames, std::uint32_t row, std::uint32_t k) {
  return constant_word(frames.front, k) | run_word(frames.features, row, k) | constant_word(frames.back, k) |
         run_word(frames.label, row, k);
}

}  // namespace detail

/// A thread makes 16 bytes of output, then those 4 KiB behind them, four times.
/// out: `rows` frames of frame_words.number() words, and zeros up to a multiple of 16 bytes.
/// Launch: a block for 16 KiB of output. Shared: none. Work: 25 operations for 4 bytes.
static __global__ void PENSTOCK_BOUNDS(encode_threads, 6)
    dense_frames_kernel(DenseFrames frames, Divisor frame_words, uint4* out) {
  std::uint32_t const total = frames.rows * frame_words.number();
  for (unsigned step = 0; step < steps_per_thread; ++step) {
    std::uint32_t const place = (blockIdx.x * steps_per_thread + step) * encode_threads + threadIdx.x;
    if (place >= (total + frame_words_per_thread - 1) / frame_words_per_thread) return;
    std::uint32_t row = frame_words.quotient(place * frame_words_per_thread);
    std::uint32_t k = place * frame_words_per_thread - row * frame_words.number();
    std::uint32_t word[frame_words_per_thread];
    for (unsigned i = 0; i < frame_words_per_thread; ++i) {
      word[i] = row < frames.rows ? detail::frame_word(frames, row, k) : 0;
      if (++k < frame_words.number()) continue;
      k = 0;
      ++row;
    }
    out[place] = make_uint4(word[0], word[1], word[2], word[3]);
  }
}

/// Writes frames of `frame_words` words, fewer than 2^32 in all, to `out`, which has room up to a multiple of 16 bytes.
inline void encode_dense(Stream& stream, DenseFrames const& frames, std::uint32_t frame_words, std::uint32_t* out) {
  std::size_t const words = std::size_t{frames.rows} * frame_words;
  constexpr std::size_t per_block = std::size_t{encode_threads} * frame_words_per_thread * steps_per_thread;
  launch("recordio_dense_frames", stream, {blocks_for(words, per_block), encode_threads}, dense_frames_kernel, frames,
         Divisor(frame_words), reinterpret_cast<uint4*>(out));
}

// --- sparse --------------------------------------------------------------------------------------------------------

/// Rows of a batch in device memory. Keys ascend in a row.
struct SparseRows {
  std::uint32_t rows = 0;
  std::int64_t const* indptr = nullptr;
  std::int64_t const* keys = nullptr;
  std::uint32_t const* values = nullptr;
  std::uint32_t const* label = nullptr;
};

/// What all records have in common.
struct SparseForm {
  std::uint32_t value_words = 1;        ///< of a value
  std::uint32_t label_words = 0;        ///< of all labels of a row
  std::uint32_t tensor_tag = 0;         ///< of the tensor of features
  std::uint32_t shape_bytes = 0;        ///< of the list
  std::uint32_t label_bytes = 0;        ///< of the whole label entry
  bool pads_empty = false;              ///< a row without pairs gets key 0 and the value below
  std::uint64_t empty_value = 0;        ///< its bits
  unsigned char const* tail = nullptr;  ///< the field of the shape, and the label entry up to its values
  std::uint32_t tail_bytes = 0;
};

/// Memory for sizes, a number a row.
struct RowSizes {
  std::uint32_t* key_bytes = nullptr;
  std::uint64_t* frames = nullptr;  ///< bytes of each frame, and a 0 behind them; then the bytes before each
};

namespace detail {

__device__ inline std::uint64_t layout_payload(penstock::recordio::TensorLayout const& layout, SparseForm const& form) {
  return layout.total() + form.label_bytes;
}

__device__ inline penstock::recordio::TensorLayout layout_of(SparseForm const& form, std::uint64_t pairs,
                                                             std::uint64_t key_bytes) {
  return penstock::recordio::tensor_layout({4 * form.value_words * pairs, key_bytes, form.shape_bytes});
}

/// Bytes of the varints of `count` ascending keys: each has one, and those from 2^7 on one more, ...
__device__ inline std::uint64_t ascending_varint_bytes(std::int64_t const* keys, std::uint64_t count) {
  std::uint64_t sum = count, first = 0;  // keys in front of `first` are below the bound
  std::int64_t const last = load_cached(keys + count - 1);
  for (unsigned bits = 7; bits < 63 && last >> bits != 0; bits += 7) {
    std::uint64_t end = count - 1;
    while (first < end) {
      std::uint64_t const middle = first + (end - first) / 2;
      if (load_cached(keys + middle) >> bits == 0)
        first = middle + 1;
      else
        end = middle;
    }
    sum += count - first;
  }
  return sum;
}

}  // namespace detail

/// A thread finds the size of one row's frame, by binary searches for where the keys' varints grow.
/// key_bytes: an element a row; frames: one more. Launch: a block for 256 rows. Shared: none.
/// Work: 10 loads for each byte of the longest varint.
static __global__ void PENSTOCK_BOUNDS(encode_threads, 6)
    sparse_sizes_kernel(SparseRows rows, SparseForm form, RowSizes sizes) {
  std::uint32_t const row = blockIdx.x * encode_threads + threadIdx.x;
  if (row == rows.rows) sizes.frames[row] = 0;
  if (row >= rows.rows) return;
  std::int64_t const begin = load_cached(rows.indptr + row);
  auto pairs = static_cast<std::uint64_t>(load_cached(rows.indptr + row + 1) - begin);
  std::uint64_t key_bytes = 0;
  if (pairs != 0) key_bytes = detail::ascending_varint_bytes(rows.keys + begin, pairs);
  if (pairs == 0 && form.pads_empty) pairs = key_bytes = 1;
  sizes.key_bytes[row] = static_cast<std::uint32_t>(key_bytes);
  std::uint64_t const payload = detail::layout_payload(detail::layout_of(form, pairs, key_bytes), form);
  sizes.frames[row] = penstock::recordio::frame_bytes(payload);
}

inline void size_sparse(Stream& stream, SparseRows const& rows, SparseForm const& form, RowSizes const& sizes) {
  launch("recordio_sparse_sizes", stream, {blocks_for(std::size_t{rows.rows} + 1, encode_threads), encode_threads},
         sparse_sizes_kernel, rows, form, sizes);
}

namespace detail {

/// One byte of some that are put one after another: all lanes put all of them, and each keeps its own.
class ByteOf {
 public:
  __device__ explicit ByteOf(std::uint32_t place) : place_(place) {}

  /// The `count` lowest bytes of `bytes`.
  __device__ void put(std::uint64_t bytes, std::uint32_t count) {
    if (place_ < count) byte_ = static_cast<std::uint32_t>(bytes >> 8 * place_) & 0xff;
    place_ -= count;  // huge, once it was passed
  }
  __device__ void put_varint(std::uint64_t number) {
    std::uint32_t const count = penstock::recordio::varint_bytes(number);
    if (place_ < count)
      byte_ = (static_cast<std::uint32_t>(number >> 7 * place_) & 0x7f) | (place_ + 1 < count ? 0x80 : 0);
    place_ -= count;
  }
  __device__ void put_start(std::uint32_t tag, std::uint64_t size_bytes) {
    put(tag, 1);
    put_varint(size_bytes);
  }
  [[nodiscard]] __device__ unsigned char byte() const { return static_cast<unsigned char>(byte_); }

 private:
  std::uint32_t place_;
  std::uint32_t byte_ = 0;
};

PENSTOCK_HD constexpr std::uint32_t bytes_tag(std::uint32_t field) {
  return penstock::recordio::tag_of(field, penstock::recordio::WireType::bytes);
}

constexpr std::uint64_t make_key_bytes() {
  using namespace penstock::recordio;
  static_assert(key_bytes == sizeof(std::uint64_t));
  std::uint64_t bytes = bytes_tag(key_field) | values_key.size() << 8;
  for (unsigned i = 0; i < values_key.size(); ++i)
    bytes |= std::uint64_t{static_cast<unsigned char>(values_key[i])} << 8 * (i + 2);
  return bytes;
}
/// Tag, length and text of the key "values", the first byte lowest.
inline constexpr std::uint64_t values_key_bytes = make_key_bytes();

/// Bytes of a frame up to the first value (or to the shape, where there are none).
__device__ inline std::uint32_t start_bytes(penstock::recordio::TensorLayout const& layout) {
  std::uint64_t const around = layout.total() - layout.tensor + (layout.lists.values == 0 ? 0 : 1);
  return static_cast<std::uint32_t>(penstock::recordio::header_bytes + around) +
         (layout.lists.values == 0 ? 0 : penstock::recordio::varint_bytes(layout.lists.values));
}

__device__ inline unsigned char start_byte(penstock::recordio::TensorLayout const& layout, SparseForm const& form,
                                           std::uint32_t place) {
  using namespace penstock::recordio;
  ByteOf bytes(place);
  bytes.put(layout_payload(layout, form) << 32 | magic, header_bytes);
  bytes.put_start(bytes_tag(features_field), layout.entry);
  bytes.put(values_key_bytes, key_bytes);
  bytes.put_start(bytes_tag(value_field), layout.value);
  bytes.put_start(form.tensor_tag, layout.tensor);
  if (layout.lists.values != 0) bytes.put_start(bytes_tag(tensor_values_field), layout.lists.values);
  return bytes.byte();
}

/// Writes the list of keys with its start; a warp works together. Returns the list's end.
__device__ inline unsigned char* put_keys(unsigned char* into, std::int64_t const* keys, std::uint64_t pairs,
                                          std::uint64_t key_bytes) {
  unsigned const lane = lane_of_thread();
  std::uint32_t const start = 1 + penstock::recordio::varint_bytes(key_bytes);
  ByteOf bytes(lane);
  bytes.put_start(bytes_tag(penstock::recordio::tensor_keys_field), key_bytes);
  if (lane < start) into[lane] = bytes.byte();
  into += start;
  for (std::uint64_t i = lane; i - lane < pairs; i += warp_lanes) {
    std::uint64_t key = i < pairs ? static_cast<std::uint64_t>(load_cached(keys + i)) : 0;
    std::uint32_t const count = i < pairs ? penstock::recordio::varint_bytes(key) : 0;
    std::uint32_t const up_to = warp_inclusive_sum(count);
    unsigned char* to = into + (up_to - count);
    for (std::uint32_t k = 0; k < count; ++k, key >>= 7)
      to[k] = static_cast<unsigned char>((key & 0x7f) | (k + 1 < count ? 0x80 : 0));
    into += __shfl_sync(all_lanes, up_to, warp_lanes - 1);
  }
  return into;
}

/// Writes the pair of a row that has none, from its value on. Returns the end of its list of keys.
__device__ inline unsigned char* put_empty_pair(unsigned char* into, SparseForm const& form) {
  std::uint32_t const value_bytes = 4 * form.value_words;
  std::uint32_t const keys_start = bytes_tag(penstock::recordio::tensor_keys_field);
  ByteOf bytes(lane_of_thread());
  bytes.put(form.empty_value, value_bytes);
  bytes.put_start(keys_start, 1);
  bytes.put(0, 1);
  if (lane_of_thread() < value_bytes + 3) into[lane_of_thread()] = bytes.byte();
  return into + value_bytes + 3;
}

/// Writes what follows the keys, up to the frame's end: constant bytes, the label's values, zeros.
__device__ inline void put_tail(unsigned char* into, unsigned char* end, SparseForm const& form,
                                std::uint32_t const* label) {
  std::uint32_t const size = static_cast<std::uint32_t>(end - into);
  std::uint32_t const label_end = form.tail_bytes + 4 * form.label_words;
  for (std::uint32_t i = lane_of_thread(); i < size; i += warp_lanes) {
    std::uint32_t byte = 0;
    std::uint32_t const k = i - form.tail_bytes;
    if (i < form.tail_bytes)
      byte = load_cached(form.tail + i);
    else if (i < label_end)
      byte = load_cached(label + k / 4) >> 8 * (k % 4);
    into[i] = static_cast<unsigned char>(byte);
  }
}

}  // namespace detail

/// A warp writes one row's frame: what is before the values and behind the keys a byte a lane, values as words, 32 keys
/// at a time.
/// out: the frames, each from the multiple of four on that `sizes` says. Launch: a block for 8 rows. Shared: none.
/// Work: about 300 operations a lane, 10 more for 32 words of values and 40 for 32 keys.
static __global__ void PENSTOCK_BOUNDS(encode_threads, 5)
    sparse_frames_kernel(SparseRows rows, SparseForm form, RowSizes sizes, unsigned char* out) {
  std::uint32_t const row = blockIdx.x * (encode_threads / warp_lanes) + warp_of_thread();
  if (row >= rows.rows) return;  // the whole warp
  std::int64_t const begin = load_cached(rows.indptr + row);
  auto const pairs = static_cast<std::uint32_t>(load_cached(rows.indptr + row + 1) - begin);
  std::uint32_t const key_bytes = load_cached(sizes.key_bytes + row);
  bool const is_padded = pairs == 0 && form.pads_empty;
  auto const layout = detail::layout_of(form, is_padded ? 1 : pairs, key_bytes);
  unsigned char* into = out + load_cached(sizes.frames + row);
  unsigned char* const end = out + load_cached(sizes.frames + row + 1);
  std::uint32_t const start = detail::start_bytes(layout);
  for (std::uint32_t i = lane_of_thread(); i < start; i += warp_lanes) into[i] = detail::start_byte(layout, form, i);
  into += start;
  if (is_padded) into = detail::put_empty_pair(into, form);
  if (pairs != 0) {
    copy_words_out(into, rows.values + begin * form.value_words, pairs * form.value_words);
    into += layout.lists.values;
    into = detail::put_keys(into, rows.keys + begin, pairs, key_bytes);
  }
  detail::put_tail(into, end, form, rows.label + std::size_t{row} * form.label_words);
}

/// Writes the frames whose sizes were found and summed up.
inline void encode_sparse(Stream& stream, SparseRows const& rows, SparseForm const& form, RowSizes const& sizes,
                          unsigned char* out) {
  launch("recordio_sparse_frames", stream, {blocks_for(rows.rows, encode_threads / warp_lanes), encode_threads},
         sparse_frames_kernel, rows, form, sizes, out);
}

}  // namespace penstock::cuda::recordio
