/// A pass of cutter and lane over text in memory, slot after slot as the reader hands them over.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "host/exec/engine.hpp"
#include "host/exec/lanes.hpp"
#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"
#include "penstock/dtype.hpp"

namespace penstock::bench {

/// The reader's default slot.
inline constexpr std::size_t slot_bytes = std::size_t{2} << 20;
inline constexpr std::size_t record_max = std::size_t{16} << 20;

struct Pass {
  std::size_t rows = 0;
  std::size_t values = 0;
  std::size_t faults = 0;
  double sum = 0;  ///< of a sample of the values, so that nothing can be left out
};

template <class Format>
class Run {
 public:
  Run(typename Format::Plan const& plan, InstructionSet isa)
      : plan_(plan),
        options_(lane_options()),
        cutter_(make_cutter<Format>(isa, plan_, record_max)),
        lane_(make_host_lane<Format>(isa, plan_, options_)),
        round_(lane_->make_round()),
        slot_(std::make_unique<char[]>(record_max + slot_bytes + 2 * text_padding + 1)),
        rejects_(1024) {}

  Pass pass(std::string_view text) {
    pass_ = {};
    cutter_->restart();
    std::size_t at = 0, size = slot_bytes;
    for (;;) {
      std::size_t const filled = std::min(size, text.size() - at);
      bool const is_end = filled < size;
      char* const data = slot_.get() + text_padding;
      std::memcpy(data, text.data() + at, filled);
      Cut const cut = cutter_->cut(data, static_cast<std::uint32_t>(filled), is_end, rejects_);
      size = cut.whole == 0 ? record_max + slot_bytes : slot_bytes;
      Chunk chunk;
      chunk.text = {data, cut.whole};
      chunk.stamp.offset_bytes = at;
      chunk.rejects = std::span<Reject const>(rejects_).first(cut.rejects);
      if (cut.whole > 0) decode(chunk);
      at += std::min<std::size_t>(cut.whole, filled);
      if (is_end && at == text.size()) break;
    }
    return pass_;
  }

 private:
  static LaneOptions lane_options() {
    LaneOptions options;
    options.capacity = {slot_bytes / 16, slot_bytes / 4, 0, 0, slot_bytes, {slot_bytes / 2, slot_bytes / 2}};
    options.faults_max = 4096;
    options.text_bytes = slot_bytes;
    options.grown_bytes_max = std::size_t{1} << 30;
    return options;
  }

  void decode(Chunk const& chunk) {
    lane_->begin(chunk);
    do {
      lane_->next(*round_);
      if (round_->wants_turn) std::abort();
      take(round_->batch);
      pass_.faults += round_->faults.size();
    } while (!round_->ends_chunk);
  }

  void take(Batch const& batch) {
    pass_.rows += batch.rows;
    Dense const& features = batch.features;
    pass_.values += batch.rows * features.columns;
    for (std::size_t i = 0; i < batch.rows * features.columns; i += 97) {
      float const value = features.as<float>()[i];
      pass_.sum += value == value ? value : 0;
    }
    for (Ragged const& list : batch.lists) {
      if (list.offsets == nullptr || batch.rows == 0) continue;
      auto const count = static_cast<std::size_t>(list.offsets[batch.rows]);
      pass_.values += count;
      if (list.dtype != DType::float32) continue;
      float const* const values = list.as<float>();
      for (std::size_t i = 0; i < count; i += 97) pass_.sum += values[i] == values[i] ? values[i] : 0;
    }
  }

  typename Format::Plan plan_;
  LaneOptions options_;
  std::unique_ptr<Cutter> cutter_;
  std::unique_ptr<Lane> lane_;
  std::unique_ptr<Round> round_;
  std::unique_ptr<char[]> slot_;
  std::vector<Reject> rejects_;
  Pass pass_;
};

}  // namespace penstock::bench
