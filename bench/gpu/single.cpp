// What is measured one chunk at a time: encoding, and how long a small chunk takes.

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "bench/gpu/bench.hpp"
#include "cuda/formats/recordio.hpp"
#include "formats/recordio/write_rows.hpp"

namespace penstock::bench {
namespace {

void time_encoder(Bench& bench, Figure& figure) {
  Input const& input = bench.input(figure.input);
  Slots const slots = bench.pinned_slots(input, figure.slot_bytes, 1);
  KernelTimes times;
  cuda::StreamOptions options;
  options.is_timed = true;
  options.trace = &times;
  BenchLane lane(bench.engine(), input, figure.slot_bytes, options);
  auto const encoder =
      cuda::make_recordio_encoder(input.layout(), recordio::WriteOptions{}, lane.limits().rows, lane.stream());
  double bytes = 0, seconds = 0;
  auto const encode = [&](std::size_t i) {
    Batch rows;
    lane.decode_for_rows(slots, i, rows);
    lane.stream().wait();
    times.clear();
    bytes += static_cast<double>(encoder->encode(rows).size_bytes);
    lane.stream().wait();
    seconds += times.seconds();
  };
  encode(0);  // warms up
  std::map<std::string, double> by_kernel;
  for (int run = 0; run < bench.settings().repeat; ++run) {
    bytes = seconds = 0;
    do {
      for (std::size_t i = 0; i < slots.chunks.size(); ++i) {
        encode(i);
        for (auto const& [name, kernel] : times.kernels()) by_kernel[name] += kernel.seconds;
      }
    } while (seconds < bench.settings().run_seconds / 4);  // most of a pass is decoding
    figure.runs.push_back(bytes / seconds * 1e-9);
  }
  double all = 0;
  for (auto const& [name, each] : by_kernel) all += each;
  for (auto const& [name, each] : by_kernel) figure.details.emplace_back("share " + name, each / all);
  figure.details.emplace_back("device bytes", static_cast<double>(encoder->device_bytes()));
}

/// Element number share * count of sorted numbers.
double percentile(std::vector<double> const& sorted, double share) {
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

void time_chunks(Bench& bench, Figure& figure, bool polls) {
  Input const& input = bench.input(figure.input);
  Slots const slots = bench.pinned_slots(input, figure.slot_bytes, 1);
  cuda::StreamOptions options;
  options.polls = polls;
  BenchLane lane(bench.engine(), input, figure.slot_bytes, options);
  std::size_t const samples = bench.settings().is_quick ? 4 : 500;
  std::vector<double> all;
  for (int run = 0; run <= bench.settings().repeat; ++run) {
    std::vector<double> sorted;
    for (std::size_t i = 0; i < samples; ++i) {
      Clock::time_point const begin = Clock::now();
      lane.decode(slots, i % slots.chunks.size());
      sorted.push_back(seconds_since(begin) * 1e6);
    }
    if (run == 0) continue;  // warms up
    all.insert(all.end(), sorted.begin(), sorted.end());
    std::sort(sorted.begin(), sorted.end());
    figure.runs.push_back(percentile(sorted, 0.5));
  }
  std::sort(all.begin(), all.end());
  figure.details.emplace_back("p50", percentile(all, 0.5));
  figure.details.emplace_back("p99", percentile(all, 0.99));
  figure.details.emplace_back("least", all.front());
  figure.details.emplace_back("most", all.back());
  figure.details.emplace_back("samples", static_cast<double>(all.size()));
}

}  // namespace

void measure_encoders(Bench& bench) {
  for (std::string_view const name : {"higgs", "compact", "wide", "libsvm", "recordio_sparse"}) {
    if (!bench.wants(name)) continue;
    bench.figure({"encode", std::string(name), bench.slot(16), 1, "GB/s", {}, {}},
                 [&](Figure& figure) { time_encoder(bench, figure); });
  }
}

void measure_latency(Bench& bench) {
  for (std::string_view const name : {"higgs", "compact", "libsvm", "recordio", "deepar"}) {
    if (!bench.wants(name)) continue;
    for (bool const polls : {true, false}) {
      bench.figure({polls ? "latency" : "latency_asleep", std::string(name), bench.slot(1), 1, "us", {}, {}},
                   [&](Figure& figure) { time_chunks(bench, figure, polls); });
    }
  }
}

}  // namespace penstock::bench
