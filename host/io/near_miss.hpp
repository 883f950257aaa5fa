/// "Did you mean ...?"
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {

/// Levenshtein distance in bytes: insertions, deletions and replacements that turn one into the other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `name`, at most `distance_max` away and sharing something with it (the distance
/// is below the shorter length); of equals the bytewise first. Empty if there is none.
/// Two edits, the default, cover a swapped pair of letters, the commonest slip.
[[nodiscard]] std::string near_miss(std::string_view name, std::vector<std::string> const& candidates,
                                    std::size_t distance_max = 2);

}  // namespace penstock
