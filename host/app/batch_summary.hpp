/// What rows hold, counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "penstock/batch.hpp"

namespace penstock::app {

/// Different values of a label are listed up to this many; that is enough for classes.
inline constexpr std::size_t label_values_max = 32;
/// Label columns beyond these are not summarised: each may take some 2 KiB.
inline constexpr std::size_t label_columns_max = 1024;
/// Missing values are counted by column where there are no more columns: some 100 KiB of JSON. Beyond, only in all.
inline constexpr std::size_t missing_columns_max = 65'536;

/// The shortest text; of a float32 that was widened that of the float32.
[[nodiscard]] std::string summary_number(double value);

/// The values of one label column, or of all lists of labels together.
struct LabelSummary {
  std::map<double, std::uint64_t> values;  ///< rows with each value, NaN left out; valid unless there are too many
  bool has_too_many = false;
  double least = 0, greatest = 0;  ///< valid if there is a value that is not NaN
  std::uint64_t missing = 0;       ///< NaN

  /// "0 (3,297), 1 (3,703)", or "0.5 .. 81".
  [[nodiscard]] std::string text() const;
};

/// How many elements rows of different lengths have.
struct LengthSummary {
  std::uint64_t rows = 0;
  std::uint64_t elements = 0;
  std::uint64_t least = 0, greatest = 0;  ///< in a row; valid if there are rows
  std::uint64_t empty_rows = 0;

  void add(std::uint64_t length);
  /// 0 without rows.
  [[nodiscard]] double mean() const;
};

/// The lists of one name.
struct ListSummary {
  LengthSummary lengths;           ///< values a row
  std::uint64_t missing = 0;       ///< NaN
  double least = 0, greatest = 0;  ///< valid if a value is not missing
  [[nodiscard]] bool has_values() const { return lengths.elements != missing; }
};

/// The first and the last time; valid if there are rows.
struct TimeSummary {
  std::int64_t first = 0, last = 0;
};

/// The pairs of CSR features.
struct PairSummary {
  LengthSummary lengths;                        ///< pairs a row
  std::int64_t least_column = 0;                ///< 0-based; valid if there are pairs
  std::optional<std::int64_t> greatest_column;  ///< 0-based; nothing if there are no pairs
  std::uint64_t zeros = 0;                      ///< pairs whose value is 0 or -0
};

/// Counts over batches of one layout. Memory: what the constants above say, whatever the batches.
class BatchSummary {
 public:
  explicit BatchSummary(BatchLayout const& layout);
  void add(Batch const& batch);

  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  /// NaN by feature column, without those of lists; empty where columns are too many or their number is not known.
  [[nodiscard]] std::vector<std::uint64_t> const& missing() const { return missing_; }
  [[nodiscard]] std::uint64_t missing_cells() const { return missing_cells_; }
  /// The first label_columns_max columns of the dense label, or one summary of lists of labels.
  [[nodiscard]] std::vector<LabelSummary> const& labels() const { return labels_; }
  /// Of sparse features.
  [[nodiscard]] PairSummary const& pairs() const { return pairs_; }
  /// One for each list of the layout.
  [[nodiscard]] std::vector<ListSummary> const& lists() const { return lists_; }
  [[nodiscard]] TimeSummary const& start() const { return start_; }
  /// The largest category of each of the first label_columns_max columns; -1 without rows.
  [[nodiscard]] std::vector<std::int32_t> const& largest_categories() const { return categories_; }
  /// Of lists of labels.
  [[nodiscard]] LengthSummary const& label_counts() const { return label_counts_; }

 private:
  template <class T>
  void add_dense(Dense const& features);
  void add_csr(Csr const& csr);
  template <class T>
  void add_pair_values(Csr const& csr);
  void add_missing(std::size_t column);
  void add_labels(Dense const& label);
  void add_label_lists(Ragged const& labels);
  void add_list(ListSummary& summary, Ragged const& list);
  void add_times(Dense const& start, bool is_first);
  void add_categories(Dense const& cat);

  std::uint64_t rows_ = 0;
  std::uint64_t missing_cells_ = 0;
  std::vector<std::uint64_t> missing_;
  std::vector<LabelSummary> labels_;
  PairSummary pairs_;
  LengthSummary label_counts_;
  std::vector<ListSummary> lists_;
  TimeSummary start_;
  std::vector<std::int32_t> categories_;
};

}  // namespace penstock::app
