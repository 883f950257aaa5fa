/// The CPU's lane for CSV, one text for every instruction set. Include it from the units that make lanes.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "formats/csv/cut.hpp"
#include "formats/csv/decode.hpp"
#include "host/exec/engine.hpp"
#include "host/exec/host_round.hpp"

namespace penstock {

template <class Isa>
class CsvLane final : public Lane {
 public:
  CsvLane(csv::DecodePlan const& plan, LaneOptions const& options)
      : decoder_(plan), layout_(plan.layout), rows_max_(options.rows_max), faults_max_(options.faults_max) {
    if (options.make_encoder) encoder_ = options.make_encoder();
  }

  void begin(Chunk const& chunk) override { decoder_.begin(chunk); }

  void next(Round& round) override {
    auto& host = static_cast<HostRound&>(round);
    round.faults = FaultLog(host.fault_memory);
    round.counts = {};
    std::size_t const rows =
        decoder_.next(host.rows.view(rows_max_), rows_max_, round.faults, round.counts, round.ends_chunk);
    round.batch = host.rows.view(rows);
    std::size_t const bytes = encoder_ == nullptr ? 0 : encoder_->encode(round.batch, host.window.get());
    round.encoded = {host.window.get(), bytes};
  }

  std::unique_ptr<Round> make_round() override {
    std::size_t const window = encoder_ == nullptr ? 0 : rows_max_ * encoder_->row_bytes_max();
    return std::make_unique<HostRound>(layout_, rows_max_, faults_max_, window);
  }

 private:
  csv::Decoder<Isa> decoder_;
  BatchLayout layout_;
  std::size_t rows_max_;
  std::size_t faults_max_;
  std::unique_ptr<Encoder> encoder_;
};

}  // namespace penstock
