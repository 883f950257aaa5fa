/// Which columns become what: roles, class names, and the columns that cannot be numbers.
#pragma once

#include "formats/csv/cell.hpp"
#include "formats/csv/plan.hpp"
#include "host/pipeline/column_list.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "host/pipeline/csv_sniff.hpp"
#include "penstock/batch.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {

/// The roles of a file's columns.
struct ColumnRoles {
  std::vector<csv::Column> columns;                                     ///< by column of the file
  std::array<std::vector<std::uint32_t>, tensor_roles.size()> by_role;  ///< the file's columns in the tensor's order
  BatchLayout layout;

  [[nodiscard]] std::vector<std::uint32_t> const& of(Role role) const {
    return by_role[static_cast<std::size_t>(role)];
  }
};

/// Reads the options --columns, --label, --weight, --qid and --ignore. Throws ConfigurationError for columns that do
/// not exist, that are named twice or have two roles, and if no feature is left.
[[nodiscard]] ColumnRoles assign_roles(ColumnNames const& names, CsvOptions const& options);

/// Class names and their numbers. `entries` points into `names`.
struct LabelMap {
  LabelMap() = default;
  LabelMap(LabelMap&&) = default;
  LabelMap& operator=(LabelMap&&) = default;

  std::vector<std::string> names;
  std::vector<csv::LabelName> entries;
};

/// Reads `setosa=0,versicolor=1`: the last `=` of an item counts, so names may hold others. Throws
/// ConfigurationError for items without a name or a float32 number, and for names that occur twice.
[[nodiscard]] LabelMap parse_label_map(std::string_view text);

/// What the sample says about the columns, for the checks below.
struct SampledData {
  std::span<SampledRecord const> records;  ///< without the header
  csv::CellRules const& rules;
};

/// Throws ConfigurationError if features, or labels without a label map, are text as far as the sample shows; the
/// hint says which options help, ready to be pasted.
void require_numbers(ColumnNames const& names, ColumnRoles const& roles, CsvOptions const& options,
                     SampledData const& data);

}  // namespace penstock
