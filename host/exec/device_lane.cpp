#include "host/exec/device_lane.hpp"

#include <utility>

#include "host/exec/host_round.hpp"
#include "penstock/error.hpp"

namespace penstock {

WorkerOptions worker_options(LaneOptions const& options, BatchLayout const& decoded, Encoder const* encoder,
                             bool counts_missing) {
  Shaping const& shaping = options.shaping;
  bool const normalizes = shaping.normalizer != nullptr && !shaping.reshape && !decoded.is_sparse;
  WorkerOptions worker;
  worker.text_bytes = options.text_bytes + 1;  // and a line end that is added
  worker.capacity = options.capacity;
  worker.faults_max = options.faults_max;
  // Of rows that are reshaped alone they are counted again, behind that.
  worker.counts_missing = counts_missing || (shaping.reshape && shaping.normalizer == nullptr);
  worker.encoder = normalizes || !shaping.is_any() ? encoder : nullptr;
  worker.normalizer = normalizes ? &shaping.normalizer->program() : nullptr;
  return worker;
}

bool leaves_features_of(LaneOptions const& options, BatchLayout const& decoded) {
  Shaping const& shaping = options.shaping;
  if (!options.leaves_features || options.make_encoder || shaping.reshape || decoded.is_sparse) return false;
  if (options.pool != nullptr) return shaped_layout(decoded, shaping).columns(Role::feature) != 0;
  bool const is_float32 = decoded.columns(Role::feature) != 0 && decoded.feature_dtype == DType::float32;
  return is_float32 && !shaping.is_any();
}

/// A pipeline makes two rounds of a lane. Their memory on the device is taken here, where a lack of it is looked for.
DeviceLane::DeviceLane(std::unique_ptr<Lane> lane, std::unique_ptr<DeviceWorker> worker, LaneOptions const& options,
                       bool leaves_features)
    : options_(options), lane_(std::move(lane)), worker_(std::move(worker)), leaves_features_(leaves_features) {
  for (int round = 0; leaves_features && round < 2; ++round) rounds_.push_back(made_round());
  if (options.make_encoder && !worker_->encodes()) encoder_ = options.make_encoder();
}

std::unique_ptr<Round> DeviceLane::make_round() {
  if (rounds_.empty()) return made_round();
  std::unique_ptr<Round> round = std::move(rounds_.back());
  rounds_.pop_back();
  return round;
}

std::unique_ptr<Round> DeviceLane::made_round() {
  std::unique_ptr<Round> round = lane_->make_round();
  bool const are_read_here = options_.pool == nullptr;
  if (leaves_features_)
    static_cast<HostRound&>(*round).keep_features(
        [worker = worker_.get(), are_read_here] { return worker->make_rows(are_read_here); });
  return round;
}

void DeviceLane::begin(Chunk const& chunk) {
  chunk_ = chunk;
  is_first_ = true;
  is_on_device_ = worker_->begin(chunk);
  if (!is_on_device_) lane_->begin(chunk);
}

void DeviceLane::next(Round& round) {
  bool const was_first = is_first_;
  is_first_ = false;
  round.device_rows = nullptr;
  if (is_on_device_ && !next_on_device(round)) {
    if (!was_first) throw Error(ExitCode::internal, "a device gave a chunk back half done");
    is_on_device_ = false;
    lane_->begin(chunk_);
  }
  if (was_first) options_.device->count_chunk(is_on_device_);
  if (!is_on_device_) lane_->next(round);
}

bool DeviceLane::next_on_device(Round& round) {
  auto& host = static_cast<HostRound&>(round);
  auto const& memory = host.buffers();
  host.wants_turn = false;
  host.faults = FaultLog(host.fault_memory);
  host.counts = {};
  DeviceTarget target;
  target.rows = rows_view(memory, memory.decoded.rows_max(), worker_->normalizes());
  if (options_.keeps_record_begins) {
    host.record_begins.resize(memory.decoded.rows_max());
    target.rows.record_begins = host.record_begins.data();
  }
  target.features = leaves_features_ ? host.features() : nullptr;
  target.window = memory.window;
  target.takes_rows = options_.needs_rows || options_.keeps_record_begins || !worker_->encodes();
  target.takes_rows_with_faults = options_.needs_rows_with_faults;
  Decoded decoded;
  if (!worker_->next(target, host.faults, host.counts, decoded)) return false;
  host.ends_chunk = decoded.ends_chunk;
  if (!worker_->encodes()) {
    TraceSpan const span(options_.trace, "encode", 0);
    finish_round(host, decoded.rows, {options_, encoder_.get(), true, worker_->normalizes()});
    if (!target.leaves_features) return true;
    host.device_rows = host.features();
    host.batch.features.data = nullptr;
    return true;
  }
  host.batch = rows_view(memory, decoded.rows, worker_->normalizes());
  if (options_.keeps_record_begins) host.batch.record_begins = host.record_begins.data();
  host.encoded = {memory.window, target.encoded_bytes};
  return true;
}

}  // namespace penstock
