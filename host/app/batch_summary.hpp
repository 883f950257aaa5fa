/// What rows hold, counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "penstock/batch.hpp"

namespace penstock::app {

/// Different values of a label are listed up to this many; that is enough for classes.
inline constexpr std::size_t label_values_max = 32;

/// The values of one label column.
struct LabelSummary {
  std::map<double, std::uint64_t> values;  ///< rows with each value, NaN left out; valid unless there are too many
  bool has_too_many = false;
  double least = 0, greatest = 0;  ///< valid if there is a value that is not NaN
  std::uint64_t missing = 0;       ///< NaN

  /// "0 (3,297), 1 (3,703)", or "0.5 .. 81".
  [[nodiscard]] std::string text() const;
};

/// Counts over batches of one layout.
class BatchSummary {
 public:
  explicit BatchSummary(BatchLayout const& layout);
  void add(Batch const& batch);

  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::vector<std::uint64_t> const& missing() const { return missing_; }  ///< NaN, by feature column
  [[nodiscard]] std::uint64_t missing_cells() const;
  [[nodiscard]] std::vector<LabelSummary> const& labels() const { return labels_; }

 private:
  void add_labels(Dense const& label);

  std::uint64_t rows_ = 0;
  std::vector<std::uint64_t> missing_;
  std::vector<LabelSummary> labels_;
};

}  // namespace penstock::app
