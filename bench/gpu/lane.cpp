#include "bench/gpu/lane.hpp"

#include <stdexcept>
#include <string>

#include "penstock/fault.hpp"

namespace penstock::bench {
namespace {

cuda::StreamOptions const& on(cuda::Engine const& engine, cuda::StreamOptions const& options) {
  engine.use();
  return options;
}

}  // namespace

BenchLane::BenchLane(cuda::Engine const& engine, Input const& input, std::size_t slot_bytes,
                     cuda::StreamOptions const& options)
    : limits_(limits_for(input.layout(), slot_bytes)),
      stream_(on(engine, options)),
      decoder_(input.make_decoder(limits_, stream_)),
      faults_(limits_.faults) {}

/// Whether another round follows.
bool BenchLane::next(Batch& rows) {
  FaultLog faults(faults_);
  RoundCounts counts;
  Decoded decoded;
  if (!decoder_->next(rows, faults, counts, decoded)) throw std::runtime_error("the decoder leaves it to the CPU");
  found_ += decoded.rows + faults.size();
  if (decoded.is_stuck) throw std::runtime_error("a record does not fit");
  return !decoded.ends_chunk;
}

void BenchLane::decode(Slots const& slots, std::size_t i) {
  found_ = 0;
  if (!decoder_->begin(slots.chunks[i])) throw std::runtime_error("the decoder leaves it to the CPU");
  Batch rows;
  while (next(rows)) {
  }
  if (found_ != slots.records[i])
    throw std::runtime_error(std::to_string(slots.records[i]) + " records became " + std::to_string(found_) +
                             " rows and faults");
}

void BenchLane::decode_for_rows(Slots const& slots, std::size_t i, Batch& rows) {
  found_ = 0;
  if (!decoder_->begin(slots.chunks[i])) throw std::runtime_error("the decoder leaves it to the CPU");
  (void)next(rows);
}

}  // namespace penstock::bench
