#include "bench/gpu/bench.hpp"

#include <algorithm>
#include <stdexcept>

#include "cuda/exec/stream.hpp"

namespace penstock::bench {
namespace {

constexpr std::size_t tiny_slot = std::size_t{16} << 10;
/// Five times the caches of the largest device that we know.
constexpr std::size_t slots_bytes = std::size_t{256} << 20;
constexpr std::size_t slots_max = 256;
constexpr std::size_t text_bytes = std::size_t{8} << 20;

}  // namespace

Bench::Bench(cuda::Engine& engine, Settings const& settings)
    : engine_(engine),
      settings_(settings),
      pinned_(engine.host_buffer(settings.is_quick ? std::size_t{1} << 20 : 6 * slot_stride(std::size_t{64} << 20))) {}

std::size_t Bench::slot(std::size_t mebibytes) const { return settings_.is_quick ? tiny_slot : mebibytes << 20; }

bool Bench::wants(std::string_view name) const {
  std::vector<std::string> const& names = settings_.names;
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

Input const& Bench::input(std::string_view name) {
  auto found = inputs_.find(name);
  if (found != inputs_.end()) return *found->second;
  for (TextKind const& kind : text_kinds()) {
    if (kind.name != name) continue;
    found = inputs_.emplace(name, make_input(kind, settings_.is_quick ? 2 * tiny_slot : text_bytes)).first;
    return *found->second;
  }
  throw std::runtime_error("there is no input " + std::string(name));
}

Slots Bench::pinned_slots(Input const& input, std::size_t slot_bytes, unsigned lanes) {
  std::size_t const fit = (pinned_->size_bytes() + 2 * text_padding) / slot_stride(slot_bytes);
  std::size_t const wanted =
      settings_.is_quick ? 2 * lanes : std::max<std::size_t>(slots_bytes / slot_bytes, 2 * lanes);
  return fill_slots(input.text, slot_bytes, std::min({fit, wanted, slots_max}), pinned_->data() - text_padding);
}

Slots Bench::device_slots(Input const& input, std::size_t slot_bytes, unsigned lanes) {
  Slots slots = pinned_slots(input, slot_bytes, lanes);
  std::size_t const size_bytes = slots.chunks.size() * slot_stride(slot_bytes);
  engine_.use();
  if (device_.size() < size_bytes) device_ = cuda::DeviceArray<char>(size_bytes, "texts to measure with");
  char const* const from = pinned_->data() - text_padding;
  cuda::Stream stream;
  stream.copy(device_.get(), from, size_bytes, "copy in");
  stream.wait();
  for (Chunk& chunk : slots.chunks) chunk.text.data = device_.get() + (chunk.text.data - from);
  return slots;
}

std::vector<double> rates(double bytes, std::vector<double> const& seconds) {
  std::vector<double> out;
  for (double const s : seconds) out.push_back(bytes / s * 1e-9);
  return out;
}

}  // namespace penstock::bench
