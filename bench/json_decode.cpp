// JSON lines in memory to batches: cutter and lane on one thread, validation and faults included, no files.
//
//   json_decode deepar|objects [FILE] [--columns LIST] [--megabytes N] [--portable] [--repeat N]
//
// Without a file the text is that of `penstock synth deepar` or `objects`; of objects five keys of twenty are columns.
// Prints decimal GB/s of text: minimum, median and maximum of N runs after one that warms up. Pin it to one core:
// taskset -c 1 json_decode deepar

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/formats.hpp"
#include "host/app/synth.hpp"
#include "host/exec/engine.hpp"
#include "host/exec/lanes.hpp"
#include "penstock/chunk.hpp"

namespace {

using namespace penstock;

struct Arguments {
  std::string kind;
  std::string file;
  std::string columns = "price,count,rating,latitude,is_gift";  ///< of objects
  std::size_t megabytes = 200;
  bool is_portable = false;
  int repeat = 5;
};

Arguments parse(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    std::string_view const word = words[i];
    auto const number = [&] { return std::strtoul(i + 1 < count ? words[++i] : "0", nullptr, 10); };
    if (word == "--columns" && i + 1 < count)
      arguments.columns = words[++i];
    else if (word == "--megabytes")
      arguments.megabytes = number();
    else if (word == "--repeat")
      arguments.repeat = static_cast<int>(number());
    else if (word == "--portable")
      arguments.is_portable = true;
    else
      (arguments.kind.empty() ? arguments.kind : arguments.file) = word;
  }
  return arguments;
}

std::string made_up(std::string const& kind, std::size_t megabytes) {
  app::SynthOptions options;
  options.kind = kind;
  options.rows = ~std::uint64_t{0} >> 1;
  std::string text;
  for (std::uint64_t block = 0; text.size() < megabytes * 1000000; ++block) text += synthesize_block(options, block);
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
  std::size_t values = 0;
  std::size_t faults = 0;
  double sum = 0;  ///< of a sample of the values, so that nothing can be left out
};

template <class Format>
class Run {
 public:
  Run(typename Format::Plan const& plan, InstructionSet isa)
      : plan_(plan),
        options_(lane_options()),
        cutter_(make_cutter<Format>(isa, plan_, record_max)),
        lane_(make_host_lane<Format>(isa, plan_, options_)),
        round_(lane_->make_round()),
        slot_(std::make_unique<char[]>(record_max + slot_bytes + 2 * text_padding + 1)),
        rejects_(1024) {}

  Pass pass(std::string_view text) {
    pass_ = {};
    cutter_->restart();
    auto const begin = std::chrono::steady_clock::now();
    std::size_t at = 0, size = slot_bytes;
    for (;;) {
      std::size_t const filled = std::min(size, text.size() - at);
      bool const is_end = filled < size;
      char* const data = slot_.get() + text_padding;
      std::memcpy(data, text.data() + at, filled);
      Cut const cut = cutter_->cut(data, static_cast<std::uint32_t>(filled), is_end, rejects_);
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
  static LaneOptions lane_options() {
    LaneOptions options;
    options.capacity = {slot_bytes / 16, slot_bytes / 4, 0, 0, slot_bytes, {slot_bytes / 2, slot_bytes / 2}};
    options.faults_max = 4096;
    options.text_bytes = slot_bytes;
    options.grown_bytes_max = std::size_t{1} << 30;
    return options;
  }

  void decode(Chunk const& chunk) {
    lane_->begin(chunk);
    do {
      lane_->next(*round_);
      if (round_->wants_turn) std::abort();
      take(round_->batch);
      pass_.faults += round_->faults.size();
    } while (!round_->ends_chunk);
  }

  void take(Batch const& batch) {
    pass_.rows += batch.rows;
    Dense const& features = batch.features;
    pass_.values += batch.rows * features.columns;
    for (std::size_t i = 0; i < batch.rows * features.columns; i += 97) {
      float const value = features.as<float>()[i];
      pass_.sum += value == value ? value : 0;
    }
    for (Ragged const& list : batch.lists) {
      if (list.offsets == nullptr || batch.rows == 0) continue;
      auto const count = static_cast<std::size_t>(list.offsets[batch.rows]);
      pass_.values += count;
      if (list.dtype != DType::float32) continue;
      float const* const values = list.as<float>();
      for (std::size_t i = 0; i < count; i += 97) pass_.sum += values[i] == values[i] ? values[i] : 0;
    }
  }

  typename Format::Plan plan_;
  LaneOptions options_;
  std::unique_ptr<Cutter> cutter_;
  std::unique_ptr<Lane> lane_;
  std::unique_ptr<Round> round_;
  std::unique_ptr<char[]> slot_;
  std::vector<Reject> rejects_;
  Pass pass_;
};

/// The plan that the first record asks for.
template <class Format>
typename Format::Plan plan_of(std::string const& text, Arguments const& arguments) {
  typename Format::Options wanted;
  for (auto const& option : Format::options) {
    if (option.name == "columns") option.set(wanted, arguments.columns);
  }
  typename Format::Scout scout(wanted, {record_max, true, false});
  std::string const padding(text_padding, '\n');
  std::string const head = padding + text.substr(0, text.find('\n') + 1) + padding;
  Chunk chunk;
  chunk.text = {head.data() + text_padding, head.size() - 2 * text_padding};
  scout.look(chunk);
  return scout.plan();
}

template <class Format>
void measure(Arguments const& arguments, std::string const& text) {
  InstructionSet const isa = arguments.is_portable ? InstructionSet::portable : best_instruction_set();
  Run<Format> run(plan_of<Format>(text, arguments), isa);
  std::vector<double> rates;
  Pass pass;
  for (int i = 0; i <= arguments.repeat; ++i) {
    pass = run.pass(text);
    if (i > 0) rates.push_back(static_cast<double>(text.size()) / pass.seconds * 1e-9);
  }
  std::sort(rates.begin(), rates.end());
  std::printf("%s  %s  %.1f MB  %s  %zu rows  %zu values  %zu faults  sum %.9g  GB/s min %.3f median %.3f max %.3f\n",
              arguments.kind.c_str(), arguments.file.empty() ? "made up" : arguments.file.c_str(),
              static_cast<double>(text.size()) * 1e-6, isa == InstructionSet::avx2 ? "avx2" : "portable", pass.rows,
              pass.values, pass.faults, pass.sum, rates.front(), rates[rates.size() / 2], rates.back());
}

}  // namespace

int main(int count, char** words) {
  Arguments const arguments = parse(count, words);
  bool const is_known = arguments.kind == "deepar" || arguments.kind == "objects";
  if (!is_known || arguments.repeat < 1) {
    std::fprintf(stderr,
                 "json_decode deepar|objects [FILE] [--columns LIST] [--megabytes N] [--portable] [--repeat N]\n");
    return 2;
  }
  std::string const text =
      arguments.file.empty() ? made_up(arguments.kind, arguments.megabytes) : read_file(arguments.file);
  if (text.empty()) return 2;
  if (arguments.kind == "deepar")
    measure<deepar::Format>(arguments, text);
  else
    measure<objects::Format>(arguments, text);
  return 0;
}
