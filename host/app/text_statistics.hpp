/// Statistics of columns of text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/statistics/distinct.hpp"
#include "host/app/category_counts.hpp"
#include "host/app/column_statistics.hpp"
#include "penstock/tensor.hpp"

namespace penstock::app {

/// Of one column: nothing depends on the order of its rows. Different texts are counted one by one up to a limit;
/// beyond it about how many there are is known, and no text more.
class TextStatistics {
 public:
  /// Memory: up to some 50 bytes a text beside its own, 16 KiB, and the texts.
  explicit TextStatistics(std::size_t counted_max) : counted_max_(counted_max) {}

  /// The next rows, of which this is column `column`.
  void add(TextCells const& texts, std::size_t column);
  /// With values, if `wants_values`.
  [[nodiscard]] ColumnStatistics finish(bool wants_values) const;

 private:
  void add(std::string_view text);

  std::size_t counted_max_;
  std::uint64_t count_ = 0;
  std::uint64_t missing_ = 0;
  bool is_exact_ = true;
  CategoryCounts counts_;  ///< empty if not exact
  statistics::DistinctSketch sketch_;
};

}  // namespace penstock::app
