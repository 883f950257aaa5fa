// Memory of loaders does not grow with epochs, nor with what a consumer has given back.

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "penstock/loader.hpp"
#include "tests/support/peak_memory.hpp"
#include "tests/support/scratch_folder.hpp"

namespace penstock {
namespace {

using testing::PeakMemory;
using testing::ScratchFolder;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_measurable = false;  // sanitizers keep freed memory, and shadows of it
#else
constexpr bool is_measurable = true;
#endif

std::string csv_text(int rows) {
  std::string text = "a,b,y\n";
  for (int i = 0; i < rows; ++i) text += std::to_string(i) + "," + std::to_string(i % 13) + ".25,1\n";
  return text;
}

LoaderOptions options_for(std::string const& path, Shuffle shuffle) {
  LoaderOptions options;
  options.paths = {path};
  options.label = "y";
  options.shuffle = shuffle;
  options.batch_size = 256;
  options.window = 4096;
  options.threads = 2;
  options.index = "none";
  return options;
}

void load(Loader& loader, int epochs) {
  for (int epoch = 0; epoch < epochs; ++epoch)
    for (SharedBatch batch; loader.next(batch);) {
    }
}

TEST(LoaderMemory, StaysWhereItIsOverAThousandEpochs) {
  if (!is_measurable) GTEST_SKIP() << "a build with sanitizers";
  ScratchFolder const folder;
  std::string const path = folder.put("a.csv", csv_text(1000));
  for (Shuffle const shuffle : {Shuffle::none, Shuffle::window, Shuffle::exact}) {
    Loader loader(options_for(path, shuffle));
    load(loader, 50);
    PeakMemory const peak;
    if (!peak.is_known()) GTEST_SKIP() << "the system does not count peaks";
    load(loader, 1000);
    EXPECT_LT(peak.growth_bytes(), 6 * mebibyte) << name_of(shuffle);
  }
}

/// A consumer that holds a whole epoch, many times what is made ahead, and gives it back each time.
TEST(LoaderMemory, ComesBackFromAConsumerWhoHeldMuch) {
  if (!is_measurable) GTEST_SKIP() << "a build with sanitizers";
  ScratchFolder const folder;
  std::string const path = folder.put("a.csv", csv_text(400000));
  LoaderOptions options = options_for(path, Shuffle::none);
  options.prefetch_bytes = mebibyte;
  Loader loader(options);
  auto const hold_all = [&] {
    std::vector<SharedBatch> held;
    for (SharedBatch batch; loader.next(batch);) held.push_back(batch);
  };
  hold_all();
  PeakMemory const peak;
  if (!peak.is_known()) GTEST_SKIP() << "the system does not count peaks";
  for (int epoch = 0; epoch < 10; ++epoch) hold_all();
  EXPECT_LT(peak.growth_bytes(), 32 * mebibyte);
}

}  // namespace
}  // namespace penstock
