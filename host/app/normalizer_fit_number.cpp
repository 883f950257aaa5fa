// Parameters of transforms, from statistics.

#include <cmath>

#include "host/app/column_statistics.hpp"
#include "host/app/normalizer_fit.hpp"
#include "host/app/value_text.hpp"
#include "host/pipeline/column_list.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// 1 where there is no spread: a column that is constant becomes its distance from that value.
double scale_for(double spread) { return spread == 0 ? 1.0 : 1.0 / spread; }

void fit_bounds(FittedColumn& column, NumberFacts const& facts) {
  statistics::Summary const& summary = facts.summary;
  double const least = summary.least, greatest = summary.greatest;
  switch (column.spec.transform) {
    case Transform::standardize:
      column.offset = least == greatest ? least : summary.moments.mean;  // a mean of doubles is rounded
      column.scale = scale_for(least == greatest ? 0 : standard_deviation(summary.moments));
      break;
    case Transform::min_max:
      column.scale = greatest == least ? 1.0 : (column.spec.high - column.spec.low) / (greatest - least);
      column.offset = least - column.spec.low / column.scale;
      break;
    case Transform::max_abs: column.scale = scale_for(std::max(std::abs(least), std::abs(greatest))); break;
    case Transform::robust:
      column.offset = facts.quantile(0.5);
      column.scale = scale_for(facts.quantile(0.75) - facts.quantile(0.25));
      break;
    default: break;
  }
  bool const is_usable = std::isfinite(column.offset) && std::isfinite(column.scale) && column.scale != 0;
  if (!is_usable)
    throw DataError(
        shown(facts.name) + ": its values are too large, too small or too far apart for " + text_of(column.spec),
        "robust, or clip, takes outliers; --dtype float64 holds more.");
}

void fit_quantiles(FittedColumn& column, NumberFacts const& facts) {
  if (column.spec.transform == Transform::clip) {
    column.low = facts.quantile(column.spec.low);
    column.high = facts.quantile(column.spec.high);
  }
  if (column.spec.transform != Transform::bucketize) return;
  for (std::uint32_t i = 1; i < column.spec.buckets; ++i) {
    double const edge = facts.quantile(static_cast<double>(i) / column.spec.buckets);
    if (column.edges.empty() || edge > column.edges.back()) column.edges.push_back(edge);
  }
}

void fit_fill(FittedColumn& column, NumberFacts const& facts) {
  switch (column.spec.impute) {
    case Impute::no: return;
    case Impute::constant: column.fill = column.spec.constant + 0.0; return;  // JSON has no -0
    case Impute::mean: column.fill = facts.summary.moments.mean; break;
    case Impute::median: column.fill = facts.quantile(0.5); break;
  }
  if (facts.summary.moments.count == 0)
    throw DataError(shown(facts.name) + ": has no values, so that there is no mean or median to fill in",
                    "impute(0), or another number, or --ignore leaves the column out.");
}

}  // namespace

FittedColumn fit_number(NumberFacts const& facts, TransformSpec const& spec) {
  FittedColumn column;
  column.name = facts.name;
  column.spec = spec;
  column.summary = facts.summary;
  fit_fill(column, facts);
  if (facts.summary.moments.count == 0) return column;  // missing values stay, or are filled
  if (spec.transform == Transform::log1p && !(facts.summary.least > -1)) {
    char least[32];
    std::snprintf(least, sizeof least, "%.6g", facts.summary.least);
    throw DataError(shown(facts.name) + ": has values down to " + least + ", and log1p takes those above -1",
                    "power(0.5) takes all numbers.");
  }
  fit_bounds(column, facts);
  fit_quantiles(column, facts);
  return column;
}

}  // namespace penstock::app
