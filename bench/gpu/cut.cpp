// How fast one thread finds where the records of slots end: on the host, and on the device, where the text comes from
// pinned memory and stays for the lanes.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "bench/gpu/bench.hpp"
#include "penstock/chunk.hpp"
#include "penstock/device.hpp"

namespace penstock::bench {
namespace {

/// Takes a slot's text as the reader hands it over.
void cut_slot(Cutter& cutter, char* text, std::uint32_t size, std::vector<Reject>& rejects) {
  for (std::size_t at = 0; at < size;) {
    at += std::min<std::size_t>(cutter.piece_bytes(), size - at);
    cutter.arrive(text, static_cast<std::uint32_t>(at));
  }
  if (cutter.cut(text, size, false, rejects).whole != size) throw std::runtime_error("a slot was not cut at its end");
}

void time_cut(Bench& bench, Figure& figure, bool is_on_device) {
  Input const& input = bench.input(figure.input);
  Slots const slots = bench.pinned_slots(input, figure.slot_bytes, 1);
  // The memory that slots lie in, which the cutter may write behind.
  auto const memory_of = [&](Chunk const& chunk) {
    return bench.pinned().data() + (chunk.text.data - bench.pinned().data());
  };
  auto const cutter = input.make_cutter(is_on_device ? &bench.engine() : nullptr,
                                        {std::size_t{1} << 30, figure.slot_bytes, slots.chunks.size()});
  cutter->restart();
  std::vector<Reject> rejects(1);
  std::size_t passes = 0;
  auto const seconds = bench.timed_runs(
      [&] {
        for (Chunk const& chunk : slots.chunks)
          cut_slot(*cutter, memory_of(chunk), static_cast<std::uint32_t>(chunk.text.size), rejects);
      },
      passes);
  figure.runs = rates(static_cast<double>(slots.text_bytes) * static_cast<double>(passes), seconds);
}

}  // namespace

void measure_cut(Bench& bench) {
  for (std::string_view const name : {"quoted", "higgs_quoted", "higgs"}) {
    if (!bench.wants(name)) continue;
    for (bool const is_on_device : {true, false}) {
      bench.figure({is_on_device ? "cut" : "cut_host", std::string(name), bench.slot(16), 1, "GB/s", {}, {}},
                   [&](Figure& figure) { time_cut(bench, figure, is_on_device); });
    }
  }
}

}  // namespace penstock::bench
