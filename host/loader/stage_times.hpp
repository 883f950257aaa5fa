/// How long the stages of a loader were at work, and how long those who make batches and who takes them waited for each
/// other.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "penstock/trace.hpp"

namespace penstock {

enum class Stage : std::uint8_t { read, cut, decode, assemble, blocked, waited };
inline constexpr std::size_t stage_count = 6;

/// Adds up spans by what they are of. Those of other names are passed over.
class StageTimes final : public Trace {
 public:
  void span(std::string_view name, unsigned, Clock::time_point begin, Clock::time_point end, bool is_remote) override {
    constexpr std::pair<std::string_view, Stage> stages[] = {{"read", Stage::read},
                                                             {"cut", Stage::cut},
                                                             {"begin chunk", Stage::decode},
                                                             {"make round", Stage::decode},
                                                             {"assemble", Stage::assemble}};
    if (is_remote) return;
    for (auto const& [its_name, stage] : stages) {
      if (name == its_name) add(stage, end - begin);
    }
  }
  /// Any thread may call it.
  void add(Stage stage, Clock::duration time) {
    nanoseconds_[static_cast<std::size_t>(stage)].fetch_add(
        std::chrono::duration_cast<std::chrono::nanoseconds>(time).count(), std::memory_order_relaxed);
  }
  [[nodiscard]] double seconds(Stage stage) const {
    return 1e-9 * static_cast<double>(nanoseconds_[static_cast<std::size_t>(stage)].load(std::memory_order_relaxed));
  }

 private:
  std::array<std::atomic<std::int64_t>, stage_count> nanoseconds_ = {};
};

}  // namespace penstock
