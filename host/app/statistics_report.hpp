/// What `stats` prints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/statistics/co_moments.hpp"
#include "host/app/input_statistics.hpp"

namespace penstock::app {

/// A number that may be known of a column.
struct Statistic {
  std::string_view name;
  std::optional<double> (*of)(ColumnStatistics const& column);
  bool is_count = false;
};

/// The statistics that a comma-separated list names; without a list all, in their order. Throws ConfigurationError for
/// names of none.
[[nodiscard]] std::vector<Statistic> statistics_named(std::optional<std::string> const& list);
/// Those that a table has, unless the user names some.
[[nodiscard]] std::vector<Statistic> statistics_of_table();
/// What must be found out of columns to know them.
[[nodiscard]] ColumnDetails details_for(std::vector<Statistic> const& wanted);

/// One number and nothing else; null if there is none.
[[nodiscard]] std::string bare_value(Statistic const& statistic, ColumnStatistics const& column);

struct StatisticsReport {
  std::vector<NamedColumn> columns;
  std::vector<Statistic> wanted;
  std::uint64_t rows = 0;
  bool has_frequent_values = false;
  std::vector<std::string> correlated;  ///< the names of the columns of
  statistics::CoMoments const* correlations = nullptr;
};

/// Six significant digits are enough to look at, and columns of sparse features up to a limit; programs take JSON.
[[nodiscard]] std::string table_text(StatisticsReport const& report);
[[nodiscard]] std::string json_line(StatisticsReport const& report);

}  // namespace penstock::app
