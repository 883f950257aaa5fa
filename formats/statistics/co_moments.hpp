/// How columns vary together: means, and sums of products of what values differ from them by, for Pearson's
/// correlation. The association is that of moments.hpp: tiles, 32 sums of products in each, merged in order (Chan,
/// Golub and LeVeque).
///
/// Rows in which any of the columns is missing or infinite are in no sum, so that all correlations are of the same
/// rows.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "formats/statistics/moments.hpp"

namespace penstock::statistics {

/// A tile takes columns^2 * 512 multiplications: a limit to what somebody may ask for by mistake.
inline constexpr std::size_t correlated_columns_max = 256;

/// Memory: 8 KiB a column, and 16 bytes a pair of them.
class CoMoments {
 public:
  explicit CoMoments(std::size_t columns)
      : columns_(columns),
        centred_(columns * tile_rows),
        tile_means_(columns),
        means_(columns),
        products_(columns * columns) {}

  /// The next tile: `rows` rows of all columns, one behind the other; tile_rows of them but for the last tile.
  void add_tile(double const* values, std::size_t rows) {
    bool is_complete[tile_rows];
    std::uint64_t const count = find_complete(values, rows, is_complete);
    if (count == 0) return;
    for (std::size_t c = 0; c < columns_; ++c) centre(values + c, rows, is_complete, count, c);
    auto const before = static_cast<double>(rows_), added = static_cast<double>(count);
    double const share = added / (before + added), weight = before * share;
    for (std::size_t a = 0; a < columns_; ++a) {
      double const difference = tile_means_[a] - means_[a];
      for (std::size_t b = 0; b <= a; ++b) {
        double const apart = difference * (tile_means_[b] - means_[b]) * weight;
        products_[a * columns_ + b] += sum_of_products(a, b) + (rows_ == 0 ? 0 : apart);
      }
    }
    for (std::size_t c = 0; c < columns_; ++c)
      means_[c] = rows_ == 0 ? tile_means_[c] : means_[c] + (tile_means_[c] - means_[c]) * share;
    rows_ += count;
  }

  [[nodiscard]] std::size_t columns() const { return columns_; }
  /// Rows that are in the sums.
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] double mean(std::size_t column) const { return means_[column]; }
  /// Sum of products of what the two columns differ from their means by.
  [[nodiscard]] double co_moment(std::size_t a, std::size_t b) const {
    return a < b ? products_[b * columns_ + a] : products_[a * columns_ + b];
  }
  /// Pearson's correlation coefficient, -1 to 1; none if a column has one value only.
  [[nodiscard]] std::optional<double> correlation(std::size_t a, std::size_t b) const {
    double const x = co_moment(a, a), y = co_moment(b, b);
    if (!(x > 0 && y > 0)) return std::nullopt;
    if (a == b) return 1.0;
    bool const has_product = x * y > 1e-290 && x * y < 1e290;
    double const r = co_moment(a, b) / (has_product ? std::sqrt(x * y) : std::sqrt(x) * std::sqrt(y));
    return r > 1 ? 1.0 : r < -1 ? -1.0 : r;
  }

 private:
  [[nodiscard]] std::uint64_t find_complete(double const* values, std::size_t rows, bool* is_complete) const {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < rows; ++i, values += columns_) {
      is_complete[i] = true;
      for (std::size_t c = 0; c < columns_; ++c) is_complete[i] = is_complete[i] && values[c] - values[c] == 0;
      count += is_complete[i] ? 1 : 0;
    }
    return count;
  }

  static double folded(double* sums) {
    for (std::size_t half = tile_sums / 2; half != 0; half /= 2)
      for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
    return sums[0];
  }

  /// What column `c`, whose first value is at `values`, differs from its mean by; 0 in rows that are not complete.
  void centre(double const* values, std::size_t rows, bool const* is_complete, std::uint64_t count, std::size_t c) {
    double sums[tile_sums] = {};
    for (std::size_t i = 0; i < rows; ++i) sums[i % tile_sums] += is_complete[i] ? values[i * columns_] : 0.0;
    double const mean = folded(sums) / static_cast<double>(count);
    tile_means_[c] = mean;
    double* const to = centred_.data() + c * tile_rows;
    for (std::size_t i = 0; i < rows; ++i) to[i] = is_complete[i] ? values[i * columns_] - mean : 0.0;
    for (std::size_t i = rows; i < tile_rows; ++i) to[i] = 0;
  }

  [[nodiscard]] double sum_of_products(std::size_t a, std::size_t b) const {
    double const* x = centred_.data() + a * tile_rows;
    double const* y = centred_.data() + b * tile_rows;
    double sums[tile_sums] = {};
    for (std::size_t i = 0; i < tile_rows; i += tile_sums)
      for (std::size_t j = 0; j < tile_sums; ++j) sums[j] += x[i + j] * y[i + j];
    return folded(sums);
  }

  std::size_t columns_;
  std::uint64_t rows_ = 0;
  std::vector<double> centred_;     ///< of a tile, a column behind the other
  std::vector<double> tile_means_;  ///< of the same tile
  std::vector<double> means_;
  std::vector<double> products_;  ///< [a][b], b <= a
};

}  // namespace penstock::statistics
