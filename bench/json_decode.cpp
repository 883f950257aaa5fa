// JSON lines in memory to batches: cutter and lane on one thread, validation and faults included, no files.
//
//   json_decode deepar|objects [FILE] [--columns LIST] [--megabytes N] [--portable] [--repeat N] [--threads N]
//               [--peer rapidjson]
//
// Without a file the text is that of `penstock synth deepar` or `objects`; of objects five keys of twenty are columns.
// Prints decimal GB/s of text: minimum, median and maximum of N runs after one that warms up. Pin it to one core:
// taskset -c 1 json_decode deepar. With --threads each thread has a lane and its share of whole lines. With --peer each
// run is followed by one of RapidJSON's SAX reader over the same text.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "bench/json_peer.hpp"
#include "bench/json_run.hpp"
#include "formats/formats.hpp"
#include "host/app/synth.hpp"
#include "host/exec/engine.hpp"
#include "host/exec/lanes.hpp"
#include "penstock/chunk.hpp"

namespace {

using namespace penstock;
using bench::Pass;
using bench::Run;

struct Arguments {
  std::string kind;
  std::string file;
  std::string columns = "price,count,rating,latitude,is_gift";  ///< of objects
  std::size_t megabytes = 200;
  bool is_portable = false;
  bool has_peer = false;
  int repeat = 5;
  std::size_t threads = 1;
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
    else if (word == "--threads")
      arguments.threads = number();
    else if (word == "--peer")
      arguments.has_peer = i + 1 < count && std::string_view(words[++i]) == "rapidjson";
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

/// The plan that the first record asks for.
template <class Format>
typename Format::Plan plan_of(std::string const& text, Arguments const& arguments) {
  typename Format::Options wanted;
  for (auto const& option : Format::options) {
    if (option.name == "columns") option.set(wanted, arguments.columns);
  }
  typename Format::Scout scout(wanted, {bench::record_max, true, false});
  std::string const padding(text_padding, '\n');
  std::string const head = padding + text.substr(0, text.find('\n') + 1) + padding;
  Chunk chunk;
  chunk.text = {head.data() + text_padding, head.size() - 2 * text_padding};
  scout.look(chunk);
  return scout.plan();
}

/// Shares of whole lines.
std::vector<std::string_view> shares_of(std::string_view text, std::size_t count) {
  std::vector<std::string_view> shares;
  for (; count > 1; --count) {
    shares.push_back(text.substr(0, text.find('\n', text.size() / count) + 1));
    text.remove_prefix(shares.back().size());
  }
  shares.push_back(text);
  return shares;
}

/// GB/s of text, as work(i) is done for each share on a thread of its own.
double rate(std::size_t bytes, std::size_t shares, std::function<void(std::size_t)> const& work) {
  auto const begin = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < shares; ++i) threads.emplace_back(work, i);
    work(0);
  }
  return static_cast<double>(bytes) / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() *
         1e-9;
}

/// Prints what the runs after the first gave; returns the median.
double say(std::vector<double> rates) {
  rates.erase(rates.begin());
  std::sort(rates.begin(), rates.end());
  double const median = rates[rates.size() / 2];
  std::printf("GB/s min %.3f median %.3f max %.3f\n", rates.front(), median, rates.back());
  return median;
}

template <class Format>
void measure(Arguments const& arguments, std::string const& text) {
  InstructionSet const isa = arguments.is_portable ? InstructionSet::portable : best_instruction_set();
  auto const plan = plan_of<Format>(text, arguments);
  auto const shares = shares_of(text, arguments.threads);
  std::vector<std::unique_ptr<Run<Format>>> runs;
  for (std::size_t i = 0; i < shares.size(); ++i) runs.push_back(std::make_unique<Run<Format>>(plan, isa));
  std::vector<Pass> passes(shares.size());
  std::vector<bench::PeerPass> peer_passes(shares.size());
  std::vector<double> rates, peer_rates;
  for (int i = 0; i <= arguments.repeat; ++i) {
    rates.push_back(rate(text.size(), shares.size(), [&](std::size_t s) { passes[s] = runs[s]->pass(shares[s]); }));
    if (arguments.has_peer)
      peer_rates.push_back(
          rate(text.size(), shares.size(), [&](std::size_t s) { peer_passes[s] = bench::rapidjson_pass(shares[s]); }));
  }
  Pass sum;
  for (Pass const& pass : passes) {
    sum.rows += pass.rows;
    sum.values += pass.values;
    sum.faults += pass.faults;
    sum.sum += pass.sum;
  }
  std::printf("%s  %s  %.1f MB  %s  threads %zu  %zu rows  %zu values  %zu faults  sum %.9g  ", arguments.kind.c_str(),
              arguments.file.empty() ? "made up" : arguments.file.c_str(), static_cast<double>(text.size()) * 1e-6,
              isa == InstructionSet::avx2 ? "avx2" : "portable", shares.size(), sum.rows, sum.values, sum.faults,
              sum.sum);
  double const median = say(std::move(rates));
  if (!arguments.has_peer) return;
  bench::PeerPass peer;
  for (bench::PeerPass const& pass : peer_passes) {
    peer.values += pass.values;
    peer.sum += pass.sum;
  }
  std::printf("RapidJSON SAX, alternating  %zu values  sum %.9g  ", peer.values, peer.sum);
  std::printf("ratio of medians %.2f\n", median / say(std::move(peer_rates)));
}

}  // namespace

int main(int count, char** words) {
  Arguments const arguments = parse(count, words);
  bool const is_known = arguments.kind == "deepar" || arguments.kind == "objects";
  if (!is_known || arguments.repeat < 1 || arguments.threads < 1) {
    std::fprintf(stderr,
                 "json_decode deepar|objects [FILE] [--columns LIST] [--megabytes N] [--portable] [--repeat N] "
                 "[--threads N] [--peer rapidjson]\n");
    return 2;
  }
  if (arguments.has_peer && !bench::has_rapidjson) {
    std::fprintf(stderr, "json_decode: built without RapidJSON\n");
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
