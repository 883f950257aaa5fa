// Kernels of normalisers and statistics on data in device memory, by the device's own clock. What they make is compared
// with what the CPU makes of the same, bit for bit, before it is measured.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/gpu/bench.hpp"
#include "cuda/exec/normalizer.hpp"
#include "cuda/exec/tile_summaries.hpp"
#include "cuda/exec/upload.hpp"
#include "cuda/formats/csv.hpp"
#include "formats/csv/plan.hpp"
#include "formats/normalize/rows.hpp"
#include "formats/statistics/tile.hpp"
#include "host/app/synth.hpp"
#include "host/exec/normalizer.hpp"

namespace penstock::bench {
namespace {

using app::SynthRandom;
using normalize::Kind;

/// More than the caches of the largest device that we know hold.
constexpr std::size_t data_bytes = std::size_t{256} << 20;

class KernelBench {
 public:
  KernelBench(Bench& bench, Figure& figure)
      : bench_(bench), figure_(figure), stream_((bench.engine().use(), options(times_))) {}

  [[nodiscard]] cuda::Stream& stream() { return stream_; }
  [[nodiscard]] std::size_t data() const { return bench_.settings().is_quick ? std::size_t{32} << 10 : data_bytes; }

  /// Throws if `found`, in device memory, is not `expected`.
  template <class T>
  void compare(T const* found, std::span<T const> expected) {
    cuda::MappedArray<T> const here(expected.size(), "what the device made");
    stream_.copy(here.get(), found, expected.size_bytes(), "copy out");
    stream_.wait();
    if (std::memcmp(here.get(), expected.data(), expected.size_bytes()) != 0)
      throw std::runtime_error(figure_.input + ": the device does not make what the CPU makes");
  }

  /// `pass` enqueues kernels that read and write so many bytes.
  template <class Pass>
  void time(double bytes, Pass pass) {
    for (int run = -1; run < bench_.settings().repeat; ++run) {
      times_.clear();
      double all = 0;
      do {
        pass();
        stream_.wait();
        all += bytes;
      } while (times_.seconds() < bench_.settings().run_seconds);
      if (run >= 0) figure_.runs.push_back(all / times_.seconds() * 1e-9);  // the first warms up
    }
  }

 private:
  static cuda::StreamOptions options(KernelTimes& times) {
    cuda::StreamOptions options;
    options.is_timed = true;
    options.trace = &times;
    return options;
  }

  Bench& bench_;
  Figure& figure_;
  KernelTimes times_;
  cuda::Stream stream_;
};

/// Numbers from -1000 to 1000, one of 32 missing.
std::vector<float> any_values(std::size_t count) {
  SynthRandom random(1, 0);
  std::vector<float> values(count);
  for (float& value : values) {
    auto const bits = static_cast<std::uint32_t>(random.next());
    value = bits % 32 == 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(bits >> 8) / 8388.608f - 1000;
  }
  return values;
}

Normalizer::Parts parts_of(std::size_t columns, bool is_affine) {
  constexpr Kind kinds[] = {Kind::affine, Kind::log1p, Kind::power, Kind::clip, Kind::bucket, Kind::indicator};
  Normalizer::Parts parts;
  parts.features = columns;
  for (double edge = -900; edge < 1000; edge += 100) parts.edges.push_back(edge);
  for (std::uint32_t c = 0; c < columns; ++c) {
    Kind const kind = is_affine ? Kind::affine : kinds[c * std::size(kinds) / columns];
    if (parts.runs.empty() || parts.runs.back().kind != kind) parts.runs.push_back({kind, false, false, c, c, 0});
    ++parts.runs.back().count;
    double const a = kind == Kind::clip ? -500 : 0.5;
    parts.parameters.push_back({a, kind == Kind::clip ? 500 : 0.125, 3.0 * c, 0, 19});
  }
  return parts;
}

void time_rows(Bench& bench, Figure& figure, bool is_affine) {
  constexpr std::size_t columns = 28;
  KernelBench kernels(bench, figure);
  std::size_t const rows = kernels.data() / sizeof(float) / columns;
  std::vector<float> values = any_values(rows * columns);
  Normalizer const normalizer(parts_of(columns, is_affine));
  auto const there = cuda::uploaded<float>(kernels.stream(), values, "values");
  cuda::DeviceNormalizer on_device(kernels.stream(), normalizer.program(), DType::float32, rows);
  Batch batch;
  batch.features = {reinterpret_cast<std::byte*>(values.data()), DType::float32, rows, columns};
  batch.set_rows(rows);
  std::vector<float> expected(rows * columns);
  Dense const out{reinterpret_cast<std::byte*>(expected.data()), DType::float32, rows, columns};
  normalize::apply_rows(normalizer.program(), batch, out);
  batch.features.data = reinterpret_cast<std::byte*>(there.get());
  kernels.compare<float>(on_device.apply(batch).features.as<float>(), expected);
  kernels.time(2.0 * static_cast<double>(there.size_bytes()), [&] { (void)on_device.apply(batch); });
  figure.details.emplace_back("columns", columns);
}

void time_moments(Bench& bench, Figure& figure, std::size_t columns) {
  using statistics::tile_rows;
  KernelBench kernels(bench, figure);
  std::size_t const rows = kernels.data() / sizeof(float) / columns, tiles = (rows + tile_rows - 1) / tile_rows;
  std::vector<float> const values = any_values(rows * columns);
  auto const there = cuda::uploaded<float>(kernels.stream(), values, "values");
  cuda::DeviceArray<statistics::Summary> const summaries(tiles * columns, "summaries");
  Dense const matrix{reinterpret_cast<std::byte*>(there.get()), DType::float32, rows, columns};
  std::vector<statistics::Summary> expected(tiles * columns);
  for (std::size_t tile = 0; tile < tiles; ++tile)
    statistics::summarize_tile(values.data() + tile * tile_rows * columns, std::min(tile_rows, rows - tile * tile_rows),
                               columns, columns, expected.data() + tile * columns);
  cuda::summarize_tiles(kernels.stream(), matrix, summaries.get());
  kernels.compare<statistics::Summary>(summaries.get(), expected);
  kernels.time(static_cast<double>(there.size_bytes()),
               [&] { cuda::summarize_tiles(kernels.stream(), matrix, summaries.get()); });
  figure.details.emplace_back("columns", static_cast<double>(columns));
}

/// Lines of one text each, of 4 to 19 bytes, all of them words of the vocabulary.
struct Words {
  std::vector<std::string> vocabulary;
  std::vector<double> numbers;  ///< of the lines
  std::string lines;

  Words(std::size_t count, std::size_t size_bytes) {
    SynthRandom random(2, 0);
    for (std::size_t i = 0; i < count; ++i) {
      std::string const number = std::to_string(i);
      vocabulary.push_back(number + std::string(random.next() % 13 + 4 - std::min<std::size_t>(number.size(), 4), 'w'));
    }
    while (lines.size() < size_bytes) {
      std::size_t const word = random.next() % count;
      numbers.push_back(static_cast<double>(word));
      lines += vocabulary[word] + '\n';
    }
  }
};

/// Texts become numbers behind the passes that find and convert fields, which are measured with them.
void time_words(Bench& bench, Figure& figure, std::size_t words) {
  KernelBench kernels(bench, figure);
  Words const texts(words, kernels.data());
  VocabularyTable const table(texts.vocabulary);
  normalize::TextRule rule;
  rule.vocabulary = table.view();
  csv::Column const column{Role::category, 0};
  std::span<csv::Column const> const columns(&column, 1);
  csv::DecodePlan plan;
  plan.columns = {&columns, 1};
  plan.layout.categories = 1;
  plan.texts.rules = std::span(&rule, 1);
  std::size_t const size = texts.lines.size();
  cuda::MappedArray<char> const text(size + 2 * text_padding, "text");
  std::memcpy(text.get() + text_padding, texts.lines.data(), size);
  Chunk chunk;
  chunk.text = {text.get() + text_padding, size};
  BatchCapacity rows;
  rows.rows = texts.numbers.size();
  auto const decoder = cuda::make_csv_decoder(plan, {size, rows, 100}, kernels.stream());
  std::vector<Fault> memory(100);
  Batch batch;
  auto const decode = [&] {
    FaultLog faults(memory);
    RoundCounts counts;
    Decoded decoded;
    if (!decoder->begin(chunk) || !decoder->next(batch, faults, counts, decoded) || batch.rows != rows.rows)
      throw std::runtime_error(figure.input + ": the device does not decode all lines");
  };
  decode();
  kernels.compare<double>(batch.categories.as<double>(), texts.numbers);
  kernels.time(static_cast<double>(size), decode);
  figure.details.emplace_back("bytes a line", static_cast<double>(size) / static_cast<double>(rows.rows));
}

}  // namespace

void measure_normalizers(Bench& bench) {
  auto const figure = [&](std::string_view name, auto measure) {
    if (bench.wants(name)) bench.figure({"normalize", std::string(name), 0, 0, "GB/s", {}, {}}, measure);
  };
  figure("affine", [&](Figure& out) { time_rows(bench, out, true); });
  figure("six_kinds", [&](Figure& out) { time_rows(bench, out, false); });
  figure("moments_28", [&](Figure& out) { time_moments(bench, out, 28); });
  figure("moments_3", [&](Figure& out) { time_moments(bench, out, 3); });
  figure("moments_1000", [&](Figure& out) { time_moments(bench, out, 1000); });
  figure("words_100", [&](Figure& out) { time_words(bench, out, 100); });
  figure("words_1000000", [&](Figure& out) { time_words(bench, out, bench.settings().is_quick ? 1000 : 1000000); });
}

}  // namespace penstock::bench
