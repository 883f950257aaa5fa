/// What all measurements share: the device, memory for slots, inputs, and the clock that ends them.
#pragma once

#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/gpu/figure.hpp"
#include "bench/gpu/input.hpp"
#include "bench/gpu/lane.hpp"
#include "bench/gpu/texts.hpp"
#include "bench/gpu/times.hpp"
#include "cuda/exec/engine.hpp"
#include "cuda/exec/memory.hpp"
#include "penstock/error.hpp"
#include "penstock/executor.hpp"

namespace penstock::bench {

struct Settings {
  double limit_seconds = 600;      ///< no figure is begun later
  double run_seconds = 0.04;       ///< that a run takes at least
  int repeat = 5;                  ///< runs that count, after one that warms up
  bool is_quick = false;           ///< tiny sizes and one run: does it work at all?
  std::vector<std::string> names;  ///< of inputs; none: all
};

class Bench {
 public:
  Bench(cuda::Engine& engine, Settings const& settings);

  [[nodiscard]] cuda::Engine& engine() const { return engine_; }
  [[nodiscard]] Settings const& settings() const { return settings_; }
  /// A slot of so many bytes, or of the tiny size.
  [[nodiscard]] std::size_t slot(std::size_t mebibytes) const;
  [[nodiscard]] bool wants(std::string_view name) const;
  [[nodiscard]] Input const& input(std::string_view name);

  /// Slots in pinned memory, enough for all lanes and for more than the device's caches hold. Those of the call before
  /// are gone.
  [[nodiscard]] Slots pinned_slots(Input const& input, std::size_t slot_bytes, unsigned lanes);
  /// The same in device memory: decoders copy from there too.
  [[nodiscard]] Slots device_slots(Input const& input, std::size_t slot_bytes, unsigned lanes);
  [[nodiscard]] HostBuffer& pinned() const { return *pinned_; }

  /// Prints what `measure(figure)` has put into the figure, or why there is none.
  template <class Measure>
  void figure(Figure figure, Measure measure) {
    if (seconds_since(begun_) > settings_.limit_seconds) return print_left_out(figure, "no time was left");
    try {
      measure(figure);
      print(figure);
    } catch (Error const& error) {
      print_failed(figure, error.what());
    } catch (std::exception const& error) {
      print_failed(figure, error.what());
    }
  }

  /// Seconds of each run of as many passes as take the time of a run; `passes` gets their number.
  template <class Pass>
  [[nodiscard]] std::vector<double> timed_runs(Pass pass, std::size_t& passes) const {
    Clock::time_point begin = Clock::now();
    pass();
    double const once = seconds_since(begin);
    passes = once >= settings_.run_seconds ? 1 : static_cast<std::size_t>(settings_.run_seconds / once) + 1;
    std::vector<double> seconds;
    for (int run = 0; run <= settings_.repeat; ++run) {
      begin = Clock::now();
      for (std::size_t i = 0; i < passes; ++i) pass();
      if (run > 0) seconds.push_back(seconds_since(begin));
    }
    return seconds;
  }

 private:
  cuda::Engine& engine_;
  Settings settings_;
  Clock::time_point begun_ = Clock::now();
  std::unique_ptr<HostBuffer> pinned_;
  cuda::DeviceArray<char> device_;
  std::map<std::string, std::unique_ptr<Input>, std::less<>> inputs_;
};

/// Bytes of each run as 10^9 a second.
[[nodiscard]] std::vector<double> rates(double bytes, std::vector<double> const& seconds);

// The sections.
void measure_copies(Bench& bench);
void measure_kernels(Bench& bench);      ///< one slot alone: the device's own times
void measure_overlap(Bench& bench);      ///< text on the device, several lanes: the wall's time
void measure_tensors(Bench& bench);      ///< pinned text to tensors on the device: the wall's time
void measure_slots(Bench& bench);        ///< kernels and tensors with slots from 1 to 64 MiB
void measure_encoders(Bench& bench);     ///< tensors on the device to RecordIO there
void measure_latency(Bench& bench);      ///< slots of 1 MiB, one at a time
void measure_normalizers(Bench& bench);  ///< normalisers, summaries of tiles, texts looked up: data on the device
void measure_feeding(Bench& bench);      ///< a training step alone, and with a loader's batches: the wall's time
void measure_cut(
    Bench& bench);  ///< where records of CSV end: pinned text to the device and a cut there, or on the host

}  // namespace penstock::bench
