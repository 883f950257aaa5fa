// Batches in memory of the device, for whoever learns there.
#include <cuda_runtime.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "cuda/exec/engine.hpp"
#include "cuda/exec/engine_stream.hpp"
#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/kernels/gather_rows.cuh"
#include "penstock/batch_uploader.hpp"

namespace penstock::cuda {
namespace {

constexpr std::size_t alignment = 256;  // as cudaMalloc aligns

/// The driver's word for it is enough here: what fails in a destructor has failed before.
void ignore(cudaError_t) {}

/// The stream that a consumer names as DLPack does.
cudaStream_t stream_named(std::uintptr_t stream) {
  constexpr std::uintptr_t legacy_default = 1;
  return stream == legacy_default ? nullptr : reinterpret_cast<cudaStream_t>(stream);
}

/// The engine's device is the calling thread's for a while; the thread is somebody else's.
class DeviceScope {
 public:
  explicit DeviceScope(Engine const& engine) {
    ignore(cudaGetDevice(&before_));
    ignore(cudaSetDevice(engine.facts().number));
  }
  ~DeviceScope() { ignore(cudaSetDevice(before_)); }
  DeviceScope(DeviceScope const&) = delete;
  DeviceScope& operator=(DeviceScope const&) = delete;

 private:
  int before_ = 0;
};

/// An event that is not timed, with its owner.
class Event {
 public:
  Event() { PENSTOCK_CUDA_CHECK(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming)); }
  ~Event() {
    if (event_ != nullptr) ignore(cudaEventDestroy(event_));
  }
  Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  [[nodiscard]] cudaEvent_t get() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Memory of one batch, and what has to be done before it is written again.
struct Slab {
  DeviceArray<std::byte> bytes;
  std::vector<Event> uses;
};

/// Slabs that nobody has. Thread-safe.
class SlabPool {
 public:
  explicit SlabPool(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
  ~SlabPool() {
    DeviceScope const scope(*engine_);
    slabs_.clear();
  }
  SlabPool(SlabPool const&) = delete;
  SlabPool& operator=(SlabPool const&) = delete;

  [[nodiscard]] Engine& engine() const { return *engine_; }

  /// The smallest that is large enough; else new memory.
  [[nodiscard]] Slab take(std::size_t size_bytes) {
    std::lock_guard const lock(mutex_);
    auto best = slabs_.end();
    for (auto slab = slabs_.begin(); slab != slabs_.end(); ++slab) {
      bool const fits = slab->bytes.size() >= size_bytes;
      if (fits && (best == slabs_.end() || slab->bytes.size() < best->bytes.size())) best = slab;
    }
    if (best == slabs_.end()) return made(size_bytes);
    Slab slab = std::move(*best);
    slabs_.erase(best);
    return slab;
  }
  /// In a child of fork() the lock may be that of a thread which is not there, and the memory is the parent's.
  void give_back(Slab slab) {
    if (process_ != ::getpid()) {
      static_cast<void>(std::make_unique<Slab>(std::move(slab)).release());
      return;
    }
    std::lock_guard const lock(mutex_);
    slabs_.push_back(std::move(slab));
  }

 private:
  /// What nobody has, and is too small, makes room for it.
  [[nodiscard]] Slab made(std::size_t size_bytes) {
    try {
      return {DeviceArray<std::byte>(size_bytes, "a batch"), {}};
    } catch (DeviceMemoryError const&) {
      if (slabs_.empty()) throw;
      slabs_.clear();
      return {DeviceArray<std::byte>(size_bytes, "a batch"), {}};
    }
  }

  std::shared_ptr<Engine> engine_;
  pid_t process_ = ::getpid();
  std::mutex mutex_;
  std::vector<Slab> slabs_;
};

/// A batch on the device: its memory, and when it is complete.
class UploadedBatch final : public DeviceTensors {
 public:
  UploadedBatch(std::shared_ptr<SlabPool> pool, Slab slab) : pool_(std::move(pool)), slab_(std::move(slab)) {}
  /// The memory waits for whatever was queued with it in streams that are known.
  ~UploadedBatch() override {
    DeviceScope const scope(pool_->engine());
    try {
      for (cudaStream_t const stream : streams_) {
        Event event;
        PENSTOCK_CUDA_CHECK(cudaEventRecord(event.get(), stream));
        slab_.uses.push_back(std::move(event));
      }
      pool_->give_back(std::move(slab_));
    } catch (Error const&) {
      // A stream that is gone: cudaFree, which waits for the device, takes the memory.
    }
  }
  UploadedBatch(UploadedBatch const&) = delete;
  UploadedBatch& operator=(UploadedBatch const&) = delete;

  [[nodiscard]] std::byte* memory() const { return slab_.bytes.get(); }
  [[nodiscard]] cudaEvent_t ready() const { return ready_.get(); }

  [[nodiscard]] int device() const override { return pool_->engine().facts().number; }
  void make_stream_wait(std::uintptr_t stream) const override {
    DeviceScope const scope(pool_->engine());
    PENSTOCK_CUDA_CHECK(cudaStreamWaitEvent(stream_named(stream), ready_.get(), 0));
  }
  void wait() const override {
    DeviceScope const scope(pool_->engine());
    PENSTOCK_CUDA_CHECK(cudaEventSynchronize(ready_.get()));
  }
  void used_in(std::uintptr_t stream) const override {
    std::lock_guard const lock(mutex_);
    cudaStream_t const named = stream_named(stream);
    if (std::find(streams_.begin(), streams_.end(), named) == streams_.end()) streams_.push_back(named);
  }

 private:
  std::shared_ptr<SlabPool> pool_;
  Slab slab_;
  Event ready_;
  mutable std::mutex mutex_;
  mutable std::vector<cudaStream_t> streams_;
};

/// Features that were put on the device. Whatever is done with them, and with their memory after them, is done in the
/// uploader's stream.
class PutFeatures {
 public:
  PutFeatures(std::shared_ptr<SlabPool> pool, Slab slab) : pool_(std::move(pool)), slab_(std::move(slab)) {}
  ~PutFeatures() { pool_->give_back(std::move(slab_)); }
  PutFeatures(PutFeatures const&) = delete;
  PutFeatures& operator=(PutFeatures const&) = delete;
  [[nodiscard]] std::byte* data() const { return slab_.bytes.get(); }

 private:
  std::shared_ptr<SlabPool> pool_;
  Slab slab_;
};

class Uploader final : public BatchUploader {
 public:
  explicit Uploader(std::shared_ptr<Engine> const& engine)
      : pool_(std::make_shared<SlabPool>(engine)),
        stream_((engine->use(), stream_options(*engine, engine->take_track()))) {}
  /// Sources are given up when they are read no more.
  ~Uploader() override { ignore(cudaStreamSynchronize(stream_.get())); }
  Uploader(Uploader const&) = delete;
  Uploader& operator=(Uploader const&) = delete;

  SharedBatch upload(SharedBatch const& batch, std::span<FeatureRun const> features) override {
    Slab slab = begin(bytes_of(batch, !features.empty()));
    auto const tensors = std::make_shared<UploadedBatch>(pool_, std::move(slab));
    SharedBatch uploaded = batch;
    enqueue(batch.memory, [&] {
      if (features.empty())
        copy(uploaded.rows, tensors->memory());
      else
        gather(uploaded.rows, features, tensors->memory());
      PENSTOCK_CUDA_CHECK(cudaEventRecord(tensors->ready(), stream_.get()));
    });
    uploaded.memory = tensors;
    uploaded.on_device = tensors;
    return uploaded;
  }

  FeaturesOnDevice put(Dense const& features, std::shared_ptr<void const> memory) override {
    std::size_t const bytes = features.rows * features.row_bytes();
    auto const kept = std::make_shared<PutFeatures>(pool_, begin(bytes));
    enqueue(std::move(memory), [&] { stream_.copy(kept->data(), features.data, bytes, "upload"); });
    return {kept->data(), kept};
  }

 private:
  /// Host memory, and what it keeps, that the stream may still read.
  struct Source {
    std::shared_ptr<void const> memory;
    MappedArray<std::byte> staging;
    Event is_read;
  };

  static constexpr std::size_t aligned(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }
  /// Of features that are gathered the rows' addresses lie behind them.
  static std::size_t bytes_of(SharedBatch const& batch, bool gathers) {
    std::size_t bytes = gathers ? aligned(batch.rows.rows * sizeof(std::byte const*)) : 0;
    for (Role const role : tensor_roles) bytes += aligned(batch.rows.rows * batch.rows.tensor(role).row_bytes());
    return bytes;
  }

  /// Memory that the stream may write to.
  [[nodiscard]] Slab begin(std::size_t bytes) {
    pool_->engine().use();
    give_up_sources();
    Slab slab = pool_->take(std::max<std::size_t>(bytes, 1));
    for (Event const& use : slab.uses) PENSTOCK_CUDA_CHECK(cudaStreamWaitEvent(stream_.get(), use.get(), 0));
    slab.uses.clear();
    return slab;
  }

  /// Keeps `memory` until the stream is done with what `queue` queues there.
  template <class Queue>
  void enqueue(std::shared_ptr<void const> memory, Queue const& queue) {
    sources_.push_back({std::move(memory), {}, Event()});
    try {
      queue();
      PENSTOCK_CUDA_CHECK(cudaEventRecord(sources_.back().is_read.get(), stream_.get()));
    } catch (...) {
      ignore(cudaStreamSynchronize(stream_.get()));  // nobody says when what was queued is done
      sources_.pop_back();
      throw;
    }
  }

  /// Tensors one behind the other from `at` on.
  void copy(Batch& rows, std::byte* at) {
    for (Role const role : tensor_roles) {
      Dense& tensor = rows.tensor(role);
      std::size_t const bytes = rows.rows * tensor.row_bytes();
      if (bytes == 0) continue;
      stream_.copy(at, tensor.data, bytes, "upload");
      tensor.data = at;
      at += aligned(bytes);
    }
  }

  /// Features at `at`, from where they lie on the device; behind them, in one copy from pinned memory, the host's
  /// tensors and the addresses of the features' rows.
  void gather(Batch& rows, std::span<FeatureRun const> runs, std::byte* at) {
    Dense& features = rows.features;
    std::size_t const row_bytes = features.row_bytes();
    features.data = at;
    at += aligned(rows.rows * row_bytes);
    MappedArray<std::byte>& staging = sources_.back().staging = take_staging(rows);
    std::size_t staged = 0;
    for (Role const role : tensor_roles) {
      Dense& tensor = rows.tensor(role);
      std::size_t const bytes = rows.rows * tensor.row_bytes();
      if (bytes == 0 || role == Role::feature) continue;
      std::memcpy(staging.get() + staged, tensor.data, bytes);
      tensor.data = at + staged;
      staged += aligned(bytes);
    }
    auto** from = reinterpret_cast<std::byte const**>(staging.get() + staged);
    auto** const addresses = reinterpret_cast<std::byte const**>(at + staged);
    for (FeatureRun const& run : runs)
      for (std::size_t i = 0; i < run.rows; ++i) *from++ = run.data + i * row_bytes;
    stream_.copy(at, staging.get(), staged + rows.rows * sizeof *addresses, "upload");
    gather_rows(stream_, addresses, rows.rows, row_bytes, features.data);
  }

  /// For all but the features of such a batch, and their rows' addresses.
  [[nodiscard]] MappedArray<std::byte> take_staging(Batch const& rows) {
    std::size_t bytes = rows.rows * sizeof(std::byte const*);
    for (Role const role : tensor_roles)
      if (role != Role::feature) bytes += aligned(rows.rows * rows.tensor(role).row_bytes());
    while (!stagings_.empty()) {
      MappedArray<std::byte> last = std::move(stagings_.back());
      stagings_.pop_back();
      if (last.size() >= bytes) return last;
    }
    return {bytes, "labels and addresses of rows"};
  }

  void give_up_sources() {
    while (!sources_.empty() && cudaEventQuery(sources_.front().is_read.get()) == cudaSuccess) {
      if (sources_.front().staging.size() != 0) stagings_.push_back(std::move(sources_.front().staging));
      sources_.pop_front();
    }
  }

  std::shared_ptr<SlabPool> pool_;
  std::deque<Source> sources_;                    ///< in the order of their copies
  std::vector<MappedArray<std::byte>> stagings_;  ///< that nobody reads
  Stream stream_;
};

}  // namespace

std::unique_ptr<BatchUploader> make_uploader(std::shared_ptr<Engine> engine) {
  return std::make_unique<Uploader>(engine);
}

}  // namespace penstock::cuda
