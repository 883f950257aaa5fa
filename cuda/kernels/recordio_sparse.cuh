/// Sparse records in the form that writers give them:
///
///     features {key, value {tensor {values? keys? shape?}}}  label {key, value {tensor {values? shape?}}}?
///
/// with the wanted keys, tags of one byte, and every list packed and not empty. What these kernels take, they take as
/// the CPU does (formats/recordio/canonical.hpp, judge.hpp, pairs.hpp); about anything else they only say that it is
/// there.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/kernels/recordio_bytes.cuh"
#include "cuda/kernels/recordio_frames.cuh"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/recordio/schema.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::cuda::recordio {

inline constexpr unsigned record_threads = 256;
/// Blocks of a kernel that learns on the device how many records there are: as many as a large device runs at a time.
inline constexpr unsigned record_blocks_max = 1024;

/// Text in device memory.
struct DeviceText {
  unsigned char const* data = nullptr;
  std::uint32_t size = 0;
};

/// What a record has to be.
struct RecordForm {
  DeviceText features_key;
  DeviceText label_key;
  std::uint32_t features_field = 0;  ///< the member of Value
  std::uint32_t label_field = 0;
  std::uint32_t value_bytes = 0;  ///< of a feature: 4 or 8
  std::uint32_t label_bytes = 0;  ///< of all labels of a record; 0: it has no label entry
  std::uint32_t labels = 0;
  bool requires_shape = false;
  std::uint64_t features = 0;   ///< the shape's product, where one is required
  std::uint64_t key_limit = 0;  ///< every key is below it
};

/// Where the lists of a record lie in the chunk.
struct RecordPlaces {
  std::uint32_t values = 0;
  std::uint32_t keys = 0;
  std::uint32_t key_bytes = 0;
  std::uint32_t label = 0;
};

/// Of all records of a chunk. `odd`, `tangled` and the sums are 0 before.
struct RecordTotals {
  std::uint32_t frames = 0;
  std::uint32_t is_tangled = 0;  ///< candidates do not lead from one to the next: the rest means nothing
  std::uint32_t is_odd = 0;      ///< a record is not of the form
  std::uint32_t longest = 0;     ///< pairs of a record
  std::uint64_t pairs = 0;
};

/// All pointers are device memory; `totals` too.
struct RecordsWork {
  FrameText text;
  FrameList frames;
  RecordPlaces* places = nullptr;  ///< of each record
  std::uint32_t* pairs = nullptr;  ///< of each record, and a 0 behind them
  RecordTotals* totals = nullptr;
};

namespace detail {

/// Some bytes of a chunk, by offsets.
struct Extent32 {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  [[nodiscard]] PENSTOCK_HD std::uint32_t size() const { return end - begin; }
};

__device__ inline std::uint32_t byte_at(FrameText text, std::uint32_t at) {
  return load_cached(reinterpret_cast<unsigned char const*>(text.words) + at);
}

/// Takes the varint of at most `bytes_max` bytes at the front of `from`.
__device__ inline bool take_varint(FrameText text, Extent32& from, unsigned bytes_max, std::uint64_t& value) {
  value = 0;
  for (unsigned i = 0; i < bytes_max && from.begin < from.end; ++i) {
    std::uint32_t const byte = byte_at(text, from.begin++);
    value |= std::uint64_t{byte & 0x7f} << 7 * i;
    if (byte < 0x80) return true;
  }
  return false;
}

__device__ inline bool begins_with(FrameText text, Extent32 from, std::uint32_t field) {
  using penstock::recordio::WireType;
  return from.size() != 0 && byte_at(text, from.begin) == penstock::recordio::tag_of(field, WireType::bytes);
}

/// Takes the field at the front of `from`, if it is this one and fits.
__device__ inline bool take(FrameText text, Extent32& from, std::uint32_t field, Extent32& content) {
  if (!begins_with(text, from, field)) return false;
  Extent32 rest{from.begin + 1, from.end};
  std::uint64_t length = 0;
  if (!take_varint(text, rest, penstock::recordio::short_varint_bytes_max, length)) return false;
  if (length > rest.size()) return false;
  content = {rest.begin, rest.begin + static_cast<std::uint32_t>(length)};
  from.begin = content.end;
  return true;
}

__device__ inline bool is_key(FrameText text, Extent32 key, DeviceText wanted) {
  if (key.size() != wanted.size) return false;
  for (std::uint32_t i = 0; i < wanted.size; ++i)
    if (byte_at(text, key.begin + i) != load_cached(wanted.data + i)) return false;
  return true;
}

struct Tensor {
  Extent32 values;
  Extent32 keys;
  bool has_shape = false;
  std::uint64_t shape = 1;  ///< the product, as multiply_shape() makes it
};

__device__ inline bool read_shape(FrameText text, Extent32 list, Tensor& tensor) {
  tensor.has_shape = list.size() != 0;
  while (list.size() != 0) {
    std::uint64_t extent = 0;
    if (!take_varint(text, list, penstock::recordio::varint_bytes_max, extent)) return false;
    if (tensor.shape == 1) {
      tensor.shape = extent;
    } else {
      std::uint64_t const most = extent == 0 ? tensor.shape : ~std::uint64_t{0} / extent;
      tensor.shape = tensor.shape > most ? ~std::uint64_t{0} : tensor.shape * extent;
    }
  }
  return tensor.has_shape;
}

__device__ inline bool read_tensor(FrameText text, Extent32 rest, Tensor& tensor) {
  using namespace penstock::recordio;
  if (begins_with(text, rest, tensor_values_field))
    if (!take(text, rest, tensor_values_field, tensor.values) || tensor.values.size() == 0) return false;
  if (begins_with(text, rest, tensor_keys_field))
    if (!take(text, rest, tensor_keys_field, tensor.keys) || tensor.keys.size() == 0) return false;
  Extent32 shape;
  if (begins_with(text, rest, tensor_shape_field))
    if (!take(text, rest, tensor_shape_field, shape) || !read_shape(text, shape, tensor)) return false;
  return rest.size() == 0;
}

struct EntryForm {
  DeviceText key;
  std::uint32_t map_field = 0;
  std::uint32_t tensor_field = 0;
};

__device__ inline bool read_entry(FrameText text, Extent32& rest, EntryForm const& form, Tensor& tensor) {
  using namespace penstock::recordio;
  Extent32 entry, key, value, content;
  return take(text, rest, form.map_field, entry) && take(text, entry, key_field, key) && is_key(text, key, form.key) &&
         take(text, entry, value_field, value) && entry.size() == 0 && take(text, value, form.tensor_field, content) &&
         value.size() == 0 && read_tensor(text, content, tensor);
}

/// Whether the features are those of a sparse row, but for the order of the keys and the number of bytes of each.
__device__ inline bool fits_features(FrameText text, Tensor const& tensor, RecordForm const& form) {
  constexpr std::uint64_t keys_limit = (std::uint64_t{1} << 63) - 1;  // as formats/recordio/plan.hpp
  if (tensor.values.size() % form.value_bytes != 0) return false;
  if ((tensor.values.size() == 0) != (tensor.keys.size() == 0)) return false;
  if (tensor.has_shape && tensor.shape > keys_limit) return false;
  if (form.requires_shape && !(tensor.has_shape && tensor.shape == form.features)) return false;
  if (tensor.keys.size() == 0) return true;
  // Keys ascend, which is seen later: if the last one is below the limit, all are.
  constexpr auto bytes_max = static_cast<std::uint32_t>(penstock::recordio::varint_bytes_max);
  Extent32 last{tensor.keys.end - 1, tensor.keys.end};
  while (last.begin > tensor.keys.begin && last.size() <= bytes_max && byte_at(text, last.begin - 1) >= 0x80)
    --last.begin;
  std::uint64_t key = 0;
  if (!take_varint(text, last, bytes_max, key) || last.size() != 0) return false;
  return key < form.key_limit && (!tensor.has_shape || key < tensor.shape);
}

__device__ inline bool fits_label(Tensor const& tensor, RecordForm const& form) {
  return tensor.values.size() == form.label_bytes && tensor.keys.size() == 0 &&
         (!tensor.has_shape || tensor.shape == form.labels);
}

/// Finds the lists of a record; false if it is not of the form. Keys are not looked at but for the last.
__device__ inline bool read_record(FrameText text, Payload payload, RecordForm const& form, RecordPlaces& places,
                                   std::uint32_t& pairs) {
  Extent32 rest{payload.begin, payload.end};
  Tensor features, label;
  EntryForm const features_entry{form.features_key, penstock::recordio::features_field, form.features_field};
  if (!read_entry(text, rest, features_entry, features)) return false;
  if (form.label_bytes != 0) {
    EntryForm const label_entry{form.label_key, penstock::recordio::label_field, form.label_field};
    if (!read_entry(text, rest, label_entry, label)) return false;
  }
  if (rest.size() != 0 || !fits_features(text, features, form) || !fits_label(label, form)) return false;
  places = {features.values.begin, features.keys.begin, features.keys.size(), label.values.begin};
  pairs = features.values.size() / form.value_bytes;
  return pairs <= places.key_bytes;
}

}  // namespace detail

/// A thread reads the structure of one record, then of every n-th.
/// places and pairs: an element for each frame; pairs has a 0 behind them. Launch: as many blocks as suit, for the
/// number of frames is known on the device. Shared: none. Work: 10 operations a byte outside of the lists.
static __global__ void PENSTOCK_BOUNDS(record_threads, 4) records_kernel(RecordsWork work, RecordForm form) {
  std::uint32_t const count = load_cached(work.frames.count);
  std::uint32_t const threads = gridDim.x * record_threads;
  bool const is_listed = count <= work.frames.places_max;
  std::uint32_t const end = is_listed ? count : 0;
  std::uint32_t longest = 0;
  std::uint64_t sum = 0;
  bool is_tangled = false, is_odd = !is_listed || (count == 0 && work.text.size != 0);
  for (std::uint32_t i = blockIdx.x * record_threads + threadIdx.x; i < end; i += threads) {
    std::uint32_t const place = load_cached(work.frames.places + i);
    std::uint32_t const next = i + 1 < end ? load_cached(work.frames.places + i + 1) : work.text.size;
    Payload const payload = payload_at(work.text, place);
    is_odd |= i == 0 && place != 0;
    is_tangled |= frame_end(work.text, payload) != next;
    std::uint32_t pairs = 0;
    is_odd |= !detail::read_record(work.text, payload, form, work.places[i], pairs);
    work.pairs[i] = pairs;
    longest = pairs > longest ? pairs : longest;
    sum += pairs;
  }
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    work.pairs[end] = 0;
    work.totals->frames = count;
  }
  longest = warp_max(longest);
  for (int d = 16; d > 0; d /= 2) sum += __shfl_xor_sync(all_lanes, sum, d);
  if (lane_of_thread() == 0 && longest != 0) {
    atomic_max(work.totals->longest, longest);
    atomic_add(work.totals->pairs, sum);
  }
  if (is_tangled) atomic_or(work.totals->is_tangled, 1u);
  if (is_odd) atomic_or(work.totals->is_odd, 1u);
}

// --- keys ----------------------------------------------------------------------------------------------------------

/// 32 bytes of a packed list of varints, a byte a lane.
struct KeyStep {
  std::uint32_t ends = 0;  ///< lanes whose byte ends a varint
  std::uint64_t key = 0;   ///< of such a lane
  unsigned bytes = 0;      ///< of it; 11 stands for more than ten
};

/// The bytes from `at` on of the list of `size` bytes at `list`. A varint may have begun before.
__device__ inline KeyStep read_keys(unsigned char const* list, std::uint32_t size, std::uint32_t at) {
  KeyStep step;
  std::uint32_t const i = at + lane_of_thread();
  std::uint32_t const byte = i < size ? load_cached(list + i) : 0x80;
  bool const is_end = byte < 0x80;
  step.ends = __ballot_sync(all_lanes, is_end);
  if (!is_end) return step;
  step.key = byte;
  step.bytes = 1;
  for (std::uint32_t j = i; j > 0 && step.bytes <= penstock::recordio::varint_bytes_max; ++step.bytes) {
    std::uint32_t const before = load_cached(list + --j);
    if (before < 0x80) break;
    step.key = step.key << 7 | (before & 0x7f);
  }
  return step;
}

/// A warp looks whether the keys of one record, then of every n-th, ascend, are as many as its values and have at
/// most ten bytes. The block that arrives last writes the totals where the host sees them.
/// Launch: as many blocks of 8 warps as suit. Shared: 1 byte. Work: 40 operations a lane for 32 bytes of keys.
static __global__ void PENSTOCK_BOUNDS(record_threads, 6)
    check_keys_kernel(RecordsWork work, unsigned* arrived, RecordTotals* report) {
  PENSTOCK_SHARED(bool, is_last, 1);
  std::uint32_t const count = load_cached(work.frames.count);
  std::uint32_t const end = count <= work.frames.places_max ? count : 0;
  auto const* const bytes = reinterpret_cast<unsigned char const*>(work.text.words);
  unsigned const warps = gridDim.x * (record_threads / warp_lanes);
  bool is_odd = false;
  for (std::uint32_t i = blockIdx.x * (record_threads / warp_lanes) + warp_of_thread(); i < end; i += warps) {
    std::uint32_t const pairs = load_cached(work.pairs + i);
    if (pairs == 0) continue;
    std::uint32_t const key_bytes = load_cached(&work.places[i].key_bytes);
    unsigned char const* const keys = bytes + load_cached(&work.places[i].keys);
    std::uint32_t found = 0;
    std::uint64_t before = 0;  // the last key found
    for (std::uint32_t at = 0; at < key_bytes; at += warp_lanes) {
      KeyStep const step = read_keys(keys, key_bytes, at);
      std::uint32_t const below = step.ends & lanes_below();
      unsigned const left_lane = below != 0 ? highest_bit(below) : lane_of_thread();
      std::uint64_t left = __shfl_sync(all_lanes, step.key, static_cast<int>(left_lane));
      if (below == 0) left = before;
      bool const has_left = below != 0 || found != 0;
      if (step.bytes != 0)
        is_odd |= step.bytes > penstock::recordio::varint_bytes_max || (has_left && left >= step.key);
      unsigned const last = step.ends != 0 ? highest_bit(step.ends) : 0;
      std::uint64_t const last_key = __shfl_sync(all_lanes, step.key, static_cast<int>(last));
      if (step.ends != 0) before = last_key;
      found += count_bits(step.ends);
    }
    is_odd |= found != pairs;
  }
  if (is_odd) atomic_or(work.totals->is_odd, 1u);
  if (!last_block_to_arrive(arrived, is_last) || threadIdx.x != 0) return;
  RecordTotals const* const totals = work.totals;
  *report = {count, load_fresh(&totals->is_tangled), load_fresh(&totals->is_odd), load_fresh(&totals->longest),
             load_fresh(&totals->pairs)};
}

/// Finds the lists of all records and checks them; `report`, in mapped memory, then says what was found.
inline void find_records(Stream& stream, RecordsWork const& work, RecordForm const& form, unsigned* arrived,
                         RecordTotals* report) {
  constexpr std::size_t frame_bytes_min = 24;  // a guess: only the number of blocks depends on it
  std::size_t const frames = work.text.size / frame_bytes_min + 1;
  auto const blocks = [frames](std::size_t per_block) {
    unsigned const all = blocks_for(frames, per_block);
    return all < record_blocks_max ? all : record_blocks_max;
  };
  launch("recordio_records", stream, {blocks(record_threads), record_threads}, records_kernel, work, form);
  launch("recordio_check_keys", stream, {blocks(record_threads / warp_lanes), record_threads}, check_keys_kernel, work,
         arrived, report);
}

// --- rows ----------------------------------------------------------------------------------------------------------

/// Rows of a round.
struct SparseRound {
  std::uint32_t rows = 0;
  std::uint32_t pairs = 0;
};

struct RoundLimits {
  std::uint32_t frames = 0;  ///< of the chunk
  std::uint32_t rows_max = 0;
  std::uint32_t pairs_max = 0;
};

/// One thread finds by binary search how many of the records from `first` on fit into a round.
/// `offsets`: pairs before each record, and of all behind them. Launch: a warp, of which one thread works. Shared:
/// none. Work: 30 loads.
static __global__ void PENSTOCK_BOUNDS(warp_lanes, 1)
    cut_round_kernel(std::uint32_t const* offsets, std::uint32_t first, RoundLimits limits, SparseRound* round) {
  if (threadIdx.x != 0) return;
  std::uint32_t const left = limits.frames - first, base = load_cached(offsets + first);
  std::uint32_t low = 0, high = left < limits.rows_max ? left : limits.rows_max;  // low rows fit
  while (low < high) {
    std::uint32_t const middle = high - (high - low) / 2;
    if (load_cached(offsets + first + middle) - base <= limits.pairs_max)
      low = middle;
    else
      high = middle - 1;
  }
  *round = {low, load_cached(offsets + first + low) - base};
}

inline void cut_round(Stream& stream, std::uint32_t const* offsets, std::uint32_t first, RoundLimits limits,
                      SparseRound* round) {
  launch("recordio_cut_round", stream, {1, warp_lanes}, cut_round_kernel, offsets, first, limits, round);
}

/// Tensors of a round in device memory.
struct SparseTarget {
  std::int64_t* indptr = nullptr;
  std::int64_t* indices = nullptr;
  std::uint32_t* values = nullptr;
  std::uint32_t* label = nullptr;
};

struct SparseWork {
  FrameText text;
  RecordPlaces const* places = nullptr;    ///< of the round's first record
  std::uint32_t const* offsets = nullptr;  ///< of its pairs; one more than records
  std::uint32_t rows = 0;
  std::uint32_t value_words = 0;  ///< of a value
  std::uint32_t label_words = 0;  ///< of all labels of a row
};

/// A warp writes one row: copies its values and labels as words, and decodes its keys 32 bytes at a time.
/// indptr gets rows + 1 elements, of which the first is 0. Launch: a block for 8 rows. Shared: none.
/// Work: 15 operations a lane for 32 words of values, 30 for 32 bytes of keys.
static __global__ void PENSTOCK_BOUNDS(record_threads, 6) sparse_rows_kernel(SparseWork work, SparseTarget into) {
  std::uint32_t const row = blockIdx.x * (record_threads / warp_lanes) + warp_of_thread();
  if (row >= work.rows) return;  // the whole warp
  RecordPlaces const places = work.places[row];
  std::uint32_t const first = load_cached(work.offsets + row) - load_cached(work.offsets);
  std::uint32_t const end = load_cached(work.offsets + row + 1) - load_cached(work.offsets);
  if (lane_of_thread() == 0) {
    into.indptr[row + 1] = end;
    if (row == 0) into.indptr[0] = 0;
  }
  copy_words_in(into.values + std::size_t{first} * work.value_words, work.text.words, places.values,
                (end - first) * work.value_words);
  copy_words_in(into.label + std::size_t{row} * work.label_words, work.text.words, places.label, work.label_words);
  auto const* const keys = reinterpret_cast<unsigned char const*>(work.text.words) + places.keys;
  std::int64_t* to = into.indices + first;
  for (std::uint32_t at = 0; at < places.key_bytes; at += warp_lanes) {
    KeyStep const step = read_keys(keys, places.key_bytes, at);
    if (step.bytes != 0) to[count_bits(step.ends & lanes_below())] = static_cast<std::int64_t>(step.key);
    to += count_bits(step.ends);
  }
}

inline void write_sparse_rows(Stream& stream, SparseWork const& work, SparseTarget const& into) {
  launch("recordio_sparse_rows", stream, {blocks_for(work.rows, record_threads / warp_lanes), record_threads},
         sparse_rows_kernel, work, into);
}

}  // namespace penstock::cuda::recordio
