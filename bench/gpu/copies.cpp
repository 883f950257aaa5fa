// What the link and the device's memory carry: nothing that decodes is faster.

#include <cuda_runtime.h>

#include <algorithm>
#include <utility>

#include "bench/gpu/bench.hpp"
#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"

namespace penstock::bench {
namespace {

/// Copies between two buffers of each side, in pieces as large as a slot, so that caches do not hold what is copied.
struct Sides {
  char* host;
  char* device;
  std::size_t half_bytes;  ///< one half of either is read, or written, at a time
  std::size_t piece_bytes;

  [[nodiscard]] std::size_t pieces() const { return half_bytes / piece_bytes; }
  [[nodiscard]] std::size_t size_bytes() const { return pieces() * piece_bytes; }
};

template <class Copy>
void each_piece(Sides const& sides, Copy copy) {
  for (std::size_t i = 0; i < sides.pieces(); ++i) copy(i * sides.piece_bytes);
}

class Copies {
 public:
  Copies(Bench& bench, Sides const& sides) : bench_(bench), sides_(sides) {}

  void to_device() {
    run("host_to_device", 1, [&] {
      each_piece(sides_, [&](std::size_t at) { in_.copy(sides_.device + at, sides_.host + at, size(), "copy in"); });
      in_.wait();
    });
  }
  void to_host() {
    run("device_to_host", 1, [&] {
      each_piece(sides_, [&](std::size_t at) { out_.copy(sides_.host + at, sides_.device + at, size(), "copy out"); });
      out_.wait();
    });
  }
  /// As much either way; the figure is the sum.
  void both_ways() {
    std::size_t const other = sides_.half_bytes;
    run("both_ways", 2, [&] {
      each_piece(sides_, [&](std::size_t at) {
        in_.copy(sides_.device + at, sides_.host + at, size(), "copy in");
        out_.copy(sides_.host + other + at, sides_.device + other + at, size(), "copy out");
      });
      in_.wait();
      out_.wait();
    });
  }
  /// Every byte is read once and written once; the figure counts both.
  void on_device() {
    std::size_t const other = sides_.half_bytes;
    run(
        "device_memory", 2,
        [&] {
          for (int i = 0; i < 8; ++i)  // a pass of one copy would be too short for the host's clock
            in_.copy(sides_.device + other, sides_.device, sides_.half_bytes, "copy");
          in_.wait();
        },
        8 * sides_.half_bytes);
  }

 private:
  [[nodiscard]] std::size_t size() const { return sides_.piece_bytes; }

  template <class Pass>
  void run(char const* name, int counted, Pass pass, std::size_t pass_bytes = 0) {
    Figure figure{"copies", name, sides_.piece_bytes, 0, "GB/s", {}, {}};
    bench_.figure(std::move(figure), [&](Figure& out) {
      std::size_t passes = 0;
      std::vector<double> const seconds = bench_.timed_runs(pass, passes);
      std::size_t const bytes = passes * (pass_bytes == 0 ? sides_.size_bytes() : pass_bytes);
      out.runs = rates(static_cast<double>(bytes) * counted, seconds);
    });
  }

  Bench& bench_;
  Sides sides_;
  cuda::Stream in_, out_;
};

}  // namespace

void measure_copies(Bench& bench) {
  bench.engine().use();
  std::size_t const half = bench.pinned().size_bytes() / 2;
  cuda::DeviceArray<char> const device(2 * half, "copies");
  std::fill_n(bench.pinned().data(), 2 * half, 'x');  // pages are there before they are measured
  for (std::size_t const piece : {bench.slot(16), bench.slot(1)}) {
    Copies copies(bench, {bench.pinned().data(), device.get(), half, piece});
    copies.to_device();
    copies.to_host();
    copies.both_ways();
    if (piece == bench.slot(16)) copies.on_device();
    if (bench.settings().is_quick) break;
  }
}

}  // namespace penstock::bench
