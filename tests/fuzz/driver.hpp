/// Fuzzing without a fuzzer: corpora as they are, then changed inputs, the same ones from the same seed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/targets.hpp"

namespace penstock::fuzz {

/// The inputs that a target starts from: one of nothing, and each file of its corpora behind zeros, which are the
/// plainest choices. Files called *.expect, *.md and .gitattributes are about others. `root` is the source tree.
[[nodiscard]] std::vector<std::string> seeds_of(Target const& target, std::string const& root);

/// An input that showed something, and what.
struct Find {
  std::string input;
  std::string what;
};

struct Campaign {
  std::uint64_t seed = 1;
  std::size_t runs = 0;                                    ///< of changed inputs
  std::chrono::seconds time_max = std::chrono::hours(24);  ///< no run begins later
  /// Before every run the input is written here, so that it is there when a sanitizer ends the process; removed at the
  /// end if all is well. Empty: nowhere.
  std::string last_input_path = {};
  std::function<void(std::size_t runs)> on_progress = {};  ///< about once a second
};

struct CampaignResult {
  std::size_t runs = 0;      ///< seeds included
  std::optional<Find> find;  ///< the first; the campaign ends there
};

/// Runs the seeds, then the campaign's changed inputs. A run that takes more than a minute of processor time ends the
/// process with a message.
[[nodiscard]] CampaignResult run_campaign(Target const& target, std::vector<std::string> const& seeds,
                                          Campaign const& campaign);

/// One input; nothing if all is well.
[[nodiscard]] std::optional<Find> run_input(Target const& target, std::string const& input);

/// A name for an input, of its bytes.
[[nodiscard]] std::string name_of_input(std::string_view input);

}  // namespace penstock::fuzz
