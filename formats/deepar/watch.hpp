/// Categories over a whole input: DeepAR asks that each one up to the largest occurs, at every place.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/core/format.hpp"
#include "formats/deepar/plan.hpp"
#include "penstock/batch.hpp"

namespace penstock::deepar {

class Watch {
 public:
  /// A bit for each category of each place. Categories for which there is no bit count as one: an input would need as
  /// many records to be complete.
  static constexpr std::size_t memory_bytes = std::size_t{16} << 20;

  explicit Watch(Plan const& plan)
      : is_on_(plan.checks_categories),
        categories_max_(memory_bytes * 8 / std::max<std::size_t>(1, plan.layout.cats)),
        seen_(is_on_ ? plan.layout.cats : 0) {}

  void see(Batch const& rows) {
    std::size_t const cats = seen_.size();
    auto const* value = rows.cat.as<std::int32_t>();
    for (std::size_t row = 0; row < rows.rows && cats != 0; ++row) {
      for (std::size_t i = 0; i < cats; ++i) note(seen_[i], static_cast<std::size_t>(*value++));
    }
  }

  /// What is missing, of the first place where something is.
  [[nodiscard]] std::vector<Problem> problem() const {
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      std::string const missing = missing_text(seen_[i]);
      if (missing.empty()) continue;
      return {
          {"cat[" + std::to_string(i) + "]: " + missing + ": DeepAR wants all up to the largest in its training data",
           "number the categories without gaps, or --categories any if this is no training data"}};
    }
    return {};
  }

 private:
  using Seen = std::vector<bool>;

  void note(Seen& seen, std::size_t category) const {
    category = std::min(category, categories_max_);
    if (category >= seen.size()) seen.resize(category + 1);
    seen[category] = true;
  }

  /// Empty if all are there.
  static std::string missing_text(Seen const& seen) {
    constexpr std::size_t shown_max = 5;
    std::string list;
    std::size_t count = 0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (seen[i] || ++count > shown_max) continue;
      list += (list.empty() ? "" : ", ") + std::to_string(i);
    }
    if (count == 0) return {};
    if (count > shown_max) list += " (and " + std::to_string(count - shown_max) + " more)";
    return "no record has " + std::string(count == 1 ? "category " : "one of the categories ") + list +
           ", though one has " + std::to_string(seen.size() - 1);
  }

  bool is_on_;
  std::size_t categories_max_;
  std::vector<Seen> seen_;  ///< of each place
};

}  // namespace penstock::deepar
