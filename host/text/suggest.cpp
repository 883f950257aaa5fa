#include "host/text/suggest.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace penstock {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

/// Edits between `a` and `b`. The table's rows are prefixes of `a`; only the last three are kept.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t const replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      bool const is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::size_t difference(std::size_t a, std::size_t b) { return a > b ? a - b : b - a; }

}  // namespace

std::optional<std::string> nearest(std::string_view typed, std::span<std::string const> known) {
  if (typed.size() > compared_bytes_max) return std::nullopt;
  std::string const wanted = lower_case(typed);
  std::size_t const edits_max = std::clamp<std::size_t>(wanted.size() / 3, 1, 3);
  std::string const* best = nullptr;
  std::size_t best_edits = edits_max + 1;
  for (std::string const& name : known) {
    if (name.size() > compared_bytes_max || difference(name.size(), wanted.size()) > edits_max) continue;
    std::size_t const edits = edit_distance(wanted, lower_case(name));
    bool const keeps_something = edits < std::max(name.size(), wanted.size());
    if (edits >= best_edits || !keeps_something) continue;
    best = &name;
    best_edits = edits;
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

}  // namespace penstock
