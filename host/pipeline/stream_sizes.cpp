// Sizes of everything that a stream takes, from a memory budget.

#include <algorithm>
#include <string>
#include <thread>

#include "host/pipeline/convert_stream.hpp"
#include "host/ring/ring.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

/// Of 128 KiB to 4 MiB none is faster on one thread, and two threads gain most with it: smaller slots make lanes wait
/// for each other, larger ones leave the caches between the copy in and the decoding (bench/LOG.md, 2026-11-21).
constexpr std::size_t slot_bytes_default = std::size_t{2} << 20;
constexpr std::size_t slot_bytes_small = std::size_t{64} << 10;
constexpr std::size_t faults_default = 4096;
constexpr std::size_t rounds_per_lane = 2;

std::size_t encoded_row_bytes(StreamOptions const& options) {
  return options.make_encoder ? options.make_encoder()->row_bytes_max() : 0;
}

/// A round holds what two slots' worth of output memory can: plain numbers of two bytes and more of text each
/// then need one round a slot, and rows that grow more need several.
StreamSizes sizes_for(CsvPlan const& plan, StreamOptions const& options, std::size_t slot_bytes, unsigned lanes) {
  std::size_t columns = 0;
  for (auto const& shard : plan.decode_plan().columns) columns = std::max(columns, shard.size());
  std::size_t const row_bytes = plan.layout().row_bytes(), encoded_bytes = encoded_row_bytes(options);
  StreamSizes sizes;
  sizes.slot_bytes = slot_bytes;
  sizes.lanes = lanes;
  sizes.slots = lanes + 2;
  sizes.rows_max = std::max<std::size_t>(1, 2 * slot_bytes / std::max<std::size_t>({row_bytes, encoded_bytes, 1}));
  sizes.faults_max = std::max(std::min(faults_default, slot_bytes), csv::fault_room(plan.decode_plan(), columns) + 1);
  std::size_t const slot = slot_bytes + Ring::rejects_max * sizeof(Reject);
  std::size_t const long_slot = options.record_max + slot_bytes + Ring::long_rejects_max * sizeof(Reject);
  std::size_t const slots = sizes.slots * slot + Ring::long_slots * long_slot;
  std::size_t const round = sizes.rows_max * (row_bytes + encoded_bytes) + sizes.faults_max * sizeof(Fault);
  std::size_t const lane = rounds_per_lane * round + columns * sizeof(std::uint32_t) + (std::size_t{64} << 10);
  std::size_t const part = sizes.rows_max * encoded_bytes;  // of a round that is handed out in part, encoded again
  sizes.total_bytes = slots + lanes * lane + part;
  return sizes;
}

}  // namespace

StreamSizes plan_sizes(CsvPlan const& plan, StreamOptions const& options) {
  unsigned lanes = options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  std::size_t slot_bytes = options.slot_bytes != 0 ? options.slot_bytes : slot_bytes_default;
  StreamSizes sizes = sizes_for(plan, options, slot_bytes, lanes);
  while (sizes.total_bytes > options.memory_bytes) {
    if (lanes > 1) {
      --lanes;
    } else if (options.slot_bytes == 0 && slot_bytes > slot_bytes_small) {
      slot_bytes /= 2;
    } else {
      throw DeviceError("--memory " + std::to_string(options.memory_bytes) + " is not enough: one lane needs " +
                            std::to_string(sizes.total_bytes) + " bytes, of which records of --max-record-size " +
                            std::to_string(options.record_max) + " take " +
                            std::to_string(Ring::long_slots * options.record_max),
                        "a larger --memory, or a smaller --max-record-size or --slot-size");
    }
    sizes = sizes_for(plan, options, slot_bytes, lanes);
  }
  return sizes;
}

}  // namespace penstock
