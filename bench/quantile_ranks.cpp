// How far the ranks of quantiles are from what was asked for, and how long they take: one column, one thread.
//
//   quantile_ranks [VALUES]      (default 10,000,000)
//
// Prints of columns of ten kinds the worst and the root mean square error over 10,001 quantiles, as a share of the
// column's values, and the time for each row.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string_view>
#include <vector>

#include "formats/statistics/quantiles.hpp"

namespace {

using namespace penstock::statistics;

constexpr std::string_view kinds[] = {"uniform",  "normal",      "lognormal",  "ascending", "descending",
                                      "sawtooth", "1000 levels", "10% finite", "1% finite", "bursts"};

std::vector<float> column_of(std::size_t kind, std::size_t rows) {
  std::mt19937_64 random(kind + 1);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  std::vector<float> values(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    auto const row = static_cast<double>(i);
    double x = normal(random);
    bool is_missing = false;
    switch (kind) {
      case 0: x = uniform(random); break;
      case 2: x = std::exp(2 * x); break;
      case 3: x = row; break;
      case 4: x = -row; break;
      case 5: x = static_cast<double>(i % tile_rows) + row * 1e-6; break;
      case 6: x = static_cast<double>(random() % 1000); break;
      case 7: is_missing = random() % 10 != 0; break;
      case 8: is_missing = random() % 100 != 0; break;
      case 9: is_missing = (i >> 17) % 3 != 0 && random() % 50 != 0; break;
      default: break;
    }
    values[i] = is_missing ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(x);
  }
  return values;
}

void measure(std::size_t kind, std::size_t rows) {
  std::vector<float> values = column_of(kind, rows);
  BasicQuantiles<float> quantiles;
  auto const begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < rows; i += tile_rows)
    quantiles.add_tile(values.data() + i, std::min(tile_rows, rows - i), 1);
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begin;
  quantiles.finish();

  values.erase(std::remove_if(values.begin(), values.end(), [](float x) { return x != x; }), values.end());
  std::sort(values.begin(), values.end());
  auto const last = static_cast<double>(values.size() - 1);
  constexpr int asked = 10000;
  double worst = 0, squares = 0;
  for (int i = 0; i <= asked; ++i) {
    double const q = static_cast<double>(i) / asked;
    auto const x = static_cast<float>(quantiles.quantile(q));
    auto const first = static_cast<double>(std::lower_bound(values.begin(), values.end(), x) - values.begin());
    auto const end = static_cast<double>(std::upper_bound(values.begin(), values.end(), x) - values.begin());
    double const error = std::max({first / last - q, q - (end - 1) / last, 0.0});
    worst = std::max(worst, error);
    squares += error * error;
  }
  std::printf("%-12s %10zu values%s  worst %.3f %%  root mean square %.3f %%  %.1f ns a row\n", kinds[kind].data(),
              values.size(), quantiles.is_exact() ? " (exact)" : "", 100 * worst,
              100 * std::sqrt(squares / (asked + 1)), took.count() / static_cast<double>(rows) * 1e9);
}

}  // namespace

int main(int count, char** words) {
  std::size_t const rows = count > 1 ? std::strtoull(words[1], nullptr, 10) : 10'000'000;
  if (rows == 0) return 2;
  for (std::size_t kind = 0; kind < std::size(kinds); ++kind) measure(kind, rows);
  return 0;
}
