// Decoding, measured in three ways: kernels by the device's clock; several lanes at once on text that lies on the
// device; and from pinned memory of the host to tensors on the device.

#include <cuda_runtime.h>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/gpu/bench.hpp"
#include "cuda/exec/check.hpp"

namespace penstock::bench {
namespace {

std::size_t device_bytes_free() {
  std::size_t free_bytes = 0, total_bytes = 0;
  PENSTOCK_CUDA_CHECK(cudaMemGetInfo(&free_bytes, &total_bytes));
  return free_bytes;
}

double per_chunk(std::size_t count, std::size_t chunks) {
  return static_cast<double>(count) / static_cast<double>(chunks);
}

/// --- one slot alone
/// ---------------------------------------------------------------------------------------------------

/// Decodes all slots, one after the other, with the times of every kernel.
void time_kernels(Bench& bench, Figure& figure) {
  Input const& input = bench.input(figure.input);
  Slots const slots = bench.pinned_slots(input, figure.slot_bytes, 1);
  KernelTimes times;
  cuda::StreamOptions options;
  options.is_timed = true;
  options.trace = &times;
  BenchLane lane(bench.engine(), input, figure.slot_bytes, options);
  for (std::size_t i = 0; i < slots.chunks.size(); ++i) lane.decode(slots, i);  // warms up
  double all_seconds = 0;
  std::map<std::string, double> by_kernel;
  std::size_t launches = 0, passes = 0;
  for (int run = 0; run < bench.settings().repeat; ++run) {
    times.clear();
    std::size_t const done = passes;
    do {
      for (std::size_t i = 0; i < slots.chunks.size(); ++i) lane.decode(slots, i);
      ++passes;
    } while (times.seconds() < bench.settings().run_seconds / 4);  // most of a pass is copying
    double const bytes = static_cast<double>(slots.text_bytes) * static_cast<double>(passes - done);
    figure.runs.push_back(bytes / times.seconds() * 1e-9);
    for (auto const& [name, kernel] : times.kernels()) by_kernel[name] += kernel.seconds;
    all_seconds += times.seconds();
    launches += times.launches();
  }
  double const text_bytes = static_cast<double>(slots.text_bytes) * static_cast<double>(passes);
  for (auto const& [name, seconds] : by_kernel) {
    figure.details.emplace_back("share " + name, seconds / all_seconds);
    figure.details.emplace_back("GB/s " + name, text_bytes / seconds * 1e-9);
  }
  figure.details.emplace_back("launches a chunk", per_chunk(launches, passes * slots.chunks.size()));
}

// --- lanes ----------------------------------------------------------------------------------------------------------

/// Lanes that take chunks from one list, as many times over as are asked for.
class Lanes {
 public:
  Lanes(Bench& bench, Input const& input, std::size_t slot_bytes, unsigned count) : engine_(bench.engine()) {
    for (unsigned i = 0; i < count; ++i)
      lanes_.push_back(std::make_unique<BenchLane>(engine_, input, slot_bytes, cuda::StreamOptions{}));
  }

  void decode(Slots const& slots, std::size_t passes) {
    std::atomic<std::size_t> next = 0;
    std::size_t const end = passes * slots.chunks.size();
    std::vector<std::jthread> threads;
    for (auto& lane : lanes_) {
      threads.emplace_back([&] {
        try {
          engine_.use();
          for (std::size_t i = next++; i < end; i = next++) lane->decode(slots, i % slots.chunks.size());
        } catch (...) {
          std::lock_guard const lock(mutex_);
          problem_ = std::current_exception();
          next = end;
        }
      });
    }
    threads.clear();
    if (problem_) std::rethrow_exception(problem_);
  }

  [[nodiscard]] std::size_t device_bytes() const {
    std::size_t sum = 0;
    for (auto const& lane : lanes_) sum += lane->device_bytes();
    return sum;
  }

 private:
  cuda::Engine& engine_;
  std::vector<std::unique_ptr<BenchLane>> lanes_;
  std::mutex mutex_;
  std::exception_ptr problem_;
};

void time_lanes(Bench& bench, Figure& figure, Slots const& slots) {
  Input const& input = bench.input(figure.input);
  bench.engine().use();
  std::size_t const free_before = device_bytes_free();
  Lanes lanes(bench, input, figure.slot_bytes, figure.lanes);
  std::size_t const free_with = device_bytes_free();
  auto const once = [&](std::size_t passes) {
    Clock::time_point const begin = Clock::now();
    lanes.decode(slots, passes);
    return seconds_since(begin);
  };
  (void)once(1);  // warms up
  std::size_t const passes = static_cast<std::size_t>(bench.settings().run_seconds / once(1)) + 1;
  std::vector<double> seconds;
  double const cpu_before = processor_seconds();
  Clock::time_point const begin = Clock::now();
  for (int run = 0; run < bench.settings().repeat; ++run) seconds.push_back(once(passes));
  double const cpu = processor_seconds() - cpu_before, wall = seconds_since(begin);
  figure.runs = rates(static_cast<double>(slots.text_bytes) * static_cast<double>(passes), seconds);
  figure.details.emplace_back("cores", cpu / wall);
  figure.details.emplace_back("device bytes", static_cast<double>(lanes.device_bytes()));
  figure.details.emplace_back("device bytes taken", static_cast<double>(free_before) - static_cast<double>(free_with));
  figure.details.emplace_back("pinned text bytes", static_cast<double>((figure.lanes + 2) * figure.slot_bytes));
}

Figure figure_of(char const* section, std::string_view input, std::size_t slot_bytes, unsigned lanes) {
  return {section, std::string(input), slot_bytes, lanes, "GB/s", {}, {}};
}

void tensors(Bench& bench, std::string_view name, std::size_t slot_bytes, unsigned lanes) {
  bench.figure(figure_of("tensors", name, slot_bytes, lanes), [&](Figure& figure) {
    time_lanes(bench, figure, bench.pinned_slots(bench.input(name), slot_bytes, lanes));
  });
}
void overlap(Bench& bench, std::string_view name, std::size_t slot_bytes, unsigned lanes) {
  bench.figure(figure_of("overlap", name, slot_bytes, lanes), [&](Figure& figure) {
    time_lanes(bench, figure, bench.device_slots(bench.input(name), slot_bytes, lanes));
  });
}
void kernels(Bench& bench, std::string_view name, std::size_t slot_bytes) {
  bench.figure(figure_of("kernels", name, slot_bytes, 1), [&](Figure& figure) { time_kernels(bench, figure); });
}

template <class Use>
void each_kind(Bench& bench, Use use) {
  for (TextKind const& kind : text_kinds())
    if (bench.wants(kind.name)) use(kind);
}

}  // namespace

void measure_kernels(Bench& bench) {
  each_kind(bench, [&](TextKind const& kind) { kernels(bench, kind.name, bench.slot(16)); });
}

void measure_overlap(Bench& bench) {
  for (unsigned const lanes : {3u, 2u, 1u})
    each_kind(bench, [&](TextKind const& kind) {
      if (!kind.is_read_by_host) overlap(bench, kind.name, bench.slot(16), lanes);
    });
}

void measure_tensors(Bench& bench) {
  for (unsigned const lanes : {3u, 2u, 1u})
    each_kind(bench, [&](TextKind const& kind) { tensors(bench, kind.name, bench.slot(16), lanes); });
}

void measure_slots(Bench& bench) {
  if (bench.settings().is_quick) return;
  for (std::size_t const mebibytes :
       {std::size_t{1}, std::size_t{64}, std::size_t{4}, std::size_t{32}, std::size_t{8}, std::size_t{2}}) {
    for (std::string_view const name : {"higgs", "compact", "libsvm", "recordio", "deepar"}) {
      if (!bench.wants(name)) continue;
      kernels(bench, name, mebibytes << 20);
      tensors(bench, name, mebibytes << 20, 3);
    }
  }
}

}  // namespace penstock::bench
