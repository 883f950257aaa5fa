/// Statistics of the columns of an input's rows: the same bits whatever batches the rows come in
/// (formats/statistics/moments.hpp says how).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "formats/statistics/frequent.hpp"
#include "formats/statistics/moments.hpp"
#include "formats/statistics/quantiles.hpp"
#include "host/app/task_team.hpp"
#include "host/exec/engine.hpp"
#include "penstock/batch.hpp"
#include "penstock/device.hpp"
#include "penstock/tensor.hpp"

namespace penstock::app {

struct NamedQuantile {
  std::string_view name;
  double q;
};
inline constexpr std::array<NamedQuantile, 7> named_quantiles = {
    {{"p1", 0.01}, {"p5", 0.05}, {"q25", 0.25}, {"median", 0.5}, {"q75", 0.75}, {"p95", 0.95}, {"p99", 0.99}}};

/// What is found out of each column besides its summary.
struct ColumnDetails {
  bool quantiles = false;
  std::vector<bool> quantile_columns = {};  ///< if not empty: quantiles of these columns alone
  bool values = false;                      ///< how many different ones, and how often there are which
  bool is_exact = false;                    ///< quantiles of all values, in memory that grows with the input
};

/// Columns of a tensor up to which there are details of all of them; beyond it of one that is chosen. They take up to
/// 200 KiB each where there are so many, 3 MiB where there are few.
inline constexpr std::size_t detailed_columns_max = 2048;
/// Up to how many values a column's quantiles are exact, and up to how many different ones are counted, in a tensor of
/// so many columns: 65,536 up to 256 columns and up to 64.
[[nodiscard]] std::size_t exact_values_max(std::size_t columns);
[[nodiscard]] std::size_t counted_values_max(std::size_t columns);

/// The most frequent values that are reported of a column.
inline constexpr std::size_t frequent_values_max = 10;

/// What is known of finite values of one column.
struct ValueStatistics {
  std::uint64_t distinct = 0;
  bool is_exact = false;  ///< whether they were counted one by one; otherwise the standard error is 0.81%
  std::vector<statistics::ValueCount> most_frequent;  ///< none unless exact
  /// The same of a column of text: the most frequent first, those as frequent in the order of their bytes.
  std::vector<std::pair<std::string, std::uint64_t>> texts = {};
};
struct QuantileStatistics {
  std::array<double, named_quantiles.size()> values = {};  ///< as named_quantiles
  bool is_exact = false;
};
struct ColumnStatistics {
  statistics::Summary summary;                  ///< of text the count and the missing ones alone
  std::optional<QuantileStatistics> quantiles;  ///< if wanted, and if there are finite values
  std::optional<ValueStatistics> values;        ///< if wanted
  bool is_text = false;
};

/// Of a tensor of any element type. Integers are taken as float64. Memory without details: 144 bytes a column, and the
/// rows of one tile.
class TensorStatistics {
 public:
  /// Rows of `columns` elements of the type. `only`: of this column alone.
  TensorStatistics(DType dtype, std::size_t columns, ColumnDetails details = {}, std::optional<std::size_t> only = {});

  /// Columns are looked at by `team` from now on, which outlives this.
  void share_work(TaskTeam& team) { team_ = &team; }
  /// The next rows; tensor.columns and tensor.dtype are as they were.
  void add(Dense const& tensor);
  /// The same of float32 rows without details, whose features are on a device; of `tensor` the shape alone counts.
  void add(Dense const& tensor, DeviceRows& rows);
  /// When there are no more rows: of each column, or of the only one. Once.
  [[nodiscard]] std::span<statistics::Summary const> finish();
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  /// After finish(), of number `i` of what it returned.
  [[nodiscard]] ColumnStatistics column(std::size_t i) const;
  /// After finish(), with details: the quantile of `share`, 0 to 1, of column `i`; NaN if it has no finite values.
  [[nodiscard]] double quantile(std::size_t i, double share) const;
  /// Whether all quantiles are those of all values.
  [[nodiscard]] bool has_exact_quantiles() const;

 private:
  template <class T>
  using QuantilesOfColumns = std::vector<statistics::BasicQuantiles<T>>;

  /// Rows that make a tile, one behind the other.
  struct Tile {
    std::byte const* values;
    std::size_t rows;
  };

  void add_tiles();
  void add_part(std::size_t part);
  template <class T>
  void summarize_block(std::size_t block);
  template <class T>
  void add_details(std::size_t column);
  [[nodiscard]] bool has_quantiles_of(std::size_t column) const {
    return quantile_columns_.empty() || quantile_columns_[column];
  }
  [[nodiscard]] QuantileStatistics quantiles_of(std::size_t i) const;

  InstructionSet isa_ = best_instruction_set();
  DType dtype_;
  std::size_t columns_;
  std::size_t first_ = 0;  ///< of the columns that are looked at
  std::uint64_t rows_ = 0;
  std::vector<std::byte> carry_;  ///< rows of a tile that has not ended
  std::size_t carried_ = 0;       ///< rows
  std::vector<Tile> tiles_;       ///< that have ended
  std::vector<statistics::Summary> tile_;
  std::vector<statistics::Summary> device_tiles_;  ///< that have ended on a device
  std::vector<statistics::Summary> all_;
  std::variant<QuantilesOfColumns<double>, QuantilesOfColumns<float>> quantiles_;  ///< empty if not wanted
  std::vector<bool> quantile_columns_;                                             ///< empty: all
  std::vector<statistics::ValueCounts> values_;                                    ///< empty if not wanted
  TaskTeam* team_ = nullptr;
};

/// Square root of the mean square distance from the mean (divided by n, as scalers do); 0 of no values.
[[nodiscard]] double standard_deviation(statistics::Moments const& moments);
/// The mean cube of the distance from the mean in standard deviations; 0 of values that are all the same.
[[nodiscard]] double skewness(statistics::Moments const& moments);

}  // namespace penstock::app
