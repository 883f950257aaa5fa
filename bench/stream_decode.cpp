// Records of a file to batches through the whole runtime (reader, lanes, sequencer), page cache warm; for every format
// that plans itself from the input. Options are the format's defaults; planning, and a survey where one is made, are
// not timed.
//
//   stream_decode FORMAT FILE [-j LANES] [--slot-size BYTES] [--repeat N] [--encode FORMAT]
//
// Prints decimal GB/s of input (and of output, with --encode): minimum, median and maximum of N runs after one that
// warms up. For the figure of one thread pin the whole process to one core: taskset -c 1 stream_decode ... -j 1

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/core/format_list.hpp"
#include "formats/formats.hpp"
#include "host/exec/engine.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/format_plan.hpp"
#include "host/pipeline/record_stream.hpp"
#include "penstock/error.hpp"

namespace {

struct Arguments {
  std::string format, file, encode;
  penstock::StreamOptions stream;
  int repeat = 5;
};

Arguments parse(int count, char** values) {
  Arguments arguments;
  arguments.stream.threads = 1;
  for (int i = 1; i < count; ++i) {
    std::string_view const word = values[i];
    auto const value = [&] { return std::string(i + 1 < count ? values[++i] : ""); };
    if (word == "-j")
      arguments.stream.threads = static_cast<unsigned>(std::stoul(value()));
    else if (word == "--slot-size")
      arguments.stream.slot_bytes = std::stoul(value());
    else if (word == "--repeat")
      arguments.repeat = std::stoi(value());
    else if (word == "--encode")
      arguments.encode = value();
    else
      (arguments.format.empty() ? arguments.format : arguments.file) = word;
  }
  return arguments;
}

/// A plan of the named format; null for those that need more than their bytes (CSV: see csv_decode).
std::unique_ptr<penstock::InputPlan> plan_of(Arguments const& arguments) {
  std::unique_ptr<penstock::InputPlan> plan;
  penstock::for_each_format([&]<class Format>() {
    if constexpr (requires { typename Format::Scout; }) {
      if (Format::info.name != arguments.format) return;
      plan = std::make_unique<penstock::FormatPlan<Format>>(penstock::expand_inputs({arguments.file}),
                                                            typename Format::Options{},
                                                            penstock::PlanRequest{arguments.stream, true});
    }
  });
  return plan;
}

void add_encoder(Arguments& arguments, penstock::BatchLayout const& layout) {
  penstock::for_each_format([&]<class Format>() {
    if constexpr (penstock::IsWritten<Format>) {
      if (Format::info.name != arguments.encode) return;
      arguments.stream.make_encoder = [layout] {
        return std::make_unique<typename Format::Writer>(layout, typename Format::WriteOptions{});
      };
    }
  });
}

struct Pass {
  double seconds = 0;
  std::uint64_t encoded_bytes = 0;
  penstock::StreamCounts counts;
};

Pass run(penstock::InputPlan& plan, penstock::StreamOptions const& options) {
  auto const begin = std::chrono::steady_clock::now();
  penstock::RecordStream stream(plan, options);
  Pass pass;
  while (penstock::Round const* const round = stream.next()) pass.encoded_bytes += round->encoded.size();
  pass.counts = stream.counts();
  pass.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return pass;
}

int report(Arguments arguments) {
  auto const plan = plan_of(arguments);
  if (plan == nullptr) {
    std::fprintf(stderr, "%s: no format that plans itself\n", arguments.format.c_str());
    return 2;
  }
  add_encoder(arguments, plan->layout());
  std::vector<double> rates;
  Pass pass;
  for (int i = 0; i <= arguments.repeat; ++i) {
    pass = run(*plan, arguments.stream);
    if (i > 0) rates.push_back(static_cast<double>(pass.counts.text_bytes) / pass.seconds * 1e-9);
  }
  std::sort(rates.begin(), rates.end());
  double const median = rates[rates.size() / 2];
  double const growth = static_cast<double>(pass.encoded_bytes) / static_cast<double>(pass.counts.text_bytes);
  std::printf("%s  -j %u  %s  %llu records  %llu rejected  GB/s min %.3f median %.3f max %.3f", arguments.file.c_str(),
              arguments.stream.threads, std::string(name_of(penstock::best_instruction_set())).c_str(),
              static_cast<unsigned long long>(pass.counts.records),
              static_cast<unsigned long long>(pass.counts.rejected), rates.front(), median, rates.back());
  if (pass.encoded_bytes > 0) std::printf("  %s out, GB/s median %.3f", arguments.encode.c_str(), median * growth);
  std::printf("\n");
  return 0;
}

}  // namespace

int main(int count, char** values) {
  try {
    Arguments const arguments = parse(count, values);
    if (arguments.file.empty() || arguments.repeat < 1) {
      std::fprintf(stderr, "stream_decode FORMAT FILE [-j LANES] [--slot-size BYTES] [--repeat N] [--encode FORMAT]\n");
      return 2;
    }
    return report(arguments);
  } catch (penstock::Error const& error) {
    std::fprintf(stderr, "%s\n%s\n", error.what(), error.hint().c_str());
    return static_cast<int>(error.exit_code());
  }
}
