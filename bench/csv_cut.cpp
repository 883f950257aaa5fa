// How fast the reader finds where whole CSV records end: cutter alone, one thread, text in memory.
//
//   csv_cut FILE [--repeat N]
//
// Prints decimal GB/s of text for slots of 2 and 16 MiB: minimum, median and maximum of N runs after one that warms up.
// Text without quotes is cut by looking back from a slot's end; text with quotes is read whole.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/csv/format.hpp"
#include "host/exec/engine.hpp"
#include "host/exec/lanes.hpp"
#include "penstock/chunk.hpp"

namespace {

using namespace penstock;

constexpr std::size_t record_max = std::size_t{16} << 20;

/// Cuts `text` in place, a slot at a time; returns how many cuts there were. The text ends with a line end, so that
/// nothing is written to it.
std::size_t cut_all(Cutter& cutter, std::vector<char>& text, std::size_t slot_bytes, std::vector<Reject>& rejects) {
  cutter.restart();
  std::size_t const size = text.size() - 2 * text_padding;
  char* const data = text.data() + text_padding;
  std::size_t cuts = 0;
  for (std::size_t at = 0; at < size; ++cuts) {
    std::size_t const filled = std::min(slot_bytes, size - at);
    Cut const cut = cutter.cut(data + at, static_cast<std::uint32_t>(filled), at + filled == size, rejects);
    if (cut.whole == 0) std::abort();
    at += cut.whole;
  }
  return cuts;
}

void measure(std::string const& name, std::vector<char>& text, std::size_t slot_bytes, int repeat) {
  auto const cutter = make_cutter<csv::Format>(best_instruction_set(), csv::DecodePlan{}, record_max);
  std::vector<Reject> rejects(1024);
  std::vector<double> rates;
  std::size_t cuts = 0;
  for (int i = 0; i <= repeat; ++i) {
    auto const begin = std::chrono::steady_clock::now();
    cuts = cut_all(*cutter, text, slot_bytes, rejects);
    std::chrono::duration<double> const time = std::chrono::steady_clock::now() - begin;
    if (i > 0) rates.push_back(static_cast<double>(text.size()) / time.count() * 1e-9);
  }
  std::sort(rates.begin(), rates.end());
  std::printf("%s  slots of %zu MiB  %zu cuts  GB/s min %.2f median %.2f max %.2f\n", name.c_str(), slot_bytes >> 20,
              cuts, rates.front(), rates[rates.size() / 2], rates.back());
}

}  // namespace

int main(int count, char** words) {
  std::string path;
  int repeat = 5;
  for (int i = 1; i < count; ++i) {
    if (std::string_view(words[i]) == "--repeat" && i + 1 < count)
      repeat = std::atoi(words[++i]);
    else
      path = words[i];
  }
  std::ifstream file(path, std::ios::binary);
  std::vector<char> text(text_padding, '\n');
  text.insert(text.end(), std::istreambuf_iterator<char>(file), {});
  if (text.size() == text_padding || repeat < 1) {
    std::fprintf(stderr, "csv_cut FILE [--repeat N]\n");
    return 2;
  }
  text.insert(text.end(), text_padding, '\n');
  for (std::size_t const mebibytes : {2, 16}) measure(path, text, mebibytes << 20, repeat);
  return 0;
}
