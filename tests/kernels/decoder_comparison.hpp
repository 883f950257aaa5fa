/// Decoders on a device beside the CPU's: values bit for bit, faults in order, counts.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cuda/exec/decoder.hpp"
#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "formats/core/block.hpp"
#include "tests/support/format_run.hpp"
#if defined(PENSTOCK_SIMT)
#include "tests/support/simt/simt.hpp"
#endif

namespace penstock::testing {

/// What device decoders are made with, and what they did.
struct DecodingDevice {
  cuda::DecoderLimits limits;
  std::size_t chunks = 0;       ///< that were decoded on the device
  std::size_t host_chunks = 0;  ///< that it left to the CPU
  std::size_t rounds = 0;
};
inline DecodingDevice device;

/// A decoder of format F that leaves to the device what that takes, with rows copied out. `make`: of cuda/formats.
template <class F, auto make>
class DeviceDecoder {
 public:
  explicit DeviceDecoder(typename F::Plan const& plan)
      : plan_(plan), host_(plan), decoder_(make(plan, device.limits, stream_)) {}

  void begin(Chunk const& chunk) {
    chunk_ = chunk;
    is_on_device_ = decoder_->begin(chunk);
    is_first_ = true;
    if (!is_on_device_) to_host();
  }

  Decoded next(Batch const& batch, BatchCapacity const& capacity, FaultLog& faults, RoundCounts& counts) {
    if (is_on_device_) {
      Decoded decoded;
      if (decoder_->next(rows_, faults, counts, decoded)) {
        device.chunks += is_first_ ? 1 : 0;
        is_first_ = false;
        ++device.rounds;
        promise(!decoded.is_stuck && decoded.rows == rows_.rows, "a device is stuck");
        copy_out(batch);
        return decoded;
      }
      promise(is_first_, "a device gives up behind its first round");
      to_host();
    }
    return host_.next(batch, capacity, faults, counts);
  }

 protected:
  [[nodiscard]] typename F::Plan const& plan() const { return plan_; }
  [[nodiscard]] Chunk const& chunk() const { return chunk_; }
  /// Whether the device made the last round, which rows() are.
  [[nodiscard]] bool is_on_device() const { return is_on_device_; }
  [[nodiscard]] Batch const& rows() const { return rows_; }

  /// From device memory.
  template <class T>
  void copy(T* to, void const* from, std::size_t count) {
    if (count == 0) return;
    cuda::MappedArray<T> pinned(count, "a copy");
    stream_.copy(pinned.get(), from, count * sizeof(T), "copy out");
    stream_.wait();
    std::memcpy(to, pinned.get(), count * sizeof(T));
  }

 private:
  void to_host() {
    is_on_device_ = false;
    ++device.host_chunks;
    host_.begin(chunk_);
  }

  void copy_out(Batch const& to) {
    BatchLayout const& layout = plan_.layout;
    for (Role const role : tensor_roles) {
      Dense const& tensor = rows_.tensor(role);
      promise(tensor.columns == layout.columns(role), "another layout");
      promise(tensor.columns == 0 || tensor.dtype == layout.dtype(role), "another type");
      if (tensor.columns != 0) copy(to.tensor(role).data, tensor.data, rows_.rows * tensor.row_bytes());
    }
    promise((rows_.csr.indptr != nullptr) == layout.is_sparse, "pairs, or none");
    if (layout.is_sparse) copy_pairs(to.csr);
    std::array<std::size_t, lists_max> const values = decoder_->list_values();
    for (std::size_t i = 0; i < lists_max; ++i) {
      bool const is_there = layout.lists[i].role != ListRole::none;
      promise((rows_.lists[i].offsets != nullptr) == is_there, "another layout of lists");
      if (is_there) copy_list(rows_.lists[i], to.lists[i], values[i]);
    }
  }
  void copy_pairs(Csr const& to) {
    Csr const& from = rows_.csr;
    promise(from.dtype == plan_.layout.feature_dtype && from.columns == plan_.layout.features,
            "another layout of pairs");
    std::size_t const pairs = decoder_->pairs();
    copy(to.indptr, from.indptr, rows_.rows + 1);
    copy(to.indices, from.indices, pairs);
    copy(to.values, from.values, pairs * size_bytes(from.dtype));
    promise(static_cast<std::size_t>(to.indptr[rows_.rows]) == pairs, "pairs() is not the number of pairs");
  }
  void copy_list(Ragged const& from, Ragged const& to, std::size_t values) {
    copy(to.offsets, from.offsets, rows_.rows + 1);
    copy(to.values, from.values, values * size_bytes(from.dtype));
    promise(static_cast<std::size_t>(to.offsets[rows_.rows]) == values, "list_values() are others");
  }

  typename F::Plan plan_;
  typename F::template Decoder<Portable> host_;
  cuda::Stream stream_;
  std::unique_ptr<cuda::ChunkDecoder> decoder_;
  Chunk chunk_;
  Batch rows_;
  bool is_on_device_ = false, is_first_ = false;
};

/// The schedules of the emulator take turns; on a GPU there is but one.
inline void set_schedule_of([[maybe_unused]] int round) {
#if defined(PENSTOCK_SIMT)
  constexpr std::string_view schedules[] = {"forward", "reverse", "random:3"};
  simt::set_schedule(schedules[round % 3]);
#endif
}

template <class F, class Decoding>
struct OnDevice : F {
  template <class Isa>
  using Decoder = Decoding;
};

/// Runs both decoders over the shards; empty, or how they differ. `text_bytes`: of the longest chunk, if buffers are no
/// longer.
template <class F, class Decoding>
std::string compare_decoders(typename F::Plan const& plan, std::vector<std::string> const& shards,
                             std::size_t record_max, RunSizes const& sizes, std::size_t text_bytes = 1 << 17) {
  device = {};
  device.limits = {std::max(sizes.buffer_bytes, text_bytes), sizes.capacity, sizes.faults_max};
  FormatRun const expected = run_format<F, Portable>(plan, shards, record_max, sizes);
  FormatRun const found = run_format<OnDevice<F, Decoding>, Portable>(plan, shards, record_max, sizes);
  return difference(expected, found);
}

}  // namespace penstock::testing
