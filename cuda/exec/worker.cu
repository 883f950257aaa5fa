// A lane's part of the device: chunk in, rows or encoded bytes out.
#include <algorithm>
#include <memory>
#include <optional>

#include "cuda/exec/decoder.hpp"
#include "cuda/exec/device_rows.hpp"
#include "cuda/exec/engine.hpp"
#include "cuda/exec/engine_stream.hpp"
#include "cuda/exec/memory.hpp"
#include "cuda/exec/normalizer.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/formats/csv.hpp"
#include "cuda/formats/json.hpp"
#include "cuda/formats/libsvm.hpp"
#include "cuda/formats/recordio.hpp"
#include "cuda/kernels/missing.cuh"
#include "formats/csv/plan.hpp"
#include "formats/deepar/plan.hpp"
#include "formats/jsonl/plan.hpp"
#include "formats/libsvm/plan.hpp"
#include "formats/object2vec/plan.hpp"
#include "formats/objects/plan.hpp"
#include "formats/recordio/plan.hpp"
#include "formats/recordio/write_rows.hpp"

namespace penstock::cuda {
namespace {

class Worker final : public DeviceWorker {
 public:
  template <class MakeDecoder>
  Worker(Engine& engine, BatchLayout const& decoded, WorkerOptions const& options, MakeDecoder make_decoder)
      : engine_(engine),
        rows_max_(options.capacity.rows),
        feature_bytes_(decoded.columns(Role::feature) * size_bytes(decoded.feature_dtype)),
        stream_((engine.use(), stream_options(engine, engine.take_track()))),
        counts_missing_(options.counts_missing),
        missing_(1, "the number of missing values"),
        missing_on_device_(1, "the number of missing values"),
        decoder_(make_decoder(DecoderLimits{options.text_bytes, options.capacity, options.faults_max}, stream_)) {
    if (options.normalizer != nullptr)
      normalizer_.emplace(stream_, *options.normalizer, decoded.feature_dtype,
                          std::max<std::size_t>(options.capacity.rows, 1));
    if (auto const* const writer = dynamic_cast<recordio::Writer const*>(options.encoder))
      encoder_ = make_recordio_encoder(writer->layout(), writer->options(), options.capacity, stream_);
  }

  /// A lane may be left with work enqueued: nothing is given back before that is done.
  ~Worker() override { (void)cudaStreamSynchronize(stream_.get()); }
  Worker(Worker const&) = delete;
  Worker& operator=(Worker const&) = delete;

  bool begin(Chunk const& chunk) override {
    engine_.use();
    TraceSpan const span(engine_.trace(), "stage", stream_.options().track);
    return decoder_->begin(chunk);
  }

  bool next(DeviceTarget& target, FaultLog& faults, RoundCounts& counts, Decoded& decoded) override {
    engine_.use();
    Batch rows;
    {
      TraceSpan const span(engine_.trace(), "decode", stream_.options().track);
      if (!decoder_->next(rows, faults, counts, decoded)) return false;
    }
    TraceSpan const span(engine_.trace(), "emit", stream_.options().track);
    target.encoded_bytes = 0;
    bool const takes_rows = target.takes_rows || (faults.size() > 0 && target.takes_rows_with_faults);
    if (!counts_missing_) count_missing_of(rows);
    if (normalizes()) rows = normalizer_->apply(rows);
    if (encodes()) encode(rows, target);
    bool const is_whole = faults.size() == 0 || !target.takes_rows_with_faults;
    target.leaves_features = target.features != nullptr && is_whole;
    if (takes_rows) copy_out(rows, target);
    stream_.wait();
    if (!counts_missing_) counts.missing_cells = missing_[0];
    target.rows.set_rows(rows.rows);
    return true;
  }

  [[nodiscard]] bool encodes() const override { return encoder_ != nullptr; }
  [[nodiscard]] bool normalizes() const override { return normalizer_.has_value(); }
  [[nodiscard]] std::unique_ptr<DeviceRows> make_rows(bool are_read_here) override {
    engine_.use();
    std::size_t const row_bytes = normalizes() ? normalizer_->row_bytes() : feature_bytes_;
    return std::make_unique<FeatureRows>(engine_, rows_max_, row_bytes, are_read_here);
  }
  [[nodiscard]] std::size_t device_bytes() const override {
    return decoder_->device_bytes() + (encodes() ? encoder_->device_bytes() : 0) +
           (normalizes() ? normalizer_->device_bytes() : 0);
  }

 private:
  /// Counted in memory of the device: atomics over the link would take longer than the decoding.
  void count_missing_of(Batch const& rows) {
    std::uint64_t* const missing = missing_on_device_.get();
    stream_.fill(missing, 0, sizeof *missing);
    count_missing_in(rows, missing);
    stream_.copy(missing_.get(), missing, sizeof *missing, "copy out");
  }
  void count_missing_in(Batch const& rows, std::uint64_t* missing) {
    if (rows.rows == 0) return;
    Dense const& dense = rows.features;
    if (dense.columns != 0) count_missing(stream_, dense.data, rows.rows * dense.columns, dense.dtype, missing);
    if (rows.csr.indptr == nullptr) return;
    count_missing(stream_, rows.csr.values, pairs_of(rows), rows.csr.dtype, missing);
  }

  /// The decoder knows them on the host; the batch says them only on the device.
  [[nodiscard]] std::size_t pairs_of(Batch const& rows) const { return rows.rows == 0 ? 0 : decoder_->pairs(); }

  void encode(Batch const& rows, DeviceTarget& target) {
    RowEncoder::Encoded const encoded = encoder_->encode(rows);
    stream_.copy(target.window, encoded.data, encoded.size_bytes, "copy out");
    target.encoded_bytes = encoded.size_bytes;
  }

  void copy_out(Batch const& rows, DeviceTarget const& target) {
    Batch const& to = target.rows;
    if (target.leaves_features) static_cast<FeatureRows&>(*target.features).take(stream_, rows.features);
    for (Role const role : tensor_roles) {
      Dense const& from = rows.tensor(role);
      if (from.columns != 0 && !(target.leaves_features && role == Role::feature))
        stream_.copy(to.tensor(role).data, from.data, rows.rows * from.row_bytes(), "copy out");
    }
    if (rows.csr.indptr != nullptr) {
      std::size_t const pairs = pairs_of(rows);
      stream_.copy(to.csr.indptr, rows.csr.indptr, (rows.rows + 1) * sizeof(std::int64_t), "copy out");
      stream_.copy(to.csr.indices, rows.csr.indices, pairs * sizeof(std::int64_t), "copy out");
      stream_.copy(to.csr.values, rows.csr.values, pairs * size_bytes(rows.csr.dtype), "copy out");
    }
    for (std::size_t i = 0; i < lists_max; ++i) {
      Ragged const& list = rows.lists[i];
      if (list.offsets == nullptr) continue;
      std::size_t const values = decoder_->list_values()[i];
      stream_.copy(to.lists[i].offsets, list.offsets, (rows.rows + 1) * sizeof(std::int64_t), "copy out");
      stream_.copy(to.lists[i].values, list.values, values * size_bytes(list.dtype), "copy out");
    }
    if (rows.record_begins != nullptr && to.record_begins != nullptr)
      stream_.copy(to.record_begins, rows.record_begins, rows.rows * sizeof(std::uint32_t), "copy out");
  }

  Engine& engine_;
  std::size_t rows_max_;
  std::size_t feature_bytes_;  ///< of a decoded row that is dense
  Stream stream_;
  bool counts_missing_;
  MappedArray<std::uint64_t> missing_;
  DeviceArray<std::uint64_t> missing_on_device_;
  std::unique_ptr<ChunkDecoder> decoder_;
  std::optional<DeviceNormalizer> normalizer_;
  std::unique_ptr<RowEncoder> encoder_;
};

}  // namespace

std::unique_ptr<DeviceWorker> make_worker(Engine& engine, csv::DecodePlan const& plan, WorkerOptions const& options) {
  return std::make_unique<Worker>(engine, plan.layout, options, [&](DecoderLimits const& limits, Stream& stream) {
    return make_csv_decoder(plan, limits, stream);
  });
}

std::unique_ptr<DeviceWorker> make_worker(Engine& engine, libsvm::Plan const& plan, WorkerOptions const& options) {
  return std::make_unique<Worker>(engine, plan.layout, options, [&](DecoderLimits const& limits, Stream& stream) {
    return make_libsvm_decoder(plan, limits, stream);
  });
}

std::unique_ptr<DeviceWorker> make_worker(Engine& engine, deepar::Plan const& plan, WorkerOptions const& options) {
  return std::make_unique<Worker>(engine, plan.layout, options, [&](DecoderLimits const& limits, Stream& stream) {
    return make_deepar_decoder(plan, limits, stream);
  });
}

std::unique_ptr<DeviceWorker> make_worker(Engine& engine, jsonl::Plan const& plan, WorkerOptions const& options) {
  return std::make_unique<Worker>(engine, plan.layout, options, [&](DecoderLimits const& limits, Stream& stream) {
    return make_jsonl_decoder(plan, limits, stream);
  });
}

std::unique_ptr<DeviceWorker> make_worker(Engine& engine, object2vec::Plan const& plan, WorkerOptions const& options) {
  return std::make_unique<Worker>(engine, plan.layout, options, [&](DecoderLimits const& limits, Stream& stream) {
    return make_object2vec_decoder(plan, limits, stream);
  });
}

std::unique_ptr<DeviceWorker> make_worker(Engine& engine, objects::Plan const& plan, WorkerOptions const& options) {
  return std::make_unique<Worker>(engine, plan.layout, options, [&](DecoderLimits const& limits, Stream& stream) {
    return make_objects_decoder(plan, limits, stream);
  });
}

std::unique_ptr<DeviceWorker> make_worker(Engine& engine, recordio::Plan const& plan, WorkerOptions const& options) {
  return std::make_unique<Worker>(engine, plan.layout, options, [&](DecoderLimits const& limits, Stream& stream) {
    return make_recordio_decoder(plan, limits, stream);
  });
}

}  // namespace penstock::cuda
