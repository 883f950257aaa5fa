// libsvm text in memory to CSR batches: cutter and decoder on one thread, faults and order included, no files.
//
//   libsvm_decode [FILE] [--pairs N] [--index-max N] [--megabytes N] [--portable] [--repeat N]
//
// Without a file the text is lines of `label index:0.123456 ...`, made up. Prints decimal GB/s of text: minimum, median
// and maximum of N runs after one that warms up. Pin it to one core: taskset -c 1 libsvm_decode

#include <algorithm>
#include <bit>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// Everything that does not name an instruction set comes before the region that is compiled for AVX2.
#include "formats/core/format.hpp"
#include "formats/core/line_counter.hpp"
#include "formats/core/line_ends.hpp"
#include "formats/libsvm/encode.hpp"
#include "formats/libsvm/grammar.hpp"
#include "formats/libsvm/order.hpp"
#include "formats/libsvm/plan.hpp"
#include "formats/libsvm/scout.hpp"
#include "formats/libsvm/words.hpp"
#if defined(__x86_64__)
#include "host/exec/avx2.hpp"
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2")
#endif
#endif

#include "formats/core/lines.hpp"
#include "formats/libsvm/cut.hpp"
#include "formats/libsvm/decode.hpp"

#if defined(__x86_64__)
template class penstock::libsvm::Decoder<penstock::Avx2>;
template class penstock::libsvm::Cutter<penstock::Avx2>;
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

namespace {

using namespace penstock;

struct Arguments {
  std::string file;
  std::size_t pairs = 100;
  std::size_t index_max = 999999;
  std::size_t megabytes = 200;
  bool is_portable = false;
  int repeat = 5;
};

Arguments parse(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    std::string_view const word = words[i];
    auto const number = [&] { return std::strtoul(i + 1 < count ? words[++i] : "0", nullptr, 10); };
    if (word == "--pairs")
      arguments.pairs = number();
    else if (word == "--index-max")
      arguments.index_max = number();
    else if (word == "--megabytes")
      arguments.megabytes = number();
    else if (word == "--repeat")
      arguments.repeat = static_cast<int>(number());
    else if (word == "--portable")
      arguments.is_portable = true;
    else
      arguments.file = word;
  }
  return arguments;
}

/// Ascending indices, spread evenly up to the greatest, and six decimals.
std::string made_up(Arguments const& arguments) {
  std::mt19937_64 random(1);
  std::string text;
  std::size_t const step = std::max<std::size_t>(1, arguments.index_max / arguments.pairs);
  while (text.size() < arguments.megabytes * 1000000) {
    text += random() % 2 != 0 ? "1" : "0";
    for (std::size_t i = 0; i < arguments.pairs; ++i) {
      char pair[64];
      std::snprintf(pair, sizeof pair, " %zu:0.%06u", i * step + random() % step,
                    static_cast<unsigned>(random() % 1000000));
      text += pair;
    }
    text += '\n';
  }
  return text;
}

std::string read_file(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The reader's default slot.
constexpr std::size_t slot_bytes = std::size_t{2} << 20;
constexpr std::size_t record_max = std::size_t{16} << 20;

struct Pass {
  double seconds = 0;
  std::size_t rows = 0;
  std::size_t pairs = 0;
  std::size_t faults = 0;
  double sum = 0;  ///< of a sample of the values, so that nothing can be left out
};

template <class Isa>
class Run {
 public:
  explicit Run(libsvm::Plan const& plan)
      : cutter_(plan, record_max),
        decoder_(plan),
        rows_(plan.layout, capacity_),
        slot_(std::make_unique<char[]>(record_max + slot_bytes + 2 * text_padding + 1)),
        rejects_(1024),
        faults_(4096) {}

  Pass pass(std::string_view text) {
    pass_ = {};
    cutter_.restart();
    auto const begin = std::chrono::steady_clock::now();
    std::size_t at = 0, size = slot_bytes;
    for (;;) {
      std::size_t const filled = std::min(size, text.size() - at);
      bool const is_end = filled < size;
      char* const data = slot_.get() + text_padding;
      std::memcpy(data, text.data() + at, filled);
      Cut const cut = cutter_.cut(data, static_cast<std::uint32_t>(filled), is_end, rejects_);
      size = cut.whole == 0 ? record_max + slot_bytes : slot_bytes;
      Chunk chunk;
      chunk.text = {data, cut.whole};
      chunk.stamp.offset_bytes = at;
      chunk.rejects = std::span<Reject const>(rejects_).first(cut.rejects);
      if (cut.whole > 0) decode(chunk);
      at += std::min<std::size_t>(cut.whole, filled);
      if (is_end && at == text.size()) break;
    }
    pass_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return pass_;
  }

 private:
  void decode(Chunk const& chunk) {
    decoder_.begin(chunk);
    for (bool is_done = false; !is_done;) {
      FaultLog faults(faults_);
      RoundCounts counts;
      Decoded const decoded = decoder_.next(rows_.view(capacity_.rows), capacity_, faults, counts);
      if (decoded.is_stuck) std::abort();
      is_done = decoded.ends_chunk;
      Batch const batch = rows_.view(decoded.rows);
      std::size_t const pairs = capacity_of(batch).pairs;
      float const* const values = batch.csr.values_as<float>();
      for (std::size_t i = 0; i < pairs; i += 97) pass_.sum += values[i] == values[i] ? values[i] : 0;
      pass_.rows += decoded.rows;
      pass_.pairs += pairs;
      pass_.faults += faults.size();
    }
  }

  static constexpr BatchCapacity capacity_ = {slot_bytes / 8, slot_bytes / 4, 0, 0, 0};
  libsvm::Cutter<Isa> cutter_;
  libsvm::Decoder<Isa> decoder_;
  BatchBuffer rows_;
  std::unique_ptr<char[]> slot_;
  std::vector<Reject> rejects_;
  std::vector<Fault> faults_;
  Pass pass_;
};

/// The plan that the first record asks for; indices count from 0.
libsvm::Plan plan_of(std::string const& text) {
  libsvm::Options options;
  options.index_base = libsvm::IndexBase::zero;
  libsvm::Scout scout(options, {record_max, true});
  std::string const padding(text_padding, '\n');
  std::string const head = padding + text.substr(0, text.find('\n') + 1) + padding;
  Chunk chunk;
  chunk.text = {head.data() + text_padding, head.size() - 2 * text_padding};
  scout.look(chunk);
  return scout.plan();
}

template <class Isa>
void measure(Arguments const& arguments, std::string const& text, std::string_view isa) {
  Run<Isa> run(plan_of(text));
  std::vector<double> rates;
  Pass pass;
  for (int i = 0; i <= arguments.repeat; ++i) {
    pass = run.pass(text);
    if (i > 0) rates.push_back(static_cast<double>(text.size()) / pass.seconds * 1e-9);
  }
  std::sort(rates.begin(), rates.end());
  std::printf("%s  %.1f MB  %s  %zu rows  %zu pairs  %zu faults  sum %.9g  GB/s min %.3f median %.3f max %.3f\n",
              arguments.file.empty() ? "made up" : arguments.file.c_str(), static_cast<double>(text.size()) * 1e-6,
              std::string(isa).c_str(), pass.rows, pass.pairs, pass.faults, pass.sum, rates.front(),
              rates[rates.size() / 2], rates.back());
}

}  // namespace

int main(int count, char** words) {
  Arguments const arguments = parse(count, words);
  std::string const text = arguments.file.empty() ? made_up(arguments) : read_file(arguments.file);
  if (text.empty() || arguments.repeat < 1 || arguments.pairs < 1) {
    std::fprintf(stderr,
                 "libsvm_decode [FILE] [--pairs N] [--index-max N] [--megabytes N] [--portable] [--repeat N]\n");
    return 2;
  }
#if defined(__x86_64__)
  bool const has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
  if (has_avx2 && !arguments.is_portable) {
    measure<Avx2>(arguments, text, "avx2");
    return 0;
  }
#endif
  measure<Portable>(arguments, text, "portable");
  return 0;
}
