#include "host/app/category_counts.hpp"

#include <algorithm>

#include "formats/normalize/text_rule.hpp"

namespace penstock::app {

bool CategoryCounts::add(std::string_view text) {
  std::uint64_t const hash = normalize::hash_of(text.data(), text.size());
  std::size_t const mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (; slots_[at] != none; at = (at + 1) & mask) {
    Entry& entry = entries_[slots_[at]];
    if (entry.hash != hash || text_of(entry) != text) continue;
    ++entry.count;
    return false;
  }
  slots_[at] = static_cast<std::uint32_t>(entries_.size());
  entries_.push_back({hash, 1, bytes_.size(), static_cast<std::uint32_t>(text.size())});
  bytes_.insert(bytes_.end(), text.begin(), text.end());
  if (2 * entries_.size() > slots_.size()) grow();
  return true;
}

void CategoryCounts::grow() {
  slots_.assign(2 * slots_.size(), none);
  std::size_t const mask = slots_.size() - 1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t at = entries_[i].hash & mask;
    while (slots_[at] != none) at = (at + 1) & mask;
    slots_[at] = static_cast<std::uint32_t>(i);
  }
}

std::vector<std::pair<std::string, std::uint64_t>> CategoryCounts::by_count() const {
  std::vector<Entry const*> order;
  order.reserve(entries_.size());
  for (Entry const& entry : entries_) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [this](Entry const* a, Entry const* b) {
    return a->count != b->count ? a->count > b->count : text_of(*a) < text_of(*b);
  });
  std::vector<std::pair<std::string, std::uint64_t>> counts;
  counts.reserve(order.size());
  for (Entry const* const entry : order) counts.emplace_back(text_of(*entry), entry->count);
  return counts;
}

}  // namespace penstock::app
