#include "host/app/text_statistics.hpp"

#include <algorithm>
#include <utility>

#include "formats/normalize/text_rule.hpp"

namespace penstock::app {

void TextStatistics::add(TextCells const& texts, std::size_t column) {
  for (std::size_t row = 0; row < texts.rows; ++row) {
    if (texts.is_missing(row, column))
      ++missing_;
    else
      add(texts.at(row, column));
  }
}

/// The sketch is shown every text once at least: a text that is counted already changes nothing in it.
void TextStatistics::add(std::string_view text) {
  ++count_;
  if (is_exact_ && !counts_.add(text)) return;
  sketch_.add_bits(normalize::hash_of(text.data(), text.size()));
  if (!is_exact_ || counts_.size() <= counted_max_) return;
  is_exact_ = false;
  counts_ = {};
}

ColumnStatistics TextStatistics::finish(bool wants_values) const {
  ColumnStatistics statistics;
  statistics.is_text = true;
  statistics.summary.missing = missing_;
  statistics.summary.moments.count = count_;
  if (!wants_values) return statistics;
  ValueStatistics values;
  values.is_exact = is_exact_;
  values.distinct = is_exact_ ? counts_.size() : sketch_.estimate();
  if (is_exact_) {
    values.texts = counts_.by_count();
    values.texts.resize(std::min(values.texts.size(), frequent_values_max));
  }
  statistics.values = std::move(values);
  return statistics;
}

}  // namespace penstock::app
