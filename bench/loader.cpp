// Batches for training loops: what a loader takes beyond decoding. Page cache warm; making the loader, and its index,
// are not timed.
//
//   loader FILE [-j THREADS] [--label COLUMN] [--batch ROWS] [--repeat N]
//
// Prints GB/s of text, the median of N epochs after one that warms up: of the bare stream of rounds (which are not
// copied, and dropped at once), and of epochs of a Loader in each order, with the time that the consumer waited.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/loader.hpp"

namespace {

struct Arguments {
  penstock::LoaderOptions loader;
  int repeat = 5;
};

Arguments parse(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    std::string_view const word = values[i];
    auto const value = [&] { return std::string(i + 1 < count ? values[++i] : ""); };
    if (word == "-j")
      arguments.loader.threads = static_cast<unsigned>(std::stoul(value()));
    else if (word == "--label")
      arguments.loader.label = value();
    else if (word == "--batch")
      arguments.loader.batch_size = std::stoul(value());
    else if (word == "--repeat")
      arguments.repeat = std::stoi(value());
    else
      arguments.loader.paths.emplace_back(word);
  }
  return arguments;
}

double seconds_of(std::function<void()> const& work) {
  auto const begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median_of(int repeat, std::function<void()> const& work) {
  std::vector<double> seconds;
  for (int i = 0; i <= repeat; ++i) {
    double const time = seconds_of(work);
    if (i > 0) seconds.push_back(time);
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

void report(Arguments const& arguments) {
  penstock::PipelineOptions bare;
  static_cast<penstock::InputOptions&>(bare) = arguments.loader;
  std::uint64_t bytes = 0, records = 0;
  double const stream = median_of(arguments.repeat, [&] {
    penstock::Pipeline pipeline(bare);
    for (penstock::SharedBatch batch; pipeline.next(batch);) {
    }
    bytes = pipeline.counts().text_bytes;
    records = pipeline.counts().records;
  });
  auto const rate = [&](double seconds) { return static_cast<double>(bytes) / seconds * 1e-9; };
  std::printf("%s  %.1f MB, %llu records, batches of %zu\n", arguments.loader.paths.front().c_str(),
              static_cast<double>(bytes) * 1e-6, static_cast<unsigned long long>(records), arguments.loader.batch_size);
  std::printf("  pipeline (opened anew each time)  %.3f GB/s\n", rate(stream));
  for (penstock::Shuffle const shuffle :
       {penstock::Shuffle::none, penstock::Shuffle::window, penstock::Shuffle::exact}) {
    penstock::LoaderOptions options = arguments.loader;
    options.shuffle = shuffle;
    options.index = "none";
    penstock::Loader loader(options);
    double const seconds = median_of(arguments.repeat, [&] {
      for (penstock::SharedBatch batch; loader.next(batch);) {
      }
    });
    std::printf("  loader, shuffle %-7s %.3f GB/s, %.2f of the pipeline\n    %s\n",
                std::string(name_of(shuffle)).c_str(), rate(seconds), stream / seconds, loader.summary().c_str());
  }
}

}  // namespace

int main(int count, char** values) {
  try {
    Arguments const arguments = parse(count, values);
    if (arguments.loader.paths.empty() || arguments.repeat < 1) {
      std::fprintf(stderr, "loader FILE [-j THREADS] [--label COLUMN] [--batch ROWS] [--repeat N]\n");
      return 2;
    }
    report(arguments);
  } catch (penstock::Error const& error) {
    std::fprintf(stderr, "%s\n%s\n", error.what(), error.hint().c_str());
    return static_cast<int>(error.exit_code());
  }
}
