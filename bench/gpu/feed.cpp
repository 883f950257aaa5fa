// What feeding costs a training step: kernels of a stand-in for training, alone and with batches of a loader that are
// handed over in its stream. The wall's time.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

#include "bench/gpu/bench.hpp"
#include "cuda/exec/tile_summaries.hpp"
#include "penstock/loader.hpp"

namespace penstock::bench {
namespace {

constexpr double text_rate = 5e9;  ///< bytes a second that training takes
constexpr std::size_t columns = 28;
constexpr double step_seconds = 0.005;

/// A file of the input's text, some of it many times over, gone at the end.
class TextFile {
 public:
  TextFile(std::string const& text, std::size_t size_bytes) {
    int const descriptor = ::mkstemp(path_.data());
    if (descriptor < 0) throw std::runtime_error("no file can be made in /tmp");
    for (std::size_t written = 0; written < size_bytes; written += text.size()) {
      if (::write(descriptor, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        throw std::runtime_error(path_ + " cannot be written");
    }
    ::close(descriptor);
  }
  ~TextFile() { ::unlink(path_.c_str()); }
  TextFile(TextFile const&) = delete;
  TextFile& operator=(TextFile const&) = delete;
  [[nodiscard]] std::string const& path() const { return path_; }

 private:
  std::string path_ = "/tmp/penstock-feed-XXXXXX";
};

/// Reads a matrix in device memory over and over.
class Training {
 public:
  explicit Training(Bench& bench)
      : rows_((bench.settings().is_quick ? 8 : 2048) * statistics::tile_rows),
        stream_((bench.engine().use(), cuda::StreamOptions{})),
        data_(rows_ * columns, "what training reads"),
        summaries_(rows_ / statistics::tile_rows * columns, "what training writes") {
    stream_.fill(data_.get(), 0, data_.size_bytes());
    step(1);
    Clock::time_point const begin = Clock::now();
    step(1);
    double const once = seconds_since(begin);
    passes_ = bench.settings().is_quick ? 1 : std::max<std::size_t>(1, static_cast<std::size_t>(step_seconds / once));
  }

  void step() { step(passes_); }
  [[nodiscard]] std::uintptr_t stream() const { return reinterpret_cast<std::uintptr_t>(stream_.get()); }

 private:
  void step(std::size_t passes) {
    Dense const values{reinterpret_cast<std::byte*>(data_.get()), DType::float32, rows_, columns};
    for (std::size_t i = 0; i < passes; ++i) cuda::summarize_tiles(stream_, values, summaries_.get());
    stream_.wait();
  }

  std::size_t rows_;
  cuda::Stream stream_;
  cuda::DeviceArray<float> data_;
  cuda::DeviceArray<statistics::Summary> summaries_;
  std::size_t passes_ = 1;
};

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Seconds of `steps` steps, each of which does `before` first.
template <class Before>
double median_step(Training& training, std::size_t steps, Before before) {
  std::vector<double> seconds;
  for (std::size_t i = 0; i < steps; ++i) {
    Clock::time_point const begin = Clock::now();
    before();
    training.step();
    seconds.push_back(seconds_since(begin));
  }
  return median_of(std::move(seconds));
}

void time_feeding(Bench& bench, Figure& figure) {
  Input const& input = bench.input(figure.input);
  std::string const& text = input.text.bytes;
  TextFile const file(text, bench.settings().is_quick ? text.size() : std::size_t{512} << 20);
  Training training(bench);
  std::size_t const steps = bench.settings().is_quick ? 3 : 100;
  double const alone = median_step(training, steps, [] {});
  double const row_bytes = static_cast<double>(text.size()) / static_cast<double>(input.text.ends.size());
  LoaderOptions options;
  options.paths = {file.path()};
  options.label = "0";
  options.device = "cuda";
  options.batch_size = std::max<std::size_t>(1, static_cast<std::size_t>(text_rate * alone / row_bytes));
  if (bench.settings().is_quick) options.batch_size = 16;
  options.memory_bytes = std::size_t{2} << 30;
  options.more = {{"device-priority", "low"}, {"header", "no"}};
  Loader loader(options);
  SharedBatch batch;
  auto const feed = [&] {
    if (!loader.next(batch) && !loader.next(batch)) throw std::runtime_error("a loader without batches");
    if (batch.on_device == nullptr) throw std::runtime_error("batches do not lie on the device");
    batch.on_device->make_stream_wait(training.stream());
    batch.on_device->used_in(training.stream());
  };
  for (int run = -1; run < bench.settings().repeat; ++run) {
    double const without = median_step(training, steps, [] {});
    double const with = median_step(training, steps, feed);
    if (run >= 0) figure.runs.push_back(100 * (with / without - 1));  // the first warms up
  }
  figure.details.emplace_back("ms a step alone", 1e3 * alone);
  figure.details.emplace_back("GB/s of text", row_bytes * static_cast<double>(options.batch_size) / alone * 1e-9);
  LoaderMetrics const metrics = loader.metrics();
  figure.details.emplace_back("share waited", metrics.waited_seconds / metrics.seconds);
}

}  // namespace

void measure_feeding(Bench& bench) {
  for (char const* const name : {"higgs"}) {
    if (!bench.wants(name)) continue;
    Figure figure;
    figure.section = "feed";
    figure.input = name;
    figure.unit = "% slower";
    bench.figure(figure, [&](Figure& f) { time_feeding(bench, f); });
  }
}

}  // namespace penstock::bench
