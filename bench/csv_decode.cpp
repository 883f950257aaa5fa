// CSV text in files to float32 batches: the whole dialect, faults and order included, page cache warm.
//
//   csv_decode FILE [--label COLUMN] [--ignore COLUMNS] [-j LANES] [--slot-size BYTES] [--repeat N]
//
// Prints decimal GB/s of text: minimum, median and maximum of N runs after one that warms up. For the figure of
// one thread pin the whole process to one core: taskset -c 1 csv_decode FILE -j 1

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "host/exec/engine.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "host/pipeline/record_stream.hpp"
#include "penstock/error.hpp"

namespace {

struct Arguments {
  std::vector<std::string> files;
  penstock::CsvOptions csv;
  penstock::StreamOptions stream;
  int repeat = 5;
};

Arguments parse(int count, char** values) {
  Arguments arguments;
  arguments.stream.threads = 1;
  for (int i = 1; i < count; ++i) {
    std::string_view const word = values[i];
    auto const value = [&] { return std::string(i + 1 < count ? values[++i] : ""); };
    if (word == "--label")
      arguments.csv.label = value();
    else if (word == "--ignore")
      arguments.csv.ignore = value();
    else if (word == "-j")
      arguments.stream.threads = static_cast<unsigned>(std::stoul(value()));
    else if (word == "--slot-size")
      arguments.stream.slot_bytes = std::stoul(value());
    else if (word == "--repeat")
      arguments.repeat = std::stoi(value());
    else
      arguments.files.emplace_back(word);
  }
  return arguments;
}

struct Pass {
  double seconds = 0;
  penstock::StreamCounts counts;
  double sum = 0;  ///< of a sample of the values, so that nothing can be left out
};

Pass run(Arguments const& arguments) {
  auto const begin = std::chrono::steady_clock::now();
  auto const plan = penstock::plan_csv(penstock::expand_inputs(arguments.files), arguments.csv);
  penstock::RecordStream stream(*plan, arguments.stream);
  Pass pass;
  while (penstock::Round const* const round = stream.next()) {
    auto const& features = round->batch.features;
    float const* const values = features.as<float>();
    for (std::size_t i = 0; i < features.rows * features.columns; i += 97)
      pass.sum += values[i] == values[i] ? values[i] : 0;
  }
  pass.counts = stream.counts();
  pass.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return pass;
}

void report(Arguments const& arguments) {
  std::vector<double> rates;
  Pass pass;
  for (int i = 0; i <= arguments.repeat; ++i) {
    pass = run(arguments);
    if (i > 0) rates.push_back(static_cast<double>(pass.counts.text_bytes) / pass.seconds * 1e-9);
  }
  std::sort(rates.begin(), rates.end());
  std::printf(
      "%s  -j %u  %s  %llu records  %llu missing  %llu rejected  sum %.9g  GB/s min %.3f median %.3f max %.3f\n",
      arguments.files.front().c_str(), arguments.stream.threads,
      std::string(name_of(penstock::best_instruction_set())).c_str(),
      static_cast<unsigned long long>(pass.counts.records), static_cast<unsigned long long>(pass.counts.missing_cells),
      static_cast<unsigned long long>(pass.counts.rejected), pass.sum, rates.front(), rates[rates.size() / 2],
      rates.back());
}

}  // namespace

int main(int count, char** values) {
  try {
    Arguments const arguments = parse(count, values);
    if (arguments.files.empty() || arguments.repeat < 1) {
      std::fprintf(stderr,
                   "csv_decode FILE [--label COLUMN] [--ignore COLUMNS] [-j LANES] [--slot-size BYTES] [--repeat N]\n");
      return 2;
    }
    report(arguments);
  } catch (penstock::Error const& error) {
    std::fprintf(stderr, "%s\n%s\n", error.what(), error.hint().c_str());
    return static_cast<int>(error.exit_code());
  }
  return 0;
}
