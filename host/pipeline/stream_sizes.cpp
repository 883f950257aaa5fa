// Sizes of everything that a stream takes, from a memory budget.

#include <algorithm>
#include <string>
#include <thread>

#include "formats/csv/cell.hpp"
#include "formats/objects/plan.hpp"
#include "host/pipeline/record_stream.hpp"
#include "host/ring/ring.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

/// Of 128 KiB to 4 MiB none is faster on one thread, and two threads gain most with it: smaller slots make lanes wait
/// for each other, larger ones leave the caches between the copy in and the decoding (bench/LOG.md, 2026-11-21).
constexpr std::size_t slot_bytes_default = std::size_t{2} << 20;
constexpr std::size_t slot_bytes_small = std::size_t{64} << 10;
constexpr std::size_t faults_default = 4096;
constexpr std::size_t rounds_per_lane = 2;

/// Text of a slot that becomes one element, at least, in data as people have it: `12:1 ` is the shortest usual pair
/// (agaricus: 5.2 bytes), rows of fewer than 16 bytes have no features to speak of. Denser slots need another round.
constexpr std::size_t bytes_per_pair = 5;
constexpr std::size_t bytes_per_sparse_row = 16;
constexpr std::size_t bytes_per_label = 4;
constexpr std::size_t bytes_per_text_byte = 4;
constexpr std::size_t text_cell_max = csv::rewritten_cell_max;
static_assert(text_cell_max == objects::text_bytes_max);
constexpr std::size_t bytes_per_list_value = 8;  // of each list, where a record may have two

/// A round of dense rows holds what two slots' worth of output memory can: plain numbers of two bytes and more of text
/// each then need one round a slot, and rows that grow more need several. Elements whose number varies follow the text.
BatchCapacity round_capacity(BatchLayout const& decoded, BatchLayout const& layout, Encoder const* encoder,
                             std::size_t slot_bytes) {
  BatchCapacity const one_row{1, 0, 0, 0, 0};
  std::size_t const encoded_bytes = encoder == nullptr ? 0 : encoder->bytes_max(one_row);
  std::size_t const row_bytes = std::max(decoded.row_bytes(), layout.row_bytes());
  bool const becomes_sparse = layout.is_sparse && !decoded.is_sparse;
  std::size_t const pairs_bytes = becomes_sparse ? decoded.features * (sizeof(std::int64_t) + 8) : 0;
  BatchCapacity round;
  round.rows = 2 * slot_bytes / std::max<std::size_t>({row_bytes + pairs_bytes, encoded_bytes, 1});
  if (!decoded.is_dense()) round.rows = std::min(round.rows, slot_bytes / bytes_per_sparse_row);
  round.rows = std::max<std::size_t>(1, round.rows);
  if (decoded.is_sparse) round.pairs = slot_bytes / bytes_per_pair + 1;
  if (decoded.labels_vary) round.labels = slot_bytes / bytes_per_label + 1;
  if (decoded.has_uid) round.uid_bytes = slot_bytes / bytes_per_text_byte;
  if (decoded.keeps_texts) round.text_bytes = slot_bytes / bytes_per_text_byte + decoded.categories * text_cell_max;
  if (decoded.has_metadata) round.metadata_bytes = slot_bytes / bytes_per_text_byte;
  for (std::size_t i = 0; i < lists_max; ++i) {
    if (decoded.lists[i].role != ListRole::none) round.list_values[i] = slot_bytes / bytes_per_list_value + 1;
  }
  return round;
}

/// One round at a time may grow to hold the largest record, up to half of all memory: what a record of the greatest
/// length could become in theory is far more than any becomes, and the lane refuses what is more than half.
std::size_t grown_bytes(InputPlan const& plan, StreamOptions const& options, BatchCapacity const& round,
                        Encoder const* encoder) {
  BatchCapacity const record = plan.record_capacity(options.record_max);
  if (round.holds(record)) return 0;
  return std::min(round_memory(plan.layout(), record, options.shaping, encoder).size_bytes(), options.memory_bytes / 2);
}

StreamSizes sizes_for(InputPlan const& plan, StreamOptions const& options, Encoder const* encoder,
                      std::size_t slot_bytes, unsigned lanes) {
  BatchLayout const layout = stream_layout(plan, options);
  bool const encodes_late = options.row_files != nullptr;
  StreamSizes sizes;
  sizes.slot_bytes = slot_bytes;
  sizes.lanes = lanes;
  sizes.slots = lanes + 2;
  sizes.round = round_capacity(plan.layout(), layout, encoder, slot_bytes);
  sizes.faults_max = std::max(std::min(faults_default, slot_bytes), plan.fault_room() + 1);
  std::size_t const slot = slot_bytes + Ring::rejects_max * sizeof(Reject);
  std::size_t const long_slot = options.record_max + slot_bytes + Ring::long_rejects_max * sizeof(Reject);
  std::size_t const slots = sizes.slots * slot + Ring::long_slots * long_slot;
  Encoder const* const lane_encoder = encodes_late ? nullptr : encoder;
  std::size_t const tensors = round_memory(plan.layout(), sizes.round, options.shaping, lane_encoder).size_bytes();
  std::size_t const lane = rounds_per_lane * (tensors + sizes.faults_max * sizeof(Fault)) + plan.decoder_bytes();
  RoundMemory const part = round_memory(plan.layout(), sizes.round, options.shaping, encoder);
  // A round that is handed out in part is encoded again.
  sizes.total_bytes = slots + lanes * lane + part.window_bytes + grown_bytes(plan, options, sizes.round, encoder);
  return sizes;
}

[[noreturn]] void throw_too_small(StreamOptions const& options, StreamSizes const& sizes) {
  throw DeviceError("--memory " + format_bytes(options.memory_bytes) + " is not enough: one thread needs " +
                        std::to_string(sizes.total_bytes) + " bytes, of which records of --max-record-size " +
                        format_bytes(options.record_max) + " take " +
                        format_bytes(Ring::long_slots * options.record_max) + " as text",
                    "a larger --memory, or a smaller --max-record-size or --slot-size");
}

}  // namespace

void check_row(BatchLayout const& layout, StreamOptions const& options) {
  if (layout.is_sparse) return;
  auto const bytes = dense_bytes(1, layout.features, layout.feature_dtype);
  if (bytes && *bytes <= options.memory_bytes) return;
  throw DeviceError("a dense row of " + std::to_string(layout.features) + " features does not fit into --memory " +
                        std::to_string(options.memory_bytes),
                    "a larger --memory, or a sparse output: libsvm, RecordIO or .npz");
}

BatchLayout stream_layout(InputPlan const& plan, StreamOptions const& options) {
  BatchLayout layout = shaped_layout(plan.layout(), options.shaping);
  if (RowFiles const* const values = options.row_files) {
    layout.has_weight |= values->has(Role::weight);
    layout.has_qid |= values->has(Role::qid);
    layout.has_base_margin |= values->has(Role::base_margin);
  }
  return layout;
}

StreamSizes plan_sizes(InputPlan const& plan, StreamOptions const& options) {
  check_row(stream_layout(plan, options), options);
  std::unique_ptr<Encoder> const encoder = options.make_encoder ? options.make_encoder() : nullptr;
  Device const* const device = options.device.get();
  unsigned const usual = device != nullptr ? device->lanes() : std::max(1u, std::thread::hardware_concurrency());
  unsigned lanes = options.threads != 0 ? options.threads : usual;
  std::size_t const chosen = device != nullptr ? device->slot_bytes() : slot_bytes_default;
  std::size_t slot_bytes = options.slot_bytes != 0 ? options.slot_bytes : chosen;
  StreamSizes sizes = sizes_for(plan, options, encoder.get(), slot_bytes, lanes);
  while (sizes.total_bytes > options.memory_bytes) {
    bool const is_large = device != nullptr && options.slot_bytes == 0 && slot_bytes > slot_bytes_default;
    if (is_large && lanes <= 2) {
      slot_bytes /= 2;  // on a device two lanes, one of which copies, gain more than large slots
    } else if (lanes > 1) {
      --lanes;
    } else if (options.slot_bytes == 0 && slot_bytes > slot_bytes_small) {
      slot_bytes /= 2;
    } else {
      throw_too_small(options, sizes);
    }
    sizes = sizes_for(plan, options, encoder.get(), slot_bytes, lanes);
  }
  return sizes;
}

}  // namespace penstock
