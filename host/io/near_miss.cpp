#include "host/io/near_miss.hpp"

#include <algorithm>
#include <numeric>

namespace penstock {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);  // row[j]: distance of the prefix of a to b's first j bytes
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      std::size_t const replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string near_miss(std::string_view name, std::vector<std::string> const& candidates, std::size_t distance_max) {
  std::string best;
  std::size_t best_distance = distance_max + 1;
  for (std::string const& candidate : candidates) {
    std::size_t const longer = std::max(candidate.size(), name.size());
    std::size_t const shorter = std::min(candidate.size(), name.size());
    if (longer - shorter > distance_max) continue;
    std::size_t const distance = edit_distance(name, candidate);
    if (distance >= shorter || distance > best_distance) continue;
    if (distance == best_distance && (best.empty() || candidate > best)) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace penstock
